/* corpress.h - reads corpress archives: lists, decodes and audits them.
 *
 * A complete program, which writes one file of an archive to standard output. Build it with
 * `cc example.c $(pkg-config --cflags --libs corpress)`.
 *
 *     #include <corpress.h>
 *     #include <stdio.h>
 *
 *     static cpr_status put(void *out, const uint8_t *data, size_t bytes, cpr_error *error)
 *     {
 *         if (fwrite(data, 1, bytes, out) == bytes)
 *             return CPR_OK;
 *         return cpr_fail(error, CPR_ERR_IO, "cannot write to standard output");
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         cpr_error error = {"give me an archive and a path in it"};
 *         cpr_archive *archive = NULL;
 *         cpr_reader *reader = NULL;
 *         cpr_entry file;
 *         cpr_status status = CPR_ERR_USAGE;
 *         cpr_prepare();
 *         if (argc == 3)
 *             status = cpr_archive_open(argv[1], &archive, &error);
 *         if (status == CPR_OK)
 *             status = cpr_archive_find(archive, argv[2], &file, &error);
 *         if (status == CPR_OK)
 *             status = cpr_reader_open(archive, &reader, &error);
 *         if (status == CPR_OK)
 *             status = cpr_reader_stream(reader, file.offset, file.bytes, (cpr_sink){put, stdout},
 *                                        (cpr_watch){NULL, NULL}, &error);
 *         cpr_reader_close(reader);
 *         cpr_archive_close(archive);
 *         if (status != CPR_OK)
 *             fprintf(stderr, "%s: %s\n", cpr_status_text(status), error.text);
 *         return cpr_status_exit_code(status);
 *     }
 *
 * An archive holds a corpus: files in a fixed order, their bytes one behind the other. The corpus
 * is cut into shards, each of which can be decoded alone, from its start. Most archives have a
 * primer, a sample of the corpus that is decoded once before the first shard. Writing archives, and
 * reading them with many processes, is in corpress_mpi.h; documents are in corpress_documents.h,
 * how far a job is in corpress_job.h, what makes readers faster in corpress_speed.h, and what the
 * model of a corpus says, of other texts and by itself, in corpress_model.h.
 *
 * Sizes and offsets are bytes. Strings end in NUL; paths are bytes without an encoding. A function
 * that can fail returns a status and says in *error what happened; `error` may be NULL. Outputs are
 * set on success only, but pointers to objects are NULL after a failure. Every ..._close() and
 * ..._free() accepts NULL. The library prints nothing, never ends the process, installs no signal
 * handler, starts no MPI, and changes the environment in cpr_prepare() alone.
 *
 * "Any thread": any number of threads may call at the same time. "One thread a reader": a reader is
 * used by one thread at a time, different readers by different threads. After fork() the child may
 * go on with every object that no other thread was using; where a network is decoded, only if no
 * other thread was decoding. A program that itself calls HDF5 in other threads needs an HDF5 that
 * is built thread-safe.
 */
#ifndef CORPRESS_H
#define CORPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/* Optional, first thing in main(), while there is one thread. Sets OPENBLAS_NUM_THREADS and
 * OPENBLAS_CORETYPE unless they are in the environment: OpenBLAS, should an archive need it, then
 * starts no threads and takes its best kernels. Tells HDF5 to do nothing when the process ends.
 * Decoding gives the same bytes without it. */
void cpr_prepare(void);
const char *cpr_version(void);     /* "1.0.0"; static. Any thread. */
unsigned cpr_format_version(void); /* of the archives that it makes. Any thread. */

/* ---- what went wrong ------------------------------------------------------------------------ */

