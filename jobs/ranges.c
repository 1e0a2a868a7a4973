/* ranges.c - parts of a corpus, in the order in which they are wanted. */
#include "ranges.h"

#include <stdlib.h>

cpr_status range_list_add(range_list *list, uint64_t offset, uint64_t bytes, cpr_error *error)
{
    if (bytes == 0)
        return CPR_OK;
    if (list->count == list->room) {
        const size_t room = 2 * list->room + 16;
        corpus_range *items = realloc(list->items, room * sizeof *items);
        if (items == NULL)
            return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of files");
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = (corpus_range){.offset = offset, .bytes = bytes};
    return CPR_OK;
}

static uint64_t range_end(const corpus_range *range)
{
    return range->offset + range->bytes;
}

cpr_status range_list_extend(range_list *list, uint64_t offset, uint64_t bytes, cpr_error *error)
{
    if (list->count == 0 || range_end(&list->items[list->count - 1]) != offset)
        return range_list_add(list, offset, bytes, error);
    list->items[list->count - 1].bytes += bytes;
    return CPR_OK;
}

void range_list_free(range_list *list)
{
    free(list->items);
    *list = (range_list){.items = NULL};
}

cpr_status range_list_shards(const range_list *list, const cpr_archive *archive, uint64_t **shards,
                             uint64_t *count, cpr_error *error)
{
    uint64_t most = 1;
    for (size_t i = 0; i < list->count; i++)
        most += cpr_archive_shard_at(archive, range_end(&list->items[i]) - 1) -
                cpr_archive_shard_at(archive, list->items[i].offset) + 1;
    *count = 0;
    *shards = calloc((size_t)most, sizeof **shards);
    if (*shards == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    for (size_t i = 0; i < list->count; i++) {
        const uint64_t last = cpr_archive_shard_at(archive, range_end(&list->items[i]) - 1);
        uint64_t shard = cpr_archive_shard_at(archive, list->items[i].offset);
        shard += *count > 0 && (*shards)[*count - 1] == shard;
        for (; shard <= last; shard++)
            (*shards)[(*count)++] = shard;
    }
    return CPR_OK;
}

/* A stream of the corpus from which the ranges are taken. */
typedef struct range_cutter {
    const range_list *list;
    const cpr_archive *archive;
    range_fn *take;
    void *context;
    size_t index; /* the range in work */
    size_t end;   /* behind the last of the stream */
    uint64_t at;  /* in the corpus, of the next byte */
    bool done;    /* what the stream still has is not wanted */
} range_cutter;

/* Whether the range in work begins in the shard that the stream has come to. */
static bool is_near(const range_cutter *cutter)
{
    return cutter->index < cutter->end &&
           cpr_archive_shard_at(cutter->archive, cutter->list->items[cutter->index].offset) ==
               cpr_archive_shard_at(cutter->archive, cutter->at - 1);
}

/* A cpr_write_fn. */
static cpr_status cut_ranges(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    range_cutter *cutter = context;
    while (bytes > 0 && cutter->index < cutter->end) {
        const corpus_range *range = &cutter->list->items[cutter->index];
        const bool inside = cutter->at >= range->offset;
        const uint64_t left = (inside ? range_end(range) : range->offset) - cutter->at;
        const size_t piece = left < bytes ? (size_t)left : bytes;
        bool enough = false;
        const cpr_status status = inside
                                      ? cutter->take(cutter->context, cutter->at == range->offset,
                                                     data, piece, &enough, error)
                                      : CPR_OK;
        if (status != CPR_OK)
            return status;
        data += piece;
        bytes -= piece;
        cutter->at += piece;
        cutter->index += enough || (inside && piece == left);
        cutter->done = enough && !is_near(cutter);
        if (cutter->done)
            return CPR_STOPPED;
    }
    cutter->at += bytes;
    return CPR_OK;
}

/* The end of the ranges that one stream serves: each begins in the shard where the one before it
 * ends. */
static size_t stream_end(const range_list *list, const cpr_archive *archive, size_t first)
{
    size_t end = first + 1;
    for (; end < list->count; end++) {
        const uint64_t before = range_end(&list->items[end - 1]);
        const uint64_t offset = list->items[end].offset;
        if (offset < before ||
            cpr_archive_shard_at(archive, offset) != cpr_archive_shard_at(archive, before - 1))
            break;
    }
    return end;
}

cpr_status range_list_read(const range_list *list, const cpr_archive *archive, cpr_reader *reader,
                           range_fn *take, void *context, cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (size_t i = 0; status == CPR_OK && i < list->count;) {
        const uint64_t offset = list->items[i].offset;
        range_cutter cutter = {.list = list,
                               .archive = archive,
                               .take = take,
                               .context = context,
                               .index = i,
                               .end = stream_end(list, archive, i),
                               .at = offset};
        const uint64_t bytes = range_end(&list->items[cutter.end - 1]) - offset;
        status = cpr_reader_stream(reader, offset, bytes, (cpr_sink){cut_ranges, &cutter},
                                   (cpr_watch){NULL, NULL}, error);
        if (cutter.done && status == CPR_STOPPED)
            status = CPR_OK;
        i = cutter.index;
    }
    return status;
}
