/* token_contexts.c - done once a token: the hashes of the contexts, and the guess. */
#include "token_contexts.h"

#include "byte_matches.h"
#include "successors.h"
#include "token_matches.h"

#include <string.h>

static void hash_contexts(cpr_model *m, uint64_t hash[CPR_CONTEXT_COUNT])
{
    const cpr_text_state *text = &m->core->text;
    const uint64_t t1 = cpr_token_back(m, 1), t2 = cpr_token_back(m, 2), t3 = cpr_token_back(m, 3);
    const uint64_t t12 = cpr_mix(t1, t2), t123 = cpr_mix(t12, t3);
    const uint64_t t1234 = cpr_mix(t123, cpr_token_back(m, 4));
    const uint64_t word1 = cpr_mix(text->word, text->words[0]);
    const uint64_t word2 = cpr_mix(word1, text->words[1]);

    hash[CPR_CONTEXT_NONE] = 0;
    hash[CPR_CONTEXT_T1] = t1;
    hash[CPR_CONTEXT_T2] = t12;
    hash[CPR_CONTEXT_T3] = t123;
    hash[CPR_CONTEXT_T4] = t1234;
    hash[CPR_CONTEXT_T6] = cpr_mix(cpr_mix(t1234, cpr_token_back(m, 5)), cpr_token_back(m, 6));
    hash[CPR_CONTEXT_WORD] = text->word;
    hash[CPR_CONTEXT_WORD_1] = cpr_mix(word1, text->last_bytes & 0xff);
    hash[CPR_CONTEXT_WORD_2] = word2;
    hash[CPR_CONTEXT_WORD_3] = cpr_mix(word2, text->words[2]);
    hash[CPR_CONTEXT_WORD_BEFORE] = text->words[0];
    hash[CPR_CONTEXT_BYTES_2] = text->last_bytes & 0xffff;
    hash[CPR_CONTEXT_BYTES_3] = text->last_bytes & 0xffffff;
    hash[CPR_CONTEXT_BYTES_5] = text->last_bytes & UINT64_C(0xffffffffff);
    hash[CPR_CONTEXT_SHAPE] = text->shape;
    hash[CPR_CONTEXT_PUNCTUATION] = text->punctuation;
    hash[CPR_CONTEXT_LINE] =
        cpr_mix(cpr_mix(text->indentation, text->first_byte), t1 << 1 | (text->column >= 255));
    hash[CPR_CONTEXT_LINE_WORD] = cpr_mix(text->line_start, text->word);
    hash[CPR_CONTEXT_ABOVE] = cpr_mix(cpr_text_state_above(text), t1);
    hash[CPR_CONTEXT_BEFORE] = t2;
    hash[CPR_CONTEXT_WORD_SKIP] = cpr_mix(text->word, text->words[1]);
    hash[CPR_CONTEXT_TAG] = cpr_mix(text->tag, text->word);
    const uint64_t bracket = cpr_text_state_bracket(text, 0);
    hash[CPR_CONTEXT_BRACKET] = cpr_mix(bracket, text->word);
    hash[CPR_CONTEXT_BRACKETS] =
        cpr_mix(bracket, cpr_mix(cpr_text_state_bracket(text, 1), text->last_bytes & 0xffff));
    hash[CPR_CONTEXT_LINES] =
        cpr_mix(m->core->line_token, cpr_mix(m->core->line_token_before, text->first_byte));
    hash[CPR_CONTEXT_CAPITALIZED] = cpr_mix(text->capitalized, text->word);
    hash[CPR_CONTEXT_QUOTATION] = cpr_mix(cpr_mix(text->quote, text->quoted_by), text->word);
    hash[CPR_CONTEXT_FIELD] = cpr_mix(cpr_mix(text->field, text->tag), t1);
}

/* The token that a context or a match model is surest of, if one is sure enough. */
static void make_guess(cpr_model *m)
{
    cpr_core_state *core = m->core;
    const uint32_t below = m->profile.guess_from - 1;
    uint32_t best = below;
    core->guess = -1;
    for (uint32_t i = 0; i < m->profile.shape.successors; i++) {
        const cpr_successors *s = &m->successors[core->successors[i]];
        const uint32_t chance = core->successor_hits[i][core->expected.state[i]];
        if (s->first_count > 0 && chance > best) {
            best = chance;
            core->guess = s->first;
        }
    }
    for (uint32_t i = 0; i < cpr_matches_of(m->profile.shape); i++) {
        const cpr_match *match = &core->matches[i];
        const uint32_t chance = core->match_hits[i][match->state];
        if (match->expected >= 0 && chance > best) {
            best = chance;
            core->guess = match->expected;
        }
    }
    core->confidence = (best - below) >> m->profile.guess_shift;
    core->agreement = core->guess >= 0 ? cpr_successors_agreement(m, (uint32_t)core->guess) : 0;
}

static void begin_token(cpr_model *m)
{
    cpr_core_state *core = m->core;
    uint64_t hash[CPR_CONTEXT_COUNT];
    hash_contexts(m, hash);
    for (uint32_t i = 0; i < m->profile.shape.successors; i++) {
        const uint32_t id = m->profile.successor_ids[i];
        core->successor_hash[i] = cpr_mix(hash[id], id + 101);
    }
    cpr_successors_prefetch(m);
    for (uint32_t i = 0; i < m->profile.shape.contexts; i++) {
        const uint32_t id = m->profile.context_ids[i];
        core->context_hash[i] = cpr_mix(hash[id], id + 1);
    }
    core->node = 0;
}

/* A match is sure enough for a guess. */
static bool match_is_sure(const cpr_model *m)
{
    for (uint32_t i = 0; i < cpr_matches_of(m->profile.shape); i++) {
        const cpr_match *match = &m->core->matches[i];
        if (match->expected >= 0 && m->core->match_hits[i][match->state] >= m->profile.guess_from)
            return true;
    }
    return false;
}

bool cpr_token_contexts_update(cpr_model *m, uint32_t token)
{
    cpr_core_state *core = m->core;
    const cpr_vocabulary *v = m->vocabulary;
    cpr_token_matches_append(m, token);
    cpr_successors_learn(m, token);
    cpr_text_state_add(&core->text, v->text + v->start[token],
                       v->start[token + 1] - v->start[token]);
    if (memchr(v->text + v->start[token], '\n', v->start[token + 1] - v->start[token]) != NULL) {
        core->line_token_before = core->line_token;
        core->line_token = token;
    }
    core->token_row_before = core->token_row;
    core->token_row = token * UINT32_C(0x9E3779B1) >> 20;
    begin_token(m);
    cpr_token_matches_find(m);
    cpr_token_matches_expect(m);
    if (m->profile.shape.byte_matches) {
        cpr_byte_matches_append(m, token);
        cpr_byte_matches_expect(m);
    }
    return match_is_sure(m);
}

void cpr_token_contexts_begin(cpr_model *m)
{
    begin_token(m);
    cpr_token_matches_expect(m);
}

void cpr_token_contexts_guess(cpr_model *m)
{
    cpr_successors_find(m);
    make_guess(m);
}
