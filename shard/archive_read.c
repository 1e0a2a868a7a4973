/* archive_read.c - opens archives and checks everything that their tables say. */
#define _GNU_SOURCE
#include "archive_reading.h"
#include "archive_tables.h"
#include "shard_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far more than CPR_VOCABULARY_MAX_TOKENS tokens can take. */
#define VOCABULARY_BYTES_MAX ((uint64_t)16 << 20)

cpr_status cpr_reading_no_memory(const cpr_reading *r)
{
    return cpr_fail(r->error, CPR_ERR_NO_MEMORY, "out of memory for the archive's tables");
}

/* The tables' checksum was right, so whoever wrote them is wrong, not the disk. */
cpr_status cpr_reading_wrong(const cpr_reading *r, const char *what)
{
    char shown[CPR_SHOWN_BYTES];
    return cpr_fail(r->error, CPR_ERR_DAMAGED, "\"%s\" contradicts itself in %s",
                    cpr_printable_path(r->archive->path, shown, sizeof(shown)), what);
}

/* ---- datasets and attributes ---------------------------------------------------------------- */

cpr_status cpr_reading_rows(const cpr_reading *r, const char *name, hid_t memory_type,
                            size_t row_bytes, uint64_t rows, uint64_t most, void **out,
                            uint64_t *count)
{
    cpr_status status = CPR_OK;
    const hid_t dataset = H5Dopen2(r->file, name, H5P_DEFAULT);
    const uint64_t found = dataset < 0 ? UINT64_MAX : cpr_h5_rows(dataset);
    *out = NULL;
    if (found == UINT64_MAX || (rows != UINT64_MAX && found != rows) || found > most) {
        status = cpr_reading_wrong(r, name);
    } else if (found >= SIZE_MAX / row_bytes - 1 ||
               (*out = calloc((size_t)found + 1, row_bytes)) == NULL) {
        status = cpr_reading_no_memory(r);
    } else if (found > 0 &&
               H5Dread(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *out) < 0) {
        free(*out);
        *out = NULL;
        status = cpr_reading_wrong(r, name);
    }
    *count = found;
    cpr_h5_close(dataset);
    return status;
}

static cpr_status read_attribute(const cpr_reading *r, const char *name, hid_t memory_type,
                                 void *out)
{
    cpr_status status = CPR_OK;
    const hid_t attribute = H5Aopen(r->file, name, H5P_DEFAULT);
    const hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute);
    if (space < 0 || H5Sget_simple_extent_type(space) != H5S_SCALAR ||
        H5Aread(attribute, memory_type, out) < 0)
        status = cpr_reading_wrong(r, name);
    cpr_h5_close(space);
    cpr_h5_close(attribute);
    return status;
}

static cpr_status read_number(const cpr_reading *r, const char *name, uint64_t *out)
{
    return read_attribute(r, name, H5T_NATIVE_UINT64, out);
}

/* Reads a fixed-length text into out[capacity]. */
static cpr_status read_text(const cpr_reading *r, const char *name, char *out, size_t capacity)
{
    cpr_status status = CPR_OK;
    const hid_t attribute = H5Aopen(r->file, name, H5P_DEFAULT);
    const hid_t stored = attribute < 0 ? -1 : H5Aget_type(attribute);
    const hid_t type = H5Tcopy(H5T_C_S1);
    memset(out, 0, capacity);
    if (stored < 0 || type < 0 || H5Tget_class(stored) != H5T_STRING ||
        H5Tis_variable_str(stored) != 0 || H5Tget_size(stored) >= capacity ||
        H5Tset_size(type, capacity) < 0)
        status = cpr_reading_wrong(r, name);
    else
        status = read_attribute(r, name, type, out);
    out[capacity - 1] = '\0';
    cpr_h5_close(type);
    cpr_h5_close(stored);
    cpr_h5_close(attribute);
    return status;
}

/* ---- shards --------------------------------------------------------------------------------- */

