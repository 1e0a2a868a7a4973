/* extract.c - from an archive to files. */
#include "extract_tars.h"
#include "output.h"
#include "shard_decoder.h"

#include <stdlib.h>
#include <string.h>

typedef struct extraction {
    cpr_shard_decoder decoder;
    const cpr_extract_options *options;
    cpr_output_tree *tree;
    const cpr_listener *listener; /* the caller's; NULL: none */
    bool *bad;                    /* rank 0: shards that are damaged */
} extraction;

static uint64_t extraction_item_bytes(void *context, uint64_t item)
{
    const extraction *state = context;
    uint64_t shard;
    return cpr_shard_decoder_item(&state->decoder, item, &shard)->raw_bytes;
}

/* Keeps what is damaged on rank 0, then tells the caller's listener. */
static void extraction_note_item(void *context, const cpr_item_result *result)
{
    extraction *state = context;
    if (result->bad != CPR_OK)
        state->bad[result->shard] = true;
    if (state->listener != NULL && state->listener->item != NULL)
        state->listener->item(state->listener->context, result);
}

static void extraction_pass_progress(void *context, const cpr_run_progress *progress)
{
    const extraction *state = context;
    if (state->listener != NULL && state->listener->progress != NULL)
        state->listener->progress(state->listener->context, progress);
}

