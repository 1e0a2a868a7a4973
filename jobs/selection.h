/* selection.h - which files of an archive a command is about. */
#ifndef CPR_SELECTION_H
#define CPR_SELECTION_H

#include "corpress.h"

/* Selects the members named by `paths`, and everything below those that are directories. One
 * malloc()ed bool per file. CPR_ERR_NOT_FOUND names the first path that matches nothing. The paths
 * are shortened in place. */
cpr_status selection_by_path(const cpr_archive *archive, int paths, char **path, bool **selected,
                             cpr_error *error);

/* Selects the files all of whose bytes lie in the shards given; `partial` files have only some of
 * theirs there and are not selected. Files without bytes lie in no shard. */
cpr_status selection_by_shard(const cpr_archive *archive, const bool *shards, bool **selected,
                              uint64_t *partial, cpr_error *error);

/* Numbers of the archive's files, and of its shards. */
uint64_t selection_files(const cpr_archive *archive);
uint64_t selection_shards(const cpr_archive *archive);

#endif
