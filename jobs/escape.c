/* escape.c - bytes of paths and texts in JSON and CSV. */
#include "escape.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the well-formed UTF-8 sequence at text; 0 if there is none. Zero bytes end the text and
 * are never part of one. */
static size_t utf8_length(const char *text)
{
    const unsigned char *t = (const unsigned char *)text;
    size_t length;
    uint32_t code;
    uint32_t smallest;
    if (t[0] < 0x80)
        return 1;
    if ((t[0] & 0xe0) == 0xc0) {
        length = 2;
        code = t[0] & 0x1fu;
        smallest = 0x80;
    } else if ((t[0] & 0xf0) == 0xe0) {
        length = 3;
        code = t[0] & 0x0fu;
        smallest = 0x800;
    } else if ((t[0] & 0xf8) == 0xf0) {
        length = 4;
        code = t[0] & 0x07u;
        smallest = 0x10000;
    } else {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((t[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (t[i] & 0x3fu);
    }
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < smallest || code > 0x10ffff || surrogate ? 0 : length;
}

bool escape_is_utf8(const char *text)
{
    while (*text) {
        const size_t length = utf8_length(text);
        if (length == 0)
            return false;
        text += length;
    }
    return true;
}

void escape_json(FILE *out, const char *text)
{
    fputc('"', out);
    while (*text) {
        const size_t length = utf8_length(text);
        const unsigned char c = (unsigned char)*text;
        if (length == 0)
            fputs("\\ufffd", out);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            fwrite(text, 1, length, out);
        text += length ? length : 1;
    }
    fputc('"', out);
}

void escape_csv(FILE *out, const char *text)
{
    if (!strpbrk(text, "\",\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void escape_hex(FILE *out, const char *text)
{
    for (; *text; text++)
        fprintf(out, "%02x", (unsigned)(unsigned char)*text);
}
