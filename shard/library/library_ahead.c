/* library_ahead.c - threads that decode shards before they are asked for.
 *
 * Shards are jobs, in the order in which they will be taken. A worker takes the next job, decodes
 * it into a ring of its own, and waits when that is full, and at the shard's end until all of it
 * has been taken. So there are never more jobs in work than workers, and the one that is taken is
 * among them: nobody waits for ever. One mutex guards all that is not text. */
#include "library_ahead.h"

#include "thread_start.h"

#include <stdlib.h>
#include <string.h>

#define RING_BYTES_MOST ((uint64_t)256 << 20) /* a whole shard, unless it is very large */
#define STACK_BYTES ((size_t)1 << 20)
#define NO_JOB UINT64_MAX

typedef struct ahead_worker {
    struct cpr_ahead_threads *all;
    pthread_t thread;
    cpr_archive_decoder decoder;
    uint8_t *ring;
    size_t room; /* bytes of the ring, whole blocks if a shard does not fit */
    /* guarded by the mutex */
    uint64_t job;     /* NO_JOB: none */
    uint64_t decoded; /* raw bytes of its shard; the ring holds those from `taken` on */
    uint64_t taken;
    bool ended; /* its shard ends at `decoded`, or cannot be decoded further */
    cpr_status status;
    cpr_error error; /* why not */
} ahead_worker;

struct cpr_ahead_threads {
    cpr_archive *archive;
    uint64_t *shards; /* job -> shard */
    uint64_t jobs;
    unsigned workers;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* guarded by the mutex */
    uint64_t next;    /* job to be given to a worker */
    uint64_t current; /* job that is taken; those before it are over */
    bool ending;
    ahead_worker worker[];
};

/* ---- workers -------------------------------------------------------------------------------- */

/* Whether a worker's job is not wanted any more. */
static bool worker_is_idle(const ahead_worker *w)
{
    return w->all->ending || w->job < w->all->current;
}

/* Waits for a job; false: there are none left. */
static bool worker_begin(ahead_worker *w)
{
    struct cpr_ahead_threads *all = w->all;
    pthread_mutex_lock(&all->mutex);
    if (all->next < all->current)
        all->next = all->current;
    const bool more = !all->ending && all->next < all->jobs;
    w->job = more ? all->next++ : NO_JOB;
    w->decoded = 0;
    w->taken = 0;
    w->ended = false;
    w->status = CPR_OK;
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->mutex);
    return more;
}

/* Waits until a block fits into the ring; false: the shard is not wanted any more. */
static bool worker_await_room(ahead_worker *w, size_t bytes)
{
    struct cpr_ahead_threads *all = w->all;
    pthread_mutex_lock(&all->mutex);
    while (!worker_is_idle(w) && w->decoded - w->taken + bytes > w->room)
        pthread_cond_wait(&all->changed, &all->mutex);
    const bool wanted = !worker_is_idle(w);
    pthread_mutex_unlock(&all->mutex);
    return wanted;
}

static void worker_put(ahead_worker *w, const uint8_t *block, size_t bytes)
{
    const size_t at = (size_t)(w->decoded % w->room);
    const size_t first = bytes < w->room - at ? bytes : w->room - at;
    memcpy(w->ring + at, block, first);
    memcpy(w->ring, block + first, bytes - first);
    pthread_mutex_lock(&w->all->mutex);
    w->decoded += bytes;
    pthread_cond_broadcast(&w->all->changed);
    pthread_mutex_unlock(&w->all->mutex);
}

/* Says how the shard ended, and waits until the caller is done with it. */
static void worker_finish(ahead_worker *w, cpr_status status, const cpr_error *error)
{
    struct cpr_ahead_threads *all = w->all;
    pthread_mutex_lock(&all->mutex);
    w->status = status;
    w->error = *error;
    w->ended = true;
    pthread_cond_broadcast(&all->changed);
    while (!worker_is_idle(w))
        pthread_cond_wait(&all->changed, &all->mutex);
    pthread_mutex_unlock(&all->mutex);
}

static void worker_decode(ahead_worker *w)
{
    cpr_archive_decoding decoding;
    cpr_error error = {.text = ""};
    const uint8_t *block;
    size_t bytes = 1;
    cpr_status status = cpr_archive_decode_begin(w->all->archive, w->all->shards[w->job],
                                                 w->decoder.codec, &decoding, &error);
    while (status == CPR_OK && bytes > 0) {
        status = cpr_archive_decode_next(&decoding, &block, &bytes, &error);
        if (status == CPR_OK && bytes > 0) {
            if (!worker_await_room(w, bytes))
                return;
            worker_put(w, block, bytes);
        }
    }
    worker_finish(w, status, &error);
}

static void *worker_run(void *context)
{
    ahead_worker *w = context;
    while (worker_begin(w))
        worker_decode(w);
    return NULL;
}

/* ---- start and stop ------------------------------------------------------------------------- */

