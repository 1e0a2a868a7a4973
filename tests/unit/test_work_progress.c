/* The progress file of the work directory: what is written is read again; anything else does no
 * harm. */
#include "test_work.h"

#define FILE_NAME "a.h5.work/progress"

static void it_comes_back(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_work_dir *work = open_work();
    cpr_work_rank_progress ranks[] = {
        {.host = "one", .shard = 7, .raw_bytes = 20, .coded_bytes = 9, .resumed_bytes = 5},
        {.host = "", .shard = UINT64_MAX, .done_bytes = UINT64_C(1) << 40, .done_seconds = 2.5},
    };
    const cpr_work_progress written = {.seconds = 12.5,
                                       .shards_done = 3,
                                       .raw_bytes = 170,
                                       .coded_bytes = 70,
                                       .earlier_bytes = 30,
                                       .in_lesson = true,
                                       .lesson = {.sample_bytes = 4000,
                                                  .begun_bytes = 3000,
                                                  .text_bytes = 2000,
                                                  .loss_bits = UINT64_C(1) << 50},
                                       .in_primer = true,
                                       .primer_bytes = 4096,
                                       .primer_earlier_bytes = 64,
                                       .rank_count = 2,
                                       .ranks = ranks};
    cpr_work_progress found;
    assert_int_equal(cpr_work_progress_read(work, &found, &error), CPR_ERR_NOT_FOUND);
    cpr_work_progress_free(&found);
    assert_int_equal(cpr_work_progress_write(work, &written, &error), CPR_OK);
    assert_int_equal(cpr_work_progress_read(work, &found, &error), CPR_OK);
    assert_true(found.seconds == 12.5);
    assert_int_equal(found.shards_done, 3);
    assert_int_equal(found.raw_bytes, 170);
    assert_int_equal(found.coded_bytes, 70);
    assert_int_equal(found.earlier_bytes, 30);
    assert_true(found.in_lesson);
    assert_int_equal(found.lesson.sample_bytes, 4000);
    assert_int_equal(found.lesson.begun_bytes, 3000);
    assert_int_equal(found.lesson.text_bytes, 2000);
    assert_int_equal(found.lesson.loss_bits, UINT64_C(1) << 50);
    assert_true(found.in_primer);
    assert_int_equal(found.primer_bytes, 4096);
    assert_int_equal(found.primer_earlier_bytes, 64);
    assert_int_equal(found.rank_count, 2);
    assert_string_equal(found.ranks[0].host, "one");
    assert_int_equal(found.ranks[0].shard, 7);
    assert_int_equal(found.ranks[0].raw_bytes, 20);
    assert_int_equal(found.ranks[0].coded_bytes, 9);
    assert_int_equal(found.ranks[0].resumed_bytes, 5);
    assert_string_equal(found.ranks[1].host, "?"); /* not known */
    assert_int_equal(found.ranks[1].shard, UINT64_MAX);
    assert_int_equal(found.ranks[1].done_bytes, UINT64_C(1) << 40);
    assert_true(found.ranks[1].done_seconds == 2.5);
    cpr_work_progress_free(&found);
    cpr_work_dir_close(work);
}

static cpr_status read_text(cpr_work_dir *work, const char *text, cpr_work_progress *found)
{
    cpr_error error = {""};
    FILE *file = fopen(FILE_NAME, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return cpr_work_progress_read(work, found, &error);
}

static void other_lines_are_passed_over(void **state)
{
    (void)state;
    cpr_work_dir *work = open_work();
    cpr_work_progress found;
    assert_int_equal(read_text(work,
                               "corpress progress 1\nranks 9\nmoon full\nraw 5\nrank 0 a 1 2 3 4 5 "
                               "6.5 and more\nrank 1 torn",
                               &found),
                     CPR_OK);
    assert_int_equal(found.raw_bytes, 5);
    assert_int_equal(found.coded_bytes, 0);
    assert_false(found.in_lesson);
    assert_false(found.in_primer);
    assert_int_equal(found.rank_count, 1);
    assert_true(found.ranks[0].done_seconds == 6.5);
    cpr_work_progress_free(&found);
    assert_int_equal(read_text(work, "corpress progress 2\nraw 5\n", &found), CPR_ERR_DAMAGED);
    cpr_work_progress_free(&found);
    assert_int_equal(read_text(work, "", &found), CPR_ERR_DAMAGED);
    cpr_work_progress_free(&found);
    cpr_work_dir_close(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(it_comes_back),
        FILE_TEST(other_lines_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
