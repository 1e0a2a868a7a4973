/* The output tree: files come back whole or not at all, and nothing leaves the target directory. */
#include "file_list.h"
#include "output.h"
#include "test_files.h"
#include "work.h"

#include <fcntl.h>

/* The corpus' bytes: any will do. */
static uint8_t *corpus_of(const cpr_file_list *list)
{
    const size_t bytes = (size_t)cpr_file_list_bytes(list);
    uint8_t *corpus = malloc(bytes + 1);
    uint64_t seed = 11;
    for (size_t i = 0; i < bytes; i++)
        corpus[i] = (uint8_t)(next_random(&seed) >> 40);
    return corpus;
}

static void add(cpr_file_list *list, const char *path, cpr_file_type type, uint64_t bytes,
                const char *target)
{
    cpr_error error = {""};
    uint64_t known;
    const cpr_file file = {
        .bytes = bytes,
        .mtime_seconds = 1000000000 + (int64_t)cpr_file_list_count(list),
        .mtime_nanoseconds = 123456789,
        .mode = type == CPR_FILE_DIRECTORY ? 0750 : 06640,
        .type = type,
    };
    assert_int_equal(cpr_file_list_append(list, path, 0, &file, target, &known, &error), CPR_OK);
}

/* `bytes` bytes in shards of `size`. */
static uint64_t cut(uint64_t bytes, uint64_t size, cpr_shard_info *shards)
{
    uint64_t count = 0;
    for (uint64_t at = 0; at < bytes; at += size, count++) {
        shards[count] = (cpr_shard_info){0};
        shards[count].offset = at;
        shards[count].raw_bytes = bytes - at < size ? bytes - at : size;
    }
    return count;
}

typedef struct extraction {
    const cpr_file_list *list;
    const uint8_t *corpus;
    const bool *selected;
    const bool *bad;
    uint64_t shard_bytes;
    size_t call_bytes;
    bool overwrite;
} extraction;

static cpr_status write_shard(cpr_output_tree *tree, const extraction *x,
                              const cpr_shard_info *shard, bool good, cpr_error *error)
{
    cpr_status status = cpr_output_shard_begin(tree, shard, error);
    for (uint64_t at = 0; status == CPR_OK && at < shard->raw_bytes; at += x->call_bytes) {
        const uint64_t left = shard->raw_bytes - at;
        const size_t part = left < x->call_bytes ? (size_t)left : x->call_bytes;
        if (!good && at > 0) {
            (void)cpr_output_shard_end(tree, false, error);
            return CPR_OK;
        }
        status = cpr_output_shard_write(tree, x->corpus + shard->offset + at, part, error);
    }
    const cpr_status ended =
        cpr_output_shard_end(tree, status == CPR_OK && good, status == CPR_OK ? error : NULL);
    return status == CPR_OK ? ended : status;
}

/* Extracts to "out", shard by shard, with another object than the one that prepares. */
static cpr_status extract(const extraction *x, cpr_error *error)
{
    static cpr_shard_info shards[4096];
    cpr_output_tree *main_tree;
    cpr_output_tree *tree;
    const uint64_t count = cut(cpr_file_list_bytes(x->list), x->shard_bytes, shards);
    assert_int_equal(
        cpr_output_tree_open(x->list, x->selected, "out", x->overwrite, &main_tree, error), CPR_OK);
    assert_int_equal(cpr_output_tree_open(x->list, x->selected, "out", x->overwrite, &tree, error),
                     CPR_OK);
    char run[CPR_OUTPUT_RUN_BYTES];
    cpr_status status = cpr_output_tree_prepare(main_tree, shards, count, error);
    cpr_output_tree_run(main_tree, run);
    cpr_output_tree_join(tree, run);
    for (uint64_t i = count; status == CPR_OK && i-- > 0;)
        status = write_shard(tree, x, &shards[i], x->bad == NULL || !x->bad[i], error);
    if (status == CPR_OK)
        status = cpr_output_tree_finish(main_tree, x->bad, error);
    cpr_output_tree_close(tree);
    cpr_output_tree_close(main_tree);
    return status;
}

static void assert_extracts(const extraction *x, cpr_status expected, const char *named)
{
    cpr_error error = {""};
    const cpr_status status = extract(x, &error);
    if (status != expected)
        fail_msg("status %d instead of %d: %s", (int)status, (int)expected, error.text);
    if (named != NULL && strstr(error.text, named) == NULL)
        fail_msg("\"%s\" does not name \"%s\"", error.text, named);
}

