/* cmd_audit.c - corpress audit ARCHIVE.h5 [--by file [PATH...]] | --odd */
#include "archive_json.h"
#include "command.h"
#include "corpress_inputs.h"
#include "decode_report.h"
#include "odd.h"
#include "page.h"
#include "report.h"
#include "run_log.h"
#include "selection.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct audit_work {
    command_call *call;
    cpr_archive_facts facts;
    bool *files;         /* per file: whether it has a row; NULL: all */
    bool *shards;        /* per shard: whether it holds one of them; NULL: all */
    uint64_t *lz4_bytes; /* per shard; 0: not known */
    bool *bad;           /* per shard */
    bool bad_primer;
    uint64_t bad_shards;
    cpr_item_result *curves; /* per shard, if they are wanted */
    run_log_time *times;     /* per shard, if a page is wanted */
    progress_bar bar;
} audit_work;

static bool decodes(const command_call *call)
{
    return call->given.full || call->given.curve;
}

static const report_column shard_columns[] = {
    {"shard", 7},      {"raw", 14},      {"coded", 13},    {"ratio", 8},     {"bits_per_byte", 13},
    {"loss_bits", 14}, {"overhead", 10}, {"lz4_ratio", 9}, {"integrity", 9}, {NULL, 0}};

static const report_column network_columns[] = {
    {"shard", 7},          {"raw", 14},       {"coded", 13},   {"ratio", 8},
    {"bits_per_byte", 13}, {"loss_bits", 14}, {"network", 14}, {"overhead", 10},
    {"lz4_ratio", 9},      {"integrity", 9},  {NULL, 0}};

static const report_column curve_columns[] = {{"shard", 7},  {"bytes", 12},  {"bits_per_byte", 13},
                                              {"so_far", 8}, {"network", 8}, {"network_so_far", 14},
                                              {NULL, 0}};

static const report_column file_columns[] = {
    {"raw", 14},           {"loss_bits", 14},   {"ratio", 8},
    {"bits_per_byte", 13}, {"first_shard", 11}, {"last_shard", 10},
    {"integrity", 9},      {"path", 0},         {NULL, 0}};

static const report_column input_columns[] = {
    {"kind", 7},       {"on_disk", 14}, {"raw", 14}, {"disk_ratio", 10}, {"ratio", 8},
    {"loss_bits", 14}, {"files", 9},    {"path", 0}, {NULL, 0}};

/* ---- listener ------------------------------------------------------------------------------ */

static void on_progress(void *context, const cpr_run_progress *now)
{
    audit_work *work = context;
    progress_show(&work->bar, now);
}

static void on_note(void *context, const char *text)
{
    audit_work *work = context;
    progress_clear(&work->bar);
    command_say("%s", text);
}

static void on_item(void *context, const cpr_item_result *result)
{
    audit_work *work = context;
    if (result->lz4_bytes && result->shard != CPR_SHARD_PRIMER)
        work->lz4_bytes[result->shard] = result->lz4_bytes;
    if (result->bad == CPR_OK) {
        if (work->curves != NULL)
            work->curves[result->shard] = *result;
        return;
    }
    if (result->shard == CPR_SHARD_PRIMER) {
        work->bad_primer = true;
    } else {
        work->bad[result->shard] = true;
        work->bad_shards++;
    }
    progress_clear(&work->bar);
    command_say("%s", result->text.text);
}

/* ---- rows ---------------------------------------------------------------------------------- */

static double ratio(uint64_t raw, double coded)
{
    return coded > 0 ? (double)raw / coded : 0;
}

static double bits_per_byte(uint64_t raw, double coded)
{
    return raw ? 8 * coded / (double)raw : 0;
}

/* Loss is kept in units of 2^-16 bit. */
static double loss_bits(uint64_t loss)
{
    return (double)loss / 65536;
}

/* Bytes that are stored as they are have their loss, too: 8 decisions of one bit each. */
static double overhead(const cpr_shard_info *info)
{
    return (double)info->coded_bytes - loss_bits(info->loss_bits) / 8;
}

static void lz4_ratio(report *r, uint64_t raw, uint64_t lz4_bytes)
{
    if (lz4_bytes)
        report_real(r, ratio(raw, (double)lz4_bytes), 3);
    else
        report_unknown(r);
}

/* The cells that a shard and the total have in common. */
static void size_cells(report *r, uint64_t raw, uint64_t coded)
{
    report_number(r, raw);
    report_number(r, coded);
    report_real(r, ratio(raw, (double)coded), 3);
    report_real(r, bits_per_byte(raw, (double)coded), 4);
}

