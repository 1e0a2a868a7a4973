/* primed_cache.c - the model's state after the primer, in a cache: its key, and how it is made. */
#include "primed_cache.h"

#include "file_io.h"

#include <string.h>
#include <xxhash.h>

/* What CPR_STATE_BUILD is: the release, the kind of machine, and a hash of the sources that lay the
 * state out and fill it. A state says nothing of itself but its size. */
#ifndef CPR_STATE_BUILD
#error "CMake defines CPR_STATE_BUILD"
#endif

static void key_add_text(XXH3_state_t *state, const char *text)
{
    XXH3_128bits_update(state, text, strlen(text) + 1);
}

static void key_add_number(XXH3_state_t *state, uint64_t number)
{
    uint8_t bytes[8];
    cpr_put64(bytes, number);
    XXH3_128bits_update(state, bytes, sizeof bytes);
}

static void key_add_hash(XXH3_state_t *state, cpr_hash128 hash)
{
    uint8_t bytes[16];
    cpr_put_hash(bytes, hash);
    XXH3_128bits_update(state, bytes, sizeof bytes);
}

/* Of all that the state is made of, and by. Where there is no seal, the identity says little: so
 * the parts count as well. */
static cpr_status primed_key(cpr_archive *archive, const cpr_codec *codec, cpr_hash128 *key,
                             cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    const cpr_shard_info *primer = header->primer;
    const uint8_t *vocabulary;
    size_t vocabulary_bytes;
    const cpr_status status =
        cpr_archive_vocabulary(archive, &vocabulary, &vocabulary_bytes, error);
    if (status != CPR_OK)
        return status;
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL || XXH3_128bits_reset(state) == XXH_ERROR) {
        XXH3_freeState(state);
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    }
    key_add_text(state, CPR_STATE_BUILD);
    key_add_text(state, header->model);
    key_add_hash(state, cpr_archive_identity(archive));
    key_add_hash(state, cpr_hash_bytes(vocabulary, vocabulary_bytes));
    key_add_hash(state, cpr_hash_bytes(header->coded_weights, header->coded_weights_bytes));
    key_add_hash(state, primer->coded_hash);
    key_add_hash(state, primer->raw_hash);
    key_add_number(state, primer->raw_bytes);
    key_add_number(state, primer->tokens);
    key_add_number(state, cpr_archive_codec_bytes(archive));
    key_add_number(state, cpr_codec_state_bytes(codec));
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    *key = (cpr_hash128){.high = hash.high64, .low = hash.low64};
    XXH3_freeState(state);
    return CPR_OK;
}

cpr_status cpr_primed_cache_open(cpr_cache_claim *claim, const cpr_cache_place *place,
                                 cpr_archive *archive, const cpr_codec *codec, cpr_watch watch,
                                 cpr_error *error)
{
    static const cpr_cache_place nowhere = {.directory = ""};
    cpr_hash128 key = {0, 0};
    const cpr_status status = primed_key(archive, codec, &key, error);
    if (status == CPR_OK)
        return cpr_cache_claim_open(claim, place, key, cpr_codec_state_bytes(codec), watch, error);
    (void)cpr_cache_claim_open(claim, &nowhere, key, 0, watch, NULL);
    return status;
}

cpr_status cpr_primed_cache_make(cpr_cache_claim *claim, const cpr_archive *archive,
                                 cpr_codec *codec, cpr_watch watch, cpr_error *error)
{
    const cpr_status status = cpr_archive_decode(archive, CPR_SHARD_PRIMER, codec, CPR_NO_SINK,
                                                 cpr_cache_claim_watch(claim, watch), error);
    if (status == CPR_OK)
        cpr_cache_claim_store(claim, cpr_codec_state(codec));
    cpr_cache_claim_close(claim);
    return status;
}
