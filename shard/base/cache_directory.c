/* cache_directory.c - the directory of a cache: whose it is, and how large it gets. */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include "cache_private.h"
#include "file_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define KEY_DIGITS 32
#define NAME_BYTES 256

/* ---- whose it is ---------------------------------------------------------------------------- */

/* A block becomes a model's tables, whose numbers are not looked at again: who can write one can
 * make this process do anything. So it must come from the user. */
bool cpr_cache_is_own(const struct stat *facts)
{
    return facts->st_uid == geteuid() && (facts->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

int cpr_cache_directory_open(const char *path, cpr_error *note)
{
    char shown[CPR_SHOWN_BYTES];
    struct stat facts;
    cpr_printable_path(path, shown, sizeof shown);
    int fd = cpr_io_open(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == ENOENT && (mkdir(path, 0700) == 0 || errno == EEXIST))
        fd = cpr_io_open(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        cpr_fail_errno(note, errno, "the cache \"%s\" is not used", shown);
        return -1;
    }
    if (fstat(fd, &facts) == 0 && cpr_cache_is_own(&facts))
        return fd;
    cpr_fail(note, CPR_ERR_IO,
             "the cache \"%s\" is not used: it belongs to another user, or others may write to it",
             shown);
    close(fd);
    return -1;
}

bool cpr_cache_is_local(int directory)
{
    static const uint32_t local[] = {
        0x0000ef53, 0x58465342, 0x9123683e, 0x01021994,
        0x858458f6,                                     /* ext, xfs, btrfs, tmpfs, ram */
        0x2fc12fc1, 0xf2f52010, 0xca451a4e, 0x794c7630, /* zfs, f2fs, bcachefs, overlay */
    };
    struct statfs facts;
    if (fstatfs(directory, &facts) != 0)
        return false;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if ((uint32_t)facts.f_type == local[i])
            return true;
    return false;
}

/* ---- locks ---------------------------------------------------------------------------------- */

int cpr_cache_lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return 0;
    return errno == EAGAIN || errno == EACCES ? CPR_CACHE_HELD : errno;
}

bool cpr_cache_is_named(int directory, const char *name, int fd)
{
    struct stat named;
    struct stat open_file;
    return fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstat(fd, &open_file) == 0 && named.st_ino == open_file.st_ino &&
           named.st_dev == open_file.st_dev;
}

/* Whether a process makes the block of this key now. If not, the lock that a dead one left goes. */
static bool maker_lives(int directory, const char *key_name)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s" CPR_CACHE_LOCK, key_name);
    const int fd = cpr_io_openat(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno != ENOENT;
    const bool dead = cpr_cache_lock(fd) == 0;
    if (dead && cpr_cache_is_named(directory, name, fd))
        unlinkat(directory, name, 0);
    close(fd);
    return !dead;
}

/* ---- how large it gets ---------------------------------------------------------------------- */

typedef struct stored_block {
    char name[NAME_BYTES];
    uint64_t bytes;
    struct timespec used;
} stored_block;

typedef struct inventory {
    stored_block *blocks;
    size_t count;
    uint64_t bytes; /* of all files */
} inventory;

/* Splits one of our names: "corpress-KEY" goes to key_name, what follows is returned; NULL: it is
 * none. */
static const char *name_split(const char *name, char key_name[NAME_BYTES])
{
    const size_t start = sizeof CPR_CACHE_PREFIX - 1;
    if (strncmp(name, CPR_CACHE_PREFIX, start) != 0 ||
        strspn(name + start, "0123456789abcdef") != KEY_DIGITS)
        return NULL;
    snprintf(key_name, NAME_BYTES, "%.*s", (int)(start + KEY_DIGITS), name);
    return name + start + KEY_DIGITS;
}

static int inventory_add(inventory *all, const char *name, const struct stat *facts)
{
    if ((all->count & (all->count + 1)) == 0) { /* 0, 1, 3, 7, ...: there is no room for one more */
        stored_block *more = realloc(all->blocks, 2 * (all->count + 1) * sizeof *more);
        if (more == NULL)
            return ENOMEM;
        all->blocks = more;
    }
    stored_block *block = &all->blocks[all->count++];
    snprintf(block->name, sizeof block->name, "%s", name);
    block->bytes = (uint64_t)facts->st_size;
    block->used = facts->st_mtim;
    return 0;
}

/* Counts one file of the directory, or removes it. */
static int inventory_take(inventory *all, int directory, const char *own, const char *name)
{
    char key_name[NAME_BYTES];
    struct stat facts;
    const char *kind = name_split(name, key_name);
    if (kind == NULL || strlen(name) >= NAME_BYTES ||
        fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode) ||
        facts.st_uid != geteuid())
        return 0;
    const bool mine = strcmp(key_name, own) == 0; /* whose lock the caller has */
    if (strcmp(kind, CPR_CACHE_STATE) == 0 && !mine) {
        all->bytes += (uint64_t)facts.st_size;
        return inventory_add(all, name, &facts);
    }
    if (strcmp(kind, CPR_CACHE_LOCK) == 0 && !mine) {
        (void)maker_lives(directory, key_name);
        return 0;
    }
    const bool temporary = strncmp(kind, CPR_CACHE_TEMPORARY, sizeof CPR_CACHE_TEMPORARY - 1) == 0;
    /* The caller's own key: what is there is not sound, or left by a dead maker. */
    if ((mine && strcmp(kind, CPR_CACHE_LOCK) != 0 &&
         (temporary || strcmp(kind, CPR_CACHE_STATE) == 0)) ||
        (temporary && !maker_lives(directory, key_name)))
        unlinkat(directory, name, 0);
    else if (temporary)
        all->bytes += (uint64_t)facts.st_size;
    return 0;
}

