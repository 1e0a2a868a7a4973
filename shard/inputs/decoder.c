/* decoder.c - the text of a compressed file: its streams, one behind the other, or a column of
 * Parquet. */
#include "decoder_format.h"
#include "file_io.h"
#include "parquet.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define BUFFER_BYTES ((size_t)256 << 10)
/* Libraries may give text that they then find to be damaged, or not say how much they gave. Text
 * goes through a buffer, so that what there is in front of damage does not depend on how much is
 * read at a time. */
#define HELD_BYTES ((size_t)64 << 10)
/* Steps without a move, before it is clear that none will come: libraries may need one to see it.
 */
#define MOST_IDLE 3

struct cpr_decoder {
    cpr_input_kind kind;
    cpr_parquet *parquet; /* of such a file; else NULL, and: */
    const cpr_format *format;
    void *state; /* of the format's library */
    int fd;
    const char *path;
    uint64_t file_bytes;
    uint64_t next; /* byte of the file that is read next */
    uint64_t text; /* bytes of text so far */
    cpr_seek_point point;
    unsigned idle; /* steps in which nothing moved */
    bool in_stream;
    bool ended;
    cpr_step then; /* what comes behind the text that is held */
    size_t held_at;
    size_t held_bytes;
    XXH3_state_t *hash; /* NULL: nobody wants it */
    size_t in_at;       /* what has been read and is not used, in the buffer */
    size_t in_bytes;
    uint8_t buffer[BUFFER_BYTES];
    uint8_t held[HELD_BYTES];
};

static const cpr_format *const formats[CPR_INPUT_LZ4 + 1] = {
    [CPR_INPUT_GZIP] = &cpr_format_gzip, [CPR_INPUT_ZSTD] = &cpr_format_zstd,
    [CPR_INPUT_XZ] = &cpr_format_xz,     [CPR_INPUT_BZIP2] = &cpr_format_bzip2,
    [CPR_INPUT_LZ4] = &cpr_format_lz4,
};

bool cpr_input_kind_is_decoded(cpr_input_kind kind)
{
    return kind == CPR_INPUT_PARQUET || (kind <= CPR_INPUT_LZ4 && formats[kind] != NULL);
}

static bool decoder_begin(cpr_decoder *decoder, const cpr_decoding *how)
{
    decoder->format = formats[decoder->kind];
    decoder->state = decoder->format->create(how->memory_bytes);
    return decoder->state != NULL;
}

cpr_status cpr_decoder_open(cpr_input_kind kind, int fd, uint64_t file_bytes, const char *path,
                            const cpr_decoding *how, cpr_decoder **out, cpr_error *error)
{
    assert(cpr_input_kind_is_decoded(kind));
    cpr_decoder *decoder = malloc(sizeof *decoder);
    cpr_status status = CPR_OK;
    *out = NULL;
    if (decoder != NULL)
        *decoder = (cpr_decoder){.kind = kind, .fd = fd, .path = path, .file_bytes = file_bytes};
    if (decoder != NULL && kind == CPR_INPUT_PARQUET)
        status = cpr_parquet_open(fd, file_bytes, path, how->text_column, &decoder->parquet, error);
    else if (decoder == NULL || !decoder_begin(decoder, how))
        status =
            cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to decode %s", cpr_input_kind_name(kind));
    if (status != CPR_OK) {
        free(decoder);
        return status;
    }
    *out = decoder;
    return CPR_OK;
}

unsigned cpr_decoder_left_out(const cpr_decoder *decoder, char *names, size_t capacity)
{
    names[0] = '\0';
    return decoder->parquet != NULL ? cpr_parquet_other_columns(decoder->parquet, names, capacity)
                                    : 0;
}

void cpr_decoder_close(cpr_decoder *decoder)
{
    if (decoder == NULL)
        return;
    cpr_parquet_close(decoder->parquet);
    if (decoder->format != NULL)
        decoder->format->destroy(decoder->state);
    XXH3_freeState(decoder->hash);
    free(decoder);
}

