/* check_ranks.c - the ranks' own functions, run by mpirun with any number of ranks.
 *
 * cmocka knows nothing of ranks: here each check counts its failures on every rank, and the sum
 * decides the exit code. */
#include "primed_state.h"
#include "ranks_team.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: rank %d: %s\n", __FILE__, __LINE__, cpr_ranks_rank(ranks), #condition); \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

/* ---- exchange ------------------------------------------------------------------------------ */

static unsigned check_broadcast(cpr_ranks *ranks, size_t size)
{
    unsigned failures = 0;
    uint8_t *data = NULL;
    size_t bytes = 12345;
    cpr_error error = {.text = ""};
    if (cpr_ranks_rank(ranks) == 0) {
        bytes = size;
        data = malloc(size + 1);
        for (size_t i = 0; data != NULL && i < size; i++)
            data[i] = (uint8_t)(i * 7 + i / 256);
    }
    CHECK(cpr_ranks_broadcast(ranks, &data, &bytes, &error) == CPR_OK);
    CHECK(bytes == size && data != NULL);
    size_t wrong = 0;
    for (size_t i = 0; data != NULL && i < bytes; i++)
        wrong += data[i] != (uint8_t)(i * 7 + i / 256);
    CHECK(wrong == 0);
    free(data);
    return failures;
}

static unsigned check_maximum(cpr_ranks *ranks)
{
    unsigned failures = 0;
    uint64_t values[10];
    const uint64_t size = (uint64_t)cpr_ranks_size(ranks);
    for (uint64_t i = 0; i < 10; i++)
        values[i] = i % size == (uint64_t)cpr_ranks_rank(ranks) ? UINT64_MAX - i : 0;
    cpr_ranks_maximum(ranks, values, 10);
    for (uint64_t i = 0; i < 10; i++)
        CHECK(values[i] == UINT64_MAX - i);
    return failures;
}

static unsigned check_sums(cpr_ranks *ranks)
{
    enum { COUNT = 100000 };
    unsigned failures = 0;
    const uint64_t size = (uint64_t)cpr_ranks_size(ranks);
    const uint64_t rank = (uint64_t)cpr_ranks_rank(ranks);
    uint64_t large[2] = {rank + 1, UINT64_C(1) << 60};
    static uint64_t words[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        words[i] = UINT64_C(1) << (rank * 7 + i % 7);
    cpr_ranks_sum(ranks, large, 2);
    cpr_ranks_unite(ranks, words, COUNT);
    CHECK(large[0] == size * (size + 1) / 2);
    CHECK(large[1] == size << 60);
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t all = 0;
        for (uint64_t r = 0; r < size; r++)
            all |= UINT64_C(1) << (r * 7 + i % 7);
        wrong += words[i] != all;
    }
    CHECK(wrong == 0);
    return failures;
}

static uint8_t *pack_sum(void *context, size_t *bytes)
{
    *bytes = sizeof(uint64_t);
    uint8_t *out = malloc(*bytes);
    if (out != NULL)
        memcpy(out, context, *bytes);
    return out;
}

static uint8_t *pack_nothing(void *context, size_t *bytes)
{
    (void)context;
    *bytes = 0;
    return NULL;
}

static cpr_status add_sum(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    uint64_t more;
    if (bytes != sizeof more)
        return cpr_fail(error, CPR_ERR_DAMAGED, "%zu bytes", bytes);
    memcpy(&more, data, sizeof more);
    *(uint64_t *)context += more;
    return CPR_OK;
}

static unsigned check_reduce(cpr_ranks *ranks)
{
    unsigned failures = 0;
    const uint64_t size = (uint64_t)cpr_ranks_size(ranks);
    uint64_t sum = (uint64_t)cpr_ranks_rank(ranks) + 1;
    cpr_error error = {.text = ""};
    CHECK(cpr_ranks_reduce(ranks, pack_sum, add_sum, &sum, &error) == CPR_OK);
    CHECK(cpr_ranks_rank(ranks) != 0 || sum == size * (size + 1) / 2);
    if (size > 1) {
        CHECK(cpr_ranks_reduce(ranks, pack_nothing, add_sum, &sum, &error) == CPR_ERR_NO_MEMORY);
        CHECK(error.text[0]);
    }
    return failures;
}

