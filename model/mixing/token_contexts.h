/* token_contexts.h - what the model works out once a token. Private to model/. */
#ifndef CPR_TOKEN_CONTEXTS_H
#define CPR_TOKEN_CONTEXTS_H

#include "mixing_state.h"

/* Appends a finished token to text and history, follows matches, and computes the hashes of the
 * profile's contexts for the next one. True: a guess is certain to follow. */
bool cpr_token_contexts_update(cpr_model *model, uint32_t token);

/* The hashes for the first token of a shard. */
void cpr_token_contexts_begin(cpr_model *model);

/* After either: finds the contexts' successors, and makes a guess at the next token, or none. Apart
 * from them, so that there is time for memory to answer. */
void cpr_token_contexts_guess(cpr_model *model);

#endif
