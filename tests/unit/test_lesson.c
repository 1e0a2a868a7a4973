/* test_lesson.c - what a lesson makes of a text depends on nothing but the text and the streams.
 *
 * Ranks are threads here, and so are the members of all teams. */
#include "codec.h"
#include "model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <assert.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define TEXT_BYTES 24000u
#define STEPS 12u
#define STREAMS 3u
#define STREAMS_MOST 4u
#define RANKS_MOST 4u

/* If these change, so do all archives with weights: CPR_PRESETS_VERSION is to be raised. */
#define WEIGHTS_HASH UINT64_C(0xec04dd9d5c327c8e)
#define LOSS UINT64_C(1155598042)

/* A text as tokens. */
typedef struct fixture {
    cpr_profile *profile;
    cpr_vocabulary *vocabulary;
    uint16_t *tokens;
    size_t count;
} fixture;

static uint32_t random_number(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % below;
}

static void make_text(uint8_t *out)
{
    static const char *const words[] = {"the ", "lesson ", "of ",    "a stream",
                                        ", ",   ".\n",     "rank 1", "weights "};
    uint64_t seed = 5;
    for (size_t at = 0; at < TEXT_BYTES;) {
        char number[8];
        snprintf(number, sizeof number, "%u ", (unsigned)random_number(&seed, 100));
        const uint32_t dice = random_number(&seed, 10);
        for (const char *c = dice < 8 ? words[dice] : number; *c != '\0' && at < TEXT_BYTES; c++)
            out[at++] = (uint8_t)*c;
    }
}

static int set_up(void **state)
{
    static const char model[] =
        "blocks 1; coder 1; blob 1; weights 1; tokens 1; mixing 1 contexts=0 lines=0 successors=3 "
        "matches=5 match-lanes=1 sets=2 refine=0 guess-from=45000 guess-shift=10 chances=0 "
        "buckets=131072 line-pairs=0 successor-bits=17 history-bits=22; "
        "network 1 kind=taught width=64 layers=2 rank=32 bits=5 grain=4";
    static uint8_t text[TEXT_BYTES];
    fixture *f = calloc(1, sizeof *f);
    cpr_error error = {""};
    make_text(text);
    assert_int_equal(cpr_codec_profile(model, &f->profile, &error), CPR_OK);
    cpr_word_counts *counts = cpr_word_counts_create();
    assert_true(cpr_word_counts_add(counts, text, TEXT_BYTES));
    f->vocabulary = cpr_vocabulary_learn(counts, 300);
    cpr_word_counts_free(counts);
    f->tokens = malloc(TEXT_BYTES * sizeof *f->tokens);
    cpr_parser *parser = cpr_parser_create(f->vocabulary);
    f->count = cpr_parser_parse(parser, text, TEXT_BYTES, f->tokens);
    cpr_parser_free(parser);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    free(f->tokens);
    cpr_vocabulary_free(f->vocabulary);
    cpr_profile_free(f->profile);
    free(f);
    return 0;
}

/* ---- ranks ---------------------------------------------------------------------------------- */

/* What a lesson gives, and what it needs on all ranks. */
typedef struct run {
    const fixture *f;
    uint32_t streams;
    uint32_t ranks;
    uint32_t members;      /* of a team; the last one may have fewer */
    uint32_t saved_before; /* the step in front of which each rank goes on in another lesson */
    pthread_barrier_t barrier;
    pthread_barrier_t team_barrier[RANKS_MOST];
    pthread_barrier_t worker_barrier[RANKS_MOST]; /* of those with the same number */
    void *memory[RANKS_MOST];                     /* of each team */
    const void *parts[RANKS_MOST];
    uint64_t hash[RANKS_MOST]; /* of the packed weights */
    uint64_t loss[RANKS_MOST]; /* of the rank's streams */
} run;

typedef struct rank {
    run *run;
    uint32_t number;
} rank;

static uint32_t teams_of(const run *all)
{
    return (all->ranks + all->members - 1) / all->members;
}

static uint32_t members_of(const run *all, uint32_t team)
{
    const uint32_t left = all->ranks - team * all->members;
    return left < all->members ? left : all->members;
}

static uint32_t workers_of(const run *all)
{
    return members_of(all, teams_of(all) - 1);
}

static void rank_meet(void *context)
{
    const rank *r = context;
    pthread_barrier_wait(&r->run->team_barrier[r->number / r->run->members]);
}

/* The parts of this worker and those with its number stay as they are until rank_take(). */
static void rank_show(rank *r, const void *part)
{
    r->run->parts[r->number] = part;
    pthread_barrier_wait(&r->run->worker_barrier[r->number % r->run->members]);
}

