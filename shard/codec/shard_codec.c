/* shard_codec.c - a shard's bytes to a bitstream and back: joins parser, model and coder.
 *
 * The shard is taken in blocks of CPR_BLOCK_BYTES. One decision a block says whether its bytes are
 * stored (as eight decisions of probability 1/2 a byte) or cut into tokens and modelled. FORMAT.md
 * is normative. */
#include "codec_state.h"
#include "temperature.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A token takes at most 32 decisions, a stored byte 8. */
#define TOKEN_MAX_CODED_BYTES (32u * CPR_ENCODER_MAX_BYTES_PER_DECISION)

#define STORED_FLAG_START 1024u /* probability of a stored block before any was seen */
#define STORED_FLAG_RATE 3u
#define HALF 32768u

void cpr_codec_free(cpr_codec *codec)
{
    if (codec == NULL)
        return;
    cpr_model_free(codec->model);
    cpr_parser_free(codec->parser);
    XXH3_freeState(codec->raw_hash);
    XXH3_freeState(codec->coded_hash);
    free(codec->resume_marks);
    free(codec);
}

cpr_status cpr_codec_create(const struct cpr_profile *profile,
                            const struct cpr_vocabulary *vocabulary,
                            const struct cpr_weights *weights, uint64_t max_bytes, cpr_codec **out,
                            cpr_error *error)
{
    assert((weights != NULL) == cpr_profile_is_taught(profile));
    bool no_memory;
    const char *problem = cpr_model_load(profile, &no_memory);
    if (problem != NULL) {
        char shown[512];
        return cpr_fail(error, no_memory ? CPR_ERR_NO_MEMORY : CPR_ERR_IO, "%s",
                        cpr_printable_path(problem, shown, sizeof shown));
    }
    cpr_codec *codec = calloc(1, sizeof *codec);
    if (codec != NULL) {
        codec->vocabulary = vocabulary;
        codec->model = cpr_model_create(profile, vocabulary, weights, max_bytes);
        codec->parser = cpr_parser_create(vocabulary);
        codec->raw_hash = XXH3_createState();
        codec->coded_hash = XXH3_createState();
        codec->model_is_fresh = true;
    }
    if (codec == NULL || codec->model == NULL || codec->parser == NULL || codec->raw_hash == NULL ||
        codec->coded_hash == NULL) {
        cpr_codec_free(codec);
        return cpr_fail(error, CPR_ERR_NO_MEMORY,
                        "no memory for the model, which needs %llu MB a rank",
                        (unsigned long long)(cpr_codec_memory(profile, max_bytes) >> 20));
    }
    *out = codec;
    return CPR_OK;
}

uint64_t cpr_codec_memory(const struct cpr_profile *profile, uint64_t max_bytes)
{
    return cpr_model_memory(profile, max_bytes) + cpr_parser_memory() + sizeof(cpr_codec);
}

uint64_t cpr_codec_base_memory(const struct cpr_profile *profile, uint64_t max_bytes)
{
    return cpr_model_memory(profile, max_bytes);
}

/* ---- the state that a shard begins with ---- */

size_t cpr_codec_state_bytes(const cpr_codec *codec)
{
    return cpr_model_state_bytes(codec->model);
}

const void *cpr_codec_state(cpr_codec *codec)
{
    return cpr_model_state(codec->model);
}

void cpr_codec_get_state(cpr_codec *codec, void *out)
{
    memcpy(out, cpr_model_state(codec->model), cpr_model_state_bytes(codec->model));
}

void cpr_codec_set_base(cpr_codec *codec, const void *state)
{
    codec->base = state;
}

void cpr_codec_set_primer(cpr_codec *codec, uint64_t raw_bytes)
{
    codec->rest_bytes = raw_bytes > CPR_PRIMER_AWAKE_BYTES ? (raw_bytes - CPR_PRIMER_AWAKE_BYTES) /
                                                                 CPR_BLOCK_BYTES * CPR_BLOCK_BYTES
                                                           : 0;
}

void cpr_codec_set_curve(cpr_codec *codec, cpr_curve *curve)
{
    codec->curve = curve;
}

/* In front of the block at raw offset `at`. */
static void rest_or_wake(cpr_codec *codec, uint64_t at)
{
    const bool rest = at < codec->rest_bytes;
    if (rest != codec->coding.resting)
        cpr_model_rest(codec->model, rest);
    codec->coding.resting = rest;
}

