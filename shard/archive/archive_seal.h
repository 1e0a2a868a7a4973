/* archive_seal.h - inside shard/: the first 512 bytes of an archive.
 *
 * They are HDF5's "user block", which HDF5 leaves alone. The seal is written last, so that a file
 * without it is not an archive; it is checked before HDF5 sees the file, because HDF5 trusts what
 * it reads. FORMAT.md has its fields.
 */
#ifndef CPR_ARCHIVE_SEAL_H
#define CPR_ARCHIVE_SEAL_H

#include "archive.h"
#include "archive_image.h"

#define CPR_SEAL_BYTES 512u

typedef struct cpr_seal {
    uint64_t file_bytes;
    uint64_t bitstream_offset; /* in the file */
    uint64_t bitstream_bytes;
    cpr_hash128 tables; /* of everything behind the seal but the bitstream */
} cpr_seal;

/* Reads and checks the seal of the open file of `size` bytes. */
cpr_status cpr_seal_read(int fd, const char *path, uint64_t size, cpr_seal *seal, cpr_error *error);

/* Reads the tables of a sealed file into memory and checks their hash. */
cpr_status cpr_seal_load(int fd, const char *path, const cpr_seal *seal, cpr_image *image,
                         cpr_error *error);

/* Fills seal->tables from the file, syncs the file, writes the seal, syncs it again. */
cpr_status cpr_seal_write(int fd, const char *path, cpr_seal *seal, cpr_error *error);

#endif
