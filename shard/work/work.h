/* work.h - the work directory: a job's state while it runs, and after it was interrupted.
 * WORK.md describes all files. */
#ifndef CPR_WORK_H
#define CPR_WORK_H

#include "codec.h"
#include "corpus.h"

/* Of the files below: what WORK.md describes. */
#define CPR_WORK_VERSION 4u

/* ---- work directory -------------------------------------------------------------------------- */

/* `ARCHIVE.work/` beside the archive: a job's state while it runs, and after it was interrupted.
 * Finished shards are files, each with a header and checksums, written under a temporary name,
 * synced, renamed; so are the snapshots of shards in work. The manifest says what the shards are
 * shards of. WORK.md describes all files. */
typedef struct cpr_work_dir cpr_work_dir;
typedef struct cpr_work_lock cpr_work_lock;

/* Creates the directory (`create`) or opens it; without `create` CPR_ERR_NOT_FOUND if it is not
 * there. A directory that is not a work directory by WORK.md is not touched: CPR_ERR_EXISTS, or
 * without `create` CPR_ERR_NOT_FOUND. Not collective: rank 0 creates, the others open after it. */
cpr_status cpr_work_dir_open(const char *archive_path, bool create, cpr_work_dir **work,
                             cpr_error *error);
void cpr_work_dir_close(cpr_work_dir *work);

/* What lies in a work directory. */
typedef struct cpr_work_scan {
    uint64_t shards; /* finished, as far as names tell */
    uint64_t snapshots;
    uint64_t streams; /* that have been read to their end */
    uint64_t inputs;  /* files with what is known of compressed inputs */
    uint64_t bytes;   /* of all of these */
    uint8_t primer;   /* CPR_WORK_HAS_...; it is not one of the shards */
    uint8_t lesson;   /* likewise: its weights, or a checkpoint in its middle */
    bool manifest;
    bool published; /* the mark that cpr_work_mark_published() leaves */
} cpr_work_scan;

enum { CPR_WORK_HAS_SHARD = 1, CPR_WORK_HAS_SNAPSHOT = 2 };

/* Looks at the names. marks (may be NULL): `shards` bytes, in which CPR_WORK_HAS_... are set. */
cpr_status cpr_work_dir_scan(const cpr_work_dir *work, cpr_work_scan *scan, uint8_t *marks,
                             uint64_t shards, cpr_error *error);

/* Removes the temporary files of earlier attempts. */
cpr_status cpr_work_dir_tidy(const cpr_work_dir *work, cpr_error *error);

/* Removes everything that corpress put into it, but the lock, and what was read from pipes unless
 * `streams` is set. */
cpr_status cpr_work_dir_clear(cpr_work_dir *work, bool streams, cpr_error *error);

/* Removes the directory and everything that corpress put into it. If there is something else, that
 * and the directory stay: CPR_ERR_EXISTS. No process should have it open. CPR_OK if there is none.
 * Releases the caller's lock (may be NULL).
 */
cpr_status cpr_work_dir_remove(const char *archive_path, cpr_work_lock *lock, cpr_error *error);

/* The process that works, or worked, in a directory. */
typedef struct cpr_work_owner {
    char host[65];
    char kernel[65]; /* names the running kernel, whose locks the process takes part in */
    char job[33];    /* SLURM's number of the job, or "" */
    int64_t pid;
} cpr_work_owner;

/* Takes the directory's lock for this process, which from now on shows that it is alive; or
 * CPR_ERR_BUSY, which names the owner. Waits up to 10 s for an owner that may be about to end, and
 * watches one on another host for 20 s; `tell` is told of it. CPR_ERR_NOT_FOUND: the directory was
 * removed meanwhile; open it again. */
cpr_status cpr_work_lock_take(const cpr_work_dir *work, cpr_warn_fn *tell, void *tell_context,
                              cpr_work_lock **lock, cpr_error *error);
void cpr_work_lock_release(cpr_work_lock *lock);

/* True: this process was thought to be dead, and another job has taken over. To be called now and
 * then, by one thread: where there may be no thread that does so, this shows that the process is
 * alive. */
