/* examine.c - looks at the shards of an archive, and remembers which are intact. */
#include "documents.h"
#include "shard_decoder.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(CPR_LOSS_POINTS == CPR_CURVE_POINTS, "a result takes a whole curve");

typedef struct examination {
    cpr_shard_decoder decoder;
    const cpr_examine_options *options;
    cpr_listener listener; /* the caller's; all zero: none */
    cpr_lz4_meter *meter;
    cpr_document_counter *counter;
    cpr_verified *verified; /* rank 0; NULL: nothing is remembered */
} examination;

static uint64_t examination_item_bytes(void *context, uint64_t item)
{
    const examination *state = context;
    uint64_t shard;
    return cpr_shard_decoder_item(&state->decoder, item, &shard)->raw_bytes;
}

/* ---- one shard ------------------------------------------------------------------------------ */

/* A cpr_write_fn: measures and counts what is decoded. */
static cpr_status examination_see(void *context, const uint8_t *data, size_t bytes,
                                  cpr_error *error)
{
    const examination *state = context;
    (void)error;
    cpr_lz4_meter_add(state->meter, data, bytes);
    cpr_document_counter_add(state->counter, data, bytes);
    return CPR_OK;
}

/* Begins to count the documents of a shard. */
static void examination_begin_documents(examination *state, uint64_t shard)
{
    const cpr_shard_info *info = cpr_archive_shard(state->decoder.archive, shard);
    size_t bytes;
    size_t before;
    (void)cpr_document_index_packed(cpr_archive_document_index(state->decoder.archive), shard,
                                    &bytes, &before);
    cpr_document_counter_begin(state->counter, info->offset, info->offset + info->raw_bytes,
                               before);
}

/* Whether the archive counts the documents of a shard, which has been decoded, as they are. */
static cpr_status examination_check_documents(examination *state, uint64_t shard, cpr_error *error)
{
    const cpr_document_index *index = cpr_archive_document_index(state->decoder.archive);
    const uint64_t shards = cpr_archive_info(state->decoder.archive)->shard_count;
    const uint8_t *packed;
    size_t bytes;
    size_t behind;
    size_t said_bytes;
    size_t said_behind = 0;
    size_t said_state;
    if (!cpr_document_counter_finish(state->counter, &packed, &bytes, &behind))
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to count documents");
    const uint8_t *said = cpr_document_index_packed(index, shard, &said_bytes, &said_state);
    bool good = bytes == said_bytes && (bytes == 0 || memcmp(packed, said, bytes) == 0);
    if (shard + 1 < shards) {
        (void)cpr_document_index_packed(index, shard + 1, &said_bytes, &said_behind);
        good = good && behind == said_behind;
    }
    return good ? CPR_OK
                : cpr_fail(error, CPR_ERR_DAMAGED,
                           "shard %llu has other documents than the archive says",
                           (unsigned long long)shard);
}

static void result_put_curve(const cpr_curve *curve, cpr_item_result *result)
{
    for (uint32_t i = 0; i < curve->points; i++)
        result->curve[i] = (cpr_loss_point){curve->point[i].raw_bytes, curve->point[i].loss_bits,
                                            curve->point[i].network_loss_bits};
    result->curve_points = curve->points;
}

static cpr_status examination_decode(examination *state, cpr_watch watch, cpr_item_result *result,
                                     cpr_error *error)
{
    cpr_shard_decoder *decoder = &state->decoder;
    cpr_curve curve = {.points = 0};
    cpr_error detail = {.text = ""};
    cpr_status status = cpr_shard_decoder_start(decoder, watch, error);
    if (status == CPR_OK && state->meter == NULL)
        state->meter = cpr_lz4_meter_create();
    if (status == CPR_OK && state->counter == NULL)
        state->counter = cpr_document_counter_create(cpr_archive_info(decoder->archive)->files);
    if (status == CPR_OK && (state->meter == NULL || state->counter == NULL))
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to measure");
    if (status != CPR_OK)
        return status;
    if (state->options->depth == CPR_EXAMINE_CURVE)
        cpr_codec_set_curve(decoder->parts.codec, &curve);
    examination_begin_documents(state, result->shard);
    status = cpr_archive_decode(decoder->archive, result->shard, decoder->parts.codec,
                                (cpr_sink){examination_see, state}, watch, &detail);
    if (status == CPR_OK)
        status = examination_check_documents(state, result->shard, &detail);
    cpr_codec_set_curve(decoder->parts.codec, NULL);
    const uint64_t lz4_bytes = cpr_lz4_meter_finish(state->meter);
    if (status == CPR_OK) {
        result->lz4_bytes = lz4_bytes;
        result_put_curve(&curve, result);
    }
    return cpr_shard_decoder_judge(status, result, &detail, error);
}

