/* lesson.c - memory and initial state of a lesson, and the weights that it packs. */
#include "lesson.h"

#include "byte_order.h"
#include "rows.h"

#include <assert.h>
#include <stdlib.h>

extern const cpr_lesson_kernel cpr_lesson_kernel_baseline;
#ifdef CPR_KERNELS_X86
extern const cpr_lesson_kernel cpr_lesson_kernel_avx2;
extern const cpr_lesson_kernel cpr_lesson_kernel_avx512;
#endif

/* ---- memory ---- */

static void *place(cpr_layout *layout, size_t count, size_t size)
{
    return cpr_layout_place(layout, "lesson", count, size);
}

static void lesson_place_table(cpr_lesson_table *table, size_t count, size_t rank,
                               cpr_layout *scratch)
{
    table->count = count;
    table->stream = place(scratch, count * rank, sizeof *table->stream);
    table->rows = place(scratch, count, sizeof *table->rows);
    table->marked = place(scratch, count, 1);
}

static void lesson_place_state(cpr_lesson *n, cpr_taught_shape s, cpr_layout *state)
{
    const size_t numbers = cpr_taught_numbers(s) + cpr_taught_biases(s);
    n->header = place(state, 1, sizeof *n->header);
    n->numbers = place(state, numbers, sizeof *n->numbers);
    n->moment1 = place(state, numbers, sizeof *n->moment1);
    n->moment2 = place(state, numbers, sizeof *n->moment2);
    n->embedding.value = place(state, (size_t)s.tokens * s.rank, sizeof(float));
    n->embedding.square = place(state, s.tokens, sizeof(float));
    n->node.value = place(state, (size_t)(s.tokens - 1) * s.rank, sizeof(float));
    n->node.square = place(state, s.tokens - 1, sizeof(float));
}

static void lesson_place_operands(cpr_lesson *n, cpr_taught_shape s, cpr_layout *shared)
{
    n->integers = place(shared, cpr_taught_numbers(s), 1);
    n->unit = place(shared, cpr_taught_matrices(s), sizeof *n->unit);
    for (uint32_t i = 0; i < cpr_taught_matrices(s); i++) {
        const size_t rows = cpr_taught_matrix_rows(s, i);
        const size_t columns = cpr_taught_matrix_columns(s, i);
        n->packed[i] = place(shared, cpr_products_packed_bytes(rows, columns), 1);
        n->transposed[i] = place(shared, cpr_products_packed_bytes(columns, rows), 1);
    }
}

static void lesson_place_rows(cpr_lesson_rows *rows, size_t count, size_t rank, cpr_layout *shared)
{
    rows->sum = place(shared, count * rank, sizeof *rows->sum);
    rows->touched = place(shared, (count + 63) / 64, sizeof *rows->touched);
}

static void lesson_place_part(cpr_lesson_part *part, cpr_taught_shape s, cpr_layout *shared)
{
    part->extremes = place(shared, 1, sizeof *part->extremes);
    part->sum = place(shared, cpr_taught_numbers(s) + cpr_taught_biases(s), sizeof *part->sum);
    lesson_place_rows(&part->embedding, s.tokens, s.rank, shared);
    lesson_place_rows(&part->node, s.tokens - 1, s.rank, shared);
}

static void lesson_place_scratch(cpr_lesson *n, cpr_taught_shape s, cpr_layout *scratch)
{
    const size_t t = CPR_LESSON_SEGMENT, w = s.width, r = s.rank, l = s.layers;
    const size_t wide = w > r ? w : r;
    n->embedded = place(scratch, t * r, 1);
    n->stream = place(scratch, (l + 1) * t * w, sizeof(float));
    n->norm = place(scratch, (l + 1) * t, sizeof(float));
    n->input = place(scratch, (l + 1) * t * w, 1);
    n->gates = place(scratch, l * t * 3 * w, sizeof(float));
    n->cell = place(scratch, l * (t + 1) * w, sizeof(float));
    n->context = place(scratch, t * r, sizeof(float));
    n->products_out = place(scratch, t * 3 * wide, sizeof(int32_t));
    n->by_context = place(scratch, t * r, sizeof(float));
    n->by_stream = place(scratch, t * w, sizeof(float));
    n->by_gates = place(scratch, t * 3 * w, sizeof(float));
    n->carry = place(scratch, w, sizeof(float));
    n->by_bias = place(scratch, 3 * w, sizeof(float));
    n->small = place(scratch, t * 3 * wide, 1);
    n->small_unit = place(scratch, t, sizeof(float));
    n->largest = place(scratch, t, sizeof(float));
    n->wide = place(scratch, t * CPR_LESSON_STRIP, sizeof *n->wide);
    n->outgoing = place(scratch, (size_t)(2 * s.tokens) * r, sizeof *n->outgoing);
    n->outgoing_touched = place(scratch, s.tokens / 32 + 2, sizeof *n->outgoing_touched);
    lesson_place_table(&n->embedding, s.tokens, r, scratch);
    lesson_place_table(&n->node, s.tokens - 1, r, scratch);
}

