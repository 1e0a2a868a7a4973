/* fuzz_text.c - any bytes as a text from outside: what is printed of it does no harm to a terminal,
 * and is valid JSON, and valid CSV from which it comes back. */
#include "fuzz_json.h"

#include "base.h"
#include "escape.h"
#include "report.h"

#include <string.h>

/* What a function wrote. */
typedef struct written {
    FILE *file;
    char *text;
    size_t bytes;
} written;

static void begin(written *w)
{
    w->file = open_memstream(&w->text, &w->bytes);
    REQUIRE(w->file != NULL);
}

static void check_printable(const char *text, size_t capacity)
{
    char *out = malloc(capacity + (capacity == 0));
    REQUIRE(out != NULL);
    REQUIRE(cpr_printable_path(text, out, capacity) == out);
    if (capacity > 0) {
        REQUIRE(memchr(out, '\0', capacity) != NULL);
        REQUIRE(fuzz_is_printable(out, strlen(out), false));
    }
    free(out);
}

static void check_json(const char *text)
{
    written w;
    begin(&w);
    escape_json(w.file, text);
    REQUIRE(fclose(w.file) == 0);
    REQUIRE(fuzz_is_json(w.text, w.bytes) && w.text[0] == '"');
    free(w.text);
}

/* The field comes back from its quotes. */
static void check_csv(const char *text)
{
    written w;
    begin(&w);
    escape_csv(w.file, text);
    REQUIRE(fclose(w.file) == 0);
    const char *field = w.text;
    if (*field == '"') {
        for (field++; *field != '"' || field[1] == '"'; field++, text++) {
            field += *field == '"';
            REQUIRE(*field != '\0' && *field == *text);
        }
        REQUIRE(field[1] == '\0' && *text == '\0');
    } else {
        REQUIRE(strcmp(field, text) == 0 && strpbrk(field, "\",\r\n") == NULL);
    }
    free(w.text);
}

static void check_report(const char *text, report_format format)
{
    static const report_column columns[] = {{"bytes", 8}, {"path", 0}, {NULL, 0}};
    report r;
    written w;
    begin(&w);
    report_begin(&r, w.file, format, columns);
    for (int row = 0; row < 2; row++) {
        report_row(&r);
        report_number(&r, 7);
        report_path(&r, text);
        report_row_end(&r);
    }
    report_end(&r);
    REQUIRE(fclose(w.file) == 0);
    if (format == REPORT_JSON)
        REQUIRE(fuzz_is_json(w.text, w.bytes));
    else
        REQUIRE(fuzz_is_printable(w.text, w.bytes, true));
    free(w.text);
}

static void check_error(const char *text)
{
    char shown[512];
    cpr_error error;
    (void)cpr_fail(&error, CPR_ERR_IO, "cannot read \"%s\"",
                   cpr_printable_path(text, shown, sizeof shown));
    REQUIRE(fuzz_is_printable(error.text, strlen(error.text), false));
    (void)cpr_fail_errno(&error, 5, "cannot read \"%s\"",
                         cpr_printable_path(text, shown, sizeof shown));
    REQUIRE(fuzz_is_printable(error.text, strlen(error.text), false));
}

/* The input: a capacity, and the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes < 1)
        return 0;
    char *text = calloc(1, bytes);
    REQUIRE(text != NULL);
    memcpy(text, data + 1, bytes - 1);
    check_printable(text, data[0]);
    check_printable(text, 4 * bytes + 4);
    check_json(text);
    check_csv(text);
    check_report(text, REPORT_JSON);
    check_report(text, REPORT_TABLE);
    check_report(text, REPORT_CSV);
    check_error(text);
    free(text);
    return 0;
}
