/* decode_run.c - from an archive to files, and the examination of its shards.
 *
 * A damaged shard is a finding, not a failure: the other shards go on. */
#include "decode.h"
#include "output.h"
#include "primed_state.h"

#include <stdlib.h>
#include <string.h>

/* What a rank keeps from shard to shard. */
typedef struct decoder_state {
    cpr_ranks *ranks;
    cpr_archive *archive;
    cpr_vocabulary *vocabulary;
    cpr_codec *codec;         /* created with the first shard */
    cpr_primed_state *primed; /* made with the first shard of the node; NULL: no primer */
    cpr_lz4_meter *meter;
    cpr_output_tree *tree; /* extract */
    cpr_examine_depth depth;
    const uint64_t *shards; /* item -> shard; NULL: the same */
    bool *bad;              /* rank 0: shards that are damaged */
    const cpr_listener *listener;
} decoder_state;

static const cpr_shard_info *shard_of(const decoder_state *state, uint64_t item, uint64_t *shard)
{
    *shard = state->shards != NULL ? state->shards[item] : item;
    return cpr_archive_shard(state->archive, *shard);
}

static uint64_t item_bytes(void *context, uint64_t item)
{
    uint64_t shard;
    return shard_of(context, item, &shard)->raw_bytes;
}

/* COLLECTIVE. Before any shard is decoded. */
static cpr_status open_primed(decoder_state *state, cpr_error *error)
{
    const cpr_profile *profile;
    cpr_status status = cpr_archive_profile(state->archive, &profile, error);
    if (status == CPR_OK && cpr_archive_info(state->archive)->primer != NULL)
        status = cpr_primed_state_open(
            state->ranks, profile, cpr_archive_codec_bytes(state->archive), &state->primed, error);
    return cpr_ranks_agree(state->ranks, status, error);
}

/* COLLECTIVE. Before anything is written: does this machine compute as it should, and has it the
 * memory, and the profile in the archive's version? */
static cpr_status check_machine(const decoder_state *state, uint64_t items, cpr_error *error)
{
    const cpr_profile *profile;
    cpr_status status =
        cpr_ranks_agree(state->ranks, cpr_archive_profile(state->archive, &profile, error), error);
    if (status == CPR_OK)
        status = cpr_ranks_check_memory(
            state->ranks, profile, cpr_archive_codec_bytes(state->archive),
            cpr_archive_info(state->archive)->primer != NULL, items, state->listener, error);
    return status == CPR_OK ? cpr_ranks_self_test(state->ranks, profile, error) : status;
}

/* A cpr_prime_fn. */
static cpr_status decode_primer(void *context, cpr_progress_fn *progress, void *progress_context,
                                cpr_error *error)
{
    decoder_state *state = context;
    return cpr_archive_decode(state->archive, CPR_SHARD_PRIMER, state->codec,
                              (cpr_sink){NULL, NULL}, (cpr_watch){progress, progress_context},
                              error);
}

/* The shard's own progress has not begun while the primer is decoded. */
typedef struct waiting {
    cpr_progress_fn *progress;
    void *context;
} waiting;

/* A cpr_progress_fn. */
static cpr_status not_begun(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                            cpr_error *error)
{
    const waiting *w = context;
    (void)raw_bytes;
    (void)coded_bytes;
    return w->progress(w->context, 0, 0, error);
}

static cpr_status make_ready(decoder_state *state, cpr_progress_fn *progress,
                             void *progress_context, cpr_error *error)
{
    if (state->codec != NULL)
        return CPR_OK;
    waiting w = {progress, progress_context};
    cpr_status status = cpr_archive_codec(state->archive, &state->vocabulary, &state->codec, error);
    if (status == CPR_OK && state->primed != NULL)
        status = cpr_primed_state_make(state->primed, state->codec, decode_primer, state, not_begun,
                                       &w, error);
    return status;
}

