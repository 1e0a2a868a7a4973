/* compress_work.c - the work directory of a job: begins, goes on, ends. */
#include "compress_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void cpr_compress_note(const cpr_compress_run *run, const char *format, ...)
{
    cpr_error note;
    va_list arguments;
    if (run->ranks->rank != 0 || !run->listener || !run->listener->note)
        return;
    va_start(arguments, format);
    vsnprintf(note.text, sizeof note.text, format, arguments);
    va_end(arguments);
    run->listener->note(run->listener->context, note.text);
}

/* A cpr_warn_fn. */
static void tell(void *context, const char *text)
{
    cpr_compress_note(context, "%s", text);
}

/* ---- rank 0: whose work it is -------------------------------------------------------------- */

static cpr_status open_locked(cpr_compress_run *run, cpr_error *error)
{
    cpr_status status = CPR_ERR_NOT_FOUND;
    /* Another job may finish and remove the directory in between. */
    for (int attempt = 0; status == CPR_ERR_NOT_FOUND && attempt < 100; attempt++) {
        status = cpr_work_dir_open(run->options->archive_path, true, &run->work, error);
        if (status == CPR_OK)
            status = cpr_work_lock_take(run->work, tell, run, &run->lock, error);
        if (status != CPR_OK) {
            cpr_work_dir_close(run->work);
            run->work = NULL;
        }
    }
    return status;
}

static cpr_status throw_away(cpr_compress_run *run, cpr_error *error)
{
    cpr_work_scan scan;
    cpr_status status = cpr_work_dir_scan(run->work, &scan, NULL, 0, error);
    if (status == CPR_OK)
        status = cpr_work_dir_clear(run->work, error);
    if (status == CPR_OK && (scan.manifest || scan.shards || scan.snapshots || scan.primer))
        cpr_compress_note(run,
                          "--restart: %llu finished shards and %llu snapshots are thrown away "
                          "(%llu bytes)",
                          (unsigned long long)scan.shards, (unsigned long long)scan.snapshots,
                          (unsigned long long)scan.bytes);
    return status;
}

static void describe_job(const cpr_compress_run *run, const cpr_file_list *files,
                         cpr_manifest *manifest)
{
    const cpr_profile *profile = run->options->profile;
    *manifest = (cpr_manifest){.profile_version = cpr_profile_version(profile),
                               .shard_bytes = run->options->shard_bytes,
                               .primer_bytes = cpr_compress_primer_bytes(run->options, files),
                               .fingerprint = run->fingerprint};
    strncpy(manifest->profile, cpr_profile_name(profile), sizeof manifest->profile - 1);
    /* Only read: the manifest does not own it. */
    manifest->files = (cpr_file_list *)(uintptr_t)files;
}

static cpr_status decide(cpr_compress_run *run, const cpr_file_list *files, cpr_error *error)
{
    const char *path = run->options->archive_path;
    char shown[512];
    struct stat facts;
    cpr_manifest now;
    cpr_status status =
        run->options->restart ? throw_away(run, error) : cpr_work_dir_tidy(run->work, error);
    if (status != CPR_OK)
        return status;
    const bool published = cpr_work_is_published(run->work, path);
    status = cpr_manifest_read(run->work, &run->manifest, error);
    if (status == CPR_OK) {
        describe_job(run, files, &now);
        status = cpr_manifest_compare(&run->manifest, &now, error);
        run->begun = status == CPR_OK;
        run->state = CPR_WORK_GOES_ON;
    } else if (status == CPR_ERR_NOT_FOUND) {
        /* Nobody knows what shards without a manifest are. */
        status = published ? CPR_OK : cpr_work_dir_clear(run->work, error);
        run->state = CPR_WORK_NEW;
    }
    if (status == CPR_OK && published)
        run->state = CPR_WORK_DONE;
    else if (status == CPR_OK && !run->options->overwrite && lstat(path, &facts) == 0)
        status = cpr_fail(error, CPR_ERR_EXISTS, "%s exists; use --force to replace it",
                          cpr_printable_path(path, shown, sizeof shown));
    return status;
}

