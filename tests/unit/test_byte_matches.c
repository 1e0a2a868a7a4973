/* test_byte_matches.c - repeats that are cut into other tokens than before. */
#include "model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 16384u
#define ROOM (8 * TEXT_BYTES)
#define DESCRIPTOR                                                                                 \
    "contexts=1,0,6 lines=0 successors=3,2 matches=12,5,2 match-lanes=2 sets=6 refine=2 "          \
    "guess-from=60000 guess-shift=8 chances=0 buckets=65536 line-pairs=0 successor-bits=14 "       \
    "history-bits=18"
#define WITHOUT "tokens 1; mixing 1 " DESCRIPTOR
#define WITH "tokens 1; mixing 2 " DESCRIPTOR " byte-matches=1 byte-bits=20"

/* A text, and a copy of it that looks another way. */
typedef struct pair {
    uint8_t *text;
    size_t first, all; /* bytes */
} pair;

static void add(pair *p, uint8_t byte)
{
    assert_true(p->all < ROOM);
    p->text[p->all++] = byte;
}

/* Noise of a few letters, of which no two pieces are alike. */
static pair make_letters(void)
{
    pair p = {malloc(ROOM), 0, 0};
    assert_non_null(p.text);
    uint32_t random = 7;
    for (unsigned i = 0; i < TEXT_BYTES; i++) {
        random = random * 1664525 + 1013904223;
        add(&p, (uint8_t) "ACGT"[random >> 30]);
    }
    p.first = p.all;
    return p;
}

/* Bits that the second part of the text costs after the first. */
static double cost_of_copy(const pair *p, const char *descriptor)
{
    cpr_word_counts *counts = cpr_word_counts_create();
    assert_true(cpr_word_counts_add(counts, p->text, p->all));
    cpr_vocabulary *vocabulary = cpr_vocabulary_learn(counts, 600);
    assert_non_null(vocabulary);
    cpr_word_counts_free(counts);
    cpr_descriptor_verdict verdict;
    char problem[200];
    cpr_profile *profile =
        cpr_profile_parse(descriptor, NULL, 0, &verdict, problem, sizeof problem);
    assert_string_equal(problem, "");
    cpr_model *model = cpr_model_create(profile, vocabulary, NULL, ROOM);
    cpr_parser *parser = cpr_parser_create(vocabulary);
    uint16_t *tokens = malloc(p->all * sizeof *tokens);
    assert_true(model != NULL && parser != NULL && tokens != NULL);
    const size_t first = cpr_parser_parse(parser, p->text, p->first, tokens);
    const size_t all =
        first + cpr_parser_parse(parser, p->text + p->first, p->all - p->first, tokens + first);
    double loss = 0;
    for (size_t i = 0; i < all; i++) {
        unsigned bit;
        do {
            bit = cpr_model_decision(model, tokens[i]);
            const uint32_t p1 = cpr_model_predict(model);
            if (i >= first)
                loss -= log2((bit ? p1 : 65536 - p1) / 65536.0);
        } while (cpr_model_learn(model, bit) < 0);
    }
    free(tokens);
    cpr_parser_free(parser);
    cpr_model_free(model);
    cpr_profile_free(profile);
    cpr_vocabulary_free(vocabulary);
    return loss;
}

/* The copy costs less than a part of what it costs without the match model over bytes. */
static void expect_gain(pair *p, double part)
{
    const double with = cost_of_copy(p, WITH), without = cost_of_copy(p, WITHOUT);
    if (with >= part * without)
        fail_msg("%.0f bits, and %.0f without matches of bytes", with, without);
    free(p->text);
}

static void a_shifted_copy_is_found(void **state)
{
    (void)state;
    pair p = make_letters();
    add(&p, '\n');
    for (size_t i = 5; i < p.first; i++)
        add(&p, p.text[i]);
    expect_gain(&p, 0.1);
}

static void a_wrapped_copy_is_found(void **state)
{
    (void)state;
    pair p = make_letters();
    for (size_t i = 0; i < p.first; i++) {
        if (i % 61 == 0)
            add(&p, '\n');
        add(&p, p.text[i]);
    }
    expect_gain(&p, 0.2);
}

static void a_copy_with_changes_is_found(void **state)
{
    (void)state;
    pair p = make_letters();
    add(&p, '\n');
    for (size_t i = 3; i < p.first; i++) {
        if (i % 509 == 0)
            add(&p, 'A');
        if (i % 727 != 0)
            add(&p, p.text[i]);
    }
    expect_gain(&p, 0.4);
}

/* Sixteen digits a line, each pair apart; the copy has other lines. */
static void a_copy_with_other_spaces_is_found(void **state)
{
    (void)state;
    pair p = {malloc(ROOM), 0, 0};
    assert_non_null(p.text);
    for (unsigned copy = 0; copy < 2; copy++) {
        uint32_t random = 11;
        for (unsigned i = 0; i < 2048; i++) {
            random = random * 1664525 + 1013904223;
            add(&p, (uint8_t) "0123456789abcdef"[random >> 28]);
            add(&p, (uint8_t) "0123456789abcdef"[random >> 24 & 15]);
            add(&p, i % (copy == 0 ? 16 : 11) == 0 ? '\n' : ' ');
        }
        if (copy == 0)
            p.first = p.all;
    }
    expect_gain(&p, 0.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shifted_copy_is_found),
        cmocka_unit_test(a_wrapped_copy_is_found),
        cmocka_unit_test(a_copy_with_changes_is_found),
        cmocka_unit_test(a_copy_with_other_spaces_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
