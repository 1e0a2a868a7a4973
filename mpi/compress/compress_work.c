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
    if (cpr_ranks_rank(run->ranks) != 0 || run->listener == NULL || run->listener->note == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(note.text, sizeof note.text, format, arguments);
    va_end(arguments);
    run->listener->note(run->listener->context, note.text);
}

void cpr_compress_warn(const cpr_compress_run *run, const char *format, ...)
{
    cpr_error text;
    va_list arguments;
    if (cpr_ranks_rank(run->ranks) != 0 || run->listener == NULL || run->listener->warn == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(text.text, sizeof text.text, format, arguments);
    va_end(arguments);
    run->listener->warn(run->listener->context, text.text);
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
        status = cpr_work_dir_clear(run->work, true, error);
    if (status == CPR_OK && scan.streams)
        cpr_compress_note(run, "--restart: what %llu pipes gave is thrown away",
                          (unsigned long long)scan.streams);
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

/* The manifest is of another job; says in *error what it would cost to do without it. */
static void add_cost(const cpr_compress_run *run, cpr_error *error)
{
    cpr_work_scan scan;
    const size_t used = strlen(error->text);
    if (cpr_work_dir_scan(run->work, &scan, NULL, 0, NULL) == CPR_OK)
        snprintf(error->text + used, sizeof error->text - used,
                 "; --restart gives up what is done, %llu of %llu shards",
                 (unsigned long long)scan.shards, (unsigned long long)run->manifest.shard_count);
}

/* Rank 0: whether this is the job that the manifest is of, and what was touched since it began. */
static cpr_status compare(cpr_compress_run *run, const cpr_file_list *files, cpr_error *error)
{
    cpr_manifest now;
    describe_job(run, files, &now);
    cpr_status status = cpr_compress_streams_lost(run, files, error);
    if (status == CPR_OK)
        status = cpr_manifest_compare(&run->manifest, &now, error);
    if (status == CPR_ERR_CHANGED)
        add_cost(run, error);
    if (status != CPR_OK)
        return status;
    run->begun = true;
    run->changes = calloc((size_t)cpr_file_list_count(files) + 1, sizeof *run->changes);
    if (run->changes == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to compare the corpus");
    (void)cpr_manifest_find_touched(&run->manifest, &now, run->changes);
    return CPR_OK;
}

static cpr_status decide(cpr_compress_run *run, const cpr_file_list *files, cpr_error *error)
{
    const char *path = run->options->archive_path;
    char shown[512];
    struct stat facts;
    bool published = false;
    cpr_status status = cpr_work_is_published(run->work, path, &published, error);
    if (status != CPR_OK)
        return status;
    status = cpr_manifest_read(run->work, &run->manifest, error);
    if (status == CPR_OK) {
        status = compare(run, files, error);
        run->state = CPR_WORK_GOES_ON;
    } else if (status == CPR_ERR_NOT_FOUND) {
        /* Nobody knows what shards without a manifest are. */
        status = published ? CPR_OK : cpr_work_dir_clear(run->work, false, error);
        run->state = CPR_WORK_NEW;
    }
    if (status == CPR_OK && published)
        run->state = CPR_WORK_DONE;
    else if (status == CPR_OK && !run->options->overwrite && lstat(path, &facts) == 0)
        status = cpr_fail(error, CPR_ERR_EXISTS, "%s exists; use --force to replace it",
                          cpr_printable_path(path, shown, sizeof shown));
    return status;
}

cpr_status cpr_compress_open_work(cpr_compress_run *run, cpr_file_list *files, cpr_error *error)
{
    cpr_status status = CPR_OK;
    if (cpr_ranks_rank(run->ranks) == 0) {
        status = open_locked(run, error);
        if (status == CPR_OK)
            status = run->options->restart ? throw_away(run, error)
                                           : cpr_work_dir_tidy(run->work, error);
    }
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK)
        status = cpr_compress_read_streams(run, files, error);
    if (status == CPR_OK && cpr_ranks_rank(run->ranks) == 0)
        status = decide(run, files, error);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK && cpr_ranks_rank(run->ranks) != 0)
        status = cpr_work_dir_open(run->options->archive_path, false, &run->work, error);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status != CPR_OK)
        return status;
    uint64_t state = (uint64_t)run->state;
    cpr_ranks_maximum(run->ranks, &state, 1);
    run->state = (cpr_work_state)state;
    return CPR_OK;
}

