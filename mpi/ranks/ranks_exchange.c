/* ranks_exchange.c - blocks of any size between ranks.
 *
 * MPI counts are ints: blocks travel in pieces. Whether every rank has the memory is agreed on
 * before the bytes are sent. */
#include "ranks_private.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#define PIECE_BYTES ((size_t)256 << 20)
/* MPI goes on with a broadcast only while somebody looks at it, and cpr_ranks_wait() looks less and
 * less often: pieces must be short. Measured with 20 MB: see tests/bench/model_messages.c. */
#define BROADCAST_BYTES ((size_t)1 << 20)
/* Sums likewise. */
#define SUM_BYTES ((size_t)128 << 10)

enum { TAG_SIZE = 1, TAG_READY = 2, TAG_BYTES = 3 };

cpr_status cpr_ranks_broadcast(cpr_ranks *ranks, uint8_t **data, size_t *bytes, cpr_error *error)
{
    if (ranks->size == 1)
        return CPR_OK;
    uint64_t total = ranks->rank == 0 ? *bytes : 0;
    MPI_Request request;
    MPI_Ibcast(&total, 1, MPI_UINT64_T, 0, ranks->comm, &request);
    cpr_ranks_wait(&request);

    cpr_status status = CPR_OK;
    if (ranks->rank != 0) {
        *bytes = (size_t)total;
        *data = malloc(total ? (size_t)total : 1);
        if (*data == NULL)
            status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %llu bytes from rank 0",
                              (unsigned long long)total);
    }
    status = cpr_ranks_agree(ranks, status, error);
    if (status != CPR_OK) {
        if (ranks->rank != 0) {
            free(*data);
            *data = NULL;
        }
        return status;
    }
    for (size_t at = 0; at < *bytes; at += BROADCAST_BYTES) {
        const size_t piece = *bytes - at < BROADCAST_BYTES ? *bytes - at : BROADCAST_BYTES;
        MPI_Ibcast(*data + at, (int)piece, MPI_BYTE, 0, ranks->comm, &request);
        cpr_ranks_wait(&request);
    }
    return CPR_OK;
}

