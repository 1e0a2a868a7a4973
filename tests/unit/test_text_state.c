/* test_text_state.c - what the model knows of brackets, quotations and capitalized words. */
#include "text_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static cpr_text_state after(const char *text)
{
    cpr_text_state s;
    memset(&s, 0, sizeof s);
    cpr_text_state_add(&s, (const uint8_t *)text, (uint32_t)strlen(text));
    return s;
}

/* The hash of a word: that of the only word in a text. */
static uint32_t word(const char *text)
{
    return after(text).word;
}

static uint32_t opened(const char *before, char byte)
{
    return word(before) << 8 | (uint8_t)byte;
}

static void brackets(void **state)
{
    (void)state;
    const cpr_text_state two = after("call(first[2");
    assert_int_equal(cpr_text_state_bracket(&two, 0), opened("first", '['));
    assert_int_equal(cpr_text_state_bracket(&two, 1), opened("call", '('));
    assert_int_equal(cpr_text_state_bracket(&two, 2), 0);

    const cpr_text_state one = after("call(first[2]");
    assert_int_equal(cpr_text_state_bracket(&one, 0), opened("call", '('));
    assert_int_equal(cpr_text_state_bracket(&one, 1), 0);

    const cpr_text_state none = after("a) b] c}");
    assert_int_equal(cpr_text_state_bracket(&none, 0), 0);
    const cpr_text_state later = after("a) b] c} d{");
    assert_int_equal(cpr_text_state_bracket(&later, 0), opened("d", '{'));
}

/* More than are remembered. */
static void deep_brackets(void **state)
{
    (void)state;
    cpr_text_state s = after("outer{");
    for (int i = 0; i < 100; i++)
        cpr_text_state_add(&s, (const uint8_t *)" in(", 4);
    for (int i = 0; i < 99; i++)
        cpr_text_state_add(&s, (const uint8_t *)")", 1);
    assert_int_equal(s.brackets, 2);
    cpr_text_state_add(&s, (const uint8_t *)"))))", 4);
    assert_int_equal(s.brackets, 0);
}

static void quotations(void **state)
{
    (void)state;
    const cpr_text_state open = after("name = \"it's");
    assert_int_equal(open.quote, '"');
    assert_int_equal(open.quoted_by, word("name"));
    const cpr_text_state closed = after("name = \"it's\"");
    assert_int_equal(closed.quote, 0);
    assert_int_equal(closed.quoted_by, 0);
    assert_int_equal(after("name = \"it\n").quote, 0);
}

static void capitalized_words(void **state)
{
    (void)state;
    assert_int_equal(after("then Anna said so").capitalized, word("anna"));
    assert_int_equal(after("then Anna").capitalized, 0);
    assert_int_equal(after("iPhone mini").capitalized, 0);
    assert_int_equal(after("Anna met Bob ").capitalized, word("bob"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brackets),
        cmocka_unit_test(deep_brackets),
        cmocka_unit_test(quotations),
        cmocka_unit_test(capitalized_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
