/* odd_scan.c - decodes a corpus, or a choice of its shards, and takes down what its texts are like.
 */
#include "odd_scan.h"

#include "command.h"
#include "corpress_speed.h"
#include "progress.h"

#include <stdlib.h>
#include <string.h>

#define AROUND 8         /* files on each side that a cost is compared with */
#define AROUND_BYTES 256 /* that such a file has, at least */

typedef struct scan_run {
    odd_scan *scan;
    odd_table *table;
    odd_text *text;
    uint64_t *shards; /* to decode, ascending */
    size_t shard_count;
    size_t marks_most;
    uint64_t at;   /* offset in the corpus */
    uint64_t next; /* number of the file there, or of one before it */
    cpr_entry entry;
    bool is_open; /* `entry` is being read */
    progress_bar bar;
    uint64_t done_bytes;
} scan_run;

/* A shard, and why to decode it. */
typedef struct scan_choice {
    uint64_t shard;
    uint64_t odd_files; /* that begin there, by their cost */
    bool taken;
} scan_choice;

/* ---- costs --------------------------------------------------------------------------------- */

double odd_cost(const cpr_entry *entry)
{
    return entry->bytes > 0 ? progress_bits(entry->loss_bits, entry->bytes) : 0;
}

static int cost_compare(const void *a, const void *b)
{
    const double one = *(const double *)a;
    const double two = *(const double *)b;
    return (one > two) - (one < two);
}

double odd_cost_around(const cpr_archive *archive, uint64_t files, uint64_t number)
{
    double costs[2 * AROUND + 1];
    size_t used = 0;
    const uint64_t first = number > AROUND ? number - AROUND : 0;
    for (uint64_t f = first; f < files && f <= number + AROUND; f++) {
        cpr_entry entry;
        if (f == number || cpr_archive_get(archive, f, &entry, NULL) != CPR_OK ||
            entry.bytes < AROUND_BYTES || entry.loss_bits == 0)
            continue;
        costs[used++] = odd_cost(&entry);
    }
    qsort(costs, used, sizeof *costs, cost_compare);
    return used > 0 ? costs[used / 2] : 0;
}

static bool cost_is_odd(const odd_scan *scan, const cpr_entry *entry, uint64_t all)
{
    const double cost = odd_cost(entry);
    if (entry->bytes < ODD_COST_BYTES || cost <= 0)
        return false;
    return cost >= ODD_DEAR ||
           cost < ODD_CHEAP * odd_cost_around(scan->archive, all, entry->number);
}

/* ---- which shards -------------------------------------------------------------------------- */

static int choice_compare(const void *a, const void *b)
{
    const scan_choice *one = a;
    const scan_choice *two = b;
    if (one->odd_files != two->odd_files)
        return one->odd_files < two->odd_files ? 1 : -1;
    return (one->shard > two->shard) - (one->shard < two->shard);
}

static int shard_compare(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a;
    const uint64_t two = *(const uint64_t *)b;
    return (one > two) - (one < two);
}

/* Counts the files, and those of each shard that cost oddly much or little. */
static void scan_count(odd_scan *scan, uint64_t all, scan_choice *choices)
{
    for (uint64_t f = 0; f < all; f++) {
        cpr_entry entry;
        if (cpr_archive_get(scan->archive, f, &entry, NULL) != CPR_OK || entry.bytes == 0 ||
            entry.is_rest)
            continue;
        scan->files++;
        scan->bytes += entry.bytes;
        if (entry.first_shard < scan->shards && cost_is_odd(scan, &entry, all))
            choices[entry.first_shard].odd_files++;
    }
}

static bool run_take(scan_run *run, scan_choice *choice, uint64_t *left)
{
    const odd_scan *scan = run->scan;
    const uint64_t bytes = cpr_archive_shard(scan->archive, choice->shard)->raw_bytes;
    if (choice->taken || (scan->bad != NULL && scan->bad[choice->shard]))
        return true;
    if (bytes > *left && run->shard_count > 0)
        return false;
    *left -= bytes < *left ? bytes : *left;
    choice->taken = true;
    run->shards[run->shard_count++] = choice->shard;
    return true;
}

/* All shards, or half of the bytes evenly from the corpus, and half where costs are oddest. */
static void run_choose(scan_run *run, scan_choice *choices, uint64_t raw_bytes)
{
    const odd_scan *scan = run->scan;
    uint64_t left = scan->sample_bytes;
    if (raw_bytes > left) {
        uint64_t half = left / 2;
        const uint64_t wanted = half / (raw_bytes / scan->shards + 1) + 1;
        for (uint64_t i = 0; i < wanted; i++)
            if (!run_take(run, &choices[(2 * i + 1) * scan->shards / (2 * wanted)], &half))
                break;
        left = left - left / 2 + half;
        qsort(choices, scan->shards, sizeof *choices, choice_compare);
    }
    for (uint64_t i = 0; i < scan->shards; i++)
        if (!run_take(run, &choices[i], &left))
            break;
    qsort(run->shards, run->shard_count, sizeof *run->shards, shard_compare);
}

static cpr_status run_plan(scan_run *run, const cpr_archive_facts *facts, cpr_error *error)
{
    odd_scan *scan = run->scan;
    scan_choice *choices = calloc(scan->shards + 1, sizeof *choices);
    run->shards = calloc(scan->shards + 1, sizeof *run->shards);
    run->text = malloc(sizeof *run->text);
    if (choices == NULL || run->shards == NULL || run->text == NULL) {
        free(choices);
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to look for oddities");
    }
    for (uint64_t i = 0; i < scan->shards; i++)
        choices[i].shard = i;
    scan_count(scan, facts->files, choices);
    if (scan->shards > 0 && !scan->bad_primer)
        run_choose(run, choices, facts->raw_bytes);
    free(choices);
    return CPR_OK;
}

