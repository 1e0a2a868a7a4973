/* decoder_formats.c - the formats' libraries, each behind the same few functions. */
#include "decoder_format.h"

#include <bzlib.h>
#include <limits.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* What a step offers to a library that counts in unsigned int. */
static unsigned step_most(size_t bytes)
{
    return bytes < UINT_MAX / 2 ? (unsigned)bytes : UINT_MAX / 2;
}

static void step_take(cpr_step_buffers *buffers, size_t in, size_t out)
{
    buffers->in += in;
    buffers->in_bytes -= in;
    buffers->out += out;
    buffers->out_bytes -= out;
}

/* ---- gzip ----------------------------------------------------------------------------------- */

#define GZIP_WINDOW_BITS (15 + 16) /* the largest; with gzip's header and trailer */

static void *gzip_create(uint64_t memory_bytes)
{
    (void)memory_bytes; /* below 64 KiB */
    z_stream *state = calloc(1, sizeof *state);
    if (state != NULL && inflateInit2(state, GZIP_WINDOW_BITS) != Z_OK) {
        free(state);
        return NULL;
    }
    return state;
}

static void gzip_destroy(void *state)
{
    inflateEnd(state);
    free(state);
}

static bool gzip_begin(void *state)
{
    return inflateReset2(state, GZIP_WINDOW_BITS) == Z_OK;
}

static cpr_step gzip_step(void *context, cpr_step_buffers *buffers)
{
    z_stream *state = context;
    const unsigned in = step_most(buffers->in_bytes);
    const unsigned out = step_most(buffers->out_bytes);
    /* zlib does not write to what it reads, and has no const. */
    memcpy(&state->next_in, &buffers->in, sizeof state->next_in);
    state->avail_in = in;
    state->next_out = buffers->out;
    state->avail_out = out;
    const int code = inflate(state, Z_NO_FLUSH);
    step_take(buffers, in - state->avail_in, out - state->avail_out);
    if (code == Z_STREAM_END)
        return CPR_STEP_ENDED;
    if (code == Z_OK || code == Z_BUF_ERROR)
        return CPR_STEP_ON;
    return code == Z_MEM_ERROR ? CPR_STEP_TOO_LARGE : CPR_STEP_DAMAGED;
}

const cpr_format cpr_format_gzip = {gzip_create, gzip_destroy, gzip_begin, gzip_step, true};

/* ---- piecewise -------------------------------------------------------------------------------
 * zstd and lz4 do not say how much text they gave in a call that then finds damage. So they are
 * given one block, checksum or header at a time, and nothing while text of the last one is left.
 * What comes in front of the damage thus does not depend on how much is read at a time. */

typedef struct pieces {
    size_t wanted; /* what the library asks for: the rest of a piece, and the next one's header */
    bool more;     /* it may have text that had no room */
} pieces;

/* How much of `bytes` it gets. The next header is of `head` bytes. */
static size_t pieces_offer(const pieces *p, size_t head, size_t bytes)
{
    const size_t wanted = p->wanted > head ? p->wanted - head : p->wanted;
    return p->more ? 0 : wanted < bytes ? wanted : bytes;
}

/* ---- zstd ----------------------------------------------------------------------------------- */

#define ZSTD_WINDOW_LOG_LEAST 10
#define ZSTD_WINDOW_LOG_MOST (sizeof(size_t) == 4 ? 30 : 31)
#define ZSTD_BLOCK_HEAD 3
#define ZSTD_FRAME_HEAD 5

typedef struct zstd_state {
    ZSTD_DCtx *stream;
    pieces pieces;
} zstd_state;

static void zstd_destroy(void *context)
{
    zstd_state *state = context;
    ZSTD_freeDCtx(state->stream);
    free(state);
}

