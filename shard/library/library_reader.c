/* library_reader.c - decodes any range of a corpus, shard by shard. */
#include "library_reader.h"

#include "archive.h"
#include "library_ahead.h"
#include "library_primed.h"
#include "memory_limits.h"
#include "model.h"
#include "process_lock.h"
#include "thread_count.h"

#include <stdlib.h>
#include <string.h>

struct cpr_reader {
    cpr_archive *archive;
    cpr_archive_decoder decoder;
    cpr_primed *primed; /* NULL: no primer, or not yet */
    cpr_primed_origin origin;
    char *cache; /* directory; NULL: as the environment says */
    uint64_t cache_bytes;
    bool thorough;
    cpr_ahead_threads *ahead; /* that decode shards for cpr_reader_stream(); NULL: none do */

    /* the shard in work, and the text that is at hand: its raw bytes [decoded - held, decoded) */
    cpr_archive_decoding decoding;
    uint64_t shard; /* CPR_NONE: none is */
    uint64_t decoded;
    uint8_t *text;
    size_t held;
    size_t room;
};

/* ---- open and close ------------------------------------------------------------------------- */

cpr_status cpr_reader_memory(const cpr_archive *archive, uint64_t *each, uint64_t *shared,
                             cpr_error *error)
{
    const cpr_profile *profile;
    const cpr_status status = cpr_archive_profile(archive, &profile, error);
    if (status != CPR_OK)
        return status;
    const uint64_t bytes = cpr_archive_codec_bytes(archive);
    *each = cpr_codec_memory(profile, bytes);
    *shared = cpr_archive_info(archive)->primer != NULL ? cpr_codec_base_memory(profile, bytes) : 0;
    return CPR_OK;
}

/* Has the process the memory, and does the machine compute as it should? */
static cpr_status check_machine(const cpr_archive *archive, cpr_error *error)
{
    uint64_t fingerprint;
    bool no_memory;
    const cpr_profile *profile;
    cpr_status status = cpr_archive_profile(archive, &profile, error);
    if (status != CPR_OK)
        return status;
    const cpr_memory_need need = cpr_memory_need_of(profile, cpr_archive_codec_bytes(archive),
                                                    cpr_archive_info(archive)->primer != NULL);
    status = cpr_memory_check(&need, error);
    if (status != CPR_OK)
        return status;
    /* The codec would load it as well, but not beside fork(). It tells what went wrong. */
    cpr_process_lock();
    (void)cpr_model_load(profile, &no_memory);
    cpr_process_unlock();
    return cpr_self_test(profile, &fingerprint, error);
}

static cpr_status create_reader(cpr_archive *archive, cpr_reader **out, cpr_error *error)
{
    cpr_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    reader->archive = archive;
    reader->shard = CPR_NONE;
    const cpr_status status = cpr_archive_decoder_open(archive, &reader->decoder, error);
    if (status != CPR_OK) {
        cpr_reader_close(reader);
        return status;
    }
    *out = reader;
    return CPR_OK;
}

cpr_status cpr_reader_open(cpr_archive *archive, cpr_reader **reader, cpr_error *error)
{
    *reader = NULL;
    const cpr_status status = check_machine(archive, error);
    return status == CPR_OK ? create_reader(archive, reader, error) : status;
}

cpr_status cpr_reader_copy(const cpr_reader *reader, cpr_reader **copy, cpr_error *error)
{
    *copy = NULL;
    const cpr_status status = create_reader(reader->archive, copy, error);
    if (status != CPR_OK)
        return status;
    (*copy)->thorough = reader->thorough;
    (*copy)->origin = reader->origin;
    (*copy)->primed = cpr_primed_share(reader->primed);
    if (reader->primed != NULL)
        cpr_codec_set_base((*copy)->decoder.codec, cpr_primed_state(reader->primed));
    if (reader->cache == NULL)
        return CPR_OK;
    const cpr_status kept = cpr_reader_set_cache(*copy, reader->cache, reader->cache_bytes, error);
    if (kept != CPR_OK) {
        cpr_reader_close(*copy);
        *copy = NULL;
    }
    return kept;
}

