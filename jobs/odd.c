/* odd.c - the oddities of a corpus by name. */
#include "odd.h"

#include "command.h"
#include "progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What makes a file odd. Shares are of bytes, characters, or stretches. */
#define LIMIT_COPIED 0.5
#define LIMIT_COMMON 0.6
#define LIMIT_REPEATED 0.75
#define LIMIT_NUL 0.001
#define LIMIT_WIDE 0.15 /* NULs, nearly all at even, or at odd offsets */
#define LIMIT_WIDE_SIDE 0.95
#define LIMIT_CONTROLS 0.01
#define LIMIT_INVALID 0.001
#define LIMIT_INVALID_BINARY 0.2
#define LIMIT_REPLACED 0.001
#define LIMIT_TWICE 0.1 /* of the characters beyond ASCII */
#define LIMIT_ACCENTS 0.2
#define LIMIT_C1 0.001
#define LIMIT_USUAL 0.3 /* of the files: what so many have is no oddity */
#define SIGNS_LEAST 3   /* of a wrong encoding */
#define COPY_WINDOWS 96 /* stretches of a text that is looked at for copies */
#define REPEAT_WINDOWS 1000

typedef enum odd_kind {
    ODD_COPY,
    ODD_BOILERPLATE,
    ODD_MOJIBAKE,
    ODD_BINARY,
    ODD_LANGUAGE,
    ODD_KINDS
} odd_kind;

static const char *const kind_names[] = {"near-copy", "boilerplate", "mojibake", "binary",
                                         "language"};

typedef enum odd_rule {
    RULE_COPIED,
    RULE_CHEAP,
    RULE_COMMON,
    RULE_REPEATED,
    RULE_WIDE,
    RULE_INVALID,
    RULE_REPLACED,
    RULE_TWICE,
    RULE_ACCENTS,
    RULE_C1,
    RULE_NUL,
    RULE_CONTROLS,
    RULE_NOISE,
    RULE_DEAR,
    RULE_LANGUAGE,
    RULES
} odd_rule;

static const char *const rule_names[] = {
    "in-another-file", "cost",        "in-many-files", "in-itself",   "utf-16", "not-utf-8",
    "u+fffd",          "utf-8-twice", "accents",       "c1-controls", "nul",    "controls",
    "not-utf-8",       "cost",        "letters"};

/* A row. */
typedef struct odd_finding {
    uint64_t number;
    uint64_t bytes;
    odd_kind kind;
    odd_rule rule;
    double figure, limit;
    uint64_t other; /* number of a file; CPR_NONE */
    uint64_t files; /* that have the text, with this one; 0: not known */
} odd_finding;

typedef struct odd_list {
    odd_scan *scan;
    uint64_t all; /* files of the archive */
    odd_table table;
    odd_finding *rows;
    size_t count, room;
    bool failed; /* there was no memory */
    bool usual[RULES];
    uint64_t found[ODD_KINDS], found_bytes[ODD_KINDS];
} odd_list;

static double part_of(uint64_t part, uint64_t all)
{
    return all > 0 ? (double)part / (double)all : 0;
}

static void list_add(odd_list *list, const odd_finding *finding)
{
    cpr_entry entry;
    if (list->usual[finding->rule] ||
        cpr_archive_get(list->scan->archive, finding->number, &entry, NULL) != CPR_OK)
        return;
    if (list->count == list->room) {
        const size_t room = list->room + list->room / 2 + 64;
        odd_finding *rows = realloc(list->rows, room * sizeof *rows);
        list->failed = list->failed || rows == NULL;
        if (rows == NULL)
            return;
        list->rows = rows;
        list->room = room;
    }
    list->rows[list->count] = *finding;
    list->rows[list->count++].bytes = entry.bytes;
    list->found[finding->kind]++;
    list->found_bytes[finding->kind] += entry.bytes;
}

/* ---- rules of encodings -------------------------------------------------------------------- */

