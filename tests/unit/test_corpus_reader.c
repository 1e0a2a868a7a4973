/* The corpus reader: bytes across files, and files that change under it. */
#include "test_files.h"
#include "work.h"

#include <fcntl.h>

/* d/1 .. d/4 hold "one", "", "three" and "x". */
static cpr_file_list *make_corpus(void)
{
    cpr_error error = {""};
    cpr_file_list *list = cpr_file_list_create();
    mkdir("d", 0755);
    put_text("d/1", "one");
    put_text("d/2", "");
    put_text("d/3", "three");
    put_text("d/4", "x");
    assert_int_equal(cpr_file_list_add(list, "d", NULL, &error), CPR_OK);
    return list;
}

static cpr_status read_all(const cpr_file_list *list, cpr_error *error)
{
    uint8_t text[9];
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    cpr_status status = cpr_corpus_reader_read(reader, 0, text, sizeof text, error);
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(reader, error);
    cpr_corpus_reader_free(reader);
    return status;
}

static void reads_across_files(void **state)
{
    (void)state;
    static const char whole[] = "onethreex";
    cpr_error error = {""};
    cpr_file_list *list = make_corpus();
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    for (uint64_t from = 0; from < 9; from++)
        for (uint64_t to = from; to <= 9; to++) {
            uint8_t text[9];
            assert_int_equal(
                cpr_corpus_reader_read(reader, from, text, (size_t)(to - from), &error), CPR_OK);
            assert_memory_equal(text, whole + from, (size_t)(to - from));
        }
    assert_int_equal(cpr_corpus_reader_finish(reader, &error), CPR_OK);
    cpr_corpus_reader_free(reader);
    cpr_file_list_free(list);
}

static void missing_file(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_file_list *list = make_corpus();
    unlink("d/3");
    assert_int_equal(read_all(list, &error), CPR_ERR_IO);
    assert_non_null(strstr(error.text, "d/3"));
    cpr_file_list_free(list);
}

static void shrunk_file(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_file_list *list = make_corpus();
    assert_int_equal(truncate("d/3", 2), 0);
    assert_int_equal(read_all(list, &error), CPR_ERR_CHANGED);
    assert_non_null(strstr(error.text, "d/3"));
    cpr_file_list_free(list);
}

static void modes_and_times_do_not_count(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_file_list *list = make_corpus();
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = 1, .tv_nsec = 2}};
    assert_int_equal(utimensat(AT_FDCWD, "d/4", times, 0), 0);
    assert_int_equal(chmod("d/3", 0600), 0);
    assert_int_equal(read_all(list, &error), CPR_OK);
    cpr_file_list_free(list);
}

static void touched_while_open(void **state)
{
    (void)state;
    uint8_t text[9];
    uint64_t file;
    cpr_error error = {""};
    cpr_file_list *list = make_corpus();
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    /* Before it is opened, and after it is closed, is of no account. */
    assert_int_equal(chmod("d/3", 0600), 0);
    assert_int_equal(cpr_corpus_reader_read(reader, 0, text, 9, &error), CPR_OK);
    assert_int_equal(chmod("d/1", 0600), 0);
    assert_int_equal(cpr_corpus_reader_finish(reader, &error), CPR_OK);
    assert_false(cpr_corpus_reader_touched(reader, &file));

    assert_int_equal(cpr_corpus_reader_read(reader, 0, text, 4, &error), CPR_OK);
    put_text("d/3", "THREE");
    assert_false(cpr_corpus_reader_touched(reader, &file));
    assert_int_equal(cpr_corpus_reader_read(reader, 4, text + 4, 5, &error), CPR_OK);
    assert_memory_equal(text, "onetHREEx", 9);
    assert_true(cpr_corpus_reader_touched(reader, &file));
    assert_string_equal(cpr_file_list_source(list, file), "d/3");
    assert_false(cpr_corpus_reader_touched(reader, &file));
    cpr_corpus_reader_free(reader);
    cpr_file_list_free(list);
}

static void compares_with_a_hash(void **state)
{
    (void)state;
    bool same;
    cpr_error error = {""};
    cpr_file_list *list = make_corpus();
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    const cpr_hash128 hash = cpr_hash_bytes("ethree", 6);
    assert_int_equal(cpr_corpus_reader_compare(reader, 2, 6, hash, &same, CPR_NO_WATCH, &error),
                     CPR_OK);
    assert_true(same);
    put_text("d/3", "threE");
    assert_int_equal(cpr_corpus_reader_compare(reader, 2, 6, hash, &same, CPR_NO_WATCH, &error),
                     CPR_OK);
    assert_false(same);
    put_text("d/3", "three and more");
    assert_int_equal(cpr_corpus_reader_compare(reader, 2, 6, hash, &same, CPR_NO_WATCH, &error),
                     CPR_ERR_CHANGED);
    assert_non_null(strstr(error.text, "file of 5 bytes, and is one of 14"));
    cpr_corpus_reader_free(reader);
    cpr_file_list_free(list);
}

static void link_or_pipe_in_place_of_the_file(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_file_list *list = make_corpus();
    unlink("d/4");
    assert_int_equal(symlink("1", "d/4"), 0);
    assert_int_equal(read_all(list, &error), CPR_ERR_CHANGED);
    unlink("d/4");
    assert_int_equal(mkfifo("d/4", 0644), 0); /* must not hang */
    assert_int_equal(read_all(list, &error), CPR_ERR_CHANGED);
    cpr_file_list_free(list);
}

static void change_while_open_is_seen(void **state)
{
    (void)state;
    uint8_t text[2];
    cpr_error error = {""};
    cpr_file_list *list = make_corpus();
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    assert_int_equal(cpr_corpus_reader_read(reader, 3, text, 2, &error), CPR_OK);
    put_text("d/3", "three and more");
    /* Going on to the next file checks the one before. */
    assert_int_equal(cpr_corpus_reader_read(reader, 8, text, 1, &error), CPR_ERR_CHANGED);
    assert_non_null(strstr(error.text, "d/3"));
    cpr_corpus_reader_free(reader);
    reader = cpr_corpus_reader_create(list);
    assert_int_equal(cpr_corpus_reader_read(reader, 0, text, 2, &error), CPR_OK);
    assert_int_equal(truncate("d/1", 1), 0);
    assert_int_equal(cpr_corpus_reader_read(reader, 1, text, 2, &error), CPR_ERR_CHANGED);
    assert_int_equal(cpr_corpus_reader_finish(reader, &error), CPR_ERR_CHANGED);
    cpr_corpus_reader_free(reader);
    cpr_file_list_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(reads_across_files),
        FILE_TEST(missing_file),
        FILE_TEST(shrunk_file),
        FILE_TEST(modes_and_times_do_not_count),
        FILE_TEST(touched_while_open),
        FILE_TEST(compares_with_a_hash),
        FILE_TEST(link_or_pipe_in_place_of_the_file),
        FILE_TEST(change_while_open_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
