/* ranks_threads.c - items worked on by threads of the only rank.
 *
 * Threads take items in their order, one at a time. The thread that called works on none: it tells
 * the listener, of items in their order, and looks for requests to stop. Only it calls MPI, if MPI
 * is in use at all. */
#include "ranks_private.h"
#include "thread_start.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define STACK_BYTES ((size_t)1 << 20)
#define TELL_NANOSECONDS 200000000

typedef struct item_thread {
    struct thread_run *run;
    pthread_t thread;
    void *context;   /* the schedule's, for this thread */
    cpr_ranks ranks; /* a copy, for where a test holds the thread */
    /* guarded by the mutex */
    uint64_t raw_bytes; /* of the item in work */
    uint64_t coded_bytes;
} item_thread;

typedef struct thread_run {
    const cpr_schedule *schedule;
    const cpr_listener *listener;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* guarded by the mutex */
    uint64_t next;             /* item */
    unsigned working;          /* threads */
    bool stopping;             /* a thread failed, or this rank was asked to stop */
    cpr_item_result **results; /* of finished items that the listener has not been told of */
    uint64_t failed;           /* the first item that failed */
    cpr_status status;         /* how */
    cpr_error error;
    /* the calling thread's */
    uint64_t told; /* items */
    cpr_run_progress done;
    unsigned count;
    item_thread threads[];
} thread_run;

/* ---- threads -------------------------------------------------------------------------------- */

/* A cpr_progress_fn: between blocks of an item. */
static cpr_status thread_progress(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                  cpr_error *error)
{
    item_thread *t = context;
    pthread_mutex_lock(&t->run->mutex);
    t->raw_bytes = raw_bytes;
    t->coded_bytes = coded_bytes;
    const bool stop = t->run->stopping || cpr_stop_requested();
    pthread_mutex_unlock(&t->run->mutex);
    return stop ? cpr_fail(error, CPR_STOPPED, "stopping") : CPR_OK;
}

static uint64_t thread_next(thread_run *run)
{
    pthread_mutex_lock(&run->mutex);
    const bool more = !run->stopping && !cpr_stop_requested() && run->next < run->schedule->items;
    const uint64_t item = more ? run->next++ : run->schedule->items;
    pthread_mutex_unlock(&run->mutex);
    return item;
}

/* Takes over how an item went. */
static void thread_finish(item_thread *t, uint64_t item, cpr_item_result *result, cpr_status status,
                          const cpr_error *error)
{
    thread_run *run = t->run;
    pthread_mutex_lock(&run->mutex);
    t->raw_bytes = 0;
    t->coded_bytes = 0;
    if (status == CPR_OK) {
        run->results[item] = result;
    } else {
        free(result);
        /* One that is stopped because of another has nothing to say. */
        if (status != CPR_STOPPED && item < run->failed) {
            run->failed = item;
            run->status = status;
            run->error = *error;
        }
        run->stopping = true;
    }
    pthread_cond_signal(&run->changed);
    pthread_mutex_unlock(&run->mutex);
}

static void *thread_work(void *context)
{
    item_thread *t = context;
    const cpr_schedule *schedule = t->run->schedule;
    for (;;) {
        cpr_error error = {.text = ""};
        cpr_schedule own = *schedule;
        const uint64_t item = thread_next(t->run);
        if (item == schedule->items)
            break;
        cpr_status status = CPR_OK;
        cpr_item_result *result = malloc(sizeof *result);
        own.context = t->context;
        if (result == NULL)
            status = cpr_fail(&error, CPR_ERR_NO_MEMORY, "out of memory");
        else
            status = cpr_ranks_run_item(&t->ranks, &own, item, thread_progress, t, result, &error);
        thread_finish(t, item, result, status, &error);
    }
    pthread_mutex_lock(&t->run->mutex);
    t->run->working--;
    pthread_cond_signal(&t->run->changed);
    pthread_mutex_unlock(&t->run->mutex);
    return NULL;
}

/* ---- the calling thread --------------------------------------------------------------------- */