static void rank_take(rank *r, void *to, const void *from, size_t bytes)
{
    pthread_barrier_wait(&r->run->worker_barrier[r->number % r->run->members]);
    memcpy(to, from, bytes);
}

static void rank_unite(void *context, uint64_t *words, size_t count)
{
    rank *r = context;
    const run *all = r->run;
    uint64_t *sum = calloc(count, sizeof *sum);
    rank_show(r, words);
    for (uint32_t other = r->number % all->members; other < all->ranks; other += all->members)
        for (size_t i = 0; i < count; i++)
            sum[i] |= ((const uint64_t *)all->parts[other])[i];
    rank_take(r, words, sum, count * sizeof *sum);
    free(sum);
}

static void rank_add(void *context, int16_t *values, size_t count)
{
    rank *r = context;
    const run *all = r->run;
    int16_t *sum = calloc(count + 1, sizeof *sum);
    rank_show(r, values);
    for (uint32_t other = r->number % all->members; other < all->ranks; other += all->members)
        for (size_t i = 0; i < count; i++)
            sum[i] = (int16_t)(sum[i] + ((const int16_t *)all->parts[other])[i]);
    rank_take(r, values, sum, count * sizeof *sum);
    free(sum);
}

/* A lesson in new memory; on all ranks at once. */
static cpr_lesson *rank_create(rank *r)
{
    run *all = r->run;
    const fixture *f = all->f;
    const uint32_t number = r->number / all->members;
    cpr_team team = {.member = r->number % all->members,
                     .members = members_of(all, number),
                     .workers = workers_of(all),
                     .context = r,
                     .meet = rank_meet};
    if (teams_of(all) > 1) {
        team.unite = rank_unite;
        team.add = rank_add;
    }
    if (team.member == 0) {
        const size_t bytes = cpr_lesson_shared_bytes(f->profile, f->vocabulary, team.members);
        free(all->memory[number]);
        all->memory[number] = aligned_alloc(64, bytes);
        memset(all->memory[number], 0, bytes);
    }
    pthread_barrier_wait(&all->barrier);
    team.memory = all->memory[number];
    cpr_lesson *lesson =
        cpr_lesson_create(f->profile, f->vocabulary, all->streams, all->ranks > 1 ? &team : NULL);
    pthread_barrier_wait(&all->barrier);
    return lesson;
}

/* A stream's part of the step: the streams read different lengths, and one ends early. */
static void rank_read(const rank *r, cpr_lesson *lesson, uint32_t stream, uint32_t step)
{
    const fixture *f = r->run->f;
    const size_t most = CPR_LESSON_SEGMENT, at = stream * (f->count / STREAMS_MOST) + step * most;
    assert(at + most <= f->count); /* not cmocka's: this is another thread */
    if (stream != 2 || step < STEPS - 2)
        cpr_lesson_read(lesson, stream, f->tokens + at, most - 7 * stream);
}

/* Another lesson in the same state. */
static cpr_lesson *rank_move(rank *r, cpr_lesson *from)
{
    run *all = r->run;
    const size_t bytes = cpr_lesson_state_bytes(from);
    const bool first = r->number % all->members == 0;
    void *state = malloc(bytes);
    memcpy(state, cpr_lesson_state(from), bytes);
    pthread_barrier_wait(&all->barrier);
    cpr_lesson *to = rank_create(r);
    if (first) {
        memcpy(cpr_lesson_state(to), state, bytes);
        cpr_lesson_restored(to);
    }
    for (uint32_t s = 0; s < all->streams; s++)
        memcpy(cpr_lesson_stream(to, s), cpr_lesson_stream(from, s), cpr_lesson_stream_bytes(from));
    free(state);
    cpr_lesson_free(from);
    pthread_barrier_wait(&all->barrier);
    return to;
}

static void *rank_learn(void *context)
{
    rank *r = context;
    run *all = r->run;
    cpr_lesson *lesson = rank_create(r);
    for (uint32_t step = 0; step < STEPS; step++) {
        if (step == all->saved_before)
            lesson = rank_move(r, lesson);
        for (uint32_t s = r->number; s < all->streams; s += all->ranks)
            rank_read(r, lesson, s, step);
        rank_meet(r);
        cpr_lesson_step(lesson, 65536 / STEPS * (step + 1));
    }
    size_t bytes;
    uint8_t *packed = cpr_lesson_pack(lesson, &bytes);
    all->hash[r->number] = XXH3_64bits(packed, bytes);
    free(packed);
    for (uint32_t s = r->number; s < all->streams; s += all->ranks)
        all->loss[r->number] += cpr_lesson_loss(lesson, s);
    cpr_lesson_free(lesson);
    return NULL;
}

