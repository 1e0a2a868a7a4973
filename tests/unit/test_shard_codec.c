/* test_shard_codec.c - shards of all kinds of bytes, there and back; the loss; damage. */
#define _GNU_SOURCE /* pread, pwrite, ftruncate, fileno */
#include "codec.h"
#include "model.h"

#include "compressibility.h"
#include "loss_meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_BYTES (UINT64_C(300) << 10)

typedef struct stream {
    uint8_t *data;
    size_t bytes, at;
    size_t piece;   /* most bytes a read gives */
    size_t fail_at; /* reading or writing past it fails */
} stream;

static cpr_status read_stream(void *context, uint8_t *out, size_t capacity, size_t *got,
                              cpr_error *error)
{
    stream *s = context;
    if (s->at >= s->fail_at)
        return cpr_fail(error, CPR_ERR_IO, "the test's source fails");
    size_t n = s->bytes - s->at;
    n = n < capacity ? n : capacity;
    n = n < s->piece ? n : s->piece;
    memcpy(out, s->data + s->at, n);
    s->at += n;
    *got = n;
    return CPR_OK;
}

static cpr_status write_stream(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    stream *s = context;
    assert_true(s->bytes + bytes <= 2 * MAX_BYTES);
    if (s->bytes >= s->fail_at)
        return cpr_fail(error, CPR_ERR_IO, "the test's sink fails");
    memcpy(s->data + s->bytes, data, bytes);
    s->bytes += bytes;
    return CPR_OK;
}

static uint32_t random_state = 7;

static uint8_t random_byte(void)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint8_t)(random_state >> 24);
}

static void make_text(uint8_t *out, size_t bytes)
{
    static const char *const parts[] = {"shard ", "rank",   " of the ", "corpus",  "\n",
                                        "(1998)", ", and ", "<code>",   "</code>", " x += 1;\n\t"};
    for (size_t at = 0; at < bytes;)
        for (const char *c = parts[random_byte() % 10]; *c != '\0' && at < bytes; c++)
            out[at++] = (uint8_t)*c;
}

typedef struct fixture {
    cpr_vocabulary *vocabulary;
    cpr_codec *codec;
    uint8_t *raw, *coded, *decoded;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->raw = malloc(2 * MAX_BYTES);
    f->coded = malloc(2 * MAX_BYTES);
    f->decoded = malloc(2 * MAX_BYTES);
    make_text(f->raw, 200000);
    cpr_word_counts *counts = cpr_word_counts_create();
    assert_true(cpr_word_counts_add(counts, f->raw, 200000));
    f->vocabulary = cpr_vocabulary_learn(counts, 500);
    cpr_word_counts_free(counts);
    cpr_error error;
    assert_int_equal(cpr_codec_create(cpr_profile_find("balanced"), f->vocabulary, NULL, MAX_BYTES,
                                      &f->codec, &error),
                     CPR_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    cpr_codec_free(f->codec);
    cpr_vocabulary_free(f->vocabulary);
    free(f->raw);
    free(f->coded);
    free(f->decoded);
    free(f);
    return 0;
}

/* Codes f->raw[0, bytes) and decodes it, both in pieces. */
static cpr_shard_info round_trip(fixture *f, size_t bytes, size_t piece)
{
    stream source = {f->raw, bytes, 0, piece, SIZE_MAX}, sink = {f->coded, 0, 0, 0, SIZE_MAX};
    cpr_shard_info info = {0};
    cpr_error error;
    assert_int_equal(cpr_codec_encode(f->codec, (cpr_source){read_stream, &source},
                                      (cpr_sink){write_stream, &sink}, CPR_NO_WATCH, NULL, &info,
                                      &error),
                     CPR_OK);
    assert_int_equal(info.raw_bytes, bytes);
    assert_int_equal(info.coded_bytes, sink.bytes);
    const double loss_bytes = (double)info.loss_bits / 65536 / 8;
    assert_true((double)sink.bytes <= loss_bytes * 1.0002 + 16);
    assert_true((double)sink.bytes >= loss_bytes - 8);

    stream coded = {f->coded, sink.bytes, 0, piece, SIZE_MAX};
    stream decoded = {f->decoded, 0, 0, 0, SIZE_MAX};
    assert_int_equal(cpr_codec_decode(f->codec, &info, (cpr_source){read_stream, &coded},
                                      (cpr_sink){write_stream, &decoded}, CPR_NO_WATCH, &error),
                     CPR_OK);
    assert_int_equal(decoded.bytes, bytes);
    assert_memory_equal(f->decoded, f->raw, bytes);
    return info;
}

static void empty_and_tiny(void **state)
{
    fixture *f = *state;
    assert_int_equal(round_trip(f, 0, 10).coded_bytes, 0);
    for (unsigned byte = 0; byte < 256; byte += 15) {
        f->raw[0] = (uint8_t)byte;
        round_trip(f, 1, 1);
    }
    for (unsigned byte = 0; byte < 256; byte++)
        f->raw[byte] = (uint8_t)byte;
    round_trip(f, 256, 7);
}

static void text_at_block_edges(void **state)
{
    fixture *f = *state;
    make_text(f->raw, MAX_BYTES);
    static const size_t sizes[] = {65535, 65536, 65537, 131072, 200001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const cpr_shard_info info = round_trip(f, sizes[i], i % 2 ? 997 : SIZE_MAX);
        assert_true(info.coded_bytes * 3 < info.raw_bytes);
        assert_int_equal(info.stored_bytes, 0);
    }
}

static void noise_is_stored(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < MAX_BYTES; i++)
        f->raw[i] = random_byte();
    const cpr_shard_info info = round_trip(f, MAX_BYTES, SIZE_MAX);
    assert_int_equal(info.stored_bytes, MAX_BYTES);
    assert_true((double)info.coded_bytes <= (double)MAX_BYTES * 1.001);
}