cpr_status cpr_decoder_hash_source(cpr_decoder *decoder, cpr_error *error)
{
    assert(decoder->next == 0);
    decoder->hash = XXH3_createState();
    if (decoder->hash == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a hash");
    XXH3_128bits_reset(decoder->hash);
    return CPR_OK;
}

cpr_hash128 cpr_decoder_source_hash(const cpr_decoder *decoder)
{
    const XXH128_hash_t digest = XXH3_128bits_digest(decoder->hash);
    return (cpr_hash128){.high = digest.high64, .low = digest.low64};
}

cpr_status cpr_decoder_seek(cpr_decoder *decoder, cpr_seek_point point, cpr_error *error)
{
    if (point.source > decoder->file_bytes)
        return cpr_fail(error, CPR_ERR_DAMAGED, "a place behind the end of a file");
    decoder->next = point.source;
    decoder->text = point.text;
    decoder->point = point;
    decoder->in_stream = false;
    decoder->ended = false;
    decoder->held_at = 0;
    decoder->held_bytes = 0;
    decoder->in_at = 0;
    decoder->in_bytes = 0;
    return decoder->parquet != NULL ? cpr_parquet_seek(decoder->parquet, point.source, error)
                                    : CPR_OK;
}

uint64_t cpr_decoder_text(const cpr_decoder *decoder)
{
    return decoder->text;
}

uint64_t cpr_decoder_source(const cpr_decoder *decoder)
{
    return decoder->parquet != NULL ? decoder->file_bytes : decoder->next - decoder->in_bytes;
}

cpr_seek_point cpr_decoder_point(const cpr_decoder *decoder)
{
    return decoder->point;
}

static cpr_status decoder_damaged(const cpr_decoder *decoder, const char *how, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    return cpr_fail(
        error, CPR_ERR_DAMAGED,
        "\"%s\" is no whole %s file: it %s at byte %" PRIu64 ", after %" PRIu64 " bytes of text",
        cpr_printable_path(decoder->path, shown, sizeof shown), cpr_input_kind_name(decoder->kind),
        how, cpr_decoder_source(decoder), decoder->text);
}

/* Reads on until at least `wanted` bytes are at hand, or the file ends. */
static cpr_status decoder_fill(cpr_decoder *decoder, size_t wanted, cpr_error *error)
{
    if (decoder->in_bytes >= wanted || decoder->next == decoder->file_bytes)
        return CPR_OK;
    memmove(decoder->buffer, decoder->buffer + decoder->in_at, decoder->in_bytes);
    decoder->in_at = 0;
    const uint64_t left = decoder->file_bytes - decoder->next;
    const size_t room = BUFFER_BYTES - decoder->in_bytes;
    const size_t part = left < room ? (size_t)left : room;
    uint8_t *to = decoder->buffer + decoder->in_bytes;
    const int code = cpr_io_pread(decoder->fd, to, part, decoder->next);
    if (code == CPR_IO_END)
        return decoder_damaged(decoder, "got shorter", error);
    if (code != 0)
        return cpr_io_fail(error, code, "read", decoder->path);
    if (decoder->hash != NULL)
        XXH3_128bits_update(decoder->hash, to, part);
    decoder->next += part;
    decoder->in_bytes += part;
    return CPR_OK;
}

/* Skips zeros, if nothing else follows. */
static cpr_status decoder_skip_zeros(cpr_decoder *decoder, cpr_error *error)
{
    cpr_status status = CPR_OK;
    while (status == CPR_OK && decoder->in_bytes > 0) {
        const uint8_t *in = decoder->buffer + decoder->in_at;
        size_t zeros = 0;
        while (zeros < decoder->in_bytes && in[zeros] == 0)
            zeros++;
        decoder->in_at += zeros;
        decoder->in_bytes -= zeros;
        if (decoder->in_bytes > 0)
            break;
        status = decoder_fill(decoder, 1, error);
    }
    return status;
}

/* Between two streams: begins the next one, or finds the file's end. */
static cpr_status decoder_next_stream(cpr_decoder *decoder, cpr_error *error)
{
    const bool first = cpr_decoder_source(decoder) == 0;
    cpr_status status = decoder_fill(decoder, CPR_INPUT_HEAD_BYTES, error);
    if (status == CPR_OK && !first && decoder->format->padded)
        status = decoder_skip_zeros(decoder, error);
    if (status == CPR_OK)
        status = decoder_fill(decoder, CPR_INPUT_HEAD_BYTES, error);
    if (status != CPR_OK)
        return status;
    decoder->ended = decoder->in_bytes == 0;
    if (decoder->ended)
        return CPR_OK;
    if (!cpr_input_kind_goes_on(decoder->kind, decoder->buffer + decoder->in_at, decoder->in_bytes))
        return decoder_damaged(decoder, "goes on with something else", error);
    if (!decoder->format->begin(decoder->state))
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to decode %s",
                        cpr_input_kind_name(decoder->kind));
    decoder->in_stream = true;
    decoder->then = CPR_STEP_ON;
    decoder->idle = 0;
    decoder->point = (cpr_seek_point){cpr_decoder_source(decoder), decoder->text};
    return CPR_OK;
}

