/* thread_start.h - starts a thread of the library's own. */
#ifndef CPR_THREAD_START_H
#define CPR_THREAD_START_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Starts `work` with so much stack, and with all signals blocked: they are for the program's own
 * threads. The caller joins it. False: there may be no more threads. */
bool cpr_thread_start(pthread_t *thread, size_t stack_bytes, void *(*work)(void *), void *context);

#endif