static cpr_status extract_shard(void *context, uint64_t item, cpr_progress_fn *progress,
                                void *progress_context, cpr_item_result *result, cpr_error *error)
{
    extraction *state = context;
    uint64_t shard;
    const cpr_watch watch = {progress, progress_context};
    const cpr_shard_info *info = cpr_shard_decoder_item(&state->decoder, item, &shard);
    cpr_shard_decoder_begin(&state->decoder, item, result);
    cpr_error detail = {.text = ""};
    bool present = false;
    cpr_status status = cpr_output_shard_present(state->tree, info, watch, &present, error);
    if (present)
        result->resumed_bytes = info->raw_bytes;
    if (status != CPR_OK || present)
        return status;
    status = cpr_shard_decoder_start(&state->decoder, watch, error);
    if (status == CPR_OK)
        status = cpr_output_shard_begin(state->tree, info, error);
    if (status != CPR_OK)
        return status;
    status = cpr_archive_decode(state->decoder.archive, shard, state->decoder.parts.codec,
                                (cpr_sink){cpr_output_shard_write, state->tree}, watch, &detail);
    cpr_error end_detail = {.text = ""};
    const cpr_status ended = cpr_output_shard_end(state->tree, status == CPR_OK, &end_detail);
    if (status == CPR_OK && ended != CPR_OK) {
        if (error != NULL)
            *error = end_detail;
        return ended;
    }
    return cpr_shard_decoder_judge(status, result, &detail, error);
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
static cpr_status extraction_count_damage(const extraction *state, cpr_error *error)
{
    const uint64_t count = cpr_archive_info(state->decoder.archive)->shard_count;
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
static cpr_status extraction_finish_tree(extraction *state, cpr_status status, cpr_error *error)
{
    const uint64_t shards = cpr_archive_info(state->decoder.archive)->shard_count;
    if (status != CPR_OK && (status == CPR_STOPPED || state->options->go_on)) {
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
    return extraction_count_damage(state, error);
}

/* A cpr_warn_fn, and a listener's note(). */
static void extraction_note(void *context, const char *text)
{
    const extraction *state = context;
    if (state->listener != NULL && state->listener->note != NULL)
        state->listener->note(state->listener->context, text);
}

/* Rank 0. A cpr_rank_fn. */
static cpr_status extraction_prepare_tree(void *context, cpr_error *error)
{
    extraction *state = context;
    const cpr_archive_header *header = cpr_archive_info(state->decoder.archive);
    cpr_output_tree_tell(state->tree, extraction_note, state);
    return cpr_output_tree_prepare(state->tree, header->shards, header->shard_count, error);
}

/* COLLECTIVE. Rank 0 prepares the tree, the others join its run. */
static cpr_status extraction_open_tree(extraction *state, cpr_error *error)
{
    const cpr_extract_options *options = state->options;
    cpr_ranks *ranks = state->decoder.ranks;
    const cpr_archive_header *header = cpr_archive_info(state->decoder.archive);
    char run[CPR_OUTPUT_RUN_BYTES] = "";
    cpr_status status = cpr_output_tree_open(header->files, options->files, options->directory,
                                             options->overwrite, &state->tree, error);
    if (status == CPR_OK && options->go_on)
        cpr_output_tree_continue(state->tree);
    status = cpr_ranks_agree(ranks, status, error);
    if (status == CPR_OK)
        status = cpr_ranks_on_first(ranks, extraction_prepare_tree, state, error);
    if (status != CPR_OK)
        return status;
    if (cpr_ranks_is_first(ranks))
        cpr_output_tree_run(state->tree, run);
    cpr_ranks_tell(ranks, run, sizeof run);
    if (!cpr_ranks_is_first(ranks))
        cpr_output_tree_join(state->tree, run);
    return CPR_OK;
}

/* ---- threads -------------------------------------------------------------------------------- */

/* A cpr_context_copy_fn: with a codec and a tree of its own, as another rank would have. */
static bool extraction_copy(void *own, void *copy)
{
    const extraction *state = own;
    const cpr_extract_options *options = state->options;
    extraction *other = copy;
    char run[CPR_OUTPUT_RUN_BYTES];
    *other = *state;
    if (!cpr_shard_decoder_copy(&state->decoder, &other->decoder))
        return false;
    if (cpr_output_tree_open(cpr_archive_info(state->decoder.archive)->files, options->files,
                             options->directory, options->overwrite, &other->tree,
                             NULL) != CPR_OK) {
        cpr_shard_decoder_close_copy(&other->decoder);
        return false;
    }
    if (options->go_on)
        cpr_output_tree_continue(other->tree);
    cpr_output_tree_run(state->tree, run);
    cpr_output_tree_join(other->tree, run);
    return true;
}

/* A cpr_context_close_fn. */
static void extraction_close_copy(void *copy)
{
    extraction *other = copy;
    cpr_output_tree_close(other->tree);
    cpr_shard_decoder_close_copy(&other->decoder);
}

/* ---- the run -------------------------------------------------------------------------------- */

/* COLLECTIVE. Recreates the files, when the tree is open. */
static cpr_status extraction_run(extraction *state, uint64_t items, cpr_error *error)
{
    cpr_ranks *ranks = state->decoder.ranks;
    cpr_decoder_threads threads = {.count = 1};
    cpr_schedule schedule = {
        .items = items, .context = state, .bytes = extraction_item_bytes, .run = extract_shard};
    const cpr_listener inner = {.context = state,
                                .progress = extraction_pass_progress,
                                .item = extraction_note_item,
                                .note = extraction_note};
    cpr_status status = CPR_OK;
    if (items > 0)
        status = cpr_shard_decoder_open(&state->decoder, error);
    if (status == CPR_OK)
        cpr_decoder_threads_open(&threads, &state->decoder, state->options->threads, items, state,
                                 sizeof *state, extraction_copy);
    schedule.threads = threads.count;
    schedule.contexts = threads.contexts;
    if (status == CPR_OK)
        status = cpr_ranks_run(ranks, &schedule, &inner, error);
    cpr_decoder_threads_close(&threads, extraction_close_copy);
    if (cpr_ranks_is_first(ranks))
        status = extraction_finish_tree(state, status, error);
    return cpr_ranks_agree(ranks, status, error);
}

/* Rank 0: how much there is to do. */
static void extraction_tell_phase(const extraction *state, uint64_t items)
{
    const cpr_listener *listener = state->listener;
    uint64_t raw_bytes = 0;
    uint64_t shard;
    for (uint64_t i = 0; i < items; i++)
        raw_bytes += cpr_shard_decoder_item(&state->decoder, i, &shard)->raw_bytes;
    if (cpr_ranks_is_first(state->decoder.ranks) && listener != NULL && listener->phase != NULL)
        listener->phase(listener->context, CPR_PHASE_SHARDS, raw_bytes, items);
}

/* COLLECTIVE. Recreates the selected files. */
static cpr_status extract_files(cpr_ranks *ranks, cpr_archive *archive,
                                const cpr_extract_options *options, const cpr_listener *listener,
                                bool *bad, cpr_error *error)
{
    const size_t shard_count = (size_t)cpr_archive_info(archive)->shard_count;
    uint64_t items = 0;
    uint64_t *shards = select_shards(archive, options->files, &items);
    extraction state = {.decoder = {.ranks = ranks,
                                    .archive = archive,
                                    .cache = {.directory = options->cache},
                                    .shards = shards},
                        .options = options,
                        .listener = listener,
                        .bad = calloc(shard_count + 1, sizeof *state.bad)};
    cpr_status status = CPR_OK;
    if (shards == NULL || state.bad == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    status = cpr_ranks_agree(ranks, status, error);
    if (status == CPR_OK) {
        extraction_tell_phase(&state, items);
        if (items > 0)
            status = cpr_shard_decoder_check(&state.decoder, items, listener, error);
    }
    if (status == CPR_OK)
        status = extraction_open_tree(&state, error);
    if (status == CPR_OK)
        status = extraction_run(&state, items, error);
    if (bad != NULL && state.bad != NULL)
        memcpy(bad, state.bad, shard_count);
    cpr_output_tree_close(state.tree);
    cpr_shard_decoder_close(&state.decoder);
    free(shards);
    free(state.bad);
    return status;
}

cpr_status cpr_extract(cpr_ranks *ranks, cpr_archive *archive, const cpr_extract_options *options,
                       const cpr_listener *listener, bool *bad, cpr_error *error)
{
    if (!options->tars)
        return extract_files(ranks, archive, options, listener, bad, error);
    cpr_extract_options others = *options;
    cpr_tar_selection tars;
    cpr_status status = cpr_ranks_agree(
        ranks, cpr_tar_selection_make(archive, options->files, &tars, error), error);
    others.files = tars.others;
    cpr_error detail = {.text = ""};
    cpr_status made = CPR_OK;
    if (status == CPR_OK)
        status = extract_files(ranks, archive, &others, listener, bad, error);
    if (status == CPR_OK || status == CPR_ERR_DAMAGED)
        made = cpr_extract_tars(ranks, archive, &tars, options, &detail);
    if (status == CPR_OK && made != CPR_OK)
        status = cpr_fail(error, made, "%s", detail.text);
    cpr_tar_selection_free(&tars);
    return status;
}
