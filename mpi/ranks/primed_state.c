/* primed_state.c - the model's state after the primer, in memory that the ranks of a node share. A
 * rank that cannot get at it makes its own; that costs memory and time, and nothing else. */
#include "primed_state.h"

#include "node_memory.h"
#include "ranks_private.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define STATE_OFFSET ((size_t)4096)

enum { STAGE_EMPTY = 0, STAGE_MAKING = 1, STAGE_READY = 2, STAGE_FAILED = 3 };

/* What is in front of the state. */
typedef struct shared_head {
    _Atomic uint32_t stage;
    int32_t status; /* if failed */
    cpr_error error;
} shared_head;

_Static_assert(sizeof(shared_head) <= STATE_OFFSET, "the head fits in front of the state");

struct cpr_primed_state {
    cpr_node_memory memory;
    shared_head *head;
    uint8_t *state;
    size_t room; /* for the state */
    bool first;
};

cpr_status cpr_primed_state_open(cpr_ranks *ranks, const cpr_profile *profile, uint64_t max_bytes,
                                 cpr_primed_state **out, cpr_error *error)
{
    const uint64_t expected = cpr_codec_base_memory(profile, max_bytes);
    const size_t room = (size_t)(expected + expected / 50);
    cpr_primed_state *primed = calloc(1, sizeof *primed);
    cpr_status status = CPR_OK;
    *out = primed;
    if (primed == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to prime the model");
    status = cpr_ranks_agree(ranks, status, error);
    if (status != CPR_OK || primed == NULL)
        return status;
    status = cpr_node_memory_open(ranks, STATE_OFFSET + room, "the model's state after the primer",
                                  &primed->memory, error);
    if (status != CPR_OK)
        return status;
    primed->room = room;
    primed->first = primed->memory.owner == ranks->rank;
    primed->head = (shared_head *)(void *)primed->memory.at;
    primed->state = primed->memory.at + STATE_OFFSET;
    return CPR_OK;
}

void cpr_primed_state_close(cpr_primed_state *primed)
{
    if (primed == NULL)
        return;
    cpr_node_memory_close(&primed->memory);
    free(primed);
}

bool cpr_primed_state_is_first(const cpr_primed_state *primed)
{
    return primed->first;
}

/* Claims the memory for the state. */
static cpr_status state_claim(const cpr_primed_state *primed, size_t bytes, cpr_error *error)
{
    const int code = bytes > primed->room
                         ? ENOMEM
                         : cpr_node_memory_claim(&primed->memory, 0, STATE_OFFSET + bytes);
    if (code == 0)
        return CPR_OK;
    return cpr_fail_errno(error, code, "no memory for the model's state after the primer");
}

static cpr_status state_make(const cpr_primed_state *primed, cpr_codec *codec, cpr_prime_fn *prime,
                             void *context, cpr_progress_fn *progress, void *progress_context,
                             cpr_error *error)
{
    shared_head *head = primed->head;
    cpr_error detail = {.text = ""};
    cpr_codec_set_base(codec, NULL);
    cpr_status status = state_claim(primed, cpr_codec_state_bytes(codec), &detail);
    if (status == CPR_OK)
        status = prime(context, primed->state, progress, progress_context, &detail);
    uint32_t stage = STAGE_READY;
    if (status != CPR_OK) {
        /* Who waits is about to be told to stop as well. */
        stage = status == CPR_STOPPED ? STAGE_EMPTY : STAGE_FAILED;
        head->status = (int32_t)status;
        head->error = detail;
        if (error != NULL)
            *error = detail;
    }
    atomic_store_explicit(&head->stage, stage, memory_order_release);
    return status;
}

/* Waits until there is something to do: the stage is not STAGE_MAKING or, if this rank is not to
 * make the state itself, neither STAGE_EMPTY. */
static cpr_status state_await(const cpr_primed_state *primed, bool may_make,
                              cpr_progress_fn *progress, void *progress_context, uint32_t *stage,
                              cpr_error *error)
{
    unsigned step = 0;
    for (;;) {
        *stage = atomic_load_explicit(&primed->head->stage, memory_order_acquire);
        if (*stage == STAGE_FAILED)
            return cpr_fail(error, (cpr_status)primed->head->status, "%s",
                            primed->head->error.text);
        if (*stage == STAGE_READY || (*stage == STAGE_EMPTY && may_make))
            return CPR_OK;
        const cpr_status status = progress(progress_context, 0, 0, error);
        if (status != CPR_OK)
            return status;
        cpr_ranks_pause(&step);
    }
}

cpr_status cpr_primed_state_make(cpr_primed_state *primed, cpr_codec *codec, cpr_prime_fn *prime,
                                 void *context, cpr_progress_fn *progress, void *progress_context,
                                 cpr_error *error)
{
    assert(codec != NULL && prime != NULL && progress != NULL);
    uint32_t stage = STAGE_EMPTY;
    cpr_status status = CPR_OK;
    while (status == CPR_OK && stage != STAGE_READY) {
        status = state_await(primed, true, progress, progress_context, &stage, error);
        if (status == CPR_OK && stage == STAGE_EMPTY &&
            atomic_compare_exchange_strong(&primed->head->stage, &stage, STAGE_MAKING)) {
            status = state_make(primed, codec, prime, context, progress, progress_context, error);
            stage = STAGE_READY;
        }
    }
    if (status == CPR_OK)
        cpr_primed_state_use(primed, codec);
    return status;
}

cpr_status cpr_primed_state_wait(cpr_primed_state *primed, cpr_progress_fn *progress,
                                 void *progress_context, cpr_error *error)
{
    uint32_t stage;
    return state_await(primed, false, progress, progress_context, &stage, error);
}

void cpr_primed_state_use(const cpr_primed_state *primed, cpr_codec *codec)
{
    cpr_codec_set_base(codec, primed != NULL ? primed->state : NULL);
}
