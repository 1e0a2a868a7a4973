/* report.c - rows of named columns, as an aligned table, as CSV or as JSON. */
#include "report.h"

#include "corpress.h"
#include "escape.h"

#include <inttypes.h>
#include <string.h>

/* Of a path in an archive, as FORMAT.md says. */
#define PATH_BYTES_MOST ((size_t)32 << 10)

bool report_parse_format(const char *text, report_format *format)
{
    static const char *const names[] = {"table", "csv", "json"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            *format = (report_format)i;
            return true;
        }
    }
    return false;
}

void report_begin(report *r, FILE *out, report_format format, const report_column *columns)
{
    *r = (report){.out = out, .format = format, .columns = columns};
    if (format == REPORT_JSON) {
        fputc('[', out);
        return;
    }
    for (unsigned i = 0; columns[i].name != NULL; i++) {
        if (format == REPORT_CSV)
            fprintf(out, "%s%s", i ? "," : "", columns[i].name);
        else if (columns[i].width)
            fprintf(out, "%s%*s", i ? "  " : "", columns[i].width, columns[i].name);
        else
            fprintf(out, "  %s", columns[i].name);
    }
    fputc('\n', out);
}

void report_row(report *r)
{
    if (r->format == REPORT_JSON)
        fputs(r->rows ? ",\n {" : "\n {", r->out);
    r->column = 0;
}

void report_row_end(report *r)
{
    fputs(r->format == REPORT_JSON ? "}" : "\n", r->out);
    r->rows++;
}

void report_end(report *r)
{
    if (r->format == REPORT_JSON)
        fputs(r->rows ? "\n]" : "]", r->out);
}

/* What stands between the cell before and this one. */
static const report_column *begin_cell(report *r)
{
    const report_column *column = &r->columns[r->column];
    const bool first = r->column++ == 0;
    if (r->format == REPORT_CSV && !first)
        fputc(',', r->out);
    else if (r->format == REPORT_TABLE && !first)
        fputs("  ", r->out);
    return column;
}

static void begin_json(report *r, const report_column *column)
{
    fprintf(r->out, "%s\"%s\": ", r->column > 1 ? ", " : "", column->name);
}

void report_number(report *r, uint64_t value)
{
    const report_column *column = begin_cell(r);
    if (r->format == REPORT_JSON)
        begin_json(r, column);
    fprintf(r->out, "%*" PRIu64, r->format == REPORT_TABLE ? column->width : 0, value);
}

void report_signed(report *r, int64_t value)
{
    const report_column *column = begin_cell(r);
    if (r->format == REPORT_JSON)
        begin_json(r, column);
    fprintf(r->out, "%*" PRId64, r->format == REPORT_TABLE ? column->width : 0, value);
}

void report_real(report *r, double value, int decimals)
{
    const report_column *column = begin_cell(r);
    if (r->format == REPORT_JSON)
        begin_json(r, column);
    fprintf(r->out, "%*.*f", r->format == REPORT_TABLE ? column->width : 0, decimals, value);
}

void report_word(report *r, const char *word)
{
    const report_column *column = begin_cell(r);
    if (r->format == REPORT_JSON) {
        begin_json(r, column);
        fprintf(r->out, "\"%s\"", word);
    } else {
        fprintf(r->out, "%*s", r->format == REPORT_TABLE ? column->width : 0, word);
    }
}

static void csv_path(FILE *out, const char *path)
{
    char shown[4 * PATH_BYTES_MOST + 1];
    escape_csv(out, cpr_printable_path(path, shown, sizeof shown));
}

void report_path(report *r, const char *path)
{
    const report_column *column = begin_cell(r);
    if (r->format == REPORT_JSON) {
        if (r->column > 1)
            fputs(", ", r->out);
        escape_json_member(r->out, column->name, ": ", path);
        return;
    }
    if (r->format == REPORT_CSV)
        csv_path(r->out, path);
    else
        escape_path(r->out, path);
}

void report_unknown(report *r)
{
    /* In JSON a key that is not there; the first column is always known. */
    const report_column *column = begin_cell(r);
    if (r->format == REPORT_TABLE)
        fprintf(r->out, "%*s", column->width, "-");
}
