/* shard.h - corpus, shards and the archive.
 *
 *   file list  -> which files, directories and links make up the corpus      (file_list.c)
 *   plan       -> which bytes of the corpus make up each shard               (plan.c)
 *   reader     -> the bytes of a shard, from the files                       (corpus_reader.c)
 *   codec      -> a shard's bytes to a bitstream and back, model and coder   (shard_codec.c)
 *   work dir   -> a job's state while it runs       (work_dir.c, work_lock.c, work_manifest.c,
 *                                                   work_shard.c, work_snapshot.c,
 *                                                   work_stream.c)
 *   archive    -> one HDF5 file                              (archive_create.c, archive_parallel.c,
 *                                                             archive_publish.c, archive_read.c)
 *   output     -> files recreated from shards               (output_tree.c, output_shard.c,
 *                                                            output_present.c, output_run.c)
 *   audit      -> LZ4's ratio, for comparison                               (lz4_meter.c)
 *   verified   -> which shards a verification has done, to go on later     (verified.c)
 *   self-test  -> known answers of model and coder                          (self_test.c)
 *
 * Every function is local: it does not communicate. Functions that can fail return a status and
 * explain it in *error. Sizes and offsets are in bytes. Strings are NUL-terminated; paths are bytes
 * without an encoding. FORMAT.md is the normative description of the archive and of the work
 * directory.
 */
#ifndef CPR_SHARD_H
#define CPR_SHARD_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPR_FORMAT_VERSION 1u
#define CPR_SHARD_BYTES_DEFAULT (UINT64_C(64) << 20)
#define CPR_SHARD_BYTES_MIN (UINT64_C(1) << 20)
#define CPR_SHARD_BYTES_MAX (UINT64_C(4) << 30)

typedef struct cpr_hash128 {
    uint64_t high;
    uint64_t low; /* XXH3-128, as XXH128_hash_t */
} cpr_hash128;

/* Called about every 64 KiB of raw bytes with the totals so far. Anything but CPR_OK ends the call
 * with that status. Here a rank answers messages and the bar moves. */
typedef cpr_status cpr_progress_fn(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                   cpr_error *error);

/* ---- file list ------------------------------------------------------------------------------ */

typedef enum cpr_file_type {
    CPR_FILE_REGULAR = 0,
    CPR_FILE_DIRECTORY = 1,
    CPR_FILE_SYMLINK = 2
} cpr_file_type;

typedef struct cpr_file {
    uint64_t bytes;        /* regular files; 0 for the others */
    int64_t mtime_seconds; /* since 1970, UTC */
    uint32_t mtime_nanoseconds;
    uint32_t change; /* a hash of the ctime, of files that were listed; archives do not keep it */
    uint32_t mode;   /* permission bits, 07777 */
    cpr_file_type type;
    bool through_link; /* a regular file that a link stands for (cpr_list_options.dereference) */
} cpr_file;

/* The files of a corpus in their order, which is the order of the corpus' bytes. Each has a source
 * path (as given, where the bytes are read) and a member path (how the archive names it: relative,
 * '/' between components, no empty, "." or ".." components). */
typedef struct cpr_file_list cpr_file_list;

/* Something the user should know that is not a failure: a socket left out, ... One line. */
typedef void cpr_warn_fn(void *context, const char *text);

cpr_file_list *cpr_file_list_create(void);
void cpr_file_list_free(cpr_file_list *list);

/* Called now and then while something takes its time. Anything but CPR_OK ends it with that. */
typedef cpr_status cpr_poll_fn(void *context, cpr_error *error);

/* Inputs that cannot be read, or are not there. Begins all zero. */
#define CPR_UNREADABLE_NAMED 20u
typedef struct cpr_unreadable {
    uint64_t count;
    char text[CPR_UNREADABLE_NAMED][640]; /* which and why, of the first ones */
} cpr_unreadable;

/* What is taken, and who is told. All zero: everything as it is, and nobody. */
typedef struct cpr_list_options {
    const char *const *exclude; /* NULL, or absolute resolved paths that are left out, with a NULL
                                   behind them: the archive itself, its work directory and log.
                                   Links lead to them in vain, too */
    cpr_unreadable *unreadable; /* NULL: the first one is CPR_ERR_IO. Else they are left out and
                                   counted; see cpr_file_list_check_unreadable() */
    bool dereference;           /* take what links lead to instead of them */
    const char *stream_name;    /* safe member path of what is read from pipes; NULL: see below */
    cpr_warn_fn *warn;          /* may be NULL */
    void *warn_context;
    cpr_poll_fn *poll; /* may be NULL */
    void *poll_context;
} cpr_list_options;

