/* cmd_compress.c - corpress compress CORPUS... -o ARCHIVE.h5 */
#include "command.h"
#include "progress.h"
#include "run_log.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] =
    "corpress compress CORPUS... -o ARCHIVE.h5\n"
    "\n"
    "Compresses files and directories (recursive, in the order of their paths) into one archive.\n"
    "The archive depends on the files and the options only, not on the number of ranks. Beside "
    "it,\n"
    "ARCHIVE.h5.log.jsonl tells when and where it was made.\n"
    "\n"
    "Symbolic links are kept as links, unless -L is given. '-' and pipes (a FIFO, <(...)) are "
    "read\n"
    "first, by rank 0, into ARCHIVE.h5.work/, which needs room for them, and become files of mode\n"
    "0644 and time 0 (1970). What has been read to its end is not read again by a job that goes "
    "on.\n"
    "Pipes, sockets and devices within directories are left out, with a warning.\n"
    "\n"
    "A job that was interrupted goes on when the same command is run again, also with another\n"
    "number of ranks. SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 stop it in order: its state is saved "
    "in\n"
    "ARCHIVE.h5.work/, the exit code is 75. 'corpress status ARCHIVE.h5' says how far it is.\n"
    "\n"
    "  -o, --output ARCHIVE.h5  the archive\n"
    "  -p, --profile NAME       model parameters (default: balanced), see below\n"
    "      --shard-size SIZE    bytes that are coded together, 1M to 4G (default: 64M); units\n"
    "                           K, M, G are powers of 1024\n"
    "      --files-from LIST    compress the paths listed in a file (-: standard input),\n"
    "                           separated by newlines (also CR LF), or by NUL if it holds one\n"
    "  -L, --dereference        take the files and directories that links lead to; links that "
    "lead\n"
    "                           nowhere are kept, links that lead in a circle are left out, both "
    "with\n"
    "                           a warning\n"
    "      --skip-unreadable    leave out, with a warning, what cannot be read or is not there;\n"
    "                           else nothing is compressed, and it is named\n"
    "      --stdin-name NAME    the path in the archive of what is read from a pipe (default: "
    "stdin,\n"
    "                           or a FIFO's own path); the next pipes get NAME.2, NAME.3, ...\n"
    "  -f, --force              replace an archive that exists\n"
    "      --restart            throw away what an interrupted run left in ARCHIVE.h5.work/\n"
    "      --snapshot-interval T  time between snapshots of each shard in work, such as 90s,\n"
    "                           10m (the default), 1h; 0: none but when stopped\n"
    "  -q, --quiet              no progress\n"
    "      --no-primer          each shard starts from nothing: larger archives, but nothing has "
    "to\n"
    "                           be decoded before a shard\n"
    "      --no-mpi-io          rank 0 writes the archive alone, for file systems that do not\n"
    "                           take several writers of one file\n"
    "      --help               this text\n";

/* Everything of one call; rank 0 uses the listener's part. */
typedef struct compress_call {
    cpr_ranks *ranks;
    cpr_compress_options options;
    const char *files_from;
    const char *stdin_name;
    bool dereference;
    bool skip_unreadable;
    cpr_unreadable unreadable;
    bool quiet;
    cpr_file_list *files;
    uint64_t warnings;
    progress_bar bar;
    run_log log;
} compress_call;

