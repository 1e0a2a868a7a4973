/* pattern.c - shell patterns for the paths in an archive. */
#include "pattern.h"

#include "arguments.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define NOT_UTF8 UINT32_C(0x110000) /* code of a byte that is not UTF-8: this and the byte */

/* ---- one character --------------------------------------------------------------------------- */

/* Bytes of the character at `text`, and its code. */
static size_t character_read(const char *text, uint32_t *code)
{
    const unsigned char byte = (unsigned char)*text;
    const size_t length = byte < 0x80 ? 0 : cpr_utf8_length(text, code);
    if (length > 0)
        return length;
    *code = byte < 0x80 ? byte : NOT_UTF8 + byte;
    return 1;
}

static int hex_value(char digit)
{
    return isdigit((unsigned char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* A byte behind a '\' at *p, which moves behind it; at the end it is the '\'. */
static char escape_read(const char **p, const char *end)
{
    const char *at = *p;
    if (at == end)
        return '\\';
    if (end - at >= 3 && at[0] == 'x' && isxdigit((unsigned char)at[1]) &&
        isxdigit((unsigned char)at[2])) {
        *p += 3;
        return (char)(hex_value(at[1]) << 4 | hex_value(at[2]));
    }
    (*p)++;
    return *at == 'n' ? '\n' : *at;
}

/* ---- [...] ----------------------------------------------------------------------------------- */

typedef struct character_class {
    const char *name;
    int (*has)(int);
} character_class;

static const character_class classes[] = {
    {"alpha", isalpha}, {"digit", isdigit}, {"alnum", isalnum}, {"upper", isupper},
    {"lower", islower}, {"space", isspace}, {"blank", isblank}, {"punct", ispunct},
    {"print", isprint}, {"graph", isgraph}, {"cntrl", iscntrl}, {"xdigit", isxdigit}};

/* A class such as [:alpha:] at *p, which moves behind it; NULL: there is none. */
static const character_class *class_read(const char **p, const char *end)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const size_t length = strlen(classes[i].name);
        const char *name = *p + 2;
        if ((size_t)(end - *p) >= length + 4 && strncmp(*p, "[:", 2) == 0 &&
            strncmp(name, classes[i].name, length) == 0 && strncmp(name + length, ":]", 2) == 0) {
            *p += length + 4;
            return &classes[i];
        }
    }
    return NULL;
}

/* A character within brackets at *p, which moves behind it. */
static uint32_t bracket_character(const char **p, const char *end)
{
    uint32_t code;
    if (**p != '\\') {
        *p += character_read(*p, &code);
        return code;
    }
    (*p)++;
    const size_t length = *p < end && (unsigned char)**p >= 0x80 ? character_read(*p, &code) : 0;
    *p += length;
    if (length > 0)
        return code;
    const unsigned char byte = (unsigned char)escape_read(p, end);
    return byte < 0x80 ? byte : NOT_UTF8 + byte;
}

/* Whether the brackets behind the '[' at *p have the character; *p moves behind them. False, and *p
 * stays, if they are not closed: *closed says so. */
static bool bracket_has(const char **p, const char *end, uint32_t code, bool *closed)
{
    const char *at = *p;
    const bool negated = at < end && (*at == '!' || *at == '^');
    bool found = false;
    at += negated;
    for (const char *first = at; at < end && (*at != ']' || at == first);) {
        const character_class *class = class_read(&at, end);
        if (class != NULL) {
            found = found || (code < 0x80 && class->has((int)code) != 0);
            continue;
        }
        const uint32_t low = bracket_character(&at, end);
        uint32_t high = low;
        if (end - at >= 2 && at[0] == '-' && at[1] != ']') {
            at++;
            high = bracket_character(&at, end);
        }
        found = found || (low <= code && code <= high);
    }
    *closed = at < end;
    if (!*closed)
        return false;
    *p = at + 1;
    return found != negated;
}

/* ---- components ------------------------------------------------------------------------------ */

/* Whether what stands at *p, which is no '*', takes what stands at *t; both move behind it. */
static bool component_step(const char **p, const char *end, const char **t)
{
    uint32_t code;
    const char *at = *p;
    char byte = *at++;
    const size_t length = character_read(*t, &code);
    if (byte == '?' || byte == '[') {
        bool closed = true;
        const bool taken = byte == '?' || bracket_has(&at, end, code, &closed);
        if (closed) {
            *p = at;
            *t += length;
            return taken;
        }
    } else if (byte == '\\') {
        byte = escape_read(&at, end);
    }
    if (byte != **t)
        return false;
    *p = at;
    (*t)++;
    return true;
}

/* Whether the pattern [p, p_end) matches the name [t, t_end). Only the last '*' need be tried with
 * more characters than before. */
static bool component_matches(const char *p, const char *p_end, const char *t, const char *t_end)
{
    const char *star = NULL;
    const char *retry = NULL;
    while (t < t_end) {
        if (p < p_end && *p == '*') {
            star = ++p;
            retry = t;
        } else if (p == p_end || !component_step(&p, p_end, &t)) {
            uint32_t code;
            if (star == NULL)
                return false;
            retry += character_read(retry, &code);
            p = star;
            t = retry;
        }
    }
    while (p < p_end && *p == '*')
        p++;
    return p == p_end;
}

static const char *component_end(const char *text)
{
    return text + strcspn(text, "/");
}

/* Whether the member's part up to `end`, where a component ends, is what the pattern wants. */
static bool kind_matches(const pattern *p, const char *end, bool is_directory)
{
    return !p->directory || *end == '/' || is_directory;
}

static bool name_matches(const pattern *p, const char *member, bool is_directory)
{
    const char *p_end = p->text + p->length;
    for (const char *name = member;; name++) {
        const char *end = component_end(name);
        if (component_matches(p->text, p_end, name, end) && kind_matches(p, end, is_directory))
            return true;
        if (*end == '\0')
            return false;
        name = end;
    }
}

/* Component by component from the root. Only the last '**' need be tried with more of them. */
static bool path_matches(const pattern *wanted, const char *member, bool is_directory)
{
    const char *p = wanted->text;
    const char *t = member;
    const char *deep = NULL;
    const char *retry = NULL;
    while (*t != '\0') {
        const char *p_end = component_end(p);
        const char *t_end = component_end(t);
        const bool any = p_end - p == 2 && p[0] == '*' && p[1] == '*';
        if (any && *p_end == '/') {
            deep = p = p_end + 1;
            retry = t;
        } else if (any || component_matches(p, p_end, t, t_end)) {
            if (*p_end == '\0' && kind_matches(wanted, t_end, is_directory))
                return true;
            if (*p_end == '\0' || *t_end == '\0')
                return false;
            p = p_end + 1;
            t = t_end + 1;
        } else {
            if (deep == NULL)
                return false;
            retry = component_end(retry);
            retry += *retry == '/';
            p = deep;
            t = retry;
        }
    }
    return false;
}

/* ---- patterns -------------------------------------------------------------------------------- */

pattern pattern_make(char *word, bool names_anywhere)
{
    const size_t length = strlen(word);
    const bool directory = length > 0 && word[length - 1] == '/';
    const char *text = argument_member(word);
    const bool special = strpbrk(text, "*?[\\") != NULL;
    const bool is_name = text == word && strchr(text, '/') == NULL;
    return (pattern){.text = text,
                     .length = strlen(text),
                     .special = special,
                     .is_path = !special && !(is_name && names_anywhere),
                     .anywhere = is_name && (names_anywhere || special),
                     .directory = directory};
}

void pattern_take_as_path(pattern *p)
{
    p->is_path = true;
    p->anywhere = false;
}

bool pattern_is_path_of(const pattern *p, const char *member, bool is_directory)
{
    if (p->length == 0)
        return true;
    return strncmp(member, p->text, p->length) == 0 &&
           (member[p->length] == '\0' || member[p->length] == '/') &&
           kind_matches(p, member + p->length, is_directory);
}

bool pattern_matches(const pattern *p, const char *member, bool is_directory)
{
    if (p->is_path)
        return pattern_is_path_of(p, member, is_directory);
    return p->anywhere ? name_matches(p, member, is_directory)
                       : path_matches(p, member, is_directory);
}
