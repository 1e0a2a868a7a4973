/* archive_read.c - opens archives and checks everything that their tables say. */
#define _GNU_SOURCE
#include "archive_seal.h"
#include "archive_tables.h"
#include "file_list.h"
#include "shard_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* Far more than CPR_VOCABULARY_MAX_TOKENS tokens can take. */
#define VOCABULARY_BYTES_MAX ((uint64_t)16 << 20)
#define PIECE_BYTES ((size_t)1 << 20)

struct cpr_archive {
    cpr_archive_header header;
    char *path;
    int fd;
    cpr_seal seal;
    cpr_file_list *files;
    cpr_shard_info *shards;
    uint64_t *coded_offset; /* of each shard in the bitstream */
    uint64_t *file_loss;
    uint8_t *vocabulary;
};

/* Reads tables of one open HDF5 file; `error` tells the first thing that was wrong. */
typedef struct reading {
    cpr_archive *archive;
    hid_t file;
    cpr_error *error;
} reading;

static cpr_status no_memory(const reading *r)
{
    return cpr_fail(r->error, CPR_ERR_NO_MEMORY, "out of memory for the archive's tables");
}

/* The tables' checksum was right, so whoever wrote them is wrong, not the disk. */
static cpr_status wrong(const reading *r, const char *what)
{
    char shown[CPR_SHOWN_BYTES];
    return cpr_fail(r->error, CPR_ERR_DAMAGED, "\"%s\" contradicts itself in %s",
                    cpr_printable_path(r->archive->path, shown, sizeof(shown)), what);
}

/* ---- datasets and attributes -------------------------------------------------------------------
 */

/* Reads `rows` rows of a dataset (UINT64_MAX: as many as it has, at most `most`) into malloc()ed
 * memory with one row to spare. */
static cpr_status read_rows(const reading *r, const char *name, hid_t memory_type, size_t row_bytes,
                            uint64_t rows, uint64_t most, void **out, uint64_t *count)
{
    cpr_status status = CPR_OK;
    const hid_t dataset = H5Dopen2(r->file, name, H5P_DEFAULT);
    const uint64_t found = dataset < 0 ? UINT64_MAX : cpr_h5_rows(dataset);
    *out = NULL;
    if (found == UINT64_MAX || (rows != UINT64_MAX && found != rows) || found > most) {
        status = wrong(r, name);
    } else if (found >= SIZE_MAX / row_bytes - 1 ||
               (*out = calloc((size_t)found + 1, row_bytes)) == NULL) {
        status = no_memory(r);
    } else if (found > 0 &&
               H5Dread(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *out) < 0) {
        free(*out);
        *out = NULL;
        status = wrong(r, name);
    }
    *count = found;
    cpr_h5_close(dataset);
    return status;
}

static cpr_status read_attribute(const reading *r, const char *name, hid_t memory_type, void *out)
{
    cpr_status status = CPR_OK;
    const hid_t attribute = H5Aopen(r->file, name, H5P_DEFAULT);
    const hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute);
    if (space < 0 || H5Sget_simple_extent_type(space) != H5S_SCALAR ||
        H5Aread(attribute, memory_type, out) < 0)
        status = wrong(r, name);
    cpr_h5_close(space);
    cpr_h5_close(attribute);
    return status;
}

static cpr_status read_number(const reading *r, const char *name, uint64_t *out)
{
    return read_attribute(r, name, H5T_NATIVE_UINT64, out);
}

/* Reads a fixed-length text into out[capacity]. */
static cpr_status read_text(const reading *r, const char *name, char *out, size_t capacity)
{
    cpr_status status = CPR_OK;
    const hid_t attribute = H5Aopen(r->file, name, H5P_DEFAULT);
    const hid_t stored = attribute < 0 ? -1 : H5Aget_type(attribute);
    const hid_t type = H5Tcopy(H5T_C_S1);
    memset(out, 0, capacity);
    if (stored < 0 || type < 0 || H5Tget_class(stored) != H5T_STRING ||
        H5Tis_variable_str(stored) != 0 || H5Tget_size(stored) >= capacity ||
        H5Tset_size(type, capacity) < 0)
        status = wrong(r, name);
    else
        status = read_attribute(r, name, type, out);
    out[capacity - 1] = '\0';
    cpr_h5_close(type);
    cpr_h5_close(stored);
    cpr_h5_close(attribute);
    return status;
}

