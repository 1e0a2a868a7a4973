/* byte_pairs.c - byte-pair merges (Sennrich, Haddow, Birch 2016, arXiv:1508.07909).
 *
 * Every pair of adjacent tokens has an entry with its count and a chain of the words that hold it.
 * A heap gives the most frequent pair; its keys may be out of date and are checked when popped.
 * Merging a pair visits the words of its chain only. */
#include "byte_pairs.h"

#include "word_split.h"

#include <stdlib.h>
#include <string.h>

typedef struct pair_entry {
    uint32_t key;   /* left << 16 | right */
    uint32_t chain; /* index of the first occurrence plus one, 0 if none */
    int64_t count;
} pair_entry;

typedef struct occurrence {
    uint32_t word;
    uint32_t next;
} occurrence;

typedef struct heap_item {
    int64_t count;
    uint32_t key;
} heap_item;

typedef struct learner {
    const cpr_sorted_word *words;
    size_t word_count;
    uint16_t *symbols; /* CPR_WORD_MAX_BYTES a word is more than most need: packed by `starts` */
    size_t *starts;
    uint8_t *lengths; /* in symbols */

    pair_entry *pairs;
    uint32_t *slots; /* index of a pair plus one */
    size_t pair_count, pair_capacity, slot_mask;

    occurrence *occurrences;
    size_t occurrence_count, occurrence_capacity;

    heap_item *heap;
    size_t heap_count, heap_capacity;
} learner;

/* ---- heap: largest count first, of equals the smallest key ---- */

static bool item_before(heap_item a, heap_item b)
{
    return a.count != b.count ? a.count > b.count : a.key < b.key;
}

static bool heap_push(learner *l, heap_item item)
{
    if (l->heap_count == l->heap_capacity) {
        const size_t capacity = l->heap_capacity * 2 + 1024;
        heap_item *heap = realloc(l->heap, capacity * sizeof *heap);
        if (heap == NULL)
            return false;
        l->heap = heap;
        l->heap_capacity = capacity;
    }
    size_t i = l->heap_count++;
    for (; i > 0 && item_before(item, l->heap[(i - 1) / 2]); i = (i - 1) / 2)
        l->heap[i] = l->heap[(i - 1) / 2];
    l->heap[i] = item;
    return true;
}

static heap_item heap_pop(learner *l)
{
    const heap_item top = l->heap[0];
    const heap_item last = l->heap[--l->heap_count];
    size_t i = 0;
    for (size_t child = 1; child < l->heap_count; child = 2 * i + 1) {
        if (child + 1 < l->heap_count && item_before(l->heap[child + 1], l->heap[child]))
            child++;
        if (!item_before(l->heap[child], last))
            break;
        l->heap[i] = l->heap[child];
        i = child;
    }
    l->heap[i] = last;
    return top;
}

/* ---- pairs ---- */

