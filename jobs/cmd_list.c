/* cmd_list.c - corpress list ARCHIVE.h5 [PATH...] [--shards] */
#include "archive_json.h"
#include "command.h"
#include "corpress_documents.h"
#include "escape.h"
#include "report.h"
#include "selection.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

/* The cells behind the shard's offset, but for its documents. */
static void shard_cells(report *r, const cpr_shard_info *info)
{
    report_number(r, info->raw_bytes);
    report_number(r, info->coded_bytes);
    report_number(r, info->stored_bytes);
    report_number(r, info->tokens);
    report_number(r, info->generation);
}

/* The weights of a network that was taught: no text, and so no bytes of the corpus. */
static void weights_row(report *r, uint64_t bytes)
{
    report_row(r);
    report_word(r, "weights");
    report_unknown(r);
    report_unknown(r);
    report_number(r, bytes);
    for (int i = 0; i < 4; i++)
        report_unknown(r);
    report_row_end(r);
}

static const report_column shard_columns[] = {{"shard", 7},       {"offset", 16},    {"raw", 14},
                                              {"coded", 13},      {"stored", 13},    {"tokens", 13},
                                              {"generation", 10}, {"documents", 11}, {NULL, 0}};

static void shard_rows(report *r, const cpr_archive *archive)
{
    cpr_archive_facts facts;
    const cpr_shard_info *primer = cpr_archive_shard(archive, CPR_SHARD_PRIMER);
    const uint64_t shards = selection_shards(archive);
    uint64_t first;
    uint64_t count;
    cpr_archive_get_facts(archive, &facts);
    if (facts.weights_bytes > 0)
        weights_row(r, facts.weights_bytes);
    if (primer != NULL) {
        report_row(r);
        report_word(r, "primer");
        report_unknown(r);
        shard_cells(r, primer);
        report_unknown(r);
        report_row_end(r);
    }
    for (uint64_t i = 0; i < shards; i++) {
        const cpr_shard_info *info = cpr_archive_shard(archive, i);
        report_row(r);
        report_number(r, i);
        report_number(r, info->offset);
        shard_cells(r, info);
        if (cpr_archive_shard_documents(archive, i, &first, &count, NULL) == CPR_OK)
            report_number(r, count);
        else
            report_unknown(r);
        report_row_end(r);
    }
}

/* As CSV and JSON have them. */
static const report_column file_columns[] = {{"type", 0},
                                             {"mode", 0},
                                             {"raw", 0},
                                             {"offset", 0},
                                             {"mtime_seconds", 0},
                                             {"mtime_nanoseconds", 0},
                                             {"first_shard", 0},
                                             {"last_shard", 0},
                                             {"loss_bits", 0},
                                             {"ratio", 0},
                                             {"bits_per_byte", 0},
                                             {"documents", 0},
                                             {"first_document", 0},
                                             {"document_rule", 0},
                                             {"link_target", 0},
                                             {"path", 0},
                                             {NULL, 0}};

/* What only a file with bytes has. */
static void content_cells(report *r, const cpr_entry *entry)
{
    const double bits = (double)entry->loss_bits / 65536;
    const double bytes = (double)entry->bytes;
    if (entry->bytes == 0) {
        for (int i = 0; i < 5; i++)
            report_unknown(r);
        return;
    }
    report_number(r, entry->first_shard);
    report_number(r, entry->last_shard);
    report_real(r, bits, 0);
    if (bits > 0) {
        report_real(r, 8 * bytes / bits, 3);
        report_real(r, bits / bytes, 4);
    } else { /* part of a token that began in the file before */
        report_unknown(r);
        report_unknown(r);
    }
}

/* Of regular files: how many documents, the first one's number, and what a document is. */
static void document_cells(report *r, const cpr_archive *archive, const cpr_entry *entry)
{
    static const char *const rules[] = {"file", "line", "separator"}; /* as cpr_document_rule */
    uint64_t first = 0;
    uint64_t count = 0;
    if (entry->type != CPR_FILE_REGULAR ||
        cpr_archive_file_documents(archive, entry->number, &first, &count, NULL) != CPR_OK) {
        for (int i = 0; i < 3; i++)
            report_unknown(r);
        return;
    }
    report_number(r, count);
    if (count > 0)
        report_number(r, first);
    else
        report_unknown(r);
    report_word(r, rules[entry->documents]);
}

static void file_row(report *r, const cpr_archive *archive, const cpr_entry *entry)
{
    static const char *const types[] = {"file", "directory", "link"}; /* as cpr_file_type counts */
    report_row(r);
    report_word(r, types[entry->type]);
    report_number(r, entry->mode);
    report_number(r, entry->bytes);
    report_number(r, entry->offset);
    report_signed(r, entry->mtime_seconds);
    report_number(r, entry->mtime_nanoseconds);
    content_cells(r, entry);
    document_cells(r, archive, entry);
    if (entry->type == CPR_FILE_SYMLINK)
        report_path(r, entry->link_target);
    else
        report_unknown(r);
    report_path(r, entry->path);
    report_row_end(r);
}

/* selected: NULL is all. */
static void file_rows(report *r, const cpr_archive *archive, const bool *selected)
{
    const uint64_t files = selection_files(archive);
    for (uint64_t f = 0; f < files && !ferror(stdout); f++) {
        cpr_entry entry;
        if ((selected == NULL || selected[f]) &&
            cpr_archive_get(archive, f, &entry, NULL) == CPR_OK)
            file_row(r, archive, &entry);
    }
}

static void list_rows(const command_call *call, const cpr_archive *archive, const bool *selected)
{
    cpr_archive_facts facts;
    report r;
    const bool json = call->given.format == REPORT_JSON;
    if (json) {
        cpr_archive_get_facts(archive, &facts);
        archive_json_begin(call->archive, &facts);
        fputs("\"rows\": ", stdout);
    }
    report_begin(&r, stdout, call->given.format,
                 call->given.shard_table ? shard_columns : file_columns);
    if (call->given.shard_table)
        shard_rows(&r, archive);
    else
        file_rows(&r, archive, selected);
    report_end(&r);
    if (json)
        puts("}");
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
    if (given->null && given->format != REPORT_TABLE)
        return command_usage(call->ranks, call->command, "either --null or --format");
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
    if (!call->given.shard_table)
        status = selection_by_path(call, archive, &selected, error);
    if (status == CPR_OK && !call->given.shard_table)
        status = selection_drop_rests(call, archive, &selected, error);
    if (status == CPR_OK && (call->given.shard_table || call->given.format != REPORT_TABLE))
        list_rows(call, archive, selected);
    else if (status == CPR_OK)
        list_files(&call->given, archive, selected);
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
             "shown as \\n, \\\\ or \\xHH. Nothing is decoded.\n\n"
             "JSON and CSV have everything that is known of files, or of shards. In JSON, a path "
             "that is not UTF-8 has U+FFFD for each byte that does not fit, and its exact bytes in "
             "path_hex.",
    .operands = OPERANDS_MEMBERS,
    .alone = true,
    .check = check_list,
    .run = run_list,
};
