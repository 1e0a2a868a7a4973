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
    if (cpr_ranks_rank(run->ranks) == 0 && run->listener != NULL && run->listener->phase != NULL)
        run->listener->phase(run->listener->context, name);
}

/* What an interrupted run left may be of a run that had its archive already. */
static bool work_exists(const char *path)
{
    cpr_work_dir *work = NULL;
    const bool exists = cpr_work_dir_open(path, false, &work, NULL) == CPR_OK;
    cpr_work_dir_close(work);
    return exists;
}

/* What a path that is no file leads to, or NULL. */
static const char *kind_of_other(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) != 0 || S_ISREG(facts.st_mode))
        return NULL;
    return S_ISDIR(facts.st_mode)    ? "directory"
           : S_ISFIFO(facts.st_mode) ? "pipe"
           : S_ISSOCK(facts.st_mode) ? "socket"
                                     : "device";
}

/* Names such as /dev/stdout are links to what a shell has opened. */
static bool is_of_system(const char *directory)
{
    char *resolved = realpath(directory, NULL);
    const bool found =
        resolved != NULL && (strcmp(resolved, "/dev") == 0 || strncmp(resolved, "/proc/", 6) == 0);
    free(resolved);
    return found;
}

/* Rank 0's look at where the archive is to go. */
static cpr_status check_output(const cpr_compress_options *options, cpr_error *error)
{
    char shown[512];
    const char *path = options->archive_path;
    cpr_printable_path(path, shown, sizeof shown);
    struct stat facts;
    if (*path && path[strlen(path) - 1] == '/')
        return cpr_fail(error, CPR_ERR_USAGE, "%s names a directory, not an archive", shown);
    const char *other = kind_of_other(path);
    if (other != NULL)
        return cpr_fail(error, CPR_ERR_EXISTS, "%s is a %s, not a file that can be replaced", shown,
                        other);
    if (lstat(path, &facts) == 0 && !options->overwrite && !work_exists(path))
        return cpr_fail(error, CPR_ERR_EXISTS, "%s exists; use --force to replace it", shown);
    const char *slash = strrchr(path, '/');
    char *directory =
        slash != NULL ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
    if (slash != NULL && directory == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a path");
    const int code = access(directory != NULL ? directory : ".", W_OK | X_OK) ? errno : 0;
    const bool of_system = is_of_system(directory != NULL ? directory : ".");
    free(directory);
    if (of_system)
        return cpr_fail(error, CPR_ERR_EXISTS, "%s is not a place for files", shown);
    return code ? cpr_fail_errno(error, code, "cannot create files beside %s", shown) : CPR_OK;
}

cpr_status cpr_compress_check_output(cpr_ranks *ranks, const cpr_compress_options *options,
                                     cpr_error *error)
{
    const cpr_status status = cpr_ranks_rank(ranks) == 0 ? check_output(options, error) : CPR_OK;
    return cpr_ranks_agree(ranks, status, error);
}

uint64_t cpr_compress_primer_bytes(const cpr_compress_options *options, const cpr_file_list *files)
{
    if (options->no_primer)
        return 0;
    return cpr_plan_primer_bytes(cpr_file_list_bytes(files), options->shard_bytes);
}

static cpr_status share_files(cpr_compress_run *run, const cpr_file_list *files, cpr_error *error)
{
    uint8_t *packed = NULL;
    size_t bytes = 0;
    cpr_status status = CPR_OK;
    if (cpr_ranks_rank(run->ranks) == 0) {
        packed = cpr_file_list_pack(files, &bytes);
        if (packed == NULL)
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
static cpr_status find_starts(cpr_compress_run *run, cpr_error *error)
{
    const uint64_t count = run->shard_count;
    cpr_status status = CPR_OK;
    cpr_corpus_reader *reader = cpr_corpus_reader_create(run->files);
    if (reader == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the corpus");
    for (uint64_t i = (uint64_t)cpr_ranks_rank(run->ranks); status == CPR_OK && i <= count;
         i += (uint64_t)cpr_ranks_size(run->ranks)) {
        status = cpr_plan_start(reader, run->files, count, i, &run->starts[i], error);
        if (status == CPR_OK)
            status = cpr_stop_check(error);
    }
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(reader, error);
    cpr_corpus_reader_free(reader);
    return status;
}

/* Where the shards start: found now, or as the manifest says. */
static cpr_status plan(cpr_compress_run *run, cpr_error *error)
{
    cpr_status status = CPR_OK;
    run->corpus_bytes = cpr_file_list_bytes(run->files);
    run->shard_count = cpr_plan_shards(run->corpus_bytes, run->options->shard_bytes);
    run->primer_sample_bytes = cpr_compress_primer_bytes(run->options, run->files);
    const size_t count = (size_t)run->shard_count;
    run->starts = calloc(count + 1, sizeof *run->starts);
    if (run->starts == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a plan of %zu shards", count);
    else if (run->state == CPR_WORK_NEW)
        status = find_starts(run, error);
    else if (cpr_ranks_rank(run->ranks) == 0 && run->manifest.shard_count != run->shard_count)
        status = cpr_fail(error, CPR_ERR_DAMAGED,
                          "the manifest's shards are not those of the "
                          "corpus; --restart throws them away");
    else if (cpr_ranks_rank(run->ranks) == 0)
        memcpy(run->starts, run->manifest.starts, (count + 1) * sizeof *run->starts);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status != CPR_OK)
        return status;
    cpr_ranks_maximum(run->ranks, run->starts, count + 1);
    /* Every rank has `starts`, or they would have agreed on a failure. */
    for (size_t i = 0; run->starts != NULL && i < count; i++)
        if (run->starts[i + 1] - run->starts[i] > run->largest)
            run->largest = run->starts[i + 1] - run->starts[i];
    return CPR_OK;
}

static void free_run(cpr_compress_run *run)
{
    cpr_codec_free(run->codec);
    cpr_primed_close(run->primed);
    cpr_work_dir_close(run->work);
    cpr_vocabulary_free(run->vocabulary);
    free(run->packed_vocabulary);
    free(run->sample);
    free(run->noise);
    free(run->changes);
    free(run->todo);
    free(run->starts);
    cpr_file_list_free(run->files);
    cpr_manifest_free(&run->manifest);
}

static cpr_status check_memory(cpr_compress_run *run, cpr_error *error)
{
    const bool primer = run->primer_sample_bytes > 0; /* then every rank makes a codec */
    return cpr_ranks_check_memory(run->ranks, run->options->profile,
                                  run->primer_sample_bytes + run->largest, primer,
                                  primer ? UINT64_MAX : run->shard_count, run->listener, error);
}

/* All steps from the list of files to the archive. Between two steps is a place to stop. */
static cpr_status make_archive(cpr_compress_run *run, uint64_t *archive_bytes, cpr_error *error)
{
    typedef cpr_status step(cpr_compress_run * run, cpr_error * error);
    static step *const steps[] = {plan,
                                  check_memory,
                                  cpr_compress_vocabulary,
                                  cpr_compress_begin,
                                  cpr_compress_find_todo,
                                  cpr_compress_primer,
                                  cpr_compress_shards};
    cpr_status status = CPR_OK;
    for (size_t i = 0; status == CPR_OK && i < sizeof steps / sizeof *steps; i++) {
        status = steps[i](run, error);
        if (status == CPR_OK)
            status = cpr_ranks_agree(run->ranks, cpr_stop_check(error), error);
    }
    return status == CPR_OK ? cpr_compress_publish(run, archive_bytes, error) : status;
}

cpr_status cpr_compress(cpr_ranks *ranks, cpr_file_list *files, const cpr_compress_options *options,
                        const cpr_listener *listener, cpr_compress_totals *totals, cpr_error *error)
{
    cpr_compress_run run = {
        .ranks = ranks, .options = options, .listener = listener, .unread_stream = SIZE_MAX};
    uint64_t archive_bytes = 0;
    cpr_status status = cpr_compress_check_output(ranks, options, error);
    if (status == CPR_OK)
        status = cpr_ranks_self_test(ranks, options->profile, error);
    run.fingerprint = cpr_ranks_fingerprint(ranks);
    if (status == CPR_OK)
        status = cpr_compress_open_work(&run, files, error);
    if (status == CPR_OK)
        status = share_files(&run, run.manifest.files != NULL ? run.manifest.files : files, error);
    if (status == CPR_OK && run.state == CPR_WORK_DONE)
        status = cpr_compress_check_archive(&run, options->archive_path, &archive_bytes, error);
    else if (status == CPR_OK)
        status = make_archive(&run, &archive_bytes, error);
    if (status == CPR_OK && totals != NULL && cpr_ranks_rank(ranks) == 0)
        *totals = (cpr_compress_totals){
            .files = cpr_file_list_count(run.files),
            .shards = cpr_plan_shards(cpr_file_list_bytes(run.files), options->shard_bytes),
            .raw_bytes = cpr_file_list_bytes(run.files),
            .archive_bytes = archive_bytes,
            .tokens = run.vocabulary != NULL ? cpr_vocabulary_tokens(run.vocabulary) : 0};
    free_run(&run);
    /* No rank has anything open in the work directory from here on. */
    status = cpr_ranks_agree(ranks, status, error);
    if (cpr_ranks_rank(ranks) == 0)
        status = cpr_compress_close_work(&run, status, error);
    return cpr_ranks_agree(ranks, status, error);
}
