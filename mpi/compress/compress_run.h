/* compress_run.h - the steps of cpr_compress(), each COLLECTIVE and agreed on. */
#ifndef CPR_COMPRESS_RUN_H
#define CPR_COMPRESS_RUN_H

#include "compress.h"
#include "primed_state.h"
#include "work.h"

/* What the work directory holds when a run begins. */
typedef enum cpr_work_state {
    CPR_WORK_NEW = 0,
    CPR_WORK_GOES_ON = 1, /* the manifest is that of this job */
    CPR_WORK_DONE = 2     /* the archive has its name, only the removal was interrupted */
} cpr_work_state;

/* What all ranks know while they compress. Owned by cpr_compress(). */
typedef struct cpr_compress_run {
    cpr_ranks *ranks;
    const cpr_compress_options *options;
    const cpr_listener *listener;
    uint64_t fingerprint; /* of this program's arithmetic */
    cpr_file_list *files; /* the same on all ranks */
    uint64_t corpus_bytes;
    uint64_t shard_count;
    uint64_t *starts;             /* shard_count + 1 corpus offsets */
    uint64_t largest;             /* bytes of the largest shard */
    uint64_t primer_sample_bytes; /* that the primer is taken from; 0: no primer */
    cpr_hash128 *sample; /* hash of each block of the vocabulary's sample, then of the primer's */
    uint64_t sample_count;
    uint64_t vocabulary_blocks; /* how many are the vocabulary's */
    uint64_t *noise;            /* per block of the primer's sample: 1 if it is left out */
    uint64_t primer_bytes;      /* without noise; 0: no primer */
    uint64_t primer_bytes_now; /* what they would be if the primer were taken from the corpus now */
    bool primer_changed; /* the corpus no longer has the text that the primer was taken from */
    uint8_t *changes;    /* per file CPR_FILE_..., see work.h; NULL: none was touched */
    uint8_t *packed_vocabulary;
    size_t packed_vocabulary_bytes;
    cpr_vocabulary *vocabulary;
    cpr_primed *primed; /* NULL: shards start from nothing */
    cpr_codec *codec;   /* of this rank, created when it is needed; see cpr_compress_codec() */
    cpr_work_dir *work;
    cpr_work_state state;
    uint64_t *todo; /* shards that are not done, those with a snapshot first */
    uint64_t todo_count;
    uint64_t snapshots;       /* of shards */
    cpr_run_progress earlier; /* what earlier runs did */

    /* rank 0 */
    cpr_work_lock *lock;
    cpr_manifest manifest; /* of the run that began; if state is CPR_WORK_GOES_ON */
    bool begun;            /* the directory's manifest is that of this job */
    size_t unread_stream;  /* the first that is not in the directory; SIZE_MAX: none */
} cpr_compress_run;

