/* input_untar.h - inside shard/inputs/: the members of a tar, collected while it is read. */
#ifndef CPR_INPUT_UNTAR_H
#define CPR_INPUT_UNTAR_H

#include "input_records.h"

/* Bytes that a mark adds to a path, its NUL included. */
#define CPR_UNTAR_MARK_BYTES 16u

typedef struct cpr_untar cpr_untar;

/* NULL: no memory. `path_most`: members of longer paths stay in the rest of the tar. */
cpr_untar *cpr_untar_create(size_t path_most);
void cpr_untar_free(cpr_untar *untar);

/* The next bytes of the tar. CPR_ERR_NO_MEMORY. */
cpr_status cpr_untar_feed(cpr_untar *untar, const uint8_t *bytes, size_t count, cpr_error *error);

/* After all of it: gives the members to the writer, in their order, with paths that are all
 * different and of which none leads through a file. `note` gets a warning, or "".
 * CPR_ERR_DAMAGED: the tar ends within a member. */
cpr_status cpr_untar_finish(cpr_untar *untar, cpr_input_writer *writer, const char *shown_path,
                            char *note, size_t note_bytes, cpr_error *error);

/* Whether a member's path may have become `row`, by a mark behind it. */
bool cpr_untar_is_path_of(const char *row, const char *path);

#endif