bool cpr_work_lock_lost(cpr_work_lock *lock);

/* Whether a job is at work, and whose it is or was last; takes up to 7 s if it is on another host.
 */
bool cpr_work_lock_look(const cpr_work_dir *work, cpr_work_owner *owner);

/* The streams of a list, copied into the work directory, because they can be read only once and
 * every rank must read them. */
typedef struct cpr_work_streams cpr_work_streams;

/* Finds those that an earlier run has read to their end, and tells the list where they are and how
 * large. */
cpr_status cpr_work_streams_open(const cpr_work_dir *work, cpr_file_list *files,
                                 cpr_work_streams **streams, cpr_error *error);
void cpr_work_streams_close(cpr_work_streams *streams);

/* The first stream that is not there, or their number; and how many bytes of it have been read. */
size_t cpr_work_streams_next(cpr_work_streams *streams);
uint64_t cpr_work_streams_bytes(const cpr_work_streams *streams);

/* Reads on in that stream for at most about 0.2 s; once it has ended, its file is on the disk and
 * the list knows it. *more is false if all of them are there. A failure leaves nothing of the
 * stream. */
cpr_status cpr_work_streams_step(cpr_work_streams *streams, bool *more, cpr_error *error);

/* Removes what an earlier run read from streams that are not of this list. */
cpr_status cpr_work_streams_drop_others(const cpr_work_dir *work, const cpr_work_streams *streams,
                                        cpr_error *error);

/* What is known of inputs that are decoded, so that nobody decodes them again to count. `number` is
 * for one rank at a time; `key` stands for how they are decoded. A file that is damaged, or of
 * another key, is as none. */
cpr_status cpr_work_inputs_save(const cpr_work_dir *work, uint64_t number, cpr_hash128 key,
                                const cpr_input_records *records, cpr_error *error);
cpr_status cpr_work_inputs_load(const cpr_work_dir *work, cpr_hash128 key,
                                cpr_input_records *records, cpr_error *error);

/* An empty file of this process alone, which is gone when *fd is closed. */
cpr_status cpr_work_scratch_open(const cpr_work_dir *work, int *fd, cpr_error *error);

/* What the shards of a work directory depend on. It borrows what it points to; the memory is the
 * caller's, or that of `own` after cpr_manifest_read(). */
typedef struct cpr_manifest_memory cpr_manifest_memory;
typedef struct cpr_manifest {
    char profile[32];                         /* its name */
    char model[CPR_DESCRIPTOR_MAX_BYTES + 1]; /* see cpr_codec_descriptor() */
    uint64_t shard_bytes;                     /* the option */
    uint64_t primer_bytes;                    /* of the sample that the primer is taken from */
    uint64_t primer_text_bytes;               /* of the primer itself: without noise */
    uint64_t lesson_bytes;                    /* of the sample that the lesson reads; 0: none */
    uint64_t fingerprint; /* of what this program's arithmetic makes of a known text */
    const cpr_file_list *files;
    uint64_t shard_count;
    const uint64_t *starts;    /* of the shards in the corpus, shard_count + 1 of them */
    const cpr_hash128 *sample; /* hash of each block of the sample, then of the primer's */
    uint64_t sample_count;
    const uint8_t *vocabulary; /* packed */
    size_t vocabulary_bytes;
    cpr_manifest_memory *own; /* NULL: nothing is to be freed */
} cpr_manifest;

/* CPR_ERR_NOT_FOUND: there is none. CPR_ERR_DAMAGED, CPR_ERR_VERSION: it cannot be used. */
cpr_status cpr_manifest_read(const cpr_work_dir *work, cpr_manifest *manifest, cpr_error *error);
cpr_status cpr_manifest_write(const cpr_work_dir *work, const cpr_manifest *manifest,
                              cpr_error *error);
void cpr_manifest_free(cpr_manifest *manifest);

/* CPR_ERR_CHANGED if `now` is another job than `old`; *error names the first difference and what to
 * do. Modes and times may differ; shards, sample and vocabulary are not compared. */
