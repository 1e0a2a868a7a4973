/* text_state.c - follows words, lines, fields and tags byte by byte. */
#include "text_state.h"

#include "word_split.h"

#include <stdbool.h>

#define HASH_MULTIPLIER 0x2F0B4C47u

static uint32_t hash_byte(uint32_t hash, uint8_t byte)
{
    hash = (hash + byte + 1) * HASH_MULTIPLIER;
    return hash ^ hash >> 15;
}

static void follow_words(cpr_text_state *s, uint8_t byte, bool in_word)
{
    if (in_word) {
        const uint8_t lower = byte >= 'A' && byte <= 'Z' ? byte | 32 : byte;
        if (s->word == 0)
            s->capital = lower != byte;
        s->word = hash_byte(s->word, lower);
    } else if (s->word != 0) {
        s->words[2] = s->words[1];
        s->words[1] = s->words[0];
        s->words[0] = s->word;
        if (s->capital)
            s->capitalized = s->word;
        s->word = 0;
    }
}

static void follow_lines(cpr_text_state *s, uint8_t byte)
{
    s->text[s->position++ % CPR_LINE_RING] = byte;
    if (byte == '\n') {
        s->line_before = s->line;
        s->line = s->position;
        s->column = s->indentation = s->first_byte = s->line_start = 0;
        return;
    }
    s->column++;
    if (s->first_byte == 0) {
        if (byte == ' ' || byte == '\t')
            s->indentation++;
        else
            s->first_byte = byte;
    }
    if (s->line_start >> 24 == 0 && byte != ' ' && byte != '\t')
        s->line_start = s->line_start << 8 | byte;
}

/* Letters, capitals, digits, blanks and line ends; other bytes are classes of their own. */
static uint8_t shape_of(uint8_t byte)
{
    if (byte >= 0x80)
        return 1;
    if (byte >= 'a' && byte <= 'z')
        return 2;
    if (byte >= 'A' && byte <= 'Z')
        return 3;
    if (byte >= '0' && byte <= '9')
        return 4;
    return byte == ' ' ? 5 : byte == '\n' ? 6 : byte;
}

static void follow_structure(cpr_text_state *s, uint8_t byte, cpr_byte_class class, bool in_word)
{
    if (class == CPR_CLASS_PUNCTUATION || byte == '\n')
        s->punctuation = s->punctuation << 8 | byte;
    if (byte == '<') {
        s->in_tag = 1;
        s->tag = 0;
    } else if (s->in_tag) {
        if (in_word || byte == '/')
            s->tag = hash_byte(s->tag, byte);
        else
            s->in_tag = 0;
    }
    if (byte == ':' || byte == '=')
        s->field = s->words[0];
}

static void follow_brackets(cpr_text_state *s, uint8_t byte)
{
    if (byte == '(' || byte == '[' || byte == '{')
        s->bracket[s->brackets++ % CPR_BRACKET_RING] = s->words[0] << 8 | byte;
    else if ((byte == ')' || byte == ']' || byte == '}') && s->brackets > 0)
        s->brackets--;
}

static void follow_quotations(cpr_text_state *s, uint8_t byte)
{
    if (byte == s->quote || byte == '\n') {
        s->quote = s->quoted_by = 0;
    } else if (s->quote == 0 && (byte == '"' || byte == '\'' || byte == '`')) {
        s->quote = byte;
        s->quoted_by = s->words[0];
    }
}

void cpr_text_state_add(cpr_text_state *s, const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const cpr_byte_class class = cpr_classify(bytes[i]);
        const bool in_word = class == CPR_CLASS_LETTER || class == CPR_CLASS_DIGIT;
        s->last_bytes = s->last_bytes << 8 | bytes[i];
        s->shape = s->shape << 8 | shape_of(bytes[i]);
        follow_words(s, bytes[i], in_word);
        follow_lines(s, bytes[i]);
        follow_structure(s, bytes[i], class, in_word);
        follow_brackets(s, bytes[i]);
        follow_quotations(s, bytes[i]);
    }
}

uint32_t cpr_text_state_above(const cpr_text_state *s)
{
    const uint32_t length = s->line - s->line_before;
    if (s->column >= length || length > CPR_LINE_RING / 2 || s->column > CPR_LINE_RING / 4)
        return 0;
    const uint32_t above = s->line_before + s->column;
    return (uint32_t)s->text[above % CPR_LINE_RING] << 8 | s->text[(above + 1) % CPR_LINE_RING];
}

uint32_t cpr_text_state_bracket(const cpr_text_state *s, uint32_t n)
{
    return n < s->brackets ? s->bracket[(s->brackets - 1 - n) % CPR_BRACKET_RING] : 0;
}