/* Sets the options; EXIT_DONE, or another exit code. *help: was asked for. */
static int parse_options(compress_call *call, int argc, char **argv, bool *help)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"profile", required_argument, NULL, 'p'},
        {"shard-size", required_argument, NULL, OPTION_SHARD_SIZE},
        {"files-from", required_argument, NULL, OPTION_FILES_FROM},
        {"dereference", no_argument, NULL, 'L'},
        {"skip-unreadable", no_argument, NULL, OPTION_SKIP_UNREADABLE},
        {"stdin-name", required_argument, NULL, OPTION_STDIN_NAME},
        {"force", no_argument, NULL, 'f'},
        {"restart", no_argument, NULL, OPTION_RESTART},
        {"snapshot-interval", required_argument, NULL, OPTION_SNAPSHOT_INTERVAL},
        {"quiet", no_argument, NULL, 'q'},
        {"no-mpi-io", no_argument, NULL, OPTION_NO_MPI_IO},
        {"no-primer", no_argument, NULL, OPTION_NO_PRIMER},
        {"help", no_argument, NULL, OPTION_HELP},
        {NULL, 0, NULL, 0},
    };
    const char *profile = "balanced";
    call->options.shard_bytes = CPR_SHARD_BYTES_DEFAULT;
    call->options.snapshot_seconds = 600;
    int c;
    while ((c = command_option(call->ranks, argc, argv, "o:p:fLqh", options)) != -1) {
        switch (c) {
        case 'o':
            call->options.archive_path = optarg;
            break;
        case 'p':
            profile = optarg;
            break;
        case OPTION_SHARD_SIZE:
            if (!command_parse_size(optarg, &call->options.shard_bytes) ||
                call->options.shard_bytes < CPR_SHARD_BYTES_MIN ||
                call->options.shard_bytes > CPR_SHARD_BYTES_MAX)
                return command_usage(call->ranks, "compress",
                                     "--shard-size wants 1M to 4G, not '%s'", optarg);
            break;
        case OPTION_FILES_FROM:
            call->files_from = optarg;
            break;
        case OPTION_STDIN_NAME:
            if (command_check_stdin_name(call->ranks, "compress", optarg) != EXIT_DONE)
                return EXIT_USAGE;
            call->stdin_name = optarg;
            break;
        case OPTION_SKIP_UNREADABLE:
            call->skip_unreadable = true;
            break;
        case 'L':
            call->dereference = true;
            break;
        case 'f':
            call->options.overwrite = true;
            break;
        case OPTION_RESTART:
            call->options.restart = true;
            break;
        case OPTION_SNAPSHOT_INTERVAL:
            if (!command_parse_seconds(optarg, &call->options.snapshot_seconds))
                return command_usage(call->ranks, "compress",
                                     "--snapshot-interval wants a time such as 90s, 10m, 1h or 0, "
                                     "not '%s'",
                                     optarg);
            break;
        case 'q':
            call->quiet = true;
            break;
        case OPTION_NO_PRIMER:
            call->options.no_primer = true;
            break;
        case OPTION_NO_MPI_IO:
            call->options.alone = true;
            break;
        case 'h':
        case OPTION_HELP:
            *help = true;
            return EXIT_DONE;
        default:
            return command_bad_option(call->ranks, "compress");
        }
    }
    call->options.profile = cpr_profile_find(profile);
    if (call->options.profile == NULL)
        return command_usage(call->ranks, "compress", "no profile '%s'", profile);
    if (call->options.archive_path == NULL || !*call->options.archive_path)
        return command_usage(call->ranks, "compress", "no archive given (-o ARCHIVE.h5)");
    if (strcmp(call->options.archive_path, "-") == 0)
        return command_usage(call->ranks, "compress",
                             "an archive cannot be written to standard output (./- is a file)");
    if (optind == argc && call->files_from == NULL)
        return command_usage(call->ranks, "compress", "no corpus given");
    return EXIT_DONE;
}

/* A cpr_warn_fn. */
static void warn(void *context, const char *text)
{
    compress_call *call = context;
    call->warnings++;
    command_warn(call->ranks, "%s", text);
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
        resolved != NULL ? command_join(resolved, strcmp(resolved, "/") == 0 ? "" : "/") : NULL;
    char *out = below != NULL ? command_join(below, name) : NULL;
    free(directory);
    free(resolved);
    free(below);
    return out;
}

