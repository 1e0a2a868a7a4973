/* archive_parallel.c - writes the bitstreams of all shards, by all ranks together.
 *
 * The only file that sees MPI types, through <hdf5.h>; it calls no MPI function itself.
 */
#include "archive_image.h"
#include "archive_tables.h"
#include "shard_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Most bytes that a rank writes in one collective call. Open MPI 4.1's OMPIO crashes at 2 GiB and
 * more; calls of 64 MiB were the fastest. */
#define SLICE_BYTES_MAX ((uint64_t)64 << 20)
/* Slices of small archives are whole multiples of this, for the file system's sake. */
#define SLICE_BYTES_UNIT ((uint64_t)1 << 20)

typedef struct job {
    const char *path;
    int fd;           /* where this process alone writes; -1: all write through parallel HDF5 */
    hid_t file;       /* of parallel HDF5, or only to read from */
    hid_t dataset;    /* the bitstream */
    hid_t properties; /* of parallel HDF5's transfers */
    uint64_t offset;  /* of the bitstream in the file */
    uint64_t *coded_start; /* of each part of the bitstream, and the end of the last */
    uint64_t parts;        /* the primer, if there is one, and the shards */
    uint64_t primers;      /* 0 or 1 */
    uint64_t part;         /* one at or before the one that is needed next */
    cpr_bitstream_fn *source;
    void *source_context;
    uint8_t *buffer;
} job;

static hid_t open_parallel(const char *path, const void *mpi_comm)
{
    hid_t file = -1;
    const hid_t access = cpr_h5_file_access();
#ifdef H5_HAVE_PARALLEL
    if (access >= 0 && H5Pset_fapl_mpio(access, *(const MPI_Comm *)mpi_comm, MPI_INFO_NULL) >= 0)
        file = H5Fopen(path, H5F_ACC_RDWR, access);
#else
    (void)path;
    (void)mpi_comm;
#endif
    cpr_h5_close(access);
    return file;
}