static void begin_shard(cpr_codec *codec)
{
    /* The bitstream before may have ended in its middle. */
    if (codec->coding.resting)
        cpr_model_rest(codec->model, false);
    if (codec->base != NULL) {
        memcpy(cpr_model_state(codec->model), codec->base, cpr_model_state_bytes(codec->model));
        cpr_model_restored(codec->model);
    } else if (!codec->model_is_fresh) {
        cpr_model_reset(codec->model);
    }
    codec->model_is_fresh = false;
    memset(&codec->coding, 0, sizeof codec->coding);
    codec->coding.stored_flag = STORED_FLAG_START;
    cpr_loss_meter_init(&codec->coding.loss);
    codec->coding.network_loss_before = cpr_model_network_loss(codec->model);
    XXH3_128bits_reset(codec->raw_hash);
    XXH3_128bits_reset(codec->coded_hash);
}

static uint64_t network_loss(const cpr_codec *codec)
{
    return cpr_model_network_loss(codec->model) - codec->coding.network_loss_before;
}

static void learn_stored_flag(cpr_codec *codec, unsigned stored)
{
    if (stored)
        codec->coding.stored_flag += (65536 - codec->coding.stored_flag) >> STORED_FLAG_RATE;
    else
        codec->coding.stored_flag -= codec->coding.stored_flag >> STORED_FLAG_RATE;
    if (codec->coding.stored_flag < 64)
        codec->coding.stored_flag = 64;
    if (codec->coding.stored_flag > 65536 - 64)
        codec->coding.stored_flag = 65536 - 64;
}

cpr_hash128 cpr_codec_digest(const XXH3_state_t *state)
{
    const XXH128_hash_t digest = XXH3_128bits_digest(state);
    return (cpr_hash128){.high = digest.high64, .low = digest.low64};
}

/* ---- encoding ---- */

/* One call of cpr_codec_encode(); what outlives it is in codec->coding. */
typedef struct encoding {
    cpr_codec *codec;
    cpr_coding *coding;
    cpr_sink sink;
    const cpr_loss_marks *marks;
} encoding;

static cpr_status drain(encoding *e, cpr_error *error)
{
    cpr_codec *codec = e->codec;
    const size_t bytes = (size_t)(e->coding->encoder.next - codec->coded);
    XXH3_128bits_update(codec->coded_hash, codec->coded, bytes);
    e->coding->coded_bytes += bytes;
    e->coding->encoder.next = codec->coded;
    return bytes > 0 ? e->sink.write(e->sink.context, codec->coded, bytes, error) : CPR_OK;
}

static cpr_status drain_if_full(encoding *e, cpr_error *error)
{
    if (e->coding->encoder.next - e->codec->coded <
        (ptrdiff_t)(CPR_CODED_BUFFER_BYTES - TOKEN_MAX_CODED_BYTES))
        return CPR_OK;
    return drain(e, error);
}

static void put(encoding *e, unsigned bit, uint32_t p1)
{
    cpr_encoder_put(&e->coding->encoder, bit, p1);
    cpr_loss_meter_add(&e->coding->loss, bit ? p1 : 65536 - p1);
}

/* Notes the loss at every mark up to the raw offset `at`. */
static void pass_marks(encoding *e, uint64_t at)
{
    while (e->marks != NULL && e->coding->next_mark < e->marks->count &&
           e->marks->at[e->coding->next_mark] <= at)
        e->marks->loss[e->coding->next_mark++] = cpr_loss_meter_read(&e->coding->loss);
}

static cpr_status encode_stored(encoding *e, size_t bytes, cpr_error *error)
{
    for (size_t i = 0; i < bytes; i++) {
        pass_marks(e, e->coding->raw_bytes + i);
        for (int bit = 7; bit >= 0; bit--)
            put(e, e->codec->block[i] >> bit & 1, HALF);
        const cpr_status status = drain_if_full(e, error);
        if (status != CPR_OK)
            return status;
    }
    e->coding->stored_bytes += bytes;
    return CPR_OK;
}

