/* odd_text.h - what is told of one text while it passes by: how it is encoded, which stretches it
 * has, and which letters follow each other. */
#ifndef CPR_ODD_TEXT_H
#define CPR_ODD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ODD_WINDOW 32       /* bytes of a stretch; white space counts as one, capitals as small */
#define ODD_MARKS_MOST 4096 /* of a text, at most */
#define ODD_PAIRS 1024      /* of letters: 32 classes, the first of which is no letter */
#define ODD_WORDS 256       /* classes of words of up to four letters */
#define ODD_PROFILE (ODD_PAIRS + ODD_WORDS)

/* A stretch of text by its hash, and how often it is there. */
typedef struct odd_mark {
    uint64_t hash;
    uint64_t count;
} odd_mark;

/* Counts of bytes are of bytes, all others of characters. */
typedef struct odd_counts {
    uint64_t bytes;
    uint64_t invalid;           /* bytes that are no UTF-8 */
    uint64_t nul_even, nul_odd; /* at even and odd offsets */
    uint64_t characters, beyond_ascii;
    uint64_t controls; /* below blank, but for white space, backspace, escape and NUL; and DEL */
    uint64_t c1;       /* U+0080 to U+009F */
    uint64_t replaced; /* U+FFFD */
    uint64_t twice;    /* characters that are bytes of UTF-8, read as Latin-1 or Windows-1252 */
    uint64_t accents;  /* U+00C0 to U+00FF, four or more in a row */
    uint64_t letters, signs; /* beside tags; signs are all else but blanks */
    uint64_t words;          /* of letters */
    uint64_t windows;        /* stretches */
    uint64_t repeated;       /* of them, those that came before in the same text, estimated */
} odd_counts;

/* The marks of a text are those of its stretches with the smallest hashes. A stretch of text that
 * two texts share is a mark of both, or of none, if its hash is not above the `limit` of either. */
typedef struct odd_text {
    odd_counts counts;
    odd_mark marks[2 * ODD_MARKS_MOST]; /* by odd_text_end(): ascending, each hash once */
    size_t mark_count;
    size_t marks_most; /* to ODD_MARKS_MOST */
    uint64_t limit;
    uint32_t profile[ODD_PROFILE];
    /* where it stands */
    bool is_cut; /* it begins within a file */
    unsigned need;
    uint32_t code, least;
    unsigned twice_need, twice_length, accent_run;
    unsigned letter, word_length;
    uint32_t word;
    uint8_t window[ODD_WINDOW];
    unsigned window_at, window_used;
    uint64_t rolled;
    bool is_blank; /* the last byte in the window is */
    bool in_tag;
    unsigned tag_length;
} odd_text;

/* is_cut: what is given begins within a file, perhaps within a character. */
void odd_text_begin(odd_text *text, size_t marks_most, bool is_cut);
void odd_text_add(odd_text *text, const uint8_t *data, size_t bytes);
/* What is given next is not what comes next in the file. */
void odd_text_skip(odd_text *text);
/* is_whole: the end is that of the file. */
void odd_text_end(odd_text *text, bool is_whole);

#endif
