/* help.h - `--help`, of the program and of a command, out of the tables in command.c and options.c.
 */
#ifndef CPR_HELP_H
#define CPR_HELP_H

#include "command.h"

void help_program(FILE *out);
void help_command(FILE *out, const subcommand *command);

#endif
