/* parquet_codec.c - a page's bytes as their codec has them. */
#include "parquet_private.h"

#define ZLIB_CONST
#include <limits.h>
#include <lz4.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* Numbers that the format gives. */
enum { UNCOMPRESSED, SNAPPY, GZIP, LZO, BROTLI, LZ4, ZSTD, LZ4_RAW };

const char *const cpr_parquet_no_memory = "there is no memory for it";

static const char wrong_codec[] = "its codec cannot decode it";

cpr_status cpr_parquet_codec_check(const cpr_parquet_file *file, int64_t codec, cpr_error *error)
{
    if (codec == LZO || codec == BROTLI)
        return cpr_fail(error, CPR_ERR_USAGE,
                        "the column of \"%s\" is compressed with %s, which is not supported",
                        file->shown, codec == LZO ? "LZO" : "Brotli");
    if (codec < UNCOMPRESSED || codec > LZ4_RAW)
        return cpr_fail(error, CPR_ERR_USAGE,
                        "the column of \"%s\" is compressed with an unknown codec, number %lld",
                        file->shown, (long long)codec);
    return CPR_OK;
}

/* Snappy copies 64 bytes by 3; deflate 258 by 2 bits, LZ4 255 by one byte; Zstandard has blocks of
 * up to 128 KiB in 4 bytes. */
uint64_t cpr_parquet_codec_most(int64_t codec, uint64_t bytes)
{
    static const uint32_t most[] = {
        [UNCOMPRESSED] = 1, [SNAPPY] = 22,  [GZIP] = 1032,
        [LZ4] = 255,        [ZSTD] = 32768, [LZ4_RAW] = 255,
    };
    return most[codec] * bytes;
}

static const char *gzip_decode(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
    z_stream stream = {.next_in = in, .avail_in = (uInt)in_bytes};
    int code = inflateInit2(&stream, 15 + 32); /* gzip's head, or zlib's */
    if (code != Z_OK)
        return cpr_parquet_no_memory;
    stream.next_out = out;
    stream.avail_out = (uInt)out_bytes;
    code = inflate(&stream, Z_FINISH);
    while (code == Z_STREAM_END && stream.avail_in > 0 && inflateReset(&stream) == Z_OK)
        code = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    if (code == Z_MEM_ERROR)
        return cpr_parquet_no_memory;
    return code == Z_STREAM_END && stream.avail_out == 0 ? NULL : wrong_codec;
}

static const char *snappy_decode(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
    size_t bytes = 0;
    if (snappy_uncompressed_length((const char *)in, in_bytes, &bytes) != SNAPPY_OK ||
        bytes != out_bytes ||
        snappy_uncompress((const char *)in, in_bytes, (char *)out, &bytes) != SNAPPY_OK)
        return wrong_codec;
    return bytes == out_bytes ? NULL : wrong_codec;
}

static const char *zstd_decode(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
    const size_t bytes = ZSTD_decompress(out, out_bytes, in, in_bytes);
    if (ZSTD_getErrorCode(bytes) == ZSTD_error_memory_allocation)
        return cpr_parquet_no_memory;
    return bytes == out_bytes ? NULL : wrong_codec;
}

static const char *lz4_decode(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
    const int bytes =
        LZ4_decompress_safe((const char *)in, (char *)out, (int)in_bytes, (int)out_bytes);
    return bytes >= 0 && (size_t)bytes == out_bytes ? NULL : wrong_codec;
}

static uint32_t get32_big_endian(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* Hadoop's frames: the size decoded and the size coded, big-endian, in front of each block. */
static const char *hadoop_decode(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
    while (in_bytes >= 8) {
        const uint32_t decoded = get32_big_endian(in);
        const uint32_t coded = get32_big_endian(in + 4);
        if (coded > in_bytes - 8 || decoded > out_bytes ||
            lz4_decode(in + 8, coded, out, decoded) != NULL)
            return wrong_codec;
        in += 8 + (size_t)coded;
        in_bytes -= 8 + (size_t)coded;
        out += decoded;
        out_bytes -= decoded;
    }
    return in_bytes == 0 && out_bytes == 0 ? NULL : wrong_codec;
}

const char *cpr_parquet_decode(int64_t codec, const uint8_t *in, size_t in_bytes, uint8_t *out,
                               size_t out_bytes)
{
    if (in_bytes > INT_MAX || out_bytes > INT_MAX)
        return wrong_codec;
    if (in_bytes == 0 && out_bytes == 0) /* as some writers have a page of nulls */
        return NULL;
    switch (codec) {
    case UNCOMPRESSED:
        if (in_bytes != out_bytes)
            return "it has two sizes";
        memcpy(out, in, in_bytes);
        return NULL;
    case SNAPPY:
        return snappy_decode(in, in_bytes, out, out_bytes);
    case GZIP:
        return gzip_decode(in, in_bytes, out, out_bytes);
    case ZSTD:
        return zstd_decode(in, in_bytes, out, out_bytes);
    case LZ4: /* some writers left the frames out */
        return hadoop_decode(in, in_bytes, out, out_bytes) == NULL
                   ? NULL
                   : lz4_decode(in, in_bytes, out, out_bytes);
    case LZ4_RAW:
        return lz4_decode(in, in_bytes, out, out_bytes);
    default:
        return wrong_codec;
    }
}
