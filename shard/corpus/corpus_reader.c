/* corpus_reader.c - the corpus as one stream of bytes, from its files. */
#define _GNU_SOURCE
#include "file_io.h"
#include "file_list.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define COMPARE_BYTES ((size_t)256 << 10)
#define NO_ORIGIN UINT32_MAX
/* Who reads a shard looks at a few bytes in front of it, which must not cost another decoding. */
#define TAIL_BYTES ((size_t)1 << 10)
#define SKIP_BYTES ((size_t)256 << 10)

struct cpr_corpus_reader {
    const cpr_file_list *list;
    int fd; /* -1: no file is open */
    uint64_t file;
    struct timespec mtime, ctime; /* of the open file, when it was opened */
    bool touched;
    uint64_t touched_file; /* the first, if touched */
    /* Of an origin, which stays open: */
    cpr_decoder *decoder;     /* NULL: of one that is read as it is */
    uint32_t origin;          /* NO_ORIGIN: none is open */
    uint8_t tail[TAIL_BYTES]; /* the last bytes that the decoder gave */
    size_t tail_bytes;
};

cpr_corpus_reader *cpr_corpus_reader_create(const cpr_file_list *list)
{
    cpr_corpus_reader *reader = malloc(sizeof *reader);
    if (reader != NULL)
        *reader = (cpr_corpus_reader){.list = list, .fd = -1, .origin = NO_ORIGIN};
    return reader;
}

static void reader_close(cpr_corpus_reader *reader)
{
    cpr_decoder_close(reader->decoder);
    reader->decoder = NULL;
    reader->origin = NO_ORIGIN;
    reader->tail_bytes = 0;
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
}

void cpr_corpus_reader_free(cpr_corpus_reader *reader)
{
    if (reader == NULL)
        return;
    reader_close(reader);
    free(reader);
}

/* Bytes of the open file on the disk. */
static uint64_t reader_file_bytes(const cpr_corpus_reader *reader)
{
    const cpr_piece *piece = cpr_file_list_piece(reader->list, reader->file);
    return piece != NULL ? cpr_file_list_origin(reader->list, piece->origin).bytes
                         : cpr_file_list_get(reader->list, reader->file).bytes;
}

/* `now` says what it is now, in words. */
static cpr_status changed(const cpr_corpus_reader *reader, const char *now, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_printable_path(cpr_file_list_source(reader->list, reader->file), shown, sizeof shown);
    return cpr_fail(error, CPR_ERR_CHANGED,
                    "\"%s\" changed while it was read: it was a file of %" PRIu64
                    " bytes, and is %s; "
                    "put it back as it was to go on",
                    shown, reader_file_bytes(reader), now);
}

