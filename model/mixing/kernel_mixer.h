/* kernel_mixer.h - logistic mixing with selected weights. Part of mixing_kernel.c. */
#ifndef CPR_KERNEL_MIXER_H
#define CPR_KERNEL_MIXER_H

#include "kernel_slots.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

#define FINAL_RATE 18

ALWAYS_INLINE uint32_t padded_sets(cpr_mixing_shape s)
{
    return (s.sets + 3) & ~UINT32_C(3);
}

/* The sums of the products of some of the inputs, from `first` on, and their weights of each set,
 * in whole vectors of four sets. */
#ifdef __AVX2__
ALWAYS_INLINE __m256i multiply(const int16_t *input, const int16_t *weight, uint32_t inputs)
{
    __m256i sum = _mm256_setzero_si256();
    UNROLL for (uint32_t i = 0; i < inputs; i += 16)
    {
        const __m256i in = _mm256_load_si256((const __m256i *)(const void *)(input + i));
        const __m256i w = _mm256_load_si256((const __m256i *)(const void *)(weight + i));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(in, w));
    }
    return sum;
}

/* Adding up four vectors at once takes half the instructions of one after the other. */
ALWAYS_INLINE void dot_products(const cpr_model *m, cpr_mixing_shape s, uint32_t first,
                                uint32_t inputs, int32_t sum[CPR_FINAL_INPUTS])
{
    UNROLL for (uint32_t i = 0; i < padded_sets(s); i += 4)
    {
        __m256i part[4];
        UNROLL for (uint32_t j = 0; j < 4; j++) part[j] =
            i + j < s.sets ? multiply(m->input + first, m->row[i + j] + first, inputs)
                           : _mm256_setzero_si256();
        const __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(part[0], part[1]),
                                                _mm256_hadd_epi32(part[2], part[3]));
        _mm_store_si128(
            (__m128i *)(void *)(sum + i),
            _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1)));
    }
}
#else
ALWAYS_INLINE int32_t dot_product(const int16_t *restrict input, const int16_t *restrict weight,
                                  uint32_t inputs)
{
    int32_t sum = 0;
    VECTORIZE for (uint32_t i = 0; i < inputs; i++) sum += (int32_t)input[i] * weight[i];
    return sum;
}

ALWAYS_INLINE void dot_products(const cpr_model *m, cpr_mixing_shape s, uint32_t first,
                                uint32_t inputs, int32_t sum[CPR_FINAL_INPUTS])
{
    for (uint32_t i = 0; i < padded_sets(s); i++)
        sum[i] = i < s.sets ? dot_product(m->input + first, m->row[i] + first, inputs) : 0;
}
#endif

/* Of all inputs; a sum that 32 bits cannot hold becomes the nearest that they can. */
ALWAYS_INLINE void all_dot_products(const cpr_model *m, cpr_mixing_shape s, uint32_t inputs,
                                    int32_t sum[CPR_FINAL_INPUTS])
{
    dot_products(m, s, 0, inputs < CPR_SUM_INPUTS ? inputs : CPR_SUM_INPUTS, sum);
    for (uint32_t first = CPR_SUM_INPUTS; first < inputs; first += CPR_SUM_INPUTS) {
        _Alignas(32) int32_t more[CPR_FINAL_INPUTS];
        const uint32_t rest = inputs - first;
        dot_products(m, s, first, rest < CPR_SUM_INPUTS ? rest : CPR_SUM_INPUTS, more);
        for (uint32_t i = 0; i < padded_sets(s); i++) {
            const int64_t total = (int64_t)sum[i] + more[i];
            sum[i] = total > INT32_MAX    ? INT32_MAX
                     : total < -INT32_MAX ? -INT32_MAX
                                          : (int32_t)total;
        }
    }
}

/* weight += input * error, error being scaled to 2^-14 a unit, with weights held in their bounds.
 * Shifted like this, the product is one instruction on most machines. */
ALWAYS_INLINE void train_row(const int16_t *restrict input, int16_t *restrict weight,
                             uint32_t inputs, int16_t error)
{
    VECTORIZE for (uint32_t i = 0; i < inputs; i++)
    {
        const int16_t step = (int16_t)((((int32_t)input[i] * error >> 14) + 1) >> 1);
        int16_t w = (int16_t)(weight[i] + step);
        w = w > CPR_WEIGHT_LIMIT ? CPR_WEIGHT_LIMIT : w;
        weight[i] = w < -CPR_WEIGHT_LIMIT ? -CPR_WEIGHT_LIMIT : w;
    }
}

