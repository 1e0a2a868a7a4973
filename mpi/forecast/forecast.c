/* forecast.c - codes a sample with a profile, and says what the corpus will come to. */
#include "corpress_forecast.h"

#include "archive.h"
#include "forecast_code.h"
#include "forecast_text.h"
#include "memory_limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a network brings, see forecast_network(). */
typedef struct forecast_rule {
    const char *profile;
    unsigned sample_part;  /* it codes so much less of the sample */
    double forgets;        /* its tables are small: what is lost with each doubling of the text */
    bool short_memory;     /* it does not know what is far back */
    double gain_grows;     /* of what it saves, with each doubling of the text that it has read */
    double taught;         /* what shards are to those of `balanced` after a lesson */
    double taught_weights; /* coded bytes of the network for each that it has in memory */
} forecast_rule;

/* How far off a forecast may be: at least, more with each doubling of the text, and more of a
 * corpus that is uneven. */
#define SPREAD_LEAST 0.03
#define SPREAD_DOUBLING 0.004
#define SPREAD_UNEVEN 1.7
#define SPREAD_NETWORK 0.01 /* of what a network brings */
#define SPREAD_TABLES                                                                              \
    0.002 /* of an archive whose text was coded, and whose tables were not written */

#define FAR_SHARE 0.5 /* see forecast_forgotten() */

static const forecast_rule rules[] = {
    {"fast", 1, 0.007, true, 0, 1, 0},
    {"strong", 4, 0.004, false, 0.1, 0.940, 0.17},
    {"neural", 12, 0.004, false, 0.1, 0.932, 0.17},
    {"", 1, 0.004, false, 0, 1, 0},
};

static const forecast_rule *rule_of(const cpr_profile *profile)
{
    const forecast_rule *rule = rules;
    while (rule->profile[0] != '\0' && strcmp(rule->profile, cpr_profile_name(profile)) != 0)
        rule++;
    return rule;
}

#define VOCABULARIES 4u /* that are kept: those of different samples */

struct cpr_forecaster {
    cpr_file_list *files;
    cpr_plan plan;
    uint64_t shard_bytes;
    uint64_t sample_bytes; /* that are wanted */
    forecast_sample sample;
    forecast_features *features; /* of the sample's blocks */
    forecast_scan scan;
    forecast_vocabulary vocabularies[VOCABULARIES];
    forecast_coded plain; /* the sample as `balanced` codes it, which networks are compared with */
};

/* ---- making one ----------------------------------------------------------------------------- */

void cpr_forecaster_free(cpr_forecaster *f)
{
    if (f == NULL)
        return;
    forecast_coded_free(&f->plain);
    for (unsigned i = 0; i < VOCABULARIES; i++)
        forecast_vocabulary_free(&f->vocabularies[i]);
    forecast_sample_free(&f->sample);
    free(f->features);
    cpr_file_list_free(f->files);
    free(f);
}

static const char *forecast_why_not(const cpr_file_list *files, uint64_t sample_bytes)
{
    if (sample_bytes == 0)
        return "no sample is wanted";
    if (cpr_file_list_bytes(files) == 0)
        return "there is nothing to compress";
    if (cpr_file_list_streams(files) > 0)
        return "what comes from a pipe can be read once only";
    return NULL;
}

