/* The manifest: what it pins comes back, and differences are named. */
#include "shard.h"
#include "test_files.h"

static cpr_work_dir *open_work(void)
{
    cpr_error error = {""};
    cpr_work_dir *work;
    if (cpr_work_dir_open("a.h5", true, &work, &error) != CPR_OK)
        fail_msg("%s", error.text);
    return work;
}

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

static cpr_manifest describe(cpr_file_list *files)
{
    return (cpr_manifest){.profile = "fast",
                          .profile_version = 7,
                          .shard_bytes = 1000,
                          .primer_bytes = 131072,
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
    assert_true(back.profile_version == 7 && back.shard_bytes == 1000 &&
                back.fingerprint == UINT64_MAX - 5 && back.shard_count == 2 &&
                back.primer_bytes == 131072 && back.sample_count == 2 &&
                back.vocabulary_bytes == 3);
    assert_memory_equal(back.starts, starts, sizeof(starts));
    assert_memory_equal(back.sample, sample, sizeof(sample));
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
    for (size_t cut = 0; cut < bytes; ++cut) {
        put_file("a.h5.work/manifest", whole, cut);
        assert_int_equal(cpr_manifest_read(work, &back, &error), CPR_ERR_DAMAGED);
    }
    for (size_t at = 0; at < bytes; ++at) {
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
    now.profile_version = 8;
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

static void changed_sample_names_a_file(void **state)
{
    (void)state;
    cpr_error error = {""};
    const cpr_extent extents[2] = {{0, 5}, {5, 6}};
    make_corpus();
    cpr_file_list *files = list_corpus();
    const cpr_manifest old = describe(files);
    cpr_hash128 now[2] = {sample[0], sample[1]};
    assert_int_equal(cpr_manifest_compare_sample(&old, now, extents, &error), CPR_OK);
    now[1].low ^= 1;
    assert_int_equal(cpr_manifest_compare_sample(&old, now, extents, &error), CPR_ERR_CHANGED);
    assert_non_null(strstr(error.text, "\"corpus/b\""));
    cpr_file_list_free(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(comes_back),
        FILE_TEST(damage_is_seen),
        FILE_TEST(differences_are_named),
        FILE_TEST(changed_sample_names_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