/* ---- shards ------------------------------------------------------------------------------------
 */

static cpr_status take_shard(const reading *r, const cpr_shard_row *row, uint64_t i, uint64_t *raw,
                             uint64_t *coded)
{
    cpr_archive *a = r->archive;
    const double units = row->loss_bits * CPR_LOSS_UNITS;
    if (row->raw_offset != *raw || row->coded_offset != *coded ||
        row->raw_bytes > INT64_MAX - *raw || row->stored_bytes > row->raw_bytes ||
        row->tokens > row->raw_bytes || row->coded_bytes > a->seal.bitstream_bytes - *coded)
        return wrong(r, "shards");
    if (!(units >= 0 && units <= (double)CPR_SHARD_LOSS_MAX) || units != (double)(uint64_t)units)
        return wrong(r, "shards");
    a->shards[i] = (cpr_shard_info){
        .offset = row->raw_offset,
        .raw_bytes = row->raw_bytes,
        .coded_bytes = row->coded_bytes,
        .stored_bytes = row->stored_bytes,
        .tokens = row->tokens,
        .loss_bits = (uint64_t)units,
        .generation = row->generation,
        .raw_hash = cpr_get_hash(row->raw_hash),
        .coded_hash = cpr_get_hash(row->coded_hash),
    };
    a->coded_offset[i] = row->coded_offset;
    *raw += row->raw_bytes;
    *coded += row->coded_bytes;
    return CPR_OK;
}

static cpr_status read_shards(const reading *r)
{
    cpr_archive *a = r->archive;
    cpr_shard_row *rows = NULL;
    uint64_t count = 0;
    uint64_t raw = 0;
    uint64_t coded = 0;
    cpr_status status;
    const hid_t type = cpr_h5_row_type_in_memory();
    if (type < 0)
        return no_memory(r);
    status = read_rows(r, "shards", type, sizeof(*rows), UINT64_MAX, a->seal.file_bytes,
                       (void **)&rows, &count);
    cpr_h5_close(type);
    if (status != CPR_OK)
        return status;
    a->shards = calloc(count + 1, sizeof(*a->shards));
    a->coded_offset = calloc(count + 1, sizeof(*a->coded_offset));
    if (a->shards == NULL || a->coded_offset == NULL)
        status = no_memory(r);
    for (uint64_t i = 0; status == CPR_OK && i < count; ++i)
        status = take_shard(r, &rows[i], i, &raw, &coded);
    free(rows);
    if (status == CPR_OK &&
        (raw != cpr_file_list_bytes(a->files) || coded != a->seal.bitstream_bytes))
        status = wrong(r, "the sum of its shards");
    a->header.shards = a->shards;
    a->header.shard_count = count;
    return status;
}

/* The bitstream must lie where the seal says: from there it is read, past HDF5. */
static cpr_status check_bitstream(const reading *r)
{
    const cpr_seal *seal = &r->archive->seal;
    cpr_status status = CPR_OK;
    const hid_t dataset = H5Dopen2(r->file, "bitstream", H5P_DEFAULT);
    const hid_t type = dataset < 0 ? -1 : H5Dget_type(dataset);
    const hid_t properties = dataset < 0 ? -1 : H5Dget_create_plist(dataset);
    if (type < 0 || properties < 0 || cpr_h5_rows(dataset) != seal->bitstream_bytes ||
        H5Tget_class(type) != H5T_INTEGER || H5Tget_size(type) != 1 ||
        H5Pget_layout(properties) != H5D_CONTIGUOUS || H5Pget_external_count(properties) != 0 ||
        (seal->bitstream_bytes > 0 && H5Dget_offset(dataset) != seal->bitstream_offset))
        status = wrong(r, "bitstream");
    cpr_h5_close(properties);
    cpr_h5_close(type);
    cpr_h5_close(dataset);
    return status;
}

