/* test_vocabulary.c - counting, merging, learning, packing and cutting. */
#include "model.h"
#include "vocabulary.h"
#include "word_split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 200000

/* Words of a made-up language, with numbers, markup, UTF-8 and line ends. */
static uint8_t *make_text(size_t bytes)
{
    static const char *const parts[] = {"the ",   "theory ", "of ",  "tokens",    " and",
                                        "\n",     "<b>",     "</b>", " 1998 ",    "caf\xc3\xa9 ",
                                        "\n\t\t", "token",   ", ",   "_value = ", "(42);\n"};
    uint8_t *text = malloc(bytes);
    assert_non_null(text);
    uint32_t random = 12345;
    for (size_t at = 0; at < bytes;) {
        random = random * 1664525 + 1013904223;
        const char *part = parts[(random >> 16) % (sizeof parts / sizeof *parts)];
        for (; *part != '\0' && at < bytes; part++)
            text[at++] = (uint8_t)*part;
    }
    return text;
}

static cpr_vocabulary *learn(const uint8_t *text, size_t bytes, uint32_t tokens)
{
    cpr_word_counts *counts = cpr_word_counts_create();
    assert_non_null(counts);
    assert_true(cpr_word_counts_add(counts, text, bytes));
    cpr_vocabulary *v = cpr_vocabulary_learn(counts, tokens);
    assert_non_null(v);
    cpr_word_counts_free(counts);
    return v;
}

/* Every token's path leads to it, and no path is the beginning of another: a full binary tree. */
static void check_tree(const cpr_vocabulary *v)
{
    double kraft = 0;
    for (uint32_t t = 0; t < cpr_vocabulary_tokens(v); t++) {
        unsigned length;
        const uint32_t path = cpr_vocabulary_path(v, t, &length);
        assert_in_range(length, 1, CPR_TREE_MAX_DEPTH);
        int32_t at = 0;
        for (unsigned i = length; i-- > 0;) {
            assert_true(at >= 0);
            assert_int_equal(v->nodes[at].depth, length - 1 - i);
            assert_in_range(v->nodes[at].in_group, 1, CPR_GROUP_NODES - 1);
            at = v->nodes[at].child[path >> i & 1];
        }
        assert_int_equal(at, ~(int32_t)t);
        kraft += 1.0 / (double)(UINT64_C(1) << length);
    }
    assert_true(kraft == 1.0);
}

static void check_cuts(const cpr_vocabulary *v, const uint8_t *text, size_t bytes)
{
    cpr_parser *parser = cpr_parser_create(v);
    uint16_t *tokens = malloc(bytes * sizeof *tokens);
    assert_non_null(parser);
    assert_non_null(tokens);
    for (int pass = 0; pass < 2; pass++) { /* the second time from the cache */
        const size_t count = cpr_parser_parse(parser, text, bytes, tokens);
        size_t at = 0;
        for (size_t i = 0; i < count; i++) {
            size_t n;
            const uint8_t *token = cpr_vocabulary_token(v, tokens[i], &n);
            assert_true(n >= 1 && n <= bytes - at);
            assert_memory_equal(token, text + at, n);
            at += n;
        }
        assert_int_equal(at, bytes);
    }
    free(tokens);
    cpr_parser_free(parser);
}

static void bytes_vocabulary(void **state)
{
    (void)state;
    cpr_vocabulary *v = cpr_vocabulary_create_bytes();
    assert_non_null(v);
    assert_int_equal(cpr_vocabulary_tokens(v), 256);
    check_tree(v);
    uint8_t all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    check_cuts(v, all, sizeof all);
    cpr_vocabulary_free(v);
}

static void learned_tokens(void **state)
{
    (void)state;
    uint8_t *text = make_text(TEXT_BYTES);
    cpr_vocabulary *v = learn(text, TEXT_BYTES, 1000);
    assert_in_range(cpr_vocabulary_tokens(v), 260, 1000);
    check_tree(v);
    check_cuts(v, text, TEXT_BYTES);
    bool found = false;
    for (uint32_t t = 0; t < cpr_vocabulary_tokens(v); t++) {
        size_t n;
        const uint8_t *token = cpr_vocabulary_token(v, t, &n);
        found = found || (n == 6 && memcmp(token, "theory", 6) == 0);
        if (t > 0) { /* ascending, distinct */
            size_t m;
            const uint8_t *before = cpr_vocabulary_token(v, t - 1, &m);
            const int order = memcmp(before, token, m < n ? m : n);
            assert_true(order < 0 || (order == 0 && m < n));
        }
    }
    assert_true(found);
    cpr_vocabulary_free(v);
    free(text);
}

