/* fuzz_output.c - extraction of a hostile list of files into a directory where hostile things lie
 * already: nothing outside of it is touched, and what counts as extracted is there. */
#define _GNU_SOURCE
#include "fuzz_edit.h"
#include "fuzz_scratch.h"

#include "file_list.h"
#include "output.h"
#include "work.h"

#define MAX_FILES 12u
#define MAX_SHARDS 8u
#define MAX_BYTES 4096u /* of the corpus */

static char names[2][300]; /* as long as one may be, and longer */
static uint8_t corpus[MAX_BYTES];

static const char *component(unsigned which)
{
    static const char *const known[] = {"a", "b", "c", "d", "e\n\xff", ".", "..", "", "outside"};
    const unsigned count = sizeof known / sizeof *known;
    which %= count + 2;
    return which < count ? known[which] : names[which - count];
}

static const char *target(unsigned which)
{
    static const char *const known[] = {"../outside", "..",      "a",       "../outside/secret",
                                        "b/a",        "nowhere", "outside", "",
                                        "a/..",       ".",       "../../.."};
    return known[which % (sizeof known / sizeof *known)];
}

/* A path of up to four components. */
static void take_path(fuzz_input *in, char *out, size_t capacity)
{
    const unsigned shape = fuzz_take(in);
    size_t used = 0;
    for (unsigned i = 0; i <= (shape & 3); i++)
        used += (size_t)snprintf(out + used, capacity - used, "%s%s", i > 0 ? "/" : "",
                                 component(fuzz_take(in)));
}

static cpr_file_list *take_list(fuzz_input *in)
{
    static char path[2048];
    cpr_file_list *list = cpr_file_list_create();
    cpr_error error;
    uint64_t known;
    REQUIRE(list != NULL);
    for (unsigned count = fuzz_take(in) % MAX_FILES; count > 0; count--) {
        take_path(in, path, sizeof path);
        const unsigned kind = fuzz_take(in);
        cpr_file file = {.type = (cpr_file_type)(kind % 3),
                         .mode = (kind & 0x80) != 0 ? 07777 : 0644,
                         .mtime_seconds = (kind & 0x40) != 0 ? INT64_MIN : 1000000000};
        if (file.type == CPR_FILE_REGULAR)
            file.bytes = fuzz_take(in);
        /* An empty path is refused where an archive is read. */
        if (path[0] != '\0')
            REQUIRE(cpr_file_list_append(list, path, 0, &file, target(fuzz_take(in)), &known,
                                         &error) == CPR_OK);
    }
    return list;
}

/* What was there before, in "out". */
static void put_obstacles(fuzz_input *in)
{
    for (unsigned count = fuzz_take(in) % 4; count > 0; count--) {
        char path[600];
        struct stat facts;
        const char *first = component(fuzz_take(in));
        const unsigned kind = fuzz_take(in);
        snprintf(path, sizeof path, "out/%s", first);
        if (first[0] == '\0' || first[0] == '.' || strlen(first) > NAME_MAX)
            continue;
        if (kind % 4 == 0)
            symlink(target(kind / 4), path);
        else if (kind % 4 == 1)
            mkdir(path, (kind & 0x80) != 0 ? 0 : 0755);
        else if (kind % 4 == 2 && lstat(path, &facts) != 0)
            fuzz_write_file(path, corpus, kind);
        else
            mkfifo(path, 0600);
    }
}

static void make_outside(void)
{
    memset(names[0], 'l', 255);
    memset(names[1], 'l', 256);
    for (size_t i = 0; i < sizeof corpus; i++)
        corpus[i] = (uint8_t)(i * 7 + i / 256 + 1);
    REQUIRE(chdir(fuzz_scratch()) == 0);
    REQUIRE(mkdir("outside", 0711) == 0);
    fuzz_write_file("outside/secret", "secret", 6);
}

static unsigned count_items(const char *path)
{
    unsigned count = 0;
    DIR *items = opendir(path);
    REQUIRE(items != NULL);
    while (readdir(items) != NULL)
        count++;
    closedir(items);
    return count - 2; /* "." and ".." */
}

/* `before` is of the directory outside. */
static void check_outside(const struct stat *before)
{
    static const char *const at_root[] = {"/a", "/b", "/c", "/d", "/outside"};
    uint8_t secret[8];
    struct stat now;
    REQUIRE(stat("outside", &now) == 0 && now.st_mode == before->st_mode);
    REQUIRE(now.st_mtim.tv_sec == before->st_mtim.tv_sec);
    REQUIRE(now.st_mtim.tv_nsec == before->st_mtim.tv_nsec);
    REQUIRE(count_items("outside") == 1 && count_items(".") == 2);
    REQUIRE(fuzz_read_file("outside/secret", secret, sizeof secret) == 6);
    REQUIRE(memcmp(secret, "secret", 6) == 0);
    for (size_t i = 0; i < sizeof at_root / sizeof *at_root; i++)
        REQUIRE(access(at_root[i], F_OK) != 0);
}

