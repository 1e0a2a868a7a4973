/* compress_changes.c - files of the corpus that were touched since the job began.
 *
 * Modes and times do not count, content does: a finished shard of touched files is compared with
 * what the corpus holds now. */
#include "compress_run.h"

#include <stdio.h>
#include <stdlib.h>

cpr_status cpr_compress_share_changes(cpr_compress_run *run, cpr_error *error)
{
    const bool first = cpr_ranks_rank(run->ranks) == 0;
    const size_t files = (size_t)cpr_file_list_count(run->files);
    uint64_t any = 0;
    for (size_t i = 0; first && run->changes != NULL && i < files; i++)
        any |= run->changes[i] != CPR_FILE_UNTOUCHED;
    cpr_ranks_maximum(run->ranks, &any, 1);
    if (!any) {
        free(run->changes);
        run->changes = NULL;
        return CPR_OK;
    }
    size_t bytes = files;
    return cpr_ranks_broadcast(run->ranks, &run->changes, &bytes, error);
}

/* The likeliest change of a file of the shard, which of them is the first with it, and how many
 * there are. */
static uint8_t likeliest(const cpr_compress_run *run, uint64_t shard, uint64_t *file,
                         uint64_t *files)
{
    uint8_t most = CPR_FILE_UNTOUCHED;
    *file = cpr_file_list_find(run->files, run->starts[shard]);
    *files = 0;
    const uint64_t last = cpr_file_list_find(run->files, run->starts[shard + 1] - 1);
    for (uint64_t i = *file; run->changes != NULL && i <= last; i++) {
        if (run->changes[i] == CPR_FILE_UNTOUCHED || run->changes[i] < most)
            continue;
        if (run->changes[i] > most) {
            most = run->changes[i];
            *file = i;
            *files = 0;
        }
        (*files)++;
    }
    if (*files == 0)
        *files = last - *file + 1;
    return most;
}

bool cpr_compress_is_touched(const cpr_compress_run *run, uint64_t shard)
{
    uint64_t file;
    uint64_t files;
    return run->changes != NULL && likeliest(run, shard, &file, &files) != CPR_FILE_UNTOUCHED;
}

const char *cpr_compress_suspect(const cpr_compress_run *run, uint64_t shard, char *out,
                                 size_t capacity)
{
    char shown[512];
    uint64_t file;
    uint64_t files;
    (void)likeliest(run, shard, &file, &files);
    cpr_printable_path(cpr_file_list_source(run->files, file), shown, sizeof shown);
    if (files == 1)
        snprintf(out, capacity, "\"%s\"", shown);
    else
        snprintf(out, capacity, "\"%s\" or one of %llu files after it", shown,
                 (unsigned long long)files - 1);
    return out;
}
