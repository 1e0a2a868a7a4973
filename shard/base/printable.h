/* printable.h - text from outside, as a terminal, a log and a table can take it.
 *
 * Whatever was not written here goes through one of these before it is printed: paths, names of
 * hosts, jobs and profiles, arguments, texts of libraries. What is printed is well-formed UTF-8
 * without
 *   - control characters (C0, DEL, C1), which steer a terminal;
 *   - characters that change the order of others or hide: marks of direction, line and paragraph
 *     separators, zero-width spaces, the byte order mark, annotations, tags, noncharacters.
 * The zero-width joiner and non-joiner stay: Persian, Indic scripts and emoji are written with
 * them, and they move nothing. */
#ifndef CPR_PRINTABLE_H
#define CPR_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed UTF-8 character at `text` (RFC 3629), which is in *code then; 0 if there
 * is none. The terminating NUL is a character of one byte. Never reads beyond it. */
size_t cpr_utf8_length(const char *text, uint32_t *code);

/* True if all of the text is well-formed UTF-8. */
bool cpr_is_utf8(const char *text);

/* Whether a character may be printed as it is; see above. */
bool cpr_is_printable(uint32_t code);

/* Writes `path` in a form that says exactly which bytes it has: what may be printed stays, a
 * newline becomes \n, a backslash \\, every other byte \xHH. If that does not fit it is cut between
 * characters and ends in "...". Always terminates; returns `out`. */
char *cpr_printable_path(const char *path, char *out, size_t capacity);

/* As cpr_printable_path(), for sentences: backslashes stay, so that what is in it in that form
 * already is not changed again. `out` must not overlap `text`. */
char *cpr_printable_text(const char *text, char *out, size_t capacity);

#endif
