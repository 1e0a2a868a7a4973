/* core_bytes.c - prints what the model and the coder make of one text, as hashes, for
 * core_bytes.sh, which compares that of several architectures and instruction sets.
 *
 * It uses nothing but model/, coder/, the coder of weights and the C library, so that a cross
 * compiler can build it without HDF5 and MPI for its target. The text comes from a recipe of
 * integers. Each profile's bitstream is decoded again, with a vocabulary that was packed and
 * unpacked. Then a small network is taught, and codes a part of the text.
 *
 *     core_bytes [PROFILE]     of the profiles, this one alone
 *     core_bytes --write FILE  the file gets what the taught network has coded, too
 *     core_bytes --read FILE   nothing but this: decodes it
 */
#include "core_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)65536) /* words are counted, and text is parsed, in blocks */
#define TOKENS 4096u
#define NEURAL_TOKENS 200 /* three segments: an emulator takes its time */

_Noreturn void core_fail(const char *what)
{
    fprintf(stderr, "core_bytes: %s (kernel %s)\n", what, cpr_model_kernel());
    exit(1);
}

void *core_room(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL)
        core_fail("out of memory");
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

void core_print(const char *what, const char *of, const uint8_t *data, size_t bytes)
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
        core_fail("out of memory");
    for (size_t at = 0, block = 0; at < TEXT_BYTES; at += BLOCK_BYTES, block++) {
        const size_t bytes = TEXT_BYTES - at < BLOCK_BYTES ? TEXT_BYTES - at : BLOCK_BYTES;
        if (!cpr_word_counts_add(counts[block % 2], text + at, bytes))
            core_fail("out of memory");
    }
    size_t bytes;
    uint8_t *packed = cpr_word_counts_pack(counts[1], &bytes);
    if (packed == NULL || !cpr_word_counts_merge(counts[0], packed, bytes))
        core_fail("counts cannot be packed and merged");
    free(packed);
    cpr_word_counts_free(counts[1]);
    packed = cpr_word_counts_pack(counts[0], &bytes);
    if (packed == NULL)
        core_fail("counts cannot be packed");
    core_print("counts", "", packed, bytes);
    free(packed);
    return counts[0];
}

/* Prints its hash and returns what its packed bytes give. */
static cpr_vocabulary *pack_and_unpack(const cpr_vocabulary *vocabulary)
{
    size_t bytes;
    uint8_t *packed = cpr_vocabulary_pack(vocabulary, &bytes);
    if (packed == NULL)
        core_fail("the vocabulary cannot be packed");
    core_print("vocabulary", "", packed, bytes);
    cpr_vocabulary *unpacked = cpr_vocabulary_unpack(packed, bytes);
    if (unpacked == NULL)
        core_fail("the vocabulary cannot be unpacked");
    free(packed);
    return unpacked;
}

/* Returns the number of tokens; prints the hash of their numbers. */
static size_t parse(const cpr_vocabulary *vocabulary, const uint8_t *text, uint16_t *tokens)
{
    cpr_parser *parser = cpr_parser_create(vocabulary);
    if (parser == NULL)
        core_fail("out of memory");
    size_t count = 0;
    for (size_t at = 0; at < TEXT_BYTES; at += BLOCK_BYTES) {
        const size_t bytes = TEXT_BYTES - at < BLOCK_BYTES ? TEXT_BYTES - at : BLOCK_BYTES;
        count += cpr_parser_parse(parser, text + at, bytes, tokens + count);
    }
    cpr_parser_free(parser);
    uint8_t *numbers = core_room(2 * count);
    for (size_t i = 0; i < count; i++) {
        numbers[2 * i] = (uint8_t)tokens[i];
        numbers[2 * i + 1] = (uint8_t)(tokens[i] >> 8);
    }
    core_print("tokens", "", numbers, 2 * count);
    free(numbers);
    return count;
}

/* ---- coding ---- */

cpr_model *core_model(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                      const cpr_weights *weights)
{
    cpr_model *model = cpr_model_create(profile, vocabulary, weights, TEXT_BYTES);
    if (model == NULL)
        core_fail("no memory for a model");
    return model;
}

