/* svg.h - charts as SVG in a page: a frame with axes, and what is drawn in it.
 *
 * Lengths are units of the drawing, about a pixel each. Texts are printable UTF-8, and are escaped
 * here. Classes are of the page's style sheet: s1 and s2 are the colours of series. */
#ifndef CPR_SVG_H
#define CPR_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* An axis from `low` to `high`. Logarithmic: these are exponents of `base`, whole numbers. */
typedef struct svg_axis {
    double low, high;
    int base;         /* 0: linear */
    bool bytes;       /* labels are sizes */
    bool whole;       /* labels are whole numbers */
    const char *name; /* NULL: none */
} svg_axis;

typedef struct svg_chart {
    FILE *out;
    double width, height;
    double left, right, top, bottom; /* of the area that the axes enclose */
    svg_axis x, y;
} svg_chart;

/* Begins a drawing that a screen reader takes as one picture. */
void svg_begin(FILE *out, const char *css_class, const char *id, double width, double height,
               const char *title, const char *description);
void svg_end(FILE *out);

/* Begins a chart with its axes. Width, height, axes and out are set; the rest comes from them. */
void svg_chart_begin(svg_chart *chart, const char *css_class, const char *id, const char *title,
                     const char *description);

/* Where a value lies; logarithmic axes take the exponent, which may be a fraction. Values beyond
 * the axis lie at its end. */
double svg_x(const svg_chart *chart, double value);
double svg_y(const svg_chart *chart, double value);

/* A bar from (x0, 0) to (x1, value), with a text that shows when a pointer is over it. */
void svg_bar(const svg_chart *chart, const char *css_class, double x0, double x1, double value,
             const char *text);

/* anchor: "start", "middle" or "end". */
void svg_text(FILE *out, double x, double y, const char *css_class, const char *anchor,
              const char *text);

/* A high limit of a linear axis that ends at a round number. */
double svg_round_up(double value);

/* About how wide a text is. */
double svg_text_width(const char *text);

#endif
