/* library_reader.c - decodes any range of a corpus, shard by shard. */
#include "archive.h"
#include "corpress.h"
#include "memory_limits.h"
#include "model.h"
#include "process_lock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The model's state after the primer. Readers only read it. */
typedef struct primed_state {
    atomic_uint readers;
    void *state;
} primed_state;

struct cpr_reader {
    cpr_archive *archive;
    cpr_archive_decoder decoder;
    primed_state *primed; /* NULL: no primer, or not yet */
    bool thorough;
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
    (*copy)->primed = reader->primed;
    if (reader->primed != NULL) {
        atomic_fetch_add(&reader->primed->readers, 1);
        cpr_codec_set_base((*copy)->decoder.codec, reader->primed->state);
    }
    return CPR_OK;
}

void cpr_reader_close(cpr_reader *reader)
{
    if (reader == NULL)
        return;
    cpr_archive_decoder_free(&reader->decoder);
    if (reader->primed != NULL && atomic_fetch_sub(&reader->primed->readers, 1) == 1) {
        free(reader->primed->state);
        free(reader->primed);
    }
    free(reader);
}

void cpr_reader_set_thorough(cpr_reader *reader, bool thorough)
{
    reader->thorough = thorough;
}

/* ---- primer --------------------------------------------------------------------------------- */

/* Keeps the state that the codec is in. */
static cpr_status keep_primed(cpr_reader *reader, cpr_error *error)
{
    primed_state *primed = malloc(sizeof *primed);
    void *state = malloc(cpr_codec_state_bytes(reader->decoder.codec));
    if (primed == NULL || state == NULL) {
        free(primed);
        free(state);
        return cpr_fail(error, CPR_ERR_NO_MEMORY,
                        "no memory for the model's state after the primer");
    }
    cpr_codec_get_state(reader->decoder.codec, state);
    primed->state = state;
    atomic_init(&primed->readers, 1);
    cpr_codec_set_base(reader->decoder.codec, state);
    reader->primed = primed;
    return CPR_OK;
}

cpr_status cpr_reader_prime(cpr_reader *reader, cpr_watch watch, cpr_error *error)
{
    if (reader->primed != NULL || cpr_archive_info(reader->archive)->primer == NULL)
        return CPR_OK;
    const cpr_status status = cpr_archive_decode(reader->archive, CPR_SHARD_PRIMER,
                                                 reader->decoder.codec, CPR_NO_SINK, watch, error);
    return status == CPR_OK ? keep_primed(reader, error) : status;
}

/* ---- ranges --------------------------------------------------------------------------------- */

/* The part of the corpus that is wanted of the shard in work. */
typedef struct window {
    cpr_sink sink;
    uint64_t at; /* in the corpus, of the next decoded byte */
    uint64_t begin;
    uint64_t end;
    bool to_its_end; /* decode the shard to its end */
    bool done;       /* the rest of the shard is not wanted */
} window;

/* A cpr_write_fn. */
static cpr_status write_window(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    window *w = context;
    const uint64_t from = w->begin > w->at ? w->begin - w->at : 0;
    const uint64_t to = w->end > w->at ? w->end - w->at : 0;
    const size_t first = from < bytes ? (size_t)from : bytes;
    const size_t last = to < bytes ? (size_t)to : bytes;
    w->at += bytes;
    if (first < last && w->sink.write != NULL) {
        const cpr_status status = w->sink.write(w->sink.context, data + first, last - first, error);
        if (status != CPR_OK)
            return status;
    }
    w->done = w->at >= w->end && !w->to_its_end;
    return w->done ? CPR_STOPPED : CPR_OK;
}

/* Decodes what [begin, end) has of a shard. */
static cpr_status stream_shard(cpr_reader *reader, uint64_t shard, uint64_t begin, uint64_t end,
                               cpr_sink sink, cpr_watch watch, cpr_error *error)
{
    const cpr_shard_info *info = cpr_archive_shard(reader->archive, shard);
    window w = {.sink = sink,
                .at = info->offset,
                .begin = begin,
                .end = end,
                .to_its_end = reader->thorough || end >= info->offset + info->raw_bytes};
    cpr_error detail = {.text = ""};
    const cpr_status status = cpr_archive_decode(reader->archive, shard, reader->decoder.codec,
                                                 (cpr_sink){write_window, &w}, watch, &detail);
    if (status == CPR_OK || w.done)
        return CPR_OK;
    return cpr_fail(error, status, "%s", detail.text);
}

cpr_status cpr_reader_stream(cpr_reader *reader, uint64_t offset, uint64_t bytes, cpr_sink sink,
                             cpr_watch watch, cpr_error *error)
{
    const uint64_t corpus_bytes = cpr_file_list_bytes(cpr_archive_info(reader->archive)->files);
    if (offset > corpus_bytes || bytes > corpus_bytes - offset)
        return cpr_fail(error, CPR_ERR_USAGE, "the corpus has only %llu bytes",
                        (unsigned long long)corpus_bytes);
    if (bytes == 0)
        return CPR_OK;
    cpr_status status = cpr_reader_prime(reader, cpr_watch_quietly(&watch), error);
    const uint64_t last = cpr_archive_shard_at(reader->archive, offset + bytes - 1);
    for (uint64_t i = cpr_archive_shard_at(reader->archive, offset); status == CPR_OK && i <= last;
         i++)
        status = stream_shard(reader, i, offset, offset + bytes, sink, watch, error);
    return status;
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
    return cpr_reader_stream(reader, offset, bytes, (cpr_sink){write_memory, &out}, CPR_NO_WATCH,
                             error);
}
