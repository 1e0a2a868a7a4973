/* output_file.c - one file being written, with holes where it holds zeros. */
#include "output_file.h"
#include "file_io.h"
#include "output.h"

#include <string.h>

static int is_zero(const uint8_t *data, size_t bytes)
{
    return data[0] == 0 && memcmp(data, data + 1, bytes - 1) == 0;
}

/* True if a whole block of the file holds zeros already. */
static bool holds_zeros(const cpr_output_file *file)
{
    uint8_t part[4096];
    for (size_t at = 0; at < CPR_OUTPUT_BLOCK_BYTES; at += sizeof part)
        if (cpr_io_pread(file->fd, part, sizeof part, file->at + at) != 0 ||
            !is_zero(part, sizeof part))
            return false;
    return true;
}

int cpr_output_file_flush(cpr_output_file *file)
{
    int code = 0;
    if (file->filled == 0)
        return 0;
    if (file->filled < CPR_OUTPUT_BLOCK_BYTES || !is_zero(file->buffer, file->filled) ||
        (file->used && !holds_zeros(file)))
        code = cpr_io_pwrite(file->fd, file->buffer, file->filled, file->at);
    file->at += file->filled;
    file->filled = 0;
    return code;
}

int cpr_output_file_write(cpr_output_file *file, const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        /* Flushes end at multiples of the block in the file, so that holes are aligned. */
        const size_t block_end =
            CPR_OUTPUT_BLOCK_BYTES - (size_t)(file->at % CPR_OUTPUT_BLOCK_BYTES);
        const size_t room = block_end - file->filled;
        const size_t part = bytes < room ? bytes : room;
        memcpy(file->buffer + file->filled, data, part);
        file->filled += part;
        data += part;
        bytes -= part;
        if (part == room) {
            const int code = cpr_output_file_flush(file);
            if (code != 0)
                return code;
        }
    }
    return 0;
}
