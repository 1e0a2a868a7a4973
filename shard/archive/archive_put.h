/* archive_put.h - inside shard/: puts the tables of an archive into an HDF5 file, or into a record.
 */
#ifndef CPR_ARCHIVE_PUT_H
#define CPR_ARCHIVE_PUT_H

#include "archive_record.h"

/* HDF5 keeps at most 64 KiB in an object header. */
#define CPR_COMPACT_BYTES 60000

/* Where tables go. */
typedef struct cpr_tables {
    hid_t file;
    cpr_record_out *record; /* NULL: they become objects of the file */
} cpr_tables;

/* As it is; a column that may be packed; one that is only reserved. */
typedef enum cpr_layout { CPR_LAYOUT_PLAIN, CPR_LAYOUT_PACKED, CPR_LAYOUT_RESERVED } cpr_layout;

/* Puts all tables, but neither the weights nor the bitstream. The vocabulary is a coded blob;
 * `buffer` has room for any table. */
herr_t cpr_tables_put(const cpr_tables *tables, const cpr_archive_header *header,
                      const uint8_t *vocabulary, size_t vocabulary_bytes, void *buffer);

/* Bytes that the buffer must have. */
size_t cpr_tables_buffer_bytes(const cpr_archive_header *header);

/* Creates a one-dimensional dataset; writes `data` to it unless that is NULL. */
herr_t cpr_tables_put_dataset(hid_t file, const char *name, hid_t file_type, hid_t memory_type,
                              hsize_t rows, const void *data, cpr_layout how);

/* Creation properties of a group (or file: its root) of few, small things. */
herr_t cpr_tables_keep_compact(hid_t properties, unsigned links, unsigned name_bytes);

#endif
