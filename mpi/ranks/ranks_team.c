/* ranks_team.c - the teams of a lesson.
 *
 * Within a team nothing is sent: members read what the others have written, and meet in between.
 * A member that waits looks for the others for a while, giving way to whoever else wants its core,
 * and then sleeps until the last one wakes it. Between teams, members of the same number make sums
 * by MPI, at the same time. */
#define _GNU_SOURCE
#include "ranks_team.h"

#include "node_memory.h"
#include "ranks_private.h"

#include <assert.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define LOOK_SECONDS 0.0001 /* then a waiting rank sleeps */

/* In front of what the members share. */
typedef struct team_head {
    _Alignas(64) _Atomic uint32_t round; /* how often all have met */
    _Alignas(64) _Atomic uint32_t came;  /* to the next meeting */
    _Alignas(64) uint64_t sums[CPR_TEAM_SUMS];
} team_head;

/* A member's values, of this meeting for sums and the last one: nobody reads those of the last one
 * any more when all have come to this one. */
typedef struct member_values {
    _Alignas(64) uint64_t values[2][CPR_TEAM_SUMS];
} member_values;

struct cpr_ranks_team {
    cpr_node_memory memory;
    team_head *head;
    member_values *said; /* of each member */
    uint32_t sum_number; /* counts cpr_ranks_team_sum() */
    uint32_t teams;
    MPI_Comm others; /* workers of this number in all teams; MPI_COMM_NULL: this is none */
    uint64_t sent;
    bool alone; /* there is one rank */
    cpr_team team;
};

/* ---- members ---- */

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void team_meet(void *context)
{
    const cpr_ranks_team *t = context;
    team_head *head = t->head;
    const uint32_t round = atomic_load(&head->round);
    if (atomic_fetch_add(&head->came, 1) + 1 == t->team.members) {
        atomic_store(&head->came, 0);
        atomic_store(&head->round, round + 1);
        futex_wake(&head->round);
        return;
    }
    const double until = cpr_ranks_seconds() + LOOK_SECONDS;
    while (atomic_load(&head->round) == round)
        if (cpr_ranks_seconds() >= until)
            futex_wait(&head->round, round);
}

/* ---- teams ---- */

/* Waits as cpr_ranks_wait() does, but looks all the time at first: these messages are expected. */
static void team_wait(MPI_Request *request)
{
    const double until = cpr_ranks_seconds() + 5 * LOOK_SECONDS;
    int done = 0;
    while (!done && cpr_ranks_seconds() < until)
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
    cpr_ranks_wait(request);
}

static void team_combine(cpr_ranks_team *t, void *values, size_t count, size_t width,
                         MPI_Datatype type, MPI_Op operation)
{
    MPI_Request request;
    assert(count <= INT_MAX);
    t->sent += count * width;
    MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, type, operation, t->others, &request);
    team_wait(&request);
}

static void team_unite(void *context, uint64_t *words, size_t count)
{
    team_combine(context, words, count, sizeof *words, MPI_UINT64_T, MPI_BOR);
}

static void team_add(void *context, int16_t *values, size_t count)
{
    team_combine(context, values, count, sizeof *values, MPI_INT16_T, MPI_SUM);
}

/* The sums over all teams, in place of those of this one. */
static void team_sum_all(cpr_ranks_team *t, uint64_t *values, size_t count)
{
    if (t->others != MPI_COMM_NULL)
        team_combine(t, values, count, sizeof *values, MPI_UINT64_T, MPI_SUM);
    if (t->team.members == t->team.workers)
        return;
    if (t->team.member == 0)
        memcpy(t->head->sums, values, count * sizeof *values);
    team_meet(t);
    memcpy(values, t->head->sums, count * sizeof *values);
}

void cpr_ranks_team_sum(cpr_ranks_team *t, uint64_t *values, size_t count)
{
    assert(count <= CPR_TEAM_SUMS);
    if (t->alone)
        return;
    const size_t turn = t->sum_number++ % 2;
    memcpy(t->said[t->team.member].values[turn], values, count * sizeof *values);
    team_meet(t);
    memset(values, 0, count * sizeof *values);
    for (uint32_t member = 0; member < t->team.members; member++)
        for (size_t i = 0; i < count; i++)
            values[i] += t->said[member].values[turn][i];
    if (t->teams > 1)
        team_sum_all(t, values, count);
}

