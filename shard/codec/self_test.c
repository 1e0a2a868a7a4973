/* self_test.c - known answers of the coder and the model, so that a machine, a compiler or a build
 * that computes differently is found before it writes an archive that others cannot read.
 *
 * A text made here by a recipe of integers is coded, the bitstreams' hashes are compared with those
 * below, and the bitstreams are decoded again. When the model or the coder is meant to change what
 * it puts out, its version is raised and its hashes change: tests/unit/test_self_test.c then fails
 * with a message that has the hashes found, to be put into known_answers.h. */
#include "codec.h"
#include "known_answers.h"
#include "memory_stream.h"

#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define TEXT_BYTES 12288u
#define NOISE_BYTES 6144u /* enough to be taken for noise, and so to be stored */
#define TOKENS 512u
#define TABLES 1u /* the case that is the archive's tables': see blob_codec.c */

typedef struct test_case {
    const char *profile;
    bool learned; /* vocabulary: learned from the text, or single bytes */
    size_t from;  /* of the text and the noise behind it */
    size_t bytes; /* few where coding is slow; of networks, enough for two segments */
    bool taught;  /* the profile after a lesson */
} test_case;

static const test_case cases[] = {
    {"balanced", true, 0, TEXT_BYTES, false},    {"balanced", false, 0, TEXT_BYTES / 8, false},
    {"fast", true, 0, TEXT_BYTES, false},        {"fast", false, 0, TEXT_BYTES / 8, false},
    {"neural", true, 0, TEXT_BYTES / 32, false}, {"fast", false, TEXT_BYTES, NOISE_BYTES, false},
    {"strong", true, 0, TEXT_BYTES / 32, false}, {"strong", true, 0, TEXT_BYTES / 32, true},
};
#define CASES (sizeof cases / sizeof *cases)
_Static_assert(CASES == sizeof known_answers / sizeof *known_answers, "one answer a case");

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

/* Lines of words of a small made-up language, records with numbers, and a few bytes of anything. */
static void make_text(uint8_t *out)
{
    enum { WORDS = 400, WORD_BYTES = 8 };
    static const char letters[] = "etaoinshrdlucmfwypvbgkjqxz";
    char words[WORDS][WORD_BYTES];
    uint64_t seed = 2024;
    for (unsigned w = 0; w < WORDS; w++) {
        const unsigned length = 2 + next_random(&seed) % (WORD_BYTES - 2);
        for (unsigned i = 0; i < length; i++)
            words[w][i] = letters[next_rank(&seed, sizeof letters - 1)];
        if (length < WORD_BYTES)
            words[w][length] = '\0';
    }
    for (size_t at = 0; at < TEXT_BYTES;) {
        char piece[48];
        const char *word = words[next_rank(&seed, WORDS)];
        const uint32_t dice = next_random(&seed) % 64;
        int length;
        if (dice == 0) {
            length = snprintf(piece, sizeof piece, "\n\t{\"%.8s\": %u},\n", word,
                              (unsigned)(next_random(&seed) % 10000));
        } else if (dice == 1) {
            /* one at a time: compilers differ in the order of arguments */
            const int second = (int)(next_random(&seed) % 255 + 1);
            const int first = (int)(next_random(&seed) % 255 + 1);
            length = snprintf(piece, sizeof piece, "%c%c\xc3\xa9", first, second);
        } else {
            length = snprintf(piece, sizeof piece, "%.8s%s", word,
                              dice < 6    ? ".\n"
                              : dice < 10 ? ", "
                                          : " ");
        }
        for (int i = 0; i < length && at < TEXT_BYTES; i++)
            out[at++] = (uint8_t)piece[i];
    }
    for (size_t i = 0; i < NOISE_BYTES; i++)
        out[TEXT_BYTES + i] = (uint8_t)(next_random(&seed) >> 20);
}

/* What one run of the test holds. */
typedef struct self_test {
    uint8_t *text; /* and the noise behind it */
    cpr_vocabulary *learned;
    cpr_vocabulary *bytes;
    bool wanted[CASES];
    uint64_t found[CASES];
    bool decodes[CASES];
} self_test;

static cpr_status code_and_decode(self_test *t, size_t i, cpr_codec *codec, cpr_error *error)
{
    const test_case *k = &cases[i];
    cpr_memory_reader raw = {.data = t->text + k->from, .bytes = k->bytes};
    cpr_memory_writer coded = {0};
    cpr_memory_writer back = {0};
    cpr_shard_info info = {.offset = 0};
    cpr_status status = cpr_codec_encode(codec, cpr_memory_source(&raw), cpr_memory_sink(&coded),
                                         CPR_NO_WATCH, NULL, &info, error);
    if (status == CPR_OK) {
        cpr_memory_reader again = {.data = coded.data, .bytes = coded.bytes};
        t->found[i] = XXH3_64bits(coded.data, coded.bytes);
        status = cpr_codec_decode(codec, &info, cpr_memory_source(&again), cpr_memory_sink(&back),
                                  CPR_NO_WATCH, error);
        t->decodes[i] = status == CPR_OK && back.bytes == k->bytes &&
                        memcmp(back.data, t->text + k->from, k->bytes) == 0;
    }
    free(coded.data);
    free(back.data);
    /* That it does not decode is a finding, told together with the others. */
    return status == CPR_ERR_DAMAGED ? CPR_OK : status;
}