cpr_status cpr_ranks_gather(cpr_ranks *ranks, const void *own, size_t bytes, void **all,
                            cpr_error *error)
{
    assert(bytes <= INT_MAX);
    cpr_status status = CPR_OK;
    *all = calloc((size_t)ranks->size, bytes);
    if (*all == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %d ranks", ranks->size);
    status = cpr_ranks_agree(ranks, status, error);
    if (status != CPR_OK || *all == NULL) {
        free(*all);
        *all = NULL;
        return status;
    }
    MPI_Request request;
    MPI_Iallgather(own, (int)bytes, MPI_BYTE, *all, (int)bytes, MPI_BYTE, ranks->comm, &request);
    cpr_ranks_wait(&request);
    return CPR_OK;
}

void cpr_ranks_tell(cpr_ranks *ranks, void *data, size_t bytes)
{
    assert(bytes <= INT_MAX);
    if (ranks->size == 1)
        return;
    MPI_Request request;
    MPI_Ibcast(data, (int)bytes, MPI_BYTE, 0, ranks->comm, &request);
    cpr_ranks_wait(&request);
}

/* COLLECTIVE. Combines all ranks' values, each of `width` bytes, in place. */
static void ranks_combine(cpr_ranks *ranks, void *values, size_t count, size_t width,
                          MPI_Datatype type, MPI_Op operation)
{
    if (ranks->size == 1)
        return;
    const size_t piece_values = SUM_BYTES / width;
    for (size_t at = 0; at < count; at += piece_values) {
        const size_t piece = count - at < piece_values ? count - at : piece_values;
        MPI_Request request;
        MPI_Iallreduce(MPI_IN_PLACE, (uint8_t *)values + at * width, (int)piece, type, operation,
                       ranks->comm, &request);
        cpr_ranks_wait(&request);
    }
}

void cpr_ranks_maximum(cpr_ranks *ranks, uint64_t *values, size_t count)
{
    ranks_combine(ranks, values, count, sizeof *values, MPI_UINT64_T, MPI_MAX);
}

void cpr_ranks_sum(cpr_ranks *ranks, uint64_t *values, size_t count)
{
    ranks_combine(ranks, values, count, sizeof *values, MPI_UINT64_T, MPI_SUM);
}

void cpr_ranks_unite(cpr_ranks *ranks, uint64_t *words, size_t count)
{
    ranks_combine(ranks, words, count, sizeof *words, MPI_UINT64_T, MPI_BOR);
}

/* A block from one rank to another: its size, the receiver's word that it has the memory, then the
 * bytes. NULL: the sender has nothing to give because it failed. */
static void send_block(cpr_ranks *ranks, int to, const uint8_t *data, size_t bytes)
{
    const uint64_t total = data != NULL ? bytes : UINT64_MAX;
    MPI_Request request;
    MPI_Isend(&total, 1, MPI_UINT64_T, to, TAG_SIZE, ranks->talk, &request);
    cpr_ranks_wait(&request);
    if (data == NULL)
        return;
    int ready = 0;
    MPI_Irecv(&ready, 1, MPI_INT, to, TAG_READY, ranks->talk, &request);
    cpr_ranks_wait(&request);
    for (size_t at = 0; ready && at < bytes; at += PIECE_BYTES) {
        const size_t piece = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;
        MPI_Isend(data + at, (int)piece, MPI_BYTE, to, TAG_BYTES, ranks->talk, &request);
        cpr_ranks_wait(&request);
    }
}

/* *out is malloc()ed, owned by the caller; NULL if the sender failed, which the sender reports. */
static cpr_status receive_block(cpr_ranks *ranks, int from, uint8_t **out, size_t *bytes,
                                cpr_error *error)
{
    uint64_t total = 0;
    MPI_Request request;
    *out = NULL;
    MPI_Irecv(&total, 1, MPI_UINT64_T, from, TAG_SIZE, ranks->talk, &request);
    cpr_ranks_wait(&request);
    if (total == UINT64_MAX)
        return CPR_OK;
    *bytes = (size_t)total;
    *out = malloc(total ? (size_t)total : 1);
    const int ready = *out != NULL;
    MPI_Isend(&ready, 1, MPI_INT, from, TAG_READY, ranks->talk, &request);
    cpr_ranks_wait(&request);
    if (!ready)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %llu bytes from rank %d",
                        (unsigned long long)total, from);
    for (size_t at = 0; at < *bytes; at += PIECE_BYTES) {
        const size_t piece = *bytes - at < PIECE_BYTES ? *bytes - at : PIECE_BYTES;
        MPI_Irecv(*out + at, (int)piece, MPI_BYTE, from, TAG_BYTES, ranks->talk, &request);
        cpr_ranks_wait(&request);
    }
    return CPR_OK;
}

cpr_status cpr_ranks_reduce(cpr_ranks *ranks, cpr_pack_fn *pack, cpr_merge_fn *merge, void *context,
                            cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (int step = 1; step < ranks->size; step *= 2) {
        uint8_t *data = NULL;
        size_t bytes = 0;
        if (ranks->rank & step) {
            data = status == CPR_OK ? pack(context, &bytes) : NULL;
            if (status == CPR_OK && data == NULL)
                status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to send to another rank");
            send_block(ranks, ranks->rank - step, data, bytes);
            free(data);
            break;
        }
        if (ranks->rank + step < ranks->size) {
            cpr_error detail = {.text = ""};
            cpr_status got = receive_block(ranks, ranks->rank + step, &data, &bytes, &detail);
            if (got == CPR_OK && data != NULL && status == CPR_OK)
                got = merge(context, data, bytes, &detail);
            free(data);
            if (status == CPR_OK && got != CPR_OK)
                status = cpr_fail(error, got, "%s", detail.text);
        }
    }
    return cpr_ranks_agree(ranks, status, error);
}
