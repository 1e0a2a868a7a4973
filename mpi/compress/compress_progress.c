/* compress_progress.c - tells the user, and the work directory's progress file, how far a run is.
 */
#include "compress_progress.h"

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

/* Rank 0: `tell` is the listener's note() or warn(), or NULL. */
static void run_tell(const cpr_compress_run *run, void (*tell)(void *context, const char *text),
                     const char *format, va_list arguments)
{
    cpr_error text;
    if (!cpr_ranks_is_first(run->ranks) || tell == NULL)
        return;
    vsnprintf(text.text, sizeof text.text, format, arguments);
    tell(run->listener.context, text.text);
}

void cpr_compress_note(const cpr_compress_run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    run_tell(run, run->listener.note, format, arguments);
    va_end(arguments);
}

void cpr_compress_warn(const cpr_compress_run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    run_tell(run, run->listener.warn, format, arguments);
    va_end(arguments);
}

#define WRITE_SECONDS 2.0
#define TELL_SECONDS 0.1 /* steps of a lesson may be shorter */

/* One rank of the file; nothing is in work while the primer is. */
static cpr_work_rank_progress rank_of(const cpr_progress_file *file, const cpr_rank_progress *rank,
                                      const char *host)
{
    const bool busy = !file->primer && rank->item < file->run->work.todo_count;
    cpr_work_rank_progress out = {
        .shard = busy ? file->run->work.todo[rank->item] : UINT64_MAX,
        .raw_bytes = rank->raw_bytes,
        .coded_bytes = rank->coded_bytes,
        .resumed_bytes = rank->resumed_bytes,
        .done_bytes = rank->done_bytes,
        .done_seconds = rank->done_seconds,
    };
    snprintf(out.host, sizeof out.host, "%s", host);
    return out;
}

/* False: out of memory. The caller frees *progress. */
static bool describe(const cpr_progress_file *file, const cpr_rank_progress *each, int size,
                     double now, cpr_work_progress *progress)
{
    const cpr_run_progress *shards = file->primer ? &file->run->work.earlier : &file->all;
    *progress = (cpr_work_progress){
        .seconds = now - file->started,
        .shards_done = shards->items_done,
        .raw_bytes = shards->raw_bytes,
        .coded_bytes = shards->coded_bytes,
        .earlier_bytes = shards->earlier_bytes,
        .in_primer = file->primer,
        .primer_bytes = file->primer ? file->all.raw_bytes : 0,
        .primer_earlier_bytes = file->primer ? file->all.earlier_bytes : 0,
        .rank_count = (size_t)size,
        .ranks = calloc((size_t)size, sizeof *progress->ranks),
    };
    for (int i = 0; progress->ranks != NULL && i < size; i++)
        progress->ranks[i] = rank_of(
            file, &each[i], file->hosts != NULL ? file->hosts + (size_t)i * CPR_HOST_BYTES : "");
    return progress->ranks != NULL;
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
    cpr_work_progress progress;
    /* Failures do not matter: a full disk shows soon enough where it does. */
    if (describe(file, each, size, now, &progress))
        (void)cpr_work_progress_write(file->run->work.dir, &progress, NULL);
    cpr_work_progress_free(&progress);
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

/* The progress file while the lesson is in work: no rank has a shard. */
static void write_lesson(const cpr_compress_run *run, const cpr_lesson_facts *facts)
{
    const cpr_run_progress *shards = &run->work.earlier;
    const cpr_work_progress progress = {
        .seconds = facts->seconds,
        .shards_done = shards->items_done,
        .raw_bytes = shards->raw_bytes,
        .coded_bytes = shards->coded_bytes,
        .earlier_bytes = shards->earlier_bytes,
        .in_lesson = true,
        .lesson = {.sample_bytes = facts->sample_bytes,
                   .begun_bytes = facts->begun_bytes,
                   .text_bytes = facts->text_bytes,
                   .loss_bits = facts->loss_bits},
    };
    (void)cpr_work_progress_write(run->work.dir, &progress, NULL);
}

void cpr_progress_lesson_tell(cpr_progress_lesson *progress, const cpr_compress_run *run,
                              const cpr_lesson_facts *facts)
{
    const cpr_listener *user = &run->listener;
    const double now = cpr_ranks_seconds();
    const bool over = facts->weights_bytes > 0;
    if (!cpr_ranks_is_first(run->ranks))
        return;
    if (over || now - progress->written >= WRITE_SECONDS) {
        progress->written = now;
        write_lesson(run, facts);
    }
    if (user->lesson != NULL && (over || now - progress->told >= TELL_SECONDS)) {
        progress->told = now;
        user->lesson(user->context, facts);
    }
}
