/* svg.c - charts as SVG in a page: a frame with axes, and what is drawn in it. */
#include "svg.h"

#include "corpress.h"
#include "escape.h"

#include <math.h>
#include <string.h>

#define TICKS_MOST 6
#define TICK_ROOM 46 /* of a label below an axis */

void svg_begin(FILE *out, const char *css_class, const char *id, double width, double height,
               const char *title, const char *description)
{
    fprintf(out,
            "<svg class=\"%s\" role=\"img\" viewBox=\"0 0 %.0f %.0f\" aria-labelledby=\"%s-t\" "
            "aria-describedby=\"%s-d\"><title id=\"%s-t\">",
            css_class, width, height, id, id, id);
    escape_html(out, title);
    fprintf(out, "</title><desc id=\"%s-d\">", id);
    escape_html(out, description);
    fputs("</desc>\n", out);
}

void svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}

void svg_text(FILE *out, double x, double y, const char *css_class, const char *anchor,
              const char *text)
{
    fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", css_class, x, y,
            anchor);
    escape_html(out, text);
    fputs("</text>\n", out);
}

/* Of 13 units of a wide sans-serif type, as DejaVu Sans is: too much rather than too little. */
static double character_width(uint32_t code)
{
    if (code >= 0x1100 || (code < 0x80 && strchr("mwMW@%", (int)code) != NULL))
        return 13;
    return code < 0x80 && strchr("fijlrtI.,:;'|!/()[]- ", (int)code) != NULL ? 5.4 : 8.4;
}

double svg_text_width(const char *text)
{
    double width = 0;
    while (*text) {
        uint32_t code;
        const size_t length = cpr_utf8_length(text, &code);
        width += character_width(code);
        text += length > 0 ? length : 1;
    }
    return width;
}

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

double svg_x(const svg_chart *chart, double value)
{
    const double part = (value - chart->x.low) / (chart->x.high - chart->x.low);
    return chart->left + clamp(part, 0, 1) * (chart->right - chart->left);
}

double svg_y(const svg_chart *chart, double value)
{
    const double part = (value - chart->y.low) / (chart->y.high - chart->y.low);
    return chart->bottom - clamp(part, 0, 1) * (chart->bottom - chart->top);
}

/* 1, 2 or 5 times a power of ten, so that there are no more than `most` steps. */
static double round_step(double range, int most)
{
    static const double steps[] = {1, 2, 5, 10};
    const double least = range / most;
    const double power = pow(10, floor(log10(least)));
    for (unsigned i = 0; i < 3; i++)
        if (steps[i] * power >= least * 0.999)
            return steps[i] * power;
    return steps[3] * power;
}

double svg_round_up(double value)
{
    if (!(value > 0))
        return 1;
    const double step = round_step(value, TICKS_MOST);
    return ceil(value / step - 1e-9) * step;
}

/* 1024 and 1000 of something, short. */
static void format_size(double value, double unit, char *out, size_t capacity)
{
    static const char *const names[] = {"", "k", "M", "G", "T", "P"};
    size_t i = 0;
    for (; value >= unit && i + 1 < sizeof names / sizeof *names; i++)
        value /= unit;
    snprintf(out, capacity, "%.4g %s%sB", value, names[i], unit > 1000 && i > 0 ? "i" : "");
}

static void axis_label(const svg_axis *axis, double value, char *out, size_t capacity)
{
    if (axis->base > 0 && axis->bytes)
        format_size(pow(axis->base, value), axis->base == 2 ? 1024 : 1000, out, capacity);
    else
        snprintf(out, capacity, "%.6g", fabs(value) < 1e-9 ? 0 : value);
}

static double axis_step(const svg_axis *axis, int most)
{
    const double range = axis->high - axis->low;
    const double step = round_step(range, most);
    return (axis->base > 0 || axis->whole) && step < 1 ? 1 : step;
}

static void chart_x_ticks(const svg_chart *chart)
{
    char text[32];
    const double width = chart->right - chart->left;
    const int room = (int)(width / (chart->x.bytes ? TICK_ROOM + 14 : TICK_ROOM));
    const double step = axis_step(&chart->x, room < 12 ? room : 12);
    const double first = ceil(chart->x.low / step) * step;
    for (int i = 0; first + i * step <= chart->x.high + step / 100; i++) {
        const double v = first + i * step;
        const double x = svg_x(chart, v);
        fprintf(chart->out, "<line class=\"g\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                x, x, chart->top, chart->bottom + 4);
        axis_label(&chart->x, v, text, sizeof text);
        /* At the ends there is less room than a label may need. */
        const bool last = x + svg_text_width(text) / 2 > chart->width;
        svg_text(chart->out, last ? chart->width : x, chart->bottom + 18, "a",
                 last ? "end" : "middle", text);
    }
}

static void chart_y_ticks(const svg_chart *chart)
{
    char text[32];
    const double step = axis_step(&chart->y, TICKS_MOST);
    const double first = ceil(chart->y.low / step) * step;
    for (int i = 0; first + i * step <= chart->y.high + step / 100; i++) {
        const double v = first + i * step;
        const double y = svg_y(chart, v);
        fprintf(chart->out, "<line class=\"g\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                chart->left - 4, chart->right, y, y);
        axis_label(&chart->y, v, text, sizeof text);
        svg_text(chart->out, chart->left - 7, y + 4, "a", "end", text);
    }
}

void svg_chart_begin(svg_chart *chart, const char *css_class, const char *id, const char *title,
                     const char *description)
{
    chart->left = 44;
    chart->right = chart->width - 12;
    chart->top = 24;
    chart->bottom = chart->height - 42;
    svg_begin(chart->out, css_class, id, chart->width, chart->height, title, description);
    chart_x_ticks(chart);
    chart_y_ticks(chart);
    if (chart->y.name != NULL)
        svg_text(chart->out, 0, 13, "a", "start", chart->y.name);
    if (chart->x.name != NULL)
        svg_text(chart->out, (chart->left + chart->right) / 2, chart->height - 6, "a", "middle",
                 chart->x.name);
}

void svg_bar(const svg_chart *chart, const char *css_class, double x0, double x1, double value,
             const char *text)
{
    const double left = svg_x(chart, x0);
    const double right = svg_x(chart, x1);
    const double top = svg_y(chart, value);
    const double gap = right - left > 4 ? 1 : 0;
    /* What is there is seen. */
    const double height = chart->bottom - top > 1 ? chart->bottom - top : 1;
    fprintf(chart->out,
            "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
            css_class, left, chart->bottom - height, right - left - gap, height);
    escape_html(chart->out, text);
    fputs("</title></rect>\n", chart->out);
}
