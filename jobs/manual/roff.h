/* roff.h - texts in the language of manual pages, man(7). */
#ifndef CPR_ROFF_H
#define CPR_ROFF_H

#include <stdio.h>

/* How the words of a text are set. */
typedef enum roff_style {
    ROFF_PROSE, /* options are bold */
    ROFF_USAGE  /* and names of operands and values, in capitals, are in italics */
} roff_style;

/* The head of page `name` in section 1; the date is YYYY-MM-DD. */
void roff_title(FILE *out, const char *name, const char *date);
void roff_section(FILE *out, const char *title);

/* Paragraphs, with "\n\n" between them. */
void roff_paragraphs(FILE *out, const char *text);

/* Lines of less than 80 bytes, and no paragraph before them. */
void roff_text(FILE *out, const char *text, roff_style style);

/* What is typed, as it is: without fonts, and without the end of the line. */
void roff_code(FILE *out, const char *text);

/* A term in bold, and its text beside it. */
void roff_term(FILE *out, const char *term, const char *text);

#endif
