/* output_present.c - what an earlier extraction left, and whether it can stay.
 *
 * A file that has its name was complete when it got it, but a machine that crashed may have lost
 * what was not on disk yet; and of a file that spans shards nobody knows which parts were written.
 * So the bytes are compared with the shard's hash, which is a thousand times faster than decoding
 * it. Only where some files of the shard are not wanted that cannot be done. */
#define _GNU_SOURCE
#include "file_io.h"
#include "file_list.h"
#include "output_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* Opens nothing that blocks, and follows no link. */
#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

/* Equal as far as the file system can tell times apart. */
static bool same_time(const cpr_file *file, const struct timespec *time)
{
    static const uint32_t units[] = {1, 100, 1000, 1000000, 1000000000};
    if (time->tv_sec != (time_t)file->mtime_seconds)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (time->tv_nsec == (long)(file->mtime_nanoseconds - file->mtime_nanoseconds % units[i]))
            return true;
    return false;
}

static bool is_same_link(const cpr_output_tree *t, uint64_t file, int directory, const char *name)
{
    const char *target = cpr_file_list_link_target(t->files, file);
    const size_t length = strlen(target);
    char *found = malloc(length + 1);
    if (found == NULL)
        return false;
    const ssize_t bytes = readlinkat(directory, name, found, length + 1);
    const bool same = bytes == (ssize_t)length && memcmp(found, target, length) == 0;
    free(found);
    return same;
}

