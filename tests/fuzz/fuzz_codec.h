/* fuzz_codec.h - a codec for small shards, made once, and streams in memory. */
#ifndef FUZZ_CODEC_H
#define FUZZ_CODEC_H

#include "fuzz.h"

#include "codec.h"
#include "model.h"

#include <string.h>

/* A block of a shard is 65536 bytes: this passes its edge. */
#define FUZZ_SHARD_BYTES 66000u

typedef struct fuzz_stream {
    const uint8_t *in;
    uint8_t *out;
    size_t bytes; /* there are to read, or have been written */
    size_t capacity;
    size_t at;
    size_t piece; /* most bytes that a read gives */
} fuzz_stream;

static inline cpr_status fuzz_read(void *context, uint8_t *out, size_t capacity, size_t *got,
                                   cpr_error *error)
{
    fuzz_stream *s = context;
    (void)error;
    REQUIRE(capacity > 0);
    size_t n = s->bytes - s->at;
    n = n < capacity ? n : capacity;
    n = n < s->piece ? n : s->piece;
    if (n > 0)
        memcpy(out, s->in + s->at, n);
    s->at += n;
    *got = n;
    return CPR_OK;
}

static inline cpr_status fuzz_write(void *context, const uint8_t *data, size_t bytes,
                                    cpr_error *error)
{
    fuzz_stream *s = context;
    (void)error;
    REQUIRE(bytes > 0 && bytes <= s->capacity - s->bytes);
    memcpy(s->out + s->bytes, data, bytes);
    s->bytes += bytes;
    return CPR_OK;
}

/* A codec of profile `fast` with a few tokens longer than a byte. */
static inline cpr_codec *fuzz_codec(void)
{
    static cpr_codec *codec;
    static cpr_vocabulary *vocabulary; /* outlives the codec */
    static const char text[] = "the shard of the corpus, the ranks of the job in 1998\n";
    cpr_error error;
    if (codec != NULL)
        return codec;
    cpr_word_counts *counts = cpr_word_counts_create();
    REQUIRE(counts != NULL);
    for (int i = 0; i < 100; i++) /* rarer words do not pay for a token */
        REQUIRE(cpr_word_counts_add(counts, (const uint8_t *)text, sizeof text - 1));
    vocabulary = cpr_vocabulary_learn(counts, 300);
    cpr_word_counts_free(counts);
    REQUIRE(vocabulary != NULL && cpr_vocabulary_tokens(vocabulary) > 256);
    REQUIRE(cpr_codec_create(cpr_profile_find("fast"), vocabulary, NULL, FUZZ_SHARD_BYTES, &codec,
                             &error) == CPR_OK);
    return codec;
}

#endif