/* The same noise again is no noise. */
static void repeated_noise_is_modelled(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < MAX_BYTES; i++)
        f->raw[i] = i < 70000 ? random_byte() : f->raw[i - 70000];
    const cpr_shard_info info = round_trip(f, MAX_BYTES, SIZE_MAX);
    assert_in_range(info.stored_bytes, 65536, 131072);
    assert_true(info.coded_bytes < MAX_BYTES / 2);
}

static void zeros_and_mixtures(void **state)
{
    fixture *f = *state;
    memset(f->raw, 0, MAX_BYTES);
    assert_true(round_trip(f, MAX_BYTES, SIZE_MAX).coded_bytes < 2000);
    make_text(f->raw, MAX_BYTES);
    for (size_t i = 50000; i < 200000; i++)
        f->raw[i] = random_byte();
    const cpr_shard_info info = round_trip(f, MAX_BYTES, SIZE_MAX);
    assert_in_range(info.stored_bytes, 65536, 150000 + 65536);
}

static void marks_add_up(void **state)
{
    fixture *f = *state;
    make_text(f->raw, 300000);
    uint64_t loss[6] = {0};
    static const uint64_t at[6] = {0, 1, 5, 150000, 150000, 300000};
    const cpr_loss_marks marks = {at, loss, 6};
    stream source = {f->raw, 300000, 0, SIZE_MAX, SIZE_MAX}, sink = {f->coded, 0, 0, 0, SIZE_MAX};
    cpr_shard_info info;
    cpr_error error;
    assert_int_equal(cpr_codec_encode(f->codec, (cpr_source){read_stream, &source},
                                      (cpr_sink){write_stream, &sink}, CPR_NO_WATCH, &marks, &info,
                                      &error),
                     CPR_OK);
    assert_int_equal(loss[0], 0);
    assert_int_equal(loss[3], loss[4]);
    assert_int_equal(loss[5], info.loss_bits);
    for (int i = 0; i < 5; i++)
        assert_true(loss[i] <= loss[i + 1]);
    assert_true(loss[3] > info.loss_bits / 3 && loss[3] < info.loss_bits / 3 * 2);
}

static cpr_status stop_later(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                             cpr_error *error)
{
    (void)coded_bytes;
    (void)error;
    *(uint64_t *)context = raw_bytes;
    return raw_bytes >= 131072 ? CPR_STOPPED : CPR_OK;
}

/* Decoding finds the loss that encoding had, at the powers of two and at the end. */
static void check_curve(cpr_codec *codec, fixture *f, const cpr_shard_info *info)
{
    cpr_curve curve;
    cpr_error error;
    stream coded = {f->coded, info->coded_bytes, 0, SIZE_MAX, SIZE_MAX};
    cpr_codec_set_curve(codec, &curve);
    assert_int_equal(cpr_codec_decode(codec, info, (cpr_source){read_stream, &coded}, CPR_NO_SINK,
                                      CPR_NO_WATCH, &error),
                     CPR_OK);
    cpr_codec_set_curve(codec, NULL);
    uint32_t points = 0;
    for (uint64_t at = 65536; at < info->raw_bytes; at *= 2, points++) {
        assert_int_equal(curve.point[points].raw_bytes, at);
        assert_true(curve.point[points].loss_bits < info->loss_bits);
    }
    assert_int_equal(curve.points, points + 1);
    assert_int_equal(curve.point[points].raw_bytes, info->raw_bytes);
    assert_int_equal(curve.point[points].loss_bits, info->loss_bits);
    assert_int_equal(curve.point[points].network_loss_bits, info->network_loss_bits);
}