/* ---- start and end ---- */

/* What the owners of all ranks' memories say about the teams. */
static void team_count(cpr_ranks_team *t, const int *owner, int size, int rank)
{
    t->team.workers = UINT32_MAX;
    for (int first = 0; first < size; first++) {
        uint32_t members = 0;
        for (int i = first; i < size; i++) {
            if (owner[i] == first && first == owner[rank] && i == rank)
                t->team.member = members;
            members += owner[i] == first;
        }
        if (members == 0)
            continue;
        if (first == owner[rank])
            t->team.members = members;
        t->teams++;
        t->team.workers = members < t->team.workers ? members : t->team.workers;
    }
}

/* COLLECTIVE. */
static cpr_status team_find(cpr_ranks_team *t, cpr_ranks *ranks, cpr_error *error)
{
    void *owner;
    const cpr_status status =
        cpr_ranks_gather(ranks, &t->memory.owner, sizeof t->memory.owner, &owner, error);
    if (status != CPR_OK)
        return status;
    team_count(t, owner, ranks->size, ranks->rank);
    free(owner);
    if (t->teams == 1)
        return CPR_OK;
    MPI_Comm_split(ranks->comm,
                   t->team.member < t->team.workers ? (int)t->team.member : MPI_UNDEFINED,
                   ranks->rank, &t->others);
    t->team.unite = team_unite;
    t->team.add = team_add;
    return CPR_OK;
}

/* Takes this member's part of the memory. */
static cpr_status team_claim(const cpr_ranks_team *t, size_t front, size_t each, cpr_error *error)
{
    int code = 0;
    if (t->team.member == 0)
        code = cpr_node_memory_claim(&t->memory, 0, front);
    if (code == 0)
        code = cpr_node_memory_claim(&t->memory, front + t->team.member * each, each);
    return code == 0 ? CPR_OK : cpr_fail_errno(error, code, "no memory for a lesson");
}

/* COLLECTIVE. */
static cpr_status team_meet_first(cpr_ranks_team *t, cpr_ranks *ranks, size_t common, size_t each,
                                  cpr_error *error)
{
    /* As many as there can be in the team. */
    const size_t room = cpr_ranks_here(ranks);
    if (room == 0)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a lesson");
    const size_t head = (sizeof *t->head + room * sizeof *t->said + PAGE - 1) / PAGE * PAGE;
    cpr_status status =
        cpr_node_memory_open(ranks, head + common + room * each, "a lesson", &t->memory, error);
    if (status == CPR_OK)
        status = team_find(t, ranks, error);
    if (status != CPR_OK)
        return status;
    t->head = (team_head *)(void *)t->memory.at;
    t->said = (member_values *)(void *)(t->head + 1);
    t->team.memory = t->memory.at + head;
    t->team.context = t;
    t->team.meet = team_meet;
    return cpr_ranks_agree(ranks, team_claim(t, head + common, each, error), error);
}

cpr_status cpr_ranks_team_open(cpr_ranks *ranks, size_t common, size_t each, cpr_ranks_team **out,
                               cpr_error *error)
{
    cpr_ranks_team *t = calloc(1, sizeof *t);
    cpr_status status = CPR_OK;
    *out = t;
    if (t == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a lesson");
    status = cpr_ranks_agree(ranks, status, error);
    if (status != CPR_OK || t == NULL)
        return status;
    t->others = MPI_COMM_NULL;
    t->alone = ranks->size == 1;
    return t->alone ? CPR_OK : team_meet_first(t, ranks, common, each, error);
}

void cpr_ranks_team_close(cpr_ranks_team *t)
{
    if (t == NULL)
        return;
    if (t->others != MPI_COMM_NULL)
        MPI_Comm_free(&t->others);
    cpr_node_memory_close(&t->memory);
    free(t);
}

const cpr_team *cpr_ranks_team_of(const cpr_ranks_team *t)
{
    return t->alone ? NULL : &t->team;
}

bool cpr_ranks_team_is_first(const cpr_ranks_team *t)
{
    return t->team.member == 0;
}

uint64_t cpr_ranks_team_sent(const cpr_ranks_team *t)
{
    return t->sent;
}
