/* compress_lesson.c - the lesson: all ranks together teach one network, whose weights the archive
 * holds.
 *
 * In each step every stream reads its next tokens, and the ranks add up what the network is to
 * learn from them. The sums are of integers, and how far the lesson is comes from sums, too, so
 * the weights do not depend on the number of ranks, nor on where the lesson was interrupted. */
#include "compress_progress.h"
#include "lesson_text.h"
#include "ranks_team.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is added up over the ranks in each step. */
enum {
    SUM_BEGUN,   /* bytes of the sample, see cpr_lesson_facts */
    SUM_TEXT,    /* likewise */
    SUM_LOSS,    /* likewise */
    SUM_READING, /* streams that have read something in this step */
    SUM_FAILED,  /* ranks that failed */
    SUM_STOP,    /* ranks that were asked to stop */
    SUM_SAVE,    /* whether it is time for a checkpoint */
    SUMS
};
_Static_assert(SUMS <= CPR_TEAM_SUMS, "a team can sum them up");

/* One rank's part. */
typedef struct lesson_run {
    cpr_compress_run *run;
    cpr_ranks_team *team;
    cpr_lesson *lesson;
    cpr_lesson_text text;
    cpr_progress_lesson watch;
    uint64_t sums[SUMS];
    uint64_t steps;
    uint64_t earlier_bytes; /* of SUM_BEGUN, what an earlier run did */
    double started;
    double saved;
} lesson_run;

uint64_t cpr_compress_lesson_memory(const cpr_profile *profile, uint64_t lesson_bytes)
{
    if (lesson_bytes == 0)
        return 0;
    const uint32_t streams = cpr_lesson_streams(lesson_bytes);
    return cpr_lesson_memory(profile, streams) + cpr_lesson_text_memory(streams);
}

/* ---- sums ----------------------------------------------------------------------------------- */

/* Rank 0: it is time to save. */
static bool lesson_save_is_due(const lesson_run *l)
{
    const double interval = l->run->options.snapshot_seconds;
    return cpr_ranks_is_first(l->run->ranks) && interval > 0 &&
           cpr_ranks_seconds() - l->saved >= interval;
}

/* COLLECTIVE. All ranks' streams have read. */
static void lesson_sum_up(lesson_run *l, uint64_t reading, cpr_status status)
{
    memset(l->sums, 0, sizeof l->sums);
    l->sums[SUM_READING] = reading;
    l->sums[SUM_FAILED] = status != CPR_OK;
    l->sums[SUM_STOP] = cpr_stop_requested();
    l->sums[SUM_SAVE] = lesson_save_is_due(l);
    for (uint32_t s = cpr_lesson_text_first(&l->text); s < l->text.streams;
         s = cpr_lesson_text_after(&l->text, s)) {
        l->sums[SUM_BEGUN] += l->text.places[s].begun_bytes;
        l->sums[SUM_TEXT] += l->text.places[s].text_bytes;
        l->sums[SUM_LOSS] += cpr_lesson_loss(l->lesson, s);
    }
    cpr_ranks_team_sum(l->team, l->sums, SUMS);
}

static cpr_work_lesson lesson_facts(const lesson_run *l)
{
    return (cpr_work_lesson){.sample_bytes = l->run->plan.lesson_bytes,
                             .begun_bytes = l->sums[SUM_BEGUN],
                             .text_bytes = l->sums[SUM_TEXT],
                             .loss_bits = l->sums[SUM_LOSS]};
}

/* ---- checkpoints ---------------------------------------------------------------------------- */

/* A checkpoint's state: this, the places of all streams, the lesson's state of each stream, in
 * whole words, and what all ranks have alike. */
typedef struct checkpoint_head {
    uint64_t streams;
    uint64_t stream_words;
    uint64_t state_bytes;
    uint64_t steps;
} checkpoint_head;

#define PLACE_WORDS (sizeof(cpr_lesson_place) / sizeof(uint64_t))
_Static_assert(sizeof(cpr_lesson_place) % sizeof(uint64_t) == 0, "places are words");

