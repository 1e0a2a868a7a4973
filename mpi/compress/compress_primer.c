/* compress_primer.c - the primer: coded on every node at the same time, for the state of the model
 * after it. Rank 0's bitstream is kept.
 *
 * A job that goes on codes it again, or takes up the snapshot at its end: either gives the state,
 * and shows that the bitstream which is there is right. If the corpus no longer has the text that
 * it was taken from, the bitstream is decoded. */
#include "compress_bitstream.h"
#include "compress_progress.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is there -------------------------------------------------------------------------- */

/* A cpr_compress_step of rank 0: whether the work directory has the primer; removes one that is of
 * no use. */
static cpr_status look_for_primer(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_work *work = &run->work;
    cpr_error detail = {.text = ""};
    const cpr_status status =
        cpr_work_shard_check(work->dir, CPR_SHARD_PRIMER, &work->primer, NULL, &detail);
    /* What cannot be read today may be whole. */
    if (status != CPR_OK && status != CPR_ERR_DAMAGED && status != CPR_ERR_VERSION &&
        status != CPR_ERR_NOT_FOUND)
        return cpr_fail(error, status, "%s", detail.text);
    work->has_primer = status == CPR_OK && work->primer.raw_bytes == run->plan.primer_bytes;
    if (work->has_primer || status == CPR_ERR_NOT_FOUND)
        return CPR_OK;
    cpr_compress_note(run, "the file of the primer was damaged; it is made again");
    return cpr_work_shard_drop(work->dir, CPR_SHARD_PRIMER, error);
}

/* There is no primer yet, and the text that it was to be taken from has changed: takes it as it is
 * now, unless there are shards that begin with the old one. */
static cpr_status take_new_text(cpr_compress_run *run, cpr_error *error)
{
    cpr_status status = CPR_OK;
    if (run->work.earlier.items_done > 0 || run->work.snapshots > 0)
        status =
            cpr_fail(error, CPR_ERR_CHANGED,
                     "the primer of the shards that are done is lost, and the text that it was "
                     "taken from has changed: with that as it was the job goes on, or with "
                     "--restart without what is done");
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status != CPR_OK)
        return status;
    run->plan.primer_bytes = run->plan.primer_bytes_now;
    return cpr_compress_on_first(run, cpr_compress_write_manifest, error);
}

cpr_status cpr_compress_settle_primer(cpr_compress_run *run, cpr_error *error)
{
    if (run->plan.primer_bytes == 0)
        return CPR_OK;
    const cpr_status status = cpr_compress_on_first(run, look_for_primer, error);
    if (status != CPR_OK)
        return status;
    cpr_ranks_tell(run->ranks, &run->work.has_primer, sizeof run->work.has_primer);
    return run->plan.primer_changed && !run->work.has_primer ? take_new_text(run, error) : CPR_OK;
}

/* ---- coding --------------------------------------------------------------------------------- */

/* One rank's part. */
typedef struct primer_coder {
    cpr_compress_run *run;
    cpr_corpus_reader *reader;
    uint8_t *block;
    size_t bytes;  /* in the block */
    size_t at;     /* in the block */
    uint64_t next; /* block of the sample */
    bool decode;   /* the state comes from the bitstream that is there */
    cpr_shard_info info;
} primer_coder;

