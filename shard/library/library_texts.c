/* library_texts.c - documents in memory, for those to whom being called for each is dear. */
#include "corpress_documents.h"

#include <stdlib.h>
#include <string.h>

/* What is gathered: `texts` is what the caller sees of it. */
typedef struct gathering {
    cpr_texts texts;
    uint8_t *data;
    uint64_t *ends;
    size_t bytes;
    size_t room;
} gathering;

void cpr_texts_free(cpr_texts *texts)
{
    gathering *g = (gathering *)texts;
    if (g == NULL)
        return;
    free(g->data);
    free(g->ends);
    free(g);
}

static cpr_status gathering_grow(gathering *g, size_t bytes, cpr_error *error)
{
    size_t room = g->room;
    if (bytes > SIZE_MAX / 4 - g->bytes)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the text of documents");
    while (room < g->bytes + bytes)
        room = room == 0 ? (size_t)1 << 16 : 2 * room;
    uint8_t *data = room > g->room ? realloc(g->data, room) : g->data;
    if (data == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the text of documents");
    g->data = data;
    g->room = room;
    return CPR_OK;
}

/* A cpr_document_fn. */
static cpr_status gathering_take(void *context, uint64_t number, const uint8_t *data, size_t bytes,
                                 bool last, cpr_error *error)
{
    gathering *g = context;
    (void)number;
    if (bytes > 0) {
        const cpr_status status = gathering_grow(g, bytes, error);
        if (status != CPR_OK)
            return status;
        memcpy(g->data + g->bytes, data, bytes);
        g->bytes += bytes;
    }
    if (last)
        g->ends[g->texts.count++] = g->bytes;
    return CPR_OK;
}

/* NULL: no memory. */
static gathering *gathering_create(uint64_t count)
{
    gathering *g = calloc(1, sizeof *g);
    if (g == NULL)
        return NULL;
    if (count < SIZE_MAX / sizeof *g->ends)
        g->ends = malloc(((size_t)count + 1) * sizeof *g->ends);
    if (g->ends != NULL)
        return g;
    free(g);
    return NULL;
}

cpr_status cpr_reader_load_documents(cpr_reader *reader, uint64_t first, uint64_t count,
                                     cpr_texts **texts, cpr_error *error)
{
    gathering *g = gathering_create(count);
    *texts = NULL;
    if (g == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %llu documents",
                        (unsigned long long)count);
    const cpr_status status = cpr_reader_documents(reader, first, count, gathering_take, g, error);
    if (status != CPR_OK) {
        cpr_texts_free(&g->texts);
        return status;
    }
    g->texts.data = g->data;
    g->texts.ends = g->ends;
    *texts = &g->texts;
    return CPR_OK;
}
