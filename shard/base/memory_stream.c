/* memory_stream.c - sources and sinks that are blocks of memory. */
#include "memory_stream.h"

#include <stdlib.h>
#include <string.h>

/* A cpr_read_fn. */
static cpr_status memory_read(void *context, uint8_t *out, size_t capacity, size_t *got,
                              cpr_error *error)
{
    cpr_memory_reader *reader = context;
    (void)error;
    const size_t left = reader->bytes - reader->at;
    *got = left < capacity ? left : capacity;
    if (*got > 0)
        memcpy(out, reader->data + reader->at, *got);
    reader->at += *got;
    return CPR_OK;
}

/* A cpr_write_fn. */
static cpr_status memory_write(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    cpr_memory_writer *writer = context;
    if (bytes > writer->capacity - writer->bytes) {
        const size_t capacity = 2 * (writer->bytes + bytes);
        uint8_t *grown = realloc(writer->data, capacity);
        if (grown == NULL)
            return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %zu bytes of tables", bytes);
        writer->data = grown;
        writer->capacity = capacity;
    }
    if (bytes > 0)
        memcpy(writer->data + writer->bytes, data, bytes);
    writer->bytes += bytes;
    return CPR_OK;
}

cpr_source cpr_memory_source(cpr_memory_reader *reader)
{
    return (cpr_source){memory_read, reader};
}

cpr_sink cpr_memory_sink(cpr_memory_writer *writer)
{
    return (cpr_sink){memory_write, writer};
}
