/* test_weights.c - the weights of a taught network, coded; and where the network rests. */
#define _GNU_SOURCE /* fileno */
#include "codec.h"
#include "memory_stream.h"
#include "model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static uint64_t random_number(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* Signed numbers of magnitudes up to `size`, small ones more often, whose size changes halfway. */
static void make_weights(uint8_t *out, size_t bytes, unsigned size)
{
    uint64_t seed = size;
    for (size_t i = 0; i < bytes; i++) {
        const uint64_t most = i < bytes / 2 ? size : size / 4 + 1;
        const int magnitude =
            (int)(random_number(&seed) % most * (random_number(&seed) % most) / most);
        out[i] = (uint8_t)(random_number(&seed) % 2 ? magnitude : -magnitude);
    }
}

/* Codes and decodes; returns the bytes that it took. */
static size_t there_and_back(const uint8_t *raw, size_t bytes)
{
    uint8_t *coded;
    uint8_t *back;
    size_t coded_bytes;
    size_t back_bytes;
    cpr_error error = {""};
    assert_int_equal(cpr_weights_encode(raw, bytes, &coded, &coded_bytes, &error), CPR_OK);
    assert_int_equal(cpr_weights_decode(coded, coded_bytes, &back, &back_bytes, &error), CPR_OK);
    assert_int_equal(back_bytes, bytes);
    assert_memory_equal(back, raw, bytes);
    free(coded);
    free(back);
    return coded_bytes;
}

static void weights_come_back(void **state)
{
    (void)state;
    enum { BYTES = 50000 };
    uint8_t *raw = calloc(1, BYTES);
    static const uint8_t extremes[] = {0, 127, 128, 129, 255, 1, 128, 128, 128};
    assert_int_equal(there_and_back(raw, 0), 24);
    assert_true(there_and_back(extremes, sizeof extremes) > 24);
    assert_true(there_and_back(raw, BYTES) < BYTES / 100);
    make_weights(raw, BYTES, 120);
    assert_true(there_and_back(raw, BYTES) < BYTES * 7 / 8);
    uint64_t seed = 3; /* what cannot be coded takes little more than it has */
    for (size_t i = 0; i < BYTES; i++)
        raw[i] = (uint8_t)random_number(&seed);
    assert_true(there_and_back(raw, BYTES) < BYTES + BYTES / 20);
    /* The most unlikely byte each time: memory for it grows. */
    memset(raw, 0, BYTES);
    for (size_t i = BYTES / 2; i < BYTES; i++)
        raw[i] = 128;
    there_and_back(raw, BYTES);
    free(raw);
}

/* An archive depends on each byte. */
static void weights_are_coded_alike_everywhere(void **state)
{
    (void)state;
    uint8_t raw[3000];
    uint8_t *coded;
    size_t bytes;
    cpr_error error = {""};
    make_weights(raw, sizeof raw, 100);
    assert_int_equal(cpr_weights_encode(raw, sizeof raw, &coded, &bytes, &error), CPR_OK);
    assert_int_equal(bytes, 0x91f);
    assert_int_equal(XXH3_64bits(coded, bytes), UINT64_C(0xb8adca6aa78b224c));
    free(coded);
}

static void damaged_weights_are_refused(void **state)
{
    (void)state;
    uint8_t raw[500];
    uint8_t *coded;
    uint8_t *back;
    size_t bytes;
    size_t back_bytes;
    cpr_error error = {""};
    make_weights(raw, sizeof raw, 50);
    assert_int_equal(cpr_weights_encode(raw, sizeof raw, &coded, &bytes, &error), CPR_OK);
    for (size_t i = 0; i < bytes; i++) {
        coded[i] ^= (uint8_t)(1u << (i % 8));
        const cpr_status status = cpr_weights_decode(coded, bytes, &back, &back_bytes, &error);
        /* What is behind the last decision may be anything that leads to it. */
        if (status == CPR_OK) {
            assert_true(i + 8 >= bytes);
            assert_memory_equal(back, raw, sizeof raw);
            free(back);
        } else {
            assert_int_equal(status, CPR_ERR_DAMAGED);
            assert_null(back);
        }
        coded[i] ^= (uint8_t)(1u << (i % 8));
    }
    for (size_t cut = 0; cut < bytes - 8; cut += 7)
        assert_int_equal(cpr_weights_decode(coded, cut, &back, &back_bytes, &error),
                         CPR_ERR_DAMAGED);
    memcpy(coded, "\xff\xff\xff\xff", 4); /* of raw bytes: not even tried */
    assert_int_equal(cpr_weights_decode(coded, bytes, &back, &back_bytes, &error), CPR_ERR_DAMAGED);
    free(coded);
}

/* ---- rest ----------------------------------------------------------------------------------- */

#define BLOCK ((size_t)65536)
#define TEXT_BYTES (3 * BLOCK)
#define AWAKE_BYTES ((size_t)CPR_PRIMER_AWAKE_BYTES)

