/* library_primed.h - the model's state after the primer, which readers share. Private to
 * shard/library. */
#ifndef CPR_LIBRARY_PRIMED_H
#define CPR_LIBRARY_PRIMED_H

#include "archive.h"
#include "cache.h"
#include "corpress_speed.h"

/* Readers only read the state. Any thread. */
typedef struct cpr_primed cpr_primed;

/* How the state came about; see cpr_reader_cache(). */
typedef struct cpr_primed_origin {
    cpr_cache_use use;
    cpr_error note;
} cpr_primed_origin;

/* Takes the state from the cache, or decodes the primer with the codec. */
cpr_status cpr_primed_make(cpr_archive *archive, cpr_codec *codec, const cpr_cache_place *place,
                           cpr_watch watch, cpr_primed **primed, cpr_primed_origin *origin,
                           cpr_error *error);

const void *cpr_primed_state(const cpr_primed *primed);

/* One user more. NULL: nothing. */
cpr_primed *cpr_primed_share(cpr_primed *primed);

/* One user less; the last one frees it. */
void cpr_primed_free(cpr_primed *primed);

#endif
