/* page_times.c - what took time, and how the loss falls while a shard is coded. */
#include "page_charts.h"

#include "svg.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define SHARDS_MOST 3000 /* points */
#define RANKS_MOST 200   /* bars */
#define RANKS_LEAST 8    /* that there is room for */
#define LINES_MOST 24    /* thin lines of single shards */
#define POINT_BYTES 65536.0

/* ---- by shard ------------------------------------------------------------------------------ */

static void times_by_shard(FILE *out, const page_audit *audit, const page_data *data)
{
    char text[200];
    double most = 0;
    const uint64_t shards = audit->facts.shards;
    const uint64_t every = (shards + SHARDS_MOST - 1) / SHARDS_MOST;
    for (uint64_t i = 0; i < shards; i++)
        most = fmax(most, audit->times[i].seconds);
    svg_chart chart = {.out = out, .width = 430, .height = 260};
    chart.x = (svg_axis){.high = svg_round_up((double)(shards > 1 ? shards - 1 : 1)),
                         .whole = true,
                         .name = "shard"};
    chart.y = (svg_axis){.high = svg_round_up(most), .name = "seconds"};
    fputs("<figure><figcaption>Seconds by shard", out);
    if (every > 1)
        fprintf(out, " <small>a sample: one of every %" PRIu64 "</small>", every);
    fputs("</figcaption>\n", out);
    snprintf(text, sizeof text,
             "A point a shard: the seconds that coding it took, at most %.1f, as the run log has "
             "them, of %" PRIu64 " shards.",
             most, data->timed);
    svg_chart_begin(&chart, "c", "ts", "Seconds by shard", text);
    fputs("<path class=\"q\" d=\"", out);
    for (uint64_t i = 0; i < shards; i += every)
        if (audit->times[i].known)
            fprintf(out, "M%.1f %.1fh0", svg_x(&chart, (double)i),
                    svg_y(&chart, audit->times[i].seconds));
    fputs("\"/>\n", out);
    svg_end(out);
    fputs("</figure>\n", out);
}

/* ---- by rank ------------------------------------------------------------------------------- */

/* bars[i] becomes the largest of `each` ranks' seconds. */
static void ranks_draw(FILE *out, const double *seconds, size_t ranks)
{
    char text[160];
    const size_t each = (ranks + RANKS_MOST - 1) / RANKS_MOST;
    double most = 0;
    double sum = 0;
    for (size_t i = 0; i < ranks; i++) {
        most = fmax(most, seconds[i]);
        sum += seconds[i];
    }
    svg_chart chart = {.out = out, .width = 430, .height = 260};
    chart.x = (svg_axis){.low = -0.5, .whole = true, .name = "rank"};
    chart.x.high = (ranks < RANKS_LEAST ? RANKS_LEAST : (double)ranks) - 0.5;
    chart.y = (svg_axis){.high = svg_round_up(most), .name = "seconds"};
    fputs("<figure><figcaption>Seconds by rank", out);
    if (each > 1)
        fprintf(out, " <small>a bar is the largest of %zu ranks</small>", each);
    fputs("</figcaption>\n", out);
    snprintf(text, sizeof text,
             "A bar a rank: the seconds that it coded shards. %zu ranks, %.1f seconds at most, "
             "%.1f on average.",
             ranks, most, sum / (double)ranks);
    svg_chart_begin(&chart, "c", "tr", "Seconds by rank", text);
    for (size_t i = 0; i < ranks; i += each) {
        double value = 0;
        for (size_t k = i; k < i + each && k < ranks; k++)
            value = fmax(value, seconds[k]);
        snprintf(text, sizeof text, "rank %zu: %.1f seconds", i, value);
        const double end = (double)(i + each) - 0.5;
        svg_bar(&chart, "s1", (double)i - 0.5, end, value, text);
    }
    svg_end(out);
    fputs("</figure>\n", out);
}

bool page_times(FILE *out, const page_audit *audit, const page_data *data)
{
    size_t ranks = 0;
    if (data->timed == 0)
        return true;
    for (uint64_t i = 0; i < audit->facts.shards; i++)
        if (audit->times[i].known && (size_t)audit->times[i].rank >= ranks)
            ranks = (size_t)audit->times[i].rank + 1;
    double *seconds = calloc(ranks + 1, sizeof *seconds);
    if (seconds == NULL)
        return false;
    for (uint64_t i = 0; i < audit->facts.shards; i++)
        if (audit->times[i].known)
            seconds[audit->times[i].rank] += audit->times[i].seconds;
    times_by_shard(out, audit, data);
    ranks_draw(out, seconds, ranks);
    free(seconds);
    return true;
}

