/* novelty.c - guesses of the next byte by what followed the same bytes before. */
#include "novelty.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FRONT 16u /* bytes that are read in front of the text, zeros */
#define AHEAD 16u /* how far ahead tables are fetched into the caches */
#define MATCH_BYTES 8u
#define MATCH_BITS 22u
#define COUNT_MAX 15u
#define LENGTHS 44u /* classes of matches, with and without a miss a short while ago */
#define MISS_LASTS 16u
#define COST_BITS 12u

/* Contexts that guess, from the longest: bytes, and log2 of the entries. */
enum { SIX, FOUR, THREE, TABLES };
static const unsigned context_bytes[TABLES] = {6, 4, 3};
static const unsigned context_bits[TABLES] = {22, 22, 18};
#define ORDERS (TABLES + 1u) /* and two bytes */
#define MISSES 4u            /* guesses that were wrong already, at most */

/* What is kept of the past, but for the text itself. */
typedef struct novelty_tables {
    uint32_t match[1u << MATCH_BITS]; /* where the bytes with that hash were last */
    uint32_t six[1u << 22];           /* a byte, how often it came, a check of 16 bits */
    uint32_t four[1u << 22];
    uint32_t three[1u << 18];
    uint16_t two[1u << 16]; /* a byte, how often it came */
    float after[256][256];  /* bytes that no guess found, after the one before */
    float all_after[256];
    uint16_t match_right[LENGTHS]; /* chances that guesses are right, of 65536 */
    uint16_t right[ORDERS][COUNT_MAX + 1][MISSES];
    size_t bytes;  /* of the text */
    size_t at;     /* what the match expects next */
    size_t length; /* of the match; 0: none */
    unsigned missed;
} novelty_tables;

struct cpr_novelty {
    novelty_tables *now;
    novelty_tables *kept;
    uint8_t *text; /* FRONT zeros, then the text */
    float cost[1u << COST_BITS];
};

static void tables_begin(novelty_tables *t)
{
    for (unsigned i = 0; i < LENGTHS; i++)
        t->match_right[i] = 60000;
    for (unsigned i = 0; i < ORDERS; i++)
        for (unsigned j = 0; j <= COUNT_MAX; j++)
            for (unsigned k = 0; k < MISSES; k++)
                t->right[i][j][k] = 32768;
}

cpr_novelty *cpr_novelty_create(size_t capacity)
{
    cpr_novelty *n = calloc(1, sizeof *n);
    if (n == NULL)
        return NULL;
    n->now = calloc(1, sizeof *n->now);
    n->text = calloc(1, FRONT + capacity + AHEAD + MATCH_BYTES);
    if (n->now == NULL || n->text == NULL) {
        cpr_novelty_free(n);
        return NULL;
    }
    tables_begin(n->now);
    for (unsigned i = 0; i < 1u << COST_BITS; i++)
        n->cost[i] = -log2f(((float)i + 0.5F) / (float)(1u << COST_BITS));
    return n;
}

void cpr_novelty_free(cpr_novelty *n)
{
    if (n == NULL)
        return;
    free(n->now);
    free(n->kept);
    free(n->text);
    free(n);
}

size_t cpr_novelty_memory(size_t capacity)
{
    return sizeof(cpr_novelty) + 2 * sizeof(novelty_tables) + capacity;
}

uint8_t *cpr_novelty_room(cpr_novelty *n, size_t bytes)
{
    (void)bytes;
    return n->text + FRONT + n->now->bytes;
}

int cpr_novelty_keep(cpr_novelty *n)
{
    if (n->kept == NULL)
        n->kept = malloc(sizeof *n->kept);
    if (n->kept != NULL)
        memcpy(n->kept, n->now, sizeof *n->kept);
    return n->kept != NULL;
}

void cpr_novelty_return(cpr_novelty *n)
{
    memcpy(n->now, n->kept, sizeof *n->now);
}

/* ---- a byte --------------------------------------------------------------------------------- */

/* The eight bytes in front of `end`, the last one highest. */
static inline uint64_t novelty_before(const uint8_t *end)
{
    uint64_t bytes = 0;
    memcpy(&bytes, end - 8, sizeof bytes); /* on machines of the other byte order: another hash */
    return bytes;
}

static inline uint64_t novelty_hash(uint64_t before, unsigned bytes)
{
    return (before >> (64 - 8 * bytes)) * UINT64_C(0x9E3779B97F4A7C15);
}

/* What it costs that a guess is right or wrong, which is learned. */
static inline float novelty_flag(const cpr_novelty *n, uint16_t *chance, bool right)
{
    const unsigned p = right ? *chance : 65535u - *chance;
    if (right)
        *chance = (uint16_t)(*chance + ((65535 - *chance) >> 6));
    else
        *chance = (uint16_t)(*chance - (*chance >> 6));
    return n->cost[p >> (16 - COST_BITS)];
}

/* An entry, a byte below the times it came, learns the next byte. */
static inline uint32_t novelty_entry(uint32_t entry, uint8_t byte)
{
    const uint32_t count = entry >> 8;
    if (count == 0 || (count == 1 && (entry & 255) != byte))
        return 1u << 8 | byte;
    if ((entry & 255) == byte)
        return count < COUNT_MAX ? entry + (1u << 8) : entry;
    return entry - ((count + 1) / 2 << 8);
}

