/* cmd_extract.c - corpress extract ARCHIVE.h5 [PATH...] [-C DIR] [--shards LIST] */
#include "arguments.h"
#include "command.h"
#include "decode_report.h"
#include "selection.h"

#include <stdlib.h>

#define FILES_NAMED_MOST 1000

typedef struct extract_work {
    command_call *call;
    cpr_extract_options options;
    bool *selected;
    uint64_t partial; /* files left out because some of their shards are not selected */
} extract_work;

/* All ranks come to the same selection. */
static cpr_status extract_choose(extract_work *work, const cpr_archive *archive, cpr_error *error)
{
    cpr_status status = CPR_OK;
    if (work->call->given.shards != NULL) {
        bool *shards = NULL;
        status =
            argument_shards(work->call->given.shards, selection_shards(archive), &shards, error);
        if (status == CPR_OK)
            status = selection_by_shard(archive, shards, &work->selected, &work->partial, error);
        if (status == CPR_OK)
            status = selection_exclude(work->call, archive, work->selected, error);
        free(shards);
    } else {
        status = selection_by_path(work->call, archive, &work->selected, error);
    }
    if (status == CPR_OK)
        status = selection_drop_rests(work->call, archive, &work->selected, error);
    work->options.files = work->selected;
    return cpr_ranks_agree(work->call->ranks, status, error);
}

static cpr_status extract(extract_work *work, cpr_archive *archive, cpr_error *error)
{
    cpr_status status = extract_choose(work, archive, error);
    if (status != CPR_OK)
        return status;
    bool *bad = calloc((size_t)selection_shards(archive) + 1, sizeof *bad);
    if (bad == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    status = cpr_ranks_agree(work->call->ranks, status, error);
    if (status == CPR_OK) {
        decode_report found;
        cpr_listener listener;
        decode_report_begin(&found, work->call->given.quiet, &listener);
        status = cpr_extract(work->call->ranks, archive, &work->options, &listener, bad, error);
        progress_clear(&found.bar);
        if (status == CPR_ERR_DAMAGED && cpr_ranks_rank(work->call->ranks) == 0)
            decode_report_files(archive, bad, FILES_NAMED_MOST);
        if (status == CPR_OK && found.earlier_shards && !work->call->given.quiet)
            fprintf(stderr, "corpress: %llu of %llu shards were there\n",
                    (unsigned long long)found.earlier_shards, (unsigned long long)found.shards);
        if (status == CPR_STOPPED)
            cpr_fail(error, status, "stopped on request; the same command %s goes on",
                     work->options.go_on ? "again" : "with --continue");
    }
    free(bad);
    return status;
}

static int check_extract(command_call *call)
{
    if (call->given.shards != NULL && call->path_count > 0)
        return command_usage(call->ranks, call->command, "either paths or --shards, not both");
    return EXIT_DONE;
}

static cpr_status run_extract(command_call *call, cpr_error *error)
{
    extract_work work = {.call = call,
                         .options = {.directory = call->given.directory,
                                     .overwrite = call->given.force,
                                     .go_on = call->given.go_on,
                                     .tars = call->given.tar,
                                     .cache = call->given.cache,
                                     .threads = (unsigned)call->given.threads}};
    cpr_archive *archive = NULL;
    cpr_stop_catch();
    cpr_status status = cpr_ranks_self_test(call->ranks, NULL, error);
    if (status == CPR_OK)
        status = command_open_archive(call, &archive, error);
    if (status == CPR_OK)
        status = extract(&work, archive, error);
    cpr_archive_close(archive);
    free(work.selected);
    if (status == CPR_OK && work.partial > 0)
        command_warn(call->ranks, "%llu files lie partly in other shards and were left out",
                     (unsigned long long)work.partial);
    call->warnings += work.partial;
    return status;
}

static const char *const extract_usage[] = {"ARCHIVE.h5 [PATH...] [-C DIR]",
                                            "ARCHIVE.h5 --shards LIST [-C DIR]", NULL};

const subcommand cmd_extract = {
    .name = "extract",
    .bit = COMMAND_EXTRACT,
    .summary = "archive to files",
    .usage = extract_usage,
    .about = "Recreates files with their modes and times. A PATH names one file, or a directory "
             "with everything below it; without one all files are extracted. Only the shards that "
             "are needed are read and decoded. A damaged shard does not stop the others: the files "
             "that touch it are named and left out.",
    .operands = OPERANDS_MEMBERS,
    .check = check_extract,
    .run = run_extract,
};
