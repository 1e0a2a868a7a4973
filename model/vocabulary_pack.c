/* vocabulary_pack.c - a vocabulary as bytes.
 *
 * Tokens are front-coded in columns, so that the coder that follows sees alike bytes together:
 * tokens (4 bytes, little-endian); for each token the bytes shared with the token before; for each
 * the number of further bytes; for each its weight class; then the further bytes of all. */
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_BYTES 4u
#define COLUMNS 3u

static uint32_t shared_bytes(const cpr_vocabulary *v, uint32_t token)
{
    if (token == 0)
        return 0;
    const uint8_t *a = v->text + v->start[token - 1], *b = v->text + v->start[token];
    const uint32_t length_a = v->start[token] - v->start[token - 1];
    const uint32_t length_b = v->start[token + 1] - v->start[token];
    uint32_t n = 0;
    while (n < length_a && n < length_b && a[n] == b[n])
        n++;
    return n;
}

uint8_t *cpr_vocabulary_pack(const cpr_vocabulary *v, size_t *bytes)
{
    size_t total = COUNT_BYTES + (size_t)COLUMNS * v->tokens;
    for (uint32_t t = 0; t < v->tokens; t++)
        total += v->start[t + 1] - v->start[t] - shared_bytes(v, t);
    uint8_t *packed = malloc(total);
    if (packed == NULL)
        return NULL;
    for (unsigned i = 0; i < COUNT_BYTES; i++)
        packed[i] = (uint8_t)(v->tokens >> (8 * i));
    uint8_t *columns = packed + COUNT_BYTES;
    uint8_t *text = columns + (size_t)COLUMNS * v->tokens;
    for (uint32_t t = 0; t < v->tokens; t++) {
        const uint32_t shared = shared_bytes(v, t);
        const uint32_t further = v->start[t + 1] - v->start[t] - shared;
        columns[t] = (uint8_t)shared;
        columns[v->tokens + t] = (uint8_t)further;
        columns[2 * (size_t)v->tokens + t] = v->weight[t];
        memcpy(text, v->text + v->start[t] + shared, further);
        text += further;
    }
    *bytes = total;
    return packed;
}

/* Tokens from the columns; false if they are not strictly ascending, or do not fit. */
static bool unpack_tokens(cpr_vocabulary *v, const uint8_t *columns, const uint8_t *text,
                          size_t text_bytes)
{
    for (uint32_t t = 0; t < v->tokens; t++) {
        const uint32_t shared = columns[t], further = columns[v->tokens + t];
        const uint32_t before = t > 0 ? v->start[t] - v->start[t - 1] : 0;
        if (further == 0 || further > text_bytes || shared > before ||
            shared + further > CPR_TOKEN_MAX_BYTES)
            return false;
        uint8_t *token = v->text + v->start[t];
        if (shared > 0)
            memcpy(token, v->text + v->start[t - 1], shared);
        memcpy(token + shared, text, further);
        if (shared < before && v->text[v->start[t - 1] + shared] >= text[0])
            return false;
        v->start[t + 1] = v->start[t] + shared + further;
        v->weight[t] = columns[2 * (size_t)v->tokens + t];
        if (v->weight[t] > CPR_WEIGHT_MAX_CLASS)
            return false;
        text += further;
        text_bytes -= further;
    }
    return text_bytes == 0;
}

static bool holds_all_bytes(const cpr_vocabulary *v)
{
    unsigned single = 0;
    for (uint32_t t = 0; t < v->tokens; t++)
        single += v->start[t + 1] - v->start[t] == 1;
    return single == 256; /* the tokens are distinct */
}

cpr_vocabulary *cpr_vocabulary_unpack(const uint8_t *packed, size_t bytes)
{
    if (bytes < COUNT_BYTES)
        return NULL;
    const uint32_t tokens = packed[0] | (uint32_t)packed[1] << 8 | (uint32_t)packed[2] << 16 |
                            (uint32_t)packed[3] << 24;
    if (tokens < 256 || tokens > CPR_VOCABULARY_MAX_TOKENS)
        return NULL;
    const size_t header = COUNT_BYTES + (size_t)COLUMNS * tokens;
    if (bytes < header)
        return NULL;
    cpr_vocabulary *v = cpr_vocabulary_create_empty(tokens, (size_t)tokens * CPR_TOKEN_MAX_BYTES);
    if (v == NULL)
        return NULL;
    if (!unpack_tokens(v, packed + COUNT_BYTES, packed + header, bytes - header) ||
        !holds_all_bytes(v) || !cpr_code_tree_build(v)) {
        cpr_vocabulary_free(v);
        return NULL;
    }
    cpr_vocabulary_index(v);
    return v;
}
