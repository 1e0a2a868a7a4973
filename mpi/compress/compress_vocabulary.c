/* compress_vocabulary.c - the ranks learn one vocabulary from a sample of the corpus.
 *
 * Block b of the sample belongs to rank b % size. The first blocks are the vocabulary's: their
 * words are counted. The rest are the primer's: only their hashes are taken, and whether they are
 * noise. Counts are merged along a tree; rank 0 learns and packs the vocabulary and gives it to
 * all. Every rank, rank 0 too, then unpacks it as a decoder will. */
#include "compress_progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *pack_counts(void *context, size_t *bytes)
{
    return cpr_word_counts_pack(context, bytes);
}

static cpr_status merge_counts(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    if (cpr_word_counts_merge(context, data, bytes))
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to merge word counts");
}

/* Takes block i of the sample. False: out of memory. */
static bool take_block(cpr_compress_plan *plan, uint64_t i, cpr_word_counts *counts,
                       const uint8_t *block, size_t bytes)
{
    const bool noise = cpr_block_is_noise(block, bytes);
    plan->sample[i] = cpr_hash_bytes(block, bytes);
    if (i >= plan->vocabulary_blocks) {
        plan->noise[i - plan->vocabulary_blocks] = noise;
        return true;
    }
    return counts == NULL || noise || cpr_word_counts_add(counts, block, bytes);
}

/* Reads this rank's blocks of the sample, hashes them and, unless counts is NULL, counts their
 * words. */
static cpr_status read_sample(cpr_compress_run *run, cpr_word_counts *counts, cpr_error *error)
{
    cpr_corpus_reader *reader = cpr_corpus_reader_create(run->plan.files);
    uint8_t *block = NULL;
    size_t capacity = 0;
    cpr_status status = CPR_OK;
    if (reader == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the corpus");
    for (uint64_t i = (uint64_t)cpr_ranks_rank(run->ranks);
         status == CPR_OK && i < run->plan.sample_count;
         i += (uint64_t)cpr_ranks_size(run->ranks)) {
        const cpr_extent extent = cpr_compress_plan_block(&run->plan, i);
        if (extent.bytes > capacity) {
            capacity = (size_t)extent.bytes;
            free(block);
            block = malloc(capacity);
        }
        if (block == NULL)
            status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the sample");
        else
            status =
                cpr_corpus_reader_read(reader, extent.offset, block, (size_t)extent.bytes, error);
        if (status == CPR_OK && !take_block(&run->plan, i, counts, block, (size_t)extent.bytes))
            status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to count words");
        if (status == CPR_OK)
            status = cpr_stop_check(error);
    }
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(reader, error);
    free(block);
    cpr_corpus_reader_free(reader);
    return status;
}

/* What all ranks have found out about their blocks on all ranks. */
static void share_sample(cpr_compress_run *run)
{
    const uint64_t primer_blocks = run->plan.sample_count - run->plan.vocabulary_blocks;
    /* Each block's is set on one rank and zero on the others. */
    cpr_ranks_maximum(run->ranks, &run->plan.sample[0].high,
                      (size_t)run->plan.sample_count * sizeof *run->plan.sample / sizeof(uint64_t));
    cpr_ranks_maximum(run->ranks, run->plan.noise, primer_blocks);
    for (uint64_t i = 0; i < primer_blocks; i++)
        if (!run->plan.noise[i])
            run->plan.primer_bytes +=
                cpr_compress_plan_block(&run->plan, run->plan.vocabulary_blocks + i).bytes;
}

/* Rank 0: which files no longer have the content that the manifest's sample had. */
static cpr_status compare_sample(cpr_compress_run *run, cpr_error *error)
{
    if (run->work.manifest.sample_count != run->plan.sample_count)
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "the manifest's sample is not that of the "
                        "corpus; --restart throws it away");
    for (uint64_t i = 0; i < run->plan.sample_count; i++)
        if (!cpr_manifest_same_block(&run->work.manifest, i, run->plan.sample[i],
                                     cpr_compress_plan_block(&run->plan, i), run->plan.changes) &&
            i >= run->plan.vocabulary_blocks)
            run->plan.primer_changed = true;
    return CPR_OK;
}

/* What rank 0 knows from the manifest, on all ranks. */
static cpr_status share_manifest(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_plan *plan = &run->plan;
    plan->primer_bytes_now = plan->primer_bytes;
    plan->primer_bytes = run->work.manifest.primer_text_bytes;
    cpr_ranks_tell(run->ranks, &plan->primer_changed, sizeof plan->primer_changed);
    cpr_ranks_tell(run->ranks, &plan->primer_bytes, sizeof plan->primer_bytes);
    return cpr_compress_share_changes(run, error);
}

