/* output_paths.c - names below the target directory, reached without following links. */
#define _GNU_SOURCE
#include "output_paths.h"
#include "file_list.h"
#include "shard_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

cpr_status cpr_output_paths_init(cpr_output_paths *paths, const char *target, cpr_error *error)
{
    *paths = (cpr_output_paths){.target = target, .target_fd = -1, .parent_fd = -1};
    paths->parent = calloc(1, CPR_PATH_MAX_BYTES);
    if (paths->parent == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    return CPR_OK;
}

static void forget_parent(cpr_output_paths *paths)
{
    if (paths->parent_fd >= 0)
        (void)close(paths->parent_fd);
    paths->parent_fd = -1;
}

void cpr_output_paths_free(cpr_output_paths *paths)
{
    forget_parent(paths);
    if (paths->target_fd >= 0)
        (void)close(paths->target_fd);
    free(paths->parent);
}

/* mkdir -p: links in the user's own path to the target are the user's business. */
static int make_directories(const char *path)
{
    char *copy = strdup(path);
    int code = copy == NULL ? ENOMEM : 0;
    for (char *c = copy; code == 0 && *c != '\0';) {
        c += strspn(c, "/");
        c += strcspn(c, "/");
        const char end = *c;
        *c = '\0';
        if (copy[0] != '\0' && mkdir(copy, 0777) != 0 && errno != EEXIST && errno != EISDIR) {
            /* A parent on a read-only file system may exist all the same. */
            const int reason = errno;
            struct stat facts;
            if (stat(copy, &facts) != 0)
                code = reason;
        }
        *c = end;
    }
    free(copy);
    return code;
}

cpr_status cpr_output_target(cpr_output_paths *paths, bool create, cpr_error *error)
{
    if (paths->target_fd >= 0)
        return CPR_OK;
    const int code = create ? make_directories(paths->target) : 0;
    if (code != 0)
        return cpr_io_fail(error, code, "create the directory", paths->target);
    paths->target_fd = cpr_io_open(paths->target, O_RDONLY | O_DIRECTORY);
    if (paths->target_fd < 0)
        return cpr_io_fail(error, errno, "open the directory", paths->target);
    return CPR_OK;
}

cpr_status cpr_output_fail(const cpr_output_paths *paths, int code, const char *verb,
                           const char *member, cpr_error *error)
{
    char target[CPR_SHOWN_BYTES / 2];
    char shown[CPR_SHOWN_BYTES];
    cpr_printable_path(paths->target, target, sizeof(target));
    cpr_printable_path(member, shown, sizeof(shown));
    return cpr_fail_errno(error, code, "cannot %s \"%s/%s\"", verb, target, shown);
}

/* Opens one component below `above`. Returns an errno, with *fd -1. */
static int descend(int above, const char *name, bool create, int *fd)
{
    if (create && mkdirat(above, name, 0777) != 0 && errno != EEXIST) {
        *fd = -1;
        return errno;
    }
    do
        *fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    while (*fd < 0 && errno == EINTR);
    return *fd < 0 ? errno : 0;
}

/* Opens the directory paths->parent, whose components end in '/' except the last. */
static int open_parent(cpr_output_paths *paths, bool create)
{
    int at = dup(paths->target_fd);
    int code = at < 0 ? errno : 0;
    for (char *name = paths->parent; code == 0 && *name != '\0';) {
        char *end = name + strcspn(name, "/");
        const char separator = *end;
        int next;
        *end = '\0';
        code = descend(at, name, create, &next);
        *end = separator;
        (void)close(at);
        at = next;
        name = end + (separator == '/');
    }
    if (code != 0 && at >= 0)
        (void)close(at);
    paths->parent_fd = code == 0 ? at : -1;
    return code;
}

cpr_status cpr_output_parent(cpr_output_paths *paths, const char *member,
                             cpr_output_missing missing, int *fd, const char **name,
                             cpr_error *error)
{
    const char *slash = strrchr(member, '/');
    const size_t length = slash == NULL ? 0 : (size_t)(slash - member);
    char shown[CPR_SHOWN_BYTES];
    *fd = -1;
    *name = slash == NULL ? member : slash + 1;
    if (length >= CPR_PATH_MAX_BYTES)
        return cpr_output_fail(paths, ENAMETOOLONG, "open", member, error);
    cpr_status status = cpr_output_target(paths, missing == CPR_OUTPUT_CREATE, error);
    if (status != CPR_OK)
        return status;
    if (paths->parent_fd < 0 || strncmp(paths->parent, member, length) != 0 ||
        paths->parent[length] != '\0') {
        forget_parent(paths);
        memcpy(paths->parent, member, length);
        paths->parent[length] = '\0';
        const int code = open_parent(paths, missing == CPR_OUTPUT_CREATE);
        if (code == ENOENT && missing == CPR_OUTPUT_TELL)
            return CPR_OK;
        if (code == ELOOP || code == ENOTDIR)
            return cpr_fail(error, CPR_ERR_UNSAFE,
                            "\"%s\" below \"%.200s\" is, or passes through, a link or a file where "
                            "a directory should be",
                            cpr_printable_path(paths->parent, shown, sizeof(shown)), paths->target);
        if (code != 0)
            return cpr_output_fail(paths, code, "open the directory", paths->parent, error);
    }
    *fd = paths->parent_fd;
    return CPR_OK;
}

void cpr_output_temporary(const char *member, char out[CPR_OUTPUT_NAME_BYTES])
{
    const char *slash = strrchr(member, '/');
    const char *name = slash == NULL ? member : slash + 1;
    /* A name may fill all 255 bytes that a file system takes. */
    (void)snprintf(out, CPR_OUTPUT_NAME_BYTES, ".%.200s.corpress-%016llx", name,
                   (unsigned long long)XXH3_64bits(member, strlen(member)));
}
