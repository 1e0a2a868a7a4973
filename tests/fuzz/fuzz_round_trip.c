/* fuzz_round_trip.c - any bytes as a shard: they come back, and the bitstream does not depend on
 * the pieces in which they were read. */
#include "fuzz_codec.h"

#define CODED_BYTES (2 * FUZZ_SHARD_BYTES)

static cpr_shard_info encode(const uint8_t *raw, size_t bytes, size_t piece, uint8_t *coded)
{
    fuzz_stream source = {.in = raw, .bytes = bytes, .piece = piece};
    fuzz_stream sink = {.out = coded, .capacity = CODED_BYTES};
    cpr_shard_info info = {0};
    cpr_error error;
    REQUIRE(cpr_codec_encode(fuzz_codec(), (cpr_source){fuzz_read, &source},
                             (cpr_sink){fuzz_write, &sink}, CPR_NO_WATCH, NULL, &info,
                             &error) == CPR_OK);
    REQUIRE(info.raw_bytes == bytes && info.coded_bytes == sink.bytes);
    return info;
}

static void decode(const cpr_shard_info *info, const uint8_t *raw, const uint8_t *coded,
                   size_t piece)
{
    static uint8_t decoded[FUZZ_SHARD_BYTES];
    fuzz_stream source = {.in = coded, .bytes = (size_t)info->coded_bytes, .piece = piece};
    fuzz_stream sink = {.out = decoded, .capacity = (size_t)info->raw_bytes};
    cpr_error error;
    REQUIRE(cpr_codec_decode(fuzz_codec(), info, (cpr_source){fuzz_read, &source},
                             (cpr_sink){fuzz_write, &sink}, CPR_NO_WATCH, &error) == CPR_OK);
    REQUIRE(sink.bytes == info->raw_bytes);
    REQUIRE(sink.bytes == 0 || memcmp(decoded, raw, sink.bytes) == 0);
}

/* The input: bytes that a read gives, less one (1); 255: repeat the rest past the end of a block
 * (1); then the raw bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static uint8_t raw[FUZZ_SHARD_BYTES];
    static uint8_t coded[CODED_BYTES];
    static uint8_t again[CODED_BYTES];
    if (bytes < 2)
        return 0;
    const size_t piece = data[0] + 1u;
    const size_t given = bytes - 2 < sizeof raw ? bytes - 2 : sizeof raw;
    const size_t raw_bytes = data[1] == 255 && given > 0 ? sizeof raw : given;
    for (size_t at = 0; at < raw_bytes; at++)
        raw[at] = data[2 + at % given];
    const cpr_shard_info info = encode(raw, raw_bytes, SIZE_MAX, coded);
    REQUIRE(info.coded_bytes <= raw_bytes + raw_bytes / 8 + 64);
    decode(&info, raw, coded, piece);
    if (raw_bytes > given) /* takes long enough */
        return 0;
    const cpr_shard_info in_pieces = encode(raw, raw_bytes, piece, again);
    REQUIRE(memcmp(&info, &in_pieces, sizeof info) == 0);
    REQUIRE(memcmp(coded, again, (size_t)info.coded_bytes) == 0);
    return 0;
}
