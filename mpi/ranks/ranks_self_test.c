/* ranks_self_test.c - before anything is coded or decoded: do all ranks compute the same?
 *
 * A node that computes differently would write shards that no other can read. Its own known answers
 * tell most of that; that the ranks also agree among themselves tells, for instance, nodes on which
 * another version of the program is installed. */
#include "ranks_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tests provoke what a sound machine does not do: CORPRESS_TEST_FAULT=selftest:RANK, that rank's
 * known answers come out wrong; fingerprint:RANK, they are right but not those of the others. */
static bool fault_wanted(const cpr_ranks *ranks, const char *kind)
{
    const char *wanted = getenv("CORPRESS_TEST_FAULT");
    char here[64];
    snprintf(here, sizeof here, "%s:%d", kind, ranks->rank);
    return wanted != NULL && strcmp(wanted, here) == 0;
}

/* The fingerprint that most ranks have, that of the lowest rank if several are as frequent. */
static uint64_t most_frequent(const uint64_t *values, int count)
{
    uint64_t best = values[0];
    int best_times = 0;
    for (int i = 0; i < count && best_times <= count - i; i++) {
        int times = 0;
        for (int j = i; j < count; j++)
            times += values[j] == values[i];
        if (times > best_times) {
            best_times = times;
            best = values[i];
        }
    }
    return best;
}

cpr_status cpr_ranks_self_test(cpr_ranks *ranks, const cpr_profile *profile, cpr_error *error)
{
    uint64_t mine = 0;
    cpr_status status = cpr_self_test(profile, &mine, error);
    if (status == CPR_OK && fault_wanted(ranks, "selftest"))
        status = cpr_fail(error, CPR_ERR_SELF_TEST, "the self-test failed (provoked)");
    if (fault_wanted(ranks, "fingerprint"))
        mine++;
    uint64_t *all = malloc((size_t)ranks->size * sizeof *all);
    if (status == CPR_OK && all == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the self-test");
    status = cpr_ranks_agree(ranks, status, error);
    if (status == CPR_OK && ranks->size > 1) {
        MPI_Request request;
        MPI_Iallgather(&mine, 1, MPI_UINT64_T, all, 1, MPI_UINT64_T, ranks->comm, &request);
        cpr_ranks_wait(&request);
        const uint64_t usual = most_frequent(all, ranks->size);
        if (mine != usual)
            status = cpr_fail(error, CPR_ERR_SELF_TEST,
                              "this rank computes differently from the others (self-test %016llx "
                              "instead of %016llx): is it the same program on all machines?",
                              (unsigned long long)mine, (unsigned long long)usual);
        status = cpr_ranks_agree(ranks, status, error);
    }
    free(all);
    ranks->fingerprint = mine;
    return status;
}
