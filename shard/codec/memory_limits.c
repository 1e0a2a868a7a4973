/* memory_limits.c - limits on memory, and what is left of them. */
#include "memory_limits.h"

#include "codec.h"
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define NO_LIMIT UINT64_MAX
#define PATH_BYTES 4608

static uint64_t minus(uint64_t limit, uint64_t used)
{
    return limit == NO_LIMIT ? limit : limit > used ? limit - used : 0;
}

/* The number behind `name` at the start of a line of a file, times `unit`; 0 if there is none. */
static uint64_t read_value(const char *path, const char *name, uint64_t unit)
{
    char line[256];
    uint64_t value = 0;
    FILE *file = fopen(path, "r");
    const size_t length = strlen(name);
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, length) == 0 && strchr(": \t", line[length]) != NULL) {
            value = strtoull(line + length + strspn(line + length, ": \t"), NULL, 10) * unit;
            break;
        }
    if (file != NULL)
        fclose(file);
    return value;
}

/* ---- this process ---- */

static uint64_t process_room(int resource, const char *used)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return NO_LIMIT;
    return minus(limit.rlim_cur, read_value("/proc/self/status", used, 1024));
}

/* ---- control groups ---- */

/* The limit in a file of one number or "max"; version 1 says no limit with a huge number. */
static uint64_t read_limit(const char *directory, const char *name)
{
    char path[PATH_BYTES + 64];
    char text[64] = "";
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return NO_LIMIT;
    const bool read = fgets(text, sizeof text, file) != NULL && text[0] >= '0' && text[0] <= '9';
    fclose(file);
    const uint64_t limit = read ? strtoull(text, NULL, 10) : NO_LIMIT;
    return limit >= (uint64_t)INT64_MAX / 2 ? NO_LIMIT : limit;
}

/* What one group leaves. */
static uint64_t group_room(const char *directory, bool second)
{
    char path[PATH_BYTES + 64];
    const uint64_t limit = read_limit(directory, second ? "memory.max" : "memory.limit_in_bytes");
    if (limit == NO_LIMIT)
        return NO_LIMIT;
    snprintf(path, sizeof path, "%s/memory.stat", directory);
    return minus(limit, read_value(path, second ? "anon" : "total_rss", 1) +
                            read_value(path, second ? "shmem" : "total_shmem", 1));
}

/* The least room of a group and those above it. In a container the path may be of its host, which
 * cannot be seen: then the group that is mounted is what counts. */
static uint64_t groups_room(const char *mount, const char *group, bool second)
{
    char path[PATH_BYTES];
    const size_t top = strlen(mount);
    uint64_t least = NO_LIMIT;
    if ((size_t)snprintf(path, sizeof path, "%s%s", mount, group) >= sizeof path)
        return NO_LIMIT;
    for (;;) {
        const uint64_t room = group_room(path, second);
        least = room < least ? room : least;
        char *slash = strrchr(path + top, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

/* A line of /proc/self/cgroup: "0::/path", "4:cpu,memory:/path". */
static uint64_t line_room(const char *root, char *line)
{
    char mount[512];
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL)
        return NO_LIMIT;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    uint64_t least = NO_LIMIT;
    const bool second = controllers[1] == '\0';
    static const char *const mounts[2][2] = {{"/sys/fs/cgroup/memory", NULL},
                                             {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}};
    bool memory = second;
    for (const char *at = controllers + 1; !memory && at != NULL; at = strchr(at, ','))
        memory = strncmp(at += *at == ',', "memory", 6) == 0 && (at[6] == ',' || at[6] == '\0');
    for (int i = 0; memory && i < 2 && mounts[second][i] != NULL; i++) {
        snprintf(mount, sizeof mount, "%s%s", root, mounts[second][i]);
        const uint64_t room = groups_room(mount, group, second);
        least = room < least ? room : least;
    }
    return least;
}

uint64_t cpr_memory_group_room(const char *root)
{
    char path[512];
    char line[PATH_BYTES];
    uint64_t least = NO_LIMIT;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const uint64_t room = line_room(root, line);
        least = room < least ? room : least;
    }
    if (file != NULL)
        fclose(file);
    return least;
}

/* ---- the check ---- */

cpr_memory_need cpr_memory_need_of(const struct cpr_profile *profile, uint64_t max_bytes,
                                   bool primer)
{
    cpr_memory_need need = {.each = cpr_codec_memory(profile, max_bytes),
                            .shared = primer ? cpr_codec_base_memory(profile, max_bytes) : 0,
                            .ranks = 1,
                            .one_copy = true};
    snprintf(need.who, sizeof need.who, "profile %s", cpr_profile_name(profile));
    return need;
}

static uint64_t of_machine(const char *name)
{
    return read_value("/proc/meminfo", name, 1024);
}

static uint64_t need_of_node(const cpr_memory_need *need)
{
    return need->ranks * need->each + need->shared;
}

static cpr_status refuse(const cpr_memory_need *need, uint64_t room, const char *limit,
                         cpr_error *error)
{
    char shared[64] = "";
    if (need->shared)
        snprintf(shared, sizeof shared, " and %llu MiB a node",
                 (unsigned long long)(need->shared >> 20));
    return cpr_fail(error, CPR_ERR_NO_MEMORY,
                    "not enough memory: %s needs %llu MiB a rank%s, there are %llu MiB for %llu "
                    "rank%s (%s)",
                    need->who, (unsigned long long)(need->each >> 20), shared,
                    (unsigned long long)(room >> 20), (unsigned long long)need->ranks,
                    need->ranks == 1 ? "" : "s", limit);
}

cpr_status cpr_memory_check(const cpr_memory_need *need, cpr_error *error)
{
    cpr_memory_need alone = *need;
    alone.ranks = 1;
    uint64_t room = process_room(RLIMIT_AS, "VmSize");
    if (need_of_node(&alone) > room)
        return refuse(&alone, room, "limit on its address space, ulimit -v", error);
    room = process_room(RLIMIT_DATA, "VmData");
    if (need->each + (need->one_copy ? need->shared : 0) > room)
        return refuse(&alone, room, "limit on its data, ulimit -d", error);
    const uint64_t swap = of_machine("SwapFree");
    room = cpr_memory_group_room("");
    if (room != NO_LIMIT && need_of_node(need) > room + swap)
        return refuse(need, room + swap, "limit of its control group", error);
    room = of_machine("MemTotal") + of_machine("SwapTotal");
    if (room > 0 && need_of_node(need) > room)
        return refuse(need, room, "all that the machine has", error);
    return CPR_OK;
}

bool cpr_memory_is_short(const cpr_memory_need *need, uint64_t *free_bytes)
{
    const uint64_t available = of_machine("MemAvailable");
    *free_bytes = available + of_machine("SwapFree");
    return available > 0 && need_of_node(need) > *free_bytes;
}