static size_t slot_of(const learner *l, uint32_t key)
{
    size_t at = (key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & l->slot_mask;
    while (l->slots[at] != 0 && l->pairs[l->slots[at] - 1].key != key)
        at = (at + 1) & l->slot_mask;
    return at;
}

static bool grow_pairs(learner *l)
{
    const size_t capacity = l->pair_capacity * 2;
    pair_entry *pairs = realloc(l->pairs, capacity * sizeof *pairs);
    if (pairs == NULL)
        return false;
    l->pairs = pairs;
    uint32_t *slots = calloc(capacity * 2, sizeof *slots);
    if (slots == NULL)
        return false;
    free(l->slots);
    l->slots = slots;
    l->pair_capacity = capacity;
    l->slot_mask = capacity * 2 - 1;
    for (size_t i = 0; i < l->pair_count; i++)
        l->slots[slot_of(l, l->pairs[i].key)] = (uint32_t)(i + 1);
    return true;
}

/* The entry of a pair, made if it is new. NULL: out of memory. */
static pair_entry *pair_of(learner *l, uint32_t key)
{
    size_t at = slot_of(l, key);
    if (l->slots[at] == 0) {
        if (l->pair_count == l->pair_capacity) {
            if (!grow_pairs(l))
                return NULL;
            at = slot_of(l, key);
        }
        l->pairs[l->pair_count] = (pair_entry){.key = key};
        l->slots[at] = (uint32_t)++l->pair_count;
    }
    return &l->pairs[l->slots[at] - 1];
}

static bool add_occurrence(learner *l, pair_entry *pair, uint32_t word)
{
    if (pair->chain != 0 && l->occurrences[pair->chain - 1].word == word)
        return true;
    if (l->occurrence_count == l->occurrence_capacity) {
        const size_t capacity = l->occurrence_capacity * 2 + 4096;
        occurrence *grown = realloc(l->occurrences, capacity * sizeof *grown);
        if (grown == NULL)
            return false;
        l->occurrences = grown;
        l->occurrence_capacity = capacity;
    }
    l->occurrences[l->occurrence_count] = (occurrence){word, pair->chain};
    pair->chain = (uint32_t)++l->occurrence_count;
    return true;
}

static uint32_t key_at(const uint16_t *symbols, size_t i)
{
    return (uint32_t)symbols[i] << 16 | symbols[i + 1];
}

/* ---- the algorithm ---- */

static void learner_free(learner *l)
{
    free(l->symbols);
    free(l->starts);
    free(l->lengths);
    free(l->pairs);
    free(l->slots);
    free(l->occurrences);
    free(l->heap);
}

static bool learner_init(learner *l, const cpr_sorted_word *words, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += words[i].bytes;
    *l = (learner){.words = words, .word_count = count, .pair_capacity = 1u << 15};
    l->slot_mask = l->pair_capacity * 2 - 1;
    l->symbols = malloc((total + 1) * sizeof *l->symbols);
    l->starts = malloc((count + 1) * sizeof *l->starts);
    l->lengths = malloc(count + 1);
    l->pairs = malloc(l->pair_capacity * sizeof *l->pairs);
    l->slots = calloc(l->pair_capacity * 2, sizeof *l->slots);
    if (l->symbols == NULL || l->starts == NULL || l->lengths == NULL || l->pairs == NULL ||
        l->slots == NULL)
        return false;
    size_t at = 0;
    for (size_t w = 0; w < count; w++) {
        l->starts[w] = at;
        l->lengths[w] = (uint8_t)words[w].bytes;
        for (size_t i = 0; i < words[w].bytes; i++)
            l->symbols[at++] = words[w].text[i];
    }
    return true;
}

static bool count_pairs(learner *l)
{
    for (size_t w = 0; w < l->word_count; w++) {
        const uint16_t *symbols = l->symbols + l->starts[w];
        for (size_t i = 0; i + 1 < l->lengths[w]; i++) {
            pair_entry *pair = pair_of(l, key_at(symbols, i));
            if (pair == NULL || !add_occurrence(l, pair, (uint32_t)w))
                return false;
            pair->count += (int64_t)l->words[w].count;
        }
    }
    for (size_t i = 0; i < l->pair_count; i++)
        if (!heap_push(l, (heap_item){l->pairs[i].count, l->pairs[i].key}))
            return false;
    return true;
}

/* Replaces the pair by `token` in one word and keeps the counts of all its pairs. */
static bool merge_in_word(learner *l, uint32_t word, uint32_t key, uint16_t token)
{
    uint16_t *symbols = l->symbols + l->starts[word];
    const size_t length = l->lengths[word];
    const int64_t times = (int64_t)l->words[word].count;
    bool found = false;
    for (size_t i = 0; i + 1 < length && !found; i++)
        found = key_at(symbols, i) == key;
    if (!found)
        return true;
    for (size_t i = 0; i + 1 < length; i++)
        l->pairs[l->slots[slot_of(l, key_at(symbols, i))] - 1].count -= times;
    size_t kept = 0;
    for (size_t i = 0; i < length; i++) {
        if (i + 1 < length && key_at(symbols, i) == key) {
            symbols[kept++] = token;
            i++;
        } else {
            symbols[kept++] = symbols[i];
        }
    }
    l->lengths[word] = (uint8_t)kept;
    for (size_t i = 0; i + 1 < kept; i++) {
        pair_entry *pair = pair_of(l, key_at(symbols, i));
        if (pair == NULL)
            return false;
        pair->count += times;
        const bool is_new = symbols[i] == token || symbols[i + 1] == token;
        if (is_new && !add_occurrence(l, pair, word))
            return false;
    }
    return true;
}

static bool merge_pair(learner *l, uint32_t key, uint16_t token)
{
    const size_t first_new = l->pair_count;
    uint32_t chain = pair_of(l, key)->chain;
    while (chain != 0) {
        const occurrence o = l->occurrences[chain - 1];
        if (!merge_in_word(l, o.word, key, token))
            return false;
        chain = o.next;
    }
    /* only pairs with the new token can have grown, and all of them are new */
    for (size_t i = first_new; i < l->pair_count; i++)
        if (!heap_push(l, (heap_item){l->pairs[i].count, l->pairs[i].key}))
            return false;
    return true;
}

long cpr_byte_pairs_learn(const cpr_sorted_word *words, size_t count, uint32_t max_merges,
                          uint64_t min_count, cpr_merge *merges)
{
    learner l;
    uint32_t learned = 0;
    bool ok = learner_init(&l, words, count) && count_pairs(&l);
    while (ok && learned < max_merges && l.heap_count > 0) {
        const heap_item top = heap_pop(&l);
        const int64_t current = pair_of(&l, top.key)->count;
        if (current < (int64_t)min_count)
            continue;
        if (current != top.count) {
            ok = heap_push(&l, (heap_item){current, top.key});
            continue;
        }
        merges[learned] = (cpr_merge){(uint16_t)(top.key >> 16), (uint16_t)top.key};
        ok = merge_pair(&l, top.key, (uint16_t)(256 + learned));
        learned++;
    }
    learner_free(&l);
    return ok ? (long)learned : -1;
}
