/* test_decoder.h - compressed files, made with the formats' own libraries. */
#ifndef TEST_DECODER_H
#define TEST_DECODER_H

#include "inputs.h"
#include "test_files.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

/* Bytes that grow. */
typedef struct made {
    uint8_t *data;
    size_t bytes;
} made;

static const cpr_input_kind decoded_kinds[] = {CPR_INPUT_GZIP, CPR_INPUT_ZSTD, CPR_INPUT_XZ,
                                               CPR_INPUT_BZIP2, CPR_INPUT_LZ4};
#define DECODED_KINDS (sizeof decoded_kinds / sizeof *decoded_kinds)

/* Room for so many bytes, and a few more: a sanitizer's realloc() always copies. */
static inline size_t made_room(size_t bytes)
{
    size_t room = 64;
    while (room <= bytes)
        room *= 2;
    return room;
}

static inline void made_add(made *to, const void *data, size_t bytes)
{
    if (to->data == NULL || made_room(to->bytes + bytes) > made_room(to->bytes)) {
        uint8_t *grown = calloc(1, made_room(to->bytes + bytes));
        if (grown == NULL)
            abort();
        if (to->bytes > 0)
            memcpy(grown, to->data, to->bytes);
        free(to->data);
        to->data = grown;
    }
    if (bytes > 0)
        memcpy(to->data + to->bytes, data, bytes);
    to->bytes += bytes;
}

static inline void made_free(made *what)
{
    free(what->data);
    *what = (made){NULL, 0};
}

/* Words and numbers, always the same for a seed: it compresses, and not to nothing. */
static inline made made_text(size_t bytes, uint64_t seed)
{
    made text = {NULL, 0};
    char line[64];
    while (text.bytes < bytes) {
        const uint64_t random = next_random(&seed);
        const int length = snprintf(line, sizeof line, "%s line %u of some text\n",
                                    random % 3 == 0 ? "another" : "a", (unsigned)(random >> 40));
        made_add(&text, line, (size_t)length);
    }
    text.bytes = bytes;
    return text;
}

static inline void put_gzip(made *to, const uint8_t *data, size_t bytes)
{
    z_stream state = {.next_in = Z_NULL};
    const size_t room = bytes + bytes / 10 + 100;
    uint8_t *out = malloc(room);
    uint8_t *in = malloc(bytes + 1);
    assert_non_null(out);
    assert_non_null(in);
    memcpy(in, data, bytes);
    assert_int_equal(deflateInit2(&state, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    state.next_in = in;
    state.avail_in = (unsigned)bytes;
    state.next_out = out;
    state.avail_out = (unsigned)room;
    assert_int_equal(deflate(&state, Z_FINISH), Z_STREAM_END);
    made_add(to, out, room - state.avail_out);
    deflateEnd(&state);
    free(out);
    free(in);
}

/* `window_log` 0: the library's choice; `sized`: the frame says how large its text is. */
static inline void put_zstd(made *to, const uint8_t *data, size_t bytes, int window_log, bool sized)
{
    ZSTD_CCtx *state = ZSTD_createCCtx();
    const size_t room = ZSTD_compressBound(bytes) + 100;
    uint8_t *out = malloc(room);
    assert_non_null(state);
    assert_non_null(out);
    ZSTD_CCtx_setParameter(state, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(state, ZSTD_c_contentSizeFlag, sized);
    if (window_log > 0)
        ZSTD_CCtx_setParameter(state, ZSTD_c_windowLog, window_log);
    ZSTD_outBuffer to_out = {out, room, 0};
    ZSTD_inBuffer from = {data, bytes, 0};
    if (sized)
        ZSTD_CCtx_setPledgedSrcSize(state, bytes);
    else /* else it would learn the size from the one call */
        assert_false(ZSTD_isError(ZSTD_compressStream2(state, &to_out, &from, ZSTD_e_continue)));
    assert_int_equal(ZSTD_compressStream2(state, &to_out, &from, ZSTD_e_end), 0);
    made_add(to, out, to_out.pos);
    ZSTD_freeCCtx(state);
    free(out);
}

static inline void put_xz(made *to, const uint8_t *data, size_t bytes)
{
    const size_t room = lzma_stream_buffer_bound(bytes);
    size_t at = 0;
    uint8_t *out = malloc(room);
    assert_non_null(out);
    assert_int_equal(
        lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, data, bytes, out, &at, room), LZMA_OK);
    made_add(to, out, at);
    free(out);
}

static inline void put_bzip2(made *to, const uint8_t *data, size_t bytes)
{
    unsigned room = (unsigned)(bytes + bytes / 10 + 700);
    char *out = malloc(room);
    char *in = malloc(bytes + 1);
    assert_non_null(out);
    assert_non_null(in);
    memcpy(in, data, bytes);
    assert_int_equal(BZ2_bzBuffToBuffCompress(out, &room, in, (unsigned)bytes, 1, 0, 0), BZ_OK);
    made_add(to, out, room);
    free(out);
    free(in);
}

/* In blocks of 64 KiB; with checksums of the text, and of blocks if `checked`. */
static inline void put_lz4(made *to, const uint8_t *data, size_t bytes, bool checked)
{
    const LZ4F_preferences_t how = {
        .frameInfo = {.blockSizeID = LZ4F_max64KB,
                      .blockMode = LZ4F_blockLinked,
                      .contentChecksumFlag = LZ4F_contentChecksumEnabled,
                      .blockChecksumFlag =
                          checked ? LZ4F_blockChecksumEnabled : LZ4F_noBlockChecksum}};
    const size_t room = LZ4F_compressFrameBound(bytes, &how);
    uint8_t *out = malloc(room);
    assert_non_null(out);
    const size_t count = LZ4F_compressFrame(out, room, data, bytes, &how);
    assert_false(LZ4F_isError(count));
    made_add(to, out, count);
    free(out);
}

/* One stream more. */
static inline void put_stream(made *to, cpr_input_kind kind, const uint8_t *data, size_t bytes)
{
    switch (kind) {
    case CPR_INPUT_GZIP:
        put_gzip(to, data, bytes);
        break;
    case CPR_INPUT_ZSTD:
        put_zstd(to, data, bytes, 0, true);
        break;
    case CPR_INPUT_XZ:
        put_xz(to, data, bytes);
        break;
    case CPR_INPUT_BZIP2:
        put_bzip2(to, data, bytes);
        break;
    default:
        put_lz4(to, data, bytes, false);
    }
}

/* A frame that is skipped, of the formats that have it. */
static inline void put_skipped(made *to, const void *data, uint32_t bytes)
{
    const uint8_t head[8] = {0x5a,
                             0x2a,
                             0x4d,
                             0x18,
                             (uint8_t)bytes,
                             (uint8_t)(bytes >> 8),
                             (uint8_t)(bytes >> 16),
                             (uint8_t)(bytes >> 24)};
    made_add(to, head, sizeof head);
    made_add(to, data, bytes);
}

#endif
