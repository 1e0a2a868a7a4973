/* test_model.c - the model's tables, its kernels against each other, saving and loading. */
#include "mixing_state.h"
#include "model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHARD_BYTES (UINT64_C(1) << 20)
#define TOKENS 20000u

static void logistic_against_libm(void **state)
{
    (void)state;
    static cpr_logistic tables;
    cpr_logistic_init(&tables);
    for (int32_t x = -CPR_LOGIT_MAX; x <= CPR_LOGIT_MAX; x++) {
        const double exact = 65536 / (1 + exp(-x / 256.0));
        assert_true(fabs((double)cpr_squash(&tables, x) - exact) < 0.51);
    }
    for (uint32_t p = 8; p < 65536; p += 16) {
        const double logit = 256 * log(p / 65536.0 / (1 - p / 65536.0));
        const double exact = fmax(-CPR_INPUT_LIMIT, fmin(CPR_INPUT_LIMIT, logit));
        /* where squash is steep, to one unit; at the ends, to what 16 bits can tell */
        const double tolerance = 1 + 256 * 0.5 / (p < 32768 ? p : 65536 - p);
        assert_true(fabs(cpr_stretch(&tables, p) - exact) < tolerance);
    }
}

static void bit_history_states(void **state)
{
    (void)state;
    static cpr_bit_history history;
    cpr_bit_history_init(&history);
    assert_in_range(history.states, 200, 256);
    assert_int_equal(history.n[CPR_STATE_NONE][0] + history.n[CPR_STATE_NONE][1], 0);
    for (uint32_t s = 0; s < history.states; s++) {
        for (unsigned bit = 0; bit < 2; bit++) {
            const uint8_t *before = history.n[s], *after = history.n[history.next[s][bit]];
            assert_true(history.next[s][bit] < history.states);
            assert_true(after[bit] >= before[bit]);   /* evidence for what was seen */
            assert_true(after[!bit] <= before[!bit]); /* and none for the other */
            assert_true(after[bit] > 0);
        }
    }
}

/* Some text as tokens: a vocabulary learned from it, and the tokens. */
typedef struct sample {
    cpr_vocabulary *vocabulary;
    uint16_t *tokens;
    size_t count;
} sample;

static sample make_sample(void)
{
    enum { BYTES = 300000 };
    uint8_t *text = malloc(BYTES);
    assert_non_null(text);
    uint32_t random = 99;
    for (size_t at = 0; at < BYTES;) {
        random = random * 1664525 + 1013904223;
        if (random >> 30 == 0 && at > 5000) { /* repeat something */
            const size_t from = at - 1 - (random >> 8) % 5000, length = (random >> 4) % 300;
            for (size_t i = 0; i < length && at < BYTES; i++)
                text[at++] = text[from + i];
        } else {
            static const char *const parts[] = {
                "alpha ", "beta", " gamma", "\n  ", "<p class=", "delta", " 17", ": ", "\"", "}\n"};
            for (const char *c = parts[(random >> 12) % 10]; *c != '\0' && at < BYTES; c++)
                text[at++] = (uint8_t)*c;
        }
    }
    cpr_word_counts *counts = cpr_word_counts_create();
    assert_true(cpr_word_counts_add(counts, text, BYTES));
    sample s = {.vocabulary = cpr_vocabulary_learn(counts, 600)};
    assert_non_null(s.vocabulary);
    cpr_word_counts_free(counts);
    cpr_parser *parser = cpr_parser_create(s.vocabulary);
    s.tokens = malloc(BYTES * sizeof *s.tokens);
    s.count = cpr_parser_parse(parser, text, BYTES, s.tokens);
    assert_true(s.count > TOKENS);
    cpr_parser_free(parser);
    free(text);
    return s;
}

static void free_sample(sample *s)
{
    cpr_vocabulary_free(s->vocabulary);
    free(s->tokens);
}

