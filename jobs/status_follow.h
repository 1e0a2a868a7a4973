/* status_follow.h - corpress status --follow. */
#ifndef CPR_STATUS_FOLLOW_H
#define CPR_STATUS_FOLLOW_H

#include "command.h"

/* Shows how far a job is, again and again, until it is done. CPR_STOPPED: it has stopped, and SLURM
 * does not start it again. */
cpr_status status_follow(command_call *call, cpr_error *error);

#endif