static cpr_status encode_modelled(encoding *e, size_t bytes, cpr_error *error)
{
    cpr_codec *codec = e->codec;
    const size_t count = cpr_parser_parse(codec->parser, codec->block, bytes, codec->tokens);
    uint64_t at = e->coding->raw_bytes;
    cpr_model_expect(codec->model, codec->tokens, count);
    for (size_t i = 0; i < count; i++) {
        size_t token_bytes;
        unsigned bit;
        pass_marks(e, at);
        do {
            bit = cpr_model_decision(codec->model, codec->tokens[i]);
            put(e, bit, cpr_model_predict(codec->model));
        } while (cpr_model_learn(codec->model, bit) < 0);
        cpr_vocabulary_token(codec->vocabulary, codec->tokens[i], &token_bytes);
        at += token_bytes;
        const cpr_status status = drain_if_full(e, error);
        if (status != CPR_OK)
            return status;
    }
    e->coding->tokens += count;
    return CPR_OK;
}

static cpr_status encode_block(encoding *e, size_t bytes, cpr_error *error)
{
    cpr_codec *codec = e->codec;
    XXH3_128bits_update(codec->raw_hash, codec->block, bytes);
    pass_marks(e, e->coding->raw_bytes);
    rest_or_wake(codec, e->coding->raw_bytes);
    const bool stored =
        cpr_compressibility_is_noise(&codec->coding.compressibility, codec->block, bytes);
    put(e, stored, codec->coding.stored_flag);
    learn_stored_flag(codec, stored);
    const cpr_status status =
        stored ? encode_stored(e, bytes, error) : encode_modelled(e, bytes, error);
    e->coding->raw_bytes += bytes;
    return status;
}

/* Fills the block from the source as far as it goes. */
static cpr_status read_block(cpr_codec *codec, cpr_source source, size_t *bytes, cpr_error *error)
{
    size_t filled = 0, got = 1;
    while (filled < CPR_BLOCK_BYTES && got > 0) {
        const cpr_status status = source.read(source.context, codec->block + filled,
                                              CPR_BLOCK_BYTES - filled, &got, error);
        if (status != CPR_OK)
            return status;
        filled += got;
    }
    *bytes = filled;
    return CPR_OK;
}

/* Reads what an earlier run coded up to its snapshot, only to see that it is still the same. */
static cpr_status skip_coded(cpr_codec *codec, cpr_source source, cpr_error *error)
{
    for (uint64_t left = codec->coding.raw_bytes; left > 0;) {
        size_t bytes;
        const cpr_status status = read_block(codec, source, &bytes, error);
        if (status != CPR_OK)
            return status;
        if (bytes == 0 || bytes > left)
            break;
        XXH3_128bits_update(codec->raw_hash, codec->block, bytes);
        left -= bytes;
        if (left == 0 && cpr_hash_same(cpr_codec_digest(codec->raw_hash), codec->resume_raw_hash))
            return CPR_OK;
    }
    return cpr_fail(error, CPR_ERR_CHANGED,
                    "the corpus is not what it was when the snapshot was taken");
}

static cpr_status begin_encoding(encoding *e, cpr_source source, cpr_error *error)
{
    cpr_codec *codec = e->codec;
    if (!codec->resumed) {
        begin_shard(codec);
        cpr_encoder_init(&e->coding->encoder, codec->coded);
        return CPR_OK;
    }
    codec->resumed = false;
    if (e->coding->next_mark > (e->marks != NULL ? e->marks->count : 0))
        return cpr_fail(error, CPR_ERR_DAMAGED, "the snapshot is of another shard");
    if (e->coding->next_mark > 0)
        memcpy(e->marks->loss, codec->resume_marks, e->coding->next_mark * sizeof(uint64_t));
    e->coding->encoder.next = codec->coded;
    return e->coding->raw_bytes > 0 ? skip_coded(codec, source, error) : CPR_OK;
}

/* What the bytes so far have come to. */
static void tell_coding(const cpr_codec *codec, cpr_shard_info *info)
{
    info->raw_bytes = codec->coding.raw_bytes;
    info->coded_bytes = codec->coding.coded_bytes;
    info->stored_bytes = codec->coding.stored_bytes;
    info->tokens = codec->coding.tokens;
    info->loss_bits = cpr_loss_meter_read(&codec->coding.loss);
    info->network_loss_bits = network_loss(codec);
    info->raw_hash = cpr_codec_digest(codec->raw_hash);
}

