/* parser.c - text to tokens, word by word. A cache remembers how recent words were cut. */
#include "vocabulary.h"

#include "word_split.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_BITS 15u

typedef struct cached_word {
    uint8_t text[CPR_WORD_MAX_BYTES];
    uint16_t tokens[CPR_WORD_MAX_BYTES];
    uint8_t bytes; /* 0: free */
    uint8_t count; /* of tokens */
} cached_word;

struct cpr_parser {
    const cpr_vocabulary *vocabulary;
    cached_word cache[1u << CACHE_BITS];
};

cpr_parser *cpr_parser_create(const cpr_vocabulary *vocabulary)
{
    cpr_parser *parser = calloc(1, sizeof *parser);
    if (parser != NULL)
        parser->vocabulary = vocabulary;
    return parser;
}

void cpr_parser_free(cpr_parser *parser)
{
    free(parser);
}

uint64_t cpr_parser_memory(void)
{
    return sizeof(cpr_parser);
}

static const cached_word *cut_cached_word(cpr_parser *parser, const uint8_t *word, size_t bytes)
{
    uint64_t hash = bytes;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash + word[i]) * UINT64_C(0x9E3779B97F4A7C15);
    cached_word *slot = &parser->cache[hash >> (64 - CACHE_BITS)];
    if (slot->bytes != bytes || memcmp(slot->text, word, bytes) != 0) {
        memcpy(slot->text, word, bytes);
        slot->bytes = (uint8_t)bytes;
        slot->count =
            (uint8_t)cpr_vocabulary_cut_word(parser->vocabulary, word, bytes, slot->tokens);
    }
    return slot;
}

size_t cpr_parser_parse(cpr_parser *parser, const uint8_t *text, size_t bytes, uint16_t *tokens)
{
    size_t count = 0;
    for (size_t at = 0; at < bytes;) {
        const size_t n = cpr_word_length(text + at, bytes - at);
        const cached_word *word = cut_cached_word(parser, text + at, n);
        memcpy(tokens + count, word->tokens, word->count * sizeof *tokens);
        count += word->count;
        at += n;
    }
    return count;
}
