/* test_cache.c - blocks that processes keep for each other: found, damaged, too many, made once. */
#include "test_files.h"

#include "cache.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define BYTES ((size_t)100000)
#define HEAD_BYTES 4096
#define PROCESSES 8

static const cpr_watch nobody = {.progress = NULL, .context = NULL};
static const cpr_cache_place usual = {.directory = "cache"};

static uint8_t *make_block(uint64_t key)
{
    uint8_t *block = malloc(BYTES);
    assert_non_null(block);
    for (size_t i = 0; i < BYTES; i++)
        block[i] = (uint8_t)(i * 31 + i / 251 + key);
    return block;
}

static cpr_hash128 key_of(uint64_t number)
{
    return (cpr_hash128){.high = 0xfeed, .low = number};
}

static void open_claim(cpr_cache_claim *claim, const cpr_cache_place *place, uint64_t key)
{
    assert_int_equal(cpr_cache_claim_open(claim, place, key_of(key), BYTES, nobody, NULL), CPR_OK);
}

/* Whether the block was there; if not it is stored, unless that cannot be. */
static bool use(const cpr_cache_place *place, uint64_t key, char note[1024])
{
    cpr_cache_claim claim;
    uint8_t *block = make_block(key);
    open_claim(&claim, place, key);
    const bool found = claim.found.data != NULL;
    assert_false(found && claim.storing);
    if (claim.storing) {
        cpr_cache_claim_store(&claim, block);
        assert_non_null(claim.found.data);
        assert_string_equal(claim.note.text, "");
    }
    if (claim.found.data != NULL)
        assert_memory_equal(claim.found.data, block, BYTES);
    if (note != NULL)
        memcpy(note, claim.note.text, sizeof claim.note.text);
    else
        assert_string_equal(claim.note.text, "");
    cpr_cache_claim_close(&claim);
    cpr_cache_block_free(&claim.found);
    free(block);
    return found;
}

static bool finds(uint64_t key)
{
    return use(&usual, key, NULL);
}

/* A place that keeps nothing, with this in the note. */
static void assert_unusable(const cpr_cache_place *place, const char *why)
{
    char note[1024];
    assert_false(use(place, 1, note));
    if (strstr(note, why) == NULL)
        fail_msg("'%s' instead of '%s'", note, why);
}

static unsigned count_files(void)
{
    unsigned count = 0;
    DIR *items = opendir("cache");
    assert_non_null(items);
    for (struct dirent *item; (item = readdir(items)) != NULL;)
        count += item->d_name[0] != '.';
    closedir(items);
    return count;
}

static const char *path_of(uint64_t key, const char *kind)
{
    static char path[128];
    snprintf(path, sizeof path, "cache/corpress-000000000000feed%016llx%s", (unsigned long long)key,
             kind);
    return path;
}

/* ---- one block ------------------------------------------------------------------------------ */

