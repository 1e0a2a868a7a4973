/* idea_facts.c - two facts for idea.py that no command tells.
 *
 *   idea_facts source SYMBOLS    draws so many of four symbols of 50, 30, 10 and 10 %, codes and
 *                                decodes them
 *   idea_facts model ARCHIVE     how large the model is that has coded an archive
 *
 * Prints "name value" lines. */
#include "archive.h"
#include "coder.h"
#include "model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned draw_symbol(uint64_t *state)
{
    const uint64_t tenth = (random_bits(state) >> 32) * 10 >> 32;
    return tenth < 5 ? 0 : tenth < 8 ? 1 : tenth < 9 ? 2 : 3;
}

/* Is it another one than 0, 1, 2? What is left after each no: 1/2, 2/5, 1/2 of the whole. */
static const uint32_t chances[] = {32768, 65536 * 2 / 5, 32768};

static void put_symbol(cpr_encoder *encoder, unsigned symbol)
{
    for (unsigned i = 0; i < 3 && i <= symbol; i++)
        cpr_encoder_put(encoder, symbol > i, chances[i]);
}

static unsigned get_symbol(cpr_decoder *decoder)
{
    unsigned symbol = 0;
    while (symbol < 3 && cpr_decoder_get(decoder, chances[symbol]))
        symbol++;
    return symbol;
}

static int code_source(uint64_t symbols)
{
    uint64_t state = 1;
    uint64_t seen[4] = {0};
    cpr_encoder encoder;
    cpr_decoder decoder;
    uint8_t *out = malloc((size_t)symbols + 64); /* three bits a symbol are far less */
    if (out == NULL)
        return 1;
    cpr_encoder_init(&encoder, out);
    for (uint64_t i = 0; i < symbols; i++) {
        const unsigned symbol = draw_symbol(&state);
        seen[symbol]++;
        put_symbol(&encoder, symbol);
    }
    cpr_encoder_finish(&encoder);
    const size_t bytes = (size_t)(encoder.next - out);
    state = 1;
    cpr_decoder_init(&decoder, out, bytes);
    uint64_t good = 0;
    while (good < symbols && get_symbol(&decoder) == draw_symbol(&state))
        good++;
    free(out);
    printf("symbols %" PRIu64 "\nbytes %zu\n", symbols, bytes);
    for (unsigned i = 0; i < 4; i++)
        printf("seen%u %" PRIu64 "\n", i, seen[i]);
    return good == symbols ? 0 : 1;
}

static cpr_status tell_opened(cpr_archive *archive, cpr_error *error)
{
    const cpr_profile *profile;
    const uint8_t *packed;
    size_t bytes;
    cpr_status status = cpr_archive_profile(archive, &profile, error);
    if (status == CPR_OK)
        status = cpr_archive_vocabulary(archive, &packed, &bytes, error);
    if (status != CPR_OK)
        return status;
    cpr_vocabulary *vocabulary = cpr_vocabulary_unpack(packed, bytes);
    const cpr_archive_header *header = cpr_archive_info(archive);
    if (vocabulary == NULL || header->shard_count != 1 || header->coded_weights != NULL)
        status = cpr_fail(error, CPR_ERR_USAGE, "one shard, and no lesson, please");
    else
        printf("tokens %" PRIu32 "\nmemory %" PRIu64 "\n", cpr_vocabulary_tokens(vocabulary),
               cpr_model_memory(profile, header->shards[0].raw_bytes));
    cpr_vocabulary_free(vocabulary);
    return status;
}

static int tell_model(const char *path)
{
    cpr_error error = {.text = ""};
    cpr_archive *archive = NULL;
    cpr_status status = cpr_archive_open(path, &archive, &error);
    if (status == CPR_OK)
        status = tell_opened(archive, &error);
    if (status != CPR_OK)
        fprintf(stderr, "%s\n", error.text);
    cpr_archive_close(archive);
    return status == CPR_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "source") == 0)
        return code_source(strtoull(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "model") == 0)
        return tell_model(argv[2]);
    fputs("usage: idea_facts source SYMBOLS | model ARCHIVE\n", stderr);
    return 1;
}
