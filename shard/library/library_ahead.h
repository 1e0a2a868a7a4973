/* library_ahead.h - threads that decode shards before they are asked for. Private to
 * shard/library. */
#ifndef CPR_LIBRARY_AHEAD_H
#define CPR_LIBRARY_AHEAD_H

#include "archive.h"

/* Used by one thread, beside those that it starts. */
typedef struct cpr_ahead_threads cpr_ahead_threads;

/* Bytes of text that each thread keeps: the largest of the shards, or of very large ones a part. */
size_t cpr_ahead_bytes(const cpr_archive *archive, const uint64_t *shards, uint64_t count);

/* Begins to decode these shards with `threads` threads, or fewer if there is no memory for them.
 * *ahead is NULL if there is none for two, which is no failure. `primed` is the state that shards
 * begin with (NULL: the initial one); it and the archive must live as long. */
cpr_status cpr_ahead_start(cpr_archive *archive, const void *primed, const uint64_t *shards,
                           uint64_t count, unsigned threads, cpr_ahead_threads **ahead,
                           cpr_error *error);
void cpr_ahead_stop(cpr_ahead_threads *ahead);

/* Goes to raw byte `at` of a shard: on in the one that is taken, or to a later one, which gives up
 * those before it. False: that is none that comes. */
bool cpr_ahead_seek(cpr_ahead_threads *ahead, uint64_t shard, uint64_t at);

/* Waits for bytes of that shard: *data, of which there are *bytes, lives until the next call. 0:
 * the shard ends here, and is as it should be. It fails as decoding does. */
cpr_status cpr_ahead_take(cpr_ahead_threads *ahead, const uint8_t **data, size_t *bytes,
                          cpr_error *error);

/* The next call begins so many bytes later; at most as many as the last one gave. */
void cpr_ahead_pass(cpr_ahead_threads *ahead, size_t bytes);

#endif
