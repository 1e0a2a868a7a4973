/* base.h - what all of shard/ stands on: statuses, hashes, and how bytes come and go.
 *
 * Every function of shard/ is local: it does not communicate. Functions that can fail return a
 * status and explain it in *error. Sizes and offsets are in bytes. Strings are NUL-terminated;
 * paths are bytes without an encoding. What the library shows of it is declared in corpress.h.
 */
#ifndef CPR_BASE_H
#define CPR_BASE_H

#include "corpress_model.h" /* sources */
#include "status.h"

/* Calls the watch, if there is one. */
static inline cpr_status cpr_watch_tell(cpr_watch watch, uint64_t raw_bytes, uint64_t coded_bytes,
                                        cpr_error *error)
{
    return watch.progress == NULL ? CPR_OK
                                  : watch.progress(watch.context, raw_bytes, coded_bytes, error);
}

/* Calls `watch`, which must live as long, with totals of 0: what it is to see has not begun. */
cpr_watch cpr_watch_quietly(cpr_watch *watch);

/* Nobody watches; the bytes are not wanted. */
#define CPR_NO_WATCH ((cpr_watch){NULL, NULL})
#define CPR_NO_SINK ((cpr_sink){NULL, NULL})

/* XXH3-128 of bytes. */
cpr_hash128 cpr_hash_bytes(const void *data, size_t bytes);
bool cpr_hash_same(cpr_hash128 a, cpr_hash128 b);

/* Something the user should know that is not a failure: a socket left out, ... One line. */
typedef void cpr_warn_fn(void *context, const char *text);

/* Called now and then while something takes its time. Anything but CPR_OK ends it with that. */
typedef cpr_status cpr_poll_fn(void *context, cpr_error *error);

#endif
