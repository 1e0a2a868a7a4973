/* selection.c - which files of an archive a command is about. */
#include "selection.h"

#include "arguments.h"
#include "corpress_inputs.h"

#include <stdlib.h>
#include <string.h>

uint64_t selection_files(const cpr_archive *archive)
{
    cpr_archive_facts facts;
    cpr_archive_get_facts(archive, &facts);
    return facts.files;
}

uint64_t selection_shards(const cpr_archive *archive)
{
    cpr_archive_facts facts;
    cpr_archive_get_facts(archive, &facts);
    return facts.shards;
}

/* One bool per file, none set; NULL: out of memory. */
static bool *select_none(const cpr_archive *archive, cpr_error *error)
{
    bool *selected = calloc((size_t)selection_files(archive) + 1, sizeof *selected);
    if (selected == NULL)
        cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to select files");
    return selected;
}

/* ---- patterns -------------------------------------------------------------------------------- */

static bool entry_matches(const pattern *p, const cpr_entry *entry)
{
    /* The rest of a tar is no file of the corpus; its own path names it. */
    if (entry->is_rest && (!p->is_path || strcmp(p->text, entry->path) != 0))
        return false;
    return pattern_matches(p, entry->path, entry->type == CPR_FILE_DIRECTORY);
}

bool selection_has(const pattern *patterns, size_t count, const cpr_entry *entry)
{
    for (size_t i = 0; i < count; i++)
        if (entry_matches(&patterns[i], entry))
            return true;
    return false;
}

static bool may_be_path(const pattern *p)
{
    return p->special && !p->is_path;
}

/* Patterns that are the path of a member, or of a directory that members lie in, become that. */
static void patterns_find_paths(const cpr_archive *archive, size_t count, pattern *patterns)
{
    cpr_entry entry;
    size_t open = 0;
    for (size_t i = 0; i < count; i++) {
        if (may_be_path(&patterns[i]) &&
            cpr_archive_find(archive, patterns[i].text, &entry, NULL) == CPR_OK)
            pattern_take_as_path(&patterns[i]);
        open += may_be_path(&patterns[i]);
    }
    const uint64_t files = open > 0 ? selection_files(archive) : 0;
    for (uint64_t f = 0; f < files; f++) {
        if (cpr_archive_get(archive, f, &entry, NULL) != CPR_OK)
            continue;
        for (size_t i = 0; i < count; i++)
            if (may_be_path(&patterns[i]) && pattern_is_path_of(&patterns[i], entry.path, false))
                pattern_take_as_path(&patterns[i]);
    }
}

