/* corpress_forecast.h - what compressing a corpus will come to, from a sample of it. The
 * conventions are those of corpress_mpi.h.
 *
 * A sample that is spread over the corpus is coded, with the vocabulary that the archive will have.
 * That says what text costs when so much has been read before it; a quicker look at whole shards,
 * and the primer, says how much less of it will be new there. Speeds are those of this machine, one
 * core of it, while it was coded. */
#ifndef CORPRESS_FORECAST_H
#define CORPRESS_FORECAST_H

#include "corpress_mpi.h"
#ifdef __cplusplus
extern "C" {
#endif

/* What one profile makes of the corpus. */
typedef struct cpr_forecast {
    uint64_t archive_bytes;
    uint64_t archive_least, archive_most; /* where it is nine times out of ten */
    uint64_t sample_bytes;  /* that were coded; all of the corpus: no more is guessed */
    double core_seconds;    /* of all ranks together, if each has a core and there is one node */
    double alone_seconds;   /* of them, those of rank 0 while others wait: vocabulary, primer */
    double lesson_seconds;  /* of them, the lesson; as many ranks share it as it has streams */
    double shard_seconds;   /* of them, the longest shard */
    uint64_t scratch_bytes; /* of ARCHIVE.h5.work/ with one rank, without its snapshots */
} cpr_forecast;

/* A sample, and what has been learned from it. */
typedef struct cpr_forecaster cpr_forecaster;

/* Of this process alone. Makes a plan as cpr_plan_make() does, and takes a sample of the corpus.
 * sample_bytes: about so many are coded by a profile without a network, fewer with one; 0: none
 * are. *forecaster is NULL, and *why_not says why, if there is nothing to take a sample of: no
 * bytes, or pipes, which are read only once. */
cpr_status cpr_forecaster_make(const cpr_compress_options *options, uint64_t sample_bytes,
                               const cpr_listener *listener, cpr_plan *plan,
                               cpr_forecaster **forecaster, const char **why_not, cpr_error *error);
void cpr_forecaster_free(cpr_forecaster *forecaster);

/* Codes the sample with a profile, which takes seconds, and as much memory as a rank of it.
 * CPR_ERR_NO_MEMORY: there is not as much. */
cpr_status cpr_forecaster_run(cpr_forecaster *forecaster, const cpr_profile *profile,
                              cpr_forecast *forecast, cpr_error *error);

#ifdef __cplusplus
}
#endif
#endif
