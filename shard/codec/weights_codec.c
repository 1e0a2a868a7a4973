/* weights_codec.c - the packed weights of a taught network as bytes for the archive. FORMAT.md,
 * section 10, is normative.
 *
 * Most of the bytes are signed integers whose size changes slowly, from array to array and from row
 * to row. So each is coded, decision by decision, in the light of how large those before it were.
 * That is a hundred times as fast as the model of text, and nobody gets a byte of a shard before
 * the weights are there. */
#include "codec.h"
#include "file_io.h"

#include "coder.h"

#include <stdlib.h>

#define HEADER_BYTES 24u
#define RAW_BYTES_MAX (UINT32_C(1) << 27)
#define CLASSES 17u /* of magnitudes, two for each doubling */
#define COUNT_MOST 255u
#define RATE_BITS 15u
#define MAGNITUDE_BITS 8u
#define NEAR_SHIFT 3u
#define FAR_SHIFT 6u
#define PROBABILITY_LEAST 32u
#define BYTE_MAX_CODED_BYTES (8u * CPR_ENCODER_MAX_BYTES_PER_DECISION)

/* That a decision is 1, after `count` of them. */
typedef struct weights_estimate {
    uint16_t p;
    uint16_t count;
} weights_estimate;

typedef struct weights_model {
    weights_estimate near[CLASSES][256]; /* by the mean magnitude of the last few bytes, and node */
    weights_estimate far[CLASSES][256];  /* by that of more of them */
    int32_t near_mean;                   /* in units of 2^-8 */
    int32_t far_mean;
    int32_t rate[COUNT_MOST + 1];
} weights_model;

static weights_model *weights_model_create(void)
{
    weights_model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    for (unsigned c = 0; c < CLASSES; c++)
        for (unsigned node = 0; node < 256; node++) {
            m->near[c][node].p = 32768;
            m->far[c][node].p = 32768;
        }
    for (int32_t i = 0; i <= (int32_t)COUNT_MOST; i++)
        m->rate[i] = (2 << RATE_BITS) / (2 * i + 3);
    return m;
}

static unsigned weights_class(int32_t mean)
{
    unsigned exponent = 0;
    mean += 128;
    while (mean >> (exponent + 8) > 0)
        exponent++;
    return 2 * exponent + ((unsigned)mean >> (exponent + 6) & 1);
}

static void estimate_learn(const weights_model *m, weights_estimate *e, unsigned bit)
{
    const int32_t p = e->p;
    e->p = (uint16_t)(p + (((bit ? 65535 - p : -p) * m->rate[e->count]) >> RATE_BITS));
    if (e->count < COUNT_MOST)
        e->count++;
}

/* Codes the next byte with `encoder`, or else decodes it with `decoder`. */
static unsigned weights_code_byte(weights_model *m, cpr_encoder *encoder, cpr_decoder *decoder,
                                  unsigned byte)
{
    weights_estimate *near = m->near[weights_class(m->near_mean)];
    weights_estimate *far = m->far[weights_class(m->far_mean)];
    unsigned node = 1;
    for (unsigned i = 8; i-- > 0;) {
        uint32_t p = ((uint32_t)near[node].p + far[node].p) / 2;
        p = p < PROBABILITY_LEAST ? PROBABILITY_LEAST : p;
        p = p > 65536 - PROBABILITY_LEAST ? 65536 - PROBABILITY_LEAST : p;
        unsigned bit = byte >> i & 1;
        if (encoder != NULL)
            cpr_encoder_put(encoder, bit, p);
        else
            bit = cpr_decoder_get(decoder, p);
        estimate_learn(m, &near[node], bit);
        estimate_learn(m, &far[node], bit);
        node = 2 * node + bit;
    }
    byte = node & 255;
    const int32_t magnitude = abs((int32_t)(int8_t)byte) << MAGNITUDE_BITS;
    m->near_mean += (magnitude - m->near_mean) >> NEAR_SHIFT;
    m->far_mean += (magnitude - m->far_mean) >> FAR_SHIFT;
    return byte;
}

/* What is being coded, in memory that grows. */
typedef struct weights_output {
    cpr_encoder encoder;
    uint8_t *data;
    size_t room;
} weights_output;

/* Makes room for one more byte and the end. False: out of memory. */
static bool output_grow(weights_output *out)
{
    const size_t used = (size_t)(out->encoder.next - out->data);
    if (out->room - used >= BYTE_MAX_CODED_BYTES + CPR_ENCODER_MAX_FINISH_BYTES)
        return true;
    uint8_t *larger = realloc(out->data, 2 * out->room);
    if (larger == NULL)
        return false;
    out->data = larger;
    out->room *= 2;
    out->encoder.next = larger + used;
    return true;
}

static bool output_code(weights_output *out, weights_model *m, const uint8_t *raw, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (!output_grow(out))
            return false;
        (void)weights_code_byte(m, &out->encoder, NULL, raw[i]);
    }
    cpr_encoder_finish(&out->encoder);
    return true;
}

cpr_status cpr_weights_encode(const uint8_t *raw, size_t raw_bytes, uint8_t **coded,
                              size_t *coded_bytes, cpr_error *error)
{
    *coded = NULL;
    if (raw_bytes > RAW_BYTES_MAX)
        return cpr_fail(error, CPR_ERR_USAGE, "%zu bytes of weights are too many", raw_bytes);
    weights_output out = {.room = raw_bytes + 1024};
    weights_model *m = weights_model_create();
    out.data = malloc(out.room);
    if (m != NULL && out.data != NULL) {
        cpr_put32(out.data, (uint32_t)raw_bytes);
        cpr_put32(out.data + 4, 0);
        cpr_put_hash(out.data + 8, cpr_hash_bytes(raw, raw_bytes));
        cpr_encoder_init(&out.encoder, out.data + HEADER_BYTES);
        if (output_code(&out, m, raw, raw_bytes)) {
            *coded = out.data;
            *coded_bytes = (size_t)(out.encoder.next - out.data);
        }
    }
    free(m);
    if (*coded != NULL)
        return CPR_OK;
    free(out.data);
    return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the weights");
}

cpr_status cpr_weights_decode(const uint8_t *coded, size_t coded_bytes, uint8_t **raw,
                              size_t *raw_bytes, cpr_error *error)
{
    *raw = NULL;
    if (coded_bytes < HEADER_BYTES || cpr_get32(coded) > RAW_BYTES_MAX || cpr_get32(coded + 4) != 0)
        return cpr_fail(error, CPR_ERR_DAMAGED, "they have no valid header");
    const size_t bytes = cpr_get32(coded);
    weights_model *m = weights_model_create();
    uint8_t *out = m != NULL ? malloc(bytes + 1) : NULL;
    if (out == NULL) {
        free(m);
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the weights");
    }
    cpr_decoder decoder;
    cpr_decoder_init(&decoder, coded + HEADER_BYTES, coded_bytes - HEADER_BYTES);
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)weights_code_byte(m, NULL, &decoder, 0);
    free(m);
    if (!cpr_hash_same(cpr_get_hash(coded + 8), cpr_hash_bytes(out, bytes))) {
        free(out);
        return cpr_fail(error, CPR_ERR_DAMAGED, "they do not have their checksum");
    }
    *raw = out;
    *raw_bytes = bytes;
    return CPR_OK;
}