/* ---- files -------------------------------------------------------------------------------------
 */

/* The columns of /files. */
typedef struct columns {
    uint64_t count;
    uint64_t *mode;
    uint64_t *bytes;
    int64_t *seconds;
    uint64_t *nanoseconds;
    uint64_t *loss;
    uint64_t *shared;
    char *suffixes; /* NUL-terminated strings, one behind the other */
    uint64_t suffix_bytes;
    char *targets;
    uint64_t target_bytes;
} columns;

static void free_columns(columns *c)
{
    free(c->mode);
    free(c->bytes);
    free(c->seconds);
    free(c->nanoseconds);
    free(c->loss);
    free(c->shared);
    free(c->suffixes);
    free(c->targets);
}

static cpr_status read_column(const reading *r, const char *name, uint64_t rows, uint64_t **out)
{
    uint64_t count;
    return read_rows(r, name, H5T_NATIVE_UINT64, sizeof(**out), rows, rows, (void **)out, &count);
}

static cpr_status read_columns(const reading *r, columns *c)
{
    const uint64_t most = r->archive->seal.file_bytes;
    uint64_t count;
    cpr_status status = read_rows(r, "files/path_suffixes", H5T_NATIVE_UINT8, 1, UINT64_MAX, most,
                                  (void **)&c->suffixes, &c->suffix_bytes);
    if (status == CPR_OK && H5Lexists(r->file, "files/link_targets", H5P_DEFAULT) > 0)
        status = read_rows(r, "files/link_targets", H5T_NATIVE_UINT8, 1, UINT64_MAX, most,
                           (void **)&c->targets, &c->target_bytes);
    if (status != CPR_OK)
        return status;
    /* One NUL ends each: this bounds the rows of the other columns before they are read. */
    if (c->suffix_bytes > 0 && c->suffixes[c->suffix_bytes - 1] != '\0')
        return wrong(r, "files/path_suffixes");
    if (c->target_bytes > 0 && c->targets[c->target_bytes - 1] != '\0')
        return wrong(r, "files/link_targets");
    for (uint64_t i = 0; i < c->suffix_bytes; ++i)
        c->count += c->suffixes[i] == '\0';
    status = read_column(r, "files/mode", c->count, &c->mode);
    if (status == CPR_OK)
        status = read_column(r, "files/size_bytes", c->count, &c->bytes);
    if (status == CPR_OK)
        status = read_rows(r, "files/mtime_seconds", H5T_NATIVE_INT64, sizeof(*c->seconds),
                           c->count, c->count, (void **)&c->seconds, &count);
    if (status == CPR_OK)
        status = read_column(r, "files/mtime_nanoseconds", c->count, &c->nanoseconds);
    if (status == CPR_OK)
        status = read_column(r, "files/loss_bits", c->count, &c->loss);
    if (status == CPR_OK)
        status = read_column(r, "files/path_shared_bytes", c->count, &c->shared);
    return status;
}

