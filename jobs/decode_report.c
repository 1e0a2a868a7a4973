/* decode_report.c - a listener for commands that decode. */
#include "decode_report.h"

#include "selection.h"

#include <stdio.h>

static void on_phase(void *context, cpr_phase phase, uint64_t raw_bytes, uint64_t items)
{
    decode_report *found = context;
    (void)phase; /* there is only one */
    found->shards = items;
    progress_begin(&found->bar, found->quiet, raw_bytes, items);
    found->bar.decoding = true;
}

static void on_progress(void *context, const cpr_run_progress *now)
{
    decode_report *found = context;
    progress_show(&found->bar, now);
}

static void on_item(void *context, const cpr_item_result *result)
{
    decode_report *found = context;
    if (result->raw_bytes > 0 && result->resumed_bytes == result->raw_bytes)
        found->earlier_shards++;
    if (result->bad == CPR_OK)
        return;
    if (result->shard == CPR_SHARD_PRIMER)
        found->bad_primer = true;
    else
        found->bad_shards++;
    if (result->shard != CPR_SHARD_PRIMER && found->bad != NULL)
        found->bad[result->shard] = true;
    progress_clear(&found->bar);
    command_say("%s", result->text.text);
}

static void on_note(void *context, const char *text)
{
    decode_report *found = context;
    progress_clear(&found->bar);
    command_say("%s", text);
}

void decode_report_begin(decode_report *found, bool quiet, cpr_listener *listener)
{
    *found = (decode_report){.quiet = quiet};
    *listener = (cpr_listener){.context = found,
                               .phase = on_phase,
                               .progress = on_progress,
                               .item = on_item,
                               .note = on_note};
}

void decode_report_files(const cpr_archive *archive, const bool *bad, uint64_t limit)
{
    uint64_t damaged = 0;
    const uint64_t files = selection_files(archive);
    for (uint64_t f = 0; f < files; f++) {
        cpr_entry entry;
        bool touched = false;
        if (cpr_archive_get(archive, f, &entry, NULL) != CPR_OK || entry.bytes == 0)
            continue;
        for (uint64_t i = entry.first_shard; i <= entry.last_shard && !touched; i++)
            touched = bad[i];
        if (!touched || ++damaged > limit)
            continue;
        char shown[1024];
        fprintf(stderr, "corpress: damaged: %s\n",
                cpr_printable_path(entry.path, shown, sizeof shown));
    }
    if (damaged > limit)
        fprintf(stderr, "corpress: damaged: %llu more files\n",
                (unsigned long long)(damaged - limit));
}
