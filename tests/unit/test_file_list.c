/* The list of files: what is taken, in which order, under which names. */
#include "corpus.h"
#include "test_files.h"

#include <fcntl.h>

typedef struct warnings {
    unsigned count;
    char last[1024];
} warnings;

static void keep_warning(void *context, const char *text)
{
    warnings *w = context;
    w->count++;
    snprintf(w->last, sizeof w->last, "%s", text);
}

static cpr_file_list *list_of(const char *path)
{
    cpr_error error = {""};
    cpr_file_list *list = cpr_file_list_create();
    assert_non_null(list);
    if (cpr_file_list_add(list, path, NULL, &error) != CPR_OK)
        fail_msg("%s", error.text);
    return list;
}

static void assert_members(const cpr_file_list *list, const char *const *members)
{
    uint64_t i = 0;
    for (; members[i] != NULL; i++) {
        assert_true(i < cpr_file_list_count(list));
        assert_string_equal(cpr_file_list_member(list, i), members[i]);
        assert_int_equal(cpr_file_list_lookup(list, members[i]), i);
    }
    assert_int_equal(cpr_file_list_count(list), i);
}

static void make_tree(void)
{
    mkdir("t", 0755);
    mkdir("t/a", 0750);
    put_text("t/a/z", "12345");
    put_text("t/a.b", "67");
    put_text("t/a-b", "");
    assert_int_equal(symlink("../elsewhere", "t/link"), 0);
    mkdir("t/empty", 0755);
    put_text("t/new\nline\xff", "8");
}

static const char *const tree_members[] = {"t",       "t/a",    "t/a-b",           "t/a.b", "t/a/z",
                                           "t/empty", "t/link", "t/new\nline\xff", NULL};

static void whole_paths_are_sorted(void **state)
{
    (void)state;
    make_tree();
    cpr_file_list *list = list_of("t");
    assert_members(list, tree_members);
    assert_int_equal(cpr_file_list_bytes(list), 8);
    assert_int_equal(cpr_file_list_get(list, 1).type, CPR_FILE_DIRECTORY);
    assert_int_equal(cpr_file_list_get(list, 1).mode, 0750);
    assert_int_equal(cpr_file_list_get(list, 6).type, CPR_FILE_SYMLINK);
    assert_string_equal(cpr_file_list_link_target(list, 6), "../elsewhere");
    assert_string_equal(cpr_file_list_link_target(list, 4), "");
    assert_int_equal(cpr_file_list_get(list, 4).bytes, 5);
    assert_int_equal(cpr_file_list_lookup(list, "t/none"), UINT64_MAX);
    cpr_file_list_free(list);
}

static void offsets_find_files(void **state)
{
    (void)state;
    make_tree();
    cpr_file_list *list = list_of("t");
    /* 2 bytes of t/a.b, 5 of t/a/z, 1 of the last. */
    const uint64_t owner[8] = {3, 3, 4, 4, 4, 4, 4, 7};
    for (uint64_t at = 0; at < 8; at++)
        assert_int_equal(cpr_file_list_find(list, at), owner[at]);
    assert_int_equal(cpr_file_list_offset(list, 8), 8);
    cpr_file_list_free(list);
}

static void names_are_normalised(void **state)
{
    (void)state;
    make_tree();
    static const char *const z[] = {"z", NULL};
    static const char *const azl[] = {"a/z", NULL};
    static const char *const taz[] = {"t/a/z", NULL};
    static const struct {
        const char *given;
        const char *const *members;
    } cases[] = {
        {".//t///a/./z", taz},         {"t/../t/a/z", taz},      {"t/a/../a/z", azl},
        {"t/a/../../t/a/../a/z", azl}, {"t/a/../a/../a/z", azl},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cpr_file_list *list = list_of(cases[i].given);
        assert_members(list, cases[i].members);
        assert_int_equal(access(cpr_file_list_source(list, 0), R_OK), 0);
        cpr_file_list_free(list);
    }
    /* "." and ".." stand for their contents. */
    assert_int_equal(chdir("t/a"), 0);
    static const char *const dots[] = {".", "./", "../a/", "..//a/."};
    for (size_t i = 0; i < 4; i++) {
        static const char *const with[] = {"a", "a/z", NULL};
        cpr_file_list *list = list_of(dots[i]);
        assert_members(list, i < 2 ? z : with);
        cpr_file_list_free(list);
    }
    cpr_file_list *list = list_of("..");
    assert_members(list, (const char *const[]){"a", "a-b", "a.b", "a/z", "empty", "link",
                                               "new\nline\xff", NULL});
    assert_int_equal(access(cpr_file_list_source(list, 3), R_OK), 0);
    cpr_file_list_free(list);
}

