/* ranks_hold.c - lets a test meet a run in the middle, on a fast machine and on a slow one.
 *
 * CORPRESS_TEST_HOLD=BYTES:FILE holds each rank whenever it has coded or decoded that many raw
 * bytes more: if FILE is there the rank adds a line to it, and waits until FILE is empty or gone.
 * It heeds signals and answers the other ranks meanwhile. */
#include "ranks_private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void cpr_hold_read(cpr_hold *hold)
{
    const char *wanted = getenv("CORPRESS_TEST_HOLD");
    char *end = NULL;
    *hold = (cpr_hold){.every = wanted != NULL ? strtoull(wanted, &end, 10) : 0};
    if (hold->every > 0 && *end == ':')
        hold->file = end + 1;
    hold->next = hold->every;
}

static bool is_held(const cpr_hold *hold)
{
    struct stat facts;
    return stat(hold->file, &facts) == 0 && facts.st_size > 0;
}

/* False: there is no file, nobody wants to meet this rank. */
static bool tell(const cpr_hold *hold)
{
    const int fd = open(hold->file, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool told = write(fd, "held\n", 5) == 5;
    close(fd);
    return told;
}

static void hold_pause(void)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    nanosleep(&pause, NULL);
}

void cpr_ranks_hold(cpr_ranks *ranks, uint64_t raw_bytes)
{
    cpr_hold *hold = &ranks->hold;
    hold->finished += raw_bytes;
    if (hold->file == NULL || hold->finished < hold->next)
        return;
    while (hold->next <= hold->finished)
        hold->next += hold->every;
    if (!tell(hold))
        return;
    while (!cpr_stop_requested() && is_held(hold))
        hold_pause();
}

/* A cpr_progress_fn. */
cpr_status cpr_hold_progress(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                             cpr_error *error)
{
    const cpr_held_item *item = context;
    cpr_hold *hold = &item->ranks->hold;
    const uint64_t earlier = raw_bytes ? item->ranks->resumed : 0;
    cpr_status status = item->progress(item->context, raw_bytes, coded_bytes, error);
    if (status != CPR_OK || hold->finished + raw_bytes - earlier < hold->next)
        return status;
    while (hold->next <= hold->finished + raw_bytes - earlier)
        hold->next += hold->every;
    if (!tell(hold))
        return CPR_OK;
    while (status == CPR_OK && is_held(hold)) {
        hold_pause();
        status = item->progress(item->context, raw_bytes, coded_bytes, error);
    }
    return status;
}