cpr_status cpr_manifest_compare(const cpr_manifest *old, const cpr_manifest *now, cpr_error *error);

/* What may have happened to a file since the job began, the more likely to its content the higher
 * the number. */
enum {
    CPR_FILE_UNTOUCHED = 0,
    CPR_FILE_TOUCHED = 1, /* its ctime: mode, owner, links, or content with the old mtime */
    CPR_FILE_WRITTEN = 2, /* its mtime */
    CPR_FILE_REPLACED = 3 /* its content, as the sample shows */
};

/* After a comparison without a difference: sets changes[i] for each file of the list. Returns for
 * how many it is not CPR_FILE_UNTOUCHED. */
uint64_t cpr_manifest_find_touched(const cpr_manifest *old, const cpr_manifest *now,
                                   uint8_t *changes);

/* Compares the hash of block i of the sample, which lies at `extent`. If it is another one, marks
 * the files there as CPR_FILE_REPLACED and returns false. */
bool cpr_manifest_same_block(const cpr_manifest *old, uint64_t i, cpr_hash128 hash,
                             cpr_extent extent, uint8_t *changes);

/* How far a lesson is. */
typedef struct cpr_work_lesson {
    uint64_t sample_bytes; /* that it reads in all, noise included */
    uint64_t begun_bytes;  /* of these, in blocks that streams have begun or finished */
    uint64_t text_bytes;   /* that the network has learned from */
    uint64_t loss_bits;    /* what it has lost on them, in units of 2^-16 bit */
} cpr_work_lesson;

/* A checkpoint of a lesson: replaces the one before at once, and is durable. The state is the
 * caller's, and for machines of the same byte order. It is removed by
 * cpr_work_snapshot_drop(CPR_SHARD_WEIGHTS). */
cpr_status cpr_work_lesson_save(const cpr_work_dir *work, const cpr_work_lesson *lesson,
                                const void *state, size_t bytes, cpr_error *error);

/* *state is malloc()ed, owned by the caller. CPR_ERR_NOT_FOUND: there is no checkpoint.
 * CPR_ERR_DAMAGED: it cannot be used. */
cpr_status cpr_work_lesson_load(const cpr_work_dir *work, uint8_t **state, size_t *bytes,
                                cpr_error *error);

/* How far the checkpoint is, from its first bytes alone. */
cpr_status cpr_work_lesson_look(const cpr_work_dir *work, cpr_work_lesson *lesson,
                                cpr_error *error);

/* What a rank is at. */
typedef struct cpr_work_rank_progress {
    char host[64];
    uint64_t shard;     /* in work; UINT64_MAX: none */
    uint64_t raw_bytes; /* of it so far */
    uint64_t coded_bytes;
    uint64_t resumed_bytes; /* of raw_bytes, what an earlier run coded */
    uint64_t done_bytes;    /* raw, of the shards that this rank has finished */
    double done_seconds;    /* that they took */
} cpr_work_rank_progress;

/* How far a run is, for people; not part of what is needed to go on. */
typedef struct cpr_work_progress {
    double seconds; /* since the run began to code */
    uint64_t shards_done;
    uint64_t raw_bytes; /* of finished shards and of those in work */
    uint64_t coded_bytes;
    uint64_t earlier_bytes; /* of raw_bytes, what earlier runs did */
    bool in_lesson;         /* the lesson is in work: */
    cpr_work_lesson lesson; /* how far it is */
    bool in_primer;         /* the primer is in work: */
    uint64_t primer_bytes;  /* raw, so far */
    uint64_t primer_earlier_bytes;
    size_t rank_count;
    cpr_work_rank_progress *ranks;
} cpr_work_progress;

/* Replaces the progress file at once. It is not synced. */
cpr_status cpr_work_progress_write(const cpr_work_dir *work, const cpr_work_progress *progress,
                                   cpr_error *error);

/* What it says; `ranks` is malloc()ed, for cpr_work_progress_free(), which is to be called after a
 * failure, too. CPR_ERR_NOT_FOUND: there is no such file. CPR_ERR_DAMAGED, CPR_ERR_NO_MEMORY. */
