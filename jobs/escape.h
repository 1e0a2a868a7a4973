/* escape.h - bytes of paths and texts in JSON and CSV. */
#ifndef CPR_ESCAPE_H
#define CPR_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* True if the bytes are well-formed UTF-8 (RFC 3629). */
bool escape_is_utf8(const char *text);

/* Writes a JSON string with its quotes. What is not UTF-8 becomes U+FFFD, one for each byte. */
void escape_json(FILE *out, const char *text);

/* Writes a CSV field (RFC 4180), quoted where it must be; the bytes stay as they are. */
void escape_csv(FILE *out, const char *text);

/* Writes the bytes in hexadecimal. */
void escape_hex(FILE *out, const char *text);

#endif