/* Everything selected has come out as the list says. */
static void check_file(const cpr_file_list *list, uint64_t i)
{
    static uint8_t content[MAX_BYTES + 1];
    char path[2100];
    char link[64];
    struct stat facts;
    const cpr_file file = cpr_file_list_get(list, i);
    snprintf(path, sizeof path, "out/%s", cpr_file_list_member(list, i));
    REQUIRE(lstat(path, &facts) == 0);
    if (file.type == CPR_FILE_DIRECTORY) {
        REQUIRE(S_ISDIR(facts.st_mode));
    } else if (file.type == CPR_FILE_SYMLINK) {
        const ssize_t length = readlink(path, link, sizeof link);
        REQUIRE(length > 0 && (size_t)length == strlen(cpr_file_list_link_target(list, i)));
        REQUIRE(memcmp(link, cpr_file_list_link_target(list, i), (size_t)length) == 0);
    } else {
        REQUIRE(S_ISREG(facts.st_mode) && (facts.st_mode & 07000) == 0);
        REQUIRE(fuzz_read_file(path, content, sizeof content) == file.bytes);
        if (file.bytes > 0)
            REQUIRE(memcmp(content, corpus + cpr_file_list_offset(list, i), file.bytes) == 0);
    }
}

static uint64_t take_shards(fuzz_input *in, uint64_t bytes, cpr_shard_info *shards)
{
    uint64_t count = 0;
    for (uint64_t at = 0; at < bytes; count++) {
        uint64_t part = 1 + 3u * fuzz_take(in);
        if (part > bytes - at || count + 1 == MAX_SHARDS)
            part = bytes - at;
        shards[count] = (cpr_shard_info){.offset = at, .raw_bytes = part};
        at += part;
    }
    return count;
}

static cpr_status extract(cpr_output_tree *tree, const cpr_shard_info *shards, uint64_t count,
                          const bool *bad, cpr_error *error)
{
    cpr_status status = cpr_output_tree_prepare(tree, shards, count, error);
    if (status != CPR_OK)
        return status;
    for (uint64_t i = 0; status == CPR_OK && i < count; i++) {
        const uint64_t half = shards[i].raw_bytes / 2;
        const uint8_t *raw = corpus + shards[i].offset;
        status = cpr_output_shard_begin(tree, &shards[i], error);
        if (status == CPR_OK)
            status = cpr_output_shard_write(tree, raw, half, error);
        if (status == CPR_OK && !bad[i])
            status = cpr_output_shard_write(tree, raw + half, shards[i].raw_bytes - half, error);
        cpr_error later;
        const bool good = status == CPR_OK && !bad[i];
        const cpr_status ended = cpr_output_shard_end(tree, good, &later);
        status = status == CPR_OK ? ended : status;
    }
    cpr_error later;
    const cpr_status finished = cpr_output_tree_finish(tree, bad, &later);
    return status == CPR_OK ? finished : status;
}

/* The input: flags (1), the list, what is in the way, where the shards end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    bool selected[MAX_FILES];
    bool bad[MAX_SHARDS] = {false};
    cpr_shard_info shards[MAX_SHARDS];
    struct stat outside;
    fuzz_input in = {data, data + bytes};
    cpr_output_tree *tree;
    cpr_error error = {""};
    if (names[0][0] == '\0')
        make_outside();
    const unsigned flags = fuzz_take(&in);
    cpr_file_list *list = take_list(&in);
    REQUIRE(mkdir("out", 0755) == 0);
    put_obstacles(&in);
    const uint64_t count = take_shards(&in, cpr_file_list_bytes(list), shards);
    for (unsigned i = 0; i < MAX_FILES; i++)
        selected[i] = (flags & 4) == 0 || i % 3 != 0;
    if (flags & 8)
        bad[fuzz_take(&in) % MAX_SHARDS] = true;
    REQUIRE(stat("outside", &outside) == 0);
    REQUIRE(cpr_output_tree_open(list, selected, "out", (flags & 1) != 0, &tree, &error) == CPR_OK);
    if (flags & 2)
        cpr_output_tree_continue(tree);
    const cpr_status status = extract(tree, shards, count, bad, &error);
    cpr_output_tree_close(tree);
    check_outside(&outside);
    for (uint64_t i = 0; status == CPR_OK && (flags & 8) == 0 && i < cpr_file_list_count(list); i++)
        if (selected[i])
            check_file(list, i);
    fuzz_remove_tree(AT_FDCWD, "out");
    cpr_file_list_free(list);
    return 0;
}
