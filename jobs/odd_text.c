/* odd_text.c - what is told of one text while it passes by. */
#include "odd_text.h"

#include <stdlib.h>
#include <string.h>

#define ROLL UINT64_C(0x9e3779b97f4a7c15)
#define TAG_MOST 200 /* characters between < and >; more is no tag */

/* ---- stretches ----------------------------------------------------------------------------- */

static uint64_t mark_mix(uint64_t h)
{
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ (h >> 33);
}

static int mark_compare(const void *a, const void *b)
{
    const uint64_t one = ((const odd_mark *)a)->hash;
    const uint64_t two = ((const odd_mark *)b)->hash;
    return (one > two) - (one < two);
}

/* Each hash once, and no more than the smallest. */
static void marks_pack(odd_text *text)
{
    size_t used = 0;
    qsort(text->marks, text->mark_count, sizeof *text->marks, mark_compare);
    for (size_t i = 0; i < text->mark_count; i++) {
        if (used > 0 && text->marks[used - 1].hash == text->marks[i].hash)
            text->marks[used - 1].count += text->marks[i].count;
        else
            text->marks[used++] = text->marks[i];
    }
    if (used > text->marks_most) {
        used = text->marks_most;
        text->limit = text->marks[used - 1].hash;
    }
    text->mark_count = used;
}

static void mark_add(odd_text *text, uint64_t hash)
{
    text->counts.windows++;
    if (hash > text->limit)
        return;
    if (text->mark_count == 2 * text->marks_most)
        marks_pack(text);
    if (hash <= text->limit)
        text->marks[text->mark_count++] = (odd_mark){.hash = hash, .count = 1};
}

/* ROLL to the power of the window. */
static uint64_t roll_out(void)
{
    uint64_t power = 1;
    for (int i = 0; i < ODD_WINDOW; i++)
        power *= ROLL;
    return power;
}

static void window_add(odd_text *text, uint8_t byte, uint64_t out)
{
    const bool is_blank = byte == ' ' || (byte >= '\t' && byte <= '\r');
    if (is_blank && text->is_blank)
        return;
    text->is_blank = is_blank;
    if (is_blank)
        byte = ' ';
    else if (byte >= 'A' && byte <= 'Z')
        byte = (uint8_t)(byte | 0x20);
    text->rolled = text->rolled * ROLL + byte + 1;
    if (text->window_used == ODD_WINDOW)
        text->rolled -= out * (text->window[text->window_at] + UINT64_C(1));
    else
        text->window_used++;
    text->window[text->window_at] = byte;
    text->window_at = (text->window_at + 1) % ODD_WINDOW;
    if (text->window_used == ODD_WINDOW)
        mark_add(text, mark_mix(text->rolled));
}

/* ---- letters ------------------------------------------------------------------------------- */

/* 0: no letter. The classes of letters beyond ASCII are by chance: what language they are of is
 * told by what they follow. */
static unsigned letter_class(uint32_t code)
{
    if (code < 0x80) {
        const uint32_t small = code | 0x20;
        return small >= 'a' && small <= 'z' ? small - 'a' + 1 : 0;
    }
    const bool is_sign = code < 0xc0 || code == 0xd7 || code == 0xf7 ||
                         (code >= 0x2000 && code < 0x2c00) || (code >= 0x3000 && code <= 0x3020) ||
                         (code >= 0xff00 && code <= 0xff20) || code == 0xfffd;
    return is_sign ? 0 : 27 + ((code * UINT32_C(2654435761)) >> 20) % 5;
}

static void letter_add(odd_text *text, unsigned letter)
{
    if (letter > 0 || text->letter > 0)
        text->profile[text->letter * 32 + letter]++;
    text->letter = letter;
    if (letter > 0) {
        text->word = text->word * 33 + letter;
        text->word_length++;
        return;
    }
    text->counts.words += text->word_length > 0;
    if (text->word_length > 0 && text->word_length <= 4)
        text->profile[ODD_PAIRS + ((text->word * UINT32_C(2654435761)) >> 24)]++;
    text->word_length = 0;
    text->word = 0;
}

/* Names in tags are of no language. */
static void language_add(odd_text *text, uint32_t code)
{
    if (text->in_tag) {
        text->in_tag = code != '>' && text->tag_length++ < TAG_MOST;
        return;
    }
    const unsigned letter = letter_class(code);
    if (code == '<') {
        text->in_tag = true;
        text->tag_length = 0;
    }
    text->counts.letters += letter > 0;
    text->counts.signs += letter == 0 && code > ' ';
    letter_add(text, letter);
}

/* ---- characters ---------------------------------------------------------------------------- */

/* The byte that Windows-1252, or else Latin-1, reads as this character; 0: there is none above
 * ASCII. */
