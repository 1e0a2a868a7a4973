/* page_data.c - what the page of an audit shows, out of the tables of an archive. */
#include "page_data.h"

#include "page_groups.h"

#include <math.h>
#include <string.h>

#define MAIN_SHARE 0.9 /* of the bytes, that are nearly everything */
#define DEPTH_MOST 16  /* of the directory that has them */

double page_bits_per_byte(const page_file *file)
{
    return file->bytes > 0 ? file->bits / (double)file->bytes : 0;
}

bool page_is_damaged(const page_audit *audit, const cpr_entry *entry)
{
    bool bad = audit->bad_primer;
    for (uint64_t i = entry->first_shard; entry->bytes > 0 && i <= entry->last_shard && !bad; i++)
        bad = audit->bad[i];
    return bad;
}

/* ---- the files one by one ------------------------------------------------------------------ */

/* False: it has no bytes. */
static bool file_get(const page_audit *audit, uint64_t number, cpr_entry *entry, page_file *file)
{
    if (cpr_archive_get(audit->archive, number, entry, NULL) != CPR_OK || entry->bytes == 0)
        return false;
    *file = (page_file){
        .number = number, .bytes = entry->bytes, .bits = (double)entry->loss_bits / 65536};
    return true;
}

/* Whether a comes before b in a table. */
typedef bool file_before(const page_file *a, const page_file *b);

static bool file_is_larger(const page_file *a, const page_file *b)
{
    return a->bytes != b->bytes ? a->bytes > b->bytes : a->number < b->number;
}

static bool file_is_redundant(const page_file *a, const page_file *b)
{
    const double first = page_bits_per_byte(a);
    const double second = page_bits_per_byte(b);
    return first != second ? first < second : file_is_larger(a, b);
}

static bool file_is_unpredictable(const page_file *a, const page_file *b)
{
    const double first = page_bits_per_byte(a);
    const double second = page_bits_per_byte(b);
    return first != second ? first > second : file_is_larger(a, b);
}

static void top_add(page_top *top, const page_file *file, file_before *before)
{
    size_t at = top->count;
    while (at > 0 && before(file, &top->rows[at - 1]))
        at--;
    if (at == PAGE_ROWS)
        return;
    if (top->count < PAGE_ROWS)
        top->count++;
    memmove(&top->rows[at + 1], &top->rows[at], (top->count - at - 1) * sizeof *top->rows);
    top->rows[at] = *file;
}

static void bins_add(double *bins, double bits_per_byte, uint64_t bytes)
{
    const double at = bits_per_byte / PAGE_BIN;
    bins[at < PAGE_BINS - 1 ? (size_t)at : PAGE_BINS - 1] += (double)bytes;
}

/* What a first look at all files tells. */
static void data_survey(const page_audit *audit, page_data *data)
{
    cpr_entry entry;
    page_file file;
    uint64_t rows = 0;
    for (uint64_t f = 0; f < audit->facts.files; f++) {
        if (!file_get(audit, f, &entry, &file))
            continue;
        data->files++;
        rows += file.bits > 0 && file.bytes >= PAGE_ROW_BYTES;
    }
    data->least_bytes = rows >= PAGE_ROWS ? PAGE_ROW_BYTES : 1;
    data->every = data->files > 0 ? (data->files + PAGE_POINTS - 1) / PAGE_POINTS : 1;
}

/* ---- directories --------------------------------------------------------------------------- */

/* By the component behind the directory folder[0, bytes). */
static void add_folder(const char *folder, size_t bytes, group_table *table, const cpr_entry *entry,
                       const page_file *file)
{
    if (strncmp(entry->path, folder, bytes) != 0) {
        group_table_add(table, NULL, 1, file);
        return;
    }
    const char *name = entry->path + bytes;
    const char *slash = strchr(name, '/');
    group_table_add(table, slash != NULL ? name : NULL, slash != NULL ? (size_t)(slash - name) : 0,
                    file);
}

/* False: out of memory. */
static bool group_folders(const page_audit *audit, const char *folder, size_t bytes,
                          page_groups *groups)
{
    group_table table;
    cpr_entry entry;
    page_file file;
    if (!group_table_begin(&table))
        return false;
    for (uint64_t f = 0; f < audit->facts.files; f++)
        if (file_get(audit, f, &entry, &file))
            add_folder(folder, bytes, &table, &entry, &file);
    group_table_end(&table, groups);
    return true;
}

/* The directory among the groups that has MAIN_SHARE of all bytes; NULL: none has. */
static const page_group *groups_main(const page_groups *groups)
{
    const page_group *largest = NULL;
    double bytes = 0;
    for (size_t i = 0; i < groups->count; i++) {
        bytes += (double)groups->rows[i].bytes;
        if (groups->rows[i].name != NULL &&
            (largest == NULL || groups->rows[i].bytes > largest->bytes))
            largest = &groups->rows[i];
    }
    return largest != NULL && (double)largest->bytes >= MAIN_SHARE * bytes ? largest : NULL;
}

