/* weights.c - the weights of a taught network, from their packed form. MODEL.md, section 16, is
 * normative. */
#include "byte_order.h"
#include "exact_math.h"
#include "taught.h"

#include <errno.h>
#include <stdlib.h>

static bool weights_place(cpr_weights *weights)
{
    const cpr_taught_shape s = weights->shape;
    weights->matrices = malloc(cpr_taught_numbers(s));
    weights->bias = malloc(cpr_taught_biases(s) * sizeof(float));
    weights->embedding = malloc((size_t)s.tokens * s.rank);
    weights->node = malloc((size_t)(s.tokens - 1) * s.rank * sizeof(float));
    return weights->matrices != NULL && weights->bias != NULL && weights->embedding != NULL &&
           weights->node != NULL;
}

cpr_weights *cpr_weights_unpack_shaped(cpr_taught_shape s, const uint8_t *packed, size_t bytes)
{
    errno = EINVAL;
    if (bytes != cpr_weights_packed_bytes(s))
        return NULL;
    for (uint32_t i = 0; i < cpr_taught_matrices(s); i++)
        if (packed[i] < 64 || packed[i] > 190)
            return NULL;
    for (size_t i = cpr_taught_matrices(s); i < bytes; i++)
        if (packed[i] == 0x80 && (i < cpr_taught_matrices(s) + cpr_taught_numbers(s) ||
                                  i >= bytes - (size_t)(2 * s.tokens - 1) * s.rank))
            return NULL;
    errno = ENOMEM;
    cpr_weights *weights = calloc(1, sizeof *weights);
    if (weights == NULL)
        return NULL;
    weights->shape = s;
    if (!weights_place(weights)) {
        cpr_weights_free(weights);
        errno = ENOMEM;
        return NULL;
    }
    for (uint32_t i = 0; i < cpr_taught_matrices(s); i++)
        weights->unit[i] = cpr_float_of((uint32_t)*packed++ << 23);
    memcpy(weights->matrices, packed, cpr_taught_numbers(s));
    packed += cpr_taught_numbers(s);
    for (size_t i = 0; i < cpr_taught_biases(s); i++, packed += 2)
        weights->bias[i] = (float)(int16_t)cpr_load_le16(packed) / CPR_TAUGHT_BIAS_ONE;
    memcpy(weights->embedding, packed, (size_t)s.tokens * s.rank);
    packed += (size_t)s.tokens * s.rank;
    for (size_t i = 0; i < (size_t)(s.tokens - 1) * s.rank; i++)
        weights->node[i] = (float)(int8_t)packed[i] / (2.0f * (float)s.grain);
    return weights;
}

void cpr_weights_free(cpr_weights *weights)
{
    if (weights == NULL)
        return;
    free(weights->matrices);
    free(weights->bias);
    free(weights->embedding);
    free(weights->node);
    free(weights);
}