static void run_tell_progress(thread_run *run)
{
    cpr_run_progress all = run->done;
    pthread_mutex_lock(&run->mutex);
    for (unsigned i = 0; i < run->count; i++) {
        all.raw_bytes += run->threads[i].raw_bytes;
        all.coded_bytes += run->threads[i].coded_bytes;
    }
    for (uint64_t i = run->told; i < run->next; i++) /* finished, but an item before it is not */
        if (run->results[i] != NULL) {
            all.raw_bytes += run->results[i]->raw_bytes;
            all.coded_bytes += run->results[i]->coded_bytes;
            all.earlier_bytes += run->results[i]->resumed_bytes;
        }
    pthread_mutex_unlock(&run->mutex);
    if (run->listener != NULL && run->listener->progress != NULL)
        run->listener->progress(run->listener->context, &all);
}

/* Tells of finished items: up to the first that is not or, at the end, of all. */
static void run_tell_items(thread_run *run, bool end)
{
    for (; run->told < run->schedule->items; run->told++) {
        pthread_mutex_lock(&run->mutex);
        cpr_item_result *result = run->results[run->told];
        run->results[run->told] = NULL;
        pthread_mutex_unlock(&run->mutex);
        if (result == NULL && !end)
            return;
        if (result == NULL)
            continue;
        run->done.items_done++;
        run->done.raw_bytes += result->raw_bytes;
        run->done.coded_bytes += result->coded_bytes;
        run->done.earlier_bytes += result->resumed_bytes;
        if (run->listener != NULL && run->listener->item != NULL)
            run->listener->item(run->listener->context, result);
        free(result);
    }
}

/* Waits until something has changed, or it is time to tell; false: no thread works any more. */
static bool run_await(thread_run *run)
{
    struct timespec until = {0};
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TELL_NANOSECONDS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&run->mutex);
    const bool told = run->told == run->schedule->items || run->results[run->told] == NULL;
    if (run->working > 0 && told)
        pthread_cond_timedwait(&run->changed, &run->mutex, &until);
    const bool working = run->working > 0;
    pthread_mutex_unlock(&run->mutex);
    return working;
}

/* Starts the threads, serves the listener until they end. */
static cpr_status run_all(thread_run *run, cpr_ranks *ranks, cpr_error *error)
{
    for (unsigned i = 0; i < run->schedule->threads; i++) {
        item_thread *t = &run->threads[i];
        *t = (item_thread){.run = run, .context = run->schedule->contexts[i], .ranks = *ranks};
        pthread_mutex_lock(&run->mutex);
        run->working++;
        pthread_mutex_unlock(&run->mutex);
        if (cpr_thread_start(&t->thread, STACK_BYTES, thread_work, t)) {
            run->count++;
            continue;
        }
        pthread_mutex_lock(&run->mutex);
        run->working--;
        pthread_mutex_unlock(&run->mutex);
        break;
    }
    if (run->count == 0)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "cannot start a thread");
    while (run_await(run)) {
        run_tell_items(run, false);
        run_tell_progress(run);
    }
    for (unsigned i = 0; i < run->count; i++)
        pthread_join(run->threads[i].thread, NULL);
    run_tell_items(run, true);
    run_tell_progress(run);
    if (run->status != CPR_OK && error != NULL)
        *error = run->error;
    return run->status;
}

cpr_status cpr_ranks_run_threads(cpr_ranks *ranks, const cpr_schedule *schedule,
                                 const cpr_listener *listener, cpr_error *error)
{
    assert(ranks->size == 1 && schedule->threads > 1 && !schedule->one_each);
    thread_run *run = calloc(1, sizeof *run + schedule->threads * sizeof run->threads[0]);
    cpr_item_result **results = calloc((size_t)schedule->items + 1, sizeof(cpr_item_result *));
    if (run == NULL || results == NULL) {
        free(run);
        free(results);
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for threads");
    }
    run->schedule = schedule;
    run->listener = listener;
    run->results = results;
    run->failed = UINT64_MAX;
    run->done = schedule->earlier;
    pthread_mutex_init(&run->mutex, NULL);
    pthread_cond_init(&run->changed, NULL);
    cpr_status status = run_all(run, ranks, error);
    if (ranks->noted && listener != NULL && listener->note != NULL)
        listener->note(listener->context, ranks->note.text);
    ranks->noted = false;
    if (status == CPR_OK)
        status = cpr_stop_check(error);
    pthread_cond_destroy(&run->changed);
    pthread_mutex_destroy(&run->mutex);
    free(results);
    free(run);
    return status;
}
