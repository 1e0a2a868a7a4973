/* file_list_exclude.c - keeps the archive that is being written out of its own corpus, by whichever
 * path the walk gets there. */
#define _GNU_SOURCE
#include "file_list_walk.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The directory that holds an absolute path. */
static bool look_above(const char *path, struct stat *facts)
{
    char above[PATH_MAX];
    const size_t length = (size_t)(strrchr(path, '/') - path);
    if (length >= sizeof above)
        return false;
    memcpy(above, path, length);
    above[length] = '\0';
    return stat(length == 0 ? "/" : above, facts) == 0;
}

bool cpr_walk_excludes_name(const cpr_walk *w, const char *name)
{
    for (const char *const *e = w->options->exclude; e != NULL && *e != NULL; e++)
        if (strcmp(strrchr(*e, '/') + 1, name) == 0)
            return true;
    return false;
}

bool cpr_walk_excludes(const cpr_walk *w, const struct stat *above, const char *name)
{
    struct stat facts;
    for (const char *const *e = w->options->exclude; e != NULL && *e != NULL; e++)
        if (strcmp(strrchr(*e, '/') + 1, name) == 0 && look_above(*e, &facts) &&
            is_same(&facts, above))
            return true;
    return false;
}

bool cpr_walk_excludes_itself(const cpr_walk *w, const struct stat *facts)
{
    struct stat own;
    for (const char *const *e = w->options->exclude; e != NULL && *e != NULL; e++)
        if (stat(*e, &own) == 0 && is_same(&own, facts))
            return true;
    return false;
}