void core_encode(cpr_model *model, const uint16_t *tokens, size_t count, cpr_encoder *encoder,
                 const uint8_t *coded)
{
    const uint8_t *end = coded + CODED_CAPACITY - 2 * CPR_ENCODER_MAX_BYTES_PER_DECISION;
    for (size_t i = 0; i < count; i++) {
        int32_t token;
        do {
            const unsigned bit = cpr_model_decision(model, tokens[i]);
            cpr_encoder_put(encoder, bit, cpr_model_predict(model));
            token = cpr_model_learn(model, bit);
            if (encoder->next > end)
                core_fail("the bitstream is far larger than the text");
        } while (token < 0);
    }
}

size_t core_decode(cpr_model *model, const cpr_vocabulary *vocabulary, size_t count,
                   cpr_decoder *decoder, uint8_t *text, size_t text_bytes)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t token;
        do {
            const unsigned bit = cpr_decoder_get(decoder, cpr_model_predict(model));
            token = cpr_model_learn(model, bit);
        } while (token < 0);
        size_t length;
        const uint8_t *token_text = cpr_vocabulary_token(vocabulary, (uint32_t)token, &length);
        if (length > text_bytes - at)
            core_fail("more text comes out than was put in");
        memcpy(text + at, token_text, length);
        at += length;
    }
    return at;
}

static void try_profile(const cpr_profile *profile, const core_material *m)
{
    const bool slow = strcmp(cpr_profile_name(profile), "neural") == 0;
    const size_t count = slow ? NEURAL_TOKENS : m->count;
    uint8_t *coded = core_room(CODED_CAPACITY), *text = core_room(TEXT_BYTES);
    cpr_encoder encoder;
    cpr_decoder decoder;
    cpr_model *model = core_model(profile, m->learned, NULL);
    cpr_encoder_init(&encoder, coded);
    cpr_model_expect(model, m->tokens, count);
    core_encode(model, m->tokens, count, &encoder, coded);
    cpr_encoder_finish(&encoder);
    cpr_model_free(model);
    const size_t bytes = (size_t)(encoder.next - coded);
    core_print("profile ", cpr_profile_name(profile), coded, bytes);
    model = core_model(profile, m->unpacked, NULL);
    cpr_decoder_init(&decoder, coded, bytes);
    const size_t text_bytes = core_decode(model, m->unpacked, count, &decoder, text, TEXT_BYTES);
    if (memcmp(text, m->text, text_bytes) != 0)
        core_fail("the text does not come back");
    cpr_model_free(model);
    free(text);
    free(coded);
}

/* only: NULL, or the name of a profile. file: NULL, or where core_teach() writes to. */
static void make_all(const char *only, const char *file)
{
    uint8_t *text = core_room(TEXT_BYTES);
    uint16_t *tokens = core_room(TEXT_BYTES * sizeof *tokens);
    make_text(text);
    core_print("text", "", text, TEXT_BYTES);
    cpr_word_counts *counts = count_words(text);
    cpr_vocabulary *learned = cpr_vocabulary_learn(counts, TOKENS);
    if (learned == NULL)
        core_fail("no vocabulary");
    cpr_vocabulary *unpacked = pack_and_unpack(learned);
    const core_material material = {.text = text,
                                    .tokens = tokens,
                                    .count = parse(learned, text, tokens),
                                    .learned = learned,
                                    .unpacked = unpacked};
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++)
        if (only == NULL || strcmp(cpr_profile_name(cpr_profile_at(i)), only) == 0)
            try_profile(cpr_profile_at(i), &material);
    core_teach(&material, file);
    cpr_vocabulary_free(unpacked);
    cpr_vocabulary_free(learned);
    cpr_word_counts_free(counts);
    free(tokens);
    free(text);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--read") == 0)
        core_read(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "--write") == 0)
        make_all(NULL, argv[2]);
    else
        make_all(argc > 1 ? argv[1] : NULL, NULL);
    fprintf(stderr, "%s\n", cpr_model_kernel());
    return 0;
}
