/* corpus_input.h - the corpus that a command line names. */
#ifndef CPR_CORPUS_INPUT_H
#define CPR_CORPUS_INPUT_H

#include "command.h"

/* Borrows the call's texts. */
cpr_input corpus_input(const command_call *call);

#endif