static void test_keeps(void **state)
{
    struct stat facts;
    assert_false(finds(1));
    assert_true(finds(1));
    assert_false(finds(2));
    assert_true(finds(1) && finds(2));
    assert_int_equal(count_files(), 2);
    assert_int_equal(stat("cache", &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0700);
    assert_int_equal(stat(path_of(1, ".state"), &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0400);
    assert_int_equal(facts.st_size, HEAD_BYTES + BYTES);
    (void)state;
}

/* Inverts a bit of the block's file. */
static void flip(uint64_t key, size_t at)
{
    size_t bytes;
    char *file = get_file(path_of(key, ".state"), &bytes);
    assert_true(at < bytes);
    file[at] ^= 1;
    assert_int_equal(unlink(path_of(key, ".state")), 0);
    put_file(path_of(key, ".state"), file, bytes);
    assert_int_equal(chmod(path_of(key, ".state"), 0400), 0);
    free(file);
}

static void test_damage(void **state)
{
    static const size_t places[] = {0, 8, 12, 16, 24, 40, 56, HEAD_BYTES, HEAD_BYTES + BYTES - 1};
    assert_false(finds(1));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        flip(1, places[i]);
        assert_false(finds(1));
        assert_true(finds(1));
    }
    static const off_t sizes[] = {0, 10, HEAD_BYTES, HEAD_BYTES + BYTES - 1,
                                  HEAD_BYTES + BYTES + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(chmod(path_of(1, ".state"), 0600), 0);
        assert_int_equal(truncate(path_of(1, ".state"), sizes[i]), 0);
        assert_false(finds(1));
        assert_true(finds(1));
    }
    /* another block under this name */
    assert_false(finds(2));
    char second[128];
    snprintf(second, sizeof second, "%s", path_of(2, ".state"));
    assert_int_equal(rename(second, path_of(1, ".state")), 0);
    assert_false(finds(1));
    assert_true(finds(1));
    assert_int_equal(count_files(), 1);
    (void)state;
}

/* What others might have written is not taken. */
static void test_trust(void **state)
{
    assert_false(finds(1));
    assert_int_equal(chmod(path_of(1, ".state"), 0620), 0);
    assert_false(finds(1));
    assert_true(finds(1));
    assert_int_equal(unlink(path_of(1, ".state")), 0);
    assert_int_equal(symlink("/dev/zero", path_of(1, ".state")), 0);
    assert_false(finds(1));
    assert_int_equal(unlink(path_of(1, ".state")), 0);
    assert_int_equal(mkfifo(path_of(1, ".state"), 0600), 0);
    assert_false(finds(1));
    assert_int_equal(chmod("cache", 0770), 0);
    assert_unusable(&usual, "others may write to it");
    assert_int_equal(chmod("cache", 0755), 0);
    assert_true(finds(1));
    if (geteuid() == 0) {
        assert_int_equal(chown(path_of(1, ".state"), 65534, 65534), 0);
        assert_false(finds(1));
        assert_true(finds(1));
        assert_int_equal(chown("cache", 65534, 65534), 0);
        assert_unusable(&usual, "belongs to another user");
    }
    (void)state;
}

static void test_unusable(void **state)
{
    put_text("file", "no directory");
    assert_unusable(&(cpr_cache_place){.directory = "file"}, "Not a directory");
    assert_unusable(&(cpr_cache_place){.directory = "none/none"}, "No such file or directory");
    assert_unusable(&(cpr_cache_place){.directory = "/proc/none"}, "is not used");
    assert_unusable(&(cpr_cache_place){.directory = ""}, "");
    assert_unusable(&(cpr_cache_place){.directory = NULL}, "");
    if (geteuid() != 0) {
        assert_int_equal(mkdir("cache", 0500), 0);
        assert_unusable(&usual, "cannot be written to");
    }
    (void)state;
}

static void test_environment(void **state)
{
    const cpr_cache_place by_environment = {.directory = NULL};
    setenv("CORPRESS_CACHE", "cache", 1);
    assert_false(use(&by_environment, 1, NULL));
    assert_true(use(&by_environment, 1, NULL));
    assert_false(use(&(cpr_cache_place){.directory = ""}, 1, NULL));
    static const char *const wrong[] = {"x", "-1", "1X", "1KK", "99999999999G", "0", " 1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("CORPRESS_CACHE_BYTES", wrong[i], 1);
        assert_unusable(&by_environment, "CORPRESS_CACHE_BYTES wants a size");
        assert_true(use(&(cpr_cache_place){.bytes = 1 << 20}, 1, NULL));
    }
    setenv("CORPRESS_CACHE_BYTES", "99K", 1);
    char note[1024];
    assert_false(use(&by_environment, 2, note));
    assert_non_null(strstr(note, "the cache may have 0 MB"));
    setenv("CORPRESS_CACHE_BYTES", "1m", 1);
    assert_false(use(&by_environment, 2, NULL));
    assert_true(use(&by_environment, 2, NULL));
    unsetenv("CORPRESS_CACHE");
    unsetenv("CORPRESS_CACHE_BYTES");
    (void)state;
}

/* ---- how much ------------------------------------------------------------------------------- */

/* Sets when a block was used, in an order that no clock disturbs. */
static void set_used(uint64_t key, time_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path_of(key, ".state"), times, 0), 0);
}

static void test_room(void **state)
{
    const cpr_cache_place three = {.directory = "cache", .bytes = 3 * (HEAD_BYTES + BYTES)};
    for (uint64_t key = 1; key <= 3; key++) {
        assert_false(use(&three, key, NULL));
        set_used(key, (time_t)(1000 * key));
    }
    put_text("cache/mine", "not of the cache");
    put_text("cache/corpress-mine", "nor this");
    assert_true(use(&three, 1, NULL)); /* now the latest */
    assert_false(use(&three, 4, NULL));
    assert_int_equal(access(path_of(2, ".state"), F_OK), -1);
    assert_true(use(&three, 1, NULL) && use(&three, 3, NULL) && use(&three, 4, NULL));
    /* a smaller limit, which the next block keeps */
    const cpr_cache_place one = {.directory = "cache", .bytes = HEAD_BYTES + BYTES};
    assert_false(use(&one, 5, NULL));
    assert_int_equal(count_files(), 3);
    /* nothing goes for a block that has no room */
    const cpr_cache_place none = {.directory = "cache", .bytes = HEAD_BYTES + BYTES - 1};
    assert_unusable(&none, "is not kept: it has");
    assert_true(use(&none, 5, NULL));
    (void)state;
}