/* Rank 0: the corpus, without the archive that it is going to. */
static cpr_status list_files(compress_call *call, int paths, char **path, cpr_error *error)
{
    char *archive = absolute(call->options.archive_path);
    char *work = archive != NULL ? command_join(archive, ".work") : NULL;
    char *log = archive != NULL ? run_log_path(archive) : NULL;
    const char *exclude[] = {archive, work, log, NULL};
    const cpr_list_options options = {.exclude = exclude,
                                      .unreadable = &call->unreadable,
                                      .dereference = call->dereference,
                                      .stream_name = call->stdin_name,
                                      .warn = warn,
                                      .warn_context = call,
                                      .poll = check_stop};
    cpr_status status = CPR_OK;
    call->files = cpr_file_list_create();
    if (archive == NULL || work == NULL || log == NULL || call->files == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to list files");
    for (int i = 0; status == CPR_OK && i < paths; i++)
        status = cpr_file_list_add(call->files, path[i], &options, error);
    if (status == CPR_OK && call->files_from != NULL)
        status = cpr_file_list_add_from(call->files, call->files_from, &options, error);
    if (status == CPR_OK)
        status =
            cpr_file_list_check_unreadable(call->files, &options, call->skip_unreadable, error);
    if (status == CPR_OK)
        status = cpr_file_list_check_streams(call->files, error);
    if (status == CPR_OK && cpr_file_list_streams(call->files) == 0)
        cpr_file_list_judge(call->files, &options);
    free(archive);
    free(work);
    free(log);
    return status;
}

/* ---- listener ------------------------------------------------------------------------------ */

static void on_phase(void *context, const char *name)
{
    compress_call *call = context;
    run_log_phase(&call->log, name);
    progress_clear(&call->bar);
    if (strcmp(name, "streams") == 0) {
        progress_begin(&call->bar, call->quiet, 0, 0);
        call->bar.counting = true;
    }
    if (strcmp(name, "primer") == 0) {
        progress_begin(&call->bar, call->quiet,
                       cpr_compress_primer_bytes(&call->options, call->files), 0);
        call->bar.what = "primer, ";
    }
    if (strcmp(name, "shards") == 0)
        progress_begin(
            &call->bar, call->quiet, cpr_file_list_bytes(call->files),
            cpr_plan_shards(cpr_file_list_bytes(call->files), call->options.shard_bytes));
}

static void on_progress(void *context, const cpr_run_progress *now)
{
    compress_call *call = context;
    progress_show(&call->bar, now);
}

static void on_item(void *context, const cpr_item_result *result)
{
    compress_call *call = context;
    run_log_shard(&call->log, result);
}

static void on_note(void *context, const char *text)
{
    compress_call *call = context;
    progress_clear(&call->bar);
    run_log_note(&call->log, text);
    if (!call->quiet)
        command_say("%s", text);
}

static void on_warn(void *context, const char *text)
{
    compress_call *call = context;
    progress_clear(&call->bar);
    run_log_note(&call->log, text);
    warn(call, text);
}

static void open_log(compress_call *call, const char *hosts)
{
    if (!run_log_open(&call->log, call->options.archive_path)) {
        call->warnings++;
        command_warn(call->ranks, "no run log: %s: %s",
                     call->log.path != NULL ? call->log.path : "",
                     errno == EEXIST ? "a file that is no run log is there" : strerror(errno));
    }
    run_log_start(&call->log, cpr_ranks_size(call->ranks), hosts, &call->options, call->files);
}

static void close_log(compress_call *call)
{
    if (call->log.file != NULL && !run_log_close(&call->log)) {
        call->warnings++;
        command_warn(call->ranks, "the run log could not be written completely");
    }
    free(call->log.path);
}

/* Rank 0: "corpress: ARCHIVE: 12 files, 33.5 MB -> 3.6 MB, ratio 9.31, 0:00:41" */
static void summarize(const compress_call *call, const cpr_compress_totals *totals, double seconds)
{
    char raw[32];
    char archive[32];
    char time[32];
    char path[512];
    if (call->quiet)
        return;
    fprintf(stderr, "corpress: %s: %llu files, %llu shards, %s -> %s, ratio %.3f, %s\n",
            cpr_printable_path(call->options.archive_path, path, sizeof path),
            (unsigned long long)totals->files, (unsigned long long)totals->shards,
            progress_bytes(totals->raw_bytes, raw, sizeof raw),
            progress_bytes(totals->archive_bytes, archive, sizeof archive),
            (double)totals->raw_bytes / (double)totals->archive_bytes,
            progress_time(seconds, time, sizeof time));
}

/* Only now it is known what the pipes gave; a job that was complete has not looked at them. */
static void judge_streams(compress_call *call, const cpr_compress_totals *totals)
{
    const cpr_list_options options = {
        .dereference = call->dereference, .warn = warn, .warn_context = call};
    if (cpr_file_list_streams(call->files) > 0 &&
        cpr_file_list_bytes(call->files) == totals->raw_bytes)
        cpr_file_list_judge(call->files, &options);
}

static cpr_status compress(compress_call *call, int paths, char **path, cpr_error *error)
{
    const bool first = cpr_ranks_rank(call->ranks) == 0;
    const double started = progress_clock();
    cpr_status status = cpr_compress_check_output(call->ranks, &call->options, error);
    if (status != CPR_OK)
        return status;
    if (first)
        status = run_log_check(call->options.archive_path, error);
    if (first && status == CPR_OK)
        status = list_files(call, paths, path, error);
    status = cpr_ranks_agree(call->ranks, status, error);
    if (status != CPR_OK)
        return status;

    char *hosts = cpr_ranks_hosts(call->ranks);
    if (first)
        open_log(call, hosts);
    free(hosts);
    const cpr_listener listener = {.context = call,
                                   .phase = on_phase,
                                   .progress = on_progress,
                                   .item = on_item,
                                   .note = on_note,
                                   .warn = on_warn};
    cpr_compress_totals totals = {.files = 0};
    status = cpr_compress(call->ranks, call->files, &call->options, &listener, &totals, error);
    if (first) {
        progress_clear(&call->bar);
        if (status == CPR_OK) {
            judge_streams(call, &totals);
            run_log_published(&call->log, &totals, progress_clock() - started);
            summarize(call, &totals, progress_clock() - started);
        } else if (status == CPR_STOPPED) {
            run_log_stopped(&call->log, error->text);
        } else {
            run_log_failed(&call->log, status, error->text);
        }
        close_log(call);
    }
    return status;
}

int cmd_compress(cpr_ranks *ranks, int argc, char **argv)
{
    compress_call call = {.ranks = ranks};
    bool help = false;
    int code = parse_options(&call, argc, argv, &help);
    if (help)
        return command_help(ranks, help_text, true);
    if (code != EXIT_DONE)
        return code;
    cpr_stop_catch();
    cpr_error error = {.text = ""};
    const cpr_status status = compress(&call, argc - optind, argv + optind, &error);
    cpr_file_list_free(call.files);
    if (status != CPR_OK)
        return command_failed(ranks, status, &error);
    return call.warnings ? EXIT_WARNINGS : EXIT_DONE;
}
