/* compress_todo.c - which shards an earlier run has done, and which are left. */
#include "compress_progress.h"
#include "documents.h"

#include <stdlib.h>

enum { SHARD_DONE = 4, SHARD_DAMAGED = 8, SHARD_CHANGED = 16 };

/* Warnings about changed shards, before only their number is told. */
#define CHANGES_NAMED 20u

/* Between blocks of a comparison: a cpr_progress_fn. */
static cpr_status todo_heed_stop(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                 cpr_error *error)
{
    (void)context;
    (void)raw_bytes;
    (void)coded_bytes;
    return cpr_stop_check(error);
}

/* Whether a finished shard is whole, of this job, and of what the corpus holds: SHARD_DONE, or why
 * it is not, in *mark. It is removed then. */
static cpr_status todo_look_at_shard(const cpr_compress_run *run, uint64_t shard,
                                     cpr_corpus_reader *reader, uint64_t *mark,
                                     uint64_t *coded_bytes, cpr_error *error)
{
    const cpr_compress_plan *plan = &run->plan;
    cpr_shard_info info;
    cpr_error detail = {.text = ""};
    cpr_work_details details;
    cpr_status status = cpr_work_shard_check(run->work.dir, shard, &info, &details, &detail);
    const size_t files = details.files;
    const uint8_t old_state = details.state;
    free(details.own);
    /* What cannot be read today may be whole. */
    if (status != CPR_OK && status != CPR_ERR_DAMAGED && status != CPR_ERR_VERSION &&
        status != CPR_ERR_NOT_FOUND)
        return cpr_fail(error, status, "%s", detail.text);
    const uint64_t start = plan->starts[shard];
    const uint64_t end = plan->starts[shard + 1];
    const bool good = status == CPR_OK && info.offset == start && info.raw_bytes == end - start &&
                      info.generation == (plan->primer_bytes > 0) &&
                      files == cpr_file_list_find(plan->files, end - 1) -
                                   cpr_file_list_find(plan->files, start) + 1;
    bool same = true;
    if (good && cpr_compress_plan_is_touched(plan, shard)) {
        status = cpr_corpus_reader_compare(reader, start, end - start, info.raw_hash, &same,
                                           (cpr_watch){todo_heed_stop, NULL}, error);
        uint8_t state = 0;
        if (status == CPR_OK)
            status = cpr_document_state_at(plan->files, reader, start, &state, error);
        if (status != CPR_OK)
            return status;
        same = same && state == old_state;
    }
    *mark = !good ? SHARD_DAMAGED : !same ? SHARD_CHANGED : SHARD_DONE;
    if (*mark == SHARD_DONE)
        *coded_bytes = info.coded_bytes;
    return *mark == SHARD_DONE ? CPR_OK : cpr_work_shard_drop(run->work.dir, shard, error);
}

