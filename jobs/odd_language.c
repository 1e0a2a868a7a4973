/* odd_language.c - which texts are in a language that is rare in the corpus.
 *
 * There are no tables of languages. The corpus' main language is the mean of those texts that are
 * most alike: a mean of all, then of the half that is nearest to it, and so on. What is far from it
 * may be another main language, if it is enough of the corpus. What is far from all of them is
 * odd. */
#include "odd_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_LEAST 6       /* fewer are no corpus with a language */
#define MAIN_SHARE 0.15     /* of the texts, for a language to belong to the corpus */
#define MAIN_LEAST 4        /* texts */
#define LANGUAGES_MOST 8    /* of a corpus */
#define ROUNDS 6            /* until a mean is a language's */
#define WORDS_WEIGHT 0.3333 /* of a bit of distance between words */
#define LIMIT_NEAR 1.5      /* bits of distance: texts of one language have less */
#define LIMIT_FAR 2.1       /* and texts of two languages more */
#define LIMIT_SPREADS 7.0   /* in between, distances of the median text from the median count */
#define FLOOR 1e-5          /* the rarest that anything is */

/* A text's distance is how many more bits a pair of letters takes with the language's frequencies
 * than with its own, and a third of the same for short words. The chance excess of a short text is
 * subtracted. */
typedef struct language_text {
    size_t row;          /* of the files */
    double own;          /* bits with its own frequencies, less the excess */
    double pairs, words; /* the weights of one of them */
    double distance;     /* from the language in work */
    double nearest;      /* from the nearest one so far */
} language_text;

typedef struct language_search {
    odd_table *table;
    language_text *texts;
    size_t count;
    double *sorted;            /* room to sort in */
    double mean[ODD_PROFILE];  /* of the language in work */
    double costs[ODD_PROFILE]; /* bits */
} language_search;

static int real_compare(const void *a, const void *b)
{
    const double one = *(const double *)a;
    const double two = *(const double *)b;
    return (one > two) - (one < two);
}

static const uint16_t *text_profile(const language_search *search, const language_text *text)
{
    return search->table->profiles + search->table->files[text->row].profile * (size_t)ODD_PROFILE;
}

/* Sum, and bits of one event by the frequencies themselves, less the chance excess. */
static double own_bits(const uint16_t *counts, size_t classes, double *sum)
{
    double bits = 0;
    double used = 0;
    *sum = 0;
    for (size_t i = 0; i < classes; i++)
        *sum += counts[i];
    for (size_t i = 0; i < classes; i++) {
        const double part = counts[i] / *sum;
        bits += counts[i] > 0 ? part * log2(part) : 0;
        used += counts[i] > 0;
    }
    return *sum > 0 ? bits - (used - 1) / (2 * *sum * log(2.0)) : 0;
}

static void text_prepare(const language_search *search, language_text *text)
{
    const uint16_t *counts = text_profile(search, text);
    double pairs;
    double words;
    text->own = own_bits(counts, ODD_PAIRS, &pairs);
    text->pairs = pairs > 0 ? 1 / pairs : 0;
    const double own_words = own_bits(counts + ODD_PAIRS, ODD_WORDS, &words);
    const double weight = WORDS_WEIGHT * words / (words + 10); /* few words tell little */
    text->own += weight * own_words;
    text->words = words > 0 ? weight / words : 0;
    text->nearest = HUGE_VAL;
}

static void text_measure(const language_search *search, language_text *text)
{
    const uint16_t *counts = text_profile(search, text);
    double pairs = 0;
    double words = 0;
    for (size_t i = 0; i < ODD_PAIRS; i++)
        pairs += counts[i] * search->costs[i];
    for (size_t i = ODD_PAIRS; i < ODD_PROFILE; i++)
        words += counts[i] * search->costs[i];
    text->distance = text->own + pairs * text->pairs + words * text->words;
}

/* ---- a language ---------------------------------------------------------------------------- */

static void mean_begin(language_search *search)
{
    for (size_t i = 0; i < ODD_PROFILE; i++)
        search->mean[i] = 0;
}

static void mean_add(language_search *search, const language_text *text)
{
    const uint16_t *counts = text_profile(search, text);
    const double words = text->words > 0 ? text->words : 0;
    for (size_t i = 0; i < ODD_PAIRS; i++)
        search->mean[i] += counts[i] * text->pairs;
    for (size_t i = ODD_PAIRS; i < ODD_PROFILE; i++)
        search->mean[i] += counts[i] * words;
}

