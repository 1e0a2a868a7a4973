/* progress.h - how far a run is: a bar on a terminal, whole lines in a log. */
#ifndef CPR_PROGRESS_H
#define CPR_PROGRESS_H

#include "corpress_mpi.h"

typedef struct progress_bar {
    bool quiet;
    bool counting; /* how much there is, is not known */
    bool decoding; /* there is no ratio to show: the archive's is known */
    bool teaching; /* instead of a ratio there is the loss, in bits a byte: */
    double bits_per_byte;
    bool terminal;        /* standard error is one */
    bool drawn;           /* a bar stands on the last line */
    uint64_t total_raw;   /* bytes of the whole run */
    uint64_t total_items; /* 0: they are not counted */
    const char *what;     /* in front of a line; NULL: nothing */
    double started;       /* when the first bytes were done */
    double shown;         /* when it was last shown */
    unsigned shown_step;  /* of 5 % */
} progress_bar;

/* Local, on rank 0. */
void progress_begin(progress_bar *p, bool quiet, uint64_t total_raw, uint64_t total_items);
void progress_show(progress_bar *p, const cpr_run_progress *now);

/* Takes the bar away, so that a message can be printed. */
void progress_clear(progress_bar *p);

/* Seconds since an arbitrary moment. */
double progress_clock(void);

/* A loss in units of 2^-16 bit as bits a byte; 0 of no bytes. */
double progress_bits(uint64_t loss_bits, uint64_t bytes);

/* Bytes as "12.3 MB", seconds as "1:02:03". */
const char *progress_bytes(uint64_t bytes, char *out, size_t capacity);
const char *progress_time(double seconds, char *out, size_t capacity);

#endif