static checkpoint_head lesson_head(const lesson_run *l)
{
    return (checkpoint_head){.streams = l->text.streams,
                             .stream_words = (cpr_lesson_stream_bytes(l->lesson) + 7) / 8,
                             .state_bytes = cpr_lesson_state_bytes(l->lesson),
                             .steps = l->steps};
}

static size_t words_of_streams(const checkpoint_head *head)
{
    return (size_t)(head->streams * (PLACE_WORDS + head->stream_words));
}

/* COLLECTIVE. What belongs to single streams, of all of them, on all ranks: places, then states.
 * NULL: out of memory, on some rank. */
static uint64_t *lesson_gather(lesson_run *l, const checkpoint_head *head)
{
    const size_t words = words_of_streams(head);
    uint64_t *all = calloc(words, sizeof *all);
    uint64_t lacking = all == NULL;
    cpr_ranks_maximum(l->run->ranks, &lacking, 1);
    if (lacking || all == NULL) {
        free(all);
        return NULL;
    }
    uint64_t *states = all + head->streams * PLACE_WORDS;
    for (uint32_t s = cpr_lesson_text_first(&l->text); s < l->text.streams;
         s = cpr_lesson_text_after(&l->text, s)) {
        memcpy(all + s * PLACE_WORDS, &l->text.places[s], sizeof l->text.places[s]);
        memcpy(states + s * head->stream_words, cpr_lesson_stream(l->lesson, s),
               cpr_lesson_stream_bytes(l->lesson));
    }
    /* Each word is set on one rank and zero on the others. */
    cpr_ranks_unite(l->run->ranks, all, words);
    return all;
}

