/* input_scan.c - decodes a file once, to learn what its text comes to. */
#define _GNU_SOURCE
#include "input_scan.h"
#include "file_io.h"
#include "input_untar.h"
#include "tar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)1 << 20)
#define PATH_MOST ((size_t)30 << 10) /* of a file and of a member together */
/* Bytes of text between two places that are kept. */
#define POINT_DISTANCE ((uint64_t)4 << 20)

/* A scan of one file. */
typedef struct scan {
    const char *path;
    int fd;
    const cpr_scan_options *options;
    cpr_input_record record; /* what comes of it */
    cpr_input_writer writer;
    uint64_t last_point; /* text of the last point that was kept */
    cpr_untar *untar;    /* NULL: it is no tar */
    char note[2048];     /* a path, and why */
    uint8_t *buffer;
} scan;

/* `done`: bytes of the file. */
static cpr_status scan_poll(const scan *s, uint64_t done, cpr_error *error)
{
    if (s->options->done != NULL)
        *s->options->done = done;
    return s->options->poll != NULL ? s->options->poll(s->options->poll_context, error) : CPR_OK;
}

/* The hash of the whole file, which has been read once. */
static cpr_status scan_hash_file(scan *s, cpr_error *error)
{
    if (s->options->done != NULL)
        *s->options->done = s->record.file_bytes;
    return cpr_input_hash(s->fd, s->record.file_bytes, s->path, s->options->poll,
                          s->options->poll_context, &s->record.file_hash, error);
}

/* Whether the text is larger than that of an honest file. */
static bool scan_is_bomb(const scan *s, uint64_t text, uint64_t source)
{
    const uint64_t limit = s->options->limit > 0 ? s->options->limit : CPR_DECODE_LIMIT_DEFAULT;
    return text > CPR_DECODE_UNLIMITED_BYTES && text / limit > source;
}

static void scan_note_point(scan *s, cpr_seek_point point)
{
    if (point.text == 0 || point.text < s->last_point + POINT_DISTANCE)
        return;
    s->last_point = point.text;
    cpr_input_writer_point(&s->writer, point);
}

/* Takes the next bytes of the text, of which the first ones tell whether it is a tar. */
static cpr_status scan_take_text(scan *s, size_t bytes, cpr_error *error)
{
    const size_t name = strlen(s->record.name);
    if (s->record.text_bytes == 0 && name < PATH_MOST / 2 && cpr_tar_begins(s->buffer, bytes)) {
        s->untar = cpr_untar_create(PATH_MOST - name);
        if (s->untar == NULL)
            return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the members of a tar");
    }
    s->record.text_bytes += bytes;
    return s->untar != NULL ? cpr_untar_feed(s->untar, s->buffer, bytes, error) : CPR_OK;
}

/* Decodes to the end. CPR_ERR_DAMAGED: record.text_bytes are there before the damage. */
static cpr_status scan_decode(scan *s, cpr_decoder *decoder, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_status status = CPR_OK;
    for (bool more = true; status == CPR_OK && more;) {
        size_t got;
        status = cpr_decoder_read(decoder, s->buffer, BUFFER_BYTES, &got, error);
        more = got == BUFFER_BYTES;
        scan_note_point(s, cpr_decoder_point(decoder));
        cpr_error detail;
        const cpr_status taken = scan_take_text(s, got, &detail);
        if (taken != CPR_OK)
            return cpr_fail(error, taken, "%s", detail.text);
        if (status == CPR_OK)
            status = scan_poll(s, cpr_decoder_source(decoder), error);
        if (status != CPR_OK || !scan_is_bomb(s, s->record.text_bytes, cpr_decoder_source(decoder)))
            continue;
        snprintf(s->note, sizeof s->note,
                 "\"%s\" is left out: it grows to more than %" PRIu64 " times its size; "
                 "--decode-limit allows more",
                 cpr_printable_path(s->path, shown, sizeof shown),
                 s->options->limit > 0 ? s->options->limit : CPR_DECODE_LIMIT_DEFAULT);
        s->record.outcome = CPR_INPUT_LEFT_OUT;
        return CPR_OK;
    }
    return status;
}

/* What comes of a file that is damaged, as `why` says. */
static cpr_status scan_settle_damage(scan *s, const char *why, cpr_error *error)
{
    const bool kept = s->options->keep_damaged && s->record.text_bytes > 0;
    s->record.outcome = kept ? CPR_INPUT_DECODED : CPR_INPUT_LEFT_OUT;
    snprintf(s->note, sizeof s->note, "%s; %s", why,
             kept ? "the text in front of that is kept"
             : s->options->keep_damaged || s->record.text_bytes == 0
                 ? "it is left out"
                 : "it is left out; --keep-damaged keeps the text in front of that");
    return kept ? scan_hash_file(s, error) : CPR_OK;
}

/* The text is there: of a tar, its members. One that ends too early stays as it is. */
static cpr_status scan_finish_tar(scan *s, cpr_input_outcome otherwise, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_error detail = {.text = ""};
    cpr_printable_path(s->path, shown, sizeof shown);
    const cpr_status status =
        cpr_untar_finish(s->untar, &s->writer, shown, s->note, sizeof s->note, &detail);
    s->record.outcome = status == CPR_OK ? CPR_INPUT_TAR : otherwise;
    if (status != CPR_ERR_DAMAGED)
        return status == CPR_OK ? CPR_OK : cpr_fail(error, status, "%s", detail.text);
    snprintf(s->note, sizeof s->note, "\"%s\" is no whole tar, and is taken as one file: %s", shown,
             detail.text);
    return CPR_OK;
}

