/* cmd_verify.c - corpress verify ARCHIVE.h5 [--subset N/M] [--continue] */
#include "command.h"
#include "decode_report.h"
#include "selection.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
    "corpress verify ARCHIVE.h5 [--subset N/M] [--continue]\n"
    "\n"
    "Decodes every shard and compares checksums. Damaged shards, and the files that touch them,\n"
    "are named; the exit code is 4 then.\n"
    "\n"
    "      --coded-only  compare the checksums of the compressed data only: as fast as reading\n"
    "      --subset N/M  the N-th of M parts only: shards N-1, N-1+M, N-1+2M, ...; M jobs with\n"
    "                    N = 1 to M verify everything\n"
    "      --continue    remember which shards are intact in ARCHIVE.h5.verified (with --subset:\n"
    "                    ARCHIVE.h5.verified-N-of-M), and leave out those that an earlier run "
    "with\n"
    "                    this option remembered; when all are done the file is removed\n"
    "      --state FILE  remember them there, and --continue\n"
    "      --unsealed    read an archive whose seal does not match: another program\n"
    "                    changed it. Only the shards have checksums then\n"
    "  -q, --quiet       no progress\n"
    "      --help        this text\n";

#define FILES_NAMED_MOST 1000

typedef struct verify_call {
    cpr_ranks *ranks;
    cpr_examine_depth depth;
    bool quiet;
    uint64_t part; /* of `parts`, from 0 */
    uint64_t parts;
    bool go_on;
    const char *state_path; /* NULL: beside the archive */
    cpr_verified *state;    /* rank 0; NULL: nothing is remembered */
    uint64_t part_shards;   /* shards of this part */
    uint64_t earlier;       /* those that an earlier run verified */
    bool *selected;         /* shards that are still to be verified */
    decode_report report;
    cpr_listener inner;
    bool *bad;
    bool unsealed; /* whatever the seal says */
} verify_call;

/* "2/8": the second of eight parts. */
static bool parse_subset(const char *text, uint64_t *part, uint64_t *parts)
{
    uint64_t values[2] = {0, 0};
    for (unsigned i = 0; i < 2; i++) {
        const char *first = text;
        for (; *text >= '0' && *text <= '9' && values[i] <= UINT32_MAX; text++)
            values[i] = 10 * values[i] + (uint64_t)(*text - '0');
        if (text == first || *text != (i == 0 ? '/' : '\0'))
            return false;
        text += i == 0;
    }
    *part = values[0] - 1;
    *parts = values[1];
    return values[0] >= 1 && values[0] <= values[1];
}

static int parse_options(verify_call *call, int argc, char **argv, bool *help)
{
    static const struct option options[] = {
        {"coded-only", no_argument, NULL, OPTION_CODED_ONLY},
        {"subset", required_argument, NULL, OPTION_SUBSET},
        {"continue", no_argument, NULL, OPTION_CONTINUE},
        {"state", required_argument, NULL, OPTION_STATE},
        {"quiet", no_argument, NULL, 'q'},
        {"unsealed", no_argument, NULL, OPTION_UNSEALED},
        {"help", no_argument, NULL, OPTION_HELP},
        {NULL, 0, NULL, 0},
    };
    call->depth = CPR_EXAMINE_RAW;
    call->parts = 1;
    int c;
    while ((c = command_option(call->ranks, argc, argv, "qh", options)) != -1) {
        switch (c) {
        case OPTION_CODED_ONLY:
            call->depth = CPR_EXAMINE_CODED;
            break;
        case OPTION_SUBSET:
            if (!parse_subset(optarg, &call->part, &call->parts))
                return command_usage(call->ranks, "verify",
                                     "--subset wants N/M with 1 <= N <= M, such as 2/8");
            break;
        case OPTION_STATE:
            call->state_path = optarg;
            call->go_on = true;
            break;
        case OPTION_CONTINUE:
            call->go_on = true;
            break;
        case 'q':
            call->quiet = true;
            break;
        case OPTION_UNSEALED:
            call->unsealed = true;
            break;
        case 'h':
        case OPTION_HELP:
            *help = true;
            return EXIT_DONE;
        default:
            return command_bad_option(call->ranks, "verify");
        }
    }
    if (argc - optind != 1)
        return command_usage(call->ranks, "verify", "one archive, please");
    return EXIT_DONE;
}

static void on_progress(void *context, const cpr_run_progress *now)
{
    const verify_call *call = context;
    call->inner.progress(call->inner.context, now);
}

static void on_item(void *context, const cpr_item_result *result)
{
    verify_call *call = context;
    cpr_error error = {.text = ""};
    if (result->shard == CPR_SHARD_PRIMER) {
        call->inner.item(call->inner.context, result);
        return;
    }
    if (result->bad != CPR_OK)
        call->bad[result->shard] = true;
    else if (cpr_verified_add(call->state, result->shard, &error) != CPR_OK) {
        progress_clear(&call->report.bar);
        command_say("from here on nothing is remembered: %s", error.text);
        cpr_verified_close(call->state, false);
        call->state = NULL;
    }
    call->inner.item(call->inner.context, result);
}

/* Name of the file that remembers; malloc()ed. */
static char *state_name(const verify_call *call, const char *archive_path)
{
    char suffix[80];
    if (call->state_path != NULL)
        return command_join(call->state_path, "");
    if (call->parts == 1)
        return command_join(archive_path, ".verified");
    snprintf(suffix, sizeof suffix, ".verified-%llu-of-%llu", (unsigned long long)call->part + 1,
             (unsigned long long)call->parts);
    return command_join(archive_path, suffix);
}