/* False: it is no loss. */
static bool take_loss(double bits, uint64_t *loss)
{
    const double units = bits * CPR_LOSS_UNITS;
    if (!(units >= 0 && units <= (double)CPR_SHARD_LOSS_MAX) || units != (double)(uint64_t)units)
        return false;
    *loss = (uint64_t)units;
    return true;
}

/* A row of /primer or /shards; *raw is where its bytes start in the corpus, *coded where its
 * bitstream starts; both grow by it. */
static cpr_status take_row(const cpr_reading *r, const cpr_shard_row *row, uint32_t generation,
                           uint64_t *raw, uint64_t *coded, cpr_shard_info *info)
{
    uint64_t loss = 0;
    uint64_t network_loss = 0;
    if (row->raw_offset != *raw || row->coded_offset != *coded ||
        row->raw_bytes > INT64_MAX - *raw || row->stored_bytes > row->raw_bytes ||
        row->tokens > row->raw_bytes || row->generation != generation ||
        row->coded_bytes > r->archive->seal.bitstream_bytes - *coded ||
        !take_loss(row->loss_bits, &loss) || !take_loss(row->network_loss_bits, &network_loss))
        return cpr_reading_wrong(r, "shards");
    *info = (cpr_shard_info){
        .offset = row->raw_offset,
        .raw_bytes = row->raw_bytes,
        .coded_bytes = row->coded_bytes,
        .stored_bytes = row->stored_bytes,
        .tokens = row->tokens,
        .loss_bits = loss,
        .network_loss_bits = network_loss,
        .generation = row->generation,
        .raw_hash = cpr_get_hash(row->raw_hash),
        .coded_hash = cpr_get_hash(row->coded_hash),
    };
    *raw += row->raw_bytes;
    *coded += row->coded_bytes;
    return CPR_OK;
}

/* The primer, if there is one. *coded is then the size of its bitstream. */
static cpr_status read_primer(const cpr_reading *r, hid_t type, uint64_t *coded)
{
    cpr_archive *a = r->archive;
    cpr_shard_row *row = NULL;
    uint64_t count = 0;
    uint64_t raw = 0;
    if (!cpr_h5_has(r->file, CPR_H5_PRIMER))
        return CPR_OK;
    cpr_status status =
        cpr_reading_rows(r, CPR_H5_PRIMER, type, sizeof(*row), 1, 1, (void **)&row, &count);
    if (status == CPR_OK)
        status = take_row(r, row, 0, &raw, coded, &a->primer);
    free(row);
    a->header.primer = &a->primer;
    return status;
}

static cpr_status read_shards(const cpr_reading *r, hid_t type)
{
    cpr_archive *a = r->archive;
    cpr_shard_row *rows = NULL;
    uint64_t count = 0;
    uint64_t raw = 0;
    uint64_t coded = 0;
    cpr_status status = read_primer(r, type, &coded);
    if (status == CPR_OK)
        status = cpr_reading_rows(r, "shards", type, sizeof(*rows), UINT64_MAX, a->seal.file_bytes,
                                  (void **)&rows, &count);
    if (status != CPR_OK)
        return status;
    a->shards = calloc(count + 1, sizeof(*a->shards));
    a->coded_offset = calloc(count + 1, sizeof(*a->coded_offset));
    if (a->shards == NULL || a->coded_offset == NULL)
        status = cpr_reading_no_memory(r);
    for (uint64_t i = 0; status == CPR_OK && i < count; ++i) {
        a->coded_offset[i] = coded;
        status = take_row(r, &rows[i], a->header.primer != NULL, &raw, &coded, &a->shards[i]);
    }
    free(rows);
    if (status == CPR_OK &&
        (raw != cpr_file_list_bytes(a->files) || coded != a->seal.bitstream_bytes))
        status = cpr_reading_wrong(r, "the sum of its shards");
    a->header.shards = a->shards;
    a->header.shard_count = count;
    return status;
}

