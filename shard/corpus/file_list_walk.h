/* file_list_walk.h - inside shard/: what the parts of a walk share. */
#ifndef CPR_FILE_LIST_WALK_H
#define CPR_FILE_LIST_WALK_H

#include "file_list.h"

#include <sys/stat.h>

/* A directory that the walk is in. */
typedef struct cpr_walk_place {
    dev_t device;
    ino_t inode;
    size_t length; /* of the walk's path there */
} cpr_walk_place;

/* One call of cpr_file_list_add(). `path` grows and shrinks while the walk goes down and up. */
typedef struct cpr_walk {
    cpr_file_list *list;
    char *path; /* CPR_PATH_MAX_BYTES of room */
    size_t length;
    size_t skip;            /* of `path`, to the member path */
    cpr_walk_place *places; /* from the root down to where the walk is */
    size_t depth;
    size_t places_capacity;
    dev_t sized; /* a device whose sizes can be believed, if `sizes_known` */
    bool sizes_known;
    const cpr_list_options *options;
    int code; /* of the system's last failure at an input; 0: there was none */
    cpr_error *error;
} cpr_walk;

/* True if something of this name may be what the caller wants left out. */
bool cpr_walk_excludes_name(const cpr_walk *w, const char *name);

/* True if a name in the directory `above` is one that the caller wants left out. */
bool cpr_walk_excludes(const cpr_walk *w, const struct stat *above, const char *name);

/* True if this is, by whatever path, what the caller wants left out. */
bool cpr_walk_excludes_itself(const cpr_walk *w, const struct stat *facts);

/* What cpr_file_list_add() does, but for standard input and pipes, which are left out. */
cpr_status cpr_file_list_add_name(cpr_file_list *list, const char *path,
                                  const cpr_list_options *options, cpr_error *error);

#endif
