/* corpress_job.h - how far the making of an archive is. The conventions are those of corpress.h. */
#ifndef CORPRESS_JOB_H
#define CORPRESS_JOB_H

#include "corpress.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef enum cpr_job_state {
    CPR_JOB_FINISHED = 0,
    CPR_JOB_RUNNING = 1,
    CPR_JOB_STOPPED = 2,  /* interrupted: the same command goes on with it */
    CPR_JOB_PREPARING = 3 /* running, and has not come to the shards */
} cpr_job_state;

typedef struct cpr_job_rank {
    char host[64];
    uint64_t shard; /* in work; CPR_NONE: none */
    uint64_t raw_bytes, shard_bytes;
    double bytes_per_second;
} cpr_job_rank;

/* How far the making of an archive is. What is not known is 0. Texts may hold any bytes. */
typedef struct cpr_job {
    cpr_job_state state;
    char host[65], slurm_job[33]; /* where it runs, or ran last; or "" */
    int64_t pid;
    uint64_t shards, shards_done, shards_begun; /* begun: in work, or with a snapshot */
    uint64_t raw_bytes, raw_bytes_done;         /* done: of shards that are, and of those in work */
    uint64_t coded_bytes_done;
    uint64_t primer_bytes, primer_bytes_done; /* 0: no primer */
    uint64_t lesson_bytes, lesson_bytes_done; /* of its sample; 0: no network is taught */
    double lesson_bits_per_byte;              /* that the network has lost so far; 0: not known */
    double bytes_per_second;                  /* of all ranks */
    size_t rank_count;                        /* 0 unless it runs */
    cpr_job_rank *ranks;
} cpr_job;

/* Looks at an archive and its work directory, ARCHIVE.work/; takes up to 7 s if the job is on
 * another host. The caller frees *job. CPR_ERR_NOT_FOUND: there is neither. Any thread. */
cpr_status cpr_job_look(const char *archive_path, cpr_job **job, cpr_error *error);
void cpr_job_free(cpr_job *job);

#ifdef __cplusplus
}
#endif
#endif
