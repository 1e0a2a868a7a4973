/* archive_put.c - puts the tables of an archive into an HDF5 file, or into a record. */
#include "archive_put.h"
#include "file_io.h"
#include "file_list.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* From this many rows on, packing a column saves more than its index costs. */
#define PACK_ROWS 64
/* Packing adapts to each chunk. Of 128 to 65536 rows, 256 took least for trees of 5,000 to 10,000
 * files. */
#define CHUNK_ROWS 256

/* Dataset creation properties for `rows` rows of `row_bytes`. */
static hid_t dataset_properties(hsize_t rows, size_t row_bytes, cpr_layout how)
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
    if (done >= 0 && how == CPR_LAYOUT_PACKED && rows >= PACK_ROWS) {
        done = H5Pset_chunk(p, 1, &chunk);
        if (done >= 0) /* of HDF5's filters the one whose output is the same in every build */
            done = H5Pset_scaleoffset(p, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT);
    } else if (done >= 0 && how != CPR_LAYOUT_RESERVED && rows > 0 &&
               rows <= CPR_COMPACT_BYTES / row_bytes) {
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

herr_t cpr_tables_put_dataset(hid_t file, const char *name, hid_t file_type, hid_t memory_type,
                              hsize_t rows, const void *data, cpr_layout how)
{
    herr_t done = -1;
    const hid_t properties = dataset_properties(rows, H5Tget_size(file_type), how);
    const hid_t space = H5Screate_simple(1, &rows, NULL);
    hid_t dataset = -1;
    if (properties >= 0 && space >= 0)
        dataset = H5Dcreate2(file, name, file_type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
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

/* A table of bytes, `name` its whole path. */
static herr_t put_bytes(const cpr_tables *t, const char *name, hsize_t count, const void *bytes)
{
    if (t->record == NULL)
        return cpr_tables_put_dataset(t->file, name, H5T_STD_U8LE, H5T_NATIVE_UINT8, count, bytes,
                                      CPR_LAYOUT_PLAIN);
    cpr_record_add_bytes(t->record, name, bytes, (size_t)count);
    return 0;
}

/* A column of numbers; those of a signed type are int64_t. */
static herr_t put_column(const cpr_tables *t, const char *name, hid_t type, hsize_t rows,
                         const uint64_t *values)
{
    const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
    if (t->record == NULL)
        return cpr_tables_put_dataset(t->file, name, type,
                                      is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64, rows,
                                      values, CPR_LAYOUT_PACKED);
    cpr_record_add_column(t->record, name, values, (size_t)rows);
    return 0;
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

static herr_t put_attributes(const cpr_tables *t, const cpr_archive_header *h)
{
    const hid_t root = t->file;
    if (t->record != NULL) {
        cpr_record_add_model(t->record, h->model);
        cpr_record_add_bytes(t->record, "profile", h->profile, strlen(h->profile));
        cpr_record_add_number(t->record, "shard_size_bytes", h->shard_bytes);
        return 0;
    }
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

static herr_t put_shards(const cpr_tables *t, const cpr_archive_header *h, cpr_shard_row *rows)
{
    uint64_t coded_offset = 0;
    cpr_shard_row primer;
    if (t->record != NULL) {
        if (h->shard_count > 0)
            cpr_record_add_shard(t->record, h->shards);
        return 0;
    }
    if (h->primer != NULL)
        primer = make_row(h->primer, &coded_offset);
    for (uint64_t i = 0; i < h->shard_count; i++)
        rows[i] = make_row(&h->shards[i], &coded_offset);
    const hid_t in_file = cpr_h5_row_type_in_file();
    const hid_t in_memory = cpr_h5_row_type_in_memory();
    herr_t done = in_file >= 0 && in_memory >= 0 ? 0 : -1;
    if (done >= 0 && h->primer != NULL)
        done = cpr_tables_put_dataset(t->file, CPR_H5_PRIMER, in_file, in_memory, 1, &primer,
                                      CPR_LAYOUT_PLAIN);
    if (done >= 0)
        done = cpr_tables_put_dataset(t->file, "shards", in_file, in_memory, h->shard_count, rows,
                                      CPR_LAYOUT_PLAIN);
    cpr_h5_close(in_file);
    cpr_h5_close(in_memory);
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

static herr_t put_columns(const cpr_tables *t, const cpr_archive_header *h, uint64_t *values)
{
    static const char *const names[COLUMNS] = {"files/mode",          "files/size_bytes",
                                               "files/mtime_seconds", "files/mtime_nanoseconds",
                                               "files/loss_bits",     "files/path_shared_bytes"};
    const hid_t types[COLUMNS] = {H5T_STD_U16LE, H5T_STD_U64LE, H5T_STD_I64LE,
                                  H5T_STD_U32LE, H5T_STD_U64LE, H5T_STD_U16LE};
    const uint64_t count = cpr_file_list_count(h->files);
    for (column c = COLUMN_MODE; c < COLUMNS; c++) {
        for (uint64_t i = 0; i < count; i++)
            values[i] = column_value(h, i, c);
        if (put_column(t, names[c], types[c], count, values) < 0)
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

static herr_t put_strings(const cpr_tables *t, const char *name, const cpr_file_list *files,
                          bool targets, char *buffer)
{
    const size_t bytes = join_strings(files, targets, buffer);
    if (bytes == 0 && targets)
        return 0;
    return put_bytes(t, name, bytes, buffer);
}

herr_t cpr_tables_keep_compact(hid_t properties, unsigned links, unsigned name_bytes)
{
    if (H5Pset_obj_track_times(properties, 0) < 0 ||
        H5Pset_attr_phase_change(properties, 64, 0) < 0 ||
        H5Pset_link_phase_change(properties, 64, 0) < 0)
        return -1;
    return H5Pset_est_link_info(properties, links, name_bytes);
}

static herr_t put_group(const cpr_tables *t, const char *name, unsigned links, unsigned name_bytes)
{
    hid_t group = -1;
    if (t->record != NULL)
        return 0;
    const hid_t properties = H5Pcreate(H5P_GROUP_CREATE);
    if (properties >= 0 && cpr_tables_keep_compact(properties, links, name_bytes) >= 0)
        group = H5Gcreate2(t->file, name, H5P_DEFAULT, properties, H5P_DEFAULT);
    cpr_h5_close(group);
    cpr_h5_close(properties);
    return group < 0 ? -1 : 0;
}

static herr_t put_files(const cpr_tables *t, const cpr_archive_header *h, void *buffer)
{
    herr_t done = put_group(t, "files", 7, 13);
    if (done >= 0)
        done = put_columns(t, h, buffer);
    if (done >= 0)
        done = put_strings(t, "files/path_suffixes", h->files, false, buffer);
    if (done >= 0)
        done = put_strings(t, "files/link_targets", h->files, true, buffer);
    return done;
}

/* Which files have which documents, the separator, and the counts; nothing if all are files. */
static herr_t put_documents(const cpr_tables *t, const cpr_archive_header *h, uint64_t *buffer)
{
    size_t separator_bytes;
    const uint8_t *separator = cpr_file_list_separator(h->files, &separator_bytes);
    const uint64_t count = cpr_file_list_count(h->files);
    bool lines = false;
    for (uint64_t i = 0; i < count; i++) {
        buffer[i] = cpr_file_list_get(h->files, i).documents;
        lines = lines || buffer[i] != CPR_DOCUMENTS_FILE;
    }
    if (!lines)
        return 0;
    herr_t done = put_group(t, "documents", 4, 9);
    if (done >= 0)
        done = put_column(t, "documents/rules", H5T_STD_U8LE, count, buffer);
    if (done >= 0 && separator_bytes > 0)
        done = put_bytes(t, "documents/separator", separator_bytes, separator);
    if (done >= 0)
        done = put_bytes(t, "documents/states", h->shard_count, h->document_states);
    if (done >= 0)
        done = put_bytes(t, "documents/counts", h->documents_bytes, h->documents);
    return done;
}

/* A column of /inputs. */
static herr_t put_input_column(const cpr_tables *t, const char *name, const cpr_archive_header *h,
                               uint64_t (*value)(const cpr_origin *origin), hid_t type,
                               uint64_t *values)
{
    const uint64_t count = cpr_file_list_origins(h->files);
    for (uint64_t i = 0; i < count; i++) {
        const cpr_origin origin = cpr_file_list_origin(h->files, i);
        values[i] = value(&origin);
    }
    return put_column(t, name, type, count, values);
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
static herr_t put_input_texts(const cpr_tables *t, const cpr_archive_header *h)
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
        done = put_bytes(t, "inputs/xxh3_128", 16 * count, hashes);
    if (done >= 0)
        done = put_bytes(t, "inputs/paths", names_bytes, names);
    free(hashes);
    free(names);
    return done;
}

/* The files that others were decoded from; nothing if there were none. */
static herr_t put_inputs(const cpr_tables *t, const cpr_archive_header *h, uint64_t *buffer)
{
    if (cpr_file_list_origins(h->files) == 0)
        return 0;
    herr_t done = put_group(t, "inputs", 6, 10);
    if (done >= 0)
        done = put_input_column(t, "inputs/first_file", h, input_first, H5T_STD_U64LE, buffer);
    if (done >= 0)
        done = put_input_column(t, "inputs/files", h, input_files, H5T_STD_U64LE, buffer);
    if (done >= 0)
        done = put_input_column(t, "inputs/kind", h, input_kind, H5T_STD_U8LE, buffer);
    if (done >= 0)
        done = put_input_column(t, "inputs/size_bytes", h, input_bytes, H5T_STD_U64LE, buffer);
    if (done >= 0)
        done = put_input_texts(t, h);
    return done;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t cpr_tables_buffer_bytes(const cpr_archive_header *h)
{
    size_t bytes = cpr_file_list_count(h->files) * sizeof(uint64_t);
    bytes = larger(bytes, h->shard_count * sizeof(cpr_shard_row));
    bytes = larger(bytes, join_strings(h->files, false, NULL));
    return larger(bytes, join_strings(h->files, true, NULL));
}

herr_t cpr_tables_put(const cpr_tables *t, const cpr_archive_header *h, const uint8_t *vocabulary,
                      size_t vocabulary_bytes, void *buffer)
{
    herr_t done = put_attributes(t, h);
    if (done >= 0)
        done = put_bytes(t, "vocabulary", vocabulary_bytes, vocabulary);
    if (done >= 0)
        done = put_files(t, h, buffer);
    if (done >= 0)
        done = put_inputs(t, h, buffer);
    if (done >= 0)
        done = put_documents(t, h, buffer);
    if (done >= 0)
        done = put_shards(t, h, buffer);
    return done;
}
