/* input_hash.c - the hash of an input as it lies on the disk. */
#include "file_io.h"
#include "inputs.h"

#include <stdlib.h>
#include <xxhash.h>

#define BUFFER_BYTES ((size_t)256 << 10)

cpr_status cpr_input_hash(int fd, uint64_t bytes, const char *path, cpr_poll_fn *poll,
                          void *poll_context, cpr_hash128 *hash, cpr_error *error)
{
    uint8_t *block = malloc(BUFFER_BYTES);
    XXH3_state_t *state = XXH3_createState();
    cpr_status status = CPR_OK;
    size_t got = 1;
    if (block == NULL || state == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a hash");
    else
        XXH3_128bits_reset(state);
    for (uint64_t at = 0; status == CPR_OK && at < bytes && got > 0; at += got) {
        const int code = cpr_io_pread_some(fd, block, BUFFER_BYTES, at, &got);
        if (code != 0)
            status = cpr_io_fail(error, code, "read", path);
        else if (poll != NULL)
            status = poll(poll_context, error);
        if (status == CPR_OK)
            XXH3_128bits_update(state, block, got);
    }
    if (status == CPR_OK) {
        const XXH128_hash_t digest = XXH3_128bits_digest(state);
        *hash = (cpr_hash128){.high = digest.high64, .low = digest.low64};
    }
    XXH3_freeState(state);
    free(block);
    return status;
}
