/* vocabulary.c - the token set: learned from counted words, packed for the archive, and used to cut
 * words into tokens. */
#include "vocabulary.h"

#include "byte_pairs.h"
#include "word_split.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A token must be used this often in the sample, or it costs more to store than it saves. */
#define MIN_TOKEN_USES 48u

/* Tokens are not worth it if they take more than so many percent of the decisions that single bytes
 * take, or if so few bytes make up nearly the whole text. */
#define MOST_DECISIONS 88u
#define FEW_BYTES 10u
#define NEARLY_ALL 95u /* percent */

#define PAIRS 65536u /* of two bytes */

cpr_vocabulary *cpr_vocabulary_create_empty(uint32_t tokens, size_t text_bytes)
{
    cpr_vocabulary *v = calloc(1, sizeof *v);
    if (v == NULL)
        return NULL;
    v->tokens = tokens;
    v->text = malloc(text_bytes);
    v->start = calloc(tokens + 1, sizeof *v->start);
    v->weight = calloc(tokens, 1);
    v->path = calloc(tokens, sizeof *v->path);
    v->depth = calloc(tokens, 1);
    v->nodes = calloc(tokens, sizeof *v->nodes);
    v->pair = calloc(PAIRS, sizeof *v->pair);
    if (v->text == NULL || v->start == NULL || v->weight == NULL || v->path == NULL ||
        v->depth == NULL || v->nodes == NULL || v->pair == NULL) {
        cpr_vocabulary_free(v);
        return NULL;
    }
    return v;
}

void cpr_vocabulary_free(cpr_vocabulary *v)
{
    if (v == NULL)
        return;
    free(v->text);
    free(v->start);
    free(v->weight);
    free(v->path);
    free(v->depth);
    free(v->pair);
    free(v->nodes);
    free(v);
}

cpr_vocabulary *cpr_vocabulary_create_bytes(void)
{
    cpr_vocabulary *v = cpr_vocabulary_create_empty(256, 256);
    if (v == NULL)
        return NULL;
    for (uint32_t t = 0; t < 256; t++) {
        v->text[t] = (uint8_t)t;
        v->start[t + 1] = t + 1;
    }
    cpr_vocabulary_index(v);
    if (!cpr_code_tree_build(v)) {
        cpr_vocabulary_free(v);
        return NULL;
    }
    return v;
}

/* ---- learning ---- */

/* Strings of the byte tokens and of the merges, in the order in which they were learned. */
typedef struct token_strings {
    uint8_t (*text)[CPR_TOKEN_MAX_BYTES];
    uint8_t *bytes;
} token_strings;

typedef struct sort_key {
    const uint8_t *text;
    uint32_t bytes;
} sort_key;

static int compare_keys(const void *left, const void *right)
{
    const sort_key *a = left, *b = right;
    const int order = memcmp(a->text, b->text, a->bytes < b->bytes ? a->bytes : b->bytes);
    return order != 0 ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* A vocabulary of the given strings, sorted, without weights; equal strings become one token. */
static cpr_vocabulary *vocabulary_of_strings(sort_key *keys, uint32_t count)
{
    qsort(keys, count, sizeof *keys, compare_keys);
    uint32_t distinct = 0;
    size_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && compare_keys(&keys[i - 1], &keys[i]) == 0)
            continue;
        distinct++;
        total += keys[i].bytes;
    }
    cpr_vocabulary *v = cpr_vocabulary_create_empty(distinct, total);
    if (v == NULL)
        return NULL;
    uint32_t t = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && compare_keys(&keys[i - 1], &keys[i]) == 0)
            continue;
        memcpy(v->text + v->start[t], keys[i].text, keys[i].bytes);
        v->start[t + 1] = v->start[t] + keys[i].bytes;
        t++;
    }
    cpr_vocabulary_index(v);
    return v;
}

