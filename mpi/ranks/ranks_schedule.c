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
 *   IDLE, there was no item    ->            waits until all items are finished, or stop
 *                              <-
 *   FAILED                     ->            from now on every answer says: stop
 *   LEAVING                    ->            one worker less to wait for
 *
 * Besides, a worker that is asked to stop by a signal says so once, at any time, in a NOTICE, to
 * which there is no answer.
 *
 * Rank 0 works on items itself, and answers between its own blocks. */
#include "ranks_private.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG_CALL = 11, TAG_ANSWER = 12 };

/* What a call says; several at once. */
enum {
    ASK = 1,
    FINISHED = 2,
    FAILED = 4,
    LEAVING = 8,
    IDLE = 16,
    NOTICE = 32,
    NOTED = 64,
    WARNED = 128 /* the note is a warning */
};

#define NO_ITEM UINT64_MAX

/* A worker asks for its next item when it has this much or less left of the present one: longer
 * than rank 0 needs for a block of its own. */
#define ASK_AHEAD_BYTES (UINT64_C(256) << 10)

/* Seconds between reports of one worker; more with many ranks, so that rank 0 is not flooded. */
#define REPORT_SECONDS 0.5
#define REPORTS_PER_SECOND_ALL_RANKS 500.0

typedef struct call {
    uint64_t item; /* in work, or NO_ITEM */
    uint64_t raw_bytes;
    uint64_t coded_bytes;
    uint64_t resumed_bytes;
    uint32_t says;
    cpr_item_result result; /* if FINISHED */
    cpr_error note;         /* if NOTED */
} call;

typedef struct answer {
    uint64_t item; /* if asked for: an item or NO_ITEM */
    uint32_t asked;
    uint32_t stop;
} answer;

const char *cpr_phase_name(cpr_phase phase)
{
    switch (phase) {
    case CPR_PHASE_STREAMS:
        return "streams";
    case CPR_PHASE_INPUTS:
        return "inputs";
    case CPR_PHASE_VOCABULARY:
        return "vocabulary";
    case CPR_PHASE_LESSON:
        return "lesson";
    case CPR_PHASE_PRIMER:
        return "primer";
    case CPR_PHASE_SHARDS:
        return "shards";
    case CPR_PHASE_PUBLISHING:
        return "publishing";
    }
    return "";
}

/* ---- rank 0 -------------------------------------------------------------------------------- */

typedef struct master {
    cpr_ranks *ranks;
    const cpr_schedule *schedule;
    const cpr_listener *listener;
    uint64_t next;          /* how many items have been given, in their order unless one_each */
    uint64_t item;          /* that rank 0 has in work */
    uint64_t finished;      /* items of this run */
    bool stopping;          /* some rank failed, or was asked to stop */
    int workers;            /* that have not left */
    cpr_run_progress done;  /* finished items */
    cpr_rank_progress *now; /* per rank */
    cpr_run_progress total; /* of the items in work, kept up to date */
    bool *idle;             /* per rank: it waits for the end */
    bool *served;           /* per rank: with one_each, it has its item */
    struct answer *answers; /* per rank: the last answer, which MPI may still be sending */
    MPI_Request *sending;
} master;

static void master_close(master *m)
{
    if (m->sending != NULL)
        for (int i = 0; i < m->ranks->size; i++)
            cpr_ranks_wait(&m->sending[i]);
    free(m->now);
    free(m->idle);
    free(m->served);
    free(m->answers);
    free(m->sending);
}

static cpr_status master_open(master *m, const cpr_ranks *ranks, cpr_error *error)
{
    const size_t size = (size_t)ranks->size;
    m->workers = ranks->size - 1;
    m->done = m->schedule->earlier;
    m->now = calloc(size, sizeof *m->now);
    m->idle = calloc(size, sizeof *m->idle);
    m->served = calloc(size, sizeof *m->served);
    m->answers = calloc(size, sizeof *m->answers);
    m->sending = malloc(size * sizeof(MPI_Request));
    for (size_t i = 0; m->sending != NULL && i < size; i++)
        m->sending[i] = MPI_REQUEST_NULL;
    for (size_t i = 0; m->now != NULL && i < size; i++)
        m->now[i].item = NO_ITEM;
    if (m->now != NULL && m->idle != NULL && m->served != NULL && m->answers != NULL &&
        m->sending != NULL)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a schedule of %d ranks", ranks->size);
}