static void costs_set(language_search *search, size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += search->mean[i];
    const double all = 1 + FLOOR * (double)(to - from);
    for (size_t i = from; i < to; i++)
        search->costs[i] = -log2(((sum > 0 ? search->mean[i] / sum : 0) + FLOOR) / all);
}

static void mean_end(language_search *search)
{
    costs_set(search, 0, ODD_PAIRS);
    costs_set(search, ODD_PAIRS, ODD_PROFILE);
    for (size_t i = 0; i < search->count; i++)
        text_measure(search, &search->texts[i]);
}

/* The middle of the distances of texts that no language so far is near to. */
static double median_left(language_search *search, double limit)
{
    size_t used = 0;
    for (size_t i = 0; i < search->count; i++)
        if (search->texts[i].nearest > limit)
            search->sorted[used++] = search->texts[i].distance;
    qsort(search->sorted, used, sizeof *search->sorted, real_compare);
    return used > 0 ? search->sorted[(used - 1) / 2] : 0;
}

/* Finds the language of most of the texts that are left; returns how many are of it. */
static size_t language_next(language_search *search, double limit)
{
    size_t near = 0;
    double bound = HUGE_VAL;
    for (unsigned round = 0; round < ROUNDS; round++) {
        mean_begin(search);
        for (size_t i = 0; i < search->count; i++)
            if (search->texts[i].nearest > limit &&
                (round == 0 || search->texts[i].distance <= bound))
                mean_add(search, &search->texts[i]);
        mean_end(search);
        bound = median_left(search, limit);
        if (round >= ROUNDS / 2 && bound < limit)
            bound = limit;
    }
    for (size_t i = 0; i < search->count; i++)
        near += search->texts[i].nearest > limit && search->texts[i].distance <= limit;
    return near;
}

static void language_keep(language_search *search)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->texts[i].distance < search->texts[i].nearest)
            search->texts[i].nearest = search->texts[i].distance;
}

/* From what distance on a text is odd: the more alike the texts are, the less it takes. */
static double limit_of(language_search *search)
{
    size_t used = 0;
    for (size_t i = 0; i < search->count; i++)
        if (search->texts[i].nearest <= LIMIT_FAR)
            search->sorted[used++] = search->texts[i].nearest;
    if (used == 0)
        return LIMIT_FAR;
    qsort(search->sorted, used, sizeof *search->sorted, real_compare);
    const double median = search->sorted[used / 2];
    for (size_t i = 0; i < used; i++)
        search->sorted[i] = fabs(search->sorted[i] - median);
    qsort(search->sorted, used, sizeof *search->sorted, real_compare);
    const double limit = median + LIMIT_SPREADS * search->sorted[used / 2];
    return limit < LIMIT_NEAR ? LIMIT_NEAR : limit > LIMIT_FAR ? LIMIT_FAR : limit;
}

static void search_run(language_search *search)
{
    odd_table *table = search->table;
    const double share = ceil(MAIN_SHARE * (double)search->count);
    const size_t least = share > MAIN_LEAST ? (size_t)share : MAIN_LEAST;
    for (size_t i = 0; i < search->count; i++)
        text_prepare(search, &search->texts[i]);
    while (table->languages < LANGUAGES_MOST) {
        const size_t near = language_next(search, LIMIT_NEAR);
        if (table->languages > 0 && near < least)
            break;
        language_keep(search);
        table->languages++;
    }
    table->language_limit = limit_of(search);
    for (size_t i = 0; i < search->count; i++)
        table->files[search->texts[i].row].distance =
            search->texts[i].nearest > 0 ? search->texts[i].nearest : 0;
}

cpr_status odd_language_find(odd_table *table, cpr_error *error)
{
    cpr_status status = CPR_OK;
    if (table->profile_count < TEXTS_LEAST)
        return CPR_OK;
    language_search *search = calloc(1, sizeof *search);
    language_text *texts = calloc(table->profile_count, sizeof *texts);
    double *sorted = calloc(table->profile_count, sizeof *sorted);
    if (search == NULL || texts == NULL || sorted == NULL) {
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to look for languages");
    } else {
        *search = (language_search){.table = table, .texts = texts, .sorted = sorted};
        for (size_t f = 0; f < table->count; f++)
            if (table->files[f].profile != ODD_NO_ROW)
                texts[search->count++].row = f;
        search_run(search);
    }
    free(search);
    free(texts);
    free(sorted);
    return status;
}
