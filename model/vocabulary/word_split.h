/* word_split.h - where a word ends. Vocabulary and parser must agree on it. Private to model/. */
#ifndef CPR_WORD_SPLIT_H
#define CPR_WORD_SPLIT_H

#include <stddef.h>
#include <stdint.h>

/* Longer words are cut. */
#define CPR_WORD_MAX_BYTES 32u

typedef enum cpr_byte_class {
    CPR_CLASS_LETTER, /* ASCII letters and every byte of a multi-byte UTF-8 sequence */
    CPR_CLASS_DIGIT,
    CPR_CLASS_SPACE,
    CPR_CLASS_PUNCTUATION,
} cpr_byte_class;

static inline cpr_byte_class cpr_classify(uint8_t byte)
{
    if ((uint8_t)((byte | 0x20) - 'a') < 26 || byte >= 0x80)
        return CPR_CLASS_LETTER;
    if ((uint8_t)(byte - '0') < 10)
        return CPR_CLASS_DIGIT;
    if (byte == ' ' || (byte >= '\t' && byte <= '\r'))
        return CPR_CLASS_SPACE;
    return CPR_CLASS_PUNCTUATION;
}

/* Length of the word that text starts with, text having at least one byte: a maximal run of one
 * class, at most CPR_WORD_MAX_BYTES. A single space belongs to the letters that follow it. */
static inline size_t cpr_word_length(const uint8_t *text, size_t bytes)
{
    const size_t limit = bytes < CPR_WORD_MAX_BYTES ? bytes : CPR_WORD_MAX_BYTES;
    cpr_byte_class class = cpr_classify(text[0]);
    size_t n = 1;
    if (text[0] == ' ' && n < limit && cpr_classify(text[1]) == CPR_CLASS_LETTER)
        class = CPR_CLASS_LETTER;
    while (n < limit && cpr_classify(text[n]) == class) {
        /* leave the last space of a run to the word behind it */
        if (class == CPR_CLASS_SPACE && text[n] == ' ' && n + 1 < bytes &&
            cpr_classify(text[n + 1]) == CPR_CLASS_LETTER)
            break;
        n++;
    }
    return n;
}

#endif
