/* corpus.h - the files of a corpus, their bytes as one stream, and how it is cut into shards.
 *
 *   file list  -> which files, directories and links make up the corpus   (file_list*.c, stream.c)
 *   reader     -> the bytes of a shard, from the files                       (corpus_reader.c)
 *   plan       -> which bytes of the corpus make up each shard               (plan.c)
 *   origins    -> compressed files and tars that files are decoded from     (origins.h, origins.c)
 *   documents  -> where documents begin                                (documents.h, documents.c)
 */
#ifndef CPR_CORPUS_H
#define CPR_CORPUS_H

#include "input_scan.h"

/* ---- file list ------------------------------------------------------------------------------- */

typedef struct cpr_file {
    uint64_t bytes;        /* regular files; 0 for the others */
    int64_t mtime_seconds; /* since 1970, UTC */
    uint32_t mtime_nanoseconds;
    uint32_t change; /* a hash of the ctime, of files that were listed; archives do not keep it */
    uint32_t mode;   /* permission bits, 07777 */
    cpr_file_type type;
    cpr_document_rule documents;
    bool through_link; /* a regular file that a link stands for (cpr_list_options.dereference) */
} cpr_file;

/* The files of a corpus in their order, which is the order of the corpus' bytes. Each has a source
 * path (as given, where the bytes are read) and a member path (how the archive names it: relative,
 * '/' between components, no empty, "." or ".." components). */
typedef struct cpr_file_list cpr_file_list;

cpr_file_list *cpr_file_list_create(void);
void cpr_file_list_free(cpr_file_list *list);

/* Inputs that cannot be read, or are not there. Begins all zero. */
#define CPR_UNREADABLE_NAMED 20u
typedef struct cpr_unreadable {
    uint64_t count;
    char text[CPR_UNREADABLE_NAMED][640]; /* which and why, of the first ones */
} cpr_unreadable;

/* What is taken, and who is told. All zero: take everything, tell nobody. */
typedef struct cpr_list_options {
    const char *const *exclude; /* NULL, or absolute resolved paths that are left out, with a NULL
                                   behind them: the archive itself, its work directory and log.
                                   Links lead to them in vain, too */
    /* Whether a member path is left out, and a directory's with everything below it; may be NULL */
    bool (*left_out)(void *context, const char *member, bool is_directory);
    void *left_out_context;
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

/* Warns if a tenth of the corpus or more is compressed already, as far as files begin like that:
 * reads the first bytes of up to 1,000 of them. */
void cpr_file_list_judge_compressed(const cpr_file_list *list, const cpr_list_options *options);

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

/* What documents are. */
#define CPR_SEPARATOR_MAX_BYTES 255u
typedef struct cpr_document_choice {
    bool by_name;           /* lines in files named as collections of JSON are, else the file */
    cpr_document_rule rule; /* of all regular files, if not by_name */
    uint8_t separator[CPR_SEPARATOR_MAX_BYTES]; /* of CPR_DOCUMENTS_SEPARATOR */
    size_t separator_bytes;                     /* at least 1 then, else 0 */
} cpr_document_choice;

/* "line", "file", or "separator:TEXT", where \n, \t, \\ and \xHH stand for a line feed, a
 * tabulator, a backslash and any byte; NULL: by the files' names. CPR_ERR_USAGE. */
cpr_status cpr_document_choice_parse(const char *text, cpr_document_choice *choice,
                                     cpr_error *error);

/* What it makes of a regular file of that name. */
cpr_document_rule cpr_document_choice_rule(const cpr_document_choice *choice, const char *name);

/* When all is added: decides for each regular file what a document is. CPR_ERR_NO_MEMORY. */
cpr_status cpr_file_list_set_documents(cpr_file_list *list, const cpr_document_choice *choice,
                                       cpr_error *error);

/* The same for an archive: of one file, and the separator, which is copied. */
void cpr_file_list_set_rule(cpr_file_list *list, uint64_t i, cpr_document_rule rule);
cpr_status cpr_file_list_set_separator(cpr_file_list *list, const uint8_t *separator, size_t bytes,
                                       cpr_error *error);

/* NULL and 0 bytes if there is none. It lives as long as the list. */
const uint8_t *cpr_file_list_separator(const cpr_file_list *list, size_t *bytes);

/* Whether a file has that rule. */
bool cpr_file_list_has_rule(const cpr_file_list *list, cpr_document_rule rule);

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

/* ---- origins --------------------------------------------------------------------------------- */

/* A compressed file, or a tar, that stands for files of the list: its text, or its members and the
 * rest of the tar, which follow each other. */
typedef struct cpr_origin {
    const char *source; /* as given; "" in an archive */
    const char *name;   /* the member path that the file itself would have */
    cpr_input_kind kind;
    bool is_tar;
    bool through_link; /* as in cpr_file */
    uint64_t bytes;    /* of the file */
    uint64_t text_bytes;
    cpr_hash128 hash; /* of the file's bytes */
    uint64_t first;   /* of its files in the list */
    uint64_t files;
    const cpr_seek_point *points; /* where its decoder can begin, ascending */
    size_t point_count;
} cpr_origin;

/* Where the bytes of a file come from. */
typedef struct cpr_piece {
    uint64_t file;
    uint64_t text; /* of the origin's, where they begin; of the rest of a tar, not used */
    uint32_t origin;
    bool rest; /* all of a tar that is no member's data, one behind the other */
} cpr_piece;

uint64_t cpr_file_list_origins(const cpr_file_list *list);
cpr_origin cpr_file_list_origin(const cpr_file_list *list, uint64_t i);

/* The piece that a file is; NULL: it is no part of another file. */
const cpr_piece *cpr_file_list_piece(const cpr_file_list *list, uint64_t i);

/* Whether a file is the rest of a tar, which no document lies in. */
bool cpr_file_list_is_rest(const cpr_file_list *list, uint64_t i);

/* Of an archive, when all files are there: adds an origin, of files that are there. The last one of
 * a tar is the rest of it. CPR_ERR_NO_MEMORY. */
cpr_status cpr_file_list_note_origin(cpr_file_list *list, const cpr_origin *origin,
                                     cpr_error *error);

/* Adds an origin, whose files are appended next. CPR_ERR_NO_MEMORY. */
cpr_status cpr_file_list_add_origin(cpr_file_list *list, const cpr_origin *origin,
                                    cpr_error *error);

/* How origins are decoded; the text_column is copied. CPR_ERR_NO_MEMORY. */
cpr_status cpr_file_list_set_decoding(cpr_file_list *list, const cpr_decoding *how,
                                      cpr_error *error);
const cpr_decoding *cpr_file_list_decoding(const cpr_file_list *list);

/* Appends file i of another list, which is no part of an origin. CPR_ERR_USAGE if there is such a
 * member. */
cpr_status cpr_file_list_copy(cpr_file_list *list, const cpr_file_list *from, uint64_t i,
                              cpr_error *error);

/* Where the record of each file begins that is of it as it is now, else SIZE_MAX; malloc()ed, NULL:
 * no memory. */
size_t *cpr_file_list_find_records(const cpr_file_list *listed, const cpr_input_records *records);

/* Whether there is something to look into, and looking into it: cpr_input_scan(). */
bool cpr_file_list_is_input(const cpr_file_list *listed, uint64_t i);
cpr_status cpr_file_list_scan(const cpr_file_list *listed, uint64_t i,
                              const cpr_scan_options *options, cpr_input_records *records,
                              cpr_error *error);

/* The list as it becomes when the files that `records` speak of are decoded. Warns of what records
 * note, in the list's order. */
cpr_status cpr_file_list_decode(const cpr_file_list *listed, const cpr_input_records *records,
                                const cpr_list_options *options, cpr_file_list **decoded,
                                cpr_error *error);

/* ---- packing --------------------------------------------------------------------------------- */

/* The list as bytes for another rank: malloc()ed, owned by the caller; NULL: out of memory. */
uint8_t *cpr_file_list_pack(const cpr_file_list *list, size_t *bytes);
cpr_status cpr_file_list_unpack(const uint8_t *packed, size_t bytes, cpr_file_list **list,
                                cpr_error *error);

/* ---- corpus reader --------------------------------------------------------------------------- */

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
                                     cpr_hash128 hash, bool *same, cpr_watch watch,
                                     cpr_error *error);

