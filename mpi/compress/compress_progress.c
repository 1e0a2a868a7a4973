/* compress_progress.c - tells the user, and the work directory's progress file, how far a run is.
 */
#include "compress_progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void cpr_compress_phase(const cpr_compress_run *run, cpr_phase phase, uint64_t raw_bytes,
                        uint64_t items)
{
    const cpr_listener *user = &run->listener;
    if (cpr_ranks_is_first(run->ranks) && user->phase != NULL)
        user->phase(user->context, phase, raw_bytes, items);
}

void cpr_compress_note(const cpr_compress_run *run, const char *format, ...)
{
    cpr_error note;
    va_list arguments;
    if (!cpr_ranks_is_first(run->ranks) || run->listener.note == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(note.text, sizeof note.text, format, arguments);
    va_end(arguments);
    run->listener.note(run->listener.context, note.text);
}

void cpr_compress_warn(const cpr_compress_run *run, const char *format, ...)
{
    cpr_error text;
    va_list arguments;
    if (!cpr_ranks_is_first(run->ranks) || run->listener.warn == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(text.text, sizeof text.text, format, arguments);
    va_end(arguments);
    run->listener.warn(run->listener.context, text.text);
}

#define WRITE_SECONDS 2.0

/* What it says, as WORK.md describes it; malloc()ed. */
static char *describe(const cpr_progress_file *file, const cpr_rank_progress *each, int size,
                      double now)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL)
        return NULL;
    const cpr_run_progress *shards = file->primer ? &file->run->work.earlier : &file->all;
    fprintf(out,
            "corpress progress 1\nranks %d\nseconds %.1f\nshards %" PRIu64 "\nraw %" PRIu64
            "\ncoded %" PRIu64 "\nearlier %" PRIu64 "\n",
            size, now - file->started, shards->items_done, shards->raw_bytes, shards->coded_bytes,
            shards->earlier_bytes);
    if (file->primer)
        fprintf(out, "primer %" PRIu64 " %" PRIu64 "\n", file->all.raw_bytes,
                file->all.earlier_bytes);
    for (int i = 0; i < size; i++) {
        const cpr_rank_progress *r = &each[i];
        const bool busy = !file->primer && r->item < file->run->work.todo_count;
        fprintf(out, "rank %d %s ", i,
                file->hosts != NULL ? file->hosts + (size_t)i * CPR_HOST_BYTES : "?");
        if (busy)
            fprintf(out, "%" PRIu64, file->run->work.todo[r->item]);
        else
            fputc('-', out);
        fprintf(out, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %.3f\n", r->raw_bytes,
                r->coded_bytes, r->resumed_bytes, r->done_bytes, r->done_seconds);
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static void on_progress(void *context, const cpr_run_progress *now)
{
    cpr_progress_file *file = context;
    const cpr_listener *user = &file->run->listener;
    file->all = *now;
    if (user->progress != NULL)
        user->progress(user->context, now);
}

static void on_ranks(void *context, const cpr_rank_progress *each, int size)
{
    cpr_progress_file *file = context;
    const double now = cpr_ranks_seconds();
    if (now - file->written < WRITE_SECONDS)
        return;
    file->written = now;
    char *text = describe(file, each, size, now);
    /* Of no account: a full disk shows soon enough where it matters. */
    if (text != NULL)
        (void)cpr_work_put_progress(file->run->work.dir, text, NULL);
    free(text);
}

static void on_item(void *context, const cpr_item_result *result)
{
    const cpr_progress_file *file = context;
    const cpr_listener *user = &file->run->listener;
    if (file->primer && result->rank != 0)
        return; /* the others do the same, or wait */
    if (user->item != NULL)
        user->item(user->context, result);
}

static void on_warn(void *context, const char *text)
{
    cpr_progress_file *file = context;
    const cpr_listener *user = &file->run->listener;
    if (user->warn != NULL)
        user->warn(user->context, text);
}

static void on_note(void *context, const char *text)
{
    const cpr_progress_file *file = context;
    const cpr_listener *user = &file->run->listener;
    if (user->note != NULL)
        user->note(user->context, text);
}

void cpr_progress_file_open(cpr_progress_file *file, const cpr_compress_run *run, bool primer)
{
    *file = (cpr_progress_file){.run = run, .primer = primer, .started = cpr_ranks_seconds()};
    file->listener = (cpr_listener){.context = file,
                                    .progress = on_progress,
                                    .ranks = on_ranks,
                                    .item = on_item,
                                    .note = on_note,
                                    .warn = on_warn};
    file->hosts = cpr_ranks_hosts(run->ranks);
}

void cpr_progress_file_close(cpr_progress_file *file)
{
    free(file->hosts);
}
