/* archive_create.c - creates an archive: its tables, and room for the bitstreams. */
#define _GNU_SOURCE
#include "archive_image.h"
#include "archive_seal.h"
#include "archive_tables.h"
#include "file_io.h"
#include "file_list.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* From this many rows on, packing a column saves more than its index costs. */
#define PACK_ROWS 64
/* Packing adapts to each chunk. Of 128 to 65536 rows, 256 took least for trees of 5,000 to 10,000
 * files. */
#define CHUNK_ROWS 256
/* HDF5 keeps at most 64 KiB in an object header. */
#define COMPACT_BYTES 60000

typedef enum layout { LAYOUT_PLAIN, LAYOUT_PACKED, LAYOUT_RESERVED } layout;

/* Dataset creation properties for `rows` rows of `row_bytes`. */
static hid_t dataset_properties(hsize_t rows, size_t row_bytes, layout how)
{
    const hid_t p = H5Pcreate(H5P_DATASET_CREATE);
    if (p < 0)
        return p;
    herr_t done = H5Pset_obj_track_times(p, 0);
#if H5_VERSION_GE(1, 10, 5)
    if (done >= 0)
        done = H5Pset_dset_no_attrs_hint(p, 1);
#endif
    const hsize_t chunk = rows < CHUNK_ROWS ? rows : CHUNK_ROWS;
    if (done >= 0 && how == LAYOUT_PACKED && rows >= PACK_ROWS) {
        done = H5Pset_chunk(p, 1, &chunk);
        if (done >= 0) /* of HDF5's filters the one whose output is the same in every build */
            done = H5Pset_scaleoffset(p, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT);
    } else if (done >= 0 && how != LAYOUT_RESERVED && rows > 0 &&
               rows <= COMPACT_BYTES / row_bytes) {
        done = H5Pset_layout(p, H5D_COMPACT);
    } else if (done >= 0) {
        done = H5Pset_layout(p, H5D_CONTIGUOUS);
        if (done >= 0)
            done = H5Pset_alloc_time(p, H5D_ALLOC_TIME_EARLY);
        if (done >= 0)
            done = H5Pset_fill_time(p, H5D_FILL_TIME_NEVER);
    }
    if (done < 0) {
        cpr_h5_close(p);
        return -1;
    }
    return p;
}

/* Creates a one-dimensional dataset; writes `data` to it unless that is NULL. */
static herr_t put_dataset(hid_t group, const char *name, hid_t file_type, hid_t memory_type,
                          hsize_t rows, const void *data, layout how)
{
    herr_t done = -1;
    const hid_t properties = dataset_properties(rows, H5Tget_size(file_type), how);
    const hid_t space = H5Screate_simple(1, &rows, NULL);
    hid_t dataset = -1;
    if (properties >= 0 && space >= 0)
        dataset = H5Dcreate2(group, name, file_type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    if (dataset >= 0)
        done = 0;
    if (done >= 0 && data != NULL && rows > 0)
        done = H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    if (dataset >= 0 && H5Dclose(dataset) < 0)
        done = -1;
    cpr_h5_close(space);
    cpr_h5_close(properties);
    return done;
}

/* ---- attributes ----------------------------------------------------------------------------- */

static herr_t put_attribute(hid_t object, const char *name, hid_t file_type, hid_t memory_type,
                            const void *value)
{
    herr_t done = -1;
    const hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = -1;
    if (space >= 0 && file_type >= 0)
        attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0)
        done = H5Awrite(attribute, memory_type, value);
    cpr_h5_close(attribute);
    cpr_h5_close(space);
    return done;
}

static herr_t put_number(hid_t object, const char *name, uint64_t value)
{
    return put_attribute(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value);
}

static herr_t put_text(hid_t object, const char *name, const char *value)
{
    herr_t done = -1;
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && H5Tset_size(type, strlen(value)) >= 0 &&
        H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0)
        done = put_attribute(object, name, type, type, value);
    cpr_h5_close(type);
    return done;
}

static void add_up(cpr_shard_info *total, const cpr_shard_info *info)
{
    total->coded_bytes += info->coded_bytes;
    total->stored_bytes += info->stored_bytes;
    total->tokens += info->tokens;
    total->loss_bits += info->loss_bits;
    total->network_loss_bits += info->network_loss_bits;
}