static unsigned novelty_length_class(const novelty_tables *t)
{
    const size_t l = t->length;
    const unsigned class = l < 16    ? (unsigned)(l - MATCH_BYTES)
                           : l < 32  ? (unsigned)(8 + (l - 16) / 4)
                           : l < 256 ? (unsigned)(12 + (l - 32) / 32)
                                     : 20;
    return 2 * class + (t->missed > 0);
}

/* Looks for a match at the text's byte `i`. */
static inline void novelty_find(novelty_tables *t, const uint8_t *text, size_t i, uint64_t before)
{
    uint32_t *place = &t->match[novelty_hash(before, MATCH_BYTES) >> (64 - MATCH_BITS)];
    const size_t from = *place;
    if (t->length == 0 && from > 0 && novelty_before(text + from) == before) {
        size_t length = MATCH_BYTES;
        while (length < 32 && length < from && text[from - 1 - length] == text[i - 1 - length])
            length++;
        t->length = length;
        t->at = from;
    }
    *place = (uint32_t)i;
}

/* What the bytes so far say of one: `known` is set when it is found, else to a byte it is not. */
typedef struct novelty_search {
    bool found;
    int wrong;
    unsigned misses;
} novelty_search;

static inline float novelty_follow(const cpr_novelty *n, novelty_tables *t, const uint8_t *text,
                                   uint8_t byte, novelty_search *search)
{
    if (t->length == 0)
        return 0;
    const uint8_t expected = text[t->at];
    search->found = expected == byte;
    const float cost = novelty_flag(n, &t->match_right[novelty_length_class(t)], search->found);
    t->missed -= t->missed > 0;
    t->length = search->found ? t->length + 1 : 0;
    t->at++;
    if (search->found)
        return cost;
    search->wrong = expected;
    search->misses = 1;
    t->missed = MISS_LASTS;
    return cost;
}

static inline float novelty_guess(const cpr_novelty *n, uint16_t chances[][MISSES], uint32_t entry,
                                  uint8_t byte, novelty_search *search)
{
    const uint32_t count = entry >> 8;
    const int guess = entry & 255;
    if (search->found || count == 0 || guess == search->wrong)
        return 0;
    search->found = guess == byte;
    const float cost = novelty_flag(n, &chances[count][search->misses], search->found);
    if (!search->found) {
        search->wrong = guess;
        search->misses += search->misses < MISSES - 1;
    }
    return cost;
}

/* The same by a table whose entries have checks. */
static inline float novelty_look(const cpr_novelty *n, uint32_t *table, unsigned order,
                                 uint64_t before, uint8_t byte, novelty_search *search)
{
    const uint64_t hash = novelty_hash(before, context_bytes[order]);
    uint32_t *slot = &table[hash >> (64 - context_bits[order])];
    const uint32_t check = (uint32_t)(hash >> 16) & 0xFFFF;
    const uint32_t entry = *slot >> 16 == check ? *slot & 0xFFFF : 0;
    const float cost = novelty_guess(n, n->now->right[order], entry, byte, search);
    *slot = check << 16 | novelty_entry(entry, byte);
    return cost;
}

static float novelty_rest(novelty_tables *t, uint8_t last, uint8_t byte)
{
    const float share = (t->after[last][byte] + 0.02F) / (t->all_after[last] + 0.02F * 256);
    t->after[last][byte] += 1;
    t->all_after[last] += 1;
    if (t->all_after[last] < 16000)
        return -log2f(share);
    for (unsigned i = 0; i < 256; i++)
        t->after[last][i] /= 2;
    t->all_after[last] /= 2;
    return -log2f(share);
}

static inline void novelty_fetch(const novelty_tables *t, uint64_t before)
{
    __builtin_prefetch(&t->match[novelty_hash(before, MATCH_BYTES) >> (64 - MATCH_BITS)], 1);
    __builtin_prefetch(&t->six[novelty_hash(before, 6) >> (64 - 22)], 1);
    __builtin_prefetch(&t->four[novelty_hash(before, 4) >> (64 - 22)], 1);
}

void cpr_novelty_take(cpr_novelty *n, size_t bytes, cpr_novelty_bits *bits)
{
    novelty_tables *t = n->now;
    const uint8_t *text = n->text + FRONT;
    for (size_t end = t->bytes + bytes; t->bytes < end; t->bytes++) {
        const size_t i = t->bytes;
        const uint8_t byte = text[i];
        const uint64_t before = novelty_before(text + i);
        novelty_search search = {.wrong = -1};
        novelty_fetch(t, novelty_before(text + i + AHEAD));
        novelty_find(t, text, i, before);
        bits->match += novelty_follow(n, t, text, byte, &search);
        bits->far += search.found && i - t->at >= CPR_NOVELTY_FAR;
        float guess = novelty_look(n, t->six, SIX, before, byte, &search);
        guess += novelty_look(n, t->four, FOUR, before, byte, &search);
        guess += novelty_look(n, t->three, THREE, before, byte, &search);
        uint16_t *two = &t->two[before >> 48];
        guess += novelty_guess(n, t->right[TABLES], *two, byte, &search);
        *two = (uint16_t)novelty_entry(*two, byte);
        bits->guess += guess;
        if (!search.found)
            bits->rest += novelty_rest(t, (uint8_t)(before >> 56), byte);
    }
}
