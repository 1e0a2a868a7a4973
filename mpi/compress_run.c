/* compress_run.c - from a corpus to an archive: the order of the steps.
 *
 * What the archive holds is a function of the file list and the options alone: no step may depend
 * on the number of ranks or on which rank did what. */
#include "compress_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void cpr_compress_phase(const cpr_compress_run *run, const char *name)
{
    if (run->ranks->rank == 0 && run->listener && run->listener->phase)
        run->listener->phase(run->listener->context, name);
}

/* Rank 0's look at where the archive is to go. */
static cpr_status check_output(const cpr_compress_options *options, cpr_error *error)
{
    char shown[512];
    const char *path = options->archive_path;
    cpr_printable_path(path, shown, sizeof shown);
    struct stat facts;
    if (lstat(path, &facts) == 0) {
        if (S_ISDIR(facts.st_mode))
            return cpr_fail(error, CPR_ERR_EXISTS, "%s is a directory", shown);
        if (!options->overwrite)
            return cpr_fail(error, CPR_ERR_EXISTS, "%s exists; use --force to replace it", shown);
    }
    const char *slash = strrchr(path, '/');
    if (slash && slash[1] == '\0')
        return cpr_fail(error, CPR_ERR_USAGE, "%s names a directory, not an archive", shown);
    char *directory = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
    if (slash && !directory)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a path");
    const int code = access(directory ? directory : ".", W_OK | X_OK) ? errno : 0;
    free(directory);
    return code ? cpr_fail_errno(error, code, "cannot create files beside %s", shown) : CPR_OK;
}

cpr_status cpr_compress_check_output(cpr_ranks *ranks, const cpr_compress_options *options,
                                     cpr_error *error)
{
    const cpr_status status = ranks->rank == 0 ? check_output(options, error) : CPR_OK;
    return cpr_ranks_agree(ranks, status, error);
}

/* Rank 0 makes an empty work directory, the others open it. */
static cpr_status open_work(cpr_compress_run *run, cpr_error *error)
{
    const char *path = run->options->archive_path;
    cpr_status status = CPR_OK;
    const size_t room = strlen(path) + 64;
    run->temporary_path = malloc(room);
    if (!run->temporary_path)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a path");
    else
        snprintf(run->temporary_path, room, "%s.work/archive.tmp", path);
    if (status == CPR_OK && run->ranks->rank == 0) {
        status = cpr_work_dir_remove(path, NULL, error);
        if (status == CPR_OK)
            status = cpr_work_dir_open(path, true, &run->work, error);
    }
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK && run->ranks->rank != 0)
        status = cpr_work_dir_open(path, false, &run->work, error);
    return cpr_ranks_agree(run->ranks, status, error);
}

static cpr_status share_files(cpr_compress_run *run, const cpr_file_list *files, cpr_error *error)
{
    uint8_t *packed = NULL;
    size_t bytes = 0;
    cpr_status status = CPR_OK;
    if (run->ranks->rank == 0) {
        packed = cpr_file_list_pack(files, &bytes);
        if (!packed)
            status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the list of files");
    }
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK)
        status = cpr_ranks_broadcast(run->ranks, &packed, &bytes, error);
    if (status == CPR_OK)
        status = cpr_file_list_unpack(packed, bytes, &run->files, error);
    free(packed);
    return cpr_ranks_agree(run->ranks, status, error);
}

/* Each rank looks for the line ends of every size-th shard. */
static cpr_status plan(cpr_compress_run *run, cpr_error *error)
{
    cpr_status status = CPR_OK;
    run->corpus_bytes = cpr_file_list_bytes(run->files);
    run->shard_count = cpr_plan_shards(run->corpus_bytes, run->options->shard_bytes);
    const uint64_t count = run->shard_count;
    run->starts = calloc((size_t)count + 1, sizeof *run->starts);
    cpr_corpus_reader *reader = cpr_corpus_reader_create(run->files);
    if (!run->starts || !reader)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a plan of %llu shards",
                          (unsigned long long)count);
    for (uint64_t i = (uint64_t)run->ranks->rank; status == CPR_OK && i <= count;
         i += (uint64_t)run->ranks->size)
        status = cpr_plan_start(reader, run->files, count, i, &run->starts[i], error);
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(reader, error);
    cpr_corpus_reader_free(reader);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status != CPR_OK)
        return status;
    cpr_ranks_maximum(run->ranks, run->starts, (size_t)count + 1);
    for (uint64_t i = 0; i < count; i++)
        if (run->starts[i + 1] - run->starts[i] > run->largest)
            run->largest = run->starts[i + 1] - run->starts[i];
    return CPR_OK;
}

static void free_run(cpr_compress_run *run)
{
    cpr_work_dir_close(run->work);
    cpr_vocabulary_free(run->vocabulary);
    free(run->packed_vocabulary);
    free(run->starts);
    free(run->temporary_path);
    cpr_file_list_free(run->files);
}

cpr_status cpr_compress(cpr_ranks *ranks, const cpr_file_list *files,
                        const cpr_compress_options *options, const cpr_listener *listener,
                        cpr_compress_totals *totals, cpr_error *error)
{
    cpr_compress_run run = {.ranks = ranks, .options = options, .listener = listener};
    uint64_t archive_bytes = 0;
    bool work_begun = false;
    cpr_status status = cpr_compress_check_output(ranks, options, error);
    if (status == CPR_OK) {
        work_begun = true;
        status = open_work(&run, error);
    }
    if (status == CPR_OK)
        status = share_files(&run, files, error);
    if (status == CPR_OK)
        status = plan(&run, error);
    if (status == CPR_OK)
        status = cpr_compress_vocabulary(&run, error);
    if (status == CPR_OK)
        status = cpr_compress_shards(&run, error);
    if (status == CPR_OK)
        status = cpr_compress_publish(&run, &archive_bytes, error);
    if (status == CPR_OK && totals && ranks->rank == 0)
        *totals = (cpr_compress_totals){.files = cpr_file_list_count(run.files),
                                        .shards = run.shard_count,
                                        .raw_bytes = run.corpus_bytes,
                                        .archive_bytes = archive_bytes,
                                        .tokens = cpr_vocabulary_tokens(run.vocabulary)};
    free_run(&run);
    /* The archive holds all that the work directory held, or nothing there is of use. A failure to
     * clean up must not hide why the run failed. */
    if (work_begun && ranks->rank == 0) {
        cpr_error cleanup = {.text = ""};
        const cpr_status removed = cpr_work_dir_remove(options->archive_path, NULL, &cleanup);
        if (status == CPR_OK && removed != CPR_OK)
            status = cpr_fail(error, removed, "the archive is complete, but %s", cleanup.text);
    }
    return cpr_ranks_agree(ranks, status, error);
}