static void curves(void **state)
{
    fixture *f = *state;
    make_text(f->raw, 300000);
    static const size_t sizes[] = {1, 65536, 131072, 300000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const cpr_shard_info info = round_trip(f, sizes[i], SIZE_MAX);
        assert_int_equal(info.network_loss_bits, 0);
        check_curve(f->codec, f, &info);
    }
}

/* What the network alone would have lost counts from the shard's start. */
static void loss_of_the_network(void **state)
{
    fixture *f = *state;
    cpr_codec *own = f->codec;
    cpr_error error;
    make_text(f->raw, 20000);
    assert_int_equal(cpr_codec_create(cpr_profile_find("neural"), f->vocabulary, NULL, MAX_BYTES,
                                      &f->codec, &error),
                     CPR_OK);
    const cpr_shard_info first = round_trip(f, 20000, SIZE_MAX);
    assert_true(first.network_loss_bits > first.loss_bits / 2);
    assert_true(first.network_loss_bits < first.loss_bits * 4);
    check_curve(f->codec, f, &first);
    void *base = malloc(cpr_codec_state_bytes(f->codec));
    cpr_codec_get_state(f->codec, base);
    cpr_codec_set_base(f->codec, base);
    const cpr_shard_info second = round_trip(f, 20000, SIZE_MAX);
    assert_true(second.network_loss_bits < first.network_loss_bits);
    cpr_codec_free(f->codec);
    free(base);
    f->codec = own;
}

static void failures_reach_the_caller(void **state)
{
    fixture *f = *state;
    make_text(f->raw, 300000);
    cpr_shard_info info;
    cpr_error error;
    stream source = {f->raw, 300000, 0, 1000, 70000}, sink = {f->coded, 0, 0, 0, SIZE_MAX};
    assert_int_equal(cpr_codec_encode(f->codec, (cpr_source){read_stream, &source},
                                      (cpr_sink){write_stream, &sink}, CPR_NO_WATCH, NULL, &info,
                                      &error),
                     CPR_ERR_IO);
    assert_string_equal(error.text, "the test's source fails");
    source = (stream){f->raw, 300000, 0, 1000, SIZE_MAX};
    sink = (stream){f->coded, 0, 0, 0, 0};
    assert_int_equal(cpr_codec_encode(f->codec, (cpr_source){read_stream, &source},
                                      (cpr_sink){write_stream, &sink}, CPR_NO_WATCH, NULL, &info,
                                      &error),
                     CPR_ERR_IO);
    uint64_t seen = 0;
    source = (stream){f->raw, 300000, 0, 1000, SIZE_MAX};
    sink = (stream){f->coded, 0, 0, 0, SIZE_MAX};
    assert_int_equal(cpr_codec_encode(f->codec, (cpr_source){read_stream, &source},
                                      (cpr_sink){write_stream, &sink},
                                      (cpr_watch){stop_later, &seen}, NULL, &info, &error),
                     CPR_STOPPED);
    assert_int_equal(seen, 131072);
    round_trip(f, 100000, SIZE_MAX); /* and the codec is as good as new */
}

/* Whatever the bytes: an error or, by its checksum, nothing but the right ones. */
static void damage_is_noticed(void **state)
{
    fixture *f = *state;
    make_text(f->raw, 66000);
    const cpr_shard_info info = round_trip(f, 66000, SIZE_MAX);
    for (size_t i = 0; i < info.coded_bytes; i += 1 + info.coded_bytes / 12) {
        f->coded[i] ^= (uint8_t)(1u << (i % 8));
        stream coded = {f->coded, info.coded_bytes, 0, SIZE_MAX, SIZE_MAX};
        stream decoded = {f->decoded, 0, 0, 0, SIZE_MAX};
        cpr_error error;
        assert_int_equal(cpr_codec_decode(f->codec, &info, (cpr_source){read_stream, &coded},
                                          (cpr_sink){write_stream, &decoded}, CPR_NO_WATCH, &error),
                         CPR_ERR_DAMAGED);
        f->coded[i] ^= (uint8_t)(1u << (i % 8));
    }
    /* cut off: zeros behind it must not pass, either */
    stream coded = {f->coded, info.coded_bytes / 2, 0, SIZE_MAX, SIZE_MAX};
    stream decoded = {f->decoded, 0, 0, 0, SIZE_MAX};
    cpr_error error;
    assert_int_equal(cpr_codec_decode(f->codec, &info, (cpr_source){read_stream, &coded},
                                      (cpr_sink){write_stream, &decoded}, CPR_NO_WATCH, &error),
                     CPR_ERR_DAMAGED);
}