static void absolute_paths_lose_the_slash(void **state)
{
    const char *directory = *state;
    char path[600];
    put_text("f", "x");
    snprintf(path, sizeof path, "%s/f", directory);
    cpr_file_list *list = list_of(path);
    assert_string_equal(cpr_file_list_member(list, 0), path + strspn(path, "/"));
    assert_string_equal(cpr_file_list_source(list, 0), path);
    cpr_file_list_free(list);
}

static void links_are_kept(void **state)
{
    (void)state;
    make_tree();
    assert_int_equal(symlink("t", "alias"), 0);
    cpr_file_list *list = list_of("alias");
    assert_members(list, (const char *const[]){"alias", NULL});
    assert_string_equal(cpr_file_list_link_target(list, 0), "t");
    cpr_file_list_free(list);
    list = list_of("alias/"); /* what it points to */
    assert_int_equal(cpr_file_list_count(list), 8);
    assert_int_equal(cpr_file_list_get(list, 0).type, CPR_FILE_DIRECTORY);
    assert_string_equal(cpr_file_list_member(list, 1), "alias/a");
    cpr_file_list_free(list);
}

static void same_file_twice_and_two_of_a_name(void **state)
{
    (void)state;
    cpr_error error = {""};
    make_tree();
    mkdir("u", 0755);
    put_text("u/f", "1");
    put_text("f", "2");
    cpr_file_list *list = list_of("t");
    assert_int_equal(cpr_file_list_add(list, "./t/a", NULL, &error), CPR_OK);
    assert_members(list, tree_members);
    assert_int_equal(cpr_file_list_add(list, "f", NULL, &error), CPR_OK);
    assert_int_equal(cpr_file_list_add(list, "u/../f", NULL, &error), CPR_ERR_USAGE);
    assert_non_null(strstr(error.text, "u/../f"));
    /* Through a link that is in the list, as "find -L" does. */
    assert_int_equal(symlink("u", "l"), 0);
    assert_int_equal(cpr_file_list_add(list, "l", NULL, &error), CPR_OK);
    assert_int_equal(cpr_file_list_add(list, "l/f", NULL, &error), CPR_ERR_USAGE);
    assert_non_null(strstr(error.text, "l/f"));
    cpr_file_list_free(list);
}

static void bad_inputs_are_named(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, "no/such", NULL, &error), CPR_ERR_IO);
    assert_non_null(strstr(error.text, "no/such"));
    assert_int_equal(cpr_file_list_add(list, "", NULL, &error), CPR_ERR_USAGE);
    put_text("f", "1");
    assert_int_equal(cpr_file_list_add(list, "f/", NULL, &error), CPR_ERR_IO);
    mkdir("d", 0755);
    mkdir("d/closed", 0);
    /* To root nothing is closed. */
    assert_int_equal(chmod(".", 0755), 0);
    const int root = geteuid() == 0;
    if (root)
        assert_int_equal(seteuid(65534), 0);
    const cpr_status status = cpr_file_list_add(list, "d", NULL, &error);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(status, CPR_ERR_IO);
    assert_non_null(strstr(error.text, "d/closed"));
    cpr_file_list_free(list);
}