cpr_status cpr_codec_encode(cpr_codec *codec, cpr_source source, cpr_sink sink, cpr_watch watch,
                            const cpr_loss_marks *marks, cpr_shard_info *info, cpr_error *error)
{
    assert(source.read != NULL && sink.write != NULL);
    encoding e = {.codec = codec, .coding = &codec->coding, .sink = sink, .marks = marks};
    codec->mark_losses = marks != NULL ? marks->loss : NULL;
    cpr_status status = begin_encoding(&e, source, error);
    for (size_t bytes = CPR_BLOCK_BYTES; status == CPR_OK && bytes == CPR_BLOCK_BYTES;) {
        status = read_block(codec, source, &bytes, error);
        if (status != CPR_OK || bytes == 0)
            break;
        status = encode_block(&e, bytes, error);
        if (status == CPR_OK)
            status = drain(&e, error);
        if (status == CPR_OK)
            status =
                cpr_watch_tell(watch, codec->coding.raw_bytes, codec->coding.coded_bytes, error);
    }
    if (status != CPR_OK)
        return status;
    pass_marks(&e, codec->coding.raw_bytes);
    cpr_encoder_finish(&codec->coding.encoder);
    status = drain(&e, error);
    if (status != CPR_OK)
        return status;
    tell_coding(codec, info);
    info->coded_hash = cpr_codec_digest(codec->coded_hash);
    return CPR_OK;
}

/* A cpr_write_fn. */
static cpr_status write_nowhere(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    (void)context;
    (void)data;
    (void)bytes;
    (void)error;
    return CPR_OK;
}

void cpr_codec_measure_begin(cpr_codec *codec)
{
    begin_shard(codec);
    cpr_encoder_init(&codec->coding.encoder, codec->coded);
}

cpr_status cpr_codec_measure_next(cpr_codec *codec, const uint8_t *block, size_t bytes,
                                  const cpr_loss_marks *marks, cpr_shard_info *info,
                                  cpr_error *error)
{
    assert(bytes > 0 && bytes <= CPR_BLOCK_BYTES);
    encoding e = {
        .codec = codec, .coding = &codec->coding, .sink = {write_nowhere, NULL}, .marks = marks};
    memcpy(codec->block, block, bytes);
    codec->coding.next_mark = 0;
    cpr_status status = encode_block(&e, bytes, error);
    if (status == CPR_OK)
        status = drain(&e, error);
    if (status != CPR_OK)
        return status;
    pass_marks(&e, codec->coding.raw_bytes);
    tell_coding(codec, info);
    return CPR_OK;
}

cpr_status cpr_codec_resume(cpr_codec *codec, cpr_source written, cpr_error *error)
{
    assert(written.read != NULL);
    XXH3_128bits_reset(codec->raw_hash);
    XXH3_128bits_reset(codec->coded_hash);
    for (uint64_t left = codec->coding.coded_bytes; left > 0;) {
        const size_t most = left < CPR_CODED_BUFFER_BYTES ? (size_t)left : CPR_CODED_BUFFER_BYTES;
        size_t got;
        const cpr_status status = written.read(written.context, codec->coded, most, &got, error);
        if (status != CPR_OK)
            return status;
        if (got == 0)
            break;
        XXH3_128bits_update(codec->coded_hash, codec->coded, got);
        left -= got;
    }
    if (!cpr_hash_same(cpr_codec_digest(codec->coded_hash), codec->resume_coded_hash))
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "the partial bitstream does not match its snapshot");
    codec->resumed = true;
    return CPR_OK;
}

/* ---- decoding ---- */

static unsigned get(cpr_codec *codec, uint32_t p1)
{
    const unsigned bit = cpr_decoder_get(&codec->decoding.decoder, p1);
    if (codec->curve != NULL)
        cpr_loss_meter_add(&codec->coding.loss, bit ? p1 : 65536 - p1);
    return bit;
}

/* Behind the bitstream's end come zeros. The decoder of a whole shard takes only a few of them:
 * more tell that the bitstream is too short for the bytes that it is said to hold. */
static cpr_status pad_window(cpr_codec *codec, size_t left, cpr_error *error)
{
    cpr_decoding *d = &codec->decoding;
    if (d->padding > left + CPR_DECODER_MAX_PADDING_BYTES)
        return cpr_fail(error, CPR_ERR_DAMAGED, "its bitstream ends too early");
    if (left < TOKEN_MAX_CODED_BYTES) {
        uint8_t *coded = codec->coded;
        memmove(coded, d->decoder.next, left);
        memset(coded + left, 0, TOKEN_MAX_CODED_BYTES);
        d->padding += TOKEN_MAX_CODED_BYTES;
        d->decoder.next = coded;
        d->decoder.end = coded + left + TOKEN_MAX_CODED_BYTES;
    }
    return CPR_OK;
}

