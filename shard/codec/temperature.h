/* temperature.h - probabilities that are pulled apart, or towards one half. Private to shard/.
 *
 * At a temperature T the odds p / (1 - p) of a decision become their power 1 / T: below 1 what is
 * likely becomes more so, above 1 less. All arithmetic is on integers, so that what is drawn by
 * these probabilities is the same on every machine. */
#ifndef CPR_TEMPERATURE_H
#define CPR_TEMPERATURE_H

#include <stdint.h>

/* The probability that a decision is 1, in units of 2^-16, at a temperature in thousandths. p1 is
 * from 1 to 65535; at CPR_TEMPERATURE_AS_IT_IS it stays as it is. The result is from 0 to 65536,
 * and at temperature 0 always one of the two. */
uint32_t cpr_temperature_apply(uint32_t p1, uint32_t thousandths);

#endif
