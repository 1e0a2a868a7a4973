/* selection.c - which files of an archive a command is about. */
#include "selection.h"

#include "arguments.h"

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
static bool *select_none(const cpr_archive *archive)
{
    return calloc((size_t)selection_files(archive) + 1, sizeof(bool));
}

/* True if `member` is `path` or lies below it; an empty path is the root of the archive. */
static bool matches(const char *member, const char *path, size_t length)
{
    if (length == 0)
        return true;
    return strncmp(member, path, length) == 0 && (member[length] == '\0' || member[length] == '/');
}

cpr_status selection_by_path(const cpr_archive *archive, int paths, char **path, bool **selected,
                             cpr_error *error)
{
    *selected = select_none(archive);
    if (*selected == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to select files");
    const uint64_t files = selection_files(archive);
    for (int p = 0; p < paths; p++) {
        const char *wanted = argument_member(path[p]);
        const size_t length = strlen(wanted);
        bool any = false;
        for (uint64_t f = 0; f < files; f++) {
            cpr_entry entry;
            if (cpr_archive_get(archive, f, &entry, error) != CPR_OK ||
                !matches(entry.path, wanted, length))
                continue;
            (*selected)[f] = true;
            any = true;
        }
        if (!any && length > 0) {
            char shown[512];
            return cpr_fail(error, CPR_ERR_NOT_FOUND,
                            "no %s in the archive; 'corpress list' shows what there is",
                            cpr_printable_path(wanted, shown, sizeof shown));
        }
    }
    return CPR_OK;
}

cpr_status selection_by_shard(const cpr_archive *archive, const bool *shards, bool **selected,
                              uint64_t *partial, cpr_error *error)
{
    *partial = 0;
    *selected = select_none(archive);
    if (*selected == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to select files");
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