/* Places what a team shares: the state is first, the members' parts are last. Returns its bytes. */
static size_t lesson_place_shared(cpr_lesson *n, cpr_taught_shape s, uint32_t members,
                                  uint8_t *memory)
{
    cpr_layout layout = {.memory = memory};
    cpr_lesson_part part;
    lesson_place_state(n, s, &layout);
    n->state_bytes = layout.bytes;
    lesson_place_operands(n, s, &layout);
    for (uint32_t i = 0; i < members; i++) {
        lesson_place_part(&part, s, &layout);
        if (n->parts != NULL)
            n->parts[i] = part;
    }
    return layout.bytes;
}

/* Places all else. Returns its bytes. */
static size_t lesson_place(cpr_lesson *n, cpr_taught_shape s, uint8_t *memory)
{
    cpr_layout layout = {.memory = memory};
    lesson_place_scratch(n, s, &layout);
    n->stream_bytes =
        (sizeof(cpr_lesson_stream_header) + (size_t)s.layers * s.width * sizeof(float) + 63) &
        ~(size_t)63;
    return layout.bytes;
}

size_t cpr_lesson_shape_shared(cpr_taught_shape shape, uint32_t members)
{
    cpr_lesson measured = {.parts = NULL};
    return lesson_place_shared(&measured, shape, members, NULL);
}

uint64_t cpr_lesson_shape_memory(cpr_taught_shape shape, uint32_t streams)
{
    cpr_lesson measured = {.parts = NULL};
    const uint64_t bytes = lesson_place(&measured, shape, NULL);
    return bytes + cpr_lesson_shape_shared(shape, 1) + streams * measured.stream_bytes +
           sizeof measured;
}

/* False: out of memory. */
static bool lesson_take_memory(cpr_lesson *n)
{
    const size_t bytes = lesson_place(n, n->shape, NULL), all = n->streams * n->stream_bytes;
    const size_t shared = cpr_lesson_shape_shared(n->shape, n->team.members);
    n->parts = calloc(n->team.members, sizeof *n->parts);
    n->memory = aligned_alloc(64, bytes);
    n->stream_memory = aligned_alloc(64, all);
    if (n->team.memory == NULL)
        n->team.memory = n->own_memory = aligned_alloc(64, shared);
    if (n->parts == NULL || n->memory == NULL || n->stream_memory == NULL || n->team.memory == NULL)
        return false;
    memset(n->memory, 0, bytes);
    memset(n->stream_memory, 0, all);
    if (n->own_memory != NULL)
        memset(n->own_memory, 0, shared);
    lesson_place(n, n->shape, n->memory);
    lesson_place_shared(n, n->shape, n->team.members, n->team.memory);
    n->own = n->parts[n->team.member];
    return true;
}

/* ---- initial state ---- */

static void lesson_init_state(cpr_lesson *n)
{
    const cpr_taught_shape s = n->shape;
    uint64_t random = 1;
    n->header->decay[0] = n->header->decay[1] = 1.0f;
    for (uint32_t i = 0; i < cpr_taught_matrices(s); i++) {
        const float range = 1.75f * cpr_rsqrtf((float)cpr_taught_matrix_columns(s, i));
        cpr_row_fill_random(n->numbers + cpr_taught_matrix_at(s, i),
                            cpr_taught_matrix_numbers(s, i), range, &random);
        n->header->scale[i] = 1024.0f;
    }
    /* Too little to be stored; from zero, no gradient would lead away. */
    cpr_row_fill_random(n->node.value, n->node.count * s.rank, 0.03f, &random);
    n->header->embedding_scale = 1024.0f;
    n->header->node_scale = n->limit / 16.0f;
    for (uint32_t layer = 0; layer < s.layers; layer++) {
        float *bias = n->numbers + cpr_taught_numbers(s) + cpr_taught_bias_at(s, layer);
        for (size_t i = 0; i < s.width; i++)
            bias[s.width + i] = 1.0f; /* forget little at first */
        n->header->bias_scale[layer] = 1024.0f;
    }
    n->kernel->prepare(n);
}

