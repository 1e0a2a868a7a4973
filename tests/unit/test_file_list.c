/* The list of files: what is taken, in which order, under which names. */
#include "shard.h"
#include "test_files.h"

#include <fcntl.h>

typedef struct warnings {
    unsigned count;
    char last[1024];
} warnings;

static void keep_warning(void *context, const char *text)
{
    warnings *w = context;
    ++w->count;
    snprintf(w->last, sizeof(w->last), "%s", text);
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
    for (; members[i] != NULL; ++i) {
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
    for (uint64_t at = 0; at < 8; ++at)
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
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        cpr_file_list *list = list_of(cases[i].given);
        assert_members(list, cases[i].members);
        assert_int_equal(access(cpr_file_list_source(list, 0), R_OK), 0);
        cpr_file_list_free(list);
    }
    /* "." and ".." stand for their contents. */
    assert_int_equal(chdir("t/a"), 0);
    static const char *const dots[] = {".", "./", "../a/", "..//a/."};
    for (size_t i = 0; i < 4; ++i) {
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
    snprintf(path, sizeof(path), "%s/f", directory);
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
    assert_int_equal(cpr_file_list_add(list, "d/pipe", &warned, &error), CPR_OK);
    assert_int_equal(w.count, 2);
    cpr_file_list_free(list);
}

static void excluded_paths_are_left_out(void **state)
{
    cpr_error error = {""};
    char one[600];
    char two[600];
    char *resolved = realpath(*state, NULL);
    assert_non_null(resolved);
    make_tree();
    snprintf(one, sizeof(one), "%s/t/a", resolved);
    snprintf(two, sizeof(two), "%s/t/a.b", resolved);
    free(resolved);
    const char *const exclude[] = {one, two, NULL};
    const cpr_list_options options = {.exclude = exclude};
    static const char *const left[] = {"t", "t/a-b", "t/empty", "t/link", "t/new\nline\xff", NULL};
    static const char *const given[] = {"t", "./t/", "t/a/../../t", "t/a.b"};
    for (size_t i = 0; i < 4; ++i) {
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

static void paths_beyond_path_max(void **state)
{
    (void)state;
    char name[201];
    memset(name, 'd', 200);
    name[200] = '\0';
    mkdir("deep", 0755);
    int at = open("deep", O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 40; ++i) {
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
    cpr_file_list *list = list_of("./t");
    cpr_file_list *copy;
    uint8_t *packed = cpr_file_list_pack(list, &bytes);
    assert_non_null(packed);
    assert_int_equal(cpr_file_list_unpack(packed, bytes, &copy, &error), CPR_OK);
    assert_members(copy, tree_members);
    for (uint64_t i = 0; i < 8; ++i) {
        const cpr_file a = cpr_file_list_get(list, i);
        const cpr_file b = cpr_file_list_get(copy, i);
        assert_true(a.bytes == b.bytes && a.mtime_seconds == b.mtime_seconds &&
                    a.mtime_nanoseconds == b.mtime_nanoseconds && a.mode == b.mode &&
                    a.type == b.type);
        assert_string_equal(cpr_file_list_source(list, i), cpr_file_list_source(copy, i));
        assert_string_equal(cpr_file_list_link_target(list, i), cpr_file_list_link_target(copy, i));
    }
    cpr_file_list_free(copy);
    for (size_t cut = 0; cut < bytes; ++cut) {
        uint8_t *part = malloc(cut + 1); /* exact, so that a sanitizer sees reads past the end */
        memcpy(part, packed, cut);
        part = realloc(part, cut > 0 ? cut : 1);
        assert_int_equal(cpr_file_list_unpack(part, cut, &copy, &error), CPR_ERR_DAMAGED);
        assert_null(copy);
        free(part);
    }
    /* Flipped bytes may give another list, but nothing worse. */
    for (size_t at = 0; at < bytes; ++at) {
        packed[at] ^= 0xff;
        if (cpr_file_list_unpack(packed, bytes, &copy, &error) == CPR_OK)
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
    for (int i = 0; i < FILES; ++i) {
        char path[40];
        snprintf(path, sizeof(path), "d/%d", i * 7919 % FILES);
        assert_int_equal(link("f", path), 0);
        fprintf(names, "%s\n", path);
    }
    fclose(names);
    cpr_file_list *list = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add_from(list, "names", NULL, &error), CPR_OK);
    assert_int_equal(cpr_file_list_count(list), FILES);
    for (int i = 0; i < FILES; ++i)
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
        FILE_TEST(pipes_are_left_out),
        FILE_TEST(excluded_paths_are_left_out),
        FILE_TEST(names_from_a_file),
        FILE_TEST(paths_beyond_path_max),
        FILE_TEST(packing_keeps_everything),
        FILE_TEST(many_files_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
