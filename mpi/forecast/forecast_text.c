/* forecast_text.c - reads parts of a corpus, always from its start towards its end: where it is
 * decoded from compressed files, going back costs a decoding from their beginning. */
#include "forecast_text.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK FORECAST_BLOCK_BYTES
#define RUN_BYTES (FORECAST_RUN_BLOCKS * (uint64_t)BLOCK)
#define SCAN_BYTES ((uint64_t)64 << 20) /* of shards that are read, at most, with a primer */
#define LEVEL_BLOCKS 64u /* that a part of the corpus is compared with all of it by */
#define LEVEL_MOST 3.0   /* a part is no further from the whole than by this factor */

static cpr_status text_no_memory(cpr_error *error)
{
    return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to look at a sample of the corpus");
}

static uint64_t text_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* total * part / parts */
static uint64_t text_share(uint64_t total, uint64_t part, uint64_t parts)
{
    return (uint64_t)((double)total / (double)parts * (double)part);
}

/* ---- the sample ----------------------------------------------------------------------------- */

void forecast_sample_free(forecast_sample *sample)
{
    free(sample->text);
    free(sample->block);
    *sample = (forecast_sample){.text = NULL};
}

/* The blocks of a run that has been read to that place of the text. */
static void sample_add_run(forecast_sample *sample, uint64_t at, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes; done += BLOCK) {
        sample->block[sample->count].at = at + done;
        sample->block[sample->count++].bytes = (size_t)text_least(BLOCK, bytes - done);
    }
}

cpr_status forecast_sample_read(const cpr_file_list *files, uint64_t wanted,
                                forecast_sample *sample, cpr_error *error)
{
    const uint64_t corpus = cpr_file_list_bytes(files);
    const uint64_t runs = (wanted + RUN_BYTES - 1) / RUN_BYTES;
    *sample = (forecast_sample){.whole = corpus <= wanted || corpus <= runs * RUN_BYTES};
    sample->bytes = sample->whole ? corpus : runs * RUN_BYTES;
    sample->text = malloc((size_t)sample->bytes + 1);
    sample->block = calloc((size_t)(sample->bytes / BLOCK) + 1, sizeof *sample->block);
    cpr_corpus_reader *reader = cpr_corpus_reader_create(files);
    if (sample->text == NULL || sample->block == NULL || reader == NULL) {
        cpr_corpus_reader_free(reader);
        return text_no_memory(error);
    }
    cpr_status status = CPR_OK;
    if (sample->whole) {
        status = cpr_corpus_reader_read(reader, 0, sample->text, (size_t)corpus, error);
        sample_add_run(sample, 0, corpus);
    }
    for (uint64_t i = 0; !sample->whole && status == CPR_OK && i < runs; i++) {
        const uint64_t at = text_share(corpus - RUN_BYTES, 2 * i + 1, 2 * runs);
        status = cpr_corpus_reader_read(reader, at, sample->text + i * RUN_BYTES, RUN_BYTES, error);
        if (status == CPR_OK)
            status = cpr_stop_check(error);
        sample_add_run(sample, cpr_plan_lesson_block(runs, i) * RUN_BYTES, RUN_BYTES);
    }
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(reader, error);
    cpr_corpus_reader_free(reader);
    return status;
}

/* ---- novelty -------------------------------------------------------------------------------- */

/* What has been looked at. */
typedef struct text_look {
    cpr_novelty *novelty;
    uint64_t before; /* bytes of text since the model's initial state */
    uint64_t noise;  /* bytes that no model looks at */
} text_look;

/* The features of a block that is there. */
static forecast_features look_take(text_look *look, const uint8_t *block, size_t bytes)
{
    cpr_novelty_bits bits = {.match = 0};
    forecast_features features = {.of = {0}};
    if (cpr_block_is_noise(block, bytes)) {
        look->noise += bytes;
        return features;
    }
    uint8_t *room = cpr_novelty_room(look->novelty, bytes);
    memcpy(room, block, bytes);
    cpr_novelty_take(look->novelty, bytes, &bits);
    features = forecast_features_of(&bits, bytes, look->before);
    look->before += bytes;
    return features;
}

