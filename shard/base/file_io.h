/* file_io.h - inside shard/: reading and writing files in full, little-endian fields, paths.
 *
 * A transfer function returns 0 or an errno; one that reads returns CPR_IO_END when the file ends
 * before all bytes are there. Interrupted and short transfers are continued.
 */
#ifndef CPR_FILE_IO_H
#define CPR_FILE_IO_H

#include "base.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CPR_IO_END (-1)

/* Room for a path in a message. */
#define CPR_SHOWN_BYTES 512

int cpr_io_pread(int fd, void *out, size_t bytes, uint64_t offset);
/* As many bytes as there are up to `bytes`, which may be less; 0 or an errno. */
int cpr_io_pread_some(int fd, void *out, size_t bytes, uint64_t offset, size_t *got);
int cpr_io_write(int fd, const void *data, size_t bytes);
int cpr_io_pwrite(int fd, const void *data, size_t bytes, uint64_t offset);

/* fsync(2), ftruncate(2) and close(2); 0 or an errno. A descriptor is gone after close(), however
 * it ended. That file systems cannot sync a directory is no failure. */
int cpr_io_sync(int fd);
int cpr_io_sync_directory(int fd);
int cpr_io_truncate(int fd, uint64_t bytes);
int cpr_io_close(int fd);

/* openat(2), retried when interrupted; O_CLOEXEC is implied. */
int cpr_io_openat(int directory, const char *path, int flags);

/* open(2) that also takes paths of PATH_MAX bytes and more, and retries when interrupted. */
int cpr_io_open(const char *path, int flags);

/* Syncs the directory that holds `path`, so that a name in it survives a crash. */
cpr_status cpr_io_sync_parent(const char *path, cpr_error *error);

/* A text that no other process has: host, pid and random bits, in [0-9A-Za-z-]. */
void cpr_io_attempt(char *out, size_t capacity);

/* As cpr_fail_errno(), with "ends too early" for CPR_IO_END (CPR_ERR_DAMAGED). `verb` as "read". */
cpr_status cpr_io_fail(cpr_error *error, int code, const char *verb, const char *path);

static inline void cpr_put32(uint8_t *out, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static inline void cpr_put64(uint8_t *out, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static inline uint32_t cpr_get32(const uint8_t *in)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++)
        value |= (uint32_t)in[i] << 8 * i;
    return value;
}

static inline uint64_t cpr_get64(const uint8_t *in)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)in[i] << 8 * i;
    return value;
}

/* Hashes are kept as XXH128_canonicalFromHash() puts them: high half first, big-endian. */
void cpr_put_hash(uint8_t out[16], cpr_hash128 hash);
cpr_hash128 cpr_get_hash(const uint8_t in[16]);

#endif
