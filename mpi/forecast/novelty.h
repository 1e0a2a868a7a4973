/* novelty.h - how much of a text is new, given all that came before it: a quick model of what a
 * slow one will need.
 *
 * Each byte is guessed from what followed the same bytes last time: behind a long match, then
 * behind the last six, four, three and two bytes. Whether a guess is right costs what it has cost
 * so far; what no guess finds costs what it does after the byte before it. The sums are no size of
 * anything, but they fall as those of a real model fall when it has seen more: forecast_fit.h says
 * how. */
#ifndef CPR_NOVELTY_H
#define CPR_NOVELTY_H

#include <stddef.h>
#include <stdint.h>

/* What a text costs, in bits: whether it goes on as a match does, whether short contexts guess it,
 * and what is left. */
#define CPR_NOVELTY_FAR ((size_t)6 << 20)
typedef struct cpr_novelty_bits {
    double match, guess, rest;
    double
        far; /* bytes, not bits, that only a match found which is more than CPR_NOVELTY_FAR back */
} cpr_novelty_bits;

typedef struct cpr_novelty cpr_novelty;

/* For a text of at most that many bytes, below 2^31. NULL: no memory. */
cpr_novelty *cpr_novelty_create(size_t capacity);
void cpr_novelty_free(cpr_novelty *novelty);

/* Bytes of memory of one. */
size_t cpr_novelty_memory(size_t capacity);

/* Where the next `bytes` bytes of the text are to be put; they lie behind those before them. */
uint8_t *cpr_novelty_room(cpr_novelty *novelty, size_t bytes);

/* They are there: adds what they cost to *bits. */
void cpr_novelty_take(cpr_novelty *novelty, size_t bytes, cpr_novelty_bits *bits);

/* Remembers where it is; goes back there, as often as wanted. False: no memory. */
int cpr_novelty_keep(cpr_novelty *novelty);
void cpr_novelty_return(cpr_novelty *novelty);

#endif
