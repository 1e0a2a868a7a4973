/* cmd_compress.c - corpress compress CORPUS... -o ARCHIVE.h5 */
#include "command.h"
#include "corpus_input.h"
#include "progress.h"
#include "run_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Everything of one call; rank 0 uses what is behind the options. */
typedef struct compress_work {
    command_call *call;
    cpr_compress_options options;
    progress_bar bar;
    run_log log;
} compress_work;

/* ---- listener ------------------------------------------------------------------------------ */

static void on_corpus(void *context, const cpr_corpus_facts *facts)
{
    compress_work *work = context;
    if (!run_log_open(&work->log, work->options.archive_path)) {
        work->call->warnings++;
        command_warn(work->call->ranks, "no run log: %s: %s",
                     work->log.path != NULL ? work->log.path : "",
                     errno == EEXIST ? "a file that is no run log is there" : strerror(errno));
    }
    run_log_start(&work->log, &work->options, facts);
}

static void on_phase(void *context, cpr_phase phase, uint64_t raw_bytes, uint64_t items)
{
    compress_work *work = context;
    run_log_phase(&work->log, phase);
    progress_clear(&work->bar);
    if (phase == CPR_PHASE_VOCABULARY || phase == CPR_PHASE_PUBLISHING)
        return;
    progress_begin(&work->bar, work->call->given.quiet, raw_bytes, items);
    work->bar.counting = phase == CPR_PHASE_STREAMS;
    work->bar.teaching = phase == CPR_PHASE_LESSON;
    work->bar.what = phase == CPR_PHASE_LESSON   ? "lesson, "
                     : phase == CPR_PHASE_PRIMER ? "primer, "
                     : phase == CPR_PHASE_INPUTS ? "inputs, "
                                                 : NULL;
}

static void on_progress(void *context, const cpr_run_progress *now)
{
    compress_work *work = context;
    progress_show(&work->bar, now);
}

static void on_lesson(void *context, const cpr_lesson_facts *lesson)
{
    compress_work *work = context;
    const cpr_run_progress now = {.raw_bytes = lesson->begun_bytes,
                                  .earlier_bytes = lesson->earlier_bytes};
    work->bar.bits_per_byte = progress_bits(lesson->loss_bits, lesson->text_bytes);
    progress_show(&work->bar, &now);
    if (lesson->weights_bytes > 0)
        run_log_lesson(&work->log, lesson);
}

static void on_item(void *context, const cpr_item_result *result)
{
    compress_work *work = context;
    run_log_shard(&work->log, result);
}

static void on_note(void *context, const char *text)
{
    compress_work *work = context;
    progress_clear(&work->bar);
    run_log_note(&work->log, text);
    if (!work->call->given.quiet)
        command_say("%s", text);
}

static void on_warn(void *context, const char *text)
{
    compress_work *work = context;
    progress_clear(&work->bar);
    run_log_note(&work->log, text);
    work->call->warnings++;
    command_warn(work->call->ranks, "%s", text);
}

static void close_log(compress_work *work)
{
    if (work->log.file != NULL && !run_log_close(&work->log)) {
        work->call->warnings++;
        command_warn(work->call->ranks, "the run log could not be written completely");
    }
    free(work->log.path);
}

/* Rank 0: "corpress: ARCHIVE: 12 files, 33.5 MB -> 3.6 MB, ratio 9.31, 0:00:41" */
static void summarize(const compress_work *work, const cpr_compress_totals *totals, double seconds)
{
    char raw[32];
    char archive[32];
    char time[32];
    char path[512];
    if (work->call->given.quiet)
        return;
    fprintf(stderr, "corpress: %s: %llu files, %llu shards, %s -> %s, ratio %.3f, %s\n",
            cpr_printable_path(work->options.archive_path, path, sizeof path),
            (unsigned long long)totals->files, (unsigned long long)totals->shards,
            progress_bytes(totals->raw_bytes, raw, sizeof raw),
            progress_bytes(totals->archive_bytes, archive, sizeof archive),
            (double)totals->raw_bytes / (double)totals->archive_bytes,
            progress_time(seconds, time, sizeof time));
}

