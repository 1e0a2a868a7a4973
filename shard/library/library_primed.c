/* library_primed.c - the model's state after the primer: from the cache, or made. */
#include "library_primed.h"

#include "primed_cache.h"

#include <stdatomic.h>
#include <stdlib.h>

struct cpr_primed {
    atomic_uint users;
    cpr_cache_block block;
};

/* Keeps the state that the codec is in, in this process. */
static cpr_status primed_keep(cpr_codec *codec, cpr_cache_block *block, cpr_error *error)
{
    void *state = malloc(cpr_codec_state_bytes(codec));
    if (state == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY,
                        "no memory for the model's state after the primer");
    cpr_codec_get_state(codec, state);
    *block = (cpr_cache_block){state, state, 0};
    return CPR_OK;
}

static cpr_status primed_fill(cpr_cache_block *block, cpr_archive *archive, cpr_codec *codec,
                              const cpr_cache_place *place, cpr_watch watch,
                              cpr_primed_origin *origin, cpr_error *error)
{
    cpr_cache_claim claim;
    const cpr_watch quiet = cpr_watch_quietly(&watch);
    cpr_status status = cpr_primed_cache_open(&claim, place, archive, codec, quiet, error);
    origin->use = CPR_CACHE_LOADED;
    if (status != CPR_OK || claim.found.data != NULL) {
        cpr_cache_claim_close(&claim);
    } else {
        origin->use = claim.storing ? CPR_CACHE_STORED : CPR_CACHE_NONE;
        status = cpr_primed_cache_make(&claim, archive, codec, watch, error);
    }
    if (claim.note.text[0] != '\0')
        origin->use = CPR_CACHE_FAILED;
    origin->note = claim.note;
    *block = claim.found;
    return status == CPR_OK && block->data == NULL ? primed_keep(codec, block, error) : status;
}

cpr_status cpr_primed_make(cpr_archive *archive, cpr_codec *codec, const cpr_cache_place *place,
                           cpr_watch watch, cpr_primed **out, cpr_primed_origin *origin,
                           cpr_error *error)
{
    cpr_primed *primed = calloc(1, sizeof *primed);
    *out = NULL;
    if (primed == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    atomic_init(&primed->users, 1);
    const cpr_status status =
        primed_fill(&primed->block, archive, codec, place, watch, origin, error);
    if (status != CPR_OK)
        cpr_primed_free(primed);
    else
        *out = primed;
    return status;
}

const void *cpr_primed_state(const cpr_primed *primed)
{
    return primed->block.data;
}

cpr_primed *cpr_primed_share(cpr_primed *primed)
{
    if (primed != NULL)
        atomic_fetch_add(&primed->users, 1);
    return primed;
}

void cpr_primed_free(cpr_primed *primed)
{
    if (primed == NULL || atomic_fetch_sub(&primed->users, 1) != 1)
        return;
    cpr_cache_block_free(&primed->block);
    free(primed);
}