static void free_decoder(decoder_state *state)
{
    cpr_codec_free(state->codec);
    cpr_primed_state_close(state->primed);
    cpr_vocabulary_free(state->vocabulary);
    cpr_lz4_meter_free(state->meter);
}

/* Sorts what became of a shard: damage is kept in the result and the run goes on. */
static cpr_status judge(cpr_status status, cpr_item_result *result, const cpr_error *detail,
                        cpr_error *error)
{
    if (status == CPR_ERR_DAMAGED) {
        result->bad = (int32_t)status;
        result->text = *detail;
        return CPR_OK;
    }
    if (status != CPR_OK && error != NULL)
        *error = *detail;
    return status;
}

static void begin_result(const decoder_state *state, uint64_t item, cpr_item_result *result)
{
    const cpr_shard_info *info = shard_of(state, item, &result->shard);
    result->raw_bytes = info->raw_bytes;
    result->coded_bytes = info->coded_bytes;
    result->raw_hash = info->raw_hash;
}

/* Notes damaged shards on rank 0, then tells the caller's listener. */
static void note_item(void *context, const cpr_item_result *result)
{
    decoder_state *state = context;
    if (result->bad != CPR_OK && state->bad != NULL)
        state->bad[result->shard] = true;
    if (state->listener != NULL && state->listener->item != NULL)
        state->listener->item(state->listener->context, result);
}

static void pass_progress(void *context, const cpr_run_progress *progress)
{
    const decoder_state *state = context;
    if (state->listener != NULL && state->listener->progress != NULL)
        state->listener->progress(state->listener->context, progress);
}

/* ---- extract ------------------------------------------------------------------------------- */

static cpr_status extract_shard(void *context, uint64_t item, cpr_progress_fn *progress,
                                void *progress_context, cpr_item_result *result, cpr_error *error)
{
    decoder_state *state = context;
    begin_result(state, item, result);
    uint64_t shard;
    const cpr_shard_info *info = shard_of(state, item, &shard);
    cpr_error detail = {.text = ""};
    bool present = false;
    cpr_status status = cpr_output_shard_present(
        state->tree, info, (cpr_watch){progress, progress_context}, &present, error);
    if (present)
        cpr_ranks_resumed(state->ranks, info->raw_bytes);
    if (status != CPR_OK || present)
        return status;
    status = make_ready(state, progress, progress_context, error);
    if (status == CPR_OK)
        status = cpr_output_shard_begin(state->tree, info, error);
    if (status != CPR_OK)
        return status;
    status = cpr_archive_decode(state->archive, shard, state->codec,
                                (cpr_sink){cpr_output_shard_write, state->tree},
                                (cpr_watch){progress, progress_context}, &detail);
    cpr_error end_detail = {.text = ""};
    const cpr_status ended = cpr_output_shard_end(state->tree, status == CPR_OK, &end_detail);
    if (status == CPR_OK && ended != CPR_OK) {
        if (error != NULL)
            *error = end_detail;
        return ended;
    }
    return judge(status, result, &detail, error);
}

/* The shards that hold bytes of selected files; malloc()ed. */
static uint64_t *select_shards(const cpr_archive *archive, const bool *files, uint64_t *count)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    uint64_t *shards = calloc((size_t)header->shard_count + 1, sizeof *shards);
    const uint64_t file_count = cpr_file_list_count(header->files);
    *count = 0;
    for (uint64_t i = 0; shards != NULL && i < header->shard_count; i++) {
        const uint64_t start = header->shards[i].offset;
        const uint64_t end = start + header->shards[i].raw_bytes;
        bool wanted = files == NULL;
        for (uint64_t f = cpr_file_list_find(header->files, start);
             !wanted && f < file_count && cpr_file_list_offset(header->files, f) < end; f++)
            wanted = files[f] && cpr_file_list_get(header->files, f).bytes > 0;
        if (wanted)
            shards[(*count)++] = i;
    }
    return shards;
}

