/* archive_read_files.c - reads the file table of an archive and checks it. */
#include "archive_objects.h"
#include "archive_reading.h"
#include "archive_tables.h"
#include "file_list.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The columns of /files. */
typedef struct columns {
    uint64_t count;
    uint64_t *mode;
    uint64_t *bytes;
    uint64_t *seconds; /* of int64_t */
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

static cpr_status column_of_record(const cpr_reading *r, const char *name, hid_t type,
                                   uint64_t rows, uint64_t **out)
{
    *out = calloc((size_t)rows + 1, sizeof **out);
    if (*out == NULL)
        return cpr_reading_no_memory(r);
    const unsigned bits = 8 * (unsigned)H5Tget_size(type);
    return cpr_record_column(r->record, name, bits, *out, (size_t)rows)
               ? CPR_OK
               : cpr_reading_wrong(r, name);
}

/* Numbers of at most 64 bits; signed ones as int64_t has them. */
cpr_status cpr_reading_column(const cpr_reading *r, const char *name, hid_t type, uint64_t rows,
                              uint64_t **out)
{
    cpr_dataset dataset;
    if (r->record != NULL)
        return column_of_record(r, name, type, rows, out);
    cpr_status status = cpr_dataset_open(r, name, type, true, &dataset);
    if (status == CPR_OK && dataset.rows != rows)
        status = cpr_reading_wrong(r, name);
    if (status == CPR_OK && (*out = calloc((size_t)rows + 1, sizeof **out)) == NULL)
        status = cpr_reading_no_memory(r);
    if (status == CPR_OK && dataset.chunk_rows > 0)
        status = cpr_dataset_unpack(r, &dataset, *out);
    else if (status == CPR_OK && rows > 0 &&
             H5Dread(dataset.id, dataset.is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64, H5S_ALL,
                     H5S_ALL, H5P_DEFAULT, *out) < 0)
        status = cpr_reading_wrong(r, name);
    cpr_h5_close(dataset.id);
    return status;
}

cpr_status cpr_reading_strings(const cpr_reading *r, const char *name, char **out, uint64_t *bytes,
                               uint64_t *count)
{
    const cpr_status status = cpr_reading_bytes(r, name, UINT64_MAX, (uint8_t **)out, bytes);
    *count = 0;
    if (status != CPR_OK)
        return status;
    for (uint64_t i = 0; i < *bytes; i++)
        *count += (*out)[i] == '\0';
    return *bytes > 0 && (*out)[*bytes - 1] != '\0' ? cpr_reading_wrong(r, name) : CPR_OK;
}

static cpr_status read_columns(const cpr_reading *r, columns *c)
{
    const struct {
        const char *name;
        hid_t type;
        uint64_t **out;
    } numbers[] = {
        {"files/mode", H5T_STD_U16LE, &c->mode},
        {"files/size_bytes", H5T_STD_U64LE, &c->bytes},
        {"files/mtime_seconds", H5T_STD_I64LE, &c->seconds},
        {"files/mtime_nanoseconds", H5T_STD_U32LE, &c->nanoseconds},
        {"files/loss_bits", H5T_STD_U64LE, &c->loss},
        {"files/path_shared_bytes", H5T_STD_U16LE, &c->shared},
    };
    bool targets;
    uint64_t links;
    cpr_status status = cpr_reading_find(r, "files", NULL);
    if (status == CPR_OK)
        status = cpr_reading_find(r, "files/link_targets", &targets);
    if (status == CPR_OK)
        status = cpr_reading_strings(r, "files/path_suffixes", &c->suffixes, &c->suffix_bytes,
                                     &c->count);
    if (status == CPR_OK && targets)
        status =
            cpr_reading_strings(r, "files/link_targets", &c->targets, &c->target_bytes, &links);
    for (size_t i = 0; status == CPR_OK && i < sizeof numbers / sizeof numbers[0]; i++)
        status = cpr_reading_column(r, numbers[i].name, numbers[i].type, c->count, numbers[i].out);
    return status;
}

/* Whole paths take memory that the file has no bytes for: what they may take is a function of its
 * size. Makes room for them. */
static cpr_status make_room(const cpr_reading *r, const columns *c)
{
    uint64_t bytes = c->suffix_bytes;
    for (uint64_t i = 0; i < c->count; i++)
        bytes += c->shared[i];
    if (bytes > cpr_archive_path_bytes_max(r->archive->seal.file_bytes))
        return cpr_reading_refused(r, "files/path_shared_bytes",
                                   "paths that are too long for so small a file");
    if (!cpr_file_list_reserve(r->archive->files, (size_t)c->count,
                               (size_t)(bytes + c->target_bytes)))
        return cpr_reading_no_memory(r);
    return CPR_OK;
}

/* Appends file i. `path` holds the path before it and gets its own. */
static cpr_status take_file(const cpr_reading *r, const columns *c, uint64_t i, char *path,
                            const char **suffix, const char **target)
{
    cpr_archive *a = r->archive;
    const size_t suffix_bytes = strlen(*suffix);
    const uint64_t kind = c->mode[i] & S_IFMT;
    uint64_t known;
    cpr_file file = {
        .bytes = c->bytes[i],
        .mtime_seconds = (int64_t)c->seconds[i],
        .mtime_nanoseconds = (uint32_t)c->nanoseconds[i],
        .mode = (uint32_t)(c->mode[i] & 07777),
        .type = kind == S_IFREG   ? CPR_FILE_REGULAR
                : kind == S_IFDIR ? CPR_FILE_DIRECTORY
                                  : CPR_FILE_SYMLINK,
    };
    if (c->shared[i] > strlen(path) || c->shared[i] + suffix_bytes == 0 ||
        c->shared[i] + suffix_bytes >= CPR_PATH_MAX_BYTES)
        return cpr_reading_wrong(r, "files/path_shared_bytes");
    if (c->mode[i] > UINT16_MAX || (kind != S_IFREG && kind != S_IFDIR && kind != S_IFLNK) ||
        (kind != S_IFREG && file.bytes != 0))
        return cpr_reading_wrong(r, "files/mode");
    if (c->nanoseconds[i] >= 1000000000)
        return cpr_reading_wrong(r, "files/mtime_nanoseconds");
    if (c->loss[i] > CPR_SHARD_LOSS_MAX / CPR_LOSS_UNITS * 1024)
        return cpr_reading_wrong(r, "files/loss_bits");
    memcpy(path + c->shared[i], *suffix, suffix_bytes + 1);
    *suffix += suffix_bytes + 1;
    if (kind == S_IFLNK && (c->targets == NULL || *target >= c->targets + c->target_bytes))
        return cpr_reading_wrong(r, "files/link_targets");
    if (file.bytes > INT64_MAX - cpr_file_list_bytes(a->files))
        return cpr_reading_wrong(r, "files/size_bytes");
    const cpr_status status =
        cpr_file_list_append(a->files, path, 0, &file, *target, &known, r->error);
    if (kind == S_IFLNK)
        *target += strlen(*target) + 1;
    if (status == CPR_ERR_USAGE)
        return cpr_reading_wrong(r, "files");
    if (status == CPR_OK && known != UINT64_MAX)
        return cpr_reading_wrong(r, "files: a path comes twice");
    a->file_loss[i] = c->loss[i] * CPR_LOSS_UNITS;
    return status;
}

cpr_status cpr_reading_files(const cpr_reading *r)
{
    cpr_archive *a = r->archive;
    columns c = {0};
    char *path = calloc(1, CPR_PATH_MAX_BYTES);
    a->files = cpr_file_list_create();
    cpr_status status = read_columns(r, &c);
    if (status == CPR_OK)
        a->file_loss = calloc((size_t)c.count + 1, sizeof *a->file_loss);
    if (status == CPR_OK && (a->files == NULL || a->file_loss == NULL || path == NULL))
        status = cpr_reading_no_memory(r);
    if (status == CPR_OK)
        status = make_room(r, &c);
    const char *suffix = c.suffixes;
    const char *target = c.targets;
    for (uint64_t i = 0; status == CPR_OK && i < c.count; i++)
        status = take_file(r, &c, i, path, &suffix, &target);
    if (status == CPR_OK && c.targets != NULL && target != c.targets + c.target_bytes)
        status = cpr_reading_wrong(r, "files/link_targets");
    free_columns(&c);
    free(path);
    a->header.files = a->files;
    a->header.file_loss = a->file_loss;
    return status;
}