static unsigned check_agree(cpr_ranks *ranks)
{
    unsigned failures = 0;
    cpr_error error = {.text = ""};
    CHECK(cpr_ranks_agree(ranks, CPR_OK, &error) == CPR_OK);
    const int last = cpr_ranks_size(ranks) - 1;
    cpr_status status = CPR_OK;
    if (cpr_ranks_rank(ranks) == last)
        status = cpr_fail(&error, CPR_ERR_CHANGED, "the last rank");
    CHECK(cpr_ranks_agree(ranks, status, &error) == CPR_ERR_CHANGED);
    CHECK(strncmp(error.text, "the last rank", 13) == 0);
    /* All fail: the first one's text, with its rank once. */
    status = cpr_fail(&error, CPR_ERR_IO, "rank number %d", cpr_ranks_rank(ranks));
    CHECK(cpr_ranks_agree(ranks, status, &error) == CPR_ERR_IO);
    CHECK(cpr_ranks_agree(ranks, CPR_ERR_IO, &error) == CPR_ERR_IO);
    CHECK(strncmp(error.text, "rank number 0", 13) == 0);
    const char *named = strstr(error.text, "[rank ");
    CHECK(last == 0 || (named != NULL && strstr(named + 1, "[rank ") == NULL));
    return failures;
}

/* ---- schedule ------------------------------------------------------------------------------ */

#define ITEMS 60
#define ITEM_BYTES (UINT64_C(5) * 65536)

typedef struct workload {
    cpr_ranks *ranks;
    uint64_t failing; /* item, or ITEMS: none */
    uint64_t runs[ITEMS];
    /* rank 0: */
    uint64_t told[ITEMS];
    uint64_t raw_bytes; /* last progress */
    bool went_back;
} workload;

static uint64_t item_bytes(void *context, uint64_t item)
{
    (void)context;
    (void)item;
    return ITEM_BYTES;
}

static cpr_status run_item(void *context, uint64_t item, cpr_progress_fn *progress,
                           void *progress_context, cpr_item_result *result, cpr_error *error)
{
    workload *load = context;
    const struct timespec block = {.tv_nsec = 1000000};
    load->runs[item]++;
    for (uint64_t done = 0; done < ITEM_BYTES; done += 65536) {
        nanosleep(&block, NULL);
        if (item == load->failing && done > ITEM_BYTES / 2)
            return cpr_fail(error, CPR_ERR_IO, "item %" PRIu64 " fails", item);
        const cpr_status status =
            progress(progress_context, done + 65536, (done + 65536) / 4, error);
        if (status != CPR_OK)
            return status;
    }
    result->shard = item;
    result->raw_bytes = ITEM_BYTES;
    result->coded_bytes = ITEM_BYTES / 4;
    return CPR_OK;
}

static void on_item(void *context, const cpr_item_result *result)
{
    workload *load = context;
    load->told[result->shard]++;
}

static void on_progress(void *context, const cpr_run_progress *now)
{
    workload *load = context;
    load->went_back = load->went_back || now->raw_bytes < load->raw_bytes;
    load->raw_bytes = now->raw_bytes;
}

static unsigned check_run(cpr_ranks *ranks, uint64_t items, uint64_t failing)
{
    unsigned failures = 0;
    workload load = {.ranks = ranks, .failing = failing};
    const cpr_schedule schedule = {
        .items = items, .context = &load, .bytes = item_bytes, .run = run_item};
    const cpr_listener listener = {.context = &load, .progress = on_progress, .item = on_item};
    cpr_error error = {.text = ""};
    const cpr_status status = cpr_ranks_run(ranks, &schedule, &listener, &error);
    if (failing < items) {
        char text[64];
        const int length = snprintf(text, sizeof text, "item %" PRIu64 " fails", failing);
        CHECK(status == CPR_ERR_IO);
        CHECK(strncmp(error.text, text, (size_t)length) == 0);
        return failures;
    }
    CHECK(status == CPR_OK);
    uint64_t sums[ITEMS];
    for (uint64_t i = 0; i < items; i++) {
        /* At most one rank ran it, once: the largest count is one if any did. */
        sums[i] = load.runs[i];
        CHECK(load.runs[i] <= 1);
    }
    cpr_ranks_maximum(ranks, sums, items);
    uint64_t mine = 0;
    for (uint64_t i = 0; i < items; i++) {
        CHECK(sums[i] == 1);
        mine += load.runs[i];
        CHECK(cpr_ranks_rank(ranks) != 0 || load.told[i] == 1);
    }
    /* Equal items: every rank gets some. */
    CHECK(items < ITEMS || mine > 0);
    if (cpr_ranks_rank(ranks) == 0) {
        CHECK(load.raw_bytes == items * ITEM_BYTES);
        CHECK(!load.went_back);
    }
    return failures;
}

