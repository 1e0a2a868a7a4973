/* cmd_extract.c - corpress extract ARCHIVE.h5 [PATH...] [-C DIR] [--shards LIST] */
#include "command.h"
#include "decode_report.h"
#include "selection.h"

#include <getopt.h>
#include <stdlib.h>

static const char help_text[] =
    "corpress extract ARCHIVE.h5 [PATH...] [-C DIR]\n"
    "corpress extract ARCHIVE.h5 --shards LIST [-C DIR]\n"
    "\n"
    "Recreates files, with their modes and times; with a PATH only that file, or everything below\n"
    "that directory. Only the shards that are needed are read and decoded. A damaged shard does\n"
    "not stop the others: the files that touch it are named and left out.\n"
    "\n"
    "  -C, --directory DIR  where to (default: here); it is created if need be\n"
    "      --shards LIST    the files whose bytes all lie in these shards, such as 3,7-9\n"
    "                       ('corpress cat --shards' gives the bytes of a shard as they are)\n"
    "  -f, --force          overwrite files that exist\n"
    "      --continue       go on with what an earlier run left: files that are there with the\n"
    "                       archive's size and time stay, shards that are there are not decoded\n"
    "                       again but compared with their checksums. Files that are there and\n"
    "                       different still need --force. Nothing is taken from an extraction\n"
    "                       that is still at work\n"
    "      --unsealed       read an archive whose seal does not match: another program\n"
    "                       changed it. Only the shards have checksums then\n"
    "  -q, --quiet          no progress\n"
    "      --help           this text\n";

#define FILES_NAMED_MOST 1000

typedef struct extract_call {
    cpr_ranks *ranks;
    const char *archive_path;
    const char *shards;
    int paths;
    char **path;
    bool quiet;
    cpr_extract_options options;
    bool *selected;
    uint64_t partial; /* files left out because some of their shards are not selected */
    bool unsealed;    /* whatever the seal says */
} extract_call;

static int parse_options(extract_call *call, int argc, char **argv, bool *help)
{
    static const struct option options[] = {
        {"directory", required_argument, NULL, 'C'},
        {"shards", required_argument, NULL, OPTION_SHARDS},
        {"force", no_argument, NULL, 'f'},
        {"continue", no_argument, NULL, OPTION_CONTINUE},
        {"quiet", no_argument, NULL, 'q'},
        {"unsealed", no_argument, NULL, OPTION_UNSEALED},
        {"help", no_argument, NULL, OPTION_HELP},
        {NULL, 0, NULL, 0},
    };
    call->options.directory = ".";
    int c;
    while ((c = command_option(call->ranks, argc, argv, "C:fqh", options)) != -1) {
        switch (c) {
        case 'C':
            call->options.directory = optarg;
            break;
        case OPTION_SHARDS:
            call->shards = optarg;
            break;
        case 'f':
            call->options.overwrite = true;
            break;
        case OPTION_CONTINUE:
            call->options.go_on = true;
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
            return command_bad_option(call->ranks, "extract");
        }
    }
    if (optind == argc)
        return command_usage(call->ranks, "extract", "no archive given");
    call->archive_path = argv[optind];
    call->paths = argc - optind - 1;
    call->path = argv + optind + 1;
    if (call->shards != NULL && call->paths)
        return command_usage(call->ranks, "extract", "either paths or --shards, not both");
    return EXIT_DONE;
}

/* All ranks come to the same selection. */
static cpr_status choose(extract_call *call, const cpr_archive_header *header, cpr_error *error)
{
    cpr_status status = CPR_OK;
    if (call->shards != NULL) {
        bool *shards = NULL;
        status = command_parse_shards(call->shards, header->shard_count, &shards, error);
        if (status == CPR_OK)
            status = selection_by_shard(header, shards, &call->selected, &call->partial, error);
        free(shards);
    } else if (call->paths) {
        status = selection_by_path(header, call->paths, call->path, &call->selected, error);
    }
    call->options.files = call->selected;
    return cpr_ranks_agree(call->ranks, status, error);
}

static cpr_status extract(extract_call *call, cpr_archive *archive, cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    cpr_status status = choose(call, header, error);
    if (status != CPR_OK)
        return status;
    bool *bad = calloc((size_t)header->shard_count + 1, sizeof *bad);
    if (bad == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    status = cpr_ranks_agree(call->ranks, status, error);
    if (status == CPR_OK) {
        uint64_t raw_bytes;
        uint64_t shards;
        decode_report report;
        cpr_listener listener;
        selection_extent(header, call->selected, &raw_bytes, &shards);
        decode_report_begin(&report, call->ranks, call->quiet, raw_bytes, shards, &listener);
        status = cpr_extract(call->ranks, archive, &call->options, &listener, bad, error);
        progress_clear(&report.bar);
        if (status == CPR_ERR_DAMAGED && cpr_ranks_rank(call->ranks) == 0)
            decode_report_files(header, bad, FILES_NAMED_MOST);
        if (status == CPR_OK && report.earlier_shards && !call->quiet)
            fprintf(stderr, "corpress: %llu of %llu shards were there\n",
                    (unsigned long long)report.earlier_shards, (unsigned long long)shards);
        if (status == CPR_STOPPED)
            cpr_fail(error, status, "stopped on request; the same command %s goes on",
                     call->options.go_on ? "again" : "with --continue");
    }
    free(bad);
    return status;
}

int cmd_extract(cpr_ranks *ranks, int argc, char **argv)
{
    extract_call call = {.ranks = ranks};
    bool help = false;
    const int code = parse_options(&call, argc, argv, &help);
    if (help)
        return command_help(ranks, help_text, false);
    if (code != EXIT_DONE)
        return code;
    cpr_error error = {.text = ""};
    cpr_archive *archive = NULL;
    cpr_stop_catch();
    cpr_status status = cpr_ranks_self_test(ranks, NULL, &error);
    if (status == CPR_OK)
        status = command_open_archive(ranks, call.archive_path, call.unsealed, &archive, &error);
    if (status == CPR_OK)
        status = extract(&call, archive, &error);
    cpr_archive_close(archive);
    free(call.selected);
    if (status != CPR_OK)
        return command_failed(ranks, status, &error);
    if (call.partial)
        command_warn(ranks, "%llu files lie partly in other shards and were left out",
                     (unsigned long long)call.partial);
    return call.partial ? EXIT_WARNINGS : EXIT_DONE;
}
