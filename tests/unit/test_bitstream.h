/* test_bitstream.h - a bitstream for archives whose text does not matter. */
#ifndef TEST_BITSTREAM_H
#define TEST_BITSTREAM_H

#include "archive.h"

#include <string.h>

/* Gives bytes of 7: a cpr_bitstream_fn. */
static inline cpr_status give_sevens(void *context, uint64_t shard, uint64_t offset, uint8_t *out,
                                     size_t bytes, cpr_error *error)
{
    (void)context;
    (void)shard;
    (void)offset;
    (void)error;
    memset(out, 7, bytes);
    return CPR_OK;
}

#endif
