/* corpus_input.h - the corpus that a command line names. */
#ifndef CPR_CORPUS_INPUT_H
#define CPR_CORPUS_INPUT_H

#include "command.h"

/* Borrows the call's texts. CPR_ERR_NO_MEMORY. The caller frees what it made. */
cpr_status corpus_input_make(const command_call *call, cpr_input *input, cpr_error *error);
void corpus_input_free(cpr_input *input);

#endif
