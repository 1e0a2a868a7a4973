/* work_snapshot.c - a shard in work that survives a stop: the codec's state and the coded bytes so
 * far.
 *
 * The coded bytes get the name shard-N.partial first, then the snapshot gets its own: a snapshot's
 * bytes are always there, perhaps with more behind them. All attempts code the same bytes, so the
 * partial file of one serves the snapshot of another as long as it is long enough. */
#define _GNU_SOURCE
#include "work_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_BYTES ((uint64_t)CPR_WORK_SHARD_HEADER_BYTES)

void cpr_work_partial_name(uint64_t shard, char out[CPR_WORK_NAME_BYTES])
{
    if (shard == CPR_SHARD_PRIMER)
        snprintf(out, CPR_WORK_NAME_BYTES, "primer.partial");
    else if (shard == CPR_SHARD_WEIGHTS)
        snprintf(out, CPR_WORK_NAME_BYTES, "lesson.partial"); /* which is never made */
    else
        snprintf(out, CPR_WORK_NAME_BYTES, "shard-%08llu.partial", (unsigned long long)shard);
}

void cpr_work_snapshot_name(uint64_t shard, char out[CPR_WORK_NAME_BYTES])
{
    if (shard == CPR_SHARD_PRIMER)
        snprintf(out, CPR_WORK_NAME_BYTES, "snapshot-primer");
    else if (shard == CPR_SHARD_WEIGHTS)
        snprintf(out, CPR_WORK_NAME_BYTES, "snapshot-lesson");
    else
        snprintf(out, CPR_WORK_NAME_BYTES, "snapshot-%08llu", (unsigned long long)shard);
}

void cpr_work_snapshot_drop(cpr_work_dir *work, uint64_t shard)
{
    char name[CPR_WORK_NAME_BYTES];
    cpr_work_snapshot_name(shard, name);
    unlinkat(work->fd, name, 0);
    cpr_work_partial_name(shard, name);
    unlinkat(work->fd, name, 0);
}

/* ---- saving --------------------------------------------------------------------------------- */

/* Copies bytes [0, bytes) of one file behind the end of what was written to another. */
static int copy_bytes(int from, int to, uint64_t bytes)
{
    const size_t most = (size_t)1 << 20;
    uint8_t *buffer = malloc(most);
    int code = buffer == NULL ? ENOMEM : 0;
    for (uint64_t at = 0; code == 0 && at < bytes;) {
        const size_t part = bytes - at < most ? (size_t)(bytes - at) : most;
        code = cpr_io_pread(from, buffer, part, at);
        if (code == 0)
            code = cpr_io_write(to, buffer, part);
        at += part;
    }
    free(buffer);
    return code;
}

/* Where a file cannot have two names. */
static cpr_status copy_partial(cpr_work_shard *w, const char *name, cpr_error *error)
{
    char temporary[CPR_WORK_NAME_BYTES];
    cpr_work_temporary(temporary);
    const int fd = cpr_work_openat(w->work, temporary, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0)
        return cpr_work_fail_shard(w->work, w->shard, errno, "create", error);
    const int code = copy_bytes(w->fd, fd, HEADER_BYTES + w->coded_bytes);
    if (code == 0)
        return cpr_work_name_file(w->work, fd, temporary, name, error);
    close(fd);
    unlinkat(w->work->fd, temporary, 0);
    return cpr_work_fail_shard(w->work, w->shard, code, "copy", error);
}

/* Gives the file that is being written its second name. It only grows, so a reader under that
 * name is not disturbed. */
static cpr_status name_partial(cpr_work_shard *w, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    char temporary[CPR_WORK_NAME_BYTES];
    const int directory = w->work->fd;
    cpr_work_partial_name(w->shard, name);
    cpr_work_temporary(temporary);
    const int synced = cpr_io_sync(w->fd);
    if (synced != 0)
        return cpr_work_fail_shard(w->work, w->shard, synced, "sync", error);
    if (linkat(directory, w->name, directory, temporary, 0) != 0)
        return copy_partial(w, name, error);
    /* If both are names of this file already, rename() does nothing, and the first one stays. */
    if (renameat(directory, temporary, directory, name) != 0) {
        const int code = errno;
        unlinkat(directory, temporary, 0);
        return cpr_work_fail_shard(w->work, w->shard, code, "name", error);
    }
    unlinkat(directory, temporary, 0);
    return CPR_OK;
}

