/* context_ids.h - what the contexts of tokens are made of. Private to model/. */
#ifndef CPR_CONTEXT_IDS_H
#define CPR_CONTEXT_IDS_H

/* The order is that of MODEL.md, section 8. */
enum cpr_context_id {
    CPR_CONTEXT_NONE,
    CPR_CONTEXT_T1,
    CPR_CONTEXT_T2, /* t1, t2 */
    CPR_CONTEXT_T3, /* t1 to t3, and so on */
    CPR_CONTEXT_T4,
    CPR_CONTEXT_T6,
    CPR_CONTEXT_WORD,        /* word so far */
    CPR_CONTEXT_WORD_1,      /* word so far, word before it, last byte */
    CPR_CONTEXT_WORD_2,      /* word so far, two words before it */
    CPR_CONTEXT_WORD_3,      /* word so far, three words before it */
    CPR_CONTEXT_WORD_BEFORE, /* the word before */
    CPR_CONTEXT_BYTES_2,     /* the last two bytes */
    CPR_CONTEXT_BYTES_3,
    CPR_CONTEXT_BYTES_5,
    CPR_CONTEXT_SHAPE,       /* the classes of the last eight bytes */
    CPR_CONTEXT_PUNCTUATION, /* the last four marks of punctuation */
    CPR_CONTEXT_LINE,        /* indentation, first byte of the line, t1 */
    CPR_CONTEXT_LINE_WORD,   /* start of the line, word so far */
    CPR_CONTEXT_ABOVE,       /* the two bytes above, t1 */
    CPR_CONTEXT_FIELD,       /* field, tag, t1 */
    CPR_CONTEXT_BEFORE,      /* t2 */
    CPR_CONTEXT_WORD_SKIP,   /* word so far, the word before the last */
    CPR_CONTEXT_TAG,         /* tag, word so far */
    CPR_CONTEXT_BRACKET,     /* bracket that is open, word so far */
    CPR_CONTEXT_BRACKETS,    /* two brackets that are open, the last two bytes */
    CPR_CONTEXT_LINES,       /* what this line and the one before it began with */
    CPR_CONTEXT_CAPITALIZED, /* capitalized word, word so far */
    CPR_CONTEXT_QUOTATION,   /* quotation that is open, word so far */
    CPR_CONTEXT_COUNT
};

#endif