static void master_set_progress(master *m, int rank, uint64_t item, uint64_t raw_bytes,
                                uint64_t coded_bytes, uint64_t resumed_bytes)
{
    cpr_rank_progress *now = &m->now[rank];
    m->total.raw_bytes += raw_bytes - now->raw_bytes;
    m->total.coded_bytes += coded_bytes - now->coded_bytes;
    m->total.earlier_bytes += resumed_bytes - now->resumed_bytes;
    now->item = item;
    now->raw_bytes = raw_bytes;
    now->coded_bytes = coded_bytes;
    now->resumed_bytes = resumed_bytes;
}

static void master_tell_note(master *m, bool warning, const char *text)
{
    if (m->listener != NULL && warning && m->listener->warn != NULL)
        m->listener->warn(m->listener->context, text);
    else if (m->listener != NULL && m->listener->note != NULL)
        m->listener->note(m->listener->context, text);
}

/* What rank 0 itself has to say. */
static void master_tell_own_note(master *m)
{
    if (m->ranks->noted)
        master_tell_note(m, m->ranks->warned, m->ranks->note.text);
    m->ranks->noted = false;
    m->ranks->warned = false;
}

static void master_tell_progress(master *m)
{
    if (m->listener == NULL)
        return;
    cpr_run_progress all = m->done;
    all.raw_bytes += m->total.raw_bytes;
    all.coded_bytes += m->total.coded_bytes;
    all.earlier_bytes += m->total.earlier_bytes;
    if (m->listener->progress != NULL)
        m->listener->progress(m->listener->context, &all);
    if (m->listener->ranks != NULL)
        m->listener->ranks(m->listener->context, m->now, m->ranks->size);
}

static void master_finished(master *m, const cpr_item_result *result)
{
    m->finished++;
    m->done.items_done++;
    m->done.raw_bytes += result->raw_bytes;
    m->done.coded_bytes += result->coded_bytes;
    m->done.earlier_bytes += result->resumed_bytes;
    m->now[result->rank].done_bytes += result->raw_bytes - result->resumed_bytes;
    m->now[result->rank].done_seconds += result->seconds;
    if (m->listener != NULL && m->listener->item != NULL)
        m->listener->item(m->listener->context, result);
}

static uint64_t master_next(master *m, int rank)
{
    if (m->stopping || m->next == m->schedule->items)
        return NO_ITEM;
    if (!m->schedule->one_each)
        return m->next++;
    if (m->served[rank])
        return NO_ITEM;
    m->served[rank] = true;
    m->next++;
    return (uint64_t)rank;
}

static void master_send(master *m, int rank, uint32_t asked)
{
    /* A worker calls again only when it has its answer, so this does not wait long. */
    cpr_ranks_wait(&m->sending[rank]);
    answer *reply = &m->answers[rank];
    reply->asked = asked;
    reply->item = asked ? master_next(m, rank) : NO_ITEM;
    reply->stop = m->stopping;
    MPI_Isend(reply, (int)sizeof *reply, MPI_BYTE, rank, TAG_ANSWER, m->ranks->talk,
              &m->sending[rank]);
}

static void master_answer(master *m, int rank, const call *said)
{
    if (said->says & NOTED)
        master_tell_note(m, said->says & WARNED, said->note.text);
    if (said->says & (FAILED | NOTICE))
        m->stopping = true;
    if (said->says & NOTICE)
        return;
    if (said->says & FINISHED)
        master_finished(m, &said->result);
    master_set_progress(m, rank, said->item, said->raw_bytes, said->coded_bytes,
                        said->resumed_bytes);
    if (said->says & LEAVING)
        m->workers--;
    if (said->says & IDLE)
        m->idle[rank] = true;
    else
        master_send(m, rank, said->says & ASK);
}