/* Each rank looks at every size-th shard. */
static cpr_status todo_look_at_shards(const cpr_compress_run *run, uint64_t *marks, uint64_t *coded,
                                      cpr_error *error)
{
    const cpr_compress_plan *plan = &run->plan;
    cpr_status status = CPR_OK;
    cpr_corpus_reader *reader = cpr_corpus_reader_create(plan->files);
    if (reader == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the corpus");
    for (uint64_t i = (uint64_t)cpr_ranks_rank(run->ranks);
         status == CPR_OK && i < plan->shard_count; i += (uint64_t)cpr_ranks_size(run->ranks)) {
        uint64_t mark = 0;
        if (!(marks[i] & CPR_WORK_HAS_SHARD))
            continue;
        status = todo_look_at_shard(run, i, reader, &mark, &coded[i], error);
        marks[i] |= mark;
        if (status == CPR_OK)
            status = cpr_stop_check(error);
    }
    cpr_corpus_reader_free(reader);
    return cpr_ranks_agree(run->ranks, status, error);
}

/* Rank 0: how much is compared with the corpus, which may take a while. */
static void todo_announce_comparison(const cpr_compress_run *run, const uint64_t *marks)
{
    const cpr_compress_plan *plan = &run->plan;
    uint64_t files = 0;
    uint64_t shards = 0;
    if (plan->changes == NULL)
        return;
    for (uint64_t i = 0; i < cpr_file_list_count(plan->files); i++)
        files += plan->changes[i] != CPR_FILE_UNTOUCHED;
    for (uint64_t i = 0; i < plan->shard_count; i++)
        shards += (marks[i] & CPR_WORK_HAS_SHARD) && cpr_compress_plan_is_touched(plan, i);
    cpr_compress_note(run,
                      "%llu files were touched since the job began; comparing their content with "
                      "%llu finished shards",
                      (unsigned long long)files, (unsigned long long)shards);
}

/* Rank 0: which shards have to be coded again, and why. */
static void todo_tell_losses(const cpr_compress_run *run, const uint64_t *marks)
{
    const cpr_compress_plan *plan = &run->plan;
    char file[CPR_SUSPECT_BYTES];
    uint64_t changed = 0;
    for (uint64_t i = 0; i < plan->shard_count; i++) {
        if (marks[i] & SHARD_DAMAGED)
            cpr_compress_note(run, "the file of shard %llu was damaged; the shard is coded again",
                              (unsigned long long)i);
        if (marks[i] & SHARD_CHANGED && changed++ < CHANGES_NAMED)
            cpr_compress_warn(run, "the content of %s has changed; shard %llu is coded again",
                              cpr_compress_plan_suspect(plan, i, file, sizeof file),
                              (unsigned long long)i);
    }
    if (changed > CHANGES_NAMED)
        cpr_compress_warn(run, "and %llu more shards are coded again",
                          (unsigned long long)changed - CHANGES_NAMED);
}

/* From the marks to the list, and what rank 0 says about it. */
static void todo_sum_up(cpr_compress_run *run, const uint64_t *marks, const uint64_t *coded)
{
    const cpr_compress_plan *plan = &run->plan;
    cpr_compress_work *work = &run->work;
    for (int pass = 0; pass < 2; pass++)
        for (uint64_t i = 0; i < plan->shard_count; i++)
            if (!(marks[i] & SHARD_DONE) && (pass == 0) == !!(marks[i] & CPR_WORK_HAS_SNAPSHOT))
                work->todo[work->todo_count++] = i;
    for (uint64_t i = 0; i < plan->shard_count; i++) {
        if (marks[i] & SHARD_DONE) {
            work->earlier.items_done++;
            work->earlier.raw_bytes += plan->starts[i + 1] - plan->starts[i];
            work->earlier.coded_bytes += coded[i];
            cpr_work_snapshot_drop(work->dir, i);
        } else if (marks[i] & CPR_WORK_HAS_SNAPSHOT) {
            work->snapshots++;
        }
    }
    work->earlier.earlier_bytes = work->earlier.raw_bytes;
    todo_tell_losses(run, marks);
    if (work->state == CPR_WORK_GOES_ON)
        cpr_compress_note(run, "going on: %llu of %llu shards are done, %llu begun",
                          (unsigned long long)work->earlier.items_done,
                          (unsigned long long)plan->shard_count,
                          (unsigned long long)work->snapshots);
}

cpr_status cpr_compress_find_todo(cpr_compress_run *run, cpr_error *error)
{
    const cpr_compress_plan *plan = &run->plan;
    cpr_compress_work *work = &run->work;
    const size_t count = (size_t)plan->shard_count;
    uint64_t *marks = calloc(count + 1, sizeof *marks);
    uint64_t *coded = calloc(count + 1, sizeof *coded);
    uint8_t *found = calloc(count + 1, 1);
    cpr_work_scan scan;
    cpr_status status = CPR_OK;
    work->todo = calloc(count + 1, sizeof *work->todo);
    if (marks == NULL || coded == NULL || found == NULL || work->todo == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %zu shards", count);
    else if (cpr_ranks_is_first(run->ranks))
        status = cpr_work_dir_scan(run->work.dir, &scan, found, plan->shard_count, error);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK && marks != NULL && coded != NULL && found != NULL && work->todo != NULL) {
        for (size_t i = 0; i < count; i++)
            marks[i] = found[i];
        cpr_ranks_maximum(run->ranks, marks, count);
        todo_announce_comparison(run, marks);
        status = todo_look_at_shards(run, marks, coded, error);
        if (status == CPR_OK) {
            cpr_ranks_maximum(run->ranks, marks, count);
            cpr_ranks_maximum(run->ranks, coded, count);
            todo_sum_up(run, marks, coded);
        }
    }
    free(marks);
    free(coded);
    free(found);
    return cpr_ranks_agree(run->ranks, status, error);
}