/* Shows tokens [from, to) to the model; returns a hash of all its predictions, and the loss. */
static uint64_t run(cpr_model *model, const sample *s, size_t from, size_t to, double *loss)
{
    uint64_t hash = 0;
    for (size_t i = from; i < to; i++) {
        int32_t token;
        do {
            const unsigned bit = cpr_model_decision(model, s->tokens[i]);
            const uint32_t p1 = cpr_model_predict(model);
            assert_in_range(p1, 1, 65535);
            hash = (hash ^ p1) * UINT64_C(0x9E3779B97F4A7C15);
            if (loss != NULL)
                *loss -= log2((bit ? p1 : 65536 - p1) / 65536.0);
            token = cpr_model_learn(model, bit);
        } while (token < 0);
        assert_int_equal(token, s->tokens[i]);
    }
    return hash;
}

static cpr_model *make_model(const char *profile, const sample *s)
{
    cpr_model *model =
        cpr_model_create(cpr_profile_find(profile), s->vocabulary, NULL, SHARD_BYTES);
    assert_non_null(model);
    return model;
}

static void it_learns(void **state)
{
    (void)state;
    sample s = make_sample();
    cpr_model *model = make_model("balanced", &s);
    double first = 0, later = 0;
    run(model, &s, 0, TOKENS / 4, &first);
    run(model, &s, TOKENS / 4, TOKENS / 2, &later);
    assert_true(later < 0.8 * first);
    cpr_model_free(model);
    free_sample(&s);
}

/* Guesses are made, right and wrong ones, and those that are right cost next to nothing. */
static void it_guesses(void **state)
{
    (void)state;
    sample s = make_sample();
    cpr_model *model = make_model("balanced", &s);
    unsigned right = 0, wrong = 0;
    double loss_of_right = 0;
    for (size_t i = 0; i < s.count; i++) {
        const int32_t guess = model->core->guess;
        double loss = 0;
        run(model, &s, i, i + 1, &loss);
        if (guess == s.tokens[i]) {
            right++;
            loss_of_right += loss;
        }
        wrong += guess >= 0 && guess != s.tokens[i];
    }
    assert_in_range(right, 1000, s.count);
    assert_in_range(wrong, 10, right / 5);
    assert_true(loss_of_right < 0.2 * right);
    cpr_model_free(model);
    free_sample(&s);
}

/* On every kernel, with the functions compiled for the shape, if there are any, and with those for
 * any. */
static void compare_kernels(cpr_model *model, const sample *s, bool is_compiled)
{
    const size_t tokens = cpr_profile_has_network(&model->profile) ? TOKENS / 5 : TOKENS;
    const uint64_t expected = run(model, s, 0, tokens, NULL);
    unsigned kernels = 0;
    for (; cpr_instructions_at(kernels) >= 0; kernels++) {
        const cpr_instructions set = (cpr_instructions)cpr_instructions_at(kernels);
        for (unsigned compiled = 0; compiled < 2; compiled++) {
            cpr_model_run_on(model, set, compiled);
            const bool generic = model->functions == &cpr_mixing_kernel_of(set)->of_any;
            assert_true(generic == !(compiled && is_compiled));
            cpr_model_reset(model);
            assert_true(run(model, s, 0, tokens, NULL) == expected);
        }
    }
#ifdef __x86_64__
    assert_true(kernels > 1 || !__builtin_cpu_supports("avx2"));
#endif
}

static void kernels_agree(void **state)
{
    (void)state;
    sample s = make_sample();
    const char *const profiles[] = {"balanced", "fast", "neural"};
    for (unsigned p = 0; p < 3; p++) {
        cpr_model *model = make_model(profiles[p], &s);
        compare_kernels(model, &s, true);
        cpr_model_free(model);
    }
    free_sample(&s);
}

