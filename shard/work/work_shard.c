/* work_shard.c - finished bitstreams as files in the work directory. */
#define _GNU_SOURCE
#include "work_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* Fields of a shard file's header; WORK.md describes them. */
#define MAGIC "cprshard"
#define VERSION 2u
enum {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_GENERATION = 12,
    AT_SHARD = 16,
    AT_OFFSET = 24,
    AT_RAW_BYTES = 32,
    AT_CODED_BYTES = 40,
    AT_STORED_BYTES = 48,
    AT_TOKENS = 56,
    AT_LOSS = 64,
    AT_FILES = 72,
    AT_RAW_HASH = 80,
    AT_CODED_HASH = 96,
    AT_NETWORK_LOSS = 112,
    AT_CHECK = 120, /* XXH3-64 of the header before it and of the trailer */
    HEADER_BYTES = CPR_WORK_SHARD_HEADER_BYTES
};
#define BUFFER_BYTES CPR_WORK_BUFFER_BYTES

void cpr_work_shard_name(uint64_t shard, char out[CPR_WORK_NAME_BYTES])
{
    if (shard == CPR_SHARD_PRIMER)
        snprintf(out, CPR_WORK_NAME_BYTES, "primer.cps");
    else if (shard == CPR_SHARD_WEIGHTS)
        snprintf(out, CPR_WORK_NAME_BYTES, "weights.cps");
    else
        snprintf(out, CPR_WORK_NAME_BYTES, "shard-%08llu.cps", (unsigned long long)shard);
}

const char *cpr_work_what(uint64_t shard, char out[CPR_WORK_WHAT_BYTES])
{
    if (shard == CPR_SHARD_PRIMER)
        snprintf(out, CPR_WORK_WHAT_BYTES, "the primer");
    else if (shard == CPR_SHARD_WEIGHTS)
        snprintf(out, CPR_WORK_WHAT_BYTES, "the weights");
    else
        snprintf(out, CPR_WORK_WHAT_BYTES, "shard %llu", (unsigned long long)shard);
    return out;
}

cpr_status cpr_work_fail_shard(const cpr_work_dir *work, uint64_t shard, int code, const char *verb,
                               cpr_error *error)
{
    char what[CPR_WORK_WHAT_BYTES];
    char shown[CPR_SHOWN_BYTES];
    return cpr_fail_errno(error, code, "cannot %s the file of %s in \"%s\"", verb,
                          cpr_work_what(shard, what),
                          cpr_printable_path(work->path, shown, sizeof shown));
}

static cpr_status damaged_shard(const cpr_work_dir *work, uint64_t shard, cpr_error *error)
{
    char what[CPR_WORK_WHAT_BYTES];
    char shown[CPR_SHOWN_BYTES];
    return cpr_fail(
        error, CPR_ERR_DAMAGED, "the file of %s in \"%s\" is damaged; run again to make it anew",
        cpr_work_what(shard, what), cpr_printable_path(work->path, shown, sizeof shown));
}

/* ---- writing -------------------------------------------------------------------------------- */

