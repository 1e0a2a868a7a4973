/* test_network.c - the network's functions against libm, what it learns, and its operands. */
#include "exact_math.h"
#include "sru.h"
#include "vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ONES_LAST_BITS 0x1p-23

static void exp_against_libm(void **state)
{
    (void)state;
    for (int i = -86000; i < 87000; i++) {
        const float x = (float)i / 1000.0f;
        const double exact = exp((double)x);
        assert_true(fabs((double)cpr_expf(x) / exact - 1) < 4 * ONES_LAST_BITS);
    }
}

static void sigmoid_against_libm(void **state)
{
    (void)state;
    for (int i = -59000; i < 59000; i++) {
        const float x = (float)i / 1000.0f;
        const double exact = 1 / (1 + exp(-(double)x));
        assert_true(fabs((double)cpr_sigmoidf(x) / exact - 1) < 5 * ONES_LAST_BITS);
    }
    assert_true(cpr_sigmoidf(1e30f) == 1.0f);
    assert_true(cpr_sigmoidf(-1e30f) > 0.0f);
    assert_true(cpr_sigmoidf((float)NAN) >= 0.0f);
}

static void rsqrt_against_libm(void **state)
{
    (void)state;
    for (int i = -30000; i < 30000; i++) {
        const float x = (float)pow(10, i / 1000.0);
        const double exact = 1 / sqrt((double)x);
        assert_true(fabs((double)cpr_rsqrtf(x) / exact - 1) < 6 * ONES_LAST_BITS);
    }
}

static void rounding(void **state)
{
    (void)state;
    assert_true(cpr_roundf(0.5f) == 0.0f);
    assert_true(cpr_roundf(1.5f) == 2.0f);
    assert_true(cpr_roundf(-126.6f) == -127.0f);
    assert_true(cpr_clampf((float)NAN, -1.0f, 1.0f) == -1.0f);
}

/* A network on single bytes, with memory of its own. */
typedef struct fixture {
    cpr_vocabulary *vocabulary;
    size_t bytes;
    uint8_t *memory, *scratch;
    cpr_predictor *predictor;
    cpr_sru *network; /* the same */
} fixture;

static fixture make_network(uint32_t width, uint32_t layers, unsigned kernel)
{
    const uint32_t parameter[] = {width, layers};
    const cpr_predictor_class *class = &cpr_sru_class;
    bool no_memory;
    const char *problem = class->load(&no_memory);
    if (problem != NULL)
        fail_msg("%s", problem);
    cpr_layout state = {0}, scratch = {0};
    class->lay_out(NULL, parameter, 256, &state, &scratch);
    fixture f = {.vocabulary = cpr_vocabulary_create_bytes(), .bytes = state.bytes};
    f.memory = aligned_alloc(64, state.bytes);
    f.scratch = aligned_alloc(64, scratch.bytes);
    f.predictor = class->create(parameter, f.vocabulary, NULL);
    assert_true(f.memory != NULL && f.scratch != NULL && f.predictor != NULL);
    f.network = (cpr_sru *)(void *)f.predictor;
    memset(f.memory, 0, state.bytes);
    state = (cpr_layout){.memory = f.memory};
    scratch = (cpr_layout){.memory = f.scratch};
    class->lay_out(f.predictor, parameter, 256, &state, &scratch);
    assert_int_equal(state.bytes, f.bytes);
    class->run_on(f.predictor, (cpr_instructions)cpr_instructions_at(kernel));
    class->reset(f.predictor);
    return f;
}

static void free_network(fixture *f)
{
    cpr_sru_class.free(f->predictor);
    free(f->scratch);
    free(f->memory);
    cpr_vocabulary_free(f->vocabulary);
}

/* Bits that a token costs. */
static double cost(const fixture *f, uint32_t token)
{
    unsigned length;
    const uint32_t path = cpr_vocabulary_path(f->vocabulary, token, &length);
    double bits = 0;
    uint32_t node = 0;
    for (unsigned d = 0; d < length; d++) {
        const unsigned bit = path >> (length - 1 - d) & 1;
        const double logit = (double)f->predictor->logit(f->predictor, node);
        bits += log2(1 + exp(bit ? -logit : logit));
        node = (uint32_t)f->vocabulary->nodes[node].child[bit];
    }
    return bits;
}