static void assert_member(const extraction *x, uint64_t file)
{
    char path[400];
    struct stat facts;
    const cpr_file expected = cpr_file_list_get(x->list, file);
    snprintf(path, sizeof path, "out/%s", cpr_file_list_member(x->list, file));
    assert_int_equal(lstat(path, &facts), 0);
    assert_int_equal(facts.st_mtim.tv_sec, expected.mtime_seconds);
    assert_int_equal(facts.st_mtim.tv_nsec, expected.mtime_nanoseconds);
    if (expected.type == CPR_FILE_SYMLINK) {
        char target[100];
        const ssize_t bytes = readlink(path, target, sizeof target);
        assert_true(bytes > 0);
        assert_memory_equal(target, cpr_file_list_link_target(x->list, file), (size_t)bytes);
        return;
    }
    assert_int_equal(facts.st_mode & 07777, expected.mode & 0777);
    assert_int_equal(S_ISDIR(facts.st_mode) != 0, expected.type == CPR_FILE_DIRECTORY);
    if (expected.type == CPR_FILE_REGULAR)
        assert_file(path, x->corpus + cpr_file_list_offset(x->list, file), expected.bytes);
}

/* True if a temporary file is left below the directory. */
static bool leftovers(const char *directory)
{
    char command[300];
    snprintf(command, sizeof command, "find '%s' -name '*.corpress-*' | grep -q .", directory);
    return system(command) == 0;
}

static cpr_file_list *make_list(void)
{
    cpr_file_list *list = cpr_file_list_create();
    add(list, "top", CPR_FILE_REGULAR, 10, NULL);
    add(list, "d", CPR_FILE_DIRECTORY, 0, NULL);
    add(list, "d/empty", CPR_FILE_REGULAR, 0, NULL);
    add(list, "d/large", CPR_FILE_REGULAR, 300000, NULL);
    add(list, "d/link", CPR_FILE_SYMLINK, 0, "../top");
    add(list, "d/sub", CPR_FILE_DIRECTORY, 0, NULL);
    add(list, "d/sub/small", CPR_FILE_REGULAR, 1, NULL);
    add(list, "e/no/parents", CPR_FILE_REGULAR, 70000, NULL);
    add(list, "new\nline\xff", CPR_FILE_REGULAR, 3, NULL);
    add(list, "last-empty", CPR_FILE_REGULAR, 0, NULL);
    return list;
}

static void everything_comes_back(void **state)
{
    (void)state;
    static const uint64_t shard_sizes[] = {1000000, 370014, 100000, 65536, 1000, 99};
    cpr_file_list *list = make_list();
    uint8_t *corpus = corpus_of(list);
    for (size_t i = 0; i < sizeof shard_sizes / sizeof shard_sizes[0]; i++) {
        const extraction x = {list, corpus, NULL, NULL, shard_sizes[i], i % 2 ? 777 : 65536, false};
        assert_extracts(&x, CPR_OK, NULL);
        for (uint64_t f = 0; f < cpr_file_list_count(list); f++)
            assert_member(&x, f);
        assert_false(leftovers("out"));
        remove_tree(AT_FDCWD, "out");
    }
    free(corpus);
    cpr_file_list_free(list);
}

static void only_what_is_selected(void **state)
{
    (void)state;
    cpr_file_list *list = make_list();
    uint8_t *corpus = corpus_of(list);
    bool selected[10] = {[3] = true, [6] = true};
    const extraction x = {list, corpus, selected, NULL, 50000, 4096, false};
    assert_extracts(&x, CPR_OK, NULL);
    assert_member(&x, 3);
    assert_member(&x, 6);
    assert_false(is_there("out/top") || is_there("out/e") || is_there("out/d/link"));
    assert_false(leftovers("out"));
    free(corpus);
    cpr_file_list_free(list);
}

