/* test_descriptor.c - profiles as text, and back. */
#include "model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BALANCED                                                                                   \
    "tokens 1; mixing 2 contexts=1,0,6,7,10,11,12,13,14,15,16,17,18,19 lines=1 "                   \
    "successors=3,2,4,5,8,9 matches=12,5,2 match-lanes=1 sets=6 refine=2 guess-from=60000 "        \
    "guess-shift=8 chances=0 buckets=4456448 line-pairs=262144 successor-bits=21 "                 \
    "history-bits=24 byte-matches=1 byte-bits=23"
#define FAST                                                                                       \
    "tokens 1; mixing 1 contexts=0,1,6,14,11 lines=0 successors=3,8 matches=5 match-lanes=1 "      \
    "sets=2 refine=0 guess-from=45000 guess-shift=10 chances=0 buckets=262144 line-pairs=0 "       \
    "successor-bits=18 history-bits=22"
#define NEURAL_MIXING                                                                              \
    "tokens 1; mixing 2 "                                                                          \
    "contexts=1,0,6,7,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27 lines=1 "              \
    "successors=3,2,4,5,8,9 matches=12,5,2 match-lanes=1 sets=6 refine=2 guess-from=60000 "        \
    "guess-shift=8 chances=1 buckets=4456448 line-pairs=524288 successor-bits=21 "                 \
    "history-bits=24 byte-matches=1 byte-bits=23"
#define NEURAL NEURAL_MIXING "; network 1 kind=sru width=256 layers=3"

/* malloc()ed. */
static char *describe(const cpr_profile *profile)
{
    char out[CPR_DESCRIPTOR_MAX_BYTES + 1] = "";
    cpr_profile_descriptor(profile, NULL, 0, out);
    return strdup(out);
}

static void profiles_have_known_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {BALANCED, FAST,
                                        BALANCED "; network 1 kind=sru width=32 layers=2", NEURAL};
    assert_null(cpr_profile_at(4));
    for (unsigned i = 0; i < 4; i++) {
        char *text = describe(cpr_profile_at(i));
        assert_non_null(text);
        assert_string_equal(text, texts[i]);
        free(text);
    }
}

static void a_text_gives_its_profile(void **state)
{
    (void)state;
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++) {
        const cpr_profile *preset = cpr_profile_at(i);
        char *text = describe(preset), problem[100];
        cpr_descriptor_verdict verdict;
        cpr_profile *profile = cpr_profile_parse(text, NULL, 0, &verdict, problem, sizeof problem);
        assert_non_null(profile);
        assert_int_equal(verdict, CPR_DESCRIPTOR_KNOWN);
        assert_string_equal(problem, "");
        assert_string_equal(cpr_profile_name(profile), cpr_profile_name(preset));
        assert_int_equal(cpr_profile_has_network(profile), cpr_profile_has_network(preset));
        assert_int_equal(cpr_model_memory(profile, 1 << 26), cpr_model_memory(preset, 1 << 26));
        char *again = describe(profile);
        assert_string_equal(again, text);
        free(again);
        cpr_profile_free(profile);
        free(text);
    }
}

static void other_parameters_are_custom(void **state)
{
    (void)state;
    static const char text[] =
        "tokens 1; mixing 1 contexts=27 lines=0 successors= matches= match-lanes=1 sets=1 refine=0 "
        "guess-from=65535 guess-shift=0 chances=1 buckets=1024 line-pairs=0 successor-bits=10 "
        "history-bits=12; network 1 kind=sru width=32 layers=1";
    cpr_descriptor_verdict verdict;
    char problem[100];
    cpr_profile *profile = cpr_profile_parse(text, NULL, 0, &verdict, problem, sizeof problem);
    assert_non_null(profile);
    assert_string_equal(cpr_profile_name(profile), "custom");
    assert_true(cpr_profile_has_network(profile));
    char *again = describe(profile);
    assert_string_equal(again, text);
    free(again);
    cpr_profile_free(profile);
}

/* Puts `to` in the place of `from` in a copy, which is to be freed. */
static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    char *copy = malloc(strlen(text) + strlen(to) + 1);
    assert_non_null(copy);
    sprintf(copy, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return copy;
}

static void expect_verdict(const char *text, cpr_descriptor_verdict expected, const char *problem)
{
    cpr_descriptor_verdict verdict;
    char said[300];
    assert_null(cpr_profile_parse(text, NULL, 0, &verdict, said, sizeof said));
    assert_int_equal(verdict, expected);
    assert_string_equal(said, problem);
}

