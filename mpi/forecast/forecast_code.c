/* forecast_code.c - the vocabulary, the network and the codec that the corpus would be coded with,
 * and a sample through them. */
#include "forecast_code.h"

#include "memory_limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK FORECAST_BLOCK_BYTES
#define LESSON_TOKENS 50000u /* that a lesson is timed by, at least */
#define LINE_BYTES 1024u     /* that the largest shard is longer than the mean */

static double code_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static cpr_status code_no_memory(cpr_error *error)
{
    return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to code a sample");
}

/* ---- the vocabulary ------------------------------------------------------------------------- */

static cpr_status vocabulary_count(const cpr_file_list *files, uint64_t sample,
                                   cpr_word_counts *counts, cpr_error *error)
{
    const uint64_t corpus = cpr_file_list_bytes(files);
    cpr_corpus_reader *reader = cpr_corpus_reader_create(files);
    uint8_t *block = malloc(BLOCK);
    cpr_status status = CPR_OK;
    if (reader == NULL || block == NULL)
        status = code_no_memory(error);
    for (uint64_t i = 0; status == CPR_OK && i < cpr_plan_sample_count(corpus, sample); i++) {
        const cpr_extent extent = cpr_plan_sample(corpus, sample, i);
        const size_t bytes = (size_t)extent.bytes;
        status = cpr_corpus_reader_read(reader, extent.offset, block, bytes, error);
        if (status == CPR_OK && !cpr_block_is_noise(block, bytes) &&
            !cpr_word_counts_add(counts, block, bytes))
            status = code_no_memory(error);
        if (status == CPR_OK)
            status = cpr_stop_check(error);
    }
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(reader, error);
    cpr_corpus_reader_free(reader);
    free(block);
    return status;
}

cpr_status forecast_vocabulary_learn(const cpr_file_list *files, const cpr_profile *profile,
                                     forecast_vocabulary *v, cpr_error *error)
{
    const double started = code_seconds();
    const uint64_t corpus = cpr_file_list_bytes(files);
    const uint64_t sample = cpr_profile_sample_bytes(profile, corpus);
    if (v->sample_bytes == sample)
        return CPR_OK;
    cpr_word_counts *counts = cpr_word_counts_create();
    cpr_status status =
        counts != NULL ? vocabulary_count(files, sample, counts, error) : code_no_memory(error);
    if (status == CPR_OK) {
        v->vocabulary = cpr_profile_vocabulary(profile, counts, corpus);
        if (v->vocabulary != NULL)
            v->packed = cpr_vocabulary_pack(v->vocabulary, &v->packed_bytes);
        status = v->packed != NULL ? CPR_OK : code_no_memory(error);
    }
    cpr_word_counts_free(counts);
    v->seconds = code_seconds() - started;
    v->sample_bytes = status == CPR_OK ? sample : 0;
    if (status != CPR_OK)
        forecast_vocabulary_free(v);
    return status;
}

void forecast_vocabulary_free(forecast_vocabulary *v)
{
    cpr_vocabulary_free(v->vocabulary);
    free(v->packed);
    *v = (forecast_vocabulary){.vocabulary = NULL};
}

/* What coding takes, beside what is kept of it. */
typedef struct code_work {
    const cpr_plan *plan;
    const forecast_sample *sample;
    const cpr_vocabulary *vocabulary;
    forecast_coded *coded;
    cpr_weights *weights;
    cpr_codec *codec;
} code_work;

/* ---- the lesson ----------------------------------------------------------------------------- */

/* Reads with all streams alike until there were enough tokens, and says how long a byte takes. */
static void lesson_measure(const code_work *w, cpr_lesson *lesson, uint32_t streams,
                           const uint16_t *tokens, size_t count)
{
    uint64_t done = 0;
    size_t token_bytes;
    uint64_t bytes = 0;
    const double started = code_seconds();
    for (size_t at = 0; done < LESSON_TOKENS; done += (uint64_t)streams * CPR_LESSON_SEGMENT) {
        for (uint32_t s = 0; s < streams; s++) {
            at = at + CPR_LESSON_SEGMENT > count ? 0 : at;
            const size_t part = count < CPR_LESSON_SEGMENT ? count : CPR_LESSON_SEGMENT;
            cpr_lesson_read(lesson, s, tokens + at, part);
            for (size_t i = 0; i < part; i++) {
                cpr_vocabulary_token(w->vocabulary, tokens[at + i], &token_bytes);
                bytes += token_bytes;
            }
            at += part;
        }
        cpr_lesson_step(lesson, 32768);
    }
    w->coded->lesson_seconds =
        (code_seconds() - started) / (double)bytes * (double)w->coded->lesson_bytes;
}