static void bad_shards_leave_no_files(void **state)
{
    (void)state;
    cpr_file_list *list = make_list();
    uint8_t *corpus = corpus_of(list);
    bool bad[8] = {[1] = true}; /* of 100000 bytes: a part of d/large */
    extraction x = {list, corpus, NULL, bad, 100000, 4096, false};
    assert_extracts(&x, CPR_OK, NULL);
    assert_false(is_there("out/d/large"));
    assert_member(&x, 0);
    assert_member(&x, 6);
    assert_member(&x, 7);
    assert_false(leftovers("out"));
    remove_tree(AT_FDCWD, "out");
    bad[0] = true;
    bad[1] = false;
    x.call_bytes = 5; /* the failure comes in the midst of "top" */
    assert_extracts(&x, CPR_OK, NULL);
    assert_false(is_there("out/top") || is_there("out/d/large"));
    assert_member(&x, 7);
    assert_false(leftovers("out"));
    free(corpus);
    cpr_file_list_free(list);
}

static void short_or_long_shard_is_bad(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_output_tree *tree;
    cpr_shard_info shards[1];
    cpr_file_list *list = cpr_file_list_create();
    add(list, "f", CPR_FILE_REGULAR, 4, NULL);
    add(list, "g", CPR_FILE_REGULAR, 4, NULL);
    cut(8, 8, shards);
    assert_int_equal(cpr_output_tree_open(list, NULL, "out", false, &tree, &error), CPR_OK);
    assert_int_equal(cpr_output_tree_prepare(tree, shards, 1, &error), CPR_OK);
    assert_int_equal(cpr_output_shard_begin(tree, shards, &error), CPR_OK);
    assert_int_equal(cpr_output_shard_write(tree, (const uint8_t *)"123456", 6, &error), CPR_OK);
    assert_int_equal(cpr_output_shard_end(tree, true, &error), CPR_ERR_DAMAGED);
    assert_false(is_there("out/f") || is_there("out/g"));
    assert_int_equal(cpr_output_shard_begin(tree, shards, &error), CPR_OK);
    assert_int_equal(cpr_output_shard_write(tree, (const uint8_t *)"123456789", 9, &error),
                     CPR_ERR_DAMAGED);
    shards[0].raw_bytes = 9;
    assert_int_equal(cpr_output_shard_begin(tree, shards, &error), CPR_ERR_DAMAGED);
    cpr_output_tree_close(tree);
    assert_false(leftovers("out"));
    cpr_file_list_free(list);
}

static void unfinished_extraction_cleans_up(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_output_tree *tree;
    cpr_shard_info shards[10];
    cpr_file_list *list = make_list();
    const uint64_t count = cut(cpr_file_list_bytes(list), 100000, shards);
    assert_int_equal(cpr_output_tree_open(list, NULL, "out", false, &tree, &error), CPR_OK);
    assert_int_equal(cpr_output_tree_prepare(tree, shards, count, &error), CPR_OK);
    assert_true(leftovers("out"));
    assert_int_equal(cpr_output_shard_begin(tree, &shards[0], &error), CPR_OK);
    assert_int_equal(cpr_output_shard_write(tree, (const uint8_t *)"12345678901", 11, &error),
                     CPR_OK);
    cpr_output_tree_close(tree);
    assert_false(leftovers("out"));
    assert_false(is_there("out/top"));
    cpr_file_list_free(list);
}

/* ---- what is there already ------------------------------------------------------------------ */

static void existing_files_stay(void **state)
{
    (void)state;
    cpr_file_list *list = make_list();
    uint8_t *corpus = corpus_of(list);
    const extraction x = {list, corpus, NULL, NULL, 100000, 4096, false};
    mkdir("out", 0755);
    mkdir("out/e", 0755);
    mkdir("out/e/no", 0755);
    put_text("out/e/no/parents", "mine");
    assert_extracts(&x, CPR_ERR_EXISTS, "e/no/parents");
    assert_file("out/e/no/parents", "mine", 4);
    assert_false(is_there("out/top") || is_there("out/d")); /* nothing was written before */
    free(corpus);
    cpr_file_list_free(list);
}

