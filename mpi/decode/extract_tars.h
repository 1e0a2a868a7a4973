/* extract_tars.h - tars as they were, instead of their members. */
#ifndef CPR_EXTRACT_TARS_H
#define CPR_EXTRACT_TARS_H

#include "ranks.h"

/* Which tars are wanted, and which files beside them. */
typedef struct cpr_tar_selection {
    bool *others;   /* one for each file of the archive */
    uint64_t *tars; /* numbers of inputs */
    uint64_t count;
} cpr_tar_selection;

/* Local. Tars of which any file is selected (files: NULL: all). To be freed after a failure, too.
 */
cpr_status cpr_tar_selection_make(const cpr_archive *archive, const bool *files,
                                  cpr_tar_selection *selection, cpr_error *error);
void cpr_tar_selection_free(cpr_tar_selection *selection);

/* COLLECTIVE. The ranks write them, one at a time each. */
cpr_status cpr_extract_tars(cpr_ranks *ranks, cpr_archive *archive,
                            const cpr_tar_selection *selection, const cpr_extract_options *options,
                            cpr_error *error);

#endif