cpr_status cpr_work_progress_read(const cpr_work_dir *work, cpr_work_progress *progress,
                                  cpr_error *error);
void cpr_work_progress_free(cpr_work_progress *progress);

/* Where an archive is written before it gets its name: a path in its work directory that no other
 * process has; malloc()ed. */
char *cpr_work_archive_path(const char *archive_path);

/* Notes, before it gets its name, which sealed archive this job has made; and sets *published to
 * whether the archive at a path is that one. */
cpr_status cpr_work_mark_published(const cpr_work_dir *work, const char *sealed_path,
                                   cpr_error *error);
cpr_status cpr_work_is_published(const cpr_work_dir *work, const char *archive_path,
                                 bool *published, cpr_error *error);

/* What is kept of a shard beside its bitstream and its facts. Of the primer and the weights,
 * nothing. */
typedef struct cpr_work_details {
    const uint64_t *file_loss; /* of each file from that of its first byte to that of its last */
    size_t files;
    uint8_t state;            /* of the separator of documents, in front of the shard */
    const uint8_t *documents; /* packed counts of those that begin in it */
    size_t documents_bytes;
    void *own; /* NULL, or what cpr_work_shard_info() made: the caller's to free() */
} cpr_work_details;

/* Writing the bitstream of one shard, of the primer (CPR_SHARD_PRIMER), or the coded weights
 * (CPR_SHARD_WEIGHTS): begin, write (a cpr_write_fn), then commit or abandon. `commit` stores info
 * and details (NULL: none), syncs and renames. */
typedef struct cpr_work_shard cpr_work_shard;
cpr_status cpr_work_shard_begin(cpr_work_dir *work, uint64_t shard, cpr_work_shard **out,
                                cpr_error *error);
cpr_status cpr_work_shard_write(void *work_shard, const uint8_t *data, size_t bytes,
                                cpr_error *error);
cpr_status cpr_work_shard_commit(cpr_work_shard *work_shard, const cpr_shard_info *info,
                                 const cpr_work_details *details, cpr_error *error);
void cpr_work_shard_abandon(cpr_work_shard *work_shard);

/* Saves a shard in work, at a block boundary: the bitstream so far and the codec's state, durable.
 * The shard may go on, or be abandoned. */
cpr_status cpr_work_shard_save(cpr_work_shard *work_shard, cpr_codec *codec, cpr_error *error);

/* Straight after begin: goes on from the shard's snapshot, if there is one. *raw_bytes is where; 0:
 * from the start. A damaged snapshot is removed, and error->text, "" otherwise, says so. */
cpr_status cpr_work_shard_resume(cpr_work_shard *work_shard, cpr_codec *codec, uint64_t *raw_bytes,
                                 cpr_error *error);

/* Removes a shard's snapshot. */
void cpr_work_snapshot_drop(cpr_work_dir *work, uint64_t shard);

/* Reads back a finished shard's facts; the caller frees details->own, also after a
 * failure. `details` may be NULL.
 * CPR_ERR_NOT_FOUND if there is none, CPR_ERR_DAMAGED if header or trailer are. */
cpr_status cpr_work_shard_info(cpr_work_dir *work, uint64_t shard, cpr_shard_info *info,
                               cpr_work_details *details, cpr_error *error);

/* The same, and reads the bitstream and compares its hash: CPR_ERR_DAMAGED. */
cpr_status cpr_work_shard_check(cpr_work_dir *work, uint64_t shard, cpr_shard_info *info,
                                cpr_work_details *details, cpr_error *error);

/* Removes a finished shard's file. */
cpr_status cpr_work_shard_drop(cpr_work_dir *work, uint64_t shard, cpr_error *error);

/* Reads bytes [offset, offset + bytes) of a finished shard's bitstream. */
cpr_status cpr_work_shard_read(cpr_work_dir *work, uint64_t shard, uint64_t offset, uint8_t *out,
                               size_t bytes, cpr_error *error);

#endif
