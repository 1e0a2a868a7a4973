/* The manifest: what it pins comes back, and differences are named. */
#include "test_work.h"

static cpr_file_list *list_corpus(void)
{
    cpr_error error = {""};
    cpr_file_list *files = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(files, "corpus", NULL, &error), CPR_OK);
    return files;
}

static void make_corpus(void)
{
    assert_int_equal(mkdir("corpus", 0777), 0);
    put_text("corpus/a", "first");
    put_text("corpus/b", "second");
    put_text("corpus/c", "");
}

static uint64_t starts[] = {0, 5, 11};
static cpr_hash128 sample[] = {{1, 2}, {3, 4}};
static uint8_t vocabulary[] = {5, 6, 7};

static cpr_manifest describe(const cpr_file_list *files)
{
    return (cpr_manifest){.profile = "fast",
                          .model = "mixing 7",
                          .shard_bytes = 1000,
                          .primer_bytes = 131072,
                          .primer_text_bytes = 65536,
                          .lesson_bytes = 262144,
                          .fingerprint = UINT64_MAX - 5,
                          .files = files,
                          .shard_count = 2,
                          .starts = starts,
                          .sample = sample,
                          .sample_count = 2,
                          .vocabulary = vocabulary,
                          .vocabulary_bytes = 3};
}

static void comes_back(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_manifest back;
    make_corpus();
    cpr_work_dir *work = open_work();
    assert_int_equal(cpr_manifest_read(work, &back, &error), CPR_ERR_NOT_FOUND);
    cpr_file_list *files = list_corpus();
    const cpr_manifest manifest = describe(files);
    assert_int_equal(cpr_manifest_write(work, &manifest, &error), CPR_OK);
    assert_int_equal(cpr_manifest_read(work, &back, &error), CPR_OK);
    assert_string_equal(back.profile, "fast");
    assert_true(strcmp(back.model, "mixing 7") == 0 && back.shard_bytes == 1000 &&
                back.fingerprint == UINT64_MAX - 5 && back.shard_count == 2 &&
                back.primer_bytes == 131072 && back.primer_text_bytes == 65536 &&
                back.lesson_bytes == 262144 && back.sample_count == 2 &&
                back.vocabulary_bytes == 3);
    assert_memory_equal(back.starts, starts, sizeof starts);
    assert_memory_equal(back.sample, sample, sizeof sample);
    assert_memory_equal(back.vocabulary, vocabulary, 3);
    assert_int_equal(cpr_manifest_compare(&back, &manifest, &error), CPR_OK);
    cpr_manifest_free(&back);
    cpr_file_list_free(files);
    cpr_work_dir_close(work);
}

static void damage_is_seen(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_manifest back;
    size_t bytes;
    make_corpus();
    cpr_work_dir *work = open_work();
    cpr_file_list *files = list_corpus();
    const cpr_manifest manifest = describe(files);
    assert_int_equal(cpr_manifest_write(work, &manifest, &error), CPR_OK);
    char *whole = get_file("a.h5.work/manifest", &bytes);
    for (size_t cut = 0; cut < bytes; cut++) {
        put_file("a.h5.work/manifest", whole, cut);
        assert_int_equal(cpr_manifest_read(work, &back, &error), CPR_ERR_DAMAGED);
    }
    for (size_t at = 0; at < bytes; at++) {
        whole[at] = (char)(whole[at] ^ 64);
        put_file("a.h5.work/manifest", whole, bytes);
        whole[at] = (char)(whole[at] ^ 64);
        assert_int_equal(cpr_manifest_read(work, &back, &error),
                         at >= 8 && at < 16 ? CPR_ERR_VERSION : CPR_ERR_DAMAGED);
        assert_non_null(strstr(error.text, "--restart"));
    }
    free(whole);
    cpr_file_list_free(files);
    cpr_work_dir_close(work);
}

/* The corpus as it is now, against `old`: must be refused with `text`. */
/* A right checksum does not make it true. */
static void shards_cover_the_corpus(void **state)
{
    (void)state;
    static uint64_t wrong[][3] = {{1, 5, 11}, {0, 12, 11}, {0, 5, 12}, {0, 5, 10}};
    cpr_error error = {""};
    cpr_manifest back;
    make_corpus();
    cpr_work_dir *work = open_work();
    cpr_file_list *files = list_corpus();
    cpr_manifest manifest = describe(files);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        manifest.starts = wrong[i];
        assert_int_equal(cpr_manifest_write(work, &manifest, &error), CPR_OK);
        assert_int_equal(cpr_manifest_read(work, &back, &error), CPR_ERR_DAMAGED);
        assert_null(back.files);
    }
    cpr_file_list_free(files);
    cpr_work_dir_close(work);
}

static void refused(const cpr_manifest *old, const char *text)
{
    cpr_error error = {""};
    cpr_file_list *files = list_corpus();
    cpr_manifest now = describe(files);
    assert_int_equal(cpr_manifest_compare(old, &now, &error), CPR_ERR_CHANGED);
    if (strstr(error.text, text) == NULL)
        fail_msg("%s", error.text);
    cpr_file_list_free(files);
}

