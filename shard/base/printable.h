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

#include "corpress.h"

/* True if all of the text is well-formed UTF-8 (RFC 3629). */
bool cpr_is_utf8(const char *text);

#endif
