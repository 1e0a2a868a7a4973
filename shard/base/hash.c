/* hash.c - hashes of base.h. */
#include "base.h"

#include <xxhash.h>

cpr_hash128 cpr_hash_bytes(const void *data, size_t bytes)
{
    const XXH128_hash_t hash = XXH3_128bits(data, bytes);
    return (cpr_hash128){.high = hash.high64, .low = hash.low64};
}

bool cpr_hash_same(cpr_hash128 a, cpr_hash128 b)
{
    return a.high == b.high && a.low == b.low;
}