/* How far a file goes beyond a rule's limit, which it sets; 0: it does not. */
static double encoding_figure(const odd_counts *counts, odd_rule rule, double *limit)
{
    const uint64_t nul = counts->nul_even + counts->nul_odd;
    const uint64_t side = counts->nul_even > counts->nul_odd ? counts->nul_even : counts->nul_odd;
    double figure = 0;
    uint64_t signs = SIGNS_LEAST;
    switch (rule) {
    case RULE_WIDE:
        *limit = LIMIT_WIDE;
        figure = part_of(side, nul) >= LIMIT_WIDE_SIDE ? part_of(nul, counts->bytes) : 0;
        break;
    case RULE_NUL:
        *limit = LIMIT_NUL;
        figure = part_of(nul, counts->bytes);
        break;
    case RULE_CONTROLS:
        *limit = LIMIT_CONTROLS;
        signs = counts->controls;
        figure = part_of(counts->controls, counts->characters);
        break;
    case RULE_NOISE:
        *limit = LIMIT_INVALID_BINARY;
        signs = counts->invalid;
        figure = part_of(counts->invalid, counts->bytes);
        break;
    case RULE_TWICE:
        *limit = LIMIT_TWICE;
        signs = counts->twice / 2;
        figure = part_of(counts->twice, counts->beyond_ascii);
        break;
    case RULE_INVALID:
        *limit = LIMIT_INVALID;
        signs = counts->invalid;
        figure = part_of(counts->invalid, counts->characters + counts->invalid);
        break;
    case RULE_REPLACED:
        *limit = LIMIT_REPLACED;
        signs = counts->replaced;
        figure = part_of(counts->replaced, counts->characters);
        break;
    case RULE_ACCENTS:
        *limit = LIMIT_ACCENTS;
        figure = part_of(counts->accents, counts->characters);
        break;
    case RULE_C1:
        *limit = LIMIT_C1;
        signs = counts->c1;
        figure = part_of(counts->c1, counts->characters);
        break;
    default:
        return 0;
    }
    return signs >= SIGNS_LEAST && figure >= *limit ? figure : 0;
}

typedef struct encoding_rule {
    odd_rule rule;
    odd_kind kind;
} encoding_rule;

/* The first that a file meets is its own. */
static const encoding_rule encoding_rules[] = {
    {RULE_WIDE, ODD_MOJIBAKE},  {RULE_NUL, ODD_BINARY},       {RULE_CONTROLS, ODD_BINARY},
    {RULE_TWICE, ODD_MOJIBAKE}, {RULE_ACCENTS, ODD_MOJIBAKE}, {RULE_REPLACED, ODD_MOJIBAKE},
    {RULE_C1, ODD_MOJIBAKE},    {RULE_INVALID, ODD_MOJIBAKE}};

#define ENCODING_RULES (sizeof encoding_rules / sizeof *encoding_rules)

/* What is no UTF-8, and dear as well, is no text of another encoding. */
static bool file_is_noise(const odd_list *list, const odd_file *file, double *figure)
{
    cpr_entry entry;
    double limit = 0;
    *figure = encoding_figure(&file->counts, RULE_NOISE, &limit);
    return *figure > 0 &&
           cpr_archive_get(list->scan->archive, file->number, &entry, NULL) == CPR_OK &&
           odd_cost(&entry) >= ODD_DEAR;
}

static bool file_encoding(const odd_list *list, const odd_file *file, odd_finding *finding)
{
    double figure = 0;
    if (file_is_noise(list, file, &figure)) {
        finding->kind = ODD_BINARY;
        finding->rule = RULE_NOISE;
        finding->limit = LIMIT_INVALID_BINARY;
        finding->figure = figure;
        return true;
    }
    for (size_t i = 0; i < ENCODING_RULES; i++) {
        figure = encoding_figure(&file->counts, encoding_rules[i].rule, &finding->limit);
        finding->kind = encoding_rules[i].kind;
        finding->rule = encoding_rules[i].rule;
        finding->figure = figure;
        if (figure > 0)
            return true;
    }
    return false;
}

/* Which rules so many files meet that these are the corpus' own ways. */
static void list_find_usual(odd_list *list)
{
    uint64_t met[RULES] = {0};
    const odd_table *table = &list->table;
    for (size_t i = 0; i < table->count; i++) {
        odd_finding finding;
        if (file_encoding(list, &table->files[i], &finding))
            met[finding.rule]++;
    }
    for (unsigned i = 0; i < RULES; i++)
        list->usual[i] = table->count >= 8 && part_of(met[i], table->count) > LIMIT_USUAL;
}

/* ---- rules of text ------------------------------------------------------------------------- */

