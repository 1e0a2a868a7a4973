/* corpus_input.c - the corpus that a command line names. */
#include "corpus_input.h"

#include "pattern.h"

#include <stdlib.h>

/* What --exclude matches. The context is patterns, and one without a text behind the last. A text
 * that is both a path and a pattern is both: there is no archive yet to tell. */
static bool is_left_out(void *context, const char *path, bool is_directory)
{
    for (const pattern *p = context; p->text != NULL; p++)
        if (pattern_matches(p, path, is_directory) ||
            (p->special && pattern_is_path_of(p, path, is_directory)))
            return true;
    return false;
}

cpr_status corpus_input_make(const command_call *call, cpr_input *input, cpr_error *error)
{
    const option_values *given = &call->given;
    *input = (cpr_input){.paths = (const char *const *)call->paths,
                         .path_count = (size_t)call->path_count,
                         .names_file = given->files_from,
                         .stream_name = given->stdin_name,
                         .dereference = given->dereference,
                         .skip_unreadable = given->skip_unreadable,
                         .decode = given->decode_inputs,
                         .keep_damaged = given->keep_damaged,
                         .decode_limit = given->decode_limit,
                         .text_column = given->text_column};
    if (!input->decode &&
        (input->keep_damaged || input->decode_limit > 0 || input->text_column != NULL))
        return cpr_fail(error, CPR_ERR_USAGE,
                        "--keep-damaged, --decode-limit and --text-column are for --decode-inputs");
    if (given->exclude.count == 0)
        return CPR_OK;
    pattern *patterns = calloc(given->exclude.count + 1, sizeof *patterns);
    if (patterns == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for patterns");
    for (size_t i = 0; i < given->exclude.count; i++)
        patterns[i] = pattern_make(given->exclude.texts[i], true);
    input->left_out = is_left_out;
    input->left_out_context = patterns;
    return CPR_OK;
}

void corpus_input_free(cpr_input *input)
{
    free(input->left_out_context);
}