/* Lets the idle workers go if there will be nothing more for them. */
static void master_dismiss(master *m)
{
    if (cpr_stop_requested())
        m->stopping = true;
    if (!m->stopping && m->finished < m->schedule->items)
        return;
    for (int i = 1; i < m->ranks->size; i++) {
        if (m->idle[i])
            master_send(m, i, 0);
        m->idle[i] = false;
    }
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
    master_dismiss(m);
    return any;
}

/* A cpr_progress_fn: between blocks of rank 0's own item. */
static cpr_status master_progress(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                  cpr_error *error)
{
    master *m = context;
    master_set_progress(m, 0, m->item, raw_bytes, coded_bytes, m->ranks->resumed);
    master_poll(m);
    master_tell_own_note(m);
    master_tell_progress(m);
    return m->stopping ? cpr_fail(error, CPR_STOPPED, "stopping") : CPR_OK;
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

cpr_status cpr_ranks_run_item(cpr_ranks *ranks, const cpr_schedule *schedule, uint64_t item,
                              cpr_progress_fn *progress, void *progress_context,
                              cpr_item_result *result, cpr_error *error)
{
    const double start = cpr_ranks_seconds();
    cpr_held_item held = {ranks, progress, progress_context};
    memset(result, 0, sizeof *result);
    ranks->resumed = 0;
    if (ranks->hold.file != NULL) {
        progress = cpr_hold_progress;
        progress_context = &held;
    }
    const cpr_status status =
        schedule->run(schedule->context, item, progress, progress_context, result, error);
    if (ranks->resumed > 0)
        result->resumed_bytes = ranks->resumed;
    if (status == CPR_OK)
        ranks->hold.finished += result->raw_bytes - result->resumed_bytes;
    result->seconds = cpr_ranks_seconds() - start;
    result->rank = ranks->rank;
    return status;
}

static cpr_status master_run(master *m, cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (;;) {
        master_poll(m);
        const uint64_t item = master_next(m, 0);
        if (item == NO_ITEM)
            break;
        cpr_item_result result;
        m->item = item;
        status =
            cpr_ranks_run_item(m->ranks, m->schedule, item, master_progress, m, &result, error);
        master_set_progress(m, 0, NO_ITEM, 0, 0, 0);
        master_tell_own_note(m);
        if (status != CPR_OK) {
            if (status == CPR_STOPPED && m->stopping)
                status = CPR_OK; /* the rank that failed, or was asked to stop, says why */
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
    uint64_t item;       /* in work, or NO_ITEM */
    uint64_t item_bytes; /* of it */
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
    call notice;
    MPI_Request notice_request; /* null: none was sent */
    bool noticed;
} worker;

/* Tells rank 0, once, that this rank has been asked to stop. True: it has. */
static bool worker_heed_stop(worker *w)
{
    if (!cpr_stop_requested())
        return false;
    if (!w->noticed) {
        memset(&w->notice, 0, sizeof w->notice);
        w->notice.says = NOTICE;
        MPI_Isend(&w->notice, (int)sizeof w->notice, MPI_BYTE, 0, TAG_CALL, w->ranks->talk,
                  &w->notice_request);
    }
    w->noticed = true;
    return true;
}

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
    for (worker_look(w); w->open; worker_look(w)) {
        worker_heed_stop(w);
        cpr_ranks_pause(&step);
    }
}

/* Calls rank 0; waits for the answer to the call before, but not for that to this one. */
static void worker_call(worker *w, uint32_t says, uint64_t raw_bytes, uint64_t coded_bytes,
                        const cpr_item_result *result)
{
    worker_wait(w);
    memset(&w->said, 0, sizeof w->said);
    w->said.says = says;
    w->said.item = w->item;
    w->said.raw_bytes = raw_bytes;
    w->said.coded_bytes = coded_bytes;
    w->said.resumed_bytes = raw_bytes ? w->ranks->resumed : 0;
    if (result != NULL)
        w->said.result = *result;
    if (w->ranks->noted) {
        w->said.says |= NOTED | (w->ranks->warned ? WARNED : 0);
        w->said.note = w->ranks->note;
        w->ranks->noted = false;
        w->ranks->warned = false;
    }
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
    if (worker_heed_stop(w) || w->stop)
        return cpr_fail(error, CPR_STOPPED, "stopping");
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
    for (worker_look(w); !w->answered; worker_look(w)) {
        worker_heed_stop(w);
        cpr_ranks_pause(&step);
    }
    w->asked = false;
    w->answered = false;
    return w->stop ? NO_ITEM : w->next;
}

/* Waits until all ranks have finished, or stop. A rank that is asked to stop here must be able to
 * tell the others. */
static void worker_idle(worker *w)
{
    worker_wait(w);
    if (w->stop)
        return;
    worker_call(w, IDLE, 0, 0, NULL);
    worker_wait(w);
}

static cpr_status worker_run(cpr_ranks *ranks, const cpr_schedule *schedule, cpr_error *error)
{
    worker w = {
        .ranks = ranks, .next = NO_ITEM, .item = NO_ITEM, .notice_request = MPI_REQUEST_NULL};
    w.call_seconds = ranks->size / REPORTS_PER_SECOND_ALL_RANKS;
    if (w.call_seconds < REPORT_SECONDS)
        w.call_seconds = REPORT_SECONDS;
    cpr_status status = CPR_OK;
    for (;;) {
        const uint64_t item = worker_next(&w);
        if (item == NO_ITEM)
            break;
        w.item = item;
        w.item_bytes = schedule->bytes(schedule->context, item);
        cpr_item_result result;
        status = cpr_ranks_run_item(ranks, schedule, item, worker_progress, &w, &result, error);
        w.item = NO_ITEM;
        if (status != CPR_OK)
            break;
        worker_call(&w, FINISHED | (w.asked ? 0 : ASK), 0, 0, &result);
    }
    worker_wait(&w);
    if (status == CPR_STOPPED && (w.stop || w.noticed))
        status = CPR_OK; /* the rank that failed, or was asked to stop, says why */
    else if (status == CPR_OK)
        worker_idle(&w);
    worker_call(&w, LEAVING | (status != CPR_OK ? FAILED : 0), 0, 0, NULL);
    w.noticed = true; /* rank 0 listens no longer */
    worker_wait(&w);
    cpr_ranks_wait(&w.notice_request);
    return status;
}

cpr_status cpr_ranks_run(cpr_ranks *ranks, const cpr_schedule *schedule,
                         const cpr_listener *listener, cpr_error *error)
{
    assert(schedule->run != NULL && schedule->bytes != NULL);
    assert(!schedule->one_each || schedule->items == (uint64_t)ranks->size);
    if (ranks->size == 1 && schedule->threads > 1)
        return cpr_ranks_run_threads(ranks, schedule, listener, error);
    cpr_status status = CPR_OK;
    master m = {.ranks = ranks, .schedule = schedule, .listener = listener};
    if (ranks->rank == 0)
        status = master_open(&m, ranks, error);
    status = cpr_ranks_agree(ranks, status, error);
    if (status == CPR_OK) {
        status = ranks->rank == 0 ? master_run(&m, error) : worker_run(ranks, schedule, error);
        /* A failure says more than a request to stop that came with it. */
        status = cpr_ranks_agree(ranks, status, error);
        if (status == CPR_OK)
            status = cpr_ranks_agree(ranks, cpr_stop_check(error), error);
    }
    master_close(&m);
    return status;
}

void cpr_ranks_note(cpr_ranks *ranks, const char *format, ...)
{
    va_list arguments;
    if (ranks->warned)
        return;
    va_start(arguments, format);
    vsnprintf(ranks->note.text, sizeof ranks->note.text, format, arguments);
    va_end(arguments);
    ranks->noted = true;
}

void cpr_ranks_warn(cpr_ranks *ranks, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(ranks->note.text, sizeof ranks->note.text, format, arguments);
    va_end(arguments);
    ranks->noted = true;
    ranks->warned = true;
}

void cpr_ranks_resumed(cpr_ranks *ranks, uint64_t raw_bytes)
{
    ranks->resumed = raw_bytes;
}
