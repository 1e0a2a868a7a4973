/* extract_tars.c - tars as they were, instead of their members. */
#include "extract_tars.h"

#include "archive.h"
#include "corpress_inputs.h"
#include "corpress_speed.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

void cpr_tar_selection_free(cpr_tar_selection *selection)
{
    free(selection->others);
    free(selection->tars);
}

cpr_status cpr_tar_selection_make(const cpr_archive *archive, const bool *files,
                                  cpr_tar_selection *selection, cpr_error *error)
{
    const size_t count = (size_t)cpr_file_list_count(cpr_archive_info(archive)->files);
    const uint64_t inputs = cpr_archive_inputs(archive);
    *selection = (cpr_tar_selection){.others = malloc(count + 1),
                                     .tars = malloc(((size_t)inputs + 1) * sizeof(uint64_t))};
    if (selection->others == NULL || selection->tars == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to select files");
    for (size_t f = 0; f < count; f++)
        selection->others[f] = files == NULL || files[f];
    for (uint64_t i = 0; i < inputs; i++) {
        cpr_input_facts input;
        bool wanted = false;
        const cpr_status status = cpr_archive_input(archive, i, &input, error);
        if (status != CPR_OK)
            return status;
        for (uint64_t f = input.first_file; input.is_tar && f < input.first_file + input.files;
             f++) {
            wanted = wanted || selection->others[f];
            selection->others[f] = false;
        }
        if (wanted)
            selection->tars[selection->count++] = i;
    }
    return CPR_OK;
}

/* A cpr_progress_fn. */
static cpr_status tar_poll(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                           cpr_error *error)
{
    (void)context;
    (void)raw_bytes;
    (void)coded_bytes;
    return cpr_stop_check(error);
}

/* Writes one tar. */
static cpr_status tar_extract(cpr_archive *archive, cpr_reader **reader, uint64_t number,
                              const cpr_extract_options *options, cpr_error *error)
{
    const cpr_file_list *files = cpr_archive_info(archive)->files;
    cpr_input_facts input;
    cpr_output_single *out = NULL;
    cpr_status status = cpr_archive_input(archive, number, &input, error);
    if (status != CPR_OK)
        return status;
    const char *member = cpr_file_list_member(files, input.first_file);
    cpr_file file = cpr_file_list_get(files, input.first_file + input.files - 1);
    file.bytes = input.text_bytes;
    if (options->go_on && cpr_output_single_is_there(options->directory, member, &file))
        return CPR_OK;
    if (*reader == NULL)
        status = cpr_reader_open(archive, reader, error);
    if (status == CPR_OK)
        status = cpr_reader_set_cache(*reader, options->cache, 0, error);
    if (status == CPR_OK)
        status =
            cpr_output_single_open(options->directory, member, options->overwrite, &out, error);
    if (status != CPR_OK)
        return status;
    status = cpr_reader_tar(*reader, number, (cpr_sink){cpr_output_single_write, out},
                            (cpr_watch){tar_poll, NULL}, error);
    cpr_error detail = {.text = ""};
    const cpr_status closed = cpr_output_single_close(out, status == CPR_OK, &file, &detail);
    if (status == CPR_OK && closed != CPR_OK)
        status = cpr_fail(error, closed, "%s", detail.text);
    return status;
}

cpr_status cpr_extract_tars(cpr_ranks *ranks, cpr_archive *archive,
                            const cpr_tar_selection *selection, const cpr_extract_options *options,
                            cpr_error *error)
{
    cpr_reader *reader = NULL;
    cpr_status status = CPR_OK;
    cpr_status worst = CPR_OK; /* a damaged tar does not stop the others */
    for (uint64_t i = (uint64_t)cpr_ranks_rank(ranks);
         (status == CPR_OK || status == CPR_ERR_DAMAGED) && i < selection->count;
         i += (uint64_t)cpr_ranks_size(ranks)) {
        cpr_error detail = {.text = ""};
        status = tar_extract(archive, &reader, selection->tars[i], options, &detail);
        if (status != CPR_OK && (worst == CPR_OK || worst == CPR_ERR_DAMAGED))
            worst = cpr_fail(error, status, "%s", detail.text);
    }
    cpr_reader_close(reader);
    return cpr_ranks_agree(ranks, worst, error);
}
