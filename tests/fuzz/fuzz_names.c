/* fuzz_names.c - any bytes as a list for --files-from: what it names is found or missed, and the
 * corpus keeps the promises of a list of files. */
#define _GNU_SOURCE
#include "fuzz_scratch.h"

#include "corpus.h"

#include <ctype.h>

static void make_corpus(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/corpus", fuzz_scratch());
    REQUIRE(mkdir(path, 0700) == 0 && chdir(path) == 0);
    REQUIRE(mkdir("b", 0700) == 0 && mkdir("b/d", 0700) == 0);
    fuzz_write_file("a", "text\n", 5);
    fuzz_write_file("a\r", "text of another\n", 16);
    fuzz_write_file("\xef\xbb\xbf"
                    "a",
                    "a third one\n", 12);
    fuzz_write_file("b/c", "", 0);
    fuzz_write_file("b/d/\n", "line\n", 5);
    REQUIRE(symlink("b", "l") == 0 && symlink("nowhere", "b/m") == 0 && symlink("..", "b/up") == 0);
    REQUIRE(mkfifo("pipe", 0600) == 0);
}

/* Whether it stays in the corpus: no path from the root, none that leads up. */
static bool stays_inside(const uint8_t *names, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        const bool inside = i > 0 && (isalnum(names[i - 1]) || names[i - 1] == '.');
        if (names[i] == '/' && !inside)
            return false;
        if (names[i] == '.' && i > 0 && names[i - 1] == '.')
            return false;
    }
    return true;
}

static void warn(void *context, const char *text)
{
    unsigned *warnings = context;
    REQUIRE(text[0] != '\0' && strchr(text, '\n') == NULL);
    (*warnings)++;
}

static void check_list(const cpr_file_list *list)
{
    uint64_t offset = 0;
    for (uint64_t i = 0; i < cpr_file_list_count(list); i++) {
        const char *member = cpr_file_list_member(list, i);
        REQUIRE(cpr_member_path_is_safe(member));
        REQUIRE(cpr_file_list_lookup(list, member) == i);
        REQUIRE(cpr_file_list_offset(list, i) == offset);
        offset += cpr_file_list_get(list, i).bytes;
    }
    REQUIRE(cpr_file_list_bytes(list) == offset);
}

/* The input: links are followed (1), a part is left out (2); then the list. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static bool made;
    char left_out[160];
    unsigned warnings = 0;
    cpr_error error = {""};
    if (!made)
        make_corpus();
    made = true;
    if (bytes < 1 || !stays_inside(data + 1, bytes - 1))
        return 0;
    snprintf(left_out, sizeof left_out, "%s/corpus/b/d", fuzz_scratch());
    const char *const exclude[] = {left_out, NULL};
    const cpr_list_options options = {.exclude = data[0] & 2 ? exclude : NULL,
                                      .dereference = (data[0] & 1) != 0,
                                      .warn = warn,
                                      .warn_context = &warnings};
    cpr_file_list *list = cpr_file_list_create();
    REQUIRE(list != NULL);
    fuzz_write_file("../names", data + 1, bytes - 1);
    const cpr_status status = cpr_file_list_add_from(list, "../names", &options, &error);
    REQUIRE(status == CPR_OK || error.text[0] != '\0');
    REQUIRE(status != CPR_OK || bytes > 1);
    if (status == CPR_OK)
        cpr_file_list_judge(list, &options);
    check_list(list);
    cpr_file_list_free(list);
    return 0;
}
