/* predictor.h - what predicts tokens by itself and gives the mixer an input: networks. Private to
 * model/.
 *
 * A kind of predictor is a class: a table of functions in a file of its own, and a line in
 * predictor.c. A model makes an instance of each that its profile names. It gives the logit of
 * every decision, and is told every token; when it learns from them, after each or in batches, is
 * its own affair, if only equal instances that were told the same tokens give the same logits on
 * every machine. */
#ifndef CPR_PREDICTOR_H
#define CPR_PREDICTOR_H

#include "instructions.h"
#include "layout.h"
#include "model.h"

#define CPR_PREDICTOR_PARAMETERS_MAX 5u

/* A parameter by its name in descriptors, and what it may be. */
typedef struct cpr_parameter {
    const char *key;
    uint32_t least, most;
    uint32_t multiple_of;
} cpr_parameter;

typedef struct cpr_predictor cpr_predictor;

typedef struct cpr_predictor_class {
    const char *kind;
    uint32_t version;                                       /* of its arithmetic */
    cpr_parameter parameters[CPR_PREDICTOR_PARAMETERS_MAX]; /* up to the first without a key */

    /* Loads what instances need beside memory, such as a library. NULL: it is there. Otherwise one
     * line that says what is missing; *no_memory: whether that is memory. */
    const char *(*load)(bool *no_memory);
    const char *(*library)(void); /* which of its kernels the library runs, for the user to see */

    /* An instance without memory for its parts, after load(). weights: those of a taught network.
     * NULL: out of memory. */
    cpr_predictor *(*create)(const uint32_t *parameter, const cpr_vocabulary *vocabulary,
                             const cpr_weights *weights);
    void (*free)(cpr_predictor *predictor); /* accepts NULL */

    /* Places the parts of its state, which is saved and copied as it is, and of its scratch memory,
     * which is neither. Of an instance that is NULL only the sizes are wanted. */
    void (*lay_out)(cpr_predictor *predictor, const uint32_t *parameter, uint32_t tokens,
                    cpr_layout *state, cpr_layout *scratch);

    /* Sets logit() and learn() to those for an instruction set. */
    void (*run_on)(cpr_predictor *predictor, cpr_instructions set);

    /* Makes the initial state of one that is zero. */
    void (*reset)(cpr_predictor *predictor);

    /* These tokens come next, and stay where they are until they have come. Nothing that it says
     * may depend on it, but it can compute several at once. */
    void (*expect)(cpr_predictor *predictor, const uint16_t *tokens, size_t count);

    /* See cpr_model_rest(). NULL: it is not taught. */
    void (*rest)(cpr_predictor *predictor, bool rest);

    /* The state was written to: what was kept beside it is of another. */
    void (*restored)(cpr_predictor *predictor);

    /* What all tokens would have cost if it alone had predicted them, in units of 2^-16 bit. */
    uint64_t (*loss)(const cpr_predictor *predictor);
} cpr_predictor_class;

/* What an instance begins with. */
struct cpr_predictor {
    const cpr_predictor_class *class;

    /* ln(p / (1 - p)) of the decision 1 at a node of the code tree, on the way to the next token.
     */
    float (*logit)(const cpr_predictor *predictor, uint32_t node);

    /* This is the next token. */
    void (*learn)(cpr_predictor *predictor, uint32_t token);
};

/* The kinds, and the versions of their arithmetic. */
#define CPR_SRU_VERSION 1u
#define CPR_TAUGHT_VERSION 1u
extern const cpr_predictor_class cpr_sru_class;
extern const cpr_predictor_class cpr_taught_class;

/* The i-th of them, from 0; NULL past the last. */
const cpr_predictor_class *cpr_predictor_class_at(unsigned i);

/* One in a profile. */
typedef struct cpr_predictor_spec {
    const cpr_predictor_class *class;
    uint32_t parameter[CPR_PREDICTOR_PARAMETERS_MAX]; /* in the order of the class */
} cpr_predictor_spec;

#endif
