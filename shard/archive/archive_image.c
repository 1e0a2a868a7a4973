/* archive_image.c - files that HDF5 sees without touching the disk. */
#include "archive_image.h"
#include "archive_tables.h"
#include "file_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

/* HDF5's own limit: its addresses are off_t. */
#define ADDRESS_MAX ((haddr_t)INT64_MAX)

cpr_image cpr_image_new(void)
{
    return (cpr_image){.fd = -1, .writable = true, .hole = UINT64_MAX, .hole_end = UINT64_MAX};
}

cpr_image cpr_image_of_fd(int fd)
{
    /* A longer file than any: HDF5 would refuse one that was cut short as a whole. */
    return (cpr_image){
        .fd = fd, .bytes = ADDRESS_MAX / 2, .hole = UINT64_MAX, .hole_end = UINT64_MAX};
}

void cpr_image_free(cpr_image *image)
{
    free(image->head);
    free(image->tail);
    image->head = image->tail = NULL;
}

static cpr_status load(uint8_t **out, int fd, const char *path, uint64_t from, uint64_t skip,
                       uint64_t to, cpr_error *error)
{
    *out = to - from < SIZE_MAX ? calloc((size_t)(to - from) + 1, 1) : NULL;
    if (*out == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the archive's tables");
    const int code = cpr_io_pread(fd, *out + skip, (size_t)(to - from - skip), from + skip);
    return code == 0 ? CPR_OK : cpr_io_fail(error, code, "read", path);
}

cpr_status cpr_image_load(cpr_image *image, int fd, const char *path, uint64_t bytes, uint64_t skip,
                          uint64_t hole, uint64_t hole_end, cpr_error *error)
{
    *image = (cpr_image){.fd = -1,
                         .bytes = bytes,
                         .hole = hole,
                         .hole_end = hole_end,
                         .head_bytes = (size_t)hole,
                         .tail_bytes = (size_t)(bytes - hole_end)};
    cpr_status status = load(&image->head, fd, path, 0, skip, hole, error);
    if (status == CPR_OK)
        status = load(&image->tail, fd, path, hole_end, 0, bytes, error);
    return status;
}

bool cpr_image_set_hole(cpr_image *image, uint64_t from, uint64_t bytes)
{
    if (image->hole != UINT64_MAX || from < image->head_bytes || bytes > ADDRESS_MAX - from)
        return false;
    image->hole = from;
    image->hole_end = from + bytes;
    return true;
}

/* ---- what the driver does ------------------------------------------------------------------- */

typedef struct driver_file {
    H5FD_t shared; /* HDF5's part; must come first */
    cpr_image *image;
    haddr_t allocated;
} driver_file;

/* Keeps the first reason. */
static herr_t refuse(cpr_image *image, int code)
{
    if (image->code == 0)
        image->code = code;
    return -1;
}

/* Where the byte at `at` is kept, or NULL: it reads as zero. *span: for how many bytes this holds.
 */
static uint8_t *locate(const cpr_image *image, uint64_t at, uint64_t *span)
{
    if (at < image->head_bytes) {
        *span = image->head_bytes - at;
        return image->head + at;
    }
    if (at < image->hole_end) {
        *span = image->hole_end - at;
        return NULL;
    }
    const uint64_t in_tail = at - image->hole_end;
    *span = in_tail < image->tail_bytes ? image->tail_bytes - in_tail : UINT64_MAX;
    return in_tail < image->tail_bytes ? image->tail + in_tail : NULL;
}

static void image_copy(const cpr_image *image, uint64_t at, size_t bytes, uint8_t *out)
{
    while (bytes > 0) {
        uint64_t span;
        const uint8_t *from = locate(image, at, &span);
        const size_t part = span < bytes ? (size_t)span : bytes;
        if (from != NULL)
            memcpy(out, from, part);
        else
            memset(out, 0, part);
        out += part;
        at += part;
        bytes -= part;
    }
}

bool cpr_image_read(cpr_image *image, uint64_t at, size_t bytes, uint8_t *out)
{
    if (at > ADDRESS_MAX || bytes > ADDRESS_MAX - at)
        return false;
    if (image->fd < 0) {
        image_copy(image, at, bytes, out);
        return true;
    }
    /* HDF5 reads ahead, beyond the end as well. */
    memset(out, 0, bytes);
    const int code = cpr_io_pread(image->fd, out, bytes, at);
    if (code != 0 && code != CPR_IO_END)
        (void)refuse(image, code);
    return code == 0 || code == CPR_IO_END;
}

static herr_t driver_read(H5FD_t *handle, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t bytes,
                          void *buffer)
{
    cpr_image *image = ((driver_file *)handle)->image;
    (void)transfer;
    if (at > ADDRESS_MAX || bytes > ADDRESS_MAX - at)
        return -1;
    /* HDF5 reads ahead of what it knows to be metadata; no dataset but the bitstream itself, which
     * is not read through HDF5, may lie in the hole. */
    if (image->fd < 0 && !image->writable &&
        (at + bytes > image->bytes ||
         (type == H5FD_MEM_DRAW && at < image->hole_end && at + bytes > image->hole)))
        return -1;
    return cpr_image_read(image, at, bytes, buffer) ? 0 : -1;
}

/* Makes a part hold at least `bytes` bytes; new ones are zero. */
static bool grow(uint8_t **data, size_t *used, size_t *room, size_t bytes)
{
    if (bytes > *room) {
        const size_t wanted = bytes + bytes / 2 + 4096;
        uint8_t *grown = realloc(*data, wanted);
        if (grown == NULL)
            return false;
        *data = grown;
        *room = wanted;
    }
    if (bytes > *used) {
        memset(*data + *used, 0, bytes - *used);
        *used = bytes;
    }
    return true;
}

static herr_t driver_write(H5FD_t *handle, H5FD_mem_t type, hid_t transfer, haddr_t at,
                           size_t bytes, const void *data)
{
    cpr_image *image = ((driver_file *)handle)->image;
    const uint64_t end = at + bytes;
    bool grown;
    (void)type;
    (void)transfer;
    if (!image->writable || at > ADDRESS_MAX || bytes > ADDRESS_MAX - at ||
        (at < image->hole_end && end > image->hole))
        return refuse(image, EINVAL);
    if (at < image->hole)
        grown = grow(&image->head, &image->head_bytes, &image->head_room, (size_t)end);
    else
        grown = grow(&image->tail, &image->tail_bytes, &image->tail_room,
                     (size_t)(end - image->hole_end));
    if (!grown)
        return refuse(image, ENOMEM);
    if (bytes > 0)
        memcpy(at < image->hole ? image->head + at : image->tail + (at - image->hole_end), data,
               bytes);
    if (end > image->bytes)
        image->bytes = end;
    return 0;
}

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t address_max)
{
    cpr_image *const *image = H5Pget_driver_info(access);
    (void)name;
    (void)address_max;
    if (image == NULL || *image == NULL || ((flags & H5F_ACC_RDWR) != 0 && !(*image)->writable))
        return NULL;
    driver_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        (void)refuse(*image, ENOMEM);
        return NULL;
    }
    file->image = *image;
    return &file->shared;
}

