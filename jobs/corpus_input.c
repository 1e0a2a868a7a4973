/* corpus_input.c - the corpus that a command line names. */
#include "corpus_input.h"

cpr_input corpus_input(const command_call *call)
{
    const option_values *given = &call->given;
    return (cpr_input){.paths = (const char *const *)call->paths,
                       .path_count = (size_t)call->path_count,
                       .names_file = given->files_from,
                       .stream_name = given->stdin_name,
                       .dereference = given->dereference,
                       .skip_unreadable = given->skip_unreadable};
}