/* Adds a file or link, or a directory with everything in it, sorted bytewise by whole paths. Links
 * are kept as links, also one that `path` names; "link/" names what it points to. With
 * options->dereference what links lead to is taken in their place; a link that leads nowhere is
 * kept with a warning, and one that leads to a directory that the walk is in is left out with one.
 * Sockets, devices and FIFOs in directories are left out with a warning.
 *
 * The member path is `path` without a leading '/', empty and "." components, and everything up to
 * its last ".."; "." itself adds what is in it. A member path that the list already holds with the
 * same source is left out silently; with another source it is an error.
 *
 * "-", and a path that is or leads to a pipe, adds a stream: a regular file whose bytes are not
 * known before it has been read (cpr_work_streams_open()), of mode 0644 and time 0. Its member path
 * is options->stream_name; without one it is "stdin" for "-" and what has its name from the
 * system, as /dev/fd/63, and else that of the path. The second stream that is named by stream_name
 * or "stdin" gets ".2" behind it, and so on. A pipe that is named twice is CPR_ERR_USAGE. Sockets
 * and devices that are named as such are refused.
 *
 * A file whose size is 0 and that is not empty, as under /proc, is refused: CPR_ERR_IO.
 * options: NULL is as all zero. */
cpr_status cpr_file_list_add(cpr_file_list *list, const char *path, const cpr_list_options *options,
                             cpr_error *error);

/* Adds the paths named in a file ("-": standard input), separated by NUL if it holds one, else by
 * newlines; a CR in front of them, and a byte order mark in front of all, are left out, unless a
 * file is named so. Directories named there are added with everything in them; pipes are left out
 * with a warning. CPR_ERR_NOT_FOUND if it names nothing. */
cpr_status cpr_file_list_add_from(cpr_file_list *list, const char *names_file,
                                  const cpr_list_options *options, cpr_error *error);

/* Warns if a corpus that is complete holds no bytes, or more links than files: data may be what was
 * meant. Not of a tree of directories alone. */
void cpr_file_list_judge(const cpr_file_list *list, const cpr_list_options *options);

/* Checks, when all is added, that no member path of a stream has a file above it. */
cpr_status cpr_file_list_check_streams(const cpr_file_list *list, cpr_error *error);

/* The number of streams of the list, and what the i-th of them is read from. */
size_t cpr_file_list_streams(const cpr_file_list *list);
const char *cpr_file_list_stream(const cpr_file_list *list, size_t i);

/* Its index in the list, and whether it is known where its bytes are. */
uint64_t cpr_file_list_stream_file(const cpr_file_list *list, size_t i);
bool cpr_file_list_stream_is_read(const cpr_file_list *list, size_t i);

/* Reads the i-th stream to its end and drops what it gives; sets its number of bytes. */
cpr_status cpr_file_list_count_stream(cpr_file_list *list, size_t i, cpr_poll_fn *poll,
                                      void *poll_context, cpr_error *error);

/* True if a member path is relative and has no empty, "." or ".." component. */
bool cpr_member_path_is_safe(const char *member);

/* When all is added: warns of the inputs that could not be read, of the first ones by name. It is
 * CPR_ERR_IO if there are any, unless `skip`; with it, CPR_ERR_NOT_FOUND if nothing else is left.
 * options->unreadable must not be NULL. */
cpr_status cpr_file_list_check_unreadable(const cpr_file_list *list,
                                          const cpr_list_options *options, bool skip,
                                          cpr_error *error);

uint64_t cpr_file_list_count(const cpr_file_list *list);
uint64_t cpr_file_list_bytes(const cpr_file_list *list); /* of the whole corpus */
cpr_file cpr_file_list_get(const cpr_file_list *list, uint64_t i);
const char *cpr_file_list_source(const cpr_file_list *list, uint64_t i);
const char *cpr_file_list_member(const cpr_file_list *list, uint64_t i);
const char *cpr_file_list_link_target(const cpr_file_list *list, uint64_t i); /* "" if no link */
uint64_t cpr_file_list_offset(const cpr_file_list *list,
                              uint64_t i); /* of its bytes in the corpus */

/* The file that holds the corpus' byte `offset` (which must be less than the corpus' bytes). */
uint64_t cpr_file_list_find(const cpr_file_list *list, uint64_t offset);

/* The index of a member path, or UINT64_MAX. */
uint64_t cpr_file_list_lookup(const cpr_file_list *list, const char *member);

/* The list as bytes for another rank: malloc()ed, owned by the caller; NULL: out of memory. */
uint8_t *cpr_file_list_pack(const cpr_file_list *list, size_t *bytes);
cpr_status cpr_file_list_unpack(const uint8_t *packed, size_t bytes, cpr_file_list **list,
                                cpr_error *error);