/* Shows it seven letters and then five times another, again and again, which takes memory to tell;
 * returns the bits that the last half of them cost. */
static double train(fixture *f, unsigned tokens)
{
    double bits = 0;
    for (unsigned i = 0; i < tokens; i++) {
        const uint32_t token = i % 12 < 7 ? 'a' + i % 12 : 'A';
        bits += i < tokens / 2 ? 0 : cost(f, token);
        f->predictor->learn(f->predictor, token);
    }
    return bits;
}

static void it_learns(void **state)
{
    (void)state;
    for (uint32_t width = 64; width <= CPR_SRU_WIDTH_MAX; width += 320) {
        fixture f = make_network(width, 2, 0);
        assert_true(fabs(cost(&f, 'x') - 8) < 1e-6); /* nothing is known */
        const double bits = train(&f, 3000) / 1500;
        assert_true(bits < 0.5);
        free_network(&f);
    }
}

/* Operands are as large as they may be, or nearly, and no larger. */
static void operands_use_their_bits(void **state)
{
    (void)state;
    fixture f = make_network(64, 3, 0);
    train(&f, 1000);
    const size_t weights = 3 * 64 * 64, inputs = 3 * CPR_SRU_SEGMENT * 64;
    int most = 0;
    for (size_t i = 0; i < weights; i++)
        most = abs(f.network->bytes[i]) > most ? abs(f.network->bytes[i]) : most;
    assert_in_range(most, CPR_SRU_WEIGHT_LIMIT / 2, CPR_SRU_WEIGHT_LIMIT);
    most = 0;
    for (size_t i = 0; i < inputs; i++)
        most = abs(f.network->input[i]) > most ? abs(f.network->input[i]) : most;
    assert_in_range(most, CPR_SRU_ACTIVATION_ONE + 1, CPR_SRU_ACTIVATION_LIMIT);
    free_network(&f);
}

static void kernels_agree(void **state)
{
    (void)state;
    fixture first = make_network(128, 2, 0);
    train(&first, 500);
    for (unsigned i = 1; cpr_instructions_at(i) >= 0; i++) {
        fixture other = make_network(128, 2, i);
        train(&other, 500);
        assert_memory_equal(first.memory, other.memory, first.bytes);
        free_network(&other);
    }
    free_network(&first);
}

/* Whether tokens were known before makes no difference: all of them, some, or others. */
static void computed_ahead(void **state)
{
    (void)state;
    enum { TOKENS = 300, WRONG = 77, KNOWN = 150 };
    uint16_t tokens[TOKENS], expected[TOKENS];
    for (unsigned i = 0; i < TOKENS; i++)
        expected[i] = tokens[i] = (uint16_t)(i * i / 7 % 256);
    expected[WRONG]++;
    fixture one = make_network(64, 3, 0), ahead = make_network(64, 3, 0);
    for (unsigned i = 0; i < TOKENS; i++) {
        if (i == 0)
            cpr_sru_class.expect(ahead.predictor, expected, KNOWN);
        if (i == KNOWN)
            cpr_sru_class.expect(ahead.predictor, tokens + i, TOKENS - KNOWN);
        for (uint32_t node = 0; node < 255; node++)
            assert_true(one.predictor->logit(one.predictor, node) ==
                        ahead.predictor->logit(ahead.predictor, node));
        one.predictor->learn(one.predictor, tokens[i]);
        ahead.predictor->learn(ahead.predictor, tokens[i]);
        if (i == 10)
            assert_true(ahead.network->ahead.ready == CPR_SRU_SEGMENT);
    }
    assert_memory_equal(one.memory, ahead.memory, one.bytes);
    free_network(&one);
    free_network(&ahead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_against_libm),   cmocka_unit_test(sigmoid_against_libm),
        cmocka_unit_test(rsqrt_against_libm), cmocka_unit_test(rounding),
        cmocka_unit_test(it_learns),          cmocka_unit_test(operands_use_their_bits),
        cmocka_unit_test(kernels_agree),      cmocka_unit_test(computed_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
