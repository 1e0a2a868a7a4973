/* successors.h - for some contexts, the two tokens that followed them most. Private to model/.
 *
 * Most contexts of several tokens were followed by one token only, or by two. An entry of eight
 * bytes says so, where the slots of bit histories take one cache line for every four decisions. */
#ifndef CPR_SUCCESSORS_H
#define CPR_SUCCESSORS_H

#include "mixing_state.h"

/* Learns the token in the entries that were found for it. */
void cpr_successors_learn(cpr_model *model, uint32_t token);

/* Asks for the cache lines that the contexts' hashes lead to. */
void cpr_successors_prefetch(const cpr_model *model);

/* Finds the contexts' entries, and what they expect next. */
void cpr_successors_find(cpr_model *model);

/* Which of the first five contexts expect `token`, as digits of base 3, the first context's
 * highest: 0 nothing is known, 1 it came most, 2 another did. */
uint32_t cpr_successors_agreement(const cpr_model *model, uint32_t token);

#endif
