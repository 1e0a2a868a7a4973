/* archive_image.h - inside shard/: files that HDF5 sees without touching the disk.
 *
 * A virtual file driver of HDF5. Either the bytes are in memory, all but one range that is kept
 * nowhere: the bitstream of an archive. Or they are read from a descriptor. So every error of the
 * disk is met by our own code, HDF5 reads exactly what was checked, and closing cannot fail.
 */
#ifndef CPR_ARCHIVE_IMAGE_H
#define CPR_ARCHIVE_IMAGE_H

#include "archive.h"

#include <hdf5.h>
#include <stdint.h>

typedef struct cpr_image {
    int fd;            /* where the bytes are read from; -1: they are in memory */
    int code;          /* what first went wrong below HDF5: an errno, or 0 */
    bool writable;     /* in memory */
    uint64_t bytes;    /* of the file, the hole included */
    uint64_t hole;     /* where the range starts that is kept nowhere; UINT64_MAX: there is none */
    uint64_t hole_end; /* HDF5 reads zeros there, and neither datasets nor anything it writes */
    uint8_t *head;     /* the bytes in front of the hole, malloc()ed */
    size_t head_bytes;
    size_t head_room;
    uint8_t *tail; /* and behind it */
    size_t tail_bytes;
    size_t tail_room;
} cpr_image;

/* An empty file in memory, to be written. */
cpr_image cpr_image_new(void);

/* A file that is read from `fd`. It may be shorter than HDF5 thinks: zeros follow. */
cpr_image cpr_image_of_fd(int fd);

/* Reads a file of `bytes` bytes into memory, without [0, skip), which becomes zeros, and [hole,
 * hole_end). */
cpr_status cpr_image_load(cpr_image *image, int fd, const char *path, uint64_t bytes, uint64_t skip,
                          uint64_t hole, uint64_t hole_end, cpr_error *error);

/* Makes a range behind all that was written the hole. False: something was written there. */
bool cpr_image_set_hole(cpr_image *image, uint64_t from, uint64_t bytes);

/* Reads bytes of the file; those that are kept nowhere, or lie behind its end, are zeros. False:
 * they cannot be read. */
bool cpr_image_read(cpr_image *image, uint64_t at, size_t bytes, uint8_t *out);

void cpr_image_free(cpr_image *image);

/* Access properties with which H5Fopen() and H5Fcreate() work on the image, under any name. The
 * image must outlive the file, and so must the properties, which keep the driver: HDF5 still uses
 * that when it closes the file. Negative on failure. */
hid_t cpr_image_access(cpr_image *image);

#endif