/* All that cannot be read is found, left out, and named. */
static void unreadable_inputs_are_counted(void **state)
{
    (void)state;
    cpr_error error = {""};
    static cpr_unreadable unreadable;
    const cpr_list_options options = {.unreadable = &unreadable};
    cpr_file_list *list = cpr_file_list_create();
    memset(&unreadable, 0, sizeof unreadable);
    assert_int_equal(cpr_file_list_check_unreadable(list, &options, false, &error), CPR_OK);
    mkdir("d", 0755);
    mkdir("d/closed", 0);
    mkdir("d/names", 0755);
    put_text("d/names/x", "1");
    mkdir("d/open", 0755);
    put_text("d/open/y", "1");
    put_text("d/secret", "1");
    assert_int_equal(chmod("d/secret", 0), 0);
    assert_int_equal(chmod("d/names", 0644), 0); /* its names can be read, and no more */
    assert_int_equal(chmod(".", 0755), 0);
    const int root = geteuid() == 0;
    if (root)
        assert_int_equal(seteuid(65534), 0);
    assert_int_equal(cpr_file_list_add(list, "absent", &options, &error), CPR_OK);
    assert_int_equal(cpr_file_list_add(list, "d", &options, &error), CPR_OK);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod("d/names", 0755), 0);
    assert_members(list, (const char *const[]){"d", "d/open", "d/open/y", NULL});
    assert_true(unreadable.count == 4);
    assert_non_null(strstr(unreadable.text[0], "\"absent\": No such file"));
    for (unsigned i = 1; i < 4; i++)
        assert_non_null(strstr(unreadable.text[i], ": Permission denied"));
    assert_int_equal(cpr_file_list_check_unreadable(list, &options, false, &error), CPR_ERR_IO);
    assert_int_equal(cpr_file_list_check_unreadable(list, &options, true, &error), CPR_OK);
    cpr_file_list_free(list);
}

static void count_warnings(void *context, const char *text)
{
    (*(unsigned *)context)++;
    if (*(unsigned *)context == CPR_UNREADABLE_NAMED + 1)
        assert_string_equal(text, "left out: and 3 more");
}

static void nothing_readable_is_left(void **state)
{
    (void)state;
    char name[16];
    unsigned told = 0;
    cpr_error error = {""};
    static cpr_unreadable unreadable;
    const cpr_list_options options = {
        .unreadable = &unreadable, .warn = count_warnings, .warn_context = &told};
    cpr_file_list *list = cpr_file_list_create();
    memset(&unreadable, 0, sizeof unreadable);
    for (unsigned i = 0; i < CPR_UNREADABLE_NAMED + 3; i++) {
        snprintf(name, sizeof name, "absent%u", i);
        assert_int_equal(cpr_file_list_add(list, name, &options, &error), CPR_OK);
    }
    assert_int_equal(cpr_file_list_check_unreadable(list, &options, true, &error),
                     CPR_ERR_NOT_FOUND);
    assert_int_equal(told, CPR_UNREADABLE_NAMED + 1);
    cpr_file_list_free(list);
}

static void pipes_are_left_out(void **state)
{
    (void)state;
    cpr_error error = {""};
    warnings w = {0};
    const cpr_list_options warned = {.warn = keep_warning, .warn_context = &w};
    mkdir("d", 0755);
    assert_int_equal(mkfifo("d/pipe", 0644), 0);
    put_text("d/text", "1");
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, "d", &warned, &error), CPR_OK);
    assert_members(list, (const char *const[]){"d", "d/text", NULL});
    assert_int_equal(w.count, 1);
    assert_non_null(strstr(w.last, "d/pipe"));
    /* So is one that a list of names holds. */
    put_text("names", "d/pipe\n");
    assert_int_equal(cpr_file_list_add_from(list, "names", &warned, &error), CPR_OK);
    assert_int_equal(w.count, 2);
    assert_int_equal(cpr_file_list_streams(list), 0);
    cpr_file_list_free(list);
}