cpr_status forecast_sample_features(const forecast_sample *sample, size_t count,
                                    forecast_features *features, cpr_error *error)
{
    text_look look = {.novelty = cpr_novelty_create((size_t)sample->bytes)};
    if (look.novelty == NULL)
        return text_no_memory(error);
    for (size_t i = 0; i < count; i++)
        features[i] = look_take(&look, sample->text + sample->block[i].at, sample->block[i].bytes);
    cpr_novelty_free(look.novelty);
    return CPR_OK;
}

/* ---- shards --------------------------------------------------------------------------------- */

typedef struct text_scan {
    const cpr_file_list *files;
    const cpr_plan *plan;
    cpr_corpus_reader *reader;
    text_look look;
    uint64_t looked; /* shards that are looked at, */
    uint64_t each;   /* so many bytes of each of them */
    uint8_t block[FORECAST_BLOCK_BYTES];
} text_scan;

static uint64_t scan_shard_start(const text_scan *s, uint64_t i)
{
    const uint64_t shard = (2 * i + 1) * s->plan->shards / (2 * s->looked);
    return text_share(s->plan->raw_bytes, shard, s->plan->shards);
}

static cpr_status scan_block(text_scan *s, uint64_t at, uint64_t most, forecast_features *features,
                             cpr_error *error)
{
    const size_t bytes = (size_t)text_least(text_least(BLOCK, most), s->plan->raw_bytes - at);
    cpr_status status = cpr_corpus_reader_read(s->reader, at, s->block, bytes, error);
    if (status == CPR_OK)
        status = cpr_stop_check(error);
    if (status == CPR_OK)
        *features = look_take(&s->look, s->block, bytes);
    return status;
}

static cpr_status scan_primer(text_scan *s, forecast_scan *scan, cpr_error *error)
{
    const uint64_t corpus = s->plan->raw_bytes;
    const uint64_t sample = s->plan->primer_bytes;
    cpr_status status = CPR_OK;
    for (uint64_t i = 0;
         sample > 0 && status == CPR_OK && i < cpr_plan_sample_count(corpus, sample); i++) {
        const cpr_extent extent = cpr_plan_sample(corpus, sample, i);
        forecast_features features;
        status = scan_block(s, extent.offset, extent.bytes, &features, error);
        if (status == CPR_OK)
            forecast_features_add(&scan->primer, &features, 1);
    }
    scan->primer_bytes = s->look.before;
    s->look.noise = 0;
    return status;
}

/* Adds a shard's features to *sum. What is not looked at of it costs as its last quarter does. */
static cpr_status scan_shard(text_scan *s, uint64_t start, forecast_features *sum, cpr_error *error)
{
    const uint64_t length = s->plan->raw_bytes / s->plan->shards;
    forecast_features last = {.of = {0}};
    cpr_status status = CPR_OK;
    if (s->plan->shards > 1)
        cpr_novelty_return(s->look.novelty);
    for (uint64_t at = 0; status == CPR_OK && at < s->each; at += BLOCK) {
        forecast_features features;
        status = scan_block(s, start + at, s->each - at, &features, error);
        if (status != CPR_OK)
            return status;
        forecast_features_add(sum, &features, 1);
        if (at >= s->each / 4 * 3)
            forecast_features_add(&last, &features, 1);
    }
    if (s->each < length)
        forecast_features_add(sum, &last, (double)(length - s->each) / ((double)s->each / 4));
    return status;
}

/* Where block i is, of LEVEL_BLOCKS that are spread over the shards that are looked at, or over the
 * whole corpus. */
static uint64_t scan_level_place(const text_scan *s, bool whole, uint64_t i)
{
    if (whole)
        return text_share(s->plan->raw_bytes - BLOCK, 2 * i + 1, (uint64_t)2 * LEVEL_BLOCKS);
    const uint64_t shard = i * s->looked / LEVEL_BLOCKS;
    const uint64_t first = (shard * LEVEL_BLOCKS + s->looked - 1) / s->looked;
    const uint64_t after = ((shard + 1) * LEVEL_BLOCKS + s->looked - 1) / s->looked;
    return scan_shard_start(s, shard) +
           text_share(s->each - BLOCK, 2 * (i - first) + 1, 2 * (after - first));
}