/* ---- corpus reader -------------------------------------------------------------------------- */

/* Reads the corpus as one stream. Keeps one file open. An input that is missing or unreadable gives
 * CPR_ERR_IO, one whose type or size is no longer that of the list CPR_ERR_CHANGED. Modes and times
 * do not count. */
typedef struct cpr_corpus_reader cpr_corpus_reader;

cpr_corpus_reader *cpr_corpus_reader_create(const cpr_file_list *list);
void cpr_corpus_reader_free(cpr_corpus_reader *reader);

/* Fills out[0, bytes) from the corpus' byte `offset`; offset + bytes must lie within the corpus. */
cpr_status cpr_corpus_reader_read(cpr_corpus_reader *reader, uint64_t offset, uint8_t *out,
                                  size_t bytes, cpr_error *error);

/* Checks the open file's type and size once more and closes it. */
cpr_status cpr_corpus_reader_finish(cpr_corpus_reader *reader, cpr_error *error);

/* Whether a file was touched between being opened and being closed, since this was asked last; then
 * *file is the first of them. What was read of it may be neither its old nor its new content. */
bool cpr_corpus_reader_touched(cpr_corpus_reader *reader, uint64_t *file);

/* Reads bytes [offset, offset + bytes) only to see whether their hash is `hash`. */
cpr_status cpr_corpus_reader_compare(cpr_corpus_reader *reader, uint64_t offset, uint64_t bytes,
                                     cpr_hash128 hash, bool *same, cpr_progress_fn *progress,
                                     void *progress_context, cpr_error *error);

/* ---- plan ----------------------------------------------------------------------------------- */

typedef struct cpr_extent {
    uint64_t offset; /* in the corpus */
    uint64_t bytes;
} cpr_extent;

/* Number of shards of a corpus: bytes / shard_bytes, rounded up. */
uint64_t cpr_plan_shards(uint64_t corpus_bytes, uint64_t shard_bytes);

/* Where shard i starts: after the first line end at or behind i * corpus_bytes / shards, if there
 * is one within 64 KiB (else right there). Start of shard 0 is 0; of shard `shards`, the corpus'
 * end. Shard i is [start(i), start(i + 1)). A pure function of the corpus: any rank may compute any
 * of them. */
cpr_status cpr_plan_start(cpr_corpus_reader *reader, const cpr_file_list *list, uint64_t shards,
                          uint64_t i, uint64_t *start, cpr_error *error);

/* The i-th of the sample's blocks: `count` extents of at most 64 KiB, spread evenly over the
 * corpus. Of a corpus no larger than sample_bytes they cover everything. */
uint64_t cpr_plan_sample_count(uint64_t corpus_bytes, uint64_t sample_bytes);
cpr_extent cpr_plan_sample(uint64_t corpus_bytes, uint64_t sample_bytes, uint64_t i);

/* Bytes of the sample from which the primer is taken, the text that the model has learned before
 * every shard: the primer consists of the blocks of cpr_plan_sample() of that many bytes, all of
 * 64 KiB, one behind the other, without those that are noise. 0, no primer, for a corpus of
 * few shards. */
uint64_t cpr_plan_primer_bytes(uint64_t corpus_bytes, uint64_t shard_bytes);

/* Stands for the primer where else the number of a shard does. */
#define CPR_SHARD_PRIMER (UINT64_MAX - 1)

/* True if a block's byte values are all about equally frequent, as in compressed or encrypted data:
 * there is nothing to learn from it. Never of fewer than 4 KiB. */
bool cpr_block_is_noise(const uint8_t *block, size_t bytes);

/* ---- shard codec ---------------------------------------------------------------------------- */

struct cpr_model;
struct cpr_vocabulary;
struct cpr_profile;

/* Facts of one coded shard. */
typedef struct cpr_shard_info {
    uint64_t offset; /* of its first byte in the corpus; a shard is one extent of it */
    uint64_t raw_bytes;
    uint64_t coded_bytes;
    uint64_t stored_bytes;      /* raw bytes that went past the model: they do not compress */
    uint64_t tokens;            /* that the model coded */
    uint64_t loss_bits;         /* the model's loss, sum of -log2 p, in units of 2^-16 bit */
    uint64_t network_loss_bits; /* likewise, of the network alone; 0: there is none */
    uint32_t generation;        /* of the model that it was coded from: 0 initial, 1 primed */
    cpr_hash128 raw_hash;
    cpr_hash128 coded_hash;
} cpr_shard_info;

/* Source of bytes: puts 1 to `capacity` bytes at `out` and their number in *got; 0: no more. */
typedef cpr_status cpr_read_fn(void *context, uint8_t *out, size_t capacity, size_t *got,
                               cpr_error *error);