static void named_pipes_are_streams(void **state)
{
    (void)state;
    cpr_error error = {""};
    mkdir("d", 0755);
    assert_int_equal(mkfifo("d/one", 0644), 0);
    assert_int_equal(mkfifo("two", 0644), 0);
    assert_int_equal(symlink("../two", "d/link"), 0);
    put_text("f", "12");
    int ends[2];
    char path[40];
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, "./d/one", NULL, &error), CPR_OK);
    assert_int_equal(cpr_file_list_add(list, path, NULL, &error), CPR_OK);
    assert_int_equal(cpr_file_list_add(list, "d/link", NULL, &error), CPR_OK);
    assert_int_equal(cpr_file_list_add(list, "f", NULL, &error), CPR_OK);
    assert_members(list, (const char *const[]){"d/one", "stdin", "d/link", "f", NULL});
    assert_int_equal(cpr_file_list_streams(list), 3);
    assert_string_equal(cpr_file_list_stream(list, 1), path);
    /* The same pipe again, by whichever path. */
    assert_int_equal(cpr_file_list_add(list, path, NULL, &error), CPR_ERR_USAGE);
    assert_int_equal(cpr_file_list_add(list, "two", NULL, &error), CPR_ERR_USAGE);
    assert_non_null(strstr(error.text, "two"));
    assert_int_equal(cpr_file_list_add_from(list, "two", NULL, &error), CPR_ERR_USAGE);
    assert_int_equal(write(ends[1], "12345", 5), 5);
    close(ends[1]);
    assert_int_equal(cpr_file_list_count_stream(list, 1, NULL, NULL, &error), CPR_OK);
    assert_int_equal(cpr_file_list_bytes(list), 7);
    assert_int_equal(cpr_file_list_offset(list, 3), 5);
    assert_int_equal(cpr_file_list_get(list, 1).bytes, 5);
    assert_int_equal(cpr_file_list_get(list, 1).mode, 0644);
    assert_int_equal(cpr_file_list_get(list, 1).mtime_seconds, 0);
    close(ends[0]);
    cpr_file_list_free(list);
}

static void streams_get_names(void **state)
{
    (void)state;
    cpr_error error = {""};
    const cpr_list_options named = {.stream_name = "a/b"};
    put_text("stdin", "");
    mkdir("a", 0755);
    put_text("a/b.2", "");
    assert_int_equal(mkfifo("one", 0644), 0);
    assert_int_equal(mkfifo("two", 0644), 0);
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, "one", &named, &error), CPR_OK);
    assert_int_equal(cpr_file_list_add(list, "two", &named, &error), CPR_OK);
    assert_members(list, (const char *const[]){"a/b", "a/b.2", NULL});
    assert_int_equal(cpr_file_list_check_streams(list, &error), CPR_OK);
    /* A file may not have a stream's name, nor lie above it. */
    assert_int_equal(cpr_file_list_add(list, "a/b.2", NULL, &error), CPR_ERR_USAGE);
    cpr_file_list_free(list);
    list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, "stdin", NULL, &error), CPR_OK);
    assert_int_equal(cpr_file_list_add(list, "-", NULL, &error), CPR_ERR_USAGE);
    assert_non_null(strstr(error.text, "--stdin-name"));
    cpr_file_list_free(list);
    list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, "one", &named, &error), CPR_OK);
    assert_int_equal(rename("a", "c"), 0);
    put_text("a", "");
    assert_int_equal(cpr_file_list_add(list, "a", NULL, &error), CPR_OK);
    assert_int_equal(cpr_file_list_check_streams(list, &error), CPR_ERR_USAGE);
    cpr_file_list_free(list);
}

