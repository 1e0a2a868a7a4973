/* word_counts.h - counted words in the order of their bytes, for the merges. Private to model/. */
#ifndef CPR_WORD_COUNTS_H
#define CPR_WORD_COUNTS_H

#include "model.h"

typedef struct cpr_counted_word {
    size_t start; /* in the arena */
    uint32_t bytes;
    uint64_t count;
} cpr_counted_word;

typedef struct cpr_sorted_word {
    const uint8_t *text; /* owned by the counts */
    uint32_t bytes;
    uint64_t count;
} cpr_sorted_word;

/* All words, ascending by their bytes: malloc()ed, owned by the caller. NULL: out of memory. */
cpr_sorted_word *cpr_word_counts_sorted(const cpr_word_counts *counts, size_t *count);

#endif
