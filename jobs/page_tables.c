/* page_tables.c - the tables on the page of an audit. */
#include "page_tables.h"

#include "escape.h"
#include "page_charts.h"
#include "progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What keeps a page small, whatever the names are. */
#define PATH_SHOWN_BYTES 240
#define COMMAND_BYTES_MOST 1000

/* The roles are those of the elements, which browsers forget when a narrow page lays them out
 * another way. */
static void table_begin(FILE *out, const char *const *heads)
{
    fputs("<table role=\"table\"><thead role=\"rowgroup\"><tr role=\"row\">", out);
    for (; *heads != NULL; heads++)
        fprintf(out, "<th role=\"columnheader\" scope=\"col\"%s>%s</th>",
                heads[1] == NULL ? " class=\"f\"" : "", *heads);
    fputs("</tr></thead><tbody role=\"rowgroup\">\n", out);
}

static void table_end(FILE *out)
{
    fputs("</tbody></table>\n", out);
}

/* By which a column is sorted, and what is seen of it. */
static void cell(FILE *out, double key, const char *text)
{
    fprintf(out, "<td role=\"cell\" data-v=\"%.10g\">%s</td>", key, text);
}

static void bits_cell(FILE *out, double bits_per_byte)
{
    char text[32] = "–";
    if (bits_per_byte > 0)
        snprintf(text, sizeof text, "%.4f", bits_per_byte);
    cell(out, bits_per_byte > 0 ? bits_per_byte : -1, text);
}

static void bytes_cell(FILE *out, double bytes)
{
    char text[32];
    cell(out, bytes, progress_bytes((uint64_t)(bytes + 0.5), text, sizeof text));
}

static void state_cell(FILE *out, bool bad)
{
    fprintf(out, "<td role=\"cell\"%s>%s</td>", bad ? " class=\"bad\"" : "",
            bad ? "DAMAGED" : "ok");
}

/* A command line that shows a file, or, if path is NULL, a shard. False: out of memory. */
static bool command_line(FILE *out, const page_audit *audit, const char *path, uint64_t shard)
{
    char *text = NULL;
    size_t size = 0;
    FILE *line = open_memstream(&text, &size);
    if (line == NULL)
        return false;
    fprintf(line, "corpress cat %s", audit->unsealed ? "--unsealed " : "");
    if (path == NULL)
        fprintf(line, "--shards %" PRIu64 " ", shard);
    if (audit->archive_path[0] == '-' || (path != NULL && path[0] == '-'))
        fputs("-- ", line);
    escape_shell(line, audit->archive_path);
    if (path != NULL) {
        fputc(' ', line);
        escape_shell(line, path);
    }
    const bool good = fclose(line) == 0;
    if (good && size <= COMMAND_BYTES_MOST) {
        fputs("<code>", out);
        escape_html(out, text);
        fputs("</code>", out);
    } else if (good) {
        fputs("<small>the command is too long for this page</small>", out);
    }
    free(text);
    return good;
}

static void excerpt_cell(FILE *out, const page_excerpts *excerpts, uint64_t number)
{
    const page_excerpt *excerpt = excerpts != NULL ? page_excerpts_find(excerpts, number) : NULL;
    if (excerpt == NULL)
        return;
    if (excerpt->text == NULL) {
        fputs("<small>no excerpt: it is damaged</small>", out);
        return;
    }
    fputs("<q dir=\"auto\">", out);
    escape_html(out, excerpt->text);
    fputs("</q>", out);
}

static void shards_cell(FILE *out, const cpr_entry *entry)
{
    char text[64];
    snprintf(text, sizeof text,
             entry->first_shard == entry->last_shard ? "%" PRIu64 : "%" PRIu64 "–%" PRIu64,
             entry->first_shard, entry->last_shard);
    cell(out, (double)entry->first_shard, text);
}

static bool file_row(FILE *out, const page_audit *audit, const page_file *file,
                     const page_excerpts *excerpts)
{
    char shown[PATH_SHOWN_BYTES];
    cpr_entry entry;
    if (cpr_archive_get(audit->archive, file->number, &entry, NULL) != CPR_OK)
        return true;
    fputs("<tr role=\"row\">", out);
    bits_cell(out, page_bits_per_byte(file));
    bytes_cell(out, (double)file->bytes);
    bytes_cell(out, file->bits / 8);
    shards_cell(out, &entry);
    state_cell(out, page_is_damaged(audit, &entry));
    fputs("<td role=\"cell\" class=\"f\"><bdi>", out);
    escape_html(out, cpr_printable_path(entry.path, shown, sizeof shown));
    fputs("</bdi>", out);
    const bool good = command_line(out, audit, entry.path, 0);
    excerpt_cell(out, excerpts, file->number);
    fputs("</td></tr>\n", out);
    return good;
}

bool page_file_table(FILE *out, const page_audit *audit, const page_top *top,
                     const page_excerpts *excerpts)
{
    static const char *const heads[] = {"Bits/byte", "Size", "Coded", "Shard",
                                        "State",     "File", NULL};
    bool good = true;
    table_begin(out, heads);
    for (size_t i = 0; i < top->count; i++)
        good = file_row(out, audit, &top->rows[i], excerpts) && good;
    table_end(out);
    return good;
}

static bool shard_row(FILE *out, const page_audit *audit, uint64_t shard)
{
    char text[32];
    const cpr_shard_info *info = cpr_archive_shard(audit->archive, shard);
    const double raw = (double)info->raw_bytes;
    fputs("<tr role=\"row\">", out);
    cell(out, (double)shard, page_number(shard, text));
    bits_cell(out, raw > 0 ? 8 * (double)info->coded_bytes / raw : 0);
    bytes_cell(out, raw);
    bytes_cell(out, (double)info->coded_bytes);
    state_cell(out, audit->bad[shard]);
    fputs("<td role=\"cell\" class=\"f\">", out);
    if (audit->lz4_bytes[shard] > 0)
        fprintf(out, "%.3f under LZ4", raw / (double)audit->lz4_bytes[shard]);
    if (audit->times[shard].known)
        fprintf(out, "%s%.1f seconds on rank %d", audit->lz4_bytes[shard] > 0 ? "; " : "",
                audit->times[shard].seconds, audit->times[shard].rank);
    const bool good = command_line(out, audit, NULL, shard);
    fputs("</td></tr>\n", out);
    return good;
}

bool page_shard_table(FILE *out, const page_audit *audit, const page_data *data)
{
    static const char *const heads[] = {"Shard", "Bits/byte", "Size", "Coded",
                                        "State", "Notes",     NULL};
    bool good = true;
    table_begin(out, heads);
    for (size_t i = 0; i < data->shard_count; i++)
        good = shard_row(out, audit, data->shards[i]) && good;
    table_end(out);
    return good;
}
