/* progress.c - how far a run is: a bar on a terminal, whole lines in a log. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* A bar is redrawn this often; a log gets a line at every 5 %, but not more often than every
 * LOG_SECONDS, and one every LOG_SECONDS_MOST in any case. */
#define BAR_SECONDS 0.1
#define LOG_SECONDS 5.0
#define LOG_SECONDS_MOST 60.0
#define BAR_CELLS 20
#define BAR_CELLS_LEAST 5
#define COLUMNS 80 /* of a terminal that does not say */

double progress_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

const char *progress_bytes(uint64_t bytes, char *out, size_t capacity)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB"};
    if (bytes < 1000) {
        snprintf(out, capacity, "%u B", (unsigned)bytes);
        return out;
    }
    double value = (double)bytes / 1000;
    size_t unit = 0;
    while (value >= 999.95 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    snprintf(out, capacity, "%.1f %s", value, units[unit]);
    return out;
}

const char *progress_time(double seconds, char *out, size_t capacity)
{
    const unsigned long long whole = seconds < 0 ? 0 : (unsigned long long)(seconds + 0.5);
    snprintf(out, capacity, "%llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
    return out;
}

double progress_bits(uint64_t loss_bits, uint64_t bytes)
{
    return bytes > 0 ? (double)loss_bits / 65536 / (double)bytes : 0;
}

void progress_begin(progress_bar *p, bool quiet, uint64_t total_raw, uint64_t total_items)
{
    *p = (progress_bar){.quiet = quiet, .total_raw = total_raw, .total_items = total_items};
    p->terminal = isatty(STDERR_FILENO) == 1;
    p->started = progress_clock();
    p->shown = p->started;
}

void progress_clear(progress_bar *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}

/* "12.3 MB of 64.0 MB, 1 of 8 shards, ratio 9.12, 1.4 MB/s, 0:00:37 left"; on a terminal without
 * the shards, to leave room for a bar. */
static void describe(const progress_bar *p, const cpr_run_progress *now, double seconds, char *out,
                     size_t capacity)
{
    char done[32];
    char total[32];
    char rate[32];
    char left[32] = "?";
    char shards[64] = "";
    const double per_second =
        seconds > 0 ? (double)(now->raw_bytes - now->earlier_bytes) / seconds : 0;
    if (per_second > 0 && now->raw_bytes <= p->total_raw)
        progress_time((double)(p->total_raw - now->raw_bytes) / per_second, left, sizeof left);
    char ratio[32] = "";
    if (p->teaching)
        snprintf(ratio, sizeof ratio, "%.3f bits a byte, ", p->bits_per_byte);
    else if (!p->decoding)
        snprintf(ratio, sizeof ratio, "ratio %.2f, ",
                 now->coded_bytes ? (double)now->raw_bytes / (double)now->coded_bytes : 0.0);
    if (!p->terminal && p->total_items > 0)
        snprintf(shards, sizeof shards, "%llu of %llu shards, ",
                 (unsigned long long)now->items_done, (unsigned long long)p->total_items);
    snprintf(out, capacity, "%s%s of %s, %s%s%s/s, %s left", p->what != NULL ? p->what : "",
             progress_bytes(now->raw_bytes, done, sizeof done),
             progress_bytes(p->total_raw, total, sizeof total), shards, ratio,
             progress_bytes((uint64_t)per_second, rate, sizeof rate), left);
}

/* One line that the terminal does not wrap: a bar that is wrapped could not be redrawn. */
static void draw_bar(progress_bar *p, const char *text, double fraction)
{
    struct winsize size;
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    const int columns = (known ? size.ws_col : COLUMNS) - 1;
    char line[256];
    char bar[BAR_CELLS + 1] = "";
    int cells = columns - (int)strlen(text) - (int)strlen("[] 100 % ");
    cells = cells < BAR_CELLS ? cells : BAR_CELLS;
    if (cells < BAR_CELLS_LEAST)
        cells = 0;
    const int full = (int)(fraction * cells);
    for (int i = 0; i < cells; i++)
        bar[i] = i < full ? '#' : '-';
    snprintf(line, sizeof line, "%s%s%s%3.0f %% %s", cells > 0 ? "[" : "", bar,
             cells > 0 ? "] " : "", 100 * fraction, text);
    fprintf(stderr, "\r%.*s\033[K", columns, line);
    fflush(stderr);
    p->drawn = true;
}

/* "read 12.3 MB, 1.4 MB/s" */
static void show_count(progress_bar *p, uint64_t bytes, double clock)
{
    char done[32];
    char rate[32];
    const double seconds = clock - p->started;
    if (clock - p->shown < (p->terminal ? BAR_SECONDS : LOG_SECONDS_MOST))
        return;
    progress_bytes(bytes, done, sizeof done);
    progress_bytes(seconds > 0 ? (uint64_t)((double)bytes / seconds) : 0, rate, sizeof rate);
    if (p->terminal)
        fprintf(stderr, "\rread %s, %s/s\033[K", done, rate);
    else
        fprintf(stderr, "corpress: read %s, %s/s\n", done, rate);
    fflush(stderr);
    p->drawn = p->terminal;
    p->shown = clock;
}

void progress_show(progress_bar *p, const cpr_run_progress *now)
{
    if (p->quiet || (p->total_raw == 0 && !p->counting))
        return;
    const double clock = progress_clock();
    if (p->counting) {
        show_count(p, now->raw_bytes, clock);
        return;
    }
    /* The primer may have to be decoded first: that says nothing about the time that is left. */
    if (p->decoding && now->raw_bytes == now->earlier_bytes)
        p->started = clock;
    const double since = clock - p->shown;
    const double fraction = (double)now->raw_bytes / (double)p->total_raw;
    const unsigned step = (unsigned)(fraction * 20);
    const bool due =
        p->terminal ? since >= BAR_SECONDS
                    : (step != p->shown_step && since >= LOG_SECONDS) || since >= LOG_SECONDS_MOST;
    if (!due)
        return;
    char text[160];
    describe(p, now, clock - p->started, text, sizeof text);
    if (p->terminal)
        draw_bar(p, text, fraction);
    else
        fprintf(stderr, "corpress: %3.0f %%, %s\n", 100 * fraction, text);
    p->shown = clock;
    p->shown_step = step;
}