/* Whether there is a column of the network's loss. */
static bool has_network(const report *r)
{
    return r->columns == network_columns;
}

/* The cells of a shard, or of the primer, behind its name. */
static void bitstream_cells(report *r, const cpr_shard_info *info, uint64_t lz4_bytes, bool bad)
{
    size_cells(r, info->raw_bytes, info->coded_bytes);
    report_real(r, loss_bits(info->loss_bits), 0);
    if (has_network(r))
        report_real(r, loss_bits(info->network_loss_bits), 0);
    report_real(r, overhead(info), 1);
    lz4_ratio(r, info->raw_bytes, lz4_bytes);
    report_word(r, bad ? "DAMAGED" : "ok");
    report_row_end(r);
}

static void shard_rows(report *r, const audit_work *work, const cpr_archive *archive)
{
    const cpr_shard_info *primer = cpr_archive_shard(archive, CPR_SHARD_PRIMER);
    if (primer != NULL) {
        report_row(r);
        report_word(r, "primer");
        bitstream_cells(r, primer, 0, work->bad_primer);
    }
    for (uint64_t i = 0; i < work->facts.shards; i++) {
        report_row(r);
        report_number(r, i);
        bitstream_cells(r, cpr_archive_shard(archive, i), work->lz4_bytes[i], work->bad[i]);
    }
}

/* Sums over the bitstreams. */
typedef struct audit_sums {
    double loss;
    double network_loss;
    double overhead;
} audit_sums;

static void sums_add(audit_sums *sums, const cpr_shard_info *info)
{
    sums->loss += loss_bits(info->loss_bits);
    sums->network_loss += loss_bits(info->network_loss_bits);
    sums->overhead += overhead(info);
}

/* A part of the archive file that is no bitstream. */
static void other_row(report *r, const char *name, uint64_t bytes, const char *integrity)
{
    report_row(r);
    report_word(r, name);
    report_unknown(r);
    report_number(r, bytes);
    for (int i = 0; i < (has_network(r) ? 4 : 3); i++)
        report_unknown(r);
    report_number(r, bytes);
    report_unknown(r);
    report_word(r, integrity);
    report_row_end(r);
}

static void total_rows(report *r, const audit_work *work, const cpr_archive *archive)
{
    const cpr_shard_info *primer = cpr_archive_shard(archive, CPR_SHARD_PRIMER);
    const uint64_t shards = work->facts.shards;
    const uint64_t weights = work->facts.weights_bytes;
    const uint64_t others = work->facts.archive_bytes - work->facts.coded_bytes;
    const char *integrity = work->facts.sealed ? "ok" : "unsealed";
    uint64_t lz4 = 0;
    bool all_lz4 = shards > 0;
    audit_sums sums = {.loss = 0};
    if (primer != NULL)
        sums_add(&sums, primer);
    for (uint64_t i = 0; i < shards; i++) {
        sums_add(&sums, cpr_archive_shard(archive, i));
        lz4 += work->lz4_bytes[i];
        all_lz4 = all_lz4 && work->lz4_bytes[i];
    }

    if (weights > 0)
        other_row(r, "weights", weights, integrity);
    other_row(r, "tables", others - weights, integrity);

    report_row(r);
    report_word(r, "total");
    size_cells(r, work->facts.raw_bytes, work->facts.archive_bytes);
    report_real(r, sums.loss, 0);
    if (has_network(r))
        report_real(r, sums.network_loss, 0);
    report_real(r, sums.overhead + (double)others, 1);
    lz4_ratio(r, work->facts.raw_bytes, all_lz4 ? lz4 : 0);
    report_word(r, work->bad_shards || work->bad_primer ? "DAMAGED" : "ok");
    report_row_end(r);
}

/* Loss per byte from one point of a curve to another; 0, 0 is the start. */
static void loss_cell(report *r, uint64_t bytes, uint64_t loss)
{
    report_real(r, bytes ? loss_bits(loss) / (double)bytes : 0, 4);
}

