/* Statuses: exit codes, texts, and paths that are fit for a terminal. */
#include "status.h"
#include "test_files.h"

#include <errno.h>

static void exit_codes(void **state)
{
    (void)state;
    assert_int_equal(cpr_status_exit_code(CPR_OK), 0);
    assert_int_equal(cpr_status_exit_code(CPR_ERR_USAGE), 3);
    assert_int_equal(cpr_status_exit_code(CPR_ERR_DAMAGED), 4);
    assert_int_equal(cpr_status_exit_code(CPR_ERR_SELF_TEST), 5);
    assert_int_equal(cpr_status_exit_code(CPR_STOPPED), 75);
    assert_int_equal(cpr_status_exit_code(CPR_ERR_IO), 2);
    assert_int_equal(cpr_status_exit_code((cpr_status)99), 2);
}

static void texts_differ(void **state)
{
    (void)state;
    for (int a = CPR_OK; a <= CPR_STOPPED; ++a)
        for (int b = a + 1; b <= CPR_STOPPED + 1; ++b)
            assert_string_not_equal(cpr_status_text((cpr_status)a), cpr_status_text((cpr_status)b));
}

static void failure_tells_why(void **state)
{
    (void)state;
    cpr_error error;
    char path[3000];
    assert_int_equal(cpr_fail(NULL, CPR_ERR_IO, "x"), CPR_ERR_IO);
    assert_int_equal(cpr_fail(&error, CPR_ERR_BUSY, "shard %d", 7), CPR_ERR_BUSY);
    assert_string_equal(error.text, "shard 7");
    assert_int_equal(cpr_fail_errno(&error, ENOMEM, "x"), CPR_ERR_NO_MEMORY);
    /* However long the path, the reason is not cut off. */
    memset(path, 'p', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(cpr_fail_errno(&error, ENOSPC, "cannot write \"%s\"", path), CPR_ERR_IO);
    assert_non_null(strstr(error.text, strerror(ENOSPC)));
}

static void check_path(const char *path, const char *expected)
{
    char shown[100];
    assert_string_equal(cpr_printable_path(path, shown, sizeof(shown)), expected);
}

static void printable_paths(void **state)
{
    (void)state;
    check_path("a/b c.txt", "a/b c.txt");
    check_path("a\nb", "a\\nb");
    check_path("a\\b", "a\\\\b");
    check_path("a\x1b[31m\x7f", "a\\x1b[31m\\x7f");
    check_path("gr\xc3\xbc\xc3\x9f\x65", "gr\xc3\xbc\xc3\x9f\x65");
    check_path("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
    check_path("\xff\xfe", "\\xff\\xfe");
    check_path("\xc3", "\\xc3");                            /* cut off */
    check_path("\xc0\xaf", "\\xc0\\xaf");                   /* overlong */
    check_path("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* surrogate */
    check_path("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond Unicode */
    check_path("\xc2\x9b", "\\xc2\\x9b");                   /* C1: a terminal's escape */
    check_path("", "");
}

static void printable_path_is_cut(void **state)
{
    (void)state;
    char shown[9] = "????????";
    assert_string_equal(cpr_printable_path("0123456789", shown, 8), "0123...");
    assert_int_equal(shown[8], '\0');
    shown[0] = '?';
    cpr_printable_path("abc", shown, 1);
    assert_string_equal(shown, "");
    cpr_printable_path("0123456", shown, 8);
    assert_string_equal(shown, "0123456");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(texts_differ),
        cmocka_unit_test(failure_tells_why),
        cmocka_unit_test(printable_paths),
        cmocka_unit_test(printable_path_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
