/* status.c - texts and exit codes of statuses; printable paths. */
#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

const char *cpr_status_text(cpr_status status)
{
    switch (status) {
    case CPR_OK:
        return "done";
    case CPR_ERR_USAGE:
        return "wrong usage";
    case CPR_ERR_NO_MEMORY:
        return "out of memory";
    case CPR_ERR_IO:
        return "input or output failed";
    case CPR_ERR_EXISTS:
        return "the output exists";
    case CPR_ERR_CHANGED:
        return "an input changed while it was read";
    case CPR_ERR_FOREIGN:
        return "not a corpress archive";
    case CPR_ERR_VERSION:
        return "unknown format version";
    case CPR_ERR_DAMAGED:
        return "data damaged";
    case CPR_ERR_NOT_FOUND:
        return "not found";
    case CPR_ERR_UNSAFE:
        return "unsafe path";
    case CPR_ERR_SELF_TEST:
        return "this machine computes differently";
    case CPR_ERR_BUSY:
        return "another job is at work";
    case CPR_ERR_LAUNCH:
        return "MPI was started wrongly";
    case CPR_STOPPED:
        return "stopped on request";
    }
    return "unknown status";
}

int cpr_status_exit_code(cpr_status status)
{
    switch (status) {
    case CPR_OK:
        return 0;
    case CPR_ERR_USAGE:
        return 3;
    case CPR_ERR_DAMAGED:
        return 4;
    case CPR_ERR_SELF_TEST:
        return 5;
    case CPR_STOPPED:
        return 75;
    default:
        return 2;
    }
}

/* Names in parentheses: status.h has macros of these names for the analyzer. */
cpr_status(cpr_fail)(cpr_error *error, cpr_status status, const char *format, ...)
{
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
        va_end(arguments);
    }
    return status;
}

cpr_status(cpr_fail_errno)(cpr_error *error, int code, const char *format, ...)
{
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        const int length = vsnprintf(error->text, sizeof(error->text), format, arguments);
        va_end(arguments);
        /* The reason matters more than the end of a long path: keep room for it. */
        const size_t room = 128;
        size_t end = length < 0 ? 0 : (size_t)length;
        if (end > sizeof(error->text) - room)
            end = sizeof(error->text) - room;
        (void)snprintf(error->text + end, sizeof(error->text) - end, ": %s", strerror(code));
    }
    return code == ENOMEM ? CPR_ERR_NO_MEMORY : CPR_ERR_IO;
}

/* Length of the well-formed, printable UTF-8 character at `text`, or 0 (RFC 3629). */
static size_t utf8_length(const unsigned char *text)
{
    size_t length;
    uint32_t code;
    if (text[0] < 0x80)
        return text[0] >= 0x20 && text[0] != 0x7f;
    if ((text[0] & 0xe0) == 0xc0) {
        length = 2;
        code = text[0] & 0x1fu;
    } else if ((text[0] & 0xf0) == 0xe0) {
        length = 3;
        code = text[0] & 0x0fu;
    } else if ((text[0] & 0xf8) == 0xf0) {
        length = 4;
        code = text[0] & 0x07u;
    } else {
        return 0;
    }
    for (size_t i = 1; i < length; ++i) {
        if ((text[i] & 0xc0) != 0x80)
            return 0; /* also at the terminating NUL */
        code = code << 6 | (text[i] & 0x3fu);
    }
    const uint32_t least = length == 2 ? 0xa0 : length == 3 ? 0x800 : 0x10000; /* no C1 controls */
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code >= least && code <= 0x10ffff && !surrogate ? length : 0;
}

char *cpr_printable_path(const char *path, char *out, size_t capacity)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *in = (const unsigned char *)path;
    size_t used = 0;
    if (capacity == 0)
        return out;
    while (*in != '\0') {
        char piece[8];
        size_t length = utf8_length(in);
        size_t taken = length;
        if (length == 0 || *in == '\\') {
            taken = 1;
            length = 2;
            piece[0] = '\\';
            piece[1] = '\\';
            if (*in == '\n') {
                piece[1] = 'n';
            } else if (*in != '\\') {
                length = 4;
                piece[1] = 'x';
                piece[2] = hex[*in >> 4];
                piece[3] = hex[*in & 15];
            }
        } else {
            memcpy(piece, in, length);
        }
        if (used + length + 1 > capacity)
            break;
        memcpy(out + used, piece, length);
        used += length;
        in += taken;
    }
    out[used] = '\0';
    if (*in != '\0' && used >= 3)
        memcpy(out + used - 3, "...", 3);
    return out;
}
