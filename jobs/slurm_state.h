/* slurm_state.h - what SLURM says of a job. */
#ifndef CPR_SLURM_STATE_H
#define CPR_SLURM_STATE_H

#include <stdbool.h>

#define SLURM_STATE_BYTES 64

/* Asks squeue, and sacct of a job that squeue does not know. Sets *state to a word and perhaps a
 * reason, such as "RUNNING" or "PENDING (Resources)": printable ASCII. "" if SLURM is not there,
 * does not know the job, or does not answer in time; takes 4 s at most. `job` may be any text. */
void slurm_state_ask(const char *job, char state[SLURM_STATE_BYTES]);

/* Whether a job of that state is at work or waits for its turn, perhaps once more. */
bool slurm_state_goes_on(const char *state);

#endif
