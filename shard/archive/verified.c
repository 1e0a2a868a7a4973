/* verified.c - which shards of an archive have been verified.
 *
 * A text file: a line that says of what it is, then a line for each shard. Each has a checksum that
 * also covers the first, so a line that was torn, flipped, or is of another archive does not count;
 * what follows it does not, either. Nothing is synced: a lost line costs a shard. */
#define _GNU_SOURCE
#include "archive.h"
#include "file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC "corpress verified 1 "
#define LINE_BYTES 64u

struct cpr_verified {
    int fd;
    char *path;
    cpr_hash128 key; /* of the archive and the way to verify */
};

/* The archive's contents as they should be, and the file as it is now: a copy that was restored, or
 * a file that was written to, has other times. */
static cpr_status make_key(const char *archive_path, const cpr_archive *archive, bool decoded,
                           cpr_hash128 *key, cpr_error *error)
{
    struct stat facts;
    uint8_t fields[48];
    if (stat(archive_path, &facts) != 0)
        return cpr_io_fail(error, errno, "look at", archive_path);
    cpr_put_hash(fields, cpr_archive_identity(archive));
    cpr_put64(fields + 16, (uint64_t)facts.st_size);
    cpr_put64(fields + 24, (uint64_t)facts.st_mtim.tv_sec);
    cpr_put64(fields + 32, (uint64_t)facts.st_mtim.tv_nsec);
    cpr_put64(fields + 40, decoded);
    *key = cpr_hash_bytes(fields, sizeof fields);
    return CPR_OK;
}

static size_t head_line(const cpr_verified *v, char line[LINE_BYTES])
{
    return (size_t)snprintf(line, LINE_BYTES, MAGIC "%016llx%016llx\n",
                            (unsigned long long)v->key.high, (unsigned long long)v->key.low);
}

static size_t shard_line(const cpr_verified *v, uint64_t shard, char line[LINE_BYTES])
{
    uint8_t fields[24];
    cpr_put_hash(fields, v->key);
    cpr_put64(fields + 16, shard);
    return (size_t)snprintf(line, LINE_BYTES, "%llu %016llx\n", (unsigned long long)shard,
                            (unsigned long long)XXH3_64bits(fields, sizeof fields));
}

/* Takes the lines that are right; returns how many bytes they are. */
static size_t take_lines(const cpr_verified *v, const char *text, size_t bytes,
                         uint64_t shard_count, bool *done)
{
    char line[LINE_BYTES];
    size_t at = head_line(v, line);
    if (bytes < at || memcmp(text, line, at) != 0)
        return 0;
    while (at < bytes) {
        const uint64_t shard = strtoull(text + at, NULL, 10);
        const size_t length = shard_line(v, shard, line);
        if (shard >= shard_count || length > bytes - at || memcmp(text + at, line, length) != 0)
            break;
        done[shard] = true;
        at += length;
    }
    return at;
}

static cpr_status fail_foreign(const cpr_verified *v, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    return cpr_fail(error, CPR_ERR_EXISTS, "\"%s\" exists and is not what a verification has left",
                    cpr_printable_path(v->path, shown, sizeof shown));
}

static cpr_status read_state(cpr_verified *v, uint64_t shard_count, bool *done, cpr_error *error)
{
    struct stat facts;
    if (fstat(v->fd, &facts) != 0)
        return cpr_io_fail(error, errno, "read", v->path);
    const uint64_t most = (shard_count + 2) * LINE_BYTES; /* no such file is larger */
    const size_t bytes = (uint64_t)facts.st_size < most ? (size_t)facts.st_size : (size_t)most;
    char *text = calloc(1, bytes + 1);
    if (text == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    int code = S_ISREG(facts.st_mode) ? cpr_io_pread(v->fd, text, bytes, 0) : 0;
    const size_t magic = bytes < sizeof MAGIC - 1 ? bytes : sizeof MAGIC - 1;
    if (!S_ISREG(facts.st_mode) || (code == 0 && memcmp(text, MAGIC, magic) != 0)) {
        free(text);
        return fail_foreign(v, error);
    }
    const size_t good = code == 0 ? take_lines(v, text, bytes, shard_count, done) : 0;
    free(text);
    if (code == 0)
        code = cpr_io_truncate(v->fd, good);
    if (code == 0 && good == 0) {
        char line[LINE_BYTES];
        code = cpr_io_write(v->fd, line, head_line(v, line));
    }
    return code == 0 ? CPR_OK : cpr_io_fail(error, code, "use", v->path);
}

cpr_status cpr_verified_open(const char *path, const char *archive_path, const cpr_archive *archive,
                             bool decoded, bool *done, cpr_verified **verified, cpr_error *error)
{
    *verified = NULL;
    cpr_verified *v = calloc(1, sizeof *v);
    if (v == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    v->fd = -1;
    v->path = strdup(path);
    cpr_status status = CPR_OK;
    if (v->path == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    else
        status = make_key(archive_path, archive, decoded, &v->key, error);
    if (status == CPR_OK) {
        v->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
        if (v->fd < 0) /* a directory; a socket */
            status = errno == EISDIR || errno == ENXIO ? fail_foreign(v, error)
                                                       : cpr_io_fail(error, errno, "open", path);
    }
    if (status == CPR_OK)
        status = read_state(v, cpr_archive_info(archive)->shard_count, done, error);
    if (status != CPR_OK) {
        cpr_verified_close(v, false);
        return status;
    }
    *verified = v;
    return CPR_OK;
}

cpr_status cpr_verified_add(cpr_verified *verified, uint64_t shard, cpr_error *error)
{
    char line[LINE_BYTES];
    if (verified == NULL)
        return CPR_OK;
    const int code = cpr_io_write(verified->fd, line, shard_line(verified, shard, line));
    return code == 0 ? CPR_OK : cpr_io_fail(error, code, "write", verified->path);
}

void cpr_verified_close(cpr_verified *verified, bool remove)
{
    if (verified == NULL)
        return;
    if (remove)
        unlink(verified->path);
    if (verified->fd >= 0)
        close(verified->fd);
    free(verified->path);
    free(verified);
}