/* Tells the user, on rank 0, which phase begins, or something worth knowing. Local. */
void cpr_compress_phase(const cpr_compress_run *run, const char *name);
void cpr_compress_note(const cpr_compress_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cpr_compress_warn(const cpr_compress_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Opens and locks the work directory, reads the streams of `files`, which is that of rank 0, and
 * decides whether to go on with what is there. Sets work, state and, on rank 0, lock and manifest.
 */
cpr_status cpr_compress_open_work(cpr_compress_run *run, cpr_file_list *files, cpr_error *error);

/* Rank 0 copies the streams of its list into the work directory, unless they are there, or another
 * job's manifest, or the archive is complete. A request to stop ends it, on whichever rank. */
cpr_status cpr_compress_read_streams(cpr_compress_run *run, cpr_file_list *files, cpr_error *error);

/* Local, rank 0. CPR_ERR_CHANGED if run->manifest has a stream that is not there. */
cpr_status cpr_compress_streams_lost(const cpr_compress_run *run, const cpr_file_list *files,
                                     cpr_error *error);

/* Writes the manifest of a job that begins. */
cpr_status cpr_compress_begin(cpr_compress_run *run, cpr_error *error);

/* Local, rank 0: writes the manifest, with the sample and the primer as they are in `run`. */
cpr_status cpr_compress_write_manifest(cpr_compress_run *run, cpr_error *error);

/* Gives rank 0's `changes` to all, when the sample has been compared. */
cpr_status cpr_compress_share_changes(cpr_compress_run *run, cpr_error *error);

/* Local. Whether a file of this shard was touched since the job began. */
bool cpr_compress_is_touched(const cpr_compress_run *run, uint64_t shard);

/* Local. Names the file of a shard whose content has probably changed, for a message. */
const char *cpr_compress_suspect(const cpr_compress_run *run, uint64_t shard, char *out,
                                 size_t capacity);
#define CPR_SUSPECT_BYTES 600

/* Looks at the shards that are there, and sets todo, todo_count and earlier. */
cpr_status cpr_compress_find_todo(cpr_compress_run *run, cpr_error *error);

/* Rank 0, last, when no rank has the work directory open: removes it, or leaves in it what the next
 * run needs, and says so in *error. */
cpr_status cpr_compress_close_work(cpr_compress_run *run, cpr_status status, cpr_error *error);

/* Sets packed_vocabulary, vocabulary and sample: learned from a sample of the corpus that the ranks
 * read and count together. If the job goes on, the vocabulary is that of the manifest, and the
 * sample is compared. */
cpr_status cpr_compress_vocabulary(cpr_compress_run *run, cpr_error *error);

/* Local. The i-th block of the sample: of the vocabulary's, or of the primer. */
cpr_extent cpr_compress_sample(const cpr_compress_run *run, uint64_t i);

/* Local. Creates run->codec, unless there is one: a rank without work needs no memory for it. */
cpr_status cpr_compress_codec(cpr_compress_run *run, cpr_error *error);

/* A bitstream that is coded into the work directory, with its snapshots. */
typedef struct cpr_bitstream_work {
    const cpr_compress_run *run; /* with a codec */
    uint64_t shard;              /* or CPR_SHARD_PRIMER */
    bool keep;                   /* false: another rank does the same, and saves its state */
    uint64_t save_at;            /* raw bytes after which a snapshot is worth more; 0: none */
    cpr_read_fn *read;
    void *read_context;
    void (*rewind)(void *read_context); /* `read` is to start again */
    cpr_loss_marks *marks;              /* may be NULL */
    cpr_progress_fn *progress;
    void *progress_context;
    cpr_work_shard *out; /* out: to be committed after success, and else abandoned; NULL: none */
    uint64_t raw_bytes;  /* so far */
    bool read_failed;
    double saved; /* when the last snapshot was taken, or coding began */
} cpr_bitstream_work;

/* Local. Goes on from a snapshot, if there is one, codes to the end, and takes snapshots now and
 * then, and one if it is stopped. A snapshot of other content than `read` gives is dropped, with a
 * warning, and coding starts anew. Fills *info but for its offset and generation. */
cpr_status cpr_compress_code(cpr_bitstream_work *work, cpr_shard_info *info, cpr_error *error);

/* Makes the primer's bitstream, and the state after it on every node. */
cpr_status cpr_compress_primer(cpr_compress_run *run, cpr_error *error);

/* Listens on rank 0 in front of the user's listener, and writes down now and then how far the ranks
 * are. */
typedef struct cpr_progress_file {
    cpr_listener listener;
    const cpr_compress_run *run;
    bool primer; /* it is about the primer */
    cpr_run_progress all;
    char *hosts;
    double started;
    double written;
} cpr_progress_file;

/* COLLECTIVE. */
void cpr_progress_file_open(cpr_progress_file *file, cpr_compress_run *run, bool primer);
void cpr_progress_file_close(cpr_progress_file *file);

/* Codes all shards of `todo` into the work directory. */
cpr_status cpr_compress_shards(cpr_compress_run *run, cpr_error *error);

/* Makes the archive out of the work directory, checks it, gives it its name. *archive_bytes on rank
 * 0. The temporary file is gone after a failure. */
cpr_status cpr_compress_publish(cpr_compress_run *run, uint64_t *archive_bytes, cpr_error *error);

/* Reads back an archive, each rank its part. */
cpr_status cpr_compress_check_archive(cpr_compress_run *run, const char *path,
                                      uint64_t *archive_bytes, cpr_error *error);

#endif
