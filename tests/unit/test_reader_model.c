/* test_reader_model.c - the model of an archive: what it says of texts, and texts drawn from it. */
#include "test_damaged.h"
#include "test_reader.h"

#include "corpress_model.h"
#include "memory_stream.h"

/* What [data, data + bytes) costs. */
static cpr_score score_text(cpr_reader *reader, const char *data, size_t bytes,
                            const cpr_score_options *options)
{
    cpr_error error = {.text = ""};
    cpr_score score = {0};
    cpr_memory_reader from = {.data = (const uint8_t *)data, .bytes = bytes};
    if (cpr_reader_score(reader, cpr_memory_source(&from), options, &score, &error) != CPR_OK)
        fail_msg("%s", error.text);
    assert_int_equal(score.bytes, bytes);
    return score;
}

/* Shards cost what the archive says, in any order, and the reader reads on between them. */
static void test_shards(void **state)
{
    const cpr_score_options options = {.documents = "file"};
    opened o = open_both("a.h5", "");
    for (uint64_t i = 5; i-- > 0;) {
        const cpr_shard_info *info = cpr_archive_shard(o.archive, i);
        assert_text(o.reader, info->offset + 100, 1000);
        const cpr_score score =
            score_text(o.reader, text + info->offset, (size_t)info->raw_bytes, &options);
        assert_int_equal(score.loss_bits, info->loss_bits);
        assert_int_equal(score.network_loss_bits, info->network_loss_bits);
        assert_int_equal(score.tokens, info->tokens);
        assert_int_equal(score.stored_bytes, info->stored_bytes);
        assert_int_equal(score.documents, 1);
        assert_text(o.reader, info->offset + 1100, 1000);
    }
    close_both(&o);
    (void)state;
}

typedef struct sums {
    uint64_t documents, bytes, loss_bits;
} sums;

/* A cpr_document_score_fn. */
static cpr_status add_document(void *context, const cpr_document_score *document, cpr_error *error)
{
    sums *s = context;
    (void)error;
    assert_int_equal(document->number, s->documents);
    assert_int_equal(document->offset, s->bytes);
    assert_true(document->bytes > 0);
    s->documents++;
    s->bytes += document->bytes;
    s->loss_bits += document->loss_bits;
    return CPR_OK;
}

/* Documents sum up to the text, of one shard and of several, whose losses sum up, too. */
static void test_documents(void **state)
{
    sums s = {0};
    cpr_score_options options = {
        .name = "x.jsonl", .document = add_document, .document_context = &s};
    opened o = open_both("a.h5", "");
    uint64_t lines = 0, largest = CPR_SHARD_BYTES_MIN;
    for (size_t i = 0; i < TEXT_BYTES; i++)
        lines += text[i] == '\n';
    for (uint64_t i = 0; i < 5; i++)
        if (cpr_archive_shard(o.archive, i)->raw_bytes > largest)
            largest = cpr_archive_shard(o.archive, i)->raw_bytes;
    cpr_score all = score_text(o.reader, text, TEXT_BYTES, &options);
    assert_int_equal(all.documents, lines + (text[TEXT_BYTES - 1] != '\n'));
    assert_int_equal(s.documents, all.documents);
    assert_int_equal(s.bytes, TEXT_BYTES);
    assert_int_equal(s.loss_bits, all.loss_bits);
    options = (cpr_score_options){.documents = "file"};
    for (size_t at = 0; at < TEXT_BYTES; at += (size_t)largest)
        all.loss_bits -=
            score_text(o.reader, text + at,
                       TEXT_BYTES - at < largest ? TEXT_BYTES - at : (size_t)largest, &options)
                .loss_bits;
    assert_int_equal(all.loss_bits, 0);
    close_both(&o);
    (void)state;
}

/* A separator that lies across two blocks, and one that no byte follows. */
static void test_separator(void **state)
{
    sums s = {0};
    const cpr_score_options options = {
        .documents = "separator:<|>", .document = add_document, .document_context = &s};
    opened o = open_both("a.h5", "");
    char *copy = malloc(140000);
    assert_non_null(copy);
    memcpy(copy, text, 140000);
    memcpy(copy + 65535, "<|>", 3);
    memcpy(copy + 139997, "<|>", 3);
    score_text(o.reader, copy, 140000, &options);
    assert_int_equal(s.documents, 2);
    assert_int_equal(s.bytes, 140000);
    free(copy);
    assert_int_equal(score_text(o.reader, "", 0, &options).loss_bits, 0);
    assert_int_equal(s.documents, 2);
    close_both(&o);
    (void)state;
}

/* A cpr_read_fn that fails behind its first block. */
static cpr_status break_off(void *context, uint8_t *out, size_t capacity, size_t *got,
                            cpr_error *error)
{
    int *calls = context;
    memset(out, 'a', capacity);
    *got = capacity;
    return ++*calls == 2 ? cpr_fail(error, CPR_ERR_CHANGED, "no more") : CPR_OK;
}

