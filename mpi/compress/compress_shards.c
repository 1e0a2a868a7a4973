/* compress_shards.c - each rank codes the shards that it is given into the work directory. */
#include "compress_bitstream.h"
#include "compress_progress.h"
#include "documents.h"

#include <stdlib.h>

/* How often a shard is coded whose files change while it is. */
#define ATTEMPTS 3u

/* What a rank keeps from shard to shard. The reader is created with the first one. */
typedef struct shard_coder {
    cpr_compress_run *run;
    cpr_corpus_reader *reader;
    cpr_lz4_meter *meter;
    cpr_document_counter *counter;
    uint8_t state;  /* of the separator of documents, in front of the shard */
    uint64_t start; /* of the shard in the corpus */
    uint64_t end;
    uint64_t at; /* the next byte to read */
} shard_coder;

/* Loss at the end of each file of a shard. */
typedef struct file_marks {
    cpr_loss_marks marks;
    uint64_t *at;
    uint64_t *loss;
    size_t files;
} file_marks;

static cpr_status shard_coder_start(shard_coder *state, cpr_error *error)
{
    cpr_compress_run *run = state->run;
    const cpr_status status =
        cpr_compress_engine_start(&run->engine, cpr_compress_codec_bytes(&run->plan), error);
    if (status != CPR_OK)
        return status;
    cpr_primed_state_use(run->engine.primed, run->engine.codec);
    if (state->reader == NULL)
        state->reader = cpr_corpus_reader_create(run->plan.files);
    if (state->meter == NULL)
        state->meter = cpr_lz4_meter_create();
    if (state->counter == NULL)
        state->counter = cpr_document_counter_create(run->plan.files);
    if (state->reader == NULL || state->meter == NULL || state->counter == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the corpus");
    return CPR_OK;
}

/* A cpr_read_fn: the shard's bytes from the corpus, measured on their way. */
static cpr_status read_shard(void *context, uint8_t *out, size_t capacity, size_t *got,
                             cpr_error *error)
{
    shard_coder *state = context;
    const uint64_t left = state->end - state->at;
    const size_t bytes = left < capacity ? (size_t)left : capacity;
    *got = 0;
    if (bytes == 0)
        return CPR_OK;
    const cpr_status status = cpr_corpus_reader_read(state->reader, state->at, out, bytes, error);
    if (status != CPR_OK)
        return status;
    cpr_lz4_meter_add(state->meter, out, bytes);
    cpr_document_counter_add(state->counter, out, bytes);
    state->at += bytes;
    *got = bytes;
    return CPR_OK;
}

static void file_marks_free(file_marks *files)
{
    free(files->at);
    free(files->loss);
}

/* One mark for each file from the first to the last that the shard touches, at its end within the
 * shard. */
static cpr_status file_marks_make(const cpr_file_list *list, uint64_t start, uint64_t end,
                                  file_marks *files, cpr_error *error)
{
    const uint64_t first = cpr_file_list_find(list, start);
    const uint64_t last = cpr_file_list_find(list, end - 1);
    files->files = (size_t)(last - first + 1);
    files->at = calloc(files->files, sizeof *files->at);
    files->loss = calloc(files->files, sizeof *files->loss);
    if (files->at == NULL || files->loss == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %zu files", files->files);
    for (size_t i = 0; i < files->files; i++) {
        const uint64_t file_end =
            cpr_file_list_offset(list, first + i) + cpr_file_list_get(list, first + i).bytes;
        files->at[i] = (file_end < end ? file_end : end) - start;
    }
    files->marks = (cpr_loss_marks){.at = files->at, .loss = files->loss, .count = files->files};
    return CPR_OK;
}

/* From the loss up to each file's end to the loss of each file. */
static void marks_to_differences(file_marks *files)
{
    for (size_t i = files->files; i-- > 1;)
        files->loss[i] -= files->loss[i - 1];
}

/* Reads the shard from its start. */
static void rewind_shard(void *context)
{
    shard_coder *state = context;
    state->at = state->start;
    if (state->meter != NULL)
        (void)cpr_lz4_meter_finish(state->meter);
    if (state->counter != NULL)
        cpr_document_counter_begin(state->counter, state->start, state->end, state->state);
}

/* How a shard that is being compared calls the schedule. */
typedef struct comparison {
    const cpr_shard_info *info;
    cpr_progress_fn *progress;
    void *context;
} comparison;

/* A cpr_progress_fn. A request to stop waits: the shard is coded. */
static cpr_status while_comparing(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                  cpr_error *error)
{
    const comparison *c = context;
    (void)raw_bytes;
    (void)coded_bytes;
    (void)error;
    (void)c->progress(c->context, c->info->raw_bytes, c->info->coded_bytes, NULL);
    return CPR_OK;
}

/* Whether what was coded is what the files hold: one that was written to meanwhile may have been
 * read half before and half after. */
static cpr_status compare_with_files(shard_coder *state, comparison *c, bool *same, uint64_t *file,
                                     cpr_error *error)
{
    *same = !cpr_corpus_reader_touched(state->reader, file);
    if (*same)
        return CPR_OK;
    uint64_t again;
    const cpr_status status =
        cpr_corpus_reader_compare(state->reader, state->start, state->end - state->start,
                                  c->info->raw_hash, same, (cpr_watch){while_comparing, c}, error);
    (void)cpr_corpus_reader_touched(state->reader, &again);
    return status;
}

/* Codes the shard, and once more if its files changed meanwhile. */
static cpr_status code_as_it_is(shard_coder *state, cpr_bitstream_work *work, cpr_shard_info *info,
                                cpr_error *error)
{
    const cpr_compress_run *run = state->run;
    comparison c = {info, work->progress, work->progress_context};
    char shown[512];
    for (unsigned attempt = 1;; attempt++) {
        bool same = false;
        uint64_t file = 0;
        cpr_status status = cpr_document_state_at(run->plan.files, state->reader, state->start,
                                                  &state->state, error);
        rewind_shard(state);
        if (status == CPR_OK)
            status = cpr_compress_bitstream(work, info, error);
        if (status == CPR_OK)
            status = cpr_corpus_reader_finish(state->reader, error);
        if (status == CPR_OK)
            status = compare_with_files(state, &c, &same, &file, error);
        if (status != CPR_OK || same)
            return status;
        cpr_work_shard_abandon(work->out);
        work->out = NULL;
        cpr_work_snapshot_drop(run->work.dir, work->shard);
        cpr_ranks_resumed(run->ranks, 0);
        cpr_printable_path(cpr_file_list_source(run->plan.files, file), shown, sizeof shown);
        if (attempt == ATTEMPTS)
            return cpr_fail(error, CPR_ERR_CHANGED,
                            "\"%s\" changed each of the %u times that shard %llu was coded; run "
                            "again when nothing writes to it",
                            shown, ATTEMPTS, (unsigned long long)work->shard);
        cpr_ranks_warn(run->ranks, "\"%s\" changed while shard %llu was coded; it is coded again",
                       shown, (unsigned long long)work->shard);
    }
}

/* Stores a shard that has been coded. */
static cpr_status commit_shard(shard_coder *state, cpr_bitstream_work *work,
                               const cpr_shard_info *info, const file_marks *files,
                               cpr_error *error)
{
    cpr_work_details details = {
        .file_loss = files->loss, .files = files->files, .state = state->state};
    size_t behind;
    if (!cpr_document_counter_finish(state->counter, &details.documents, &details.documents_bytes,
                                     &behind)) {
        cpr_work_shard_abandon(work->out);
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the counts of documents");
    }
    return cpr_work_shard_commit(work->out, info, &details, error);
}

static cpr_status code_shard(void *context, uint64_t item, cpr_progress_fn *progress,
                             void *progress_context, cpr_item_result *result, cpr_error *error)
{
    shard_coder *state = context;
    const cpr_compress_run *run = state->run;
    const uint64_t shard = run->work.todo[item];
    state->start = run->plan.starts[shard];
    state->end = run->plan.starts[shard + 1];
    file_marks files = {.files = 0};
    cpr_bitstream_work work = {.run = run,
                               .shard = shard,
                               .keep = true,
                               .read = read_shard,
                               .read_context = state,
                               .rewind = rewind_shard,
                               .marks = &files.marks,
                               .progress = progress,
                               .progress_context = progress_context};
    cpr_shard_info info = {.offset = run->plan.starts[shard]};

    cpr_status status = shard_coder_start(state, error);
    if (status == CPR_OK)
        status = file_marks_make(run->plan.files, state->start, state->end, &files, error);
    if (status == CPR_OK)
        status = code_as_it_is(state, &work, &info, error);
    if (status == CPR_OK) {
        marks_to_differences(&files);
        info.offset = run->plan.starts[shard];
        info.generation = run->plan.primer_bytes > 0;
        status = commit_shard(state, &work, &info, &files, error);
    } else {
        cpr_work_shard_abandon(work.out);
    }
    file_marks_free(&files);
    const uint64_t lz4_bytes = state->meter != NULL ? cpr_lz4_meter_finish(state->meter) : 0;
    if (status != CPR_OK)
        return status;
    cpr_work_snapshot_drop(run->work.dir, shard);
    result->shard = shard;
    result->raw_bytes = info.raw_bytes;
    result->coded_bytes = info.coded_bytes;
    result->raw_hash = info.raw_hash;
    result->lz4_bytes = lz4_bytes;
    return CPR_OK;
}

static uint64_t shard_bytes(void *context, uint64_t item)
{
    const shard_coder *state = context;
    const uint64_t shard = state->run->work.todo[item];
    return state->run->plan.starts[shard + 1] - state->run->plan.starts[shard];
}

cpr_status cpr_compress_shards(cpr_compress_run *run, cpr_error *error)
{
    shard_coder state = {.run = run};
    const cpr_schedule schedule = {.items = run->work.todo_count,
                                   .earlier = run->work.earlier,
                                   .context = &state,
                                   .bytes = shard_bytes,
                                   .run = code_shard};
    cpr_compress_phase(run, CPR_PHASE_SHARDS, run->plan.corpus_bytes, run->plan.shard_count);
    cpr_progress_file watch;
    cpr_progress_file_open(&watch, run, false);
    const cpr_status status = cpr_ranks_run(run->ranks, &schedule, &watch.listener, error);
    cpr_progress_file_close(&watch);
    cpr_corpus_reader_free(state.reader);
    cpr_lz4_meter_free(state.meter);
    cpr_document_counter_free(state.counter);
    return status;
}