/* Of a lesson of two segments, and where it has left nothing, something. NULL: out of memory. */
static cpr_weights *make_weights(const cpr_profile *profile, const cpr_vocabulary *vocabulary)
{
    uint16_t tokens[2 * CPR_LESSON_SEGMENT];
    uint64_t seed = 2025;
    size_t bytes = 0;
    cpr_weights *weights = NULL;
    for (size_t i = 0; i < 2 * CPR_LESSON_SEGMENT; i++)
        tokens[i] = (uint16_t)next_rank(&seed, cpr_vocabulary_tokens(vocabulary));
    cpr_lesson *lesson = cpr_lesson_create(profile, vocabulary, 1, NULL);
    for (uint32_t i = 0; lesson != NULL && i < 2; i++) {
        cpr_lesson_read(lesson, 0, tokens + i * CPR_LESSON_SEGMENT, CPR_LESSON_SEGMENT);
        cpr_lesson_step(lesson, 30000 * (i + 1));
    }
    uint8_t *packed = lesson != NULL ? cpr_lesson_pack(lesson, &bytes) : NULL;
    for (size_t i = 0; packed != NULL && i < bytes; i++)
        if (packed[i] == 0)
            packed[i] = (uint8_t)(next_random(&seed) % 7 - 3);
    if (packed != NULL)
        weights = cpr_weights_unpack(profile, vocabulary, packed, bytes);
    free(packed);
    cpr_lesson_free(lesson);
    return weights;
}

static cpr_status run_case(self_test *t, size_t i, cpr_error *error)
{
    const cpr_profile *profile = cpr_profile_find(cases[i].profile);
    const cpr_vocabulary *vocabulary = cases[i].learned ? t->learned : t->bytes;
    cpr_weights *weights = NULL;
    cpr_codec *codec = NULL;
    if (profile == NULL)
        return cpr_fail(error, CPR_ERR_SELF_TEST, "self-test: there is no profile \"%s\"",
                        cases[i].profile);
    if (cases[i].taught) {
        profile = cpr_profile_after_lesson(profile, 0, 1);
        weights = make_weights(profile, vocabulary);
        if (weights == NULL)
            return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the self-test");
    }
    cpr_status status = cpr_codec_create(profile, vocabulary, weights, TEXT_BYTES, &codec, error);
    if (status == CPR_OK)
        status = code_and_decode(t, i, codec, error);
    cpr_codec_free(codec);
    cpr_weights_free(weights);
    return status;
}

/* Tells everything that differs, in the order of `cases`. */
static cpr_status compare(const self_test *t, cpr_error *error)
{
    char text[800] = "";
    size_t at = 0;
    for (size_t i = 0; i < CASES && at < sizeof text - 160; i++) {
        const char *name = cases[i].profile;
        if (!t->wanted[i])
            continue;
        if (t->found[i] != known_answers[i])
            at += (size_t)snprintf(
                text + at, sizeof text - at, "; case %zu (%s) gives 0x%016llx instead of 0x%016llx",
                i, name, (unsigned long long)t->found[i], (unsigned long long)known_answers[i]);
        if (!t->decodes[i])
            at += (size_t)snprintf(text + at, sizeof text - at, "; case %zu (%s) does not decode",
                                   i, name);
    }
    if (at == 0)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_SELF_TEST,
                    "the self-test failed: this machine, or this build of corpress, computes "
                    "differently (kernel %s)%s",
                    cpr_model_kernel(), text);
}

static bool make_vocabularies(self_test *t)
{
    cpr_word_counts *counts = cpr_word_counts_create();
    if (counts != NULL && cpr_word_counts_add(counts, t->text, TEXT_BYTES))
        t->learned = cpr_vocabulary_learn(counts, TOKENS);
    t->bytes = cpr_vocabulary_create_bytes();
    cpr_word_counts_free(counts);
    return t->learned != NULL && t->bytes != NULL;
}

/* No case of another profile: a network takes memory that a run without one may not have. */
static void choose_cases(self_test *t, const struct cpr_profile *profile)
{
    const bool taught = profile != NULL && (cpr_profile_is_taught(profile) ||
                                            cpr_profile_after_lesson(profile, 0, 1) != profile);
    for (size_t i = 0; i < CASES; i++)
        t->wanted[i] =
            i == TABLES ||
            (cases[i].taught
                 ? taught
                 : profile != NULL && strcmp(cases[i].profile, cpr_profile_name(profile)) == 0);
}

cpr_status cpr_self_test(const struct cpr_profile *profile, uint64_t *fingerprint, cpr_error *error)
{
    self_test t = {.text = malloc(TEXT_BYTES + NOISE_BYTES)};
    cpr_status status = CPR_OK;
    *fingerprint = 0;
    choose_cases(&t, profile);
    if (t.text != NULL)
        make_text(t.text);
    if (t.text == NULL || !make_vocabularies(&t))
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the self-test");
    for (size_t i = 0; status == CPR_OK && i < CASES; i++)
        if (t.wanted[i])
            status = run_case(&t, i, error);
    for (size_t i = 0; i < CASES; i++)
        *fingerprint = (*fingerprint ^ t.found[i]) * UINT64_C(0x9e3779b97f4a7c15);
    if (status == CPR_OK)
        status = compare(&t, error);
    cpr_vocabulary_free(t.learned);
    cpr_vocabulary_free(t.bytes);
    free(t.text);
    return status;
}