static void devices_are_refused(void **state)
{
    (void)state;
    cpr_error error = {""};
    assert_int_equal(symlink("/dev/null", "link"), 0);
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, "/dev/null", NULL, &error), CPR_ERR_IO);
    assert_int_equal(cpr_file_list_add(list, "link", NULL, &error), CPR_ERR_IO);
    assert_non_null(strstr(error.text, "device"));
    /* What says that it is empty, and is not. */
    assert_int_equal(cpr_file_list_add(list, "/proc/self/status", NULL, &error), CPR_ERR_IO);
    assert_non_null(strstr(error.text, "/proc/self/status"));
    assert_int_equal(cpr_file_list_count(list), 0);
    cpr_file_list_free(list);
}

static void links_are_followed(void **state)
{
    (void)state;
    cpr_error error = {""};
    warnings w = {0};
    const cpr_list_options follow = {.dereference = true, .warn = keep_warning, .warn_context = &w};
    mkdir("d", 0755);
    mkdir("e", 0750);
    put_text("e/f", "123");
    assert_int_equal(chmod("e/f", 0600), 0);
    assert_int_equal(symlink("../e/f", "d/file"), 0);
    assert_int_equal(symlink("../e", "d/one"), 0);
    assert_int_equal(symlink("one", "d/two"), 0);
    assert_int_equal(symlink("nothing", "d/broken"), 0);
    assert_int_equal(symlink("d", "root"), 0);
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, "root", &follow, &error), CPR_OK);
    assert_members(list, (const char *const[]){"root", "root/broken", "root/file", "root/one",
                                               "root/one/f", "root/two", "root/two/f", NULL});
    assert_int_equal(w.count, 1);
    assert_non_null(strstr(w.last, "root/broken"));
    assert_int_equal(cpr_file_list_get(list, 1).type, CPR_FILE_SYMLINK);
    assert_int_equal(cpr_file_list_get(list, 2).mode, 0600);
    assert_int_equal(cpr_file_list_get(list, 2).through_link, true);
    assert_int_equal(cpr_file_list_get(list, 4).through_link, false);
    assert_int_equal(cpr_file_list_get(list, 3).mode, 0750);
    uint8_t text[9];
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    assert_int_equal(cpr_corpus_reader_read(reader, 0, text, 9, &error), CPR_OK);
    assert_memory_equal(text, "123123123", 9);
    cpr_corpus_reader_free(reader);
    cpr_file_list_free(list);
}

static void circles_are_named(void **state)
{
    (void)state;
    cpr_error error = {""};
    warnings w = {0};
    const cpr_list_options follow = {.dereference = true, .warn = keep_warning, .warn_context = &w};
    mkdir("a", 0755);
    mkdir("a/b", 0755);
    mkdir("a/b/c", 0755);
    put_text("a/f", "1");
    assert_int_equal(symlink("..", "a/b/up"), 0);
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, "a", &follow, &error), CPR_OK);
    assert_members(list, (const char *const[]){"a", "a/b", "a/b/c", "a/f", NULL});
    assert_int_equal(w.count, 1);
    assert_string_equal(w.last, "left out \"a/b/up\": it leads back to \"a\"");
    cpr_file_list_free(list);
    /* Out of the root, and back into it. */
    list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, "a/b", &follow, &error), CPR_OK);
    assert_members(list, (const char *const[]){"a/b", "a/b/c", "a/b/up", "a/b/up/f", NULL});
    assert_int_equal(w.count, 2);
    assert_string_equal(w.last, "left out \"a/b/up/b\": it leads back to \"a/b\"");
    cpr_file_list_free(list);
}

