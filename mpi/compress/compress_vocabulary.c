/* compress_vocabulary.c - the ranks learn one vocabulary from a sample of the corpus.
 *
 * Block b of the sample belongs to rank b % size. The first blocks are the vocabulary's: their
 * words are counted. The rest are the primer's: only their hashes are taken, and whether they are
 * noise. Counts are merged along a tree; rank 0 learns and packs the vocabulary and gives it to
 * all. Every rank, rank 0 too, then unpacks it as a decoder will. */
#include "compress_run.h"

#include <errno.h>
#include <stdlib.h>

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

cpr_extent cpr_compress_sample(const cpr_compress_run *run, uint64_t i)
{
    if (i >= run->vocabulary_blocks)
        return cpr_plan_sample(run->corpus_bytes, run->primer_sample_bytes,
                               i - run->vocabulary_blocks);
    const uint64_t sample = cpr_profile_sample_bytes(run->options->profile, run->corpus_bytes);
    return cpr_plan_sample(run->corpus_bytes, sample, i);
}

/* Takes block i of the sample. False: out of memory. */
static bool take_block(cpr_compress_run *run, uint64_t i, cpr_word_counts *counts,
                       const uint8_t *block, size_t bytes)
{
    const bool noise = cpr_block_is_noise(block, bytes);
    run->sample[i] = cpr_manifest_hash(block, bytes);
    if (i >= run->vocabulary_blocks) {
        run->noise[i - run->vocabulary_blocks] = noise;
        return true;
    }
    return counts == NULL || noise || cpr_word_counts_add(counts, block, bytes);
}

/* Reads this rank's blocks of the sample, hashes them and, unless counts is NULL, counts their
 * words. */
static cpr_status read_sample(cpr_compress_run *run, cpr_word_counts *counts, cpr_error *error)
{
    cpr_corpus_reader *reader = cpr_corpus_reader_create(run->files);
    uint8_t *block = NULL;
    size_t capacity = 0;
    cpr_status status = CPR_OK;
    if (reader == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the corpus");
    for (uint64_t i = (uint64_t)cpr_ranks_rank(run->ranks);
         status == CPR_OK && i < run->sample_count; i += (uint64_t)cpr_ranks_size(run->ranks)) {
        const cpr_extent extent = cpr_compress_sample(run, i);
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
        if (status == CPR_OK && !take_block(run, i, counts, block, (size_t)extent.bytes))
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
    const uint64_t primer_blocks = run->sample_count - run->vocabulary_blocks;
    /* Each block's is set on one rank and zero on the others. */
    cpr_ranks_maximum(run->ranks, &run->sample[0].high,
                      (size_t)run->sample_count * sizeof *run->sample / sizeof(uint64_t));
    cpr_ranks_maximum(run->ranks, run->noise, primer_blocks);
    for (uint64_t i = 0; i < primer_blocks; i++)
        if (!run->noise[i])
            run->primer_bytes += cpr_compress_sample(run, run->vocabulary_blocks + i).bytes;
}

/* Rank 0: which files no longer have the content that the manifest's sample had. */
static cpr_status compare_sample(cpr_compress_run *run, cpr_error *error)
{
    if (run->manifest.sample_count != run->sample_count)
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "the manifest's sample is not that of the "
                        "corpus; --restart throws it away");
    for (uint64_t i = 0; i < run->sample_count; i++)
        if (!cpr_manifest_same_block(&run->manifest, i, run->sample[i], cpr_compress_sample(run, i),
                                     run->changes) &&
            i >= run->vocabulary_blocks)
            run->primer_changed = true;
    return CPR_OK;
}

/* What rank 0 knows from the manifest, on all ranks. */
static cpr_status share_manifest(cpr_compress_run *run, cpr_error *error)
{
    uint64_t values[2] = {run->primer_changed, run->manifest.primer_text_bytes};
    cpr_ranks_maximum(run->ranks, values, 2);
    run->primer_changed = values[0];
    run->primer_bytes_now = run->primer_bytes;
    run->primer_bytes = values[1];
    return cpr_compress_share_changes(run, error);
}

/* Rank 0: the vocabulary that the counts teach, packed. */
static cpr_status learn(cpr_compress_run *run, const cpr_word_counts *counts, cpr_error *error)
{
    cpr_vocabulary *learned =
        run->corpus_bytes == 0
            ? cpr_vocabulary_create_bytes()
            : cpr_vocabulary_learn(
                  counts, cpr_profile_vocabulary_size(run->options->profile, run->corpus_bytes));
    if (learned != NULL)
        run->packed_vocabulary = cpr_vocabulary_pack(learned, &run->packed_vocabulary_bytes);
    cpr_vocabulary_free(learned);
    if (run->packed_vocabulary != NULL)
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
        if (cpr_ranks_rank(run->ranks) == 0)
            status = learn(run, counts, error);
        status = cpr_ranks_agree(run->ranks, status, error);
    }
    cpr_word_counts_free(counts);
    return status;
}

/* A job that goes on: the vocabulary is known, and stays; the sample tells what has changed. */
static cpr_status take_from_manifest(cpr_compress_run *run, cpr_error *error)
{
    cpr_status status = cpr_ranks_agree(run->ranks, read_sample(run, NULL, error), error);
    if (status != CPR_OK)
        return status;
    share_sample(run);
    if (cpr_ranks_rank(run->ranks) == 0) {
        status = compare_sample(run, error);
        run->packed_vocabulary = run->manifest.vocabulary;
        run->packed_vocabulary_bytes = run->manifest.vocabulary_bytes;
        run->manifest.vocabulary = NULL;
    }
    status = cpr_ranks_agree(run->ranks, status, error);
    return status == CPR_OK ? share_manifest(run, error) : status;
}

cpr_status cpr_compress_vocabulary(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_phase(run, "vocabulary");
    run->vocabulary_blocks = cpr_plan_sample_count(
        run->corpus_bytes, cpr_profile_sample_bytes(run->options->profile, run->corpus_bytes));
    run->sample_count = run->vocabulary_blocks;
    if (run->primer_sample_bytes > 0)
        run->sample_count += cpr_plan_sample_count(run->corpus_bytes, run->primer_sample_bytes);
    run->sample = calloc((size_t)run->sample_count + 1, sizeof *run->sample);
    run->noise = calloc((size_t)run->sample_count + 1, sizeof *run->noise);
    cpr_status status = CPR_OK;
    if (run->sample == NULL || run->noise == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a sample's hashes");
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK)
        status = run->state == CPR_WORK_NEW ? learn_together(run, error)
                                            : take_from_manifest(run, error);
    if (status == CPR_OK)
        status = cpr_ranks_broadcast(run->ranks, &run->packed_vocabulary,
                                     &run->packed_vocabulary_bytes, error);
    if (status != CPR_OK)
        return status;
    run->vocabulary = cpr_vocabulary_unpack(run->packed_vocabulary, run->packed_vocabulary_bytes);
    if (run->vocabulary == NULL && errno == ENOMEM)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the vocabulary");
    else if (run->vocabulary == NULL)
        status = cpr_fail(error, CPR_ERR_DAMAGED,
                          "the manifest's vocabulary cannot be used; --restart throws it away");
    return cpr_ranks_agree(run->ranks, status, error);
}