/* How often each token is used when all words are cut with the vocabulary as it is. */
static void count_uses(const cpr_vocabulary *v, const cpr_sorted_word *words, size_t count,
                       uint64_t *uses)
{
    uint16_t tokens[CPR_WORD_MAX_BYTES];
    memset(uses, 0, v->tokens * sizeof *uses);
    for (size_t w = 0; w < count; w++) {
        const size_t n = cpr_vocabulary_cut_word(v, words[w].text, words[w].bytes, tokens);
        for (size_t i = 0; i < n; i++)
            uses[tokens[i]] += words[w].count;
    }
}

static bool weigh_tokens(cpr_vocabulary *v, const uint64_t *uses)
{
    for (uint32_t t = 0; t < v->tokens; t++)
        v->weight[t] = cpr_class_of_weight(3 * uses[t] / 2); /* to the nearest */
    return cpr_code_tree_build(v);
}

/* The vocabulary without the tokens that are used too rarely. */
static cpr_vocabulary *prune_tokens(const cpr_vocabulary *v, const uint64_t *uses)
{
    sort_key *keys = malloc(v->tokens * sizeof *keys);
    if (keys == NULL)
        return NULL;
    uint32_t kept = 0;
    for (uint32_t t = 0; t < v->tokens; t++) {
        const uint32_t bytes = v->start[t + 1] - v->start[t];
        if (bytes == 1 || uses[t] >= MIN_TOKEN_USES)
            keys[kept++] = (sort_key){v->text + v->start[t], bytes};
    }
    cpr_vocabulary *pruned = vocabulary_of_strings(keys, kept);
    free(keys);
    return pruned;
}

static void fill_strings(token_strings *strings, const cpr_merge *merges, uint32_t count)
{
    for (uint32_t t = 0; t < 256; t++) {
        strings->text[t][0] = (uint8_t)t;
        strings->bytes[t] = 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t left = merges[i].left, right = merges[i].right, t = 256 + i;
        memcpy(strings->text[t], strings->text[left], strings->bytes[left]);
        memcpy(strings->text[t] + strings->bytes[left], strings->text[right],
               strings->bytes[right]);
        strings->bytes[t] = (uint8_t)(strings->bytes[left] + strings->bytes[right]);
    }
}

static cpr_vocabulary *vocabulary_of_merges(const cpr_merge *merges, uint32_t count)
{
    const uint32_t tokens = 256 + count;
    cpr_vocabulary *v = NULL;
    token_strings strings = {malloc(tokens * sizeof *strings.text), malloc(tokens)};
    sort_key *keys = malloc(tokens * sizeof *keys);
    if (strings.text != NULL && strings.bytes != NULL && keys != NULL) {
        fill_strings(&strings, merges, count);
        for (uint32_t t = 0; t < tokens; t++)
            keys[t] = (sort_key){strings.text[t], strings.bytes[t]};
        v = vocabulary_of_strings(keys, tokens);
    }
    free(strings.text);
    free(strings.bytes);
    free(keys);
    return v;
}

/* Alternates cutting the words and weighing the tokens, and drops rare tokens. */
static cpr_vocabulary *settle_tokens(cpr_vocabulary *v, const cpr_sorted_word *words, size_t count)
{
    uint64_t *uses = malloc(v->tokens * sizeof *uses);
    cpr_vocabulary *pruned = NULL;
    bool ok = uses != NULL;
    /* at first all depths are 0: the fewest tokens win */
    if (ok)
        count_uses(v, words, count, uses);
    ok = ok && weigh_tokens(v, uses);
    if (ok) {
        count_uses(v, words, count, uses);
        pruned = prune_tokens(v, uses);
    }
    ok = ok && pruned != NULL;
    for (int pass = 0; ok && pass < 2; pass++) {
        count_uses(pruned, words, count, uses);
        ok = weigh_tokens(pruned, uses);
    }
    free(uses);
    cpr_vocabulary_free(v);
    if (!ok) {
        cpr_vocabulary_free(pruned);
        return NULL;
    }
    return pruned;
}

