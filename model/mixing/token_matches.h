/* token_matches.h - match models over the history of tokens. Private to model/.
 *
 * Each model remembers where the latest tokens, a number of its own, were last seen, and expects
 * what came next there. A miss does not end a match at once: a text that differs from an earlier
 * one in a token here and there is followed through it. */
#ifndef CPR_TOKEN_MATCHES_H
#define CPR_TOKEN_MATCHES_H

#include "mixing_state.h"

/* Learns whether the matches were right about the token, and appends it to the history. */
void cpr_token_matches_append(cpr_model *model, uint32_t token);

/* Then: looks for matches where there are none, or short ones. */
void cpr_token_matches_find(cpr_model *model);

/* What the matches expect next. */
void cpr_token_matches_expect(cpr_model *model);

/* The number of a match's state: of its length, and of the misses in the last eight tokens. */
uint32_t cpr_match_state(uint32_t length, uint32_t misses);

#endif