/* With one_each, item i is rank i's. */
static unsigned check_one_each(cpr_ranks *ranks)
{
    unsigned failures = 0;
    const uint64_t size = (uint64_t)cpr_ranks_size(ranks);
    workload load = {.ranks = ranks, .failing = ITEMS};
    const cpr_schedule schedule = {
        .items = size, .one_each = true, .context = &load, .bytes = item_bytes, .run = run_item};
    cpr_error error = {.text = ""};
    CHECK(cpr_ranks_run(ranks, &schedule, NULL, &error) == CPR_OK);
    for (uint64_t i = 0; i < size; i++)
        CHECK(load.runs[i] == (i == (uint64_t)cpr_ranks_rank(ranks)));
    return failures;
}

/* ---- primed state -------------------------------------------------------------------------- */

static cpr_status give_text(void *context, uint8_t *out, size_t capacity, size_t *got,
                            cpr_error *error)
{
    int *left = context;
    (void)error;
    *got = *left > 0 ? (capacity < 1000 ? capacity : 1000) : 0;
    memset(out, 'a' + *left, *got);
    (*left)--;
    return CPR_OK;
}

static cpr_status drop(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    (void)context;
    (void)data;
    (void)bytes;
    (void)error;
    return CPR_OK;
}

typedef struct learner {
    cpr_codec *codec;
    uint64_t calls; /* on this rank */
    bool fails;
} learner;

/* A cpr_prime_fn. */
static cpr_status learn(void *context, void *state, cpr_progress_fn *progress,
                        void *progress_context, cpr_error *error)
{
    learner *l = context;
    int pieces = 5;
    cpr_shard_info info;
    if (l->fails)
        return cpr_fail(error, CPR_ERR_DAMAGED, "nothing to learn");
    l->calls++;
    const cpr_status status =
        cpr_codec_encode(l->codec, (cpr_source){give_text, &pieces}, (cpr_sink){drop, NULL},
                         (cpr_watch){progress, progress_context}, NULL, &info, error);
    if (status == CPR_OK)
        cpr_codec_get_state(l->codec, state);
    return status;
}

static cpr_status go_on(void *context, uint64_t raw_bytes, uint64_t coded_bytes, cpr_error *error)
{
    (void)context;
    (void)raw_bytes;
    (void)coded_bytes;
    (void)error;
    return CPR_OK;
}

static unsigned check_primed(cpr_ranks *ranks)
{
    unsigned failures = 0;
    cpr_error error = {.text = ""};
    cpr_codec *codec = NULL;
    cpr_primed_state *primed = NULL;
    const cpr_profile *profile = cpr_profile_find("fast");
    cpr_vocabulary *bytes = cpr_vocabulary_create_bytes();
    CHECK(cpr_codec_create(profile, bytes, NULL, 20000, &codec, &error) == CPR_OK);
    learner learns = {.codec = codec};
    learner fails = {.codec = codec, .fails = true};
    /* Ranks of this machine share one state: the first of them is rank 0, and one of them made it.
     */
    CHECK(cpr_primed_state_open(ranks, profile, 20000, &primed, &error) == CPR_OK);
    CHECK(cpr_primed_state_is_first(primed) == (cpr_ranks_rank(ranks) == 0));
    CHECK(cpr_primed_state_make(primed, codec, learn, &learns, go_on, NULL, &error) == CPR_OK);
    CHECK(cpr_primed_state_wait(primed, go_on, NULL, &error) == CPR_OK);
    uint64_t most = learns.calls;
    cpr_ranks_maximum(ranks, &most, 1);
    uint64_t first = learns.calls ? (uint64_t)cpr_ranks_rank(ranks) + 1 : 0;
    cpr_ranks_maximum(ranks, &first, 1);
    CHECK(most == 1 && (learns.calls == 1) == (first == (uint64_t)cpr_ranks_rank(ranks) + 1));
    /* What follows from it is the same on all of them. */
    int pieces = 7;
    cpr_shard_info info;
    CHECK(cpr_codec_encode(codec, (cpr_source){give_text, &pieces}, (cpr_sink){drop, NULL},
                           CPR_NO_WATCH, NULL, &info, &error) == CPR_OK);
    uint64_t values[2] = {info.coded_hash.low, ~info.coded_hash.low};
    cpr_ranks_maximum(ranks, values, 2);
    CHECK(values[0] == ~values[1]);
    CHECK(cpr_ranks_agree(ranks, CPR_OK, &error) == CPR_OK);
    cpr_primed_state_close(primed);
    /* If it cannot be made, all that want it are told. */
    CHECK(cpr_primed_state_open(ranks, profile, 20000, &primed, &error) == CPR_OK);
    CHECK(cpr_primed_state_make(primed, codec, learn, &fails, go_on, NULL, &error) ==
          CPR_ERR_DAMAGED);
    CHECK(strcmp(error.text, "nothing to learn") == 0);
    cpr_codec_free(codec);
    cpr_primed_state_close(primed);
    cpr_vocabulary_free(bytes);
    return failures;
}

