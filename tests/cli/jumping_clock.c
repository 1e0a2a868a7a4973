/* jumping_clock.c - to be preloaded: the time of day jumps by years, back and forth, at every look.
 * The monotonic clock, which the kernel never sets, is left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

typedef int clock_fn(clockid_t clock, struct timespec *now);

static time_t jump(time_t now)
{
    static unsigned looks;
    static const time_t years[] = {0, -40, 30, -3, 90, -1};
    return now + years[looks++ % (sizeof years / sizeof *years)] * 365 * 86400;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static clock_fn *real;
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "clock_gettime");
        memcpy(&real, &found, sizeof real);
    }
    const int code = real(clock, now);
    if (code == 0 && clock == CLOCK_REALTIME)
        now->tv_sec = jump(now->tv_sec);
    return code;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}
