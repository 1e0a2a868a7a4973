/* library_draw.c - texts that are drawn from the model of an archive. */
#include "library_reader.h"

#define WATCH_BYTES (1u << 16)

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators. OOPSLA 2014. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* What is left of a number, highest byte first. */
typedef struct random_bytes {
    uint64_t state;
    uint64_t number;
    unsigned left; /* bytes of it */
} random_bytes;

/* A cpr_read_fn that has no end. */
static cpr_status read_random(void *context, uint8_t *out, size_t capacity, size_t *got,
                              cpr_error *error)
{
    random_bytes *r = context;
    (void)error;
    for (size_t i = 0; i < capacity; i++) {
        if (r->left == 0) {
            r->number = next_random(&r->state);
            r->left = 8;
        }
        out[i] = (uint8_t)(r->number >> 8 * --r->left);
    }
    *got = capacity;
    return CPR_OK;
}

static cpr_status draw_text(cpr_codec *codec, uint64_t wanted, cpr_sink sink, cpr_watch watch,
                            cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (uint64_t drawn = 0, told = 0; status == CPR_OK && drawn < wanted;) {
        const uint8_t *token;
        size_t bytes;
        status = cpr_codec_draw_next(codec, &token, &bytes, error);
        if (status != CPR_OK)
            break;
        if (bytes > wanted - drawn)
            bytes = (size_t)(wanted - drawn);
        drawn += bytes;
        if (sink.write != NULL)
            status = sink.write(sink.context, token, bytes, error);
        if (status == CPR_OK && (drawn == wanted || drawn - told >= WATCH_BYTES)) {
            status = cpr_watch_tell(watch, drawn, 0, error);
            told = drawn;
        }
    }
    return status;
}

cpr_status cpr_reader_draw(cpr_reader *reader, const cpr_draw_options *options, cpr_sink sink,
                           cpr_watch watch, cpr_error *error)
{
    cpr_codec *codec;
    random_bytes random = {.state = options->seed};
    if (options->bytes > CPR_SHARD_BYTES_MAX)
        return cpr_fail(error, CPR_ERR_USAGE, "at most %llu bytes can be drawn",
                        (unsigned long long)CPR_SHARD_BYTES_MAX);
    if (options->temperature > CPR_TEMPERATURE_MAX)
        return cpr_fail(error, CPR_ERR_USAGE, "the temperature is at most %u",
                        CPR_TEMPERATURE_MAX / CPR_TEMPERATURE_AS_IT_IS);
    cpr_status status = cpr_reader_borrow(reader, watch, &codec, error);
    if (status == CPR_OK)
        status =
            cpr_codec_draw_begin(codec, options->prompt, options->prompt_bytes,
                                 (cpr_source){read_random, &random}, options->temperature, error);
    return status == CPR_OK ? draw_text(codec, options->bytes, sink, watch, error) : status;
}
