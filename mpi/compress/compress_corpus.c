/* compress_corpus.c - from the options' input to a list of files; what compressing it would need.
 */
#include "compress_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A search for a line end lets a shard reach past its even share by as much. */
#define SEARCH_BYTES 65536u

/* ---- paths that are left out ------------------------------------------------------------------
 */

/* `first`, `middle` and `last` as one string, malloc()ed; NULL: out of memory. */
static char *join(const char *first, const char *middle, const char *last)
{
    const size_t room = strlen(first) + strlen(middle) + strlen(last) + 1;
    char *joined = malloc(room);
    if (joined != NULL)
        snprintf(joined, room, "%s%s%s", first, middle, last);
    return joined;
}

/* The absolute path of a file in a directory that exists, whether the file exists or not;
 * malloc()ed. Of a directory that does not exist, an empty one: no file has that path. */
static char *absolute(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = slash != NULL ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    char *resolved = directory != NULL ? realpath(directory, NULL) : NULL;
    char *out = resolved != NULL ? join(resolved, strcmp(resolved, "/") == 0 ? "" : "/",
                                        slash != NULL ? slash + 1 : path)
                                 : NULL;
    if (directory != NULL && resolved == NULL)
        out = strdup("");
    free(directory);
    free(resolved);
    return out;
}

static void exclude_free(char **exclude)
{
    for (size_t i = 0; exclude != NULL && exclude[i] != NULL; i++)
        free(exclude[i]);
    free(exclude);
}

/* The archive, its work directory, and what the options leave out, as cpr_list_options wants them;
 * NULL: out of memory. */
static char **exclude_make(const cpr_compress_options *options)
{
    const char *const *given = options->input.exclude;
    size_t count = 0;
    while (given != NULL && given[count] != NULL)
        count++;
    char **exclude = calloc(count + 3, sizeof *exclude);
    size_t made = 0;
    if (exclude == NULL)
        return NULL;
    if (options->archive_path != NULL) {
        exclude[made++] = absolute(options->archive_path);
        exclude[made] = exclude[0] != NULL ? join(exclude[0], ".work", "") : NULL;
        if (exclude[made++] == NULL) {
            exclude_free(exclude);
            return NULL;
        }
    }
    for (size_t i = 0; i < count; i++) {
        exclude[made] = absolute(given[i]);
        if (exclude[made++] == NULL) {
            exclude_free(exclude);
            return NULL;
        }
    }
    return exclude;
}

/* ---- the list ---------------------------------------------------------------------------------
 */

/* A cpr_poll_fn. */
static cpr_status poll_stop(void *context, cpr_error *error)
{
    (void)context;
    return cpr_stop_check(error);
}

/* A cpr_warn_fn, whose context is a listener. */
static void tell_warning(void *context, const char *text)
{
    const cpr_listener *listener = context;
    if (listener->warn != NULL)
        listener->warn(listener->context, text);
}

/* How the input is to be listed. The listener must live as long. */
static cpr_list_options list_options(const cpr_input *input, cpr_listener *listener)
{
    return (cpr_list_options){.left_out = input->left_out,
                              .left_out_context = input->left_out_context,
                              .dereference = input->dereference,
                              .stream_name = input->stream_name,
                              .warn = tell_warning,
                              .warn_context = listener,
                              .poll = poll_stop};
}

static cpr_status list_input(const cpr_input *input, const cpr_list_options *options,
                             cpr_file_list *files, cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (size_t i = 0; status == CPR_OK && i < input->path_count; i++)
        status = cpr_file_list_add(files, input->paths[i], options, error);
    if (status == CPR_OK && input->names_file != NULL)
        status = cpr_file_list_add_from(files, input->names_file, options, error);
    if (status == CPR_OK)
        status = cpr_file_list_check_unreadable(files, options, input->skip_unreadable, error);
    return status == CPR_OK ? cpr_file_list_check_streams(files, error) : status;
}