static void excluded_through_links(void **state)
{
    cpr_error error = {""};
    char one[600];
    char two[600];
    warnings w = {0};
    char *resolved = realpath(*state, NULL);
    assert_non_null(resolved);
    snprintf(one, sizeof one, "%s/out/a.h5", resolved);
    snprintf(two, sizeof two, "%s/out/a.h5.work", resolved);
    free(resolved);
    mkdir("out", 0755);
    mkdir("in", 0755);
    mkdir("out/a.h5.work", 0755);
    put_text("out/a.h5.work/manifest", "1");
    put_text("out/a.h5", "2");
    put_text("out/text", "3");
    assert_int_equal(symlink("../out", "in/out"), 0);
    assert_int_equal(symlink("../out/a.h5", "in/archive"), 0);
    assert_int_equal(symlink("../out/a.h5.work", "in/work"), 0);
    const char *const exclude[] = {one, two, NULL};
    const cpr_list_options options = {
        .exclude = exclude, .dereference = true, .warn = keep_warning, .warn_context = &w};
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, "in", &options, &error), CPR_OK);
    assert_members(list, (const char *const[]){"in", "in/out", "in/out/text", NULL});
    assert_int_equal(w.count, 2);
    assert_int_equal(cpr_file_list_add(list, "in/archive", &options, &error), CPR_OK);
    assert_int_equal(cpr_file_list_add(list, "in/work/", &options, &error), CPR_OK);
    assert_int_equal(cpr_file_list_count(list), 3);
    cpr_file_list_free(list);
}

/* The warning, or "". */
static const char *judged(const char *path, bool dereference, warnings *w)
{
    cpr_error error = {""};
    const cpr_list_options options = {
        .dereference = dereference, .warn = keep_warning, .warn_context = w};
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(list, path, &options, &error), CPR_OK);
    *w = (warnings){0};
    cpr_file_list_judge(list, &options);
    cpr_file_list_free(list);
    return w->last;
}

static void a_corpus_of_links_is_suspicious(void **state)
{
    (void)state;
    warnings w;
    mkdir("d", 0755);
    assert_non_null(strstr(judged("d", false, &w), "no files"));
    mkdir("d/below", 0755);
    assert_string_equal(judged("d", false, &w), ""); /* a tree of directories is all there */
    rmdir("d/below");
    put_text("f", "1");
    assert_int_equal(symlink("../f", "d/one"), 0);
    assert_non_null(strstr(judged("d", false, &w), "-L"));
    assert_string_equal(judged("d", true, &w), "");
    put_text("d/text", "1");
    assert_string_equal(judged("d", false, &w), "");
    assert_int_equal(symlink("../f", "d/two"), 0);
    assert_non_null(strstr(judged("d", false, &w), "-L"));
    assert_string_equal(judged("d", true, &w), "");
    /* A link that is named, beside other data. */
    cpr_error error = {""};
    const cpr_list_options options = {.warn = keep_warning, .warn_context = &w};
    for (int both = 0; both < 2; both++) {
        cpr_file_list *list = cpr_file_list_create();
        assert_int_equal(cpr_file_list_add(list, "d/text", NULL, &error), CPR_OK);
        assert_int_equal(cpr_file_list_add(list, "d/one", NULL, &error), CPR_OK);
        if (both)
            assert_int_equal(cpr_file_list_add(list, "f", NULL, &error), CPR_OK);
        w = (warnings){0};
        cpr_file_list_judge(list, &options);
        assert_int_equal(w.count, both ? 0 : 1);
        cpr_file_list_free(list);
    }
}

static void excluded_paths_are_left_out(void **state)
{
    cpr_error error = {""};
    char one[600];
    char two[600];
    char *resolved = realpath(*state, NULL);
    assert_non_null(resolved);
    make_tree();
    snprintf(one, sizeof one, "%s/t/a", resolved);
    snprintf(two, sizeof two, "%s/t/a.b", resolved);
    free(resolved);
    const char *const exclude[] = {one, two, NULL};
    const cpr_list_options options = {.exclude = exclude};
    static const char *const left[] = {"t", "t/a-b", "t/empty", "t/link", "t/new\nline\xff", NULL};
    static const char *const given[] = {"t", "./t/", "t/a/../../t", "t/a.b"};
    for (size_t i = 0; i < 4; i++) {
        cpr_file_list *list = cpr_file_list_create();
        assert_int_equal(cpr_file_list_add(list, given[i], &options, &error), CPR_OK);
        assert_members(list, i < 3 ? left : left + 5);
        cpr_file_list_free(list);
    }
}

