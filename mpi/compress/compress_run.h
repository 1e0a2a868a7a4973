/* compress_run.h - one call of cpr_compress(), and its steps in their order.
 *
 * Every step is COLLECTIVE, and all ranks agree on its status. */
#ifndef CPR_COMPRESS_RUN_H
#define CPR_COMPRESS_RUN_H

#include "compress_engine.h"
#include "compress_plan.h"
#include "compress_work.h"

typedef struct cpr_compress_run {
    cpr_ranks *ranks;
    cpr_compress_options options; /* the caller's, with the defaults put in */
    cpr_listener listener;        /* the caller's; all zero: nobody listens */
    cpr_file_list *listed;        /* rank 0: the corpus as it lies on the disk now */
    cpr_file_list *decoded;       /* rank 0: as it is decoded; NULL: nothing is */
    cpr_decoding decoding;        /* how, on this rank */
    cpr_compress_plan plan;
    cpr_compress_work work;
    cpr_compress_engine engine;
    char *temporary_path; /* of the archive, before it gets its name; NULL before publishing */
    uint64_t archive_bytes;
} cpr_compress_run;

/* ---- steps ---------------------------------------------------------------------------------- */

typedef cpr_status cpr_compress_step(cpr_compress_run *run, cpr_error *error);

/* Refuses an archive path that cannot be written to. */
cpr_compress_step cpr_compress_check;

/* Rank 0 lists the corpus: sets listed. */
cpr_compress_step cpr_compress_list;

/* Rank 0 opens and locks the work directory, and tidies it. Sets work.dir and work.lock there. */
cpr_compress_step cpr_compress_open;

/* Rank 0 copies the streams of its list into the work directory, unless they are there, or another
 * job's manifest, or the archive is complete. A request to stop, on any rank, ends it. */
cpr_compress_step cpr_compress_read_streams;

/* If inputs are to be decoded: learns what they hold, on all ranks, or from an earlier run. Sets
 * decoded. */
cpr_compress_step cpr_compress_inputs;

/* Rank 0 decides whether to go on with what is there; the others open the directory, too. Sets
 * work.state and, on rank 0, work.manifest, work.begun and plan.changes. */
cpr_compress_step cpr_compress_decide;

/* Gives all ranks the list of files. */
cpr_compress_step cpr_compress_share_files;

/* Cuts the corpus: plan.starts and the facts that come with it, and the engine's profile. */
cpr_compress_step cpr_compress_cut;

/* Refuses what does not fit into memory. */
cpr_compress_step cpr_compress_check_memory;

/* Learns the vocabulary from a sample that the ranks read and count together. If the job goes on,
 * takes that of the manifest, and compares the sample. Sets the plan's sample, its primer_bytes...
 * and the engine's vocabulary. */
cpr_compress_step cpr_compress_vocabulary;

/* Writes the manifest of a job that begins. */
cpr_compress_step cpr_compress_begin;

/* Looks at the shards that are there: work.todo, work.snapshots, work.earlier. */
cpr_compress_step cpr_compress_find_todo;

/* Looks at the primer that is there, and decides whether it stays that of the corpus as it was:
 * work.has_primer. The last step that changes the plan. */
cpr_compress_step cpr_compress_settle_primer;

/* Teaches the network on all ranks together, or takes the weights that are there: the engine's. */
cpr_compress_step cpr_compress_lesson;

/* Makes the primer's bitstream, and the state after it on every node. */
cpr_compress_step cpr_compress_primer;

/* Codes all shards of work.todo into the work directory. */
cpr_compress_step cpr_compress_shards;

/* Makes the archive out of the work directory, checks it, gives it its name. */
cpr_compress_step cpr_compress_publish;

/* Reads back the archive that has its name already, each rank its part. */
cpr_compress_step cpr_compress_check_archive;

/* Rank 0, after all other steps, when no rank has the work directory open: removes it, or leaves in
 * it what the next run needs, and says so in *error. Not a step: `status` is what they came to. */
cpr_status cpr_compress_close(cpr_compress_run *run, cpr_status status, cpr_error *error);

/* ---- for the steps -------------------------------------------------------------------------- */

/* COLLECTIVE. Rank 0 calls `step`; all ranks agree on how it went. */
cpr_status cpr_compress_on_first(cpr_compress_run *run, cpr_compress_step *step, cpr_error *error);

/* Local, rank 0. The corpus as it is now. */
const cpr_file_list *cpr_compress_corpus(const cpr_compress_run *run);

/* Local. Lists the corpus for a plan, counts its streams, and decodes its inputs; *files is the
 * caller's after a failure, too. What a plan says of a list. */
cpr_status cpr_compress_list_alone(const cpr_compress_options *options,
                                   const cpr_listener *listener, cpr_file_list **files,
                                   cpr_error *error);
cpr_plan cpr_compress_plan_of(const cpr_compress_options *options, const cpr_file_list *files);

/* COLLECTIVE. Gives rank 0's list of files to all: *all is each rank's own. */
cpr_status cpr_compress_share_list(const cpr_compress_run *run, const cpr_file_list *own,
                                   cpr_file_list **all, cpr_error *error);

/* Local. How inputs are looked into; memory and polls are the caller's. */
cpr_scan_options cpr_compress_scan_options(const cpr_input *input);

/* Local, rank 0. Sets decoded by what is known of inputs, and warns of what is to be said of them.
 */
cpr_status cpr_compress_take_inputs(cpr_compress_run *run, const cpr_input_records *records,
                                    cpr_error *error);

/* Local, rank 0. Warns of a corpus that is probably not what was meant. */
void cpr_compress_judge(const cpr_compress_run *run);

/* Local. Bytes of the primer of a corpus of such a run, noise included; 0 if it has none. */
uint64_t cpr_compress_primer_bytes(const cpr_compress_options *options, const cpr_file_list *files);

/* Local. Bytes of the sample that the lesson of such a run reads; 0: there is none. */
uint64_t cpr_compress_lesson_bytes(const cpr_compress_options *options, const cpr_file_list *files);

/* Local. Bytes of memory of each rank while a lesson of so many is held. */
uint64_t cpr_compress_lesson_memory(const cpr_profile *profile, uint64_t lesson_bytes);

/* Local, rank 0. Writes the manifest of this job, as the plan and the engine are now. */
cpr_status cpr_compress_write_manifest(cpr_compress_run *run, cpr_error *error);

/* Local, rank 0. CPR_ERR_CHANGED if work.manifest has a stream that is not there. */
cpr_status cpr_compress_streams_lost(const cpr_compress_run *run, cpr_error *error);

/* COLLECTIVE. Gives rank 0's plan.changes to all. */
cpr_status cpr_compress_share_changes(cpr_compress_run *run, cpr_error *error);

/* Local. Bytes that a codec of this run is made for. */
uint64_t cpr_compress_codec_bytes(const cpr_compress_plan *plan);

#endif