/* Parameters that no kernel is compiled for. */
static void any_parameters_work(void **state)
{
    (void)state;
    sample s = make_sample();
    static const char *const descriptors[] = {
        "tokens 1; mixing 1 contexts=0,1,5,9,14,22,23,26,27 lines=1 successors=2,3,8 matches=9,3 "
        "match-lanes=1 sets=5 refine=1 guess-from=50000 guess-shift=9 chances=1 buckets=30000 "
        "line-pairs=5000 successor-bits=12 history-bits=14; network 1 kind=sru width=32 layers=2",
        "tokens 1; mixing 1 contexts=1 lines=0 successors= matches= match-lanes=1 sets=1 refine=0 "
        "guess-from=50000 guess-shift=9 chances=0 buckets=1024 line-pairs=0 successor-bits=10 "
        "history-bits=12",
        "tokens 1; mixing 1 contexts=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21 "
        "lines=1 successors=0,1,2,3,4,5,6,7 matches=32,16,1 match-lanes=2 sets=6 refine=2 "
        "guess-from=1 guess-shift=11 chances=1 buckets=1024 line-pairs=1 successor-bits=10 "
        "history-bits=12; network 1 kind=sru width=64 layers=1; "
        "network 1 kind=sru width=32 layers=4",
        "tokens 1; mixing 2 contexts=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21 "
        "lines=1 successors=0,1,2,3,4,5,6,7 matches=32,16,1 match-lanes=2 sets=6 refine=2 "
        "guess-from=1 guess-shift=11 chances=1 buckets=1024 line-pairs=1 successor-bits=10 "
        "history-bits=12 byte-matches=1 byte-bits=12; network 1 kind=sru width=32 layers=1; "
        "network 1 kind=sru width=32 layers=1",
        "tokens 1; mixing 2 contexts=1 lines=0 successors= matches= match-lanes=1 sets=3 refine=0 "
        "guess-from=50000 guess-shift=9 chances=0 buckets=1024 line-pairs=0 successor-bits=10 "
        "history-bits=12 byte-matches=1 byte-bits=26",
    };
    for (unsigned i = 0; i < sizeof descriptors / sizeof *descriptors; i++) {
        cpr_descriptor_verdict verdict;
        char problem[100];
        cpr_profile *profile =
            cpr_profile_parse(descriptors[i], NULL, 0, &verdict, problem, sizeof problem);
        assert_string_equal(problem, "");
        cpr_model *model = cpr_model_create(profile, s.vocabulary, NULL, SHARD_BYTES);
        assert_non_null(model);
        cpr_profile_free(profile); /* the model has what it needs */
        double first = 0, later = 0;
        run(model, &s, 0, TOKENS / 4, &first);
        run(model, &s, TOKENS / 4, TOKENS / 2, &later);
        assert_true(later < first);
        cpr_model_reset(model);
        compare_kernels(model, &s, false);
        cpr_model_free(model);
    }
    free_sample(&s);
}

/* Of a single context the first weight is larger than those of several, but within its bounds. */
static void one_context_learns_at_once(void **state)
{
    (void)state;
    enum { FEW = 300 };
    sample s = make_sample();
    cpr_descriptor_verdict verdict;
    char problem[100];
    cpr_profile *profile = cpr_profile_parse(
        "tokens 1; mixing 1 contexts=0 lines=0 successors= matches= match-lanes=1 sets=1 refine=0 "
        "guess-from=65535 guess-shift=9 chances=0 buckets=1024 line-pairs=0 successor-bits=10 "
        "history-bits=12",
        NULL, 0, &verdict, problem, sizeof problem);
    assert_non_null(profile);
    cpr_model *model = cpr_model_create(profile, s.vocabulary, NULL, SHARD_BYTES);
    assert_non_null(model);
    cpr_profile_free(profile);
    double loss = 0;
    unsigned decisions = 0;
    run(model, &s, 0, FEW, &loss);
    for (unsigned i = 0; i < FEW; i++) {
        unsigned length;
        cpr_vocabulary_path(s.vocabulary, s.tokens[i], &length);
        decisions += length;
    }
    assert_true(loss < decisions);
    cpr_model_free(model);
    free_sample(&s);
}

static void reset_is_a_new_model(void **state)
{
    (void)state;
    sample s = make_sample();
    cpr_model *model = make_model("balanced", &s);
    const uint64_t expected = run(model, &s, 0, TOKENS, NULL);
    cpr_model_reset(model);
    assert_true(run(model, &s, 0, TOKENS, NULL) == expected);
    cpr_model_free(model);
    free_sample(&s);
}

static void save_and_load(void **state)
{
    (void)state;
    sample s = make_sample();
    cpr_model *model = make_model("balanced", &s);
    run(model, &s, 0, TOKENS / 2, NULL);
    void *saved = malloc(cpr_model_state_bytes(model));
    assert_non_null(saved);
    memcpy(saved, cpr_model_state(model), cpr_model_state_bytes(model));
    const uint64_t expected = run(model, &s, TOKENS / 2, TOKENS, NULL);
    cpr_model *other = make_model("balanced", &s);
    assert_int_equal(cpr_model_state_bytes(other), cpr_model_state_bytes(model));
    run(other, &s, 100, 1000, NULL); /* anything: it must not matter */
    memcpy(cpr_model_state(other), saved, cpr_model_state_bytes(other));
    assert_true(run(other, &s, TOKENS / 2, TOKENS, NULL) == expected);
    free(saved);
    cpr_model_free(model);
    cpr_model_free(other);
    free_sample(&s);
}

