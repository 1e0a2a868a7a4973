/* corpus_list.h - the corpus that a command line names. */
#ifndef CPR_CORPUS_LIST_H
#define CPR_CORPUS_LIST_H

#include "command.h"

/* Rank 0: lists the call's paths and what --files-from names; pipes are not read yet. options must
 * have `unreadable`. *files is the caller's, whatever happens. */
cpr_status corpus_list(const command_call *call, const cpr_list_options *options,
                       cpr_file_list **files, cpr_error *error);

#endif