/* Over the primer and all shards. */
static cpr_shard_info total_of(const cpr_archive_header *h)
{
    cpr_shard_info total = {0};
    if (h->primer != NULL)
        add_up(&total, h->primer);
    for (uint64_t i = 0; i < h->shard_count; i++)
        add_up(&total, &h->shards[i]);
    return total;
}

static herr_t put_attributes(hid_t root, const cpr_archive_header *h)
{
    const cpr_shard_info total = total_of(h);
    const double loss = (double)total.loss_bits / CPR_LOSS_UNITS;
    const double network_loss = (double)total.network_loss_bits / CPR_LOSS_UNITS;
    if (put_text(root, "format", CPR_FORMAT_NAME) < 0 ||
        put_number(root, "format_version", CPR_FORMAT_VERSION) < 0 ||
        put_text(root, "profile", h->profile) < 0 || put_text(root, "model", h->model) < 0 ||
        put_number(root, "shard_size_bytes", h->shard_bytes) < 0 ||
        put_number(root, "vocabulary_raw_bytes", h->vocabulary_bytes) < 0 ||
        put_number(root, "total_files", cpr_file_list_count(h->files)) < 0 ||
        put_number(root, "total_shards", h->shard_count) < 0 ||
        put_number(root, "total_raw_bytes", cpr_file_list_bytes(h->files)) < 0 ||
        put_number(root, "total_coded_bytes", total.coded_bytes) < 0 ||
        put_number(root, "total_stored_bytes", total.stored_bytes) < 0 ||
        put_number(root, "total_tokens", total.tokens) < 0 ||
        put_attribute(root, "total_loss_bits", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &loss) < 0 ||
        put_attribute(root, "total_network_loss_bits", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE,
                      &network_loss) < 0)
        return -1;
    return 0;
}

/* ---- tables --------------------------------------------------------------------------------- */

/* A row of a bitstream that lies behind *coded_offset others, which grows by it. */
static cpr_shard_row make_row(const cpr_shard_info *s, uint64_t *coded_offset)
{
    cpr_shard_row row = {
        .raw_offset = s->offset,
        .raw_bytes = s->raw_bytes,
        .coded_offset = *coded_offset,
        .coded_bytes = s->coded_bytes,
        .stored_bytes = s->stored_bytes,
        .tokens = s->tokens,
        .loss_bits = (double)s->loss_bits / CPR_LOSS_UNITS,
        .network_loss_bits = (double)s->network_loss_bits / CPR_LOSS_UNITS,
        .generation = s->generation,
    };
    cpr_put_hash(row.raw_hash, s->raw_hash);
    cpr_put_hash(row.coded_hash, s->coded_hash);
    *coded_offset += s->coded_bytes;
    return row;
}

static herr_t put_shards(hid_t root, const cpr_archive_header *h, cpr_shard_row *rows)
{
    uint64_t coded_offset = 0;
    cpr_shard_row primer;
    if (h->primer != NULL)
        primer = make_row(h->primer, &coded_offset);
    for (uint64_t i = 0; i < h->shard_count; i++)
        rows[i] = make_row(&h->shards[i], &coded_offset);
    const hid_t in_file = cpr_h5_row_type_in_file();
    const hid_t in_memory = cpr_h5_row_type_in_memory();
    herr_t done = in_file >= 0 && in_memory >= 0 ? 0 : -1;
    if (done >= 0 && h->primer != NULL)
        done = put_dataset(root, CPR_H5_PRIMER, in_file, in_memory, 1, &primer, LAYOUT_PLAIN);
    if (done >= 0)
        done = put_dataset(root, "shards", in_file, in_memory, h->shard_count, rows, LAYOUT_PLAIN);
    cpr_h5_close(in_file);
    cpr_h5_close(in_memory);
    if (done >= 0)
        done = put_dataset(root, "bitstream", H5T_STD_U8LE, H5T_NATIVE_UINT8, coded_offset, NULL,
                           LAYOUT_RESERVED);
    return done;
}

/* Columns of /files whose values fit into 64 bits. */
typedef enum column {
    COLUMN_MODE,
    COLUMN_BYTES,
    COLUMN_SECONDS,
    COLUMN_NANOSECONDS,
    COLUMN_LOSS,
    COLUMN_SHARED,
    COLUMNS
} column;

static size_t shared_prefix(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] != '\0' && a[n] == b[n])
        n++;
    return n;
}

