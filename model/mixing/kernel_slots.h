/* kernel_slots.h - where contexts keep what they have seen: slots of bit histories, chances and
 * lines. Part of mixing_kernel.c. */
#ifndef CPR_KERNEL_SLOTS_H
#define CPR_KERNEL_SLOTS_H

#include "mixing_state.h"

#include <string.h>

/* For functions on a number of lanes that their callers fix. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 24")
#define VECTORIZE                                                                                  \
    _Pragma("GCC unroll 1") /* else the compiler unrolls first, and finds no vectors */

/* Where the groups are that a node's decisions lead to, both in one bucket: so it is asked for a
 * decision before it is needed. `from` is the node's number + 1, 0 for the group of the root. */
ALWAYS_INLINE void address_groups(cpr_model *m, uint32_t from, cpr_mixing_shape s)
{
    cpr_group_address *at = &m->next_groups;
    for (uint32_t i = 0; i < s.contexts; i++) {
        uint64_t hash = m->core->context_hash[i] + from * UINT64_C(0xD1B54A32D192ED03);
        hash = (hash ^ hash >> 32) * UINT64_C(0x9E3779B97F4A7C15);
        at->bucket[i] = (uint32_t)((hash >> 32) * m->bucket_count >> 32);
        at->check[i] = (uint8_t)hash;
        if (i < s.lines) {
            at->line[i] = 2 * (uint32_t)((hash >> 32) * m->line_pairs >> 32);
            at->line_check[i] = (uint32_t)hash | 1;
        }
    }
    UNROLL for (uint32_t i = 0; i < s.lines; i++)
    {
        __builtin_prefetch(&m->lines[at->line[i]], 1);
        __builtin_prefetch(&m->lines[at->line[i] + 1], 1);
    }
    UNROLL for (uint32_t i = 0; i < s.contexts; i++)
        __builtin_prefetch(&m->buckets[at->bucket[i]], 1);
    UNROLL for (uint32_t i = 0; i < s.chances * s.contexts; i++)
    {
        const uint16_t *chances = m->chances + (size_t)at->bucket[i] * sizeof(cpr_bucket);
        __builtin_prefetch(chances, 1);
        __builtin_prefetch(chances + sizeof(cpr_bucket) / 2, 1);
    }
}

/* The slot of a context in its bucket. If there is none, the one that has seen least makes room.
 * Without branches: which of the four it is cannot be foretold. */
ALWAYS_INLINE uint32_t find_slot(cpr_bucket *bucket, uint32_t check)
{
    const uint64_t ones = UINT64_C(0x0001000100010001);
    uint64_t pairs = 0; /* of each slot, 16 bits: its check, and above it its first history */
    uint32_t least = UINT32_MAX;
    UNROLL for (uint32_t i = 0; i < CPR_BUCKET_SLOTS; i++)
    {
        const uint32_t seen = bucket->slots[i].history[0];
        pairs |= (uint64_t)(bucket->slots[i].check | seen << 8) << 16 * i;
        const uint32_t rank = seen * CPR_BUCKET_SLOTS + i;
        least = rank < least ? rank : least;
    }
    const uint64_t differ = (pairs & 0xff * ones) ^ check * ones;
    const uint64_t equal = ~((differ | ones << 15) - ones) & ones << 15;
    const uint64_t keep = -(uint64_t)(equal != 0);
    const uint32_t known = (uint32_t)__builtin_ctzll(equal | UINT64_C(1) << 63) / 16;
    const uint32_t found = (known & (uint32_t)keep) | (least % CPR_BUCKET_SLOTS & ~(uint32_t)keep);
    cpr_slot *slot = &bucket->slots[found];
    uint64_t words[2];
    memcpy(words, slot, sizeof words);
    words[0] &= keep;
    words[1] &= keep;
    memcpy(slot, words, sizeof words);
    slot->check = (uint8_t)check;
    return found;
}

/* Makes the line that of the context, if it is another's. */
ALWAYS_INLINE void find_line(cpr_line *line, uint32_t check)
{
    if (line->check != check) {
        line->check = check;
        for (uint32_t i = 0; i < CPR_SLOT_NODES; i++)
            line->node[i] = UINT32_C(1) << 31;
    }
}

/* The slots and lines of one of the two groups. */
ALWAYS_INLINE void find_slots(cpr_model *m, unsigned decision, cpr_mixing_shape s)
{
    const cpr_group_address *at = &m->next_groups;
    for (uint32_t i = 0; i < s.contexts; i++) {
        const uint32_t check = at->check[i] ^ decision << 7;
        m->core->slot[i] = at->bucket[i] * (uint32_t)sizeof(cpr_bucket) +
                           find_slot(&m->buckets[at->bucket[i]], check > 0 ? check : 1) *
                               (uint32_t)sizeof(cpr_slot);
    }
    for (uint32_t i = 0; i < s.lines; i++) {
        const uint32_t line = at->line[i] + decision;
        find_line(&m->lines[line], at->line_check[i]);
        m->core->line[i] = line * (uint32_t)(sizeof(cpr_line) / sizeof(cpr_estimate));
    }
}

/* The histories of a node: that of context i is at + slot[i]. */
static uint8_t *node_histories(const cpr_model *m, const cpr_tree_node *node)
{
    return &m->buckets[0].slots[0].history[node->in_group - 1u];
}

/* The node's decisions lead to other groups. */
static bool leads_to_groups(const cpr_tree_node *node)
{
    return node->depth % CPR_GROUP_DEPTH == CPR_GROUP_DEPTH - 1 &&
           (node->child[0] >= 0 || node->child[1] >= 0);
}

#endif