static void curve_rows(report *r, const audit_work *work)
{
    for (uint64_t i = 0; i < work->facts.shards; i++) {
        const cpr_item_result *result = &work->curves[i];
        cpr_loss_point before = {0};
        for (uint32_t k = 0; k < result->curve_points; k++) {
            const cpr_loss_point *now = &result->curve[k];
            const uint64_t bytes = now->raw_bytes - before.raw_bytes;
            report_row(r);
            report_number(r, i);
            report_number(r, now->raw_bytes);
            loss_cell(r, bytes, now->loss_bits - before.loss_bits);
            loss_cell(r, now->raw_bytes, now->loss_bits);
            if (now->network_loss_bits) {
                loss_cell(r, bytes, now->network_loss_bits - before.network_loss_bits);
                loss_cell(r, now->raw_bytes, now->network_loss_bits);
            } else {
                report_unknown(r);
                report_unknown(r);
            }
            report_row_end(r);
            before = *now;
        }
    }
}

static void file_row(report *r, const audit_work *work, const cpr_entry *entry)
{
    if (entry->bytes == 0)
        return;
    const double loss = loss_bits(entry->loss_bits);
    bool bad = work->bad_primer;
    for (uint64_t i = entry->first_shard; i <= entry->last_shard; i++)
        bad = bad || work->bad[i];
    report_row(r);
    report_number(r, entry->bytes);
    report_real(r, loss, 0);
    if (loss > 0) {
        report_real(r, ratio(entry->bytes, loss / 8), 3);
        report_real(r, bits_per_byte(entry->bytes, loss / 8), 4);
    } else { /* stored as it is, or part of a token that began in the file before */
        report_unknown(r);
        report_unknown(r);
    }
    report_number(r, entry->first_shard);
    report_number(r, entry->last_shard);
    report_word(r, bad ? "DAMAGED" : "ok");
    report_path(r, entry->path);
    report_row_end(r);
}

static void file_rows(report *r, const audit_work *work, const cpr_archive *archive)
{
    cpr_entry entry;
    for (uint64_t f = 0; f < work->facts.files; f++)
        if ((work->files == NULL || work->files[f]) &&
            cpr_archive_get(archive, f, &entry, NULL) == CPR_OK)
            file_row(r, work, &entry);
}

/* Whether a file has been selected that came of an input. */
static bool input_is_wanted(const audit_work *work, const cpr_input_facts *input)
{
    for (uint64_t f = input->first_file; f < input->first_file + input->files; f++)
        if (work->files == NULL || work->files[f])
            return true;
    return false;
}

static void input_row(report *r, const cpr_archive *archive, const cpr_input_facts *input)
{
    double loss = 0;
    cpr_entry entry;
    for (uint64_t f = input->first_file; f < input->first_file + input->files; f++)
        if (cpr_archive_get(archive, f, &entry, NULL) == CPR_OK)
            loss += loss_bits(entry.loss_bits);
    report_row(r);
    report_word(r, input->is_tar && strcmp(input->kind, "plain") == 0 ? "tar" : input->kind);
    report_number(r, input->bytes);
    report_number(r, input->text_bytes);
    report_real(r, ratio(input->text_bytes, (double)input->bytes), 3);
    if (loss > 0)
        report_real(r, ratio(input->text_bytes, loss / 8), 3);
    else
        report_unknown(r);
    report_real(r, loss, 0);
    report_number(r, input->files);
    report_path(r, input->path);
    report_row_end(r);
}

static void input_rows(report *r, const audit_work *work, const cpr_archive *archive)
{
    cpr_input_facts input;
    for (uint64_t i = 0; i < cpr_archive_inputs(archive); i++)
        if (cpr_archive_input(archive, i, &input, NULL) == CPR_OK && input_is_wanted(work, &input))
            input_row(r, archive, &input);
}

/* What the corpus took on the disk: decoded inputs as they were, all else as it is. */
static uint64_t disk_bytes(const cpr_archive *archive, const cpr_archive_facts *facts)
{
    uint64_t bytes = facts->raw_bytes;
    cpr_input_facts input;
    for (uint64_t i = 0; i < cpr_archive_inputs(archive); i++)
        if (cpr_archive_input(archive, i, &input, NULL) == CPR_OK)
            bytes = bytes - input.text_bytes + input.bytes;
    return bytes;
}