/* Whether the groups are several, without what is not in their directory. */
static bool groups_part(const page_groups *groups)
{
    size_t inside = 0;
    for (size_t i = 0; i < groups->count; i++)
        inside += groups->rows[i].name != NULL || groups->rows[i].length == 0;
    return inside > 1;
}

/* Goes down into directories that have nearly everything. The last one in which there are several
 * is the one to show. */
static bool data_add_folders(const page_audit *audit, page_data *data)
{
    page_groups groups;
    const page_group *next = NULL;
    const char *folder = "";
    size_t bytes = 0;
    uint64_t main_bytes = audit->facts.raw_bytes;
    for (unsigned depth = 0; depth < DEPTH_MOST && (depth == 0 || next != NULL); depth++) {
        if (next != NULL) {
            /* A group's name lies in the path of a file, behind the directory so far. */
            folder = next->name - bytes;
            bytes += next->length + 1;
            main_bytes = next->bytes;
        }
        if (!group_folders(audit, folder, bytes, &groups))
            return false;
        if (depth == 0 || groups_part(&groups)) {
            data->folders = groups;
            data->main = folder;
            data->main_bytes = bytes;
            data->main_share = (double)main_bytes / fmax(1, (double)audit->facts.raw_bytes);
        }
        next = groups_main(&groups);
    }
    return true;
}

/* ---- all of it ----------------------------------------------------------------------------- */

/* A suffix begins with the last '.' of a name, which is not its first character. */
static void add_suffix(group_table *table, const cpr_entry *entry, const page_file *file)
{
    const char *slash = strrchr(entry->path, '/');
    const char *name = slash != NULL ? slash + 1 : entry->path;
    const char *dot = strrchr(name, '.');
    if (dot == name || (dot != NULL && dot[1] == '\0'))
        dot = NULL;
    group_table_add(table, dot, dot != NULL ? strlen(dot) : 0, file);
}

static void data_add(page_data *data, const page_file *file, uint64_t number)
{
    data->bits += file->bits;
    top_add(&data->largest, file, file_is_larger);
    if (file->bits <= 0) {
        data->unknown_files++;
        return;
    }
    if (file->bytes >= data->least_bytes) {
        top_add(&data->redundant, file, file_is_redundant);
        top_add(&data->unpredictable, file, file_is_unpredictable);
    }
    bins_add(data->file_bins, page_bits_per_byte(file), file->bytes);
    if (number % data->every == 0 && data->point_count < PAGE_POINTS)
        data->points[data->point_count++] = *file;
}

static cpr_status data_add_files(const page_audit *audit, page_data *data, cpr_error *error)
{
    group_table suffixes;
    cpr_entry entry;
    page_file file;
    uint64_t number = 0;
    if (!data_add_folders(audit, data) || !group_table_begin(&suffixes))
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for groups of files");
    for (uint64_t f = 0; f < audit->facts.files; f++) {
        if (!file_get(audit, f, &entry, &file))
            continue;
        data_add(data, &file, number++);
        add_suffix(&suffixes, &entry, &file);
    }
    group_table_end(&suffixes, &data->suffixes);
    return CPR_OK;
}

/* ---- the shards ---------------------------------------------------------------------------- */

static double shard_bits(const cpr_shard_info *info)
{
    return info->raw_bytes > 0 ? 8 * (double)info->coded_bytes / (double)info->raw_bytes : 0;
}

/* Whether shard a comes before b in the table. */
static bool shard_before(const page_audit *audit, uint64_t a, uint64_t b)
{
    if (audit->bad[a] != audit->bad[b])
        return audit->bad[a];
    const double first = shard_bits(cpr_archive_shard(audit->archive, a));
    const double second = shard_bits(cpr_archive_shard(audit->archive, b));
    return first != second ? first > second : a < b;
}

static void data_add_row(const page_audit *audit, page_data *data, uint64_t shard)
{
    size_t at = data->shard_count;
    while (at > 0 && shard_before(audit, shard, data->shards[at - 1]))
        at--;
    if (at == PAGE_ROWS)
        return;
    if (data->shard_count < PAGE_ROWS)
        data->shard_count++;
    memmove(&data->shards[at + 1], &data->shards[at],
            (data->shard_count - at - 1) * sizeof *data->shards);
    data->shards[at] = shard;
}

static void data_add_shards(const page_audit *audit, page_data *data)
{
    bool all = audit->facts.shards > 0;
    for (uint64_t i = 0; i < audit->facts.shards; i++) {
        const cpr_shard_info *info = cpr_archive_shard(audit->archive, i);
        bins_add(data->shard_bins, shard_bits(info), info->raw_bytes);
        data_add_row(audit, data, i);
        data->bad_shards += audit->bad[i];
        data->timed += audit->times[i].known;
        data->lz4_bytes += audit->lz4_bytes[i];
        all = all && audit->lz4_bytes[i] > 0;
    }
    if (!all)
        data->lz4_bytes = 0;
}

cpr_status page_data_collect(const page_audit *audit, page_data *data, cpr_error *error)
{
    *data = (page_data){.every = 1};
    data_add_shards(audit, data);
    data_survey(audit, data);
    return data_add_files(audit, data, error);
}