static void differences_are_named(void **state)
{
    (void)state;
    cpr_error error = {""};
    make_corpus();
    cpr_file_list *files = list_corpus();
    const cpr_manifest old = describe(files);
    cpr_manifest now = old;
    now.shard_bytes = 2000;
    assert_int_equal(cpr_manifest_compare(&old, &now, &error), CPR_ERR_CHANGED);
    assert_non_null(strstr(error.text, "--shard-size 1000, and now it is 2000"));
    now = old;
    strcpy(now.model, "mixing 8");
    assert_int_equal(cpr_manifest_compare(&old, &now, &error), CPR_ERR_CHANGED);
    assert_non_null(strstr(error.text, "another version"));
    now = old;
    now.fingerprint++;
    assert_int_equal(cpr_manifest_compare(&old, &now, &error), CPR_ERR_CHANGED);
    now = old;
    now.primer_bytes = 0;
    assert_int_equal(cpr_manifest_compare(&old, &now, &error), CPR_ERR_CHANGED);
    assert_non_null(strstr(error.text, "it has a primer, and now there is to be none"));
    now = old;
    now.lesson_bytes = 0; /* which changes the model, too */
    strcpy(now.model, "mixing 8");
    assert_int_equal(cpr_manifest_compare(&old, &now, &error), CPR_ERR_CHANGED);
    assert_non_null(strstr(error.text, "its lesson reads 262144 bytes, and now it is to read 0"));
    now = old;
    memcpy(now.profile, "slow", 5);
    assert_int_equal(cpr_manifest_compare(&old, &now, &error), CPR_ERR_CHANGED);
    assert_non_null(strstr(error.text, "--profile fast, and now it is slow"));

    put_text("corpus/bb", "");
    refused(&old, "\"corpus/bb\" has been added");
    assert_int_equal(unlink("corpus/bb"), 0);
    put_text("corpus/b", "longer than before");
    refused(&old, "\"corpus/b\" had 6 bytes then and has 18 now");
    assert_int_equal(rename("corpus/b", "corpus/z"), 0);
    refused(&old, "\"corpus/b\" is no longer in the corpus");
    cpr_file_list_free(files);
}

/* What happens to modes and times is no difference, but tells where to look. */
static void touched_files_are_found(void **state)
{
    (void)state;
    cpr_error error = {""};
    uint8_t changes[4];
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = 1, .tv_nsec = 2}};
    make_corpus();
    cpr_file_list *files = list_corpus();
    const cpr_manifest old = describe(files);
    cpr_file_list *listed = list_corpus();
    cpr_manifest now = describe(listed);
    assert_int_equal(cpr_manifest_compare(&old, &now, &error), CPR_OK);
    assert_true(cpr_manifest_find_touched(&old, &now, changes) == 0);
    cpr_file_list_free(listed);

    assert_int_equal(chmod("corpus/a", 0600), 0);
    assert_int_equal(utimensat(AT_FDCWD, "corpus/b", times, 0), 0);
    assert_int_equal(chmod("corpus", 0700), 0);
    listed = list_corpus();
    now.files = listed;
    assert_int_equal(cpr_manifest_compare(&old, &now, &error), CPR_OK);
    assert_true(cpr_manifest_find_touched(&old, &now, changes) == 2);
    /* The first entry is the directory. */
    static const uint8_t expected[4] = {CPR_FILE_UNTOUCHED, CPR_FILE_TOUCHED, CPR_FILE_WRITTEN,
                                        CPR_FILE_UNTOUCHED};
    assert_memory_equal(changes, expected, 4);
    cpr_file_list_free(listed);
    cpr_file_list_free(files);
}

/* New content with the old mtime. */
static void hidden_change_is_found(void **state)
{
    (void)state;
    cpr_error error = {""};
    uint8_t changes[4];
    struct stat facts;
    make_corpus();
    cpr_file_list *files = list_corpus();
    const cpr_manifest old = describe(files);
    assert_int_equal(stat("corpus/b", &facts), 0);
    put_text("corpus/b", "SECOND");
    const struct timespec times[2] = {facts.st_atim, facts.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, "corpus/b", times, 0), 0);
    cpr_file_list *listed = list_corpus();
    const cpr_manifest now = describe(listed);
    assert_int_equal(cpr_manifest_compare(&old, &now, &error), CPR_OK);
    assert_true(cpr_manifest_find_touched(&old, &now, changes) == 1);
    assert_int_equal(changes[2], CPR_FILE_TOUCHED);
    cpr_file_list_free(listed);
    cpr_file_list_free(files);
}

static void changed_block_marks_its_files(void **state)
{
    (void)state;
    uint8_t changes[4] = {0};
    make_corpus();
    cpr_file_list *files = list_corpus();
    const cpr_manifest old = describe(files);
    const cpr_hash128 other = {.high = sample[1].high, .low = sample[1].low ^ 1};
    assert_true(cpr_manifest_same_block(&old, 0, sample[0], (cpr_extent){0, 5}, changes));
    assert_true(cpr_manifest_same_block(&old, 1, sample[1], (cpr_extent){5, 6}, changes));
    assert_false(cpr_manifest_same_block(&old, 1, other, (cpr_extent){5, 6}, changes));
    assert_true(changes[1] == CPR_FILE_UNTOUCHED && changes[2] == CPR_FILE_REPLACED);
    /* Of several files it is one that was touched, if there is one. */
    memset(changes, 0, sizeof changes);
    changes[1] = CPR_FILE_WRITTEN;
    assert_false(cpr_manifest_same_block(&old, 1, other, (cpr_extent){0, 11}, changes));
    assert_true(changes[1] == CPR_FILE_REPLACED && changes[2] == CPR_FILE_UNTOUCHED);
    cpr_file_list_free(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(comes_back),
        FILE_TEST(damage_is_seen),
        FILE_TEST(shards_cover_the_corpus),
        FILE_TEST(differences_are_named),
        FILE_TEST(touched_files_are_found),
        FILE_TEST(hidden_change_is_found),
        FILE_TEST(changed_block_marks_its_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
