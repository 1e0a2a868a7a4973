/* archive_read.c - opens archives and checks everything that their tables say. */
#define _GNU_SOURCE
#include "archive_objects.h"
#include "archive_reading.h"
#include "archive_tables.h"
#include "documents.h"
#include "file_io.h"
#include "process_lock.h"

#include "model.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* All that a vocabulary can take, packed: a number, then for each token its weight, its bytes, at
 * most two for each, and a line feed. */
#define VOCABULARY_BYTES_MAX                                                                       \
    (4 + (uint64_t)CPR_VOCABULARY_MAX_TOKENS * (2 * CPR_TOKEN_MAX_BYTES + 2))
/* Where a shard starts is moved by that much at most. */
#define LINE_END_BYTES ((uint64_t)64 << 10)
#define PRIMER_BYTES_MAX ((uint64_t)64 << 20)

cpr_status cpr_reading_no_memory(const cpr_reading *r)
{
    return cpr_fail(r->error, CPR_ERR_NO_MEMORY, "out of memory for the archive's tables");
}

/* The tables' checksum was right, so the program that wrote them is wrong, not the disk. */
cpr_status cpr_reading_wrong(const cpr_reading *r, const char *what)
{
    char shown[CPR_SHOWN_BYTES];
    if (cpr_h5_no_memory())
        return cpr_reading_no_memory(r);
    return cpr_fail(r->error, CPR_ERR_DAMAGED, "\"%s\" contradicts itself in %s",
                    cpr_printable_path(r->archive->path, shown, sizeof shown), what);
}

cpr_status cpr_reading_refused(const cpr_reading *r, const char *what, const char *has)
{
    char shown[CPR_SHOWN_BYTES];
    return cpr_fail(r->error, CPR_ERR_FOREIGN, "\"%s\" is refused: %s has %s",
                    cpr_printable_path(r->archive->path, shown, sizeof shown), what, has);
}

/* ---- datasets ------------------------------------------------------------------------------- */

cpr_status cpr_reading_rows(const cpr_reading *r, const char *name, hid_t stored, hid_t memory_type,
                            size_t row_bytes, uint64_t rows, void **out, uint64_t *count)
{
    cpr_dataset dataset;
    *out = NULL;
    cpr_status status = cpr_dataset_open(r, name, stored, false, &dataset);
    if (status == CPR_OK && rows != UINT64_MAX && dataset.rows != rows)
        status = cpr_reading_wrong(r, name);
    if (status == CPR_OK && (dataset.rows >= SIZE_MAX / row_bytes - 1 ||
                             (*out = calloc((size_t)dataset.rows + 1, row_bytes)) == NULL))
        status = cpr_reading_no_memory(r);
    if (status == CPR_OK && dataset.rows > 0 &&
        H5Dread(dataset.id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *out) < 0) {
        status = cpr_reading_wrong(r, name);
        free(*out);
        *out = NULL;
    }
    *count = dataset.rows;
    cpr_h5_close(dataset.id);
    return status;
}

/* ---- what is an object of the file, or in the record ------------------------------------------
 */

cpr_status cpr_reading_find(const cpr_reading *r, const char *name, bool *there)
{
    if (r->record == NULL)
        return cpr_object_find(r, name, there);
    const bool found = cpr_record_has(r->record, name);
    if (there != NULL)
        *there = found;
    return found || there != NULL ? CPR_OK : cpr_reading_wrong(r, name);
}

cpr_status cpr_reading_bytes(const cpr_reading *r, const char *name, uint64_t rows, uint8_t **out,
                             uint64_t *count)
{
    size_t bytes;
    if (r->record == NULL)
        return cpr_reading_rows(r, name, H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, rows, (void **)out,
                                count);
    const uint8_t *from = cpr_record_bytes(r->record, name, &bytes);
    *out = NULL;
    *count = bytes;
    if (from == NULL || (rows != UINT64_MAX && bytes != rows))
        return cpr_reading_wrong(r, name);
    *out = calloc(bytes + 1, 1);
    if (*out == NULL)
        return cpr_reading_no_memory(r);
    memcpy(*out, from, bytes);
    return CPR_OK;
}

cpr_status cpr_reading_number(const cpr_reading *r, const char *name, uint64_t *out)
{
    if (r->record == NULL)
        return cpr_attribute_number(r, name, out);
    return cpr_record_number(r->record, name, out) ? CPR_OK : cpr_reading_wrong(r, name);
}

