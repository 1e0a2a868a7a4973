/* lesson_text.c - the text of a lesson: the sample's blocks, dealt out to streams. */
#include "lesson_text.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 << 10) /* of cpr_plan_sample() */

uint64_t cpr_lesson_text_memory(uint32_t streams)
{
    return cpr_parser_memory() + BLOCK_BYTES +
           streams * (BLOCK_BYTES * sizeof(uint16_t) + sizeof(cpr_lesson_place) +
                      sizeof(cpr_lesson_tokens));
}

uint32_t cpr_lesson_text_first(const cpr_lesson_text *text)
{
    return (uint32_t)cpr_ranks_rank(text->run->ranks);
}

uint32_t cpr_lesson_text_after(const cpr_lesson_text *text, uint32_t stream)
{
    return stream + (uint32_t)cpr_ranks_size(text->run->ranks);
}

static bool text_take_memory(cpr_lesson_text *text)
{
    const cpr_compress_run *run = text->run;
    text->reader = cpr_corpus_reader_create(run->plan.files);
    text->parser = cpr_parser_create(run->engine.vocabulary);
    text->block = malloc(BLOCK_BYTES);
    text->places = calloc(text->streams, sizeof *text->places);
    text->tokens = calloc(text->streams, sizeof *text->tokens);
    if (text->reader == NULL || text->parser == NULL || text->block == NULL ||
        text->places == NULL || text->tokens == NULL)
        return false;
    for (uint32_t s = cpr_lesson_text_first(text); s < text->streams;
         s = cpr_lesson_text_after(text, s)) {
        text->tokens[s].token = malloc(BLOCK_BYTES * sizeof(uint16_t));
        if (text->tokens[s].token == NULL)
            return false;
    }
    return true;
}

/* The number in the sample of the n-th block of a stream. */
static uint64_t text_block(const cpr_lesson_text *text, uint32_t stream, uint64_t n)
{
    const cpr_compress_plan *plan = &text->run->plan;
    const uint64_t sample = cpr_plan_sample_count(plan->corpus_bytes, plan->lesson_bytes);
    /* again, if it is read again */
    return cpr_plan_lesson_block(sample, (stream + n * text->streams) % sample);
}

static cpr_status text_fill_store(cpr_lesson_text *text, cpr_error *error)
{
    const cpr_compress_plan *plan = &text->run->plan;
    const uint64_t sample = cpr_plan_sample_count(plan->corpus_bytes, plan->lesson_bytes);
    const cpr_status status = cpr_lesson_store_open(text->run, sample, &text->store, error);
    if (status != CPR_OK)
        return status;
    for (uint32_t s = cpr_lesson_text_first(text); s < text->streams;
         s = cpr_lesson_text_after(text, s))
        for (uint64_t n = 0; s + n * text->streams < text->blocks; n++)
            cpr_lesson_store_want(&text->store, text_block(text, s, n));
    return cpr_lesson_store_fill(&text->store, text->run, text->reader, error);
}

cpr_status cpr_lesson_text_open(const cpr_compress_run *run, cpr_lesson_text *text,
                                cpr_error *error)
{
    *text = (cpr_lesson_text){
        .run = run,
        .blocks = cpr_plan_lesson_blocks(run->plan.corpus_bytes, run->plan.lesson_bytes),
        .streams = cpr_lesson_streams(run->plan.lesson_bytes),
        .store.fd = -1};
    if (text->blocks > UINT32_MAX)
        return cpr_fail(error, CPR_ERR_USAGE, "a lesson of so many bytes is too large");
    return text_take_memory(text)
               ? text_fill_store(text, error)
               : cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the lesson");
}

void cpr_lesson_text_close(cpr_lesson_text *text)
{
    for (uint32_t s = 0; text->tokens != NULL && s < text->streams; s++)
        free(text->tokens[s].token);
    free(text->tokens);
    free(text->places);
    free(text->block);
    cpr_parser_free(text->parser);
    cpr_lesson_store_close(&text->store);
    cpr_corpus_reader_free(text->reader);
}