/* Rank 0: how it went, for the log and the user. */
static void finish_log(compress_work *work, cpr_status status, const cpr_compress_totals *totals,
                       double seconds, const cpr_error *error)
{
    progress_clear(&work->bar);
    if (status == CPR_OK) {
        run_log_published(&work->log, totals, seconds);
        summarize(work, totals, seconds);
    } else if (status == CPR_STOPPED) {
        run_log_stopped(&work->log, error->text);
    } else {
        run_log_failed(&work->log, status, error->text);
    }
    close_log(work);
}

static cpr_status compress(compress_work *work, cpr_error *error)
{
    const double started = progress_clock();
    const cpr_listener listener = {.context = work,
                                   .corpus = on_corpus,
                                   .phase = on_phase,
                                   .progress = on_progress,
                                   .lesson = on_lesson,
                                   .item = on_item,
                                   .note = on_note,
                                   .warn = on_warn};
    cpr_compress_totals totals = {.files = 0};
    const cpr_status status =
        cpr_compress(work->call->ranks, &work->options, &listener, &totals, error);
    if (cpr_ranks_rank(work->call->ranks) == 0)
        finish_log(work, status, &totals, progress_clock() - started, error);
    return status;
}

static int check_compress(command_call *call)
{
    const option_values *given = &call->given;
    if (cpr_profile_find(given->profile) == NULL)
        return command_usage(call->ranks, call->command, "no profile '%s'", given->profile);
    if (given->output == NULL || !*given->output)
        return command_usage(call->ranks, call->command, "no archive given (-o ARCHIVE.h5)");
    if (strcmp(given->output, "-") == 0)
        return command_usage(call->ranks, call->command,
                             "an archive cannot be written to standard output (./- is a file)");
    return command_check_lesson(call);
}

static cpr_status run_compress(command_call *call, cpr_error *error)
{
    const option_values *given = &call->given;
    char *log = run_log_path(call->archive);
    const char *const exclude[] = {log, NULL};
    compress_work work = {.call = call,
                          .options = {.archive_path = call->archive,
                                      .profile = cpr_profile_find(given->profile),
                                      .shard_bytes = given->shard_bytes,
                                      .overwrite = given->force,
                                      .no_primer = given->no_primer,
                                      .no_lesson = given->no_lesson,
                                      .lesson_bytes = given->lesson_bytes,
                                      .documents = given->documents,
                                      .alone = given->no_mpi_io,
                                      .restart = given->restart,
                                      .snapshot_seconds = given->snapshot_seconds}};
    cpr_status status = corpus_input_make(call, &work.options.input, error);
    work.options.input.exclude = exclude;
    cpr_stop_catch();
    if (status == CPR_OK && log == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a path");
    else if (status == CPR_OK && cpr_ranks_rank(call->ranks) == 0)
        status = run_log_check(call->archive, error);
    status = cpr_ranks_agree(call->ranks, status, error);
    if (status == CPR_OK)
        status = compress(&work, error);
    free(log);
    corpus_input_free(&work.options.input);
    return status;
}

static const char *const compress_usage[] = {"CORPUS... -o ARCHIVE.h5", NULL};

const subcommand cmd_compress = {
    .name = "compress",
    .bit = COMMAND_COMPRESS,
    .summary = "files to one archive",
    .usage = compress_usage,
    .about =
        "Compresses files and directories into one archive. Directories are read recursively, in "
        "the order of their paths. The archive depends on the files and the options only, never on "
        "the number of ranks. ARCHIVE.h5.log.jsonl beside it tells when and where it was made.\n\n"
        "Symbolic links stay links, unless -L is given. Pipes ('-', a FIFO, <(...)) are read "
        "first, by rank 0, into ARCHIVE.h5.work/, which needs room for them, and become files of "
        "mode 0644 and time 0 (1970). A job that goes on does not read again what it has read to "
        "its end. Pipes, sockets and devices within directories are left out, with a warning.\n\n"
        "An interrupted job goes on when the same command is run again, with any number of ranks. "
        "SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 stop it in order: its state is saved in "
        "ARCHIVE.h5.work/, the exit code is 75. 'corpress status ARCHIVE.h5' says how far it is.",
    .operands = OPERANDS_CORPUS,
    .profiles = true,
    .check = check_compress,
    .run = run_compress,
};