/* Compares the open file's type and size with what the list says about them. */
static cpr_status check(const cpr_corpus_reader *reader, struct stat *facts, cpr_error *error)
{
    char now[64];
    if (fstat(reader->fd, facts) != 0)
        return cpr_io_fail(error, errno, "read", cpr_file_list_source(reader->list, reader->file));
    if (!S_ISREG(facts->st_mode))
        return changed(reader, "no file any more", error);
    if ((uint64_t)facts->st_size == reader_file_bytes(reader))
        return CPR_OK;
    snprintf(now, sizeof now, "one of %lld", (long long)facts->st_size);
    return changed(reader, now, error);
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

cpr_status cpr_corpus_reader_finish(cpr_corpus_reader *reader, cpr_error *error)
{
    struct stat facts;
    if (reader->fd < 0)
        return CPR_OK;
    const cpr_status status = check(reader, &facts, error);
    if (status == CPR_OK && !reader->touched &&
        !(same_time(reader->mtime, facts.st_mtim) && same_time(reader->ctime, facts.st_ctim))) {
        reader->touched = true;
        reader->touched_file = reader->file;
    }
    /* What has been decoded of an origin is not decoded again, as long as nobody writes to it. */
    if (status != CPR_OK || reader->origin == NO_ORIGIN || reader->touched)
        reader_close(reader);
    return status;
}

bool cpr_corpus_reader_touched(cpr_corpus_reader *reader, uint64_t *file)
{
    const bool touched = reader->touched;
    *file = reader->touched_file;
    reader->touched = false;
    return touched;
}

/* Makes a decoder for the file that is open, if it needs one. */
static cpr_status reader_open_decoder(cpr_corpus_reader *reader, uint32_t origin, cpr_error *error)
{
    const cpr_origin facts = cpr_file_list_origin(reader->list, origin);
    reader->origin = origin;
    reader->tail_bytes = 0;
    if (!cpr_input_kind_is_decoded(facts.kind))
        return CPR_OK;
    return cpr_decoder_open(facts.kind, reader->fd, facts.bytes, facts.source,
                            cpr_file_list_decoding(reader->list), &reader->decoder, error);
}

/* Where its text ends, and where a tar's members are, holds for the file that was looked into. If
 * times say that it may be another one, its bytes must be the same. */
static cpr_status reader_check_origin(const cpr_corpus_reader *reader, uint32_t number,
                                      const struct stat *facts, cpr_error *error)
{
    const cpr_origin origin = cpr_file_list_origin(reader->list, number);
    /* The last file has the times of the origin; what was a stream has none. */
    const cpr_file file = cpr_file_list_get(reader->list, origin.first + origin.files - 1);
    const struct timespec mtime = {.tv_sec = (time_t)file.mtime_seconds,
                                   .tv_nsec = (long)file.mtime_nanoseconds};
    cpr_hash128 hash;
    if (file.change == 0 ||
        (file.change == cpr_file_change_mark(facts) && same_time(mtime, facts->st_mtim)))
        return CPR_OK;
    const cpr_status status =
        cpr_input_hash(reader->fd, origin.bytes, origin.source, NULL, NULL, &hash, error);
    if (status != CPR_OK || cpr_hash_same(hash, origin.hash))
        return status;
    return changed(reader, "one of other content", error);
}

static cpr_status open_file(cpr_corpus_reader *reader, uint64_t file, cpr_error *error)
{
    const cpr_piece *piece = cpr_file_list_piece(reader->list, file);
    if (reader->fd >= 0 &&
        (reader->file == file || (piece != NULL && reader->origin == piece->origin))) {
        reader->file = file;
        return CPR_OK;
    }
    const cpr_status status = cpr_corpus_reader_finish(reader, error);
    reader_close(reader);
    if (status != CPR_OK)
        return status;
    const char *path = cpr_file_list_source(reader->list, file);
    const bool through_link = piece != NULL
                                  ? cpr_file_list_origin(reader->list, piece->origin).through_link
                                  : cpr_file_list_get(reader->list, file).through_link;
    const int follow = through_link ? 0 : O_NOFOLLOW;
    /* The list was made from a regular file. O_NONBLOCK: a FIFO in its place must not hang us. */
    reader->fd = cpr_io_open(path, O_RDONLY | follow | O_NONBLOCK);
    reader->file = file;
    if (reader->fd < 0)
        return errno == ELOOP ? changed(reader, "a link", error)
                              : cpr_io_fail(error, errno, "open", path);
    struct stat facts;
    cpr_status opened = check(reader, &facts, error);
    reader->mtime = facts.st_mtim;
    reader->ctime = facts.st_ctim;
    if (opened == CPR_OK && piece != NULL)
        opened = reader_check_origin(reader, piece->origin, &facts, error);
    if (opened == CPR_OK && piece != NULL)
        opened = reader_open_decoder(reader, piece->origin, error);
    if (opened != CPR_OK)
        reader_close(reader);
    return opened;
}

/* ---- origins -------------------------------------------------------------------------------- */

/* Keeps the end of what the decoder gave. */
static void reader_keep_tail(cpr_corpus_reader *reader, const uint8_t *out, size_t bytes)
{
    if (bytes >= TAIL_BYTES) {
        memcpy(reader->tail, out + bytes - TAIL_BYTES, TAIL_BYTES);
        reader->tail_bytes = TAIL_BYTES;
        return;
    }
    const size_t stay =
        reader->tail_bytes + bytes > TAIL_BYTES ? TAIL_BYTES - bytes : reader->tail_bytes;
    memmove(reader->tail, reader->tail + reader->tail_bytes - stay, stay);
    memcpy(reader->tail + stay, out, bytes);
    reader->tail_bytes = stay + bytes;
}

/* The next bytes of the decoder, all of them. */
static cpr_status reader_decode(cpr_corpus_reader *reader, uint8_t *out, size_t bytes,
                                cpr_error *error)
{
    cpr_error detail = {.text = ""};
    size_t got;
    const cpr_status status = cpr_decoder_read(reader->decoder, out, bytes, &got, &detail);
    /* The text was there when it was counted. */
    if (got < bytes && (status == CPR_OK || status == CPR_ERR_DAMAGED))
        return changed(reader, "one of other content", error);
    if (got < bytes)
        return cpr_fail(error, status, "%s", detail.text);
    reader_keep_tail(reader, out, bytes);
    return CPR_OK;
}

/* Brings the decoder to a byte of its text, from where it is or from a place nearer to it. */
static cpr_status reader_go_to(cpr_corpus_reader *reader, uint64_t text, cpr_error *error)
{
    const cpr_origin origin = cpr_file_list_origin(reader->list, reader->origin);
    const uint64_t now = cpr_decoder_text(reader->decoder);
    cpr_seek_point best = {0, 0};
    size_t low = 0;
    for (size_t high = origin.point_count; low < high;) {
        const size_t middle = low + (high - low) / 2;
        if (origin.points[middle].text <= text)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0)
        best = origin.points[low - 1];
    cpr_status status = CPR_OK;
    if (now > text || best.text > now) {
        reader->tail_bytes = 0;
        status = cpr_decoder_seek(reader->decoder, best, error);
    }
    uint8_t *skipped = NULL;
    while (status == CPR_OK && cpr_decoder_text(reader->decoder) < text) {
        const uint64_t left = text - cpr_decoder_text(reader->decoder);
        if (skipped == NULL)
            skipped = malloc(SKIP_BYTES);
        status = skipped == NULL
                     ? cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the corpus")
                     : reader_decode(reader, skipped, left < SKIP_BYTES ? (size_t)left : SKIP_BYTES,
                                     error);
    }
    free(skipped);
    return status;
}

/* Bytes [text, text + bytes) of the open origin's text. */
static cpr_status reader_read_text(cpr_corpus_reader *reader, uint64_t text, uint8_t *out,
                                   size_t bytes, cpr_error *error)
{
    if (reader->decoder == NULL) {
        const int code = cpr_io_pread(reader->fd, out, bytes, text);
        if (code == CPR_IO_END)
            return changed(reader, "shorter", error);
        return code == 0 ? CPR_OK
                         : cpr_io_fail(error, code, "read",
                                       cpr_file_list_source(reader->list, reader->file));
    }
    const uint64_t now = cpr_decoder_text(reader->decoder);
    if (text < now && now - text <= reader->tail_bytes) {
        const size_t back = (size_t)(now - text);
        const size_t part = back < bytes ? back : bytes;
        memcpy(out, reader->tail + reader->tail_bytes - back, part);
        out += part;
        bytes -= part;
        text += part;
    }
    if (bytes == 0)
        return CPR_OK;
    const cpr_status status = reader_go_to(reader, text, error);
    return status == CPR_OK ? reader_decode(reader, out, bytes, error) : status;
}

/* Where a member's bytes begin in the rest of its tar: what of the tar lies in front of them, but
 * for other members. */
static uint64_t rest_in_front(const cpr_file_list *list, uint64_t first, uint64_t member)
{
    return cpr_file_list_piece(list, member)->text -
           (cpr_file_list_offset(list, member) - cpr_file_list_offset(list, first));
}

/* Bytes of the rest of a tar: what lies between the members. `file` is the rest, `at` counts from
 * its beginning. */
static cpr_status reader_read_rest(cpr_corpus_reader *reader, uint64_t file, uint64_t at,
                                   uint8_t *out, size_t bytes, cpr_error *error)
{
    const cpr_file_list *list = reader->list;
    const uint64_t first = cpr_file_list_origin(list, reader->origin).first;
    cpr_status status = CPR_OK;
    /* The first file that has its bytes behind `at`; directories and links have none. */
    uint64_t low = first;
    for (uint64_t high = file; low < high;) {
        uint64_t middle = low + (high - low) / 2;
        const uint64_t probed = middle;
        while (middle < high && cpr_file_list_piece(list, middle) == NULL)
            middle++;
        if (middle < high && rest_in_front(list, first, middle) <= at)
            low = middle + 1;
        else
            high = probed;
    }
    while (status == CPR_OK && bytes > 0) {
        while (low < file &&
               (cpr_file_list_piece(list, low) == NULL || rest_in_front(list, first, low) <= at))
            low++;
        const uint64_t end = low < file ? rest_in_front(list, first, low) : UINT64_MAX;
        const uint64_t data = cpr_file_list_offset(list, low) - cpr_file_list_offset(list, first);
        const size_t part = end - at < bytes ? (size_t)(end - at) : bytes;
        status = reader_read_text(reader, at + data, out, part, error);
        out += part;
        at += part;
        bytes -= part;
    }
    return status;
}

/* Bytes of a file of the corpus, which is open. */
static cpr_status reader_read_file(cpr_corpus_reader *reader, uint64_t file, uint64_t at,
                                   uint8_t *out, size_t bytes, cpr_error *error)
{
    const cpr_piece *piece = cpr_file_list_piece(reader->list, file);
    if (piece != NULL && piece->rest)
        return reader_read_rest(reader, file, at, out, bytes, error);
    return reader_read_text(reader, piece != NULL ? piece->text + at : at, out, bytes, error);
}

cpr_status cpr_corpus_reader_read(cpr_corpus_reader *reader, uint64_t offset, uint8_t *out,
                                  size_t bytes, cpr_error *error)
{
    assert(offset <= cpr_file_list_bytes(reader->list) &&
           bytes <= cpr_file_list_bytes(reader->list) - offset);
    if (bytes == 0)
        return CPR_OK;
    uint64_t file = cpr_file_list_find(reader->list, offset);
    while (bytes > 0) {
        const uint64_t start = cpr_file_list_offset(reader->list, file);
        const uint64_t end = cpr_file_list_offset(reader->list, file + 1);
        const size_t part = end - offset < bytes ? (size_t)(end - offset) : bytes;
        if (part > 0) {
            cpr_status status = open_file(reader, file, error);
            if (status == CPR_OK)
                status = reader_read_file(reader, file, offset - start, out, part, error);
            if (status != CPR_OK)
                return status;
            out += part;
            bytes -= part;
            offset += part;
        }
        file++;
    }
    return CPR_OK;
}

cpr_status cpr_corpus_reader_compare(cpr_corpus_reader *reader, uint64_t offset, uint64_t bytes,
                                     cpr_hash128 hash, bool *same, cpr_watch watch,
                                     cpr_error *error)
{
    uint8_t *block = malloc(COMPARE_BYTES);
    XXH3_state_t *state = XXH3_createState();
    cpr_status status = CPR_OK;
    *same = false;
    if (block == NULL || state == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to compare the corpus");
    else
        XXH3_128bits_reset(state);
    for (uint64_t at = 0; status == CPR_OK && at < bytes;) {
        const size_t part = bytes - at < COMPARE_BYTES ? (size_t)(bytes - at) : COMPARE_BYTES;
        status = cpr_corpus_reader_read(reader, offset + at, block, part, error);
        if (status == CPR_OK)
            XXH3_128bits_update(state, block, part);
        at += part;
        if (status == CPR_OK)
            status = cpr_watch_tell(watch, at, 0, error);
    }
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(reader, error);
    if (status == CPR_OK) {
        const XXH128_hash_t digest = XXH3_128bits_digest(state);
        *same = digest.high64 == hash.high && digest.low64 == hash.low;
    }
    XXH3_freeState(state);
    free(block);
    return status;
}
