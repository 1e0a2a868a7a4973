/* test_pattern.c - shell patterns: characters, components, directories. */
#include "pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool matches(const char *wanted, const char *member, bool names_anywhere, bool is_directory)
{
    char word[256];
    snprintf(word, sizeof word, "%s", wanted);
    const pattern p = pattern_make(word, names_anywhere);
    return pattern_matches(&p, member, is_directory);
}

/* Whether a PATH names a file. */
static void takes(const char *wanted, const char *member)
{
    if (!matches(wanted, member, false, false))
        fail_msg("'%s' does not match %s", wanted, member);
}

static void refuses(const char *wanted, const char *member)
{
    if (matches(wanted, member, false, false))
        fail_msg("'%s' matches %s", wanted, member);
}

static void test_characters(void **state)
{
    (void)state;
    takes("a*c", "abc");
    takes("a*c", "ac");
    takes("*a*b*", "xaxbx");
    refuses("*a*b*", "xbxax");
    refuses("a*c", "abcd");
    takes("a?c", "abc");
    refuses("a?c", "ac");
    takes("[a-c]", "b");
    refuses("[a-c]", "d");
    takes("[!a-c]", "d");
    refuses("[^a-c]", "b");
    takes("[]x]", "]");
    refuses("[!]x]", "]");
    takes("[x-]", "-");
    takes("[\\]]", "]");
    takes("[[:digit:]x]", "7");
    refuses("[[:digit:]x]", "y");
    takes("[[:alpha]", ":"); /* no class: '[', ':' and letters */
    takes("a[b", "a[b");
    takes("a\\*b", "a*b");
    refuses("a\\*b", "axb");
    takes("a\\\\*", "a\\b");
    takes("a\\", "a\\");
    takes("a\\n*", "a\nb");
    takes("\\x41\\x2a", "A*");
    takes("\\x4", "x4");
}

/* A character of UTF-8 is one, and so is a byte that is not UTF-8. */
static void test_utf8(void **state)
{
    (void)state;
    takes("?", "\xc3\xa4");
    refuses("??", "\xc3\xa4");
    takes("?", "\xff");
    takes("??", "\xff\xc3");
    takes("\\xc3\\xa4", "\xc3\xa4");
    takes("[\xc3\xa4-\xc3\xb6]", "\xc3\xa5");
    refuses("[\xc3\xa4-\xc3\xb6]", "\xc3\xbc");
    takes("[\\xfe-\\xff]", "\xff");
    refuses("[\\xfe-\\xff]", "\xc3\xbf"); /* U+00FF is not byte ff */
    refuses("*[!\xc3\xa4]", "\xc3\xa4");
    takes("*.txt", "\xff\xfe\xc3.txt");
}

static void test_components(void **state)
{
    (void)state;
    refuses("a/*", "b/c");
    takes("a/*", "a/b");
    takes("a/*", "a/b/c"); /* in a directory that matches */
    refuses("a/*.c", "a/b/x.c");
    refuses("*/x.c", "a/b/x.c");
    takes("*/*/x.c", "a/b/x.c");
    refuses("a?b/*", "a/b/c");
    refuses("a[/]b", "a/b");
    takes("**/x", "x");
    takes("**/x", "a/b/x");
    takes("a/**/x", "a/x");
    takes("a/**/x", "a/b/c/x");
    refuses("a/**/x", "b/x");
    takes("a/**", "a/b");
    refuses("a/**", "a");
    refuses("a/**", "b/a/c");
    takes("**/a/**/b/*.c", "a/x/a/b/y/b/z.c");
    refuses("**/a/**/b/*.c", "b/x/a/z.c");
    takes("**/a?/b", "a1/a2/b");
    takes("a**b/x", "axxb/x");
    refuses("a**b/x", "ax/xb/x");
}

static void test_names(void **state)
{
    (void)state;
    takes("*.c", "x.c");
    takes("*.c", "a/b/x.c");
    takes("b*", "a/bb/x.c"); /* a directory of that name */
    refuses("/*.c", "a/x.c");
    takes("/*.c", "x.c");
    takes("./*.c", "x.c");
    takes("a", "a");
    takes("a", "a/b");
    refuses("a", "b/a");
    refuses("a", "ab");
    takes("/", "a");
    takes("/a/b/", "a/b/c");
    assert_true(matches("a", "b/a/c", true, false)); /* --exclude a */
    assert_false(matches("a", "b/ab", true, false));
    assert_false(matches("/a", "b/a", true, false));
    assert_false(matches("b/a", "c/b/a", true, false));
    assert_true(matches("b/a", "b/a/c", true, false));
}

static void test_directories(void **state)
{
    (void)state;
    refuses("a/", "a");
    takes("a/", "a/b");
    assert_true(matches("a/", "a", false, true));
    refuses("*a/", "xa");
    takes("*a/", "xa/b");
    takes("**/x/", "a/x/b");
    refuses("**/x/", "a/x");
    refuses("a/**/", "a/b");
    takes("a/**/", "a/b/c");
    assert_true(matches("a/*/", "a/b", false, true));
    assert_true(matches("build/", "x/build/y", true, false));
    assert_false(matches("build/", "x/build", true, false));
}

static void test_path_before_pattern(void **state)
{
    (void)state;
    char word[] = "a[1]";
    pattern p = pattern_make(word, false);
    assert_false(p.is_path);
    assert_true(pattern_is_path_of(&p, "a[1]/x", false));
    assert_false(pattern_is_path_of(&p, "b/a[1]", false));
    pattern_take_as_path(&p);
    assert_true(pattern_matches(&p, "a[1]", false));
    assert_false(pattern_matches(&p, "a1", false));
    assert_false(pattern_matches(&p, "b/a[1]", false));
}

/* Time does not explode. */
static void test_many_stars(void **state)
{
    (void)state;
    char member[4096];
    memset(member, 'a', sizeof member - 1);
    member[sizeof member - 1] = '\0';
    refuses("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", member);
    for (size_t i = 1; i < sizeof member - 1; i += 2)
        member[i] = '/';
    refuses("**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b", member);
    takes("**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a", member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters),          cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_components),          cmocka_unit_test(test_names),
        cmocka_unit_test(test_directories),         cmocka_unit_test(test_many_stars),
        cmocka_unit_test(test_path_before_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
