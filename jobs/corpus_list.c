/* corpus_list.c - the corpus that a command line names. */
#include "corpus_list.h"

cpr_status corpus_list(const command_call *call, const cpr_list_options *options,
                       cpr_file_list **files, cpr_error *error)
{
    const option_values *given = &call->given;
    *files = cpr_file_list_create();
    if (*files == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to list files");
    cpr_status status = CPR_OK;
    for (int i = 0; status == CPR_OK && i < call->path_count; i++)
        status = cpr_file_list_add(*files, call->paths[i], options, error);
    if (status == CPR_OK && given->files_from != NULL)
        status = cpr_file_list_add_from(*files, given->files_from, options, error);
    if (status == CPR_OK)
        status = cpr_file_list_check_unreadable(*files, options, given->skip_unreadable, error);
    return status == CPR_OK ? cpr_file_list_check_streams(*files, error) : status;
}