static void *zstd_create(uint64_t memory_bytes)
{
    zstd_state *state = calloc(1, sizeof *state);
    int log = ZSTD_WINDOW_LOG_MOST;
    if (state == NULL)
        return NULL;
    while (memory_bytes > 0 && log > ZSTD_WINDOW_LOG_LEAST && UINT64_C(1) << log > memory_bytes)
        log--;
    state->stream = ZSTD_createDCtx();
    if (state->stream == NULL ||
        ZSTD_isError(ZSTD_DCtx_setParameter(state->stream, ZSTD_d_windowLogMax, log))) {
        zstd_destroy(state);
        return NULL;
    }
    return state;
}

static bool zstd_begin(void *context)
{
    zstd_state *state = context;
    state->pieces = (pieces){.wanted = ZSTD_FRAME_HEAD};
    return !ZSTD_isError(ZSTD_DCtx_reset(state->stream, ZSTD_reset_session_only));
}

static cpr_step zstd_step(void *context, cpr_step_buffers *buffers)
{
    zstd_state *state = context;
    const size_t offered = pieces_offer(&state->pieces, ZSTD_BLOCK_HEAD, buffers->in_bytes);
    ZSTD_inBuffer in = {buffers->in, offered, 0};
    ZSTD_outBuffer out = {buffers->out, buffers->out_bytes, 0};
    const size_t code = ZSTD_decompressStream(state->stream, &out, &in);
    if (!ZSTD_isError(code)) {
        state->pieces = (pieces){.wanted = code, .more = out.pos == out.size};
        step_take(buffers, in.pos, out.pos);
        return code == 0 ? CPR_STEP_ENDED : CPR_STEP_ON;
    }
    /* The library's numbers of errors are not for sharing; these two texts say it. */
    const char *name = ZSTD_getErrorName(code);
    return strstr(name, "memory") != NULL || strstr(name, "Memory") != NULL ? CPR_STEP_TOO_LARGE
                                                                            : CPR_STEP_DAMAGED;
}

const cpr_format cpr_format_zstd = {zstd_create, zstd_destroy, zstd_begin, zstd_step, false};

/* ---- xz ------------------------------------------------------------------------------------- */

typedef struct xz_state {
    lzma_stream stream;
    uint64_t memory_bytes;
} xz_state;

static void *xz_create(uint64_t memory_bytes)
{
    xz_state *state = calloc(1, sizeof *state);
    if (state != NULL) {
        state->stream = (lzma_stream)LZMA_STREAM_INIT;
        state->memory_bytes = memory_bytes > 0 ? memory_bytes : UINT64_MAX;
    }
    return state;
}

static void xz_destroy(void *context)
{
    xz_state *state = context;
    lzma_end(&state->stream);
    free(state);
}

static bool xz_begin(void *context)
{
    xz_state *state = context;
    return lzma_stream_decoder(&state->stream, state->memory_bytes, 0) == LZMA_OK;
}

static cpr_step xz_step(void *context, cpr_step_buffers *buffers)
{
    lzma_stream *stream = &((xz_state *)context)->stream;
    stream->next_in = buffers->in;
    stream->avail_in = buffers->in_bytes;
    stream->next_out = buffers->out;
    stream->avail_out = buffers->out_bytes;
    const lzma_ret code = lzma_code(stream, LZMA_RUN);
    step_take(buffers, buffers->in_bytes - stream->avail_in,
              buffers->out_bytes - stream->avail_out);
    if (code == LZMA_STREAM_END)
        return CPR_STEP_ENDED;
    if (code == LZMA_OK || code == LZMA_BUF_ERROR)
        return CPR_STEP_ON;
    return code == LZMA_MEM_ERROR || code == LZMA_MEMLIMIT_ERROR ? CPR_STEP_TOO_LARGE
                                                                 : CPR_STEP_DAMAGED;
}

const cpr_format cpr_format_xz = {xz_create, xz_destroy, xz_begin, xz_step, true};

/* ---- bzip2 ---------------------------------------------------------------------------------- */

typedef struct bzip2_state {
    bz_stream stream;
    bool open;
} bzip2_state;