/* Rank 0. */
static cpr_status lesson_write(const lesson_run *l, const checkpoint_head *head,
                               const uint64_t *streams, cpr_error *error)
{
    const cpr_work_lesson facts = lesson_facts(l);
    const size_t streams_bytes = words_of_streams(head) * sizeof *streams;
    const size_t bytes = sizeof *head + streams_bytes + head->state_bytes;
    uint8_t *state = streams != NULL ? malloc(bytes) : NULL;
    if (state == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    memcpy(state, head, sizeof *head);
    memcpy(state + sizeof *head, streams, streams_bytes);
    memcpy(state + sizeof *head + streams_bytes, cpr_lesson_state(l->lesson), head->state_bytes);
    const cpr_status status = cpr_work_lesson_save(l->run->work.dir, &facts, state, bytes, error);
    free(state);
    return status;
}

/* COLLECTIVE. That it cannot be saved does not keep the lesson from going on. */
static void lesson_save(lesson_run *l)
{
    const checkpoint_head head = lesson_head(l);
    uint64_t *streams = lesson_gather(l, &head);
    cpr_error detail = {.text = ""};
    if (cpr_ranks_is_first(l->run->ranks) && lesson_write(l, &head, streams, &detail) != CPR_OK)
        cpr_compress_note(l->run, "no checkpoint of the lesson: %s", detail.text);
    free(streams);
    l->saved = cpr_ranks_seconds();
}

/* Whether a checkpoint is one of such a lesson. */
static bool lesson_fits(const lesson_run *l, const uint8_t *state, size_t bytes)
{
    checkpoint_head head;
    const checkpoint_head own = lesson_head(l);
    if (bytes < sizeof head)
        return false;
    memcpy(&head, state, sizeof head);
    return head.streams == own.streams && head.stream_words == own.stream_words &&
           head.state_bytes == own.state_bytes &&
           bytes == sizeof head + words_of_streams(&own) * sizeof(uint64_t) + own.state_bytes;
}

/* Rank 0: the checkpoint, malloc()ed; NULL: there is none that can be used. */
static cpr_status lesson_load(const lesson_run *l, uint8_t **state, size_t *bytes, cpr_error *error)
{
    cpr_error detail = {.text = ""};
    cpr_status status = cpr_work_lesson_load(l->run->work.dir, state, bytes, &detail);
    if (status == CPR_OK && !lesson_fits(l, *state, *bytes)) {
        status = cpr_fail(&detail, CPR_ERR_DAMAGED,
                          "the checkpoint was written by another program or machine");
        free(*state);
        *state = NULL;
    }
    if (status == CPR_ERR_DAMAGED)
        cpr_compress_note(l->run, "the lesson begins anew: %s", detail.text);
    if (status == CPR_OK || status == CPR_ERR_DAMAGED || status == CPR_ERR_NOT_FOUND)
        return CPR_OK;
    return cpr_fail(error, status, "%s", detail.text);
}

static void lesson_take(lesson_run *l, const uint8_t *state)
{
    checkpoint_head head;
    memcpy(&head, state, sizeof head);
    const uint8_t *places = state + sizeof head;
    const uint8_t *streams = places + head.streams * sizeof(cpr_lesson_place);
    const uint8_t *common = streams + head.streams * head.stream_words * sizeof(uint64_t);
    l->steps = head.steps;
    for (uint32_t s = cpr_lesson_text_first(&l->text); s < l->text.streams;
         s = cpr_lesson_text_after(&l->text, s)) {
        memcpy(&l->text.places[s], places + s * sizeof(cpr_lesson_place), sizeof(cpr_lesson_place));
        memcpy(cpr_lesson_stream(l->lesson, s), streams + s * head.stream_words * sizeof(uint64_t),
               cpr_lesson_stream_bytes(l->lesson));
    }
    if (cpr_ranks_team_is_first(l->team)) {
        memcpy(cpr_lesson_state(l->lesson), common, head.state_bytes);
        cpr_lesson_restored(l->lesson);
    }
}

/* ---- the lesson ----------------------------------------------------------------------------- */

/* COLLECTIVE. */
static void lesson_close(lesson_run *l)
{
    cpr_lesson_free(l->lesson);
    cpr_ranks_team_close(l->team);
    cpr_lesson_text_close(&l->text);
    l->lesson = NULL;
    l->team = NULL;
}

/* COLLECTIVE. */
static cpr_status lesson_open_team(lesson_run *l, cpr_error *error)
{
    const cpr_compress_engine *engine = &l->run->engine;
    const size_t common = cpr_lesson_shared_bytes(engine->profile, engine->vocabulary, 0);
    const size_t with_one = cpr_lesson_shared_bytes(engine->profile, engine->vocabulary, 1);
    return cpr_ranks_team_open(l->run->ranks, common, with_one - common, &l->team, error);
}

/* COLLECTIVE. At its beginning. */
static cpr_status lesson_open(lesson_run *l, cpr_compress_run *run, cpr_error *error)
{
    bool no_memory;
    *l = (lesson_run){.run = run, .started = cpr_ranks_seconds(), .saved = cpr_ranks_seconds()};
    cpr_status status = cpr_lesson_text_open(run, &l->text, error);
    const char *problem = cpr_model_load(run->engine.profile, &no_memory);
    if (status == CPR_OK && problem != NULL)
        status = cpr_fail(error, no_memory ? CPR_ERR_NO_MEMORY : CPR_ERR_IO, "%s", problem);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK)
        status = lesson_open_team(l, error);
    if (status != CPR_OK)
        return status;
    l->lesson = cpr_lesson_create(run->engine.profile, run->engine.vocabulary, l->text.streams,
                                  cpr_ranks_team_of(l->team));
    if (l->lesson == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a lesson");
    return cpr_ranks_agree(run->ranks, status, error);
}

/* COLLECTIVE. From the checkpoint, if there is one that can be used, and the text that it was made
 * from is still there; *again: it is not, and the lesson must be opened again. */
static cpr_status lesson_resume(lesson_run *l, bool *again, cpr_error *error)
{
    cpr_compress_run *run = l->run;
    uint8_t *state = NULL;
    size_t bytes = 0;
    uint64_t changed = 0;
    cpr_status status = CPR_OK;
    *again = false;
    if (cpr_ranks_is_first(run->ranks))
        status = lesson_load(l, &state, &bytes, error);
    status = cpr_ranks_agree(run->ranks, status, error);
    bool there = state != NULL;
    cpr_ranks_tell(run->ranks, &there, sizeof there);
    if (status != CPR_OK || !there)
        return status;
    status = cpr_ranks_broadcast(run->ranks, &state, &bytes, error);
    if (status == CPR_OK) {
        bool same = true;
        lesson_take(l, state);
        status = cpr_lesson_text_go_on(&l->text, run->plan.changes != NULL, &same, error);
        changed = !same;
        status = cpr_ranks_agree(run->ranks, status, error);
    }
    free(state);
    cpr_ranks_maximum(run->ranks, &changed, 1);
    if (status != CPR_OK)
        return status;
    *again = changed != 0;
    lesson_sum_up(l, 0, CPR_OK);
    l->earlier_bytes = l->sums[SUM_BEGUN];
    if (*again)
        cpr_compress_warn(run, "the lesson begins anew: the corpus has changed");
    else
        cpr_compress_note(run, "the lesson goes on after %llu of %llu bytes",
                          (unsigned long long)l->earlier_bytes,
                          (unsigned long long)run->plan.lesson_bytes);
    return CPR_OK;
}

/* This rank's streams read their next tokens. */
static cpr_status lesson_read(lesson_run *l, uint64_t *reading, uint64_t *bytes, cpr_error *error)
{
    cpr_status status = CPR_OK;
    *reading = 0;
    *bytes = 0;
    for (uint32_t s = cpr_lesson_text_first(&l->text); status == CPR_OK && s < l->text.streams;
         s = cpr_lesson_text_after(&l->text, s)) {
        uint16_t tokens[CPR_LESSON_SEGMENT];
        size_t count = 0;
        const uint64_t before = l->text.places[s].text_bytes;
        status = cpr_lesson_text_read(&l->text, s, tokens, &count, error);
        if (status != CPR_OK || count == 0)
            continue;
        cpr_lesson_read(l->lesson, s, tokens, count);
        *bytes += l->text.places[s].text_bytes - before;
        (*reading)++;
    }
    if (status == CPR_OK && l->run->work.lock != NULL && cpr_work_lock_lost(l->run->work.lock))
        status = cpr_fail(error, CPR_ERR_BUSY, "another job has taken over the work directory");
    return status;
}

static void lesson_tell(lesson_run *l, uint64_t weights_bytes)
{
    const cpr_lesson_facts facts = {.streams = l->text.streams,
                                    .sample_bytes = l->run->plan.lesson_bytes,
                                    .begun_bytes = l->sums[SUM_BEGUN],
                                    .earlier_bytes = l->earlier_bytes,
                                    .text_bytes = l->sums[SUM_TEXT],
                                    .loss_bits = l->sums[SUM_LOSS],
                                    .steps = l->steps,
                                    .sent_bytes = cpr_ranks_team_sent(l->team),
                                    .weights_bytes = weights_bytes,
                                    .seconds = cpr_ranks_seconds() - l->started};
    cpr_progress_lesson_tell(&l->watch, l->run, &facts);
}

/* COLLECTIVE. One step; *over: no stream has text left. */
static cpr_status lesson_step(lesson_run *l, bool *over, cpr_error *error)
{
    cpr_ranks *ranks = l->run->ranks;
    uint64_t reading;
    uint64_t bytes;
    const cpr_status status = lesson_read(l, &reading, &bytes, error);
    lesson_sum_up(l, reading, status);
    if (l->sums[SUM_FAILED] > 0)
        return cpr_ranks_agree(ranks, status, error);
    *over = l->sums[SUM_READING] == 0;
    if (*over)
        return CPR_OK;
    cpr_lesson_step(l->lesson, (uint32_t)(l->sums[SUM_BEGUN] * 65536 / l->run->plan.lesson_bytes));
    l->steps++;
    lesson_tell(l, 0);
    if (l->sums[SUM_STOP] > 0 || l->sums[SUM_SAVE] > 0)
        lesson_save(l);
    if (l->sums[SUM_STOP] > 0)
        return cpr_ranks_agree(ranks, cpr_stop_check(error), error);
    cpr_ranks_hold(ranks, bytes);
    return CPR_OK;
}

/* Rank 0: the weights, coded, into the work directory, and into the engine. */
static cpr_status weights_write(cpr_compress_run *run, const uint8_t *packed, size_t packed_bytes,
                                cpr_error *error)
{
    cpr_compress_engine *engine = &run->engine;
    cpr_work_shard *out = NULL;
    cpr_status status = cpr_weights_encode(packed, packed_bytes, &engine->coded_weights,
                                           &engine->coded_weights_bytes, error);
    if (status == CPR_OK)
        status = cpr_work_shard_begin(run->work.dir, CPR_SHARD_WEIGHTS, &out, error);
    if (status == CPR_OK)
        status =
            cpr_work_shard_write(out, engine->coded_weights, engine->coded_weights_bytes, error);
    if (status != CPR_OK) {
        cpr_work_shard_abandon(out);
        return status;
    }
    const cpr_shard_info info = {
        .raw_bytes = packed_bytes,
        .coded_bytes = engine->coded_weights_bytes,
        .raw_hash = cpr_hash_bytes(packed, packed_bytes),
        .coded_hash = cpr_hash_bytes(engine->coded_weights, engine->coded_weights_bytes)};
    /* A primer that was begun may have been so with others, of a text that has changed. */
    cpr_work_snapshot_drop(run->work.dir, CPR_SHARD_PRIMER);
    status = cpr_work_shard_commit(out, &info, NULL, error);
    if (status == CPR_OK)
        cpr_work_snapshot_drop(run->work.dir, CPR_SHARD_WEIGHTS);
    return status;
}

/* COLLECTIVE. All ranks must have come to the same. */
static cpr_status lesson_compare(const lesson_run *l, const uint8_t *packed, size_t bytes,
                                 cpr_error *error)
{
    const cpr_hash128 own = cpr_hash_bytes(packed, bytes);
    uint64_t most[2] = {own.low, ~own.low};
    cpr_ranks_maximum(l->run->ranks, most, 2);
    if (most[0] == ~most[1])
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_SELF_TEST,
                    "the ranks have not learned the same in the lesson: is it the same program on "
                    "all machines?");
}

