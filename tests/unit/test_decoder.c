/* The text of compressed files, whole and damaged. How much of it is read at a time does not
 * matter, not even for how much there is in front of the damage. */
#define _GNU_SOURCE
#include "test_decoder.h"

#include <sys/mman.h>

/* What a decoder gave until it ended. */
typedef struct outcome {
    made text;
    cpr_status status;
    cpr_error error;
    cpr_hash128 hash; /* of the file */
    cpr_seek_point points[64];
    size_t point_count;
} outcome;

static void outcome_note_point(outcome *o, cpr_seek_point point)
{
    if (o->point_count > 0 && o->points[o->point_count - 1].source == point.source)
        return;
    assert_true(o->point_count < sizeof o->points / sizeof *o->points);
    o->points[o->point_count++] = point;
}

/* Reads on to the end, `most` bytes at a time; 0: at random. */
static void outcome_read(outcome *o, cpr_decoder *decoder, size_t most)
{
    static uint8_t buffer[(1 << 20) + 1];
    uint64_t random = 5;
    for (size_t wanted = 1, got = 1; o->status == CPR_OK && got == wanted;) {
        wanted = most > 0 ? most : 1 + next_random(&random) % (random % 3 == 0 ? 200000 : 300);
        buffer[wanted] = 0xa5;
        o->status = cpr_decoder_read(decoder, buffer, wanted, &got, &o->error);
        assert_true(got <= wanted);
        assert_int_equal(buffer[wanted], 0xa5);
        made_add(&o->text, buffer, got);
        assert_int_equal(cpr_decoder_text(decoder), o->points[0].text + o->text.bytes);
        if (o->status == CPR_OK && got > 0)
            outcome_note_point(o, cpr_decoder_point(decoder));
    }
}

/* A file of `claimed` bytes, as is said, from `from` on. */
static void decode_file(outcome *o, cpr_input_kind kind, const made *file, uint64_t claimed,
                        size_t most, cpr_seek_point from, uint64_t memory_bytes)
{
    const cpr_decoding how = {.memory_bytes = memory_bytes};
    cpr_decoder *decoder;
    memset(o, 0, sizeof *o);
    const int fd = memfd_create("x", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file->data, file->bytes), file->bytes);
    assert_int_equal(cpr_decoder_open(kind, fd, claimed, "x", &how, &decoder, &o->error), CPR_OK);
    o->points[0] = from;
    if (from.source > 0)
        assert_int_equal(cpr_decoder_seek(decoder, from, &o->error), CPR_OK);
    else
        assert_int_equal(cpr_decoder_hash_source(decoder, &o->error), CPR_OK);
    o->point_count = 1;
    outcome_read(o, decoder, most);
    if (from.source == 0)
        o->hash = cpr_decoder_source_hash(decoder);
    cpr_decoder_close(decoder);
    close(fd);
}

static void decode_from(outcome *o, cpr_input_kind kind, const made *file, size_t most,
                        cpr_seek_point from, uint64_t memory_bytes)
{
    decode_file(o, kind, file, file->bytes, most, from, memory_bytes);
}

static void decode_claimed(outcome *o, cpr_input_kind kind, const made *file, uint64_t claimed)
{
    decode_file(o, kind, file, claimed, 0, (cpr_seek_point){0, 0}, 0);
}

static void decode(outcome *o, cpr_input_kind kind, const made *file, size_t most)
{
    decode_from(o, kind, file, most, (cpr_seek_point){0, 0}, 0);
}

static void assert_text(const outcome *o, const uint8_t *text, size_t bytes)
{
    assert_int_equal(o->text.bytes, bytes);
    if (bytes > 0)
        assert_memory_equal(o->text.data, text, bytes);
}

static const size_t read_sizes[] = {1 << 20, 0, 70000, 777};
#define READ_SIZES (sizeof read_sizes / sizeof *read_sizes)

/* The file is whole, and has this text: at one go, in pieces, and from each place given. */
static void expect_whole(cpr_input_kind kind, const made *file, const uint8_t *text, size_t bytes)
{
    outcome o;
    const cpr_hash128 hash = cpr_hash_bytes(file->data, file->bytes);
    cpr_seek_point points[64];
    size_t count = 0;
    for (size_t i = 0; i < READ_SIZES; i++) {
        decode(&o, kind, file, read_sizes[i]);
        if (o.status != CPR_OK)
            fail_msg("%s", o.error.text);
        assert_text(&o, text, bytes);
        assert_true(cpr_hash_same(o.hash, hash));
        made_free(&o.text);
        if (o.point_count > count) {
            count = o.point_count;
            memcpy(points, o.points, sizeof points);
        }
    }
    for (size_t i = 1; i < count; i++) {
        assert_true(points[i].text <= bytes && points[i].source < file->bytes);
        decode_from(&o, kind, file, 0, points[i], 0);
        assert_int_equal(o.status, CPR_OK);
        assert_text(&o, text + points[i].text, bytes - points[i].text);
        made_free(&o.text);
    }
}

