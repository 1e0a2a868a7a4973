/* archive_create.c - creates an archive: its tables, and room for the bitstreams. */
#define _GNU_SOURCE
#include "archive_image.h"
#include "archive_put.h"
#include "archive_seal.h"
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

/* Below these the tables are a record: beyond, objects that every HDF5 program shows take little
 * beside the bitstream. */
#define SMALL_FILES 256
#define SMALL_BITSTREAM_BYTES (1 << 20)

/* Creation properties of a file whose root has one link and one attribute. What they say of
 * compactness is HDF5's default, which takes no room. */
static herr_t keep_minimal(hid_t properties)
{
    return H5Pset_obj_track_times(properties, 0) < 0 ? -1 : H5Pset_est_link_info(properties, 1, 9);
}

/* An archive without tables or seal. The tables are added when it is opened again: so their places
 * do not depend on what HDF5 has only begun to write. */
static herr_t make_empty(cpr_image *image, bool small)
{
    hid_t file = -1;
    const hid_t access = cpr_image_access(image);
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    if (access >= 0 && creation >= 0 && H5Pset_userblock(creation, CPR_SEAL_BYTES) >= 0 &&
        (small ? keep_minimal(creation) : cpr_tables_keep_compact(creation, 4, 8)) >= 0)
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
    return cpr_tables_put_dataset(file, "padding", H5T_STD_U8LE, H5T_NATIVE_UINT8, paths / 32, NULL,
                                  CPR_LAYOUT_RESERVED);
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

/* What is to be made of what. */
typedef struct contents {
    const char *path; /* NULL: no file */
    const char *name; /* for messages */
    const cpr_archive_header *header;
    const uint8_t *vocabulary; /* coded */
    size_t vocabulary_bytes;
    void *buffer; /* of cpr_tables_buffer_bytes() */
} contents;

static uint64_t bitstream_bytes(const cpr_archive_header *h)
{
    uint64_t bytes = h->primer != NULL ? h->primer->coded_bytes : 0;
    for (uint64_t i = 0; i < h->shard_count; i++)
        bytes += h->shards[i].coded_bytes;
    return bytes;
}

/* Whether the tables may be a record. */
static bool is_small(const cpr_archive_header *h)
{
    if (h->primer != NULL || h->shard_count > 1 || bitstream_bytes(h) >= SMALL_BITSTREAM_BYTES ||
        cpr_file_list_count(h->files) >= SMALL_FILES)
        return false;
    for (const char *model = h->model; *model != '\0'; model++)
        if ((unsigned char)*model > 127)
            return false;
    return true;
}

/* As an attribute it takes 60 bytes less than as a dataset. */
static herr_t put_record(hid_t root, const cpr_record_out *record)
{
    herr_t done = -1;
    const hid_t type = H5Tcreate(H5T_OPAQUE, record->used);
    const hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = -1;
    if (type >= 0 && space >= 0)
        attribute = H5Acreate2(root, CPR_H5_RECORD, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0)
        done = H5Awrite(attribute, type, record->bytes);
    cpr_h5_close(attribute);
    cpr_h5_close(space);
    cpr_h5_close(type);
    return done;
}

static herr_t put_all(cpr_image *image, const contents *c, const cpr_record_out *record)
{
    const cpr_archive_header *h = c->header;
    const hid_t access = cpr_image_access(image);
    const hid_t file = access < 0 ? -1 : H5Fopen("memory", H5F_ACC_RDWR, access);
    herr_t done = file < 0 ? -1 : 0;
    if (done >= 0 && record != NULL)
        done = put_record(file, record);
    else if (done >= 0)
        done = cpr_tables_put(&(cpr_tables){.file = file}, h, c->vocabulary, c->vocabulary_bytes,
                              c->buffer);
    if (done >= 0 && h->coded_weights != NULL)
        done = cpr_tables_put_dataset(file, CPR_H5_WEIGHTS, H5T_STD_U8LE, H5T_NATIVE_UINT8,
                                      h->coded_weights_bytes, h->coded_weights, CPR_LAYOUT_PLAIN);
    if (done >= 0)
        done = cpr_tables_put_dataset(file, "bitstream", H5T_STD_U8LE, H5T_NATIVE_UINT8,
                                      bitstream_bytes(h), NULL, CPR_LAYOUT_RESERVED);
    if (done >= 0)
        done = find_hole(file, image);
    if (done >= 0)
        done = put_padding(file, h, image);
    if (file >= 0 && H5Fclose(file) < 0)
        done = -1;
    cpr_h5_close(access);
    return done;
}

/* Makes the tables, and with a path the file; *bytes: of the archive. */
static cpr_status write_tables(const contents *c, const cpr_record_out *record, uint64_t *bytes,
                               cpr_error *error)
{
    cpr_h5_use use;
    cpr_image image = cpr_image_new();
    cpr_status status = CPR_OK;
    cpr_h5_begin(&use);
    if (make_empty(&image, record != NULL) < 0 || put_all(&image, c, record) < 0)
        status = image.code != 0 ? cpr_io_fail(error, image.code, "make the tables of", c->name)
                                 : cpr_h5_fail(error, CPR_ERR_IO, "make the tables of", c->name);
    cpr_h5_end(&use);
    *bytes = image.bytes;
    if (status == CPR_OK && c->path != NULL)
        status = write_file(c->path, &image, error);
    cpr_image_free(&image);
    return status;
}

/* Writes the tables as a record if they fit, else as objects. */
static cpr_status choose_tables(const contents *c, uint64_t *bytes, cpr_error *error)
{
    cpr_record_out record;
    cpr_h5_use use;
    if (!is_small(c->header))
        return write_tables(c, NULL, bytes, error);
    cpr_record_begin(&record);
    cpr_h5_begin(&use);
    if (cpr_tables_put(&(cpr_tables){.file = -1, .record = &record}, c->header, c->vocabulary,
                       c->vocabulary_bytes, c->buffer) < 0)
        record.failed = true;
    cpr_h5_end(&use);
    const cpr_status status =
        record.failed
            ? cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the archive's tables")
            : write_tables(c, record.used <= CPR_COMPACT_BYTES ? &record : NULL, bytes, error);
    free(record.bytes);
    return status;
}

static cpr_status archive_make(const char *path, const char *name, const cpr_archive_header *header,
                               uint64_t *archive_bytes, cpr_error *error)
{
    assert(header->model != NULL && header->files != NULL);
    uint8_t *vocabulary = NULL;
    contents c = {.path = path, .name = name, .header = header};
    if (header->primer != NULL && header->primer->loss_bits > CPR_SHARD_LOSS_MAX)
        return cpr_fail(error, CPR_ERR_USAGE, "the loss of the primer is out of range");
    for (uint64_t i = 0; i < header->shard_count; i++)
        if (header->shards[i].loss_bits > CPR_SHARD_LOSS_MAX)
            return cpr_fail(error, CPR_ERR_USAGE, "the loss of shard %llu is out of range",
                            (unsigned long long)i);
    cpr_status status = cpr_blob_encode(header->vocabulary, header->vocabulary_bytes, &vocabulary,
                                        &c.vocabulary_bytes, error);
    if (status != CPR_OK)
        return status;
    c.vocabulary = vocabulary;
    c.buffer = malloc(cpr_tables_buffer_bytes(header) + 1);
    status = c.buffer == NULL
                 ? cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the archive's tables")
                 : choose_tables(&c, archive_bytes, error);
    free(c.buffer);
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
