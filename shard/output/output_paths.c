/* output_paths.c - names below the target directory, reached without following links. */
#define _GNU_SOURCE
#include "output_paths.h"
#include "file_io.h"
#include "file_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Directories that stay open, besides the target. */
#define OPEN_MOST 16

typedef struct cpr_output_level {
    size_t end; /* of its path in `parent` */
    dev_t device;
    ino_t inode;
    int fd; /* -1: closed, because enough are open below it */
} level;

cpr_status cpr_output_paths_init(cpr_output_paths *paths, const char *target, cpr_error *error)
{
    *paths = (cpr_output_paths){.target = target, .target_fd = -1};
    paths->parent = calloc(1, CPR_PATH_MAX_BYTES);
    if (paths->parent == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    return CPR_OK;
}

/* Leaves the directories below the first `depth` levels. */
static void go_up(cpr_output_paths *paths, size_t depth)
{
    while (paths->depth > depth) {
        const level *last = &paths->levels[--paths->depth];
        if (last->fd >= 0)
            close(last->fd);
    }
}

void cpr_output_paths_free(cpr_output_paths *paths)
{
    go_up(paths, 0);
    if (paths->target_fd >= 0)
        close(paths->target_fd);
    free(paths->levels);
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
    cpr_printable_path(paths->target, target, sizeof target);
    cpr_printable_path(member, shown, sizeof shown);
    return cpr_fail_errno(error, code, "cannot %s \"%s/%s\"", verb, target, shown);
}

static int open_directory(int above, const char *name)
{
    return cpr_io_openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

static int last_fd(const cpr_output_paths *paths)
{
    return paths->depth == 0 ? paths->target_fd : paths->levels[paths->depth - 1].fd;
}

/* Adds a level for an open directory; closes it after a failure. Returns an errno. */
static int push(cpr_output_paths *paths, int fd, size_t end)
{
    struct stat facts;
    int code = fstat(fd, &facts) == 0 ? 0 : errno;
    if (code == 0 && paths->depth == paths->capacity) {
        const size_t capacity = 2 * paths->capacity + 16;
        level *levels = realloc(paths->levels, capacity * sizeof *levels);
        code = levels == NULL ? ENOMEM : 0;
        if (levels != NULL) {
            paths->levels = levels;
            paths->capacity = capacity;
        }
    }
    if (code != 0) {
        close(fd);
        return code;
    }
    paths->levels[paths->depth++] =
        (level){.end = end, .device = facts.st_dev, .inode = facts.st_ino, .fd = fd};
    if (paths->depth > OPEN_MOST) {
        level *old = &paths->levels[paths->depth - 1 - OPEN_MOST];
        if (old->fd >= 0)
            close(old->fd);
        old->fd = -1;
    }
    return 0;
}

/* Opens one component, paths->parent from `start` to `end`, below the last level. Returns an errno.
 */
static int go_down(cpr_output_paths *paths, size_t start, size_t end, bool create)
{
    char *name = paths->parent + start;
    const char separator = paths->parent[end];
    const int above = last_fd(paths);
    int code = 0;
    paths->parent[end] = '\0';
    if (create && mkdirat(above, name, 0777) != 0 && errno != EEXIST)
        code = errno;
    const int fd = code == 0 ? open_directory(above, name) : -1;
    if (code == 0 && fd < 0)
        code = errno;
    paths->parent[end] = separator;
    return code == 0 ? push(paths, fd, end) : code;
}

/* Leaves the last level; true if the one above it is open then. */
static bool go_up_once(cpr_output_paths *paths)
{
    struct stat facts;
    if (paths->depth < 2 || paths->levels[paths->depth - 2].fd >= 0) {
        go_up(paths, paths->depth - 1);
        return true;
    }
    level *above = &paths->levels[paths->depth - 2];
    const int fd = open_directory(paths->levels[paths->depth - 1].fd, "..");
    go_up(paths, paths->depth - 1);
    /* The directory may have been moved: then its ".." is elsewhere. */
    if (fd >= 0 && fstat(fd, &facts) == 0 && facts.st_dev == above->device &&
        facts.st_ino == above->inode) {
        above->fd = fd;
        return true;
    }
    if (fd >= 0)
        close(fd);
    return false;
}

/* Goes to the directory whose path is the first `length` bytes of `member`. Returns an errno; then
 * paths->parent says where it failed. */
static int go_to(cpr_output_paths *paths, const char *member, size_t length, bool create)
{
    size_t common = 0;
    while (common < length && paths->parent[common] == member[common])
        common++;
    while (paths->depth > 0) {
        const size_t end = paths->levels[paths->depth - 1].end;
        if (end <= common && (end == length || member[end] == '/'))
            break;
        if (!go_up_once(paths))
            go_up(paths, 0);
    }
    size_t at = paths->depth == 0 ? 0 : paths->levels[paths->depth - 1].end + 1;
    memcpy(paths->parent, member, length);
    paths->parent[length] = '\0';
    int code = 0;
    while (code == 0 && at < length) {
        const size_t end = at + strcspn(paths->parent + at, "/");
        code = go_down(paths, at, end, create);
        at = end + 1;
    }
    return code;
}

cpr_status cpr_output_parent(cpr_output_paths *paths, const char *member,
                             cpr_output_missing missing, int *fd, const char **name,
                             cpr_error *error)
{
    const char *slash = strrchr(member, '/');
    const size_t length = slash == NULL ? 0 : (size_t)(slash - member);
    char target[CPR_SHOWN_BYTES / 2];
    char shown[CPR_SHOWN_BYTES];
    *fd = -1;
    *name = slash == NULL ? member : slash + 1;
    if (length >= CPR_PATH_MAX_BYTES)
        return cpr_output_fail(paths, ENAMETOOLONG, "open", member, error);
    cpr_status status = cpr_output_target(paths, missing == CPR_OUTPUT_CREATE, error);
    if (status != CPR_OK)
        return status;
    const int code = go_to(paths, member, length, missing == CPR_OUTPUT_CREATE);
    if (code == ENOENT && missing == CPR_OUTPUT_TELL)
        return CPR_OK;
    if (code == ELOOP || code == ENOTDIR)
        return cpr_fail(error, CPR_ERR_UNSAFE,
                        "\"%s\" below \"%s\" is, or passes through, a link or a file where "
                        "a directory should be",
                        cpr_printable_path(paths->parent, shown, sizeof shown),
                        cpr_printable_path(paths->target, target, sizeof target));
    if (code != 0)
        return cpr_output_fail(paths, code, "open the directory", paths->parent, error);
    *fd = last_fd(paths);
    return CPR_OK;
}
