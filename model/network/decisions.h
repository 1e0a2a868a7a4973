/* decisions.h - the decisions on a token's path, from which nodes learn. Private to model/network/.
 *
 * Included by kernels. What follows from the logits is computed in whole vectors, of all decisions
 * at once. */
#ifndef CPR_DECISIONS_H
#define CPR_DECISIONS_H

#include "rows.h"
#include "vocabulary.h"

/* By depth. What lies behind the path's end is nobody's. */
typedef struct cpr_decisions {
    uint32_t node[CPR_TREE_MAX_DEPTH];
    float bit[CPR_TREE_MAX_DEPTH];
    float logit[CPR_TREE_MAX_DEPTH];
    float error[CPR_TREE_MAX_DEPTH];
    float square[CPR_TREE_MAX_DEPTH]; /* of the node: sum of the squares of errors */
    float step[CPR_TREE_MAX_DEPTH];
    uint32_t chance[CPR_TREE_MAX_DEPTH]; /* of what was decided, in 2^-16 */
} cpr_decisions;
_Static_assert(CPR_TREE_MAX_DEPTH % CPR_ROW_LANES == 0, "whole vectors");

/* Finds nodes and bits on the way to a token; all else is zero. Returns their number. */
static inline unsigned cpr_decisions_find(cpr_decisions *d, const cpr_vocabulary *vocabulary,
                                          uint32_t token)
{
    const unsigned length = vocabulary->depth[token];
    const uint32_t path = vocabulary->path[token];
    uint32_t node = 0;
    *d = (cpr_decisions){.logit = {0}};
    for (unsigned depth = 0; depth < length; depth++) {
        const unsigned bit = path >> (length - 1 - depth) & 1;
        d->node[depth] = node;
        d->bit[depth] = (float)bit;
        node = (uint32_t)vocabulary->nodes[node].child[bit];
    }
    return length;
}

static inline size_t cpr_decisions_whole_vectors(unsigned length)
{
    return (length + CPR_ROW_LANES - 1) / CPR_ROW_LANES * CPR_ROW_LANES;
}

/* From logits to errors and chances. */
static inline void cpr_decisions_judge(cpr_decisions *restrict d, unsigned length)
{
    for (size_t i = 0; i < cpr_decisions_whole_vectors(length); i++) {
        const float p1 = cpr_sigmoidf(d->logit[i]), chance = d->bit[i] > 0.5f ? p1 : 1.0f - p1;
        d->error[i] = p1 - d->bit[i];
        d->chance[i] = (uint32_t)(int32_t)cpr_roundf(cpr_clampf(chance * 65536.0f, 1.0f, 65536.0f));
    }
}

/* From errors and the squares before them to the squares and the nodes' steps, of AdaGrad (Duchi et
 * al. 2011). */
static inline void cpr_decisions_step(cpr_decisions *restrict d, unsigned length, float rate,
                                      float least)
{
    for (size_t i = 0; i < cpr_decisions_whole_vectors(length); i++) {
        const float error = d->error[i], square = d->square[i] + error * error;
        d->square[i] = square;
        d->step[i] = rate * cpr_rsqrtf(square + least) * error;
    }
}

#endif
