/* ranks_schedule.c - items handed out one at a time to whichever rank is free.
 *
 * Every message is a call of a worker that rank 0 answers: a worker reports how far it is, what it
 * has finished, and asks for its next item; the answer gives the item, or says that there is none
 * left, and whether to stop. A worker has one call open at a time and looks for the answer between
 * blocks, so nobody waits for a rank that is busy, and no message is left over at the end:
 *
 *   worker                                   rank 0
 *   ------                                   ------
 *   REPORT progress            ->            adds it up
 *                              <-            stop or go on
 *   ASK, shortly before it
 *   needs an item              ->            next item, or none
 *                              <-
 *   FINISHED result            ->            tells the listener
 *   FAILED                     ->            from now on every answer says: stop
 *   LEAVING                    ->            one worker less to wait for
 *
 * Rank 0 works on items itself, and answers between its own blocks. */
#include "ranks_private.h"

#include <stdlib.h>
#include <string.h>

enum { TAG_CALL = 11, TAG_ANSWER = 12 };

/* What a call says; several at once. */
enum { ASK = 1, FINISHED = 2, FAILED = 4, LEAVING = 8 };

#define NO_ITEM UINT64_MAX

/* A worker asks for its next item when it has this much or less left of the present one: longer
 * than rank 0 needs for a block of its own. */
#define ASK_AHEAD_BYTES (UINT64_C(256) << 10)

/* Seconds between reports of one worker; more with many ranks, so that rank 0 is not flooded. */
#define REPORT_SECONDS 0.5
#define REPORTS_PER_SECOND_ALL_RANKS 500.0

typedef struct call {
    uint64_t raw_bytes; /* of the item in work */
    uint64_t coded_bytes;
    uint32_t says;
    cpr_item_result result; /* if FINISHED */
} call;

typedef struct answer {
    uint64_t item; /* if asked for: an item or NO_ITEM */
    uint32_t asked;
    uint32_t stop;
} answer;

/* ---- rank 0 -------------------------------------------------------------------------------- */

typedef struct master {
    cpr_ranks *ranks;
    const cpr_schedule *schedule;
    const cpr_listener *listener;
    uint64_t next;          /* the first item that nobody has */
    bool stopping;          /* some rank failed */
    int workers;            /* that have not left */
    cpr_run_progress done;  /* finished items */
    cpr_run_progress *now;  /* per rank: the item in work */
    cpr_run_progress total; /* of `now`, kept up to date */
    struct answer *answers; /* per rank: the last answer, which MPI may still be sending */
    MPI_Request *sending;
} master;

static void master_close(master *m)
{
    if (m->sending)
        for (int i = 0; i < m->ranks->size; i++)
            cpr_ranks_wait(&m->sending[i]);
    free(m->now);
    free(m->answers);
    free(m->sending);
}

static cpr_status master_open(master *m, const cpr_ranks *ranks, cpr_error *error)
{
    const size_t size = (size_t)ranks->size;
    m->workers = ranks->size - 1;
    m->now = calloc(size, sizeof *m->now);
    m->answers = calloc(size, sizeof *m->answers);
    m->sending = malloc(size * sizeof(MPI_Request));
    for (size_t i = 0; m->sending && i < size; i++)
        m->sending[i] = MPI_REQUEST_NULL;
    if (m->now && m->answers && m->sending)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a schedule of %d ranks", ranks->size);
}

static void master_set_progress(master *m, int rank, uint64_t raw_bytes, uint64_t coded_bytes)
{
    m->total.raw_bytes += raw_bytes - m->now[rank].raw_bytes;
    m->total.coded_bytes += coded_bytes - m->now[rank].coded_bytes;
    m->now[rank].raw_bytes = raw_bytes;
    m->now[rank].coded_bytes = coded_bytes;
}

static void master_tell_progress(master *m)
{
    if (!m->listener || !m->listener->progress)
        return;
    cpr_run_progress all = m->done;
    all.raw_bytes += m->total.raw_bytes;
    all.coded_bytes += m->total.coded_bytes;
    m->listener->progress(m->listener->context, &all);
}

static void master_finished(master *m, const cpr_item_result *result)
{
    m->done.items_done++;
    m->done.raw_bytes += result->raw_bytes;
    m->done.coded_bytes += result->coded_bytes;
    if (m->listener && m->listener->item)
        m->listener->item(m->listener->context, result);
}

