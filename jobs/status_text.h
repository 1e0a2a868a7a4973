/* status_text.h - how far a job is: as a table, as JSON, as a line, and for a screen. */
#ifndef CPR_STATUS_TEXT_H
#define CPR_STATUS_TEXT_H

#include "corpress_job.h"

#include <stdio.h>

typedef struct status_view {
    const char *path;        /* of the archive */
    const cpr_job *job;      /* NULL: there is neither an archive nor a work directory */
    const char *slurm_state; /* "": not known */
} status_view;

/* What is known, and a row for each rank. The job is not NULL. */
void status_print_table(FILE *out, const status_view *view);

/* One object and a line feed. `time` (may be NULL) becomes its first member. */
void status_print_json(FILE *out, const status_view *view, const char *time);

/* The most important, without a line feed. It is the same while nothing has changed. */
void status_print_line(FILE *out, const status_view *view);

/* Lines for a terminal of so many rows and columns. Where not all ranks have room, the slowest. */
void status_print_screen(FILE *out, const status_view *view, int rows, int columns);

#endif
