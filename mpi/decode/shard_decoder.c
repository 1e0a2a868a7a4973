/* shard_decoder.c - vocabulary, weights, codec and primed state of an archive, on each rank. */
#include "shard_decoder.h"

#include "primed_cache.h"
#include "thread_count.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const cpr_shard_info *cpr_shard_decoder_item(const cpr_shard_decoder *decoder, uint64_t item,
                                             uint64_t *shard)
{
    *shard = decoder->shards[item];
    return cpr_archive_shard(decoder->archive, *shard);
}

cpr_status cpr_shard_decoder_check(const cpr_shard_decoder *decoder, uint64_t items,
                                   const cpr_listener *listener, cpr_error *error)
{
    const cpr_archive *archive = decoder->archive;
    const cpr_profile *profile;
    cpr_status status =
        cpr_ranks_agree(decoder->ranks, cpr_archive_profile(archive, &profile, error), error);
    if (status == CPR_OK)
        status = cpr_ranks_check_memory(decoder->ranks, profile, cpr_archive_codec_bytes(archive),
                                        cpr_archive_info(archive)->primer != NULL, 0, items,
                                        listener, error);
    return status == CPR_OK ? cpr_ranks_self_test(decoder->ranks, profile, error) : status;
}

cpr_status cpr_shard_decoder_open(cpr_shard_decoder *decoder, cpr_error *error)
{
    const cpr_profile *profile;
    cpr_status status = cpr_archive_profile(decoder->archive, &profile, error);
    if (status == CPR_OK && cpr_archive_info(decoder->archive)->primer != NULL)
        status = cpr_primed_state_open(decoder->ranks, profile,
                                       cpr_archive_codec_bytes(decoder->archive), &decoder->primed,
                                       error);
    return cpr_ranks_agree(decoder->ranks, status, error);
}

void cpr_shard_decoder_close(cpr_shard_decoder *decoder)
{
    cpr_archive_decoder_free(&decoder->parts);
    cpr_primed_state_close(decoder->primed);
}

bool cpr_shard_decoder_copy(const cpr_shard_decoder *decoder, cpr_shard_decoder *copy)
{
    *copy = *decoder;
    copy->started = false;
    if (cpr_archive_decoder_open(decoder->archive, &copy->parts, NULL) == CPR_OK)
        return true;
    cpr_archive_decoder_free(&copy->parts);
    return false;
}

void cpr_shard_decoder_close_copy(cpr_shard_decoder *copy)
{
    cpr_archive_decoder_free(&copy->parts);
}

static unsigned decoder_count_threads(const cpr_shard_decoder *decoder, unsigned wanted,
                                      uint64_t items)
{
    const cpr_profile *profile;
    if (cpr_ranks_size(decoder->ranks) > 1 ||
        cpr_archive_profile(decoder->archive, &profile, NULL) != CPR_OK)
        return 1;
    /* A test that holds a run knows what it has done by then. */
    if (wanted == 0 && getenv("CORPRESS_TEST_HOLD") != NULL)
        return 1;
    const cpr_memory_need need =
        cpr_memory_need_of(profile, cpr_archive_codec_bytes(decoder->archive),
                           cpr_archive_info(decoder->archive)->primer != NULL);
    return cpr_thread_count(&need, wanted, items);
}

void cpr_decoder_threads_open(cpr_decoder_threads *threads, const cpr_shard_decoder *decoder,
                              unsigned wanted, uint64_t items, void *own, size_t bytes,
                              cpr_context_copy_fn *copy)
{
    const unsigned most = decoder_count_threads(decoder, wanted, items);
    *threads = (cpr_decoder_threads){.count = 1, .bytes = bytes};
    if (most < 2)
        return;
    threads->copies = calloc(most - 1, bytes);
    threads->contexts = calloc(most, sizeof *threads->contexts);
    if (threads->copies == NULL || threads->contexts == NULL)
        return;
    threads->contexts[0] = own;
    for (; threads->count < most; threads->count++) {
        void *context = threads->copies + (threads->count - 1) * bytes;
        if (!copy(own, context))
            break;
        threads->contexts[threads->count] = context;
    }
}

void cpr_decoder_threads_close(cpr_decoder_threads *threads, cpr_context_close_fn *close)
{
    for (unsigned i = 1; i < threads->count; i++)
        close(threads->contexts[i]);
    free(threads->copies);
    free(threads->contexts);
}

void cpr_shard_decoder_begin(const cpr_shard_decoder *decoder, uint64_t item,
                             cpr_item_result *result)
{
    const cpr_shard_info *info = cpr_shard_decoder_item(decoder, item, &result->shard);
    result->raw_bytes = info->raw_bytes;
    result->coded_bytes = info->coded_bytes;
    result->raw_hash = info->raw_hash;
}

/* A cpr_prime_fn. */
static cpr_status decode_primer(void *context, void *state, cpr_progress_fn *progress,
                                void *progress_context, cpr_error *error)
{
    cpr_shard_decoder *decoder = context;
    cpr_codec *codec = decoder->parts.codec;
    const cpr_watch watch = {progress, progress_context};
    cpr_cache_claim claim;
    cpr_status status =
        cpr_primed_cache_open(&claim, &decoder->cache, decoder->archive, codec, watch, error);
    if (status == CPR_OK && claim.found.data == NULL)
        status = cpr_primed_cache_make(&claim, decoder->archive, codec, watch, error);
    cpr_cache_claim_close(&claim);
    if (status == CPR_OK)
        memcpy(state, claim.found.data != NULL ? claim.found.data : cpr_codec_state(codec),
               cpr_codec_state_bytes(codec));
    if (claim.note.text[0] != '\0')
        cpr_ranks_note(decoder->ranks, "%s", claim.note.text);
    cpr_cache_block_free(&claim.found);
    return status;
}

cpr_status cpr_shard_decoder_start(cpr_shard_decoder *decoder, cpr_watch watch, cpr_error *error)
{
    cpr_status status = CPR_OK;
    if (decoder->started)
        return CPR_OK;
    if (decoder->parts.codec == NULL)
        status = cpr_archive_decoder_open(decoder->archive, &decoder->parts, error);
    if (status != CPR_OK)
        cpr_archive_decoder_free(&decoder->parts);
    const cpr_watch quiet = cpr_watch_quietly(&watch);
    if (status == CPR_OK && decoder->primed != NULL)
        status = cpr_primed_state_make(decoder->primed, decoder->parts.codec, decode_primer,
                                       decoder, quiet.progress, quiet.context, error);
    decoder->started = status == CPR_OK;
    return status;
}

cpr_status cpr_shard_decoder_judge(cpr_status status, cpr_item_result *result,
                                   const cpr_error *detail, cpr_error *error)
{
    assert(result->bad == CPR_OK);
    if (status == CPR_ERR_DAMAGED) {
        result->bad = (int32_t)status;
        result->text = *detail;
        return CPR_OK;
    }
    if (status != CPR_OK && error != NULL)
        *error = *detail;
    return status;
}
