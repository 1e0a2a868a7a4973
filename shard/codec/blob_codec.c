/* blob_codec.c - a small block of metadata, coded as a shard whose tokens are single bytes.
 *
 * A coded blob is a header of 24 bytes and the bitstream. The header: raw bytes and tokens (4 bytes
 * each, little-endian), XXH3-128 of the raw bytes (canonical, 16 bytes). */
#include "codec.h"
#include "file_io.h"
#include "memory_stream.h"

#include "model.h"

#include <stdlib.h>
#include <string.h>

#define BLOB_HEADER_BYTES 24u
#define BLOB_MAX_BYTES (UINT32_C(1) << 28)

/* The model of version 1: no change to a profile changes it. */
static const char model[] =
    "tokens 1; mixing 1 contexts=1,0,6,7,10,11,12,13,14,15,16,17,18,19,20,21 "
    "lines=1 successors=3,2,4,5,8,9 matches=12,5,2 match-lanes=2 sets=6 refine=2 "
    "guess-from=60000 guess-shift=8 chances=0 buckets=4456448 line-pairs=262144 "
    "successor-bits=21 history-bits=24";

/* What coding a blob needs. */
typedef struct blob_codec {
    cpr_profile *profile;
    cpr_vocabulary *vocabulary; /* single bytes */
    cpr_codec *codec;
} blob_codec;

static void blob_close(blob_codec *b)
{
    cpr_codec_free(b->codec);
    cpr_vocabulary_free(b->vocabulary);
    cpr_profile_free(b->profile);
}

static cpr_status blob_open(uint64_t raw_bytes, blob_codec *b, cpr_error *error)
{
    char problem[200] = "out of memory";
    cpr_descriptor_verdict verdict;
    *b = (blob_codec){.vocabulary = cpr_vocabulary_create_bytes()};
    if (b->vocabulary == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the tables");
    b->profile = cpr_profile_parse(model, NULL, 0, &verdict, problem, sizeof problem);
    if (b->profile == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no model for the tables: %s", problem);
    return cpr_codec_create(b->profile, b->vocabulary, NULL, raw_bytes, &b->codec, error);
}

cpr_status cpr_blob_encode(const uint8_t *raw, size_t raw_bytes, uint8_t **coded,
                           size_t *coded_bytes, cpr_error *error)
{
    if (raw_bytes > BLOB_MAX_BYTES)
        return cpr_fail(error, CPR_ERR_USAGE, "%zu bytes of tables are too many", raw_bytes);
    cpr_memory_reader from = {.data = raw, .bytes = raw_bytes};
    cpr_memory_writer to = {0};
    blob_codec b;
    cpr_shard_info info = {0};
    const uint8_t header[BLOB_HEADER_BYTES] = {0};
    const cpr_sink sink = cpr_memory_sink(&to);
    cpr_status status = blob_open(raw_bytes, &b, error);
    if (status == CPR_OK)
        status = sink.write(sink.context, header, sizeof header, error);
    if (status == CPR_OK)
        status = cpr_codec_encode(b.codec, cpr_memory_source(&from), sink, CPR_NO_WATCH, NULL,
                                  &info, error);
    blob_close(&b);
    if (status != CPR_OK) {
        free(to.data);
        return status;
    }
    cpr_put32(to.data, (uint32_t)raw_bytes);
    cpr_put32(to.data + 4, (uint32_t)info.tokens);
    cpr_put_hash(to.data + 8, info.raw_hash);
    *coded = to.data;
    *coded_bytes = to.bytes;
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
    cpr_memory_reader from = {.data = coded, .bytes = coded_bytes, .at = BLOB_HEADER_BYTES};
    cpr_memory_writer to = {.data = malloc(info.raw_bytes + 1), .capacity = info.raw_bytes + 1};
    if (to.data == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the tables");
    blob_codec b;
    cpr_status status = blob_open(info.raw_bytes, &b, error);
    if (status == CPR_OK)
        status = cpr_codec_decode(b.codec, &info, cpr_memory_source(&from), cpr_memory_sink(&to),
                                  CPR_NO_WATCH, error);
    blob_close(&b);
    if (status != CPR_OK) {
        free(to.data);
        return status;
    }
    *raw = to.data;
    *raw_bytes = to.bytes;
    return CPR_OK;
}
