/* forecast_code.h - codes a sample as a profile would, and times it. */
#ifndef CPR_FORECAST_CODE_H
#define CPR_FORECAST_CODE_H

#include "forecast_text.h"

/* The vocabulary that the archive will have. */
typedef struct forecast_vocabulary {
    uint64_t sample_bytes; /* that it was learned from; 0: it was not yet */
    cpr_vocabulary *vocabulary;
    uint8_t *packed;
    size_t packed_bytes;
    double seconds; /* that it took */
} forecast_vocabulary;

cpr_status forecast_vocabulary_learn(const cpr_file_list *files, const cpr_profile *profile,
                                     forecast_vocabulary *vocabulary, cpr_error *error);
void forecast_vocabulary_free(forecast_vocabulary *vocabulary);

/* What came of coding. Seconds are of the processor. */
typedef struct forecast_coded {
    const cpr_profile *profile; /* after its lesson */
    double *bits;               /* of each block, from the model's initial state on */
    size_t count;               /* of blocks; */
    uint64_t bytes;             /* and their bytes */
    double seconds_per_byte;
    double primer_seconds_per_byte;
    double lesson_seconds;
    uint64_t
        lesson_bytes; /* 0: there is no lesson, and bits are what the profile needs; else they */
    uint64_t weights_bytes; /* are of a network that has learned nothing. Its weights, not coded */
} forecast_coded;

/* Codes the first `count` blocks of the sample. The caller frees *coded, also after a failure.
 * CPR_ERR_NO_MEMORY: that is also said if a limit stands against what the profile needs. */
cpr_status forecast_code(const cpr_plan *plan, const cpr_profile *profile,
                         const forecast_vocabulary *vocabulary, const forecast_sample *sample,
                         size_t count, forecast_coded *coded, cpr_error *error);
void forecast_coded_free(forecast_coded *coded);

#endif