cpr_status cpr_compress_write_manifest(cpr_compress_run *run, cpr_error *error)
{
    cpr_manifest manifest;
    describe_job(run, run->files, &manifest);
    manifest.primer_text_bytes = run->primer_bytes;
    manifest.shard_count = run->shard_count;
    manifest.starts = run->starts;
    manifest.sample = run->sample;
    manifest.sample_count = run->sample_count;
    manifest.vocabulary = run->packed_vocabulary;
    manifest.vocabulary_bytes = run->packed_vocabulary_bytes;
    return cpr_manifest_write(run->work, &manifest, error);
}

cpr_status cpr_compress_begin(cpr_compress_run *run, cpr_error *error)
{
    cpr_status status = CPR_OK;
    if (cpr_ranks_rank(run->ranks) == 0 && run->state == CPR_WORK_NEW) {
        status = cpr_compress_write_manifest(run, error);
        run->begun = status == CPR_OK;
    }
    return cpr_ranks_agree(run->ranks, status, error);
}

/* ---- what is done -------------------------------------------------------------------------- */

enum { SHARD_DONE = 4, SHARD_DAMAGED = 8, SHARD_CHANGED = 16 };

/* Warnings about changed shards, before only their number is told. */
#define CHANGES_NAMED 20u

/* Between blocks of a comparison: a cpr_progress_fn. */
static cpr_status heed_stop(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                            cpr_error *error)
{
    (void)context;
    (void)raw_bytes;
    (void)coded_bytes;
    return cpr_stop_check(error);
}

/* Whether a finished shard is whole, of this job, and of what the corpus holds: SHARD_DONE, or why
 * it is not, in *mark. It is removed then. */
static cpr_status look_at_shard(const cpr_compress_run *run, uint64_t shard,
                                cpr_corpus_reader *reader, uint64_t *mark, uint64_t *coded_bytes,
                                cpr_error *error)
{
    cpr_shard_info info;
    cpr_error detail = {.text = ""};
    size_t files = 0;
    cpr_status status = cpr_work_shard_check(run->work, shard, &info, &files, &detail);
    /* What cannot be read today may be whole. */
    if (status != CPR_OK && status != CPR_ERR_DAMAGED && status != CPR_ERR_VERSION &&
        status != CPR_ERR_NOT_FOUND)
        return cpr_fail(error, status, "%s", detail.text);
    const uint64_t start = run->starts[shard];
    const uint64_t end = run->starts[shard + 1];
    const bool good = status == CPR_OK && info.offset == start && info.raw_bytes == end - start &&
                      info.generation == (run->primer_bytes > 0) &&
                      files == cpr_file_list_find(run->files, end - 1) -
                                   cpr_file_list_find(run->files, start) + 1;
    bool same = true;
    if (good && cpr_compress_is_touched(run, shard)) {
        status = cpr_corpus_reader_compare(reader, start, end - start, info.raw_hash, &same,
                                           (cpr_watch){heed_stop, NULL}, error);
        if (status != CPR_OK)
            return status;
    }
    *mark = !good ? SHARD_DAMAGED : !same ? SHARD_CHANGED : SHARD_DONE;
    if (*mark == SHARD_DONE)
        *coded_bytes = info.coded_bytes;
    return *mark == SHARD_DONE ? CPR_OK : cpr_work_shard_drop(run->work, shard, error);
}