static cpr_status count_bytes(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    (void)data;
    (void)error;
    *(uint64_t *)context += bytes;
    return CPR_OK;
}

/* A bitstream that is said to hold far more than it does is not decoded without end. */
static void a_bitstream_that_ends_too_early(void **state)
{
    fixture *f = *state;
    const size_t sizes[] = {0, 1, 5, 1000, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int noise = 0; noise < 2; noise++) {
            for (size_t k = 0; noise && k < sizes[i]; k++)
                f->raw[k] = random_byte();
            cpr_shard_info info = round_trip(f, sizes[i], 4096);
            const uint64_t tokens[] = {info.tokens, UINT64_MAX};
            for (size_t k = 0; k < 2; k++) {
                stream source = {f->coded, info.coded_bytes, 0, 4096, SIZE_MAX};
                uint64_t decoded = 0;
                cpr_error error = {""};
                info.raw_bytes = UINT64_C(1) << 40;
                info.tokens = tokens[k];
                assert_int_equal(
                    cpr_codec_decode(f->codec, &info, (cpr_source){read_stream, &source},
                                     (cpr_sink){count_bytes, &decoded}, CPR_NO_WATCH, &error),
                    CPR_ERR_DAMAGED);
                assert_true(decoded <= sizes[i]);
            }
        }
}

typedef struct snapshot_case {
    fixture *f;
    cpr_codec *other; /* as the fixture's, in another process as it were */
    uint8_t *expected;
    cpr_shard_info info;
    FILE *file;
    size_t prefix; /* coded bytes before the snapshot */
    uint64_t loss[3];
} snapshot_case;

#define SNAPSHOT_RAW_BYTES 200000u
static const uint64_t mark_at[3] = {100, 70000, SNAPSHOT_RAW_BYTES};

static cpr_status encode_from_start(snapshot_case *c, cpr_codec *codec, stream *sink,
                                    cpr_progress_fn *progress, uint64_t *loss, cpr_shard_info *info)
{
    stream source = {c->f->raw, SNAPSHOT_RAW_BYTES, 0, SIZE_MAX, SIZE_MAX};
    const cpr_loss_marks marks = {mark_at, loss, 3};
    uint64_t seen;
    cpr_error error;
    return cpr_codec_encode(codec, (cpr_source){read_stream, &source},
                            (cpr_sink){write_stream, sink}, (cpr_watch){progress, &seen}, &marks,
                            info, &error);
}

/* An undisturbed run, and one that is stopped at the second block and saved. */
static snapshot_case make_snapshot(fixture *f)
{
    snapshot_case c = {.f = f, .file = tmpfile(), .expected = malloc(2 * MAX_BYTES)};
    cpr_error error;
    assert_non_null(c.file);
    make_text(f->raw, SNAPSHOT_RAW_BYTES);
    stream sink = {c.expected, 0, 0, 0, SIZE_MAX};
    assert_int_equal(encode_from_start(&c, f->codec, &sink, NULL, c.loss, &c.info), CPR_OK);
    uint64_t loss[3];
    cpr_shard_info info;
    sink = (stream){f->coded, 0, 0, 0, SIZE_MAX};
    assert_int_equal(encode_from_start(&c, f->codec, &sink, stop_later, loss, &info), CPR_STOPPED);
    assert_int_equal(cpr_snapshot_write(f->codec, fileno(c.file), &error), CPR_OK);
    c.prefix = sink.bytes;
    assert_int_equal(cpr_codec_create(cpr_profile_find("balanced"), f->vocabulary, NULL, MAX_BYTES,
                                      &c.other, &error),
                     CPR_OK);
    return c;
}

static void free_snapshot(snapshot_case *c)
{
    cpr_codec_free(c->other);
    fclose(c->file);
    free(c->expected);
}