/* Values are fixed. */
typedef enum cpr_status {
    CPR_OK = 0,
    CPR_ERR_USAGE = 1, /* the caller asked for something that makes no sense */
    CPR_ERR_NO_MEMORY = 2,
    CPR_ERR_IO = 3,         /* the operating system refused: open, read, write, no space, ... */
    CPR_ERR_EXISTS = 4,     /* the output exists and overwriting was not asked for */
    CPR_ERR_CHANGED = 5,    /* an input changed while it was read */
    CPR_ERR_FOREIGN = 6,    /* not a corpress archive */
    CPR_ERR_VERSION = 7,    /* needs a component, or a version of one, that this library lacks */
    CPR_ERR_DAMAGED = 8,    /* checksums do not match, or what is read contradicts itself */
    CPR_ERR_NOT_FOUND = 9,  /* no such path, shard, archive or work directory */
    CPR_ERR_UNSAFE = 10,    /* the archive asks to write outside of the target directory */
    CPR_ERR_SELF_TEST = 11, /* this machine computes differently */
    CPR_ERR_BUSY = 12,      /* another job works on the same archive */
    CPR_ERR_LAUNCH = 13,    /* MPI was started wrongly */
    CPR_STOPPED = 14        /* stopped on request */
} cpr_status;

typedef struct cpr_error {
    char text[1024]; /* one line of printable UTF-8: which shard, offset or path, what to do */
} cpr_error;

/* A short description, static, and the exit code that the command `corpress` would have: 0, 2
 * failed, 3 usage, 4 data damaged, 5 self-test, 75 stopped. Any thread. */
const char *cpr_status_text(cpr_status status);
int cpr_status_exit_code(cpr_status status);