static uint64_t column_value(const cpr_archive_header *h, uint64_t i, column c)
{
    static const unsigned type_bits[] = {S_IFREG, S_IFDIR, S_IFLNK};
    const cpr_file file = cpr_file_list_get(h->files, i);
    switch (c) {
    case COLUMN_MODE:
        return type_bits[file.type] | file.mode;
    case COLUMN_BYTES:
        return file.bytes;
    case COLUMN_SECONDS:
        return (uint64_t)file.mtime_seconds;
    case COLUMN_NANOSECONDS:
        return file.mtime_nanoseconds;
    case COLUMN_LOSS:
        return h->file_loss[i] / CPR_LOSS_UNITS + (h->file_loss[i] % CPR_LOSS_UNITS >= 32768);
    case COLUMN_SHARED:
        return i == 0 ? 0
                      : shared_prefix(cpr_file_list_member(h->files, i - 1),
                                      cpr_file_list_member(h->files, i));
    case COLUMNS:
        break;
    }
    return 0;
}

static herr_t put_columns(hid_t group, const cpr_archive_header *h, uint64_t *values)
{
    static const char *const names[COLUMNS] = {"mode",          "size_bytes",
                                               "mtime_seconds", "mtime_nanoseconds",
                                               "loss_bits",     "path_shared_bytes"};
    const hid_t types[COLUMNS] = {H5T_STD_U16LE, H5T_STD_U64LE, H5T_STD_I64LE,
                                  H5T_STD_U32LE, H5T_STD_U64LE, H5T_STD_U16LE};
    const uint64_t count = cpr_file_list_count(h->files);
    for (column c = COLUMN_MODE; c < COLUMNS; c++) {
        for (uint64_t i = 0; i < count; i++)
            values[i] = column_value(h, i, c);
        const hid_t memory_type = c == COLUMN_SECONDS ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64;
        if (put_dataset(group, names[c], types[c], memory_type, count, values, LAYOUT_PACKED) < 0)
            return -1;
    }
    return 0;
}

/* NUL-terminated strings, one behind the other: the part of each path that its predecessor does not
 * share, or the targets of the links. With out NULL only counts their bytes. */
static size_t join_strings(const cpr_file_list *files, bool targets, char *out)
{
    const uint64_t count = cpr_file_list_count(files);
    const char *before = "";
    size_t used = 0;
    for (uint64_t i = 0; i < count; i++) {
        const char *text = cpr_file_list_link_target(files, i);
        if (!targets) {
            const char *path = cpr_file_list_member(files, i);
            text = path + shared_prefix(before, path);
            before = path;
        } else if (cpr_file_list_get(files, i).type != CPR_FILE_SYMLINK) {
            continue;
        }
        const size_t bytes = strlen(text) + 1;
        if (out != NULL)
            memcpy(out + used, text, bytes);
        used += bytes;
    }
    return used;
}

static herr_t put_strings(hid_t group, const char *name, const cpr_file_list *files, bool targets,
                          char *buffer)
{
    const size_t bytes = join_strings(files, targets, buffer);
    if (bytes == 0 && targets)
        return 0;
    return put_dataset(group, name, H5T_STD_U8LE, H5T_NATIVE_UINT8, bytes, buffer, LAYOUT_PLAIN);
}

/* Creation properties of a group (or file: its root) of few, small things. */
static herr_t keep_compact(hid_t properties, unsigned links, unsigned name_bytes)
{
    if (H5Pset_obj_track_times(properties, 0) < 0 ||
        H5Pset_attr_phase_change(properties, 64, 0) < 0 ||
        H5Pset_link_phase_change(properties, 64, 0) < 0)
        return -1;
    return H5Pset_est_link_info(properties, links, name_bytes);
}

static herr_t put_files(hid_t root, const cpr_archive_header *h, void *buffer)
{
    herr_t done = -1;
    hid_t group = -1;
    const hid_t properties = H5Pcreate(H5P_GROUP_CREATE);
    if (properties >= 0 && keep_compact(properties, 7, 13) >= 0)
        group = H5Gcreate2(root, "files", H5P_DEFAULT, properties, H5P_DEFAULT);
    if (group >= 0)
        done = put_columns(group, h, buffer);
    if (done >= 0)
        done = put_strings(group, "path_suffixes", h->files, false, buffer);
    if (done >= 0)
        done = put_strings(group, "link_targets", h->files, true, buffer);
    cpr_h5_close(group);
    cpr_h5_close(properties);
    return done;
}

/* ---- step 1 --------------------------------------------------------------------------------- */

/* An archive without tables or seal. The tables are added when it is opened again: so their places
 * do not depend on what HDF5 has only begun to write. */
