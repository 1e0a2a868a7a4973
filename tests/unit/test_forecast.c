/* How new a text is, and what is made of that. */
#include "forecast_fit.h"
#include "test_files.h"

#include <math.h>

#define TEXT_BYTES 200000u

static double novelty_of(cpr_novelty *novelty, const uint8_t *text, size_t bytes)
{
    cpr_novelty_bits bits = {.match = 0};
    memcpy(cpr_novelty_room(novelty, bytes), text, bytes);
    cpr_novelty_take(novelty, bytes, &bits);
    assert_true(bits.match >= 0 && bits.guess >= 0 && bits.rest >= 0);
    return bits.match + bits.guess + bits.rest;
}

static void noise_make(uint8_t *text, uint64_t seed)
{
    for (size_t i = 0; i < TEXT_BYTES; i++)
        text[i] = (uint8_t)(next_random(&seed) >> 32);
}

/* What came before costs nearly nothing, and what did not costs all of its bits. */
static void repeats(void **state)
{
    (void)state;
    static uint8_t text[TEXT_BYTES];
    cpr_novelty *novelty = cpr_novelty_create(4 * TEXT_BYTES);
    assert_non_null(novelty);
    noise_make(text, 1);
    const double first = novelty_of(novelty, text, TEXT_BYTES);
    assert_true(first > 7.5 * TEXT_BYTES);
    assert_true(novelty_of(novelty, text, TEXT_BYTES) < 0.02 * first);
    noise_make(text, 2);
    assert_true(novelty_of(novelty, text, TEXT_BYTES) > 7.5 * TEXT_BYTES);
    cpr_novelty_free(novelty);
    cpr_novelty_free(NULL);
}

/* It goes back to where it was, and then says the same. */
static void returns(void **state)
{
    (void)state;
    static uint8_t text[3 * TEXT_BYTES];
    cpr_novelty *novelty = cpr_novelty_create(3 * TEXT_BYTES);
    assert_non_null(novelty);
    for (size_t i = 0; i < 3; i++)
        noise_make(text + i * TEXT_BYTES, i);
    memcpy(text + TEXT_BYTES, text, TEXT_BYTES / 2);
    novelty_of(novelty, text, TEXT_BYTES);
    assert_true(cpr_novelty_keep(novelty));
    const double once = novelty_of(novelty, text + TEXT_BYTES, TEXT_BYTES);
    novelty_of(novelty, text + 2 * TEXT_BYTES, TEXT_BYTES);
    cpr_novelty_return(novelty);
    assert_true(novelty_of(novelty, text + TEXT_BYTES, TEXT_BYTES) == once);
    assert_true(once < 5.0 * TEXT_BYTES);
    cpr_novelty_free(novelty);
}

/* Losses that are such sums give the weights that they were made of. */
static void fits(void **state)
{
    (void)state;
    enum { BLOCKS = 60 };
    const forecast_features truth = {.of = {0.5, 1.2, 0.7, 0, 0}};
    forecast_features blocks[BLOCKS];
    forecast_features all = {.of = {0}};
    double bits[BLOCKS];
    uint64_t seed = 7;
    for (size_t i = 0; i < BLOCKS; i++) {
        const cpr_novelty_bits novelty = {.match = 1000 + (double)(next_random(&seed) % 9000),
                                          .guess = 1000 + (double)(next_random(&seed) % 9000),
                                          .rest = 1000 + (double)(next_random(&seed) % 9000)};
        blocks[i] = forecast_features_of(&novelty, 65536, i * 65536);
        bits[i] = forecast_bits(&truth, &blocks[i]);
        forecast_features_add(&all, &blocks[i], 1);
    }
    const forecast_features weights = forecast_fit(blocks, bits, BLOCKS);
    for (unsigned i = 0; i < FORECAST_BYTES; i++)
        assert_true(fabs(weights.of[i] - truth.of[i]) < 0.05);
    for (unsigned i = 0; i < FORECAST_FEATURES; i++)
        assert_true(weights.of[i] >= 0);
    assert_true(fabs(forecast_bits(&weights, &all) / forecast_bits(&truth, &all) - 1) < 0.005);
}

/* Nothing to fit: weights of some kind, and not NaN. */
static void fits_nothing(void **state)
{
    (void)state;
    const forecast_features block = {.of = {0}};
    const double bits = 524288;
    forecast_features weights = forecast_fit(NULL, NULL, 0);
    assert_true(forecast_bits(&weights, &block) == 0);
    weights = forecast_fit(&block, &bits, 1);
    for (unsigned i = 0; i < FORECAST_FEATURES; i++)
        assert_true(weights.of[i] >= 0 && weights.of[i] < 2);
    assert_true(weights.of[FORECAST_GUESS] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(repeats), cmocka_unit_test(returns),
                                       cmocka_unit_test(fits), cmocka_unit_test(fits_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
