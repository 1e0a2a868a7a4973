/* thread_count.h - how many threads to decode with. */
#ifndef CPR_THREAD_COUNT_H
#define CPR_THREAD_COUNT_H

#include "memory_limits.h"

/* Local. Processors that this process may use: by its affinity mask, and by the limits of its
 * control groups, version 2; at least 1. `root` is put in front of /proc and /sys; "" but in
 * tests. */
unsigned cpr_processors(const char *root);

/* Local. How many threads of one process, at least 1, to work on `items` with: `wanted`, or with 0
 * as many as there are processors, but no more than there are items, than the memory allows that
 * need->each of them take beside need->shared, and than 256. */
unsigned cpr_thread_count(const cpr_memory_need *need, unsigned wanted, uint64_t items);

#endif
