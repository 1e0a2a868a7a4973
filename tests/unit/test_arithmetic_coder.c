/* test_arithmetic_coder.c - round trips, length against entropy, and the shortest finish. */
#include "coder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct decision {
    unsigned bit;
    uint32_t p1;
} decision;

static uint64_t random_state = 1;

static uint32_t random_bits(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 32);
}

static size_t encode(const decision *decisions, size_t count, uint8_t *out)
{
    cpr_encoder encoder;
    cpr_encoder_init(&encoder, out);
    for (size_t i = 0; i < count; i++)
        cpr_encoder_put(&encoder, decisions[i].bit, decisions[i].p1);
    cpr_encoder_finish(&encoder);
    return (size_t)(encoder.next - out);
}

static void check_decodes(const decision *decisions, size_t count, const uint8_t *data,
                          size_t bytes)
{
    cpr_decoder decoder;
    cpr_decoder_init(&decoder, data, bytes);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(cpr_decoder_get(&decoder, decisions[i].p1), decisions[i].bit);
}

/* Round trip; returns the bytes, and the entropy in bits through *ideal. */
static size_t round_trip(const decision *decisions, size_t count, double *ideal)
{
    uint8_t *out = malloc(count * 2 + 16);
    assert_non_null(out);
    const size_t bytes = encode(decisions, count, out);
    assert_true(bytes <= count * 2 + 16);
    check_decodes(decisions, count, out, bytes);
    *ideal = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t p = decisions[i].bit ? decisions[i].p1 : 65536 - decisions[i].p1;
        *ideal -= log2(p / 65536.0);
    }
    free(out);
    return bytes;
}

static void nothing_is_no_bytes(void **state)
{
    (void)state;
    uint8_t out[16];
    assert_int_equal(encode(NULL, 0, out), 0);
}

static void every_single_decision(void **state)
{
    (void)state;
    for (uint32_t p1 = 1; p1 < 65536; p1++) {
        for (unsigned bit = 0; bit < 2; bit++) {
            const decision d = {bit, p1};
            double ideal;
            const size_t bytes = round_trip(&d, 1, &ideal);
            assert_true((double)bytes * 8 <= ideal + 16);
        }
    }
}

/* Random decisions at random probabilities, as likely as they say. */
static void length_is_the_entropy(void **state)
{
    (void)state;
    const size_t count = 1000000;
    decision *decisions = malloc(count * sizeof *decisions);
    assert_non_null(decisions);
    for (size_t i = 0; i < count; i++) {
        const uint32_t kind = random_bits() % 3;
        uint32_t p1 = random_bits() >> 16;
        p1 = kind == 0 ? p1 : kind == 1 ? p1 % 64 : 65535 - p1 % 64;
        p1 = p1 < 1 ? 1 : p1 > 65535 ? 65535 : p1;
        decisions[i] = (decision){(random_bits() >> 16) < p1, p1};
    }
    double ideal;
    const size_t bytes = round_trip(decisions, count, &ideal);
    assert_true((double)bytes <= ideal / 8 * 1.0002 + 16);
    assert_true((double)bytes >= ideal / 8 - 8);
    free(decisions);
}

/* Always the improbable: the encoder puts out two bytes a decision. */
static void worst_case(void **state)
{
    (void)state;
    enum { COUNT = 4096 };
    static decision decisions[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        decisions[i] = (decision){i & 1, (i & 1) ? 1 : 65535};
    double ideal;
    const size_t bytes = round_trip(decisions, COUNT, &ideal);
    assert_true((double)bytes <= ideal / 8 * 1.0002 + 16);
}

/* Four symbols of 50, 30, 10 and 10 %: 1.685 bits a symbol, where a prefix code needs 1.7. */
static void source_50_30_10_10(void **state)
{
    (void)state;
    const size_t symbols = 1000000;
    decision *decisions = malloc(3 * symbols * sizeof *decisions);
    assert_non_null(decisions);
    size_t count = 0;
    for (size_t i = 0; i < symbols; i++) {
        /* exact shares in a scrambled order */
        const size_t rank = i * 617 % 10;
        const unsigned symbol = rank < 5 ? 0 : rank < 8 ? 1 : rank < 9 ? 2 : 3;
        decisions[count++] = (decision){symbol > 0, 32768};
        if (symbol > 0)
            decisions[count++] = (decision){symbol > 1, 65536 * 2 / 5};
        if (symbol > 1)
            decisions[count++] = (decision){symbol > 2, 32768};
    }
    double ideal;
    const size_t bytes = round_trip(decisions, count, &ideal);
    const double bits_a_symbol = (double)bytes * 8 / (double)symbols;
    assert_true(bits_a_symbol > 1.6850 && bits_a_symbol < 1.6860); /* entropy 1.68548 */
    free(decisions);
}

/* The interval is driven into the smallest ranges: around a change of the highest byte. */
static void straddling_interval(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static decision decisions[COUNT];
    uint8_t *out = malloc(COUNT * 8 + 16);
    assert_non_null(out);
    cpr_encoder encoder;
    cpr_encoder_init(&encoder, out);
    uint64_t smallest = UINT64_MAX;
    for (size_t i = 0; i < COUNT; i++) {
        /* keep the middle of the interval's highest byte change inside */
        const uint64_t middle = (encoder.high >> 56) << 56;
        const uint32_t p1 = 1 + random_bits() % 65535;
        const uint64_t split = cpr_coder_split(encoder.low, encoder.high, p1);
        assert_true(encoder.low <= split && split < encoder.high);
        const unsigned bit = split >= middle;
        decisions[i] = (decision){bit, p1};
        cpr_encoder_put(&encoder, bit, p1);
        assert_true(encoder.low < encoder.high);
        if (encoder.high - encoder.low < smallest)
            smallest = encoder.high - encoder.low;
    }
    cpr_encoder_finish(&encoder);
    assert_true(smallest < 65536); /* the test reaches what it is about */
    check_decodes(decisions, COUNT, out, (size_t)(encoder.next - out));
    free(out);
}

/* The decoder may be given its bytes in small windows. */
static void windows(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    static decision decisions[COUNT];
    static uint8_t out[COUNT * 2 + 16], window[32];
    for (size_t i = 0; i < COUNT; i++)
        decisions[i] = (decision){random_bits() >> 31, 1 + random_bits() % 65535};
    const size_t bytes = encode(decisions, COUNT, out);
    size_t given = bytes < sizeof window ? bytes : sizeof window;
    memcpy(window, out, given);
    cpr_decoder decoder;
    cpr_decoder_init(&decoder, window, given);
    for (size_t i = 0; i < COUNT; i++) {
        const size_t left = (size_t)(decoder.end - decoder.next);
        if (left < CPR_ENCODER_MAX_BYTES_PER_DECISION) {
            memmove(window, decoder.next, left);
            size_t more = sizeof window - left;
            more = more < bytes - given ? more : bytes - given;
            memcpy(window + left, out + given, more);
            given += more;
            decoder.next = window;
            decoder.end = window + left + more;
        }
        assert_int_equal(cpr_decoder_get(&decoder, decisions[i].p1), decisions[i].bit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_no_bytes),
        cmocka_unit_test(every_single_decision),
        cmocka_unit_test(length_is_the_entropy),
        cmocka_unit_test(worst_case),
        cmocka_unit_test(source_50_30_10_10),
        cmocka_unit_test(straddling_interval),
        cmocka_unit_test(windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