static cpr_status forecast_look(cpr_forecaster *f, uint64_t sample_bytes, cpr_error *error)
{
    cpr_status status = forecast_sample_read(f->files, sample_bytes, &f->sample, error);
    if (status != CPR_OK)
        return status;
    f->features = calloc(f->sample.count + 1, sizeof *f->features);
    if (f->features == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to look at a sample of the corpus");
    status = forecast_sample_features(&f->sample, f->sample.count, f->features, error);
    return status == CPR_OK ? forecast_scan_corpus(f->files, &f->plan, &f->scan, error) : status;
}

cpr_status cpr_forecaster_make(const cpr_compress_options *options, uint64_t sample_bytes,
                               const cpr_listener *listener, cpr_plan *plan,
                               cpr_forecaster **forecaster, const char **why_not, cpr_error *error)
{
    *forecaster = NULL;
    cpr_forecaster *f = calloc(1, sizeof *f);
    if (f == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    cpr_status status = cpr_compress_list_alone(options, listener, &f->files, error);
    if (status == CPR_OK) {
        f->plan = *plan = cpr_compress_plan_of(options, f->files);
        f->shard_bytes = options->shard_bytes;
        f->sample_bytes = sample_bytes;
        *why_not = forecast_why_not(f->files, sample_bytes);
        if (*why_not == NULL)
            status = forecast_look(f, sample_bytes, error);
    }
    if (status == CPR_OK && *why_not == NULL)
        *forecaster = f;
    else
        cpr_forecaster_free(f);
    return status;
}

/* ---- bits ----------------------------------------------------------------------------------- */

static double forecast_sum(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

/* Bits of the primer and of all shards. */
typedef struct forecast_loss {
    double primer;
    double shards;
    double spread; /* how far off they may be: a share of them */
} forecast_loss;

/* How uneven a corpus is: how far off sums of as many runs as the sample has are, as a share. */
static double forecast_unevenness(const cpr_forecaster *f, const forecast_coded *coded,
                                  const forecast_features *weights)
{
    double squares = 0;
    double off = 0;
    for (size_t i = 0; i < coded->count; i++) {
        if (f->features[i].of[FORECAST_BYTES] > 0)
            off += coded->bits[i] - forecast_bits(weights, &f->features[i]);
        if ((i + 1) % FORECAST_RUN_BLOCKS != 0 && i + 1 < coded->count)
            continue;
        squares += off * off;
        off = 0;
    }
    const double all = forecast_sum(coded->bits, coded->count);
    return all > 0 ? sqrt(squares) / all : 0;
}

/* What bytes from far back cost those who do not remember them: a share of what the others do, as
 * of some of them more is known. */
static double forecast_forgotten(const forecast_features *weights, const forecast_features *text)
{
    const double far = text->of[FORECAST_FAR];
    const double others = 8 * text->of[FORECAST_BYTES] - far;
    return others > 0 ? FAR_SHARE * forecast_bits(weights, text) * far / others : 0;
}

/* Fits what was coded, and puts the features of all there is in its place. */
static forecast_loss forecast_loss_of(const cpr_forecaster *f, const forecast_coded *coded,
                                      const forecast_rule *rule)
{
    const forecast_features weights = forecast_fit(f->features, coded->bits, coded->count);
    const double text =
        (double)f->scan.primer_bytes + (double)f->plan.raw_bytes / (double)f->plan.shards;
    const double doublings = log2(text / (double)coded->bytes);
    const double forgotten = 1 + rule->forgets * (doublings > 0 ? doublings : 0);
    double primer = forecast_bits(&weights, &f->scan.primer);
    double shards = forecast_bits(&weights, &f->scan.shards);
    if (rule->short_memory) {
        primer += forecast_forgotten(&weights, &f->scan.primer);
        shards += forecast_forgotten(&weights, &f->scan.shards);
    }
    return (forecast_loss){.primer = forgotten * primer,
                           .shards = forgotten * shards + 8 * (double)f->scan.noise_bytes,
                           .spread = SPREAD_LEAST +
                                     SPREAD_DOUBLING * (doublings > 0 ? doublings : 0) +
                                     SPREAD_UNEVEN * forecast_unevenness(f, coded, &weights)};
}

/* The mean of log2 over the places from `from` to `to` of a text. */
static double forecast_mean_log2(double from, double to)
{
    const double below = from > 0 ? from * log2(from) : 0;
    return (to * log2(to) - below) / (to - from) - 1 / log(2);
}

/* What a network that learns while it codes makes of the bits without one, from one place of the
 * text to another: what it saved of the later half of its sample, and more where it has read more.
 */
static double forecast_network(const cpr_forecaster *f, const forecast_coded *coded,
                               const forecast_rule *rule, uint64_t start, uint64_t bytes)
{
    const size_t from = coded->count / 2;
    const double with = forecast_sum(coded->bits + from, coded->count - from);
    const double without = forecast_sum(f->plain.bits + from, coded->count - from);
    if (without <= 0 || bytes == 0)
        return 1;
    const double saved = 1 - with / without;
    const double doublings = forecast_mean_log2((double)start, (double)start + (double)bytes) -
                             forecast_mean_log2((double)coded->bytes / 2, (double)coded->bytes);
    const double grown = 1 + rule->gain_grows * doublings;
    return 1 - saved * (grown > 0 ? grown : 0);
}

static bool forecast_is_exact(const cpr_forecaster *f, const forecast_coded *coded)
{
    return f->sample.whole && coded->count == f->sample.count && f->plan.shards == 1;
}

/* ---- the archive ---------------------------------------------------------------------------- */

#define FILE_LOSS_RANGE 3 /* times what a file loses on average */

/* Bytes of the archive: its tables, made of facts as they are expected, and its bitstreams. */
static cpr_status forecast_archive(const cpr_forecaster *f, const forecast_vocabulary *vocabulary,
                                   const cpr_profile *profile, forecast_loss loss,
                                   uint64_t weights_bytes, uint64_t *bytes, cpr_error *error)
{
    const size_t files = (size_t)f->plan.files;
    const size_t shards = (size_t)f->plan.shards;
    char model[CPR_DESCRIPTOR_MAX_BYTES + 1];
    cpr_shard_info primer = {.raw_bytes = f->scan.primer_bytes,
                             .coded_bytes = (uint64_t)(loss.primer / 8)};
    cpr_shard_info *info = calloc(shards + 1, sizeof *info);
    uint64_t *file_loss = calloc(files + 1, sizeof *file_loss);
    uint8_t *weights = calloc((size_t)weights_bytes + 1, 1);
    cpr_status status = CPR_OK;
    if (info == NULL || file_loss == NULL || weights == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; status == CPR_OK && i < shards; i++)
        info[i].coded_bytes = (uint64_t)(loss.shards / 8 / (double)shards) + 4;
    /* The table packs losses by the range in which some hundred of them lie. */
    for (size_t i = 0; status == CPR_OK && i < files; i++)
        file_loss[i] = i % 2 == 0 ? 0
                                  : (uint64_t)(FILE_LOSS_RANGE * 65536 * loss.shards *
                                               (double)cpr_file_list_get(f->files, i).bytes /
                                               (double)f->plan.raw_bytes);
    if (status == CPR_OK) {
        cpr_codec_descriptor(profile, model);
        cpr_archive_header header = {.model = model,
                                     .shard_bytes = f->shard_bytes,
                                     .vocabulary = vocabulary->packed,
                                     .vocabulary_bytes = vocabulary->packed_bytes,
                                     .files = f->files,
                                     .file_loss = file_loss,
                                     .shards = info,
                                     .shard_count = shards,
                                     .primer = f->scan.primer_bytes > 0 ? &primer : NULL,
                                     .coded_weights = weights_bytes > 0 ? weights : NULL,
                                     .coded_weights_bytes = (size_t)weights_bytes};
        strncpy(header.profile, cpr_profile_name(profile), sizeof header.profile - 1);
        status = cpr_archive_measure(&header, bytes, error);
    }
    free(weights);
    free(file_loss);
    free(info);
    return status;
}

/* ---- seconds -------------------------------------------------------------------------------- */

#define EASIER 0.4                   /* the power of bits a byte that seconds grow with */
#define COPY_BYTES_PER_SECOND 4e9    /* of the state that each shard begins with */
#define BESIDE_SECONDS_PER_BYTE 4e-9 /* hashes, LZ4 for comparison, reading and writing */

static void forecast_times(const cpr_forecaster *f, const forecast_coded *coded,
                           const forecast_loss *loss, double vocabulary_seconds,
                           uint64_t state_bytes, cpr_forecast *out)
{
    const double shards = (double)f->plan.shards;
    const double raw = (double)f->plan.raw_bytes;
    const double begin = (double)state_bytes / COPY_BYTES_PER_SECOND;
    const double primer = (double)f->scan.primer_bytes * coded->primer_seconds_per_byte;
    /* Text that is foreseen takes fewer decisions. */
    const double sample = forecast_sum(coded->bits, coded->count) / (double)coded->bytes;
    const double easier = sample > 0 ? pow(loss->shards / raw / sample, EASIER) : 1;
    out->shard_seconds =
        begin + raw / shards * (easier * coded->seconds_per_byte + BESIDE_SECONDS_PER_BYTE);
    out->lesson_seconds = coded->lesson_seconds;
    out->alone_seconds = vocabulary_seconds + primer + begin;
    out->core_seconds = out->alone_seconds + out->lesson_seconds + shards * out->shard_seconds;
}

/* ---- a profile ------------------------------------------------------------------------------ */

/* The profile's vocabulary; it lives as long as the forecaster. */
static cpr_status forecast_find_vocabulary(cpr_forecaster *f, const cpr_profile *profile,
                                           const forecast_vocabulary **found, cpr_error *error)
{
    const uint64_t sample = cpr_profile_sample_bytes(profile, f->plan.raw_bytes);
    unsigned i = 0;
    while (i < VOCABULARIES - 1 && f->vocabularies[i].sample_bytes > 0 &&
           f->vocabularies[i].sample_bytes != sample)
        i++;
    if (f->vocabularies[i].sample_bytes != sample)
        forecast_vocabulary_free(&f->vocabularies[i]);
    *found = &f->vocabularies[i];
    return forecast_vocabulary_learn(f->files, profile, &f->vocabularies[i], error);
}

/* Codes the first `count` blocks of the sample. */
static cpr_status forecast_code_blocks(cpr_forecaster *f, const cpr_profile *profile, size_t count,
                                       forecast_coded *coded, cpr_error *error)
{
    const forecast_vocabulary *vocabulary;
    const cpr_status status = forecast_find_vocabulary(f, profile, &vocabulary, error);
    return status == CPR_OK
               ? forecast_code(&f->plan, profile, vocabulary, &f->sample, count, coded, error)
               : status;
}

/* Codes with `balanced`, for comparison, unless that was done. */
static cpr_status forecast_code_plain(cpr_forecaster *f, cpr_error *error)
{
    if (f->plain.bits != NULL)
        return CPR_OK;
    return forecast_code_blocks(f, cpr_profile_find("balanced"), f->sample.count, &f->plain, error);
}

static cpr_status forecast_settle(cpr_forecaster *f, const forecast_coded *coded,
                                  forecast_loss loss, uint64_t weights_bytes, cpr_forecast *out,
                                  cpr_error *error)
{
    const uint64_t length = f->plan.raw_bytes / f->plan.shards;
    const forecast_vocabulary *vocabulary;
    uint64_t bytes = 0;
    cpr_status status = forecast_find_vocabulary(f, coded->profile, &vocabulary, error);
    if (status == CPR_OK)
        status =
            forecast_archive(f, vocabulary, coded->profile, loss, weights_bytes, &bytes, error);
    if (status != CPR_OK)
        return status;
    *out = (cpr_forecast){.archive_bytes = bytes,
                          .archive_least = (uint64_t)((double)bytes * (1 - loss.spread)),
                          .archive_most = (uint64_t)((double)bytes * (1 + loss.spread)),
                          .sample_bytes = coded->bytes,
                          .scratch_bytes = 2 * bytes};
    forecast_times(f, coded, &loss, vocabulary->seconds,
                   cpr_codec_base_memory(coded->profile, f->scan.primer_bytes + length), out);
    return CPR_OK;
}

static cpr_status forecast_run_coded(cpr_forecaster *f, const cpr_profile *profile,
                                     const forecast_rule *rule, forecast_coded *coded,
                                     cpr_forecast *out, cpr_error *error)
{
    uint64_t weights_bytes = 0;
    const bool network = cpr_profile_has_network(profile);
    forecast_loss loss = forecast_loss_of(f, network ? &f->plain : coded, rule);
    loss.spread += network ? SPREAD_NETWORK : 0;
    if (coded->lesson_bytes > 0) { /* the network rests while the primer is coded */
        coded->primer_seconds_per_byte = f->plain.seconds_per_byte;
        loss.shards *= rule->taught;
        weights_bytes = (uint64_t)((double)coded->weights_bytes * rule->taught_weights);
    } else if (network) {
        const uint64_t primer = f->scan.primer_bytes;
        const uint64_t shard = f->plan.raw_bytes / f->plan.shards;
        loss.primer *= forecast_network(f, coded, rule, 0, primer);
        loss.shards *= forecast_network(f, coded, rule, primer, shard);
    }
    if (forecast_is_exact(f, coded))
        loss = (forecast_loss){.shards = forecast_sum(coded->bits, coded->count),
                               .spread = SPREAD_TABLES};
    return forecast_settle(f, coded, loss, weights_bytes, out, error);
}

cpr_status cpr_forecaster_run(cpr_forecaster *f, const cpr_profile *profile, cpr_forecast *forecast,
                              cpr_error *error)
{
    const forecast_rule *rule = rule_of(profile);
    forecast_coded own = {.bits = NULL};
    const uint64_t part = rule->sample_part * (uint64_t)FORECAST_BLOCK_BYTES;
    const uint64_t most = f->sample_bytes / part + (f->sample_bytes % part != 0);
    const size_t count = most < f->sample.count ? (size_t)most : f->sample.count;
    const bool plain = profile == cpr_profile_find("balanced");
    cpr_status status = CPR_OK;
    if (plain || cpr_profile_has_network(profile))
        status = forecast_code_plain(f, error);
    if (status == CPR_OK && !plain)
        status = forecast_code_blocks(f, profile, count, &own, error);
    if (status == CPR_OK)
        status = forecast_run_coded(f, profile, rule, plain ? &f->plain : &own, forecast, error);
    forecast_coded_free(&own);
    return status;
}