/* COLLECTIVE. */
static cpr_status lesson_finish(lesson_run *l, cpr_error *error)
{
    cpr_compress_run *run = l->run;
    size_t bytes = 0;
    uint8_t *packed = cpr_lesson_pack(l->lesson, &bytes);
    cpr_status status =
        packed != NULL ? CPR_OK : cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the weights");
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK && packed != NULL)
        status = lesson_compare(l, packed, bytes, error);
    if (status == CPR_OK && packed != NULL && cpr_ranks_is_first(run->ranks))
        status = weights_write(run, packed, bytes, error);
    free(packed);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK && cpr_ranks_is_first(run->ranks))
        lesson_tell(l, run->engine.coded_weights_bytes);
    return status;
}

/* COLLECTIVE. */
static cpr_status lesson_hold(cpr_compress_run *run, cpr_error *error)
{
    lesson_run l;
    bool again = false;
    bool over = false;
    cpr_compress_phase(run, CPR_PHASE_LESSON, run->plan.lesson_bytes, 0);
    cpr_status status = lesson_open(&l, run, error);
    if (status == CPR_OK)
        status = lesson_resume(&l, &again, error);
    if (again) {
        lesson_close(&l);
        status = lesson_open(&l, run, error);
    }
    while (status == CPR_OK && !over)
        status = lesson_step(&l, &over, error);
    if (status == CPR_OK)
        status = cpr_ranks_agree(run->ranks, cpr_corpus_reader_finish(l.text.reader, error), error);
    if (status == CPR_OK)
        status = lesson_finish(&l, error);
    lesson_close(&l);
    return status;
}

