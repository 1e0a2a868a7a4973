/* escape.c - texts in JSON, CSV, HTML and shells, and paths of any length. */
#include "escape.h"

#include "corpress.h"

#include <string.h>

static void json_character(FILE *out, uint32_t code)
{
    if (code > 0xffff) {
        code -= 0x10000;
        fprintf(out, "\\u%04x", 0xd800 + (unsigned)(code >> 10));
        code = 0xdc00 + (code & 0x3ff);
    }
    fprintf(out, "\\u%04x", (unsigned)code);
}

void escape_json(FILE *out, const char *text)
{
    fputc('"', out);
    while (*text) {
        uint32_t code;
        const size_t length = cpr_utf8_length(text, &code);
        if (length == 0)
            fputs("\\ufffd", out);
        else if (code == '"' || code == '\\')
            fprintf(out, "\\%c", *text);
        else if (!cpr_is_printable(code))
            json_character(out, code);
        else
            fwrite(text, 1, length, out);
        text += length ? length : 1;
    }
    fputc('"', out);
}

static bool is_utf8(const char *text)
{
    uint32_t code;
    while (*text) {
        const size_t length = cpr_utf8_length(text, &code);
        if (length == 0)
            return false;
        text += length;
    }
    return true;
}

void escape_json_member(FILE *out, const char *key, const char *colon, const char *text)
{
    fprintf(out, "\"%s\"%s", key, colon);
    escape_json(out, text);
    if (is_utf8(text))
        return;
    fprintf(out, ",%s\"%s_hex\"%s\"", colon + 1, key, colon);
    for (; *text; text++)
        fprintf(out, "%02x", (unsigned)(unsigned char)*text);
    fputc('"', out);
}

void escape_csv(FILE *out, const char *text)
{
    if (strpbrk(text, "\",\r\n") == NULL) {
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

void escape_path(FILE *out, const char *path)
{
    char piece[256];
    char shown[4 * sizeof piece];
    while (*path) {
        size_t used = 0;
        do { /* whole characters */
            uint32_t code;
            size_t bytes = cpr_utf8_length(path, &code);
            bytes = bytes > 0 ? bytes : 1;
            memcpy(piece + used, path, bytes);
            used += bytes;
            path += bytes;
        } while (*path && used + 5 < sizeof piece);
        piece[used] = '\0';
        fputs(cpr_printable_path(piece, shown, sizeof shown), out);
    }
}

void escape_html(FILE *out, const char *text)
{
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    static const char special[] = "&<>\"'";
    for (; *text; text++) {
        const char *found = strchr(special, *text);
        if (found != NULL)
            fputs(entities[found - special], out);
        else
            fputc(*text, out);
    }
}

static bool is_printable(const char *text)
{
    uint32_t code;
    while (*text) {
        const size_t length = cpr_utf8_length(text, &code);
        if (length == 0 || !cpr_is_printable(code))
            return false;
        text += length;
    }
    return true;
}

/* As cpr_printable_path() shows it, with quotes escaped, too. */
static void shell_escaped(FILE *out, const char *text)
{
    char shown[32];
    fputs("$'", out);
    while (*text) {
        char one[5] = "";
        uint32_t code;
        const size_t length = cpr_utf8_length(text, &code);
        memcpy(one, text, length > 0 ? length : 1);
        if (*text == '\'')
            fputc('\\', out);
        fputs(cpr_printable_path(one, shown, sizeof shown), out);
        text += length > 0 ? length : 1;
    }
    fputc('\'', out);
}

void escape_shell(FILE *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    if (!is_printable(text)) {
        shell_escaped(out, text);
    } else if (*text && text[strspn(text, plain)] == '\0') {
        fputs(text, out);
    } else {
        fputc('\'', out);
        for (; *text; text++) {
            if (*text == '\'')
                fputs("'\\'", out);
            fputc(*text, out);
        }
        fputc('\'', out);
    }
}
