/* parquet.h - inside shard/: one column of strings of an Apache Parquet file, as JSON lines.
 *
 * A row gives a line, `{"NAME": "text"}` or `{"NAME": null}`, with the name of the column without
 * its parents. Bytes of names and strings stay as they are, also where they are no UTF-8, but for
 * `"`, `\` and those below 0x20, which are escaped: \", \\, \b, \t, \n, \f, \r, else \u00hh. So the
 * text depends on the rows alone, and not on what wrote the file, or how it cut and coded them.
 *
 * Read are: pages of both versions; PLAIN, dictionaries, DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY;
 * no codec, Snappy, gzip, Zstandard, LZ4 (both kinds); columns in optional structs, but not in
 * lists. Checksums of pages are checked where they are.
 *
 * Memory: the footer while the file is opened, 40 bytes a row group, and, of the row group that is
 * read, its dictionary and one page, decoded and as it lies in the file. Nothing is allocated that
 * the bytes of the file cannot fill.
 */
#ifndef CPR_PARQUET_H
#define CPR_PARQUET_H

#include "base.h"

#define CPR_PARQUET_FOOTER_BYTES_MAX ((size_t)256 << 20)
#define CPR_PARQUET_PAGE_BYTES_MAX ((size_t)512 << 20) /* decoded, and as it lies in the file */

/* A file and a place in its text. One thread at a time. */
typedef struct cpr_parquet cpr_parquet;

/* Opens a file of `file_bytes` bytes, at the first row. `fd` is open for reading and stays the
 * caller's; `path` is for messages. `column` is the path of a column of strings, with dots, or its
 * last part if only one has that. CPR_ERR_NOT_FOUND: there is no such column, and the text names
 * those that there are; CPR_ERR_USAGE: another kind of column, or of file, than this reads. */
cpr_status cpr_parquet_open(int fd, uint64_t file_bytes, const char *path, const char *column,
                            cpr_parquet **parquet, cpr_error *error);
void cpr_parquet_close(cpr_parquet *parquet);

uint64_t cpr_parquet_groups(const cpr_parquet *parquet); /* row groups */
uint64_t cpr_parquet_rows(const cpr_parquet *parquet);   /* in all of them */

/* The number of the other columns, and their paths in names[capacity], printable, separated by
 * commas; the list is cut where it is long. */
unsigned cpr_parquet_other_columns(const cpr_parquet *parquet, char *names, size_t capacity);

/* Goes to the first byte of a row group's text. `group` may be the number of row groups: the end.
 */
cpr_status cpr_parquet_seek(cpr_parquet *parquet, uint64_t group, cpr_error *error);

/* Puts the next bytes of the text at `out`, up to `capacity` and to the end of a row group, and
 * their number in *got; 0 only at the end, if `capacity` is not. CPR_ERR_DAMAGED names the row
 * group and the page; text in front of what is damaged was given by calls before, and calls after
 * it fail in the same way. */
cpr_status cpr_parquet_read(cpr_parquet *parquet, uint8_t *out, size_t capacity, size_t *got,
                            cpr_error *error);

/* The row group of the next byte; at the end, their number. */
uint64_t cpr_parquet_group(const cpr_parquet *parquet);

#endif
