/* archive_parallel.c - writes the bitstreams of all shards, by all ranks at the same time.
 *
 * Each writes its slices past HDF5, which only tells where: a rank that fails says why, and the
 * others are not held up. (Parallel HDF5 1.10 on Open MPI 4.1 loses the reason, prints lines of its
 * own, and waits for ever for a rank that could not open the file or write to it.)
 */
#include "archive_image.h"
#include "archive_record.h"
#include "file_io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_BYTES_MAX ((uint64_t)64 << 20)
/* Slices begin at multiples of this in the file: no page is written by two ranks. Network file
 * systems write back whole pages. */
#define SLICE_BYTES_UNIT ((uint64_t)1 << 20)

typedef struct job {
    const char *path;
    int fd;
    hid_t file;            /* to read from, through the same descriptor */
    hid_t dataset;         /* the bitstream */
    uint64_t offset;       /* of the bitstream in the file */
    uint64_t *coded_start; /* of each part of the bitstream, and the end of the last */
    uint64_t parts;        /* the primer, if there is one, and the shards */
    uint64_t primers;      /* 0 or 1 */
    uint64_t part;         /* one at or before the one that is needed next */
    cpr_bitstream_fn *source;
    void *source_context;
    uint8_t *buffer;
} job;

/* Reads the one row of /primer. */
static herr_t read_primer(hid_t file, hid_t type, cpr_shard_row *row)
{
    herr_t done = -1;
    const hid_t dataset = H5Dopen2(file, CPR_H5_PRIMER, H5P_DEFAULT);
    if (dataset >= 0 && cpr_h5_rows(dataset) == 1)
        done = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, row);
    cpr_h5_close(dataset);
    return done;
}

/* The record of a small archive has one shard at most, and no primer. */
static cpr_status start_of_small(job *j, cpr_error *error)
{
    j->parts = 1;
    j->coded_start = calloc(2, sizeof *j->coded_start);
    if (j->coded_start == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the shard table");
    j->coded_start[1] = cpr_h5_rows(j->dataset);
    return CPR_OK;
}

/* Reads from the file where each part of the bitstream goes. */
static cpr_status read_starts(hid_t file, job *j, cpr_error *error)
{
    cpr_status status = CPR_OK;
    herr_t done = -1;
    cpr_shard_row *rows = NULL;
    const hid_t type = cpr_h5_row_type_in_memory();
    const hid_t dataset = type < 0 ? -1 : H5Dopen2(file, "shards", H5P_DEFAULT);
    const uint64_t shards = dataset < 0 ? UINT64_MAX : cpr_h5_rows(dataset);
    j->primers = cpr_h5_has(file, CPR_H5_PRIMER);
    j->parts = j->primers + shards;
    if (shards < SIZE_MAX / sizeof *rows - 2) {
        rows = malloc((j->parts + 1) * sizeof *rows);
        j->coded_start = malloc((j->parts + 1) * sizeof *j->coded_start);
    }
    if (rows != NULL && j->coded_start != NULL)
        done = j->primers == 0 ? 0 : read_primer(file, type, rows);
    else if (shards != UINT64_MAX)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the shard table");
    if (done >= 0 && shards > 0)
        done = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows + j->primers);
    if (done >= 0) {
        j->coded_start[0] = 0;
        for (uint64_t i = 0; i < j->parts; i++)
            j->coded_start[i + 1] = j->coded_start[i] + rows[i].coded_bytes;
    }
    if (status == CPR_OK && (done < 0 || j->coded_start[j->parts] != cpr_h5_rows(j->dataset)))
        status = cpr_h5_fail(error, CPR_ERR_IO, "read the shard table of", j->path);
    free(rows);
    cpr_h5_close(dataset);
    cpr_h5_close(type);
    return status;
}

