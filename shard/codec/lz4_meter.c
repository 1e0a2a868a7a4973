/* lz4_meter.c - size of data under LZ4, the audit's baseline. */
#include "codec.h"

#include <assert.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (4 << 20)

struct cpr_lz4_meter {
    uint8_t *block;
    size_t filled;
    char *coded;
    int coded_capacity;
    uint64_t total;
};

cpr_lz4_meter *cpr_lz4_meter_create(void)
{
    cpr_lz4_meter *meter = calloc(1, sizeof *meter);
    if (meter == NULL)
        return NULL;
    meter->coded_capacity = LZ4_compressBound(BLOCK_BYTES);
    meter->block = malloc(BLOCK_BYTES);
    meter->coded = malloc((size_t)meter->coded_capacity);
    if (meter->block == NULL || meter->coded == NULL) {
        cpr_lz4_meter_free(meter);
        return NULL;
    }
    return meter;
}

void cpr_lz4_meter_free(cpr_lz4_meter *meter)
{
    if (meter == NULL)
        return;
    free(meter->block);
    free(meter->coded);
    free(meter);
}

static void close_block(cpr_lz4_meter *meter)
{
    if (meter->filled == 0)
        return;
    const int coded = LZ4_compress_default((const char *)meter->block, meter->coded,
                                           (int)meter->filled, meter->coded_capacity);
    /* A block that does not shrink is stored, as in LZ4's own frames. */
    const size_t size = coded > 0 ? (size_t)coded : meter->filled;
    meter->total += size < meter->filled ? size : meter->filled;
    meter->filled = 0;
}

void cpr_lz4_meter_add(cpr_lz4_meter *meter, const uint8_t *data, size_t bytes)
{
    assert(bytes == 0 || data != NULL);
    while (bytes > 0) {
        const size_t room = BLOCK_BYTES - meter->filled;
        const size_t part = bytes < room ? bytes : room;
        memcpy(meter->block + meter->filled, data, part);
        meter->filled += part;
        data += part;
        bytes -= part;
        if (meter->filled == BLOCK_BYTES)
            close_block(meter);
    }
}

uint64_t cpr_lz4_meter_finish(cpr_lz4_meter *meter)
{
    close_block(meter);
    const uint64_t total = meter->total;
    meter->total = 0;
    return total;
}
