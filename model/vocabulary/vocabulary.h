/* vocabulary.h - tokens, their code tree and its groups of nodes. Private to model/. */
#ifndef CPR_VOCABULARY_H
#define CPR_VOCABULARY_H

#include "model.h"

/* Nodes of the code tree come in groups: a node at a depth divisible by CPR_GROUP_DEPTH and its
 * descendants above the next such depth. Within a group a node is numbered as in a heap: the top
 * is 1, the children of i are 2i and 2i + 1. */
#define CPR_GROUP_DEPTH 4u
#define CPR_GROUP_NODES 16u /* number 0 is not used */

#define CPR_TREE_MAX_DEPTH 32u

typedef struct cpr_tree_node {
    int32_t child[2]; /* by decision: index of a node, or ~token for a leaf */
    uint16_t group;   /* number of its group, in the order of their top nodes */
    uint8_t in_group; /* 1 to 15 */
    uint8_t depth;
} cpr_tree_node;

struct cpr_vocabulary {
    uint32_t tokens;
    uint32_t groups;
    uint8_t *text;       /* all tokens, one after the other */
    uint32_t first[257]; /* tokens that begin with byte b: [first[b], first[b + 1]) */
    uint32_t *pair;      /* 65,536: the first token not below the two bytes of its number */
    uint32_t *start;     /* tokens + 1 offsets into text */
    uint8_t *weight;     /* weight class, see cpr_weight_of_class() */
    uint32_t *path;      /* decisions, first in the highest of `depth` bits */
    uint8_t *depth;
    cpr_tree_node *nodes; /* tokens - 1; node 0 is the root */
};

/* Weights are stored as classes: powers of two. */
#define CPR_WEIGHT_MAX_CLASS 40u
uint64_t cpr_weight_of_class(uint8_t class);
uint8_t cpr_class_of_weight(uint64_t weight); /* the largest class not above it; of 0, class 0 */

/* Room for that many tokens and bytes of text; everything zero. NULL: out of memory. */
cpr_vocabulary *cpr_vocabulary_create_empty(uint32_t tokens, size_t text_bytes);

/* Fills the tree from tokens and weights. False: errno is EINVAL if a path would be too long,
 * ENOMEM if memory ran out. */
bool cpr_code_tree_build(cpr_vocabulary *vocabulary);

/* Fills `first` and `pair` from tokens. */
void cpr_vocabulary_index(cpr_vocabulary *vocabulary);

/* Cuts a word (at most CPR_WORD_MAX_BYTES) into the tokens that cost the fewest decisions in sum;
 * returns their number. */
size_t cpr_vocabulary_cut_word(const cpr_vocabulary *vocabulary, const uint8_t *word, size_t bytes,
                               uint16_t *tokens);

#endif
