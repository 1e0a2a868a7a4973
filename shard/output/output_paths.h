/* output_paths.h - inside shard/: names below the target directory, reached without following
 * links.
 *
 * Every component is opened with O_NOFOLLOW relative to the one above it, so neither a link that
 * was there before nor one that the archive made can lead out of the target directory. Components
 * that a path shares with the one before are not opened again, whatever the depth: a few
 * descriptors stay open, and the way up again is "..", if that is still the directory that the way
 * down went through.
 */
#ifndef CPR_OUTPUT_PATHS_H
#define CPR_OUTPUT_PATHS_H

#include "output.h"

typedef struct cpr_output_paths {
    const char *target; /* the directory that the user named */
    int target_fd;      /* -1 until it is opened */
    char *parent; /* member path of the directory that was asked for last, "" for the target */
    struct cpr_output_level *levels; /* one a component of `parent`, from the top */
    size_t depth;                    /* levels in use */
    size_t capacity;
} cpr_output_paths;

/* What to do about a directory that is not there. */
typedef enum cpr_output_missing {
    CPR_OUTPUT_CREATE,
    CPR_OUTPUT_FAIL,
    CPR_OUTPUT_TELL
} cpr_output_missing;

cpr_status cpr_output_paths_init(cpr_output_paths *paths, const char *target, cpr_error *error);
void cpr_output_paths_free(cpr_output_paths *paths);

/* Opens the target directory; with `create` makes it, and what is missing above it. */
cpr_status cpr_output_target(cpr_output_paths *paths, bool create, cpr_error *error);

/* Opens the directory that holds `member` and remembers it: *fd belongs to `paths` and is good
 * until the next call. *name is the last component, within `member`. With CPR_OUTPUT_TELL *fd is -1
 * if the directory is not there. */
cpr_status cpr_output_parent(cpr_output_paths *paths, const char *member,
                             cpr_output_missing missing, int *fd, const char **name,
                             cpr_error *error);

/* Fails with the member's path below the target. */
cpr_status cpr_output_fail(const cpr_output_paths *paths, int code, const char *verb,
                           const char *member, cpr_error *error);

#endif