/* Fills the buffer with bytes [from, to) of the bitstream. */
static cpr_status gather(job *j, uint64_t from, uint64_t to, cpr_error *error)
{
    uint8_t *out = j->buffer;
    while (from < to) {
        while (j->coded_start[j->part + 1] <= from)
            j->part++;
        const uint64_t end = j->coded_start[j->part + 1];
        const size_t bytes = (size_t)((end < to ? end : to) - from);
        const uint64_t shard = j->part < j->primers ? CPR_SHARD_PRIMER : j->part - j->primers;
        const cpr_status status =
            j->source(j->source_context, shard, from - j->coded_start[j->part], out, bytes, error);
        if (status != CPR_OK)
            return status;
        out += bytes;
        from += bytes;
    }
    return CPR_OK;
}

/* Slice after slice of the file is dealt out to the ranks in turn. */
static cpr_status write_slices(job *j, unsigned rank, unsigned ranks, cpr_error *error)
{
    const uint64_t total = j->coded_start[j->parts];
    const uint64_t before = j->offset % SLICE_BYTES_UNIT; /* of the bitstream, in its first slice */
    cpr_status status = CPR_OK;
    uint64_t slice = total / ranks + 1;
    slice = (slice + SLICE_BYTES_UNIT - 1) / SLICE_BYTES_UNIT * SLICE_BYTES_UNIT;
    if (slice > SLICE_BYTES_MAX)
        slice = SLICE_BYTES_MAX;
    j->buffer = malloc(slice);
    if (j->buffer == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory to write the archive");
    for (uint64_t at = slice * rank; status == CPR_OK && at < before + total; at += slice * ranks) {
        const uint64_t from = at > before ? at - before : 0;
        const uint64_t to = at + slice - before < total ? at + slice - before : total;
        status = gather(j, from, to, error);
        const int code = status == CPR_OK ? cpr_io_pwrite(j->fd, j->buffer, (size_t)(to - from),
                                                          j->offset + from)
                                          : 0;
        if (code != 0)
            status = cpr_io_fail(error, code, "write", j->path);
    }
    free(j->buffer);
    /* The next reader may be on another machine. */
    const int code = status == CPR_OK ? cpr_io_sync(j->fd) : 0;
    return code == 0 ? status : cpr_io_fail(error, code, "sync", j->path);
}

/* Finds out where everything goes, and writes this rank's part. */
static cpr_status write_part(job *j, unsigned rank, unsigned ranks, cpr_error *error)
{
    j->dataset = j->file < 0 ? -1 : H5Dopen2(j->file, "bitstream", H5P_DEFAULT);
    if (j->dataset < 0)
        return cpr_h5_fail(error, CPR_ERR_IO, "open", j->path);
    cpr_status status = H5Aexists(j->file, CPR_H5_RECORD) > 0 ? start_of_small(j, error)
                                                              : read_starts(j->file, j, error);
    if (status == CPR_OK) {
        j->offset = H5Dget_offset(j->dataset);
        status = write_slices(j, rank, ranks, error);
    }
    cpr_h5_close(j->dataset);
    free(j->coded_start);
    return status;
}

cpr_status cpr_archive_write_bitstreams(const char *temporary_path, unsigned rank, unsigned ranks,
                                        cpr_bitstream_fn *source, void *source_context,
                                        cpr_error *error)
{
    assert(rank < ranks);
    job j = {.path = temporary_path, .source = source, .source_context = source_context};
    cpr_h5_use use;
    j.fd = cpr_io_open(j.path, O_RDWR);
    if (j.fd < 0)
        return cpr_io_fail(error, errno, "open", j.path);
    cpr_h5_begin(&use);
    cpr_image image = cpr_image_of_fd(j.fd);
    const hid_t access = cpr_image_access(&image);
    j.file = access < 0 ? -1 : H5Fopen("archive", H5F_ACC_RDONLY, access);
    cpr_status status = write_part(&j, rank, ranks, error);
    if (image.code != 0)
        status = cpr_io_fail(error, image.code, "read", j.path);
    cpr_h5_close(j.file);
    cpr_h5_close(access);
    cpr_h5_end(&use);
    const int closed = cpr_io_close(j.fd);
    if (closed != 0 && status == CPR_OK)
        status = cpr_io_fail(error, closed, "close", j.path);
    return status;
}