static void open_barriers(run *all)
{
    assert_int_equal(pthread_barrier_init(&all->barrier, NULL, all->ranks), 0);
    for (uint32_t i = 0; i < teams_of(all); i++)
        assert_int_equal(pthread_barrier_init(&all->team_barrier[i], NULL, members_of(all, i)), 0);
    for (uint32_t i = 0; i < workers_of(all); i++)
        assert_int_equal(pthread_barrier_init(&all->worker_barrier[i], NULL, teams_of(all)), 0);
}

static void close_barriers(run *all)
{
    pthread_barrier_destroy(&all->barrier);
    for (uint32_t i = 0; i < teams_of(all); i++)
        pthread_barrier_destroy(&all->team_barrier[i]);
    for (uint32_t i = 0; i < workers_of(all); i++)
        pthread_barrier_destroy(&all->worker_barrier[i]);
}

/* Holds the lesson; returns the hash of the weights, which all ranks have alike. */
static uint64_t learn(run *all)
{
    rank ranks[RANKS_MOST];
    pthread_t threads[RANKS_MOST];
    open_barriers(all);
    for (uint32_t i = 0; i < all->ranks; i++) {
        ranks[i] = (rank){all, i};
        assert_int_equal(pthread_create(&threads[i], NULL, rank_learn, &ranks[i]), 0);
    }
    for (uint32_t i = 0; i < all->ranks; i++)
        pthread_join(threads[i], NULL);
    close_barriers(all);
    for (uint32_t i = 0; i < RANKS_MOST; i++)
        free(all->memory[i]);
    for (uint32_t i = 1; i < all->ranks; i++) {
        assert_true(all->hash[i] == all->hash[0]);
        all->loss[0] += all->loss[i];
    }
    return all->hash[0];
}

static run make_run(void **state, uint32_t streams, uint32_t ranks, uint32_t members)
{
    return (run){
        .f = *state, .streams = streams, .ranks = ranks, .members = members, .saved_before = STEPS};
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void expect_known_answer(run *all)
{
    const uint64_t hash = learn(all);
    if (hash != WEIGHTS_HASH || all->loss[0] != LOSS)
        fail_msg("with kernel %s the weights have the hash 0x%016llx and the loss is %llu",
                 cpr_model_kernel(), (unsigned long long)hash, (unsigned long long)all->loss[0]);
}

static void known_answer_on_all_kernels(void **state)
{
    static const char *const kernels[] = {"baseline", "avx2", "avx512", "avx512vnni"};
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        run all = make_run(state, STREAMS, 1, 1);
        setenv("CORPRESS_KERNEL", kernels[i], 1);
        expect_known_answer(&all);
    }
    unsetenv("CORPRESS_KERNEL");
}

static void same_in_any_teams(void **state)
{
    for (uint32_t ranks = 1; ranks <= RANKS_MOST; ranks++)
        for (uint32_t members = 1; members <= ranks; members++) {
            run all = make_run(state, STREAMS, ranks, members);
            expect_known_answer(&all);
        }
}

static void same_after_an_interruption(void **state)
{
    for (uint32_t ranks = 1; ranks <= 3; ranks++) {
        run all = make_run(state, STREAMS, ranks, 2);
        all.saved_before = STEPS / 2;
        expect_known_answer(&all);
    }
}

static void other_with_one_stream_more_or_less(void **state)
{
    run more = make_run(state, STREAMS + 1, 1, 1), less = make_run(state, STREAMS - 1, 1, 1);
    assert_true(learn(&more) != WEIGHTS_HASH);
    assert_true(learn(&less) != WEIGHTS_HASH);
    assert_true(more.hash[0] != less.hash[0]);
}

/* Whatever is read first, and by whom. */
static void same_in_any_order_of_streams(void **state)
{
    run all = make_run(state, STREAMS, 1, 1);
    const rank r = {&all, 0};
    cpr_lesson *lessons[2];
    uint8_t *packed[2];
    size_t bytes;
    for (uint32_t i = 0; i < 2; i++) {
        lessons[i] = cpr_lesson_create(all.f->profile, all.f->vocabulary, STREAMS, NULL);
        for (uint32_t s = 0; s < STREAMS; s++)
            rank_read(&r, lessons[i], i == 0 ? s : STREAMS - 1 - s, 0);
        cpr_lesson_step(lessons[i], 65536);
        packed[i] = cpr_lesson_pack(lessons[i], &bytes);
    }
    assert_memory_equal(packed[0], packed[1], bytes);
    for (uint32_t i = 0; i < 2; i++) {
        free(packed[i]);
        cpr_lesson_free(lessons[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answer_on_all_kernels),
        cmocka_unit_test(same_in_any_teams),
        cmocka_unit_test(same_after_an_interruption),
        cmocka_unit_test(other_with_one_stream_more_or_less),
        cmocka_unit_test(same_in_any_order_of_streams),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