/* Holds the next text. */
static cpr_status decoder_hold(cpr_decoder *decoder, cpr_error *error)
{
    const cpr_status status = decoder_fill(decoder, 1, error);
    if (status != CPR_OK)
        return status;
    cpr_step_buffers buffers = {decoder->buffer + decoder->in_at, decoder->in_bytes, decoder->held,
                                HELD_BYTES};
    decoder->then = decoder->format->step(decoder->state, &buffers);
    const size_t taken = decoder->in_bytes - buffers.in_bytes;
    decoder->held_at = 0;
    decoder->held_bytes = HELD_BYTES - buffers.out_bytes;
    decoder->in_at += taken;
    decoder->in_bytes -= taken;
    const bool idle = decoder->then == CPR_STEP_ON && taken == 0 && decoder->held_bytes == 0;
    decoder->idle = idle ? decoder->idle + 1 : 0;
    if (decoder->idle < MOST_IDLE)
        return CPR_OK;
    return decoder_damaged(decoder, decoder->in_bytes == 0 ? "ends too early" : "is damaged",
                           error);
}

static cpr_status decoder_step(cpr_decoder *decoder, uint8_t *out, size_t room, size_t *got,
                               cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    *got = 0;
    if (decoder->held_at == decoder->held_bytes) {
        const cpr_status status = decoder_hold(decoder, error);
        if (status != CPR_OK)
            return status;
    }
    const size_t left = decoder->held_bytes - decoder->held_at;
    *got = left < room ? left : room;
    memcpy(out, decoder->held + decoder->held_at, *got);
    decoder->held_at += *got;
    decoder->text += *got;
    if (decoder->held_at < decoder->held_bytes)
        return CPR_OK;
    decoder->in_stream = decoder->then != CPR_STEP_ENDED;
    if (decoder->then == CPR_STEP_DAMAGED)
        return decoder_damaged(decoder, "is damaged", error);
    if (decoder->then == CPR_STEP_TOO_LARGE)
        return cpr_fail(error, CPR_ERR_NO_MEMORY,
                        "\"%s\" needs more memory to be decoded than there is for it; "
                        "--exclude leaves it out",
                        cpr_printable_path(decoder->path, shown, sizeof shown));
    return CPR_OK;
}

/* Points of Parquet count row groups. */
static cpr_status decoder_read_parquet(cpr_decoder *decoder, uint8_t *out, size_t room, size_t *got,
                                       cpr_error *error)
{
    const cpr_status status = cpr_parquet_read(decoder->parquet, out, room, got, error);
    const uint64_t group = cpr_parquet_group(decoder->parquet);
    if (status != CPR_OK)
        return status;
    decoder->text += *got;
    decoder->ended = *got == 0;
    if (group != decoder->point.source)
        decoder->point = (cpr_seek_point){group, decoder->text};
    return CPR_OK;
}

cpr_status cpr_decoder_read(cpr_decoder *decoder, uint8_t *out, size_t capacity, size_t *got,
                            cpr_error *error)
{
    cpr_status status = CPR_OK;
    *got = 0;
    while (status == CPR_OK && *got < capacity && !decoder->ended) {
        size_t more = 0;
        status = decoder->parquet != NULL
                     ? decoder_read_parquet(decoder, out + *got, capacity - *got, &more, error)
                 : decoder->in_stream
                     ? decoder_step(decoder, out + *got, capacity - *got, &more, error)
                     : decoder_next_stream(decoder, error);
        *got += more;
    }
    return status;
}