/* Appends file i. `path` holds the path before it and gets its own. */
static cpr_status take_file(const reading *r, const columns *c, uint64_t i, char *path,
                            const char **suffix, const char **target)
{
    cpr_archive *a = r->archive;
    const size_t suffix_bytes = strlen(*suffix);
    const uint64_t kind = c->mode[i] & S_IFMT;
    uint64_t known;
    cpr_file file = {
        .bytes = c->bytes[i],
        .mtime_seconds = c->seconds[i],
        .mtime_nanoseconds = (uint32_t)c->nanoseconds[i],
        .mode = (uint32_t)(c->mode[i] & 07777),
        .type = kind == S_IFREG   ? CPR_FILE_REGULAR
                : kind == S_IFDIR ? CPR_FILE_DIRECTORY
                                  : CPR_FILE_SYMLINK,
    };
    if (c->shared[i] > strlen(path) || c->shared[i] + suffix_bytes == 0 ||
        c->shared[i] + suffix_bytes >= CPR_PATH_MAX_BYTES)
        return wrong(r, "files/path_shared_bytes");
    if (c->mode[i] > UINT16_MAX || (kind != S_IFREG && kind != S_IFDIR && kind != S_IFLNK) ||
        (kind != S_IFREG && file.bytes != 0))
        return wrong(r, "files/mode");
    if (c->nanoseconds[i] >= 1000000000)
        return wrong(r, "files/mtime_nanoseconds");
    if (c->loss[i] > CPR_SHARD_LOSS_MAX / CPR_LOSS_UNITS * 1024)
        return wrong(r, "files/loss_bits");
    memcpy(path + c->shared[i], *suffix, suffix_bytes + 1);
    *suffix += suffix_bytes + 1;
    if (kind == S_IFLNK && (c->targets == NULL || *target >= c->targets + c->target_bytes))
        return wrong(r, "files/link_targets");
    if (file.bytes > INT64_MAX - cpr_file_list_bytes(a->files))
        return wrong(r, "files/size_bytes");
    const cpr_status status =
        cpr_file_list_append(a->files, path, 0, &file, *target, &known, r->error);
    if (kind == S_IFLNK)
        *target += strlen(*target) + 1;
    if (status == CPR_ERR_USAGE)
        return wrong(r, "files");
    if (status == CPR_OK && known != UINT64_MAX)
        return wrong(r, "files: a path comes twice");
    a->file_loss[i] = c->loss[i] * CPR_LOSS_UNITS;
    return status;
}

static cpr_status read_files(const reading *r)
{
    cpr_archive *a = r->archive;
    columns c = {0};
    char *path = calloc(1, CPR_PATH_MAX_BYTES);
    a->files = cpr_file_list_create();
    cpr_status status = read_columns(r, &c);
    if (status == CPR_OK)
        a->file_loss = calloc((size_t)c.count + 1, sizeof(*a->file_loss));
    if (status == CPR_OK && (a->files == NULL || a->file_loss == NULL || path == NULL))
        status = no_memory(r);
    const char *suffix = c.suffixes;
    const char *target = c.targets;
    for (uint64_t i = 0; status == CPR_OK && i < c.count; ++i)
        status = take_file(r, &c, i, path, &suffix, &target);
    if (status == CPR_OK && c.targets != NULL && target != c.targets + c.target_bytes)
        status = wrong(r, "files/link_targets");
    free_columns(&c);
    free(path);
    a->header.files = a->files;
    a->header.file_loss = a->file_loss;
    return status;
}

/* ---- the rest ----------------------------------------------------------------------------------
 */

static cpr_status read_options(const reading *r)
{
    cpr_archive_header *h = &r->archive->header;
    char format[sizeof(CPR_FORMAT_NAME)];
    uint64_t format_version = 0;
    uint64_t profile_version = 0;
    cpr_status status = read_text(r, "format", format, sizeof(format));
    if (status == CPR_OK)
        status = read_number(r, "format_version", &format_version);
    if (status == CPR_OK)
        status = read_text(r, "profile", h->profile, sizeof(h->profile));
    if (status == CPR_OK)
        status = read_number(r, "profile_version", &profile_version);
    if (status == CPR_OK)
        status = read_number(r, "shard_size_bytes", &h->shard_bytes);
    if (status == CPR_OK && (strcmp(format, CPR_FORMAT_NAME) != 0 ||
                             format_version != CPR_FORMAT_VERSION || profile_version > UINT32_MAX))
        status = wrong(r, "its attributes");
    h->profile_version = (uint32_t)profile_version;
    return status;
}

/* The totals say again what the tables say. */
static cpr_status check_totals(const reading *r)
{
    const cpr_archive_header *h = &r->archive->header;
    uint64_t files = 0;
    uint64_t shards = 0;
    uint64_t raw = 0;
    uint64_t coded = 0;
    cpr_status status = read_number(r, "total_files", &files);
    if (status == CPR_OK)
        status = read_number(r, "total_shards", &shards);
    if (status == CPR_OK)
        status = read_number(r, "total_raw_bytes", &raw);
    if (status == CPR_OK)
        status = read_number(r, "total_coded_bytes", &coded);
    if (status == CPR_OK &&
        (files != cpr_file_list_count(h->files) || shards != h->shard_count ||
         raw != cpr_file_list_bytes(h->files) || coded != r->archive->seal.bitstream_bytes))
        status = wrong(r, "its totals");
    return status;
}