/* It is damaged, behind exactly these bytes of text. */
static void expect_damaged(cpr_input_kind kind, const made *file, const uint8_t *text, size_t bytes,
                           const char *says)
{
    outcome o;
    for (size_t i = 0; i < READ_SIZES; i++) {
        decode(&o, kind, file, read_sizes[i]);
        assert_int_equal(o.status, CPR_ERR_DAMAGED);
        if (strstr(o.error.text, says) == NULL)
            fail_msg("%s: not \"%s\"", o.error.text, says);
        assert_text(&o, text, bytes);
        made_free(&o.text);
    }
}

/* ---- whole files ---------------------------------------------------------------------------- */

static void one_stream(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 255, 65536, 300001, 2000000};
    for (size_t k = 0; k < DECODED_KINDS; k++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            made file = {NULL, 0};
            made text = made_text(sizes[i] + 1, i + 1);
            put_stream(&file, decoded_kinds[k], text.data, sizes[i]);
            assert_int_equal(cpr_input_kind_of(file.data, file.bytes), decoded_kinds[k]);
            expect_whole(decoded_kinds[k], &file, text.data, sizes[i]);
            made_free(&file);
            made_free(&text);
        }
}

/* One behind the other, empty ones among them. */
static void many_streams(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1000, 0, 0, 200000, 1, 0, 70000, 0};
    for (size_t k = 0; k < DECODED_KINDS; k++) {
        made file = {NULL, 0};
        made text = made_text(271001, k + 1);
        size_t at = 0;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; at += sizes[i++])
            put_stream(&file, decoded_kinds[k], text.data + at, sizes[i]);
        expect_whole(decoded_kinds[k], &file, text.data, at);
        made_free(&file);
        made_free(&text);
    }
}

/* Many of them, and none with text: it comes to an end. Of gzip's more than a buffer of the file
 * holds. */
static void empty_streams(void **state)
{
    (void)state;
    for (size_t k = 0; k < DECODED_KINDS; k++) {
        const size_t most = decoded_kinds[k] == CPR_INPUT_GZIP ? 270000 : 10000;
        outcome o;
        made file = {NULL, 0};
        made one = {NULL, 0};
        put_stream(&one, decoded_kinds[k], (const uint8_t *)"", 0);
        while (file.bytes < most)
            made_add(&file, one.data, one.bytes);
        decode(&o, decoded_kinds[k], &file, 1000);
        assert_int_equal(o.status, CPR_OK);
        assert_text(&o, NULL, 0);
        made_free(&o.text);
        made_free(&file);
        made_free(&one);
    }
}

static void skipped_frames(void **state)
{
    (void)state;
    static const uint8_t junk[300000] = {1, 2, 3};
    made text = made_text(100000, 9);
    for (size_t k = 0; k < DECODED_KINDS; k++) {
        const cpr_input_kind kind = decoded_kinds[k];
        made file = {NULL, 0};
        if (kind != CPR_INPUT_ZSTD && kind != CPR_INPUT_LZ4)
            continue;
        /* Which of the two it is cannot be told by a frame that is skipped. */
        if (kind == CPR_INPUT_ZSTD)
            put_skipped(&file, junk, 5);
        put_stream(&file, kind, text.data, 60000);
        put_skipped(&file, junk, 0);
        put_skipped(&file, junk, sizeof junk);
        put_stream(&file, kind, text.data + 60000, 40000);
        put_skipped(&file, junk, 1);
        expect_whole(kind, &file, text.data, 100000);
        file.bytes--;
        expect_damaged(kind, &file, text.data, 100000, "ends too early");
        made_free(&file);
    }
    made_free(&text);
}

/* Zeros, such as those of a tape's blocks, may follow gzip's and xz's streams; nothing may follow
 * those. */
static void padding(void **state)
{
    (void)state;
    static const uint8_t zeros[600000];
    made text = made_text(5000, 3);
    for (size_t k = 0; k < DECODED_KINDS; k++) {
        const cpr_input_kind kind = decoded_kinds[k];
        made file = {NULL, 0};
        put_stream(&file, kind, text.data, 4000);
        made_add(&file, zeros, 4);
        put_stream(&file, kind, text.data + 4000, 1000);
        made_add(&file, zeros, sizeof zeros);
        if (kind == CPR_INPUT_GZIP || kind == CPR_INPUT_XZ)
            expect_whole(kind, &file, text.data, 5000);
        else
            expect_damaged(kind, &file, text.data, 4000, "goes on with something else");
        made_add(&file, "x", 1);
        expect_damaged(kind, &file, text.data,
                       kind == CPR_INPUT_GZIP || kind == CPR_INPUT_XZ ? 5000 : 4000,
                       "goes on with something else");
        made_free(&file);
    }
    made_free(&text);
}

