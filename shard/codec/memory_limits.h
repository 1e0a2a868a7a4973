/* memory_limits.h - is there memory for what is about to be done? Asked before anything is taken: a
 * process that asks for too much in a control group is killed, not refused. */
#ifndef CPR_MEMORY_LIMITS_H
#define CPR_MEMORY_LIMITS_H

#include "status.h"

#include <stdbool.h>
#include <stdint.h>

/* What a run needs, in bytes, beside what this process has already. */
typedef struct cpr_memory_need {
    char who[64];    /* "profile neural": the subject of the message */
    uint64_t each;   /* for each rank that works */
    uint64_t shared; /* for all ranks of a node together */
    uint64_t ranks;  /* of this node that work */
    bool one_copy;   /* what is shared is this process' own */
} cpr_memory_need;

struct cpr_profile;

/* Local. What one process alone needs to code or decode: max_bytes as in cpr_codec_create();
 * `primer`: there is one, whose state is shared. */
cpr_memory_need cpr_memory_need_of(const struct cpr_profile *profile, uint64_t max_bytes,
                                   bool primer);

/* Local. CPR_ERR_NO_MEMORY, with the need and the room in the text, if a limit stands against it
 * that will not change: on the address space or the data of this process (setrlimit(2)), of the
 * control groups that it is in, or what the machine has in all. What other processes have now does
 * not count: it may be free by then. */
cpr_status cpr_memory_check(const cpr_memory_need *need, cpr_error *error);

/* Local. Whether the machine lacks that much at the moment; then *free is what it has. */
bool cpr_memory_is_short(const cpr_memory_need *need, uint64_t *free_bytes);

/* Local. Bytes that the control groups of this process, versions 1 and 2, leave to it and to the
 * others in them; UINT64_MAX: there is no limit. Caches, which the kernel gives back, count as
 * room. `root` is put in front of /proc and /sys; "" but in tests. */
uint64_t cpr_memory_group_room(const char *root);

#endif
