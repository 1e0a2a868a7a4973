/* corpress_documents.h - the documents of an archive: files, lines, or what separators end, as
 * cpr_entry.documents says of each file. The conventions are those of corpress.h.
 *
 * A document of a file belongs to the shard in which its first byte lies; its text may go on in the
 * next one. */
#ifndef CORPRESS_DOCUMENTS_H
#define CORPRESS_DOCUMENTS_H

#include "corpress.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Documents are numbered from 0 in the order of the corpus. Those that begin in a shard, or in a
 * file: the first, and how many; if there are none, *first is the next one behind them.
 * CPR_ERR_NOT_FOUND: there is no such shard or file. Any thread. */
cpr_status cpr_archive_shard_documents(const cpr_archive *archive, uint64_t shard, uint64_t *first,
                                       uint64_t *count, cpr_error *error);
cpr_status cpr_archive_file_documents(const cpr_archive *archive, uint64_t file, uint64_t *first,
                                      uint64_t *count, cpr_error *error);

/* The file that a document is in, and the shard that it begins in. CPR_ERR_NOT_FOUND: there is no
 * such document. Any thread. */
cpr_status cpr_archive_document(const cpr_archive *archive, uint64_t number, uint64_t *file,
                                uint64_t *shard, cpr_error *error);

/* Decodes documents first to first + count - 1: calls `take` with the pieces of each, one document
 * after the other, without line feed or separator. `last` marks a document's last piece, which may
 * have 0 bytes. The reader keeps text and goes on as with cpr_reader_load(): documents of one shard
 * are read best in ascending order, in as many calls as one likes. CPR_ERR_NOT_FOUND: the archive
 * has not so many. What `take` returns, if not CPR_OK, ends it. One thread a reader. */
typedef cpr_status cpr_document_fn(void *context, uint64_t number, const uint8_t *data,
                                   size_t bytes, bool last, cpr_error *error);
cpr_status cpr_reader_documents(cpr_reader *reader, uint64_t first, uint64_t count,
                                cpr_document_fn *take, void *context, cpr_error *error);

/* Texts of documents, one behind the other: that of document i ends at data + ends[i], and the next
 * one begins there. */
typedef struct cpr_texts {
    uint64_t count;
    const uint64_t *ends;
    const uint8_t *data; /* NULL if there are no bytes */
} cpr_texts;

/* The same into memory, which the caller frees. CPR_ERR_NO_MEMORY as well. One thread a reader. */
cpr_status cpr_reader_load_documents(cpr_reader *reader, uint64_t first, uint64_t count,
                                     cpr_texts **texts, cpr_error *error);
void cpr_texts_free(cpr_texts *texts);

#ifdef __cplusplus
}
#endif
#endif
