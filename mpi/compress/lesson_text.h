/* lesson_text.h - the text of a lesson: the sample's blocks, dealt out to streams.
 *
 * Of S streams, stream s reads blocks s, s + S, s + 2S, ... of the sample in the order of
 * cpr_plan_lesson_block(), over and over if it is read more than once, without those that are
 * noise, one behind the other. Rank r reads for
 * the streams s with s mod (number of ranks) = r. Everything here is local. */
#ifndef CPR_LESSON_TEXT_H
#define CPR_LESSON_TEXT_H

#include "lesson_store.h"

/* Where a stream is. All zero: at its start. */
typedef struct cpr_lesson_place {
    uint64_t blocks;      /* that it has begun or finished */
    uint64_t begun_bytes; /* of these */
    uint64_t at;          /* tokens that were read of the last one */
    uint64_t text_bytes;  /* of all tokens that were read */
    cpr_hash128 seen;     /* of the blocks, one hash of all */
} cpr_lesson_place;

/* The last block of a stream, as tokens. */
typedef struct cpr_lesson_tokens {
    uint16_t *token;
    size_t count;
} cpr_lesson_tokens;

typedef struct cpr_lesson_text {
    const cpr_compress_run *run;
    cpr_corpus_reader *reader;
    cpr_lesson_store store;
    cpr_parser *parser;
    uint8_t *block;
    uint64_t blocks; /* that all streams read */
    uint32_t streams;
    cpr_lesson_place *places;  /* of all streams; those of other ranks' stay zero */
    cpr_lesson_tokens *tokens; /* of all streams; only this rank's have memory */
} cpr_lesson_text;

/* To be closed after a failure, too. */
cpr_status cpr_lesson_text_open(const cpr_compress_run *run, cpr_lesson_text *text,
                                cpr_error *error);
void cpr_lesson_text_close(cpr_lesson_text *text);

/* Bytes of memory, at most, with `streams` streams for one rank. */
uint64_t cpr_lesson_text_memory(uint32_t streams);

/* This rank's streams: the first one, and the one after `stream`; at least `streams`: no more. */
uint32_t cpr_lesson_text_first(const cpr_lesson_text *text);
uint32_t cpr_lesson_text_after(const cpr_lesson_text *text, uint32_t stream);

/* A stream's next tokens, up to CPR_LESSON_SEGMENT of them; *count is 0 at its end. */
cpr_status cpr_lesson_text_read(cpr_lesson_text *text, uint32_t stream,
                                uint16_t tokens[CPR_LESSON_SEGMENT], size_t *count,
                                cpr_error *error);

/* After this rank's places were set to those of an earlier run: goes on from there. With `compare`,
 * *same tells whether the corpus still has what that run has read; else it is taken for granted. */
cpr_status cpr_lesson_text_go_on(cpr_lesson_text *text, bool compare, bool *same, cpr_error *error);

#endif
