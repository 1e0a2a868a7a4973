/* test_damaged.h - archives with a damaged shard. */
#ifndef TEST_DAMAGED_H
#define TEST_DAMAGED_H

#include "test_files.h"

#include "archive.h"

/* Writes the archive at `path` to `out`, which may be the same, with another bit in the middle of a
 * shard's bitstream. */
static inline void put_damaged(const char *path, uint64_t shard, const char *out)
{
    cpr_archive *archive = NULL;
    size_t bytes;
    char *file = get_file(path, &bytes);
    assert_int_equal(cpr_archive_open(path, &archive, NULL), CPR_OK);
    const size_t coded_bytes = (size_t)cpr_archive_shard(archive, shard)->coded_bytes;
    uint8_t *coded = malloc(coded_bytes);
    assert_non_null(coded);
    assert_int_equal(cpr_archive_read(archive, shard, 0, coded, coded_bytes, NULL), CPR_OK);
    cpr_archive_close(archive);
    size_t at = 0;
    while (at + coded_bytes <= bytes && memcmp(file + at, coded, coded_bytes) != 0)
        at++;
    assert_true(at + coded_bytes <= bytes);
    file[at + coded_bytes / 2] ^= 1;
    unlink(out);
    put_file(out, file, bytes);
    free(coded);
    free(file);
}

#endif
