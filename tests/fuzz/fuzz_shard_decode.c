/* fuzz_shard_decode.c - any bytes as a shard's bitstream. Decoding ends, with an error or with the
 * right bytes, and never gives more bytes than the shard has. */
#include "fuzz_codec.h"

/* The input: raw bytes (2, below 4096, or, with 15 in the highest bits, about a block), bytes that
 * a read gives (1), tokens (1), then the bitstream. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static uint8_t decoded[FUZZ_SHARD_BYTES];
    enum { HEAD = 4 };
    if (bytes < HEAD)
        return 0;
    const uint32_t number = data[0] | (uint32_t)data[1] << 8;
    const uint32_t raw_bytes = number == 65535 ? FUZZ_SHARD_BYTES : number & 1023;
    const cpr_shard_info info = {
        .raw_bytes = raw_bytes, .coded_bytes = bytes - HEAD, .tokens = data[3]};
    fuzz_stream source = {.in = data + HEAD, .bytes = bytes - HEAD, .piece = data[2] + 1u};
    fuzz_stream sink = {.out = decoded, .capacity = raw_bytes};
    cpr_error error = {""};
    const cpr_status status =
        cpr_codec_decode(fuzz_codec(), &info, (cpr_source){fuzz_read, &source},
                         (cpr_sink){fuzz_write, &sink}, CPR_NO_WATCH, &error);
    REQUIRE(status == CPR_OK || status == CPR_ERR_DAMAGED);
    REQUIRE(status == CPR_OK || error.text[0] != '\0');
    REQUIRE(status != CPR_OK || sink.bytes == raw_bytes);
    return 0;
}
