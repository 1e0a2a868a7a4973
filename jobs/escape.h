/* escape.h - texts in JSON, CSV, HTML and shells, and paths of any length. */
#ifndef CPR_ESCAPE_H
#define CPR_ESCAPE_H

#include <stdio.h>

/* Writes a JSON string with its quotes. What may not be printed (printable.h) becomes \uXXXX; what
 * is not UTF-8 becomes U+FFFD, one for each byte. */
void escape_json(FILE *out, const char *text);

/* Writes "KEY":"TEXT" and, if the text is not UTF-8, behind a comma its exact bytes in hexadecimal
 * as "KEY_hex". `colon` is ":" or ": ", as the rest of the document has it. */
void escape_json_member(FILE *out, const char *key, const char *colon, const char *text);

/* Writes a path as cpr_printable_path() makes it, all of it. */
void escape_path(FILE *out, const char *path);

/* Writes a CSV field (RFC 4180), quoted where it must be. The text is printable. */
void escape_csv(FILE *out, const char *text);

/* Writes text that is printable, or has line feeds and tabs, so that HTML and XML take it as text,
 * in elements and in attributes. */
void escape_html(FILE *out, const char *text);

/* Writes any bytes as one word of a shell, printable: as it is, 'in quotes', or, where a byte may
 * not be printed, as $'...', which bash, zsh and ksh know. */
void escape_shell(FILE *out, const char *text);

#endif
