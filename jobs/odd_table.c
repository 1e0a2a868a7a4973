/* odd_table.c - what is kept of each text that was looked at. */
#include "odd_table.h"

#include <stdlib.h>
#include <string.h>

/* A language is told of running text: not of tables, of lists of names in programs, nor of most
 * programs. */
#define LETTERS_LEAST 400
#define LETTERS_SHARE 0.75 /* of all but blanks */
#define WORD_LETTERS 9     /* on average, at most; where most is beyond ASCII words may be joined */

/* Room for `more` behind `used` elements, or false. */
static bool table_grow(void **array, size_t used, size_t more, size_t *room, size_t size)
{
    if (used + more <= *room)
        return true;
    const size_t wanted = used + more + *room / 2 + 64;
    void *grown = realloc(*array, wanted * size);
    if (grown == NULL)
        return false;
    *array = grown;
    *room = wanted;
    return true;
}

static void profile_copy(uint16_t *out, const uint32_t *counts)
{
    uint32_t most = 0;
    for (size_t i = 0; i < ODD_PROFILE; i++)
        most = counts[i] > most ? counts[i] : most;
    const uint32_t scale = most / UINT16_MAX + 1;
    for (size_t i = 0; i < ODD_PROFILE; i++)
        out[i] = (uint16_t)(counts[i] / scale);
}

static bool is_running_text(const odd_counts *counts)
{
    const double signs = (double)(counts->letters + counts->signs);
    return counts->letters >= LETTERS_LEAST && (double)counts->letters >= LETTERS_SHARE * signs &&
           (counts->letters <= WORD_LETTERS * counts->words ||
            counts->beyond_ascii > counts->characters / 2);
}

static bool table_add_profile(odd_table *table, const odd_text *text, odd_file *file)
{
    const size_t every = table->profile_every > 0 ? table->profile_every : 1;
    file->profile = ODD_NO_ROW;
    if (table->count % every != 0 || !is_running_text(&text->counts))
        return true;
    void *profiles = table->profiles;
    if (!table_grow(&profiles, table->profile_count, 1, &table->profile_room,
                    ODD_PROFILE * sizeof *table->profiles))
        return false;
    table->profiles = profiles;
    file->profile = table->profile_count++;
    profile_copy(table->profiles + file->profile * ODD_PROFILE, text->profile);
    return true;
}

static bool table_add_marks(odd_table *table, const odd_text *text)
{
    void *places = table->places;
    if (!table_grow(&places, table->place_count, text->mark_count, &table->place_room,
                    sizeof *table->places))
        return false;
    table->places = places;
    for (size_t i = 0; i < text->mark_count; i++) {
        const odd_mark *mark = &text->marks[i];
        table->places[table->place_count++] =
            (odd_place){.hash = mark->hash,
                        .file = (uint32_t)table->count,
                        .count = mark->count < UINT32_MAX ? (uint32_t)mark->count : UINT32_MAX};
    }
    return true;
}

cpr_status odd_table_add(odd_table *table, uint64_t number, const odd_text *text, cpr_error *error)
{
    void *files = table->files;
    odd_file file = {.number = number,
                     .counts = text->counts,
                     .limit = text->limit,
                     .marks = text->mark_count,
                     .common_first = ODD_NO_ROW,
                     .original = ODD_NO_ROW,
                     .distance = -1};
    bool good = table->count < UINT32_MAX &&
                table_grow(&files, table->count, 1, &table->room, sizeof *table->files);
    if (good)
        table->files = files;
    good = good && table_add_profile(table, text, &file) && table_add_marks(table, text);
    if (!good)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to look for oddities in %zu files",
                        table->count + 1);
    table->files[table->count++] = file;
    return CPR_OK;
}

void odd_table_free(odd_table *table)
{
    free(table->files);
    free(table->places);
    free(table->profiles);
    *table = (odd_table){.count = 0};
}