static uint64_t master_next(master *m)
{
    return m->stopping || m->next == m->schedule->items ? NO_ITEM : m->next++;
}

static void master_answer(master *m, int rank, const call *said)
{
    if (said->says & FINISHED)
        master_finished(m, &said->result);
    master_set_progress(m, rank, said->raw_bytes, said->coded_bytes);
    if (said->says & FAILED)
        m->stopping = true;
    if (said->says & LEAVING)
        m->workers--;
    /* A worker calls again only when it has its answer, so this does not wait long. */
    cpr_ranks_wait(&m->sending[rank]);
    answer *reply = &m->answers[rank];
    reply->asked = said->says & ASK;
    reply->item = reply->asked ? master_next(m) : NO_ITEM;
    reply->stop = m->stopping;
    MPI_Isend(reply, (int)sizeof *reply, MPI_BYTE, rank, TAG_ANSWER, m->ranks->talk,
              &m->sending[rank]);
}

/* Answers all calls that have arrived. True: there was one. */
static bool master_poll(master *m)
{
    bool any = false;
    while (m->workers > 0) {
        int arrived = 0;
        MPI_Status from;
        MPI_Iprobe(MPI_ANY_SOURCE, TAG_CALL, m->ranks->talk, &arrived, &from);
        if (!arrived)
            break;
        call said;
        MPI_Recv(&said, (int)sizeof said, MPI_BYTE, from.MPI_SOURCE, TAG_CALL, m->ranks->talk,
                 MPI_STATUS_IGNORE);
        master_answer(m, from.MPI_SOURCE, &said);
        any = true;
    }
    return any;
}

/* A cpr_progress_fn: between blocks of rank 0's own item. */
static cpr_status master_progress(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                  cpr_error *error)
{
    master *m = context;
    master_set_progress(m, 0, raw_bytes, coded_bytes);
    master_poll(m);
    master_tell_progress(m);
    return m->stopping ? cpr_fail(error, CPR_STOPPED, "another rank failed") : CPR_OK;
}

/* Answers until every worker has left. */
static void master_serve(master *m)
{
    unsigned step = 0;
    double told = cpr_ranks_seconds();
    while (m->workers > 0) {
        if (master_poll(m))
            step = 0;
        else
            cpr_ranks_pause(&step);
        if (cpr_ranks_seconds() - told > REPORT_SECONDS) {
            master_tell_progress(m);
            told = cpr_ranks_seconds();
        }
    }
}

/* Runs one item on this rank and times it. */
static cpr_status run_item(cpr_ranks *ranks, const cpr_schedule *schedule, uint64_t item,
                           cpr_progress_fn *progress, void *progress_context,
                           cpr_item_result *result, cpr_error *error)
{
    const double start = cpr_ranks_seconds();
    memset(result, 0, sizeof *result);
    const cpr_status status =
        schedule->run(schedule->context, item, progress, progress_context, result, error);
    result->seconds = cpr_ranks_seconds() - start;
    result->rank = ranks->rank;
    return status;
}

static cpr_status master_run(master *m, cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (;;) {
        master_poll(m);
        const uint64_t item = master_next(m);
        if (item == NO_ITEM)
            break;
        cpr_item_result result;
        status = run_item(m->ranks, m->schedule, item, master_progress, m, &result, error);
        master_set_progress(m, 0, 0, 0);
        if (status != CPR_OK) {
            if (m->stopping)
                status = CPR_OK; /* the rank that failed says why */
            m->stopping = true;
            break;
        }
        master_finished(m, &result);
        master_tell_progress(m);
    }
    master_serve(m);
    master_tell_progress(m);
    return status;
}

/* ---- the other ranks ----------------------------------------------------------------------- */

typedef struct worker {
    cpr_ranks *ranks;
    uint64_t item_bytes; /* of the item in work */
    uint64_t next;       /* the item after it, if `answered` */
    bool asked;          /* the next item has been asked for, but not been taken yet */
    bool answered;       /* and rank 0 has said which it is */
    bool stop;
    double called;
    double call_seconds; /* between reports */
    bool open;           /* a call is not answered yet */
    call said;
    answer reply;
    MPI_Request requests[2];
} worker;

