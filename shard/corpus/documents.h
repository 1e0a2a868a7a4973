/* documents.h - where documents begin: a line, a file, or the text between separators.
 *
 *   rules      -> which of these it is in each file
 *   separator  -> finds the places in a text
 *   segments   -> the parts of a shard for which the number of documents is kept
 *   counter    -> these numbers, from a shard's bytes      (the encoder, and whoever verifies)
 *   index      -> from documents to places, by the numbers (the decoder)
 *
 * Each byte of a corpus belongs to one document, terminators and separators to the one before them,
 * so that a document has at least one byte, and a file of 0 bytes has none. FORMAT.md, section 8,
 * is normative. */
#ifndef CPR_DOCUMENTS_H
#define CPR_DOCUMENTS_H

#include "corpus.h"

/* ---- separators ------------------------------------------------------------------------------ */

/* The line feed of CPR_DOCUMENTS_LINE, or the separator of CPR_DOCUMENTS_SEPARATOR. Its state, 0 to
 * `bytes`, is how many bytes of it a file ends with so far: `bytes`, and a document begins. (One
 * begins at each file's start as well, where the state is 0.) Occurrences may overlap, so that the
 * state depends on the latest bytes alone. */
typedef struct cpr_separator {
    const uint8_t *text;
    size_t bytes;
    uint8_t fall[CPR_SEPARATOR_MAX_BYTES + 1]; /* the longest shorter state that fits, too */
} cpr_separator;

/* One of at most CPR_SEPARATOR_MAX_BYTES bytes, which must outlive it. */
void cpr_separator_set(cpr_separator *separator, const uint8_t *text, size_t bytes);

/* Of CPR_DOCUMENTS_FILE there is none: 0 bytes. The list must outlive it. */
void cpr_separator_init(cpr_separator *separator, const cpr_file_list *files,
                        cpr_document_rule rule);

/* The state after one byte more. */
static inline size_t cpr_separator_next(const cpr_separator *separator, size_t state, uint8_t byte)
{
    if (state == separator->bytes)
        state = separator->fall[state];
    while (state > 0 && separator->text[state] != byte)
        state = separator->fall[state];
    return separator->text[state] == byte ? state + 1 : 0;
}

/* ---- segments -------------------------------------------------------------------------------- */

/* A shard is cut where a file ends, and within files whose documents are not the file each 65,536
 * bytes from the shard's start. */
#define CPR_SEGMENT_BYTES (UINT64_C(1) << 16)

typedef struct cpr_segment {
    uint64_t offset; /* in the corpus */
    uint64_t bytes;  /* at least 1 */
    uint64_t file;
    cpr_document_rule rule;
    bool at_start; /* of the file, if that has documents */
} cpr_segment;

/* The segments of the shard [start, end) one after the other. */
typedef struct cpr_segments {
    const cpr_file_list *files;
    uint64_t start, end;
    uint64_t at;
    uint64_t file; /* that `at` lies in, or a file without bytes before it */
} cpr_segments;

void cpr_segments_init(cpr_segments *segments, const cpr_file_list *files, uint64_t start,
                       uint64_t end);
bool cpr_segments_next(cpr_segments *segments, cpr_segment *segment); /* false: no more */

/* ---- counter --------------------------------------------------------------------------------- */

/* Counts the documents that begin in each segment of a shard, but those that are files. */
typedef struct cpr_document_counter cpr_document_counter;

/* NULL: no memory. The list must outlive it. */
cpr_document_counter *cpr_document_counter_create(const cpr_file_list *files);
void cpr_document_counter_free(cpr_document_counter *counter);

/* Begins with a shard, in front of which the state is `state`. */
void cpr_document_counter_begin(cpr_document_counter *counter, uint64_t start, uint64_t end,
                                size_t state);

/* The next bytes of the shard. */
void cpr_document_counter_add(cpr_document_counter *counter, const uint8_t *data, size_t bytes);

/* After all bytes of the shard: its counts, packed, which live until the counter is used again, and
 * the state in front of the next shard. False: no memory. */
bool cpr_document_counter_finish(cpr_document_counter *counter, const uint8_t **packed,
                                 size_t *packed_bytes, size_t *state);

/* The state in front of byte `offset` of the corpus, which is read. */
cpr_status cpr_document_state_at(const cpr_file_list *files, cpr_corpus_reader *reader,
                                 uint64_t offset, uint8_t *state, cpr_error *error);

/* ---- index ----------------------------------------------------------------------------------- */

/* What an archive says about the documents of a corpus. */
typedef struct cpr_document_index cpr_document_index;

/* A place for a document. */
typedef struct cpr_document_place {
    cpr_segment segment; /* in which it begins */
    uint64_t shard;
    uint64_t before; /* documents that begin before the segment */
} cpr_document_place;

/* shards: where each shard starts, and the corpus' end: shard_count + 1 of them; they, the list and
 * the packed counts of all shards, one behind the other, must outlive the index. states: of each
 * shard. If all documents are files, both may be NULL. CPR_ERR_DAMAGED: they do not fit together.
 * CPR_ERR_NO_MEMORY. */
cpr_status cpr_document_index_create(const cpr_file_list *files, const cpr_shard_info *shards,
                                     uint64_t shard_count, const uint8_t *packed,
                                     uint64_t packed_bytes, const uint8_t *states,
                                     cpr_document_index **index, cpr_error *error);
void cpr_document_index_free(cpr_document_index *index);

/* Documents in all; those that begin before a shard, or, with the number of shards, in all. */
uint64_t cpr_document_index_count(const cpr_document_index *index);
uint64_t cpr_document_index_before_shard(const cpr_document_index *index, uint64_t shard);

/* Those that begin before a file. */
uint64_t cpr_document_index_before_file(const cpr_document_index *index, uint64_t file);

/* Where a document begins: number < cpr_document_index_count(). */
void cpr_document_index_find(const cpr_document_index *index, uint64_t number,
                             cpr_document_place *place);

/* The packed counts of a shard, and the state in front of it. */
const uint8_t *cpr_document_index_packed(const cpr_document_index *index, uint64_t shard,
                                         size_t *bytes, size_t *state);

#endif