static herr_t make_empty(cpr_image *image)
{
    hid_t file = -1;
    const hid_t access = cpr_image_access(image);
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    if (access >= 0 && creation >= 0 && H5Pset_userblock(creation, CPR_SEAL_BYTES) >= 0 &&
        keep_compact(creation, 4, 8) >= 0)
        file = H5Fcreate("memory", H5F_ACC_TRUNC, creation, access);
    cpr_h5_close(creation);
    const herr_t done = file < 0 ? -1 : H5Fclose(file);
    cpr_h5_close(access); /* which keeps the driver until then */
    return done;
}

/* The place of the bitstream, of which nothing is kept in memory. */
static herr_t find_hole(hid_t file, cpr_image *image)
{
    herr_t done = -1;
    const hid_t dataset = H5Dopen2(file, "bitstream", H5P_DEFAULT);
    const uint64_t bytes = dataset < 0 ? UINT64_MAX : cpr_h5_rows(dataset);
    const haddr_t offset = dataset < 0 ? HADDR_UNDEF : H5Dget_offset(dataset);
    if (bytes == 0 ||
        (bytes != UINT64_MAX && offset != HADDR_UNDEF && cpr_image_set_hole(image, offset, bytes)))
        done = 0;
    cpr_h5_close(dataset);
    return done;
}

/* A reader takes memory for paths by the size of the file: one of little else gets bytes that say
 * nothing. */
static herr_t put_padding(hid_t file, const cpr_archive_header *h, const cpr_image *image)
{
    const uint64_t count = cpr_file_list_count(h->files);
    uint64_t paths = 0;
    for (uint64_t i = 0; i < count; i++)
        paths += strlen(cpr_file_list_member(h->files, i)) + 1;
    const uint64_t bitstream = image->hole == UINT64_MAX ? 0 : image->hole_end - image->hole;
    if (paths <= cpr_archive_path_bytes_max(image->head_bytes + bitstream))
        return 0;
    return put_dataset(file, "padding", H5T_STD_U8LE, H5T_NATIVE_UINT8, paths / 32, NULL,
                       LAYOUT_RESERVED);
}

/* Which files have which documents, the separator, and the counts; nothing if all are files. */
static herr_t put_documents(hid_t root, const cpr_archive_header *h, uint8_t *buffer)
{
    herr_t done = -1;
    hid_t group = -1;
    size_t separator_bytes;
    const uint8_t *separator = cpr_file_list_separator(h->files, &separator_bytes);
    const uint64_t count = cpr_file_list_count(h->files);
    bool lines = false;
    for (uint64_t i = 0; i < count; i++) {
        buffer[i] = (uint8_t)cpr_file_list_get(h->files, i).documents;
        lines = lines || buffer[i] != CPR_DOCUMENTS_FILE;
    }
    if (!lines)
        return 0;
    const hid_t properties = H5Pcreate(H5P_GROUP_CREATE);
    if (properties >= 0 && keep_compact(properties, 4, 9) >= 0)
        group = H5Gcreate2(root, "documents", H5P_DEFAULT, properties, H5P_DEFAULT);
    if (group >= 0)
        done = put_dataset(group, "rules", H5T_STD_U8LE, H5T_NATIVE_UINT8, count, buffer,
                           LAYOUT_PACKED);
    if (done >= 0 && separator_bytes > 0)
        done = put_dataset(group, "separator", H5T_STD_U8LE, H5T_NATIVE_UINT8, separator_bytes,
                           separator, LAYOUT_PLAIN);
    if (done >= 0)
        done = put_dataset(group, "states", H5T_STD_U8LE, H5T_NATIVE_UINT8, h->shard_count,
                           h->document_states, LAYOUT_PLAIN);
    if (done >= 0)
        done = put_dataset(group, "counts", H5T_STD_U8LE, H5T_NATIVE_UINT8, h->documents_bytes,
                           h->documents, LAYOUT_PLAIN);
    cpr_h5_close(group);
    cpr_h5_close(properties);
    return done;
}

/* A column of /inputs. */
static herr_t put_input_column(hid_t group, const char *name, const cpr_archive_header *h,
                               uint64_t (*value)(const cpr_origin *origin), hid_t type,
                               uint64_t *values)
{
    const uint64_t count = cpr_file_list_origins(h->files);
    for (uint64_t i = 0; i < count; i++) {
        const cpr_origin origin = cpr_file_list_origin(h->files, i);
        values[i] = value(&origin);
    }
    return put_dataset(group, name, type, H5T_NATIVE_UINT64, count, values, LAYOUT_PACKED);
}

