/* forecast_fit.c - least squares with weights that are not negative. */
#include "forecast_fit.h"

#define N FORECAST_FAR           /* features that cost something */
#define NOVELTIES FORECAST_BYTES /* features that the common factor is of */
#define WARM_BYTES 98304.0       /* a model is half warm after so many */
#define ROUNDS 3000u

/* How much the weights are held back: towards the common factor, or towards 0. */
#define HOLD_NOVELTY 1e-3
#define HOLD_BYTES 4e-3
#define HOLD_COLD 4e-5

forecast_features forecast_features_of(const cpr_novelty_bits *bits, uint64_t bytes,
                                       uint64_t before)
{
    const double middle = (double)before + (double)bytes / 2;
    return (forecast_features){.of = {[FORECAST_MATCH] = bits->match,
                                      [FORECAST_GUESS] = bits->guess,
                                      [FORECAST_REST] = bits->rest,
                                      [FORECAST_BYTES] = (double)bytes / 8,
                                      [FORECAST_COLD] = (double)bytes / (1 + middle / WARM_BYTES),
                                      [FORECAST_FAR] = bits->far}};
}

void forecast_features_add(forecast_features *sum, const forecast_features *features, double times)
{
    for (unsigned i = 0; i < FORECAST_FEATURES; i++)
        sum->of[i] += times * features->of[i];
}

double forecast_bits(const forecast_features *weights, const forecast_features *features)
{
    double bits = 0;
    for (unsigned i = 0; i < N; i++)
        bits += weights->of[i] * features->of[i];
    return bits;
}

/* The normal equations: products.of[i].of[j] * weight[j] = goal.of[i]. */
typedef struct fit_equations {
    forecast_features products[N];
    forecast_features goal;
} fit_equations;

static void fit_hold(fit_equations *e, unsigned i, double strength, double weight)
{
    e->products[i].of[i] += strength;
    e->goal.of[i] += strength * weight;
}

/* Each weight in turn becomes the best one beside the others. */
static void fit_descend(const fit_equations *e, forecast_features *weights)
{
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < N; i++) {
            if (e->products[i].of[i] <= 0)
                continue;
            const double off = e->goal.of[i] - forecast_bits(weights, &e->products[i]);
            const double better = weights->of[i] + off / e->products[i].of[i];
            weights->of[i] = better > 0 ? better : 0;
        }
}

forecast_features forecast_fit(const forecast_features *blocks, const double *bits, size_t count)
{
    fit_equations e = {.goal = {.of = {0}}};
    static const forecast_features usual = {.of = {0.3, 1.1, 0.6, 0, 0}};
    forecast_features weights = {.of = {0}};
    double all_bits = 0;
    double all_bytes = 0;
    double novelty = 0;
    for (size_t b = 0; b < count; b++) {
        if (blocks[b].of[FORECAST_BYTES] <= 0)
            continue;
        all_bits += bits[b];
        all_bytes += blocks[b].of[FORECAST_BYTES];
        for (unsigned i = 0; i < N; i++) {
            novelty += i < NOVELTIES ? blocks[b].of[i] : 0;
            forecast_features_add(&e.products[i], &blocks[b], blocks[b].of[i]);
        }
        forecast_features_add(&e.goal, &blocks[b], bits[b]);
    }
    if (all_bits <= 0 || novelty <= 0)
        return usual;
    const double factor = all_bits / novelty;
    const double mean = novelty / NOVELTIES;
    for (unsigned i = 0; i < NOVELTIES; i++) {
        weights.of[i] = factor;
        fit_hold(&e, i, HOLD_NOVELTY * mean * mean / (double)count, factor);
    }
    const double bytes = all_bytes * all_bytes / (double)count;
    fit_hold(&e, FORECAST_BYTES, HOLD_BYTES * bytes, 0);
    fit_hold(&e, FORECAST_COLD, HOLD_COLD * bytes, 0);
    fit_descend(&e, &weights);
    return weights;
}
