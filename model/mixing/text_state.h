/* text_state.h - what the model knows of the text before the next token. Private to model/. */
#ifndef CPR_TEXT_STATE_H
#define CPR_TEXT_STATE_H

#include <stdint.h>

#define CPR_LINE_RING (1u << 16)
#define CPR_BRACKET_RING 32u

/* Plain data: it is saved and copied as it is. Hashes of words are 0 where there is no word. */
typedef struct cpr_text_state {
    uint64_t last_bytes;  /* the last eight, the latest in the lowest byte */
    uint64_t shape;       /* their classes likewise: letters, digits and so on are alike */
    uint32_t word;        /* hash of the letters and digits since the last other byte */
    uint32_t words[3];    /* hashes of the words before it, the latest first */
    uint32_t capitalized; /* the latest of the words before it that begin with a capital */
    uint32_t capital;     /* the word so far begins with one */
    uint32_t punctuation; /* the last four bytes that are neither letter, digit nor blank */
    uint32_t field;       /* the word before the last ':' or '=' */
    uint32_t tag;         /* hash of the name behind the last '<' */
    uint32_t in_tag;      /* that name may go on */
    uint32_t brackets;    /* that are open */
    uint32_t quote;       /* the mark that opened a quotation in this line; 0: none is open */
    uint32_t quoted_by;   /* the word before it */
    uint32_t column;      /* bytes since the line began */
    uint32_t indentation; /* blanks that it began with */
    uint32_t first_byte;  /* of the line that is no blank; 0: none yet */
    uint32_t line_start;  /* the line's first four such bytes, the latest in the lowest byte */
    uint32_t position;    /* of the next byte in `text`, not reduced */
    uint32_t line;        /* where this line and the one before it began */
    uint32_t line_before;
    uint32_t bracket[CPR_BRACKET_RING]; /* of each, from the word before it and what it is */
    uint8_t text[CPR_LINE_RING];        /* the latest bytes, at position % CPR_LINE_RING */
} cpr_text_state;

/* Takes the bytes of a token. */
void cpr_text_state_add(cpr_text_state *state, const uint8_t *bytes, uint32_t count);

/* The two bytes above the next one in the line before, 0 past its end. */
uint32_t cpr_text_state_above(const cpr_text_state *state);

/* The nth of the brackets that are open, 0 being the last one; 0 if there are fewer. */
uint32_t cpr_text_state_bracket(const cpr_text_state *state, uint32_t n);

#endif