/* Loads the snapshot and shows the codec what was coded before. */
static cpr_status load(snapshot_case *c)
{
    uint64_t raw_bytes, coded_bytes;
    cpr_error error;
    const cpr_status status =
        cpr_snapshot_read(c->other, fileno(c->file), &raw_bytes, &coded_bytes, &error);
    if (status != CPR_OK)
        return status;
    assert_int_equal(raw_bytes, 131072);
    assert_int_equal(coded_bytes, c->prefix);
    stream before = {c->f->coded, c->prefix, 0, 1000, SIZE_MAX};
    return cpr_codec_resume(c->other, (cpr_source){read_stream, &before}, &error);
}

static void a_snapshot_goes_on(void **state)
{
    snapshot_case c = make_snapshot(*state);
    stream sink = {c.f->coded, c.prefix, 0, 0, SIZE_MAX};
    uint64_t loss[3] = {0};
    cpr_shard_info info = c.info;
    assert_int_equal(load(&c), CPR_OK);
    assert_int_equal(encode_from_start(&c, c.other, &sink, NULL, loss, &info), CPR_OK);
    assert_int_equal(sink.bytes, c.info.coded_bytes);
    assert_memory_equal(c.f->coded, c.expected, c.info.coded_bytes);
    assert_memory_equal(loss, c.loss, sizeof loss);
    assert_memory_equal(&info, &c.info, sizeof info);
    free_snapshot(&c);
}

static void a_snapshot_of_other_data_is_refused(void **state)
{
    snapshot_case c = make_snapshot(*state);
    stream sink = {c.f->decoded, 0, 0, 0, SIZE_MAX};
    uint64_t loss[3];
    cpr_shard_info info;
    assert_int_equal(load(&c), CPR_OK);
    c.f->raw[70000] ^= 1;
    assert_int_equal(encode_from_start(&c, c.other, &sink, NULL, loss, &info), CPR_ERR_CHANGED);
    c.f->raw[70000] ^= 1;
    c.f->coded[10] ^= 1;
    assert_int_equal(load(&c), CPR_ERR_DAMAGED);
    free_snapshot(&c);
}

