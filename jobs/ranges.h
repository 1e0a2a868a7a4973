/* ranges.h - parts of a corpus, in the order in which they are wanted. */
#ifndef CPR_RANGES_H
#define CPR_RANGES_H

#include "corpress.h"

typedef struct corpus_range {
    uint64_t offset, bytes;
} corpus_range;

typedef struct range_list {
    corpus_range *items;
    size_t count, room;
} range_list;

/* Adds a range at the end; one without bytes is left out. CPR_ERR_NO_MEMORY. */
cpr_status range_list_add(range_list *list, uint64_t offset, uint64_t bytes, cpr_error *error);

/* The same, as a part of the last range if it goes on there. */
cpr_status range_list_extend(range_list *list, uint64_t offset, uint64_t bytes, cpr_error *error);
void range_list_free(range_list *list);

/* The shards that reading the ranges takes, in that order; malloc()ed. CPR_ERR_NO_MEMORY. */
cpr_status range_list_shards(const range_list *list, const cpr_archive *archive, uint64_t **shards,
                             uint64_t *count, cpr_error *error);

/* Is told pieces of a range in order; `begins` with the first. *enough may be set: the rest of the
 * range is not wanted. */
typedef cpr_status range_fn(void *context, bool begins, const uint8_t *data, size_t bytes,
                            bool *enough, cpr_error *error);

/* Decodes the ranges one by one. Ranges that follow each other in a shard are decoded together. */
cpr_status range_list_read(const range_list *list, const cpr_archive *archive, cpr_reader *reader,
                           range_fn *take, void *context, cpr_error *error);

#endif