static void print_audit(const audit_work *work, const cpr_archive *archive)
{
    report r;
    if (work->call->given.format == REPORT_JSON) {
        archive_json_begin(work->call->archive, &work->facts);
        if (cpr_archive_inputs(archive) > 0)
            printf("\"inputs\": %" PRIu64 ",\n \"disk_bytes\": %" PRIu64 ",\n ",
                   cpr_archive_inputs(archive), disk_bytes(archive, &work->facts));
        printf("\"damaged_shards\": %" PRIu64 ",\n \"damaged_primer\": %s,\n \"rows\": ",
               work->bad_shards, work->bad_primer ? "true" : "false");
    }
    report_begin(&r, stdout, work->call->given.format,
                 work->call->given.by == OPTION_BY_FILE    ? file_columns
                 : work->call->given.by == OPTION_BY_INPUT ? input_columns
                 : work->call->given.curve                 ? curve_columns
                 : work->facts.has_network                 ? network_columns
                                                           : shard_columns);
    if (work->call->given.curve) {
        curve_rows(&r, work);
    } else if (work->call->given.by == OPTION_BY_FILE) {
        file_rows(&r, work, archive);
    } else if (work->call->given.by == OPTION_BY_INPUT) {
        input_rows(&r, work, archive);
    } else {
        shard_rows(&r, work, archive);
        total_rows(&r, work, archive);
    }
    report_end(&r);
    if (work->call->given.format == REPORT_JSON)
        puts("}");
}

/* Looks for oddities where nothing is damaged so far. */
static cpr_status print_odd(audit_work *work, cpr_archive *archive, cpr_error *error)
{
    const option_values *given = &work->call->given;
    odd_scan scan = {.archive = archive,
                     .cache = given->cache,
                     .threads = (unsigned)given->threads,
                     .quiet = given->quiet,
                     .sample_bytes = given->odd_bytes,
                     .bad = work->bad,
                     .bad_primer = work->bad_primer};
    if (given->format == REPORT_JSON)
        archive_json_begin(work->call->archive, &work->facts);
    const cpr_status status = odd_print(&scan, given->format, error);
    work->bad_shards += scan.bad_shards;
    if (status == CPR_OK && given->format == REPORT_JSON)
        puts("}");
    return status;
}

static cpr_status write_page(const audit_work *work, cpr_archive *archive, cpr_error *error)
{
    char shown[512];
    char size[32];
    size_t bytes = 0;
    const option_values *given = &work->call->given;
    const page_audit audit = {.archive_path = work->call->archive,
                              .archive = archive,
                              .facts = work->facts,
                              .bad = work->bad,
                              .bad_primer = work->bad_primer,
                              .lz4_bytes = work->lz4_bytes,
                              .times = work->times,
                              .curves = work->curves,
                              .inputs = cpr_archive_inputs(archive),
                              .disk_bytes = disk_bytes(archive, &work->facts),
                              .unsealed = given->unsealed};
    const page_decoding decoding = {
        .cache = given->cache, .threads = (unsigned)given->threads, .quiet = given->quiet};
    const cpr_status status =
        page_write(&audit, given->html, given->excerpts ? &decoding : NULL, &bytes, error);
    if (status == CPR_OK && !given->quiet)
        command_say("the report is in %s, %s", cpr_printable_path(given->html, shown, sizeof shown),
                    progress_bytes(bytes, size, sizeof size));
    return status;
}

/* The shards that hold bytes of the selected files. */
static void mark_shards(audit_work *work, const cpr_archive *archive)
{
    for (uint64_t f = 0; f < work->facts.files; f++) {
        cpr_entry entry;
        if (!work->files[f] || cpr_archive_get(archive, f, &entry, NULL) != CPR_OK ||
            entry.bytes == 0)
            continue;
        for (uint64_t i = entry.first_shard; i <= entry.last_shard; i++)
            work->shards[i] = true;
    }
}

/* COLLECTIVE. The tables of shards, and what the command line selects. */
static cpr_status audit_prepare(audit_work *work, const cpr_archive *archive, cpr_error *error)
{
    const size_t shards = (size_t)work->facts.shards;
    work->lz4_bytes = calloc(shards + 1, sizeof *work->lz4_bytes);
    work->bad = calloc(shards + 1, sizeof *work->bad);
    if (work->call->given.curve)
        work->curves = calloc(shards + 1, sizeof *work->curves);
    if (work->call->given.html != NULL)
        work->times = calloc(shards + 1, sizeof *work->times);
    cpr_status status = selection_by_path(work->call, archive, &work->files, error);
    if (status == CPR_OK && work->files != NULL)
        work->shards = calloc(shards + 1, sizeof *work->shards);
    if (status == CPR_OK && (work->lz4_bytes == NULL || work->bad == NULL ||
                             (work->call->given.curve && work->curves == NULL) ||
                             (work->call->given.html != NULL && work->times == NULL) ||
                             (work->files != NULL && work->shards == NULL)))
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a table of shards");
    if (status == CPR_OK && work->files != NULL)
        mark_shards(work, archive);
    return cpr_ranks_agree(work->call->ranks, status, error);
}

