/* code_tree.c - the binary tree whose leaves are the tokens in the order of their bytes.
 *
 * A range of tokens is split where the weights of both sides differ least, so a token of weight w
 * out of W lies at most log2(W / w) + 2 decisions deep (Mehlhorn 1977, doi:10.1137/0206017), and
 * tokens that begin alike share the first decisions. */
#include "vocabulary.h"

#include <errno.h>
#include <stdlib.h>

uint64_t cpr_weight_of_class(uint8_t class)
{
    return UINT64_C(1) << class;
}

uint8_t cpr_class_of_weight(uint64_t weight)
{
    uint8_t class = 0;
    while (class < CPR_WEIGHT_MAX_CLASS && cpr_weight_of_class((uint8_t)(class + 1)) <= weight)
        class ++;
    return class;
}

typedef struct range {
    uint32_t low, high; /* tokens [low, high) */
    uint32_t parent;    /* node whose child this is */
    uint8_t decision;
} range;

/* The first token of the right side of [low, high), high - low >= 2. */
static uint32_t split_at(const uint64_t *sum, uint32_t low, uint32_t high)
{
    uint32_t left = low + 1, right = high - 1;
    while (left < right) { /* the first split whose left side weighs at least half */
        const uint32_t middle = left + (right - left) / 2;
        if (sum[middle] - sum[low] >= sum[high] - sum[middle])
            right = middle;
        else
            left = middle + 1;
    }
    if (left > low + 1) {
        const uint64_t above = 2 * sum[left] - sum[low] - sum[high];
        const uint64_t below = sum[low] + sum[high] - 2 * sum[left - 1];
        if (below <= above || 2 * sum[left] < sum[low] + sum[high])
            left--;
    }
    return left;
}

static void place_node(cpr_vocabulary *v, uint32_t index, const range *r)
{
    cpr_tree_node *node = &v->nodes[index];
    if (index == 0) {
        *node = (cpr_tree_node){.group = 0, .in_group = 1, .depth = 0};
        v->groups = 1;
        return;
    }
    const cpr_tree_node *parent = &v->nodes[r->parent];
    node->depth = (uint8_t)(parent->depth + 1);
    if (node->depth % CPR_GROUP_DEPTH == 0) {
        node->group = (uint16_t)v->groups++;
        node->in_group = 1;
    } else {
        node->group = parent->group;
        node->in_group = (uint8_t)(2 * parent->in_group + r->decision);
    }
}

static bool place_leaf(cpr_vocabulary *v, const range *r)
{
    const unsigned depth = v->nodes[r->parent].depth + 1u;
    if (depth > CPR_TREE_MAX_DEPTH)
        return false;
    v->depth[r->low] = (uint8_t)depth;
    v->nodes[r->parent].child[r->decision] = ~(int32_t)r->low;
    return true;
}

/* Paths from the finished tree, walking down from the root to every token. */
static void fill_paths(cpr_vocabulary *v, uint32_t node, uint32_t path)
{
    for (uint32_t decision = 0; decision < 2; decision++) {
        const int32_t child = v->nodes[node].child[decision];
        if (child < 0)
            v->path[~child] = path << 1 | decision;
        else
            fill_paths(v, (uint32_t)child, path << 1 | decision);
    }
}

bool cpr_code_tree_build(cpr_vocabulary *v)
{
    int code = ENOMEM;
    uint64_t *sum = malloc((v->tokens + 1) * sizeof *sum);
    range *stack = malloc((v->tokens + 1) * sizeof *stack);
    if (sum == NULL || stack == NULL)
        goto done;
    uint64_t total = 0;
    for (uint32_t t = 0; t < v->tokens; t++)
        total += cpr_weight_of_class(v->weight[t]);
    sum[0] = 0;
    for (uint32_t t = 0; t < v->tokens; t++) { /* rare tokens are raised so that depth is bounded */
        const uint64_t weight = cpr_weight_of_class(v->weight[t]);
        sum[t + 1] = sum[t] + (weight > total >> 20 ? weight : (total >> 20) + 1);
    }
    uint32_t nodes = 0;
    size_t top = 0;
    code = EINVAL;
    stack[top++] = (range){0, v->tokens, 0, 0};
    while (top > 0) {
        const range r = stack[--top];
        if (r.high - r.low == 1) {
            if (!place_leaf(v, &r))
                goto done;
            continue;
        }
        const uint32_t index = nodes++;
        place_node(v, index, &r);
        if (v->nodes[index].depth >= CPR_TREE_MAX_DEPTH)
            goto done;
        if (index != 0)
            v->nodes[r.parent].child[r.decision] = (int32_t)index;
        const uint32_t middle = split_at(sum, r.low, r.high);
        stack[top++] = (range){middle, r.high, index, 1};
        stack[top++] = (range){r.low, middle, index, 0};
    }
    fill_paths(v, 0, 0);
    code = 0;
done:
    free(sum);
    free(stack);
    if (code != 0)
        errno = code;
    return code == 0;
}
