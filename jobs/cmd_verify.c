/* cmd_verify.c - corpress verify ARCHIVE.h5 [--subset N/M] [--continue] */
#include "arguments.h"
#include "command.h"
#include "decode_report.h"
#include "selection.h"

#include <stdlib.h>
#include <string.h>

#define FILES_NAMED_MOST 1000

typedef struct verify_work {
    command_call *call;
    cpr_examine_options options;
    option_part part;
    char *state;    /* path of the file that remembers; NULL: none */
    bool *selected; /* the part's shards */
    cpr_examine_totals totals;
    decode_report report;
} verify_work;

/* Whether this run is to remember what it verifies. */
static bool remembers(const command_call *call)
{
    return call->given.go_on || call->given.state != NULL;
}

/* Name of the file that remembers; malloc()ed. */
static char *state_name(const verify_work *work)
{
    char suffix[80];
    if (work->call->given.state != NULL)
        return argument_join(work->call->given.state, "");
    if (work->part.parts == 1)
        return argument_join(work->call->archive, ".verified");
    snprintf(suffix, sizeof suffix, ".verified-%llu-of-%llu",
             (unsigned long long)work->part.number + 1, (unsigned long long)work->part.parts);
    return argument_join(work->call->archive, suffix);
}

/* All ranks come to the same selection. */
static cpr_status verify_choose(verify_work *work, uint64_t shards, cpr_error *error)
{
    work->selected = calloc((size_t)shards + 1, sizeof *work->selected);
    if (work->selected == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    if (remembers(work->call)) {
        work->state = state_name(work);
        if (work->state == NULL)
            return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a path");
    }
    for (uint64_t i = work->part.number; i < shards;) {
        work->selected[i] = true;
        if (shards - i <= work->part.parts)
            break;
        i += work->part.parts;
    }
    work->options.shards = work->selected;
    work->options.state_path = work->state;
    return CPR_OK;
}

/* Says on rank 0 what has been found intact. */
static void tell_intact(const verify_work *work, uint64_t shard_count)
{
    if (cpr_ranks_rank(work->call->ranks) != 0 || work->call->given.quiet)
        return;
    fprintf(stderr, "corpress: %llu ", (unsigned long long)work->totals.shards);
    if (work->part.parts > 1)
        fprintf(stderr, "of %llu ", (unsigned long long)shard_count);
    fprintf(stderr, "shards intact (%s)",
            work->options.depth == CPR_EXAMINE_RAW ? "decoded" : "compressed data only");
    if (work->totals.earlier)
        fprintf(stderr, ", %llu of them verified by an earlier run",
                (unsigned long long)work->totals.earlier);
    fprintf(stderr, "\n");
}

static cpr_status examine(verify_work *work, cpr_archive *archive, cpr_error *error)
{
    cpr_listener listener;
    bool *bad = work->report.bad;
    decode_report_begin(&work->report, work->call->given.quiet, &listener);
    work->report.bad = bad;
    const cpr_status status =
        cpr_examine(work->call->ranks, archive, &work->options, &listener, &work->totals, error);
    progress_clear(&work->report.bar);
    if (status == CPR_STOPPED)
        return cpr_fail(error, status, "stopped on request%s",
                        work->totals.remembered ? "; the same command again goes on"
                        : remembers(work->call) ? ""
                                                : "; with --continue it could go on next time");
    return status;
}

static cpr_status verify(verify_work *work, cpr_archive *archive, cpr_error *error)
{
    cpr_archive_facts facts;
    cpr_archive_get_facts(archive, &facts);
    work->report.bad = calloc((size_t)facts.shards + 1, sizeof *work->report.bad);
    cpr_status status = verify_choose(work, facts.shards, error);
    if (work->report.bad == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    status = cpr_ranks_agree(work->call->ranks, status, error);
    if (status == CPR_OK)
        status = examine(work, archive, error);
    if (status == CPR_OK && work->report.bad_primer)
        return cpr_fail(error, CPR_ERR_DAMAGED, "without the primer no shard can be decoded");
    const uint64_t bad = work->report.bad_shards;
    if (status == CPR_OK && bad) {
        decode_report_files(archive, work->report.bad, FILES_NAMED_MOST);
        return cpr_fail(error, CPR_ERR_DAMAGED, "%llu of %llu shards damaged",
                        (unsigned long long)bad, (unsigned long long)work->totals.shards);
    }
    if (status == CPR_OK)
        tell_intact(work, facts.shards);
    return status;
}

static cpr_status run_verify(command_call *call, cpr_error *error)
{
    verify_work work = {
        .call = call,
        .options = {.depth = call->given.coded_only ? CPR_EXAMINE_CODED : CPR_EXAMINE_RAW,
                    .archive_path = call->archive,
                    .cache = call->given.cache,
                    .threads = (unsigned)call->given.threads},
        .part = call->given.subset};
    cpr_archive *archive = NULL;
    cpr_stop_catch();
    cpr_status status = CPR_OK;
    if (work.options.depth == CPR_EXAMINE_RAW)
        status = cpr_ranks_self_test(call->ranks, NULL, error);
    if (status == CPR_OK)
        status = command_open_archive(call, &archive, error);
    if (status == CPR_OK)
        status = verify(&work, archive, error);
    cpr_archive_close(archive);
    free(work.report.bad);
    free(work.selected);
    free(work.state);
    return status;
}

static const char *const verify_usage[] = {"ARCHIVE.h5 [--subset N/M]", NULL};

const subcommand cmd_verify = {
    .name = "verify",
    .bit = COMMAND_VERIFY,
    .summary = "decode, compare checksums",
    .usage = verify_usage,
    .about = "Decodes every shard and compares checksums. Damaged shards, and the files that touch "
             "them, are named; the exit code is 4 then.",
    .operands = OPERANDS_ARCHIVE,
    .run = run_verify,
};