/* Rank 0: CPR_ERR_DAMAGED if some shard is. */
static cpr_status count_damage(const decoder_state *state, cpr_error *error)
{
    const uint64_t count = cpr_archive_info(state->archive)->shard_count;
    uint64_t bad = 0;
    for (uint64_t i = 0; i < count; i++)
        bad += state->bad[i];
    if (bad == 0)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_DAMAGED,
                    "%llu of the archive's shards %s damaged; files that touch %s were left out",
                    (unsigned long long)bad, bad == 1 ? "is" : "are", bad == 1 ? "it" : "them");
}

/* Rank 0, after all shards have been worked on, or after a failure: names what is whole. */
static cpr_status finish_tree(decoder_state *state, const cpr_extract_options *options,
                              cpr_status status, cpr_error *error)
{
    const uint64_t shards = cpr_archive_info(state->archive)->shard_count;
    if (status != CPR_OK && (status == CPR_STOPPED || options->go_on)) {
        cpr_output_tree_leave(state->tree);
        return status;
    }
    /* After a failure what is not complete must go: every shard counts as bad. */
    if (status != CPR_OK)
        memset(state->bad, 1, (size_t)shards);
    cpr_error detail = {.text = ""};
    const cpr_status finished = cpr_output_tree_finish(state->tree, state->bad, &detail);
    if (status != CPR_OK)
        return status;
    if (finished != CPR_OK)
        return cpr_fail(error, finished, "%s", detail.text);
    return count_damage(state, error);
}

/* A cpr_warn_fn: what preparing has to tell. */
static void note(void *context, const char *text)
{
    const cpr_listener *listener = context;
    if (listener != NULL && listener->note != NULL)
        listener->note(listener->context, text);
}

/* COLLECTIVE. Rank 0 prepares the tree, the others join its run. */
static cpr_status prepare_tree(cpr_ranks *ranks, cpr_output_tree *tree,
                               const cpr_archive_header *header, const cpr_listener *listener,
                               cpr_error *error)
{
    cpr_status status = CPR_OK;
    char run[CPR_OUTPUT_RUN_BYTES];
    uint8_t *data = (uint8_t *)run;
    size_t bytes = sizeof run;
    if (cpr_ranks_rank(ranks) == 0) {
        cpr_output_tree_tell(tree, note, (void *)listener);
        status = cpr_output_tree_prepare(tree, header->shards, header->shard_count, error);
        cpr_output_tree_run(tree, run);
    }
    status = cpr_ranks_agree(ranks, status, error);
    if (status == CPR_OK)
        status = cpr_ranks_broadcast(ranks, &data, &bytes, error);
    if (status == CPR_OK && cpr_ranks_rank(ranks) != 0) {
        cpr_output_tree_join(tree, (const char *)data);
        free(data);
    }
    return status;
}