static void names_from_a_file(void **state)
{
    (void)state;
    cpr_error error = {""};
    make_tree();
    put_text("lines", "t/a.b\n\nt/a\n");
    put_file("nuls", "t/new\nline\xff\0t/a", 15);
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add_from(list, "lines", NULL, &error), CPR_OK);
    assert_members(list, (const char *const[]){"t/a.b", "t/a", "t/a/z", NULL});
    cpr_file_list_free(list);
    list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add_from(list, "nuls", NULL, &error), CPR_OK);
    assert_members(list, (const char *const[]){"t/new\nline\xff", "t/a", "t/a/z", NULL});
    assert_int_equal(cpr_file_list_add_from(list, "none", NULL, &error), CPR_ERR_IO);
    assert_non_null(strstr(error.text, "none"));
    cpr_file_list_free(list);
}

static void lists_of_other_systems(void **state)
{
    (void)state;
    cpr_error error = {""};
    put_text("a", "");
    put_text("b", "");
    put_text("b\r", "");
    put_text("\357\273\277c", "");
    static const struct {
        const char *text;
        const char *members[3];
    } cases[] = {
        {"a\r\nb\r\n", {"a", "b\r", NULL}},
        {"\357\273\277a\r\n\r\na", {"a", NULL}},
        {"\357\273\277c\r\nb", {"\357\273\277c", "b", NULL}},
        {"a\r", {"a", NULL}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_text("list", cases[i].text);
        cpr_file_list *list = cpr_file_list_create();
        assert_int_equal(cpr_file_list_add_from(list, "list", NULL, &error), CPR_OK);
        assert_members(list, cases[i].members);
        cpr_file_list_free(list);
    }
    static const char *const nothing[] = {"", "\n", "\n\r\n\n", "\357\273\277", "\357\273\277\r\n"};
    cpr_file_list *list = cpr_file_list_create();
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        put_text("list", nothing[i]);
        assert_int_equal(cpr_file_list_add_from(list, "list", NULL, &error), CPR_ERR_NOT_FOUND);
    }
    put_file("list", "\0\0", 2);
    assert_int_equal(cpr_file_list_add_from(list, "list", NULL, &error), CPR_ERR_NOT_FOUND);
    cpr_file_list_free(list);
}

static void paths_beyond_path_max(void **state)
{
    (void)state;
    char name[201];
    memset(name, 'd', 200);
    name[200] = '\0';
    mkdir("deep", 0755);
    int at = open("deep", O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(mkdirat(at, name, 0755), 0);
        const int next = openat(at, name, O_RDONLY | O_DIRECTORY);
        close(at);
        at = next;
    }
    const int fd = openat(at, "file", O_WRONLY | O_CREAT, 0644);
    assert_int_equal(write(fd, "bottom", 6), 6);
    close(fd);
    close(at);
    cpr_file_list *list = list_of("deep");
    assert_int_equal(cpr_file_list_count(list), 42);
    assert_int_equal(strlen(cpr_file_list_member(list, 41)), 4 + 40 * 201 + 5);
    cpr_error error = {""};
    uint8_t text[6];
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    assert_int_equal(cpr_corpus_reader_read(reader, 0, text, 6, &error), CPR_OK);
    assert_memory_equal(text, "bottom", 6);
    cpr_corpus_reader_free(reader);
    cpr_file_list_free(list);
}

