/* odd_copies.c - which texts hold the text of others.
 *
 * Files with a mark in common are counted for each file, over all of its marks. Of the files that
 * have one, few are looked at: the first ones, as one of them is the original, and those behind the
 * file, which may hold all of it. */
#include "odd_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COMMON_LEAST 4 /* files, and half the root of the number of all files */
#define LOOK_AT 8      /* files of a group, from its start, and from the file on */
#define DENOMINATOR 16 /* marks that a share is told of, at least */
#define BOTH_SHARE 0.5 /* of two texts that hold so much of each other, the later is the copy */

/* A file's marks by hash, with what else is known of them. */
typedef struct copies_search {
    odd_table *table;
    size_t *starts;   /* per place: of its group */
    size_t *order;    /* places by file, then hash */
    size_t *first;    /* per file: in `order`; one more behind the last */
    uint32_t *tally;  /* per file: marks in common with the file in work */
    uint32_t *firsts; /* per file: common marks of which it has the first */
    size_t *touched;  /* files whose tally is not 0 */
    size_t touched_count;
    uint64_t rare[ODD_MARKS_MOST]; /* hashes of the file in work that are not common, ascending */
    size_t rare_count;
} copies_search;

static int place_compare(const void *a, const void *b)
{
    const odd_place *one = a;
    const odd_place *two = b;
    if (one->hash != two->hash)
        return one->hash > two->hash ? 1 : -1;
    return (one->file > two->file) - (one->file < two->file);
}

/* Sorts the places by hash, and finds the groups, and the places of each file. */
static void search_sort(copies_search *search)
{
    odd_table *table = search->table;
    qsort(table->places, table->place_count, sizeof *table->places, place_compare);
    for (size_t i = 0; i < table->place_count; i++) {
        const bool same = i > 0 && table->places[i].hash == table->places[i - 1].hash;
        search->starts[i] = same ? search->starts[i - 1] : i;
        search->first[table->places[i].file + 1]++;
    }
    for (size_t f = 0; f < table->count; f++)
        search->first[f + 1] += search->first[f];
    for (size_t i = 0; i < table->place_count; i++)
        search->order[search->first[table->places[i].file]++] = i;
    for (size_t f = table->count; f > 0; f--)
        search->first[f] = search->first[f - 1];
    search->first[0] = 0;
}

/* The end of a place's group: found by doubling steps, for groups may be large. */
static size_t group_end(const odd_table *table, size_t place)
{
    const uint64_t hash = table->places[place].hash;
    size_t low = place;
    size_t step = 1;
    while (low + step < table->place_count && table->places[low + step].hash == hash) {
        low += step;
        step *= 2;
    }
    for (; step > 0; step /= 2)
        if (low + step < table->place_count && table->places[low + step].hash == hash)
            low += step;
    return low + 1;
}

static void search_touch(copies_search *search, size_t row, uint32_t *counts)
{
    if (search->tally[row] == 0 && search->firsts[row] == 0)
        search->touched[search->touched_count++] = row;
    counts[row]++;
}

static void group_tally(copies_search *search, size_t place, size_t start, size_t end)
{
    const odd_place *places = search->table->places;
    for (size_t i = start; i < end && i < start + LOOK_AT && i < place; i++)
        search_touch(search, places[i].file, search->tally);
    for (size_t i = place + 1; i < end && i < place + 1 + LOOK_AT; i++)
        search_touch(search, places[i].file, search->tally);
}

