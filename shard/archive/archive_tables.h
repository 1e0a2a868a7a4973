/* archive_tables.h - inside shard/: what writer and reader of the HDF5 tables share. */
#ifndef CPR_ARCHIVE_TABLES_H
#define CPR_ARCHIVE_TABLES_H

#include "archive.h"

#include <hdf5.h>
#include <stdint.h>

#define CPR_FORMAT_NAME "corpress archive"
#define CPR_H5_PRIMER "primer"   /* a dataset of one row; only in archives that have a primer */
#define CPR_H5_INPUT_TAR 16u     /* of /inputs/kind, beside the number of the kind */
#define CPR_H5_WEIGHTS "weights" /* bytes; only in archives of a taught network */

/* One row of /shards or /primer in memory; in the file it is packed and little-endian. */
typedef struct cpr_shard_row {
    uint64_t raw_offset;
    uint64_t raw_bytes;
    uint64_t coded_offset; /* in /bitstream */
    uint64_t coded_bytes;
    uint64_t stored_bytes;
    uint64_t tokens;
    double loss_bits;
    double network_loss_bits;
    uint32_t generation;
    uint8_t raw_hash[16];
    uint8_t coded_hash[16];
} cpr_shard_row;

/* A unit of loss is 2^-16 bit; a double holds the bits of a shard exactly up to this many units. */
#define CPR_LOSS_UNITS 65536
#define CPR_SHARD_LOSS_MAX (UINT64_C(1) << 53)

/* Most bytes that all paths of an archive of that size take, each with a NUL. */
static inline uint64_t cpr_archive_path_bytes_max(uint64_t file_bytes)
{
    return ((uint64_t)32 << 20) + 32 * file_bytes;
}

/* HDF5 types of a row, for H5Tclose(); negative on failure. */
hid_t cpr_h5_row_type_in_file(void);
hid_t cpr_h5_row_type_in_memory(void);

/* HDF5 is called only between begin and end: by one thread at a time, as not every build of it can
 * take more, and without printing its errors. A fork() of the process waits for the end. Not to be
 * nested. */
typedef struct cpr_h5_use {
    H5E_auto2_t print;
    void *context;
} cpr_h5_use;

void cpr_h5_begin(cpr_h5_use *use);
void cpr_h5_end(const cpr_h5_use *use);

/* Fails with `what`, the path, and HDF5's own innermost explanation; with CPR_ERR_NO_MEMORY if it
 * is that. */
cpr_status cpr_h5_fail(cpr_error *error, cpr_status status, const char *what, const char *path);

/* Whether HDF5 failed just now because there was no memory. */
bool cpr_h5_no_memory(void);

/* Access properties: no file locks, and none of HDF5's preallocation. Negative on failure. */
hid_t cpr_h5_file_access(void);

/* Closes whatever kind of identifier it is; negative ones are left alone. */
void cpr_h5_close(hid_t id);

/* Whether there is a dataset, or anything else, of that name. */
bool cpr_h5_has(hid_t file, const char *name);

/* Rows of a one-dimensional dataset, or UINT64_MAX if it is not one. */
uint64_t cpr_h5_rows(hid_t dataset);

#endif