cpr_status cpr_compress_open_work(cpr_compress_run *run, const cpr_file_list *files,
                                  cpr_error *error)
{
    cpr_status status = CPR_OK;
    if (run->ranks->rank == 0) {
        status = open_locked(run, error);
        if (status == CPR_OK)
            status = decide(run, files, error);
    }
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK && run->ranks->rank != 0)
        status = cpr_work_dir_open(run->options->archive_path, false, &run->work, error);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status != CPR_OK)
        return status;
    uint64_t state = (uint64_t)run->state;
    cpr_ranks_maximum(run->ranks, &state, 1);
    run->state = (cpr_work_state)state;
    return CPR_OK;
}

cpr_status cpr_compress_begin(cpr_compress_run *run, cpr_error *error)
{
    cpr_status status = CPR_OK;
    if (run->ranks->rank == 0 && run->state == CPR_WORK_NEW) {
        cpr_manifest manifest;
        describe_job(run, run->files, &manifest);
        manifest.shard_count = run->shard_count;
        manifest.starts = run->starts;
        manifest.sample = run->sample;
        manifest.sample_count = run->sample_count;
        manifest.vocabulary = run->packed_vocabulary;
        manifest.vocabulary_bytes = run->packed_vocabulary_bytes;
        status = cpr_manifest_write(run->work, &manifest, error);
        run->begun = status == CPR_OK;
    }
    return cpr_ranks_agree(run->ranks, status, error);
}

/* ---- what is done -------------------------------------------------------------------------- */

enum { SHARD_DONE = 4, SHARD_DAMAGED = 8 };

/* Whether a finished shard is whole, and of this job. */
static cpr_status look_at_shard(const cpr_compress_run *run, uint64_t shard, bool *good,
                                uint64_t *coded_bytes, cpr_error *error)
{
    cpr_shard_info info;
    cpr_error detail = {.text = ""};
    size_t files = 0;
    cpr_status status = cpr_work_shard_check(run->work, shard, &info, &files, &detail);
    if (status == CPR_ERR_NO_MEMORY)
        return cpr_fail(error, status, "%s", detail.text);
    const uint64_t start = run->starts[shard];
    const uint64_t end = run->starts[shard + 1];
    *good = status == CPR_OK && info.offset == start && info.raw_bytes == end - start &&
            info.generation == (run->primer_bytes > 0) &&
            files ==
                cpr_file_list_find(run->files, end - 1) - cpr_file_list_find(run->files, start) + 1;
    *coded_bytes = *good ? info.coded_bytes : 0;
    return *good ? CPR_OK : cpr_work_shard_drop(run->work, shard, error);
}

/* Each rank looks at every size-th shard. */
static cpr_status look_at_shards(const cpr_compress_run *run, uint64_t *marks, uint64_t *coded,
                                 cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (uint64_t i = (uint64_t)run->ranks->rank; status == CPR_OK && i < run->shard_count;
         i += (uint64_t)run->ranks->size) {
        bool good = false;
        if (!(marks[i] & CPR_WORK_HAS_SHARD))
            continue;
        status = look_at_shard(run, i, &good, &coded[i], error);
        marks[i] |= good ? SHARD_DONE : SHARD_DAMAGED;
        if (status == CPR_OK)
            status = cpr_stop_check(error);
    }
    return cpr_ranks_agree(run->ranks, status, error);
}

