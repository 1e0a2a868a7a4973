/* page_excerpts.c - the beginnings of the files in the tables of a page. */
#include "page_excerpts.h"

#include "command.h"
#include "corpress_speed.h"
#include "progress.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MOST ((size_t)4 * PAGE_EXCERPT_CHARACTERS)

/* A reader at work on one excerpt after the other. */
typedef struct excerpt_run {
    const page_audit *audit;
    cpr_reader *reader;
    progress_bar bar;
    uint64_t done_bytes; /* of the shards before this one */
    uint64_t shard;      /* in work; CPR_NONE: none yet */
    char start[BYTES_MOST + 1];
    size_t used;
} excerpt_run;

/* ---- which ones ---------------------------------------------------------------------------- */

static int excerpt_compare(const void *a, const void *b)
{
    const uint64_t one = ((const page_excerpt *)a)->number;
    const uint64_t two = ((const page_excerpt *)b)->number;
    return (one > two) - (one < two);
}

static void excerpts_choose(const page_data *data, page_excerpts *excerpts)
{
    const page_top *tops[] = {&data->redundant, &data->unpredictable, &data->largest};
    size_t all = 0;
    for (unsigned t = 0; t < 3; t++)
        for (size_t i = 0; i < tops[t]->count; i++)
            excerpts->rows[all++] = (page_excerpt){.number = tops[t]->rows[i].number};
    qsort(excerpts->rows, all, sizeof *excerpts->rows, excerpt_compare);
    for (size_t i = 0; i < all; i++)
        if (i == 0 || excerpts->rows[i].number != excerpts->rows[i - 1].number)
            excerpts->rows[excerpts->count++] = excerpts->rows[i];
}

const page_excerpt *page_excerpts_find(const page_excerpts *excerpts, uint64_t number)
{
    const page_excerpt key = {.number = number};
    return bsearch(&key, excerpts->rows, excerpts->count, sizeof key, excerpt_compare);
}

/* ---- decoding ------------------------------------------------------------------------------ */

static cpr_status excerpt_take(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    excerpt_run *run = context;
    (void)error;
    const size_t taken = bytes < BYTES_MOST - run->used ? bytes : BYTES_MOST - run->used;
    memcpy(run->start + run->used, data, taken);
    run->used += taken;
    return CPR_OK;
}

static cpr_status excerpt_progress(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                   cpr_error *error)
{
    excerpt_run *run = context;
    (void)coded_bytes;
    (void)error;
    progress_show(&run->bar, &(cpr_run_progress){.raw_bytes = run->done_bytes + raw_bytes});
    return CPR_OK;
}

/* The first characters of bytes that a NUL may be among. */
static char *excerpt_text(const char *start, size_t bytes, bool cut)
{
    char *text = NULL;
    size_t size = 0;
    char shown[32];
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    size_t at = 0;
    for (unsigned n = 0; at < bytes && n < PAGE_EXCERPT_CHARACTERS; n++) {
        char one[5] = "";
        uint32_t code;
        const size_t length = start[at] != '\0' ? cpr_utf8_length(start + at, &code) : 1;
        memcpy(one, start + at, length > 0 ? length : 1);
        if (one[0] == '\n' || one[0] == '\t')
            fputs(one, out);
        else
            fputs(one[0] != '\0' ? cpr_printable_text(one, shown, sizeof shown) : "\\x00", out);
        at += length > 0 ? length : 1;
    }
    if (cut || at < bytes)
        fputs("…", out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static void run_enter(excerpt_run *run, uint64_t shard)
{
    if (run->shard != shard && run->shard != CPR_NONE)
        run->done_bytes += cpr_archive_shard(run->audit->archive, run->shard)->raw_bytes;
    run->shard = shard;
}

static cpr_status run_decode(excerpt_run *run, page_excerpt *excerpt, cpr_error *error)
{
    cpr_entry entry;
    cpr_status status = cpr_archive_get(run->audit->archive, excerpt->number, &entry, error);
    if (status != CPR_OK || run->audit->bad_primer || run->audit->bad[entry.first_shard])
        return status;
    run_enter(run, entry.first_shard);
    run->used = 0;
    const uint64_t bytes = entry.bytes < BYTES_MOST ? entry.bytes : BYTES_MOST;
    status = cpr_reader_stream(run->reader, entry.offset, bytes, (cpr_sink){excerpt_take, run},
                               (cpr_watch){excerpt_progress, run}, error);
    if (status == CPR_ERR_DAMAGED) {
        progress_clear(&run->bar);
        command_say("%s", error->text);
        return CPR_OK;
    }
    if (status != CPR_OK)
        return status;
    run->start[run->used] = '\0';
    excerpt->text = excerpt_text(run->start, run->used, bytes < entry.bytes);
    return excerpt->text != NULL ? CPR_OK
                                 : cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for excerpts");
}

/* The shards that the excerpts begin in, for the reader, and their bytes for the bar. */
static cpr_status run_expect(excerpt_run *run, const page_excerpts *excerpts,
                             const page_decoding *how, cpr_error *error)
{
    uint64_t shards[PAGE_EXCERPTS_MOST];
    uint64_t raw_bytes = 0;
    size_t count = 0;
    for (size_t i = 0; i < excerpts->count; i++) {
        cpr_entry entry;
        const cpr_status status =
            cpr_archive_get(run->audit->archive, excerpts->rows[i].number, &entry, error);
        if (status != CPR_OK)
            return status;
        if (run->audit->bad[entry.first_shard] ||
            (count > 0 && shards[count - 1] == entry.first_shard))
            continue;
        shards[count++] = entry.first_shard;
        raw_bytes += cpr_archive_shard(run->audit->archive, entry.first_shard)->raw_bytes;
    }
    progress_begin(&run->bar, how->quiet, raw_bytes, 0);
    run->bar.decoding = true;
    run->bar.what = "excerpts: ";
    return count > 1 ? cpr_reader_expect(run->reader, shards, count, how->threads, error) : CPR_OK;
}

cpr_status page_excerpts_decode(const page_audit *audit, const page_data *data,
                                const page_decoding *how, page_excerpts *excerpts, cpr_error *error)
{
    excerpt_run run = {.audit = audit, .shard = CPR_NONE};
    *excerpts = (page_excerpts){.count = 0};
    excerpts_choose(data, excerpts);
    if (excerpts->count == 0 || audit->bad_primer)
        return CPR_OK;
    cpr_status status = cpr_reader_open(audit->archive, &run.reader, error);
    if (status == CPR_OK && how->cache != NULL)
        status = cpr_reader_set_cache(run.reader, how->cache, 0, error);
    if (status == CPR_OK)
        status = run_expect(&run, excerpts, how, error);
    for (size_t i = 0; status == CPR_OK && i < excerpts->count; i++)
        status = run_decode(&run, &excerpts->rows[i], error);
    progress_clear(&run.bar);
    cpr_reader_close(run.reader);
    return status;
}

void page_excerpts_free(page_excerpts *excerpts)
{
    for (size_t i = 0; i < excerpts->count; i++)
        free(excerpts->rows[i].text);
    excerpts->count = 0;
}