/* Lists the corpus; *files is the caller's after a failure, too. */
static cpr_status list_corpus(const cpr_compress_options *options, cpr_listener *listener,
                              cpr_file_list **files, cpr_error *error)
{
    cpr_unreadable *unreadable = calloc(1, sizeof *unreadable);
    char **exclude = exclude_make(options);
    cpr_list_options how = list_options(&options->input, listener);
    cpr_status status;
    how.exclude = (const char *const *)exclude;
    how.unreadable = unreadable;
    *files = cpr_file_list_create();
    if (*files == NULL || exclude == NULL || unreadable == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to list files");
    else
        status = list_input(&options->input, &how, *files, error);
    exclude_free(exclude);
    free(unreadable);
    return status;
}

/* A cpr_compress_step of rank 0. */
static cpr_status list_for_run(cpr_compress_run *run, cpr_error *error)
{
    cpr_listener listener = run->listener;
    cpr_document_choice documents;
    cpr_status status = cpr_document_choice_parse(run->options.documents, &documents, error);
    if (status == CPR_OK)
        status = list_corpus(&run->options, &listener, &run->listed, error);
    if (status == CPR_OK)
        status = cpr_file_list_set_documents(run->listed, &documents, error);
    if (status == CPR_OK && cpr_file_list_streams(run->listed) == 0 && !run->options.input.decode)
        cpr_compress_judge(run);
    return status;
}

const cpr_file_list *cpr_compress_corpus(const cpr_compress_run *run)
{
    return run->decoded != NULL ? run->decoded : run->listed;
}

cpr_status cpr_compress_take_inputs(cpr_compress_run *run, const cpr_input_records *records,
                                    cpr_error *error)
{
    cpr_listener listener = run->listener;
    const cpr_list_options how = list_options(&run->options.input, &listener);
    cpr_document_choice documents;
    cpr_status status = cpr_document_choice_parse(run->options.documents, &documents, error);
    if (status == CPR_OK)
        status = cpr_file_list_decode(run->listed, records, &how, &run->decoded, error);
    if (status == CPR_OK)
        status = cpr_file_list_set_documents(run->decoded, &documents, error);
    if (status == CPR_OK && cpr_file_list_streams(run->listed) == 0)
        cpr_compress_judge(run);
    return status;
}

void cpr_compress_judge(const cpr_compress_run *run)
{
    cpr_listener listener = run->listener;
    const cpr_list_options how = list_options(&run->options.input, &listener);
    cpr_file_list_judge(cpr_compress_corpus(run), &how);
    cpr_file_list_judge_compressed(cpr_compress_corpus(run), &how);
}

cpr_status cpr_compress_list(cpr_compress_run *run, cpr_error *error)
{
    const cpr_listener *listener = &run->listener;
    const cpr_status status = cpr_compress_on_first(run, list_for_run, error);
    if (status != CPR_OK)
        return status;
    char *hosts = cpr_ranks_hosts(run->ranks);
    if (cpr_ranks_is_first(run->ranks) && listener->corpus != NULL) {
        const cpr_corpus_facts facts = {.files = cpr_file_list_count(run->listed),
                                        .raw_bytes = cpr_file_list_bytes(run->listed),
                                        .ranks = cpr_ranks_size(run->ranks),
                                        .hosts = hosts,
                                        .kernel = cpr_model_kernel(),
                                        .blas = cpr_model_blas(run->options.profile)};
        listener->corpus(listener->context, &facts);
    }
    free(hosts);
    return CPR_OK;
}

/* ---- what it would need ------------------------------------------------------------------------
 */

cpr_scan_options cpr_compress_scan_options(const cpr_input *input)
{
    return (cpr_scan_options){.decoding.text_column = input->text_column,
                              .limit = input->decode_limit,
                              .keep_damaged = input->keep_damaged};
}

/* Looks into all inputs, and puts the list of what they hold in place of *files. */
static cpr_status plan_decode(const cpr_input *input, const cpr_list_options *how,
                              cpr_file_list **files, cpr_error *error)
{
    cpr_scan_options options = cpr_compress_scan_options(input);
    cpr_input_records records = {.bytes = NULL};
    cpr_file_list *decoded = NULL;
    cpr_status status = CPR_OK;
    options.poll = poll_stop;
    for (uint64_t i = 0; status == CPR_OK && i < cpr_file_list_count(*files); i++)
        if (cpr_file_list_is_input(*files, i))
            status = cpr_file_list_scan(*files, i, &options, &records, error);
    if (status == CPR_OK)
        status = cpr_file_list_decode(*files, &records, how, &decoded, error);
    cpr_input_records_free(&records);
    if (status != CPR_OK)
        return status;
    cpr_file_list_free(*files);
    *files = decoded;
    return CPR_OK;
}

cpr_status cpr_compress_list_alone(const cpr_compress_options *options,
                                   const cpr_listener *listener, cpr_file_list **files,
                                   cpr_error *error)
{
    cpr_listener told = listener != NULL ? *listener : (cpr_listener){.context = NULL};
    const cpr_list_options how = list_options(&options->input, &told);
    cpr_status status = list_corpus(options, &told, files, error);
    for (size_t i = 0; status == CPR_OK && i < cpr_file_list_streams(*files); i++)
        status = cpr_file_list_count_stream(*files, i, poll_stop, NULL, error);
    if (status == CPR_OK && options->input.decode)
        status = plan_decode(&options->input, &how, files, error);
    if (status == CPR_OK) {
        cpr_file_list_judge(*files, &how);
        cpr_file_list_judge_compressed(*files, &how);
    }
    return status;
}

cpr_plan cpr_compress_plan_of(const cpr_compress_options *options, const cpr_file_list *files)
{
    const uint64_t bytes = cpr_file_list_bytes(files);
    const uint64_t shard_bytes =
        options->shard_bytes > 0 ? options->shard_bytes : CPR_SHARD_BYTES_DEFAULT;
    return (cpr_plan){.files = cpr_file_list_count(files),
                      .raw_bytes = bytes,
                      .shards = cpr_plan_shards(bytes, shard_bytes),
                      .primer_bytes =
                          options->no_primer ? 0 : cpr_plan_primer_bytes(bytes, shard_bytes),
                      .no_lesson = options->no_lesson,
                      .lesson_bytes = options->lesson_bytes};
}

cpr_status cpr_plan_make(const cpr_compress_options *options, const cpr_listener *listener,
                         cpr_plan *plan, cpr_error *error)
{
    cpr_file_list *files = NULL;
    const cpr_status status = cpr_compress_list_alone(options, listener, &files, error);
    if (status == CPR_OK)
        *plan = cpr_compress_plan_of(options, files);
    cpr_file_list_free(files);
    return status;
}

void cpr_plan_memory(const cpr_plan *plan, const cpr_profile *profile, uint64_t *each,
                     uint64_t *shared)
{
    const uint64_t largest = plan->shards > 0 ? plan->raw_bytes / plan->shards + SEARCH_BYTES : 0;
    uint32_t streams;
    const uint64_t lesson_bytes = cpr_plan_lesson(plan, profile, &streams);
    const cpr_profile *after = cpr_profile_after_lesson(profile, plan->raw_bytes, lesson_bytes);
    const uint64_t lesson = cpr_compress_lesson_memory(after, lesson_bytes);
    *each = cpr_codec_memory(after, plan->primer_bytes + largest);
    if (*each < lesson)
        *each = lesson;
    *shared =
        plan->primer_bytes > 0 ? cpr_codec_base_memory(after, plan->primer_bytes + largest) : 0;
}
