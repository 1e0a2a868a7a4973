/* archive_publish.c - seals a written archive and gives it its name. */
#define _GNU_SOURCE
#include "archive_image.h"
#include "archive_seal.h"
#include "archive_tables.h"
#include "file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the bitstream lies, from HDF5. */
static cpr_status find_bitstream(int fd, const char *path, cpr_seal *seal, cpr_error *error)
{
    cpr_h5_use use;
    cpr_image image = cpr_image_of_fd(fd);
    cpr_status status = CPR_OK;
    cpr_h5_begin(&use);
    const hid_t access = cpr_image_access(&image);
    const hid_t file = access < 0 ? -1 : H5Fopen("archive", H5F_ACC_RDONLY, access);
    const hid_t dataset = file < 0 ? -1 : H5Dopen2(file, "bitstream", H5P_DEFAULT);
    const uint64_t rows = dataset < 0 ? UINT64_MAX : cpr_h5_rows(dataset);
    const haddr_t offset = dataset < 0 ? HADDR_UNDEF : H5Dget_offset(dataset);
    if (image.code != 0)
        status = cpr_io_fail(error, image.code, "read", path);
    else if (rows == UINT64_MAX || (rows > 0 && offset == HADDR_UNDEF))
        status = cpr_h5_fail(error, CPR_ERR_IO, "seal", path);
    seal->bitstream_bytes = rows;
    seal->bitstream_offset = rows > 0 ? offset : CPR_SEAL_BYTES;
    cpr_h5_close(dataset);
    cpr_h5_close(file);
    cpr_h5_close(access);
    cpr_h5_end(&use);
    return status;
}

cpr_status cpr_archive_seal(const char *temporary_path, cpr_error *error)
{
    cpr_seal seal = {0};
    struct stat facts;
    const int fd = cpr_io_open(temporary_path, O_RDWR);
    if (fd < 0)
        return cpr_io_fail(error, errno, "open", temporary_path);
    cpr_status status = find_bitstream(fd, temporary_path, &seal, error);
    if (status == CPR_OK && fstat(fd, &facts) != 0)
        status = cpr_io_fail(error, errno, "read", temporary_path);
    if (status == CPR_OK) {
        seal.file_bytes = (uint64_t)facts.st_size;
        status = cpr_seal_write(fd, temporary_path, &seal, error);
    }
    const int closed = cpr_io_close(fd);
    if (closed != 0 && status == CPR_OK)
        status = cpr_io_fail(error, closed, "close", temporary_path);
    return status;
}

/* Takes the right to write from a finished archive, so that other programs that open it do not
 * change it by accident. Where that cannot be done it is only less safe. */
static void protect(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) == 0)
        chmod(path, facts.st_mode & 0444);
}

cpr_status cpr_archive_publish(const char *temporary_path, const char *path, bool overwrite,
                               cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    struct stat facts;
    int code = 0;
    /* What was no file before the job was refused then; it may have come since. */
    if (overwrite && lstat(path, &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISLNK(facts.st_mode))
        return cpr_fail(error, CPR_ERR_EXISTS, "\"%s\" is not a file; it was left as it is",
                        cpr_printable_path(path, shown, sizeof shown));
    protect(temporary_path);
    if (overwrite) {
        code = rename(temporary_path, path) == 0 ? 0 : errno;
    } else if (link(temporary_path, path) == 0) {
        /* A new link, unlike a rename, never replaces anything. */
        unlink(temporary_path);
    } else if ((code = errno) != EEXIST) {
        /* No hard links here: the next best is to look first. */
        if (lstat(path, &facts) == 0)
            code = EEXIST;
        else
            code = errno == ENOENT && rename(temporary_path, path) == 0 ? 0 : errno;
    }
    if (code == EEXIST && !overwrite)
        return cpr_fail(error, CPR_ERR_EXISTS, "\"%s\" exists; it was left as it is",
                        cpr_printable_path(path, shown, sizeof shown));
    if (code != 0)
        return cpr_io_fail(error, code, "publish the archive as", path);
    return cpr_io_sync_parent(path, error);
}