static void overwriting_replaces(void **state)
{
    (void)state;
    cpr_file_list *list = make_list();
    uint8_t *corpus = corpus_of(list);
    const extraction x = {list, corpus, NULL, NULL, 100000, 4096, true};
    put_text("outside", "keep me");
    mkdir("out", 0755);
    mkdir("out/d", 0755);
    mkdir("out/d/sub", 0755);
    put_text("out/other", "not in the archive");
    assert_int_equal(symlink("../outside", "out/top"), 0);
    assert_int_equal(symlink("../../../outside", "out/d/sub/small"), 0);
    assert_int_equal(link("outside", "out/d/empty"), 0);
    assert_int_equal(symlink("../../outside", "out/d/large"), 0);
    put_text("out/d/link", "a file where the link goes");
    assert_extracts(&x, CPR_OK, NULL);
    for (uint64_t f = 0; f < cpr_file_list_count(list); f++)
        assert_member(&x, f);
    assert_file("outside", "keep me", 7); /* no link was written through */
    assert_file("out/other", "not in the archive", 18);
    assert_extracts(&x, CPR_OK, NULL); /* and again */
    assert_false(leftovers("out"));
    free(corpus);
    cpr_file_list_free(list);
}

static void directories_and_files_are_not_exchanged(void **state)
{
    (void)state;
    cpr_file_list *list = make_list();
    uint8_t *corpus = corpus_of(list);
    const extraction x = {list, corpus, NULL, NULL, 100000, 4096, true};
    mkdir("out", 0755);
    mkdir("out/top", 0755);
    assert_extracts(&x, CPR_ERR_EXISTS, "top");
    remove_tree(AT_FDCWD, "out");
    mkdir("out", 0755);
    put_text("out/d", "a file");
    assert_extracts(&x, CPR_ERR_EXISTS, "d");
    assert_file("out/d", "a file", 6);
    put_text("file", "x");
    cpr_error error = {""};
    cpr_output_tree *tree;
    assert_int_equal(cpr_output_tree_open(list, NULL, "file/out", true, &tree, &error), CPR_OK);
    assert_int_equal(cpr_output_tree_prepare(tree, NULL, 0, &error), CPR_ERR_IO);
    cpr_output_tree_close(tree);
    free(corpus);
    cpr_file_list_free(list);
}

/* Another run in the same directory, with links where its parts were. */
static void other_runs_do_not_matter(void **state)
{
    (void)state;
    cpr_file_list *list = make_list();
    uint8_t *corpus = corpus_of(list);
    extraction x = {list, corpus, NULL, NULL, 100000, 4096, true};
    cpr_error error = {""};
    cpr_output_tree *tree;
    cpr_shard_info shards[10];
    const uint64_t count = cut(cpr_file_list_bytes(list), 100000, shards);
    put_text("outside", "keep me");
    assert_int_equal(cpr_output_tree_open(list, NULL, "out", true, &tree, &error), CPR_OK);
    assert_int_equal(cpr_output_tree_prepare(tree, shards, count, &error), CPR_OK);
    assert_int_equal(system("cd out/d && t=$(ls -A | grep corpress-) && rm \"$t\" && "
                            "ln -s ../../outside \"$t\""),
                     0);
    assert_extracts(&x, CPR_OK, NULL);
    for (uint64_t f = 0; f < cpr_file_list_count(list); f++)
        assert_member(&x, f);
    assert_int_equal(cpr_output_shard_begin(tree, &shards[1], &error), CPR_OK);
    assert_int_equal(cpr_output_shard_write(tree, corpus + 100000, 100000, &error), CPR_ERR_IO);
    assert_file("outside", "keep me", 7);
    assert_true(leftovers("out"));
    cpr_output_tree_close(tree);
    assert_false(leftovers("out"));
    free(corpus);
    cpr_file_list_free(list);
}