/* Makes sure that the next token's bytes are in the window. */
static cpr_status fill_window(cpr_codec *codec, cpr_error *error)
{
    cpr_decoding *d = &codec->decoding;
    uint8_t *coded = codec->coded;
    size_t left = (size_t)(d->decoder.end - d->decoder.next);
    if (d->at_end)
        return pad_window(codec, left, error);
    if (left >= TOKEN_MAX_CODED_BYTES)
        return CPR_OK;
    memmove(coded, d->decoder.next, left);
    while (!d->at_end && left < CPR_CODED_BUFFER_BYTES) {
        size_t got;
        const cpr_status status = d->source.read(d->source.context, coded + left,
                                                 CPR_CODED_BUFFER_BYTES - left, &got, error);
        if (status != CPR_OK)
            return status;
        d->at_end = got == 0;
        left += got;
    }
    d->decoder.next = coded;
    d->decoder.end = coded + left;
    return d->at_end ? pad_window(codec, left, error) : CPR_OK;
}

static cpr_status decode_stored(cpr_codec *codec, size_t bytes, cpr_error *error)
{
    for (size_t i = 0; i < bytes; i++) {
        const cpr_status status = fill_window(codec, error);
        if (status != CPR_OK)
            return status;
        unsigned byte = 0;
        for (int bit = 0; bit < 8; bit++)
            byte = byte << 1 | get(codec, HALF);
        codec->block[i] = (uint8_t)byte;
    }
    return CPR_OK;
}

static cpr_status decode_modelled(cpr_codec *codec, size_t bytes, cpr_error *error)
{
    cpr_decoding *d = &codec->decoding;
    for (size_t at = 0; at < bytes;) {
        const cpr_status status = fill_window(codec, error);
        if (status != CPR_OK)
            return status;
        int32_t token;
        do
            token = cpr_model_learn(codec->model, get(codec, cpr_model_predict(codec->model)));
        while (token < 0);
        size_t token_bytes;
        const uint8_t *text =
            cpr_vocabulary_token(codec->vocabulary, (uint32_t)token, &token_bytes);
        if (token_bytes > bytes - at)
            return cpr_fail(error, CPR_ERR_DAMAGED, "a token reaches past the end of its block");
        if (d->tokens == d->info.tokens)
            return cpr_fail(error, CPR_ERR_DAMAGED, "it has more tokens than it is said to have");
        memcpy(codec->block + at, text, token_bytes);
        at += token_bytes;
        d->tokens++;
    }
    return CPR_OK;
}

static cpr_status decode_block(cpr_codec *codec, size_t bytes, cpr_error *error)
{
    cpr_status status = fill_window(codec, error);
    if (status != CPR_OK)
        return status;
    const unsigned stored = get(codec, codec->coding.stored_flag);
    learn_stored_flag(codec, stored);
    status = stored ? decode_stored(codec, bytes, error) : decode_modelled(codec, bytes, error);
    if (status == CPR_OK)
        XXH3_128bits_update(codec->raw_hash, codec->block, bytes);
    return status;
}

/* Notes the loss after `raw_bytes` bytes, if there is to be a point. */
static void add_to_curve(cpr_codec *codec, uint64_t raw_bytes, bool end)
{
    cpr_curve *curve = codec->curve;
    if (curve == NULL || curve->points == CPR_CURVE_POINTS ||
        (!end && raw_bytes != (uint64_t)CPR_BLOCK_BYTES << curve->points))
        return;
    curve->point[curve->points++] =
        (cpr_curve_point){raw_bytes, cpr_loss_meter_read(&codec->coding.loss), network_loss(codec)};
}

cpr_status cpr_codec_decode_begin(cpr_codec *codec, const cpr_shard_info *info, cpr_source source,
                                  cpr_error *error)
{
    assert(source.read != NULL);
    cpr_decoding *d = &codec->decoding;
    begin_shard(codec);
    *d = (cpr_decoding){.source = source, .info = *info};
    if (codec->curve != NULL)
        codec->curve->points = 0;
    d->decoder.next = d->decoder.end = codec->coded;
    const cpr_status status = fill_window(codec, error);
    if (status == CPR_OK)
        cpr_decoder_init(&d->decoder, codec->coded, (size_t)(d->decoder.end - codec->coded));
    return status;
}

