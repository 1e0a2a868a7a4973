/* library_documents.c - which documents an archive has, and their text. */
#include "corpress_documents.h"

#include "archive.h"
#include "documents.h"
#include "file_io.h"
#include "library_reader.h"

#include <string.h>

/* ---- numbers -------------------------------------------------------------------------------- */

cpr_status cpr_archive_shard_documents(const cpr_archive *archive, uint64_t shard, uint64_t *first,
                                       uint64_t *count, cpr_error *error)
{
    const cpr_document_index *index = cpr_archive_document_index(archive);
    const uint64_t shards = cpr_archive_info(archive)->shard_count;
    if (shard >= shards)
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "there is no shard %llu: the archive has %llu",
                        (unsigned long long)shard, (unsigned long long)shards);
    *first = cpr_document_index_before_shard(index, shard);
    *count = cpr_document_index_before_shard(index, shard + 1) - *first;
    return CPR_OK;
}

cpr_status cpr_archive_file_documents(const cpr_archive *archive, uint64_t file, uint64_t *first,
                                      uint64_t *count, cpr_error *error)
{
    const cpr_document_index *index = cpr_archive_document_index(archive);
    const uint64_t files = cpr_file_list_count(cpr_archive_info(archive)->files);
    if (file >= files)
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "there is no file %llu: the archive has %llu",
                        (unsigned long long)file, (unsigned long long)files);
    *first = cpr_document_index_before_file(index, file);
    *count = cpr_document_index_before_file(index, file + 1) - *first;
    return CPR_OK;
}

static cpr_status check_documents(const cpr_archive *archive, uint64_t first, uint64_t count,
                                  cpr_error *error)
{
    const uint64_t documents = cpr_document_index_count(cpr_archive_document_index(archive));
    if (first <= documents && count <= documents - first)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_NOT_FOUND, "there is no document %llu: the archive has %llu",
                    (unsigned long long)(first < documents ? documents : first),
                    (unsigned long long)documents);
}

cpr_status cpr_archive_document(const cpr_archive *archive, uint64_t number, uint64_t *file,
                                uint64_t *shard, cpr_error *error)
{
    cpr_document_place place;
    const cpr_status status = check_documents(archive, number, 1, error);
    if (status != CPR_OK)
        return status;
    cpr_document_index_find(cpr_archive_document_index(archive), number, &place);
    *file = place.segment.file;
    *shard = place.shard;
    return CPR_OK;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Cuts the text of a file into documents, and gives those that are wanted. The bytes at its end
 * that may be a part of a separator are held back: they are known, so that only their number is
 * kept. */
typedef struct cutter {
    cpr_document_fn *take;
    void *context;
    cpr_separator separator;
    uint64_t file_offset;
    uint64_t at;     /* in the corpus: of the next byte */
    uint64_t begin;  /* from here on documents are counted */
    uint64_t number; /* of the next document that begins */
    uint64_t first;  /* that is wanted */
    uint64_t end;    /* behind the last one that is */
    size_t state;    /* of the separator */
    bool inside;     /* of the document number - 1 */
    uint64_t length; /* of it, so far */
    size_t held;     /* of its last bytes */
    bool done;
} cutter;

static cpr_status cutter_give(const cutter *c, const uint8_t *data, size_t bytes, bool last,
                              cpr_error *error)
{
    if (c->number - 1 < c->first || (bytes == 0 && !last))
        return CPR_OK;
    return c->take(c->context, c->number - 1, data, bytes, last, error);
}

/* The document ends here. CPR_STOPPED: it was the last one that is wanted. */
static cpr_status cutter_end(cutter *c, cpr_error *error)
{
    c->inside = false;
    const cpr_status status = cutter_give(c, NULL, 0, true, error);
    c->done = status == CPR_OK && c->number == c->end;
    return c->done ? CPR_STOPPED : status;
}

/* One byte of a document, which may be one of a separator. */
static cpr_status cutter_add(cutter *c, uint8_t byte, cpr_error *error)
{
    const uint8_t *known = c->separator.text + c->state - c->held;
    c->state = cpr_separator_next(&c->separator, c->state, byte);
    c->length++;
    const size_t held = c->state < c->length ? c->state : (size_t)c->length;
    const size_t free_bytes = c->held + 1 - held;
    const size_t of_known = free_bytes < c->held ? free_bytes : c->held;
    c->held = held;
    cpr_status status = cutter_give(c, known, of_known, false, error);
    if (status == CPR_OK && free_bytes > of_known)
        status = cutter_give(c, &byte, 1, false, error);
    if (status == CPR_OK && c->state == c->separator.bytes)
        status = cutter_end(c, error);
    return status;
}

/* Bytes of a piece in front of the next one that a separator may begin with. */
static size_t cutter_plain(const cutter *c, const uint8_t *data, size_t bytes)
{
    if (c->state > 0 || !c->inside)
        return 0;
    const uint8_t *found = memchr(data, c->separator.text[0], bytes);
    return found != NULL ? (size_t)(found - data) : bytes;
}

/* A cpr_write_fn: the next bytes of the file. */
static cpr_status cutter_write(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    cutter *c = context;
    cpr_status status = CPR_OK;
    for (size_t i = 0; status == CPR_OK && i < bytes;) {
        if (c->at >= c->begin && (c->state == c->separator.bytes || c->at == c->file_offset)) {
            c->number++;
            c->inside = true;
            c->length = 0;
            c->held = 0;
        }
        const size_t plain = cutter_plain(c, data + i, bytes - i);
        if (plain > 0) {
            c->length += plain;
            status = cutter_give(c, data + i, plain, false, error);
        } else if (c->inside) {
            status = cutter_add(c, data[i], error);
        } else {
            c->state = cpr_separator_next(&c->separator, c->state, data[i]);
        }
        c->at += plain > 0 ? plain : 1;
        i += plain > 0 ? plain : 1;
    }
    return status;
}

/* The file ends: what was held back is no separator. */
static cpr_status cutter_finish(cutter *c, cpr_error *error)
{
    if (!c->inside)
        return CPR_OK;
    const cpr_status status =
        cutter_give(c, c->separator.text + c->state - c->held, c->held, false, error);
    return status == CPR_OK ? cutter_end(c, error) : status;
}

/* Where to begin to read, so that the separator's state is known where a segment begins. */
static void cutter_start(cutter *c, const cpr_archive *archive, const cpr_document_place *place)
{
    const cpr_segment *segment = &place->segment;
    const uint64_t shard_offset = cpr_archive_shard(archive, place->shard)->offset;
    const uint64_t least = shard_offset > c->file_offset ? shard_offset : c->file_offset;
    const uint64_t back = segment->offset - least;
    c->at = segment->offset - (back < c->separator.bytes ? back : c->separator.bytes);
    c->begin = segment->offset;
    c->number = place->before;
    if (c->at == shard_offset && c->at > c->file_offset) {
        size_t bytes;
        (void)cpr_document_index_packed(cpr_archive_document_index(archive), place->shard, &bytes,
                                        &c->state);
    }
}

/* Gives the wanted documents of one file, from that in `place` on. */
static cpr_status cut_file(cpr_reader *reader, const cpr_document_place *place, cutter *c,
                           cpr_error *error)
{
    const cpr_archive *archive = cpr_reader_archive(reader);
    const cpr_file_list *files = cpr_archive_info(archive)->files;
    const uint64_t file_end = cpr_file_list_offset(files, place->segment.file + 1);
    c->file_offset = cpr_file_list_offset(files, place->segment.file);
    c->state = 0;
    c->inside = false;
    c->held = 0;
    cpr_separator_init(&c->separator, files, place->segment.rule);
    cutter_start(c, archive, place);
    cpr_status status =
        cpr_reader_stream_kept(reader, c->at, file_end - c->at, (cpr_sink){cutter_write, c}, error);
    if (status == CPR_OK)
        status = cutter_finish(c, error);
    if (c->done)
        return CPR_OK;
    if (status == CPR_OK &&
        c->number != cpr_document_index_before_file(cpr_archive_document_index(archive),
                                                    place->segment.file + 1)) {
        char shown[CPR_SHOWN_BYTES];
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "the archive's counts of documents do not fit the text of \"%s\"",
                        cpr_printable_path(cpr_file_list_member(files, place->segment.file), shown,
                                           sizeof shown));
    }
    return status;
}

