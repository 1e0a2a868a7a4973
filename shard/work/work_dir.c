/* work_dir.c - the directory beside the archive that holds a job's state: its files as such. */
#define _GNU_SOURCE
#include "work_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEAL_BYTES 512
#define HASH_BYTES 16 /* of `published` */
#define LOCK_MAGIC_BYTES (sizeof CPR_WORK_LOCK_MAGIC - 1)

char *cpr_work_path(const char *archive_path)
{
    static const char end[] = ".work";
    const size_t length = strlen(archive_path);
    char *path = malloc(length + sizeof end);
    if (path != NULL) {
        memcpy(path, archive_path, length);
        memcpy(path + length, end, sizeof end);
    }
    return path;
}

void cpr_work_temporary(char out[CPR_WORK_NAME_BYTES])
{
    char attempt[128];
    cpr_io_attempt(attempt, sizeof attempt);
    snprintf(out, CPR_WORK_NAME_BYTES, CPR_WORK_TEMPORARY "%s", attempt);
}

int cpr_work_openat(const cpr_work_dir *work, const char *name, int flags)
{
    int fd;
    do
        fd = openat(work->fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

void cpr_work_dir_close(cpr_work_dir *work)
{
    if (work == NULL)
        return;
    if (work->shard_fd >= 0)
        close(work->shard_fd);
    if (work->fd >= 0)
        close(work->fd);
    free(work->path);
    free(work);
}

/* ---- what is in it -------------------------------------------------------------------------- */

typedef enum item_kind {
    ITEM_FOREIGN,
    ITEM_SHARD,
    ITEM_SNAPSHOT,
    ITEM_PARTIAL,
    ITEM_PROGRESS,
    ITEM_TEMPORARY, /* of any attempt: ".tmp-...", and "....tmp" for an unpublished archive */
    ITEM_INPUTS,    /* what is known of compressed inputs */
    ITEM_STREAM,    /* what a pipe gave */
    ITEM_STATE      /* manifest, lock, published: they go last, in this order */
} item_kind;

/* Whether `name` is `start`, what cpr_io_attempt() makes, and `end`: HOST-PID-RANDOM. */
static bool has_attempt(const char *name, const char *start, const char *end)
{
    static const char digits[] = "0123456789";
    static const char plain[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";
    const size_t before = strlen(start);
    const size_t after = strlen(end);
    const size_t length = strlen(name);
    char text[CPR_WORK_NAME_BYTES];
    if (length < before + after + 1 || length >= sizeof text || memcmp(name, start, before) != 0 ||
        strcmp(name + length - after, end) != 0)
        return false;
    memcpy(text, name + before, length - before - after);
    text[length - before - after] = '\0';
    char *random = strrchr(text, '-');
    if (random == NULL || strspn(random + 1, "0123456789abcdef") != 16 || random[17] != '\0')
        return false;
    *random = '\0';
    const char *pid = strrchr(text, '-');
    return pid != NULL && pid[1] != '\0' && pid[1 + strspn(pid + 1, digits)] == '\0' &&
           text[strspn(text, plain)] == '\0';
}

/* "stream-NUMBER-HASH", as work_stream.c names it. */
static bool is_stream(const char *name)
{
    char start[CPR_WORK_NAME_BYTES];
    if (strncmp(name, CPR_WORK_STREAM, sizeof CPR_WORK_STREAM - 1) != 0)
        return false;
    const char *number = name + sizeof CPR_WORK_STREAM - 1;
    snprintf(start, sizeof start, CPR_WORK_STREAM "%08llu-", strtoull(number, NULL, 10));
    const char *hash = name + strlen(start);
    return strncmp(name, start, strlen(start)) == 0 && strlen(hash) == 16 &&
           strspn(hash, "0123456789abcdef") == 16;
}

/* What a name stands for; *shard if it is that of a shard, of the primer,
 * or of the weights. A name is ours if we
 * would give exactly that one. */
static item_kind kind_of(const char *name, uint64_t *shard)
{
    static const struct {
        void (*name)(uint64_t shard, char out[CPR_WORK_NAME_BYTES]);
        item_kind kind;
    } numbered[] = {{cpr_work_shard_name, ITEM_SHARD},
                    {cpr_work_snapshot_name, ITEM_SNAPSHOT},
                    {cpr_work_partial_name, ITEM_PARTIAL}};
    const uint64_t number = strtoull(name + strcspn(name, "0123456789"), NULL, 10);
    const uint64_t candidates[] = {CPR_SHARD_PRIMER, CPR_SHARD_WEIGHTS, number};
    for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++) {
        for (size_t k = 0; k < sizeof candidates / sizeof *candidates; k++) {
            char its_name[CPR_WORK_NAME_BYTES];
            *shard = candidates[k];
            numbered[i].name(*shard, its_name);
            if (strcmp(name, its_name) == 0)
                return numbered[i].kind;
        }
    }
    *shard = UINT64_MAX;
    if (has_attempt(name, CPR_WORK_TEMPORARY, "") || has_attempt(name, "archive-", ".tmp"))
        return ITEM_TEMPORARY;
    if (strcmp(name, CPR_WORK_PROGRESS) == 0)
        return ITEM_PROGRESS;
    if (strcmp(name, CPR_WORK_MANIFEST) == 0 || strcmp(name, CPR_WORK_LOCK) == 0 ||
        strcmp(name, CPR_WORK_PUBLISHED) == 0)
        return ITEM_STATE;
    char inputs[CPR_WORK_NAME_BYTES];
    cpr_work_inputs_name(number, inputs);
    if (strcmp(name, inputs) == 0)
        return ITEM_INPUTS;
    return is_stream(name) ? ITEM_STREAM : ITEM_FOREIGN;
}

/* A second view of the directory: reading through `fd` itself would share its position. */
static DIR *open_items(const cpr_work_dir *work)
{
    const int fd = cpr_work_openat(work, ".", O_RDONLY | O_DIRECTORY);
    DIR *items = fd < 0 ? NULL : fdopendir(fd);
    if (items == NULL && fd >= 0)
        close(fd);
    return items;
}

/* ---- whose it is ---------------------------------------------------------------------------- */

/* Whether the regular file `name` begins with these bytes. *code is set if that cannot be said. */
static bool begins_with(const cpr_work_dir *work, const char *name, const char *start, int *code)
{
    char found[32];
    struct stat facts;
    const size_t bytes = strlen(start);
    const int fd = cpr_work_openat(work, name, O_RDONLY);
    if (fd < 0) {
        if (errno != ENOENT && errno != ELOOP)
            *code = errno;
        return false;
    }
    int failed = fstat(fd, &facts) == 0 ? 0 : errno;
    if (failed == 0)
        failed = S_ISREG(facts.st_mode) ? cpr_io_pread(fd, found, bytes, 0) : CPR_IO_END;
    close(fd);
    if (failed != 0 && failed != CPR_IO_END)
        *code = failed;
    return failed == 0 && memcmp(found, start, bytes) == 0;
}

/* What may be there before the lock says that the directory is ours, and after it was removed: the
 * lock before its first bytes, the mark that goes last, and what NFS makes of an open file. */
static bool means_nothing(const cpr_work_dir *work, const char *name)
{
    struct stat facts;
    if (fstatat(work->fd, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT;
    if (strncmp(name, ".nfs", 4) == 0)
        return true;
    return S_ISREG(facts.st_mode) &&
           ((strcmp(name, CPR_WORK_LOCK) == 0 && facts.st_size == 0) ||
            (strcmp(name, CPR_WORK_PUBLISHED) == 0 && facts.st_size == HASH_BYTES));
}

/* The first entry that `passes` refuses, in `out`; false: there is none. */
static bool find_other(const cpr_work_dir *work, bool (*passes)(const cpr_work_dir *, const char *),
                       char out[NAME_MAX + 1])
{
    DIR *items = open_items(work);
    bool found = items == NULL; /* what cannot be seen may be anything */
    const struct dirent *item;
    snprintf(out, NAME_MAX + 1, "?");
    while (!found && items != NULL && (item = readdir(items)) != NULL) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        found = !passes(work, item->d_name);
        if (found)
            snprintf(out, NAME_MAX + 1, "%s", item->d_name);
    }
    if (items != NULL)
        closedir(items);
    return found;
}

/* A work directory is one whose lock or manifest says so, or that is empty. Where others may write
 * it must be our own: they could have put anything into it. */
static cpr_status check_owner(const cpr_work_dir *work, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    char name[NAME_MAX + 1];
    char shown_name[CPR_SHOWN_BYTES / 2];
    struct stat facts;
    cpr_printable_path(work->path, shown, sizeof shown);
    if (fstat(work->fd, &facts) != 0)
        return cpr_io_fail(error, errno, "look at", work->path);
    if (facts.st_uid != geteuid() && (facts.st_mode & S_IWOTH) != 0)
        return cpr_fail(error, CPR_ERR_EXISTS,
                        "\"%s\" belongs to another user, and everybody may write to it; move it "
                        "away, or give the archive another name",
                        shown);
    int code = 0;
    if (begins_with(work, CPR_WORK_LOCK, CPR_WORK_LOCK_MAGIC, &code) ||
        begins_with(work, CPR_WORK_MANIFEST, CPR_WORK_MANIFEST_MAGIC, &code))
        return CPR_OK;
    if (code != 0)
        return cpr_io_fail(error, code, "look into", work->path);
    if (!find_other(work, means_nothing, name))
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_EXISTS,
                    "\"%s\" is not a work directory of corpress: \"%s\" is in it; move it away, or "
                    "give the archive another name",
                    shown, cpr_printable_path(name, shown_name, sizeof shown_name));
}

/* Says that the directory is ours, unless its lock does already. */
static cpr_status mark_as_ours(const cpr_work_dir *work, cpr_error *error)
{
    const int fd = cpr_work_openat(work, CPR_WORK_LOCK, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0 && errno == EEXIST)
        return CPR_OK;
    int code = fd < 0 ? errno : cpr_io_pwrite(fd, CPR_WORK_LOCK_MAGIC, LOCK_MAGIC_BYTES, 0);
    const int closed = fd >= 0 ? cpr_io_close(fd) : 0;
    if (code == 0)
        code = closed;
    if (code == ENOENT) /* the job before has just removed the directory */
        return CPR_ERR_NOT_FOUND;
    return code == 0 ? CPR_OK : cpr_io_fail(error, code, "create files in", work->path);
}

/* Opens what is there, not through a link. */
static cpr_status open_directory(cpr_work_dir *work, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    work->fd = cpr_io_open(work->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (work->fd >= 0)
        return check_owner(work, error);
    const int code = errno;
    if (code == ENOTDIR || code == ELOOP)
        return cpr_fail(error, CPR_ERR_EXISTS,
                        "\"%s\" is a link or a file where the work directory is to be; move it "
                        "away, or give the archive another name",
                        cpr_printable_path(work->path, shown, sizeof shown));
    const cpr_status status = cpr_io_fail(error, code, "open the work directory", work->path);
    return code == ENOENT ? CPR_ERR_NOT_FOUND : status;
}

cpr_status cpr_work_dir_open(const char *archive_path, bool create, cpr_work_dir **out,
                             cpr_error *error)
{
    cpr_status status = CPR_OK;
    cpr_work_dir *work = malloc(sizeof *work);
    *out = NULL;
    if (work == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    *work = (cpr_work_dir){.path = cpr_work_path(archive_path), .fd = -1, .shard_fd = -1};
    if (work->path == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    else if (create && mkdir(work->path, 0777) != 0 && errno != EEXIST)
        status = cpr_io_fail(error, errno, "create the work directory", work->path);
    if (status == CPR_OK)
        status = open_directory(work, error);
    if (status == CPR_OK && create)
        status = mark_as_ours(work, error);
    if (status == CPR_OK && create)
        status = cpr_io_sync_parent(work->path, error);
    /* To all but a job that wants the name, a directory that is not ours is none. */
    if (status == CPR_ERR_EXISTS && !create)
        status = CPR_ERR_NOT_FOUND;
    if (status != CPR_OK) {
        cpr_work_dir_close(work);
        return status;
    }
    *out = work;
    return CPR_OK;
}

/* ---- listing and removing ------------------------------------------------------------------- */

cpr_status cpr_work_dir_scan(const cpr_work_dir *work, cpr_work_scan *scan, uint8_t *marks,
                             uint64_t shards, cpr_error *error)
{
    *scan = (cpr_work_scan){.shards = 0};
    DIR *items = open_items(work);
    const struct dirent *item;
    if (items == NULL)
        return cpr_io_fail(error, errno, "read the work directory", work->path);
    errno = 0;
    while ((item = readdir(items)) != NULL) {
        uint64_t shard;
        struct stat facts;
        const item_kind kind = kind_of(item->d_name, &shard);
        const bool counted = kind == ITEM_SHARD || kind == ITEM_SNAPSHOT || kind == ITEM_PARTIAL ||
                             kind == ITEM_STREAM || kind == ITEM_INPUTS;
        if (counted && fstatat(dirfd(items), item->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0)
            scan->bytes += (uint64_t)facts.st_size;
        const uint8_t mark = kind == ITEM_SHARD      ? CPR_WORK_HAS_SHARD
                             : kind == ITEM_SNAPSHOT ? CPR_WORK_HAS_SNAPSHOT
                                                     : 0;
        if (shard == CPR_SHARD_PRIMER)
            scan->primer |= mark;
        if (shard == CPR_SHARD_WEIGHTS)
            scan->lesson |= mark;
        scan->shards += kind == ITEM_SHARD && shard < CPR_SHARD_WEIGHTS;
        scan->streams += kind == ITEM_STREAM;
        scan->inputs += kind == ITEM_INPUTS;
        scan->snapshots += kind == ITEM_SNAPSHOT && shard < CPR_SHARD_WEIGHTS;
        scan->manifest = scan->manifest || strcmp(item->d_name, CPR_WORK_MANIFEST) == 0;
        scan->published = scan->published || strcmp(item->d_name, CPR_WORK_PUBLISHED) == 0;
        if (marks != NULL && shard < shards)
            marks[shard] |= mark;
        errno = 0;
    }
    cpr_status status = CPR_OK;
    if (errno != 0)
        status = cpr_io_fail(error, errno, "read the work directory", work->path);
    closedir(items);
    return status;
}

/* Only a regular file can be ours: a link or a directory of such a name stays. */
static cpr_status remove_item(const cpr_work_dir *work, const char *name, cpr_error *error)
{
    struct stat facts;
    if (fstatat(work->fd, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(facts.st_mode))
        return CPR_OK;
    if (unlinkat(work->fd, name, 0) == 0 || errno == ENOENT)
        return CPR_OK;
    return cpr_io_fail(error, errno, "empty the work directory", work->path);
}

/* Removes everything of these kinds. */
static cpr_status sweep(const cpr_work_dir *work, item_kind least, item_kind most, cpr_error *error)
{
    cpr_status status = CPR_OK;
    DIR *items = open_items(work);
    const struct dirent *item;
    if (items == NULL)
        return cpr_io_fail(error, errno, "read the work directory", work->path);
    errno = 0;
    while (status == CPR_OK && (item = readdir(items)) != NULL) {
        uint64_t shard;
        const item_kind kind = kind_of(item->d_name, &shard);
        if (kind >= least && kind <= most)
            status = remove_item(work, item->d_name, error);
        errno = 0;
    }
    if (status == CPR_OK && errno != 0)
        status = cpr_io_fail(error, errno, "read the work directory", work->path);
    closedir(items);
    return status;
}

cpr_status cpr_work_dir_tidy(const cpr_work_dir *work, cpr_error *error)
{
    return sweep(work, ITEM_TEMPORARY, ITEM_TEMPORARY, error);
}

cpr_status cpr_work_streams_drop_others(const cpr_work_dir *work, const cpr_work_streams *streams,
                                        cpr_error *error)
{
    cpr_status status = CPR_OK;
    DIR *items = open_items(work);
    const struct dirent *item;
    uint64_t shard;
    errno = 0;
    while (status == CPR_OK && items != NULL && (item = readdir(items)) != NULL) {
        if (kind_of(item->d_name, &shard) == ITEM_STREAM &&
            !cpr_work_streams_wants(streams, item->d_name))
            status = remove_item(work, item->d_name, error);
        errno = 0;
    }
    if (status == CPR_OK && errno != 0)
        status = cpr_io_fail(error, errno, "read the work directory", work->path);
    if (items != NULL)
        closedir(items);
    return status;
}

cpr_status cpr_work_dir_clear(cpr_work_dir *work, bool streams, cpr_error *error)
{
    if (work->shard_fd >= 0)
        close(work->shard_fd);
    work->shard_fd = -1;
    cpr_status status = sweep(work, ITEM_SHARD, streams ? ITEM_STREAM : ITEM_TEMPORARY, error);
    if (status == CPR_OK)
        status = remove_item(work, CPR_WORK_MANIFEST, error);
    if (status == CPR_OK)
        status = remove_item(work, CPR_WORK_PUBLISHED, error);
    return status;
}

/* What a job leaves, or what the next one has begun with. */
static bool is_ours(const cpr_work_dir *work, const char *name)
{
    uint64_t shard;
    struct stat facts;
    if (fstatat(work->fd, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT;
    return strncmp(name, ".nfs", 4) == 0 ||
           (S_ISREG(facts.st_mode) && kind_of(name, &shard) != ITEM_FOREIGN);
}

/* The directory could not be removed: CPR_ERR_EXISTS if something is in it that is not ours. */
static cpr_status fail_leftover(const cpr_work_dir *work, int code, cpr_error *error)
{
    char name[NAME_MAX + 1];
    char shown[CPR_SHOWN_BYTES];
    char shown_name[CPR_SHOWN_BYTES / 2];
    if (code != ENOTEMPTY && code != EEXIST)
        return cpr_io_fail(error, code, "remove the work directory", work->path);
    if (!find_other(work, is_ours, name))
        return CPR_OK; /* another job has begun in it */
    return cpr_fail(error, CPR_ERR_EXISTS, "\"%s\" stays, because \"%s\" in it is not ours",
                    cpr_printable_path(work->path, shown, sizeof shown),
                    cpr_printable_path(name, shown_name, sizeof shown_name));
}

cpr_status cpr_work_dir_remove(const char *archive_path, cpr_work_lock *lock, cpr_error *error)
{
    cpr_work_dir *work;
    cpr_status status = cpr_work_dir_open(archive_path, false, &work, error);
    if (status == CPR_ERR_NOT_FOUND) {
        cpr_work_lock_release(lock);
        return CPR_OK;
    }
    /* The mark that the archive is complete goes last: a job killed here can go on. What pipes
     * gave, and what is known of inputs, is needed as long as the manifest is there to be compared
     * with it. */
    if (status == CPR_OK)
        status = sweep(work, ITEM_SHARD, ITEM_TEMPORARY, error);
    if (status == CPR_OK)
        status = remove_item(work, CPR_WORK_MANIFEST, error);
    if (status == CPR_OK)
        status = sweep(work, ITEM_INPUTS, ITEM_STREAM, error);
    if (status == CPR_OK)
        status = remove_item(work, CPR_WORK_LOCK, error);
    /* NFS keeps a file that is open under another name in the directory: close it now. */
    cpr_work_lock_release(lock);
    if (status == CPR_OK)
        status = remove_item(work, CPR_WORK_PUBLISHED, error);
    if (status == CPR_OK && rmdir(work->path) != 0 && errno != ENOENT)
        status = fail_leftover(work, errno, error);
    cpr_work_dir_close(work);
    return status;
}

/* ---- small files ---------------------------------------------------------------------------- */

static cpr_status fail_file(const cpr_work_dir *work, const char *name, int code, const char *verb,
                            cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    return cpr_fail_errno(error, code, "cannot %s \"%s\" in \"%s\"", verb, name,
                          cpr_printable_path(work->path, shown, sizeof shown));
}

cpr_status cpr_work_name_file(const cpr_work_dir *work, int fd, const char *temporary,
                              const char *name, cpr_error *error)
{
    cpr_status status = CPR_OK;
    int code = cpr_io_sync(fd);
    if (code != 0)
        status = fail_file(work, name, code, "sync", error);
    /* Network file systems report a full disk as late as here. */
    code = cpr_io_close(fd);
    if (code != 0 && status == CPR_OK)
        status = fail_file(work, name, code, "close", error);
    if (status == CPR_OK && renameat(work->fd, temporary, work->fd, name) != 0)
        status = fail_file(work, name, errno, "name", error);
    if (status != CPR_OK)
        unlinkat(work->fd, temporary, 0);
    else if ((code = cpr_io_sync_directory(work->fd)) != 0)
        status = fail_file(work, name, code, "sync the directory of", error);
    return status;
}

cpr_status cpr_work_put_file(const cpr_work_dir *work, const char *name, const void *data,
                             size_t bytes, bool durable, cpr_error *error)
{
    char temporary[CPR_WORK_NAME_BYTES];
    cpr_work_temporary(temporary);
    const int fd = cpr_work_openat(work, temporary, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0)
        return fail_file(work, name, errno, "create", error);
    int code = cpr_io_write(fd, data, bytes);
    if (code == 0 && durable)
        return cpr_work_name_file(work, fd, temporary, name, error);
    const int closed = cpr_io_close(fd);
    code = code == 0 ? closed : code;
    if (code == 0 && renameat(work->fd, temporary, work->fd, name) != 0)
        code = errno;
    if (code == 0)
        return CPR_OK;
    unlinkat(work->fd, temporary, 0);
    return fail_file(work, name, code, "write", error);
}

cpr_status cpr_work_scratch_open(const cpr_work_dir *work, int *fd, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    cpr_work_temporary(name);
    *fd = cpr_work_openat(work, name, O_RDWR | O_CREAT | O_EXCL);
    if (*fd < 0)
        return fail_file(work, name, errno, "create", error);
    unlinkat(work->fd, name, 0);
    return CPR_OK;
}

cpr_status cpr_work_get_file(const cpr_work_dir *work, const char *name, uint8_t **data,
                             size_t *bytes, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    struct stat facts;
    *data = NULL;
    *bytes = 0;
    const int fd = cpr_work_openat(work, name, O_RDONLY);
    if (fd < 0 && errno == ENOENT)
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "there is no \"%s\" in \"%s\"", name,
                        cpr_printable_path(work->path, shown, sizeof shown));
    if (fd < 0)
        return fail_file(work, name, errno, "open", error);
    int code = fstat(fd, &facts) == 0 ? 0 : errno;
    if (code == 0) {
        *bytes = (size_t)facts.st_size;
        *data = malloc(*bytes + 1);
        code = *data == NULL ? ENOMEM : cpr_io_pread(fd, *data, *bytes, 0);
    }
    close(fd);
    if (code == 0) {
        (*data)[*bytes] = 0;
        return CPR_OK;
    }
    free(*data);
    *data = NULL;
    if (code == CPR_IO_END) /* it was cut while it was read */
        return cpr_fail(error, CPR_ERR_DAMAGED, "\"%s\" in \"%s\" ends too early", name,
                        cpr_printable_path(work->path, shown, sizeof shown));
    return fail_file(work, name, code, "read", error);
}

/* ---- publishing ----------------------------------------------------------------------------- */

char *cpr_work_archive_path(const char *archive_path)
{
    char attempt[128];
    cpr_io_attempt(attempt, sizeof attempt);
    const size_t room = strlen(archive_path) + sizeof attempt + 32;
    char *path = malloc(room);
    if (path != NULL)
        snprintf(path, room, "%s.work/archive-%s.tmp", archive_path, attempt);
    return path;
}

/* Hash of the seal, which holds that of all tables, which hold those of all bitstreams. */
static cpr_status hash_seal(const char *path, uint8_t out[HASH_BYTES], cpr_error *error)
{
    uint8_t seal[SEAL_BYTES];
    const int fd = cpr_io_open(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0) {
        const int code = errno;
        const cpr_status status = cpr_io_fail(error, code, "open", path);
        return code == ENOENT ? CPR_ERR_NOT_FOUND : status;
    }
    const int code = cpr_io_pread(fd, seal, sizeof seal, 0);
    close(fd);
    if (code != 0)
        return cpr_io_fail(error, code, "read", path);
    cpr_put_hash(out, cpr_hash_bytes(seal, sizeof seal));
    return CPR_OK;
}

cpr_status cpr_work_mark_published(const cpr_work_dir *work, const char *sealed_path,
                                   cpr_error *error)
{
    uint8_t hash[HASH_BYTES];
    const cpr_status status = hash_seal(sealed_path, hash, error);
    if (status != CPR_OK)
        return status;
    return cpr_work_put_file(work, CPR_WORK_PUBLISHED, hash, sizeof hash, true, error);
}

cpr_status cpr_work_is_published(const cpr_work_dir *work, const char *archive_path,
                                 bool *published, cpr_error *error)
{
    uint8_t hash[HASH_BYTES];
    uint8_t *marked;
    size_t bytes;
    *published = false;
    cpr_status status = cpr_work_get_file(work, CPR_WORK_PUBLISHED, &marked, &bytes, error);
    if (status == CPR_OK)
        status = hash_seal(archive_path, hash, error);
    if (status == CPR_OK)
        *published = bytes == sizeof hash && memcmp(hash, marked, sizeof hash) == 0;
    free(marked);
    /* No mark, no archive, or one that is too short to be one. */
    return status == CPR_ERR_NOT_FOUND || status == CPR_ERR_DAMAGED ? CPR_OK : status;
}
