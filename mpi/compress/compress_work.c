/* compress_work.c - the work directory of a job: begins, goes on, ends. */
#include "compress_work.h"

#include "compress_progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void cpr_compress_work_close(cpr_compress_work *work)
{
    cpr_work_dir_close(work->dir);
    work->dir = NULL;
}

void cpr_compress_work_free(cpr_compress_work *work)
{
    cpr_manifest_free(&work->manifest);
    free(work->todo);
    work->todo = NULL;
}

/* A cpr_warn_fn. */
static void work_tell(void *context, const char *text)
{
    cpr_compress_note(context, "%s", text);
}

/* ---- rank 0: whose work it is -------------------------------------------------------------- */

static cpr_status work_open_locked(cpr_compress_run *run, cpr_error *error)
{
    cpr_status status = CPR_ERR_NOT_FOUND;
    /* Another job may finish and remove the directory in between. */
    for (int attempt = 0; status == CPR_ERR_NOT_FOUND && attempt < 100; attempt++) {
        status = cpr_work_dir_open(run->options.archive_path, true, &run->work.dir, error);
        if (status == CPR_OK)
            status = cpr_work_lock_take(run->work.dir, work_tell, run, &run->work.lock, error);
        if (status != CPR_OK) {
            cpr_work_dir_close(run->work.dir);
            run->work.dir = NULL;
        }
    }
    return status;
}

static cpr_status work_throw_away(cpr_compress_run *run, cpr_error *error)
{
    cpr_work_scan scan;
    cpr_status status = cpr_work_dir_scan(run->work.dir, &scan, NULL, 0, error);
    if (status == CPR_OK)
        status = cpr_work_dir_clear(run->work.dir, true, error);
    if (status == CPR_OK && scan.streams)
        cpr_compress_note(run, "--restart: what %llu pipes gave is thrown away",
                          (unsigned long long)scan.streams);
    if (status == CPR_OK &&
        (scan.manifest || scan.shards || scan.snapshots || scan.primer || scan.lesson))
        cpr_compress_note(run,
                          "--restart: %llu finished shards and %llu snapshots are thrown away "
                          "(%llu bytes)",
                          (unsigned long long)scan.shards, (unsigned long long)scan.snapshots,
                          (unsigned long long)scan.bytes);
    return status;
}

/* The job as its manifest describes it, without what is made from the corpus. */
static cpr_manifest manifest_describe(const cpr_compress_run *run, const cpr_file_list *files)
{
    const cpr_profile *profile = run->options.profile;
    const uint64_t lesson_bytes = cpr_compress_lesson_bytes(&run->options, files);
    cpr_manifest job = {.shard_bytes = run->options.shard_bytes,
                        .primer_bytes = cpr_compress_primer_bytes(&run->options, files),
                        .lesson_bytes = lesson_bytes,
                        .fingerprint = cpr_ranks_fingerprint(run->ranks),
                        .files = files};
    cpr_codec_descriptor(
        cpr_profile_after_lesson(profile, cpr_file_list_bytes(files), lesson_bytes), job.model);
    strncpy(job.profile, cpr_profile_name(profile), sizeof job.profile - 1);
    return job;
}

/* The manifest is of another job; says in *error what it would cost to do without it. */
static void manifest_add_cost(const cpr_compress_run *run, cpr_error *error)
{
    cpr_work_scan scan;
    const size_t used = strlen(error->text);
    if (cpr_work_dir_scan(run->work.dir, &scan, NULL, 0, NULL) == CPR_OK)
        snprintf(error->text + used, sizeof error->text - used,
                 "; --restart gives up what is done, %llu of %llu shards",
                 (unsigned long long)scan.shards,
                 (unsigned long long)run->work.manifest.shard_count);
}

