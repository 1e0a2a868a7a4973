/* archive_shards.c - reads the bitstreams of an open archive. */
#include "archive_reading.h"
#include "file_io.h"

#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#define PIECE_BYTES ((size_t)1 << 20)

static cpr_status check_shard(const cpr_archive *a, uint64_t shard, cpr_error *error)
{
    if (shard < a->header.shard_count || (shard == CPR_SHARD_PRIMER && a->header.primer != NULL))
        return CPR_OK;
    if (shard == CPR_SHARD_PRIMER)
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "the archive has no primer");
    return cpr_fail(error, CPR_ERR_NOT_FOUND, "there is no shard %llu: the archive has %llu",
                    (unsigned long long)shard, (unsigned long long)a->header.shard_count);
}

static uint64_t coded_offset(const cpr_archive *a, uint64_t shard)
{
    return shard == CPR_SHARD_PRIMER ? 0 : a->coded_offset[shard];
}

static cpr_status read_coded(const cpr_archive *a, uint64_t shard, uint64_t offset, uint8_t *out,
                             size_t bytes, cpr_error *error)
{
    const cpr_status status = check_shard(a, shard, error);
    if (status != CPR_OK)
        return status;
    const uint64_t coded = cpr_archive_shard(a, shard)->coded_bytes;
    if (offset > coded || bytes > coded - offset)
        return cpr_fail(error, CPR_ERR_USAGE, "there are only %llu coded bytes",
                        (unsigned long long)coded);
    const int code =
        cpr_io_pread(a->fd, out, bytes, a->seal.bitstream_offset + coded_offset(a, shard) + offset);
    return code == 0 ? CPR_OK : cpr_io_fail(error, code, "read", a->path);
}

cpr_status cpr_archive_read(void *archive, uint64_t shard, uint64_t offset, uint8_t *out,
                            size_t bytes, cpr_error *error)
{
    return read_coded(archive, shard, offset, out, bytes, error);
}

/* "shard 3 of "x.h5" is damaged: ...". */
static cpr_status damaged(const cpr_archive *a, uint64_t shard, const char *why, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_printable_path(a->path, shown, sizeof shown);
    if (shard == CPR_SHARD_PRIMER)
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "the primer of \"%s\" is damaged, and all shards depend on it: %s", shown,
                        why);
    return cpr_fail(error, CPR_ERR_DAMAGED, "shard %llu of \"%s\" is damaged: %s",
                    (unsigned long long)shard, shown, why);
}

/* Archives of format 1 say which version of a profile they need, which stood for several. */
static cpr_status refuse_format_1(const cpr_archive *a, const char *shown, cpr_error *error)
{
    char profile[4 * sizeof a->header.profile];
    return cpr_fail(error, CPR_ERR_VERSION,
                    "\"%s\" has archive format 1 (profile \"%s\", version %u), made before version "
                    "0.2 of corpress, whose shards this version cannot decode; 'list' and 'audit' "
                    "can read it",
                    shown, cpr_printable_path(a->header.profile, profile, sizeof profile),
                    (unsigned)a->header.old_version);
}

cpr_status cpr_archive_profile(const cpr_archive *archive, const struct cpr_profile **profile,
                               cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_printable_path(archive->path, shown, sizeof shown);
    *profile = archive->profile;
    if (archive->header.model == NULL)
        return refuse_format_1(archive, shown, error);
    if (archive->lacks_status == CPR_ERR_VERSION)
        return cpr_fail(error, CPR_ERR_VERSION,
                        "to decode \"%s\" needs what this version of corpress does not have: %s; "
                        "'list' and 'audit' can read it",
                        shown, archive->lacks.text);
    return archive->profile != NULL
               ? CPR_OK
               : cpr_fail(error, archive->lacks_status, "\"%s\": %s", shown, archive->lacks.text);
}

