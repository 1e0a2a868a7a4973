/* origins.c - the files that others of a list are decoded from. */
#include "origins.h"
#include "file_io.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct origin_entry {
    size_t source; /* in the texts */
    size_t name;
    cpr_input_kind kind;
    bool is_tar;
    bool through_link;
    uint64_t bytes;
    uint64_t text_bytes;
    cpr_hash128 hash;
    uint64_t first;
    uint64_t files;
    size_t first_point;
    size_t point_count;
} origin_entry;

void cpr_origins_free(cpr_origins *origins)
{
    free(origins->entries);
    free(origins->pieces);
    free(origins->points);
    free(origins->texts);
    *origins = (cpr_origins){.entries = NULL};
}

/* Room for `more` things of `size` bytes behind *count. */
static bool origins_reserve(void *array, size_t *capacity, size_t count, size_t more, size_t size)
{
    void *now;
    memcpy(&now, array, sizeof now);
    if (*capacity - count >= more)
        return true;
    const size_t wanted = *capacity + *capacity / 2 + more + 4;
    void *grown = wanted <= SIZE_MAX / size ? realloc(now, wanted * size) : NULL;
    if (grown == NULL)
        return false;
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}

/* Where the copy of a text begins. */
static size_t origins_add_text(cpr_origins *origins, const char *text)
{
    const size_t at = origins->texts_bytes;
    const size_t bytes = strlen(text) + 1;
    memcpy(origins->texts + at, text, bytes);
    origins->texts_bytes += bytes;
    return at;
}

bool cpr_origins_add(cpr_origins *origins, const cpr_origin *origin, uint64_t first_file)
{
    const size_t texts = strlen(origin->source) + strlen(origin->name) + 2;
    if (origins->count >= UINT32_MAX ||
        !origins_reserve(&origins->entries, &origins->capacity, origins->count, 1,
                         sizeof *origins->entries) ||
        !origins_reserve(&origins->points, &origins->point_capacity, origins->point_count,
                         origin->point_count, sizeof *origins->points) ||
        !origins_reserve(&origins->texts, &origins->texts_capacity, origins->texts_bytes, texts, 1))
        return false;
    origins->entries[origins->count++] = (origin_entry){
        .source = origins_add_text(origins, origin->source),
        .name = origins_add_text(origins, origin->name),
        .kind = origin->kind,
        .is_tar = origin->is_tar,
        .through_link = origin->through_link,
        .bytes = origin->bytes,
        .text_bytes = origin->text_bytes,
        .hash = origin->hash,
        .first = first_file,
        .first_point = origins->point_count,
        .point_count = origin->point_count,
    };
    if (origin->point_count > 0)
        memcpy(origins->points + origins->point_count, origin->points,
               origin->point_count * sizeof *origins->points);
    origins->point_count += origin->point_count;
    return true;
}

bool cpr_origins_add_piece(cpr_origins *origins, const cpr_piece *piece)
{
    assert(piece->origin + 1u == origins->count);
    if (!origins_reserve(&origins->pieces, &origins->piece_capacity, origins->piece_count, 1,
                         sizeof *origins->pieces))
        return false;
    origins->pieces[origins->piece_count++] = *piece;
    return true;
}

void cpr_origins_end(cpr_origins *origins, uint64_t file)
{
    origin_entry *last = &origins->entries[origins->count - 1];
    last->files = file - last->first;
}

const cpr_piece *cpr_origins_piece(const cpr_origins *origins, uint64_t file)
{
    size_t low = 0;
    size_t high = origins->piece_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (origins->pieces[middle].file < file)
            low = middle + 1;
        else
            high = middle;
    }
    return low < origins->piece_count && origins->pieces[low].file == file ? &origins->pieces[low]
                                                                           : NULL;
}

