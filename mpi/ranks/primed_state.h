/* primed_state.h - the model's state after the primer: made once on each node, read by all its
 * ranks. */
#ifndef CPR_PRIMED_STATE_H
#define CPR_PRIMED_STATE_H

#include "ranks.h"

/* The state that the shards' codecs begin with (cpr_codec_set_base()), in memory that the ranks of
 * a node share; a rank that cannot get at the others' has its own. */
typedef struct cpr_primed_state cpr_primed_state;

/* COLLECTIVE. Room for the state of codecs of this profile and size, on every node. It takes memory
 * when the state is made. */
cpr_status cpr_primed_state_open(cpr_ranks *ranks, const cpr_profile *profile, uint64_t max_bytes,
                                 cpr_primed_state **primed, cpr_error *error);

/* Local. The state must no longer be any codec's base. */
void cpr_primed_state_close(cpr_primed_state *primed);

/* Local. True on one rank of those that share memory, rank 0 if it is among them. */
bool cpr_primed_state_is_first(const cpr_primed_state *primed);

/* Puts the state after the primer at `state`, which has room for that of the codec that
 * cpr_primed_state_make() was given: codes or decodes the primer with that, or has it from
 * elsewhere. */
typedef cpr_status cpr_prime_fn(void *context, void *state, cpr_progress_fn *progress,
                                void *progress_context, cpr_error *error);

/* Local. Makes the state by means of `prime`, for which the codec begins with the initial state,
 * unless another rank of the node has made it or is about to, for which this waits; then it is the
 * codec's base. Calls `progress` all the while. If making it fails, it fails on all ranks that want
 * it. */
cpr_status cpr_primed_state_make(cpr_primed_state *primed, cpr_codec *codec, cpr_prime_fn *prime,
                                 void *context, cpr_progress_fn *progress, void *progress_context,
                                 cpr_error *error);

/* Local. Waits until another rank has made the state. */
cpr_status cpr_primed_state_wait(cpr_primed_state *primed, cpr_progress_fn *progress,
                                 void *progress_context, cpr_error *error);

/* Local. Makes the state, which has been made, the codec's base. NULL: none is. */
void cpr_primed_state_use(const cpr_primed_state *primed, cpr_codec *codec);

#endif
