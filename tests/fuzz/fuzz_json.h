/* fuzz_json.h - whether a text is what it should be: JSON (RFC 8259), UTF-8 (RFC 3629), and
 * harmless on a terminal. Written for the tests alone, to share no mistake with the program. */
#ifndef FUZZ_JSON_H
#define FUZZ_JSON_H

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

/* The character at *text, which moves behind it; UINT32_MAX: it is not UTF-8. */
static inline uint32_t fuzz_character(const char **text, const char *end)
{
    const unsigned char first = (unsigned char)*(*text)++;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned more = first < 0x80   ? 0
                          : first < 0xc0 ? 4
                          : first < 0xe0 ? 1
                          : first < 0xf0 ? 2
                          : first < 0xf8 ? 3
                                         : 4;
    if (more == 4)
        return UINT32_MAX;
    uint32_t code = more == 0 ? first : first & (0x3fu >> more);
    for (unsigned i = 0; i < more; i++) {
        if (*text == end || ((unsigned char)**text & 0xc0) != 0x80)
            return UINT32_MAX;
        code = code << 6 | ((unsigned char)*(*text)++ & 0x3fu);
    }
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < least[more] || code > 0x10ffff || surrogate ? UINT32_MAX : code;
}

/* Whether a terminal can be given it: no control characters, nothing that turns the line around. */
static inline bool fuzz_is_harmless(uint32_t code)
{
    const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    const bool direction = code == 0x61c || code == 0x200e || code == 0x200f ||
                           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return !control && !direction && code <= 0x10ffff;
}

/* All of a text, line feeds allowed or not. */
static inline bool fuzz_is_printable(const char *text, size_t bytes, bool lines)
{
    const char *end = text + bytes;
    while (text < end) {
        const uint32_t code = fuzz_character(&text, end);
        if (!fuzz_is_harmless(code) && !(lines && code == '\n'))
            return false;
    }
    return true;
}

static inline void fuzz_json_blank(const char **at)
{
    *at += strspn(*at, " \t\r\n");
}

static inline bool fuzz_json_string(const char **at)
{
    if (*(*at)++ != '"')
        return false;
    for (const char *end = *at + strlen(*at); *at < end;) {
        if (**at == '"') {
            (*at)++;
            return true;
        }
        if (**at != '\\') {
            if (!fuzz_is_harmless(fuzz_character(at, end)))
                return false;
        } else if ((*at)[1] == 'u') {
            if (strspn(*at + 2, "0123456789abcdefABCDEF") < 4)
                return false;
            *at += 6;
        } else {
            if ((*at)[1] == '\0' || strchr("\"\\/bfnrt", (*at)[1]) == NULL)
                return false;
            *at += 2;
        }
    }
    return false;
}

static inline bool fuzz_json_digits(const char **at)
{
    const size_t digits = strspn(*at, "0123456789");
    *at += digits;
    return digits > 0;
}

static inline bool fuzz_json_number(const char **at)
{
    *at += **at == '-';
    const bool zero = **at == '0';
    const char *start = *at;
    if (!fuzz_json_digits(at) || (zero && *at > start + 1))
        return false;
    if (**at == '.' && (++*at, !fuzz_json_digits(at)))
        return false;
    if (**at == 'e' || **at == 'E') {
        (*at)++;
        *at += **at == '-' || **at == '+';
        return fuzz_json_digits(at);
    }
    return true;
}

static inline bool fuzz_json_value(const char **at, unsigned depth);

/* What is between the brackets, and the closing one. */
static inline bool fuzz_json_items(const char **at, char close, unsigned depth)
{
    fuzz_json_blank(at);
    if (**at == close) {
        (*at)++;
        return true;
    }
    for (;;) {
        fuzz_json_blank(at);
        if (close == '}') {
            if (!fuzz_json_string(at))
                return false;
            fuzz_json_blank(at);
            if (*(*at)++ != ':')
                return false;
        }
        if (!fuzz_json_value(at, depth + 1))
            return false;
        fuzz_json_blank(at);
        if (**at != ',' && **at != close)
            return false;
        if (*(*at)++ == close)
            return true;
    }
}

static inline bool fuzz_json_value(const char **at, unsigned depth)
{
    static const char *const words[] = {"true", "false", "null"};
    fuzz_json_blank(at);
    if (depth > 16)
        return false;
    if (**at == '"')
        return fuzz_json_string(at);
    if (**at == '{' || **at == '[') {
        const char close = *(*at)++ == '{' ? '}' : ']';
        return fuzz_json_items(at, close, depth);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strncmp(*at, words[i], strlen(words[i])) == 0) {
            *at += strlen(words[i]);
            return true;
        }
    }
    return fuzz_json_number(at);
}

/* One value and nothing else, which ends in a NUL at `bytes`. */
static inline bool fuzz_is_json(const char *text, size_t bytes)
{
    const char *at = text;
    if (strlen(text) != bytes || !fuzz_json_value(&at, 0))
        return false;
    fuzz_json_blank(&at);
    return *at == '\0';
}

#endif