/* A network that has been taught for two steps, and a text. */
typedef struct fixture {
    const cpr_profile *profile;
    cpr_vocabulary *vocabulary;
    cpr_weights *weights;
    uint8_t *text;
} fixture;

/* Words, and blanks, so that there are few tokens. */
static void make_text(uint8_t *out, size_t bytes)
{
    static const char *const words[] = {"corpus", "shard", "lesson", "of the ", ", ", ".\n"};
    uint64_t seed = 9;
    memset(out, ' ', bytes);
    for (size_t at = 0; at + 300 < bytes; at += 256)
        for (size_t end = at + 40; at < end;) {
            const char *word = words[random_number(&seed) % 6];
            memcpy(out + at, word, strlen(word));
            at += strlen(word);
        }
}

static cpr_weights *teach(const fixture *f)
{
    static uint16_t tokens[BLOCK];
    size_t bytes;
    cpr_parser *parser = cpr_parser_create(f->vocabulary);
    const size_t count = cpr_parser_parse(parser, f->text, 16384, tokens);
    cpr_parser_free(parser);
    assert_true(count > 2 * CPR_LESSON_SEGMENT);
    cpr_lesson *lesson = cpr_lesson_create(f->profile, f->vocabulary, 1, NULL);
    assert_non_null(lesson);
    for (uint32_t step = 0; step < 2; step++) {
        cpr_lesson_read(lesson, 0, tokens + step * CPR_LESSON_SEGMENT, CPR_LESSON_SEGMENT);
        cpr_lesson_step(lesson, 32768 * (step + 1));
    }
    uint8_t *packed = cpr_lesson_pack(lesson, &bytes);
    cpr_lesson_free(lesson);
    assert_non_null(packed);
    cpr_weights *weights = cpr_weights_unpack(f->profile, f->vocabulary, packed, bytes);
    assert_non_null(weights);
    free(packed);
    return weights;
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->profile = cpr_profile_after_lesson(cpr_profile_find("neural"), 1 << 20, 1 << 20);
    assert_true(cpr_profile_is_taught(f->profile));
    f->text = malloc(TEXT_BYTES);
    make_text(f->text, TEXT_BYTES);
    cpr_word_counts *counts = cpr_word_counts_create();
    assert_true(cpr_word_counts_add(counts, f->text, BLOCK));
    f->vocabulary = cpr_vocabulary_learn(counts, 400);
    cpr_word_counts_free(counts);
    f->weights = teach(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    cpr_weights_free(f->weights);
    cpr_vocabulary_free(f->vocabulary);
    free(f->text);
    free(f);
    return 0;
}

static cpr_codec *make_codec(const fixture *f)
{
    cpr_codec *codec = NULL;
    cpr_error error = {""};
    assert_int_equal(
        cpr_codec_create(f->profile, f->vocabulary, f->weights, TEXT_BYTES, &codec, &error),
        CPR_OK);
    return codec;
}

/* Codes the text as a primer of so many bytes, and decodes it. *coded is malloc()ed. */
static cpr_shard_info code(const fixture *f, cpr_codec *codec, uint64_t primer_bytes,
                           uint8_t **coded)
{
    cpr_memory_reader raw = {.data = f->text, .bytes = TEXT_BYTES};
    cpr_memory_writer out = {.data = NULL};
    cpr_memory_writer back = {.data = NULL};
    cpr_shard_info info = {0};
    cpr_error error = {""};
    cpr_codec_set_primer(codec, primer_bytes);
    assert_int_equal(cpr_codec_encode(codec, cpr_memory_source(&raw), cpr_memory_sink(&out),
                                      CPR_NO_WATCH, NULL, &info, &error),
                     CPR_OK);
    cpr_memory_reader again = {.data = out.data, .bytes = out.bytes};
    if (cpr_codec_decode(codec, &info, cpr_memory_source(&again), cpr_memory_sink(&back),
                         CPR_NO_WATCH, &error) != CPR_OK)
        fail_msg("%s", error.text);
    assert_memory_equal(back.data, f->text, TEXT_BYTES);
    free(back.data);
    *coded = out.data;
    return info;
}

/* It rests for whole blocks, until the primer has its last bytes in front of it. */
static void network_rests_in_the_primer(void **state)
{
    const fixture *f = *state;
    cpr_codec *codec = make_codec(f);
    uint8_t *coded[5];
    const cpr_shard_info shard = code(f, codec, 0, &coded[0]);
    const cpr_shard_info small = code(f, codec, AWAKE_BYTES + BLOCK - 1, &coded[1]);
    const cpr_shard_info large = code(f, codec, AWAKE_BYTES + 2 * BLOCK + 1, &coded[2]);
    const cpr_shard_info larger = code(f, codec, AWAKE_BYTES + 3 * BLOCK, &coded[3]);
    const cpr_shard_info after = code(f, codec, 0, &coded[4]);
    assert_true(shard.network_loss_bits > 0);
    assert_int_equal(small.network_loss_bits, shard.network_loss_bits);
    assert_true(large.network_loss_bits > shard.network_loss_bits / 8);
    assert_true(large.network_loss_bits < shard.network_loss_bits * 3 / 4);
    assert_int_equal(larger.network_loss_bits, 0);
    /* Each begins awake again. */
    assert_int_equal(after.coded_bytes, shard.coded_bytes);
    assert_memory_equal(coded[4], coded[0], shard.coded_bytes);
    for (size_t i = 0; i < sizeof coded / sizeof *coded; i++)
        free(coded[i]);
    cpr_codec_free(codec);
}

/* A cpr_progress_fn: stops after so many bytes. */
static cpr_status stop_at(void *context, uint64_t raw_bytes, uint64_t coded_bytes, cpr_error *error)
{
    (void)coded_bytes;
    (void)error;
    return raw_bytes == *(uint64_t *)context ? CPR_STOPPED : CPR_OK;
}

/* Stopped in the middle of its rest, and when it is awake again: the same bitstream. */
static void rest_survives_a_snapshot(void **state)
{
    const fixture *f = *state;
    const uint64_t primer_bytes = AWAKE_BYTES + BLOCK;
    cpr_codec *codec = make_codec(f);
    uint8_t *whole;
    const cpr_shard_info info = code(f, codec, primer_bytes, &whole);
    for (uint64_t at = BLOCK; at <= 2 * BLOCK; at += BLOCK) {
        cpr_memory_reader raw = {.data = f->text, .bytes = TEXT_BYTES};
        cpr_memory_writer out = {.data = NULL};
        cpr_shard_info found = {0};
        cpr_error error = {""};
        uint64_t raw_bytes, coded_bytes;
        FILE *file = tmpfile();
        assert_non_null(file);
        assert_int_equal(cpr_codec_encode(codec, cpr_memory_source(&raw), cpr_memory_sink(&out),
                                          (cpr_watch){stop_at, &at}, NULL, &found, &error),
                         CPR_STOPPED);
        assert_int_equal(cpr_snapshot_write(codec, fileno(file), &error), CPR_OK);
        cpr_codec *other = make_codec(f);
        cpr_codec_set_primer(other, primer_bytes);
        assert_int_equal(cpr_snapshot_read(other, fileno(file), &raw_bytes, &coded_bytes, &error),
                         CPR_OK);
        assert_int_equal(raw_bytes, at);
        cpr_memory_reader before = {.data = out.data, .bytes = out.bytes};
        assert_int_equal(cpr_codec_resume(other, cpr_memory_source(&before), &error), CPR_OK);
        raw.at = 0;
        assert_int_equal(cpr_codec_encode(other, cpr_memory_source(&raw), cpr_memory_sink(&out),
                                          CPR_NO_WATCH, NULL, &found, &error),
                         CPR_OK);
        assert_int_equal(out.bytes, info.coded_bytes);
        assert_memory_equal(out.data, whole, out.bytes);
        assert_int_equal(found.network_loss_bits, info.network_loss_bits);
        free(out.data);
        fclose(file);
        cpr_codec_free(other);
    }
    free(whole);
    cpr_codec_free(codec);
}

static void descriptor_names_weights(void **state)
{
    const fixture *f = *state;
    char text[CPR_DESCRIPTOR_MAX_BYTES + 1];
    char changed[CPR_DESCRIPTOR_MAX_BYTES + 1];
    cpr_profile *profile;
    cpr_error error = {""};
    cpr_codec_descriptor(f->profile, text);
    char *weights = strstr(text, "; blob 1; weights 1; tokens ");
    assert_non_null(weights);
    assert_int_equal(cpr_codec_profile(text, &profile, &error), CPR_OK);
    assert_true(cpr_profile_is_taught(profile));
    cpr_profile_free(profile);
    snprintf(changed, sizeof changed, "%.*s; blob 1%s", (int)(weights - text), text,
             weights + strlen("; blob 1; weights 1"));
    assert_int_equal(cpr_codec_profile(changed, &profile, &error), CPR_ERR_DAMAGED);
    assert_null(profile);
    assert_non_null(strstr(error.text, "a taught network, and no weights"));
    weights[strlen("; blob 1; weights ")] = '2';
    assert_int_equal(cpr_codec_profile(text, &profile, &error), CPR_ERR_VERSION);
    assert_non_null(strstr(error.text, "weights 2 (this program has weights 1)"));
    cpr_codec_descriptor(cpr_profile_find("fast"), text);
    assert_null(strstr(text, "weights"));
    snprintf(changed, sizeof changed, "blocks 1; coder 1; blob 1; weights 1%s",
             strstr(text, "; tokens"));
    assert_int_equal(cpr_codec_profile(changed, &profile, &error), CPR_ERR_DAMAGED);
    assert_non_null(strstr(error.text, "weights, and no network that has been taught"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_come_back),
        cmocka_unit_test(weights_are_coded_alike_everywhere),
        cmocka_unit_test(damaged_weights_are_refused),
        cmocka_unit_test(network_rests_in_the_primer),
        cmocka_unit_test(rest_survives_a_snapshot),
        cmocka_unit_test(descriptor_names_weights),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