/* ---- teams --------------------------------------------------------------------------------- */

/* What the teams' members have in common, and what is added up over teams. */
static unsigned check_team_steps(cpr_ranks *ranks, cpr_ranks_team *t)
{
    unsigned failures = 0;
    const cpr_team *team = cpr_ranks_team_of(t);
    const uint64_t size = (uint64_t)cpr_ranks_size(ranks);
    const uint64_t rank = (uint64_t)cpr_ranks_rank(ranks);
    uint64_t *shared = team->memory;
    CHECK(team->member < team->members && team->workers <= team->members);
    CHECK(cpr_ranks_team_is_first(t) == (team->member == 0));
    for (uint64_t step = 0; step < 100; step++) {
        uint64_t sums[2] = {rank + step, UINT64_C(1) << 40};
        shared[team->member] = step;
        cpr_ranks_team_sum(t, sums, 2);
        CHECK(sums[0] == size * (size - 1) / 2 + size * step && sums[1] == size << 40);
        for (uint32_t i = 0; i < team->members; i++)
            CHECK(shared[i] == step);
        team->meet(team->context);
    }
    if (team->add == NULL || team->member >= team->workers)
        return failures;
    int16_t values[3] = {1, -2, 30};
    uint64_t words[2] = {1, team->member};
    team->add(team->context, values, 3);
    team->unite(team->context, words, 2);
    CHECK(values[0] > 1 && values[1] == -2 * values[0] && values[2] == 30 * values[0]);
    CHECK(words[0] == 1 && words[1] == team->member);
    CHECK(cpr_ranks_team_sent(t) > 0);
    return failures;
}

static unsigned check_teams(cpr_ranks *ranks, const char *node_ranks)
{
    unsigned failures = 0;
    cpr_ranks_team *t = NULL;
    cpr_error error = {.text = ""};
    setenv("CORPRESS_TEST_NODE", node_ranks, 1);
    CHECK(cpr_ranks_team_open(ranks, 4096, 4096, &t, &error) == CPR_OK);
    unsetenv("CORPRESS_TEST_NODE");
    CHECK((cpr_ranks_team_of(t) == NULL) == (cpr_ranks_size(ranks) == 1));
    if (cpr_ranks_team_of(t) != NULL)
        failures += check_team_steps(ranks, t);
    cpr_ranks_team_close(t);
    return failures;
}

int main(void)
{
    cpr_ranks *ranks = NULL;
    cpr_error error = {.text = ""};
    if (cpr_ranks_start(&ranks, &error) != CPR_OK)
        return 2;
    uint64_t failures = check_agree(ranks);
    failures += check_maximum(ranks);
    failures += check_sums(ranks);
    failures += check_reduce(ranks);
    failures += check_broadcast(ranks, 0);
    failures += check_broadcast(ranks, 1);
    /* More than one piece. */
    failures += check_broadcast(ranks, ((size_t)256 << 20) + 12345);
    failures += check_primed(ranks);
    failures += check_teams(ranks, "0");
    failures += check_teams(ranks, "1");
    failures += check_teams(ranks, "2");
    failures += check_one_each(ranks);
    failures += check_run(ranks, 0, ITEMS);
    failures += check_run(ranks, 1, ITEMS);
    failures += check_run(ranks, ITEMS, ITEMS);
    failures += check_run(ranks, ITEMS, 0);
    failures += check_run(ranks, ITEMS, ITEMS / 2);
    failures += check_run(ranks, ITEMS, ITEMS - 1);
    cpr_ranks_maximum(ranks, &failures, 1);
    cpr_ranks_end(ranks);
    return failures ? 1 : 0;
}