static herr_t driver_close(H5FD_t *handle)
{
    free(handle);
    return 0;
}

static int driver_compare(const H5FD_t *a, const H5FD_t *b)
{
    const uintptr_t first = (uintptr_t)((const driver_file *)a)->image;
    const uintptr_t second = (uintptr_t)((const driver_file *)b)->image;
    return (first > second) - (first < second);
}

static herr_t driver_query(const H5FD_t *handle, unsigned long *flags)
{
    /* Those of HDF5's own drivers that the order of things in an archive comes from. */
    *flags = H5FD_FEAT_IGNORE_DRVRINFO;
    if (handle == NULL || ((const driver_file *)handle)->image->writable)
        *flags |= H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
                  H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

static haddr_t driver_allocated(const H5FD_t *handle, H5FD_mem_t type)
{
    (void)type;
    return ((const driver_file *)handle)->allocated;
}

static herr_t driver_allocate(H5FD_t *handle, H5FD_mem_t type, haddr_t end)
{
    (void)type;
    ((driver_file *)handle)->allocated = end;
    return 0;
}

static haddr_t driver_end(const H5FD_t *handle, H5FD_mem_t type)
{
    (void)type;
    return ((const driver_file *)handle)->image->bytes;
}

static herr_t driver_truncate(H5FD_t *handle, hid_t transfer, hbool_t closing)
{
    driver_file *file = (driver_file *)handle;
    (void)transfer;
    (void)closing;
    if (file->image->writable)
        file->image->bytes = file->allocated;
    return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)511, /* the last that is free for such use */
#endif
    .name = "corpress",
    .maxaddr = ADDRESS_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(cpr_image *),
    .open = driver_open,
    .close = driver_close,
    .cmp = driver_compare,
    .query = driver_query,
    .get_eoa = driver_allocated,
    .set_eoa = driver_allocate,
    .get_eof = driver_end,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t cpr_image_access(cpr_image *image)
{
    const hid_t access = cpr_h5_file_access();
    const hid_t id = access < 0 ? -1 : H5FDregister(&driver);
    if (id >= 0 && H5Pset_driver(access, id, &image) >= 0) {
        (void)H5FDunregister(id); /* the properties keep it */
        return access;
    }
    if (id >= 0)
        (void)H5FDunregister(id);
    cpr_h5_close(access);
    return -1;
}
