/* inputs.h - the text in compressed files.
 *
 *   kind     -> what a file is, by its first bytes                        (input_kind.c)
 *   decoder  -> the text of a .gz, .zst, .xz, .bz2 or .lz4 file          (decoder*.c)
 *
 * Nothing here depends on where the text goes. */
#ifndef CPR_INPUTS_H
#define CPR_INPUTS_H

#include "base.h"

/* ---- kind ------------------------------------------------------------------------------------ */

typedef enum cpr_input_kind {
    CPR_INPUT_PLAIN = 0, /* none of the others */
    CPR_INPUT_GZIP = 1,
    CPR_INPUT_ZSTD = 2,
    CPR_INPUT_XZ = 3,
    CPR_INPUT_BZIP2 = 4,
    CPR_INPUT_LZ4 = 5,
    CPR_INPUT_PARQUET = 6,
    CPR_INPUT_ZIP = 7, /* from here on: known, and not decoded */
    CPR_INPUT_7Z = 8,
    CPR_INPUT_CORPRESS = 9
} cpr_input_kind;

/* Bytes of a file's beginning that tell its kind. */
#define CPR_INPUT_HEAD_BYTES 20u

/* The kind of a file that begins so; of a shorter one, `bytes` is less than the above. */
cpr_input_kind cpr_input_kind_of(const uint8_t *head, size_t bytes);

/* A word, such as "gzip"; "plain" for CPR_INPUT_PLAIN. */
const char *cpr_input_kind_name(cpr_input_kind kind);

#endif