cpr_status cpr_work_shard_begin(cpr_work_dir *work, uint64_t shard, cpr_work_shard **out,
                                cpr_error *error)
{
    static const uint8_t header[HEADER_BYTES];
    cpr_work_shard *w = malloc(sizeof *w);
    *out = NULL;
    if (w == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    w->work = work;
    w->shard = shard;
    w->coded_bytes = 0;
    w->filled = HEADER_BYTES; /* written again at the end, when its fields are known */
    memcpy(w->buffer, header, HEADER_BYTES);
    cpr_work_temporary(w->name);
    w->fd = cpr_work_openat(work, w->name, O_RDWR | O_CREAT | O_EXCL);
    if (w->fd < 0) {
        const cpr_status status = cpr_work_fail_shard(work, shard, errno, "create", error);
        free(w);
        return status;
    }
    *out = w;
    return CPR_OK;
}

cpr_status cpr_work_shard_flush(cpr_work_shard *w, cpr_error *error)
{
    const int code = cpr_io_write(w->fd, w->buffer, w->filled);
    w->filled = 0;
    return code == 0 ? CPR_OK : cpr_work_fail_shard(w->work, w->shard, code, "write", error);
}

static cpr_status append(cpr_work_shard *w, const uint8_t *data, size_t bytes, cpr_error *error)
{
    while (bytes > 0) {
        const size_t room = BUFFER_BYTES - w->filled;
        const size_t part = bytes < room ? bytes : room;
        memcpy(w->buffer + w->filled, data, part);
        w->filled += part;
        data += part;
        bytes -= part;
        if (w->filled == BUFFER_BYTES) {
            const cpr_status status = cpr_work_shard_flush(w, error);
            if (status != CPR_OK)
                return status;
        }
    }
    return CPR_OK;
}

cpr_status cpr_work_shard_write(void *work_shard, const uint8_t *data, size_t bytes,
                                cpr_error *error)
{
    cpr_work_shard *w = work_shard;
    w->coded_bytes += bytes;
    return append(w, data, bytes, error);
}

static void put_header(uint8_t header[HEADER_BYTES], uint64_t shard, const cpr_shard_info *info,
                       uint64_t files)
{
    memset(header, 0, HEADER_BYTES);
    memcpy(header + AT_MAGIC, MAGIC, 8);
    cpr_put32(header + AT_VERSION, VERSION);
    cpr_put32(header + AT_GENERATION, info->generation);
    cpr_put64(header + AT_SHARD, shard);
    cpr_put64(header + AT_OFFSET, info->offset);
    cpr_put64(header + AT_RAW_BYTES, info->raw_bytes);
    cpr_put64(header + AT_CODED_BYTES, info->coded_bytes);
    cpr_put64(header + AT_STORED_BYTES, info->stored_bytes);
    cpr_put64(header + AT_TOKENS, info->tokens);
    cpr_put64(header + AT_LOSS, info->loss_bits);
    cpr_put64(header + AT_NETWORK_LOSS, info->network_loss_bits);
    cpr_put64(header + AT_FILES, files);
    cpr_put_hash(header + AT_RAW_HASH, info->raw_hash);
    cpr_put_hash(header + AT_CODED_HASH, info->coded_hash);
}

static uint64_t check_of(const uint8_t header[HEADER_BYTES], const uint8_t *trailer, size_t bytes)
{
    /* One hash over both: the header's seeds the trailer's. */
    return XXH3_64bits_withSeed(trailer, bytes, XXH3_64bits(header, AT_CHECK));
}

/* The trailer: losses, then, if there are files, the state and the counts of documents. */
static uint8_t *make_trailer(const cpr_work_details *details, size_t *bytes)
{
    *bytes = details->files > 0 ? 8 * details->files + 1 + details->documents_bytes : 0;
    uint8_t *trailer = malloc(*bytes + 1);
    if (trailer == NULL || details->files == 0)
        return trailer;
    for (size_t i = 0; i < details->files; i++)
        cpr_put64(trailer + 8 * i, details->file_loss[i]);
    uint8_t *out = trailer + 8 * details->files;
    *out++ = details->state;
    if (details->documents_bytes > 0)
        memcpy(out, details->documents, details->documents_bytes);
    return trailer;
}

static cpr_status write_facts(cpr_work_shard *w, const cpr_shard_info *info,
                              const cpr_work_details *details, cpr_error *error)
{
    uint8_t header[HEADER_BYTES];
    size_t bytes;
    uint8_t *trailer = make_trailer(details, &bytes);
    if (trailer == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    put_header(header, w->shard, info, details->files);
    cpr_put64(header + AT_CHECK, check_of(header, trailer, bytes));
    cpr_status status = append(w, trailer, bytes, error);
    if (status == CPR_OK)
        status = cpr_work_shard_flush(w, error);
    free(trailer);
    if (status != CPR_OK)
        return status;
    const int code = cpr_io_pwrite(w->fd, header, sizeof header, 0);
    return code == 0 ? CPR_OK : cpr_work_fail_shard(w->work, w->shard, code, "write", error);
}

cpr_status cpr_work_shard_commit(cpr_work_shard *w, const cpr_shard_info *info,
                                 const cpr_work_details *details, cpr_error *error)
{
    static const cpr_work_details nothing = {.files = 0};
    cpr_work_dir *work = w->work;
    char name[CPR_WORK_NAME_BYTES];
    char what[CPR_WORK_WHAT_BYTES];
    cpr_status status;
    if (info->coded_bytes == w->coded_bytes)
        status = write_facts(w, info, details != NULL ? details : &nothing, error);
    else
        status = cpr_fail(error, CPR_ERR_USAGE, "%s has %llu coded bytes, but %llu were written",
                          cpr_work_what(w->shard, what), (unsigned long long)info->coded_bytes,
                          (unsigned long long)w->coded_bytes);
    int code = status == CPR_OK ? cpr_io_sync(w->fd) : 0;
    if (code != 0)
        status = cpr_work_fail_shard(work, w->shard, code, "sync", error);
    /* Network file systems report a full disk as late as here. */
    code = cpr_io_close(w->fd);
    if (code != 0 && status == CPR_OK)
        status = cpr_work_fail_shard(work, w->shard, code, "close", error);
    cpr_work_shard_name(w->shard, name);
    if (status == CPR_OK && renameat(work->fd, w->name, work->fd, name) != 0)
        status = cpr_work_fail_shard(work, w->shard, errno, "name", error);
    if (status != CPR_OK)
        unlinkat(work->fd, w->name, 0);
    else if ((code = cpr_io_sync_directory(work->fd)) != 0)
        status = cpr_work_fail_shard(work, w->shard, code, "sync the directory of", error);
    free(w);
    return status;
}

void cpr_work_shard_abandon(cpr_work_shard *w)
{
    if (w == NULL)
        return;
    close(w->fd);
    unlinkat(w->work->fd, w->name, 0);
    free(w);
}

/* ---- reading -------------------------------------------------------------------------------- */

static cpr_status open_shard(cpr_work_dir *work, uint64_t shard, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    if (work->shard_fd >= 0)
        close(work->shard_fd);
    cpr_work_shard_name(shard, name);
    work->shard_fd = cpr_work_openat(work, name, O_RDONLY);
    work->shard = shard;
    if (work->shard_fd >= 0)
        return CPR_OK;
    if (errno == ENOENT) {
        char what[CPR_WORK_WHAT_BYTES];
        char shown[CPR_SHOWN_BYTES];
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "%s is not in \"%s\"", cpr_work_what(shard, what),
                        cpr_printable_path(work->path, shown, sizeof shown));
    }
    return cpr_work_fail_shard(work, shard, errno, "open", error);
}

/* What the trailer says, whose memory goes to the details. */
static void take_trailer(uint8_t *trailer, size_t bytes, size_t files, cpr_work_details *details)
{
    /* The numbers are decoded in place: each is read before its 8 bytes are written over. */
    uint64_t *numbers = (uint64_t *)(void *)trailer;
    for (size_t i = 0; i < files; i++)
        numbers[i] = cpr_get64(trailer + 8 * i);
    *details = (cpr_work_details){.file_loss = numbers, .files = files, .own = trailer};
    if (files == 0)
        return;
    details->state = trailer[8 * files];
    details->documents = trailer + 8 * files + 1;
    details->documents_bytes = bytes - 8 * files - 1;
}

/* Reads header and trailer of the open shard and checks them. */
static cpr_status read_facts(cpr_work_dir *work, cpr_shard_info *info, cpr_work_details *details,
                             cpr_error *error)
{
    uint8_t header[HEADER_BYTES];
    char shown[CPR_SHOWN_BYTES];
    char what[CPR_WORK_WHAT_BYTES];
    struct stat facts;
    int code = fstat(work->shard_fd, &facts) == 0 ? 0 : errno;
    if (code == 0)
        code = cpr_io_pread(work->shard_fd, header, sizeof header, 0);
    if (code > 0)
        return cpr_work_fail_shard(work, work->shard, code, "read", error);
    if (code == CPR_IO_END || memcmp(header, MAGIC, 8) != 0)
        return damaged_shard(work, work->shard, error);
    if (cpr_get32(header + AT_VERSION) != VERSION)
        return cpr_fail(
            error, CPR_ERR_VERSION, "%s in \"%s\" is of version %u; this program knows version %u",
            cpr_work_what(work->shard, what), cpr_printable_path(work->path, shown, sizeof shown),
            (unsigned)cpr_get32(header + AT_VERSION), VERSION);
    const uint64_t size = (uint64_t)facts.st_size - HEADER_BYTES;
    const uint64_t coded = cpr_get64(header + AT_CODED_BYTES);
    const uint64_t count = cpr_get64(header + AT_FILES);
    if (coded > size || count > (size - coded) / 8 || (count == 0) != (size == coded) ||
        (count > 0 && 8 * count == size - coded) || cpr_get64(header + AT_SHARD) != work->shard)
        return damaged_shard(work, work->shard, error);
    const size_t bytes = (size_t)(size - coded);
    uint8_t *trailer = malloc(bytes + 1);
    if (trailer == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    code = cpr_io_pread(work->shard_fd, trailer, bytes, HEADER_BYTES + coded);
    if (code == 0 && check_of(header, trailer, bytes) != cpr_get64(header + AT_CHECK))
        code = CPR_IO_END;
    if (code != 0) {
        free(trailer);
        return code == CPR_IO_END ? damaged_shard(work, work->shard, error)
                                  : cpr_work_fail_shard(work, work->shard, code, "read", error);
    }
    *info = (cpr_shard_info){
        .offset = cpr_get64(header + AT_OFFSET),
        .raw_bytes = cpr_get64(header + AT_RAW_BYTES),
        .coded_bytes = coded,
        .stored_bytes = cpr_get64(header + AT_STORED_BYTES),
        .tokens = cpr_get64(header + AT_TOKENS),
        .loss_bits = cpr_get64(header + AT_LOSS),
        .network_loss_bits = cpr_get64(header + AT_NETWORK_LOSS),
        .generation = cpr_get32(header + AT_GENERATION),
        .raw_hash = cpr_get_hash(header + AT_RAW_HASH),
        .coded_hash = cpr_get_hash(header + AT_CODED_HASH),
    };
    work->coded_bytes = coded;
    take_trailer(trailer, bytes, (size_t)count, details);
    return CPR_OK;
}

cpr_status cpr_work_shard_info(cpr_work_dir *work, uint64_t shard, cpr_shard_info *info,
                               cpr_work_details *details, cpr_error *error)
{
    cpr_work_details found = {.own = NULL};
    cpr_status status = open_shard(work, shard, error);
    if (status == CPR_OK)
        status = read_facts(work, info, &found, error);
    if (details != NULL)
        *details = found;
    else
        free(found.own);
    if (status != CPR_OK && work->shard_fd >= 0) {
        close(work->shard_fd);
        work->shard_fd = -1;
    }
    return status;
}

cpr_status cpr_work_shard_read(cpr_work_dir *work, uint64_t shard, uint64_t offset, uint8_t *out,
                               size_t bytes, cpr_error *error)
{
    if (work->shard_fd < 0 || work->shard != shard) {
        cpr_shard_info info;
        const cpr_status status = cpr_work_shard_info(work, shard, &info, NULL, error);
        if (status != CPR_OK)
            return status;
    }
    if (offset > work->coded_bytes || bytes > work->coded_bytes - offset)
        return damaged_shard(work, shard, error);
    const int code = cpr_io_pread(work->shard_fd, out, bytes, HEADER_BYTES + offset);
    if (code == CPR_IO_END)
        return damaged_shard(work, shard, error);
    return code == 0 ? CPR_OK : cpr_work_fail_shard(work, shard, code, "read", error);
}

cpr_status cpr_work_shard_check(cpr_work_dir *work, uint64_t shard, cpr_shard_info *info,
                                cpr_work_details *details, cpr_error *error)
{
    cpr_status status = cpr_work_shard_info(work, shard, info, details, error);
    if (status != CPR_OK)
        return status;
    uint8_t *buffer = malloc(BUFFER_BYTES);
    XXH3_state_t *hash = XXH3_createState();
    if (buffer == NULL || hash == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    else
        XXH3_128bits_reset(hash);
    for (uint64_t at = 0; status == CPR_OK && at < info->coded_bytes;) {
        const uint64_t left = info->coded_bytes - at;
        const size_t part = left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES;
        status = cpr_work_shard_read(work, shard, at, buffer, part, error);
        if (status == CPR_OK)
            XXH3_128bits_update(hash, buffer, part);
        at += part;
    }
    if (status == CPR_OK) {
        const XXH128_hash_t digest = XXH3_128bits_digest(hash);
        if (digest.high64 != info->coded_hash.high || digest.low64 != info->coded_hash.low)
            status = damaged_shard(work, shard, error);
    }
    XXH3_freeState(hash);
    free(buffer);
    return status;
}

cpr_status cpr_work_shard_drop(cpr_work_dir *work, uint64_t shard, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    if (work->shard_fd >= 0)
        close(work->shard_fd);
    work->shard_fd = -1;
    cpr_work_shard_name(shard, name);
    if (unlinkat(work->fd, name, 0) != 0 && errno != ENOENT)
        return cpr_work_fail_shard(work, shard, errno, "remove", error);
    return CPR_OK;
}
