/* work_private.h - what the files of the work directory share. */
#ifndef CPR_WORK_PRIVATE_H
#define CPR_WORK_PRIVATE_H

#include "file_io.h"
#include "work.h"

#define CPR_WORK_NAME_BYTES 160
#define CPR_WORK_TEMPORARY ".tmp-"
#define CPR_WORK_LOCK "lock"
#define CPR_WORK_LOCK_MAGIC "corpress lock 1\n"
#define CPR_WORK_MANIFEST "manifest"
#define CPR_WORK_MANIFEST_MAGIC "cprmanif"
#define CPR_WORK_PUBLISHED "published"
#define CPR_WORK_PROGRESS "progress"
#define CPR_WORK_STREAM "stream-"
#define CPR_WORK_SHARD_HEADER_BYTES 128
#define CPR_WORK_BUFFER_BYTES ((size_t)256 << 10)

struct cpr_work_dir {
    char *path;
    int fd;
    int shard_fd; /* of the shard that was read last, or -1 */
    uint64_t shard;
    uint64_t coded_bytes;
};

/* The file is written under a temporary name that is this attempt's alone: a rank of an earlier
 * attempt that lives on somewhere has another. */
struct cpr_work_shard {
    cpr_work_dir *work;
    uint64_t shard;
    int fd;
    char name[CPR_WORK_NAME_BYTES]; /* the temporary one */
    uint64_t coded_bytes;
    size_t filled;
    uint8_t buffer[CPR_WORK_BUFFER_BYTES];
};

/* "ARCHIVE.work", malloc()ed. */
char *cpr_work_path(const char *archive_path);

/* A temporary name that no other process has. */
void cpr_work_temporary(char out[CPR_WORK_NAME_BYTES]);

/* `shard` may be CPR_SHARD_PRIMER or CPR_SHARD_WEIGHTS here and below. */
void cpr_work_shard_name(uint64_t shard, char out[CPR_WORK_NAME_BYTES]);
void cpr_work_partial_name(uint64_t shard, char out[CPR_WORK_NAME_BYTES]);
void cpr_work_snapshot_name(uint64_t shard, char out[CPR_WORK_NAME_BYTES]);

void cpr_work_inputs_name(uint64_t number, char out[CPR_WORK_NAME_BYTES]);

/* openat(2) in the work directory, never through a link, retried when interrupted. */
int cpr_work_openat(const cpr_work_dir *work, const char *name, int flags);

/* How long those who want the lock, and its owner, take; in seconds. */
typedef struct cpr_lock_times {
    double beat;     /* from one count to the next */
    double watch;    /* of another host's counter, until its job counts as dead */
    double patience; /* with a lock that is held: its owner may be about to end */
} cpr_lock_times;

/* As cpr_work_lock_take(), with other times, which must last as long as the lock; for tests. */
cpr_status cpr_work_lock_take_timed(const cpr_work_dir *work, const cpr_lock_times *times,
                                    cpr_warn_fn *tell, void *tell_context, cpr_work_lock **lock,
                                    cpr_error *error);

/* "shard N", "the primer" or "the weights", for messages. */
#define CPR_WORK_WHAT_BYTES 32
const char *cpr_work_what(uint64_t shard, char out[CPR_WORK_WHAT_BYTES]);

/* "cannot VERB the file of shard N in ...". */
cpr_status cpr_work_fail_shard(const cpr_work_dir *work, uint64_t shard, int code, const char *verb,
                               cpr_error *error);

/* True if a file of this name is what one of these streams gives. */
bool cpr_work_streams_wants(const cpr_work_streams *streams, const char *name);

/* Writes what is in the buffer. */
cpr_status cpr_work_shard_flush(cpr_work_shard *w, cpr_error *error);

/* Makes an open temporary file durable under `name`; closes it in any case, and removes it after a
 * failure. */
cpr_status cpr_work_name_file(const cpr_work_dir *work, int fd, const char *temporary,
                              const char *name, cpr_error *error);

/* A small file, replaced at once. `durable`: it is on the disk when this returns. */
cpr_status cpr_work_put_file(const cpr_work_dir *work, const char *name, const void *data,
                             size_t bytes, bool durable, cpr_error *error);

/* All of a file, malloc()ed, followed by a NUL. CPR_ERR_NOT_FOUND if there is none. */
cpr_status cpr_work_get_file(const cpr_work_dir *work, const char *name, uint8_t **data,
                             size_t *bytes, cpr_error *error);

#endif