/* Counts what the marks of a file have in common with others. */
static void search_count(copies_search *search, size_t row)
{
    odd_table *table = search->table;
    odd_file *file = &table->files[row];
    double all = 0;
    double common = 0;
    double common_files = 0;
    double files = 0;
    size_t shared = 0;
    search->rare_count = 0;
    search->touched_count = 0;
    for (size_t i = search->first[row]; i < search->first[row + 1]; i++) {
        const size_t place = search->order[i];
        const size_t start = search->starts[place];
        const size_t end = group_end(table, place);
        const double count = table->places[place].count;
        all += count;
        if (end - start >= table->common_least) {
            common += count;
            common_files += count * (double)(end - start);
            search_touch(search, table->places[start].file, search->firsts);
            continue;
        }
        search->rare[search->rare_count++] = table->places[place].hash;
        group_tally(search, place, start, end);
        files += end - start > 1 ? (double)(end - start) : 0;
        shared += end - start > 1;
    }
    file->common = all > 0 ? common / all : 0;
    file->common_files = common > 0 ? (uint64_t)(common_files / common + 0.5) : 0;
    file->copied_files = shared > 0 ? (uint64_t)(files / (double)shared + 0.5) : 0;
}

/* Of the file in work, rare marks up to a limit. */
static size_t rare_below(const copies_search *search, uint64_t limit)
{
    size_t low = 0;
    size_t high = search->rare_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (search->rare[middle] <= limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Marks of any file up to a limit. */
static size_t marks_below(const copies_search *search, size_t row, uint64_t limit)
{
    size_t low = search->first[row];
    size_t high = search->first[row + 1];
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (search->table->places[search->order[middle]].hash <= limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low - search->first[row];
}

/* Whether the row `other` may be the original of what the file in work has, and its share. */
static bool share_of(const copies_search *search, size_t row, size_t other, double *share)
{
    const odd_file *files = search->table->files;
    const uint64_t limit =
        files[row].limit < files[other].limit ? files[row].limit : files[other].limit;
    const size_t mine = rare_below(search, limit);
    const size_t its = marks_below(search, other, limit);
    if (mine < DENOMINATOR || its == 0)
        return false;
    *share = (double)search->tally[other] / (double)mine;
    return other < row || (double)search->tally[other] / (double)its < BOTH_SHARE;
}

static void search_judge(copies_search *search, size_t row)
{
    odd_file *file = &search->table->files[row];
    uint32_t most = 0;
    for (size_t i = 0; i < search->touched_count; i++) {
        const size_t other = search->touched[i];
        double share = 0;
        if (search->firsts[other] > most && other != row) {
            most = search->firsts[other];
            file->common_first = other;
        }
        if (search->tally[other] > 0 && share_of(search, row, other, &share) &&
            (share > file->copied || (share == file->copied && other < file->original))) {
            file->copied = share;
            file->original = other;
        }
    }
    if (search->firsts[row] > most)
        file->common_first = ODD_NO_ROW;
    for (size_t i = 0; i < search->touched_count; i++) {
        search->tally[search->touched[i]] = 0;
        search->firsts[search->touched[i]] = 0;
    }
}

static uint64_t common_least(size_t files)
{
    const uint64_t least = (uint64_t)(sqrt((double)files) / 2);
    return least > COMMON_LEAST ? least : COMMON_LEAST;
}

cpr_status odd_copies_find(odd_table *table, cpr_error *error)
{
    cpr_status status = CPR_OK;
    copies_search *search = calloc(1, sizeof *search);
    size_t *starts = calloc(table->place_count + 1, sizeof *starts);
    size_t *order = calloc(table->place_count + 1, sizeof *order);
    size_t *first = calloc(table->count + 2, sizeof *first);
    uint32_t *tally = calloc(table->count + 1, sizeof *tally);
    uint32_t *firsts = calloc(table->count + 1, sizeof *firsts);
    size_t *touched = calloc(table->count + 1, sizeof *touched);
    table->common_least = common_least(table->count);
    if (search == NULL || starts == NULL || order == NULL || first == NULL || tally == NULL ||
        firsts == NULL || touched == NULL) {
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to look for copies");
    } else {
        *search = (copies_search){.table = table,
                                  .starts = starts,
                                  .order = order,
                                  .first = first,
                                  .tally = tally,
                                  .firsts = firsts,
                                  .touched = touched};
        search_sort(search);
        for (size_t f = 0; f < table->count; f++) {
            search_count(search, f);
            search_judge(search, f);
        }
    }
    free(search);
    free(starts);
    free(order);
    free(first);
    free(tally);
    free(firsts);
    free(touched);
    return status;
}
