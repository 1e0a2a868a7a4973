/* core_taught.c - the part of core_bytes that teaches a small network and codes with it. */
#include "codec.h"
#include "core_bytes.h"
#include "file_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROFILE                                                                                    \
    "tokens 1; mixing 1 contexts=0 lines=0 successors=3 matches=5 match-lanes=1 sets=2 refine=0 "  \
    "guess-from=45000 guess-shift=10 chances=0 buckets=131072 line-pairs=0 successor-bits=17 "     \
    "history-bits=22; network 1 kind=taught width=64 layers=2 rank=32 bits=5 grain=4"
#define STREAMS 3u
#define STEPS 8u

/* The network is awake, rests, and is awake again for so many tokens. */
static const size_t parts[] = {1000, 150, 500};
#define PARTS (sizeof parts / sizeof *parts)

static cpr_profile *taught_profile(void)
{
    char problem[200];
    cpr_descriptor_verdict verdict;
    cpr_profile *profile = cpr_profile_parse(PROFILE, NULL, 0, &verdict, problem, sizeof problem);
    if (profile == NULL)
        core_fail(problem);
    return profile;
}

/* ---- lesson ---- */

/* The streams read different lengths, and one ends early. */
static void taught_step(cpr_lesson *lesson, const core_material *m, uint32_t step)
{
    for (uint32_t stream = 0; stream < STREAMS; stream++) {
        const size_t at = stream * (m->count / STREAMS) + (size_t)step * CPR_LESSON_SEGMENT;
        const size_t length = CPR_LESSON_SEGMENT - 7 * stream;
        if (at + length > m->count)
            core_fail("the text is too short for the lesson");
        if (stream != 2 || step < STEPS - 2)
            cpr_lesson_read(lesson, stream, m->tokens + at, length);
    }
    cpr_lesson_step(lesson, 65536 / STEPS * (step + 1));
}

/* Returns the packed weights. */
static uint8_t *taught_learn(const cpr_profile *profile, const core_material *m, size_t *bytes)
{
    unsigned long long loss = 0;
    cpr_lesson *lesson = cpr_lesson_create(profile, m->learned, STREAMS, NULL);
    if (lesson == NULL)
        core_fail("no memory for a lesson");
    for (uint32_t step = 0; step < STEPS; step++)
        taught_step(lesson, m, step);
    for (uint32_t stream = 0; stream < STREAMS; stream++)
        loss += cpr_lesson_loss(lesson, stream);
    uint8_t *packed = cpr_lesson_pack(lesson, bytes);
    cpr_lesson_free(lesson);
    if (packed == NULL)
        core_fail("the weights cannot be packed");
    printf("lesson's loss %llu\n", loss);
    core_print("weights", "", packed, *bytes);
    return packed;
}

/* ---- coding ---- */

static cpr_weights *taught_unpack(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                                  const uint8_t *coded, size_t coded_bytes)
{
    uint8_t *packed;
    size_t bytes;
    cpr_error error = {""};
    if (cpr_weights_decode(coded, coded_bytes, &packed, &bytes, &error) != CPR_OK)
        core_fail(error.text);
    cpr_weights *weights = cpr_weights_unpack(profile, vocabulary, packed, bytes);
    if (weights == NULL)
        core_fail("the weights cannot be unpacked");
    free(packed);
    return weights;
}

/* ahead: the network is told what comes, and computes up to a segment at once; else it takes token
 * by token, as when it decodes. Returns the bytes of the bitstream. */
static size_t taught_encode(const cpr_profile *profile, const cpr_weights *weights,
                            const core_material *m, bool ahead, uint8_t *coded)
{
    const uint16_t *tokens = m->tokens;
    cpr_encoder encoder;
    cpr_model *model = core_model(profile, m->learned, weights);
    cpr_encoder_init(&encoder, coded);
    for (size_t part = 0; part < PARTS; tokens += parts[part++]) {
        cpr_model_rest(model, part % 2 == 1);
        if (ahead)
            cpr_model_expect(model, tokens, parts[part]);
        core_encode(model, tokens, parts[part], &encoder, coded);
    }
    cpr_encoder_finish(&encoder);
    printf("network's loss%s %llu\n", ahead ? ", ahead" : "",
           (unsigned long long)cpr_model_network_loss(model));
    cpr_model_free(model);
    return (size_t)(encoder.next - coded);
}

/* Returns the bytes of the text. */
static size_t taught_decode(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                            const cpr_weights *weights, const uint8_t *coded, size_t bytes,
                            uint8_t *text)
{
    size_t at = 0;
    cpr_decoder decoder;
    cpr_model *model = core_model(profile, vocabulary, weights);
    cpr_decoder_init(&decoder, coded, bytes);
    for (size_t part = 0; part < PARTS; part++) {
        cpr_model_rest(model, part % 2 == 1);
        at += core_decode(model, vocabulary, parts[part], &decoder, text + at, TEXT_BYTES - at);
    }
    cpr_model_free(model);
    return at;
}