/* Rank 0: the vocabulary that the counts teach, packed. */
static cpr_status vocabulary_learn(cpr_compress_run *run, const cpr_word_counts *counts,
                                   cpr_error *error)
{
    cpr_vocabulary *learned =
        run->plan.corpus_bytes == 0
            ? cpr_vocabulary_create_bytes()
            : cpr_profile_vocabulary(run->engine.profile, counts, run->plan.corpus_bytes);
    if (learned != NULL)
        run->engine.packed_vocabulary =
            cpr_vocabulary_pack(learned, &run->engine.packed_vocabulary_bytes);
    cpr_vocabulary_free(learned);
    if (run->engine.packed_vocabulary != NULL)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to learn the vocabulary");
}

/* A new job: counts, learns, packs. */
static cpr_status learn_together(cpr_compress_run *run, cpr_error *error)
{
    cpr_word_counts *counts = cpr_word_counts_create();
    cpr_status status = counts != NULL
                            ? read_sample(run, counts, error)
                            : cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to count words");
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK)
        status = cpr_ranks_reduce(run->ranks, pack_counts, merge_counts, counts, error);
    if (status == CPR_OK) {
        share_sample(run);
        if (cpr_ranks_is_first(run->ranks))
            status = vocabulary_learn(run, counts, error);
        status = cpr_ranks_agree(run->ranks, status, error);
    }
    cpr_word_counts_free(counts);
    return status;
}

/* A cpr_compress_step of rank 0: the vocabulary of the manifest. */
static cpr_status take_vocabulary(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_engine *engine = &run->engine;
    const cpr_manifest *manifest = &run->work.manifest;
    const cpr_status status = compare_sample(run, error);
    if (status != CPR_OK)
        return status;
    engine->packed_vocabulary = malloc(manifest->vocabulary_bytes + 1);
    if (engine->packed_vocabulary == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the vocabulary");
    memcpy(engine->packed_vocabulary, manifest->vocabulary, manifest->vocabulary_bytes);
    engine->packed_vocabulary_bytes = manifest->vocabulary_bytes;
    return CPR_OK;
}

/* A job that goes on: the vocabulary is known, and stays; the sample tells what has changed. */
static cpr_status take_from_manifest(cpr_compress_run *run, cpr_error *error)
{
    cpr_status status = cpr_ranks_agree(run->ranks, read_sample(run, NULL, error), error);
    if (status != CPR_OK)
        return status;
    share_sample(run);
    status = cpr_compress_on_first(run, take_vocabulary, error);
    return status == CPR_OK ? share_manifest(run, error) : status;
}

/* Room for what is found out about the sample. */
static cpr_status open_sample(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_plan *plan = &run->plan;
    plan->vocabulary_sample_bytes =
        cpr_profile_sample_bytes(run->engine.profile, plan->corpus_bytes);
    plan->vocabulary_blocks =
        cpr_plan_sample_count(plan->corpus_bytes, plan->vocabulary_sample_bytes);
    plan->sample_count = plan->vocabulary_blocks;
    if (plan->primer_sample_bytes > 0)
        plan->sample_count += cpr_plan_sample_count(plan->corpus_bytes, plan->primer_sample_bytes);
    plan->sample = calloc((size_t)plan->sample_count + 1, sizeof *plan->sample);
    plan->noise = calloc((size_t)plan->sample_count + 1, sizeof *plan->noise);
    if (plan->sample == NULL || plan->noise == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a sample's hashes");
    return CPR_OK;
}

static cpr_status unpack_vocabulary(cpr_compress_engine *engine, cpr_error *error)
{
    errno = 0;
    engine->vocabulary =
        cpr_vocabulary_unpack(engine->packed_vocabulary, engine->packed_vocabulary_bytes);
    if (engine->vocabulary != NULL)
        return CPR_OK;
    if (errno == ENOMEM)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the vocabulary");
    return cpr_fail(error, CPR_ERR_DAMAGED,
                    "the manifest's vocabulary cannot be used; --restart throws it away");
}

cpr_status cpr_compress_vocabulary(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_engine *engine = &run->engine;
    cpr_compress_phase(run, CPR_PHASE_VOCABULARY, 0, 0);
    cpr_status status = cpr_ranks_agree(run->ranks, open_sample(run, error), error);
    if (status == CPR_OK)
        status = run->work.state == CPR_WORK_NEW ? learn_together(run, error)
                                                 : take_from_manifest(run, error);
    if (status == CPR_OK)
        status = cpr_ranks_broadcast(run->ranks, &engine->packed_vocabulary,
                                     &engine->packed_vocabulary_bytes, error);
    if (status != CPR_OK)
        return status;
    return cpr_ranks_agree(run->ranks, unpack_vocabulary(engine, error), error);
}