/* Returns the logit of the mix of the chosen rows. */
ALWAYS_INLINE int32_t mix_inputs(cpr_model *m, cpr_mixing_shape s, uint32_t inputs)
{
    _Alignas(32) int32_t sums[CPR_FINAL_INPUTS];
    all_dot_products(m, s, inputs, sums);
    int32_t total = 0;
    VECTORIZE for (uint32_t i = 0; i < padded_sets(s); i++)
    {
        m->set_logit[i] = cpr_logit_clamp(sums[i] / CPR_WEIGHT_ONE);
        total += m->set_logit[i] * (m->final_row[i] >> 2) >> 10;
    }
    UNROLL for (uint32_t i = 0; i < s.sets; i++) m->set_probability[i] =
        cpr_squash(&m->constants.logistic, m->set_logit[i]);
    return cpr_logit_clamp(total / 16);
}

static int32_t bounded_weight(int32_t value, int32_t limit)
{
    if (value > limit)
        return limit;
    return value < -limit ? -limit : value;
}

ALWAYS_INLINE void train_mixer(cpr_model *m, unsigned bit, cpr_mixing_shape s, uint32_t inputs)
{
    const int32_t target = bit ? 65536 : 0;
    const int32_t final_error = target - (int32_t)m->mixed;
    int32_t *restrict final_row = m->final_row;
    VECTORIZE for (uint32_t i = 0; i < padded_sets(s); i++)
    {
        const int32_t step =
            (m->set_logit[i] * final_error + (1 << (FINAL_RATE - 1))) >> FINAL_RATE;
        final_row[i] = bounded_weight(final_row[i] + step, CPR_FINAL_WEIGHT_LIMIT);
    }
    UNROLL for (uint32_t i = 0; i < s.sets; i++)
    {
        const int32_t error = target - (int32_t)m->set_probability[i];
        train_row(m->input, m->row[i], inputs, (int16_t)(error * 15 / 32));
    }
}

ALWAYS_INLINE void set_rows(cpr_model *m, cpr_mixing_shape s, int16_t *weights, uint32_t inputs,
                            const uint32_t row[CPR_WEIGHT_SETS],
                            const uint32_t rows[CPR_WEIGHT_SETS])
{
    uint32_t first = 0;
    UNROLL for (uint32_t i = 0; i < s.sets; i++)
    {
        m->row[i] = weights + (size_t)(first + row[i]) * inputs;
        first += rows[i];
    }
}

ALWAYS_INLINE void select_rows(cpr_model *m, cpr_mixing_shape s, uint32_t known, uint32_t depth)
{
    const cpr_core_state *core = m->core;
    const uint32_t byte = core->text.last_bytes & 0xff;
    uint32_t expecting = 0;
    for (uint32_t i = 0; i < cpr_matches_of(s); i++)
        expecting |= core->matches[i].expected >= 0;
    const uint32_t row[CPR_WEIGHT_SETS] = {
        core->node < CPR_ROWS_NODE ? core->node : CPR_ROWS_NODE - 1,
        core->token_row,
        core->match_bucket * 16 + expecting * 8 + (depth < 7 ? depth : 7),
        known * 32 + depth,
        byte * 16 + (depth < 15 ? depth : 15),
        core->token_row_before,
    };
    static const uint32_t rows[CPR_WEIGHT_SETS] = {CPR_ROWS_NODE,  CPR_ROWS_TOKEN, CPR_ROWS_MATCH,
                                                   CPR_ROWS_KNOWN, CPR_ROWS_BYTE,  CPR_ROWS_TOKEN};
    set_rows(m, s, m->weights, cpr_inputs_of(s), row, rows);
    m->final_row = m->core->final_weights[known * 32 + depth];
}

ALWAYS_INLINE void select_guess_rows(cpr_model *m, cpr_mixing_shape s)
{
    const cpr_core_state *core = m->core;
    const uint32_t row[CPR_WEIGHT_SETS] = {
        (uint32_t)core->guess * UINT32_C(0x9E3779B1) >> 20,
        core->token_row,
        core->match_bucket,
        core->agreement,
        core->text.last_bytes & 0xff,
        core->guesses % CPR_GUESS_ROWS_RECENT,
    };
    static const uint32_t rows[CPR_WEIGHT_SETS] = {CPR_GUESS_ROWS_TOKEN, CPR_GUESS_ROWS_TOKEN,
                                                   CPR_GUESS_ROWS_MATCH, CPR_GUESS_ROWS_AGREEMENT,
                                                   CPR_GUESS_ROWS_BYTE,  CPR_GUESS_ROWS_RECENT};
    set_rows(m, s, m->guess_weights, CPR_GUESS_LANES, row, rows);
    m->final_row = m->core->final_weights[256 + core->confidence];
}

#endif