static void no_room_for_merges(void **state)
{
    (void)state;
    uint8_t *text = make_text(5000);
    cpr_vocabulary *v = learn(text, 5000, 256);
    assert_int_equal(cpr_vocabulary_tokens(v), 256);
    check_tree(v);
    check_cuts(v, text, 5000);
    cpr_vocabulary_free(v);
    v = learn(text, 0, 4096); /* nothing to learn from */
    assert_int_equal(cpr_vocabulary_tokens(v), 256);
    check_tree(v);
    cpr_vocabulary_free(v);
    free(text);
}

/* One token is nearly everything: the tree must not become too deep for the others. */
static void skewed_counts(void **state)
{
    (void)state;
    uint8_t *text = malloc(TEXT_BYTES);
    assert_non_null(text);
    memset(text, 'a', TEXT_BYTES);
    for (int i = 0; i < 256; i++)
        text[i] = (uint8_t)i;
    cpr_vocabulary *v = learn(text, TEXT_BYTES, 65536);
    check_tree(v);
    check_cuts(v, text, TEXT_BYTES);
    cpr_vocabulary_free(v);
    free(text);
}

/* Any split of the sample, merged in any order, gives the same packed counts. */
static void merging_does_not_depend_on_the_split(void **state)
{
    (void)state;
    enum { BLOCK = 1000, PARTS = 4 };
    uint8_t *text = make_text(TEXT_BYTES);
    cpr_word_counts *whole = cpr_word_counts_create(), *part[PARTS],
                    *sum = cpr_word_counts_create();
    for (int p = 0; p < PARTS; p++)
        part[p] = cpr_word_counts_create();
    for (size_t at = 0; at < TEXT_BYTES; at += BLOCK) {
        assert_true(cpr_word_counts_add(whole, text + at, BLOCK));
        assert_true(cpr_word_counts_add(part[at / BLOCK * 7 / 3 % PARTS], text + at, BLOCK));
    }
    size_t bytes, part_bytes;
    uint8_t *expected = cpr_word_counts_pack(whole, &bytes);
    for (int p = PARTS; p-- > 0;) {
        uint8_t *packed = cpr_word_counts_pack(part[p], &part_bytes);
        assert_true(cpr_word_counts_merge(sum, packed, part_bytes));
        free(packed);
        cpr_word_counts_free(part[p]);
    }
    uint8_t *merged = cpr_word_counts_pack(sum, &part_bytes);
    assert_int_equal(part_bytes, bytes);
    assert_memory_equal(merged, expected, bytes);
    assert_false(cpr_word_counts_merge(sum, expected, bytes - 1)); /* cut off */
    cpr_word_counts_free(whole);
    cpr_word_counts_free(sum);
    free(merged);
    free(expected);
    free(text);
}

static void pack_and_unpack(void **state)
{
    (void)state;
    uint8_t *text = make_text(TEXT_BYTES);
    cpr_vocabulary *v = learn(text, TEXT_BYTES, 2000);
    size_t bytes, again_bytes;
    uint8_t *packed = cpr_vocabulary_pack(v, &bytes);
    cpr_vocabulary *u = cpr_vocabulary_unpack(packed, bytes);
    assert_non_null(u);
    assert_int_equal(cpr_vocabulary_tokens(u), cpr_vocabulary_tokens(v));
    for (uint32_t t = 0; t < cpr_vocabulary_tokens(v); t++) {
        unsigned length_u, length_v;
        assert_int_equal(cpr_vocabulary_path(u, t, &length_u),
                         cpr_vocabulary_path(v, t, &length_v));
        assert_int_equal(length_u, length_v);
    }
    uint8_t *again = cpr_vocabulary_pack(u, &again_bytes);
    assert_int_equal(again_bytes, bytes);
    assert_memory_equal(again, packed, bytes);
    for (size_t cut = 0; cut < bytes; cut += cut < 64 ? 1 : 97) {
        assert_null(cpr_vocabulary_unpack(packed, cut));
        assert_int_equal(errno, EINVAL);
    }
    free(again);
    free(packed);
    cpr_vocabulary_free(u);
    cpr_vocabulary_free(v);
    free(text);
}

