/* file_list.h - inside shard/: how the list is filled. */
#ifndef CPR_FILE_LIST_H
#define CPR_FILE_LIST_H

#include "shard.h"

#include <stdbool.h>

/* Longest path that a list takes, in bytes. */
#define CPR_PATH_MAX_BYTES ((size_t)32 << 10)

/* Appends an entry. The member path is `source + skip`. If the list has that member path already,
 * nothing is appended and *known is its index (the status is CPR_OK); else UINT64_MAX. */
cpr_status cpr_file_list_append(cpr_file_list *list, const char *source, size_t skip,
                                const cpr_file *file, const char *link_target, uint64_t *known,
                                cpr_error *error);

/* True if a member path is relative and has no empty, "." or ".." component. */
bool cpr_member_path_is_safe(const char *member);

#endif
