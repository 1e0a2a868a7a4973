/* archive_seal.c - the first 512 bytes of an archive: what tells a whole one from anything else. */
#define _GNU_SOURCE
#include "archive_seal.h"
#include "file_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    AT_MAGIC = 0,
    AT_VERSION = 20,
    AT_FILE_BYTES = 24,
    AT_BITSTREAM_OFFSET = 32,
    AT_BITSTREAM_BYTES = 40,
    AT_TABLES = 48,
    AT_CHECK = 504, /* XXH3-64 of the bytes before it */
    MAGIC_BYTES = 20
};
/* The bytes behind the text show a transfer that changed line ends or stopped at Ctrl-Z. */
static const uint8_t magic[MAGIC_BYTES] = "corpress archive\r\n\x1a";
static const uint8_t hdf5_magic[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

static cpr_status hash_range(int fd, const char *path, XXH3_state_t *state, uint64_t from,
                             uint64_t to, cpr_error *error)
{
    enum { PIECE = 256 << 10 };
    uint8_t *piece = malloc(PIECE);
    int code = 0;
    if (piece == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    while (code == 0 && from < to) {
        const size_t part = to - from < PIECE ? (size_t)(to - from) : PIECE;
        code = cpr_io_pread(fd, piece, part, from);
        if (code == 0)
            (void)XXH3_128bits_update(state, piece, part);
        from += part;
    }
    free(piece);
    return code == 0 ? CPR_OK : cpr_io_fail(error, code, "read", path);
}

static cpr_status hash_tables(int fd, const char *path, const cpr_seal *seal, cpr_hash128 *hash,
                              cpr_error *error)
{
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    (void)XXH3_128bits_reset(state);
    cpr_status status = hash_range(fd, path, state, CPR_SEAL_BYTES, seal->bitstream_offset, error);
    if (status == CPR_OK)
        status = hash_range(fd, path, state, seal->bitstream_offset + seal->bitstream_bytes,
                            seal->file_bytes, error);
    const XXH128_hash_t digest = XXH3_128bits_digest(state);
    *hash = (cpr_hash128){digest.high64, digest.low64};
    (void)XXH3_freeState(state);
    return status;
}

/* Whether HDF5 would find a file there. */
static bool looks_like_hdf5(int fd)
{
    uint8_t start[8] = {0};
    for (uint64_t at = 0; at <= 4096; at = at == 0 ? 512 : 2 * at) {
        if (cpr_io_pread(fd, start, sizeof start, at) != 0)
            return false;
        if (memcmp(start, hdf5_magic, sizeof start) == 0)
            return true;
    }
    return false;
}

/* What can be done with a file whose seal does not match. */
static const char *advice(int fd)
{
    return looks_like_hdf5(fd)
               ? "; extract, cat and verify read what others changed with --unsealed, by the "
                 "shards' own checksums"
               : "";
}

/* Says what a file is whose first bytes are not ours. */
static cpr_status not_ours(int fd, const uint8_t block[CPR_SEAL_BYTES], const char *shown,
                           cpr_error *error)
{
    unsigned alike = 0;
    for (unsigned i = 0; i < MAGIC_BYTES; i++)
        alike += block[i] == magic[i];
    if (alike >= MAGIC_BYTES - 4)
        return cpr_fail(error, CPR_ERR_DAMAGED, "\"%s\" is damaged in its first bytes%s", shown,
                        advice(fd));
    if (looks_like_hdf5(fd))
        return cpr_fail(error, CPR_ERR_FOREIGN,
                        "\"%s\" is an HDF5 file, but not a finished corpress archive", shown);
    return cpr_fail(error, CPR_ERR_FOREIGN, "\"%s\" is not a corpress archive", shown);
}

static cpr_status check_version(int fd, const uint8_t block[CPR_SEAL_BYTES], const char *shown,
                                cpr_error *error)
{
    uint8_t as_known[CPR_SEAL_BYTES];
    const uint32_t version = cpr_get32(block + AT_VERSION);
    if (version >= CPR_FORMAT_OLDEST && version <= CPR_FORMAT_VERSION)
        return CPR_OK;
    /* If the seal is right but for this field, then it is the field that is wrong. */
    memcpy(as_known, block, sizeof as_known);
    for (uint32_t known = CPR_FORMAT_OLDEST; known <= CPR_FORMAT_VERSION; known++) {
        cpr_put32(as_known + AT_VERSION, known);
        if (XXH3_64bits(as_known, AT_CHECK) == cpr_get64(block + AT_CHECK))
            return cpr_fail(error, CPR_ERR_DAMAGED, "\"%s\" is damaged in its first bytes%s", shown,
                            advice(fd));
    }
    return cpr_fail(error, CPR_ERR_VERSION,
                    "\"%s\" has archive format %u; this version of corpress reads formats %u to %u",
                    shown, (unsigned)version, CPR_FORMAT_OLDEST, CPR_FORMAT_VERSION);
}

static cpr_status check_block(int fd, const uint8_t block[CPR_SEAL_BYTES], uint64_t size,
                              const char *shown, cpr_seal *seal, cpr_error *error)
{
    if (memcmp(block, magic, MAGIC_BYTES) != 0)
        return not_ours(fd, block, shown, error);
    const cpr_status status = check_version(fd, block, shown, error);
    if (status != CPR_OK)
        return status;
    *seal = (cpr_seal){
        .file_bytes = cpr_get64(block + AT_FILE_BYTES),
        .bitstream_offset = cpr_get64(block + AT_BITSTREAM_OFFSET),
        .bitstream_bytes = cpr_get64(block + AT_BITSTREAM_BYTES),
        .tables = cpr_get_hash(block + AT_TABLES),
    };
    if (XXH3_64bits(block, AT_CHECK) != cpr_get64(block + AT_CHECK) ||
        seal->bitstream_offset < CPR_SEAL_BYTES || seal->bitstream_offset > seal->file_bytes ||
        seal->bitstream_bytes > seal->file_bytes - seal->bitstream_offset)
        return cpr_fail(error, CPR_ERR_DAMAGED, "\"%s\" is damaged in its first bytes%s", shown,
                        advice(fd));
    if (size < seal->file_bytes)
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "\"%s\" has %llu bytes of %llu: it is truncated%s%s", shown,
                        (unsigned long long)size, (unsigned long long)seal->file_bytes,
                        *advice(fd) ? ", or another program wrote it anew" : "", advice(fd));
    if (size > seal->file_bytes)
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "\"%s\" was changed after it was sealed: it has %llu bytes, not %llu%s",
                        shown, (unsigned long long)size, (unsigned long long)seal->file_bytes,
                        advice(fd));
    return CPR_OK;
}

