/* output_run.h - inside shard/: one run of an extraction, its temporary names, and earlier runs.
 *
 * Files are written beside their final places, as ".corpress-TOKEN-INDEX". The token is random and
 * chosen for the run, in no name of the archive; so neither the corpus nor another run, whatever it
 * extracts and from which host, has these names. A directory ".corpress-TOKEN" in the target is
 * locked while the run lives and says which archive it is of: by it a later run finds what an
 * earlier one left, and knows whether that is dead.
 */
#ifndef CPR_OUTPUT_RUN_H
#define CPR_OUTPUT_RUN_H

#include "file_io.h"
#include "output.h"
#include "work_private.h"

#include <sys/stat.h>

#define CPR_OUTPUT_NAME_BYTES 80

/* A run's directory. */
typedef struct cpr_output_home {
    char token[CPR_OUTPUT_RUN_BYTES];
    cpr_work_dir dir;    /* .fd -1: there is none */
    cpr_work_lock *lock; /* of an earlier run: once it is known to be dead */
    bool needed;         /* an earlier run's: has files of a selection that is not this run's */
} cpr_output_home;

typedef struct cpr_output_run {
    char token[CPR_OUTPUT_RUN_BYTES]; /* "": not known yet */
    cpr_output_home home;
    cpr_output_home *old; /* interrupted runs of the same archive, if this one goes on */
    size_t old_count;
} cpr_output_run;

/* The temporary name of a file of the run. */
void cpr_output_temporary(const char *token, uint64_t file, char out[CPR_OUTPUT_NAME_BYTES]);

/* A random token. */
cpr_status cpr_output_token(char token[CPR_OUTPUT_RUN_BYTES], cpr_error *error);

/* Chooses a token that no member of the list has in its path. */
cpr_status cpr_output_run_choose(cpr_output_run *run, const cpr_file_list *files, cpr_error *error);

/* Chooses a token and makes the run's directory in the target, where that can be written to. Tells
 * about other runs at work there; with `go_on` finds those to go on with. */
cpr_status cpr_output_run_begin(cpr_output_run *run, int target, const char *target_path,
                                const cpr_file_list *files, cpr_hash128 identity, bool go_on,
                                cpr_warn_fn *tell, void *context, cpr_error *error);

/* Takes over what earlier runs have of a file: with `want` it gets this run's name, else it goes.
 * CPR_ERR_BUSY: that run is alive. */
cpr_status cpr_output_run_adopt(cpr_output_run *run, int directory, uint64_t file, uint64_t bytes,
                                bool want, cpr_warn_fn *tell, void *context, cpr_error *error);

/* Notes that an earlier run may have something of a file that this one does not select. */
void cpr_output_run_spare(cpr_output_run *run, int directory, uint64_t file);

/* Removes the empty directories of earlier runs. */
void cpr_output_run_tidy(cpr_output_run *run, int target, cpr_warn_fn *tell, void *context);

/* Ends the run; with `remove` its directory goes. */
void cpr_output_run_end(cpr_output_run *run, int target, bool remove);

/* Renames unless the new name exists. Returns an errno. */
int cpr_output_rename_new(int directory, const char *from, const char *to);

#endif