/* A bar for the shards that are decoded. */
static void audit_begin_bar(audit_work *work, const cpr_archive *archive)
{
    uint64_t raw_bytes = 0;
    uint64_t shards = 0;
    for (uint64_t i = 0; i < work->facts.shards; i++) {
        if (work->shards != NULL && !work->shards[i])
            continue;
        raw_bytes += cpr_archive_shard(archive, i)->raw_bytes;
        shards++;
    }
    progress_begin(&work->bar, work->call->given.quiet || !decodes(work->call), raw_bytes, shards);
    work->bar.decoding = true;
}

static cpr_status audit(audit_work *work, cpr_archive *archive, cpr_error *error)
{
    cpr_archive_get_facts(archive, &work->facts);
    const bool first = cpr_ranks_rank(work->call->ranks) == 0;
    cpr_status status = audit_prepare(work, archive, error);
    if (status != CPR_OK)
        return status;
    if (first)
        run_log_read(work->call->archive, archive, work->lz4_bytes, work->times);
    audit_begin_bar(work, archive);
    const cpr_listener listener = {
        .context = work, .progress = on_progress, .item = on_item, .note = on_note};
    const cpr_examine_options options = {.shards = work->shards,
                                         .depth = work->call->given.curve  ? CPR_EXAMINE_CURVE
                                                  : work->call->given.full ? CPR_EXAMINE_RAW
                                                                           : CPR_EXAMINE_CODED,
                                         .cache = work->call->given.cache,
                                         .threads = (unsigned)work->call->given.threads};
    status = cpr_examine(work->call->ranks, archive, &options, &listener, NULL, error);
    progress_clear(&work->bar);
    if (status != CPR_OK)
        return status;
    if (first)
        command_note_needs(archive);
    if (first && work->call->given.html != NULL)
        status = write_page(work, archive, error);
    else if (first && work->call->given.odd)
        status = print_odd(work, archive, error);
    else if (first)
        print_audit(work, archive);
    return cpr_ranks_agree(work->call->ranks, status, error);
}

static int check_audit(command_call *call)
{
    if (call->given.curve && call->given.by != OPTION_BY_SHARD)
        return command_usage(call->ranks, call->command, "--curve is by shard");
    if ((call->path_count > 0 || call->given.exclude.count > 0) &&
        call->given.by == OPTION_BY_SHARD)
        return command_usage(call->ranks, call->command, "paths and --exclude want --by file");
    if (call->given.html != NULL &&
        (call->given.by != OPTION_BY_SHARD || call->given.format != REPORT_TABLE))
        return command_usage(call->ranks, call->command,
                             "--html is the whole archive: no --by, no --format");
    if (call->given.odd && (call->given.by != OPTION_BY_SHARD || call->given.curve ||
                            call->given.html != NULL || call->given.full))
        return command_usage(call->ranks, call->command,
                             "--odd is the whole archive: no --by, --curve, --full or --html");
    if (call->given.odd_bytes == 0)
        call->given.odd_bytes = ODD_SAMPLE_DEFAULT;
    else if (!call->given.odd)
        return command_usage(call->ranks, call->command, "--sample-bytes wants --odd");
    if (call->given.excerpts && call->given.html == NULL)
        return command_usage(call->ranks, call->command, "--excerpts wants --html");
    return EXIT_DONE;
}

/* Says on rank 0 that a good part of the bytes does not compress. */
static void tell_stored(const command_call *call, const cpr_archive *archive)
{
    cpr_archive_facts facts;
    uint64_t stored = 0;
    cpr_archive_get_facts(archive, &facts);
    for (uint64_t i = 0; i < facts.shards; i++)
        stored += cpr_archive_shard(archive, i)->stored_bytes;
    if (cpr_ranks_rank(call->ranks) == 0 && stored > 0 && stored >= facts.raw_bytes / 10)
        command_say("%.0f %% of the bytes are stored as they are: they look compressed or "
                    "encrypted already",
                    100.0 * (double)stored / (double)facts.raw_bytes);
}