static void test_file_limit(void **state)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit less = {.rlim_cur = BYTES, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    assert_unusable(&usual, "there is no room in the cache: File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(count_files(), 0);
    assert_false(finds(1));
    (void)state;
}

/* ---- several processes ---------------------------------------------------------------------- */

/* A process that is to make a block, and lives until it is killed. */
static pid_t start_maker(uint64_t key)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        cpr_cache_claim claim;
        open_claim(&claim, &usual, key);
        if (!claim.storing || write(ready[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void kill_maker(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_dead_maker(void **state)
{
    kill_maker(start_maker(1));
    assert_int_equal(count_files(), 2); /* its lock, and what it was to fill */
    assert_false(finds(1));
    assert_int_equal(count_files(), 1);
    assert_true(finds(1));
    /* one of another block: what it left goes when room is looked for */
    kill_maker(start_maker(2));
    const pid_t alive = start_maker(3);
    assert_int_equal(count_files(), 3 + 2 * (access(path_of(2, ".lock"), F_OK) == 0));
    assert_false(finds(4));
    assert_int_equal(count_files(), 4);
    assert_int_equal(access(path_of(3, ".lock"), F_OK), 0);
    kill_maker(alive);
    assert_false(finds(5));
    assert_int_equal(count_files(), 3);
    (void)state;
}

/* A watch that stops after some calls. */
static cpr_status see(void *context, uint64_t raw_bytes, uint64_t coded_bytes, cpr_error *error)
{
    unsigned *left = context;
    assert_true(raw_bytes == 0 && coded_bytes == 0);
    return (*left)-- > 0 ? CPR_OK : cpr_fail(error, CPR_STOPPED, "enough");
}

static void test_waiting_stops(void **state)
{
    unsigned left = 3;
    cpr_cache_claim claim;
    cpr_error error = {.text = ""};
    const pid_t maker = start_maker(1);
    assert_int_equal(
        cpr_cache_claim_open(&claim, &usual, key_of(1), BYTES, (cpr_watch){see, &left}, &error),
        CPR_STOPPED);
    assert_string_equal(error.text, "enough");
    assert_false(claim.storing);
    cpr_cache_claim_close(&claim);
    kill_maker(maker);
    assert_false(finds(1));
    (void)state;
}

/* Nobody waits for ever for a maker that stands still; its block is not written by two. */
static void test_maker_stands_still(void **state)
{
    const cpr_cache_place impatient = {.directory = "cache", .patience = 0.01};
    const pid_t maker = start_maker(1);
    assert_unusable(&impatient, "stands still");
    kill_maker(maker);
    assert_false(finds(1));
    (void)state;
}

/* Tells the maker that this process waits. */
static cpr_status tell_waiting(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                               cpr_error *error)
{
    int *to = context;
    (void)raw_bytes;
    (void)coded_bytes;
    if (*to >= 0 && write(*to, "w", 1) != 1)
        return cpr_fail(error, CPR_ERR_IO, "no pipe");
    *to = -1;
    return CPR_OK;
}

/* One of the processes: the maker goes on when all others wait. 0: found, 1: made, 2: failed. */
static int run_one(int from, int to)
{
    char bytes[PROCESSES];
    cpr_cache_claim claim;
    uint8_t *block = make_block(1);
    if (cpr_cache_claim_open(&claim, &usual, key_of(1), BYTES, (cpr_watch){tell_waiting, &to},
                             NULL) != CPR_OK)
        return 2;
    const int made = claim.storing;
    for (int waiting = 0; made && waiting < PROCESSES - 1;) {
        const ssize_t got = read(from, bytes, sizeof bytes);
        if (got <= 0)
            return 2;
        waiting += (int)got;
    }
    cpr_cache_claim_store(&claim, block);
    if (claim.found.data == NULL || memcmp(claim.found.data, block, BYTES) != 0)
        return 2;
    cpr_cache_claim_close(&claim);
    cpr_cache_block_free(&claim.found);
    free(block);
    return made;
}

static void test_made_once(void **state)
{
    int waiting[2];
    int made = 0;
    assert_int_equal(mkdir("cache", 0700), 0);
    assert_int_equal(pipe(waiting), 0);
    for (int i = 0; i < PROCESSES; i++) {
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            _exit(run_one(waiting[0], waiting[1]));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int code;
        assert_true(wait(&code) > 0);
        assert_true(WIFEXITED(code) && WEXITSTATUS(code) < 2);
        made += WEXITSTATUS(code);
    }
    assert_int_equal(made, 1);
    assert_int_equal(count_files(), 1);
    close(waiting[0]);
    close(waiting[1]);
    (void)state;
}

#define IN_A_DIRECTORY(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, enter_test_directory, leave_test_directory)

int main(void)
{
    unsetenv("CORPRESS_CACHE");
    unsetenv("CORPRESS_CACHE_BYTES");
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(test_keeps),         IN_A_DIRECTORY(test_damage),
        IN_A_DIRECTORY(test_trust),         IN_A_DIRECTORY(test_unusable),
        IN_A_DIRECTORY(test_environment),   IN_A_DIRECTORY(test_room),
        IN_A_DIRECTORY(test_file_limit),    IN_A_DIRECTORY(test_dead_maker),
        IN_A_DIRECTORY(test_waiting_stops), IN_A_DIRECTORY(test_maker_stands_still),
        IN_A_DIRECTORY(test_made_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