/* How much is kept of a text: less, if there are many. */
static void run_share_memory(scan_run *run, const cpr_archive_facts *facts)
{
    uint64_t raw_bytes = 0;
    for (size_t i = 0; i < run->shard_count; i++)
        raw_bytes += cpr_archive_shard(run->scan->archive, run->shards[i])->raw_bytes;
    const double part = facts->raw_bytes > 0 ? (double)raw_bytes / (double)facts->raw_bytes : 0;
    const double files = 1 + part * (double)run->scan->files;
    const double most = (double)ODD_MARKS_ALL / files;
    run->marks_most = most > ODD_MARKS_MOST    ? ODD_MARKS_MOST
                      : most < ODD_MARKS_LEAST ? ODD_MARKS_LEAST
                                               : (size_t)most;
    run->table->profile_every = (size_t)(files / (double)ODD_PROFILES_MOST) + 1;
    progress_begin(&run->bar, run->scan->quiet, raw_bytes, 0);
    run->bar.decoding = true;
    run->bar.what = "texts: ";
}

/* ---- decoding ------------------------------------------------------------------------------ */

static cpr_status run_close(scan_run *run, bool is_whole, cpr_error *error)
{
    if (!run->is_open)
        return CPR_OK;
    run->is_open = false;
    if (run->entry.is_rest)
        return CPR_OK;
    odd_text_end(run->text, is_whole);
    run->scan->files_read++;
    run->scan->bytes_read += run->text->counts.bytes;
    return odd_table_add(run->table, run->entry.number, run->text, error);
}

/* Opens the file at run->at. */
static cpr_status run_open(scan_run *run, cpr_error *error)
{
    while (!run->is_open) {
        const cpr_status status =
            cpr_archive_get(run->scan->archive, run->next, &run->entry, error);
        if (status != CPR_OK)
            return status;
        if (run->entry.bytes > 0 && run->entry.offset + run->entry.bytes > run->at) {
            odd_text_begin(run->text, run->marks_most, run->entry.offset < run->at);
            run->is_open = true;
        } else {
            run->next++;
        }
    }
    return CPR_OK;
}

static cpr_status run_write(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    scan_run *run = context;
    cpr_status status = CPR_OK;
    while (status == CPR_OK && bytes > 0) {
        status = run_open(run, error);
        if (status != CPR_OK)
            return status;
        const uint64_t left = run->entry.offset + run->entry.bytes - run->at;
        const size_t taken = bytes < left ? bytes : (size_t)left;
        if (!run->entry.is_rest)
            odd_text_add(run->text, data, taken);
        run->at += taken;
        data += taken;
        bytes -= taken;
        if (taken == left)
            status = run_close(run, true, error);
    }
    return status;
}

static cpr_status run_progress(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                               cpr_error *error)
{
    scan_run *run = context;
    (void)coded_bytes;
    (void)error;
    progress_show(&run->bar, &(cpr_run_progress){.raw_bytes = run->done_bytes + raw_bytes});
    return CPR_OK;
}

/* Goes on behind shards that are left out, perhaps in the same file. */
static cpr_status run_skip(scan_run *run, uint64_t to, cpr_error *error)
{
    run->at = to;
    if (!run->is_open || run->entry.offset + run->entry.bytes <= to)
        return run_close(run, false, error);
    odd_text_skip(run->text);
    return CPR_OK;
}

static cpr_status run_shard(scan_run *run, cpr_reader *reader, uint64_t shard, cpr_error *error)
{
    const cpr_shard_info *info = cpr_archive_shard(run->scan->archive, shard);
    cpr_status status = CPR_OK;
    if (info->offset != run->at)
        status = run_skip(run, info->offset, error);
    if (status != CPR_OK)
        return status;
    status = cpr_reader_stream(reader, info->offset, info->raw_bytes, (cpr_sink){run_write, run},
                               (cpr_watch){run_progress, run}, error);
    run->done_bytes += info->raw_bytes;
    if (status != CPR_ERR_DAMAGED) {
        run->scan->shards_read += status == CPR_OK;
        return status;
    }
    progress_clear(&run->bar);
    command_say("%s", error->text);
    run->scan->bad_shards++;
    if (run->scan->bad != NULL)
        run->scan->bad[shard] = true;
    return CPR_OK;
}

static cpr_status run_decode(scan_run *run, cpr_error *error)
{
    cpr_reader *reader = NULL;
    const odd_scan *scan = run->scan;
    if (run->shard_count == 0)
        return CPR_OK;
    cpr_status status = cpr_reader_open(scan->archive, &reader, error);
    if (status == CPR_OK)
        status = cpr_reader_set_cache(reader, scan->cache, 0, error);
    if (status == CPR_OK && run->shard_count > 1)
        status = cpr_reader_expect(reader, run->shards, run->shard_count, scan->threads, error);
    for (size_t i = 0; status == CPR_OK && i < run->shard_count; i++)
        status = run_shard(run, reader, run->shards[i], error);
    if (status == CPR_OK)
        status = run_close(run, false, error);
    progress_clear(&run->bar);
    command_close_reader(reader);
    return status;
}

cpr_status odd_scan_run(odd_scan *scan, odd_table *table, cpr_error *error)
{
    cpr_archive_facts facts;
    scan_run run = {.scan = scan, .table = table};
    cpr_archive_get_facts(scan->archive, &facts);
    scan->shards = facts.shards;
    cpr_status status = run_plan(&run, &facts, error);
    if (status == CPR_OK) {
        run_share_memory(&run, &facts);
        status = run_decode(&run, error);
    }
    free(run.shards);
    free(run.text);
    return status;
}