/* From the marks to the list, and what rank 0 says about it. */
static void sum_up(cpr_compress_run *run, const uint64_t *marks, const uint64_t *coded)
{
    uint64_t snapshots = 0;
    for (int pass = 0; pass < 2; pass++)
        for (uint64_t i = 0; i < run->shard_count; i++)
            if (!(marks[i] & SHARD_DONE) && (pass == 0) == !!(marks[i] & CPR_WORK_HAS_SNAPSHOT))
                run->todo[run->todo_count++] = i;
    for (uint64_t i = 0; i < run->shard_count; i++) {
        if (marks[i] & SHARD_DAMAGED)
            cpr_compress_note(run, "the file of shard %llu was damaged; the shard is coded again",
                              (unsigned long long)i);
        if (marks[i] & SHARD_DONE) {
            run->earlier.items_done++;
            run->earlier.raw_bytes += run->starts[i + 1] - run->starts[i];
            run->earlier.coded_bytes += coded[i];
            cpr_work_snapshot_drop(run->work, i);
        } else if (marks[i] & CPR_WORK_HAS_SNAPSHOT) {
            snapshots++;
        }
    }
    run->earlier.earlier_bytes = run->earlier.raw_bytes;
    if (run->state == CPR_WORK_GOES_ON)
        cpr_compress_note(run, "going on: %llu of %llu shards are done, %llu begun",
                          (unsigned long long)run->earlier.items_done,
                          (unsigned long long)run->shard_count, (unsigned long long)snapshots);
}

cpr_status cpr_compress_find_todo(cpr_compress_run *run, cpr_error *error)
{
    const size_t count = (size_t)run->shard_count;
    uint64_t *marks = calloc(count + 1, sizeof *marks);
    uint64_t *coded = calloc(count + 1, sizeof *coded);
    uint8_t *found = calloc(count + 1, 1);
    cpr_work_scan scan;
    cpr_status status = CPR_OK;
    run->todo = calloc(count + 1, sizeof *run->todo);
    if (!marks || !coded || !found || !run->todo)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %zu shards", count);
    else if (run->ranks->rank == 0)
        status = cpr_work_dir_scan(run->work, &scan, found, run->shard_count, error);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK && marks && coded && found && run->todo) {
        for (size_t i = 0; i < count; i++)
            marks[i] = found[i];
        cpr_ranks_maximum(run->ranks, marks, count);
        status = look_at_shards(run, marks, coded, error);
        if (status == CPR_OK) {
            cpr_ranks_maximum(run->ranks, marks, count);
            cpr_ranks_maximum(run->ranks, coded, count);
            sum_up(run, marks, coded);
        }
    }
    free(marks);
    free(coded);
    free(found);
    return cpr_ranks_agree(run->ranks, status, error);
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Whether the next run can use what a run that did not succeed leaves. */
static bool worth_keeping(const cpr_compress_run *run, const cpr_work_scan *scan, cpr_status status)
{
    if (scan->published || scan->shards > 0 || scan->snapshots > 0 || scan->primer)
        return true;
    /* Another job's, or a plan and a vocabulary. */
    return scan->manifest && (!run->begun || status == CPR_STOPPED);
}

cpr_status cpr_compress_close_work(cpr_compress_run *run, cpr_status status, cpr_error *error)
{
    const char *path = run->options->archive_path;
    cpr_error detail = {.text = ""};
    cpr_work_scan scan = {.manifest = true};
    cpr_work_dir *work = NULL;
    if (!run->lock)
        return status;
    if (status == CPR_OK) {
        const cpr_status removed = cpr_work_dir_remove(path, run->lock, &detail);
        run->lock = NULL;
        if (removed != CPR_OK)
            status = cpr_fail(error, removed, "the archive is complete, but %s", detail.text);
        return status;
    }
    if (cpr_work_lock_lost(run->lock) || cpr_work_dir_open(path, false, &work, &detail) != CPR_OK ||
        cpr_work_dir_scan(work, &scan, NULL, 0, &detail) != CPR_OK ||
        worth_keeping(run, &scan, status)) {
        const size_t used = strlen(error->text);
        if (run->begun && status != CPR_ERR_CHANGED && status != CPR_ERR_BUSY)
            snprintf(error->text + used, sizeof error->text - used,
                     "; %llu of %llu shards are done, the same command goes on",
                     (unsigned long long)scan.shards, (unsigned long long)run->shard_count);
        cpr_work_lock_release(run->lock);
    } else {
        (void)cpr_work_dir_remove(path, run->lock, &detail);
    }
    run->lock = NULL;
    cpr_work_dir_close(work);
    return status;
}