static void *bzip2_create(uint64_t memory_bytes)
{
    (void)memory_bytes; /* below 8 MB */
    return calloc(1, sizeof(bzip2_state));
}

static void bzip2_end(bzip2_state *state)
{
    if (state->open)
        BZ2_bzDecompressEnd(&state->stream);
    state->open = false;
}

static void bzip2_destroy(void *state)
{
    bzip2_end(state);
    free(state);
}

static bool bzip2_begin(void *context)
{
    bzip2_state *state = context;
    bzip2_end(state);
    state->stream = (bz_stream){.opaque = NULL};
    state->open = BZ2_bzDecompressInit(&state->stream, 0, 0) == BZ_OK;
    return state->open;
}

static cpr_step bzip2_step(void *context, cpr_step_buffers *buffers)
{
    bz_stream *stream = &((bzip2_state *)context)->stream;
    const unsigned in = step_most(buffers->in_bytes);
    const unsigned out = step_most(buffers->out_bytes);
    /* Nor does this library write there. */
    memcpy(&stream->next_in, &buffers->in, sizeof stream->next_in);
    stream->avail_in = in;
    memcpy(&stream->next_out, &buffers->out, sizeof stream->next_out);
    stream->avail_out = out;
    const int code = BZ2_bzDecompress(stream);
    step_take(buffers, in - stream->avail_in, out - stream->avail_out);
    if (code == BZ_STREAM_END)
        return CPR_STEP_ENDED;
    if (code == BZ_OK)
        return CPR_STEP_ON;
    return code == BZ_MEM_ERROR ? CPR_STEP_TOO_LARGE : CPR_STEP_DAMAGED;
}

const cpr_format cpr_format_bzip2 = {bzip2_create, bzip2_destroy, bzip2_begin, bzip2_step, false};

/* ---- lz4 ------------------------------------------------------------------------------------ */

#define LZ4_HEAD 4 /* of a block; a block's checksum has as many bytes */
#define LZ4_FRAME_HEAD 7

typedef struct lz4_state {
    LZ4F_dctx *stream;
    pieces pieces;
} lz4_state;

static void *lz4_create(uint64_t memory_bytes)
{
    (void)memory_bytes; /* below 9 MB */
    lz4_state *state = calloc(1, sizeof *state);
    if (state != NULL &&
        LZ4F_isError(LZ4F_createDecompressionContext(&state->stream, LZ4F_VERSION))) {
        free(state);
        return NULL;
    }
    return state;
}

static void lz4_destroy(void *context)
{
    lz4_state *state = context;
    LZ4F_freeDecompressionContext(state->stream);
    free(state);
}

static bool lz4_begin(void *context)
{
    lz4_state *state = context;
    state->pieces = (pieces){.wanted = LZ4_FRAME_HEAD};
    LZ4F_resetDecompressionContext(state->stream);
    return true;
}

static cpr_step lz4_step(void *context, cpr_step_buffers *buffers)
{
    lz4_state *state = context;
    pieces *p = &state->pieces;
    /* A block that is stored as it is gives its text before its checksum is looked at. */
    const size_t heads = p->wanted > 2 * LZ4_HEAD ? 2 * LZ4_HEAD : LZ4_HEAD;
    size_t in = pieces_offer(p, heads, buffers->in_bytes);
    size_t out = buffers->out_bytes;
    const size_t code = LZ4F_decompress(state->stream, buffers->out, &out, buffers->in, &in, NULL);
    if (LZ4F_isError(code))
        return strstr(LZ4F_getErrorName(code), "allocation") != NULL ? CPR_STEP_TOO_LARGE
                                                                     : CPR_STEP_DAMAGED;
    *p = (pieces){.wanted = code, .more = out == buffers->out_bytes};
    step_take(buffers, in, out);
    return code == 0 ? CPR_STEP_ENDED : CPR_STEP_ON;
}

const cpr_format cpr_format_lz4 = {lz4_create, lz4_destroy, lz4_begin, lz4_step, false};