cpr_origin cpr_origins_get(const cpr_origins *origins, uint64_t i)
{
    assert(i < origins->count);
    const origin_entry *entry = &origins->entries[i];
    return (cpr_origin){
        .source = origins->texts + entry->source,
        .name = origins->texts + entry->name,
        .kind = entry->kind,
        .is_tar = entry->is_tar,
        .through_link = entry->through_link,
        .bytes = entry->bytes,
        .text_bytes = entry->text_bytes,
        .hash = entry->hash,
        .first = entry->first,
        .files = entry->files,
        .points = origins->points != NULL ? origins->points + entry->first_point : NULL,
        .point_count = entry->point_count,
    };
}

/* ---- for another rank ------------------------------------------------------------------------
 * Numbers of origins, pieces and points, bytes of texts (8 each); 84 bytes an origin, 24 a piece,
 * 16 a point; the texts. */

#define PACKED_HEAD 32u
#define PACKED_ORIGIN 84u
#define PACKED_PIECE 24u
#define PACKED_POINT 16u
#define PACKED_TAR 256u
#define PACKED_THROUGH_LINK 512u

size_t cpr_origins_packed_bytes(const cpr_origins *origins)
{
    return PACKED_HEAD + PACKED_ORIGIN * origins->count + PACKED_PIECE * origins->piece_count +
           PACKED_POINT * origins->point_count + origins->texts_bytes;
}

static void origin_pack(const origin_entry *entry, uint8_t *out)
{
    cpr_put64(out, entry->source);
    cpr_put64(out + 8, entry->name);
    cpr_put32(out + 16, (uint32_t)entry->kind | (entry->is_tar ? PACKED_TAR : 0) |
                            (entry->through_link ? PACKED_THROUGH_LINK : 0));
    cpr_put64(out + 20, entry->bytes);
    cpr_put64(out + 28, entry->text_bytes);
    cpr_put_hash(out + 36, entry->hash);
    cpr_put64(out + 52, entry->first);
    cpr_put64(out + 60, entry->files);
    cpr_put64(out + 68, entry->first_point);
    cpr_put64(out + 76, entry->point_count);
}

void cpr_origins_pack(const cpr_origins *origins, uint8_t *out)
{
    cpr_put64(out, origins->count);
    cpr_put64(out + 8, origins->piece_count);
    cpr_put64(out + 16, origins->point_count);
    cpr_put64(out + 24, origins->texts_bytes);
    out += PACKED_HEAD;
    for (size_t i = 0; i < origins->count; i++, out += PACKED_ORIGIN)
        origin_pack(&origins->entries[i], out);
    for (size_t i = 0; i < origins->piece_count; i++, out += PACKED_PIECE) {
        cpr_put64(out, origins->pieces[i].file);
        cpr_put64(out + 8, origins->pieces[i].text);
        cpr_put32(out + 16, origins->pieces[i].origin);
        cpr_put32(out + 20, origins->pieces[i].rest);
    }
    for (size_t i = 0; i < origins->point_count; i++, out += PACKED_POINT) {
        cpr_put64(out, origins->points[i].source);
        cpr_put64(out + 8, origins->points[i].text);
    }
    if (origins->texts_bytes > 0)
        memcpy(out, origins->texts, origins->texts_bytes);
}

static bool origin_unpack(origin_entry *entry, const uint8_t *in, const cpr_origins *origins,
                          uint64_t files)
{
    const uint32_t kind = cpr_get32(in + 16);
    *entry = (origin_entry){
        .source = (size_t)cpr_get64(in),
        .name = (size_t)cpr_get64(in + 8),
        .kind = (cpr_input_kind)(kind & (PACKED_TAR - 1)),
        .is_tar = (kind & PACKED_TAR) != 0,
        .through_link = (kind & PACKED_THROUGH_LINK) != 0,
        .bytes = cpr_get64(in + 20),
        .text_bytes = cpr_get64(in + 28),
        .hash = cpr_get_hash(in + 36),
        .first = cpr_get64(in + 52),
        .files = cpr_get64(in + 60),
        .first_point = (size_t)cpr_get64(in + 68),
        .point_count = (size_t)cpr_get64(in + 76),
    };
    return entry->source < origins->texts_bytes && entry->name < origins->texts_bytes &&
           entry->kind <= CPR_INPUT_CORPRESS && entry->first <= files &&
           entry->files <= files - entry->first && entry->first_point <= origins->point_count &&
           entry->point_count <= origins->point_count - entry->first_point;
}