static bool file_copied(const odd_list *list, const odd_file *file, odd_finding *finding)
{
    const odd_file *files = list->table.files;
    if (file->counts.windows < COPY_WINDOWS)
        return false;
    if (file->common >= LIMIT_COMMON) {
        finding->kind = ODD_BOILERPLATE;
        finding->rule = RULE_COMMON;
        finding->figure = file->common;
        finding->limit = LIMIT_COMMON;
        finding->files = file->common_files;
        if (file->common_first != ODD_NO_ROW)
            finding->other = files[file->common_first].number;
        return true;
    }
    if (file->original == ODD_NO_ROW || file->copied < LIMIT_COPIED)
        return false;
    finding->kind = ODD_COPY;
    finding->rule = RULE_COPIED;
    finding->figure = file->copied;
    finding->limit = LIMIT_COPIED;
    finding->files = file->copied_files;
    finding->other = files[file->original].number;
    return true;
}

static bool file_repeated(const odd_file *file, odd_finding *finding)
{
    finding->kind = ODD_BOILERPLATE;
    finding->rule = RULE_REPEATED;
    finding->figure = part_of(file->counts.repeated, file->counts.windows);
    finding->limit = LIMIT_REPEATED;
    return file->counts.windows >= REPEAT_WINDOWS && finding->figure >= LIMIT_REPEATED;
}

/* Text that costs what noise does. */
static bool entry_dear(const cpr_entry *entry, odd_finding *finding)
{
    finding->kind = ODD_BINARY;
    finding->rule = RULE_DEAR;
    finding->figure = odd_cost(entry);
    finding->limit = ODD_DEAR;
    return entry->bytes >= ODD_COST_BYTES && finding->figure >= ODD_DEAR;
}

/* A file that nobody looked at, and that cost next to nothing, though no primer held it. */
static bool entry_cheap(const odd_list *list, const cpr_entry *entry, odd_finding *finding)
{
    if (entry->bytes < ODD_COST_BYTES || entry->loss_bits == 0 ||
        cpr_archive_shard(list->scan->archive, CPR_SHARD_PRIMER) != NULL)
        return false;
    finding->kind = ODD_COPY;
    finding->rule = RULE_CHEAP;
    finding->figure = odd_cost(entry);
    finding->limit = ODD_CHEAP * odd_cost_around(list->scan->archive, list->all, entry->number);
    return finding->figure < finding->limit;
}

static void file_judge(odd_list *list, const odd_file *file)
{
    cpr_entry entry;
    const odd_finding none = {.number = file->number, .other = CPR_NONE};
    odd_finding finding = none;
    if (file_copied(list, file, &finding))
        list_add(list, &finding);
    finding = none;
    if (file_encoding(list, file, &finding)) {
        list_add(list, &finding);
        return;
    }
    finding = none;
    if (cpr_archive_get(list->scan->archive, file->number, &entry, NULL) == CPR_OK &&
        entry_dear(&entry, &finding)) {
        list_add(list, &finding);
        return;
    }
    finding = none;
    if (file_repeated(file, &finding))
        list_add(list, &finding);
    finding = (odd_finding){.number = file->number,
                            .other = CPR_NONE,
                            .kind = ODD_LANGUAGE,
                            .rule = RULE_LANGUAGE,
                            .figure = file->distance,
                            .limit = list->table.language_limit};
    if (list->table.languages > 0 && file->distance > finding.limit)
        list_add(list, &finding);
}

static void list_judge(odd_list *list)
{
    size_t row = 0;
    list_find_usual(list);
    for (uint64_t f = 0; f < list->all; f++) {
        cpr_entry entry;
        odd_finding finding = {.number = f, .other = CPR_NONE};
        bool looked_at = false;
        while (row < list->table.count && list->table.files[row].number == f) {
            file_judge(list, &list->table.files[row++]);
            looked_at = true;
        }
        if (looked_at || cpr_archive_get(list->scan->archive, f, &entry, NULL) != CPR_OK ||
            entry.bytes == 0 || entry.is_rest)
            continue;
        if (entry_dear(&entry, &finding) || entry_cheap(list, &entry, &finding))
            list_add(list, &finding);
    }
}

/* ---- output -------------------------------------------------------------------------------- */

static const report_column odd_columns[] = {
    {"kind", 11}, {"raw", 14},  {"bits_per_byte", 13}, {"around", 7}, {"rule", 15}, {"figure", 7},
    {"limit", 6}, {"files", 6}, {"path", 0},           {"other", 0},  {NULL, 0}};

