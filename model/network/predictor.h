/* predictor.h - kinds of networks that predict tokens, each of which gives the mixer an input.
 * Private to model/. */
#ifndef CPR_PREDICTOR_H
#define CPR_PREDICTOR_H

#include <stdint.h>

#define CPR_PREDICTOR_PARAMETERS_MAX 4u

/* A parameter by its name in descriptors, and what it may be. */
typedef struct cpr_parameter {
    const char *key;
    uint32_t least, most;
    uint32_t multiple_of;
} cpr_parameter;

typedef struct cpr_predictor_class {
    const char *kind;
    uint32_t version;                                       /* of its arithmetic */
    cpr_parameter parameters[CPR_PREDICTOR_PARAMETERS_MAX]; /* up to the first without a key */
} cpr_predictor_class;

/* The kinds. */
extern const cpr_predictor_class cpr_sru_class;

/* The i-th of them, from 0; NULL past the last. */
const cpr_predictor_class *cpr_predictor_class_at(unsigned i);

/* One in a profile. */
typedef struct cpr_predictor_spec {
    const cpr_predictor_class *class;
    uint32_t parameter[CPR_PREDICTOR_PARAMETERS_MAX]; /* in the order of the class */
} cpr_predictor_spec;

#endif