cpr_status cpr_seal_read(int fd, const char *path, uint64_t size, cpr_seal *seal, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    uint8_t block[CPR_SEAL_BYTES] = {0};
    cpr_printable_path(path, shown, sizeof shown);
    const int code = cpr_io_pread(fd, block, size < sizeof block ? (size_t)size : sizeof block, 0);
    if (code != 0)
        return cpr_io_fail(error, code, "read", path);
    if (size < sizeof block) {
        const size_t head = size < MAGIC_BYTES ? (size_t)size : MAGIC_BYTES;
        if (head > 0 && memcmp(block, magic, head) == 0)
            return cpr_fail(error, CPR_ERR_DAMAGED, "\"%s\" has %llu bytes only: it is truncated",
                            shown, (unsigned long long)size);
        return cpr_fail(error, CPR_ERR_FOREIGN, "\"%s\" is not a corpress archive", shown);
    }
    return check_block(fd, block, size, shown, seal, error);
}

cpr_status cpr_seal_load(int fd, const char *path, const cpr_seal *seal, cpr_image *image,
                         cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    /* An empty bitstream is no hole. */
    const uint64_t hole = seal->bitstream_bytes > 0 ? seal->bitstream_offset : seal->file_bytes;
    const cpr_status status = cpr_image_load(image, fd, path, seal->file_bytes, CPR_SEAL_BYTES,
                                             hole, hole + seal->bitstream_bytes, error);
    if (status != CPR_OK)
        return status;
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    (void)XXH3_128bits_reset(state);
    (void)XXH3_128bits_update(state, image->head + CPR_SEAL_BYTES,
                              image->head_bytes - CPR_SEAL_BYTES);
    (void)XXH3_128bits_update(state, image->tail, image->tail_bytes);
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    (void)XXH3_freeState(state);
    if (hash.high64 == seal->tables.high && hash.low64 == seal->tables.low)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_DAMAGED,
                    "\"%s\" was changed after it was sealed, or is damaged: the checksum of its "
                    "tables is wrong%s",
                    cpr_printable_path(path, shown, sizeof shown), advice(fd));
}

cpr_status cpr_seal_write(int fd, const char *path, cpr_seal *seal, cpr_error *error)
{
    uint8_t block[CPR_SEAL_BYTES] = {0};
    const cpr_status status = hash_tables(fd, path, seal, &seal->tables, error);
    if (status != CPR_OK)
        return status;
    memcpy(block + AT_MAGIC, magic, MAGIC_BYTES);
    cpr_put32(block + AT_VERSION, CPR_FORMAT_VERSION);
    cpr_put64(block + AT_FILE_BYTES, seal->file_bytes);
    cpr_put64(block + AT_BITSTREAM_OFFSET, seal->bitstream_offset);
    cpr_put64(block + AT_BITSTREAM_BYTES, seal->bitstream_bytes);
    cpr_put_hash(block + AT_TABLES, seal->tables);
    cpr_put64(block + AT_CHECK, XXH3_64bits(block, AT_CHECK));
    /* What the seal vouches for must be durable before the seal is. */
    int code = cpr_io_sync(fd);
    if (code != 0)
        return cpr_io_fail(error, code, "sync", path);
    code = cpr_io_pwrite(fd, block, sizeof block, 0);
    if (code != 0)
        return cpr_io_fail(error, code, "write", path);
    code = cpr_io_sync(fd);
    return code == 0 ? CPR_OK : cpr_io_fail(error, code, "sync", path);
}
