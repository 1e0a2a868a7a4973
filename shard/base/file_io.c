/* file_io.c - reading and writing files in full, little-endian fields, paths. */
#define _GNU_SOURCE
#include "file_io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Linux moves at most 0x7ffff000 bytes a call; stay below it so that a full transfer is the rule.
 */
#define MOST_BYTES_A_CALL ((size_t)1 << 30)

int cpr_io_pread_some(int fd, void *out, size_t bytes, uint64_t offset, size_t *got)
{
    uint8_t *next = out;
    *got = 0;
    while (*got < bytes) {
        const size_t left = bytes - *got;
        const size_t part = left < MOST_BYTES_A_CALL ? left : MOST_BYTES_A_CALL;
        const ssize_t one = pread(fd, next + *got, part, (off_t)(offset + *got));
        if (one < 0 && errno == EINTR)
            continue;
        if (one < 0)
            return errno;
        if (one == 0)
            break;
        *got += (size_t)one;
    }
    return 0;
}

int cpr_io_pread(int fd, void *out, size_t bytes, uint64_t offset)
{
    assert(bytes == 0 || out != NULL);
    size_t got;
    const int code = cpr_io_pread_some(fd, out, bytes, offset, &got);
    return code == 0 && got < bytes ? CPR_IO_END : code;
}

int cpr_io_write(int fd, const void *data, size_t bytes)
{
    const uint8_t *next = data;
    while (bytes > 0) {
        const size_t part = bytes < MOST_BYTES_A_CALL ? bytes : MOST_BYTES_A_CALL;
        const ssize_t put = write(fd, next, part);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        next += put;
        bytes -= (size_t)put;
    }
    return 0;
}

int cpr_io_pwrite(int fd, const void *data, size_t bytes, uint64_t offset)
{
    assert(bytes == 0 || data != NULL);
    const uint8_t *next = data;
    while (bytes > 0) {
        const size_t part = bytes < MOST_BYTES_A_CALL ? bytes : MOST_BYTES_A_CALL;
        const ssize_t put = pwrite(fd, next, part, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        next += put;
        bytes -= (size_t)put;
        offset += (uint64_t)put;
    }
    return 0;
}

int cpr_io_sync(int fd)
{
    int code;
    do
        code = fsync(fd) == 0 ? 0 : errno;
    while (code == EINTR);
    return code;
}

int cpr_io_sync_directory(int fd)
{
    const int code = cpr_io_sync(fd);
    return code == EINVAL ? 0 : code;
}

int cpr_io_truncate(int fd, uint64_t bytes)
{
    int code;
    do
        code = ftruncate(fd, (off_t)bytes) == 0 ? 0 : errno;
    while (code == EINTR);
    return code;
}

int cpr_io_close(int fd)
{
    /* Linux closes it before it waits for anything: never again. */
    return close(fd) == 0 || errno == EINTR ? 0 : errno;
}

int cpr_io_openat(int directory, const char *path, int flags)
{
    int fd;
    do
        fd = openat(directory, path, flags | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int cpr_io_open(const char *path, int flags)
{
    char part[PATH_MAX];
    int directory = AT_FDCWD;
    size_t length = strlen(path);
    while (length >= PATH_MAX) {
        /* Go as far as one call can, up to the last '/' within reach. */
        size_t end = PATH_MAX - 1;
        while (end > 0 && path[end] != '/')
            end--;
        if (end == 0) {
            errno = ENAMETOOLONG;
            break;
        }
        memcpy(part, path, end);
        part[end] = '\0';
        const int next = cpr_io_openat(directory, part, O_RDONLY | O_DIRECTORY);
        if (directory != AT_FDCWD)
            close(directory);
        if (next < 0)
            return -1;
        directory = next;
        path += end + 1;
        length -= end + 1;
    }
    const int fd = length >= PATH_MAX ? -1 : cpr_io_openat(directory, path, flags);
    const int code = errno;
    if (directory != AT_FDCWD)
        close(directory);
    errno = code;
    return fd;
}

cpr_status cpr_io_sync_parent(const char *path, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    char *parent = strdup(path);
    if (parent == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    char *slash = strrchr(parent, '/');
    if (slash == NULL)
        memcpy(parent, ".", path[0] == '\0' ? 1 : 2);
    else
        slash[slash == parent] = '\0'; /* keep the root's own '/' */
    const int fd = cpr_io_open(parent, O_RDONLY | O_DIRECTORY);
    const int code = fd < 0 ? errno : cpr_io_sync_directory(fd);
    if (fd >= 0)
        close(fd);
    cpr_status status = CPR_OK;
    if (code != 0)
        status = cpr_fail_errno(error, code, "cannot sync the directory \"%s\"",
                                cpr_printable_path(parent, shown, sizeof shown));
    free(parent);
    return status;
}

void cpr_io_attempt(char *out, size_t capacity)
{
    char host[65] = "";
    uint64_t random = 0;
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    for (char *c = host; *c != '\0'; c++) {
        const int letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if (!letter && !(*c >= '0' && *c <= '9'))
            *c = '-';
    }
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) {
        struct timespec now = {0};
        clock_gettime(CLOCK_REALTIME, &now);
        random = (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec;
    }
    snprintf(out, capacity, "%s-%ld-%016llx", host, (long)getpid(), (unsigned long long)random);
}

cpr_status cpr_io_fail(cpr_error *error, int code, const char *verb, const char *path)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_printable_path(path, shown, sizeof shown);
    if (code == CPR_IO_END)
        return cpr_fail(error, CPR_ERR_DAMAGED, "cannot %s \"%s\": it ends too early", verb, shown);
    return cpr_fail_errno(error, code, "cannot %s \"%s\"", verb, shown);
}

void cpr_put_hash(uint8_t out[16], cpr_hash128 hash)
{
    for (unsigned i = 0; i < 8; i++) {
        out[i] = (uint8_t)(hash.high >> (56 - 8 * i));
        out[8 + i] = (uint8_t)(hash.low >> (56 - 8 * i));
    }
}

cpr_hash128 cpr_get_hash(const uint8_t in[16])
{
    cpr_hash128 hash = {0, 0};
    for (unsigned i = 0; i < 8; i++) {
        hash.high = hash.high << 8 | in[i];
        hash.low = hash.low << 8 | in[8 + i];
    }
    return hash;
}