/* ---- the learning curve -------------------------------------------------------------------- */

/* Loss of the stretches that end at a point, and the bytes seen at their ends, of some shards. */
typedef struct curve_point {
    double shards, seen, bytes, bits, network_bits;
} curve_point;

static void curve_add(curve_point *points, const cpr_item_result *result)
{
    cpr_loss_point before = {0};
    for (uint32_t k = 0; k < result->curve_points && k < CPR_LOSS_POINTS; k++) {
        const cpr_loss_point *now = &result->curve[k];
        points[k].shards++;
        points[k].seen += (double)now->raw_bytes;
        points[k].bytes += (double)(now->raw_bytes - before.raw_bytes);
        points[k].bits += (double)(now->loss_bits - before.loss_bits) / 65536;
        points[k].network_bits +=
            (double)(now->network_loss_bits - before.network_loss_bits) / 65536;
        before = *now;
    }
}

/* Bits a byte, drawn where a point lies on average. */
static void curve_line(const svg_chart *chart, const curve_point *points, bool network,
                       const char *css_class)
{
    char verb = 'M';
    fprintf(chart->out, "<path class=\"%s\" d=\"", css_class);
    for (unsigned k = 0; k < CPR_LOSS_POINTS; k++) {
        const double bits = network ? points[k].network_bits : points[k].bits;
        if (points[k].bytes <= 0 || (network && bits <= 0))
            continue;
        fprintf(chart->out, "%c%.1f %.1f", verb,
                svg_x(chart, log2(points[k].seen / points[k].shards)),
                svg_y(chart, bits / points[k].bytes));
        verb = 'L';
    }
    fputs("\"/>\n", chart->out);
}

static void curve_single_lines(const svg_chart *chart, const page_audit *audit)
{
    const uint64_t shards = audit->facts.shards;
    const uint64_t every = (shards + LINES_MOST - 1) / LINES_MOST;
    for (uint64_t i = 0; shards > 1 && i < shards; i += every) {
        curve_point points[CPR_LOSS_POINTS] = {{0}};
        curve_add(points, &audit->curves[i]);
        curve_line(chart, points, false, "t");
    }
}

void page_curve(FILE *out, const page_audit *audit)
{
    curve_point points[CPR_LOSS_POINTS] = {{0}};
    double most = 0;
    double seen = 0;
    bool network = false;
    if (audit->curves == NULL)
        return;
    for (uint64_t i = 0; i < audit->facts.shards; i++)
        curve_add(points, &audit->curves[i]);
    for (unsigned k = 0; k < CPR_LOSS_POINTS; k++) {
        if (points[k].bytes <= 0)
            continue;
        most = fmax(most, fmax(points[k].bits, points[k].network_bits) / points[k].bytes);
        seen = fmax(seen, points[k].seen / points[k].shards);
        network = network || points[k].network_bits > 0;
    }
    if (!(seen > 0))
        return;
    svg_chart chart = {.out = out, .width = 430, .height = 260};
    chart.x = (svg_axis){.low = log2(POINT_BYTES) - 1,
                         .base = 2,
                         .bytes = true,
                         .name = "bytes of the shard that have been seen"};
    chart.x.high = fmax(chart.x.low + 2, ceil(log2(seen)));
    chart.y = (svg_axis){.high = svg_round_up(most), .name = "bits a byte"};
    fprintf(out,
            "<figure><figcaption>Learning curve <small><span class=\"k1\">%s</span>%s</small>"
            "</figcaption>\n",
            audit->facts.shards > 1 ? "all shards, and single ones" : "the shard",
            network ? ", <span class=\"k2\">the network alone</span>" : "");
    svg_chart_begin(&chart, "c", "lc", "Learning curve",
                    "Lines: bits a byte of each stretch that doubles what a shard has shown.");
    curve_single_lines(&chart, audit);
    curve_line(&chart, points, false, "l1");
    if (network)
        curve_line(&chart, points, true, "l2");
    svg_end(out);
    fputs("</figure>\n", out);
}
