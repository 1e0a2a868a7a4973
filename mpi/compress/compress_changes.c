/* compress_changes.c - files of the corpus that were touched since the job began.
 *
 * Modes and times do not count, content does: a finished shard of touched files is compared with
 * what the corpus holds now. */
#include "compress_run.h"

#include <stdio.h>
#include <stdlib.h>

cpr_status cpr_compress_share_changes(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_plan *plan = &run->plan;
    size_t bytes = (size_t)cpr_file_list_count(plan->files);
    bool any = false;
    for (size_t i = 0; plan->changes != NULL && i < bytes; i++)
        any = any || plan->changes[i] != CPR_FILE_UNTOUCHED;
    cpr_ranks_tell(run->ranks, &any, sizeof any);
    if (any)
        return cpr_ranks_broadcast(run->ranks, &plan->changes, &bytes, error);
    free(plan->changes);
    plan->changes = NULL;
    return CPR_OK;
}

/* The likeliest change of a file of the shard, which of them is the first with it, and how many
 * there are. */
static uint8_t likeliest(const cpr_compress_plan *plan, uint64_t shard, uint64_t *file,
                         uint64_t *files)
{
    uint8_t most = CPR_FILE_UNTOUCHED;
    *file = cpr_file_list_find(plan->files, plan->starts[shard]);
    *files = 0;
    const uint64_t last = cpr_file_list_find(plan->files, plan->starts[shard + 1] - 1);
    for (uint64_t i = *file; plan->changes != NULL && i <= last; i++) {
        if (plan->changes[i] == CPR_FILE_UNTOUCHED || plan->changes[i] < most)
            continue;
        if (plan->changes[i] > most) {
            most = plan->changes[i];
            *file = i;
            *files = 0;
        }
        (*files)++;
    }
    if (*files == 0)
        *files = last - *file + 1;
    return most;
}

bool cpr_compress_plan_is_touched(const cpr_compress_plan *plan, uint64_t shard)
{
    uint64_t file;
    uint64_t files;
    return plan->changes != NULL && likeliest(plan, shard, &file, &files) != CPR_FILE_UNTOUCHED;
}

const char *cpr_compress_plan_suspect(const cpr_compress_plan *plan, uint64_t shard, char *out,
                                      size_t capacity)
{
    char shown[512];
    uint64_t file;
    uint64_t files;
    (void)likeliest(plan, shard, &file, &files);
    cpr_printable_path(cpr_file_list_source(plan->files, file), shown, sizeof shown);
    if (files == 1)
        snprintf(out, capacity, "\"%s\"", shown);
    else
        snprintf(out, capacity, "\"%s\" or one of %llu files after it", shown,
                 (unsigned long long)files - 1);
    return out;
}
