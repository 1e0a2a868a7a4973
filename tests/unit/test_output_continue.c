/* Extraction in several runs: what is there and right stays, what is missing or wrong is made. */
#include "file_list.h"
#include "output.h"
#include "test_files.h"
#include "work.h"

#include <xxhash.h>

enum { SHARD_BYTES = 1000, SHARDS = 12, FILES = 9 };

/* Files that fill a shard, share one, span some, are empty, have no bytes at all. */
static const uint64_t sizes[FILES] = {1000, 300, 2700, 0, 500, 400, 4100, 1000, 1500};

typedef struct fixture {
    cpr_file_list *list;
    uint8_t *corpus;
    cpr_shard_info shards[SHARDS];
    uint64_t count;
    const bool *selected;
} fixture;

static void make(fixture *x)
{
    cpr_error error = {""};
    uint64_t seed = 5;
    uint64_t known;
    *x = (fixture){.list = cpr_file_list_create()};
    for (uint64_t i = 0; i < FILES; i++) {
        char name[30];
        snprintf(name, sizeof name, "d/%c", (int)('a' + i));
        const cpr_file file = {.bytes = sizes[i],
                               .mtime_seconds = 1000000000 + (int64_t)i,
                               .mtime_nanoseconds = 987654321,
                               .mode = i % 2 ? 0444 : 0640,
                               .type = CPR_FILE_REGULAR};
        assert_int_equal(cpr_file_list_append(x->list, name, 0, &file, NULL, &known, &error),
                         CPR_OK);
    }
    const cpr_file link = {.type = CPR_FILE_SYMLINK};
    assert_int_equal(cpr_file_list_append(x->list, "link", 0, &link, "d/a", &known, &error),
                     CPR_OK);
    const uint64_t bytes = cpr_file_list_bytes(x->list);
    x->corpus = malloc(bytes);
    for (uint64_t i = 0; i < bytes; i++)
        x->corpus[i] = (uint8_t)(next_random(&seed) >> 40);
    for (uint64_t at = 0; at < bytes; at += SHARD_BYTES) {
        cpr_shard_info *shard = &x->shards[x->count++];
        shard->offset = at;
        shard->raw_bytes = bytes - at < SHARD_BYTES ? bytes - at : SHARD_BYTES;
        const XXH128_hash_t hash = XXH3_128bits(x->corpus + at, shard->raw_bytes);
        shard->raw_hash = (cpr_hash128){hash.high64, hash.low64};
    }
    assert_int_equal(x->count, SHARDS);
}

static void unmake(fixture *x)
{
    free(x->corpus);
    cpr_file_list_free(x->list);
}

/* Extracts shards [from, to) that are not there, then finishes, or leaves it at that. Returns how
 * many were there. */
static uint64_t run(const fixture *x, uint64_t from, uint64_t to, bool go_on, bool finish)
{
    cpr_error error = {""};
    cpr_output_tree *main_tree;
    cpr_output_tree *tree;
    uint64_t there = 0;
    assert_int_equal(cpr_output_tree_open(x->list, x->selected, "out", false, &main_tree, &error),
                     CPR_OK);
    assert_int_equal(cpr_output_tree_open(x->list, x->selected, "out", false, &tree, &error),
                     CPR_OK);
    if (go_on) {
        cpr_output_tree_continue(main_tree);
        cpr_output_tree_continue(tree);
    }
    if (cpr_output_tree_prepare(main_tree, x->shards, x->count, &error) != CPR_OK)
        fail_msg("%s", error.text);
    char name[CPR_OUTPUT_RUN_BYTES];
    cpr_output_tree_run(main_tree, name);
    cpr_output_tree_join(tree, name);
    for (uint64_t i = from; i < to; i++) {
        const cpr_shard_info *shard = &x->shards[i];
        bool present = true;
        assert_int_equal(cpr_output_shard_present(tree, shard, CPR_NO_WATCH, &present, &error),
                         CPR_OK);
        there += present;
        if (present)
            continue;
        if (cpr_output_shard_begin(tree, shard, &error) != CPR_OK ||
            cpr_output_shard_write(tree, x->corpus + shard->offset, (size_t)shard->raw_bytes,
                                   &error) != CPR_OK ||
            cpr_output_shard_end(tree, true, &error) != CPR_OK)
            fail_msg("%s", error.text);
    }
    if (finish && cpr_output_tree_finish(main_tree, NULL, &error) != CPR_OK)
        fail_msg("%s", error.text);
    if (!finish)
        cpr_output_tree_leave(main_tree);
    cpr_output_tree_close(tree);
    cpr_output_tree_close(main_tree);
    return there;
}

