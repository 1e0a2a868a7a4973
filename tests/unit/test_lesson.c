/* test_lesson.c - what a lesson makes of a text depends on nothing but the text and the streams.
 *
 * Ranks are threads here, whose sums meet in memory. */
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
    uint32_t saved_before; /* the step in front of which each rank goes on in another lesson */
    pthread_barrier_t barrier;
    const void *parts[RANKS_MOST];
    uint64_t hash[RANKS_MOST]; /* of the packed weights */
    uint64_t loss[RANKS_MOST]; /* of the rank's streams */
} run;

typedef struct rank {
    run *run;
    uint32_t number;
} rank;

/* All ranks' parts are there, and stay as they are until rank_part(). */
static void rank_meet(rank *r, const void *part)
{
    r->run->parts[r->number] = part;
    pthread_barrier_wait(&r->run->barrier);
}

static void rank_part(rank *r, void *to, const void *from, size_t bytes)
{
    pthread_barrier_wait(&r->run->barrier);
    memcpy(to, from, bytes);
}

static void rank_unite(void *context, uint64_t *words, size_t count)
{
    rank *r = context;
    uint64_t *all = calloc(count, sizeof *all);
    rank_meet(r, words);
    for (uint32_t other = 0; other < r->run->ranks; other++)
        for (size_t i = 0; i < count; i++)
            all[i] |= ((const uint64_t *)r->run->parts[other])[i];
    rank_part(r, words, all, count * sizeof *all);
    free(all);
}

static void rank_add(void *context, int16_t *values, size_t count)
{
    rank *r = context;
    int16_t *all = calloc(count + 1, sizeof *all);
    rank_meet(r, values);
    for (uint32_t other = 0; other < r->run->ranks; other++)
        for (size_t i = 0; i < count; i++)
            all[i] = (int16_t)(all[i] + ((const int16_t *)r->run->parts[other])[i]);
    rank_part(r, values, all, count * sizeof *all);
    free(all);
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
static cpr_lesson *rank_move(const rank *r, cpr_lesson *from)
{
    const run *all = r->run;
    cpr_lesson *to = cpr_lesson_create(all->f->profile, all->f->vocabulary, all->streams);
    memcpy(cpr_lesson_state(to), cpr_lesson_state(from), cpr_lesson_state_bytes(from));
    for (uint32_t s = 0; s < all->streams; s++)
        memcpy(cpr_lesson_stream(to, s), cpr_lesson_stream(from, s), cpr_lesson_stream_bytes(from));
    cpr_lesson_restored(to);
    cpr_lesson_free(from);
    return to;
}

static void *rank_learn(void *context)
{
    rank *r = context;
    run *all = r->run;
    const cpr_adder adder = {rank_unite, rank_add, r};
    cpr_lesson *lesson = cpr_lesson_create(all->f->profile, all->f->vocabulary, all->streams);
    for (uint32_t step = 0; step < STEPS; step++) {
        if (step == all->saved_before)
            lesson = rank_move(r, lesson);
        for (uint32_t s = r->number; s < all->streams; s += all->ranks)
            rank_read(r, lesson, s, step);
        cpr_lesson_step(lesson, 65536 / STEPS * (step + 1), all->ranks > 1 ? &adder : NULL);
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

/* Holds the lesson; returns the hash of the weights, which all ranks have alike. */
static uint64_t learn(run *all)
{
    rank ranks[RANKS_MOST];
    pthread_t threads[RANKS_MOST];
    assert_int_equal(pthread_barrier_init(&all->barrier, NULL, all->ranks), 0);
    for (uint32_t i = 0; i < all->ranks; i++) {
        ranks[i] = (rank){all, i};
        assert_int_equal(pthread_create(&threads[i], NULL, rank_learn, &ranks[i]), 0);
    }
    for (uint32_t i = 0; i < all->ranks; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&all->barrier);
    for (uint32_t i = 1; i < all->ranks; i++) {
        assert_true(all->hash[i] == all->hash[0]);
        all->loss[0] += all->loss[i];
    }
    return all->hash[0];
}

static run make_run(void **state, uint32_t streams, uint32_t ranks)
{
    return (run){.f = *state, .streams = streams, .ranks = ranks, .saved_before = STEPS};
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
        run all = make_run(state, STREAMS, 1);
        setenv("CORPRESS_KERNEL", kernels[i], 1);
        expect_known_answer(&all);
    }
    unsetenv("CORPRESS_KERNEL");
}

static void same_at_any_number_of_ranks(void **state)
{
    for (uint32_t ranks = 1; ranks <= RANKS_MOST; ranks++) {
        run all = make_run(state, STREAMS, ranks);
        expect_known_answer(&all);
    }
}

static void same_after_an_interruption(void **state)
{
    for (uint32_t ranks = 1; ranks <= 2; ranks++) {
        run all = make_run(state, STREAMS, ranks);
        all.saved_before = STEPS / 2;
        expect_known_answer(&all);
    }
}

static void other_with_one_stream_more_or_less(void **state)
{
    run more = make_run(state, STREAMS + 1, 1), less = make_run(state, STREAMS - 1, 1);
    assert_true(learn(&more) != WEIGHTS_HASH);
    assert_true(learn(&less) != WEIGHTS_HASH);
    assert_true(more.hash[0] != less.hash[0]);
}

/* Whatever is read first, and by whom. */
static void same_in_any_order_of_streams(void **state)
{
    run all = make_run(state, STREAMS, 1);
    const rank r = {&all, 0};
    cpr_lesson *lessons[2];
    uint8_t *packed[2];
    size_t bytes;
    for (uint32_t i = 0; i < 2; i++) {
        lessons[i] = cpr_lesson_create(all.f->profile, all.f->vocabulary, STREAMS);
        for (uint32_t s = 0; s < STREAMS; s++)
            rank_read(&r, lessons[i], i == 0 ? s : STREAMS - 1 - s, 0);
        cpr_lesson_step(lessons[i], 65536, NULL);
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
        cmocka_unit_test(same_at_any_number_of_ranks),
        cmocka_unit_test(same_after_an_interruption),
        cmocka_unit_test(other_with_one_stream_more_or_less),
        cmocka_unit_test(same_in_any_order_of_streams),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