static cpr_vocabulary *learn_tokens(const cpr_sorted_word *words, size_t count, uint32_t max_tokens)
{
    if (max_tokens > CPR_VOCABULARY_MAX_TOKENS)
        max_tokens = CPR_VOCABULARY_MAX_TOKENS;
    const uint32_t max_merges = max_tokens > 256 ? max_tokens - 256 : 0;
    cpr_vocabulary *v = NULL;
    cpr_merge *merges = malloc((max_merges + 1) * sizeof *merges);
    if (merges != NULL) {
        const long learned = cpr_byte_pairs_learn(words, count, max_merges, MIN_TOKEN_USES, merges);
        if (learned >= 0)
            v = vocabulary_of_merges(merges, (uint32_t)learned);
        if (v != NULL)
            v = settle_tokens(v, words, count);
    }
    free(merges);
    return v;
}

cpr_vocabulary *cpr_vocabulary_learn(const cpr_word_counts *counts, uint32_t max_tokens)
{
    size_t count;
    cpr_sorted_word *words = cpr_word_counts_sorted(counts, &count);
    cpr_vocabulary *v = words != NULL ? learn_tokens(words, count, max_tokens) : NULL;
    free(words);
    return v;
}

/* Decisions of all words, each as often as it came. */
static uint64_t count_decisions(const cpr_vocabulary *v, const cpr_sorted_word *words, size_t count,
                                uint64_t *uses)
{
    uint64_t decisions = 0;
    count_uses(v, words, count, uses);
    for (uint32_t t = 0; t < v->tokens; t++)
        decisions += uses[t] * v->depth[t];
    return decisions;
}

static int compare_uses(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* How many of the tokens make up nearly the whole text. Sorts their uses. */
static uint32_t count_usual(uint64_t *uses, uint32_t tokens)
{
    uint64_t all = 0, usual = 0;
    uint32_t n = 0;
    qsort(uses, tokens, sizeof *uses, compare_uses);
    for (uint32_t t = 0; t < tokens; t++)
        all += uses[t];
    while (n < tokens && usual < all / 100 * NEARLY_ALL)
        usual += uses[n++];
    return n;
}

cpr_vocabulary *cpr_vocabulary_fit(const cpr_word_counts *counts, uint32_t max_tokens)
{
    size_t count;
    cpr_sorted_word *words = cpr_word_counts_sorted(counts, &count);
    if (words == NULL)
        return NULL;
    cpr_vocabulary *tokens = learn_tokens(words, count, max_tokens);
    cpr_vocabulary *bytes = cpr_vocabulary_create_bytes();
    if (bytes != NULL)
        bytes = settle_tokens(bytes, words, count);
    uint64_t *uses = tokens != NULL ? malloc(tokens->tokens * sizeof *uses) : NULL;
    cpr_vocabulary *better = NULL;
    if (bytes != NULL && uses != NULL) {
        const uint64_t of_tokens = count_decisions(tokens, words, count, uses);
        const uint64_t of_bytes = count_decisions(bytes, words, count, uses);
        const bool bytes_will_do = of_tokens > of_bytes / 100 * MOST_DECISIONS ||
                                   count_usual(uses, bytes->tokens) <= FEW_BYTES;
        better = bytes_will_do ? bytes : tokens;
    }
    free(words);
    free(uses);
    if (better != tokens)
        cpr_vocabulary_free(tokens);
    if (better != bytes)
        cpr_vocabulary_free(bytes);
    return better;
}

/* ---- use ---- */

uint32_t cpr_vocabulary_tokens(const cpr_vocabulary *v)
{
    return v->tokens;
}

const uint8_t *cpr_vocabulary_token(const cpr_vocabulary *v, uint32_t token, size_t *bytes)
{
    assert(token < v->tokens);
    *bytes = v->start[token + 1] - v->start[token];
    return v->text + v->start[token];
}

uint32_t cpr_vocabulary_path(const cpr_vocabulary *v, uint32_t token, unsigned *length)
{
    assert(token < v->tokens);
    *length = v->depth[token];
    return v->path[token];
}

/* Whether a token is below all that begin with that pair of bytes. */
static bool is_below(const cpr_vocabulary *v, uint32_t token, uint32_t pair)
{
    const uint8_t *text = v->text + v->start[token];
    if (text[0] != pair >> 8)
        return text[0] < pair >> 8;
    return v->start[token + 1] - v->start[token] == 1 || text[1] < (pair & 0xff);
}

void cpr_vocabulary_index(cpr_vocabulary *v)
{
    uint32_t token = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        v->first[byte] = token;
        while (token < v->tokens && v->text[v->start[token]] == byte)
            token++;
    }
    v->first[256] = token;
    for (uint32_t pair = 0, at = 0; pair < PAIRS; pair++) {
        while (at < v->tokens && is_below(v, at, pair))
            at++;
        v->pair[pair] = at;
    }
}