static cpr_status read_vocabulary(const reading *r)
{
    cpr_archive *a = r->archive;
    uint8_t *coded = NULL;
    uint64_t coded_bytes;
    uint64_t raw_bytes = 0;
    cpr_status status = read_number(r, "vocabulary_raw_bytes", &raw_bytes);
    if (status == CPR_OK && raw_bytes > VOCABULARY_BYTES_MAX)
        status = wrong(r, "vocabulary_raw_bytes");
    if (status == CPR_OK)
        status = read_rows(r, "vocabulary", H5T_NATIVE_UINT8, 1, UINT64_MAX, a->seal.file_bytes,
                           (void **)&coded, &coded_bytes);
    if (status != CPR_OK)
        return status;
    size_t decoded = (size_t)raw_bytes;
    status = cpr_blob_decode(coded, (size_t)coded_bytes, &a->vocabulary, &decoded, r->error);
    free(coded);
    if (status == CPR_OK && decoded != raw_bytes)
        status = wrong(r, "vocabulary");
    a->header.vocabulary = a->vocabulary;
    a->header.vocabulary_bytes = decoded;
    return status;
}

/* The seal was checked on our descriptor; HDF5 must have opened the same file. */
static cpr_status check_identity(const reading *r)
{
    void *handle = NULL;
    struct stat ours;
    struct stat theirs;
    if (H5Fget_vfd_handle(r->file, H5P_DEFAULT, &handle) < 0 || handle == NULL ||
        fstat(r->archive->fd, &ours) != 0 || fstat(*(const int *)handle, &theirs) != 0)
        return wrong(r, "its file");
    if (ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
        return cpr_fail(r->error, CPR_ERR_CHANGED, "the archive was replaced while it was opened");
    return CPR_OK;
}

static cpr_status read_tables(cpr_archive *a, cpr_error *error)
{
    reading r = {.archive = a, .error = error};
    cpr_h5_quiet quiet;
    cpr_h5_quiet_begin(&quiet);
    const hid_t access = cpr_h5_file_access();
    r.file = access < 0 ? -1 : H5Fopen(a->path, H5F_ACC_RDONLY, access);
    cpr_status status = CPR_OK;
    if (r.file < 0)
        status = cpr_h5_fail(error, CPR_ERR_DAMAGED, "open", a->path);
    if (status == CPR_OK)
        status = check_identity(&r);
    if (status == CPR_OK)
        status = read_options(&r);
    if (status == CPR_OK)
        status = read_files(&r);
    if (status == CPR_OK)
        status = read_shards(&r);
    if (status == CPR_OK)
        status = check_bitstream(&r);
    if (status == CPR_OK)
        status = check_totals(&r);
    if (status == CPR_OK)
        status = read_vocabulary(&r);
    cpr_h5_close(r.file);
    cpr_h5_close(access);
    cpr_h5_quiet_end(&quiet);
    return status;
}

cpr_status cpr_archive_open(const char *path, cpr_archive **archive, cpr_error *error)
{
    cpr_status status = CPR_OK;
    cpr_archive *a = calloc(1, sizeof(*a));
    *archive = NULL;
    if (a == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    a->fd = -1;
    a->path = strdup(path);
    if (a->path == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    else if ((a->fd = cpr_io_open(path, O_RDONLY | O_NONBLOCK)) < 0)
        status = cpr_io_fail(error, errno, "open", path);
    if (status == CPR_OK)
        status = cpr_seal_read(a->fd, path, &a->seal, error);
    if (status == CPR_OK)
        status = read_tables(a, error);
    if (status != CPR_OK) {
        cpr_archive_close(a);
        return status;
    }
    *archive = a;
    return CPR_OK;
}

void cpr_archive_close(cpr_archive *archive)
{
    if (archive == NULL)
        return;
    if (archive->fd >= 0)
        (void)close(archive->fd);
    cpr_file_list_free(archive->files);
    free(archive->shards);
    free(archive->coded_offset);
    free(archive->file_loss);
    free(archive->vocabulary);
    free(archive->path);
    free(archive);
}

const cpr_archive_header *cpr_archive_info(const cpr_archive *archive)
{
    return &archive->header;
}

uint64_t cpr_archive_file_bytes(const cpr_archive *archive)
{
    return archive->seal.file_bytes;
}

/* ---- bitstreams --------------------------------------------------------------------------------
 */

static cpr_status check_shard(const cpr_archive *a, uint64_t shard, cpr_error *error)
{
    if (shard < a->header.shard_count)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_NOT_FOUND, "there is no shard %llu: the archive has %llu",
                    (unsigned long long)shard, (unsigned long long)a->header.shard_count);
}

cpr_status cpr_archive_read(void *archive, uint64_t shard, uint64_t offset, uint8_t *out,
                            size_t bytes, cpr_error *error)
{
    const cpr_archive *a = archive;
    const cpr_status status = check_shard(a, shard, error);
    if (status != CPR_OK)
        return status;
    const uint64_t coded = a->shards[shard].coded_bytes;
    if (offset > coded || bytes > coded - offset)
        return cpr_fail(error, CPR_ERR_USAGE, "shard %llu has %llu coded bytes",
                        (unsigned long long)shard, (unsigned long long)coded);
    const int code =
        cpr_io_pread(a->fd, out, bytes, a->seal.bitstream_offset + a->coded_offset[shard] + offset);
    return code == 0 ? CPR_OK : cpr_io_fail(error, code, "read", a->path);
}

cpr_status cpr_archive_check_coded(cpr_archive *archive, uint64_t shard, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_status status = check_shard(archive, shard, error);
    if (status != CPR_OK)
        return status;
    const cpr_shard_info *info = &archive->shards[shard];
    XXH3_state_t *state = XXH3_createState();
    uint8_t *piece = malloc(PIECE_BYTES);
    if (state == NULL || piece == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    else
        (void)XXH3_128bits_reset(state);
    for (uint64_t at = 0; status == CPR_OK && at < info->coded_bytes;) {
        const uint64_t left = info->coded_bytes - at;
        const size_t part = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        status = cpr_archive_read(archive, shard, at, piece, part, error);
        if (status == CPR_OK)
            (void)XXH3_128bits_update(state, piece, part);
        at += part;
    }
    if (status == CPR_OK) {
        const XXH128_hash_t hash = XXH3_128bits_digest(state);
        if (hash.high64 != info->coded_hash.high || hash.low64 != info->coded_hash.low)
            status = cpr_fail(error, CPR_ERR_DAMAGED,
                              "shard %llu of \"%s\" is damaged: the checksum of its bitstream is "
                              "wrong",
                              (unsigned long long)shard,
                              cpr_printable_path(archive->path, shown, sizeof(shown)));
    }
    free(piece);
    (void)XXH3_freeState(state);
    return status;
}

/* A shard's bitstream as a cpr_read_fn. */
typedef struct shard_source {
    cpr_archive *archive;
    uint64_t shard;
    uint64_t at;
} shard_source;

static cpr_status read_source(void *context, uint8_t *out, size_t capacity, size_t *got,
                              cpr_error *error)
{
    shard_source *s = context;
    const uint64_t left = s->archive->shards[s->shard].coded_bytes - s->at;
    *got = left < capacity ? (size_t)left : capacity;
    const uint64_t at = s->at;
    s->at += *got;
    return *got == 0 ? CPR_OK : cpr_archive_read(s->archive, s->shard, at, out, *got, error);
}

cpr_status cpr_archive_decode(cpr_archive *archive, uint64_t shard, cpr_codec *codec,
                              cpr_write_fn *write, void *write_context, cpr_progress_fn *progress,
                              void *progress_context, cpr_error *error)
{
    shard_source source = {archive, shard, 0};
    const cpr_status status = cpr_archive_check_coded(archive, shard, error);
    if (status != CPR_OK)
        return status;
    return cpr_codec_decode(codec, &archive->shards[shard], read_source, &source, write,
                            write_context, progress, progress_context, error);
}
