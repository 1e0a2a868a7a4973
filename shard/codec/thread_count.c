/* thread_count.c - how many threads to decode with. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "thread_count.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define THREADS_MOST 256u
#define PATH_BYTES 4608

/* Of the set of processors that the scheduler may choose from. */
static unsigned affinity_count(void)
{
    for (size_t processors = 1024; processors <= (size_t)1 << 20; processors *= 4) {
        cpu_set_t *set = CPU_ALLOC(processors);
        if (set == NULL)
            return 1;
        const size_t bytes = CPU_ALLOC_SIZE(processors);
        const bool known = sched_getaffinity(0, bytes, set) == 0;
        const int count = known ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (known)
            return count > 0 ? (unsigned)count : 1;
    }
    return 1;
}

/* What "QUOTA PERIOD" in a group's cpu.max allows, rounded up; "max" is no limit. */
static unsigned quota_count(const char *directory, unsigned most)
{
    char path[PATH_BYTES + 16];
    char text[64] = "";
    snprintf(path, sizeof path, "%s/cpu.max", directory);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return most;
    const bool read = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    char *end = text;
    const unsigned long long quota = read ? strtoull(text, &end, 10) : 0;
    const unsigned long long period = strtoull(end, NULL, 10);
    if (quota == 0 || period == 0 || quota / period >= most)
        return most;
    return (unsigned)((quota + period - 1) / period);
}

/* The least that the process' control group and those above it allow. */
static unsigned groups_count(const char *root, unsigned most)
{
    char line[PATH_BYTES];
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const int top = snprintf(path, sizeof path, "%s/sys/fs/cgroup", root);
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::", 3) != 0 || (size_t)top + strlen(line) >= sizeof path)
            continue;
        memcpy(path + top, line + 3, strlen(line + 3) + 1);
        for (char *slash = path; slash != NULL; slash = strrchr(path + top, '/')) {
            if (slash != path)
                *slash = '\0';
            most = quota_count(path, most);
        }
    }
    if (file != NULL)
        fclose(file);
    return most;
}

unsigned cpr_processors(const char *root)
{
    return groups_count(root, affinity_count());
}

/* A thread's stack, and buffers; where address space is limited, what malloc() reserves of it for
 * each thread, too. */
static uint64_t overhead_of_thread(void)
{
    struct rlimit limit;
    const bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return (uint64_t)(limited ? 80 : 16) << 20;
}

unsigned cpr_thread_count(const cpr_memory_need *need, unsigned wanted, uint64_t items)
{
    uint64_t count = wanted > 0 ? wanted : cpr_processors("");
    count = count > THREADS_MOST ? THREADS_MOST : count;
    count = count > items ? items : count;
    for (; count > 1; count--) {
        uint64_t free_bytes;
        cpr_memory_need all = *need;
        all.each = count * (need->each + overhead_of_thread());
        if (cpr_memory_check(&all, NULL) == CPR_OK &&
            (wanted > 0 || !cpr_memory_is_short(&all, &free_bytes)))
            break;
    }
    return count > 0 ? (unsigned)count : 1;
}