/* ---- plan ------------------------------------------------------------------------------------ */

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

/* The shard that holds the corpus' byte `offset`, among `count` > 0 shards in the corpus' order. */
uint64_t cpr_shard_at(const cpr_shard_info *shards, uint64_t count, uint64_t offset);

/* The i-th of the sample's blocks: `count` extents of at most 64 KiB, spread evenly over the
 * corpus. Of a corpus no larger than sample_bytes they cover everything. */
uint64_t cpr_plan_sample_count(uint64_t corpus_bytes, uint64_t sample_bytes);
cpr_extent cpr_plan_sample(uint64_t corpus_bytes, uint64_t sample_bytes, uint64_t i);

/* Bytes that a lesson of about that many reads: all of the corpus, up to four times, or a sample of
 * whole blocks of 64 KiB, at least one; 0 for a corpus without bytes. */
uint64_t cpr_plan_lesson_bytes(uint64_t corpus_bytes, uint64_t wanted_bytes);

/* Blocks that a lesson of cpr_plan_lesson_bytes() reads: those of the sample, or all of the corpus
 * as often as it is read. */
uint64_t cpr_plan_lesson_blocks(uint64_t corpus_bytes, uint64_t lesson_bytes);

/* The i-th block of the sample, of `count`, that a lesson reads: each comes once, the first so
 * many are spread evenly over the corpus, whatever their number, and so are every 2nd, 4th, ...
 * 256th of them, which are those of one stream. count < 2^32. */
uint64_t cpr_plan_lesson_block(uint64_t count, uint64_t i);

/* Bytes of the sample from which the primer is taken, the text that the model has learned before
 * every shard: the primer consists of the blocks of cpr_plan_sample() of that many bytes, all of
 * 64 KiB, one behind the other, without those that are noise. 0, no primer, for a corpus of
 * few shards. */
uint64_t cpr_plan_primer_bytes(uint64_t corpus_bytes, uint64_t shard_bytes);

#endif