/* Says on rank 0 what decoding inputs has come to. */
static void tell_inputs(const command_call *call, const cpr_archive *archive)
{
    char shown[32];
    char disk[32];
    cpr_archive_facts facts;
    const uint64_t inputs = cpr_archive_inputs(archive);
    if (cpr_ranks_rank(call->ranks) != 0 || inputs == 0)
        return;
    cpr_archive_get_facts(archive, &facts);
    const uint64_t bytes = disk_bytes(archive, &facts);
    command_say("%llu inputs were compressed or tars: the corpus took %s on the disk, the archive "
                "takes %s, %.1f %% of that",
                (unsigned long long)inputs, progress_bytes(bytes, disk, sizeof disk),
                progress_bytes(facts.archive_bytes, shown, sizeof shown),
                100.0 * (double)facts.archive_bytes / (double)(bytes > 0 ? bytes : 1));
}

/* COLLECTIVE. Before anything is decoded that a page would show. */
static cpr_status check_page(const command_call *call, cpr_error *error)
{
    cpr_status status = CPR_OK;
    if (cpr_ranks_rank(call->ranks) == 0)
        status = page_check(call->given.html, error);
    return cpr_ranks_agree(call->ranks, status, error);
}

static cpr_status run_audit(command_call *call, cpr_error *error)
{
    audit_work work = {.call = call};
    cpr_archive *archive = NULL;
    cpr_status status = CPR_OK;
    if (decodes(call) || call->given.odd)
        status = cpr_ranks_self_test(call->ranks, NULL, error);
    if (status == CPR_OK)
        status = command_open_archive(call, &archive, error);
    if (status == CPR_OK && call->given.html != NULL)
        status = check_page(call, error);
    if (status == CPR_OK)
        status = audit(&work, archive, error);
    if (status == CPR_OK)
        tell_stored(call, archive);
    if (status == CPR_OK)
        tell_inputs(call, archive);
    call->damaged = work.bad_shards > 0 || work.bad_primer;
    cpr_archive_close(archive);
    free(work.files);
    free(work.shards);
    free(work.lz4_bytes);
    free(work.bad);
    free(work.curves);
    free(work.times);
    return status;
}

static const char *const audit_usage[] = {"ARCHIVE.h5 [--by shard|file|input]",
                                          "ARCHIVE.h5 --by file PATH...",
                                          "ARCHIVE.h5 --curve",
                                          "ARCHIVE.h5 --html REPORT.html [--excerpts]",
                                          "ARCHIVE.h5 --odd [--sample-bytes SIZE]",
                                          NULL};

static const command_term audit_terms[] = {
    {"raw, coded", "bytes before and after; ratio and bits_per_byte come from these two"},
    {"loss_bits", "the model's loss: what a perfect coder would need; data stored as it is counts "
                  "with 8 bits a byte"},
    {"network", "what the network alone would have lost, in bits; with a network"},
    {"overhead", "bytes of `coded` beyond the loss"},
    {"lz4_ratio", "ratio of the same bytes under LZ4, the baseline; from ARCHIVE.h5.log.jsonl, or "
                  "measured with --full, or -"},
    {"integrity", "ok: the compressed data has its checksum, with --full the decoded bytes, too; "
                  "else DAMAGED"},
    {"primer", "this row is the text that the model learns before every shard, and which is "
               "decoded before one; the shards hold it, too"},
    {"on_disk", "bytes of an input as it was; disk_ratio is its text by them"},
    {"weights", "this row is the network that has been taught before the coding, as it is stored"},
    {"tables", "this row is all else in the archive file"},
    {"total", "this row counts every byte of the file"},
    {.word = NULL}};

const subcommand cmd_audit = {
    .name = "audit",
    .bit = COMMAND_AUDIT,
    .summary = "ratio and integrity",
    .usage = audit_usage,
    .about =
        "Prints how well every shard or file was compressed, and whether it is intact. The "
        "exit code is 4 if a shard or the primer is damaged.\n\n"
        "With --by file, loss_bits is the model's loss on the file's tokens; ratio and bits "
        "per byte come from it.\n\n"
        "With --odd it names files that are unlike the rest: near-copies of others, boilerplate, "
        "mojibake, binary files, other languages; each with the rule, its figure and limit, what "
        "the file costs, and what those around it do.\n\n"
        "The table and CSV show bytes that a terminal cannot take as \\n, \\\\ or \\xHH. In JSON, "
        "a path that is not UTF-8 has U+FFFD for each byte that does not fit, and its exact "
        "bytes in path_hex.",
    .terms = audit_terms,
    .operands = OPERANDS_MEMBERS,
    .check = check_audit,
    .run = run_audit,
};