/* Takes all the bytes given. */
typedef cpr_status cpr_write_fn(void *context, const uint8_t *data, size_t bytes, cpr_error *error);

/* Told the model's loss (units of 2^-16 bit, since the start of the shard) when all bytes before
 * raw offset `at` (relative to the shard) are coded. Offsets are asked for in ascending order. */
typedef struct cpr_loss_marks {
    const uint64_t *at; /* ascending raw offsets within the shard, 0 to raw_bytes */
    uint64_t *loss;     /* out: loss of the tokens that begin before at[i] */
    size_t count;
} cpr_loss_marks;

/* What one rank needs to code shards: model, parser, buffers; reused from shard to shard. */
typedef struct cpr_codec cpr_codec;

/* max_bytes: of the primer and the largest shard together; the bitstreams depend on it. */
cpr_status cpr_codec_create(const struct cpr_profile *profile,
                            const struct cpr_vocabulary *vocabulary, uint64_t max_bytes,
                            cpr_codec **codec, cpr_error *error);
void cpr_codec_free(cpr_codec *codec);

/* Bytes of memory of such a codec, and of a base for it, within 1 %. */
uint64_t cpr_codec_memory(const struct cpr_profile *profile, uint64_t max_bytes);
uint64_t cpr_codec_base_memory(const struct cpr_profile *profile, uint64_t max_bytes);

/* What the model has learned, as bytes for codecs that were created alike on machines of the same
 * byte order. Copied to `out` after a bitstream has been coded or decoded to its end. */
size_t cpr_codec_state_bytes(const cpr_codec *codec);
void cpr_codec_get_state(cpr_codec *codec, void *out);

/* From now on every bitstream begins with this state instead of the initial one, to which NULL
 * leads back. It is only read, each time one begins, and must stay as it is. */
void cpr_codec_set_base(cpr_codec *codec, const void *state);

/* Codes everything that `read` gives, as one shard (or as the primer), and fills all of *info
 * except offset and generation. marks may be NULL, progress may be NULL. When progress is called,
 * all coded bytes so far have been given to `write`. */
cpr_status cpr_codec_encode(cpr_codec *codec, cpr_read_fn *read, void *read_context,
                            cpr_write_fn *write, void *write_context, cpr_progress_fn *progress,
                            void *progress_context, const cpr_loss_marks *marks,
                            cpr_shard_info *info, cpr_error *error);

/* How the loss grows while a shard is coded. Point k is after 2^k * 64 KiB, the last one after the
 * whole shard. */
#define CPR_CURVE_POINTS 18u

typedef struct cpr_curve_point {
    uint64_t raw_bytes;
    uint64_t loss_bits; /* so far; units of 2^-16 bit */
    uint64_t network_loss_bits;
} cpr_curve_point;

typedef struct cpr_curve {
    uint32_t points;
    cpr_curve_point point[CPR_CURVE_POINTS];
} cpr_curve;

/* From now on cpr_codec_decode() measures the loss, and leaves its curve there. NULL: no longer. */
void cpr_codec_set_curve(cpr_codec *codec, cpr_curve *curve);

/* Decodes a bitstream into info->raw_bytes bytes given to `write` (may be NULL) and checks them
 * against info->raw_hash: CPR_ERR_DAMAGED if they differ. (`read` gives the coded bytes; that their
 * hash is right has been checked before.) */
cpr_status cpr_codec_decode(cpr_codec *codec, const cpr_shard_info *info, cpr_read_fn *read,
                            void *read_context, cpr_write_fn *write, void *write_context,
                            cpr_progress_fn *progress, void *progress_context, cpr_error *error);

/* ---- snapshots ----------------------------------------------------------------------------- */

/* Saves a codec between two blocks of a shard that it encodes, at the end of the file `fd`: from
 * within the progress function, or after that has stopped cpr_codec_encode(), whose marks must
 * still be there. The bitstream's bytes so far, which all have been given to `write`, are not part
 * of it. Neither syncs nor closes. */
cpr_status cpr_snapshot_write(cpr_codec *codec, int fd, cpr_error *error);

/* Loads a codec that was created alike, from the file's start, and tells how far it had got.
 * CPR_ERR_DAMAGED: not a sound snapshot of such a codec; the shard must be coded from its start,
 * which the codec is ready for. */
cpr_status cpr_snapshot_read(cpr_codec *codec, int fd, uint64_t *raw_bytes, uint64_t *coded_bytes,
                             cpr_error *error);

