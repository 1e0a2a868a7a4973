/* ranks_memory.c - the ranks of a node share its memory, and count themselves. */
#include "memory_limits.h"
#include "ranks_private.h"

#include <stdlib.h>
#include <string.h>

uint64_t cpr_ranks_here(cpr_ranks *ranks)
{
    if (ranks->size == 1)
        return 1;
    uint64_t here = 0;
    void *gathered;
    cpr_error detail;
    if (cpr_ranks_gather(ranks, ranks->host, CPR_HOST_BYTES, &gathered, &detail) != CPR_OK)
        return 0;
    const char *hosts = gathered;
    for (int i = 0; i < ranks->size; i++)
        here += memcmp(hosts + (size_t)i * CPR_HOST_BYTES, ranks->host, CPR_HOST_BYTES) == 0;
    free(gathered);
    return here;
}

cpr_status cpr_ranks_check_memory(cpr_ranks *ranks, const cpr_profile *profile, uint64_t max_bytes,
                                  bool primer, uint64_t before, uint64_t items,
                                  const cpr_listener *listener, cpr_error *error)
{
    uint64_t free_bytes = 0;
    cpr_memory_need need = cpr_memory_need_of(profile, max_bytes, primer);
    if (need.each < before)
        need.each = before;
    need.ranks = cpr_ranks_here(ranks);
    need.one_copy = ranks->size == 1;
    if (need.ranks > items && before == 0)
        need.ranks = items;
    const cpr_status status = cpr_ranks_agree(ranks, cpr_memory_check(&need, error), error);
    if (status != CPR_OK)
        return status;
    uint64_t lacking = cpr_memory_is_short(&need, &free_bytes);
    cpr_ranks_maximum(ranks, &lacking, 1);
    if (lacking && ranks->rank == 0 && listener != NULL && listener->note != NULL) {
        cpr_error note;
        cpr_fail(&note, CPR_OK,
                 "warning: memory may run out: %s needs %llu MiB a rank, and a node has less at "
                 "the moment",
                 need.who, (unsigned long long)(need.each >> 20));
        listener->note(listener->context, note.text);
    }
    return CPR_OK;
}