/* Takes the answer if it has arrived. */
static void worker_look(worker *w)
{
    int done = 0;
    if (!w->open)
        return;
    MPI_Testall(2, w->requests, &done, MPI_STATUSES_IGNORE);
    if (!done)
        return;
    w->open = false;
    if (w->reply.stop)
        w->stop = true;
    if (w->reply.asked) {
        w->next = w->reply.item;
        w->answered = true;
    }
}

static void worker_wait(worker *w)
{
    unsigned step = 0;
    for (worker_look(w); w->open; worker_look(w))
        cpr_ranks_pause(&step);
}

/* Calls rank 0; waits for the answer to the call before, but not for that to this one. */
static void worker_call(worker *w, uint32_t says, uint64_t raw_bytes, uint64_t coded_bytes,
                        const cpr_item_result *result)
{
    worker_wait(w);
    memset(&w->said, 0, sizeof w->said);
    w->said.says = says;
    w->said.raw_bytes = raw_bytes;
    w->said.coded_bytes = coded_bytes;
    if (result)
        w->said.result = *result;
    MPI_Irecv(&w->reply, (int)sizeof w->reply, MPI_BYTE, 0, TAG_ANSWER, w->ranks->talk,
              &w->requests[0]);
    MPI_Isend(&w->said, (int)sizeof w->said, MPI_BYTE, 0, TAG_CALL, w->ranks->talk,
              &w->requests[1]);
    w->open = true;
    w->called = cpr_ranks_seconds();
    if (says & ASK)
        w->asked = true;
}

/* A cpr_progress_fn: between blocks of a worker's item. */
static cpr_status worker_progress(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                  cpr_error *error)
{
    worker *w = context;
    worker_look(w);
    if (w->stop)
        return cpr_fail(error, CPR_STOPPED, "another rank failed");
    if (w->open)
        return CPR_OK;
    const bool ask = !w->asked && raw_bytes + ASK_AHEAD_BYTES >= w->item_bytes;
    if (ask || cpr_ranks_seconds() - w->called >= w->call_seconds)
        worker_call(w, ask ? ASK : 0, raw_bytes, coded_bytes, NULL);
    return CPR_OK;
}

/* The next item, asked for now if not before; NO_ITEM if there is none or the run stops. */
static uint64_t worker_next(worker *w)
{
    if (!w->asked)
        worker_call(w, ASK, 0, 0, NULL);
    unsigned step = 0;
    for (worker_look(w); !w->answered; worker_look(w))
        cpr_ranks_pause(&step);
    w->asked = false;
    w->answered = false;
    return w->stop ? NO_ITEM : w->next;
}

static cpr_status worker_run(cpr_ranks *ranks, const cpr_schedule *schedule, cpr_error *error)
{
    worker w = {.ranks = ranks, .next = NO_ITEM};
    w.call_seconds = ranks->size / REPORTS_PER_SECOND_ALL_RANKS;
    if (w.call_seconds < REPORT_SECONDS)
        w.call_seconds = REPORT_SECONDS;
    cpr_status status = CPR_OK;
    for (;;) {
        const uint64_t item = worker_next(&w);
        if (item == NO_ITEM)
            break;
        w.item_bytes = schedule->bytes(schedule->context, item);
        cpr_item_result result;
        status = run_item(ranks, schedule, item, worker_progress, &w, &result, error);
        if (status != CPR_OK) {
            worker_wait(&w);
            if (w.stop)
                status = CPR_OK; /* the rank that failed says why */
            break;
        }
        worker_call(&w, FINISHED | (w.asked ? 0 : ASK), 0, 0, &result);
    }
    worker_call(&w, LEAVING | (status != CPR_OK ? FAILED : 0), 0, 0, NULL);
    worker_wait(&w);
    return status;
}

cpr_status cpr_ranks_run(cpr_ranks *ranks, const cpr_schedule *schedule,
                         const cpr_listener *listener, cpr_error *error)
{
    cpr_status status = CPR_OK;
    master m = {.ranks = ranks, .schedule = schedule, .listener = listener};
    if (ranks->rank == 0)
        status = master_open(&m, ranks, error);
    status = cpr_ranks_agree(ranks, status, error);
    if (status == CPR_OK) {
        status = ranks->rank == 0 ? master_run(&m, error) : worker_run(ranks, schedule, error);
        status = cpr_ranks_agree(ranks, status, error);
    }
    master_close(&m);
    return status;
}