cpr_status cpr_extract(cpr_ranks *ranks, cpr_archive *archive, const cpr_extract_options *options,
                       const cpr_listener *listener, bool *bad, cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    decoder_state state = {.ranks = ranks, .archive = archive, .listener = listener};
    uint64_t count = 0;
    uint64_t *shards = select_shards(archive, options->files, &count);
    state.shards = shards;
    state.bad = calloc((size_t)header->shard_count + 1, sizeof *state.bad);
    cpr_status status = CPR_OK;
    if (shards == NULL || state.bad == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    status = cpr_ranks_agree(ranks, status, error);
    if (status == CPR_OK && count > 0)
        status = check_machine(&state, count, error);
    if (status == CPR_OK)
        status = cpr_output_tree_open(header->files, options->files, options->directory,
                                      options->overwrite, &state.tree, error);
    if (status == CPR_OK && options->go_on)
        cpr_output_tree_continue(state.tree);
    status = cpr_ranks_agree(ranks, status, error);
    if (status == CPR_OK)
        status = prepare_tree(ranks, state.tree, header, listener, error);
    if (status == CPR_OK) {
        const cpr_schedule schedule = {
            .items = count, .context = &state, .bytes = item_bytes, .run = extract_shard};
        const cpr_listener inner = {
            .context = &state, .progress = pass_progress, .item = note_item};
        if (count > 0)
            status = open_primed(&state, error);
        if (status == CPR_OK)
            status = cpr_ranks_run(ranks, &schedule, &inner, error);
        if (cpr_ranks_rank(ranks) == 0)
            status = finish_tree(&state, options, status, error);
        status = cpr_ranks_agree(ranks, status, error);
    }
    if (bad != NULL && state.bad != NULL)
        memcpy(bad, state.bad, (size_t)header->shard_count);
    cpr_output_tree_close(state.tree);
    free_decoder(&state);
    free(shards);
    free(state.bad);
    return status;
}

/* ---- examine ------------------------------------------------------------------------------- */

/* A cpr_write_fn: measures what is decoded. */
static cpr_status measure(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    (void)error;
    cpr_lz4_meter_add(context, data, bytes);
    return CPR_OK;
}

static cpr_status examine_shard(void *context, uint64_t item, cpr_progress_fn *progress,
                                void *progress_context, cpr_item_result *result, cpr_error *error)
{
    decoder_state *state = context;
    begin_result(state, item, result);
    const uint64_t shard = result->shard;
    cpr_error detail = {.text = ""};
    if (state->depth == CPR_EXAMINE_CODED) {
        const cpr_status status = cpr_archive_check_coded(state->archive, shard, &detail);
        const cpr_status go_on =
            progress(progress_context, result->raw_bytes, result->coded_bytes, error);
        return go_on != CPR_OK ? go_on : judge(status, result, &detail, error);
    }
    cpr_status status = make_ready(state, progress, progress_context, error);
    if (status == CPR_OK && state->meter == NULL)
        state->meter = cpr_lz4_meter_create();
    if (status == CPR_OK && state->meter == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to measure");
    if (status != CPR_OK)
        return status;
    if (state->depth == CPR_EXAMINE_CURVE)
        cpr_codec_set_curve(state->codec, &result->curve);
    status =
        cpr_archive_decode(state->archive, shard, state->codec, (cpr_sink){measure, state->meter},
                           (cpr_watch){progress, progress_context}, &detail);
    cpr_codec_set_curve(state->codec, NULL);
    const uint64_t lz4_bytes = cpr_lz4_meter_finish(state->meter);
    if (status == CPR_OK)
        result->lz4_bytes = lz4_bytes;
    return judge(status, result, &detail, error);
}

cpr_status cpr_examine(cpr_ranks *ranks, cpr_archive *archive, cpr_examine_depth depth,
                       const bool *selected, const cpr_listener *listener, cpr_error *error)
{
    const uint64_t shard_count = cpr_archive_info(archive)->shard_count;
    decoder_state state = {.ranks = ranks, .archive = archive, .depth = depth};
    uint64_t *shards = calloc((size_t)shard_count + 2, sizeof *shards);
    uint64_t count = 0;
    if (shards != NULL && depth == CPR_EXAMINE_CODED && cpr_archive_info(archive)->primer != NULL)
        shards[count++] = CPR_SHARD_PRIMER;
    for (uint64_t i = 0; shards != NULL && i < shard_count; i++)
        if (selected == NULL || selected[i])
            shards[count++] = i;
    cpr_status status = CPR_OK;
    if (shards == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    status = cpr_ranks_agree(ranks, status, error);
    state.shards = shards;
    if (status == CPR_OK && depth != CPR_EXAMINE_CODED && count > 0)
        status = check_machine(&state, count, error);
    if (status == CPR_OK && depth != CPR_EXAMINE_CODED && count > 0)
        status = open_primed(&state, error);
    if (status == CPR_OK) {
        const cpr_schedule schedule = {
            .items = count, .context = &state, .bytes = item_bytes, .run = examine_shard};
        status = cpr_ranks_run(ranks, &schedule, listener, error);
    }
    free_decoder(&state);
    free(shards);
    return status;
}
