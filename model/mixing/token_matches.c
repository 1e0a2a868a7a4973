/* token_matches.c - see token_matches.h; MODEL.md, section 10. */
#include "token_matches.h"

#define MATCH_CHECK 32u /* tokens that are compared when a match is found */
#define MISSES_MOST 4   /* of the last eight tokens, before a match is given up */
#define HITS_RATE 6
#define HEAD_PLACE_BITS 24
#define HEAD_PLACES ((UINT32_C(1) << HEAD_PLACE_BITS) - 1)

static uint32_t length_of_match(const cpr_model *m, uint32_t candidate)
{
    const uint32_t now = m->core->tokens_seen;
    uint32_t n = 0;
    while (n < MATCH_CHECK && n < candidate &&
           m->history[(candidate - 1 - n) & m->history_mask] ==
               m->history[(now - 1 - n) & m->history_mask])
        n++;
    return n;
}

/* `place` and what lies MATCH_CHECK before it are still in the history. */
static bool match_is_in_reach(const cpr_model *m, uint32_t place)
{
    return m->core->tokens_seen - place < m->history_mask - MATCH_CHECK;
}

static uint32_t count_bits(uint32_t byte)
{
    byte -= byte >> 1 & 0x55;
    byte = (byte & 0x33) + (byte >> 2 & 0x33);
    return (byte + (byte >> 4)) & 15;
}

uint32_t cpr_match_state(uint32_t n, uint32_t missed)
{
    const uint32_t misses = count_bits(missed);
    const uint32_t by_length = n < 8    ? n
                               : n < 16 ? 8 + (n - 8) / 2
                               : n < 24 ? 12
                               : n < 32 ? 13
                               : n < 64 ? 14
                                        : 15;
    return by_length * 4 + (misses < 3 ? misses : 3);
}

static void follow_match(cpr_model *m, cpr_match *match, uint32_t token)
{
    if (match->next == 0)
        return;
    const bool right = m->history[match->next & m->history_mask] == token;
    match->next++;
    match->misses = (match->misses << 1 | !right) & 0xff;
    match->length = right ? match->length + 1 : 0;
    if (count_bits(match->misses) > MISSES_MOST)
        match->next = 0;
}

static uint32_t *match_head(const cpr_model *m, uint32_t which)
{
    const uint32_t entry = (uint32_t)(m->core->match_hash[which] >> 32) & m->match_mask;
    return m->match_heads + (size_t)which * (m->match_mask + 1) + entry;
}

/* A head is eight bits of a hash, and the lowest 24 of a place. */
static uint32_t match_head_value(const cpr_model *m, uint32_t which)
{
    return (uint32_t)m->core->match_hash[which] << HEAD_PLACE_BITS |
           (m->core->tokens_seen & HEAD_PLACES);
}

static void find_match(cpr_model *m, uint32_t which)
{
    cpr_match *match = &m->core->matches[which];
    uint32_t *head = match_head(m, which);
    const uint32_t now = match_head_value(m, which), tokens = m->profile.match_tokens[which];
    if ((match->next == 0 || match->length < tokens) &&
        *head >> HEAD_PLACE_BITS == now >> HEAD_PLACE_BITS) {
        const uint32_t place = m->core->tokens_seen - ((now - *head) & HEAD_PLACES);
        const uint32_t length = match_is_in_reach(m, place) ? length_of_match(m, place) : 0;
        if (length >= tokens)
            *match = (cpr_match){.next = place, .length = length};
    }
    if (match->next != 0 && !match_is_in_reach(m, match->next))
        match->next = 0;
    *head = now;
}

static void hash_match_tokens(cpr_model *m, uint32_t which)
{
    uint64_t hash = 0;
    for (uint32_t i = 1; i <= m->profile.match_tokens[which]; i++)
        hash = cpr_mix(hash, cpr_token_back(m, i));
    m->core->match_hash[which] = hash;
    __builtin_prefetch(match_head(m, which), 1);
}

/* The longer models' heads are looked up when one token more is known, so that memory has time to
 * answer. */
static bool match_is_late(const cpr_model *m, uint32_t which)
{
    return m->profile.match_tokens[which] > 2;
}

void cpr_token_matches_append(cpr_model *m, uint32_t token)
{
    cpr_core_state *core = m->core;
    for (uint32_t i = 0; i < m->profile.shape.matches; i++) {
        cpr_match *match = &core->matches[i];
        if (match->next != 0)
            cpr_move(&core->match_hits[i][match->state],
                     m->history[match->next & m->history_mask] == token, HITS_RATE);
        follow_match(m, match, token);
    }
    m->history[core->tokens_seen++ & m->history_mask] = (uint16_t)token;
    for (uint32_t i = 0; i < m->profile.shape.matches; i++)
        if (!match_is_late(m, i))
            hash_match_tokens(m, i);
}

void cpr_token_matches_find(cpr_model *m)
{
    for (uint32_t i = m->profile.shape.matches; i-- > 0;) {
        find_match(m, i);
        m->core->matches[i].state =
            cpr_match_state(m->core->matches[i].length, m->core->matches[i].misses);
    }
    for (uint32_t i = 0; i < m->profile.shape.matches; i++)
        if (match_is_late(m, i))
            hash_match_tokens(m, i);
}

/* Which of 24 kinds of match this is: by its model and its length. */
static uint32_t match_bucket(const cpr_model *m, uint32_t which)
{
    const cpr_match *match = &m->core->matches[which];
    uint32_t n = match->length;
    if ((match->misses & 15) != 0)
        n = n < 4 ? 0 : n < 16 ? 1 : 2;
    const uint32_t by_length = n < 4 ? n : n < 8 ? 4 + (n - 4) / 2 : n < 16 ? 6 : 7;
    return 1 + by_length + 8 * (m->profile.shape.matches - 1 - which);
}

void cpr_token_matches_expect(cpr_model *m)
{
    cpr_core_state *core = m->core;
    core->match_bucket = 0;
    for (uint32_t i = 0; i < m->profile.shape.matches; i++) {
        cpr_match *match = &core->matches[i];
        match->expected = -1;
        bool seen = match->next == 0;
        for (uint32_t j = 0; j < i; j++)
            seen = seen || core->matches[j].next == match->next;
        if (seen)
            continue;
        const uint32_t expected = m->history[match->next & m->history_mask];
        match->expected = (int32_t)expected;
        match->path = m->vocabulary->path[expected] << (32 - m->vocabulary->depth[expected]);
        if (core->match_bucket == 0)
            core->match_bucket = match_bucket(m, i);
    }
}
