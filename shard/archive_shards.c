/* archive_shards.c - reads the bitstreams of an open archive. */
#include "archive_reading.h"
#include "shard_io.h"

#include <stdlib.h>
#include <xxhash.h>

#define PIECE_BYTES ((size_t)1 << 20)

static cpr_status check_shard(const cpr_archive *a, uint64_t shard, cpr_error *error)
{
    if (shard < a->header.shard_count)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_NOT_FOUND, "there is no shard %llu: the archive has %llu",
                    (unsigned long long)shard, (unsigned long long)a->header.shard_count);
}

cpr_status cpr_archive_read(void *archive, uint64_t shard, uint64_t offset, uint8_t *out,
                            size_t bytes, cpr_error *error)
{
    const cpr_archive *a = archive;
    const cpr_status status = check_shard(a, shard, error);
    if (status != CPR_OK)
        return status;
    const uint64_t coded = a->shards[shard].coded_bytes;
    if (offset > coded || bytes > coded - offset)
        return cpr_fail(error, CPR_ERR_USAGE, "shard %llu has %llu coded bytes",
                        (unsigned long long)shard, (unsigned long long)coded);
    const int code =
        cpr_io_pread(a->fd, out, bytes, a->seal.bitstream_offset + a->coded_offset[shard] + offset);
    return code == 0 ? CPR_OK : cpr_io_fail(error, code, "read", a->path);
}

cpr_status cpr_archive_check_coded(cpr_archive *archive, uint64_t shard, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_status status = check_shard(archive, shard, error);
    if (status != CPR_OK)
        return status;
    const cpr_shard_info *info = &archive->shards[shard];
    XXH3_state_t *state = XXH3_createState();
    uint8_t *piece = malloc(PIECE_BYTES);
    if (state == NULL || piece == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    else
        (void)XXH3_128bits_reset(state);
    for (uint64_t at = 0; status == CPR_OK && at < info->coded_bytes;) {
        const uint64_t left = info->coded_bytes - at;
        const size_t part = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        status = cpr_archive_read(archive, shard, at, piece, part, error);
        if (status == CPR_OK)
            (void)XXH3_128bits_update(state, piece, part);
        at += part;
    }
    if (status == CPR_OK) {
        const XXH128_hash_t hash = XXH3_128bits_digest(state);
        if (hash.high64 != info->coded_hash.high || hash.low64 != info->coded_hash.low)
            status = cpr_fail(error, CPR_ERR_DAMAGED,
                              "shard %llu of \"%s\" is damaged: the checksum of its bitstream is "
                              "wrong",
                              (unsigned long long)shard,
                              cpr_printable_path(archive->path, shown, sizeof(shown)));
    }
    free(piece);
    (void)XXH3_freeState(state);
    return status;
}

/* A shard's bitstream as a cpr_read_fn. */
typedef struct shard_source {
    cpr_archive *archive;
    uint64_t shard;
    uint64_t at;
} shard_source;

static cpr_status read_source(void *context, uint8_t *out, size_t capacity, size_t *got,
                              cpr_error *error)
{
    shard_source *s = context;
    const uint64_t left = s->archive->shards[s->shard].coded_bytes - s->at;
    *got = left < capacity ? (size_t)left : capacity;
    const uint64_t at = s->at;
    s->at += *got;
    return *got == 0 ? CPR_OK : cpr_archive_read(s->archive, s->shard, at, out, *got, error);
}

cpr_status cpr_archive_decode(cpr_archive *archive, uint64_t shard, cpr_codec *codec,
                              cpr_write_fn *write, void *write_context, cpr_progress_fn *progress,
                              void *progress_context, cpr_error *error)
{
    shard_source source = {archive, shard, 0};
    const cpr_status status = cpr_archive_check_coded(archive, shard, error);
    if (status != CPR_OK)
        return status;
    return cpr_codec_decode(codec, &archive->shards[shard], read_source, &source, write,
                            write_context, progress, progress_context, error);
}