/* ---- the weights ---------------------------------------------------------------------------- */

/* Rank 0: the weights that an earlier run left, if they are there and whole. */
static cpr_status weights_look(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_engine *engine = &run->engine;
    cpr_shard_info info;
    cpr_error detail = {.text = ""};
    cpr_status status =
        cpr_work_shard_check(run->work.dir, CPR_SHARD_WEIGHTS, &info, NULL, &detail);
    if (status == CPR_ERR_NOT_FOUND)
        return CPR_OK;
    if (status == CPR_ERR_DAMAGED || status == CPR_ERR_VERSION) {
        cpr_compress_note(run, "the file of the weights was damaged; the lesson is held again");
        return cpr_work_shard_drop(run->work.dir, CPR_SHARD_WEIGHTS, error);
    }
    if (status != CPR_OK) /* what cannot be read today may be whole */
        return cpr_fail(error, status, "%s", detail.text);
    engine->coded_weights = malloc((size_t)info.coded_bytes + 1);
    if (engine->coded_weights == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the weights");
    engine->coded_weights_bytes = (size_t)info.coded_bytes;
    return cpr_work_shard_read(run->work.dir, CPR_SHARD_WEIGHTS, 0, engine->coded_weights,
                               engine->coded_weights_bytes, error);
}

/* A cpr_compress_step of rank 0: the weights are not there, though the lesson was over once if
 * anything is coded. It gives the same ones if its text is the same. */
static cpr_status weights_lost(cpr_compress_run *run, cpr_error *error)
{
    const cpr_compress_work *work = &run->work;
    if (run->plan.changes == NULL ||
        (work->earlier.items_done == 0 && work->snapshots == 0 && !work->has_primer))
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_CHANGED,
                    "the weights of the shards that are done are lost, and files of the corpus "
                    "were touched since they were learned: with the files as they were the job "
                    "goes on, or with --restart without what is done");
}

