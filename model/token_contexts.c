/* token_contexts.c - done once a token: text state, match models, hashes of the contexts. */
#include "token_contexts.h"

#include <string.h>

/* Tokens that must agree before a match model looks for a match. */
static const uint32_t match_tokens[CPR_MATCHES] = {12, 6, 3};

#define MATCH_CHECK 32u /* tokens that are compared when a match is found */

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t hash = (a ^ (b + UINT64_C(0x632BE59BD9B4E019))) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

/* The nth token before the next one; n is 1 for the latest. 0 before the start. */
static uint32_t token_back(const cpr_model *m, uint32_t n)
{
    return m->history[(m->core->tokens_seen - n) & m->history_mask];
}

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

/* `candidate` and what lies MATCH_CHECK before it is still in the history. */
static bool in_reach(const cpr_model *m, uint32_t candidate)
{
    return m->core->tokens_seen - candidate < m->history_mask - MATCH_CHECK;
}

static void follow_match(cpr_model *m, unsigned which, uint64_t hash, uint32_t token)
{
    cpr_match *match = &m->core->matches[which];
    uint32_t *head = &m->match_heads[which][hash >> 32 & m->match_mask];
    if (match->next != 0 && m->history[match->next & m->history_mask] == token) {
        match->next++;
        match->length++;
    } else {
        match->next = match->length = 0;
    }
    if (match->next == 0 && *head != 0 && in_reach(m, *head)) {
        const uint32_t length = length_of_match(m, *head);
        if (length >= match_tokens[which]) {
            match->next = *head;
            match->length = length;
        }
    }
    if (match->next != 0 && !in_reach(m, match->next))
        match->next = match->length = 0;
    *head = m->core->tokens_seen;
}

/* Called with `token` already in the history. */
static void follow_matches(cpr_model *m, uint32_t token)
{
    cpr_core_state *core = m->core;
    uint64_t hash = 0;
    uint32_t tokens = 0;
    for (unsigned i = CPR_MATCHES; i-- > 0;) {
        for (; tokens < match_tokens[i]; tokens++)
            hash = mix(hash, token_back(m, tokens + 1));
        follow_match(m, i, hash, token);
    }
    core->match_bucket = 0;
    for (unsigned i = 0; i < CPR_MATCHES; i++) {
        cpr_match *match = &core->matches[i];
        match->expected = -1;
        bool seen = match->next == 0;
        for (unsigned j = 0; j < i; j++)
            seen = seen || core->matches[j].next == match->next;
        if (seen)
            continue;
        const uint32_t expected = m->history[match->next & m->history_mask];
        match->expected = (int32_t)expected;
        match->path = m->vocabulary->path[expected] << (32 - m->vocabulary->depth[expected]);
        if (core->match_bucket == 0) {
            const uint32_t n = match->length;
            const uint32_t bucket = n < 4 ? n : n < 8 ? 4 + (n - 4) / 2 : n < 16 ? 6 : 7;
            core->match_bucket = 1 + bucket + 8 * (CPR_MATCHES - 1 - i);
        }
    }
}

void cpr_token_contexts_hash(cpr_model *m)
{
    cpr_core_state *core = m->core;
    const cpr_text_state *text = &core->text;
    const uint64_t t1 = token_back(m, 1), t2 = token_back(m, 2), t3 = token_back(m, 3);
    const uint64_t t12 = mix(t1, t2), t123 = mix(t12, t3), t1234 = mix(t123, token_back(m, 4));
    const uint64_t t123456 = mix(mix(t1234, token_back(m, 5)), token_back(m, 6));
    const uint64_t word1 = mix(text->word, text->words[0]);
    const uint64_t successors2 = core->successors2[t12 >> 46];

    uint64_t hash[CPR_CONTEXT_COUNT];
    hash[CPR_CONTEXT_NONE] = 0;
    hash[CPR_CONTEXT_T1] = t1;
    hash[CPR_CONTEXT_T2] = t12;
    hash[CPR_CONTEXT_T3] = t123;
    hash[CPR_CONTEXT_T4] = t1234;
    hash[CPR_CONTEXT_T6] = t123456;
    hash[CPR_CONTEXT_WORD_1] = mix(word1, text->last_bytes & 0xff);
    hash[CPR_CONTEXT_WORD_2] = mix(word1, text->words[1]);
    hash[CPR_CONTEXT_WORD_SKIP] = mix(mix(text->word, text->words[1]), text->words[2]);
    hash[CPR_CONTEXT_SKIP_2] = t2;
    hash[CPR_CONTEXT_SKIP_23] = mix(t2, t3);
    hash[CPR_CONTEXT_SKIP_13] = mix(t1, t3);
    hash[CPR_CONTEXT_BYTES_3] = text->last_bytes & 0xffffff;
    hash[CPR_CONTEXT_BYTES_5] = text->last_bytes & UINT64_C(0xffffffffff);
    hash[CPR_CONTEXT_LINE] =
        mix(mix(text->indentation, text->first_byte), t1 << 1 | (text->column >= 255));
    hash[CPR_CONTEXT_ABOVE] = mix(cpr_text_state_above(text), t1);
    hash[CPR_CONTEXT_SUCCESSORS_1] = mix(core->successors[t1], t1);
    hash[CPR_CONTEXT_SUCCESSORS_2] = mix(successors2, t12);
    hash[CPR_CONTEXT_FIELD] = mix(mix(text->field, text->tag), t1);
    hash[CPR_CONTEXT_PUNCTUATION] = mix(text->punctuation, text->word);
    for (uint32_t i = 0; i < m->contexts; i++) {
        const uint32_t id = m->profile->context_ids[i];
        core->context_hash[i] = mix(hash[id], id + 1);
    }
}

void cpr_token_contexts_update(cpr_model *m, uint32_t token)
{
    cpr_core_state *core = m->core;
    const uint32_t t1 = token_back(m, 1), t2 = token_back(m, 2);
    uint32_t *after2 = &core->successors2[mix(t1, t2) >> 46];
    core->successors[t1] = core->successors[t1] << 16 | token;
    *after2 = *after2 << 16 | token;

    const cpr_vocabulary *v = m->vocabulary;
    cpr_text_state_add(&core->text, v->text + v->start[token],
                       v->start[token + 1] - v->start[token]);
    m->history[core->tokens_seen++ & m->history_mask] = (uint16_t)token;
    follow_matches(m, token);
    cpr_token_contexts_hash(m);
    core->node = 0;
    core->token_row = token * UINT32_C(0x9E3779B1) >> 20;
}