/* Whether this is the job that the manifest is of, and what was touched since it began. */
static cpr_status manifest_compare_with_corpus(cpr_compress_run *run, cpr_error *error)
{
    const cpr_file_list *files = cpr_compress_corpus(run);
    const cpr_manifest now = manifest_describe(run, files);
    cpr_status status = cpr_compress_streams_lost(run, error);
    if (status == CPR_OK)
        status = cpr_manifest_compare(&run->work.manifest, &now, error);
    if (status == CPR_ERR_CHANGED)
        manifest_add_cost(run, error);
    if (status != CPR_OK)
        return status;
    run->work.begun = true;
    run->plan.changes = calloc((size_t)cpr_file_list_count(files) + 1, sizeof *run->plan.changes);
    if (run->plan.changes == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to compare the corpus");
    cpr_manifest_find_touched(&run->work.manifest, &now, run->plan.changes);
    return CPR_OK;
}

/* A cpr_compress_step of rank 0. */
static cpr_status work_decide(cpr_compress_run *run, cpr_error *error)
{
    const char *path = run->options.archive_path;
    char shown[512];
    struct stat facts;
    bool published = false;
    cpr_status status = cpr_work_is_published(run->work.dir, path, &published, error);
    if (status != CPR_OK)
        return status;
    status = cpr_manifest_read(run->work.dir, &run->work.manifest, error);
    if (status == CPR_OK) {
        status = manifest_compare_with_corpus(run, error);
        run->work.state = CPR_WORK_GOES_ON;
    } else if (status == CPR_ERR_NOT_FOUND) {
        /* Nobody knows what shards without a manifest are. */
        status = published ? CPR_OK : cpr_work_dir_clear(run->work.dir, false, error);
        run->work.state = CPR_WORK_NEW;
    }
    if (status == CPR_OK && published)
        run->work.state = CPR_WORK_DONE;
    else if (status == CPR_OK && !run->options.overwrite && lstat(path, &facts) == 0)
        status = cpr_fail(error, CPR_ERR_EXISTS, "%s exists; use --force to replace it",
                          cpr_printable_path(path, shown, sizeof shown));
    return status;
}

/* A cpr_compress_step of rank 0. */
static cpr_status work_open_tidy(cpr_compress_run *run, cpr_error *error)
{
    const cpr_status status = work_open_locked(run, error);
    if (status != CPR_OK)
        return status;
    return run->options.restart ? work_throw_away(run, error)
                                : cpr_work_dir_tidy(run->work.dir, error);
}

cpr_status cpr_compress_open(cpr_compress_run *run, cpr_error *error)
{
    return cpr_compress_on_first(run, work_open_tidy, error);
}

cpr_status cpr_compress_decide(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_work *work = &run->work;
    cpr_status status = cpr_compress_on_first(run, work_decide, error);
    if (status == CPR_OK && work->dir == NULL)
        status = cpr_work_dir_open(run->options.archive_path, false, &work->dir, error);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK)
        cpr_ranks_tell(run->ranks, &work->state, sizeof work->state);
    return status;
}

cpr_status cpr_compress_write_manifest(cpr_compress_run *run, cpr_error *error)
{
    const cpr_compress_plan *plan = &run->plan;
    cpr_manifest manifest = manifest_describe(run, plan->files);
    manifest.primer_text_bytes = plan->primer_bytes;
    manifest.shard_count = plan->shard_count;
    manifest.starts = plan->starts;
    manifest.sample = plan->sample;
    manifest.sample_count = plan->sample_count;
    manifest.vocabulary = run->engine.packed_vocabulary;
    manifest.vocabulary_bytes = run->engine.packed_vocabulary_bytes;
    return cpr_manifest_write(run->work.dir, &manifest, error);
}

/* A cpr_compress_step of rank 0. */
static cpr_status work_begin(cpr_compress_run *run, cpr_error *error)
{
    const cpr_status status = cpr_compress_write_manifest(run, error);
    run->work.begun = status == CPR_OK;
    return status;
}

cpr_status cpr_compress_begin(cpr_compress_run *run, cpr_error *error)
{
    return run->work.state == CPR_WORK_NEW ? cpr_compress_on_first(run, work_begin, error) : CPR_OK;
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Whether the next run can use what a run that did not succeed leaves. */
static bool work_is_worth_keeping(const cpr_compress_run *run, const cpr_work_scan *scan,
                                  cpr_status status)
{
    if (scan->published || scan->shards > 0 || scan->snapshots > 0 || scan->primer ||
        scan->lesson || scan->streams || scan->inputs)
        return true;
    /* Another job's, or a plan and a vocabulary. */
    return scan->manifest && (!run->work.begun || status == CPR_STOPPED);
}

cpr_status cpr_compress_close(cpr_compress_run *run, cpr_status status, cpr_error *error)
{
    const char *path = run->options.archive_path;
    cpr_error detail = {.text = ""};
    cpr_work_scan scan = {.manifest = true};
    cpr_work_dir *dir = NULL;
    if (run->work.lock == NULL)
        return status;
    if (status == CPR_OK) {
        const cpr_status removed = cpr_work_dir_remove(path, run->work.lock, &detail);
        run->work.lock = NULL;
        if (removed != CPR_OK)
            cpr_compress_warn(run, "the archive is complete, but %s", detail.text);
        return status;
    }
    if (cpr_work_lock_lost(run->work.lock) ||
        cpr_work_dir_open(path, false, &dir, &detail) != CPR_OK ||
        cpr_work_dir_scan(dir, &scan, NULL, 0, &detail) != CPR_OK ||
        work_is_worth_keeping(run, &scan, status)) {
        const size_t used = strlen(error->text);
        if (run->work.begun && status != CPR_ERR_BUSY)
            snprintf(error->text + used, sizeof error->text - used,
                     "; %llu of %llu shards are done%s", (unsigned long long)scan.shards,
                     (unsigned long long)run->plan.shard_count,
                     status == CPR_ERR_CHANGED ? "" : ", the same command goes on");
        else if (scan.streams && status != CPR_ERR_CHANGED && status != CPR_ERR_BUSY)
            snprintf(error->text + used, sizeof error->text - used,
                     "; what %llu pipes gave is kept, the same command goes on with it",
                     (unsigned long long)scan.streams);
        cpr_work_lock_release(run->work.lock);
    } else {
        (void)cpr_work_dir_remove(path, run->work.lock, &detail);
    }
    run->work.lock = NULL;
    cpr_work_dir_close(dir);
    return status;
}