static void packing_keeps_everything(void **state)
{
    (void)state;
    cpr_error error = {""};
    size_t bytes;
    make_tree();
    assert_int_equal(mkfifo("pipe", 0644), 0);
    const cpr_list_options options = {.dereference = true, .stream_name = "of/pipe"};
    cpr_file_list *list = list_of("./t");
    assert_int_equal(cpr_file_list_add(list, "pipe", &options, &error), CPR_OK);
    assert_int_equal(symlink("t/a.b", "through"), 0);
    assert_int_equal(cpr_file_list_add(list, "through", &options, &error), CPR_OK);
    cpr_file_list *copy;
    uint8_t *packed = cpr_file_list_pack(list, &bytes);
    assert_non_null(packed);
    assert_int_equal(cpr_file_list_unpack(packed, bytes, &copy, &error), CPR_OK);
    assert_int_equal(cpr_file_list_count(copy), cpr_file_list_count(list));
    for (uint64_t i = 0; i < cpr_file_list_count(list); i++) {
        const cpr_file a = cpr_file_list_get(list, i);
        const cpr_file b = cpr_file_list_get(copy, i);
        assert_true(a.bytes == b.bytes && a.mtime_seconds == b.mtime_seconds &&
                    a.mtime_nanoseconds == b.mtime_nanoseconds && a.mode == b.mode &&
                    a.type == b.type && a.through_link == b.through_link);
        assert_string_equal(cpr_file_list_member(list, i), cpr_file_list_member(copy, i));
        assert_string_equal(cpr_file_list_source(list, i), cpr_file_list_source(copy, i));
        assert_string_equal(cpr_file_list_link_target(list, i), cpr_file_list_link_target(copy, i));
    }
    cpr_file_list_free(copy);
    for (size_t cut = 0; cut < bytes; cut++) {
        uint8_t *part = malloc(cut + 1); /* exact, so that a sanitizer sees reads past the end */
        memcpy(part, packed, cut);
        part = realloc(part, cut > 0 ? cut : 1);
        assert_int_equal(cpr_file_list_unpack(part, cut, &copy, &error), CPR_ERR_DAMAGED);
        assert_null(copy);
        free(part);
    }
    /* Flipped bytes may give another list, but nothing worse. */
    for (size_t at = 0; at < bytes; at++) {
        packed[at] ^= 0xff;
        const cpr_status status = cpr_file_list_unpack(packed, bytes, &copy, &error);
        assert_true(status == CPR_OK || status == CPR_ERR_DAMAGED);
        cpr_file_list_free(copy);
        packed[at] ^= 0xff;
    }
    free(packed);
    cpr_file_list_free(list);
}

static void many_files_are_found_again(void **state)
{
    (void)state;
    enum { FILES = 20000 };
    cpr_error error = {""};
    FILE *names = fopen("names", "wb");
    put_text("f", "x");
    mkdir("d", 0755);
    for (int i = 0; i < FILES; i++) {
        char path[40];
        snprintf(path, sizeof path, "d/%d", i * 7919 % FILES);
        assert_int_equal(link("f", path), 0);
        fprintf(names, "%s\n", path);
    }
    fclose(names);
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add_from(list, "names", NULL, &error), CPR_OK);
    assert_int_equal(cpr_file_list_count(list), FILES);
    for (int i = 0; i < FILES; i++)
        assert_int_equal(cpr_file_list_lookup(list, cpr_file_list_member(list, (uint64_t)i)), i);
    cpr_file_list_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(whole_paths_are_sorted),
        FILE_TEST(offsets_find_files),
        FILE_TEST(names_are_normalised),
        FILE_TEST(absolute_paths_lose_the_slash),
        FILE_TEST(links_are_kept),
        FILE_TEST(same_file_twice_and_two_of_a_name),
        FILE_TEST(bad_inputs_are_named),
        FILE_TEST(unreadable_inputs_are_counted),
        FILE_TEST(nothing_readable_is_left),
        FILE_TEST(pipes_are_left_out),
        FILE_TEST(named_pipes_are_streams),
        FILE_TEST(streams_get_names),
        FILE_TEST(devices_are_refused),
        FILE_TEST(links_are_followed),
        FILE_TEST(circles_are_named),
        FILE_TEST(excluded_through_links),
        FILE_TEST(a_corpus_of_links_is_suspicious),
        FILE_TEST(lists_of_other_systems),
        FILE_TEST(excluded_paths_are_left_out),
        FILE_TEST(names_from_a_file),
        FILE_TEST(paths_beyond_path_max),
        FILE_TEST(packing_keeps_everything),
        FILE_TEST(many_files_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