/* Rank 0: recalls what an earlier run verified. Where that cannot be kept, the run goes on without:
 * verifying is what was asked for. */
static cpr_status recall(verify_call *call, const char *archive_path, const cpr_archive *archive,
                         bool *done, cpr_error *error)
{
    cpr_error detail = {.text = ""};
    char *name = state_name(call, archive_path);
    if (name == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a path");
    const cpr_status status = cpr_verified_open(
        name, archive_path, archive, call->depth == CPR_EXAMINE_RAW, done, &call->state, &detail);
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
static cpr_status choose(verify_call *call, const char *archive_path, const cpr_archive *archive,
                         cpr_error *error)
{
    const size_t shards = (size_t)cpr_archive_info(archive)->shard_count;
    bool *done = calloc(shards + 1, sizeof *done);
    call->selected = calloc(shards + 1, sizeof *call->selected);
    cpr_status status = CPR_OK;
    if (done == NULL || call->selected == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    else if (call->go_on && cpr_ranks_rank(call->ranks) == 0)
        status = recall(call, archive_path, archive, done, error);
    status = cpr_ranks_agree(call->ranks, status, error);
    if (status == CPR_OK) {
        uint8_t *block = (uint8_t *)done;
        size_t bytes = shards + 1;
        if (cpr_ranks_rank(call->ranks) != 0) {
            free(done);
            done = NULL;
            block = NULL;
        }
        status = cpr_ranks_broadcast(call->ranks, &block, &bytes, error);
        done = (bool *)block;
    }
    for (size_t i = (size_t)call->part; status == CPR_OK && i < shards;) {
        call->part_shards++;
        call->earlier += done[i];
        call->selected[i] = !done[i];
        if (shards - i <= call->parts)
            break;
        i += (size_t)call->parts;
    }
    free(done);
    return status;
}

/* Says on rank 0 what has been found intact. */
static void tell_intact(const verify_call *call, uint64_t shard_count)
{
    if (cpr_ranks_rank(call->ranks) != 0 || call->quiet)
        return;
    fprintf(stderr, "corpress: %llu ", (unsigned long long)call->part_shards);
    if (call->parts > 1)
        fprintf(stderr, "of %llu ", (unsigned long long)shard_count);
    fprintf(stderr, "shards intact (%s)",
            call->depth == CPR_EXAMINE_RAW ? "decoded" : "compressed data only");
    if (call->earlier)
        fprintf(stderr, ", %llu of them verified by an earlier run",
                (unsigned long long)call->earlier);
    fprintf(stderr, "\n");
}

static cpr_status examine(verify_call *call, cpr_archive *archive, cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    uint64_t raw_bytes = 0;
    for (uint64_t i = 0; i < header->shard_count; i++)
        raw_bytes += call->selected[i] ? header->shards[i].raw_bytes : 0;
    decode_report_begin(&call->report, call->ranks, call->quiet, raw_bytes,
                        call->part_shards - call->earlier, &call->inner);
    const cpr_listener listener = {.context = call, .progress = on_progress, .item = on_item};
    const cpr_status status =
        cpr_examine(call->ranks, archive, call->depth, call->selected, &listener, error);
    progress_clear(&call->report.bar);
    const bool remembered = call->state != NULL;
    /* Every shard has been looked at, even if some are damaged: there is nothing to go on with. */
    cpr_verified_close(call->state, status == CPR_OK);
    call->state = NULL;
    if (status == CPR_STOPPED)
        return cpr_fail(error, status, "stopped on request%s",
                        remembered    ? "; the same command again goes on"
                        : call->go_on ? ""
                                      : "; with --continue it could go on next time");
    return status;
}

static cpr_status verify(verify_call *call, const char *archive_path, cpr_archive *archive,
                         cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    call->bad = calloc((size_t)header->shard_count + 1, sizeof *call->bad);
    cpr_status status = CPR_OK;
    if (call->bad == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    status = cpr_ranks_agree(call->ranks, status, error);
    if (status == CPR_OK)
        status = choose(call, archive_path, archive, error);
    if (status == CPR_OK)
        status = examine(call, archive, error);
    if (status == CPR_OK && call->report.bad_primer)
        return cpr_fail(error, CPR_ERR_DAMAGED, "without the primer no shard can be decoded");
    const uint64_t bad = call->report.bad_shards;
    if (status == CPR_OK && bad) {
        decode_report_files(header, call->bad, FILES_NAMED_MOST);
        return cpr_fail(error, CPR_ERR_DAMAGED, "%llu of %llu shards damaged",
                        (unsigned long long)bad, (unsigned long long)call->part_shards);
    }
    if (status == CPR_OK)
        tell_intact(call, header->shard_count);
    return status;
}

int cmd_verify(cpr_ranks *ranks, int argc, char **argv)
{
    verify_call call = {.ranks = ranks};
    bool help = false;
    const int code = parse_options(&call, argc, argv, &help);
    if (help)
        return command_help(ranks, help_text, false);
    if (code != EXIT_DONE)
        return code;
    cpr_error error = {.text = ""};
    cpr_archive *archive = NULL;
    cpr_stop_catch();
    cpr_status status = CPR_OK;
    if (call.depth == CPR_EXAMINE_RAW)
        status = cpr_ranks_self_test(ranks, NULL, &error);
    if (status == CPR_OK)
        status = command_open_archive(ranks, argv[optind], call.unsealed, &archive, &error);
    if (status == CPR_OK)
        status = verify(&call, argv[optind], archive, &error);
    cpr_verified_close(call.state, false);
    cpr_archive_close(archive);
    free(call.bad);
    free(call.selected);
    return status == CPR_OK ? EXIT_DONE : command_failed(ranks, status, &error);
}