static hid_t transfer_properties(void)
{
    const hid_t properties = H5Pcreate(H5P_DATASET_XFER);
#ifdef H5_HAVE_PARALLEL
    if (properties >= 0 && H5Pset_dxpl_mpio(properties, H5FD_MPIO_COLLECTIVE) < 0) {
        cpr_h5_close(properties);
        return -1;
    }
#endif
    return properties;
}

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
    if (shards < SIZE_MAX / sizeof(*rows) - 2) {
        rows = malloc((j->parts + 1) * sizeof(*rows));
        j->coded_start = malloc((j->parts + 1) * sizeof(*j->coded_start));
    }
    if (rows != NULL && j->coded_start != NULL)
        done = j->primers == 0 ? 0 : read_primer(file, type, rows);
    else if (shards != UINT64_MAX)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the shard table");
    if (done >= 0 && shards > 0)
        done = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows + j->primers);
    if (done >= 0) {
        j->coded_start[0] = 0;
        for (uint64_t i = 0; i < j->parts; ++i)
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
            ++j->part;
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

/* One collective call; with from == to this rank writes nothing. */
static herr_t write_slice(const job *j, uint64_t from, uint64_t to)
{
    herr_t done = -1;
    const hsize_t start = from;
    const hsize_t count = to - from;
    const hsize_t room = count > 0 ? count : 1;
    const hid_t in_file = H5Dget_space(j->dataset);
    const hid_t in_memory = H5Screate_simple(1, &room, NULL);
    if (in_file >= 0 && in_memory >= 0) {
        if (count > 0)
            done = H5Sselect_hyperslab(in_file, H5S_SELECT_SET, &start, NULL, &count, NULL);
        else
            done = H5Sselect_none(in_file) < 0 ? -1 : H5Sselect_none(in_memory);
    }
    if (done >= 0)
        done = H5Dwrite(j->dataset, H5T_NATIVE_UINT8, in_memory, in_file, j->properties, j->buffer);
    cpr_h5_close(in_memory);
    cpr_h5_close(in_file);
    return done;
}

/* Writes bytes [from, to) of the bitstream, which are in the buffer; from == to: takes part. */
static cpr_status put_slice(const job *j, uint64_t from, uint64_t to, cpr_error *error)
{
    if (j->fd < 0)
        return write_slice(j, from, to) < 0 ? cpr_h5_fail(error, CPR_ERR_IO, "write", j->path)
                                            : CPR_OK;
    const int code = cpr_io_pwrite(j->fd, j->buffer, (size_t)(to - from), j->offset + from);
    return code == 0 ? CPR_OK : cpr_io_fail(error, code, "write", j->path);
}

/* Every rank runs the same number of rounds, whatever goes wrong on one of them. */
static cpr_status write_rounds(job *j, unsigned rank, unsigned ranks, cpr_error *error)
{
    const uint64_t total = j->coded_start[j->parts];
    cpr_status status = CPR_OK;
    uint64_t slice = total / ranks + 1;
    slice = (slice + SLICE_BYTES_UNIT - 1) / SLICE_BYTES_UNIT * SLICE_BYTES_UNIT;
    if (slice > SLICE_BYTES_MAX)
        slice = SLICE_BYTES_MAX;
    j->buffer = malloc(slice);
    if (j->buffer == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory to write the archive");
    for (uint64_t round = 0; round < total; round += slice * ranks) {
        uint64_t from = round + slice * rank;
        uint64_t to = from + slice;
        if (to > total)
            to = total;
        if (status == CPR_OK && from < to)
            status = gather(j, from, to, error);
        if (status != CPR_OK || from >= to)
            to = from = 0;
        const cpr_status put = put_slice(j, from, to, status == CPR_OK ? error : NULL);
        if (status == CPR_OK)
            status = put;
    }
    free(j->buffer);
    return status;
}

/* Reads where everything goes and, with j->fd < 0, opens what parallel HDF5 needs. */
static cpr_status write_open(job *j, unsigned rank, unsigned ranks, cpr_error *error)
{
    j->dataset = j->file < 0 ? -1 : H5Dopen2(j->file, "bitstream", H5P_DEFAULT);
    j->properties = j->fd < 0 ? transfer_properties() : H5P_DEFAULT;
    if (j->dataset < 0 || j->properties < 0)
        return cpr_h5_fail(error, CPR_ERR_IO, "open", j->path);
    const cpr_status status = read_starts(j->file, j, error);
    if (status != CPR_OK)
        return status;
    j->offset = H5Dget_offset(j->dataset);
    return write_rounds(j, rank, ranks, error);
}

static void close_all(job *j)
{
    if (j->fd < 0)
        cpr_h5_close(j->properties);
    cpr_h5_close(j->dataset);
    free(j->coded_start);
}

/* This process writes alone, past HDF5, which only tells where. */
static cpr_status write_alone(job *j, cpr_error *error)
{
    j->fd = cpr_io_open(j->path, O_RDWR);
    if (j->fd < 0)
        return cpr_io_fail(error, errno, "open", j->path);
    cpr_image image = cpr_image_of_fd(j->fd);
    const hid_t access = cpr_image_access(&image);
    j->file = access < 0 ? -1 : H5Fopen("archive", H5F_ACC_RDONLY, access);
    cpr_status status = write_open(j, 0, 1, error);
    if (image.code != 0)
        status = cpr_io_fail(error, image.code, "read", j->path);
    close_all(j);
    cpr_h5_close(j->file);
    cpr_h5_close(access);
    const int closed = cpr_io_close(j->fd);
    if (closed != 0 && status == CPR_OK)
        status = cpr_io_fail(error, closed, "close", j->path);
    return status;
}

static cpr_status write_together(job *j, const void *mpi_comm, unsigned rank, unsigned ranks,
                                 cpr_error *error)
{
    j->fd = -1;
    j->file = open_parallel(j->path, mpi_comm);
    cpr_status status = write_open(j, rank, ranks, error);
    close_all(j);
    if (j->file >= 0 && H5Fclose(j->file) < 0 && status == CPR_OK)
        status = cpr_h5_fail(error, CPR_ERR_IO, "write", j->path);
    return status;
}

cpr_status cpr_archive_write_bitstreams(const char *temporary_path, const void *mpi_comm,
                                        unsigned rank, unsigned ranks, cpr_bitstream_fn *source,
                                        void *source_context, cpr_error *error)
{
    job j = {.path = temporary_path, .source = source, .source_context = source_context};
    cpr_h5_quiet quiet;
    cpr_h5_quiet_begin(&quiet);
    const cpr_status status = mpi_comm == NULL ? write_alone(&j, error)
                                               : write_together(&j, mpi_comm, rank, ranks, error);
    cpr_h5_quiet_end(&quiet);
    return status;
}