/* As a decoder does it. */
static cpr_status weights_unpack(cpr_compress_engine *engine, cpr_error *error)
{
    uint8_t *packed;
    size_t bytes;
    cpr_error detail = {.text = ""};
    const cpr_status status = cpr_weights_decode(engine->coded_weights, engine->coded_weights_bytes,
                                                 &packed, &bytes, &detail);
    if (status != CPR_OK)
        return cpr_fail(error, status, "the weights cannot be decoded: %s", detail.text);
    errno = 0;
    engine->weights = cpr_weights_unpack(engine->profile, engine->vocabulary, packed, bytes);
    free(packed);
    if (engine->weights != NULL)
        return CPR_OK;
    if (errno == ENOMEM)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the weights");
    return cpr_fail(error, CPR_ERR_DAMAGED,
                    "the work directory's weights cannot be used; --restart throws them away");
}

cpr_status cpr_compress_lesson(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_engine *engine = &run->engine;
    if (run->plan.lesson_bytes == 0)
        return CPR_OK;
    cpr_status status = cpr_compress_on_first(run, weights_look, error);
    bool there = engine->coded_weights != NULL;
    cpr_ranks_tell(run->ranks, &there, sizeof there);
    if (status == CPR_OK && !there) {
        status = cpr_compress_on_first(run, weights_lost, error);
        if (status == CPR_OK)
            status = lesson_hold(run, error);
    }
    if (status != CPR_OK || run->work.todo_count == 0)
        return status;
    status = cpr_ranks_broadcast(run->ranks, &engine->coded_weights, &engine->coded_weights_bytes,
                                 error);
    if (status != CPR_OK)
        return status;
    return cpr_ranks_agree(run->ranks, weights_unpack(engine, error), error);
}