cpr_lesson *cpr_lesson_create_shaped(cpr_taught_shape shape, const cpr_vocabulary *vocabulary,
                                     uint32_t streams, const cpr_team *team, cpr_instructions set)
{
    static const cpr_lesson_kernel *const kernels[CPR_KERNEL_COUNT] =
        CPR_OF_KERNELS(&cpr_lesson_kernel_);
    assert(streams >= 1 && streams <= CPR_LESSON_STREAMS_MAX);
    cpr_lesson *n = calloc(1, sizeof *n);
    if (n == NULL)
        return NULL;
    n->kernel = kernels[set];
    n->products = cpr_products_of(set);
    n->shape = shape;
    n->vocabulary = vocabulary;
    n->streams = streams;
    n->limit = (float)(INT16_MAX / streams);
    n->team = team != NULL ? *team : (cpr_team){.members = 1, .workers = 1};
    if (!lesson_take_memory(n)) {
        cpr_lesson_free(n);
        return NULL;
    }
    for (uint32_t i = 0; i < streams; i++)
        cpr_loss_meter_init(&cpr_lesson_stream_of(n, i)->loss);
    if (n->team.member == 0)
        lesson_init_state(n);
    return n;
}

void cpr_lesson_free(cpr_lesson *n)
{
    if (n == NULL)
        return;
    free(n->memory);
    free(n->stream_memory);
    free(n->own_memory);
    free(n->parts);
    free(n);
}

/* ---- use ---- */

void cpr_lesson_read(cpr_lesson *n, uint32_t stream, const uint16_t *tokens, size_t count)
{
    assert(stream < n->streams && count <= CPR_LESSON_SEGMENT);
    if (count > 0)
        n->kernel->read(n, stream, tokens, count);
}

void cpr_lesson_step(cpr_lesson *n, uint32_t progress)
{
    assert(progress <= 65536);
    n->kernel->step(n, progress);
}

size_t cpr_lesson_state_bytes(const cpr_lesson *n)
{
    return n->state_bytes;
}

void *cpr_lesson_state(cpr_lesson *n)
{
    return n->team.memory;
}

size_t cpr_lesson_stream_bytes(const cpr_lesson *n)
{
    return n->stream_bytes;
}

void *cpr_lesson_stream(cpr_lesson *n, uint32_t stream)
{
    return cpr_lesson_stream_of(n, stream);
}

void cpr_lesson_restored(cpr_lesson *n)
{
    n->kernel->prepare(n);
}

uint64_t cpr_lesson_loss(const cpr_lesson *n, uint32_t stream)
{
    return cpr_loss_meter_read(&cpr_lesson_stream_of(n, stream)->loss);
}

/* ---- packed weights ---- */

uint8_t *cpr_lesson_pack(const cpr_lesson *n, size_t *bytes)
{
    const cpr_taught_shape s = n->shape;
    *bytes = cpr_weights_packed_bytes(s);
    uint8_t *packed = malloc(*bytes), *out = packed;
    if (packed == NULL)
        return NULL;
    for (uint32_t i = 0; i < cpr_taught_matrices(s); i++)
        *out++ = (uint8_t)(cpr_bits_of(n->unit[i]) >> 23); /* a power of two */
    memcpy(out, n->integers, cpr_taught_numbers(s));
    out += cpr_taught_numbers(s);
    for (size_t i = 0; i < cpr_taught_biases(s); i++, out += 2) {
        const float bias = n->numbers[cpr_taught_numbers(s) + i] * CPR_TAUGHT_BIAS_ONE;
        cpr_store_le16(out,
                       (uint16_t)(int16_t)(int32_t)cpr_roundf(cpr_clampf(bias, -32767, 32767)));
    }
    cpr_row_to_bytes((int8_t *)out, n->embedding.value, (float)n->shape.grain, 127,
                     n->embedding.count * s.rank);
    cpr_row_to_bytes((int8_t *)out + n->embedding.count * s.rank, n->node.value,
                     2.0f * (float)s.grain, 127, n->node.count * s.rank);
    return packed;
}
