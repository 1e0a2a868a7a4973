/* blob_codec.c - a small block of metadata, coded as a shard whose tokens are single bytes.
 *
 * A coded blob is a header of 24 bytes and the bitstream. The header: raw bytes and tokens (4 bytes
 * each, little-endian), XXH3-128 of the raw bytes (canonical, 16 bytes). */
#include "codec.h"
#include "file_io.h"

#include "model.h"

#include <stdlib.h>
#include <string.h>

#define BLOB_PROFILE "balanced"
#define BLOB_HEADER_BYTES 24u
#define BLOB_MAX_BYTES (UINT32_C(1) << 28)

typedef struct memory_stream {
    uint8_t *data;
    size_t bytes, at, capacity;
} memory_stream;

static cpr_status read_memory(void *context, uint8_t *out, size_t capacity, size_t *got,
                              cpr_error *error)
{
    memory_stream *stream = context;
    (void)error;
    const size_t left = stream->bytes - stream->at;
    *got = left < capacity ? left : capacity;
    if (*got > 0)
        memcpy(out, stream->data + stream->at, *got);
    stream->at += *got;
    return CPR_OK;
}

static cpr_status write_memory(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    memory_stream *stream = context;
    if (bytes > stream->capacity - stream->bytes) {
        const size_t capacity = 2 * (stream->bytes + bytes);
        uint8_t *grown = realloc(stream->data, capacity);
        if (grown == NULL)
            return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %zu bytes of tables", bytes);
        stream->data = grown;
        stream->capacity = capacity;
    }
    memcpy(stream->data + stream->bytes, data, bytes);
    stream->bytes += bytes;
    return CPR_OK;
}

/* A codec on single bytes; *vocabulary must be freed after it. */
static cpr_status create_codec(uint64_t raw_bytes, cpr_vocabulary **vocabulary, cpr_codec **codec,
                               cpr_error *error)
{
    *codec = NULL;
    *vocabulary = cpr_vocabulary_create_bytes();
    if (*vocabulary == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the tables");
    return cpr_codec_create(cpr_profile_find(BLOB_PROFILE), *vocabulary, raw_bytes, codec, error);
}

cpr_status cpr_blob_encode(const uint8_t *raw, size_t raw_bytes, uint8_t **coded,
                           size_t *coded_bytes, cpr_error *error)
{
    if (raw_bytes > BLOB_MAX_BYTES)
        return cpr_fail(error, CPR_ERR_USAGE, "%zu bytes of tables are too many", raw_bytes);
    /* the source is only read */
    memory_stream source = {.data = (uint8_t *)(uintptr_t)raw, .bytes = raw_bytes};
    memory_stream sink = {0};
    cpr_vocabulary *vocabulary;
    cpr_codec *codec;
    cpr_shard_info info = {0};
    uint8_t header[BLOB_HEADER_BYTES] = {0};
    cpr_status status = create_codec(raw_bytes, &vocabulary, &codec, error);
    if (status == CPR_OK)
        status = write_memory(&sink, header, sizeof header, error);
    if (status == CPR_OK)
        status = cpr_codec_encode(codec, (cpr_source){read_memory, &source},
                                  (cpr_sink){write_memory, &sink}, (cpr_watch){NULL, NULL}, NULL,
                                  &info, error);
    cpr_codec_free(codec);
    cpr_vocabulary_free(vocabulary);
    if (status != CPR_OK) {
        free(sink.data);
        return status;
    }
    cpr_put32(sink.data, (uint32_t)raw_bytes);
    cpr_put32(sink.data + 4, (uint32_t)info.tokens);
    cpr_put_hash(sink.data + 8, info.raw_hash);
    *coded = sink.data;
    *coded_bytes = sink.bytes;
    return CPR_OK;
}

cpr_status cpr_blob_decode(const uint8_t *coded, size_t coded_bytes, uint8_t **raw,
                           size_t *raw_bytes, cpr_error *error)
{
    if (coded_bytes < BLOB_HEADER_BYTES || cpr_get32(coded) > BLOB_MAX_BYTES)
        return cpr_fail(error, CPR_ERR_DAMAGED, "the coded tables have no valid header");
    const cpr_shard_info info = {.raw_bytes = cpr_get32(coded),
                                 .tokens = cpr_get32(coded + 4),
                                 .raw_hash = cpr_get_hash(coded + 8)};
    memory_stream source = {
        .data = (uint8_t *)(uintptr_t)coded, .bytes = coded_bytes, .at = BLOB_HEADER_BYTES};
    memory_stream sink = {.data = malloc(info.raw_bytes + 1), .capacity = info.raw_bytes + 1};
    if (sink.data == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the tables");
    cpr_vocabulary *vocabulary;
    cpr_codec *codec;
    cpr_status status = create_codec(info.raw_bytes, &vocabulary, &codec, error);
    if (status == CPR_OK)
        status = cpr_codec_decode(codec, &info, (cpr_source){read_memory, &source},
                                  (cpr_sink){write_memory, &sink}, (cpr_watch){NULL, NULL}, error);
    cpr_codec_free(codec);
    cpr_vocabulary_free(vocabulary);
    if (status != CPR_OK) {
        free(sink.data);
        return status;
    }
    *raw = sink.data;
    *raw_bytes = sink.bytes;
    return CPR_OK;
}
