/* page_shares.c - where the bytes went: by directory and by suffix. */
#include "page_charts.h"

#include "escape.h"
#include "progress.h"
#include "svg.h"

#include <string.h>

#define WIDTH 430
#define ROW_HEIGHT 38
#define NAME_BYTES 200
#define NAME_WIDTH 250 /* of a name, beside the figures */

/* Terminates, makes printable, and cuts what is too wide. */
static const char *group_name(const page_groups *groups, size_t i, const char *none, char *out,
                              size_t capacity)
{
    const page_group *group = &groups->rows[i];
    char name[NAME_BYTES / 2];
    if (groups->others > 0 && i + 1 == groups->count) {
        snprintf(out, capacity, "%llu others", (unsigned long long)groups->others);
        return out;
    }
    if (group->name == NULL) {
        snprintf(out, capacity, "%s", group->length > 0 ? "outside of it" : none);
        return out;
    }
    const size_t length = group->length < sizeof name ? group->length : sizeof name - 1;
    memcpy(name, group->name, length);
    name[length] = '\0';
    cpr_printable_path(name, out, capacity - 4);
    bool cut = length < group->length;
    while (svg_text_width(out) > NAME_WIDTH) {
        size_t end = strlen(out) - 1;
        while (end > 0 && ((unsigned char)out[end] & 0xc0) == 0x80)
            end--;
        out[end] = '\0';
        cut = true;
    }
    const size_t used = strlen(out);
    if (cut)
        snprintf(out + used, capacity - used, "…");
    return out;
}

static void share_bar(FILE *out, const char *css_class, double y, double share)
{
    fprintf(out, "<rect class=\"%s\" x=\"0\" y=\"%.1f\" width=\"%.1f\" height=\"6\"/>\n", css_class,
            y, share * WIDTH < 1 ? 1 : share * WIDTH);
}

static void share_row(FILE *out, const page_data *data, const page_groups *groups, size_t i,
                      const char *none, double bytes)
{
    char name[NAME_BYTES];
    char text[64];
    char size[32];
    char files[PAGE_NUMBER_BYTES];
    const page_group *group = &groups->rows[i];
    const double y = (double)i * ROW_HEIGHT;
    const double raw = bytes > 0 ? (double)group->bytes / bytes : 0;
    const double coded = data->bits > 0 ? group->bits / data->bits : 0;
    group_name(groups, i, none, name, sizeof name);
    fputs("<g><title>", out);
    escape_html(out, name);
    fprintf(out, ": %s files, %s, %.4f bits a byte</title>\n", page_number(group->files, files),
            progress_bytes(group->bytes, size, sizeof size),
            group->bytes > 0 ? group->bits / (double)group->bytes : 0);
    svg_text(out, 0, y + 14, "n", "start", name);
    snprintf(text, sizeof text, "%.1f %% → %.1f %%", 100 * raw, 100 * coded);
    svg_text(out, WIDTH, y + 14, "a", "end", text);
    share_bar(out, "s3", y + 19, raw);
    share_bar(out, "s1", y + 26, coded);
    fputs("</g>\n", out);
}

static void shares(FILE *out, const page_data *data, const page_groups *groups, const char *title,
                   const char *none, const char *id)
{
    double bytes = 0;
    for (size_t i = 0; i < groups->count; i++)
        bytes += (double)groups->rows[i].bytes;
    if (!(bytes > 0))
        return;
    fprintf(out,
            "<figure><figcaption>%s <small><span class=\"k3\">share of the text</span> → <span "
            "class=\"k1\">of the archive</span></small></figcaption>\n",
            title);
    svg_begin(out, "c", id, WIDTH, (double)(groups->count * ROW_HEIGHT), title,
              "Bars: which share of the text each has, and which share of the archive by the "
              "model's loss.");
    for (size_t i = 0; i < groups->count; i++)
        share_row(out, data, groups, i, none, bytes);
    svg_end(out);
    fputs("</figure>\n", out);
}

void page_shares(FILE *out, const page_data *data)
{
    shares(out, data, &data->folders, "By directory", "in no directory below it", "bd");
    shares(out, data, &data->suffixes, "By suffix", "no suffix", "bs");
}
