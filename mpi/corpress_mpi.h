/* corpress_mpi.h - makes, unpacks and examines corpress archives, with all ranks of an MPI program.
 *
 * A complete program, which puts files into an archive. Build it with
 * `cc example.c $(pkg-config --cflags --libs corpress-mpi)`; run it alone, or with mpirun or srun.
 *
 *     #include <corpress_mpi.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         cpr_error error = {"give me an archive to make, and what to put into it"};
 *         cpr_ranks *ranks = NULL;
 *         cpr_prepare();
 *         cpr_status status = cpr_ranks_start(&ranks, &error);
 *         if (status == CPR_OK && argc < 3)
 *             status = CPR_ERR_USAGE;
 *         if (status == CPR_OK) {
 *             const cpr_compress_options options = {.archive_path = argv[1],
 *                                                   .input.paths = (const char *const *)argv + 2,
 *                                                   .input.path_count = (size_t)argc - 2};
 *             cpr_stop_catch();
 *             status = cpr_compress(ranks, &options, NULL, NULL, &error);
 *         }
 *         if (status != CPR_OK && (ranks == NULL || cpr_ranks_rank(ranks) == 0))
 *             fprintf(stderr, "%s: %s\n", cpr_status_text(status), error.text);
 *         cpr_ranks_end(ranks);
 *         return cpr_status_exit_code(status);
 *     }
 *
 * COLLECTIVE functions are called by all ranks, in the same order, with the same arguments. One
 * that returns a status returns the same one, with the same text, on all ranks, so that all of them
 * leave together. The others are local. Listeners are told on rank 0. What corpress.h says of
 * sizes, strings, errors, outputs and NULL holds here, too. No function here is for several threads
 * at a time. All ranks must run on machines of the same byte order. If MPI itself fails all ranks
 * are aborted, with a line on standard error; nothing else is printed, and the process is never
 * ended.
 */
#ifndef CORPRESS_MPI_H
#define CORPRESS_MPI_H

