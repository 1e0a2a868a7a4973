/* work_progress.c - how far a run is, as a file of text lines. WORK.md describes it.
 *
 * A reader takes lines by their names and ignores others, so that both may grow. */
#define _GNU_SOURCE
#include "work_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "corpress progress 1\n"
#define RANK_LINE "\nrank "

/* ---- writing -------------------------------------------------------------------------------- */

static void put_rank(FILE *out, size_t rank, const cpr_work_rank_progress *r)
{
    char shard[24] = "-";
    if (r->shard != UINT64_MAX)
        snprintf(shard, sizeof shard, "%" PRIu64, r->shard);
    fprintf(out, "rank %zu %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %.3f\n", rank,
            r->host[0] != '\0' ? r->host : "?", shard, r->raw_bytes, r->coded_bytes,
            r->resumed_bytes, r->done_bytes, r->done_seconds);
}

/* malloc()ed. NULL: out of memory. */
static char *describe(const cpr_work_progress *p)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL)
        return NULL;
    fprintf(out,
            FIRST_LINE "ranks %zu\nseconds %.1f\nshards %" PRIu64 "\nraw %" PRIu64
                       "\ncoded %" PRIu64 "\nearlier %" PRIu64 "\n",
            p->rank_count, p->seconds, p->shards_done, p->raw_bytes, p->coded_bytes,
            p->earlier_bytes);
    if (p->in_lesson)
        fprintf(out, "lesson %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                p->lesson.sample_bytes, p->lesson.begun_bytes, p->lesson.text_bytes,
                p->lesson.loss_bits);
    if (p->in_primer)
        fprintf(out, "primer %" PRIu64 " %" PRIu64 "\n", p->primer_bytes, p->primer_earlier_bytes);
    for (size_t i = 0; i < p->rank_count; i++)
        put_rank(out, i, &p->ranks[i]);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

cpr_status cpr_work_progress_write(const cpr_work_dir *work, const cpr_work_progress *progress,
                                   cpr_error *error)
{
    char *text = describe(progress);
    if (text == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    const cpr_status status =
        cpr_work_put_file(work, CPR_WORK_PROGRESS, text, strlen(text), false, error);
    free(text);
    return status;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* The text behind the first line of that name; NULL: there is none. */
static const char *find_line(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at != NULL ? at + strlen(name) : NULL;
}

static uint64_t number_of(const char *text, const char *name)
{
    const char *at = find_line(text, name);
    return at != NULL ? strtoull(at, NULL, 10) : 0;
}

/* "0 HOST 12 RAW CODED RESUMED DONE SECONDS" */
static bool parse_rank(const char *line, cpr_work_rank_progress *r)
{
    char shard[32];
    /* A file of our own: no number in it is out of range. NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(line, "%*d %63s %31s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %lf", r->host,
               shard, &r->raw_bytes, &r->coded_bytes, &r->resumed_bytes, &r->done_bytes,
               &r->done_seconds) != 7)
        return false;
    r->shard = shard[0] == '-' ? UINT64_MAX : strtoull(shard, NULL, 10);
    return true;
}

/* False: out of memory. */
static bool parse_ranks(const char *text, cpr_work_progress *p)
{
    size_t lines = 0;
    for (const char *at = text; (at = find_line(at, RANK_LINE)) != NULL;)
        lines++;
    p->ranks = calloc(lines + 1, sizeof *p->ranks);
    if (p->ranks == NULL)
        return false;
    for (const char *at = text; (at = find_line(at, RANK_LINE)) != NULL;)
        if (!parse_rank(at, &p->ranks[p->rank_count++])) {
            p->rank_count--;
            break;
        }
    return true;
}

static cpr_status parse(const cpr_work_dir *work, const char *text, cpr_work_progress *p,
                        cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    if (strncmp(text, FIRST_LINE, sizeof FIRST_LINE - 1) != 0)
        return cpr_fail(error, CPR_ERR_DAMAGED, "\"%s\" in \"%s\" is damaged", CPR_WORK_PROGRESS,
                        cpr_printable_path(work->path, shown, sizeof shown));
    const char *seconds = find_line(text, "\nseconds ");
    const char *primer = find_line(text, "\nprimer ");
    const char *lesson = find_line(text, "\nlesson ");
    char *end;
    p->seconds = seconds != NULL ? strtod(seconds, NULL) : 0;
    p->shards_done = number_of(text, "\nshards ");
    p->raw_bytes = number_of(text, "\nraw ");
    p->coded_bytes = number_of(text, "\ncoded ");
    p->earlier_bytes = number_of(text, "\nearlier ");
    p->in_lesson = lesson != NULL;
    if (lesson != NULL) {
        p->lesson.sample_bytes = strtoull(lesson, &end, 10);
        p->lesson.begun_bytes = strtoull(end, &end, 10);
        p->lesson.text_bytes = strtoull(end, &end, 10);
        p->lesson.loss_bits = strtoull(end, NULL, 10);
    }
    p->in_primer = primer != NULL;
    if (primer != NULL) {
        p->primer_bytes = strtoull(primer, &end, 10);
        p->primer_earlier_bytes = strtoull(end, NULL, 10);
    }
    return parse_ranks(text, p) ? CPR_OK : cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
}

cpr_status cpr_work_progress_read(const cpr_work_dir *work, cpr_work_progress *progress,
                                  cpr_error *error)
{
    uint8_t *text;
    size_t bytes;
    *progress = (cpr_work_progress){.rank_count = 0};
    cpr_status status = cpr_work_get_file(work, CPR_WORK_PROGRESS, &text, &bytes, error);
    if (status == CPR_OK)
        status = parse(work, (const char *)text, progress, error);
    free(text);
    return status;
}

void cpr_work_progress_free(cpr_work_progress *progress)
{
    free(progress->ranks);
    *progress = (cpr_work_progress){.rank_count = 0};
}
