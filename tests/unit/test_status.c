/* Statuses: exit codes and texts; text that is fit for a terminal. */
#include "printable.h"
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
    for (int a = CPR_OK; a <= CPR_STOPPED; a++)
        for (int b = a + 1; b <= CPR_STOPPED + 1; b++)
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
    memset(path, 'p', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_int_equal(cpr_fail_errno(&error, ENOSPC, "cannot write \"%s\"", path), CPR_ERR_IO);
    assert_non_null(strstr(error.text, strerror(ENOSPC)));
    /* Whatever is in it can be printed; what is escaped already stays. */
    cpr_fail(&error, CPR_ERR_IO, "host %s: \"a\\x1b\"", "\x1b[31m\n\xff\xe2\x80\xae");
    assert_string_equal(error.text, "host \\x1b[31m\\n\\xff\\xe2\\x80\\xae: \"a\\x1b\"");
    cpr_fail_errno(&error, EIO, "cannot read \"%s\"", "\x07");
    assert_int_equal(strncmp(error.text, "cannot read \"\\x07\": ", 20), 0);
}

static void check_path(const char *path, const char *expected)
{
    char shown[100];
    assert_string_equal(cpr_printable_path(path, shown, sizeof shown), expected);
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

/* One character as UTF-8. */
static void encode(uint32_t code, char out[5])
{
    const size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[length] | code);
    out[length] = '\0';
}

/* Every character there is: printed as it is, or as its bytes, and nothing in between. */
static void all_characters(void **state)
{
    static const uint32_t never[][2] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0x061c, 0x061c},   {0x180e, 0x180e},  {0x200b, 0x200b},
        {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0xfdd0, 0xfdef},  {0xfeff, 0xfeff},
        {0xfff9, 0xfffb}, {0xfffe, 0xffff}, {0x1fffe, 0x1ffff}, {0xe0000, 0xe007f}};
    (void)state;
    for (uint32_t code = 1; code <= 0x10ffff; code++) {
        char text[5];
        char shown[20];
        uint32_t read;
        bool plain = (code & 0xfffe) != 0xfffe;
        encode(code, text);
        if (code >= 0xd800 && code <= 0xdfff) { /* half a character of UTF-16 */
            assert_int_equal(cpr_utf8_length(text, &read), 0);
            continue;
        }
        for (size_t i = 0; i < sizeof never / sizeof *never; i++)
            plain = plain && (code < never[i][0] || code > never[i][1]);
        assert_int_equal(cpr_utf8_length(text, &read), strlen(text));
        assert_int_equal(read, code);
        assert_int_equal(cpr_is_printable(code), plain);
        cpr_printable_text(text, shown, sizeof shown);
        if (plain)
            assert_string_equal(shown, text);
        else
            assert_int_equal(shown[0], '\\');
        if (plain && code != '\\')
            assert_string_equal(cpr_printable_path(text, shown, sizeof shown), text);
    }
    assert_false(cpr_is_printable(0x110000));
}

static void hidden_characters(void **state)
{
    (void)state;
    check_path("a\xe2\x80\xae"
               "b",
               "a\\xe2\\x80\\xae"
               "b");                                                    /* U+202E */
    check_path("\xd8\x9c", "\\xd8\\x9c");                               /* U+061C */
    check_path("\xe2\x81\xa6", "\\xe2\\x81\\xa6");                      /* U+2066 */
    check_path("\xe2\x80\xa8", "\\xe2\\x80\\xa8");                      /* U+2028 */
    check_path("\xef\xbb\xbf", "\\xef\\xbb\\xbf");                      /* U+FEFF */
    check_path("\xe2\x80\x8b", "\\xe2\\x80\\x8b");                      /* U+200B */
    check_path("\xe2\x80\x8c\xe2\x80\x8d", "\xe2\x80\x8c\xe2\x80\x8d"); /* joiners stay */
    check_path("\r\t\x01", "\\x0d\\x09\\x01");
}

static void utf8(void **state)
{
    (void)state;
    assert_true(cpr_is_utf8(""));
    assert_true(cpr_is_utf8("gr\xc3\xbc\xc3\x9f"
                            "e\x1b"));
    assert_false(cpr_is_utf8("\xc3"));
    assert_false(cpr_is_utf8("a\xff"));
    assert_false(cpr_is_utf8("\xc1\x81"));
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
    /* Between characters, also where one is escaped. */
    char small[12];
    assert_string_equal(cpr_printable_path("ab\x1b\x1b\x1b", small, 11), "ab\\x1b...");
    assert_string_equal(cpr_printable_path("abcd\xc3\xbc\xc3\xbc\xc3\xbc", small, 9), "abcd...");
    assert_string_equal(cpr_printable_text("a\\b", small, sizeof small), "a\\b");
    assert_string_equal(cpr_printable_path("abcd", small, 3), "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(texts_differ),
        cmocka_unit_test(failure_tells_why),
        cmocka_unit_test(printable_paths),
        cmocka_unit_test(all_characters),
        cmocka_unit_test(hidden_characters),
        cmocka_unit_test(utf8),
        cmocka_unit_test(printable_path_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
