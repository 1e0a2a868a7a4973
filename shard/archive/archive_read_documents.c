/* archive_read_documents.c - reads what an archive says of its documents. */
#include "archive_reading.h"
#include "documents.h"

#include <stdlib.h>

/* Which rule each file has. */
static cpr_status read_rules(const cpr_reading *r)
{
    cpr_file_list *files = r->archive->files;
    uint64_t *rules = NULL;
    const uint64_t count = cpr_file_list_count(files);
    cpr_status status = cpr_reading_column(r, "documents/rules", H5T_STD_U8LE, count, &rules);
    for (uint64_t i = 0; status == CPR_OK && i < count; i++) {
        if (rules[i] > CPR_DOCUMENTS_SEPARATOR ||
            (rules[i] != CPR_DOCUMENTS_FILE &&
             cpr_file_list_get(files, i).type != CPR_FILE_REGULAR))
            status = cpr_reading_wrong(r, "documents/rules");
        else
            cpr_file_list_set_rule(files, i, (cpr_document_rule)rules[i]);
    }
    free(rules);
    return status;
}

/* The separator, which is there if a file has it. */
static cpr_status read_separator(const cpr_reading *r)
{
    cpr_file_list *files = r->archive->files;
    uint8_t *separator = NULL;
    uint64_t bytes = 0;
    bool there;
    cpr_status status = cpr_reading_find(r, "documents/separator", &there);
    if (status == CPR_OK && there)
        status = cpr_reading_bytes(r, "documents/separator", UINT64_MAX, &separator, &bytes);
    if (status == CPR_OK &&
        (bytes > CPR_SEPARATOR_MAX_BYTES ||
         (bytes == 0 && cpr_file_list_has_rule(files, CPR_DOCUMENTS_SEPARATOR))))
        status = cpr_reading_wrong(r, "documents/separator");
    if (status == CPR_OK)
        status = cpr_file_list_set_separator(files, separator, (size_t)bytes, r->error);
    free(separator);
    return status;
}

static cpr_status read_counts(const cpr_reading *r)
{
    cpr_archive *a = r->archive;
    uint64_t bytes = 0;
    uint64_t states = 0;
    cpr_status status = read_rules(r);
    if (status == CPR_OK)
        status = read_separator(r);
    if (status == CPR_OK)
        status = cpr_reading_bytes(r, "documents/states", a->header.shard_count,
                                   &a->document_states, &states);
    if (status == CPR_OK)
        status = cpr_reading_bytes(r, "documents/counts", UINT64_MAX, &a->documents, &bytes);
    a->header.document_states = a->document_states;
    a->header.documents = a->documents;
    a->header.documents_bytes = (size_t)bytes;
    return status;
}

cpr_status cpr_reading_documents(const cpr_reading *r)
{
    cpr_archive *a = r->archive;
    const cpr_archive_header *h = &a->header;
    bool there;
    cpr_status status = cpr_reading_find(r, "documents", &there);
    if (status == CPR_OK && there)
        status = read_counts(r);
    if (status == CPR_OK)
        status = cpr_document_index_create(a->files, a->shards, h->shard_count, h->documents,
                                           h->documents_bytes, h->document_states,
                                           &a->document_index, r->error);
    return status == CPR_ERR_DAMAGED ? cpr_reading_wrong(r, "documents/counts") : status;
}
