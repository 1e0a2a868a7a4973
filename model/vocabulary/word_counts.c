/* word_counts.c - how often each word occurs in a sample: a hash table whose words live in an
 * arena. Packed counts are sorted, so equal counts have equal bytes however they were merged. */
#include "word_counts.h"
#include "model.h"

#include "byte_order.h"
#include "word_split.h"

#include <stdlib.h>
#include <string.h>

#define PACKED_ENTRY_HEADER 9u /* length, count */

struct cpr_word_counts {
    uint32_t *slots; /* index of an entry plus one, 0 if free */
    size_t slot_mask;
    cpr_counted_word *entries;
    size_t count, capacity;
    uint8_t *arena;
    size_t arena_bytes, arena_capacity;
};

cpr_word_counts *cpr_word_counts_create(void)
{
    cpr_word_counts *counts = calloc(1, sizeof *counts);
    if (counts == NULL)
        return NULL;
    counts->slot_mask = (1u << 16) - 1;
    counts->slots = calloc(counts->slot_mask + 1, sizeof *counts->slots);
    if (counts->slots == NULL) {
        free(counts);
        return NULL;
    }
    return counts;
}

void cpr_word_counts_free(cpr_word_counts *counts)
{
    if (counts == NULL)
        return;
    free(counts->slots);
    free(counts->entries);
    free(counts->arena);
    free(counts);
}

static uint64_t hash_word(const uint8_t *word, size_t bytes)
{
    uint64_t hash = bytes;
    size_t i = 0;
    for (; i + 8 <= bytes; i += 8)
        hash = (hash ^ cpr_load_le64(word + i)) * UINT64_C(0x9E3779B97F4A7C15) ^ (hash >> 29);
    for (; i < bytes; i++)
        hash = (hash ^ word[i]) * UINT64_C(0x9E3779B97F4A7C15) ^ (hash >> 29);
    return hash ^ (hash >> 32);
}

static bool grow_slots(cpr_word_counts *counts)
{
    const size_t mask = counts->slot_mask * 2 + 1;
    uint32_t *slots = calloc(mask + 1, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < counts->count; i++) {
        const cpr_counted_word *e = &counts->entries[i];
        size_t at = hash_word(counts->arena + e->start, e->bytes) & mask;
        while (slots[at] != 0)
            at = (at + 1) & mask;
        slots[at] = (uint32_t)(i + 1);
    }
    free(counts->slots);
    counts->slots = slots;
    counts->slot_mask = mask;
    return true;
}

static bool reserve_text(cpr_word_counts *counts, size_t bytes)
{
    if (counts->count == counts->capacity) {
        const size_t capacity = counts->capacity * 2 + 1024;
        cpr_counted_word *entries = realloc(counts->entries, capacity * sizeof *entries);
        if (entries == NULL)
            return false;
        counts->entries = entries;
        counts->capacity = capacity;
    }
    if (counts->arena_bytes + bytes > counts->arena_capacity) {
        const size_t capacity = counts->arena_capacity * 2 + (1u << 16);
        uint8_t *arena = realloc(counts->arena, capacity);
        if (arena == NULL)
            return false;
        counts->arena = arena;
        counts->arena_capacity = capacity;
    }
    return counts->count * 2 < counts->slot_mask || grow_slots(counts);
}

static bool add_word(cpr_word_counts *counts, const uint8_t *word, size_t bytes, uint64_t times)
{
    size_t at = hash_word(word, bytes) & counts->slot_mask;
    for (; counts->slots[at] != 0; at = (at + 1) & counts->slot_mask) {
        cpr_counted_word *e = &counts->entries[counts->slots[at] - 1];
        if (e->bytes == bytes && memcmp(counts->arena + e->start, word, bytes) == 0) {
            e->count += times;
            return true;
        }
    }
    if (!reserve_text(counts, bytes))
        return false;
    at = hash_word(word, bytes) & counts->slot_mask; /* the table may have grown */
    while (counts->slots[at] != 0)
        at = (at + 1) & counts->slot_mask;
    counts->entries[counts->count] =
        (cpr_counted_word){.start = counts->arena_bytes, .bytes = (uint32_t)bytes, .count = times};
    memcpy(counts->arena + counts->arena_bytes, word, bytes);
    counts->arena_bytes += bytes;
    counts->slots[at] = (uint32_t)++counts->count;
    return true;
}

bool cpr_word_counts_add(cpr_word_counts *counts, const uint8_t *text, size_t bytes)
{
    while (bytes > 0) {
        const size_t n = cpr_word_length(text, bytes);
        if (!add_word(counts, text, n, 1))
            return false;
        text += n;
        bytes -= n;
    }
    return true;
}

static int compare_words(const cpr_sorted_word *a, const cpr_sorted_word *b)
{
    const size_t shorter = a->bytes < b->bytes ? a->bytes : b->bytes;
    const int order = memcmp(a->text, b->text, shorter);
    return order != 0 ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static int compare_for_qsort(const void *a, const void *b)
{
    return compare_words(a, b);
}

cpr_sorted_word *cpr_word_counts_sorted(const cpr_word_counts *counts, size_t *count)
{
    cpr_sorted_word *words = malloc((counts->count + 1) * sizeof *words);
    if (words == NULL)
        return NULL;
    for (size_t i = 0; i < counts->count; i++) {
        const cpr_counted_word *e = &counts->entries[i];
        words[i] = (cpr_sorted_word){counts->arena + e->start, e->bytes, e->count};
    }
    qsort(words, counts->count, sizeof *words, compare_for_qsort);
    *count = counts->count;
    return words;
}

uint8_t *cpr_word_counts_pack(const cpr_word_counts *counts, size_t *bytes)
{
    size_t count = 0;
    cpr_sorted_word *words = cpr_word_counts_sorted(counts, &count);
    const size_t total = counts->arena_bytes + count * PACKED_ENTRY_HEADER;
    uint8_t *packed = words != NULL ? malloc(total + 1) : NULL;
    uint8_t *out = packed;
    for (size_t i = 0; packed != NULL && i < count; i++) {
        *out = (uint8_t)words[i].bytes;
        cpr_store_le64(out + 1, words[i].count);
        memcpy(out + PACKED_ENTRY_HEADER, words[i].text, words[i].bytes);
        out += PACKED_ENTRY_HEADER + words[i].bytes;
    }
    free(words);
    *bytes = total;
    return packed;
}

bool cpr_word_counts_merge(cpr_word_counts *counts, const uint8_t *packed, size_t bytes)
{
    while (bytes > 0) {
        const size_t n = packed[0];
        if (bytes < PACKED_ENTRY_HEADER || n == 0 || n > CPR_WORD_MAX_BYTES ||
            bytes - PACKED_ENTRY_HEADER < n)
            return false;
        if (!add_word(counts, packed + PACKED_ENTRY_HEADER, n, cpr_load_le64(packed + 1)))
            return false;
        packed += PACKED_ENTRY_HEADER + n;
        bytes -= PACKED_ENTRY_HEADER + n;
    }
    return true;
}