cpr_status cpr_work_shard_save(cpr_work_shard *w, struct cpr_codec *codec, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    char temporary[CPR_WORK_NAME_BYTES];
    cpr_status status = cpr_work_shard_flush(w, error);
    if (status == CPR_OK)
        status = name_partial(w, error);
    if (status != CPR_OK)
        return status;
    cpr_work_snapshot_name(w->shard, name);
    cpr_work_temporary(temporary);
    const int fd = cpr_work_openat(w->work, temporary, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0)
        return cpr_work_fail_shard(w->work, w->shard, errno, "create the snapshot beside", error);
    status = cpr_snapshot_write(codec, fd, error);
    if (status == CPR_OK)
        return cpr_work_name_file(w->work, fd, temporary, name, error);
    close(fd);
    unlinkat(w->work->fd, temporary, 0);
    return status;
}

/* ---- resuming ------------------------------------------------------------------------------- */

/* The coded bytes of a shard that goes on, for a cpr_read_fn. */
typedef struct prefix {
    const cpr_work_shard *shard;
    uint64_t at;
    uint64_t end;
} prefix;

static cpr_status read_prefix(void *context, uint8_t *out, size_t capacity, size_t *got,
                              cpr_error *error)
{
    prefix *p = context;
    const uint64_t left = p->end - p->at;
    *got = left < capacity ? (size_t)left : capacity;
    const int code = cpr_io_pread(p->shard->fd, out, *got, HEADER_BYTES + p->at);
    p->at += *got;
    return code == 0 ? CPR_OK
                     : cpr_work_fail_shard(p->shard->work, p->shard->shard, code, "read", error);
}

/* The bytes of the partial file become the beginning of this attempt's own file. */
static cpr_status take_prefix(cpr_work_shard *w, uint64_t coded_bytes, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    char what[CPR_WORK_WHAT_BYTES];
    cpr_work_partial_name(w->shard, name);
    const int fd = cpr_work_openat(w->work, name, O_RDONLY);
    if (fd < 0 && errno == ENOENT)
        return cpr_fail(error, CPR_ERR_DAMAGED, "the coded bytes of the snapshot of %s are gone",
                        cpr_work_what(w->shard, what));
    if (fd < 0)
        return cpr_work_fail_shard(w->work, w->shard, errno, "open", error);
    w->filled = 0;
    const int code = copy_bytes(fd, w->fd, HEADER_BYTES + coded_bytes);
    close(fd);
    if (code == CPR_IO_END)
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "the coded bytes of the snapshot of %s end too early",
                        cpr_work_what(w->shard, what));
    w->coded_bytes = coded_bytes;
    return code == 0 ? CPR_OK : cpr_work_fail_shard(w->work, w->shard, code, "copy", error);
}

/* As after cpr_work_shard_begin(). */
static cpr_status start_over(cpr_work_shard *w, cpr_error *error)
{
    cpr_work_snapshot_drop(w->work, w->shard);
    memset(w->buffer, 0, HEADER_BYTES);
    w->filled = HEADER_BYTES;
    w->coded_bytes = 0;
    int code = cpr_io_truncate(w->fd, 0);
    if (code == 0 && lseek(w->fd, 0, SEEK_SET) != 0)
        code = errno;
    return code == 0 ? CPR_OK : cpr_work_fail_shard(w->work, w->shard, code, "empty", error);
}

cpr_status cpr_work_shard_resume(cpr_work_shard *w, struct cpr_codec *codec, uint64_t *raw_bytes,
                                 cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    uint64_t coded_bytes = 0;
    *raw_bytes = 0;
    error->text[0] = '\0';
    cpr_work_snapshot_name(w->shard, name);
    const int fd = cpr_work_openat(w->work, name, O_RDONLY);
    if (fd < 0)
        return errno == ENOENT ? CPR_OK
                               : cpr_work_fail_shard(w->work, w->shard, errno,
                                                     "open the snapshot beside", error);
    cpr_status status = cpr_snapshot_read(codec, fd, raw_bytes, &coded_bytes, error);
    close(fd);
    if (status == CPR_OK)
        status = take_prefix(w, coded_bytes, error);
    if (status == CPR_OK) {
        prefix bytes = {.shard = w, .end = coded_bytes};
        status = cpr_codec_resume(codec, (cpr_source){read_prefix, &bytes}, error);
    }
    if (status != CPR_ERR_DAMAGED)
        return status;
    *raw_bytes = 0;
    cpr_error why = {.text = ""};
    status = start_over(w, &why);
    if (status != CPR_OK)
        *error = why;
    return status;
}
