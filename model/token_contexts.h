/* token_contexts.h - the contexts of the next token. Private to model/. */
#ifndef CPR_TOKEN_CONTEXTS_H
#define CPR_TOKEN_CONTEXTS_H

#include "context_model.h"

/* Each names what a context is made of. tN: the Nth token before the next one. */
enum cpr_context_id {
    CPR_CONTEXT_NONE,
    CPR_CONTEXT_T1,
    CPR_CONTEXT_T2, /* t1, t2 */
    CPR_CONTEXT_T3, /* t1 to t3, and so on */
    CPR_CONTEXT_T4,
    CPR_CONTEXT_T6,
    CPR_CONTEXT_WORD_1,    /* word so far, word before it */
    CPR_CONTEXT_WORD_2,    /* word so far, two words before it */
    CPR_CONTEXT_WORD_SKIP, /* word so far, second and third word before it */
    CPR_CONTEXT_SKIP_2,    /* t2 */
    CPR_CONTEXT_SKIP_23,   /* t2, t3 */
    CPR_CONTEXT_SKIP_13,   /* t1, t3 */
    CPR_CONTEXT_BYTES_3,   /* the last three bytes */
    CPR_CONTEXT_BYTES_5,
    CPR_CONTEXT_LINE,         /* indentation, first byte of the line, t1 */
    CPR_CONTEXT_ABOVE,        /* the two bytes above, t1 */
    CPR_CONTEXT_SUCCESSORS_1, /* t1, the two tokens that followed it last */
    CPR_CONTEXT_SUCCESSORS_2, /* t1, t2, the two tokens that followed them last */
    CPR_CONTEXT_FIELD,        /* field, tag, t1 */
    CPR_CONTEXT_PUNCTUATION,  /* last punctuation, word so far */
    CPR_CONTEXT_COUNT
};

/* Appends a finished token to text and history, finds matches, and computes the hashes of the
 * profile's contexts for the next one. */
void cpr_token_contexts_update(cpr_model *model, uint32_t token);

/* The hashes alone. */
void cpr_token_contexts_hash(cpr_model *model);

#endif