/* Reads the n-th block of a stream. */
static cpr_status text_read_block(cpr_lesson_text *text, uint32_t stream, uint64_t n, size_t *bytes,
                                  cpr_error *error)
{
    return cpr_lesson_store_read(&text->store, text->run, text->reader, text_block(text, stream, n),
                                 text->block, bytes, error);
}

/* Cuts the block that was read into tokens; noise has none. */
static void text_parse_block(cpr_lesson_text *text, uint32_t stream, size_t bytes)
{
    cpr_lesson_tokens *tokens = &text->tokens[stream];
    tokens->count = cpr_block_is_noise(text->block, bytes)
                        ? 0
                        : cpr_parser_parse(text->parser, text->block, bytes, tokens->token);
}

/* The hash of all blocks, with one more. */
static cpr_hash128 hash_chain(cpr_hash128 seen, const uint8_t *block, size_t bytes)
{
    const cpr_hash128 both[2] = {seen, cpr_hash_bytes(block, bytes)};
    return cpr_hash_bytes(both, sizeof both);
}

/* Begins the stream's next block; *more is false if it has no more. */
static cpr_status text_begin_block(cpr_lesson_text *text, uint32_t stream, bool *more,
                                   cpr_error *error)
{
    cpr_lesson_place *place = &text->places[stream];
    size_t bytes = 0;
    *more = stream + place->blocks * text->streams < text->blocks;
    if (!*more)
        return CPR_OK;
    const cpr_status status = text_read_block(text, stream, place->blocks, &bytes, error);
    if (status != CPR_OK)
        return status;
    text_parse_block(text, stream, bytes);
    place->seen = hash_chain(place->seen, text->block, bytes);
    place->blocks++;
    place->begun_bytes += bytes;
    place->at = 0;
    return CPR_OK;
}

cpr_status cpr_lesson_text_read(cpr_lesson_text *text, uint32_t stream,
                                uint16_t tokens[CPR_LESSON_SEGMENT], size_t *count,
                                cpr_error *error)
{
    cpr_lesson_place *place = &text->places[stream];
    const cpr_lesson_tokens *block = &text->tokens[stream];
    cpr_status status = CPR_OK;
    bool more = true;
    *count = 0;
    while (status == CPR_OK && more && *count < CPR_LESSON_SEGMENT) {
        if (place->at == block->count) {
            status = text_begin_block(text, stream, &more, error);
            continue;
        }
        const uint16_t token = block->token[place->at++];
        size_t bytes;
        (void)cpr_vocabulary_token(text->run->engine.vocabulary, token, &bytes);
        place->text_bytes += bytes;
        tokens[(*count)++] = token;
    }
    return status;
}

/* Whether the blocks that a stream has begun are those that an earlier run has read. */
static cpr_status text_compare_stream(cpr_lesson_text *text, uint32_t stream, bool *same,
                                      cpr_error *error)
{
    const cpr_lesson_place *place = &text->places[stream];
    cpr_hash128 seen = {0, 0};
    cpr_status status = CPR_OK;
    for (uint64_t n = 0; status == CPR_OK && n < place->blocks; n++) {
        size_t bytes = 0;
        status = text_read_block(text, stream, n, &bytes, error);
        if (status == CPR_OK)
            status = cpr_stop_check(error);
        if (status == CPR_OK)
            seen = hash_chain(seen, text->block, bytes);
    }
    *same = *same && cpr_hash_same(seen, place->seen);
    return status;
}

cpr_status cpr_lesson_text_go_on(cpr_lesson_text *text, bool compare, bool *same, cpr_error *error)
{
    cpr_status status = CPR_OK;
    *same = true;
    for (uint32_t s = cpr_lesson_text_first(text); status == CPR_OK && s < text->streams;
         s = cpr_lesson_text_after(text, s)) {
        const cpr_lesson_place *place = &text->places[s];
        size_t bytes = 0;
        if (compare)
            status = text_compare_stream(text, s, same, error);
        if (status != CPR_OK || place->blocks == 0)
            continue;
        status = text_read_block(text, s, place->blocks - 1, &bytes, error);
        if (status != CPR_OK)
            continue;
        text_parse_block(text, s, bytes);
        *same = *same && place->at <= text->tokens[s].count;
    }
    return status;
}