static cpr_status examine_shard(void *context, uint64_t item, cpr_progress_fn *progress,
                                void *progress_context, cpr_item_result *result, cpr_error *error)
{
    examination *state = context;
    const cpr_watch watch = {progress, progress_context};
    cpr_error detail = {.text = ""};
    cpr_shard_decoder_begin(&state->decoder, item, result);
    if (state->options->depth != CPR_EXAMINE_CODED)
        return examination_decode(state, watch, result, error);
    const cpr_status status =
        cpr_archive_check_coded(state->decoder.archive, result->shard, &detail);
    const cpr_status go_on = cpr_watch_tell(watch, result->raw_bytes, result->coded_bytes, error);
    return go_on != CPR_OK ? go_on : cpr_shard_decoder_judge(status, result, &detail, error);
}

/* ---- what is remembered --------------------------------------------------------------------- */

/* Rank 0. */
static void examination_tell_note(const examination *state, const char *format, const char *text)
    __attribute__((format(printf, 2, 0)));

static void examination_tell_note(const examination *state, const char *format, const char *text)
{
    cpr_error note;
    if (state->listener.note == NULL)
        return;
    cpr_fail(&note, CPR_OK, format, text);
    state->listener.note(state->listener.context, note.text);
}

/* Remembers an intact shard on rank 0, then tells the caller's listener. */
static void examination_note_item(void *context, const cpr_item_result *result)
{
    examination *state = context;
    cpr_error detail = {.text = ""};
    if (result->shard != CPR_SHARD_PRIMER && result->bad == CPR_OK && state->verified != NULL &&
        cpr_verified_add(state->verified, result->shard, &detail) != CPR_OK) {
        examination_tell_note(state, "from here on nothing is remembered: %s", detail.text);
        cpr_verified_close(state->verified, false);
        state->verified = NULL;
    }
    if (state->listener.item != NULL)
        state->listener.item(state->listener.context, result);
}

static void examination_pass_note(void *context, const char *text)
{
    const examination *state = context;
    if (state->listener.note != NULL)
        state->listener.note(state->listener.context, text);
}

static void examination_pass_progress(void *context, const cpr_run_progress *progress)
{
    const examination *state = context;
    if (state->listener.progress != NULL)
        state->listener.progress(state->listener.context, progress);
}

/* Rank 0: sets done[shard] of those that an earlier run found intact. Where that cannot be kept,
 * the run goes on without: to examine is what was asked for. */
static cpr_status examination_recall(examination *state, bool *done, cpr_error *error)
{
    const cpr_examine_options *options = state->options;
    cpr_error detail = {.text = ""};
    if (options->state_path == NULL)
        return CPR_OK;
    const cpr_status status =
        cpr_verified_open(options->state_path, options->archive_path, state->decoder.archive,
                          options->depth != CPR_EXAMINE_CODED, done, &state->verified, &detail);
    if (status == CPR_ERR_EXISTS || status == CPR_ERR_NO_MEMORY)
        return cpr_fail(error, status, "%s", detail.text);
    if (status != CPR_OK)
        examination_tell_note(
            state, "if this is stopped it cannot be continued: %s; --state names another file",
            detail.text);
    return CPR_OK;
}

/* ---- the run -------------------------------------------------------------------------------- */