cpr_status cpr_reading_text(const cpr_reading *r, const char *name, char *out, size_t capacity)
{
    size_t bytes;
    if (r->record == NULL)
        return cpr_attribute_text(r, name, out, capacity);
    if (strcmp(name, "model") == 0)
        return cpr_record_model(r->record, out, capacity) ? CPR_OK : cpr_reading_wrong(r, name);
    const uint8_t *from = cpr_record_bytes(r->record, name, &bytes);
    if (from == NULL || bytes >= capacity || memchr(from, '\0', bytes) != NULL)
        return cpr_reading_wrong(r, name);
    memcpy(out, from, bytes);
    out[bytes] = '\0';
    return CPR_OK;
}

/* Reads the record into malloc()ed memory. */
static cpr_status read_record(const cpr_reading *r, cpr_record *record, uint8_t **bytes)
{
    size_t count;
    const cpr_status status =
        cpr_attribute_opaque(r, CPR_H5_RECORD, CPR_RECORD_BYTES_MAX, bytes, &count);
    return status != CPR_OK || cpr_record_parse(record, *bytes, count)
               ? status
               : cpr_reading_wrong(r, CPR_H5_RECORD);
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
 * bitstream starts; both grow by it. most: raw bytes that it may have. */
static cpr_status take_row(const cpr_reading *r, const cpr_shard_row *row, uint32_t generation,
                           uint64_t most, uint64_t *raw, uint64_t *coded, cpr_shard_info *info)
{
    uint64_t loss = 0;
    uint64_t network_loss = 0;
    if (row->raw_offset != *raw || row->coded_offset != *coded ||
        row->raw_bytes > INT64_MAX - *raw || row->stored_bytes > row->raw_bytes ||
        row->tokens > row->raw_bytes || row->generation != generation ||
        row->coded_bytes > r->archive->seal.bitstream_bytes - *coded || row->raw_bytes > most ||
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

/* The one row of /shards that a record may have. */
static cpr_status row_of_record(const cpr_reading *r, cpr_shard_row **rows, uint64_t *count)
{
    *count = cpr_record_has(r->record, "shards");
    *rows = calloc(1, sizeof **rows);
    if (*rows == NULL)
        return cpr_reading_no_memory(r);
    if (*count == 0 || cpr_record_shard(r->record, *rows))
        return CPR_OK;
    free(*rows);
    *rows = NULL;
    return cpr_reading_wrong(r, "shards");
}

/* Reads rows of a table of shards. */
static cpr_status read_rows(const cpr_reading *r, const char *name, uint64_t wanted,
                            cpr_shard_row **rows, uint64_t *count)
{
    if (r->record != NULL)
        return row_of_record(r, rows, count);
    const hid_t in_file = cpr_h5_row_type_in_file();
    const hid_t in_memory = cpr_h5_row_type_in_memory();
    *rows = NULL;
    const cpr_status status = in_file < 0 || in_memory < 0
                                  ? cpr_reading_no_memory(r)
                                  : cpr_reading_rows(r, name, in_file, in_memory, sizeof **rows,
                                                     wanted, (void **)rows, count);
    cpr_h5_close(in_memory);
    cpr_h5_close(in_file);
    return status;
}

/* The primer, if there is one. *coded is then the size of its bitstream. */
static cpr_status read_primer(const cpr_reading *r, uint64_t *coded)
{
    cpr_archive *a = r->archive;
    cpr_shard_row *row = NULL;
    uint64_t count = 0;
    uint64_t raw = 0;
    bool there;
    cpr_status status = cpr_reading_find(r, CPR_H5_PRIMER, &there);
    if (status != CPR_OK || !there)
        return status;
    status = read_rows(r, CPR_H5_PRIMER, 1, &row, &count);
    if (status == CPR_OK)
        status = take_row(r, row, 0, PRIMER_BYTES_MAX, &raw, coded, &a->primer);
    free(row);
    a->header.primer = &a->primer;
    return status;
}

static cpr_status read_shards(const cpr_reading *r)
{
    cpr_archive *a = r->archive;
    cpr_shard_row *rows = NULL;
    uint64_t count = 0;
    uint64_t raw = 0;
    uint64_t coded = 0;
    cpr_status status = read_primer(r, &coded);
    if (status == CPR_OK)
        status = read_rows(r, "shards", UINT64_MAX, &rows, &count);
    if (status != CPR_OK)
        return status;
    a->shards = calloc(count + 1, sizeof *a->shards);
    a->coded_offset = calloc(count + 1, sizeof *a->coded_offset);
    if (a->shards == NULL || a->coded_offset == NULL)
        status = cpr_reading_no_memory(r);
    for (uint64_t i = 0; status == CPR_OK && i < count; i++) {
        a->coded_offset[i] = coded;
        status = take_row(r, &rows[i], a->header.primer != NULL,
                          a->header.shard_bytes + LINE_END_BYTES, &raw, &coded, &a->shards[i]);
    }
    free(rows);
    if (status == CPR_OK &&
        (raw != cpr_file_list_bytes(a->files) || coded != a->seal.bitstream_bytes))
        status = cpr_reading_wrong(r, "the sum of its shards");
    a->header.shards = a->shards;
    a->header.shard_count = count;
    return status;
}

/* The bitstream must lie where the seal says: from there it is read, past HDF5. Without a seal, its
 * end may be missing. */
static cpr_status find_bitstream(const cpr_reading *r)
{
    cpr_archive *a = r->archive;
    cpr_status status = cpr_object_find_dataset(r, "bitstream");
    if (status != CPR_OK)
        return status;
    const hid_t dataset = H5Dopen2(r->file, "bitstream", H5P_DEFAULT);
    const hid_t type = dataset < 0 ? -1 : H5Dget_type(dataset);
    const hid_t properties = type < 0 ? -1 : H5Dget_create_plist(dataset);
    if (properties < 0 || H5Tequal(type, H5T_STD_U8LE) <= 0)
        status = cpr_reading_wrong(r, "bitstream");
    else
        status = cpr_layout_check(r, "bitstream", properties);
    if (status == CPR_OK) {
        const uint64_t bytes = cpr_h5_rows(dataset);
        const haddr_t offset = bytes > 0 ? H5Dget_offset(dataset) : CPR_SEAL_BYTES;
        const bool placed = bytes <= INT64_MAX && offset <= INT64_MAX - bytes;
        if (placed && !a->sealed) {
            a->seal.bitstream_offset = offset;
            a->seal.bitstream_bytes = bytes;
        }
        if (!placed || bytes != a->seal.bitstream_bytes ||
            (bytes > 0 && offset != a->seal.bitstream_offset))
            status = cpr_reading_wrong(r, "bitstream");
    }
    cpr_h5_close(properties);
    cpr_h5_close(type);
    cpr_h5_close(dataset);
    return status;
}

/* ---- the rest ------------------------------------------------------------------------------- */

static cpr_status read_format(const cpr_reading *r, uint64_t *version)
{
    char format[sizeof CPR_FORMAT_NAME];
    if (r->record != NULL) {
        *version = r->record->format;
        return *version >= CPR_FORMAT_RECORD && *version <= CPR_FORMAT_VERSION
                   ? CPR_OK
                   : cpr_reading_wrong(r, CPR_H5_RECORD);
    }
    cpr_status status = cpr_attribute_text(r, "format", format, sizeof format);
    if (status == CPR_OK)
        status = cpr_attribute_number(r, "format_version", version);
    if (status == CPR_OK && (strcmp(format, CPR_FORMAT_NAME) != 0 || *version < CPR_FORMAT_OLDEST ||
                             *version > CPR_FORMAT_VERSION))
        status = cpr_reading_wrong(r, "its attributes");
    return status;
}

static cpr_status read_options(const cpr_reading *r)
{
    cpr_archive_header *h = &r->archive->header;
    uint64_t format_version = 0;
    uint64_t old_version = 0;
    cpr_status status = read_format(r, &format_version);
    if (status == CPR_OK)
        status = cpr_reading_text(r, "profile", h->profile, sizeof h->profile);
    if (status == CPR_OK && format_version > 1)
        status = cpr_reading_text(r, "model", r->archive->model, sizeof r->archive->model);
    else if (status == CPR_OK)
        status = cpr_reading_number(r, "profile_version", &old_version);
    if (status == CPR_OK)
        status = cpr_reading_number(r, "shard_size_bytes", &h->shard_bytes);
    if (status == CPR_OK && (old_version > UINT32_MAX || h->shard_bytes > CPR_SHARD_BYTES_MAX))
        status = cpr_reading_wrong(r, "its attributes");
    h->model = format_version > 1 ? r->archive->model : NULL;
    h->old_version = (uint32_t)old_version;
    cpr_archive *a = r->archive;
    if (status == CPR_OK && h->model != NULL)
        a->lacks_status = cpr_codec_profile(h->model, &a->profile, &a->lacks);
    return status;
}

/* The totals say again what the tables say. A record has none. */
static cpr_status check_totals(const cpr_reading *r)
{
    if (r->record != NULL)
        return CPR_OK;
    const cpr_archive_header *h = &r->archive->header;
    uint64_t files = 0;
    uint64_t shards = 0;
    uint64_t raw = 0;
    uint64_t coded = 0;
    cpr_status status = cpr_attribute_number(r, "total_files", &files);
    if (status == CPR_OK)
        status = cpr_attribute_number(r, "total_shards", &shards);
    if (status == CPR_OK)
        status = cpr_attribute_number(r, "total_raw_bytes", &raw);
    if (status == CPR_OK)
        status = cpr_attribute_number(r, "total_coded_bytes", &coded);
    if (status == CPR_OK &&
        (files != cpr_file_list_count(h->files) || shards != h->shard_count ||
         raw != cpr_file_list_bytes(h->files) || coded != r->archive->seal.bitstream_bytes))
        status = cpr_reading_wrong(r, "its totals");
    return status;
}

/* Takes the vocabulary as it is stored: listing needs no model to decode it. */
static cpr_status read_vocabulary(const cpr_reading *r)
{
    cpr_archive *a = r->archive;
    uint64_t coded_bytes = 0;
    uint64_t raw_bytes = 0;
    cpr_status status = CPR_OK;
    if (r->record == NULL)
        status = cpr_attribute_number(r, "vocabulary_raw_bytes", &raw_bytes);
    if (status == CPR_OK)
        status = cpr_reading_bytes(r, "vocabulary", UINT64_MAX, &a->coded_vocabulary, &coded_bytes);
    if (status == CPR_OK && coded_bytes < 4)
        status = cpr_reading_wrong(r, "vocabulary");
    if (status != CPR_OK)
        return status;
    /* A blob starts with its raw size: one that lies must not make us decode for hours. */
    const uint64_t said = cpr_get32(a->coded_vocabulary);
    if (said > VOCABULARY_BYTES_MAX || (r->record == NULL && said != raw_bytes))
        status = cpr_reading_wrong(r, "vocabulary");
    a->coded_vocabulary_bytes = (size_t)coded_bytes;
    return status;
}

/* Takes the weights as they are stored. They are there if, and only if, a network has been taught,
 * as far as it is known what the archive needs. */
static cpr_status read_weights(const cpr_reading *r)
{
    cpr_archive *a = r->archive;
    uint64_t bytes = 0;
    bool there;
    cpr_status status = cpr_object_find(r, CPR_H5_WEIGHTS, &there);
    if (status == CPR_OK && a->profile != NULL && cpr_profile_is_taught(a->profile) != there)
        status = cpr_reading_wrong(r, "weights");
    if (status != CPR_OK || !there)
        return status;
    status = cpr_reading_rows(r, CPR_H5_WEIGHTS, H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, UINT64_MAX,
                              (void **)&a->coded_weights, &bytes);
    a->header.coded_weights = a->coded_weights;
    a->header.coded_weights_bytes = (size_t)bytes;
    return status;
}

cpr_status cpr_archive_vocabulary(cpr_archive *archive, const uint8_t **packed, size_t *bytes,
                                  cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_error detail = {.text = ""};
    const struct cpr_profile *profile;
    cpr_status status = cpr_archive_profile(archive, &profile, error);
    *packed = NULL;
    *bytes = 0;
    if (status != CPR_OK)
        return status;
    cpr_process_lock(); /* threads may share the archive */
    if (archive->vocabulary == NULL)
        status = cpr_blob_decode(archive->coded_vocabulary, archive->coded_vocabulary_bytes,
                                 &archive->vocabulary, &archive->vocabulary_bytes, &detail);
    *packed = archive->vocabulary;
    *bytes = archive->vocabulary_bytes;
    cpr_process_unlock();
    if (status == CPR_OK)
        return CPR_OK;
    return cpr_fail(error, status, "the vocabulary of \"%s\" cannot be decoded: %s",
                    cpr_printable_path(archive->path, shown, sizeof shown), detail.text);
}

/* Everything that a sealed archive's superblock may not have is in its extension: places of free
 * space, an image of the cache, shared messages, drivers. */
static bool plain_superblock(const cpr_image *image)
{
    enum { VERSION = 8, OFFSET_BYTES = 9, LENGTH_BYTES = 10, BASE = 12, EXTENSION = 20, SIZE = 48 };
    if (image->head_bytes < CPR_SEAL_BYTES + SIZE)
        return false;
    const uint8_t *block = image->head + CPR_SEAL_BYTES;
    return (block[VERSION] == 2 || block[VERSION] == 3) && block[OFFSET_BYTES] == 8 &&
           block[LENGTH_BYTES] == 8 && cpr_get64(block + BASE) == CPR_SEAL_BYTES &&
           cpr_get64(block + EXTENSION) == UINT64_MAX;
}

static cpr_status read_all(const cpr_reading *r)
{
    cpr_status status = read_options(r);
    if (status == CPR_OK)
        status = find_bitstream(r);
    if (status == CPR_OK)
        status = cpr_reading_files(r);
    if (status == CPR_OK)
        status = read_shards(r);
    if (status == CPR_OK)
        status = check_totals(r);
    if (status == CPR_OK)
        status = cpr_reading_inputs(r);
    if (status == CPR_OK)
        status = cpr_reading_documents(r);
    if (status == CPR_OK)
        status = read_vocabulary(r);
    if (status == CPR_OK)
        status = read_weights(r);
    return status;
}

/* A small archive has a record instead of all other attributes. */
static cpr_status read_tables(cpr_reading *r)
{
    cpr_record record;
    uint8_t *bytes = NULL;
    cpr_status status = CPR_OK;
    if (H5Aexists(r->file, "format") == 0 && H5Aexists(r->file, CPR_H5_RECORD) > 0) {
        status = read_record(r, &record, &bytes);
        r->record = &record;
    }
    if (status == CPR_OK)
        status = read_all(r);
    r->record = NULL;
    free(bytes);
    return status;
}

/* Bytes in front of the superblock. */
static uint64_t base_of(hid_t file)
{
    hsize_t bytes = 0;
    const hid_t creation = H5Fget_create_plist(file);
    (void)H5Pget_userblock(creation, &bytes);
    cpr_h5_close(creation);
    return bytes;
}

/* Opens the image with HDF5. CPR_ERR_NOT_FOUND: there is no HDF5 file in it. */
static cpr_status read_image(cpr_archive *a, cpr_image *image, cpr_error *error)
{
    cpr_reading r = {.archive = a, .image = image, .error = error};
    cpr_h5_use use;
    cpr_status status = CPR_OK;
    cpr_h5_begin(&use);
    const hid_t access = cpr_image_access(image);
    r.file = access < 0 ? -1 : H5Fopen("archive", H5F_ACC_RDONLY, access);
    r.base = r.file < 0 ? 0 : base_of(r.file);
    if (r.file >= 0)
        status = read_tables(&r);
    else if (a->sealed)
        status = cpr_h5_fail(error, CPR_ERR_DAMAGED, "open", a->path);
    else
        status = cpr_h5_no_memory() ? cpr_reading_no_memory(&r) : CPR_ERR_NOT_FOUND;
    /* HDF5 may have taken a failure for an answer. */
    if (image->code != 0)
        status = cpr_io_fail(error, image->code, "read", a->path);
    cpr_h5_close(r.file);
    cpr_h5_close(access);
    cpr_h5_end(&use);
    return status;
}

/* By the seal. *mismatch: the seal is not right, or there is none. */
static cpr_status read_sealed(cpr_archive *a, uint64_t size, bool *mismatch, cpr_error *error)
{
    cpr_image image = {.fd = -1};
    cpr_status status = cpr_seal_read(a->fd, a->path, size, &a->seal, error);
    if (status == CPR_OK)
        status = cpr_seal_load(a->fd, a->path, &a->seal, &image, error);
    *mismatch = status == CPR_ERR_DAMAGED || status == CPR_ERR_FOREIGN;
    if (status == CPR_OK) {
        a->sealed = true;
        a->identity = a->seal.tables;
        if (plain_superblock(&image)) {
            status = read_image(a, &image, error);
        } else {
            const cpr_reading r = {.archive = a, .error = error};
            status = cpr_reading_refused(&r, "its superblock", "something that no archive has");
        }
    }
    cpr_image_free(&image);
    return status;
}

/* What tells two archives apart that no seal does: the hashes of their shards. */
static cpr_status identify(cpr_archive *a, cpr_error *error)
{
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    (void)XXH3_128bits_reset(state);
    for (uint64_t i = 0; i < a->header.shard_count; i++) {
        (void)XXH3_128bits_update(state, &a->shards[i].raw_hash, sizeof(cpr_hash128));
        (void)XXH3_128bits_update(state, &a->shards[i].coded_hash, sizeof(cpr_hash128));
    }
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    a->identity = (cpr_hash128){hash.high64, hash.low64};
    (void)XXH3_freeState(state);
    return CPR_OK;
}

/* Past a seal that is not right; what that said stays in *error if this is no HDF5 file, or one
 * whose end is missing. */
static cpr_status read_unsealed(cpr_archive *a, uint64_t size, cpr_status seal, cpr_error *error)
{
    cpr_image image = cpr_image_of_fd(a->fd);
    cpr_error detail = {.text = ""};
    const bool shorter = size < a->seal.file_bytes;
    a->seal = (cpr_seal){.file_bytes = size};
    const cpr_status status = read_image(a, &image, &detail);
    if (status == CPR_OK)
        return identify(a, error);
    if (status == CPR_ERR_NOT_FOUND || (status == CPR_ERR_DAMAGED && shorter))
        return seal;
    return cpr_fail(error, status, "%s", detail.text);
}

static cpr_status open_file(cpr_archive *a, bool unsealed, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    struct stat facts;
    bool mismatch;
    a->fd = cpr_io_open(a->path, O_RDONLY | O_NONBLOCK);
    if (a->fd < 0)
        return cpr_io_fail(error, errno, "open", a->path);
    if (fstat(a->fd, &facts) != 0)
        return cpr_io_fail(error, errno, "read", a->path);
    if (!S_ISREG(facts.st_mode))
        return cpr_fail(error, CPR_ERR_FOREIGN, "\"%s\" is not a regular file",
                        cpr_printable_path(a->path, shown, sizeof shown));
    const uint64_t size = (uint64_t)facts.st_size;
    const cpr_status status = read_sealed(a, size, &mismatch, error);
    return mismatch && unsealed ? read_unsealed(a, size, status, error) : status;
}

static cpr_status open_archive(const char *path, bool unsealed, cpr_archive **archive,
                               cpr_error *error)
{
    cpr_archive *a = calloc(1, sizeof *a);
    *archive = NULL;
    if (a == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    a->fd = -1;
    a->path = strdup(path);
    const cpr_status status = a->path == NULL ? cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory")
                                              : open_file(a, unsealed, error);
    if (status != CPR_OK) {
        cpr_archive_close(a);
        return status;
    }
    *archive = a;
    return CPR_OK;
}

cpr_status cpr_archive_open(const char *path, cpr_archive **archive, cpr_error *error)
{
    return open_archive(path, false, archive, error);
}

cpr_status cpr_archive_open_unsealed(const char *path, cpr_archive **archive, cpr_error *error)
{
    return open_archive(path, true, archive, error);
}

bool cpr_archive_is_sealed(const cpr_archive *archive)
{
    return archive->sealed;
}

void cpr_archive_close(cpr_archive *archive)
{
    if (archive == NULL)
        return;
    if (archive->fd >= 0)
        close(archive->fd);
    cpr_file_list_free(archive->files);
    free(archive->shards);
    free(archive->coded_offset);
    free(archive->file_loss);
    free(archive->coded_vocabulary);
    free(archive->coded_weights);
    free(archive->document_states);
    free(archive->documents);
    cpr_document_index_free(archive->document_index);
    free(archive->vocabulary);
    cpr_profile_free(archive->profile);
    free(archive->path);
    free(archive);
}

const cpr_archive_header *cpr_archive_info(const cpr_archive *archive)
{
    return &archive->header;
}

const cpr_shard_info *cpr_archive_shard(const cpr_archive *archive, uint64_t shard)
{
    if (shard == CPR_SHARD_PRIMER)
        return archive->header.primer;
    return shard < archive->header.shard_count ? &archive->shards[shard] : NULL;
}

uint64_t cpr_archive_codec_bytes(const cpr_archive *archive)
{
    const cpr_archive_header *h = &archive->header;
    uint64_t largest = 0;
    for (uint64_t i = 0; i < h->shard_count; i++)
        if (h->shards[i].raw_bytes > largest)
            largest = h->shards[i].raw_bytes;
    return largest + (h->primer != NULL ? h->primer->raw_bytes : 0);
}

const struct cpr_document_index *cpr_archive_document_index(const cpr_archive *archive)
{
    return archive->document_index;
}

cpr_hash128 cpr_archive_identity(const cpr_archive *archive)
{
    return archive->identity;
}

uint64_t cpr_archive_file_bytes(const cpr_archive *archive)
{
    return archive->seal.file_bytes;
}
