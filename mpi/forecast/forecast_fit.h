/* forecast_fit.h - from how new a text is to what a profile needs for it.
 *
 * A block's loss is taken to be a sum of its features, each times a weight that is not negative.
 * The weights are those that fit the sample best, but no further from one common factor than the
 * sample calls for. Whatever the text that was read before is, features of the same sort cost the
 * same. */
#ifndef CPR_FORECAST_FIT_H
#define CPR_FORECAST_FIT_H

#include "novelty.h"

#include <stdint.h>

/* Of a block: its novelty, its bytes, and its bytes as far as the model is not warm yet. */
enum {
    FORECAST_MATCH,
    FORECAST_GUESS,
    FORECAST_REST,
    FORECAST_BYTES,
    FORECAST_COLD,
    FORECAST_FAR, /* bytes known from far back: nothing to those who remember them */
    FORECAST_FEATURES
};
typedef struct forecast_features {
    double of[FORECAST_FEATURES];
} forecast_features;

/* Of a block that so many bytes were coded before, since the model's initial state. */
forecast_features forecast_features_of(const cpr_novelty_bits *bits, uint64_t bytes,
                                       uint64_t before);

void forecast_features_add(forecast_features *sum, const forecast_features *features, double times);

/* The weights that fit bits[i], the losses of `count` blocks. Those without features, which no
 * model looks at, do not count; without any others the weights are as those of texts often are. */
forecast_features forecast_fit(const forecast_features *blocks, const double *bits, size_t count);

/* The loss of what has these features. */
double forecast_bits(const forecast_features *weights, const forecast_features *features);

#endif
