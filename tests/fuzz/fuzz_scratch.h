/* fuzz_scratch.h - a directory of this process, in memory if the machine has a place for that, and
 * files in it. It is removed at the end. Needs _GNU_SOURCE. */
#ifndef FUZZ_SCRATCH_H
#define FUZZ_SCRATCH_H

#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char fuzz_scratch_path[64];

/* With all that is in it, whatever its mode; links are not followed. */
static inline void fuzz_remove_tree(int directory, const char *name)
{
    const struct dirent *item;
    if (unlinkat(directory, name, 0) == 0 || errno == ENOENT)
        return;
    fchmodat(directory, name, 0700, 0);
    const int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *items = fd < 0 ? NULL : fdopendir(fd);
    REQUIRE(items != NULL);
    while ((item = readdir(items)) != NULL)
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
            fuzz_remove_tree(fd, item->d_name);
    closedir(items);
    REQUIRE(unlinkat(directory, name, AT_REMOVEDIR) == 0);
}

static inline void fuzz_remove_scratch(void)
{
    REQUIRE(chdir("/") == 0);
    fuzz_remove_tree(AT_FDCWD, fuzz_scratch_path);
}

static inline const char *fuzz_scratch(void)
{
    if (fuzz_scratch_path[0] == '\0') {
        snprintf(fuzz_scratch_path, sizeof fuzz_scratch_path, "%s/corpress-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        REQUIRE(mkdtemp(fuzz_scratch_path) != NULL);
        REQUIRE(atexit(fuzz_remove_scratch) == 0);
    }
    return fuzz_scratch_path;
}

static inline void fuzz_write_file(const char *path, const void *data, size_t bytes)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    REQUIRE(close(fd) == 0);
}

/* Returns the number of bytes, which must be less than `capacity`. */
static inline size_t fuzz_read_file(const char *path, void *out, size_t capacity)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    const ssize_t got = read(fd, out, capacity);
    REQUIRE(got >= 0 && (size_t)got < capacity && close(fd) == 0);
    return (size_t)got;
}

#endif
