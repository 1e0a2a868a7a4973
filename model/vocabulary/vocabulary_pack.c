/* vocabulary_pack.c - a vocabulary as bytes.
 *
 * Number of tokens (4 bytes, little-endian); the weight class of each; then the tokens as lines of
 * text, which the model that codes them knows best how to predict. In a line a line feed and the
 * mark itself are written as MARK and the byte with its bit 6 inverted. */
#include "vocabulary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_BYTES 4u
#define MARK 0x0E
#define MARKED_BIT 0x40

static bool needs_mark(uint8_t byte)
{
    return byte == '\n' || byte == MARK;
}

uint8_t *cpr_vocabulary_pack(const cpr_vocabulary *v, size_t *bytes)
{
    uint8_t *packed = malloc(COUNT_BYTES + 2 * (size_t)v->tokens + 2 * (size_t)v->start[v->tokens]);
    if (packed == NULL)
        return NULL;
    uint8_t *out = packed;
    for (unsigned i = 0; i < COUNT_BYTES; i++)
        *out++ = (uint8_t)(v->tokens >> (8 * i));
    memcpy(out, v->weight, v->tokens);
    out += v->tokens;
    for (uint32_t t = 0; t < v->tokens; t++) {
        for (uint32_t i = v->start[t]; i < v->start[t + 1]; i++) {
            if (needs_mark(v->text[i])) {
                *out++ = MARK;
                *out++ = v->text[i] ^ MARKED_BIT;
            } else {
                *out++ = v->text[i];
            }
        }
        *out++ = '\n';
    }
    *bytes = (size_t)(out - packed);
    return packed;
}

/* Reads one line as a token, up to `end`. Returns what lies behind it; NULL if it is no such line.
 */
static const uint8_t *unpack_token(const uint8_t *in, const uint8_t *end, uint8_t *token,
                                   uint32_t *length)
{
    for (*length = 0; in < end && *in != '\n'; (*length)++) {
        if (*length == CPR_TOKEN_MAX_BYTES)
            return NULL;
        uint8_t byte = *in++;
        if (byte == MARK) {
            if (in == end || !needs_mark(*in ^ MARKED_BIT))
                return NULL;
            byte = *in++ ^ MARKED_BIT;
        }
        token[*length] = byte;
    }
    return in == end || *length == 0 ? NULL : in + 1;
}

/* Tokens t - 1 and t are in ascending order. */
static bool token_ascends(const cpr_vocabulary *v, uint32_t t)
{
    const uint32_t before = v->start[t] - v->start[t - 1], bytes = v->start[t + 1] - v->start[t];
    const int order =
        memcmp(v->text + v->start[t - 1], v->text + v->start[t], before < bytes ? before : bytes);
    return order < 0 || (order == 0 && before < bytes);
}

/* False if the lines are not the tokens, strictly ascending, and nothing else. */
static bool unpack_tokens(cpr_vocabulary *v, const uint8_t *in, const uint8_t *end)
{
    for (uint32_t t = 0; t < v->tokens; t++) {
        uint32_t length;
        in = unpack_token(in, end, v->text + v->start[t], &length);
        if (in == NULL)
            return false;
        v->start[t + 1] = v->start[t] + length;
        if (t > 0 && !token_ascends(v, t))
            return false;
    }
    return in == end;
}

static bool unpack_weights(cpr_vocabulary *v, const uint8_t *in)
{
    for (uint32_t t = 0; t < v->tokens; t++) {
        v->weight[t] = in[t];
        if (in[t] > CPR_WEIGHT_MAX_CLASS)
            return false;
    }
    return true;
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
    errno = EINVAL;
    if (bytes < COUNT_BYTES)
        return NULL;
    const uint32_t tokens = packed[0] | (uint32_t)packed[1] << 8 | (uint32_t)packed[2] << 16 |
                            (uint32_t)packed[3] << 24;
    if (tokens < 256 || tokens > CPR_VOCABULARY_MAX_TOKENS || bytes < COUNT_BYTES + tokens)
        return NULL;
    cpr_vocabulary *v = cpr_vocabulary_create_empty(tokens, (size_t)tokens * CPR_TOKEN_MAX_BYTES);
    if (v == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    errno = EINVAL;
    bool good = unpack_weights(v, packed + COUNT_BYTES) &&
                unpack_tokens(v, packed + COUNT_BYTES + tokens, packed + bytes) &&
                holds_all_bytes(v);
    if (good)
        good = cpr_code_tree_build(v); /* where malloc() says if memory ran out */
    if (!good) {
        const int code = errno;
        cpr_vocabulary_free(v);
        errno = code;
        return NULL;
    }
    cpr_vocabulary_index(v);
    return v;
}