/* A frame that does not say how large its text is, with a window that is larger than that. */
static void zstd_windows(void **state)
{
    (void)state;
    outcome o;
    made text = made_text(100000, 4);
    for (int log = 10; log <= 27; log += 17) {
        made file = {NULL, 0};
        put_zstd(&file, text.data, 100000, log, false);
        expect_whole(CPR_INPUT_ZSTD, &file, text.data, 100000);
        decode_from(&o, CPR_INPUT_ZSTD, &file, 0, (cpr_seek_point){0, 0}, (uint64_t)64 << 20);
        assert_int_equal(o.status, log == 27 ? CPR_ERR_NO_MEMORY : CPR_OK);
        assert_text(&o, text.data, log == 27 ? 0 : 100000);
        if (log == 27)
            assert_non_null(strstr(o.error.text, "\"x\" needs more memory"));
        made_free(&o.text);
        made_free(&file);
    }
    made_free(&text);
}

static void xz_memory(void **state)
{
    (void)state;
    outcome o;
    made text = made_text(1000, 4);
    made file = {NULL, 0};
    put_xz(&file, text.data, 1000);
    decode_from(&o, CPR_INPUT_XZ, &file, 0, (cpr_seek_point){0, 0}, (uint64_t)512 << 10);
    assert_int_equal(o.status, CPR_ERR_NO_MEMORY);
    assert_text(&o, NULL, 0);
    made_free(&o.text);
    made_free(&file);
    made_free(&text);
}

/* ---- damaged files -------------------------------------------------------------------------- */

/* At every byte. Only where a stream ends it is a whole file. */
static void truncated(void **state)
{
    (void)state;
    made text = made_text(700, 6);
    for (size_t k = 0; k < DECODED_KINDS; k++) {
        made file = {NULL, 0};
        put_stream(&file, decoded_kinds[k], text.data, 400);
        const size_t first = file.bytes;
        put_stream(&file, decoded_kinds[k], text.data + 400, 300);
        for (made cut = {file.data, 1}; cut.bytes < file.bytes; cut.bytes++) {
            outcome o;
            decode(&o, decoded_kinds[k], &cut, 0);
            assert_int_equal(o.status, cut.bytes == first ? CPR_OK : CPR_ERR_DAMAGED);
            assert_true(o.text.bytes >= (cut.bytes < first ? 0 : 400) && o.text.bytes <= 700);
            assert_text(&o, text.data, o.text.bytes);
            made_free(&o.text);
        }
        made_free(&file);
    }
    made_free(&text);
}

/* Nothing that is there of a file is lost. */
static void truncated_later(void **state)
{
    (void)state;
    made text = made_text(3000000, 6);
    for (size_t k = 0; k < DECODED_KINDS; k++) {
        made file = {NULL, 0};
        outcome whole;
        put_stream(&file, decoded_kinds[k], text.data, text.bytes);
        file.bytes -= file.bytes / 3;
        decode(&whole, decoded_kinds[k], &file, 1 << 20);
        assert_true(whole.text.bytes > text.bytes / 5 * 2);
        expect_damaged(decoded_kinds[k], &file, text.data, whole.text.bytes, "ends too early");
        made_free(&whole.text);
        made_free(&file);
    }
    made_free(&text);
}

/* Every bit of small files: they are damaged, or the bit is of no account. */
static void flipped(void **state)
{
    (void)state;
    made text = made_text(400, 8);
    for (size_t k = 0; k < DECODED_KINDS; k++) {
        made file = {NULL, 0};
        size_t fine = 0;
        put_stream(&file, decoded_kinds[k], text.data, 300);
        put_stream(&file, decoded_kinds[k], text.data + 300, 100);
        for (size_t bit = 0; bit < 8 * file.bytes; bit++) {
            outcome o;
            outcome other;
            file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            decode(&o, decoded_kinds[k], &file, 0);
            decode(&other, decoded_kinds[k], &file, 1 << 20);
            assert_int_equal(o.status, other.status);
            assert_text(&o, other.text.data, other.text.bytes);
            if (o.status == CPR_OK)
                assert_text(&o, text.data, 400);
            fine += o.status == CPR_OK;
            file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            made_free(&o.text);
            made_free(&other.text);
        }
        assert_true(fine < 2 * 100); /* gzip's headers have a time, a name of the system, ... */
        made_free(&file);
    }
    made_free(&text);
}