/* Two runs, the first of which finishes when the second has. */
static void who_comes_second_replaces_nothing(void **state)
{
    (void)state;
    cpr_file_list *list = cpr_file_list_create();
    add(list, "small", CPR_FILE_REGULAR, 10, NULL);
    add(list, "large", CPR_FILE_REGULAR, 300, NULL);
    uint8_t *corpus = corpus_of(list);
    extraction x = {list, corpus, NULL, NULL, 100, 50, false};
    cpr_shard_info shards[4];
    const uint64_t count = cut(310, 100, shards);
    for (int overwrite = 0; overwrite < 2; overwrite++) {
        cpr_error error = {""};
        cpr_output_tree *tree;
        struct stat before;
        struct stat after;
        x.overwrite = overwrite != 0;
        assert_int_equal(cpr_output_tree_open(list, NULL, "out", x.overwrite, &tree, &error),
                         CPR_OK);
        assert_int_equal(cpr_output_tree_prepare(tree, shards, count, &error), CPR_OK);
        for (uint64_t i = 1; i < count; i++)
            assert_int_equal(write_shard(tree, &x, &shards[i], true, &error), CPR_OK);
        assert_extracts(&x, CPR_OK, NULL);
        assert_int_equal(stat("out/large", &before), 0);
        assert_int_equal(write_shard(tree, &x, &shards[0], true, &error),
                         overwrite ? CPR_OK : CPR_ERR_EXISTS);
        assert_int_equal(cpr_output_tree_finish(tree, NULL, &error),
                         overwrite ? CPR_OK : CPR_ERR_EXISTS);
        assert_int_equal(stat("out/large", &after), 0);
        assert_int_equal(before.st_ino != after.st_ino, overwrite);
        cpr_output_tree_close(tree);
        assert_member(&x, 0);
        assert_member(&x, 1);
        assert_false(leftovers("out"));
        remove_tree(AT_FDCWD, "out");
    }
    free(corpus);
    cpr_file_list_free(list);
}

/* Something else has a temporary name: it gets no name of the archive's, and stays. */
static void what_is_not_ours_is_not_named(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_output_tree *tree;
    cpr_shard_info shards[1];
    cpr_file_list *list = cpr_file_list_create();
    add(list, "d/f", CPR_FILE_REGULAR, 4, NULL);
    cut(4, 4, shards);
    assert_int_equal(cpr_output_tree_open(list, NULL, "out", true, &tree, &error), CPR_OK);
    assert_int_equal(cpr_output_tree_prepare(tree, shards, 1, &error), CPR_OK);
    assert_int_equal(cpr_output_shard_begin(tree, shards, &error), CPR_OK);
    assert_int_equal(cpr_output_shard_write(tree, (const uint8_t *)"1234", 4, &error), CPR_OK);
    assert_int_equal(system("cd out/d && t=$(ls -A) && mv \"$t\" away && echo mine >\"$t\""), 0);
    assert_int_equal(cpr_output_shard_end(tree, true, &error), CPR_ERR_IO);
    cpr_output_tree_close(tree);
    assert_false(is_there("out/d/f"));
    assert_int_equal(system("grep -q mine out/d/.corpress-*"), 0);
    cpr_file_list_free(list);
}

/* ---- hostile archives ----------------------------------------------------------------------- */

static void assert_refused(const char *first, cpr_file_type type, const char *target,
                           const char *second, cpr_status expected)
{
    cpr_file_list *list = cpr_file_list_create();
    add(list, "innocent", CPR_FILE_REGULAR, 3, NULL);
    add(list, first, type, type == CPR_FILE_REGULAR ? 2 : 0, target);
    if (second != NULL)
        add(list, second, CPR_FILE_REGULAR, 5, NULL);
    uint8_t *corpus = corpus_of(list);
    const extraction x = {list, corpus, NULL, NULL, 100, 100, true};
    assert_extracts(&x, expected, NULL);
    assert_false(is_there("out/innocent"));
    free(corpus);
    cpr_file_list_free(list);
}

static void unsafe_paths_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {"/etc/x", "../x", "a/../../x", "a/..", "..", ".",
                                        "a//b",   "./x",  "a/./b",     "a/",   "/"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_refused(paths[i], CPR_FILE_REGULAR, NULL, NULL, CPR_ERR_UNSAFE);
        assert_refused(paths[i], CPR_FILE_DIRECTORY, NULL, NULL, CPR_ERR_UNSAFE);
        assert_refused(paths[i], CPR_FILE_SYMLINK, "x", NULL, CPR_ERR_UNSAFE);
    }
    assert_false(is_there("x"));
}

static void archived_links_lead_nowhere(void **state)
{
    (void)state;
    mkdir("outside", 0755);
    assert_refused("way", CPR_FILE_SYMLINK, "../outside", "way/file", CPR_ERR_UNSAFE);
    assert_refused("a/way", CPR_FILE_SYMLINK, "../../outside", "a/way/b/file", CPR_ERR_UNSAFE);
    assert_refused("f", CPR_FILE_REGULAR, NULL, "f/file", CPR_ERR_UNSAFE);
    assert_false(is_there("outside/file") || is_there("outside/b"));
    /* A link that points outside is itself harmless. */
    cpr_file_list *list = cpr_file_list_create();
    add(list, "way", CPR_FILE_SYMLINK, 0, "/etc/passwd");
    const extraction x = {list, (const uint8_t *)"", NULL, NULL, 100, 100, true};
    assert_extracts(&x, CPR_OK, NULL);
    assert_member(&x, 0);
    cpr_file_list_free(list);
}

