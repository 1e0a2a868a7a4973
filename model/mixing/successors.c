/* successors.c - see successors.h; MODEL.md, section 9. */
#include "successors.h"

#define COUNT_MOST 60u
#define HITS_RATE 6
#define AGREEMENT_CONTEXTS 5u

static void swap_successors(cpr_successors *s)
{
    *s = (cpr_successors){s->check, s->second, s->first, s->second_count, s->first_count};
}

static uint8_t weakened_count(uint8_t count)
{
    return (uint8_t)(count > 3 ? count * 3 / 4 : count);
}

static void learn_successor(cpr_successors *s, uint16_t token)
{
    if (s->first_count == 0) {
        s->first = token;
        s->first_count = 1;
    } else if (s->first == token) {
        if (s->first_count < COUNT_MOST)
            s->first_count++;
        if (s->second_count > 1 && s->first_count > 8)
            s->second_count = (uint8_t)((s->second_count + 1) / 2);
    } else if (s->second_count > 0 && s->second == token) {
        s->second_count++;
        s->first_count = weakened_count(s->first_count);
        if (s->second_count >= s->first_count)
            swap_successors(s);
    } else if (s->first_count == 1) { /* of two that came once, the latest is the first */
        *s = (cpr_successors){s->check, token, s->first, 1, 1};
    } else {
        s->second = token;
        s->second_count = 1;
        s->first_count = weakened_count(s->first_count);
    }
}

void cpr_successors_learn(cpr_model *m, uint32_t token)
{
    cpr_core_state *core = m->core;
    for (uint32_t i = 0; i < m->profile.shape.successors; i++) {
        cpr_successors *s = &m->successors[core->successors[i]];
        if (s->first_count > 0)
            cpr_move(&core->successor_hits[i][core->expected.state[i]], s->first == token,
                     HITS_RATE);
        learn_successor(s, (uint16_t)token);
    }
}

static uint32_t successors_bucket(const cpr_model *m, uint64_t hash)
{
    return (uint32_t)(hash >> 32 & m->successor_mask) * CPR_SUCCESSORS_BUCKET;
}

void cpr_successors_prefetch(const cpr_model *m)
{
    for (uint32_t i = 0; i < m->profile.shape.successors; i++)
        __builtin_prefetch(&m->successors[successors_bucket(m, m->core->successor_hash[i])], 1);
}

/* The entry of a context. If there is none, the one that came the fewest times makes room. */
static uint32_t find_successors(cpr_model *m, uint64_t hash)
{
    const uint32_t first = successors_bucket(m, hash);
    const uint16_t check = (uint16_t)((hash & 0xffff) | 1);
    for (uint32_t i = first; i < first + CPR_SUCCESSORS_BUCKET; i++)
        if (m->successors[i].check == check)
            return i;
    uint32_t victim = first;
    for (uint32_t i = first + 1; i < first + CPR_SUCCESSORS_BUCKET; i++)
        if (m->successors[i].first_count < m->successors[victim].first_count)
            victim = i;
    m->successors[victim] = (cpr_successors){.check = check};
    return victim;
}

static uint32_t successors_state(const cpr_successors *s)
{
    static const uint8_t class_of_count[16] = {0, 1, 2, 3, 4, 4, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6};
    const unsigned by_first = s->first_count < 16 ? class_of_count[s->first_count] : 7u;
    return by_first * 4 + (s->second_count < 3 ? s->second_count : 3u);
}

static uint32_t token_path(const cpr_model *m, uint32_t token)
{
    return m->vocabulary->path[token] << (32 - m->vocabulary->depth[token]);
}

void cpr_successors_find(cpr_model *m)
{
    cpr_core_state *core = m->core;
    cpr_expected *e = &core->expected;
    for (uint32_t i = 0; i < m->profile.shape.successors; i++) {
        core->successors[i] = find_successors(m, core->successor_hash[i]);
        const cpr_successors *s = &m->successors[core->successors[i]];
        e->path[0][i] = token_path(m, s->first);
        e->path[1][i] = token_path(m, s->second);
        e->agrees[0][i] = -(s->first_count > 0);
        e->agrees[1][i] = -(s->second_count > 0);
        e->state[i] = successors_state(s);
    }
}

uint32_t cpr_successors_agreement(const cpr_model *m, uint32_t token)
{
    uint32_t agreement = 0;
    for (uint32_t i = 0; i < AGREEMENT_CONTEXTS && i < m->profile.shape.successors; i++) {
        const cpr_successors *s = &m->successors[m->core->successors[i]];
        agreement = agreement * 3 + (s->first_count == 0 ? 0 : s->first == token ? 1 : 2);
    }
    return agreement;
}