/* Reads the next block, and sees that it is what it was when its hash was taken. */
static cpr_status primer_next_block(primer_coder *primer, cpr_error *error)
{
    const cpr_compress_run *run = primer->run;
    const cpr_extent extent = cpr_compress_plan_block(&run->plan, primer->next);
    primer->bytes = (size_t)extent.bytes;
    primer->at = 0;
    free(primer->block);
    primer->block = malloc(primer->bytes);
    if (primer->block == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the primer");
    const cpr_status status =
        cpr_corpus_reader_read(primer->reader, extent.offset, primer->block, primer->bytes, error);
    if (status != CPR_OK)
        return status;
    const cpr_hash128 hash = cpr_hash_bytes(primer->block, primer->bytes);
    const cpr_hash128 *known = &run->plan.sample[primer->next++];
    if (cpr_hash_same(hash, *known))
        return CPR_OK;
    char shown[512];
    const uint64_t file = cpr_file_list_find(run->plan.files, extent.offset);
    return cpr_fail(
        error, CPR_ERR_CHANGED,
        "the content of \"%s\" changed while it was read; run the same command again",
        cpr_printable_path(cpr_file_list_source(run->plan.files, file), shown, sizeof shown));
}

/* A cpr_read_fn. */
static cpr_status read_primer(void *context, uint8_t *out, size_t capacity, size_t *got,
                              cpr_error *error)
{
    primer_coder *primer = context;
    const cpr_compress_run *run = primer->run;
    *got = 0;
    if (primer->at == primer->bytes)
        while (primer->next < run->plan.sample_count &&
               run->plan.noise[primer->next - run->plan.vocabulary_blocks])
            primer->next++;
    if (primer->at == primer->bytes && primer->next < run->plan.sample_count) {
        const cpr_status status = primer_next_block(primer, error);
        if (status != CPR_OK)
            return status;
    }
    const size_t left = primer->bytes - primer->at;
    *got = left < capacity ? left : capacity;
    if (*got > 0)
        memcpy(out, primer->block + primer->at, *got);
    primer->at += *got;
    return CPR_OK;
}

static bool same_bitstream(const cpr_shard_info *a, const cpr_shard_info *b)
{
    return a->coded_bytes == b->coded_bytes && cpr_hash_same(a->coded_hash, b->coded_hash);
}

/* Rank 0: keeps the bitstream. */
static cpr_status primer_keep(const primer_coder *primer, cpr_work_shard *out, cpr_error *error)
{
    const cpr_compress_work *work = &primer->run->work;
    if (work->has_primer && !same_bitstream(&work->primer, &primer->info)) {
        cpr_work_shard_abandon(out);
        return cpr_fail(
            error, CPR_ERR_DAMAGED,
            "the primer does not come out as it did before: shards that are done cannot "
            "be used; --restart throws them away");
    }
    if (!work->has_primer)
        return cpr_work_shard_commit(out, &primer->info, NULL, error);
    cpr_work_shard_abandon(out);
    return CPR_OK;
}

static void rewind_primer(void *context)
{
    primer_coder *primer = context;
    primer->next = primer->run->plan.vocabulary_blocks;
    primer->bytes = 0;
    primer->at = 0;
}

/* The bitstream in the work directory, for a cpr_read_fn. */
typedef struct primer_file {
    cpr_work_dir *work;
    uint64_t at;
    uint64_t end;
} primer_file;

/* A cpr_read_fn. */
static cpr_status read_coded(void *context, uint8_t *out, size_t capacity, size_t *got,
                             cpr_error *error)
{
    primer_file *file = context;
    const uint64_t left = file->end - file->at;
    *got = left < capacity ? (size_t)left : capacity;
    if (*got == 0)
        return CPR_OK;
    const uint64_t at = file->at;
    file->at += *got;
    return cpr_work_shard_read(file->work, CPR_SHARD_PRIMER, at, out, *got, error);
}

static cpr_status decode_primer(primer_coder *primer, cpr_progress_fn *progress,
                                void *progress_context, cpr_error *error)
{
    primer_file file = {.work = primer->run->work.dir};
    cpr_status status =
        cpr_work_shard_check(file.work, CPR_SHARD_PRIMER, &primer->info, NULL, error);
    file.end = primer->info.coded_bytes;
    if (status != CPR_OK)
        return status;
    cpr_codec *codec = primer->run->engine.codec;
    cpr_codec_set_primer(codec, primer->info.raw_bytes);
    status = cpr_codec_decode(codec, &primer->info, (cpr_source){read_coded, &file}, CPR_NO_SINK,
                              (cpr_watch){progress, progress_context}, error);
    cpr_codec_set_primer(codec, 0);
    return status;
}

static cpr_status code_primer(primer_coder *primer, cpr_progress_fn *progress,
                              void *progress_context, cpr_error *error)
{
    const cpr_compress_run *run = primer->run;
    if (primer->decode)
        return decode_primer(primer, progress, progress_context, error);
    cpr_bitstream_work work = {.run = run,
                               .shard = CPR_SHARD_PRIMER,
                               .keep = cpr_ranks_is_first(run->ranks),
                               .save_at = run->plan.primer_bytes,
                               .read = read_primer,
                               .read_context = primer,
                               .rewind = rewind_primer,
                               .progress = progress,
                               .progress_context = progress_context};
    rewind_primer(primer);
    cpr_codec_set_primer(run->engine.codec, run->plan.primer_bytes);
    cpr_status status = cpr_compress_bitstream(&work, &primer->info, error);
    cpr_codec_set_primer(run->engine.codec, 0);
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(primer->reader, error);
    if (status == CPR_OK && work.keep)
        return primer_keep(primer, work.out, error);
    cpr_work_shard_abandon(work.out);
    return status;
}

/* A cpr_prime_fn. */
static cpr_status prime(void *context, void *state, cpr_progress_fn *progress,
                        void *progress_context, cpr_error *error)
{
    primer_coder *primer = context;
    const cpr_status status = code_primer(primer, progress, progress_context, error);
    if (status == CPR_OK)
        cpr_codec_get_state(primer->run->engine.codec, state);
    return status;
}

static cpr_status primer_make(primer_coder *primer, cpr_progress_fn *progress,
                              void *progress_context, cpr_error *error)
{
    cpr_compress_run *run = primer->run;
    if (!cpr_primed_state_is_first(run->engine.primed))
        return cpr_primed_state_wait(run->engine.primed, progress, progress_context, error);
    primer->reader = cpr_corpus_reader_create(run->plan.files);
    if (primer->reader == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the corpus");
    cpr_status status =
        cpr_compress_engine_start(&run->engine, cpr_compress_codec_bytes(&run->plan), error);
    if (status == CPR_OK)
        status = cpr_primed_state_make(run->engine.primed, run->engine.codec, prime, primer,
                                       progress, progress_context, error);
    cpr_corpus_reader_free(primer->reader);
    free(primer->block);
    return status;
}

/* Every rank has an item: on each node one makes the state, and the others wait for it. */
static cpr_status run_item(void *context, uint64_t item, cpr_progress_fn *progress,
                           void *progress_context, cpr_item_result *result, cpr_error *error)
{
    primer_coder *primer = context;
    cpr_watch watch = {progress, progress_context};
    (void)item;
    result->shard = CPR_SHARD_PRIMER;
    if (!cpr_ranks_is_first(primer->run->ranks)) {
        /* What one rank says counts. */
        const cpr_watch quiet = cpr_watch_quietly(&watch);
        const cpr_status status = primer_make(primer, quiet.progress, quiet.context, error);
        cpr_ranks_resumed(primer->run->ranks, 0);
        return status;
    }
    const cpr_status status = primer_make(primer, progress, progress_context, error);
    result->raw_bytes = primer->info.raw_bytes;
    result->coded_bytes = primer->info.coded_bytes;
    result->raw_hash = primer->info.raw_hash;
    return status;
}

static uint64_t item_bytes(void *context, uint64_t item)
{
    const primer_coder *primer = context;
    (void)item;
    return primer->run->plan.primer_bytes;
}

cpr_status cpr_compress_primer(cpr_compress_run *run, cpr_error *error)
{
    const cpr_compress_plan *plan = &run->plan;
    primer_coder primer = {.run = run, .decode = run->work.has_primer && plan->primer_changed};
    if (plan->primer_bytes == 0 || (run->work.has_primer && run->work.todo_count == 0))
        return CPR_OK;
    if (primer.decode)
        cpr_compress_note(run, "the primer's text has changed in the corpus; decoding the primer");
    cpr_status status =
        cpr_primed_state_open(run->ranks, run->engine.profile, cpr_compress_codec_bytes(plan),
                              &run->engine.primed, error);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status != CPR_OK)
        return status;
    const cpr_schedule schedule = {.items = (uint64_t)cpr_ranks_size(run->ranks),
                                   .one_each = true,
                                   .context = &primer,
                                   .bytes = item_bytes,
                                   .run = run_item};
    cpr_compress_phase(run, CPR_PHASE_PRIMER, plan->primer_bytes, 0);
    cpr_progress_file watch;
    cpr_progress_file_open(&watch, run, true);
    status = cpr_ranks_run(run->ranks, &schedule, &watch.listener, error);
    cpr_progress_file_close(&watch);
    return status;
}
