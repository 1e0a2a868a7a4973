/* test_draw.c - texts drawn from a codec, and the temperature of decisions. */
#include "codec.h"
#include "coder.h"
#include "temperature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

/* A cpr_read_fn without an end. */
static cpr_status give_bits(void *context, uint8_t *out, size_t capacity, size_t *got,
                            cpr_error *error)
{
    uint64_t *seed = context;
    (void)error;
    for (size_t i = 0; i < capacity; i++) {
        *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        out[i] = (uint8_t)(*seed >> 56);
    }
    *got = capacity;
    return CPR_OK;
}

/* As it is, drawing is decoding, with the flags of blocks left out: the same as a model and a
 * decoder alone make of the same bits, after the same prompt. */
static void test_draw_is_decoding(void **state)
{
    enum { TOKENS = 30000, BITS_BYTES = 1 << 16 };
    static const uint8_t prompt[] = "the shard of the corpus, the shard of the text";
    static uint8_t given[BITS_BYTES];
    cpr_vocabulary *vocabulary = cpr_vocabulary_create_bytes();
    const cpr_profile *profile = cpr_profile_find("fast");
    cpr_codec *codec = NULL;
    cpr_model *model = cpr_model_create(profile, vocabulary, NULL, 100000);
    cpr_decoder decoder;
    uint64_t seed = 3, again = 3;
    size_t got;
    assert_non_null(model);
    assert_int_equal(cpr_codec_create(profile, vocabulary, NULL, 100000, &codec, NULL), CPR_OK);
    assert_int_equal(cpr_codec_draw_begin(codec, prompt, sizeof prompt - 1,
                                          (cpr_source){give_bits, &seed}, CPR_TEMPERATURE_AS_IT_IS,
                                          NULL),
                     CPR_OK);
    assert_int_equal(give_bits(&again, given, sizeof given, &got, NULL), CPR_OK);
    cpr_decoder_init(&decoder, given, sizeof given);
    for (size_t i = 0; i < sizeof prompt - 1; i++) {
        unsigned bit;
        do {
            bit = cpr_model_decision(model, prompt[i]);
            cpr_model_predict(model);
        } while (cpr_model_learn(model, bit) < 0);
    }
    for (size_t i = 0; i < TOKENS; i++) {
        const uint8_t *token;
        size_t bytes;
        int32_t decoded;
        do
            decoded = cpr_model_learn(model, cpr_decoder_get(&decoder, cpr_model_predict(model)));
        while (decoded < 0);
        assert_int_equal(cpr_codec_draw_next(codec, &token, &bytes, NULL), CPR_OK);
        assert_int_equal(bytes, 1);
        assert_int_equal(*token, decoded);
    }
    assert_true(decoder.next < decoder.end);
    cpr_model_free(model);
    cpr_codec_free(codec);
    cpr_vocabulary_free(vocabulary);
    (void)state;
}

/* The definition, in floating point. */
static double heated(uint32_t p1, uint32_t thousandths)
{
    const double odds = (double)p1 / (65536 - p1);
    const double power = pow(odds, 1000.0 / thousandths);
    return 65536 / (1 + 1 / power);
}

static void test_temperature(void **state)
{
    static const uint32_t temperatures[] = {1, 10, 333, 500, 999, 1001, 2000, 1000000};
    for (uint32_t p1 = 1; p1 < 65536; p1 += p1 < 300 || p1 > 65200 ? 1 : 37) {
        assert_int_equal(cpr_temperature_apply(p1, 1000), p1);
        assert_int_equal(cpr_temperature_apply(p1, 0), p1 < 32768 ? 0 : 65536);
        for (size_t i = 0; i < sizeof temperatures / sizeof *temperatures; i++) {
            const uint32_t at = cpr_temperature_apply(p1, temperatures[i]);
            assert_int_equal(at + cpr_temperature_apply(65536 - p1, temperatures[i]), 65536);
            assert_true(fabs(at - heated(p1, temperatures[i])) < 1 + 700.0 / temperatures[i]);
        }
    }
    assert_int_equal(cpr_temperature_apply(16384, 500), 6554); /* 1 / 3 squared: 1 / 10 */
    assert_int_equal(cpr_temperature_apply(6554, 2000), 16384);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draw_is_decoding),
        cmocka_unit_test(test_temperature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