/* [*low, *high) become the tokens that begin with those two bytes. */
static void narrow_to_pair(const cpr_vocabulary *v, const uint8_t *bytes, uint32_t *low,
                           uint32_t *high)
{
    const uint32_t pair = (uint32_t)bytes[0] << 8 | bytes[1];
    *low = v->pair[pair];
    *high = bytes[1] < 255 ? v->pair[pair + 1] : v->first[bytes[0] + 1];
}

/* Narrows [*low, *high) from the tokens that share their first `at` bytes to those whose next byte
 * is `byte`. */
static void narrow(const cpr_vocabulary *v, uint32_t at, uint8_t byte, uint32_t *low,
                   uint32_t *high)
{
    uint32_t first = *low, end = *high;
    while (first < end) { /* the first token whose byte there is not below `byte` */
        const uint32_t middle = first + (end - first) / 2;
        const uint32_t bytes = v->start[middle + 1] - v->start[middle];
        if (bytes <= at || v->text[v->start[middle] + at] < byte)
            first = middle + 1;
        else
            end = middle;
    }
    *low = first;
    end = *high;
    while (first < end) { /* the first token whose byte there is above it */
        const uint32_t middle = first + (end - first) / 2;
        if (v->text[v->start[middle] + at] <= byte)
            first = middle + 1;
        else
            end = middle;
    }
    *high = first;
}

size_t cpr_vocabulary_cut_word(const cpr_vocabulary *v, const uint8_t *word, size_t bytes,
                               uint16_t *tokens)
{
    uint32_t cost[CPR_WORD_MAX_BYTES + 1]; /* of the rest from here, in 1/16 decision */
    uint16_t choice[CPR_WORD_MAX_BYTES];
    cost[bytes] = 0;
    for (size_t from = bytes; from-- > 0;) {
        uint32_t low = v->first[word[from]], high = v->first[word[from] + 1];
        cost[from] = UINT32_MAX;
        for (size_t n = 1; from + n <= bytes; n++) {
            if (n == 2)
                narrow_to_pair(v, word + from, &low, &high);
            else if (n > 2)
                narrow(v, (uint32_t)(n - 1), word[from + n - 1], &low, &high);
            if (low == high)
                break;
            if (v->start[low + 1] - v->start[low] != n)
                continue;
            const uint32_t total = cost[from + n] + 16u * v->depth[low] + 1;
            if (total <= cost[from]) { /* of equals the longest */
                cost[from] = total;
                choice[from] = (uint16_t)low;
            }
        }
    }
    size_t count = 0;
    for (size_t at = 0; at < bytes; count++) {
        /* Every byte is a token, so there is a choice everywhere. */
        tokens[count] = choice[at]; /* NOLINT(clang-analyzer-core.uninitialized.Assign) */
        at += v->start[choice[at] + 1] - v->start[choice[at]];
    }
    return count;
}