/* Damage is refused or gives a vocabulary that is sound; it never does harm. */
static void damaged_pack(void **state)
{
    (void)state;
    uint8_t *text = make_text(20000);
    cpr_vocabulary *v = learn(text, 20000, 512);
    size_t bytes;
    uint8_t *packed = cpr_vocabulary_pack(v, &bytes);
    unsigned refused = 0;
    for (size_t at = 0; at < bytes; at++) {
        const uint8_t good = packed[at];
        packed[at] = (uint8_t)(good + 1 + at % 255);
        cpr_vocabulary *damaged = cpr_vocabulary_unpack(packed, bytes);
        if (damaged == NULL)
            refused++;
        else
            check_tree(damaged);
        cpr_vocabulary_free(damaged);
        packed[at] = good;
    }
    assert_true(refused > bytes / 4);
    free(packed);
    cpr_vocabulary_free(v);
    free(text);
}

static void words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
    } cases[] = {
        {"word next", 4},
        {" word", 5},
        {"  word", 1},
        {"   1", 3},
        {" 1", 1},
        {"\n\n  a", 3},
        {"12ab", 2},
        {");\n", 2},
        {"\xc3\xa9t\xc3\xa9.", 5},
        {"a", 1},
        {" ", 1},
        {"\t x", 1},
        {"--- a", 3},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", CPR_WORD_MAX_BYTES},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(cpr_word_length((const uint8_t *)cases[i].text, strlen(cases[i].text)),
                         cases[i].length);
}

/* Of what many contexts would take for that text. */
static uint32_t fitting_tokens(const char *profile, const uint8_t *text, size_t bytes)
{
    cpr_word_counts *counts = cpr_word_counts_create();
    assert_non_null(counts);
    assert_true(cpr_word_counts_add(counts, text, bytes));
    cpr_vocabulary *v = cpr_profile_vocabulary(cpr_profile_find(profile), counts, bytes);
    assert_non_null(v);
    check_tree(v);
    const uint32_t tokens = cpr_vocabulary_tokens(v);
    cpr_vocabulary_free(v);
    cpr_word_counts_free(counts);
    return tokens;
}

/* Single bytes where few letters make up the text, or where tokens save nothing; a profile of few
 * contexts takes tokens. */
static void bytes_where_they_will_do(void **state)
{
    (void)state;
    enum { BYTES = 600000, LINE = 61 };
    uint8_t *text = malloc(BYTES);
    assert_non_null(text);
    uint32_t random = 7;
    for (size_t i = 0; i < BYTES; i++) {
        random = random * 1664525 + 1013904223;
        text[i] = (uint8_t)(i % LINE == LINE - 1 ? '\n' : "ACGT"[random >> 30]);
    }
    assert_int_equal(fitting_tokens("balanced", text, BYTES), 256);
    assert_in_range(fitting_tokens("fast", text, BYTES), 257, 1024);
    for (size_t i = 0; i < BYTES; i++) {
        random = random * 1664525 + 1013904223;
        text[i] = (uint8_t)(i % LINE == LINE - 1 ? '\n' : ' ' + (random >> 24) % 95);
    }
    assert_int_equal(fitting_tokens("balanced", text, BYTES), 256);
    free(text);
    text = make_text(BYTES);
    assert_in_range(fitting_tokens("balanced", text, BYTES), 257, 512);
    assert_int_equal(fitting_tokens("balanced", text, 0), 256);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_where_they_will_do),
        cmocka_unit_test(words),
        cmocka_unit_test(bytes_vocabulary),
        cmocka_unit_test(learned_tokens),
        cmocka_unit_test(no_room_for_merges),
        cmocka_unit_test(skewed_counts),
        cmocka_unit_test(merging_does_not_depend_on_the_split),
        cmocka_unit_test(pack_and_unpack),
        cmocka_unit_test(damaged_pack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
