/* ranks_stop.c - signals that ask to stop. */
#include "ranks.h"

#include <signal.h>

/* The one variable of the program that is not somebody's: a signal handler has no context. */
static volatile sig_atomic_t requested;

static void on_signal(int number)
{
    (void)number;
    requested = 1;
}

void cpr_stop_catch(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        sigemptyset(&action.sa_mask);
        /* A user who presses the keys twice does not want to wait. */
        if (signals[i] == SIGINT)
            action.sa_flags |= (int)SA_RESETHAND;
        sigaction(signals[i], &action, NULL);
    }
}

bool cpr_stop_requested(void)
{
    return requested != 0;
}

cpr_status cpr_stop_check(cpr_error *error)
{
    return requested ? cpr_fail(error, CPR_STOPPED, "stopped on request") : CPR_OK;
}