/* COLLECTIVE. The shards to look at, the same on all ranks: items of them. */
static cpr_status examination_choose(examination *state, uint64_t *shards, uint64_t *items,
                                     cpr_examine_totals *totals, cpr_error *error)
{
    const cpr_examine_options *options = state->options;
    const cpr_archive_header *header = cpr_archive_info(state->decoder.archive);
    size_t bytes = (size_t)header->shard_count + 1;
    const bool first = cpr_ranks_is_first(state->decoder.ranks);
    uint8_t *done = first ? calloc(bytes, sizeof(bool)) : NULL;
    cpr_status status = CPR_OK;
    if (first && done == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    else if (first)
        status = examination_recall(state, (bool *)done, error);
    status = cpr_ranks_agree(state->decoder.ranks, status, error);
    if (status == CPR_OK)
        status = cpr_ranks_broadcast(state->decoder.ranks, &done, &bytes, error);
    if (status == CPR_OK && options->depth == CPR_EXAMINE_CODED && header->primer != NULL)
        shards[(*items)++] = CPR_SHARD_PRIMER;
    for (uint64_t i = 0; status == CPR_OK && i < header->shard_count; i++) {
        if (options->shards != NULL && !options->shards[i])
            continue;
        totals->shards++;
        totals->earlier += done[i];
        if (!done[i])
            shards[(*items)++] = i;
    }
    free(done);
    return status;
}

/* Rank 0: how much there is to do; the primer does not count. */
static void examination_tell_phase(const examination *state, uint64_t items,
                                   const cpr_examine_totals *totals)
{
    uint64_t raw_bytes = 0;
    uint64_t shard;
    for (uint64_t i = 0; i < items; i++) {
        const cpr_shard_info *info = cpr_shard_decoder_item(&state->decoder, i, &shard);
        raw_bytes += shard != CPR_SHARD_PRIMER ? info->raw_bytes : 0;
    }
    if (cpr_ranks_is_first(state->decoder.ranks) && state->listener.phase != NULL)
        state->listener.phase(state->listener.context, CPR_PHASE_SHARDS, raw_bytes,
                              totals->shards - totals->earlier);
}

/* A cpr_context_copy_fn. */
static bool examination_copy(void *own, void *copy)
{
    const examination *state = own;
    examination *other = copy;
    *other = *state;
    return cpr_shard_decoder_copy(&state->decoder, &other->decoder);
}

/* A cpr_context_close_fn. */
static void examination_close_copy(void *copy)
{
    examination *other = copy;
    cpr_shard_decoder_close_copy(&other->decoder);
    cpr_lz4_meter_free(other->meter);
    cpr_document_counter_free(other->counter);
}

/* COLLECTIVE. */
static cpr_status examination_run(examination *state, uint64_t items, cpr_error *error)
{
    const bool decodes = state->options->depth != CPR_EXAMINE_CODED && items > 0;
    cpr_decoder_threads threads = {.count = 1};
    cpr_schedule schedule = {
        .items = items, .context = state, .bytes = examination_item_bytes, .run = examine_shard};
    const cpr_listener inner = {.context = state,
                                .progress = examination_pass_progress,
                                .item = examination_note_item,
                                .note = examination_pass_note};
    cpr_status status = CPR_OK;
    if (decodes)
        status = cpr_shard_decoder_check(&state->decoder, items, NULL, error);
    if (status == CPR_OK && decodes)
        status = cpr_shard_decoder_open(&state->decoder, error);
    if (status != CPR_OK)
        return status;
    if (decodes)
        cpr_decoder_threads_open(&threads, &state->decoder, state->options->threads, items, state,
                                 sizeof *state, examination_copy);
    schedule.threads = threads.count;
    schedule.contexts = threads.contexts;
    status = cpr_ranks_run(state->decoder.ranks, &schedule, &inner, error);
    cpr_decoder_threads_close(&threads, examination_close_copy);
    return status;
}

cpr_status cpr_examine(cpr_ranks *ranks, cpr_archive *archive, const cpr_examine_options *options,
                       const cpr_listener *listener, cpr_examine_totals *totals, cpr_error *error)
{
    uint64_t *shards = calloc((size_t)cpr_archive_info(archive)->shard_count + 2, sizeof *shards);
    uint64_t items = 0;
    cpr_examine_totals found = {.shards = 0};
    examination state = {.decoder = {.ranks = ranks,
                                     .archive = archive,
                                     .cache = {.directory = options->cache},
                                     .shards = shards},
                         .options = options};
    if (listener != NULL)
        state.listener = *listener;
    cpr_status status = CPR_OK;
    if (shards == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    status = cpr_ranks_agree(ranks, status, error);
    if (status == CPR_OK)
        status = examination_choose(&state, shards, &items, &found, error);
    if (status == CPR_OK) {
        examination_tell_phase(&state, items, &found);
        status = examination_run(&state, items, error);
    }
    found.remembered = state.verified != NULL;
    cpr_ranks_tell(ranks, &found.remembered, sizeof found.remembered);
    /* Every shard has been looked at, even if some are damaged: there is nothing to go on with. */
    cpr_verified_close(state.verified, status == CPR_OK);
    if (totals != NULL)
        *totals = found;
    cpr_shard_decoder_close(&state.decoder);
    cpr_lz4_meter_free(state.meter);
    cpr_document_counter_free(state.counter);
    free(shards);
    return status;
}
