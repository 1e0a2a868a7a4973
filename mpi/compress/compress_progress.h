/* compress_progress.h - tells the user, and the work directory's progress file, how far a run is.
 */
#ifndef CPR_COMPRESS_PROGRESS_H
#define CPR_COMPRESS_PROGRESS_H

#include "compress_run.h"

/* Local. On rank 0: a phase begins, see cpr_listener; something worth knowing. */
void cpr_compress_phase(const cpr_compress_run *run, cpr_phase phase, uint64_t raw_bytes,
                        uint64_t items);
void cpr_compress_note(const cpr_compress_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cpr_compress_warn(const cpr_compress_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Listens on rank 0 in front of the user's listener, and writes down now and then how far the ranks
 * are. */
typedef struct cpr_progress_file {
    cpr_listener listener; /* for cpr_ranks_run() */
    const cpr_compress_run *run;
    bool primer; /* it is about the primer */
    cpr_run_progress all;
    char *hosts;
    double started;
    double written;
} cpr_progress_file;

/* COLLECTIVE. */
void cpr_progress_file_open(cpr_progress_file *file, const cpr_compress_run *run, bool primer);
void cpr_progress_file_close(cpr_progress_file *file);

/* Tells how far a lesson is. All zero at first. */
typedef struct cpr_progress_lesson {
    double told;
    double written;
} cpr_progress_lesson;

/* Local. On rank 0, and not more often than is worth while, unless the lesson is over: tells the
 * user's listener, and writes the progress file. */
void cpr_progress_lesson_tell(cpr_progress_lesson *progress, const cpr_compress_run *run,
                              const cpr_lesson_facts *facts);

#endif