/* The features of those blocks, behind the same text. */
static cpr_status scan_level(text_scan *s, bool whole, forecast_features *sum, cpr_error *error)
{
    cpr_status status = CPR_OK;
    cpr_novelty_return(s->look.novelty);
    for (uint64_t i = 0; status == CPR_OK && i < LEVEL_BLOCKS; i++) {
        forecast_features features;
        status = scan_block(s, scan_level_place(s, whole, i), BLOCK, &features, error);
        if (status == CPR_OK)
            forecast_features_add(sum, &features, 1);
    }
    return status;
}

/* The shards that were looked at may be easier than the others, or harder: what they cost becomes
 * what as much of all of them would. */
static cpr_status scan_adjust(text_scan *s, forecast_scan *scan, cpr_error *error)
{
    forecast_features *shards = &scan->shards;
    forecast_features all = {.of = {0}};
    forecast_features part = {.of = {0}};
    s->look.noise = 0;
    cpr_status status = scan_level(s, true, &all, error);
    scan->noise_bytes = (uint64_t)((double)s->look.noise / (double)(LEVEL_BLOCKS * BLOCK) *
                                   (double)s->plan->raw_bytes);
    if (status == CPR_OK)
        status = scan_level(s, false, &part, error);
    for (unsigned i = 0; status == CPR_OK && i < FORECAST_COLD; i++) {
        double ratio = part.of[i] > 0 ? all.of[i] / part.of[i] : 1;
        ratio = ratio < LEVEL_MOST ? ratio : LEVEL_MOST;
        shards->of[i] *= ratio > 1 / LEVEL_MOST ? ratio : 1 / LEVEL_MOST;
    }
    return status;
}

static cpr_status scan_shards(text_scan *s, forecast_scan *scan, cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (uint64_t i = 0; status == CPR_OK && i < s->looked; i++) {
        s->look.before = scan->primer_bytes;
        status = scan_shard(s, scan_shard_start(s, i), &scan->shards, error);
    }
    scan->looked_at = s->looked * s->each;
    scan->noise_bytes =
        (uint64_t)((double)s->look.noise / (double)scan->looked_at * (double)s->plan->raw_bytes);
    if (status != CPR_OK || s->looked == s->plan->shards)
        return status;
    status = scan_adjust(s, scan, error);
    const forecast_features part = scan->shards;
    forecast_features_add(&scan->shards, &part, (double)s->plan->shards / (double)s->looked - 1);
    return status;
}

cpr_status forecast_scan_corpus(const cpr_file_list *files, const cpr_plan *plan,
                                forecast_scan *scan, cpr_error *error)
{
    const uint64_t length = plan->raw_bytes / plan->shards + (plan->raw_bytes % plan->shards != 0);
    *scan = (forecast_scan){.primer_bytes = 0};
    text_scan *s = calloc(1, sizeof *s);
    if (s == NULL)
        return text_no_memory(error);
    s->files = files;
    s->plan = plan;
    const uint64_t most = plan->primer_bytes > 0 ? SCAN_BYTES : 2 * SCAN_BYTES;
    s->looked = text_least(plan->shards, most / length > 0 ? most / length : 1);
    s->each = text_least(length, most);
    s->reader = cpr_corpus_reader_create(files);
    s->look.novelty =
        cpr_novelty_create((size_t)(plan->primer_bytes + s->each + LEVEL_BLOCKS * BLOCK));
    cpr_status status =
        s->reader != NULL && s->look.novelty != NULL ? CPR_OK : text_no_memory(error);
    if (status == CPR_OK)
        status = scan_primer(s, scan, error);
    if (status == CPR_OK && plan->shards > 1 && !cpr_novelty_keep(s->look.novelty))
        status = text_no_memory(error);
    if (status == CPR_OK)
        status = scan_shards(s, scan, error);
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(s->reader, error);
    cpr_corpus_reader_free(s->reader);
    cpr_novelty_free(s->look.novelty);
    free(s);
    return status;
}