/* Shows a loaded codec the *coded_bytes bytes of bitstream that were written before the snapshot.
 * The next cpr_codec_encode() then goes on: its `read` must give the shard from its start (what is
 * coded already is only compared: CPR_ERR_CHANGED), its `write` gets the further bytes, its marks
 * must be those of the first run. CPR_ERR_DAMAGED: these are other bytes; start anew. */
cpr_status cpr_codec_resume(cpr_codec *codec, cpr_read_fn *read, void *context, cpr_error *error);

/* A small block of metadata (the vocabulary) coded with the model on single bytes. *coded is
 * malloc()ed, owned by the caller. Decoding needs to know the raw size; damage gives
 * CPR_ERR_DAMAGED. */
cpr_status cpr_blob_encode(const uint8_t *raw, size_t raw_bytes, uint8_t **coded,
                           size_t *coded_bytes, cpr_error *error);
cpr_status cpr_blob_decode(const uint8_t *coded, size_t coded_bytes, uint8_t **raw,
                           size_t *raw_bytes, cpr_error *error);

/* ---- work directory ------------------------------------------------------------------------- */

/* `ARCHIVE.work/` beside the archive: a job's state while it runs, and after it was interrupted.
 * Finished shards are files, each with a header and checksums, written under a temporary name,
 * synced, renamed; so are the snapshots of shards in work. The manifest says what the shards are
 * shards of. FORMAT.md describes all files. */
typedef struct cpr_work_dir cpr_work_dir;
typedef struct cpr_work_lock cpr_work_lock;

/* Creates the directory (`create`), or opens what is there: CPR_ERR_NOT_FOUND if nothing is. A
 * directory that neither is empty nor has a lock or a manifest of ours is not touched, nor a link,
 * nor another user's directory that everybody may write to: CPR_ERR_EXISTS, or without `create`
 * CPR_ERR_NOT_FOUND. Not collective: rank 0 creates, the others open after it. */
cpr_status cpr_work_dir_open(const char *archive_path, bool create, cpr_work_dir **work,
                             cpr_error *error);
void cpr_work_dir_close(cpr_work_dir *work);