#include "corpress_listener.h"
#ifdef __cplusplus
extern "C" {
#endif

/* ---- ranks ---------------------------------------------------------------------------------- */

/* The processes of this run. */
typedef struct cpr_ranks cpr_ranks;

/* COLLECTIVE. Joins the processes that mpirun or srun started, by MPI_Init(): a program calls it
 * once, and does not use MPI itself before. A process that no launcher started is the only rank,
 * and MPI is left alone. CPR_ERR_LAUNCH: the launcher started several processes, but MPI sees one;
 * then rank 0 of the launcher's count gets the text, the others get an empty one. *ranks must be
 * ended after a failure, too. */
cpr_status cpr_ranks_start(cpr_ranks **ranks, cpr_error *error);

/* COLLECTIVE. Leaves MPI. Accepts NULL. */
void cpr_ranks_end(cpr_ranks *ranks);

int cpr_ranks_rank(const cpr_ranks *ranks);
int cpr_ranks_size(const cpr_ranks *ranks);

/* COLLECTIVE. Takes each rank's own status and text, and gives all of them those of the lowest rank
 * that failed; with more than one rank the text names it and its host. */
cpr_status cpr_ranks_agree(cpr_ranks *ranks, cpr_status status, cpr_error *error);

/* COLLECTIVE. values[i] becomes the largest of all ranks' values[i]. */
void cpr_ranks_maximum(cpr_ranks *ranks, uint64_t *values, size_t count);

/* COLLECTIVE. Whether all ranks compute as they should, and the same: the tables of the library,
 * and with a profile what that makes of a known text. CPR_ERR_SELF_TEST names the first rank that
 * does not, and its host. cpr_compress(), cpr_extract() and cpr_examine() do it for the profile
 * that they need; call it with NULL before an archive is opened. */
cpr_status cpr_ranks_self_test(cpr_ranks *ranks, const cpr_profile *profile, cpr_error *error);

/* What computes: the instruction set that the model uses, and the version of OpenBLAS, which is
 * loaded if the profile needs it, or a word that there is none. Static. */
const char *cpr_model_kernel(void);
const char *cpr_model_blas(const cpr_profile *profile);

/* From now on SIGTERM, SIGINT, SIGUSR1 and SIGUSR2, to any rank, ask the calls below to stop: they
 * return CPR_STOPPED soon, and can be gone on with. A second SIGINT ends the process. */
void cpr_stop_catch(void);
bool cpr_stop_requested(void); /* of this rank */

/* ---- compress -------------------------------------------------------------------------------- */

/* The files of a corpus. */
typedef struct cpr_input {
    /* Files, links, and directories with everything in them, in this order; "-" and pipes are read
     * first, and become files. Names are as in the archive, without a leading '/' and "..". */
    const char *const *paths;
    size_t path_count;
    const char *names_file;  /* of more paths, separated by NUL or newlines; "-": standard input */
    const char *stream_name; /* of a pipe, in the archive; NULL: as the system calls it */
    const char *const *exclude; /* paths that are left out, with a NULL behind them; may be NULL */
    /* Asked on rank 0 whether a path, as the archive would have it, is left out, too; a directory
     * is with everything below it. May be NULL. */
    bool (*left_out)(void *context, const char *path, bool is_directory);
    void *left_out_context;
    bool dereference;          /* take what links lead to, instead of them */
    bool skip_unreadable;      /* leave out, with a warning, what cannot be read */
    bool decode, keep_damaged; /* take the texts in compressed files; those in front of damage */
    uint64_t decode_limit;     /* most bytes of text for each byte of a file; 0: 1,000 */
    const char *text_column;   /* of Parquet files, which is taken; NULL: they are kept */
} cpr_input;

typedef struct cpr_compress_options {
    cpr_input input;
    const char *archive_path;   /* "FILE": it is made as FILE.work/..., and renamed */
    const cpr_profile *profile; /* NULL: `balanced` */
    uint64_t shard_bytes;       /* CPR_SHARD_BYTES_MIN to ..._MAX; 0: the default */
    bool overwrite;             /* replace an archive that exists */
    bool no_primer;             /* every shard starts from nothing */
    bool no_lesson;             /* no network is taught before the coding */
    uint64_t lesson_bytes; /* of the corpus that a lesson reads, about; 0: by the profile's rule */
    const char *documents; /* as --documents takes it; NULL: by the files' names */
    bool alone, restart;   /* rank 0 writes the archive alone; nothing of an earlier run is kept */
    double snapshot_seconds; /* between snapshots of a shard in work; 0: only when stopped */
} cpr_compress_options;

typedef struct cpr_compress_totals { /* what a run made */
    uint64_t files, shards, raw_bytes, archive_bytes;
    uint32_t tokens; /* of the vocabulary; 0 if the archive was complete already */
} cpr_compress_totals;

/* COLLECTIVE. Makes an archive, whose bytes depend on the files and the options only. Goes on where
 * an interrupted run of the same job stopped. After a failure or CPR_STOPPED there is no archive,
 * and ARCHIVE.work/ holds what was done; there is none if nothing was. CPR_ERR_EXISTS: the archive
 * is there. CPR_ERR_CHANGED: the work directory is of another job. CPR_ERR_BUSY: another process is
 * at work in it. *totals is set on rank 0; it and `listener` may be NULL. */
cpr_status cpr_compress(cpr_ranks *ranks, const cpr_compress_options *options,
                        const cpr_listener *listener, cpr_compress_totals *totals,
                        cpr_error *error);

/* What compressing a corpus would need. */
typedef struct cpr_plan {
    uint64_t files, raw_bytes, shards;
    uint64_t primer_bytes; /* at most; 0: no primer */
    bool no_lesson;        /* as in the options */
    uint64_t lesson_bytes; /* likewise */
} cpr_plan;

/* Of this process alone. Lists the corpus; reads pipes to their end, and no other file. Of the
 * options what the plan has counts, and input; of the listener only `warn`. */
cpr_status cpr_plan_make(const cpr_compress_options *options, const cpr_listener *listener,
                         cpr_plan *plan, cpr_error *error);

/* Bytes of memory that each rank takes, and that the ranks of a node share. */
void cpr_plan_memory(const cpr_plan *plan, const cpr_profile *profile, uint64_t *each,
                     uint64_t *shared);

/* Bytes of the lesson that a profile would begin with, and how many ranks it keeps busy; or 0. */
uint64_t cpr_plan_lesson(const cpr_plan *plan, const cpr_profile *profile, uint32_t *streams);

/* ---- decompress ------------------------------------------------------------------------------ */

typedef struct cpr_extract_options {
    const char *directory; /* is created if need be */
    bool overwrite;        /* files that exist */
    bool go_on; /* with what an earlier run left: files with the archive's size and time stay,
                   and so does what there is of shards with the right checksum */
    const bool *files; /* one for each file of the archive; NULL: all */
    bool tars; /* the tars that selected files are of, as they were, instead of these files */
    const char *cache; /* directory, as in corpress_speed.h; a rank of each node uses it */
    unsigned threads;  /* that decode if there is but one rank; 0: as many as processors */
} cpr_extract_options;

/* COLLECTIVE, with an archive that each rank has opened. Recreates files with modes and times.
 * Damaged shards are told to the listener and the files that touch them are left out; then the
 * result is CPR_ERR_DAMAGED. A damaged primer, on which all depends, ends it with that. bad (on
 * rank 0; may be NULL): one bool a shard, set for damaged ones. After a request to stop, and with
 * `go_on` after any failure, what has been written stays for a run with `go_on`; what is there
 * counts as done by an earlier run. */
cpr_status cpr_extract(cpr_ranks *ranks, cpr_archive *archive, const cpr_extract_options *options,
                       const cpr_listener *listener, bool *bad, cpr_error *error);

/* How closely to look at the shards. */
typedef enum cpr_examine_depth {
    CPR_EXAMINE_CODED, /* checksum of the bitstream */
    CPR_EXAMINE_RAW,   /* and decode it, check the checksum of the raw bytes, measure LZ4 */
    CPR_EXAMINE_CURVE  /* and measure the learning curve */
} cpr_examine_depth;

typedef struct cpr_examine_options {
    cpr_examine_depth depth;
    const bool *shards;     /* one for each shard; NULL: all */
    const char *state_path; /* a file that remembers intact shards, which a further run leaves out.
                               It is gone when all have been looked at. NULL: none */
    const char *archive_path; /* with state_path: the archive's */
    const char *cache;        /* see cpr_extract_options */
    unsigned threads;         /* likewise */
} cpr_examine_options;

/* What an examination came to. */
typedef struct cpr_examine_totals {
    uint64_t shards;  /* of the selection */
    uint64_t earlier; /* how many of them an earlier run found intact */
    bool remembered;  /* state_path holds what has been done */
} cpr_examine_totals;

/* COLLECTIVE, with an archive that each rank has opened. The listener is told each result, in any
 * order. CPR_OK even if shards are damaged. With CPR_EXAMINE_CODED the primer is one result more;
 * else it is decoded before the first shard, and if it is damaged that is the status. *totals is
 * also set after CPR_STOPPED, on all ranks; it may be NULL. */
cpr_status cpr_examine(cpr_ranks *ranks, cpr_archive *archive, const cpr_examine_options *options,
                       const cpr_listener *listener, cpr_examine_totals *totals, cpr_error *error);

#ifdef __cplusplus
}
#endif
#endif
