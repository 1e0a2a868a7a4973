/* watch.c - watches made of others. */
#include "base.h"

/* A cpr_progress_fn. */
static cpr_status watch_quietly(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                cpr_error *error)
{
    const cpr_watch *watch = context;
    (void)raw_bytes;
    (void)coded_bytes;
    return cpr_watch_tell(*watch, 0, 0, error);
}

cpr_watch cpr_watch_quietly(cpr_watch *watch)
{
    return (cpr_watch){watch_quietly, watch};
}
