/* memory_stream.h - inside shard/: sources and sinks that are blocks of memory. */
#ifndef CPR_MEMORY_STREAM_H
#define CPR_MEMORY_STREAM_H

#include "base.h"

/* Gives bytes [at, bytes) of the data, which it does not own. */
typedef struct cpr_memory_reader {
    const uint8_t *data;
    size_t bytes;
    size_t at;
} cpr_memory_reader;

/* Takes bytes behind the first `bytes`. All zero at first; `data` is to be free()d. */
typedef struct cpr_memory_writer {
    uint8_t *data;
    size_t bytes;
    size_t capacity;
} cpr_memory_writer;

/* Both live no longer than what they are given. */
cpr_source cpr_memory_source(cpr_memory_reader *reader);
cpr_sink cpr_memory_sink(cpr_memory_writer *writer);

#endif
