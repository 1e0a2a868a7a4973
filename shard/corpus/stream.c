/* stream.c - reads what can be read only once. It never waits for long, so that a reader can be
 * asked to stop. */
#define _GNU_SOURCE
#include "stream.h"
#include "corpus.h"
#include "file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cpr_stream_descriptor(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"};
    if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0)
        return STDIN_FILENO;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const size_t length = strlen(folders[i]);
        if (strncmp(path, folders[i], length) != 0 || path[length] < '0' || path[length] > '9')
            continue;
        char *end;
        const unsigned long number = strtoul(path + length, &end, 10);
        if (*end == '\0' && number <= INT_MAX)
            return (int)number;
    }
    return -1;
}

const char *cpr_stream_title(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

int cpr_stream_open(const char *path)
{
    const int descriptor = cpr_stream_descriptor(path);
    if (descriptor >= 0)
        return fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    return cpr_io_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

int cpr_stream_read(int fd, void *out, size_t capacity, int milliseconds, size_t *got, bool *ended)
{
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    *got = 0;
    *ended = false;
    /* A FIFO without a writer would seem to have ended. Only poll() knows whether it had one. */
    const int ready = poll(&waited, 1, milliseconds);
    if (ready == 0 || (ready < 0 && errno == EINTR))
        return 0;
    if (ready < 0)
        return errno;
    const ssize_t bytes = read(fd, out, capacity);
    if (bytes < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : errno;
    *got = (size_t)bytes;
    *ended = bytes == 0;
    return 0;
}