cpr_status cpr_archive_check_coded(const cpr_archive *archive, uint64_t shard, cpr_error *error)
{
    cpr_status status = check_shard(archive, shard, error);
    if (status != CPR_OK)
        return status;
    const cpr_shard_info *info = cpr_archive_shard(archive, shard);
    XXH3_state_t *state = XXH3_createState();
    uint8_t *piece = malloc(PIECE_BYTES);
    if (state == NULL || piece == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    else
        (void)XXH3_128bits_reset(state);
    for (uint64_t at = 0; status == CPR_OK && at < info->coded_bytes;) {
        const uint64_t left = info->coded_bytes - at;
        const size_t part = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        status = read_coded(archive, shard, at, piece, part, error);
        if (status == CPR_ERR_DAMAGED)
            status = damaged(archive, shard, "the file ends before it", error);
        if (status == CPR_OK)
            (void)XXH3_128bits_update(state, piece, part);
        at += part;
    }
    if (status == CPR_OK) {
        const XXH128_hash_t hash = XXH3_128bits_digest(state);
        if (hash.high64 != info->coded_hash.high || hash.low64 != info->coded_hash.low)
            status = damaged(archive, shard, "the checksum of its bitstream is wrong", error);
    }
    free(piece);
    (void)XXH3_freeState(state);
    return status;
}

/* A cpr_read_fn: a shard's bitstream. */
static cpr_status read_decoding(void *context, uint8_t *out, size_t capacity, size_t *got,
                                cpr_error *error)
{
    cpr_archive_decoding *d = context;
    const uint64_t left = cpr_archive_shard(d->archive, d->shard)->coded_bytes - d->coded_at;
    *got = left < capacity ? (size_t)left : capacity;
    const uint64_t at = d->coded_at;
    d->coded_at += *got;
    return *got == 0 ? CPR_OK : read_coded(d->archive, d->shard, at, out, *got, error);
}

/* What became of a step: damage is that of the shard. */
static cpr_status judge_step(const cpr_archive *archive, uint64_t shard, cpr_status status,
                             const cpr_error *detail, cpr_error *error)
{
    if (status == CPR_ERR_DAMAGED)
        return damaged(archive, shard, detail->text, error);
    return status == CPR_OK ? status : cpr_fail(error, status, "%s", detail->text);
}

cpr_status cpr_archive_decode_begin(const cpr_archive *archive, uint64_t shard, cpr_codec *codec,
                                    cpr_archive_decoding *decoding, cpr_error *error)
{
    cpr_error detail = {.text = ""};
    cpr_status status = cpr_archive_check_coded(archive, shard, error);
    if (status != CPR_OK)
        return status;
    *decoding = (cpr_archive_decoding){.archive = archive, .shard = shard, .codec = codec};
    cpr_codec_set_primer(codec, shard == CPR_SHARD_PRIMER ? archive->header.primer->raw_bytes : 0);
    status = cpr_codec_decode_begin(codec, cpr_archive_shard(archive, shard),
                                    (cpr_source){read_decoding, decoding}, &detail);
    return judge_step(archive, shard, status, &detail, error);
}

cpr_status cpr_archive_decode_next(cpr_archive_decoding *decoding, const uint8_t **block,
                                   size_t *bytes, cpr_error *error)
{
    cpr_error detail = {.text = ""};
    const cpr_status status = cpr_codec_decode_next(decoding->codec, block, bytes, &detail);
    return judge_step(decoding->archive, decoding->shard, status, &detail, error);
}

cpr_status cpr_archive_decode(const cpr_archive *archive, uint64_t shard, cpr_codec *codec,
                              cpr_sink sink, cpr_watch watch, cpr_error *error)
{
    cpr_archive_decoding decoding;
    uint64_t raw_bytes = 0;
    cpr_status status = cpr_archive_decode_begin(archive, shard, codec, &decoding, error);
    for (size_t bytes = 1; status == CPR_OK && bytes > 0;) {
        const uint8_t *block;
        status = cpr_archive_decode_next(&decoding, &block, &bytes, error);
        if (status != CPR_OK || bytes == 0)
            break;
        raw_bytes += bytes;
        if (sink.write != NULL)
            status = sink.write(sink.context, block, bytes, error);
        if (status == CPR_OK)
            status = cpr_watch_tell(watch, raw_bytes, 0, error);
    }
    return status;
}

/* ---- what decoding takes --------------------------------------------------------------------- */

static cpr_status decoder_take_vocabulary(cpr_archive *archive, cpr_archive_decoder *decoder,
                                          cpr_error *error)
{
    const uint8_t *packed;
    size_t bytes;
    const cpr_status status = cpr_archive_vocabulary(archive, &packed, &bytes, error);
    if (status != CPR_OK)
        return status;
    errno = 0;
    decoder->vocabulary = cpr_vocabulary_unpack(packed, bytes);
    if (decoder->vocabulary != NULL)
        return CPR_OK;
    if (errno == ENOMEM)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the archive's vocabulary");
    return cpr_fail(error, CPR_ERR_DAMAGED, "the archive's vocabulary cannot be used");
}

static cpr_status decoder_take_weights(const cpr_archive *archive, const cpr_profile *profile,
                                       cpr_archive_decoder *decoder, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_error detail = {.text = "they are not those of its network"};
    uint8_t *packed = NULL;
    size_t bytes = 0;
    const cpr_archive_header *h = &archive->header;
    if (h->coded_weights == NULL)
        return CPR_OK;
    cpr_status status =
        cpr_weights_decode(h->coded_weights, h->coded_weights_bytes, &packed, &bytes, &detail);
    if (status == CPR_OK) {
        errno = 0;
        decoder->weights = cpr_weights_unpack(profile, decoder->vocabulary, packed, bytes);
        if (decoder->weights == NULL)
            status = errno == ENOMEM ? CPR_ERR_NO_MEMORY : CPR_ERR_DAMAGED;
    }
    free(packed);
    if (status == CPR_ERR_NO_MEMORY)
        return cpr_fail(error, status, "no memory for the archive's weights");
    if (status == CPR_OK)
        return CPR_OK;
    return cpr_fail(error, status,
                    "the weights of \"%s\" are damaged, and all shards depend on them: %s",
                    cpr_printable_path(archive->path, shown, sizeof shown), detail.text);
}

cpr_status cpr_archive_decoder_open(cpr_archive *archive, cpr_archive_decoder *decoder,
                                    cpr_error *error)
{
    const cpr_profile *profile;
    *decoder = (cpr_archive_decoder){.codec = NULL};
    cpr_status status = cpr_archive_profile(archive, &profile, error);
    if (status == CPR_OK)
        status = decoder_take_vocabulary(archive, decoder, error);
    if (status == CPR_OK)
        status = decoder_take_weights(archive, profile, decoder, error);
    if (status == CPR_OK)
        status = cpr_codec_create(profile, decoder->vocabulary, decoder->weights,
                                  cpr_archive_codec_bytes(archive), &decoder->codec, error);
    return status;
}

void cpr_archive_decoder_free(cpr_archive_decoder *decoder)
{
    cpr_codec_free(decoder->codec);
    cpr_weights_free(decoder->weights);
    cpr_vocabulary_free(decoder->vocabulary);
    *decoder = (cpr_archive_decoder){.codec = NULL};
}
