/* cmd_list.c - corpress list ARCHIVE.h5 [PATH...] [--shards] */
#include "command.h"
#include "escape.h"
#include "report.h"
#include "selection.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

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

/* The weights of a network that was taught: no text, and so no bytes of the corpus. */
static void weights_row(report *r, uint64_t bytes)
{
    report_row(r);
    report_word(r, "weights");
    report_unknown(r);
    report_unknown(r);
    report_number(r, bytes);
    for (int i = 0; i < 3; i++)
        report_unknown(r);
    report_row_end(r);
}

static void list_shards(const cpr_archive *archive)
{
    cpr_archive_facts facts;
    static const report_column columns[] = {{"shard", 7},       {"offset", 16}, {"raw", 14},
                                            {"coded", 13},      {"stored", 13}, {"tokens", 13},
                                            {"generation", 10}, {NULL, 0}};
    report r;
    report_begin(&r, stdout, REPORT_TABLE, columns);
    const cpr_shard_info *primer = cpr_archive_shard(archive, CPR_SHARD_PRIMER);
    const uint64_t shards = selection_shards(archive);
    cpr_archive_get_facts(archive, &facts);
    if (facts.weights_bytes > 0)
        weights_row(&r, facts.weights_bytes);
    if (primer != NULL) {
        report_row(&r);
        report_word(&r, "primer");
        report_unknown(&r);
        shard_cells(&r, primer);
    }
    for (uint64_t i = 0; i < shards; i++) {
        const cpr_shard_info *info = cpr_archive_shard(archive, i);
        report_row(&r);
        report_number(&r, i);
        report_number(&r, info->offset);
        shard_cells(&r, info);
    }
    report_end(&r);
}

/* "-rw-r--r--      12345 2024-05-06 07:08:09      3-7  " */
static void print_details(const cpr_entry *entry)
{
    char mode[11] = "-rwxrwxrwx";
    for (unsigned i = 0; i < 9; i++)
        if (!(entry->mode >> (8 - i) & 1))
            mode[i + 1] = '-';
    mode[0] = entry->type == CPR_FILE_DIRECTORY ? 'd' : entry->type == CPR_FILE_SYMLINK ? 'l' : '-';
    char when[32] = "?";
    const time_t seconds = (time_t)entry->mtime_seconds;
    struct tm utc;
    if (gmtime_r(&seconds, &utc) != NULL)
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &utc);
    char shards[48] = "-";
    if (entry->bytes > 0)
        snprintf(shards, sizeof shards,
                 entry->first_shard == entry->last_shard ? "%" PRIu64 : "%" PRIu64 "-%" PRIu64,
                 entry->first_shard, entry->last_shard);
    printf("%s %14" PRIu64 " %s %11s  ", mode, entry->bytes, when, shards);
}

/* selected: NULL is all. */
static void list_files(const option_values *given, const cpr_archive *archive, const bool *selected)
{
    const uint64_t files = selection_files(archive);
    for (uint64_t f = 0; f < files && !ferror(stdout); f++) {
        cpr_entry entry;
        if ((selected != NULL && !selected[f]) ||
            cpr_archive_get(archive, f, &entry, NULL) != CPR_OK)
            continue;
        if (given->null) {
            fputs(entry.path, stdout);
            putchar('\0');
            continue;
        }
        if (given->details)
            print_details(&entry);
        escape_path(stdout, entry.path);
        if (given->details && *entry.link_target) {
            fputs(" -> ", stdout);
            escape_path(stdout, entry.link_target);
        }
        putchar('\n');
    }
}

static int check_list(command_call *call)
{
    const option_values *given = &call->given;
    if (given->details + given->null + given->shard_table > 1)
        return command_usage(call->ranks, call->command, "only one of --long, --null, --shards");
    if (given->shard_table && (call->path_count > 0 || given->exclude.count > 0))
        return command_usage(call->ranks, call->command,
                             "--shards is the whole archive: no paths, no --exclude");
    return EXIT_DONE;
}

static cpr_status run_list(command_call *call, cpr_error *error)
{
    cpr_archive *archive = NULL;
    bool *selected = NULL;
    cpr_status status = command_open_alone(call, &archive, error);
    if (status != CPR_OK)
        return status;
    command_note_needs(archive);
    if (call->given.shard_table) {
        list_shards(archive);
    } else {
        status = selection_by_path(call, archive, &selected, error);
        if (status == CPR_OK)
            list_files(&call->given, archive, selected);
    }
    free(selected);
    cpr_archive_close(archive);
    return status;
}

static const char *const list_usage[] = {"ARCHIVE.h5 [PATH...]", "ARCHIVE.h5 --shards", NULL};

const subcommand cmd_list = {
    .name = "list",
    .bit = COMMAND_LIST,
    .summary = "names of files, or shards",
    .usage = list_usage,
    .about = "Prints the paths in an archive, one a line. Bytes that a terminal cannot take are "
             "shown as \\n, \\\\ or \\xHH. Nothing is decoded.",
    .operands = OPERANDS_MEMBERS,
    .alone = true,
    .check = check_list,
    .run = run_list,
};
