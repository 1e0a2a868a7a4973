/* primed_cache.h - inside shard/ and mpi/: the model's state after the primer, in a cache. */
#ifndef CPR_PRIMED_CACHE_H
#define CPR_PRIMED_CACHE_H

#include "archive.h"
#include "cache.h"

/* Looks in the cache for the state of codecs like this one after the archive's primer; see
 * cpr_cache_claim_open(), which tells what to do then. */
cpr_status cpr_primed_cache_open(cpr_cache_claim *claim, const cpr_cache_place *place,
                                 cpr_archive *archive, const cpr_codec *codec, cpr_watch watch,
                                 cpr_error *error);

/* Decodes the primer with the codec, stores the state if the cache is to have it, and then closes
 * the claim, also after a failure. *claim tells what became of it: the state is `found`, or the
 * codec alone has it. */
cpr_status cpr_primed_cache_make(cpr_cache_claim *claim, const cpr_archive *archive,
                                 cpr_codec *codec, cpr_watch watch, cpr_error *error);

#endif