/* What goes wrong leaves the reader as it was. */
static void test_failures(void **state)
{
    int calls = 0;
    cpr_score score;
    const cpr_score_options wrong = {.documents = "word"}, good = {.documents = NULL};
    const cpr_source source = {break_off, &calls};
    opened o = open_both("a.h5", "");
    assert_int_equal(cpr_reader_score(o.reader, source, &wrong, &score, NULL), CPR_ERR_USAGE);
    assert_int_equal(calls, 0);
    assert_int_equal(cpr_reader_score(o.reader, source, &good, &score, NULL), CPR_ERR_CHANGED);
    assert_text(o.reader, 1000, 100);
    const cpr_shard_info *info = cpr_archive_shard(o.archive, 0);
    assert_int_equal(score_text(o.reader, text, (size_t)info->raw_bytes, &good).loss_bits,
                     info->loss_bits);
    close_both(&o);
    put_damaged("a.h5", CPR_SHARD_PRIMER, "damaged.h5");
    o = open_both("damaged.h5", "");
    assert_int_equal(cpr_reader_score(o.reader, source, &good, &score, NULL), CPR_ERR_DAMAGED);
    close_both(&o);
    (void)state;
}

/* ---- texts that are drawn -------------------------------------------------------------------- */

/* Draws a text, and adds a NUL: malloc()ed. */
static char *draw(cpr_reader *reader, cpr_draw_options options)
{
    cpr_error error = {.text = ""};
    cpr_memory_writer to = {0};
    if (cpr_reader_draw(reader, &options, cpr_memory_sink(&to), CPR_NO_WATCH, &error) != CPR_OK)
        fail_msg("%s", error.text);
    assert_int_equal(to.bytes, options.bytes);
    char *drawn = realloc(to.data, to.bytes + 1);
    assert_non_null(drawn);
    drawn[to.bytes] = '\0';
    return drawn;
}

static bool draws_same(cpr_reader *reader, cpr_draw_options first, cpr_draw_options second)
{
    char *a = draw(reader, first), *b = draw(reader, second);
    const bool same = strcmp(a, b) == 0;
    free(a);
    free(b);
    return same;
}

/* The text is a function of the options, whatever the reader did before. */
static void test_draw(void **state)
{
    const cpr_draw_options one = {.bytes = 3000, .seed = 1, .temperature = 1000},
                           two = {.bytes = 3000, .seed = 2, .temperature = 1000},
                           cold = {.bytes = 3000, .seed = 1, .temperature = 0},
                           frozen = {.bytes = 3000, .seed = 2, .temperature = 0},
                           none = {.bytes = 0};
    opened o = open_both("a.h5", "");
    assert_text(o.reader, 1000000, 500);
    assert_true(draws_same(o.reader, one, one));
    assert_text(o.reader, 1000500, 500);
    assert_false(draws_same(o.reader, one, two));
    assert_true(draws_same(o.reader, cold, frozen));
    assert_false(draws_same(o.reader, one, cold));
    free(draw(o.reader, none));
    close_both(&o);
    (void)state;
}

/* It goes on with what the prompt is the beginning of, in one block and in several. */
static void test_prompt(void **state)
{
    const size_t again = (size_t)(strchr(text + 1000, '\n') + 1 - text);
    opened o = open_both("a.h5", "");
    for (size_t bytes = 40000; bytes <= 160000; bytes += 60000) {
        char *prompt = malloc(bytes + again);
        assert_non_null(prompt);
        memcpy(prompt, text, bytes);
        memcpy(prompt + bytes, text, again);
        const cpr_draw_options options = {
            .prompt = (const uint8_t *)prompt, .prompt_bytes = bytes + again, .bytes = 40};
        char *drawn = draw(o.reader, options);
        assert_memory_equal(drawn, text + again, 40);
        free(drawn);
        free(prompt);
    }
    close_both(&o);
    (void)state;
}

/* A cpr_write_fn that takes one token. */
static cpr_status take_one(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    int *calls = context;
    (void)data;
    assert_true(bytes > 0 && bytes <= CPR_TOKEN_MAX_BYTES);
    return ++*calls == 2 ? cpr_fail(error, CPR_STOPPED, "enough") : CPR_OK;
}

static void test_draw_failures(void **state)
{
    int calls = 0;
    const cpr_sink sink = {take_one, &calls};
    cpr_draw_options options = {.bytes = CPR_SHARD_BYTES_MAX + 1, .temperature = 1000};
    opened o = open_both("a.h5", "");
    assert_int_equal(cpr_reader_draw(o.reader, &options, sink, CPR_NO_WATCH, NULL), CPR_ERR_USAGE);
    options = (cpr_draw_options){.bytes = 10, .temperature = CPR_TEMPERATURE_MAX + 1};
    assert_int_equal(cpr_reader_draw(o.reader, &options, sink, CPR_NO_WATCH, NULL), CPR_ERR_USAGE);
    options = (cpr_draw_options){.bytes = 1000, .temperature = CPR_TEMPERATURE_MAX};
    assert_int_equal(cpr_reader_draw(o.reader, &options, sink, CPR_NO_WATCH, NULL), CPR_STOPPED);
    assert_int_equal(calls, 2);
    assert_text(o.reader, 1000, 1000);
    close_both(&o);
    (void)state;
}

int main(void)
{
    unsetenv("CORPRESS_CACHE");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shards),        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_separator),     cmocka_unit_test(test_failures),
        cmocka_unit_test(test_draw),          cmocka_unit_test(test_prompt),
        cmocka_unit_test(test_draw_failures),
    };
    return cmocka_run_group_tests(tests, make_archive, free_archive);
}