static void what_is_unknown_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *problem;
    } changes[] = {
        {"tokens 1", "tokens 3", "tokens 3 (this program has tokens 1)"},
        {"mixing 2", "mixing 3", "mixing 3 (this program has mixing 2)"},
        {"network 1", "network 7", "network 7 kind=sru (this program has network 1 kind=sru)"},
        {"kind=sru width=256", "kind=lstm heads=8", "network 1 kind=lstm (unknown)"},
        {"; network", "; lstm 1 cells=90; network", "lstm 1 (unknown)"},
        {"sets=6", "sets=6 experts=4", "mixing 2 with experts (unknown)"},
        {"width=256", "width=512",
         "network 1 kind=sru width=512 (this program has multiples of 32 from 32 to 384)"},
        {"width=256", "width=257",
         "network 1 kind=sru width=257 (this program has multiples of 32 from 32 to 384)"},
        {"mixing 2", "mixing 1",
         "mixing 1 with byte-matches (unknown), mixing 1 with byte-bits (unknown)"},
        {"byte-bits=23", "byte-bits=27", "mixing 2 byte-bits=27 (this program has from 12 to 26)"},
        {"lines=1", "lines=2", "mixing 2 lines=2 (this program has from 0 to 1)"},
        {"contexts=1,0", "contexts=28,0", "mixing 2 contexts=28 (this program has from 0 to 27)"},
        {"contexts=1,0", "contexts=1,0,1", "mixing 2 with 23 contexts (this program has 1 to 22)"},
        {"guess-shift=8", "guess-shift=7",
         "mixing 2 guess-from=60000 guess-shift=7 (too many classes)"},
        {"mixing 2 ", "mixing 4 now-else ", "mixing 4 (this program has mixing 2)"},
        {"network 1 kind=sru width=256 layers=3",
         "network 1 kind=taught width=32 layers=1 rank=32 bits=5 grain=4; "
         "network 1 kind=taught width=64 layers=1 rank=32 bits=5 grain=4",
         "more than one network 1 kind=taught"},
        {"layers=3",
         "layers=3; network 1 kind=sru width=32 layers=1; network 1 kind=sru width=64 layers=1; "
         "blank 9; network 2 kind=x",
         "more than 2 networks, blank 9 (unknown), network 2 kind=x (unknown)"},
    };
    for (unsigned i = 0; i < sizeof changes / sizeof *changes; i++) {
        char *text = replaced(NEURAL, changes[i].from, changes[i].to);
        expect_verdict(text, CPR_DESCRIPTOR_UNKNOWN, changes[i].problem);
        free(text);
    }
    expect_verdict("tokens 2; mixing 3; lstm 1 a=b", CPR_DESCRIPTOR_UNKNOWN,
                   "tokens 2 (this program has tokens 1), mixing 3 (this program has mixing 2), "
                   "lstm 1 (unknown)");
}

static void what_is_malformed_is_not_unknown(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *problem;
    } changes[] = {
        {FAST, "", "without tokens or mixing: "},
        {FAST, "tokens 1", "without tokens or mixing: tokens 1"},
        {"tokens 1", "tokens", "not a component and its version: tokens"},
        {"tokens 1", "tokens x", "not a number: x"},
        {" sets=2", "", "a parameter is missing: sets"},
        {"sets=2", "sets", "not a parameter: sets"},
        {"sets=2", "=2", "not a parameter: =2"},
        {"sets=2", "sets=", "not a number: "},
        {"sets=2", "sets=-2", "not a number: -2"},
        {"sets=2", "sets=2000000000", "not a number: 2000000000"},
        {"contexts=0,1", "contexts=0,,1", "not a number: "},
        {"sets=2", "sets=\t2", "not printable: "},
        {"sets=2", "sets=\xc3\xa9", "not printable: "},
        {"tokens 1", "lstm 1; tokens x", "not a number: x"}, /* and not what is unknown */
        {"history-bits=22", "history-bits=22; network 1 width=32",
         "a network of no kind: width=32"},
    };
    for (unsigned i = 0; i < sizeof changes / sizeof *changes; i++) {
        char *text = replaced(FAST, changes[i].from, changes[i].to);
        expect_verdict(text, CPR_DESCRIPTOR_MALFORMED, changes[i].problem);
        free(text);
    }
    static const char *const forms[][2] = {
        {"sets=2", "sets=02"},        {"sets=2", " sets=2"},
        {"sets=2", "sets=2 sets=2"},  {"matches=5", "matches=5,"},
        {"bits=22", "bits=22; "},     {"bits=22", "bits=22 "},
        {"tokens 1; ", "; tokens 1"}, {"lines=0 successors=3,8", "successors=3,8 lines=0"},
    };
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        char *text = replaced(FAST, forms[i][0], forms[i][1]), problem[64];
        cpr_descriptor_verdict verdict;
        assert_null(cpr_profile_parse(text, NULL, 0, &verdict, problem, sizeof problem));
        assert_int_equal(verdict, CPR_DESCRIPTOR_MALFORMED);
        free(text);
    }
    char *text = malloc(100000);
    assert_non_null(text);
    memset(text, 'a', 99999);
    text[99999] = '\0';
    expect_verdict(text, CPR_DESCRIPTOR_MALFORMED, "too long: ");
    free(text);
}

