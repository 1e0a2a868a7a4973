/* compress_work.h - what a run knows of its work directory. */
#ifndef CPR_COMPRESS_WORK_H
#define CPR_COMPRESS_WORK_H

#include "ranks.h"
#include "work.h"

/* What the work directory holds when a run begins. */
typedef enum cpr_work_state {
    CPR_WORK_NEW = 0,
    CPR_WORK_GOES_ON = 1, /* the manifest is that of this job */
    CPR_WORK_DONE = 2     /* the archive has its name, only the removal was interrupted */
} cpr_work_state;

typedef struct cpr_compress_work {
    cpr_work_dir *dir;
    cpr_work_state state;
    uint64_t *todo; /* shards that are not done, those with a snapshot first */
    uint64_t todo_count;
    uint64_t snapshots;       /* of shards */
    cpr_run_progress earlier; /* what earlier runs did */
    bool has_primer;          /* a sound bitstream of the primer is there */

    /* rank 0 */
    cpr_work_lock *lock;
    cpr_manifest manifest; /* of the run that began; if state is CPR_WORK_GOES_ON */
    bool begun;            /* the directory's manifest is that of this job */
    size_t unread_stream;  /* the first that is not in the directory; SIZE_MAX: none */
    cpr_shard_info primer; /* if has_primer */
} cpr_compress_work;

/* Local. Closes what is open in the directory, but for the lock. */
void cpr_compress_work_close(cpr_compress_work *work);

/* Local. */
void cpr_compress_work_free(cpr_compress_work *work);

#endif
