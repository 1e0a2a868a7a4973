/* work_dir.c - the directory beside the archive that holds a job's state: its files as such. */
#define _GNU_SOURCE
#include "work_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define SEAL_BYTES 512

char *cpr_work_path(const char *archive_path)
{
    static const char end[] = ".work";
    const size_t length = strlen(archive_path);
    char *path = malloc(length + sizeof(end));
    if (path != NULL) {
        memcpy(path, archive_path, length);
        memcpy(path + length, end, sizeof(end));
    }
    return path;
}

void cpr_work_temporary(char out[CPR_WORK_NAME_BYTES])
{
    char attempt[128];
    cpr_io_attempt(attempt, sizeof(attempt));
    (void)snprintf(out, CPR_WORK_NAME_BYTES, CPR_WORK_TEMPORARY "%s", attempt);
}

int cpr_work_openat(const cpr_work_dir *work, const char *name, int flags)
{
    int fd;
    do
        fd = openat(work->fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

cpr_status cpr_work_dir_open(const char *archive_path, bool create, cpr_work_dir **out,
                             cpr_error *error)
{
    cpr_status status = CPR_OK;
    cpr_work_dir *work = malloc(sizeof(*work));
    *out = NULL;
    if (work == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    *work = (cpr_work_dir){.path = cpr_work_path(archive_path), .fd = -1, .shard_fd = -1};
    if (work->path == NULL) {
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    } else if (create && mkdir(work->path, 0777) != 0 && errno != EEXIST) {
        status = cpr_io_fail(error, errno, "create the work directory", work->path);
    } else if ((work->fd = cpr_io_open(work->path, O_RDONLY | O_DIRECTORY)) < 0) {
        const int code = errno;
        status = cpr_io_fail(error, code, "open the work directory", work->path);
        if (code == ENOENT)
            status = CPR_ERR_NOT_FOUND;
    } else if (create) {
        status = cpr_io_sync_parent(work->path, error);
    }
    if (status != CPR_OK) {
        cpr_work_dir_close(work);
        return status;
    }
    *out = work;
    return CPR_OK;
}

void cpr_work_dir_close(cpr_work_dir *work)
{
    if (work == NULL)
        return;
    if (work->shard_fd >= 0)
        (void)close(work->shard_fd);
    if (work->fd >= 0)
        (void)close(work->fd);
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
    ITEM_STREAM,    /* what a pipe gave */
    ITEM_STATE      /* manifest, lock, published: they go last, in this order */
} item_kind;

static bool ends_with(const char *name, const char *end)
{
    const size_t length = strlen(name);
    const size_t tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

/* If `name` is `start`, a number and `end`: sets *number. */
static bool has_number(const char *name, const char *start, const char *end, uint64_t *number)
{
    const size_t length = strlen(start);
    if (strncmp(name, start, length) != 0 || name[length] < '0' || name[length] > '9')
        return false;
    char *rest;
    const unsigned long long found = strtoull(name + length, &rest, 10);
    if (strcmp(rest, end) != 0)
        return false;
    *number = found;
    return true;
}

static bool is_stream(const char *name)
{
    uint64_t number;
    const char *hash = strrchr(name, '-');
    return hash != NULL && strlen(hash) == 17 && strspn(hash + 1, "0123456789abcdef") == 16 &&
           has_number(name, CPR_WORK_STREAM, hash, &number);
}

/* What a name stands for; *shard if it is that of a shard, or of the primer. */
static item_kind kind_of(const char *name, uint64_t *shard)
{
    static const struct {
        void (*name)(uint64_t shard, char out[CPR_WORK_NAME_BYTES]);
        item_kind kind;
    } primer[] = {{cpr_work_shard_name, ITEM_SHARD},
                  {cpr_work_snapshot_name, ITEM_SNAPSHOT},
                  {cpr_work_partial_name, ITEM_PARTIAL}};
    char its_name[CPR_WORK_NAME_BYTES];
    *shard = CPR_SHARD_PRIMER;
    for (size_t i = 0; i < sizeof(primer) / sizeof(*primer); ++i) {
        primer[i].name(CPR_SHARD_PRIMER, its_name);
        if (strcmp(name, its_name) == 0)
            return primer[i].kind;
    }
    *shard = UINT64_MAX;
    if (strncmp(name, CPR_WORK_TEMPORARY, sizeof(CPR_WORK_TEMPORARY) - 1) == 0 ||
        ends_with(name, ".tmp"))
        return ITEM_TEMPORARY;
    if (strcmp(name, CPR_WORK_PROGRESS) == 0)
        return ITEM_PROGRESS;
    if (strcmp(name, CPR_WORK_MANIFEST) == 0 || strcmp(name, CPR_WORK_LOCK) == 0 ||
        strcmp(name, CPR_WORK_PUBLISHED) == 0)
        return ITEM_STATE;
    if (is_stream(name))
        return ITEM_STREAM;
    if (has_number(name, "snapshot-", "", shard))
        return ITEM_SNAPSHOT;
    if (has_number(name, "shard-", ".cps", shard))
        return ITEM_SHARD;
    return has_number(name, "shard-", ".partial", shard) ? ITEM_PARTIAL : ITEM_FOREIGN;
}

/* A second view of the directory: reading through `fd` itself would share its position. */
static DIR *open_items(const cpr_work_dir *work)
{
    const int fd = cpr_work_openat(work, ".", O_RDONLY | O_DIRECTORY);
    DIR *items = fd < 0 ? NULL : fdopendir(fd);
    if (items == NULL && fd >= 0)
        (void)close(fd);
    return items;
}

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
                             kind == ITEM_STREAM;
        if (counted && fstatat(dirfd(items), item->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0)
            scan->bytes += (uint64_t)facts.st_size;
        const uint8_t mark = kind == ITEM_SHARD      ? CPR_WORK_HAS_SHARD
                             : kind == ITEM_SNAPSHOT ? CPR_WORK_HAS_SNAPSHOT
                                                     : 0;
        if (shard == CPR_SHARD_PRIMER)
            scan->primer |= mark;
        scan->shards += kind == ITEM_SHARD && shard != CPR_SHARD_PRIMER;
        scan->streams += kind == ITEM_STREAM;
        scan->snapshots += kind == ITEM_SNAPSHOT && shard != CPR_SHARD_PRIMER;
        scan->manifest = scan->manifest || strcmp(item->d_name, CPR_WORK_MANIFEST) == 0;
        scan->published = scan->published || strcmp(item->d_name, CPR_WORK_PUBLISHED) == 0;
        if (marks != NULL && shard < shards)
            marks[shard] |= mark;
        errno = 0;
    }
    cpr_status status = CPR_OK;
    if (errno != 0)
        status = cpr_io_fail(error, errno, "read the work directory", work->path);
    (void)closedir(items);
    return status;
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
        if (kind >= least && kind <= most && unlinkat(work->fd, item->d_name, 0) != 0 &&
            errno != ENOENT)
            status = cpr_io_fail(error, errno, "empty the work directory", work->path);
        errno = 0;
    }
    if (status == CPR_OK && errno != 0)
        status = cpr_io_fail(error, errno, "read the work directory", work->path);
    (void)closedir(items);
    return status;
}

static cpr_status remove_item(const cpr_work_dir *work, const char *name, cpr_error *error)
{
    if (unlinkat(work->fd, name, 0) == 0 || errno == ENOENT)
        return CPR_OK;
    return cpr_io_fail(error, errno, "empty the work directory", work->path);
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
        (void)closedir(items);
    return status;
}

cpr_status cpr_work_dir_clear(cpr_work_dir *work, bool streams, cpr_error *error)
{
    if (work->shard_fd >= 0)
        (void)close(work->shard_fd);
    work->shard_fd = -1;
    cpr_status status = sweep(work, ITEM_SHARD, streams ? ITEM_STREAM : ITEM_TEMPORARY, error);
    if (status == CPR_OK)
        status = remove_item(work, CPR_WORK_MANIFEST, error);
    if (status == CPR_OK)
        status = remove_item(work, CPR_WORK_PUBLISHED, error);
    return status;
}

cpr_status cpr_work_dir_remove(const char *archive_path, cpr_work_lock *lock, cpr_error *error)
{
    cpr_work_dir *work;
    cpr_status status = cpr_work_dir_open(archive_path, false, &work, error);
    if (status == CPR_ERR_NOT_FOUND) {
        cpr_work_lock_release(lock);
        return CPR_OK;
    }
    /* The mark that the archive is complete goes last: whoever is killed here can go on. What pipes
     * gave is needed as long as the manifest is there to be compared with it. */
    if (status == CPR_OK)
        status = sweep(work, ITEM_SHARD, ITEM_TEMPORARY, error);
    if (status == CPR_OK)
        status = remove_item(work, CPR_WORK_MANIFEST, error);
    if (status == CPR_OK)
        status = sweep(work, ITEM_STREAM, ITEM_STREAM, error);
    if (status == CPR_OK)
        status = remove_item(work, CPR_WORK_LOCK, error);
    /* NFS keeps a file that is open under another name in the directory: close it now. */
    cpr_work_lock_release(lock);
    if (status == CPR_OK)
        status = remove_item(work, CPR_WORK_PUBLISHED, error);
    if (status == CPR_OK && rmdir(work->path) != 0 && errno != ENOENT)
        status = cpr_io_fail(error, errno, "remove the work directory", work->path);
    cpr_work_dir_close(work);
    return status;
}

/* ---- small files ---------------------------------------------------------------------------- */

static cpr_status fail_file(const cpr_work_dir *work, const char *name, int code, const char *verb,
                            cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    return cpr_fail_errno(error, code, "cannot %s \"%s\" in \"%s\"", verb, name,
                          cpr_printable_path(work->path, shown, sizeof(shown)));
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
        (void)unlinkat(work->fd, temporary, 0);
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
    (void)unlinkat(work->fd, temporary, 0);
    return fail_file(work, name, code, "write", error);
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
                        cpr_printable_path(work->path, shown, sizeof(shown)));
    if (fd < 0)
        return fail_file(work, name, errno, "open", error);
    int code = fstat(fd, &facts) == 0 ? 0 : errno;
    if (code == 0) {
        *bytes = (size_t)facts.st_size;
        *data = malloc(*bytes + 1);
        code = *data == NULL ? ENOMEM : cpr_io_pread(fd, *data, *bytes, 0);
    }
    (void)close(fd);
    if (code == 0) {
        (*data)[*bytes] = 0;
        return CPR_OK;
    }
    free(*data);
    *data = NULL;
    if (code == CPR_IO_END) /* it was cut while it was read */
        return cpr_fail(error, CPR_ERR_DAMAGED, "\"%s\" in \"%s\" ends too early", name,
                        cpr_printable_path(work->path, shown, sizeof(shown)));
    return fail_file(work, name, code, "read", error);
}

cpr_status cpr_work_put_progress(const cpr_work_dir *work, const char *text, cpr_error *error)
{
    return cpr_work_put_file(work, CPR_WORK_PROGRESS, text, strlen(text), false, error);
}

cpr_status cpr_work_get_progress(const cpr_work_dir *work, char **text, cpr_error *error)
{
    uint8_t *data;
    size_t bytes;
    const cpr_status status = cpr_work_get_file(work, CPR_WORK_PROGRESS, &data, &bytes, error);
    *text = (char *)data;
    return status;
}

/* ---- publishing ----------------------------------------------------------------------------- */

char *cpr_work_archive_path(const char *archive_path)
{
    char attempt[128];
    cpr_io_attempt(attempt, sizeof(attempt));
    const size_t room = strlen(archive_path) + sizeof(attempt) + 32;
    char *path = malloc(room);
    if (path != NULL)
        (void)snprintf(path, room, "%s.work/archive-%s.tmp", archive_path, attempt);
    return path;
}

/* Hash of the seal, which holds that of all tables, which hold those of all bitstreams. */
static cpr_status hash_seal(const char *path, uint8_t out[16], cpr_error *error)
{
    uint8_t seal[SEAL_BYTES];
    const int fd = cpr_io_open(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0) {
        const int code = errno;
        const cpr_status status = cpr_io_fail(error, code, "open", path);
        return code == ENOENT ? CPR_ERR_NOT_FOUND : status;
    }
    const int code = cpr_io_pread(fd, seal, sizeof(seal), 0);
    (void)close(fd);
    if (code != 0)
        return cpr_io_fail(error, code, "read", path);
    const XXH128_hash_t hash = XXH3_128bits(seal, sizeof(seal));
    cpr_put_hash(out, (cpr_hash128){.high = hash.high64, .low = hash.low64});
    return CPR_OK;
}

cpr_status cpr_work_mark_published(const cpr_work_dir *work, const char *sealed_path,
                                   cpr_error *error)
{
    uint8_t hash[16];
    const cpr_status status = hash_seal(sealed_path, hash, error);
    if (status != CPR_OK)
        return status;
    return cpr_work_put_file(work, CPR_WORK_PUBLISHED, hash, sizeof(hash), true, error);
}

cpr_status cpr_work_is_published(const cpr_work_dir *work, const char *archive_path,
                                 bool *published, cpr_error *error)
{
    uint8_t hash[16];
    uint8_t *marked;
    size_t bytes;
    *published = false;
    cpr_status status = cpr_work_get_file(work, CPR_WORK_PUBLISHED, &marked, &bytes, error);
    if (status == CPR_OK)
        status = hash_seal(archive_path, hash, error);
    if (status == CPR_OK)
        *published = bytes == sizeof(hash) && memcmp(hash, marked, sizeof(hash)) == 0;
    free(marked);
    /* No mark, no archive, or one that is too short to be one. */
    return status == CPR_ERR_NOT_FOUND || status == CPR_ERR_DAMAGED ? CPR_OK : status;
}
