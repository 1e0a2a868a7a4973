/* selection.c - which files of an archive a command is about. */
#include "selection.h"

#include "arguments.h"

#include <stdlib.h>
#include <string.h>

/* One bool per file, none set; NULL: out of memory. */
static bool *select_none(const cpr_archive_header *header)
{
    return calloc((size_t)cpr_file_list_count(header->files) + 1, sizeof(bool));
}

/* True if `member` is `path` or lies below it; an empty path is the root of the archive. */
static bool matches(const char *member, const char *path, size_t length)
{
    if (length == 0)
        return true;
    return strncmp(member, path, length) == 0 && (member[length] == '\0' || member[length] == '/');
}

cpr_status selection_by_path(const cpr_archive_header *header, int paths, char **path,
                             bool **selected, cpr_error *error)
{
    *selected = select_none(header);
    if (*selected == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to select files");
    const uint64_t files = cpr_file_list_count(header->files);
    for (int p = 0; p < paths; p++) {
        const char *wanted = argument_member(path[p]);
        const size_t length = strlen(wanted);
        bool any = false;
        for (uint64_t f = 0; f < files; f++) {
            if (!matches(cpr_file_list_member(header->files, f), wanted, length))
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

bool selection_shards_of_file(const cpr_archive_header *header, uint64_t file, uint64_t *first,
                              uint64_t *last)
{
    const uint64_t bytes = cpr_file_list_get(header->files, file).bytes;
    if (bytes == 0)
        return false;
    const uint64_t offset = cpr_file_list_offset(header->files, file);
    *first = cpr_shard_at(header->shards, header->shard_count, offset);
    *last = cpr_shard_at(header->shards, header->shard_count, offset + bytes - 1);
    return true;
}

cpr_status selection_by_shard(const cpr_archive_header *header, const bool *shards, bool **selected,
                              uint64_t *partial, cpr_error *error)
{
    *partial = 0;
    *selected = select_none(header);
    if (*selected == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to select files");
    const uint64_t files = cpr_file_list_count(header->files);
    for (uint64_t f = 0; f < files; f++) {
        uint64_t first;
        uint64_t last;
        if (!selection_shards_of_file(header, f, &first, &last))
            continue;
        uint64_t inside = 0;
        for (uint64_t i = first; i <= last; i++)
            inside += shards[i];
        (*selected)[f] = inside == last - first + 1;
        *partial += inside > 0 && !(*selected)[f];
    }
    return CPR_OK;
}
