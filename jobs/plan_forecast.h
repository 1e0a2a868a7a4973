/* plan_forecast.h - what a plan says of archives, time, and the job that makes one. */
#ifndef CPR_PLAN_FORECAST_H
#define CPR_PLAN_FORECAST_H

#include "command.h"
#include "corpress_forecast.h"

#define PLAN_PROFILES_MOST 16u

/* The forecasts of a plan, one a profile in the order of cpr_profile_at(). */
typedef struct plan_forecasts {
    const char *why_not; /* there are none; else NULL */
    double seconds;      /* that they took */
    bool there[PLAN_PROFILES_MOST];
    cpr_forecast of[PLAN_PROFILES_MOST];
} plan_forecasts;

/* Makes the plan, and forecasts of all profiles if a sample is wanted. Says on standard error why a
 * profile has none. */
cpr_status plan_forecasts_make(command_call *call, const cpr_compress_options *options,
                               const cpr_listener *listener, cpr_plan *plan,
                               plan_forecasts *forecasts, cpr_error *error);

/* On standard output. */
void plan_forecasts_print(const command_call *call, const cpr_plan *plan,
                          const plan_forecasts *forecasts);

/* Members of the JSON object of profile i, each with a comma in front of it; none if it has no
 * forecast. */
void plan_forecast_json(const command_call *call, const cpr_plan *plan,
                        const plan_forecasts *forecasts, unsigned i);

#endif
