/* bit_history.h - what a node of a context has seen, in two bytes. Private to model/.
 *
 * `recent`: the last decisions behind a leading 1, oldest first: 1 is nothing yet, 1b one decision
 * b, and so on; from seven decisions on, 1 and the last seven.
 * `counts`: a state that stands for the numbers (n0, n1) of zeros and ones. A decision adds one to
 * its number and, since old evidence against it has become doubtful, shrinks the other number (the
 * idea of Mahoney's PAQ6, doi:10.1.1.14.8839). Numbers are bounded: the smaller one is, the larger
 * the other may grow. States are numbered by n0 + n1, so a higher state has seen more. */
#ifndef CPR_BIT_HISTORY_H
#define CPR_BIT_HISTORY_H

#include <stdint.h>

#define CPR_RECENT_NONE 1u
#define CPR_COUNTS_NONE 0u

typedef struct cpr_bit_history {
    uint8_t next[256][2]; /* counts after a decision */
    uint8_t n[256][2];    /* n0 and n1 of each state */
    uint32_t states;
} cpr_bit_history;

void cpr_bit_history_init(cpr_bit_history *history);

static inline uint8_t cpr_recent_next(uint8_t recent, unsigned bit)
{
    return (uint8_t)(recent < 128 ? 2 * recent + bit : 128 | ((2u * recent + bit) & 127));
}

#endif