static void links_in_the_way_are_refused(void **state)
{
    (void)state;
    mkdir("outside", 0755);
    mkdir("outside/sub", 0755);
    mkdir("out", 0755);
    assert_int_equal(symlink("../outside", "out/d"), 0);
    cpr_file_list *list = make_list();
    uint8_t *corpus = corpus_of(list);
    extraction x = {list, corpus, NULL, NULL, 100000, 4096, true};
    assert_extracts(&x, CPR_ERR_EXISTS, "d");     /* a directory of the archive: not a link */
    bool selected[10] = {[3] = true, [6] = true}; /* without the directory itself */
    x.selected = selected;
    assert_extracts(&x, CPR_ERR_UNSAFE, "d");
    assert_false(is_there("outside/large") || is_there("outside/sub/small"));
    assert_false(leftovers("outside"));
    unlink("out/d");
    mkdir("out/d", 0755);
    assert_int_equal(symlink("../../outside/sub", "out/d/sub"), 0);
    assert_extracts(&x, CPR_ERR_UNSAFE, "d/sub");
    assert_false(is_there("outside/sub/small"));
    free(corpus);
    cpr_file_list_free(list);
}

static void link_that_appears_later_is_not_followed(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_output_tree *tree;
    cpr_output_tree *other;
    cpr_shard_info shards[1];
    cpr_file_list *list = cpr_file_list_create();
    add(list, "d/f", CPR_FILE_REGULAR, 4, NULL);
    cut(4, 4, shards);
    mkdir("outside", 0755);
    assert_int_equal(cpr_output_tree_open(list, NULL, "out", true, &tree, &error), CPR_OK);
    assert_int_equal(cpr_output_tree_open(list, NULL, "out", true, &other, &error), CPR_OK);
    assert_int_equal(cpr_output_tree_prepare(tree, shards, 1, &error), CPR_OK);
    assert_int_equal(rename("out/d", "out/moved"), 0);
    assert_int_equal(symlink("../outside", "out/d"), 0);
    assert_int_equal(cpr_output_shard_begin(other, shards, &error), CPR_OK);
    assert_int_equal(cpr_output_shard_write(other, (const uint8_t *)"1234", 4, &error),
                     CPR_ERR_UNSAFE);
    cpr_output_tree_close(other);
    cpr_output_tree_close(tree);
    assert_false(is_there("outside/f") || leftovers("outside"));
    cpr_file_list_free(list);
}

/* ---- corners -------------------------------------------------------------------------------- */

static void zeros_become_holes(void **state)
{
    (void)state;
    enum { BYTES = 8 << 20 };
    struct stat facts;
    static const uint64_t shard_sizes[] = {BYTES, 3000000};
    cpr_file_list *list = cpr_file_list_create();
    add(list, "sparse", CPR_FILE_REGULAR, BYTES, NULL);
    uint8_t *corpus = calloc(1, BYTES);
    corpus[5] = 1;
    corpus[4 << 20] = 2;
    for (size_t i = 0; i < 2; i++) {
        const extraction x = {list, corpus, NULL, NULL, shard_sizes[i], 100000, true};
        assert_extracts(&x, CPR_OK, NULL);
        assert_member(&x, 0);
        assert_int_equal(stat("out/sparse", &facts), 0);
        assert_true(facts.st_blocks * 512 < BYTES / 4);
    }
    free(corpus);
    cpr_file_list_free(list);
}

static void longest_names(void **state)
{
    (void)state;
    char path[600];
    memset(path, 'n', sizeof path);
    path[255] = '/';
    path[511] = '\0';
    cpr_file_list *list = cpr_file_list_create();
    add(list, path, CPR_FILE_REGULAR, 100, NULL);
    path[510] = 'm'; /* differs in its last byte only: so must the temporary names */
    add(list, path, CPR_FILE_REGULAR, 100, NULL);
    path[510] = 'l';
    add(list, path, CPR_FILE_SYMLINK, 0, "t");
    uint8_t *corpus = corpus_of(list);
    const extraction x = {list, corpus, NULL, NULL, 70, 7, false};
    assert_extracts(&x, CPR_OK, NULL);
    char out[700];
    for (uint64_t i = 0; i < 2; i++) {
        snprintf(out, sizeof out, "out/%s", cpr_file_list_member(list, i));
        assert_file(out, corpus + 100 * i, 100);
    }
    free(corpus);
    cpr_file_list_free(list);
}

