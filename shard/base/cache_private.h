/* cache_private.h - what the files of the cache share. Private to shard/base. */
#ifndef CPR_CACHE_PRIVATE_H
#define CPR_CACHE_PRIVATE_H

#include "cache.h"

#include <sys/stat.h>

#define CPR_CACHE_HEAD_BYTES ((size_t)4096) /* in front of a block, so that it begins on a page */
#define CPR_CACHE_PREFIX "corpress-"
#define CPR_CACHE_STATE ".state"
#define CPR_CACHE_LOCK ".lock"
#define CPR_CACHE_TEMPORARY ".tmp-"

/* An errno of our own: there is no lock to be had, or it is held by another. */
#define CPR_CACHE_HELD (-2)

/* Opens the directory, and makes it if it is missing. -1, with a note: it cannot be used. */
int cpr_cache_directory_open(const char *path, cpr_error *note);

/* Whether a file can only have been written by this user. */
bool cpr_cache_is_own(const struct stat *facts);

/* Takes the lock of an open file: 0, CPR_CACHE_HELD, or an errno. */
int cpr_cache_lock(int fd);

/* Whether `name` is still the open file. */
bool cpr_cache_is_named(int directory, const char *name, int fd);

/* Removes blocks that were not used for longest until there is room for `bytes` more, by the limit
 * and by what the file system has; and what dead makers have left. 0, or an errno. */
int cpr_cache_make_room(int directory, const char *own, uint64_t bytes, uint64_t limit);

/* Whether other hosts do not see the directory's files, so that a mapped file stays what it is. */
bool cpr_cache_is_local(int directory);

#endif