/* A document that is a file, and its bytes that are to come. */
typedef struct whole_file {
    const cutter *cutter;
    uint64_t left;
} whole_file;

/* A cpr_write_fn. */
static cpr_status write_whole_file(void *context, const uint8_t *data, size_t bytes,
                                   cpr_error *error)
{
    whole_file *file = context;
    file->left -= bytes;
    return cutter_give(file->cutter, data, bytes, file->left == 0, error);
}

static cpr_status take_file(cpr_reader *reader, uint64_t number, cutter *c, cpr_error *error)
{
    const cpr_file_list *files = cpr_archive_info(cpr_reader_archive(reader))->files;
    const uint64_t offset = cpr_file_list_offset(files, number);
    whole_file file = {c, cpr_file_list_offset(files, number + 1) - offset};
    c->number++;
    c->done = c->number == c->end;
    return cpr_reader_stream_kept(reader, offset, file.left, (cpr_sink){write_whole_file, &file},
                                  error);
}

/* The place of the first document behind a file's: its number is place->before. */
static void place_in_next_file(const cpr_archive *archive, uint64_t number,
                               cpr_document_place *place)
{
    const cpr_file_list *files = cpr_archive_info(archive)->files;
    uint64_t file = place->segment.file + 1;
    while (cpr_file_list_get(files, file).bytes == 0 || cpr_file_list_is_rest(files, file))
        file++;
    place->before = number;
    place->segment = (cpr_segment){.offset = cpr_file_list_offset(files, file),
                                   .file = file,
                                   .rule = cpr_file_list_get(files, file).documents,
                                   .at_start = true};
    place->shard = cpr_archive_shard_at(archive, place->segment.offset);
}

cpr_status cpr_reader_documents(cpr_reader *reader, uint64_t first, uint64_t count,
                                cpr_document_fn *take, void *context, cpr_error *error)
{
    const cpr_archive *archive = cpr_reader_archive(reader);
    cutter c = {.take = take, .context = context, .first = first, .end = first + count};
    cpr_document_place place;
    cpr_status status = check_documents(archive, first, count, error);
    if (status != CPR_OK || count == 0)
        return status;
    cpr_document_index_find(cpr_archive_document_index(archive), first, &place);
    c.number = place.before;
    for (;;) {
        status = place.segment.rule == CPR_DOCUMENTS_FILE
                     ? take_file(reader, place.segment.file, &c, error)
                     : cut_file(reader, &place, &c, error);
        if (status != CPR_OK || c.done)
            return status;
        place_in_next_file(archive, c.number, &place);
    }
}
