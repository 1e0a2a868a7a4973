/* archive_reading.h - inside shard/: an open archive, and how its tables are read. */
#ifndef CPR_ARCHIVE_READING_H
#define CPR_ARCHIVE_READING_H

#include "archive_record.h"
#include "archive_seal.h"

#include <hdf5.h>

struct cpr_archive {
    cpr_archive_header header;
    char model[CPR_DESCRIPTOR_MAX_BYTES + 1]; /* if header.model points here */
    struct cpr_profile *profile;              /* that it describes; NULL: see `lacks` */
    cpr_status lacks_status;
    cpr_error lacks; /* why there is no profile */
    char *path;
    int fd;
    cpr_seal seal; /* of one whose seal is not right: as the file itself says */
    bool sealed;
    cpr_hash128 identity;
    cpr_file_list *files;
    cpr_shard_info *shards;
    cpr_shard_info primer;  /* if header.primer points here */
    uint64_t *coded_offset; /* of each shard in the bitstream; the primer's is 0 */
    uint64_t *file_loss;
    uint8_t *coded_vocabulary; /* as it is stored */
    size_t coded_vocabulary_bytes;
    uint8_t *coded_weights;   /* NULL: there has been no lesson */
    uint8_t *document_states; /* NULL, as what follows: all documents are files */
    uint8_t *documents;
    struct cpr_document_index *document_index;
    uint8_t *vocabulary; /* decoded and packed; NULL until it is asked for */
    size_t vocabulary_bytes;
};

/* Reads tables of one open HDF5 file; `error` tells the first thing that was wrong. */
typedef struct cpr_reading {
    cpr_archive *archive;
    cpr_image *image; /* that the file is read from */
    uint64_t base;    /* which the file's addresses count from */
    hid_t file;
    const cpr_record *record; /* of a small archive; NULL: the tables are objects of the file */
    cpr_error *error;
} cpr_reading;

/* Fail with CPR_ERR_NO_MEMORY; with CPR_ERR_DAMAGED because of the table `what`, or with
 * CPR_ERR_NO_MEMORY if HDF5 has just failed with that; with CPR_ERR_FOREIGN because `what` has
 * something that no archive may have. */
cpr_status cpr_reading_no_memory(const cpr_reading *r);
cpr_status cpr_reading_wrong(const cpr_reading *r, const char *what);
cpr_status cpr_reading_refused(const cpr_reading *r, const char *what, const char *has);

/* Reads a dataset of the type `stored`, compact or contiguous, of `rows` rows (UINT64_MAX: as many
 * as it has) into malloc()ed memory with one row of zeros to spare. What follows reads the record
 * instead, if there is one. */
cpr_status cpr_reading_rows(const cpr_reading *r, const char *name, hid_t stored, hid_t memory_type,
                            size_t row_bytes, uint64_t rows, void **out, uint64_t *count);

/* Whether there is a table of that name, or a group of them. *there may be NULL: there must be. */
cpr_status cpr_reading_find(const cpr_reading *r, const char *name, bool *there);

/* As cpr_reading_rows(), of bytes. */
cpr_status cpr_reading_bytes(const cpr_reading *r, const char *name, uint64_t rows, uint8_t **out,
                             uint64_t *count);

/* Numbers and texts that say something of the whole archive. */
cpr_status cpr_reading_number(const cpr_reading *r, const char *name, uint64_t *out);
cpr_status cpr_reading_text(const cpr_reading *r, const char *name, char *out, size_t capacity);

/* Reads /files. */
cpr_status cpr_reading_files(const cpr_reading *r);

/* Reads one of its columns, or one like them: as many numbers, of at most 64 bits. *out is
 * malloc()ed. */
cpr_status cpr_reading_column(const cpr_reading *r, const char *name, hid_t type, uint64_t rows,
                              uint64_t **out);

/* Reads strings, each with a NUL behind it: malloc()ed bytes, and how many strings they are. */
cpr_status cpr_reading_strings(const cpr_reading *r, const char *name, char **out, uint64_t *bytes,
                               uint64_t *count);

/* Reads /inputs, when files are read. */
cpr_status cpr_reading_inputs(const cpr_reading *r);

/* Reads /documents, when files and shards are read. */
cpr_status cpr_reading_documents(const cpr_reading *r);

#endif
