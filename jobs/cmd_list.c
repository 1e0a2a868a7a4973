/* cmd_list.c - corpress list ARCHIVE.h5 [--shards] */
#include "command.h"
#include "escape.h"
#include "report.h"
#include "selection.h"

#include <getopt.h>
#include <inttypes.h>
#include <time.h>

static const char help_text[] =
    "corpress list ARCHIVE.h5\n"
    "corpress list ARCHIVE.h5 --shards\n"
    "\n"
    "Prints the paths in an archive, one a line; bytes that a terminal cannot take are shown as\n"
    "\\n, \\\\ or \\xHH. Nothing is decoded.\n"
    "\n"
    "  -l, --long    also mode, bytes, time of change (UTC) and the shards that hold the file\n"
    "  -0, --null    the paths' exact bytes, each followed by a zero byte\n"
    "      --shards  the primer, which must be decoded before any shard, and the shards: offset "
    "in\n"
    "                the corpus, raw and coded bytes, tokens\n"
    "      --unsealed\n"
    "                read an archive whose seal does not match: another program\n"
    "                changed it. Only the shards have checksums then\n"
    "      --help    this text\n";

typedef struct list_call {
    cpr_ranks *ranks;
    bool details;
    bool null;
    bool shards;
    bool unsealed; /* whatever the seal says */
} list_call;

static int parse_options(list_call *call, int argc, char **argv, bool *help)
{
    static const struct option options[] = {
        {"long", no_argument, NULL, 'l'},
        {"null", no_argument, NULL, '0'},
        {"shards", no_argument, NULL, OPTION_SHARDS},
        {"unsealed", no_argument, NULL, OPTION_UNSEALED},
        {"help", no_argument, NULL, OPTION_HELP},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = command_option(call->ranks, argc, argv, "l0h", options)) != -1) {
        switch (c) {
        case 'l':
            call->details = true;
            break;
        case '0':
            call->null = true;
            break;
        case OPTION_SHARDS:
            call->shards = true;
            break;
        case OPTION_UNSEALED:
            call->unsealed = true;
            break;
        case 'h':
        case OPTION_HELP:
            *help = true;
            return EXIT_DONE;
        default:
            return command_bad_option(call->ranks, "list");
        }
    }
    if (argc - optind != 1)
        return command_usage(call->ranks, "list", "one archive, please");
    if (call->details + call->null + call->shards > 1)
        return command_usage(call->ranks, "list", "only one of --long, --null, --shards");
    return EXIT_DONE;
}

/* The cells behind the shard's offset. */
static void shard_cells(report *r, const cpr_shard_info *info)
{
    report_number(r, info->raw_bytes);
    report_number(r, info->coded_bytes);
    report_number(r, info->stored_bytes);
    report_number(r, info->tokens);
    report_number(r, info->generation);
    report_row_end(r);
}

static void list_shards(const cpr_archive_header *header)
{
    static const report_column columns[] = {{"shard", 7},       {"offset", 16}, {"raw", 14},
                                            {"coded", 13},      {"stored", 13}, {"tokens", 13},
                                            {"generation", 10}, {NULL, 0}};
    report r;
    report_begin(&r, stdout, REPORT_TABLE, columns);
    if (header->primer != NULL) {
        report_row(&r);
        report_word(&r, "primer");
        report_unknown(&r);
        shard_cells(&r, header->primer);
    }
    for (uint64_t i = 0; i < header->shard_count; i++) {
        report_row(&r);
        report_number(&r, i);
        report_number(&r, header->shards[i].offset);
        shard_cells(&r, &header->shards[i]);
    }
    report_end(&r);
}

/* "-rw-r--r--      12345 2024-05-06 07:08:09      3-7  " */
static void print_details(const cpr_archive_header *header, uint64_t file)
{
    const cpr_file facts = cpr_file_list_get(header->files, file);
    char mode[11] = "-rwxrwxrwx";
    for (unsigned i = 0; i < 9; i++)
        if (!(facts.mode >> (8 - i) & 1))
            mode[i + 1] = '-';
    mode[0] = facts.type == CPR_FILE_DIRECTORY ? 'd' : facts.type == CPR_FILE_SYMLINK ? 'l' : '-';
    char when[32] = "?";
    const time_t seconds = (time_t)facts.mtime_seconds;
    struct tm utc;
    if (gmtime_r(&seconds, &utc) != NULL)
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &utc);
    char shards[48] = "-";
    uint64_t first;
    uint64_t last;
    if (selection_shards_of_file(header, file, &first, &last))
        snprintf(shards, sizeof shards, first == last ? "%" PRIu64 : "%" PRIu64 "-%" PRIu64, first,
                 last);
    printf("%s %14" PRIu64 " %s %11s  ", mode, facts.bytes, when, shards);
}

static void list_files(const list_call *call, const cpr_archive_header *header)
{
    const uint64_t files = cpr_file_list_count(header->files);
    for (uint64_t f = 0; f < files && !ferror(stdout); f++) {
        const char *member = cpr_file_list_member(header->files, f);
        if (call->null) {
            fputs(member, stdout);
            putchar('\0');
            continue;
        }
        if (call->details)
            print_details(header, f);
        escape_path(stdout, member);
        const char *target = cpr_file_list_link_target(header->files, f);
        if (call->details && *target) {
            fputs(" -> ", stdout);
            escape_path(stdout, target);
        }
        putchar('\n');
    }
}

/* Rank 0 works alone. */
int cmd_list(cpr_ranks *ranks, int argc, char **argv)
{
    list_call call = {.ranks = ranks};
    bool help = false;
    const int code = parse_options(&call, argc, argv, &help);
    if (help)
        return command_help(ranks, help_text, false);
    if (code != EXIT_DONE || cpr_ranks_rank(ranks) != 0)
        return code;
    cpr_error error = {.text = ""};
    cpr_archive *archive = NULL;
    const cpr_status status = command_open_alone(argv[optind], call.unsealed, &archive, &error);
    if (status == CPR_OK) {
        if (call.shards)
            list_shards(cpr_archive_info(archive));
        else
            list_files(&call, cpr_archive_info(archive));
    }
    cpr_archive_close(archive);
    return status == CPR_OK ? command_flush(ranks) : command_failed(ranks, status, &error);
}
