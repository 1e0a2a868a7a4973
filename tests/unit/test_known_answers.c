/* test_known_answers.c - models as large as real archives need them: their tables' dimensions, and
 * what they make of a short text.
 *
 * tests/golden/known_answers has what must come out, CPR_KNOWN_ANSWERS is its path. Archives depend
 * on all of it, so it changes only together with the version of a component. */
#include "codec.h"
#include "corpus.h"
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

#define TEXT_BYTES 16384u
#define MIB (UINT64_C(1) << 20)

/* Sizes of shard and primer: the least, the default, and the largest primer with it and with the
 * largest shard. */
static const uint64_t sizes[] = {CPR_SHARD_BYTES_MIN, CPR_SHARD_BYTES_DEFAULT,
                                 CPR_SHARD_BYTES_DEFAULT + 64 * MIB,
                                 CPR_SHARD_BYTES_MAX + 64 * MIB};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static void make_text(uint8_t *out)
{
    static const char *const words[] = {"the ",       "shard ", "of ", "corpus", ", ", ".\n",
                                        "\t\"id\": ", "model ", "(",   ") ",     "n",  "\n\n"};
    uint32_t seed = 13;
    for (size_t at = 0; at < TEXT_BYTES;) {
        char number[8];
        const uint32_t dice = next_random(&seed) % 16;
        snprintf(number, sizeof number, "%u ", (unsigned)(next_random(&seed) % 1000));
        const char *piece = dice < 12 ? words[dice] : number;
        for (; *piece != '\0' && at < TEXT_BYTES; piece++)
            out[at++] = (uint8_t)*piece;
    }
}

/* Hash of the bitstream of the text, from a codec for so many bytes. */
static uint64_t coded_hash(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                           const uint8_t *text, size_t bytes, uint64_t max_bytes)
{
    cpr_codec *codec;
    cpr_error error = {""};
    cpr_shard_info info;
    cpr_memory_reader from = {.data = text, .bytes = bytes};
    cpr_memory_writer to = {0};
    if (cpr_codec_create(profile, vocabulary, NULL, max_bytes, &codec, &error) != CPR_OK ||
        cpr_codec_encode(codec, cpr_memory_source(&from), cpr_memory_sink(&to), CPR_NO_WATCH, NULL,
                         &info, &error) != CPR_OK)
        fail_msg("%s", error.text);
    const uint64_t hash = XXH3_64bits(to.data, to.bytes);
    free(to.data);
    cpr_codec_free(codec);
    return hash;
}

/* Without what is no table, and without the networks: how these are laid out is the program's own
 * matter, too. */
static void print_tables(FILE *out, const char *tables)
{
    const char *core = strstr(tables, " core="), *network = strstr(tables, "-header=");
    assert_non_null(core);
    const char *rest = core + 1 + strcspn(core + 1, " "), *end = tables + strlen(tables);
    if (network != NULL)
        for (end = network; *end != ' '; end--)
            continue;
    fprintf(out, "%.*s%.*s\n", (int)(core - tables), tables, (int)(end - rest), rest);
}

static void describe(FILE *out, const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                     const uint8_t *text)
{
    char descriptor[CPR_DESCRIPTOR_MAX_BYTES + 1];
    cpr_codec_descriptor(profile, descriptor);
    fprintf(out, "%s: %s\n", cpr_profile_name(profile), descriptor);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *tables = cpr_model_tables(profile, 16384, sizes[i]);
        assert_non_null(tables);
        fprintf(out, "%s, %llu bytes: ", cpr_profile_name(profile), (unsigned long long)sizes[i]);
        print_tables(out, tables);
        free(tables);
    }
    /* Of slow profiles less. */
    const size_t bytes = cpr_profile_has_network(profile) ? TEXT_BYTES / 16 : TEXT_BYTES;
    for (size_t i = 1; i < 3; i++)
        fprintf(out, "%s, %llu bytes: the text becomes %016llx\n", cpr_profile_name(profile),
                (unsigned long long)sizes[i],
                (unsigned long long)coded_hash(profile, vocabulary, text, bytes, sizes[i]));
}

static void known_answers(void **state)
{
    (void)state;
    static uint8_t text[TEXT_BYTES];
    char *found;
    size_t found_bytes;
    make_text(text);
    cpr_word_counts *counts = cpr_word_counts_create();
    assert_true(cpr_word_counts_add(counts, text, TEXT_BYTES));
    cpr_vocabulary *vocabulary = cpr_vocabulary_learn(counts, 512);
    cpr_word_counts_free(counts);
    FILE *out = open_memstream(&found, &found_bytes);
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++)
        describe(out, cpr_profile_at(i), vocabulary, text);
    fclose(out);
    cpr_vocabulary_free(vocabulary);
    static char expected[1 << 16];
    FILE *in = fopen(CPR_KNOWN_ANSWERS, "r");
    assert_non_null(in);
    const size_t bytes = fread(expected, 1, sizeof expected - 1, in);
    fclose(in);
    expected[bytes] = '\0';
    if (strcmp(found, expected) != 0) {
        FILE *beside = fopen("known_answers.found", "w");
        assert_non_null(beside);
        fputs(found, beside);
        fclose(beside);
        fail_msg("%s has other answers than known_answers.found here", CPR_KNOWN_ANSWERS);
    }
    free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
