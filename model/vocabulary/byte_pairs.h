/* byte_pairs.h - byte-pair merges on counted words. Private to model/. */
#ifndef CPR_BYTE_PAIRS_H
#define CPR_BYTE_PAIRS_H

#include "word_counts.h"

/* A merged token: the concatenation of two earlier ones. Tokens 0 to 255 are the single bytes. */
typedef struct cpr_merge {
    uint16_t left, right;
} cpr_merge;

/* Learns at most max_merges merges, the most frequent pair first (of equals, the one with the
 * lowest token numbers), as long as a pair occurs at least min_count times. merges[i] makes token
 * 256 + i; max_merges <= 65280. Returns their number, or -1 if memory ran out. */
long cpr_byte_pairs_learn(const cpr_sorted_word *words, size_t count, uint32_t max_merges,
                          uint64_t min_count, cpr_merge *merges);

#endif
