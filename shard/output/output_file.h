/* output_file.h - inside shard/: one file being written, with holes where it holds zeros. */
#ifndef CPR_OUTPUT_FILE_H
#define CPR_OUTPUT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPR_OUTPUT_BLOCK_BYTES ((size_t)64 << 10)

/* Writing goes forward from a start; whole blocks of zeros are left out where the file holds zeros,
 * so its length must be set by the caller. */
typedef struct cpr_output_file {
    int fd;
    uint64_t at; /* where the buffer's first byte goes */
    size_t filled;
    uint8_t *buffer; /* CPR_OUTPUT_BLOCK_BYTES */
    bool used;       /* the file may hold something else than zeros */
} cpr_output_file;

/* Both return 0 or an errno. */
int cpr_output_file_write(cpr_output_file *file, const uint8_t *data, size_t bytes);
int cpr_output_file_flush(cpr_output_file *file);

#endif