cpr_status selection_patterns(const cpr_archive *archive, option_words words, bool names_anywhere,
                              pattern **patterns, cpr_error *error)
{
    *patterns = calloc(words.count + 1, sizeof **patterns);
    if (*patterns == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for patterns");
    for (size_t i = 0; i < words.count; i++)
        (*patterns)[i] = pattern_make(words.texts[i], names_anywhere);
    patterns_find_paths(archive, words.count, *patterns);
    return CPR_OK;
}

cpr_status selection_not_found(const pattern *wanted, cpr_error *error)
{
    char shown[512];
    cpr_printable_path(wanted->text, shown, sizeof shown);
    return cpr_fail(
        error, CPR_ERR_NOT_FOUND,
        wanted->is_path
            ? "no %s%s in the archive; 'corpress list' shows what there is"
            : "nothing in the archive matches %s%s; 'corpress list' shows what there is",
        shown, wanted->directory ? "/" : "");
}

cpr_status selection_tell(command_call *call, selection_misses *misses, cpr_status why,
                          const cpr_error *text, cpr_error *error)
{
    if (++misses->told == misses->words)
        return cpr_fail(error, why, "%s", text->text);
    if (misses->missing < misses->words)
        command_warn(call->ranks, "%s", text->text);
    else if (cpr_ranks_rank(call->ranks) == 0)
        command_say("%s", text->text);
    call->warnings++;
    return CPR_OK;
}

/* ---- by path --------------------------------------------------------------------------------- */

typedef struct path_search {
    const cpr_archive *archive;
    pattern *patterns;
    size_t count;
    bool *found;    /* per pattern */
    bool *selected; /* per file */
} path_search;

/* Selects the files that paths name. Returns the number of patterns that are left, which come to
 * stand first in `open`: directories, and what is not the path of a member. */
static size_t search_paths(path_search *search, size_t *open)
{
    size_t left = 0;
    cpr_entry entry;
    for (size_t i = 0; i < search->count; i++) {
        const pattern *p = &search->patterns[i];
        search->found[i] = p->is_path && p->length == 0; /* the root, though it may be empty */
        if (!p->is_path || cpr_archive_find(search->archive, p->text, &entry, NULL) != CPR_OK ||
            entry.type == CPR_FILE_DIRECTORY) {
            open[left++] = i;
        } else if (!p->directory) {
            search->found[i] = true;
            search->selected[entry.number] = true;
        }
    }
    return left;
}

/* Selects what the patterns match that `open` names. */
static cpr_status search_all(path_search *search, const size_t *open, size_t left, cpr_error *error)
{
    const uint64_t files = left > 0 ? selection_files(search->archive) : 0;
    for (uint64_t f = 0; f < files; f++) {
        cpr_entry entry;
        const cpr_status status = cpr_archive_get(search->archive, f, &entry, error);
        if (status != CPR_OK)
            return status;
        for (size_t k = 0; k < left; k++) {
            const size_t i = open[k];
            if ((search->found[i] && search->selected[f]) ||
                !entry_matches(&search->patterns[i], &entry))
                continue;
            search->found[i] = true;
            search->selected[f] = true;
        }
    }
    return CPR_OK;
}

/* Tells which patterns have found nothing. */
static cpr_status search_judge(const path_search *search, command_call *call, cpr_error *error)
{
    cpr_status status = CPR_OK;
    selection_misses misses = {.words = search->count};
    for (size_t i = 0; i < search->count; i++)
        misses.missing += !search->found[i];
    for (size_t i = 0; status == CPR_OK && i < search->count; i++) {
        cpr_error text;
        if (search->found[i])
            continue;
        const cpr_status why = selection_not_found(&search->patterns[i], &text);
        status = selection_tell(call, &misses, why, &text, error);
    }
    return status;
}

static cpr_status select_paths(command_call *call, const cpr_archive *archive, bool *selected,
                               cpr_error *error)
{
    const option_words words = {.texts = call->paths, .count = (size_t)call->path_count};
    path_search search = {.archive = archive, .count = words.count, .selected = selected};
    size_t *open = calloc(words.count + 1, sizeof *open);
    search.found = calloc(words.count + 1, sizeof *search.found);
    cpr_status status = CPR_OK;
    if (open == NULL || search.found == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to select files");
    if (status == CPR_OK)
        status = selection_patterns(archive, words, false, &search.patterns, error);
    if (status == CPR_OK)
        status = search_all(&search, open, search_paths(&search, open), error);
    if (status == CPR_OK)
        status = search_judge(&search, call, error);
    free(search.patterns);
    free(search.found);
    free(open);
    return status;
}

cpr_status selection_drop_rests(const command_call *call, const cpr_archive *archive,
                                bool **selected, cpr_error *error)
{
    const uint64_t inputs = call->path_count > 0 ? 0 : cpr_archive_inputs(archive);
    cpr_input_facts input;
    if (inputs > 0 && *selected == NULL) {
        *selected = select_none(archive, error);
        if (*selected == NULL)
            return CPR_ERR_NO_MEMORY;
        memset(*selected, true, (size_t)selection_files(archive));
    }
    for (uint64_t i = 0; i < inputs; i++)
        if (cpr_archive_input(archive, i, &input, NULL) == CPR_OK && input.is_tar)
            (*selected)[input.first_file + input.files - 1] = false;
    return CPR_OK;
}

cpr_status selection_by_path(command_call *call, const cpr_archive *archive, bool **selected,
                             cpr_error *error)
{
    *selected = NULL;
    if (call->path_count == 0 && call->given.exclude.count == 0)
        return CPR_OK;
    *selected = select_none(archive, error);
    if (*selected == NULL)
        return CPR_ERR_NO_MEMORY;
    if (call->path_count == 0)
        memset(*selected, true, (size_t)selection_files(archive));
    cpr_status status = select_paths(call, archive, *selected, error);
    if (status == CPR_OK)
        status = selection_exclude(call, archive, *selected, error);
    if (status != CPR_OK) {
        free(*selected);
        *selected = NULL;
    }
    return status;
}

void selection_tell_empty(command_call *call)
{
    command_warn(call->ranks, "--exclude leaves nothing");
    call->warnings++;
}

cpr_status selection_exclude(command_call *call, const cpr_archive *archive, bool *selected,
                             cpr_error *error)
{
    const option_words words = call->given.exclude;
    pattern *patterns = NULL;
    bool any = false;
    bool left = false;
    if (words.count == 0)
        return CPR_OK;
    cpr_status status = selection_patterns(archive, words, true, &patterns, error);
    const uint64_t files = status == CPR_OK ? selection_files(archive) : 0;
    for (uint64_t f = 0; f < files; f++) {
        cpr_entry entry;
        any = any || selected[f];
        selected[f] = selected[f] && cpr_archive_get(archive, f, &entry, NULL) == CPR_OK &&
                      !selection_has(patterns, words.count, &entry);
        left = left || selected[f];
    }
    free(patterns);
    if (status == CPR_OK && any && !left)
        selection_tell_empty(call);
    return status;
}

/* ---- by shard -------------------------------------------------------------------------------- */

cpr_status selection_by_shard(const cpr_archive *archive, const bool *shards, bool **selected,
                              uint64_t *partial, cpr_error *error)
{
    *partial = 0;
    *selected = select_none(archive, error);
    if (*selected == NULL)
        return CPR_ERR_NO_MEMORY;
    const uint64_t files = selection_files(archive);
    for (uint64_t f = 0; f < files; f++) {
        cpr_entry entry;
        uint64_t inside = 0;
        if (cpr_archive_get(archive, f, &entry, error) != CPR_OK || entry.bytes == 0)
            continue;
        for (uint64_t i = entry.first_shard; i <= entry.last_shard; i++)
            inside += shards[i];
        (*selected)[f] = inside == entry.last_shard - entry.first_shard + 1;
        *partial += inside > 0 && !(*selected)[f];
    }
    return CPR_OK;
}
