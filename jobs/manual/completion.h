/* completion.h - what shells need to complete command lines of corpress. */
#ifndef CPR_COMPLETION_H
#define CPR_COMPLETION_H

#include <stdio.h>

/* Functions that completion.bash and completion.zsh call: they say which commands there are, their
 * options, and what these want. */
void completion_write_bash(FILE *out);
void completion_write_zsh(FILE *out);

#endif