static unsigned character_byte(uint32_t code)
{
    static const uint16_t windows[32] = {
        0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};
    if (code >= 0x80 && code <= 0xff)
        return code;
    for (unsigned i = 0; code > 0xff && code < 0x2200 && i < 32; i++)
        if (windows[i] == code)
            return 0x80 + i;
    return 0;
}

/* Bytes that follow this one in UTF-8; 0: it begins no character of several. */
static unsigned lead_needs(unsigned byte)
{
    return byte >= 0xc2 && byte <= 0xdf   ? 1
           : (byte & 0xf0) == 0xe0        ? 2
           : byte >= 0xf0 && byte <= 0xf4 ? 3
                                          : 0;
}

/* Looks for UTF-8 in the bytes that characters were read from. */
static void twice_add(odd_text *text, uint32_t code)
{
    const unsigned byte = character_byte(code);
    if (text->twice_need > 0 && byte >= 0x80 && byte < 0xc0) {
        if (--text->twice_need == 0)
            text->counts.twice += text->twice_length;
        return;
    }
    text->twice_need = lead_needs(byte);
    text->twice_length = text->twice_need + 1;
}

static void accent_add(odd_text *text, uint32_t code)
{
    if (code < 0xc0 || code > 0xff || code == 0xd7 || code == 0xf7) {
        text->accent_run = 0;
        return;
    }
    text->accent_run++;
    text->counts.accents += text->accent_run == 4 ? 4 : text->accent_run > 4;
}

static void character_add(odd_text *text, uint32_t code)
{
    odd_counts *counts = &text->counts;
    counts->characters++;
    language_add(text, code);
    if (code < 0x80) {
        counts->controls += (code < ' ' && code != 0 && code != '\b' && code != 0x1b &&
                             (code < '\t' || code > '\r')) ||
                            code == 0x7f;
        text->twice_need = 0;
        text->accent_run = 0;
        return;
    }
    counts->beyond_ascii++;
    counts->c1 += code <= 0x9f;
    counts->replaced += code == 0xfffd;
    twice_add(text, code);
    accent_add(text, code);
}

static void invalid_add(odd_text *text)
{
    text->counts.invalid++;
    text->twice_need = 0;
    text->accent_run = 0;
    language_add(text, 0xfffd);
}

static void lead_add(odd_text *text, uint8_t byte)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    text->need = lead_needs(byte);
    text->least = least[text->need];
    text->code = byte & (0x3fU >> text->need);
    if (byte < 0x80)
        character_add(text, byte);
    else if (text->need == 0 && !(text->is_cut && text->counts.bytes < 4 && byte < 0xc0))
        invalid_add(text);
}

static void byte_add(odd_text *text, uint8_t byte)
{
    if (text->need == 0) {
        lead_add(text, byte);
        return;
    }
    if ((byte & 0xc0) != 0x80) {
        text->need = 0;
        invalid_add(text);
        lead_add(text, byte);
        return;
    }
    text->code = text->code << 6 | (byte & 0x3f);
    if (--text->need > 0)
        return;
    if (text->code < text->least || text->code > 0x10ffff ||
        (text->code >= 0xd800 && text->code < 0xe000))
        invalid_add(text);
    else
        character_add(text, text->code);
}

/* ---- texts --------------------------------------------------------------------------------- */

void odd_text_begin(odd_text *text, size_t marks_most, bool is_cut)
{
    memset(text, 0, offsetof(odd_text, marks));
    memset(&text->mark_count, 0, sizeof *text - offsetof(odd_text, mark_count));
    text->marks_most = marks_most;
    text->limit = UINT64_MAX;
    text->is_cut = is_cut;
}

void odd_text_add(odd_text *text, const uint8_t *data, size_t bytes)
{
    const uint64_t out = roll_out();
    for (size_t i = 0; i < bytes; i++) {
        if (data[i] == 0 && text->counts.bytes % 2 == 0)
            text->counts.nul_even++;
        else if (data[i] == 0)
            text->counts.nul_odd++;
        byte_add(text, data[i]);
        window_add(text, data[i], out);
        text->counts.bytes++;
    }
}

void odd_text_skip(odd_text *text)
{
    letter_add(text, 0);
    text->need = text->twice_need = text->accent_run = 0;
    memset(text->window, 0, sizeof text->window);
    text->window_at = text->window_used = 0;
    text->rolled = 0;
    text->is_blank = text->in_tag = false;
}

void odd_text_end(odd_text *text, bool is_whole)
{
    uint64_t seen = 0;
    letter_add(text, 0);
    if (text->need > 0 && is_whole)
        invalid_add(text);
    marks_pack(text);
    for (size_t i = 0; i < text->mark_count; i++)
        seen += text->marks[i].count;
    if (seen > 0)
        text->counts.repeated = (uint64_t)((double)text->counts.windows *
                                           ((double)(seen - text->mark_count) / (double)seen));
}
