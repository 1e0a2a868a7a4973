/* process_lock.c - one mutex, which fork() takes as well. */
#include "process_lock.h"

#include <pthread.h>

static pthread_mutex_t process_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t process_once = PTHREAD_ONCE_INIT;

static void process_lock(void)
{
    pthread_mutex_lock(&process_mutex);
}

static void process_unlock(void)
{
    pthread_mutex_unlock(&process_mutex);
}

/* Without memory for it, fork() is only less safe. */
static void process_watch_fork(void)
{
    pthread_atfork(process_lock, process_unlock, process_unlock);
}

void cpr_process_lock(void)
{
    pthread_once(&process_once, process_watch_fork);
    process_lock();
}

void cpr_process_unlock(void)
{
    process_unlock();
}