/* What lies in a work directory. */
typedef struct cpr_work_scan {
    uint64_t shards; /* finished, as far as names tell */
    uint64_t snapshots;
    uint64_t streams; /* that have been read to their end */
    uint64_t bytes;   /* of all of these */
    uint8_t primer;   /* CPR_WORK_HAS_...; it is not one of the shards */
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

/* What the shards of a work directory depend on. Pointers are the manifest's own after
 * cpr_manifest_read(). */
typedef struct cpr_manifest {
    char profile[32];
    uint32_t profile_version;
    uint64_t shard_bytes;       /* the option */
    uint64_t primer_bytes;      /* of the sample that the primer is taken from */
    uint64_t primer_text_bytes; /* of the primer itself: without noise */
    uint64_t fingerprint;       /* of what this program's arithmetic makes of a known text */
    cpr_file_list *files;
    uint64_t shard_count;
    uint64_t *starts;    /* of the shards in the corpus, shard_count + 1 of them */
    cpr_hash128 *sample; /* hash of each block of the sample, then of the primer's */
    uint64_t sample_count;
    uint8_t *vocabulary; /* packed */
    size_t vocabulary_bytes;
} cpr_manifest;

/* CPR_ERR_NOT_FOUND: there is none. CPR_ERR_DAMAGED, CPR_ERR_VERSION: it is of no use. */
cpr_status cpr_manifest_read(const cpr_work_dir *work, cpr_manifest *manifest, cpr_error *error);
cpr_status cpr_manifest_write(const cpr_work_dir *work, const cpr_manifest *manifest,
                              cpr_error *error);
void cpr_manifest_free(cpr_manifest *manifest);

/* CPR_ERR_CHANGED, naming the first difference and what to do, if `now` (of which shards, sample
 * and vocabulary are not looked at) is not the job that `old` is of. Modes and times may differ. */
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

/* The hash of a block of the sample. */
cpr_hash128 cpr_manifest_hash(const uint8_t *block, size_t bytes);

/* Compares the hash of block i of the sample, which lies at `extent`. If it is another one, marks
 * the files there as CPR_FILE_REPLACED and returns false. */
bool cpr_manifest_same_block(const cpr_manifest *old, uint64_t i, cpr_hash128 hash,
                             cpr_extent extent, uint8_t *changes);

/* How far a job is, for people; not part of what is needed to go on. *text is malloc()ed. */
cpr_status cpr_work_put_progress(const cpr_work_dir *work, const char *text, cpr_error *error);
cpr_status cpr_work_get_progress(const cpr_work_dir *work, char **text, cpr_error *error);

/* Where an archive is written before it gets its name: a path in its work directory that no other
 * process has; malloc()ed. */
char *cpr_work_archive_path(const char *archive_path);

/* Notes, before it gets its name, which sealed archive this job has made; and sets *published to
 * whether the archive at a path is that one. */
cpr_status cpr_work_mark_published(const cpr_work_dir *work, const char *sealed_path,
                                   cpr_error *error);
cpr_status cpr_work_is_published(const cpr_work_dir *work, const char *archive_path,
                                 bool *published, cpr_error *error);

/* Writing the bitstream of one shard, or of the primer (CPR_SHARD_PRIMER): begin, write (a
 * cpr_write_fn), then commit or abandon. `commit` stores info and the loss of each file in the
 * shard, syncs and renames. */
typedef struct cpr_work_shard cpr_work_shard;
cpr_status cpr_work_shard_begin(cpr_work_dir *work, uint64_t shard, cpr_work_shard **out,
                                cpr_error *error);
cpr_status cpr_work_shard_write(void *work_shard, const uint8_t *data, size_t bytes,
                                cpr_error *error);
cpr_status cpr_work_shard_commit(cpr_work_shard *work_shard, const cpr_shard_info *info,
                                 const uint64_t *file_loss, size_t files, cpr_error *error);
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

/* Reads back a finished shard's facts; *file_loss (may be NULL) is malloc()ed, owned by the caller.
 * CPR_ERR_NOT_FOUND if there is none, CPR_ERR_DAMAGED if header or trailer are. */
cpr_status cpr_work_shard_info(cpr_work_dir *work, uint64_t shard, cpr_shard_info *info,
                               uint64_t **file_loss, size_t *files, cpr_error *error);

/* The same, and reads the bitstream and compares its hash: CPR_ERR_DAMAGED. */
cpr_status cpr_work_shard_check(cpr_work_dir *work, uint64_t shard, cpr_shard_info *info,
                                size_t *files, cpr_error *error);

/* Removes a finished shard's file. */
cpr_status cpr_work_shard_drop(cpr_work_dir *work, uint64_t shard, cpr_error *error);

/* Reads bytes [offset, offset + bytes) of a finished shard's bitstream. */
cpr_status cpr_work_shard_read(cpr_work_dir *work, uint64_t shard, uint64_t offset, uint8_t *out,
                               size_t bytes, cpr_error *error);

/* ---- archive -------------------------------------------------------------------------------- */

/* Everything in an archive but the bitstreams. */
typedef struct cpr_archive_header {
    char profile[32];
    uint32_t profile_version;
    uint64_t shard_bytes;      /* the option --shard-size */
    const uint8_t *vocabulary; /* packed, raw (see cpr_vocabulary_pack); stored as a coded blob */
    size_t vocabulary_bytes;
    const cpr_file_list *files; /* member paths, sizes, modes, mtimes, links */
    const uint64_t *file_loss;  /* per file: loss of its tokens, units of 2^-16 bit; the archive
                                   keeps whole bits */
    const cpr_shard_info *shards;
    uint64_t shard_count;
    const cpr_shard_info *primer; /* NULL: there is none; its offset says nothing */
} cpr_archive_header;

/* To be called before MPI_Init(), which else makes MPI_Finalize() end HDF5: that crashes after an
 * output could not be written. */
void cpr_archive_prepare(void);

/* Writing, step 1, by one process: creates `temporary_path` with all tables and room for the
 * bitstreams. */
cpr_status cpr_archive_create(const char *temporary_path, const cpr_archive_header *header,
                              cpr_error *error);

/* Gives the bitstream bytes [offset, offset + bytes) of a shard, or of the primer. */
typedef cpr_status cpr_bitstream_fn(void *context, uint64_t shard, uint64_t offset, uint8_t *out,
                                    size_t bytes, cpr_error *error);

/* Writing, step 2, on each of `ranks` ranks at any time after step 1 has succeeded on one: writes
 * this rank's part of the bitstreams, and syncs it. Step 3 comes when all have succeeded. The parts
 * are cut by bytes, not by shards, so any rank's `source` may be asked for any shard. Needs up to
 * 64 MiB of memory. */
cpr_status cpr_archive_write_bitstreams(const char *temporary_path, unsigned rank, unsigned ranks,
                                        cpr_bitstream_fn *source, void *source_context,
                                        cpr_error *error);

/* Writing, step 3, by one process: seals the file (size, checksum of the tables), syncs it.
 * The caller then checks it by reading back, and publishes. */
cpr_status cpr_archive_seal(const char *temporary_path, cpr_error *error);

/* Writing, step 4, by one process: makes the file read-only, renames it to the final name and syncs
 * the directory. Without `overwrite`, an existing final name gives CPR_ERR_EXISTS and is left
 * alone.
 */
cpr_status cpr_archive_publish(const char *temporary_path, const char *path, bool overwrite,
                               cpr_error *error);

typedef struct cpr_archive cpr_archive;

/* Opens an archive for reading: checks the seal over all tables before HDF5 sees them, and refuses
 * what FORMAT.md does not allow before it is read. Needs no write permission and takes no file
 * lock.
 */
cpr_status cpr_archive_open(const char *path, cpr_archive **archive, cpr_error *error);

/* The same; but if the seal does not match, as after another program wrote to the file, reads what
 * the tables say all the same. Names, sizes and times of files can be wrong then, as all that is
 * not in a shard; shards have their own checksums. */
cpr_status cpr_archive_open_unsealed(const char *path, cpr_archive **archive, cpr_error *error);

/* Whether the seal was right. */
bool cpr_archive_is_sealed(const cpr_archive *archive);
void cpr_archive_close(cpr_archive *archive);

/* Everything in the header points into the archive and lives as long as it does. `vocabulary` is
 * NULL: see cpr_archive_vocabulary(). */
const cpr_archive_header *cpr_archive_info(const cpr_archive *archive);
/* The profile that the archive was made with. CPR_ERR_VERSION: this program does not have it, or
 * not in that version; the tables can be read all the same. */
cpr_status cpr_archive_profile(const cpr_archive *archive, const struct cpr_profile **profile,
                               cpr_error *error);

/* The packed vocabulary, decoded when it is first asked for; it lives as long as the archive. Its
 * model may be one that this program does not have: see first that the profile is known.
 * CPR_ERR_DAMAGED, CPR_ERR_NO_MEMORY. */
cpr_status cpr_archive_vocabulary(cpr_archive *archive, const uint8_t **packed, size_t *bytes,
                                  cpr_error *error);

uint64_t cpr_archive_file_bytes(const cpr_archive *archive); /* of the archive file itself */

/* Hash of the tables, and so of everything in the archive: the shards' hashes are in them. Without
 * a seal, of the shards' hashes. */
cpr_hash128 cpr_archive_identity(const cpr_archive *archive);

/* Facts of a shard of the archive, or of its primer. */
const cpr_shard_info *cpr_archive_shard(const cpr_archive *archive, uint64_t shard);

/* Bytes of the primer and the largest shard: max_bytes of a codec for this archive. */
uint64_t cpr_archive_codec_bytes(const cpr_archive *archive);

/* Reads bytes of a shard's bitstream, as a cpr_bitstream_fn with the archive as its context. */
cpr_status cpr_archive_read(void *archive, uint64_t shard, uint64_t offset, uint8_t *out,
                            size_t bytes, cpr_error *error);

/* Reads a shard's bitstream once and compares its hash: CPR_ERR_DAMAGED names the shard. */
cpr_status cpr_archive_check_coded(cpr_archive *archive, uint64_t shard, cpr_error *error);

/* Checks the coded hash, then decodes the shard to `write` (may be NULL). If the archive has a
 * primer, the state after it must be the codec's base; for the primer itself it must have none. */
cpr_status cpr_archive_decode(cpr_archive *archive, uint64_t shard, cpr_codec *codec,
                              cpr_write_fn *write, void *write_context, cpr_progress_fn *progress,
                              void *progress_context, cpr_error *error);

/* Decodes the primer with a codec in its initial state and makes the state after it the codec's
 * base. *base is malloc()ed, to be freed after the codec; NULL if the archive has no primer. */
cpr_status cpr_archive_prime(cpr_archive *archive, cpr_codec *codec, void **base, cpr_error *error);

/* ---- output tree ---------------------------------------------------------------------------- */

/* Recreates selected files below a directory. Nothing is written outside of it: absolute paths,
 * ".." and links in the way give CPR_ERR_UNSAFE. Files are written under temporary names, which are
 * random and this run's alone, and take their names when the shards that hold them have been
 * checked. So several runs may write to one directory: who comes later to a name that is taken gets
 * CPR_ERR_EXISTS, or with overwrite replaces a whole file by a whole file. */
typedef struct cpr_output_tree cpr_output_tree;

/* selected: one bool per file, or NULL for all. */
cpr_status cpr_output_tree_open(const cpr_file_list *files, const bool *selected,
                                const char *directory, bool overwrite, cpr_output_tree **tree,
                                cpr_error *error);
void cpr_output_tree_close(cpr_output_tree *tree);

/* Goes on with what an earlier run left, on every object before anything else is done with it: what
 * is there already as the archive has it (links by their target, files by size and time) is not in
 * the way, and stays; so do the temporary files of those that span several shards, if the run that
 * they are of was of the same archive and is dead (else preparing gives CPR_ERR_BUSY). */
void cpr_output_tree_continue(cpr_output_tree *tree);

/* Who is told, while the object prepares, of other runs at work in the directory. Before that. */
void cpr_output_tree_tell(cpr_output_tree *tree, cpr_warn_fn *tell, void *context);

/* By one process, first: creates the directories, empty files, and the temporary files of those
 * that span several shards; refuses unsafe paths and, without overwrite, existing files, before
 * anything is written. shards: of the archive. */
cpr_status cpr_output_tree_prepare(cpr_output_tree *tree, const cpr_shard_info *shards,
                                   uint64_t shard_count, cpr_error *error);

/* What the object that has prepared tells the others of its run, which they must know before they
 * write or look for anything: a text. */
#define CPR_OUTPUT_RUN_BYTES 33
void cpr_output_tree_run(const cpr_output_tree *tree, char run[CPR_OUTPUT_RUN_BYTES]);
void cpr_output_tree_join(cpr_output_tree *tree, const char run[CPR_OUTPUT_RUN_BYTES]);

/* By any process, per shard: begin, write (a cpr_write_fn, the shard's bytes from its start), then
 * end. `good`: the shard was decoded and checked; its whole files take their names. Else they are
 * removed. */
cpr_status cpr_output_shard_begin(cpr_output_tree *tree, const cpr_shard_info *shard,
                                  cpr_error *error);
cpr_status cpr_output_shard_write(void *tree, const uint8_t *data, size_t bytes, cpr_error *error);
cpr_status cpr_output_shard_end(cpr_output_tree *tree, bool good, cpr_error *error);

/* By any process, before a shard is decoded, if cpr_output_tree_continue() was called: whether all
 * that it would write is there. If all files of the shard are selected, their bytes are compared
 * with the shard's hash; else files that have their names are taken for what they seem to be. Calls
 * progress (may be NULL) now and then. */
cpr_status cpr_output_shard_present(cpr_output_tree *tree, const cpr_shard_info *shard,
                                    cpr_progress_fn *progress, void *progress_context,
                                    bool *present, cpr_error *error);

/* By the object that prepared, instead of finishing: leaves the temporary files of those that span
 * several shards, for a run that goes on. */
void cpr_output_tree_leave(cpr_output_tree *tree);

/* By the object that prepared, last (`shards` is still needed): names the files that span several
 * shards, removing those that touch a shard with bad[shard] set (NULL: none is bad), creates links,
 * sets directory modes and mtimes. Modes are restored without set-user-ID, set-group-ID, sticky. */
cpr_status cpr_output_tree_finish(cpr_output_tree *tree, const bool *bad, cpr_error *error);

/* ---- audit ---------------------------------------------------------------------------------- */

/* Size of the data, in blocks of 4 MiB, under LZ4 at its default level: the baseline of the audit.
 */
typedef struct cpr_lz4_meter cpr_lz4_meter;
cpr_lz4_meter *cpr_lz4_meter_create(void);
void cpr_lz4_meter_free(cpr_lz4_meter *meter);
void cpr_lz4_meter_add(cpr_lz4_meter *meter, const uint8_t *data, size_t bytes);
uint64_t cpr_lz4_meter_finish(cpr_lz4_meter *meter); /* total, and ready for the next shard */

/* ---- verification in several runs ------------------------------------------------------------ */

/* A small file that remembers which shards of an archive have been verified, and how: `decoded`, or
 * by their compressed data only. */
typedef struct cpr_verified cpr_verified;

/* Opens the file, or creates it, and sets done[shard] of the shards that it remembers. One that is
 * of another archive, of this one before it was written to or replaced, or of the other way to
 * verify, begins anew. CPR_ERR_EXISTS: the file is something else, and left alone. */
cpr_status cpr_verified_open(const char *path, const char *archive_path, const cpr_archive *archive,
                             bool decoded, bool *done, cpr_verified **verified, cpr_error *error);

/* Remembers a shard. NULL: does nothing. */
cpr_status cpr_verified_add(cpr_verified *verified, uint64_t shard, cpr_error *error);

/* Closes, and with `remove` removes the file. NULL: does nothing. */
void cpr_verified_close(cpr_verified *verified, bool remove);

/* ---- self-test ------------------------------------------------------------------------------ */

/* Codes and decodes a small built-in text as the profile does, and as the archive's tables are
 * coded, and compares the bitstreams with known ones, in less than 0.1 s: CPR_ERR_SELF_TEST if this
 * machine computes differently. NULL: the tables alone. *fingerprint is a hash of what it computed,
 * the same in all processes that can work on one archive together. */
cpr_status cpr_self_test(const struct cpr_profile *profile, uint64_t *fingerprint,
                         cpr_error *error);

#endif
