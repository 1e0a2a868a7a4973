/* library_score.c - what a text costs under the model of an archive. */
#include "archive.h"
#include "documents.h"
#include "library_reader.h"

#include <stdlib.h>
#include <string.h>

/* A text in work. Its losses are those of the pieces that are done, and of the piece in work. */
typedef struct scoring {
    cpr_codec *codec;
    cpr_source source;
    const cpr_score_options *options;
    uint64_t piece_bytes; /* most that is coded as one shard */
    cpr_score done;       /* pieces */
    cpr_shard_info piece;
    cpr_separator separator;
    size_t state;                /* of the separator */
    cpr_document_score document; /* in work; loss_bits: in front of it */
    uint8_t block[CPR_BLOCK_BYTES];
    uint64_t ends[CPR_BLOCK_BYTES]; /* of documents, in the block */
    uint64_t losses[CPR_BLOCK_BYTES];
} scoring;

/* Texts are cut where shards are: at the largest of the archive, or its --shard-size. */
static uint64_t scoring_piece_bytes(const cpr_archive *archive)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    uint64_t bytes =
        header->shard_bytes > CPR_SHARD_BYTES_MIN ? header->shard_bytes : CPR_SHARD_BYTES_MIN;
    for (uint64_t i = 0; i < header->shard_count; i++)
        if (header->shards[i].raw_bytes > bytes)
            bytes = header->shards[i].raw_bytes;
    return bytes;
}

static cpr_status scoring_read(scoring *s, size_t wanted, size_t *bytes, cpr_error *error)
{
    size_t got = 1;
    *bytes = 0;
    while (*bytes < wanted && got > 0) {
        const cpr_status status =
            s->source.read(s->source.context, s->block + *bytes, wanted - *bytes, &got, error);
        if (status != CPR_OK)
            return status;
        *bytes += got;
    }
    return CPR_OK;
}

/* Finds where documents end in the block, which begins at `start` in its piece. */
static size_t scoring_find_ends(scoring *s, uint64_t start, size_t bytes)
{
    size_t count = 0;
    for (size_t i = 0; s->separator.bytes > 0 && i < bytes; i++) {
        s->state = cpr_separator_next(&s->separator, s->state, s->block[i]);
        if (s->state == s->separator.bytes)
            s->ends[count++] = start + i + 1;
    }
    return count;
}

/* A document ends at an offset in the text, up to which the text has cost `loss`. */
static cpr_status scoring_end_document(scoring *s, uint64_t end, uint64_t loss, cpr_error *error)
{
    cpr_document_score document = s->document;
    document.bytes = end - document.offset;
    document.loss_bits = loss - s->document.loss_bits;
    s->document =
        (cpr_document_score){.number = document.number + 1, .offset = end, .loss_bits = loss};
    s->done.documents++;
    return s->options->document != NULL
               ? s->options->document(s->options->document_context, &document, error)
               : CPR_OK;
}

static cpr_status scoring_block(scoring *s, size_t bytes, cpr_error *error)
{
    const cpr_loss_marks marks = {
        .at = s->ends,
        .loss = s->losses,
        .count = scoring_find_ends(s, s->piece.raw_bytes, bytes),
    };
    cpr_status status = cpr_codec_measure_next(s->codec, s->block, bytes, &marks, &s->piece, error);
    for (size_t i = 0; status == CPR_OK && i < marks.count; i++)
        status = scoring_end_document(s, s->done.bytes + s->ends[i],
                                      s->done.loss_bits + s->losses[i], error);
    if (status != CPR_OK)
        return status;
    return cpr_watch_tell(s->options->watch, s->done.bytes + s->piece.raw_bytes, 0, error);
}

/* Scores the next piece; *more is false if the text ends in it. */
static cpr_status scoring_piece(scoring *s, bool *more, cpr_error *error)
{
    size_t bytes = 1;
    cpr_status status = CPR_OK;
    cpr_codec_measure_begin(s->codec);
    s->piece = (cpr_shard_info){.raw_bytes = 0};
    while (status == CPR_OK && bytes > 0 && s->piece.raw_bytes < s->piece_bytes) {
        const uint64_t left = s->piece_bytes - s->piece.raw_bytes;
        status =
            scoring_read(s, left < CPR_BLOCK_BYTES ? (size_t)left : CPR_BLOCK_BYTES, &bytes, error);
        if (status == CPR_OK && bytes > 0)
            status = scoring_block(s, bytes, error);
    }
    s->done.bytes += s->piece.raw_bytes;
    s->done.stored_bytes += s->piece.stored_bytes;
    s->done.tokens += s->piece.tokens;
    s->done.loss_bits += s->piece.loss_bits;
    s->done.network_loss_bits += s->piece.network_loss_bits;
    *more = bytes > 0;
    return status;
}

static cpr_status scoring_run(scoring *s, const cpr_document_choice *choice, cpr_error *error)
{
    static const uint8_t line_feed[] = {'\n'};
    const char *name = s->options->name != NULL ? s->options->name : "";
    const cpr_document_rule rule = cpr_document_choice_rule(choice, name);
    cpr_status status = CPR_OK;
    if (rule == CPR_DOCUMENTS_LINE)
        cpr_separator_set(&s->separator, line_feed, sizeof line_feed);
    else if (rule == CPR_DOCUMENTS_SEPARATOR)
        cpr_separator_set(&s->separator, choice->separator, choice->separator_bytes);
    for (bool more = true; status == CPR_OK && more;)
        status = scoring_piece(s, &more, error);
    if (status == CPR_OK && s->document.offset < s->done.bytes)
        status = scoring_end_document(s, s->done.bytes, s->done.loss_bits, error);
    return status;
}

cpr_status cpr_reader_score(cpr_reader *reader, cpr_source text, const cpr_score_options *options,
                            cpr_score *score, cpr_error *error)
{
    cpr_document_choice choice;
    cpr_status status = cpr_document_choice_parse(options->documents, &choice, error);
    if (status != CPR_OK)
        return status;
    scoring *s = calloc(1, sizeof *s);
    if (s == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to score a text");
    s->source = text;
    s->options = options;
    s->piece_bytes = scoring_piece_bytes(cpr_reader_archive(reader));
    status = cpr_reader_borrow(reader, options->watch, &s->codec, error);
    if (status == CPR_OK)
        status = scoring_run(s, &choice, error);
    if (status == CPR_OK)
        *score = s->done;
    free(s);
    return status;
}