/* A network that has hardly learned, with which coding takes as long as with one that has. */
static cpr_status code_hold_lesson(code_work *w, uint32_t streams, cpr_error *error)
{
    uint16_t *tokens = malloc(BLOCK * sizeof *tokens);
    cpr_parser *parser = cpr_parser_create(w->vocabulary);
    cpr_lesson *lesson = cpr_lesson_create(w->coded->profile, w->vocabulary, streams, NULL);
    uint8_t *packed = NULL;
    size_t bytes = 0;
    if (tokens != NULL && parser != NULL && lesson != NULL) {
        const size_t count =
            cpr_parser_parse(parser, w->sample->text, w->sample->block[0].bytes, tokens);
        lesson_measure(w, lesson, streams, tokens, count);
        packed = cpr_lesson_pack(lesson, &bytes);
    }
    if (packed != NULL)
        w->weights = cpr_weights_unpack(w->coded->profile, w->vocabulary, packed, bytes);
    w->coded->weights_bytes = bytes;
    cpr_lesson_free(lesson);
    cpr_parser_free(parser);
    free(packed);
    free(tokens);
    return w->weights != NULL ? CPR_OK : code_no_memory(error);
}

/* ---- the sample ----------------------------------------------------------------------------- */

static cpr_status code_sample(code_work *w, size_t count, cpr_error *error)
{
    forecast_coded *coded = w->coded;
    cpr_shard_info info = {.loss_bits = 0};
    cpr_status status = CPR_OK;
    coded->bits = calloc(count + 1, sizeof *coded->bits);
    if (coded->bits == NULL)
        return code_no_memory(error);
    cpr_codec_measure_begin(w->codec);
    const double started = code_seconds();
    for (size_t i = 0; status == CPR_OK && i < count; i++) {
        const uint64_t before = info.loss_bits;
        status = cpr_codec_measure_next(w->codec, w->sample->text + w->sample->block[i].at,
                                        w->sample->block[i].bytes, NULL, &info, error);
        coded->bits[i] = (double)(info.loss_bits - before) / 65536;
        coded->bytes += w->sample->block[i].bytes;
        coded->count++;
        if (status == CPR_OK)
            status = cpr_stop_check(error);
    }
    coded->seconds_per_byte = (code_seconds() - started) / (double)coded->bytes;
    coded->primer_seconds_per_byte = coded->seconds_per_byte;
    return status;
}

static cpr_status code_open(code_work *w, const cpr_profile *profile, cpr_error *error)
{
    const uint64_t most = w->plan->primer_bytes + w->plan->raw_bytes / w->plan->shards +
                          (w->plan->shards > 1 ? LINE_BYTES : 0);
    uint32_t streams;
    w->coded->lesson_bytes = cpr_plan_lesson(w->plan, profile, &streams);
    w->coded->profile =
        cpr_profile_after_lesson(profile, w->plan->raw_bytes, w->coded->lesson_bytes);
    const cpr_memory_need need = cpr_memory_need_of(w->coded->profile, most, false);
    cpr_status status = cpr_memory_check(&need, error);
    if (status == CPR_OK && w->coded->lesson_bytes > 0)
        status = code_hold_lesson(w, streams, error);
    if (status == CPR_OK)
        status =
            cpr_codec_create(w->coded->profile, w->vocabulary, w->weights, most, &w->codec, error);
    return status;
}

cpr_status forecast_code(const cpr_plan *plan, const cpr_profile *profile,
                         const forecast_vocabulary *vocabulary, const forecast_sample *sample,
                         size_t count, forecast_coded *coded, cpr_error *error)
{
    code_work w = {
        .plan = plan, .sample = sample, .vocabulary = vocabulary->vocabulary, .coded = coded};
    *coded = (forecast_coded){.profile = profile};
    cpr_status status = code_open(&w, profile, error);
    if (status == CPR_OK)
        status = code_sample(&w, count, error);
    cpr_codec_free(w.codec);
    cpr_weights_free(w.weights);
    return status;
}

void forecast_coded_free(forecast_coded *coded)
{
    free(coded->bits);
    *coded = (forecast_coded){.bits = NULL};
}