/* Notes what of a Parquet file is not taken. */
static void scan_note_columns(scan *s, const cpr_decoder *decoder)
{
    char shown[CPR_SHOWN_BYTES / 2];
    char names[256];
    const unsigned count = cpr_decoder_left_out(decoder, names, sizeof names);
    if (count > 0)
        snprintf(s->note, sizeof s->note, "of \"%s\" %u other column%s left out: %s",
                 cpr_printable_path(s->path, shown, sizeof shown), count,
                 count == 1 ? " is" : "s are", names);
}

/* Notes that Parquet wants a column. */
static void scan_note_parquet(scan *s)
{
    char shown[CPR_SHOWN_BYTES];
    snprintf(s->note, sizeof s->note,
             "\"%s\" is a Parquet file, and kept as it is; --text-column NAME takes a column of it",
             cpr_printable_path(s->path, shown, sizeof shown));
}

static cpr_status scan_compressed(scan *s, cpr_error *error)
{
    cpr_decoder *decoder;
    cpr_error detail = {.text = ""};
    cpr_status status = cpr_decoder_open(s->record.kind, s->fd, s->record.file_bytes, s->path,
                                         &s->options->decoding, &decoder, &detail);
    const bool parquet = s->record.kind == CPR_INPUT_PARQUET;
    if (status == CPR_OK && parquet)
        scan_note_columns(s, decoder);
    else if (status == CPR_OK)
        status = cpr_decoder_hash_source(decoder, &detail);
    if (status == CPR_OK) {
        s->record.outcome = CPR_INPUT_DECODED;
        status = scan_decode(s, decoder, &detail);
        if (!parquet)
            s->record.file_hash = cpr_decoder_source_hash(decoder);
        else if (status == CPR_OK)
            status = scan_hash_file(s, &detail);
    }
    cpr_decoder_close(decoder);
    if (parquet && (status == CPR_ERR_USAGE || status == CPR_ERR_NOT_FOUND)) {
        snprintf(s->note, sizeof s->note, "%s; the file is kept as it is", detail.text);
        return CPR_OK;
    }
    if (status == CPR_ERR_DAMAGED)
        return scan_settle_damage(s, detail.text, error);
    if (status != CPR_OK)
        return cpr_fail(error, status, "%s", detail.text);
    return s->untar != NULL && s->record.outcome == CPR_INPUT_DECODED
               ? scan_finish_tar(s, CPR_INPUT_DECODED, error)
               : CPR_OK;
}

/* A file that is not compressed, but may be a tar. */
static cpr_status scan_plain(scan *s, cpr_error *error)
{
    size_t got = 0;
    cpr_status status = CPR_OK;
    for (uint64_t at = 0; status == CPR_OK && at < s->record.file_bytes; at += got) {
        const size_t wanted = at == 0 ? CPR_TAR_BLOCK_BYTES : BUFFER_BYTES;
        const int code = cpr_io_pread_some(s->fd, s->buffer, wanted, at, &got);
        if (code != 0 || got == 0)
            return CPR_OK; /* whoever reads it will see */
        status = scan_take_text(s, got, error);
        if (s->untar == NULL)
            return status;
        if (status == CPR_OK)
            status = scan_poll(s, at, error);
    }
    if (status == CPR_OK && s->untar != NULL)
        status = scan_finish_tar(s, CPR_INPUT_KEPT, error);
    if (status == CPR_OK && s->record.outcome == CPR_INPUT_TAR)
        status = scan_hash_file(s, error);
    return status;
}

/* Opens the file, and looks at its first bytes. False: it is not what the facts say. */
static bool scan_open(scan *s, bool follow)
{
    struct stat now;
    uint8_t head[CPR_INPUT_HEAD_BYTES];
    size_t got = 0;
    s->fd = cpr_io_open(s->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW));
    if (s->fd < 0 || fstat(s->fd, &now) != 0 || !S_ISREG(now.st_mode) ||
        (uint64_t)now.st_size != s->record.file_bytes ||
        cpr_io_pread_some(s->fd, head, sizeof head, 0, &got) != 0)
        return false;
    s->record.kind = cpr_input_kind_of(head, got);
    return true;
}

cpr_status cpr_input_scan(const char *path, bool follow, const cpr_input_record *facts,
                          const cpr_scan_options *options, cpr_input_records *records,
                          cpr_error *error)
{
    scan s = {.path = path, .fd = -1, .options = options, .record = *facts};
    cpr_status status = CPR_OK;
    s.record.outcome = CPR_INPUT_KEPT;
    s.record.kind = CPR_INPUT_PLAIN;
    s.record.note = s.note;
    cpr_input_writer_begin(&s.writer, records, facts->name);
    if (scan_open(&s, follow)) {
        s.buffer = malloc(BUFFER_BYTES);
        if (s.buffer == NULL)
            status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to decode");
        else if (s.record.kind == CPR_INPUT_PARQUET && options->decoding.text_column == NULL)
            scan_note_parquet(&s);
        else if (cpr_input_kind_is_decoded(s.record.kind))
            status = scan_compressed(&s, error);
        else if (s.record.kind == CPR_INPUT_PLAIN)
            status = scan_plain(&s, error);
    }
    cpr_untar_free(s.untar);
    free(s.buffer);
    if (s.fd >= 0)
        close(s.fd);
    if (status == CPR_OK)
        return cpr_input_writer_end(&s.writer, &s.record, error);
    cpr_input_writer_cancel(&s.writer);
    return status;
}