static int finding_compare(const void *a, const void *b)
{
    const odd_finding *one = a;
    const odd_finding *two = b;
    if (one->kind != two->kind)
        return one->kind > two->kind ? 1 : -1;
    if (one->bytes != two->bytes)
        return one->bytes < two->bytes ? 1 : -1;
    return (one->number > two->number) - (one->number < two->number);
}

static void real_or_unknown(report *r, double value, int decimals)
{
    if (value > 0)
        report_real(r, value, decimals);
    else
        report_unknown(r);
}

static void finding_print(const odd_list *list, report *r, const odd_finding *finding)
{
    cpr_entry entry;
    cpr_entry other;
    const cpr_archive *archive = list->scan->archive;
    if (cpr_archive_get(archive, finding->number, &entry, NULL) != CPR_OK)
        return;
    report_row(r);
    report_word(r, kind_names[finding->kind]);
    report_number(r, entry.bytes);
    real_or_unknown(r, odd_cost(&entry), 4);
    real_or_unknown(r, odd_cost_around(archive, list->all, finding->number), 3);
    report_word(r, rule_names[finding->rule]);
    report_real(r, finding->figure, 3);
    report_real(r, finding->limit, 3);
    if (finding->files > 0)
        report_number(r, finding->files);
    else
        report_unknown(r);
    report_path(r, entry.path);
    if (finding->other != CPR_NONE &&
        cpr_archive_get(archive, finding->other, &other, NULL) == CPR_OK)
        report_path(r, other.path);
    else
        report_unknown(r);
    report_row_end(r);
}

static void list_print_json(const odd_list *list)
{
    const odd_scan *scan = list->scan;
    printf("\"looked_at\": {\"files\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"shards\": %" PRIu64
           "},\n \"found\": {",
           scan->files_read, scan->bytes_read, scan->shards_read);
    for (unsigned i = 0; i < ODD_KINDS; i++)
        printf("%s\"%s\": {\"files\": %" PRIu64 ", \"bytes\": %" PRIu64 "}", i > 0 ? ", " : "",
               kind_names[i], list->found[i], list->found_bytes[i]);
    printf("},\n \"rows\": ");
}

static void list_tell(const odd_list *list)
{
    char read[32];
    char all[32];
    const odd_scan *scan = list->scan;
    command_say("looked at %" PRIu64 " of %" PRIu64 " files, %s of %s in %" PRIu64 " of %" PRIu64
                " shards; found %" PRIu64 " near-copies, %" PRIu64 " boilerplate, %" PRIu64
                " mojibake, %" PRIu64 " binary, %" PRIu64 " in another language",
                scan->files_read, scan->files, progress_bytes(scan->bytes_read, read, sizeof read),
                progress_bytes(scan->bytes, all, sizeof all), scan->shards_read, scan->shards,
                list->found[ODD_COPY], list->found[ODD_BOILERPLATE], list->found[ODD_MOJIBAKE],
                list->found[ODD_BINARY], list->found[ODD_LANGUAGE]);
}

static void list_print(odd_list *list, report_format format)
{
    report r;
    if (list->count > 0)
        qsort(list->rows, list->count, sizeof *list->rows, finding_compare);
    if (format == REPORT_JSON)
        list_print_json(list);
    report_begin(&r, stdout, format, odd_columns);
    for (size_t i = 0; i < list->count; i++)
        finding_print(list, &r, &list->rows[i]);
    report_end(&r);
}

cpr_status odd_print(odd_scan *scan, report_format format, cpr_error *error)
{
    cpr_archive_facts facts;
    odd_list list = {.scan = scan};
    cpr_archive_get_facts(scan->archive, &facts);
    list.all = facts.files;
    cpr_status status = odd_scan_run(scan, &list.table, error);
    if (status == CPR_OK)
        status = odd_copies_find(&list.table, error);
    if (status == CPR_OK)
        status = odd_language_find(&list.table, error);
    if (status == CPR_OK)
        list_judge(&list);
    if (status == CPR_OK && list.failed)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to list oddities");
    if (status == CPR_OK) {
        list_print(&list, format);
        fflush(stdout);
        list_tell(&list);
    }
    odd_table_free(&list.table);
    free(list.rows);
    return status;
}
