/* stream.h - inside shard/: what can be read only once: standard input and pipes. */
#ifndef CPR_STREAM_H
#define CPR_STREAM_H

#include "corpus.h"

#include <stdbool.h>
#include <stddef.h>

/* The descriptor of this process that a path stands for ("-", "/dev/stdin", "/dev/fd/63", ...), or
 * -1. */
int cpr_stream_descriptor(const char *path);

/* The path as messages name it: "-" is standard input. */
const char *cpr_stream_title(const char *path);

/* Opens what `path` names for cpr_stream_read(). Never waits, not even for the writer of a FIFO.
 * A descriptor of this process is duplicated, so that sockets work, and what has been read of a
 * file stays read. -1 with errno. */
int cpr_stream_open(const char *path);

/* Reads what is there, up to `capacity` bytes; waits at most `milliseconds` for it. *got may be 0
 * without *ended. Returns 0 or an errno. */
int cpr_stream_read(int fd, void *out, size_t capacity, int milliseconds, size_t *got, bool *ended);

#endif
