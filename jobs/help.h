/* help.h - `--help`, of the program and of a command, out of the tables in command.c and options.c.
 */
#ifndef CPR_HELP_H
#define CPR_HELP_H

#include "command.h"

/* Texts of --help that the manual pages have, too; paragraphs have "\n\n" between them. */
extern const command_term help_exit_codes[]; /* up to one without a word */
extern const char help_ranks[];              /* how many processes a command runs as */
extern const char help_profile_memory[];     /* stands below the list of profiles */
extern const char help_members[];            /* what a PATH is */
extern const char help_patterns[];           /* what a pattern is */

/* Whether options or operands of the command may be patterns. */
bool help_has_patterns(const subcommand *command);

void help_program(FILE *out);
void help_command(FILE *out, const subcommand *command);

#endif