static int inventory_make(inventory *all, int directory, const char *own)
{
    int code = 0;
    const int fd = cpr_io_openat(directory, ".", O_RDONLY | O_DIRECTORY);
    DIR *items = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *item;
    if (items == NULL)
        code = errno;
    while (code == 0 && items != NULL && (item = readdir(items)) != NULL)
        code = inventory_take(all, directory, own, item->d_name);
    if (items != NULL)
        closedir(items);
    else if (fd >= 0)
        close(fd);
    return code;
}

/* A comparison for qsort(): what was not used for longest comes first. */
static int compare_use(const void *left, const void *right)
{
    const struct timespec a = ((const stored_block *)left)->used;
    const struct timespec b = ((const stored_block *)right)->used;
    if (a.tv_sec != b.tv_sec)
        return a.tv_sec < b.tv_sec ? -1 : 1;
    return (a.tv_nsec > b.tv_nsec) - (a.tv_nsec < b.tv_nsec);
}

int cpr_cache_make_room(int directory, const char *own, uint64_t bytes, uint64_t limit)
{
    inventory all = {.blocks = NULL};
    struct statvfs facts;
    int code = inventory_make(&all, directory, own);
    if (code == 0 && fstatvfs(directory, &facts) == 0) {
        const uint64_t room = all.bytes + (uint64_t)facts.f_bavail * facts.f_frsize;
        limit = room < limit ? room : limit;
    }
    if (code == 0 && bytes > limit)
        code = ENOSPC; /* nothing is removed for what does not fit in the end */
    if (code == 0 && all.count > 0)
        qsort(all.blocks, all.count, sizeof *all.blocks, compare_use);
    for (size_t i = 0; code == 0 && i < all.count && all.bytes > limit - bytes; i++)
        if (unlinkat(directory, all.blocks[i].name, 0) == 0 || errno == ENOENT)
            all.bytes -= all.blocks[i].bytes;
    if (code == 0 && all.bytes > limit - bytes)
        code = ENOSPC;
    free(all.blocks);
    return code;
}
