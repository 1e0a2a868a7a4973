/* bit_history.h - what a node of a context has seen, in one byte. Private to model/.
 *
 * A state stands for the numbers (n0, n1) of zeros and ones. A decision adds one to its number and,
 * since old evidence against it has become doubtful, shrinks the other number (the idea of
 * Mahoney's PAQ6, doi:10.1.1.14.8839). Numbers are bounded: the smaller one is, the larger the
 * other may grow. Where both were seen and few in all, there is a state for each last decision.
 * States are numbered by n0 + n1, so a higher state has seen more. */
#ifndef CPR_BIT_HISTORY_H
#define CPR_BIT_HISTORY_H

#include <stdint.h>

#define CPR_STATE_NONE 0u /* nothing seen */

typedef struct cpr_bit_history {
    uint8_t next[256][2]; /* state after a decision */
    uint8_t n[256][2];    /* n0 and n1 of each state */
    uint32_t states;
} cpr_bit_history;

void cpr_bit_history_init(cpr_bit_history *history);

#endif
