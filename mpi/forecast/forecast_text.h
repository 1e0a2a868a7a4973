/* forecast_text.h - what of a corpus is looked at: a sample that is coded, and how new whole shards
 * are behind what their codec has read before. */
#ifndef CPR_FORECAST_TEXT_H
#define CPR_FORECAST_TEXT_H

#include "compress_run.h"
#include "forecast_fit.h"

#define FORECAST_BLOCK_BYTES ((size_t)64 << 10) /* as the codec takes them */
#define FORECAST_RUN_BLOCKS 4u                  /* of the sample that lie together */

/* The sample: runs of the corpus, which are spread over it, and so is any number of the first ones;
 * in blocks, of which the last one of a run may be shorter. */
typedef struct forecast_sample {
    uint8_t *text; /* one run behind the other */
    uint64_t bytes;
    size_t count; /* of blocks */
    struct {
        uint64_t at; /* in the text */
        size_t bytes;
    } * block;
    bool whole; /* it is all of the corpus, in its order */
} forecast_sample;

/* Reads a sample of about so many bytes. The caller frees it, also after a failure. */
cpr_status forecast_sample_read(const cpr_file_list *files, uint64_t wanted,
                                forecast_sample *sample, cpr_error *error);
void forecast_sample_free(forecast_sample *sample);

/* Of each of the first `count` blocks of the sample, behind those before it. */
cpr_status forecast_sample_features(const forecast_sample *sample, size_t count,
                                    forecast_features *features, cpr_error *error);

/* Of all that is coded of the corpus. */
typedef struct forecast_scan {
    forecast_features primer;
    forecast_features shards; /* of all of them together, behind the primer if there is one */
    uint64_t primer_bytes;    /* without noise */
    uint64_t noise_bytes;     /* of the shards, about; 8 bits a byte */
    uint64_t looked_at;       /* bytes of shards that were read */
} forecast_scan;

cpr_status forecast_scan_corpus(const cpr_file_list *files, const cpr_plan *plan,
                                forecast_scan *scan, cpr_error *error);

#endif
