/* page_charts.c - bits a byte: histograms, and against size. */
#include "page_charts.h"

#include "escape.h"
#include "progress.h"
#include "svg.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define BARS_MOST 40
#define LABELS_MOST 11
#define LABEL_BYTES 160
#define LABEL_CHARACTERS 30
#define LABEL_HEIGHT 15

const char *page_number(uint64_t number, char out[PAGE_NUMBER_BYTES])
{
    char digits[24];
    char *to = out;
    snprintf(digits, sizeof digits, "%" PRIu64, number);
    const size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

/* ---- histograms ---------------------------------------------------------------------------- */

/* How many bins of both histograms are one bar; and *bars, which hold all that there is. */
static size_t bins_a_bar(const page_data *data, size_t *bars)
{
    size_t used = 0;
    for (size_t i = 0; i < PAGE_BINS; i++)
        if (data->file_bins[i] > 0 || data->shard_bins[i] > 0)
            used = i + 1;
    const size_t each = used <= BARS_MOST ? 1 : used <= 2 * BARS_MOST ? 2 : 4;
    *bars = (used + each - 1) / each;
    return each;
}

static double bar_share(const double *bins, size_t first, size_t each, double all)
{
    double sum = 0;
    for (size_t i = first; i < first + each && i < PAGE_BINS; i++)
        sum += bins[i];
    return 100 * sum / all;
}

static void histogram(FILE *out, const double *bins, const page_data *data, const char *what,
                      const char *id)
{
    char text[160];
    char title[64];
    size_t bars;
    double all = 0;
    double most = 0;
    const size_t each = bins_a_bar(data, &bars);
    for (size_t i = 0; i < PAGE_BINS; i++)
        all += bins[i];
    if (!(all > 0))
        return;
    for (size_t i = 0; i < bars; i++)
        most = fmax(most, bar_share(bins, i * each, each, all));
    svg_chart chart = {.out = out, .width = 430, .height = 260};
    chart.x = (svg_axis){.high = (double)(bars * each) * PAGE_BIN, .name = "bits a byte"};
    chart.y = (svg_axis){.high = svg_round_up(most), .name = "% of the text"};
    snprintf(title, sizeof title, "Bits a byte, by %s", what);
    snprintf(text, sizeof text,
             "A histogram: how many percent of the bytes lie in a %s that costs so many bits a "
             "byte. The tallest bar has %.1f %%.",
             what, most);
    fprintf(out, "<figure><figcaption>%s</figcaption>\n", title);
    svg_chart_begin(&chart, "c", id, title, text);
    for (size_t i = 0; i < bars; i++) {
        const double share = bar_share(bins, i * each, each, all);
        const double low = (double)(i * each) * PAGE_BIN;
        const double high = (double)((i + 1) * each) * PAGE_BIN;
        if ((i + 1) * each >= PAGE_BINS)
            snprintf(text, sizeof text, "%.2f bits a byte and more: %.2f %%", low, share);
        else
            snprintf(text, sizeof text, "%.2f to %.2f bits a byte: %.2f %%", low, high, share);
        if (share > 0)
            svg_bar(&chart, "s1", low, high, share, text);
    }
    svg_end(out);
    fputs("</figure>\n", out);
}

void page_histograms(FILE *out, const page_data *data)
{
    histogram(out, data->file_bins, data, "file", "hf");
    histogram(out, data->shard_bins, data, "shard", "hs");
}

/* ---- size against bits a byte -------------------------------------------------------------- */

typedef struct scatter_box {
    double left, right, y; /* of a label's middle */
} scatter_box;

/* A file that is circled and named. */
typedef struct scatter_file {
    uint64_t number;
    const char *path;
    double x, y;
} scatter_file;

typedef struct scatter {
    svg_chart chart;
    const page_audit *audit;
    scatter_file files[LABELS_MOST];
    size_t count;
    scatter_box boxes[LABELS_MOST];
    size_t labels;
} scatter;

/* The end of a path, not longer than LABEL_CHARACTERS, from a '/' on if there is one. */
static const char *label_of(const char *path, char *out, size_t capacity)
{
    char shown[LABEL_BYTES];
    size_t characters = 0;
    const char *start = path + strlen(path);
    while (start > path && characters < LABEL_CHARACTERS && path + strlen(path) - start < 100) {
        do
            start--;
        while (start > path && (*start & 0xc0) == 0x80);
        characters++;
    }
    const char *slash = start > path ? strchr(start, '/') : NULL;
    if (slash != NULL && slash[1] != '\0')
        start = slash;
    cpr_printable_path(start, shown, sizeof shown);
    snprintf(out, capacity, "%s%s", start > path ? "…" : "", shown);
    return out;
}

static bool scatter_has_room(const scatter *s, scatter_box box)
{
    if (box.y < s->chart.top + 4 || box.y > s->chart.bottom - 4 || box.left < 0 ||
        box.right > s->chart.width)
        return false;
    for (size_t i = 0; i < s->labels; i++)
        if (fabs(s->boxes[i].y - box.y) < LABEL_HEIGHT && box.left < s->boxes[i].right &&
            s->boxes[i].left < box.right)
            return false;
    for (size_t i = 0; i < s->count; i++)
        if (fabs(s->files[i].y - box.y) < LABEL_HEIGHT - 3 && box.left < s->files[i].x + 5 &&
            s->files[i].x - 5 < box.right)
            return false;
    return true;
}

/* Beside the point where there is room, or nowhere: the table and the point's title have it. */
static void scatter_label(scatter *s, double x, double y, const char *text)
{
    static const double shifts[] = {0, -16, 16, -32, 32, -48, 48};
    const double width = svg_text_width(text);
    for (unsigned i = 0; i < 2 * sizeof shifts / sizeof *shifts; i++) {
        const bool to_left = (i % 2 == 0) == (x > (s->chart.left + s->chart.right) / 2);
        const double from = to_left ? x - 8 - width : x + 8;
        const scatter_box box = {.left = from, .right = from + width, .y = y + shifts[i / 2]};
        if (!scatter_has_room(s, box))
            continue;
        if (i >= 2)
            fprintf(s->chart.out,
                    "<line class=\"l\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", x, y,
                    to_left ? x - 7 : x + 7, box.y);
        svg_text(s->chart.out, to_left ? x - 8 : x + 8, box.y + 4, "h", to_left ? "end" : "start",
                 text);
        s->boxes[s->labels++] = box;
        return;
    }
}

static void scatter_circle(scatter *s, const page_file *file)
{
    char shown[512];
    char size[32];
    cpr_entry entry;
    for (size_t i = 0; i < s->count; i++)
        if (s->files[i].number == file->number)
            return;
    if (s->count == LABELS_MOST || file->bits <= 0 ||
        cpr_archive_get(s->audit->archive, file->number, &entry, NULL) != CPR_OK)
        return;
    const double x = svg_x(&s->chart, log10((double)file->bytes));
    const double y = svg_y(&s->chart, page_bits_per_byte(file));
    s->files[s->count++] =
        (scatter_file){.number = file->number, .path = entry.path, .x = x, .y = y};
    fprintf(s->chart.out, "<circle class=\"s2\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>", x, y);
    escape_html(s->chart.out, cpr_printable_path(entry.path, shown, sizeof shown));
    fprintf(s->chart.out, ": %s, %.4f bits a byte</title></circle>\n",
            progress_bytes(file->bytes, size, sizeof size), page_bits_per_byte(file));
}

static void scatter_labels(scatter *s)
{
    char label[LABEL_BYTES + 8];
    for (size_t i = 0; i < s->count; i++)
        scatter_label(s, s->files[i].x, s->files[i].y,
                      label_of(s->files[i].path, label, sizeof label));
}

/* One path of dots: a short thing for a thousand points. */
static void scatter_points(const scatter *s, const page_data *data)
{
    fputs("<path class=\"p\" d=\"", s->chart.out);
    for (size_t i = 0; i < data->point_count; i++)
        fprintf(s->chart.out, "M%.1f %.1fh0",
                svg_x(&s->chart, log10((double)data->points[i].bytes)),
                svg_y(&s->chart, page_bits_per_byte(&data->points[i])));
    fputs("\"/>\n", s->chart.out);
}

static double scatter_high(const page_data *data)
{
    double high = data->unpredictable.count > 0 ? page_bits_per_byte(data->unpredictable.rows) : 0;
    for (size_t i = 0; i < data->point_count; i++)
        high = fmax(high, page_bits_per_byte(&data->points[i]));
    /* Of a file of a few bytes the loss, in whole bits, says little. */
    return svg_round_up(fmin(high, 9));
}

static void scatter_draw(FILE *out, const page_audit *audit, const page_data *data, bool wide)
{
    char text[200];
    scatter s = {.audit = audit};
    s.chart = (svg_chart){.out = out, .width = wide ? 900 : 400, .height = wide ? 440 : 420};
    double low = 0;
    if (data->least_bytes > 1 && data->point_count > 0)
        low = 9;
    for (size_t i = 0; i < data->point_count; i++)
        low = fmin(low, floor(log10((double)data->points[i].bytes)));
    s.chart.x = (svg_axis){.low = low, .base = 10, .bytes = true, .name = "size of the file"};
    s.chart.x.high = fmax(low + 1, ceil(log10((double)data->largest.rows[0].bytes)));
    s.chart.y = (svg_axis){.high = scatter_high(data), .name = "bits a byte"};
    snprintf(text, sizeof text,
             "A scatter chart of %zu files, size on a logarithmic axis. Outliers are circled and "
             "named; the tables list them.",
             data->point_count);
    svg_chart_begin(&s.chart, wide ? "c wide" : "c narrow", wide ? "sw" : "sn",
                    "Size of files against bits a byte", text);
    scatter_points(&s, data);
    for (size_t i = 0; i < 4; i++) {
        if (i < data->unpredictable.count)
            scatter_circle(&s, &data->unpredictable.rows[i]);
        if (i < data->redundant.count)
            scatter_circle(&s, &data->redundant.rows[i]);
        if (i < data->largest.count && i < 3)
            scatter_circle(&s, &data->largest.rows[i]);
    }
    scatter_labels(&s);
    svg_end(out);
}

void page_scatter(FILE *out, const page_audit *audit, const page_data *data)
{
    char one[PAGE_NUMBER_BYTES];
    char two[PAGE_NUMBER_BYTES];
    if (data->point_count == 0)
        return;
    fputs("<figure class=\"full\"><figcaption>Size against bits a byte", out);
    if (data->every > 1)
        fprintf(out, " <small>a sample: %s of %s files, one of every %" PRIu64 "</small>",
                page_number(data->point_count, one), page_number(data->files, two), data->every);
    fputs("</figcaption>\n", out);
    scatter_draw(out, audit, data, true);
    scatter_draw(out, audit, data, false);
    fputs("</figure>\n", out);
}