/* Each rank looks at every size-th shard. */
static cpr_status look_at_shards(const cpr_compress_run *run, uint64_t *marks, uint64_t *coded,
                                 cpr_error *error)
{
    cpr_status status = CPR_OK;
    cpr_corpus_reader *reader = cpr_corpus_reader_create(run->files);
    if (reader == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the corpus");
    for (uint64_t i = (uint64_t)cpr_ranks_rank(run->ranks);
         status == CPR_OK && i < run->shard_count; i += (uint64_t)cpr_ranks_size(run->ranks)) {
        uint64_t mark = 0;
        if (!(marks[i] & CPR_WORK_HAS_SHARD))
            continue;
        status = look_at_shard(run, i, reader, &mark, &coded[i], error);
        marks[i] |= mark;
        if (status == CPR_OK)
            status = cpr_stop_check(error);
    }
    cpr_corpus_reader_free(reader);
    return cpr_ranks_agree(run->ranks, status, error);
}

/* Rank 0: how much is compared with the corpus, which may take a while. */
static void announce_comparison(const cpr_compress_run *run, const uint64_t *marks)
{
    uint64_t files = 0;
    uint64_t shards = 0;
    if (run->changes == NULL)
        return;
    for (uint64_t i = 0; i < cpr_file_list_count(run->files); i++)
        files += run->changes[i] != CPR_FILE_UNTOUCHED;
    for (uint64_t i = 0; i < run->shard_count; i++)
        shards += (marks[i] & CPR_WORK_HAS_SHARD) && cpr_compress_is_touched(run, i);
    cpr_compress_note(run,
                      "%llu files were touched since the job began; comparing their content with "
                      "%llu finished shards",
                      (unsigned long long)files, (unsigned long long)shards);
}

/* Rank 0: which shards have to be coded again, and why. */
static void tell_losses(const cpr_compress_run *run, const uint64_t *marks)
{
    char file[CPR_SUSPECT_BYTES];
    uint64_t changed = 0;
    for (uint64_t i = 0; i < run->shard_count; i++) {
        if (marks[i] & SHARD_DAMAGED)
            cpr_compress_note(run, "the file of shard %llu was damaged; the shard is coded again",
                              (unsigned long long)i);
        if (marks[i] & SHARD_CHANGED && changed++ < CHANGES_NAMED)
            cpr_compress_warn(run, "the content of %s has changed; shard %llu is coded again",
                              cpr_compress_suspect(run, i, file, sizeof file),
                              (unsigned long long)i);
    }
    if (changed > CHANGES_NAMED)
        cpr_compress_warn(run, "and %llu more shards are coded again",
                          (unsigned long long)changed - CHANGES_NAMED);
}

/* From the marks to the list, and what rank 0 says about it. */
static void sum_up(cpr_compress_run *run, const uint64_t *marks, const uint64_t *coded)
{
    for (int pass = 0; pass < 2; pass++)
        for (uint64_t i = 0; i < run->shard_count; i++)
            if (!(marks[i] & SHARD_DONE) && (pass == 0) == !!(marks[i] & CPR_WORK_HAS_SNAPSHOT))
                run->todo[run->todo_count++] = i;
    for (uint64_t i = 0; i < run->shard_count; i++) {
        if (marks[i] & SHARD_DONE) {
            run->earlier.items_done++;
            run->earlier.raw_bytes += run->starts[i + 1] - run->starts[i];
            run->earlier.coded_bytes += coded[i];
            cpr_work_snapshot_drop(run->work, i);
        } else if (marks[i] & CPR_WORK_HAS_SNAPSHOT) {
            run->snapshots++;
        }
    }
    run->earlier.earlier_bytes = run->earlier.raw_bytes;
    tell_losses(run, marks);
    if (run->state == CPR_WORK_GOES_ON)
        cpr_compress_note(run, "going on: %llu of %llu shards are done, %llu begun",
                          (unsigned long long)run->earlier.items_done,
                          (unsigned long long)run->shard_count, (unsigned long long)run->snapshots);
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
    if (marks == NULL || coded == NULL || found == NULL || run->todo == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %zu shards", count);
    else if (cpr_ranks_rank(run->ranks) == 0)
        status = cpr_work_dir_scan(run->work, &scan, found, run->shard_count, error);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK && marks != NULL && coded != NULL && found != NULL && run->todo != NULL) {
        for (size_t i = 0; i < count; i++)
            marks[i] = found[i];
        cpr_ranks_maximum(run->ranks, marks, count);
        announce_comparison(run, marks);
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
    if (scan->published || scan->shards > 0 || scan->snapshots > 0 || scan->primer || scan->streams)
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
    if (run->lock == NULL)
        return status;
    if (status == CPR_OK) {
        const cpr_status removed = cpr_work_dir_remove(path, run->lock, &detail);
        run->lock = NULL;
        if (removed != CPR_OK)
            cpr_compress_warn(run, "the archive is complete, but %s", detail.text);
        return status;
    }
    if (cpr_work_lock_lost(run->lock) || cpr_work_dir_open(path, false, &work, &detail) != CPR_OK ||
        cpr_work_dir_scan(work, &scan, NULL, 0, &detail) != CPR_OK ||
        worth_keeping(run, &scan, status)) {
        const size_t used = strlen(error->text);
        if (run->begun && status != CPR_ERR_BUSY)
            snprintf(error->text + used, sizeof error->text - used,
                     "; %llu of %llu shards are done%s", (unsigned long long)scan.shards,
                     (unsigned long long)run->shard_count,
                     status == CPR_ERR_CHANGED ? "" : ", the same command goes on");
        else if (scan.streams && status != CPR_ERR_CHANGED && status != CPR_ERR_BUSY)
            snprintf(error->text + used, sizeof error->text - used,
                     "; what %llu pipes gave is kept, the same command goes on with it",
                     (unsigned long long)scan.streams);
        cpr_work_lock_release(run->lock);
    } else {
        (void)cpr_work_dir_remove(path, run->lock, &detail);
    }
    run->lock = NULL;
    cpr_work_dir_close(work);
    return status;
}