void cpr_reader_close(cpr_reader *reader)
{
    if (reader == NULL)
        return;
    cpr_ahead_stop(reader->ahead);
    cpr_archive_decoder_free(&reader->decoder);
    cpr_primed_free(reader->primed);
    free(reader->cache);
    free(reader->text);
    free(reader);
}

void cpr_reader_set_thorough(cpr_reader *reader, bool thorough)
{
    reader->thorough = thorough;
}

cpr_archive *cpr_reader_archive(const cpr_reader *reader)
{
    return reader->archive;
}

/* ---- primer --------------------------------------------------------------------------------- */

cpr_status cpr_reader_set_cache(cpr_reader *reader, const char *directory, uint64_t bytes,
                                cpr_error *error)
{
    char *copy = directory != NULL ? strdup(directory) : NULL;
    if (directory != NULL && copy == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    free(reader->cache);
    reader->cache = copy;
    reader->cache_bytes = bytes;
    return CPR_OK;
}

cpr_cache_use cpr_reader_cache(const cpr_reader *reader, cpr_error *note)
{
    if (note != NULL)
        *note = reader->origin.note;
    return reader->origin.use;
}

cpr_status cpr_reader_prime(cpr_reader *reader, cpr_watch watch, cpr_error *error)
{
    if (reader->primed != NULL || cpr_archive_info(reader->archive)->primer == NULL)
        return CPR_OK;
    const cpr_cache_place place = {.directory = reader->cache, .bytes = reader->cache_bytes};
    const cpr_status status = cpr_primed_make(reader->archive, reader->decoder.codec, &place, watch,
                                              &reader->primed, &reader->origin, error);
    if (status == CPR_OK)
        cpr_codec_set_base(reader->decoder.codec, cpr_primed_state(reader->primed));
    return status;
}

cpr_status cpr_reader_borrow(cpr_reader *reader, cpr_watch watch, cpr_codec **codec,
                             cpr_error *error)
{
    reader->shard = CPR_NONE;
    *codec = reader->decoder.codec;
    return cpr_reader_prime(reader, cpr_watch_quietly(&watch), error);
}

/* ---- ranges --------------------------------------------------------------------------------- */

/* Of the text of the shard in work, as much as a reader keeps, and what it keeps at least when that
 * is full. */
#define KEPT_BYTES ((size_t)256 << 20)
#define KEPT_BYTES_LEAST (KEPT_BYTES / 2)

/* At a time, of what other threads have decoded. */
#define GIVEN_BYTES ((size_t)64 << 10)

/* A part of the corpus, and who wants it. */
typedef struct window {
    cpr_sink sink;
    cpr_watch watch;
    uint64_t begin;
    uint64_t end;
    bool keep; /* the text, for windows to come */
} window;

/* Room for `bytes` more behind the text at hand, of which a part may go. */
static cpr_status make_room(cpr_reader *reader, size_t bytes, bool keep, cpr_error *error)
{
    const uint64_t shard_bytes = cpr_archive_shard(reader->archive, reader->shard)->raw_bytes;
    size_t stays = !keep ? 0 : reader->held + bytes > KEPT_BYTES ? KEPT_BYTES_LEAST : reader->held;
    size_t room = reader->room;
    while (room < stays + bytes)
        room = room == 0 ? bytes : 2 * room;
    if (room > shard_bytes)
        room = (size_t)shard_bytes;
    if (room > reader->room) {
        uint8_t *text = realloc(reader->text, room);
        if (text == NULL && reader->room < bytes)
            return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a shard's text");
        /* What is not kept is decoded again. */
        if (text == NULL)
            stays = 0;
        reader->text = text != NULL ? text : reader->text;
        reader->room = text != NULL ? room : reader->room;
    }
    if (stays > 0)
        memmove(reader->text, reader->text + reader->held - stays, stays);
    reader->held = stays;
    return CPR_OK;
}

/* Decodes one block more of the shard in work; *more is false if it has none. */
static cpr_status decode_block(cpr_reader *reader, bool keep, bool *more, cpr_error *error)
{
    const uint8_t *block;
    size_t bytes;
    cpr_status status = cpr_archive_decode_next(&reader->decoding, &block, &bytes, error);
    *more = status == CPR_OK && bytes > 0;
    if (*more)
        status = make_room(reader, bytes, keep, error);
    if (status != CPR_OK)
        reader->shard = CPR_NONE;
    if (status != CPR_OK || !*more)
        return status;
    memcpy(reader->text + reader->held, block, bytes);
    reader->held += bytes;
    reader->decoded += bytes;
    return CPR_OK;
}

static cpr_status begin_shard(cpr_reader *reader, uint64_t shard, cpr_error *error)
{
    reader->shard = CPR_NONE;
    reader->decoded = 0;
    reader->held = 0;
    const cpr_status status = cpr_archive_decode_begin(
        reader->archive, shard, reader->decoder.codec, &reader->decoding, error);
    if (status == CPR_OK)
        reader->shard = shard;
    return status;
}

/* Gives what is at hand of a window from *at on, and moves that on. */
static cpr_status give_text(const cpr_reader *reader, const window *w, uint64_t *at,
                            cpr_error *error)
{
    const uint64_t start = cpr_archive_shard(reader->archive, reader->shard)->offset;
    const uint64_t end = start + reader->decoded < w->end ? start + reader->decoded : w->end;
    if (*at >= end)
        return CPR_OK;
    const size_t bytes = (size_t)(end - *at);
    const uint8_t *text = reader->text + reader->held - (size_t)(start + reader->decoded - *at);
    *at = end;
    return w->sink.write != NULL ? w->sink.write(w->sink.context, text, bytes, error) : CPR_OK;
}

/* Gives what a window has of a shard that other threads decode. */
static cpr_status give_ahead(cpr_reader *reader, const window *w, const cpr_shard_info *info,
                             uint64_t at, uint64_t wanted, cpr_error *error)
{
    cpr_status status = CPR_OK;
    while (status == CPR_OK && at - info->offset < wanted) {
        const uint8_t *data;
        size_t bytes;
        status = cpr_ahead_take(reader->ahead, &data, &bytes, error);
        if (status != CPR_OK || bytes == 0)
            break;
        bytes = bytes < GIVEN_BYTES ? bytes : GIVEN_BYTES;
        bytes =
            bytes < wanted - (at - info->offset) ? bytes : (size_t)(wanted - (at - info->offset));
        const uint64_t left = at < w->end ? w->end - at : 0;
        if (left > 0 && w->sink.write != NULL)
            status =
                w->sink.write(w->sink.context, data, left < bytes ? (size_t)left : bytes, error);
        if (status != CPR_OK)
            break;
        cpr_ahead_pass(reader->ahead, bytes);
        at += bytes;
        status = cpr_watch_tell(w->watch, at - info->offset, 0, error);
    }
    return status;
}

/* Gives what a window has of a shard: what is at hand, and then, block by block, what is not. */
static cpr_status give_shard(cpr_reader *reader, uint64_t shard, const window *w, cpr_error *error)
{
    const cpr_shard_info *info = cpr_archive_shard(reader->archive, shard);
    const uint64_t last = w->end - info->offset;
    const uint64_t wanted = reader->thorough || last > info->raw_bytes ? info->raw_bytes : last;
    uint64_t at = w->begin > info->offset ? w->begin : info->offset;
    cpr_status status = CPR_OK;
    bool more = true;
    if (reader->ahead != NULL && !w->keep &&
        cpr_ahead_seek(reader->ahead, shard, at - info->offset))
        return give_ahead(reader, w, info, at, wanted, error);
    if (reader->shard != shard || at - info->offset < reader->decoded - reader->held)
        status = begin_shard(reader, shard, error);
    if (status == CPR_OK)
        status = give_text(reader, w, &at, error);
    while (status == CPR_OK && more && reader->decoded < wanted) {
        status = decode_block(reader, w->keep, &more, error);
        if (status == CPR_OK)
            status = give_text(reader, w, &at, error);
        if (status == CPR_OK)
            status = cpr_watch_tell(w->watch, reader->decoded, 0, error);
    }
    return status;
}

cpr_status cpr_reader_expect(cpr_reader *reader, const uint64_t *shards, uint64_t count,
                             unsigned threads, cpr_error *error)
{
    const cpr_profile *profile;
    const uint64_t bytes = cpr_archive_codec_bytes(reader->archive);
    cpr_ahead_stop(reader->ahead);
    reader->ahead = NULL;
    cpr_status status = cpr_archive_profile(reader->archive, &profile, error);
    for (uint64_t i = 0; status == CPR_OK && i < count; i++)
        if (shards[i] >= cpr_archive_info(reader->archive)->shard_count)
            status = cpr_fail(error, CPR_ERR_NOT_FOUND, "there is no shard %llu",
                              (unsigned long long)shards[i]);
    if (status != CPR_OK || count == 0)
        return status;
    cpr_memory_need need =
        cpr_memory_need_of(profile, bytes, cpr_archive_info(reader->archive)->primer != NULL);
    need.each += cpr_ahead_bytes(reader->archive, shards, count);
    threads = cpr_thread_count(&need, threads, count);
    if (threads < 2)
        return CPR_OK;
    status = cpr_reader_prime(reader, CPR_NO_WATCH, error);
    if (status != CPR_OK)
        return status;
    const void *state = reader->primed != NULL ? cpr_primed_state(reader->primed) : NULL;
    return cpr_ahead_start(reader->archive, state, shards, count, threads, &reader->ahead, error);
}

/* Gives bytes of the corpus, and with `keep` keeps their text. */
static cpr_status give_range(cpr_reader *reader, uint64_t offset, uint64_t bytes, cpr_sink sink,
                             cpr_watch watch, bool keep, cpr_error *error)
{
    const uint64_t corpus_bytes = cpr_file_list_bytes(cpr_archive_info(reader->archive)->files);
    if (offset > corpus_bytes || bytes > corpus_bytes - offset)
        return cpr_fail(error, CPR_ERR_USAGE, "the corpus has only %llu bytes",
                        (unsigned long long)corpus_bytes);
    if (bytes == 0)
        return CPR_OK;
    const window w = {sink, watch, offset, offset + bytes, keep};
    cpr_status status = cpr_reader_prime(reader, cpr_watch_quietly(&watch), error);
    const uint64_t last = cpr_archive_shard_at(reader->archive, w.end - 1);
    for (uint64_t i = cpr_archive_shard_at(reader->archive, offset); status == CPR_OK && i <= last;
         i++)
        status = give_shard(reader, i, &w, error);
    return status;
}

cpr_status cpr_reader_stream(cpr_reader *reader, uint64_t offset, uint64_t bytes, cpr_sink sink,
                             cpr_watch watch, cpr_error *error)
{
    return give_range(reader, offset, bytes, sink, watch, false, error);
}

cpr_status cpr_reader_stream_kept(cpr_reader *reader, uint64_t offset, uint64_t bytes,
                                  cpr_sink sink, cpr_error *error)
{
    return give_range(reader, offset, bytes, sink, CPR_NO_WATCH, true, error);
}

/* A cpr_write_fn: moves the pointer on. */
static cpr_status write_memory(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    uint8_t **out = context;
    (void)error;
    memcpy(*out, data, bytes);
    *out += bytes;
    return CPR_OK;
}

cpr_status cpr_reader_load(cpr_reader *reader, uint64_t offset, uint64_t bytes, uint8_t *out,
                           cpr_error *error)
{
    return cpr_reader_stream_kept(reader, offset, bytes, (cpr_sink){write_memory, &out}, error);
}