static void memory_is_bounded_by_the_profile(void **state)
{
    (void)state;
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++) {
        const cpr_profile *profile = cpr_profile_at(i);
        assert_ptr_equal(cpr_profile_find(cpr_profile_name(profile)), profile);
        uint64_t before = 0;
        for (uint64_t bytes = 1; bytes <= UINT64_C(4) << 30; bytes *= 4) {
            const uint64_t memory = cpr_model_memory(profile, bytes);
            assert_true(memory >= before);
            before = memory;
        }
        const bool neural = strcmp(cpr_profile_name(profile), "neural") == 0;
        assert_true(before < (neural ? 2000u : 500u) * UINT64_C(1000000));
    }
    assert_null(cpr_profile_find("no such profile"));
}

/* The tables of models for shards of the default size behind the largest primer, and what such
 * models make of a text: no archive that has been written can be decoded with others. Where this
 * fails, a component's version must be raised. */
static void models_for_large_shards_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *profile, *tables;
        size_t tokens;
        uint64_t predictions;
    } known[] = {
        {"balanced",
         "tokens=16384 core=1x248848 weights=17152x64 guess-weights=8800x32 "
         "refinements=163840x48 history=16777216x2 match-heads=12582912x4 "
         "byte-history=8388608x1 byte-heads=1048576x4 "
         "successors=2097152x32 buckets=4456448x64 lines=524288x64",
         TOKENS, UINT64_C(0xc024b9c20dbd0d60)},
        {"fast",
         "tokens=16384 core=1x248848 weights=17152x32 guess-weights=8800x32 "
         "history=4194304x2 match-heads=1048576x4 successors=262144x32 buckets=262144x64",
         TOKENS, UINT64_C(0xae77ccd30408c289)},
        {"neural",
         "tokens=16384 core=1x248848 weights=17152x128 guess-weights=8800x32 "
         "refinements=163840x48 history=16777216x2 match-heads=12582912x4 "
         "byte-history=8388608x1 byte-heads=1048576x4 "
         "successors=2097152x32 buckets=4456448x64 chances=4456448x128 lines=1048576x64 "
         "sru-header=1x304 embedding=4194304x4 embedding-square=16384x4 node=4194048x4 "
         "node-bias=16383x4 node-square=16383x4 stack=592128x4 moment1=592128x4 "
         "moment2=592128x4 stream=65536x4 scale=256x4 input=49152x1 gate=147456x4 "
         "cell=49920x4 hidden=16384x4 gradient=16384x4",
         TOKENS / 10, UINT64_C(0x050a8b7a48034867)},
    };
    const uint64_t bytes = UINT64_C(128) << 20;
    sample s = make_sample();
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        const cpr_profile *profile = cpr_profile_find(known[i].profile);
        char *tables = cpr_model_tables(profile, 16384, bytes);
        assert_non_null(tables);
        assert_string_equal(tables, known[i].tables);
        free(tables);
        cpr_model *model = cpr_model_create(profile, s.vocabulary, NULL, bytes);
        assert_non_null(model);
        const uint64_t predictions = run(model, &s, 0, known[i].tokens, NULL);
        if (predictions != known[i].predictions)
            fail_msg("%s: 0x%016" PRIx64, known[i].profile, predictions);
        cpr_model_free(model);
    }
    free_sample(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logistic_against_libm),
        cmocka_unit_test(bit_history_states),
        cmocka_unit_test(it_learns),
        cmocka_unit_test(it_guesses),
        cmocka_unit_test(kernels_agree),
        cmocka_unit_test(any_parameters_work),
        cmocka_unit_test(one_context_learns_at_once),
        cmocka_unit_test(reset_is_a_new_model),
        cmocka_unit_test(save_and_load),
        cmocka_unit_test(memory_is_bounded_by_the_profile),
        cmocka_unit_test(models_for_large_shards_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