static bool worker_open(ahead_worker *w, const void *primed, size_t room)
{
    w->job = NO_JOB;
    w->room = room;
    w->ring = malloc(room);
    if (w->ring != NULL && cpr_archive_decoder_open(w->all->archive, &w->decoder, NULL) == CPR_OK) {
        cpr_codec_set_base(w->decoder.codec, primed);
        return true;
    }
    cpr_archive_decoder_free(&w->decoder);
    free(w->ring);
    return false;
}

static void worker_close(ahead_worker *w)
{
    cpr_archive_decoder_free(&w->decoder);
    free(w->ring);
}

size_t cpr_ahead_bytes(const cpr_archive *archive, const uint64_t *shards, uint64_t count)
{
    uint64_t most = 1;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t bytes = cpr_archive_shard(archive, shards[i])->raw_bytes;
        most = bytes > most ? bytes : most;
    }
    return (size_t)(most < RING_BYTES_MOST ? most : RING_BYTES_MOST);
}

void cpr_ahead_stop(cpr_ahead_threads *ahead)
{
    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->mutex);
    ahead->ending = true;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
    for (unsigned i = 0; i < ahead->workers; i++) {
        pthread_join(ahead->worker[i].thread, NULL);
        worker_close(&ahead->worker[i]);
    }
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead->shards);
    free(ahead);
}

cpr_status cpr_ahead_start(cpr_archive *archive, const void *primed, const uint64_t *shards,
                           uint64_t count, unsigned threads, cpr_ahead_threads **out,
                           cpr_error *error)
{
    const size_t room = cpr_ahead_bytes(archive, shards, count);
    cpr_ahead_threads *ahead = calloc(1, sizeof *ahead + threads * sizeof ahead->worker[0]);
    *out = NULL;
    if (ahead == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    ahead->archive = archive;
    ahead->jobs = count;
    ahead->shards = malloc((size_t)count * sizeof *ahead->shards);
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    if (ahead->shards == NULL) {
        cpr_ahead_stop(ahead);
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    }
    memcpy(ahead->shards, shards, (size_t)count * sizeof *shards);
    /* All memory is taken before the first thread starts. */
    unsigned opened = 0;
    for (; opened < threads; opened++) {
        ahead->worker[opened].all = ahead;
        if (!worker_open(&ahead->worker[opened], primed, room))
            break;
    }
    for (; opened >= 2 && ahead->workers < opened; ahead->workers++) {
        ahead_worker *w = &ahead->worker[ahead->workers];
        if (!cpr_thread_start(&w->thread, STACK_BYTES, worker_run, w))
            break;
    }
    for (unsigned i = ahead->workers; i < opened; i++)
        worker_close(&ahead->worker[i]);
    if (ahead->workers > 0)
        *out = ahead;
    else
        cpr_ahead_stop(ahead);
    return CPR_OK;
}

/* ---- the caller ----------------------------------------------------------------------------- */

/* The worker that has the job which is taken; waits until one has it. */
static ahead_worker *ahead_current(cpr_ahead_threads *ahead)
{
    for (;;) {
        for (unsigned i = 0; i < ahead->workers; i++)
            if (ahead->worker[i].job == ahead->current)
                return &ahead->worker[i];
        pthread_cond_wait(&ahead->changed, &ahead->mutex);
    }
}

bool cpr_ahead_seek(cpr_ahead_threads *ahead, uint64_t shard, uint64_t at)
{
    uint64_t job = ahead->current;
    while (job < ahead->jobs && ahead->shards[job] != shard)
        job++;
    if (job == ahead->jobs)
        return false;
    pthread_mutex_lock(&ahead->mutex);
    if (job > ahead->current) {
        ahead->current = job;
        pthread_cond_broadcast(&ahead->changed);
    }
    ahead_worker *w = ahead_current(ahead);
    while (w->taken < at && !(w->ended && w->taken == w->decoded)) {
        if (w->taken == w->decoded)
            pthread_cond_wait(&ahead->changed, &ahead->mutex);
        w->taken = w->decoded < at ? w->decoded : at;
        pthread_cond_broadcast(&ahead->changed);
    }
    const bool there = w->taken <= at; /* or it has failed before, which is told by taking */
    pthread_mutex_unlock(&ahead->mutex);
    return there;
}

cpr_status cpr_ahead_take(cpr_ahead_threads *ahead, const uint8_t **data, size_t *bytes,
                          cpr_error *error)
{
    pthread_mutex_lock(&ahead->mutex);
    ahead_worker *w = ahead_current(ahead);
    while (w->taken == w->decoded && !w->ended)
        pthread_cond_wait(&ahead->changed, &ahead->mutex);
    const size_t at = (size_t)(w->taken % w->room);
    const uint64_t there = w->decoded - w->taken;
    *data = w->ring + at;
    *bytes = there < w->room - at ? (size_t)there : w->room - at;
    const cpr_status status = *bytes > 0 ? CPR_OK : w->status;
    if (status != CPR_OK && error != NULL)
        *error = w->error;
    pthread_mutex_unlock(&ahead->mutex);
    return status;
}

void cpr_ahead_pass(cpr_ahead_threads *ahead, size_t bytes)
{
    pthread_mutex_lock(&ahead->mutex);
    ahead_current(ahead)->taken += bytes;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
}
