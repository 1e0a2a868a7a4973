/* report.h - rows of named columns, as an aligned table, as CSV or as JSON. */
#ifndef CPR_REPORT_H
#define CPR_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum report_format { REPORT_TABLE, REPORT_CSV, REPORT_JSON } report_format;

/* "table", "csv" or "json". */
bool report_parse_format(const char *text, report_format *format);

typedef struct report_column {
    const char *name; /* also the JSON key: letters and underscores */
    int width;        /* in tables; numbers to the right, texts to the left. 0: the last column */
} report_column;

/* A row is one report_...() call per column, in their order. In JSON each row is an object in an
 * array; what is not known is left out of it, and empty in CSV. */
typedef struct report {
    FILE *out;
    report_format format;
    const report_column *columns;
    unsigned column; /* the next one */
    uint64_t rows;
} report;

void report_begin(report *r, FILE *out, report_format format, const report_column *columns);
void report_row(report *r);
void report_number(report *r, uint64_t value);
void report_signed(report *r, int64_t value);
void report_real(report *r, double value, int decimals);
void report_word(report *r, const char *word); /* printable ASCII */
void report_path(report *r, const char *path); /* any bytes; see escape.h, printable.h */
void report_unknown(report *r);
void report_row_end(report *r);
void report_end(report *r);

#endif