cpr_status cpr_codec_decode_next(cpr_codec *codec, const uint8_t **block, size_t *bytes,
                                 cpr_error *error)
{
    cpr_decoding *d = &codec->decoding;
    const uint64_t left = d->info.raw_bytes - d->raw_bytes;
    const size_t part = left < CPR_BLOCK_BYTES ? (size_t)left : CPR_BLOCK_BYTES;
    *block = codec->block;
    *bytes = 0;
    if (part > 0) {
        rest_or_wake(codec, d->raw_bytes);
        const cpr_status status = decode_block(codec, part, error);
        if (status != CPR_OK)
            return status;
        d->raw_bytes += part;
        add_to_curve(codec, d->raw_bytes, d->raw_bytes == d->info.raw_bytes);
    }
    if (d->raw_bytes == d->info.raw_bytes &&
        (!cpr_hash_same(cpr_codec_digest(codec->raw_hash), d->info.raw_hash) ||
         d->tokens != d->info.tokens))
        return cpr_fail(error, CPR_ERR_DAMAGED, "the decoded bytes do not match their checksum");
    *bytes = part;
    return CPR_OK;
}

cpr_status cpr_codec_decode(cpr_codec *codec, const cpr_shard_info *info, cpr_source source,
                            cpr_sink sink, cpr_watch watch, cpr_error *error)
{
    cpr_status status = cpr_codec_decode_begin(codec, info, source, error);
    for (size_t bytes = 1; status == CPR_OK && bytes > 0;) {
        const uint8_t *block;
        status = cpr_codec_decode_next(codec, &block, &bytes, error);
        if (status != CPR_OK || bytes == 0)
            break;
        if (sink.write != NULL)
            status = sink.write(sink.context, block, bytes, error);
        if (status == CPR_OK)
            status = cpr_watch_tell(watch, codec->decoding.raw_bytes, 0, error);
    }
    return status;
}

/* ---- drawing ---- */

/* Has the model learn a block of text, without a word of its cost. */
static void learn_block(cpr_codec *codec, const uint8_t *text, size_t bytes)
{
    memcpy(codec->block, text, bytes);
    const size_t count = cpr_parser_parse(codec->parser, codec->block, bytes, codec->tokens);
    cpr_model_expect(codec->model, codec->tokens, count);
    for (size_t i = 0; i < count; i++) {
        unsigned bit;
        do {
            bit = cpr_model_decision(codec->model, codec->tokens[i]);
            (void)cpr_model_predict(codec->model);
        } while (cpr_model_learn(codec->model, bit) < 0);
    }
}

cpr_status cpr_codec_draw_begin(cpr_codec *codec, const uint8_t *prompt, size_t prompt_bytes,
                                cpr_source random, uint32_t temperature, cpr_error *error)
{
    const cpr_shard_info nothing = {.raw_bytes = 0};
    const cpr_status status = cpr_codec_decode_begin(codec, &nothing, random, error);
    if (status != CPR_OK)
        return status;
    codec->decoding.temperature = temperature;
    for (size_t at = 0; at < prompt_bytes; at += CPR_BLOCK_BYTES)
        learn_block(codec, prompt + at,
                    prompt_bytes - at < CPR_BLOCK_BYTES ? prompt_bytes - at : CPR_BLOCK_BYTES);
    return CPR_OK;
}

/* A decision that is certain takes nothing from the decoder. */
static unsigned draw_decision(cpr_codec *codec)
{
    cpr_decoding *d = &codec->decoding;
    const uint32_t p1 = cpr_temperature_apply(cpr_model_predict(codec->model), d->temperature);
    return p1 == 0 || p1 == 65536 ? p1 != 0 : cpr_decoder_get(&d->decoder, p1);
}

cpr_status cpr_codec_draw_next(cpr_codec *codec, const uint8_t **token, size_t *bytes,
                               cpr_error *error)
{
    int32_t drawn;
    const cpr_status status = fill_window(codec, error);
    if (status != CPR_OK)
        return status;
    do
        drawn = cpr_model_learn(codec->model, draw_decision(codec));
    while (drawn < 0);
    *token = cpr_vocabulary_token(codec->vocabulary, (uint32_t)drawn, bytes);
    return CPR_OK;
}
