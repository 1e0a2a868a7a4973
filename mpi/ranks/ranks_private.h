/* ranks_private.h - what the files of this folder share. */
#ifndef CPR_RANKS_PRIVATE_H
#define CPR_RANKS_PRIVATE_H

#include "ranks.h"

#include <mpi.h>

/* Where a rank waits for a test; see ranks_hold.c. */
typedef struct cpr_hold {
    const char *file;  /* NULL: nowhere */
    uint64_t every;    /* raw bytes from one place to the next */
    uint64_t next;     /* place, counted as `finished` is */
    uint64_t finished; /* raw bytes of this rank's finished items, without an earlier run's */
} cpr_hold;

struct cpr_ranks {
    MPI_Comm comm; /* collectives; MPI_COMM_NULL if this process is alone and MPI is not in use */
    MPI_Comm talk; /* messages between rank 0 and the others */
    MPI_Errhandler fatal;
    int rank;
    int size;
    char host[CPR_HOST_BYTES];
    uint64_t fingerprint; /* of the self-test; 0 before it */
    uint64_t resumed;     /* see cpr_ranks_resumed() */
    bool noted;           /* see cpr_ranks_note() */
    bool warned;          /* and it is a warning */
    cpr_error note;
    cpr_hold hold;
};

/* COLLECTIVE. A block of that many bytes from each rank, in the order of ranks: *all is to be
 * freed, and NULL after a failure, which is that some rank has no memory. */
cpr_status cpr_ranks_gather(cpr_ranks *ranks, const void *own, size_t bytes, void **all,
                            cpr_error *error);

/* Local. Waits for a request (none: MPI_REQUEST_NULL), polling at growing intervals of up to a
 * millisecond: a rank that waits leaves its core to the others, whatever the MPI library's idle
 * settings are. */
void cpr_ranks_wait(MPI_Request *request);

/* Local. One step of such waiting; *step starts at 0. */
void cpr_ranks_pause(unsigned *step);

/* Local. Works on one item, and times it. */
cpr_status cpr_ranks_run_item(cpr_ranks *ranks, const cpr_schedule *schedule, uint64_t item,
                              cpr_progress_fn *progress, void *progress_context,
                              cpr_item_result *result, cpr_error *error);

/* cpr_ranks_run() by threads of the only rank. */
cpr_status cpr_ranks_run_threads(cpr_ranks *ranks, const cpr_schedule *schedule,
                                 const cpr_listener *listener, cpr_error *error);

/* Local. What the environment wants. */
void cpr_hold_read(cpr_hold *hold);

/* An item's progress, by way of the places where a test holds it. */
typedef struct cpr_held_item {
    cpr_ranks *ranks;
    cpr_progress_fn *progress;
    void *context;
} cpr_held_item;

/* Local. A cpr_progress_fn, whose context is a cpr_held_item. */
cpr_status cpr_hold_progress(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                             cpr_error *error);

#endif