/* In a file of many blocks the text is there up to the damage, always the same. */
static void flipped_later(void **state)
{
    (void)state;
    made text = made_text(3000000, 10);
    for (size_t k = 0; k < DECODED_KINDS + 2; k++) {
        const cpr_input_kind kind = k < DECODED_KINDS ? decoded_kinds[k] : CPR_INPUT_LZ4;
        made file = {NULL, 0};
        if (k == DECODED_KINDS) {
            put_lz4(&file, text.data, text.bytes, true);
        } else if (k == DECODED_KINDS + 1) { /* blocks that are stored as they are */
            uint64_t random = 77;
            for (size_t i = 0; i < text.bytes; i++)
                text.data[i] = (uint8_t)(next_random(&random) >> 30);
            put_lz4(&file, text.data, text.bytes, true);
        } else {
            put_stream(&file, kind, text.data, text.bytes);
        }
        for (size_t part = 1; part < 6; part++) {
            const size_t at = file.bytes / 6 * part;
            outcome first;
            file.data[at] ^= 0x55;
            decode(&first, kind, &file, 1 << 20);
            assert_int_equal(first.status, CPR_ERR_DAMAGED);
            /* A byte of gzip's text may be another one, before it is seen. */
            if (kind == CPR_INPUT_XZ || kind == CPR_INPUT_BZIP2 || k >= DECODED_KINDS)
                assert_true(first.text.bytes + 1000000 > text.bytes / 6 * part);
            for (size_t i = 1; i < READ_SIZES; i++) {
                outcome o;
                decode(&o, kind, &file, read_sizes[i]);
                assert_int_equal(o.status, CPR_ERR_DAMAGED);
                assert_text(&o, first.text.data, first.text.bytes);
                made_free(&o.text);
            }
            made_free(&first.text);
            file.data[at] ^= 0x55;
        }
        made_free(&file);
    }
    made_free(&text);
}

/* The checksum at the end is wrong: all the text is there. */
static void wrong_checksum(void **state)
{
    (void)state;
    made text = made_text(500000, 11);
    for (size_t k = 0; k < DECODED_KINDS; k++) {
        made file = {NULL, 0};
        put_stream(&file, decoded_kinds[k], text.data, text.bytes);
        file.data[file.bytes - (decoded_kinds[k] == CPR_INPUT_GZIP ? 8 : 3)] ^= 1;
        expect_damaged(decoded_kinds[k], &file, text.data, text.bytes, "is damaged");
        made_free(&file);
    }
    made_free(&text);
}

static void garbage_behind(void **state)
{
    (void)state;
    made text = made_text(5000, 12);
    for (size_t k = 0; k < DECODED_KINDS; k++)
        for (size_t other = 0; other < 2; other++) {
            const cpr_input_kind next = decoded_kinds[(k + 1) % DECODED_KINDS];
            made file = {NULL, 0};
            put_stream(&file, decoded_kinds[k], text.data, text.bytes);
            if (other == 0)
                made_add(&file, "garbage", 7);
            else
                put_stream(&file, next, text.data, text.bytes);
            expect_damaged(decoded_kinds[k], &file, text.data, text.bytes,
                           "goes on with something else");
            made_free(&file);
        }
    made_free(&text);
}

/* The file is shorter than it was said to be. */
static void shrunk(void **state)
{
    (void)state;
    made text = made_text(500000, 12);
    for (size_t k = 0; k < DECODED_KINDS; k++) {
        outcome o;
        made file = {NULL, 0};
        put_stream(&file, decoded_kinds[k], text.data, text.bytes);
        decode_claimed(&o, decoded_kinds[k], &file, file.bytes + 1);
        assert_int_equal(o.status, CPR_ERR_DAMAGED);
        assert_non_null(strstr(o.error.text, "got shorter"));
        assert_text(&o, text.data, o.text.bytes);
        made_free(&o.text);
        made_free(&file);
    }
    made_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_stream),      cmocka_unit_test(many_streams),
        cmocka_unit_test(empty_streams),   cmocka_unit_test(skipped_frames),
        cmocka_unit_test(padding),         cmocka_unit_test(zstd_windows),
        cmocka_unit_test(xz_memory),       cmocka_unit_test(truncated),
        cmocka_unit_test(truncated_later), cmocka_unit_test(flipped),
        cmocka_unit_test(flipped_later),   cmocka_unit_test(wrong_checksum),
        cmocka_unit_test(garbage_behind),  cmocka_unit_test(shrunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