/* Takes memory for what a head says, of `left` bytes behind it. */
static bool origins_size(cpr_origins *origins, const uint8_t *head, uint64_t left)
{
    const uint64_t count = cpr_get64(head);
    const uint64_t pieces = cpr_get64(head + 8);
    const uint64_t points = cpr_get64(head + 16);
    const uint64_t texts = cpr_get64(head + 24);
    if (count > left / PACKED_ORIGIN || pieces > left / PACKED_PIECE ||
        points > left / PACKED_POINT || texts > left ||
        PACKED_ORIGIN * count + PACKED_PIECE * pieces + PACKED_POINT * points + texts != left)
        return false;
    *origins = (cpr_origins){.count = (size_t)count,
                             .capacity = (size_t)count,
                             .piece_count = (size_t)pieces,
                             .piece_capacity = (size_t)pieces,
                             .point_count = (size_t)points,
                             .point_capacity = (size_t)points,
                             .texts_bytes = (size_t)texts,
                             .texts_capacity = (size_t)texts};
    return true;
}

static bool origins_take(cpr_origins *origins, const uint8_t *in, uint64_t files)
{
    bool good = true;
    for (size_t i = 0; good && i < origins->count; i++, in += PACKED_ORIGIN)
        good = origin_unpack(&origins->entries[i], in, origins, files);
    for (size_t i = 0; good && i < origins->piece_count; i++, in += PACKED_PIECE) {
        cpr_piece *piece = &origins->pieces[i];
        *piece = (cpr_piece){.file = cpr_get64(in),
                             .text = cpr_get64(in + 8),
                             .origin = cpr_get32(in + 16),
                             .rest = cpr_get32(in + 20) != 0};
        good = piece->file < files && piece->origin < origins->count &&
               (i == 0 || piece->file > piece[-1].file);
    }
    for (size_t i = 0; good && i < origins->point_count; i++, in += PACKED_POINT)
        origins->points[i] = (cpr_seek_point){cpr_get64(in), cpr_get64(in + 8)};
    if (good && origins->texts_bytes > 0)
        memcpy(origins->texts, in, origins->texts_bytes);
    return good && (origins->texts_bytes == 0 || origins->texts[origins->texts_bytes - 1] == 0);
}

cpr_status cpr_origins_unpack(cpr_origins *origins, const uint8_t *packed, size_t bytes,
                              uint64_t files, cpr_error *error)
{
    static const char damaged[] = "a packed list of origins contradicts itself";
    *origins = (cpr_origins){.entries = NULL};
    if (bytes < PACKED_HEAD || !origins_size(origins, packed, bytes - PACKED_HEAD))
        return cpr_fail(error, CPR_ERR_DAMAGED, damaged);
    origins->entries = calloc(origins->count + 1, sizeof *origins->entries);
    origins->pieces = calloc(origins->piece_count + 1, sizeof *origins->pieces);
    origins->points = calloc(origins->point_count + 1, sizeof *origins->points);
    origins->texts = malloc(origins->texts_bytes + 1);
    cpr_status status = CPR_OK;
    if (origins->entries == NULL || origins->pieces == NULL || origins->points == NULL ||
        origins->texts == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the list of origins");
    else if (!origins_take(origins, packed + PACKED_HEAD, files))
        status = cpr_fail(error, CPR_ERR_DAMAGED, damaged);
    if (status != CPR_OK)
        cpr_origins_free(origins);
    return status;
}
