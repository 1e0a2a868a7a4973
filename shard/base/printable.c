/* printable.c - text from outside, as a terminal, a log and a table can take it. */
#include "printable.h"

#include <string.h>

size_t cpr_utf8_length(const char *text, uint32_t *code)
{
    const unsigned char *t = (const unsigned char *)text;
    size_t length;
    uint32_t least;
    *code = t[0];
    if (t[0] < 0x80)
        return 1;
    if ((t[0] & 0xe0) == 0xc0) {
        length = 2;
        least = 0x80;
        *code = t[0] & 0x1fu;
    } else if ((t[0] & 0xf0) == 0xe0) {
        length = 3;
        least = 0x800;
        *code = t[0] & 0x0fu;
    } else if ((t[0] & 0xf8) == 0xf0) {
        length = 4;
        least = 0x10000;
        *code = t[0] & 0x07u;
    } else {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((t[i] & 0xc0) != 0x80)
            return 0; /* also at the terminating NUL */
        *code = *code << 6 | (t[i] & 0x3fu);
    }
    const bool surrogate = *code >= 0xd800 && *code <= 0xdfff;
    return *code >= least && *code <= 0x10ffff && !surrogate ? length : 0;
}

bool cpr_is_utf8(const char *text)
{
    uint32_t code;
    while (*text != '\0') {
        const size_t length = cpr_utf8_length(text, &code);
        if (length == 0)
            return false;
        text += length;
    }
    return true;
}

bool cpr_is_printable(uint32_t code)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } never[] = {
        {0x0000, 0x001f},   /* C0 */
        {0x007f, 0x009f},   /* DEL, C1 */
        {0x061c, 0x061c},   /* Arabic letter mark */
        {0x180e, 0x180e},   /* Mongolian vowel separator, without a width */
        {0x200b, 0x200b},   /* zero-width space; the joiners behind it stay */
        {0x200e, 0x200f},   /* left-to-right and right-to-left mark */
        {0x2028, 0x202e},   /* line and paragraph separator, embeddings, overrides */
        {0x2060, 0x206f},   /* word joiner, invisible operators, isolates, deprecated controls */
        {0xfdd0, 0xfdef},   /* noncharacters */
        {0xfeff, 0xfeff},   /* byte order mark */
        {0xfff9, 0xfffb},   /* annotations */
        {0xe0000, 0xe007f}, /* tags */
    };
    if ((code & 0xfffe) == 0xfffe || code > 0x10ffff) /* the last two of each plane */
        return false;
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (code >= never[i].first && code <= never[i].last)
            return false;
    return true;
}

/* One byte, escaped: its length. */
static size_t put_byte(unsigned char byte, char out[4])
{
    static const char hex[] = "0123456789abcdef";
    out[0] = '\\';
    out[1] = byte == '\n' ? 'n' : byte == '\\' ? '\\' : 'x';
    if (out[1] != 'x')
        return 2;
    out[2] = hex[byte >> 4];
    out[3] = hex[byte & 15];
    return 4;
}

/* The character at `text`, or its escaped bytes: *length of them in `out`. Returns what it took. */
static size_t put_character(const char *text, bool backslashes, char out[16], size_t *length)
{
    uint32_t code;
    const size_t taken = cpr_utf8_length(text, &code);
    *length = taken;
    if (taken == 0 || !cpr_is_printable(code) || (backslashes && *text == '\\')) {
        const size_t bytes = taken > 0 ? taken : 1;
        *length = 0;
        for (size_t i = 0; i < bytes; i++)
            *length += put_byte((unsigned char)text[i], out + *length);
        return bytes;
    }
    memcpy(out, text, taken);
    return taken;
}

static char *put_text(const char *text, bool backslashes, char *out, size_t capacity)
{
    size_t used = 0;
    size_t cut = 0; /* the last place between characters where "..." has room */
    if (capacity == 0)
        return out;
    while (*text != '\0') {
        char piece[16];
        size_t length;
        const size_t taken = put_character(text, backslashes, piece, &length);
        if (used + length + 1 > capacity)
            break;
        memcpy(out + used, piece, length);
        used += length;
        text += taken;
        if (used + 4 <= capacity)
            cut = used;
    }
    if (*text != '\0' && capacity >= 4) {
        memcpy(out + cut, "...", 3);
        used = cut + 3;
    }
    out[used] = '\0';
    return out;
}

char *cpr_printable_path(const char *path, char *out, size_t capacity)
{
    return put_text(path, true, out, capacity);
}

char *cpr_printable_text(const char *text, char *out, size_t capacity)
{
    return put_text(text, false, out, capacity);
}