static uint64_t input_first(const cpr_origin *origin)
{
    return origin->first;
}

static uint64_t input_files(const cpr_origin *origin)
{
    return origin->files;
}

static uint64_t input_kind(const cpr_origin *origin)
{
    return (uint64_t)origin->kind | (origin->is_tar ? CPR_H5_INPUT_TAR : 0);
}

static uint64_t input_bytes(const cpr_origin *origin)
{
    return origin->bytes;
}

/* Hashes and names, which are not numbers. */
static herr_t put_input_texts(hid_t group, const cpr_archive_header *h)
{
    const uint64_t count = cpr_file_list_origins(h->files);
    size_t names_bytes = 0;
    for (uint64_t i = 0; i < count; i++)
        names_bytes += strlen(cpr_file_list_origin(h->files, i).name) + 1;
    uint8_t *hashes = malloc((size_t)count * 16);
    uint8_t *names = malloc(names_bytes);
    uint8_t *out = names;
    herr_t done = hashes != NULL && names != NULL ? 0 : -1;
    for (uint64_t i = 0; done >= 0 && i < count; i++) {
        const cpr_origin origin = cpr_file_list_origin(h->files, i);
        const size_t bytes = strlen(origin.name) + 1;
        cpr_put_hash(hashes + 16 * i, origin.hash);
        memcpy(out, origin.name, bytes);
        out += bytes;
    }
    if (done >= 0)
        done = put_dataset(group, "xxh3_128", H5T_STD_U8LE, H5T_NATIVE_UINT8, 16 * count, hashes,
                           LAYOUT_PLAIN);
    if (done >= 0)
        done = put_dataset(group, "paths", H5T_STD_U8LE, H5T_NATIVE_UINT8, names_bytes, names,
                           LAYOUT_PLAIN);
    free(hashes);
    free(names);
    return done;
}

/* The files that others were decoded from; nothing if there were none. */
static herr_t put_inputs(hid_t root, const cpr_archive_header *h, uint64_t *buffer)
{
    herr_t done = -1;
    hid_t group = -1;
    if (cpr_file_list_origins(h->files) == 0)
        return 0;
    const hid_t properties = H5Pcreate(H5P_GROUP_CREATE);
    if (properties >= 0 && keep_compact(properties, 6, 10) >= 0)
        group = H5Gcreate2(root, "inputs", H5P_DEFAULT, properties, H5P_DEFAULT);
    if (group >= 0)
        done = put_input_column(group, "first_file", h, input_first, H5T_STD_U64LE, buffer);
    if (done >= 0)
        done = put_input_column(group, "files", h, input_files, H5T_STD_U64LE, buffer);
    if (done >= 0)
        done = put_input_column(group, "kind", h, input_kind, H5T_STD_U8LE, buffer);
    if (done >= 0)
        done = put_input_column(group, "size_bytes", h, input_bytes, H5T_STD_U64LE, buffer);
    if (done >= 0)
        done = put_input_texts(group, h);
    cpr_h5_close(group);
    cpr_h5_close(properties);
    return done;
}

static herr_t put_tables(cpr_image *image, const cpr_archive_header *h, const uint8_t *vocabulary,
                         size_t vocabulary_bytes, void *buffer)
{
    const hid_t access = cpr_image_access(image);
    const hid_t file = access < 0 ? -1 : H5Fopen("memory", H5F_ACC_RDWR, access);
    herr_t done = file < 0 ? -1 : put_attributes(file, h);
    if (done >= 0)
        done = put_dataset(file, "vocabulary", H5T_STD_U8LE, H5T_NATIVE_UINT8, vocabulary_bytes,
                           vocabulary, LAYOUT_PLAIN);
    if (done >= 0 && h->coded_weights != NULL)
        done = put_dataset(file, CPR_H5_WEIGHTS, H5T_STD_U8LE, H5T_NATIVE_UINT8,
                           h->coded_weights_bytes, h->coded_weights, LAYOUT_PLAIN);
    if (done >= 0)
        done = put_files(file, h, buffer);
    if (done >= 0)
        done = put_inputs(file, h, buffer);
    if (done >= 0)
        done = put_documents(file, h, buffer);
    if (done >= 0)
        done = put_shards(file, h, buffer);
    if (done >= 0)
        done = find_hole(file, image);
    if (done >= 0)
        done = put_padding(file, h, image);
    if (file >= 0 && H5Fclose(file) < 0)
        done = -1;
    cpr_h5_close(access);
    return done;
}

