/* fuzz_vocabulary.c - any bytes as a packed vocabulary: refused, or one that packs to the same
 * bytes, names every token, and cuts any text into tokens that make up the text. */
#include "fuzz.h"

#include "model.h"

#include <string.h>

static void check_tokens(const cpr_vocabulary *vocabulary)
{
    const uint32_t tokens = cpr_vocabulary_tokens(vocabulary);
    REQUIRE(tokens >= 256 && tokens <= CPR_VOCABULARY_MAX_TOKENS);
    for (uint32_t t = 0; t < tokens; t++) {
        size_t bytes;
        unsigned length;
        REQUIRE(cpr_vocabulary_token(vocabulary, t, &bytes) != NULL);
        REQUIRE(bytes >= 1 && bytes <= CPR_TOKEN_MAX_BYTES);
        const uint32_t path = cpr_vocabulary_path(vocabulary, t, &length);
        REQUIRE(length >= 1 && length <= 32);
        REQUIRE(length == 32 || path >> length == 0);
    }
}

static void cut(const cpr_vocabulary *vocabulary, const uint8_t *text, size_t text_bytes)
{
    uint16_t *tokens = malloc(text_bytes * sizeof *tokens + 1);
    cpr_parser *parser = cpr_parser_create(vocabulary);
    REQUIRE(tokens != NULL && parser != NULL);
    const size_t count = cpr_parser_parse(parser, text, text_bytes, tokens);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t bytes;
        REQUIRE(tokens[i] < cpr_vocabulary_tokens(vocabulary));
        const uint8_t *token = cpr_vocabulary_token(vocabulary, tokens[i], &bytes);
        REQUIRE(bytes <= text_bytes - at && memcmp(token, text + at, bytes) == 0);
        at += bytes;
    }
    REQUIRE(at == text_bytes);
    cpr_parser_free(parser);
    free(tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    cpr_vocabulary *vocabulary = cpr_vocabulary_unpack(data, bytes);
    if (vocabulary == NULL)
        return 0;
    check_tokens(vocabulary);
    size_t packed_bytes;
    uint8_t *packed = cpr_vocabulary_pack(vocabulary, &packed_bytes);
    REQUIRE(packed != NULL && packed_bytes == bytes && memcmp(packed, data, bytes) == 0);
    free(packed);
    /* Its own packed form is as good a text as any: it ends in the bytes of its tokens. */
    cut(vocabulary, data, bytes < 65536 ? bytes : 65536);
    cpr_vocabulary_free(vocabulary);
    return 0;
}