/* ---- files ---- */

/* The vocabulary, the weights and the bitstream, each behind its length. */
enum { VOCABULARY, WEIGHTS, BITSTREAM, FIELDS };

typedef struct field {
    uint8_t *data;
    size_t bytes;
} field;

static void file_write(const char *path, const field *fields)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        core_fail("the file cannot be written");
    for (unsigned i = 0; i < FIELDS; i++) {
        uint8_t length[4];
        cpr_put32(length, (uint32_t)fields[i].bytes);
        fwrite(length, 1, sizeof length, file);
        fwrite(fields[i].data, 1, fields[i].bytes, file);
    }
    if (ferror(file) != 0 || fclose(file) != 0)
        core_fail("the file cannot be written");
}

static void file_read(const char *path, field *fields)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        core_fail("the file cannot be read");
    for (unsigned i = 0; i < FIELDS; i++) {
        uint8_t length[4];
        if (fread(length, 1, sizeof length, file) != sizeof length)
            core_fail("the file is too short");
        fields[i].bytes = cpr_get32(length);
        fields[i].data = core_room(fields[i].bytes);
        if (fread(fields[i].data, 1, fields[i].bytes, file) != fields[i].bytes)
            core_fail("the file is too short");
    }
    fclose(file);
}

static void fields_free(field *fields)
{
    for (unsigned i = 0; i < FIELDS; i++)
        free(fields[i].data);
}

/* For one that has nothing but the fields: prints what comes out, and returns it. */
static uint8_t *fields_decode(const field *fields, size_t *bytes)
{
    cpr_profile *profile = taught_profile();
    cpr_vocabulary *vocabulary =
        cpr_vocabulary_unpack(fields[VOCABULARY].data, fields[VOCABULARY].bytes);
    if (vocabulary == NULL)
        core_fail("the vocabulary cannot be unpacked");
    cpr_weights *weights =
        taught_unpack(profile, vocabulary, fields[WEIGHTS].data, fields[WEIGHTS].bytes);
    uint8_t *text = core_room(TEXT_BYTES);
    *bytes = taught_decode(profile, vocabulary, weights, fields[BITSTREAM].data,
                           fields[BITSTREAM].bytes, text);
    core_print("decoded", "", text, *bytes);
    cpr_weights_free(weights);
    cpr_vocabulary_free(vocabulary);
    cpr_profile_free(profile);
    return text;
}

void core_read(const char *path)
{
    field fields[FIELDS];
    size_t bytes;
    file_read(path, fields);
    free(fields_decode(fields, &bytes));
    fields_free(fields);
}

/* ---- all of it ---- */

/* Encodes a part of the text both ways, with weights that were coded and decoded. */
static void taught_code(const cpr_profile *profile, const core_material *m, field *fields)
{
    uint8_t *again = core_room(CODED_CAPACITY);
    cpr_weights *weights =
        taught_unpack(profile, m->learned, fields[WEIGHTS].data, fields[WEIGHTS].bytes);
    field *bitstream = &fields[BITSTREAM];
    bitstream->data = core_room(CODED_CAPACITY);
    bitstream->bytes = taught_encode(profile, weights, m, true, bitstream->data);
    core_print("taught", "", bitstream->data, bitstream->bytes);
    if (taught_encode(profile, weights, m, false, again) != bitstream->bytes ||
        memcmp(again, bitstream->data, bitstream->bytes) != 0)
        core_fail("token by token, the taught network gives other bytes");
    cpr_weights_free(weights);
    free(again);
}

void core_teach(const core_material *m, const char *file)
{
    field fields[FIELDS];
    size_t bytes;
    cpr_error error = {""};
    cpr_profile *profile = taught_profile();
    uint8_t *packed = taught_learn(profile, m, &bytes);
    if (cpr_weights_encode(packed, bytes, &fields[WEIGHTS].data, &fields[WEIGHTS].bytes, &error) !=
        CPR_OK)
        core_fail(error.text);
    free(packed);
    core_print("weights, coded", "", fields[WEIGHTS].data, fields[WEIGHTS].bytes);
    fields[VOCABULARY].data = cpr_vocabulary_pack(m->learned, &fields[VOCABULARY].bytes);
    if (fields[VOCABULARY].data == NULL)
        core_fail("the vocabulary cannot be packed");
    taught_code(profile, m, fields);
    uint8_t *text = fields_decode(fields, &bytes);
    if (memcmp(text, m->text, bytes) != 0)
        core_fail("the text of the taught network does not come back");
    free(text);
    if (file != NULL)
        file_write(file, fields);
    fields_free(fields);
    cpr_profile_free(profile);
}