static void assert_whole(const fixture *x)
{
    for (uint64_t i = 0; i < FILES; i++) {
        char path[40];
        struct stat facts;
        snprintf(path, sizeof path, "out/%s", cpr_file_list_member(x->list, i));
        if (x->selected != NULL && !x->selected[i]) {
            assert_int_not_equal(lstat(path, &facts), 0);
            continue;
        }
        assert_file(path, x->corpus + cpr_file_list_offset(x->list, i), sizes[i]);
        assert_int_equal(lstat(path, &facts), 0);
        assert_int_equal(facts.st_mode & 07777, i % 2 ? 0444 : 0640);
        assert_int_equal(facts.st_mtim.tv_nsec, 987654321);
    }
    assert_int_not_equal(system("find out -name '*.corpress-*' | grep -q ."), 0);
}

static void goes_on_after_any_shard(void **state)
{
    (void)state;
    fixture x;
    make(&x);
    for (uint64_t i = 0; i <= SHARDS; i++) {
        assert_int_equal(run(&x, 0, i, false, false), 0);
        assert_int_equal(run(&x, 0, SHARDS, true, true), i);
        assert_whole(&x);
        assert_int_equal(run(&x, 0, SHARDS, true, true), SHARDS);
        assert_whole(&x);
        remove_tree(AT_FDCWD, "out");
        /* And if the last shards were the first to be done. */
        assert_int_equal(run(&x, i, SHARDS, true, false), 0);
        assert_int_equal(run(&x, 0, SHARDS, true, true), SHARDS - i);
        assert_whole(&x);
        remove_tree(AT_FDCWD, "out");
    }
    unmake(&x);
}

/* One byte of one file is wrong, though it has the right size and time: exactly the shard that
 * holds it is made anew. */
static void wrong_bytes_are_found(void **state)
{
    (void)state;
    fixture x;
    make(&x);
    (void)run(&x, 0, SHARDS, false, true);
    for (uint64_t at = 0; at < cpr_file_list_bytes(x.list); at += 313) {
        char path[40];
        const uint64_t f = cpr_file_list_find(x.list, at);
        const cpr_file file = cpr_file_list_get(x.list, f);
        const struct timespec times[2] = {
            {.tv_nsec = UTIME_NOW},
            {.tv_sec = (time_t)file.mtime_seconds, .tv_nsec = (long)file.mtime_nanoseconds}};
        snprintf(path, sizeof path, "out/%s", cpr_file_list_member(x.list, f));
        assert_int_equal(chmod(path, 0600), 0);
        const int fd = open(path, O_WRONLY);
        const uint8_t wrong = (uint8_t)~x.corpus[at];
        assert_int_equal(pwrite(fd, &wrong, 1, (off_t)(at - cpr_file_list_offset(x.list, f))), 1);
        assert_int_equal(fchmod(fd, file.mode), 0);
        assert_int_equal(futimens(fd, times), 0);
        close(fd);
        assert_int_equal(run(&x, 0, SHARDS, true, true), SHARDS - 1);
        assert_whole(&x);
    }
    unmake(&x);
}

/* Where the shard's other files are not wanted, a file that has its name is believed, and the parts
 * of one that has none are not. */
static void selections_go_on(void **state)
{
    (void)state;
    fixture x;
    make(&x);
    const bool selected[FILES + 1] = {[1] = true, [2] = true, [6] = true};
    x.selected = selected;
    /* Shard 1 holds "b" and "c", 2 and 3 "c", 4 a part of "g" and others, 5 to 8 "g". */
    (void)run(&x, 0, 6, false, false);
    assert_int_equal(run(&x, 1, 9, true, true), 4);
    assert_whole(&x);
    assert_int_equal(run(&x, 0, SHARDS, true, true), SHARDS);
    assert_whole(&x);
    unmake(&x);
}

static void what_differs_is_refused(void **state)
{
    (void)state;
    fixture x;
    cpr_error error = {""};
    cpr_output_tree *tree;
    make(&x);
    (void)run(&x, 0, SHARDS, false, true);
    assert_int_equal(chmod("out/d/b", 0600), 0);
    put_file("out/d/b", x.corpus + 1000, 300); /* the same bytes, another time */
    assert_int_equal(cpr_output_tree_open(x.list, NULL, "out", false, &tree, &error), CPR_OK);
    cpr_output_tree_continue(tree);
    assert_int_equal(cpr_output_tree_prepare(tree, x.shards, x.count, &error), CPR_ERR_EXISTS);
    assert_non_null(strstr(error.text, "d/b"));
    cpr_output_tree_close(tree);
    unmake(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(goes_on_after_any_shard, enter_test_directory,
                                        leave_test_directory),
        cmocka_unit_test_setup_teardown(wrong_bytes_are_found, enter_test_directory,
                                        leave_test_directory),
        cmocka_unit_test_setup_teardown(selections_go_on, enter_test_directory,
                                        leave_test_directory),
        cmocka_unit_test_setup_teardown(what_differs_is_refused, enter_test_directory,
                                        leave_test_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
