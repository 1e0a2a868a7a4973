/* What control groups leave, in trees of files like those under /proc and /sys; and the check. */
#include "memory_limits.h"
#include "test_files.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char root[] = "/tmp/corpress-limits-XXXXXX";

/* Writes a file below the root, and the directories that it is in. */
static void put(const char *name, const char *text)
{
    char path[512];
    const int length = snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    assert_true(length > 0 && (size_t)length < sizeof path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void no_groups(void **state)
{
    (void)state;
    assert_true(cpr_memory_group_room("/nowhere") == UINT64_MAX);
}

static void version_2(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/job/step\n");
    put("sys/fs/cgroup/job/step/memory.max", "max\n");
    assert_true(cpr_memory_group_room(root) == UINT64_MAX);
    put("sys/fs/cgroup/job/memory.max", "1000000\n");
    put("sys/fs/cgroup/job/memory.stat", "anon 300000\nfile 500000\nshmem 100000\n");
    assert_int_equal(cpr_memory_group_room(root), 600000);
    put("sys/fs/cgroup/job/step/memory.max", "500000\n");
    put("sys/fs/cgroup/job/step/memory.stat", "anon 600000\n");
    assert_int_equal(cpr_memory_group_room(root), 0);
    /* Within a container: a path of its host. */
    put("proc/self/cgroup", "0::/docker/0123\n");
    put("sys/fs/cgroup/memory.max", "777\n");
    assert_int_equal(cpr_memory_group_room(root), 777);
}

static void version_1(void **state)
{
    (void)state;
    put("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/slurm/job\n1:name=systemd:/y\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("sys/fs/cgroup/memory/slurm/job/memory.limit_in_bytes", "2000000\n");
    put("sys/fs/cgroup/memory/slurm/job/memory.stat",
        "cache 9\nrss 1\ntotal_cache 900000\ntotal_rss 500000\n");
    assert_int_equal(cpr_memory_group_room(root), 1500000);
}

static void check(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_memory_need need = {.who = "the test", .each = 1, .ranks = 1};
    assert_int_equal(cpr_memory_check(&need, &error), CPR_OK);
    need.each = UINT64_C(1) << 50; /* more than any machine has */
    assert_int_equal(cpr_memory_check(&need, &error), CPR_ERR_NO_MEMORY);
    assert_non_null(strstr(error.text, "memory: the test needs 1073741824 MiB a rank"));
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_DATA, &limit), 0);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)64 << 20;
    assert_int_equal(setrlimit(RLIMIT_DATA, &limit), 0);
    need.each = UINT64_C(65) << 20;
    const cpr_status status = cpr_memory_check(&need, &error);
    limit.rlim_cur = before;
    assert_int_equal(setrlimit(RLIMIT_DATA, &limit), 0);
    assert_int_equal(status, CPR_ERR_NO_MEMORY);
    assert_non_null(strstr(error.text, "ulimit -d"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_groups),
        cmocka_unit_test(version_2),
        cmocka_unit_test(version_1),
        cmocka_unit_test(check),
    };
    if (mkdtemp(root) == NULL)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[sizeof root + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command) == 0 ? failed : 1;
}