bool cpr_output_is_there(const cpr_output_tree *t, uint64_t file, int directory, const char *name)
{
    struct stat facts;
    const cpr_file wanted = cpr_file_list_get(t->files, file);
    if (fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    if (wanted.type == CPR_FILE_DIRECTORY)
        return S_ISDIR(facts.st_mode);
    if (wanted.type == CPR_FILE_SYMLINK)
        return S_ISLNK(facts.st_mode) && is_same_link(t, file, directory, name);
    return S_ISREG(facts.st_mode) && (uint64_t)facts.st_size == wanted.bytes &&
           same_time(&wanted, &facts.st_mtim);
}

/* True if the open file can be written to as a part of the archive's file. */
static bool is_part(const cpr_output_tree *t, uint64_t file, int fd)
{
    struct stat facts;
    return fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_nlink == 1 &&
           facts.st_uid == geteuid() &&
           (uint64_t)facts.st_size == cpr_file_list_get(t->files, file).bytes;
}

static int open_if_part(const cpr_output_tree *t, uint64_t file, int directory, int flags)
{
    char temporary[CPR_OUTPUT_NAME_BYTES];
    cpr_output_temporary(t->run.token, file, temporary);
    const int fd = cpr_io_openat(directory, temporary, flags);
    if (fd < 0 || is_part(t, file, fd))
        return fd;
    close(fd);
    errno = EEXIST;
    return -1;
}

int cpr_output_reopen(const cpr_output_tree *t, uint64_t file, int directory)
{
    return open_if_part(t, file, directory, OPEN_FLAGS);
}

int cpr_output_open_part(const cpr_output_tree *t, uint64_t file, int directory, const char *name)
{
    char temporary[CPR_OUTPUT_NAME_BYTES];
    const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const int fd = open_if_part(t, file, directory, flags);
    if (fd >= 0 || errno != ENOENT || name == NULL || !t->keep ||
        !cpr_output_is_there(t, file, directory, name))
        return fd;
    /* Its mode may forbid to write to it. Another process may be doing the same: then it is that
     * process' file that is opened. A file that has another name as well is not only ours. */
    const int named = cpr_io_openat(directory, name, OPEN_FLAGS);
    if (named >= 0 && !is_part(t, file, named)) {
        close(named);
        errno = EEXIST;
        return -1;
    }
    if (named >= 0) {
        cpr_output_temporary(t->run.token, file, temporary);
        fchmod(named, 0600);
        close(named);
        (void)cpr_output_rename_new(directory, name, temporary);
    }
    return open_if_part(t, file, directory, flags);
}

/* ---- a shard -------------------------------------------------------------------------------- */

typedef struct shard_check {
    cpr_output_tree *tree;
    uint64_t start; /* of the shard, in the corpus */
    uint64_t end;
    XXH3_state_t *hash;
    bool hashing; /* every byte so far could be read */
    bool trusted; /* every selected file so far has its name */
    bool absent;  /* something is not there at all */
    cpr_watch watch;
} shard_check;

/* Opens what there is of a selected file: *fd is -1 if it cannot be read. */
static cpr_status open_present(shard_check *c, uint64_t file, int *fd, cpr_error *error)
{
    const cpr_output_tree *t = c->tree;
    const uint64_t first = cpr_file_list_offset(t->files, file);
    const uint64_t last = cpr_file_list_offset(t->files, file + 1);
    const char *name;
    int directory;
    const cpr_status status =
        cpr_output_parent(&c->tree->paths, cpr_file_list_member(t->files, file), CPR_OUTPUT_TELL,
                          &directory, &name, error);
    *fd = -1;
    if (status != CPR_OK)
        return status;
    if (directory >= 0 && cpr_output_is_there(t, file, directory, name)) {
        *fd = cpr_io_openat(directory, name, OPEN_FLAGS);
        return CPR_OK;
    }
    c->trusted = false;
    if (directory >= 0 && (first < c->start || last > c->end))
        *fd = cpr_output_reopen(t, file, directory);
    c->absent = *fd < 0;
    return CPR_OK;
}

/* Hashes the bytes [from, to) of the corpus, which lie in the open file. */
static cpr_status hash_part(shard_check *c, int fd, uint64_t file, uint64_t from, uint64_t to,
                            cpr_error *error)
{
    const uint64_t start = cpr_file_list_offset(c->tree->files, file);
    uint8_t *buffer = c->tree->out.buffer;
    cpr_status status = CPR_OK;
    while (status == CPR_OK && c->hashing && from < to) {
        const size_t part =
            to - from < CPR_OUTPUT_BLOCK_BYTES ? (size_t)(to - from) : CPR_OUTPUT_BLOCK_BYTES;
        /* What cannot be read will be written anew, or that will tell why it cannot. */
        c->hashing = cpr_io_pread(fd, buffer, part, from - start) == 0;
        (void)XXH3_128bits_update(c->hash, buffer, part);
        from += part;
        status = cpr_watch_tell(c->watch, from - c->start, 0, error);
    }
    return status;
}

static cpr_status check_file(shard_check *c, uint64_t file, cpr_error *error)
{
    const uint64_t first = cpr_file_list_offset(c->tree->files, file);
    const uint64_t last = cpr_file_list_offset(c->tree->files, file + 1);
    int fd;
    if (first == last)
        return CPR_OK;
    if (!cpr_output_selected(c->tree, file)) {
        c->hashing = false;
        return CPR_OK;
    }
    cpr_status status = open_present(c, file, &fd, error);
    if (fd < 0)
        c->hashing = false;
    else if (status == CPR_OK)
        status = hash_part(c, fd, file, first > c->start ? first : c->start,
                           last < c->end ? last : c->end, error);
    if (fd >= 0)
        close(fd);
    return status;
}

cpr_status cpr_output_shard_present(cpr_output_tree *tree, const cpr_shard_info *shard,
                                    cpr_watch watch, bool *present, cpr_error *error)
{
    const uint64_t corpus = cpr_file_list_bytes(tree->files);
    const uint64_t files = cpr_file_list_count(tree->files);
    *present = false;
    if (!tree->keep || shard->raw_bytes == 0 || shard->offset > corpus ||
        shard->raw_bytes > corpus - shard->offset)
        return CPR_OK;
    shard_check c = {.tree = tree,
                     .start = shard->offset,
                     .end = shard->offset + shard->raw_bytes,
                     .hash = XXH3_createState(),
                     .hashing = true,
                     .trusted = true,
                     .watch = watch};
    if (c.hash == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    (void)XXH3_128bits_reset(c.hash);
    cpr_status status = CPR_OK;
    for (uint64_t i = cpr_file_list_find(tree->files, c.start);
         status == CPR_OK && !c.absent && i < files && cpr_file_list_offset(tree->files, i) < c.end;
         i++)
        status = check_file(&c, i, error);
    const XXH128_hash_t digest = XXH3_128bits_digest(c.hash);
    (void)XXH3_freeState(c.hash);
    if (status == CPR_OK && !c.absent)
        *present =
            c.hashing ? digest.high64 == shard->raw_hash.high && digest.low64 == shard->raw_hash.low
                      : c.trusted;
    return status;
}
