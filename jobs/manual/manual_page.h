/* manual_page.h - the manual pages, of the program and of a command. */
#ifndef CPR_MANUAL_PAGE_H
#define CPR_MANUAL_PAGE_H

#include "command.h"

/* The date is YYYY-MM-DD. */
void manual_write_program(FILE *out, const char *date);
void manual_write_command(FILE *out, const subcommand *command, const char *date);

#endif
