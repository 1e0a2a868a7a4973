/* core_bytes.c - prints what the model and the coder make of one text, as hashes, for
 * core_bytes.sh, which compares that of several architectures and instruction sets.
 *
 * It uses nothing but model/, coder/ and the C library, so that a cross compiler can build it
 * without HDF5 and MPI for its target. The text comes from a recipe of integers. Each profile's
 * bitstream is decoded again, with a vocabulary that was packed and unpacked. */
#include "coder.h"
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES ((size_t)90000)
#define BLOCK_BYTES ((size_t)65536) /* words are counted, and text is parsed, in blocks */
#define TOKENS 4096u
#define CODED_CAPACITY (TEXT_BYTES * 2)
#define NEURAL_TOKENS 200 /* three segments: an emulator takes its time */

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "core_bytes: %s (kernel %s)\n", what, cpr_model_kernel());
    exit(1);
}

/* From malloc(), or not at all. */
static void *room(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

/* FNV-1a */
static uint64_t hash_of(const uint8_t *data, size_t bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void print_bytes(const char *what, const char *of, const uint8_t *data, size_t bytes)
{
    printf("%s%s %zu %016llx\n", what, of, bytes, (unsigned long long)hash_of(data, bytes));
}

/* ---- text ---- */

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

/* Small numbers are more likely than large ones, as in text. */
static uint32_t next_rank(uint64_t *seed, uint32_t below)
{
    const uint64_t product = (uint64_t)next_random(seed) * next_random(seed);
    return (uint32_t)((product >> 31) * below >> 31);
}

enum { WORDS = 1500, WORD_BYTES = 10 };

static void make_words(char words[WORDS][WORD_BYTES], uint64_t *seed)
{
    static const char letters[] = "etaoinshrdlucmfwypvbgkjqxz";
    for (unsigned w = 0; w < WORDS; w++) {
        const unsigned length = 2 + next_random(seed) % (WORD_BYTES - 3);
        for (unsigned i = 0; i < length; i++)
            words[w][i] = letters[next_rank(seed, sizeof letters - 1)];
        words[w][length] = '\0';
    }
}

/* A word with what follows it, a record, or two bytes of anything and a letter of two bytes.
 * Returns its length. */
static size_t make_piece(char piece[64], const char *word, uint64_t *seed)
{
    const uint32_t dice = next_random(seed) % 64;
    const uint32_t number = next_random(seed);
    int length;
    if (dice == 0)
        length = snprintf(piece, 64, "\n\t{\"%s\": %u},\n", word, (unsigned)(number % 10000));
    else if (dice == 1)
        length = snprintf(piece, 64, "%c%c\xc3\xa9", (int)(number % 255 + 1),
                          (int)(number / 256 % 255 + 1));
    else
        length = snprintf(piece, 64, "%s%s", word, dice < 6 ? ".\n" : dice < 10 ? ", " : " ");
    return (size_t)length;
}

/* Now and then, from 2 to 600 bytes come once more. */
static size_t repeat(uint8_t *text, size_t at, uint64_t *seed)
{
    const size_t distance = 1 + next_random(seed) % at, length = 2 + next_rank(seed, 600);
    for (size_t i = 0; i < length && at < TEXT_BYTES; i++, at++)
        text[at] = text[at - distance];
    return at;
}

static void make_text(uint8_t *text)
{
    static char words[WORDS][WORD_BYTES];
    uint64_t seed = 2024;
    make_words(words, &seed);
    for (size_t at = 0; at < TEXT_BYTES;) {
        if (at > 5000 && next_random(&seed) % 50 == 0) {
            at = repeat(text, at, &seed);
            continue;
        }
        char piece[64];
        const size_t length = make_piece(piece, words[next_rank(&seed, WORDS)], &seed);
        for (size_t i = 0; i < length && at < TEXT_BYTES; i++)
            text[at++] = (uint8_t)piece[i];
    }
}

/* ---- vocabulary ---- */

/* Counts the text's words in two parts, as two ranks do, and prints the merged counts' hash. */
static cpr_word_counts *count_words(const uint8_t *text)
{
    cpr_word_counts *counts[2] = {cpr_word_counts_create(), cpr_word_counts_create()};
    if (counts[0] == NULL || counts[1] == NULL)
        fail("out of memory");
    for (size_t at = 0, block = 0; at < TEXT_BYTES; at += BLOCK_BYTES, block++) {
        const size_t bytes = TEXT_BYTES - at < BLOCK_BYTES ? TEXT_BYTES - at : BLOCK_BYTES;
        if (!cpr_word_counts_add(counts[block % 2], text + at, bytes))
            fail("out of memory");
    }
    size_t bytes;
    uint8_t *packed = cpr_word_counts_pack(counts[1], &bytes);
    if (packed == NULL || !cpr_word_counts_merge(counts[0], packed, bytes))
        fail("counts cannot be packed and merged");
    free(packed);
    cpr_word_counts_free(counts[1]);
    packed = cpr_word_counts_pack(counts[0], &bytes);
    if (packed == NULL)
        fail("counts cannot be packed");
    print_bytes("counts", "", packed, bytes);
    free(packed);
    return counts[0];
}

/* Prints its hash and returns what its packed bytes give. */
static cpr_vocabulary *pack_and_unpack(const cpr_vocabulary *vocabulary)
{
    size_t bytes;
    uint8_t *packed = cpr_vocabulary_pack(vocabulary, &bytes);
    if (packed == NULL)
        fail("the vocabulary cannot be packed");
    print_bytes("vocabulary", "", packed, bytes);
    cpr_vocabulary *unpacked = cpr_vocabulary_unpack(packed, bytes);
    if (unpacked == NULL)
        fail("the vocabulary cannot be unpacked");
    free(packed);
    return unpacked;
}

/* Returns the number of tokens; prints the hash of their numbers. */
static size_t parse(const cpr_vocabulary *vocabulary, const uint8_t *text, uint16_t *tokens)
{
    cpr_parser *parser = cpr_parser_create(vocabulary);
    if (parser == NULL)
        fail("out of memory");
    size_t count = 0;
    for (size_t at = 0; at < TEXT_BYTES; at += BLOCK_BYTES) {
        const size_t bytes = TEXT_BYTES - at < BLOCK_BYTES ? TEXT_BYTES - at : BLOCK_BYTES;
        count += cpr_parser_parse(parser, text + at, bytes, tokens + count);
    }
    cpr_parser_free(parser);
    uint8_t *numbers = room(2 * count);
    for (size_t i = 0; i < count; i++) {
        numbers[2 * i] = (uint8_t)tokens[i];
        numbers[2 * i + 1] = (uint8_t)(tokens[i] >> 8);
    }
    print_bytes("tokens", "", numbers, 2 * count);
    free(numbers);
    return count;
}

/* ---- coding ---- */

static cpr_model *make_model(const cpr_profile *profile, const cpr_vocabulary *vocabulary)
{
    cpr_model *model = cpr_model_create(profile, vocabulary, NULL, TEXT_BYTES);
    if (model == NULL)
        fail("no memory for a model");
    return model;
}

/* Returns the bytes of the bitstream. */
static size_t encode(cpr_model *model, const uint16_t *tokens, size_t count, uint8_t *coded)
{
    const uint8_t *end = coded + CODED_CAPACITY - 2 * CPR_ENCODER_MAX_BYTES_PER_DECISION;
    cpr_encoder encoder;
    cpr_encoder_init(&encoder, coded);
    cpr_model_expect(model, tokens, count);
    for (size_t i = 0; i < count; i++) {
        int32_t token;
        do {
            const unsigned bit = cpr_model_decision(model, tokens[i]);
            cpr_encoder_put(&encoder, bit, cpr_model_predict(model));
            token = cpr_model_learn(model, bit);
            if (encoder.next > end)
                fail("the bitstream is far larger than the text");
        } while (token < 0);
    }
    cpr_encoder_finish(&encoder);
    return (size_t)(encoder.next - coded);
}

/* Decodes that many tokens. */
static void decode_and_compare(cpr_model *model, const cpr_vocabulary *vocabulary, size_t count,
                               const uint8_t *coded, size_t bytes, const uint8_t *text)
{
    cpr_decoder decoder;
    cpr_decoder_init(&decoder, coded, bytes);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t token;
        do {
            const unsigned bit = cpr_decoder_get(&decoder, cpr_model_predict(model));
            token = cpr_model_learn(model, bit);
        } while (token < 0);
        size_t length;
        const uint8_t *token_text = cpr_vocabulary_token(vocabulary, (uint32_t)token, &length);
        if (length > TEXT_BYTES - at || memcmp(token_text, text + at, length) != 0)
            fail("the text does not come back");
        at += length;
    }
}

/* With the profile in argv[1] alone, if it is given. */
int main(int argc, char **argv)
{
    uint8_t *text = room(TEXT_BYTES), *coded = room(CODED_CAPACITY);
    uint16_t *tokens = room(TEXT_BYTES * sizeof *tokens);
    make_text(text);
    print_bytes("text", "", text, TEXT_BYTES);
    cpr_word_counts *counts = count_words(text);
    cpr_vocabulary *learned = cpr_vocabulary_learn(counts, TOKENS);
    if (learned == NULL)
        fail("no vocabulary");
    cpr_vocabulary *unpacked = pack_and_unpack(learned);
    const size_t count = parse(learned, text, tokens);
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++) {
        const cpr_profile *profile = cpr_profile_at(i);
        if (argc > 1 && strcmp(cpr_profile_name(profile), argv[1]) != 0)
            continue;
        cpr_model *model = make_model(profile, learned);
        const bool slow = strcmp(cpr_profile_name(profile), "neural") == 0;
        const size_t coded_tokens = slow ? NEURAL_TOKENS : count;
        const size_t bytes = encode(model, tokens, coded_tokens, coded);
        cpr_model_free(model);
        print_bytes("profile ", cpr_profile_name(profile), coded, bytes);
        model = make_model(profile, unpacked);
        decode_and_compare(model, unpacked, coded_tokens, coded, bytes, text);
        cpr_model_free(model);
    }
    fprintf(stderr, "%s\n", cpr_model_kernel());
    cpr_vocabulary_free(unpacked);
    cpr_vocabulary_free(learned);
    cpr_word_counts_free(counts);
    free(tokens);
    free(coded);
    free(text);
    return 0;
}
