/* cmd_compress.c - corpress compress CORPUS... -o ARCHIVE.h5 */
#include "arguments.h"
#include "command.h"
#include "corpus_list.h"
#include "progress.h"
#include "run_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Everything of one call; rank 0 uses what is behind the options. */
typedef struct compress_work {
    command_call *call;
    cpr_compress_options options;
    cpr_file_list *files;
    progress_bar bar;
    run_log log;
} compress_work;

/* A cpr_warn_fn. */
static void compress_warn(void *context, const char *text)
{
    compress_work *work = context;
    work->call->warnings++;
    command_warn(work->call->ranks, "%s", text);
}

/* A cpr_poll_fn. */
static cpr_status check_stop(void *context, cpr_error *error)
{
    (void)context;
    return cpr_stop_check(error);
}

/* The absolute path of a file in a directory that exists, whether the file exists or not;
 * malloc()ed. */
static char *absolute(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = slash != NULL ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    char *resolved = directory != NULL ? realpath(directory, NULL) : NULL;
    const char *name = slash != NULL ? slash + 1 : path;
    char *below =
        resolved != NULL ? argument_join(resolved, strcmp(resolved, "/") == 0 ? "" : "/") : NULL;
    char *out = below != NULL ? argument_join(below, name) : NULL;
    free(directory);
    free(resolved);
    free(below);
    return out;
}

/* Rank 0: the corpus, without the archive that it is going to. */
static cpr_status list_files(compress_work *work, cpr_error *error)
{
    char *archive = absolute(work->options.archive_path);
    char *directory = archive != NULL ? argument_join(archive, ".work") : NULL;
    char *log = archive != NULL ? run_log_path(archive) : NULL;
    const char *exclude[] = {archive, directory, log, NULL};
    cpr_unreadable unreadable = {0};
    const cpr_list_options options = {.exclude = exclude,
                                      .unreadable = &unreadable,
                                      .dereference = work->call->given.dereference,
                                      .stream_name = work->call->given.stdin_name,
                                      .warn = compress_warn,
                                      .warn_context = work,
                                      .poll = check_stop};
    cpr_status status = CPR_OK;
    if (archive == NULL || directory == NULL || log == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to list files");
    if (status == CPR_OK)
        status = corpus_list(work->call, &options, &work->files, error);
    if (status == CPR_OK && cpr_file_list_streams(work->files) == 0)
        cpr_file_list_judge(work->files, &options);
    free(archive);
    free(directory);
    free(log);
    return status;
}

/* ---- listener ------------------------------------------------------------------------------ */

static void on_phase(void *context, cpr_phase phase, uint64_t raw_bytes, uint64_t items)
{
    compress_work *work = context;
    run_log_phase(&work->log, phase);
    progress_clear(&work->bar);
    if (phase == CPR_PHASE_VOCABULARY || phase == CPR_PHASE_PUBLISHING)
        return;
    progress_begin(&work->bar, work->call->given.quiet, raw_bytes, items);
    work->bar.counting = phase == CPR_PHASE_STREAMS;
    work->bar.what = phase == CPR_PHASE_PRIMER ? "primer, " : NULL;
}

static void on_progress(void *context, const cpr_run_progress *now)
{
    compress_work *work = context;
    progress_show(&work->bar, now);
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
    compress_warn(work, text);
}

static void open_log(compress_work *work, const char *hosts)
{
    if (!run_log_open(&work->log, work->options.archive_path)) {
        work->call->warnings++;
        command_warn(work->call->ranks, "no run log: %s: %s",
                     work->log.path != NULL ? work->log.path : "",
                     errno == EEXIST ? "a file that is no run log is there" : strerror(errno));
    }
    run_log_start(&work->log, cpr_ranks_size(work->call->ranks), hosts, &work->options,
                  work->files);
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

/* Only now it is known what the pipes gave; a job that was complete has not looked at them. */
static void judge_streams(compress_work *work, const cpr_compress_totals *totals)
{
    const cpr_list_options options = {
        .dereference = work->call->given.dereference, .warn = compress_warn, .warn_context = work};
    if (cpr_file_list_streams(work->files) > 0 &&
        cpr_file_list_bytes(work->files) == totals->raw_bytes)
        cpr_file_list_judge(work->files, &options);
}

static cpr_status compress(compress_work *work, cpr_error *error)
{
    const bool first = cpr_ranks_rank(work->call->ranks) == 0;
    const double started = progress_clock();
    cpr_status status = cpr_compress_check_output(work->call->ranks, &work->options, error);
    if (status != CPR_OK)
        return status;
    if (first)
        status = run_log_check(work->options.archive_path, error);
    if (first && status == CPR_OK)
        status = list_files(work, error);
    status = cpr_ranks_agree(work->call->ranks, status, error);
    if (status != CPR_OK)
        return status;

    char *hosts = cpr_ranks_hosts(work->call->ranks);
    if (first)
        open_log(work, hosts);
    free(hosts);
    const cpr_listener listener = {.context = work,
                                   .phase = on_phase,
                                   .progress = on_progress,
                                   .item = on_item,
                                   .note = on_note,
                                   .warn = on_warn};
    cpr_compress_totals totals = {.files = 0};
    status =
        cpr_compress(work->call->ranks, work->files, &work->options, &listener, &totals, error);
    if (first) {
        progress_clear(&work->bar);
        if (status == CPR_OK) {
            judge_streams(work, &totals);
            run_log_published(&work->log, &totals, progress_clock() - started);
            summarize(work, &totals, progress_clock() - started);
        } else if (status == CPR_STOPPED) {
            run_log_stopped(&work->log, error->text);
        } else {
            run_log_failed(&work->log, status, error->text);
        }
        close_log(work);
    }
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
    return EXIT_DONE;
}

static cpr_status run_compress(command_call *call, cpr_error *error)
{
    const option_values *given = &call->given;
    compress_work work = {.call = call,
                          .options = {.archive_path = call->archive,
                                      .profile = cpr_profile_find(given->profile),
                                      .shard_bytes = given->shard_bytes,
                                      .overwrite = given->force,
                                      .no_primer = given->no_primer,
                                      .alone = given->no_mpi_io,
                                      .restart = given->restart,
                                      .snapshot_seconds = given->snapshot_seconds}};
    cpr_stop_catch();
    const cpr_status status = compress(&work, error);
    cpr_file_list_free(work.files);
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