static void a_damaged_snapshot_costs_the_shard(void **state)
{
    snapshot_case c = make_snapshot(*state);
    const int fd = fileno(c.file);
    const off_t size = lseek(fd, 0, SEEK_END);
    for (off_t at = 0; at < size; at += 1 + size / 50) {
        uint8_t byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 16;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        assert_int_equal(load(&c), CPR_ERR_DAMAGED);
        byte ^= 16;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    assert_int_equal(ftruncate(fd, size - 1), 0);
    assert_int_equal(load(&c), CPR_ERR_DAMAGED);
    stream sink = {c.f->coded, 0, 0, 0, SIZE_MAX};
    uint64_t loss[3];
    cpr_shard_info info;
    assert_int_equal(encode_from_start(&c, c.other, &sink, NULL, loss, &info), CPR_OK);
    assert_int_equal(sink.bytes, c.info.coded_bytes);
    assert_memory_equal(c.f->coded, c.expected, c.info.coded_bytes);
    free_snapshot(&c);
}

/* Codes f->raw[0, bytes) into f->coded. */
static cpr_shard_info encode(fixture *f, cpr_codec *codec, size_t bytes)
{
    stream source = {f->raw, bytes, 0, SIZE_MAX, SIZE_MAX}, sink = {f->coded, 0, 0, 0, SIZE_MAX};
    cpr_shard_info info = {0};
    cpr_error error;
    assert_int_equal(cpr_codec_encode(codec, (cpr_source){read_stream, &source},
                                      (cpr_sink){write_stream, &sink}, CPR_NO_WATCH, NULL, &info,
                                      &error),
                     CPR_OK);
    return info;
}

/* The state after the text at f->raw; malloc()ed. */
static void *learn_state(fixture *f, cpr_codec *codec, size_t bytes)
{
    void *state = malloc(cpr_codec_state_bytes(codec));
    encode(f, codec, bytes);
    cpr_codec_get_state(codec, state);
    return state;
}

static void a_base_helps_and_is_restored(void **state)
{
    fixture *f = *state;
    cpr_error error;
    make_text(f->raw, MAX_BYTES);
    const uint64_t cold = encode(f, f->codec, 100000).coded_bytes;
    void *base = learn_state(f, f->codec, 150000);
    cpr_codec_set_base(f->codec, base);
    const cpr_shard_info first = round_trip(f, 100000, 1000);
    assert_true(first.coded_bytes * 2 < cold); /* it has seen this text */
    /* Other text in between, and another codec: the same bytes. */
    uint8_t *kept = malloc(first.coded_bytes);
    memcpy(kept, f->coded, first.coded_bytes);
    f->raw += 120000;
    round_trip(f, 150000, 1000);
    f->raw -= 120000;
    round_trip(f, 100000, 1000);
    assert_memory_equal(f->coded, kept, first.coded_bytes);
    cpr_codec *other;
    assert_int_equal(cpr_codec_create(cpr_profile_find("balanced"), f->vocabulary, NULL, MAX_BYTES,
                                      &other, &error),
                     CPR_OK);
    assert_int_equal(cpr_codec_state_bytes(other), cpr_codec_state_bytes(f->codec));
    cpr_codec_set_base(other, base);
    const cpr_shard_info info = encode(f, other, 100000);
    assert_int_equal(info.coded_bytes, first.coded_bytes);
    assert_memory_equal(f->coded, kept, first.coded_bytes);
    /* Without it, it is the initial state again. */
    cpr_codec_set_base(other, NULL);
    assert_int_equal(encode(f, other, 100000).coded_bytes, cold);
    cpr_codec_set_base(f->codec, NULL);
    cpr_codec_free(other);
    free(kept);
    free(base);
}

static void a_snapshot_on_a_base_goes_on(void **state)
{
    fixture *f = *state;
    make_text(f->raw, MAX_BYTES);
    void *base = learn_state(f, f->codec, 150000);
    cpr_codec_set_base(f->codec, base);
    a_snapshot_goes_on(state);
    cpr_codec_set_base(f->codec, NULL);
    free(base);
}

static void blobs(void **state)
{
    fixture *f = *state;
    make_text(f->raw, 50000);
    static const size_t sizes[] = {0, 1, 100, 50000};
    for (size_t i = 0; i < 4; i++) {
        uint8_t *coded, *raw;
        size_t coded_bytes, raw_bytes;
        cpr_error error;
        assert_int_equal(cpr_blob_encode(f->raw, sizes[i], &coded, &coded_bytes, &error), CPR_OK);
        assert_int_equal(cpr_blob_decode(coded, coded_bytes, &raw, &raw_bytes, &error), CPR_OK);
        assert_int_equal(raw_bytes, sizes[i]);
        assert_memory_equal(raw, f->raw, sizes[i]);
        free(raw);
        if (sizes[i] > 0) {
            coded[coded_bytes / 2] ^= 64;
            assert_int_equal(cpr_blob_decode(coded, coded_bytes, &raw, &raw_bytes, &error),
                             CPR_ERR_DAMAGED);
        }
        assert_int_equal(cpr_blob_decode(coded, 23, &raw, &raw_bytes, &error), CPR_ERR_DAMAGED);
        free(coded);
    }
}

static void loss_meter_against_libm(void **state)
{
    (void)state;
    cpr_loss_meter meter;
    double exact = 0;
    cpr_loss_meter_init(&meter);
    for (uint32_t i = 0; i < 3000000; i++) {
        const uint32_t p = i % 3 == 0 ? 65535 : 1 + (i * 2654435761u >> 16);
        cpr_loss_meter_add(&meter, p);
        exact -= log2(p / 65536.0);
    }
    assert_true(fabs((double)cpr_loss_meter_read(&meter) / 65536 - exact) < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_and_tiny),
        cmocka_unit_test(text_at_block_edges),
        cmocka_unit_test(noise_is_stored),
        cmocka_unit_test(repeated_noise_is_modelled),
        cmocka_unit_test(zeros_and_mixtures),
        cmocka_unit_test(marks_add_up),
        cmocka_unit_test(curves),
        cmocka_unit_test(loss_of_the_network),
        cmocka_unit_test(failures_reach_the_caller),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(a_bitstream_that_ends_too_early),
        cmocka_unit_test(a_snapshot_goes_on),
        cmocka_unit_test(a_snapshot_of_other_data_is_refused),
        cmocka_unit_test(a_damaged_snapshot_costs_the_shard),
        cmocka_unit_test(a_base_helps_and_is_restored),
        cmocka_unit_test(a_snapshot_on_a_base_goes_on),
        cmocka_unit_test(blobs),
        cmocka_unit_test(loss_meter_against_libm),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