static void closed_directories_come_last(void **state)
{
    (void)state;
    cpr_error error = {""};
    uint64_t known;
    cpr_file_list *list = cpr_file_list_create();
    cpr_file closed = {.mode = 0500, .type = CPR_FILE_DIRECTORY, .mtime_seconds = 77};
    const cpr_file file = {.mode = 0400, .bytes = 2, .mtime_seconds = 78};
    assert_int_equal(cpr_file_list_append(list, "d", 0, &closed, NULL, &known, &error), CPR_OK);
    assert_int_equal(cpr_file_list_append(list, "d/e", 0, &closed, NULL, &known, &error), CPR_OK);
    assert_int_equal(cpr_file_list_append(list, "d/e/f", 0, &file, NULL, &known, &error), CPR_OK);
    closed.mode = 0;
    assert_int_equal(cpr_file_list_append(list, "d/z", 0, &closed, NULL, &known, &error), CPR_OK);
    const extraction x = {list, (const uint8_t *)"ab", NULL, NULL, 1, 1, false};
    mkdir("out", 0777);
    assert_int_equal(chmod("out", 0777), 0);
    assert_int_equal(chmod(".", 0755), 0);
    const int root = geteuid() == 0;
    if (root) /* modes do not stop root */
        assert_int_equal(seteuid(65534), 0);
    const cpr_status status = extract(&x, &error);
    if (root)
        assert_int_equal(seteuid(0), 0);
    else
        chmod("out/d/z", 0700);
    if (status != CPR_OK)
        fail_msg("%s", error.text);
    assert_member(&x, 0);
    assert_member(&x, 1);
    assert_member(&x, 2);
    assert_int_equal(chmod("out/d", 0700), 0);
    assert_int_equal(chmod("out/d/e", 0700), 0);
    cpr_file_list_free(list);
}

static void few_descriptors_for_many_files(void **state)
{
    (void)state;
    enum { FILES = 3000 };
    struct stat before;
    cpr_file_list *list = cpr_file_list_create();
    for (int i = 0; i < FILES; i++) {
        char path[60];
        snprintf(path, sizeof path, "d%d/%d", i % 50, i);
        add(list, path, CPR_FILE_REGULAR, (uint64_t)(i % 7), NULL);
    }
    uint8_t *corpus = corpus_of(list);
    const extraction x = {list, corpus, NULL, NULL, 5000, 1000, false};
    assert_extracts(&x, CPR_OK, NULL);
    for (uint64_t i = 0; i < FILES; i += 13)
        assert_member(&x, i);
    /* The lowest free descriptor is still a low one. */
    const int fd = open(".", O_RDONLY);
    assert_int_equal(fstat(fd, &before), 0);
    assert_true(fd < 20);
    close(fd);
    free(corpus);
    cpr_file_list_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(everything_comes_back),
        FILE_TEST(only_what_is_selected),
        FILE_TEST(bad_shards_leave_no_files),
        FILE_TEST(short_or_long_shard_is_bad),
        FILE_TEST(unfinished_extraction_cleans_up),
        FILE_TEST(existing_files_stay),
        FILE_TEST(overwriting_replaces),
        FILE_TEST(directories_and_files_are_not_exchanged),
        FILE_TEST(other_runs_do_not_matter),
        FILE_TEST(who_comes_second_replaces_nothing),
        FILE_TEST(what_is_not_ours_is_not_named),
        FILE_TEST(unsafe_paths_are_refused),
        FILE_TEST(archived_links_lead_nowhere),
        FILE_TEST(links_in_the_way_are_refused),
        FILE_TEST(link_that_appears_later_is_not_followed),
        FILE_TEST(zeros_become_holes),
        FILE_TEST(longest_names),
        FILE_TEST(closed_directories_come_last),
        FILE_TEST(few_descriptors_for_many_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