/* Gets disk space for a file of `bytes` bytes, where the file system can. Returns an errno. */
static int claim_space(int fd, uint64_t bytes)
{
    const int code = cpr_io_truncate(fd, bytes);
    if (code != 0)
        return code;
    if (bytes == 0 || fallocate(fd, 0, 0, (off_t)bytes) == 0)
        return 0;
    const bool cannot = errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL || errno == EINTR;
    return cannot ? 0 : errno;
}

/* Makes a file of the image that owns the disk space of the whole archive, so that a full disk is
 * met now. */
static cpr_status write_file(const char *path, const cpr_image *image, cpr_error *error)
{
    int fd;
    do
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    int code = fd < 0 ? errno : claim_space(fd, image->bytes);
    if (code == 0)
        code = cpr_io_pwrite(fd, image->head, image->head_bytes, 0);
    if (code == 0)
        code = cpr_io_pwrite(fd, image->tail, image->tail_bytes, image->hole_end);
    if (fd >= 0 && close(fd) != 0 && errno != EINTR && code == 0)
        code = errno;
    if (fd >= 0 && code != 0)
        unlink(path);
    return code == 0 ? CPR_OK : cpr_io_fail(error, code, "create", path);
}

/* Makes the tables, and with a path the file; *bytes: of the archive. `name` is for messages. */
static cpr_status write_tables(const char *path, const char *name, const cpr_archive_header *h,
                               const uint8_t *vocabulary, size_t vocabulary_bytes, void *buffer,
                               uint64_t *bytes, cpr_error *error)
{
    cpr_h5_use use;
    cpr_image image = cpr_image_new();
    cpr_status status = CPR_OK;
    cpr_h5_begin(&use);
    if (make_empty(&image) < 0 || put_tables(&image, h, vocabulary, vocabulary_bytes, buffer) < 0)
        status = image.code != 0 ? cpr_io_fail(error, image.code, "make the tables of", name)
                                 : cpr_h5_fail(error, CPR_ERR_IO, "make the tables of", name);
    cpr_h5_end(&use);
    *bytes = image.bytes;
    if (status == CPR_OK && path != NULL)
        status = write_file(path, &image, error);
    cpr_image_free(&image);
    return status;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static cpr_status archive_make(const char *path, const char *name, const cpr_archive_header *header,
                               uint64_t *archive_bytes, cpr_error *error)
{
    assert(header->model != NULL && header->files != NULL);
    uint8_t *vocabulary = NULL;
    size_t vocabulary_bytes = 0;
    if (header->primer != NULL && header->primer->loss_bits > CPR_SHARD_LOSS_MAX)
        return cpr_fail(error, CPR_ERR_USAGE, "the loss of the primer is out of range");
    for (uint64_t i = 0; i < header->shard_count; i++)
        if (header->shards[i].loss_bits > CPR_SHARD_LOSS_MAX)
            return cpr_fail(error, CPR_ERR_USAGE, "the loss of shard %llu is out of range",
                            (unsigned long long)i);
    cpr_status status = cpr_blob_encode(header->vocabulary, header->vocabulary_bytes, &vocabulary,
                                        &vocabulary_bytes, error);
    if (status != CPR_OK)
        return status;
    /* One buffer serves all tables in turn. */
    size_t bytes = cpr_file_list_count(header->files) * sizeof(uint64_t);
    bytes = larger(bytes, header->shard_count * sizeof(cpr_shard_row));
    bytes = larger(bytes, join_strings(header->files, false, NULL));
    bytes = larger(bytes, join_strings(header->files, true, NULL));
    void *buffer = malloc(bytes + 1);
    if (buffer == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the archive's tables");
    else
        status = write_tables(path, name, header, vocabulary, vocabulary_bytes, buffer,
                              archive_bytes, error);
    free(buffer);
    free(vocabulary);
    return status;
}

cpr_status cpr_archive_create(const char *temporary_path, const cpr_archive_header *header,
                              cpr_error *error)
{
    uint64_t bytes;
    return archive_make(temporary_path, temporary_path, header, &bytes, error);
}

cpr_status cpr_archive_measure(const cpr_archive_header *header, uint64_t *bytes, cpr_error *error)
{
    return archive_make(NULL, "an archive", header, bytes, error);
}