static uint32_t next_random(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % below;
}

/* Changes a digit or a byte, or puts a number or a word in the place of some. */
static void change(char *text, uint64_t *seed)
{
    static const char *const words[] = {
        "0", "1",  "7", "65535", "999999999", "4294967295",
        ";", "; ", "=", ",",     " ",         "network 1 kind=sru width=32 layers=4"};
    const size_t length = strlen(text);
    const size_t at = next_random(seed, (uint32_t)length);
    const size_t after = at + next_random(seed, 4), rest = after < length ? length - after : 0;
    const char *digit = strpbrk(text + at, "0123456789");
    if (digit != NULL && next_random(seed, 2) == 0) {
        text[digit - text] = (char)('0' + next_random(seed, 10));
        return;
    }
    if (next_random(seed, 3) == 0) {
        text[at] = (char)(' ' + next_random(seed, 95));
        return;
    }
    const char *word = words[next_random(seed, sizeof words / sizeof *words)];
    char tail[CPR_DESCRIPTOR_MAX_BYTES + 1];
    memcpy(tail, text + length - rest, rest + 1);
    sprintf(text + at, "%s%s", word, tail);
}

/* Shows a model a few tokens: every access is in bounds, which sanitizers tell. */
static void use(const cpr_profile *profile)
{
    cpr_vocabulary *vocabulary = cpr_vocabulary_create_bytes();
    assert_non_null(vocabulary);
    assert_in_range(cpr_model_memory(profile, 1 << 14), 1, 200 << 20);
    cpr_model *model = cpr_model_create(profile, vocabulary, NULL, 1 << 14);
    assert_non_null(model);
    static const uint8_t tokens[] = "abracadabra";
    for (uint32_t i = 0; i < 60; i++)
        do
            assert_in_range(cpr_model_predict(model), 1, 65535);
        while (cpr_model_learn(model, cpr_model_decision(model, tokens[i % 11])) < 0);
    cpr_model_free(model);
    cpr_vocabulary_free(vocabulary);
}

static void changed_texts_do_no_harm(void **state)
{
    (void)state;
    static const char *const texts[] = {BALANCED, FAST, NEURAL};
    uint64_t seed = 7;
    unsigned known = 0, count[4] = {0};
    for (unsigned i = 0; i < 30000; i++) {
        char text[2 * CPR_DESCRIPTOR_MAX_BYTES], problem[80];
        snprintf(text, sizeof text, "%s", texts[i % 3]);
        for (unsigned changes = 1 + next_random(&seed, 3); changes > 0; changes--)
            change(text, &seed);
        cpr_descriptor_verdict verdict;
        cpr_profile *profile = cpr_profile_parse(text, NULL, 0, &verdict, problem,
                                                 1 + next_random(&seed, sizeof problem));
        count[verdict]++;
        assert_int_equal(profile != NULL, verdict == CPR_DESCRIPTOR_KNOWN);
        for (const char *c = problem; *c != '\0'; c++)
            assert_in_range(*c, ' ', '~');
        if (profile != NULL) {
            char *again = describe(profile);
            assert_string_equal(again, text);
            free(again);
            if (known++ % 40 == 0)
                use(profile);
        }
        cpr_profile_free(profile);
    }
    assert_true(count[CPR_DESCRIPTOR_KNOWN] > 500 && count[CPR_DESCRIPTOR_UNKNOWN] > 500);
    assert_true(count[CPR_DESCRIPTOR_MALFORMED] > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_have_known_texts),
        cmocka_unit_test(a_text_gives_its_profile),
        cmocka_unit_test(other_parameters_are_custom),
        cmocka_unit_test(what_is_unknown_is_named),
        cmocka_unit_test(what_is_malformed_is_not_unknown),
        cmocka_unit_test(changed_texts_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
