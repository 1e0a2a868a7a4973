/* compress_plan.c - the list of files on all ranks, and how the corpus is cut. */
#include "compress_plan.h"

#include "compress_run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void cpr_compress_plan_free(cpr_compress_plan *plan)
{
    free(plan->sample);
    free(plan->noise);
    free(plan->changes);
    free(plan->starts);
    cpr_file_list_free(plan->files);
    *plan = (cpr_compress_plan){.files = NULL};
}

cpr_extent cpr_compress_plan_block(const cpr_compress_plan *plan, uint64_t i)
{
    assert(i < plan->sample_count);
    if (i >= plan->vocabulary_blocks)
        return cpr_plan_sample(plan->corpus_bytes, plan->primer_sample_bytes,
                               i - plan->vocabulary_blocks);
    return cpr_plan_sample(plan->corpus_bytes, plan->vocabulary_sample_bytes, i);
}

uint64_t cpr_compress_primer_bytes(const cpr_compress_options *options, const cpr_file_list *files)
{
    if (options->no_primer)
        return 0;
    return cpr_plan_primer_bytes(cpr_file_list_bytes(files), options->shard_bytes);
}

/* Bytes of the sample that a lesson of this profile reads, of a corpus of so many. */
static uint64_t lesson_bytes(const cpr_profile *profile, bool no_lesson, uint64_t wanted,
                             uint64_t corpus_bytes)
{
    if (no_lesson)
        return 0;
    if (wanted == 0)
        wanted = cpr_profile_lesson_bytes(profile, corpus_bytes);
    const uint64_t bytes = wanted > 0 ? cpr_plan_lesson_bytes(corpus_bytes, wanted) : 0;
    return cpr_profile_is_taught(cpr_profile_after_lesson(profile, corpus_bytes, bytes)) ? bytes
                                                                                         : 0;
}

uint64_t cpr_compress_lesson_bytes(const cpr_compress_options *options, const cpr_file_list *files)
{
    return lesson_bytes(options->profile, options->no_lesson, options->lesson_bytes,
                        cpr_file_list_bytes(files));
}

uint64_t cpr_plan_lesson(const cpr_plan *plan, const cpr_profile *profile, uint32_t *streams)
{
    const uint64_t bytes =
        lesson_bytes(profile, plan->no_lesson, plan->lesson_bytes, plan->raw_bytes);
    *streams = bytes > 0 ? cpr_lesson_streams(bytes) : 0;
    return bytes;
}

/* Rank 0's list: that of the manifest, if the job goes on. */
static const cpr_file_list *known_files(const cpr_compress_run *run)
{
    return run->work.manifest.files != NULL ? run->work.manifest.files : cpr_compress_corpus(run);
}

cpr_status cpr_compress_share_list(const cpr_compress_run *run, const cpr_file_list *own,
                                   cpr_file_list **all, cpr_error *error)
{
    uint8_t *packed = NULL;
    size_t bytes = 0;
    cpr_status status = CPR_OK;
    if (cpr_ranks_is_first(run->ranks)) {
        packed = cpr_file_list_pack(own, &bytes);
        if (packed == NULL)
            status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the list of files");
    }
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK)
        status = cpr_ranks_broadcast(run->ranks, &packed, &bytes, error);
    if (status == CPR_OK)
        status = cpr_file_list_unpack(packed, bytes, all, error);
    free(packed);
    return cpr_ranks_agree(run->ranks, status, error);
}

cpr_status cpr_compress_share_files(cpr_compress_run *run, cpr_error *error)
{
    const cpr_file_list *own = cpr_ranks_is_first(run->ranks) ? known_files(run) : NULL;
    cpr_status status = cpr_compress_share_list(run, own, &run->plan.files, error);
    if (status == CPR_OK)
        status = cpr_file_list_set_decoding(run->plan.files, &run->decoding, error);
    return cpr_ranks_agree(run->ranks, status, error);
}

/* Each rank looks for the line ends of every size-th shard. */
static cpr_status find_starts(const cpr_ranks *ranks, cpr_compress_plan *plan, cpr_error *error)
{
    const uint64_t count = plan->shard_count;
    cpr_status status = CPR_OK;
    cpr_corpus_reader *reader = cpr_corpus_reader_create(plan->files);
    if (reader == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the corpus");
    for (uint64_t i = (uint64_t)cpr_ranks_rank(ranks); status == CPR_OK && i <= count;
         i += (uint64_t)cpr_ranks_size(ranks)) {
        status = cpr_plan_start(reader, plan->files, count, i, &plan->starts[i], error);
        if (status == CPR_OK)
            status = cpr_stop_check(error);
    }
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(reader, error);
    cpr_corpus_reader_free(reader);
    return status;
}

/* Rank 0: the shards start where the manifest says. */
static cpr_status take_starts(const cpr_manifest *manifest, cpr_compress_plan *plan,
                              cpr_error *error)
{
    if (manifest->shard_count != plan->shard_count)
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "the manifest's shards are not those of the "
                        "corpus; --restart throws them away");
    memcpy(plan->starts, manifest->starts, ((size_t)plan->shard_count + 1) * sizeof *plan->starts);
    return CPR_OK;
}

cpr_status cpr_compress_cut(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_plan *plan = &run->plan;
    cpr_status status = CPR_OK;
    plan->corpus_bytes = cpr_file_list_bytes(plan->files);
    plan->shard_count = cpr_plan_shards(plan->corpus_bytes, run->options.shard_bytes);
    plan->primer_sample_bytes = cpr_compress_primer_bytes(&run->options, plan->files);
    plan->lesson_bytes = cpr_compress_lesson_bytes(&run->options, plan->files);
    run->engine.profile =
        cpr_profile_after_lesson(run->options.profile, plan->corpus_bytes, plan->lesson_bytes);
    const size_t count = (size_t)plan->shard_count;
    plan->starts = calloc(count + 1, sizeof *plan->starts);
    if (plan->starts == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a plan of %zu shards", count);
    else if (run->work.state == CPR_WORK_NEW)
        status = find_starts(run->ranks, plan, error);
    else if (cpr_ranks_is_first(run->ranks))
        status = take_starts(&run->work.manifest, plan, error);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status != CPR_OK)
        return status;
    /* Each start is set on one rank and zero on the others. */
    cpr_ranks_maximum(run->ranks, plan->starts, count + 1);
    /* Every rank has `starts`, or they would have agreed on a failure. */
    for (size_t i = 0; plan->starts != NULL && i < count; i++)
        if (plan->starts[i + 1] - plan->starts[i] > plan->largest)
            plan->largest = plan->starts[i + 1] - plan->starts[i];
    return CPR_OK;
}

uint64_t cpr_compress_codec_bytes(const cpr_compress_plan *plan)
{
    return plan->primer_bytes + plan->largest;
}
