/* cmd_verify.c - corpress verify ARCHIVE.h5 */
#include "command.h"
#include "decode_report.h"
#include "selection.h"

#include <getopt.h>
#include <stdlib.h>

static const char help_text[] =
    "corpress verify ARCHIVE.h5\n"
    "\n"
    "Decodes every shard and compares checksums. Damaged shards, and the files that touch them,\n"
    "are named; the exit code is 4 then.\n"
    "\n"
    "      --coded-only  compare the checksums of the compressed data only: as fast as reading\n"
    "  -q, --quiet       no progress\n"
    "      --help        this text\n";

#define FILES_NAMED_MOST 1000

typedef struct verify_call {
    cpr_ranks *ranks;
    cpr_examine_depth depth;
    bool quiet;
    decode_report report;
    cpr_listener inner;
    bool *bad;
} verify_call;

static int parse_options(verify_call *call, int argc, char **argv, bool *help)
{
    static const struct option options[] = {
        {"coded-only", no_argument, NULL, OPTION_CODED_ONLY},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, OPTION_HELP},
        {NULL, 0, NULL, 0},
    };
    call->depth = CPR_EXAMINE_RAW;
    opterr = cpr_ranks_rank(call->ranks) == 0;
    int c;
    while ((c = getopt_long(argc, argv, "qh", options, NULL)) != -1) {
        switch (c) {
        case OPTION_CODED_ONLY:
            call->depth = CPR_EXAMINE_CODED;
            break;
        case 'q':
            call->quiet = true;
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
    const verify_call *call = context;
    if (result->bad != CPR_OK)
        call->bad[result->shard] = true;
    call->inner.item(call->inner.context, result);
}

static cpr_status verify(verify_call *call, cpr_archive *archive, cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    uint64_t raw_bytes;
    uint64_t shards;
    call->bad = calloc((size_t)header->shard_count + 1, sizeof *call->bad);
    cpr_status status = CPR_OK;
    if (!call->bad)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    status = cpr_ranks_agree(call->ranks, status, error);
    if (status != CPR_OK)
        return status;
    selection_extent(header, NULL, &raw_bytes, &shards);
    decode_report_begin(&call->report, call->ranks, call->quiet, raw_bytes, shards, &call->inner);
    const cpr_listener listener = {.context = call, .progress = on_progress, .item = on_item};
    status = cpr_examine(call->ranks, archive, call->depth, &listener, error);
    progress_clear(&call->report.bar);
    const uint64_t bad = call->report.bad_shards;
    if (status == CPR_OK && bad) {
        decode_report_files(header, call->bad, FILES_NAMED_MOST);
        status = cpr_fail(error, CPR_ERR_DAMAGED, "%llu of %llu shards damaged",
                          (unsigned long long)bad, (unsigned long long)header->shard_count);
    } else if (status == CPR_OK && cpr_ranks_rank(call->ranks) == 0 && !call->quiet) {
        fprintf(stderr, "corpress: %llu shards intact (%s)\n",
                (unsigned long long)header->shard_count,
                call->depth == CPR_EXAMINE_RAW ? "decoded" : "compressed data only");
    }
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
    cpr_status status = CPR_OK;
    if (call.depth == CPR_EXAMINE_RAW)
        status = cpr_ranks_self_test(ranks, &error);
    if (status == CPR_OK)
        status = command_open_archive(ranks, argv[optind], &archive, &error);
    if (status == CPR_OK)
        status = verify(&call, archive, &error);
    cpr_archive_close(archive);
    free(call.bad);
    return status == CPR_OK ? EXIT_DONE : command_failed(ranks, status, &error);
}
