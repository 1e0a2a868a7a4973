/* archive_objects.h - inside shard/: opens the HDF5 objects of an archive.
 *
 * Nothing is followed or read before it has been found to be what FORMAT.md allows: no link leads
 * out of the file, no dataset has its bytes elsewhere, and none is larger than what holds it.
 */
#ifndef CPR_ARCHIVE_OBJECTS_H
#define CPR_ARCHIVE_OBJECTS_H

#include "archive_reading.h"

/* A dataset that may be read. */
typedef struct cpr_dataset {
    const char *name;
    hid_t id;
    uint64_t rows;
    size_t row_bytes;
    hsize_t chunk_rows; /* 0: it is compact or contiguous */
    bool packed;        /* its chunks, by scale-offset */
    bool is_signed;
} cpr_dataset;

/* Whether there is something of that name, as a hard link. *there may be NULL: it must be. */
cpr_status cpr_object_find(const cpr_reading *r, const char *name, bool *there);

/* As cpr_object_find(), of a dataset that must be there: HDF5 may open it. */
cpr_status cpr_object_find_dataset(const cpr_reading *r, const char *name);

/* Whether a dataset of these properties is compact or contiguous, and in the file. To be asked
 * before its size: HDF5 opens other files to tell that of a virtual dataset. */
cpr_status cpr_layout_check(const cpr_reading *r, const char *name, hid_t properties);

/* Opens a dataset of exactly that type, or, where it has fields, of one whose fields of the same
 * names have the same types; compact or contiguous or, if `chunked`, in chunks. Close
 * dataset->id, also after a failure. */
cpr_status cpr_dataset_open(const cpr_reading *r, const char *name, hid_t type, bool chunked,
                            cpr_dataset *dataset);

/* Reads a whole dataset of integers that have chunks, as 64-bit numbers. */
cpr_status cpr_dataset_unpack(const cpr_reading *r, const cpr_dataset *dataset, uint64_t *out);

/* Reads a number, a scalar attribute of the root group, or a text into out[capacity]. */
cpr_status cpr_attribute_number(const cpr_reading *r, const char *name, uint64_t *out);
cpr_status cpr_attribute_text(const cpr_reading *r, const char *name, char *out, size_t capacity);

/* Reads an opaque scalar of at most `most` bytes; *out is malloc()ed. */
cpr_status cpr_attribute_opaque(const cpr_reading *r, const char *name, size_t most, uint8_t **out,
                                size_t *bytes);

#endif