/* Writes a printable text to error, unless that is NULL, and returns status. Any thread. */
cpr_status cpr_fail(cpr_error *error, cpr_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes `path` to out[capacity], and returns it, as a terminal can take it: \n, \\ and \xHH stand
 * for newline, backslash and every byte that is not printable UTF-8. What does not fit is cut and
 * ends in "...". The second is for sentences: backslashes stay. Any thread. */
char *cpr_printable_path(const char *path, char *out, size_t capacity);
char *cpr_printable_text(const char *text, char *out, size_t capacity);

/* Bytes of the UTF-8 character at `text`, then in *code, or 0: there is none. Any thread. */
size_t cpr_utf8_length(const char *text, uint32_t *code);
bool cpr_is_printable(uint32_t code); /* as it is. Any thread */

/* A sink takes all the bytes it is given. A watch is told the totals so far about every 64 KiB of
 * raw bytes. Either function may be NULL. They run in the thread that calls the library and must
 * not use its reader. Anything but CPR_OK ends the library's call with that status and text. */
typedef cpr_status cpr_write_fn(void *context, const uint8_t *data, size_t bytes, cpr_error *error);
typedef cpr_status cpr_progress_fn(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                   cpr_error *error);
typedef struct cpr_sink {
    cpr_write_fn *write;
    void *context;
} cpr_sink;
typedef struct cpr_watch {
    cpr_progress_fn *progress;
    void *context;
} cpr_watch;

/* ---- archives ------------------------------------------------------------------------------- */

#define CPR_SHARD_BYTES_DEFAULT (UINT64_C(64) << 20)
#define CPR_SHARD_BYTES_MIN (UINT64_C(1) << 20)
#define CPR_SHARD_BYTES_MAX (UINT64_C(4) << 30)
#define CPR_NONE UINT64_MAX               /* no such file, no such shard */
#define CPR_SHARD_PRIMER (UINT64_MAX - 1) /* the primer, where the number of a shard may stand */

/* An open archive: its tables in memory, about 200 bytes a file. It never changes, so any thread
 * may use it. The caller closes it when no thread does, and no reader is left. */
typedef struct cpr_archive cpr_archive;

/* Opens an archive for reading and checks its tables; decodes nothing, writes nothing, locks no
 * file. CPR_ERR_FOREIGN, CPR_ERR_VERSION, CPR_ERR_DAMAGED, CPR_ERR_IO, CPR_ERR_NO_MEMORY. The
 * second takes tables that do not match their seal, too, as after another program wrote to it:
 * names, sizes and times may be wrong then; shards have their own checksums. Any thread. */
cpr_status cpr_archive_open(const char *path, cpr_archive **archive, cpr_error *error);
cpr_status cpr_archive_open_unsealed(const char *path, cpr_archive **archive, cpr_error *error);
void cpr_archive_close(cpr_archive *archive);

typedef struct cpr_hash128 { /* XXH3-128 */
    uint64_t high, low;
} cpr_hash128;

typedef struct cpr_archive_facts {
    const char *profile;    /* what it was made with, and what a decoder needs: components, their */
    const char *descriptor; /* versions, parameters. Any bytes; live as long as the archive */
    uint64_t files, shards; /* files, directories and links; shards without the primer */
    uint64_t raw_bytes;     /* of the corpus */
    uint64_t coded_bytes;   /* of the bitstreams: the primer's and the shards' */
    uint64_t archive_bytes; /* of the file */
    uint64_t shard_bytes;   /* the option --shard-size */
    cpr_hash128 identity;   /* of the tables, which hold the hashes of all shards */
    bool sealed;            /* the tables are as they were written */
    bool has_primer, has_network;
    uint64_t weights_bytes; /* of a network that was taught before the coding; 0: none was */
    uint64_t documents;     /* in all files */
    const uint8_t
        *separator;         /* that ends documents; lives as long as the archive. NULL: there is */
    size_t separator_bytes; /* none */
} cpr_archive_facts;
void cpr_archive_get_facts(const cpr_archive *archive, cpr_archive_facts *facts); /* any thread */

/* What a document is in a file: the file; a line, which ends with a line feed or with the file; or
 * what ends with the separator, or with the file. A file of 0 bytes has no document. */
typedef enum cpr_document_rule {
    CPR_DOCUMENTS_FILE = 0,
    CPR_DOCUMENTS_LINE = 1,
    CPR_DOCUMENTS_SEPARATOR = 2
} cpr_document_rule;

typedef enum cpr_file_type { CPR_FILE_REGULAR, CPR_FILE_DIRECTORY, CPR_FILE_SYMLINK } cpr_file_type;
typedef struct cpr_entry {
    uint64_t number;         /* in the order of the corpus, from 0 */
    const char *path;        /* relative, '/' between components, no empty, "." or ".." component */
    const char *link_target; /* "" unless it is a link. Both live as long as the archive */
    cpr_file_type type;
    uint32_t mode;         /* permission bits, 07777 */
    int64_t mtime_seconds; /* since 1970, UTC */
    uint32_t mtime_nanoseconds;
    uint64_t offset, bytes; /* in the corpus; 0 bytes for all but regular files */
    uint64_t loss_bits;     /* of its tokens, in units of 2^-16 bit; whole bits are stored */
    uint64_t first_shard, last_shard; /* that hold bytes of it; CPR_NONE: it has none */
    cpr_document_rule documents;
    bool is_rest; /* all of a tar but its members: no file of the corpus, see corpress_inputs.h */
} cpr_entry;

/* A file, directory or link by its number or by its exact path. CPR_ERR_NOT_FOUND. Any thread. */
cpr_status cpr_archive_get(const cpr_archive *archive, uint64_t number, cpr_entry *entry,
                           cpr_error *error);
cpr_status cpr_archive_find(const cpr_archive *archive, const char *path, cpr_entry *entry,
                            cpr_error *error);

typedef struct cpr_shard_info {
    uint64_t offset; /* of its first byte in the corpus; of a primer it says nothing */
    uint64_t raw_bytes, coded_bytes;
    uint64_t stored_bytes;      /* raw bytes that went past the model: they do not compress */
    uint64_t tokens;            /* that the model coded */
    uint64_t loss_bits;         /* the model's loss, sum of -log2 p, in units of 2^-16 bit */
    uint64_t network_loss_bits; /* of the network alone, in the same units; 0: there is none */
    uint32_t generation;        /* of the model that it was coded from: 0 initial, 1 primed */
    cpr_hash128 raw_hash, coded_hash;
} cpr_shard_info;

/* Facts of a shard, which live as long as the archive; NULL: there is none. The shard that holds
 * byte `offset` of the corpus; CPR_NONE: that is behind the end. Any thread. */
const cpr_shard_info *cpr_archive_shard(const cpr_archive *archive, uint64_t shard);
uint64_t cpr_archive_shard_at(const cpr_archive *archive, uint64_t offset);

/* Compares a shard's bitstream with its checksum. CPR_ERR_DAMAGED names the shard. Any thread. */
cpr_status cpr_archive_check_coded(const cpr_archive *archive, uint64_t shard, cpr_error *error);

/* ---- decoding ------------------------------------------------------------------------------- */

/* Decodes an archive: its vocabulary, a model, and the model's state after the primer, which is
 * kept from call to call. One thread a reader; the caller closes it before the archive. */
typedef struct cpr_reader cpr_reader;

/* Bytes of memory that each reader takes, and that the primed state takes, which a reader and its
 * copies share. CPR_ERR_VERSION. Any thread. */
cpr_status cpr_reader_memory(const cpr_archive *archive, uint64_t *each, uint64_t *shared,
                             cpr_error *error);

/* Makes a reader, if this library has what the descriptor names (else CPR_ERR_VERSION), the process
 * may take the memory (CPR_ERR_NO_MEMORY), and the machine computes as it should
 * (CPR_ERR_SELF_TEST). For an archive with a network it loads OpenBLAS, which stays. Any thread. */
cpr_status cpr_reader_open(cpr_archive *archive, cpr_reader **reader, cpr_error *error);
void cpr_reader_close(cpr_reader *reader);

/* Decodes the primer now, and not with the first shard; nothing if that is done, or there is none.
 * The watch is told bytes of the primer. One thread a reader. */
cpr_status cpr_reader_prime(cpr_reader *reader, cpr_watch watch, cpr_error *error);

/* Another reader of the archive, for another thread. If the first is primed, they share its primed
 * state; either may be closed first. One that is primed may be copied while a thread uses it. */
cpr_status cpr_reader_copy(const cpr_reader *reader, cpr_reader **copy, cpr_error *error);

/* Decodes bytes [offset, offset + bytes) of the corpus into the sink, or to out[bytes]: of a file
 * its entry's offset and bytes, of a shard its offset and raw_bytes. A shard is decoded from its
 * start, or from where the reader stands in it. For that, cpr_reader_load() keeps the text of the
 * shard in work, in up to 256 MiB more of memory (of larger shards the latest 128 MiB at least):
 * ranges that lie there are copied, and those behind it go on. cpr_reader_stream() keeps 64 KiB.
 *
 * A bitstream's checksum is compared before its shard gives a byte, that of the decoded bytes
 * before it gives its last 64 KiB; CPR_ERR_DAMAGED names the shard. The watch is told bytes of the
 * shard in work as they are decoded, and 0, 0 in the primer. A failure leaves the reader usable.
 * One thread a reader. */
cpr_status cpr_reader_stream(cpr_reader *reader, uint64_t offset, uint64_t bytes, cpr_sink sink,
                             cpr_watch watch, cpr_error *error);
cpr_status cpr_reader_load(cpr_reader *reader, uint64_t offset, uint64_t bytes, uint8_t *out,
                           cpr_error *error);

/* Whether to decode every shard to its end, wherever ranges end, and so to compare all checksums;
 * at first false. One thread a reader. */
void cpr_reader_set_thorough(cpr_reader *reader, bool thorough);

/* Sets of parameters that archives are made with: constants of the library. Any thread. */
typedef struct cpr_profile cpr_profile;
const cpr_profile *cpr_profile_at(unsigned i);         /* NULL past the last */
const cpr_profile *cpr_profile_find(const char *name); /* NULL: there is none */
const char *cpr_profile_name(const cpr_profile *profile);
const char *cpr_profile_summary(const cpr_profile *profile); /* one line for --help */
uint64_t cpr_profile_memory(const cpr_profile *profile);     /* with the default shard size */

#ifdef __cplusplus
}
#endif
#endif