/* The bitstream must lie where the seal says: from there it is read, past HDF5. */
static cpr_status check_bitstream(const cpr_reading *r)
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
        status = cpr_reading_wrong(r, "bitstream");
    cpr_h5_close(properties);
    cpr_h5_close(type);
    cpr_h5_close(dataset);
    return status;
}

/* ---- the rest ------------------------------------------------------------------------------- */

static cpr_status read_options(const cpr_reading *r)
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
        status = cpr_reading_wrong(r, "its attributes");
    h->profile_version = (uint32_t)profile_version;
    return status;
}

/* The totals say again what the tables say. */
static cpr_status check_totals(const cpr_reading *r)
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
        status = cpr_reading_wrong(r, "its totals");
    return status;
}

static cpr_status read_vocabulary(const cpr_reading *r)
{
    cpr_archive *a = r->archive;
    uint8_t *coded = NULL;
    uint64_t coded_bytes;
    uint64_t raw_bytes = 0;
    cpr_status status = read_number(r, "vocabulary_raw_bytes", &raw_bytes);
    if (status == CPR_OK && raw_bytes > VOCABULARY_BYTES_MAX)
        status = cpr_reading_wrong(r, "vocabulary_raw_bytes");
    if (status == CPR_OK)
        status = cpr_reading_rows(r, "vocabulary", H5T_NATIVE_UINT8, 1, UINT64_MAX,
                                  a->seal.file_bytes, (void **)&coded, &coded_bytes);
    /* A blob starts with its raw size: one that lies must not make us decode for hours. */
    if (status == CPR_OK && (coded_bytes < 4 || cpr_get32(coded) != raw_bytes))
        status = cpr_reading_wrong(r, "vocabulary");
    size_t decoded = 0;
    if (status == CPR_OK)
        status = cpr_blob_decode(coded, (size_t)coded_bytes, &a->vocabulary, &decoded, r->error);
    free(coded);
    if (status == CPR_OK && decoded != raw_bytes)
        status = cpr_reading_wrong(r, "vocabulary");
    a->header.vocabulary = a->vocabulary;
    a->header.vocabulary_bytes = decoded;
    return status;
}

/* The seal was checked on our descriptor; HDF5 must have opened the same file. */
static cpr_status check_identity(const cpr_reading *r)
{
    void *handle = NULL;
    struct stat ours;
    struct stat theirs;
    if (H5Fget_vfd_handle(r->file, H5P_DEFAULT, &handle) < 0 || handle == NULL ||
        fstat(r->archive->fd, &ours) != 0 || fstat(*(const int *)handle, &theirs) != 0)
        return cpr_reading_wrong(r, "its file");
    if (ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
        return cpr_fail(r->error, CPR_ERR_CHANGED, "the archive was replaced while it was opened");
    return CPR_OK;
}

static cpr_status read_tables(cpr_archive *a, cpr_error *error)
{
    cpr_reading r = {.archive = a, .error = error};
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
        status = cpr_reading_files(&r);
    const hid_t row_type = cpr_h5_row_type_in_memory();
    if (status == CPR_OK && row_type < 0)
        status = cpr_reading_no_memory(&r);
    if (status == CPR_OK)
        status = read_shards(&r, row_type);
    cpr_h5_close(row_type);
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

const cpr_shard_info *cpr_archive_shard(const cpr_archive *archive, uint64_t shard)
{
    return shard == CPR_SHARD_PRIMER ? archive->header.primer : &archive->shards[shard];
}

uint64_t cpr_archive_codec_bytes(const cpr_archive *archive)
{
    const cpr_archive_header *h = &archive->header;
    uint64_t largest = 0;
    for (uint64_t i = 0; i < h->shard_count; ++i)
        if (h->shards[i].raw_bytes > largest)
            largest = h->shards[i].raw_bytes;
    return largest + (h->primer != NULL ? h->primer->raw_bytes : 0);
}

cpr_hash128 cpr_archive_identity(const cpr_archive *archive)
{
    return archive->seal.tables;
}

uint64_t cpr_archive_file_bytes(const cpr_archive *archive)
{
    return archive->seal.file_bytes;
}
