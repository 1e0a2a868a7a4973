/* manual_texts.h - what manual pages have beside the texts of --help: files, environment, examples.
 */
#ifndef CPR_MANUAL_TEXTS_H
#define CPR_MANUAL_TEXTS_H

#include "command.h"

/* A term on the pages of some commands. */
typedef struct manual_term {
    const char *word;
    const char *text;
    unsigned commands; /* COMMAND_... whose pages have it; the page of the program has all */
} manual_term;

/* A command line, with what it does; on the page of its command, and those of COMMAND_ALL on that
 * of the program. */
typedef manual_term manual_example;

/* Up to one without a word. */
extern const manual_term manual_environment[];
extern const manual_term manual_files[];
extern const manual_example manual_examples[];

#endif
