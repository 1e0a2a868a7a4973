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
    cpr_examine_depth depth;
    option_part part;
    cpr_verified *state;  /* rank 0; NULL: nothing is remembered */
    uint64_t part_shards; /* shards of this part */
    uint64_t earlier;     /* those that an earlier run verified */
    bool *selected;       /* shards that are still to be verified */
    decode_report report;
    cpr_listener inner;
    bool *bad;
} verify_work;

/* Whether this run is to remember what it verifies. */
static bool remembers(const verify_work *work)
{
    return work->call->given.go_on || work->call->given.state != NULL;
}

static void on_progress(void *context, const cpr_run_progress *now)
{
    const verify_work *work = context;
    work->inner.progress(work->inner.context, now);
}

static void on_item(void *context, const cpr_item_result *result)
{
    verify_work *work = context;
    cpr_error error = {.text = ""};
    if (result->shard == CPR_SHARD_PRIMER) {
        work->inner.item(work->inner.context, result);
        return;
    }
    if (result->bad != CPR_OK)
        work->bad[result->shard] = true;
    else if (cpr_verified_add(work->state, result->shard, &error) != CPR_OK) {
        progress_clear(&work->report.bar);
        command_say("from here on nothing is remembered: %s", error.text);
        cpr_verified_close(work->state, false);
        work->state = NULL;
    }
    work->inner.item(work->inner.context, result);
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

/* Rank 0: recalls what an earlier run verified. Where that cannot be kept, the run goes on without:
 * verifying is what was asked for. */
static cpr_status recall(verify_work *work, const cpr_archive *archive, bool *done,
                         cpr_error *error)
{
    cpr_error detail = {.text = ""};
    char *name = state_name(work);
    if (name == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a path");
    const cpr_status status =
        cpr_verified_open(name, work->call->archive, archive, work->depth == CPR_EXAMINE_RAW, done,
                          &work->state, &detail);
    free(name);
    if (status == CPR_ERR_EXISTS || status == CPR_ERR_NO_MEMORY)
        return cpr_fail(error, status, "%s", detail.text);
    if (status != CPR_OK)
        fprintf(stderr,
                "corpress: if this is stopped it cannot be continued: %s; --state names another "
                "file\n",
                detail.text);
    return CPR_OK;
}

/* All ranks come to the same selection. */
static cpr_status verify_choose(verify_work *work, const cpr_archive *archive, cpr_error *error)
{
    const size_t shards = (size_t)cpr_archive_info(archive)->shard_count;
    bool *done = calloc(shards + 1, sizeof *done);
    work->selected = calloc(shards + 1, sizeof *work->selected);
    cpr_status status = CPR_OK;
    if (done == NULL || work->selected == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    else if (remembers(work) && cpr_ranks_rank(work->call->ranks) == 0)
        status = recall(work, archive, done, error);
    status = cpr_ranks_agree(work->call->ranks, status, error);
    if (status == CPR_OK) {
        uint8_t *block = (uint8_t *)done;
        size_t bytes = shards + 1;
        if (cpr_ranks_rank(work->call->ranks) != 0) {
            free(done);
            done = NULL;
            block = NULL;
        }
        status = cpr_ranks_broadcast(work->call->ranks, &block, &bytes, error);
        done = (bool *)block;
    }
    for (size_t i = (size_t)work->part.number; status == CPR_OK && i < shards;) {
        work->part_shards++;
        work->earlier += done[i];
        work->selected[i] = !done[i];
        if (shards - i <= work->part.parts)
            break;
        i += (size_t)work->part.parts;
    }
    free(done);
    return status;
}

/* Says on rank 0 what has been found intact. */
static void tell_intact(const verify_work *work, uint64_t shard_count)
{
    if (cpr_ranks_rank(work->call->ranks) != 0 || work->call->given.quiet)
        return;
    fprintf(stderr, "corpress: %llu ", (unsigned long long)work->part_shards);
    if (work->part.parts > 1)
        fprintf(stderr, "of %llu ", (unsigned long long)shard_count);
    fprintf(stderr, "shards intact (%s)",
            work->depth == CPR_EXAMINE_RAW ? "decoded" : "compressed data only");
    if (work->earlier)
        fprintf(stderr, ", %llu of them verified by an earlier run",
                (unsigned long long)work->earlier);
    fprintf(stderr, "\n");
}

static cpr_status examine(verify_work *work, cpr_archive *archive, cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    uint64_t raw_bytes = 0;
    for (uint64_t i = 0; i < header->shard_count; i++)
        raw_bytes += work->selected[i] ? header->shards[i].raw_bytes : 0;
    decode_report_begin(&work->report, work->call->ranks, work->call->given.quiet, raw_bytes,
                        work->part_shards - work->earlier, &work->inner);
    const cpr_listener listener = {.context = work, .progress = on_progress, .item = on_item};
    const cpr_status status =
        cpr_examine(work->call->ranks, archive, work->depth, work->selected, &listener, error);
    progress_clear(&work->report.bar);
    const bool remembered = work->state != NULL;
    /* Every shard has been looked at, even if some are damaged: there is nothing to go on with. */
    cpr_verified_close(work->state, status == CPR_OK);
    work->state = NULL;
    if (status == CPR_STOPPED)
        return cpr_fail(error, status, "stopped on request%s",
                        remembered        ? "; the same command again goes on"
                        : remembers(work) ? ""
                                          : "; with --continue it could go on next time");
    return status;
}

static cpr_status verify(verify_work *work, cpr_archive *archive, cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    work->bad = calloc((size_t)header->shard_count + 1, sizeof *work->bad);
    cpr_status status = CPR_OK;
    if (work->bad == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    status = cpr_ranks_agree(work->call->ranks, status, error);
    if (status == CPR_OK)
        status = verify_choose(work, archive, error);
    if (status == CPR_OK)
        status = examine(work, archive, error);
    if (status == CPR_OK && work->report.bad_primer)
        return cpr_fail(error, CPR_ERR_DAMAGED, "without the primer no shard can be decoded");
    const uint64_t bad = work->report.bad_shards;
    if (status == CPR_OK && bad) {
        decode_report_files(header, work->bad, FILES_NAMED_MOST);
        return cpr_fail(error, CPR_ERR_DAMAGED, "%llu of %llu shards damaged",
                        (unsigned long long)bad, (unsigned long long)work->part_shards);
    }
    if (status == CPR_OK)
        tell_intact(work, header->shard_count);
    return status;
}

static cpr_status run_verify(command_call *call, cpr_error *error)
{
    verify_work work = {.call = call,
                        .depth = call->given.coded_only ? CPR_EXAMINE_CODED : CPR_EXAMINE_RAW,
                        .part = call->given.subset};
    cpr_archive *archive = NULL;
    cpr_stop_catch();
    cpr_status status = CPR_OK;
    if (work.depth == CPR_EXAMINE_RAW)
        status = cpr_ranks_self_test(call->ranks, NULL, error);
    if (status == CPR_OK)
        status = command_open_archive(call, &archive, error);
    if (status == CPR_OK)
        status = verify(&work, archive, error);
    cpr_verified_close(work.state, false);
    cpr_archive_close(archive);
    free(work.bad);
    free(work.selected);
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
