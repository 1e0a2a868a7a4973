/* fuzz_weights.c - any bytes as the weights of an archive: refused, or weights that are coded to
 * the same ones again; and any bytes as packed weights of a small network, which codes a text with
 * them. */
#include "fuzz.h"

#include "codec.h"
#include "memory_stream.h"
#include "model.h"

#include <errno.h>
#include <string.h>

/* Raw bytes are at most this: more take their time, and no other ways. */
#define RAW_BYTES_MAX 65536u

/* The input as it is stored. */
static void decode(const uint8_t *data, size_t bytes)
{
    uint8_t *raw;
    uint8_t *coded;
    size_t raw_bytes;
    size_t coded_bytes;
    cpr_error error = {""};
    uint8_t *stored = malloc(bytes + 1);
    REQUIRE(stored != NULL);
    memcpy(stored, data, bytes);
    if (bytes >= 4 && stored[3] < 8)
        memset(stored + 2, 0, 2);
    const cpr_status status = cpr_weights_decode(stored, bytes, &raw, &raw_bytes, &error);
    REQUIRE(status == CPR_OK || status == CPR_ERR_DAMAGED);
    REQUIRE((status == CPR_OK) == (raw != NULL) && (status == CPR_OK || error.text[0] != '\0'));
    free(stored);
    if (status != CPR_OK)
        return;
    REQUIRE(raw_bytes < RAW_BYTES_MAX);
    REQUIRE(cpr_weights_encode(raw, raw_bytes, &coded, &coded_bytes, &error) == CPR_OK);
    free(raw);
    REQUIRE(coded_bytes <= bytes);
    free(coded);
}

/* Whatever the weights are, what they code can be decoded. */
static void use(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                const cpr_weights *weights)
{
    static const char text[] = "any text that is longer than one segment of the network, which has "
                               "64 tokens, and of which each is one byte here";
    cpr_codec *codec;
    cpr_shard_info info = {0};
    cpr_error error = {""};
    cpr_memory_reader raw = {.data = (const uint8_t *)text, .bytes = sizeof text};
    cpr_memory_writer coded = {.data = NULL};
    cpr_memory_writer back = {.data = NULL};
    REQUIRE(cpr_codec_create(profile, vocabulary, weights, sizeof text, &codec, &error) == CPR_OK);
    REQUIRE(cpr_codec_encode(codec, cpr_memory_source(&raw), cpr_memory_sink(&coded), CPR_NO_WATCH,
                             NULL, &info, &error) == CPR_OK);
    cpr_memory_reader again = {.data = coded.data, .bytes = coded.bytes};
    REQUIRE(cpr_codec_decode(codec, &info, cpr_memory_source(&again), cpr_memory_sink(&back),
                             CPR_NO_WATCH, &error) == CPR_OK);
    REQUIRE(back.bytes == sizeof text && memcmp(back.data, text, sizeof text) == 0);
    free(coded.data);
    free(back.data);
    cpr_codec_free(codec);
}

/* The input, over and over, as packed. */
static void unpack(const uint8_t *data, size_t bytes)
{
    static const char model[] =
        "blocks 1; coder 1; blob 1; weights 1; tokens 1; mixing 1 contexts=0 lines=0 successors=3 "
        "matches=5 match-lanes=1 sets=2 refine=0 guess-from=45000 guess-shift=10 chances=0 "
        "buckets=131072 line-pairs=0 successor-bits=17 history-bits=22; "
        "network 1 kind=taught width=32 layers=1 rank=32 bits=5 grain=4";
    static cpr_profile *profile;
    static cpr_vocabulary *vocabulary;
    static uint8_t packed[RAW_BYTES_MAX];
    static size_t fitting;
    cpr_error error = {""};
    if (profile == NULL) {
        REQUIRE(cpr_codec_profile(model, &profile, &error) == CPR_OK);
        vocabulary = cpr_vocabulary_create_bytes();
        cpr_lesson *lesson = cpr_lesson_create(profile, vocabulary, 1, NULL);
        uint8_t *first = cpr_lesson_pack(lesson, &fitting);
        REQUIRE(first != NULL && fitting < sizeof packed);
        free(first);
        cpr_lesson_free(lesson);
    }
    for (size_t i = 0; i < fitting; i++)
        packed[i] = bytes > 0 ? data[i % bytes] : 100;
    errno = 0;
    cpr_weights *weights = cpr_weights_unpack(profile, vocabulary, packed, fitting);
    REQUIRE(weights != NULL || errno == EINVAL);
    if (weights != NULL)
        use(profile, vocabulary, weights);
    cpr_weights_free(weights);
    weights = cpr_weights_unpack(profile, vocabulary, data, bytes);
    REQUIRE((weights == NULL && errno == EINVAL) || bytes == fitting);
    cpr_weights_free(weights);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    decode(data, bytes);
    unpack(data, bytes);
    return 0;
}
