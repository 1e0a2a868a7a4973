/* slurm_state.c - what SLURM says of a job: squeue and sacct, as children of limited time. */
#define _GNU_SOURCE
#include "slurm_state.h"

#include "progress.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_SECONDS 2.0 /* that a program has to answer */
#define PAUSE_MS 10       /* between two looks whether it has ended */

/* ---- a child -------------------------------------------------------------------------------- */

/* In a process group of its own, so that what it starts can be ended with it. */
static pid_t child_start(const char *const *words, int output)
{
    pid_t pid = -1;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&files) != 0)
        return -1;
    if (posix_spawnattr_init(&attributes) == 0) {
        const bool ready =
            posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP) == 0 &&
            posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
            posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO) == 0 &&
            posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0;
        /* posix_spawnp() takes the words as they are, but does not promise so. */
        if (!ready ||
            posix_spawnp(&pid, words[0], &files, &attributes, (char *const *)words, environ) != 0)
            pid = -1;
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return pid;
}

static int milliseconds_until(double until)
{
    const double left = until - progress_clock();
    return left > 0 ? (int)(1000 * left) + 1 : 0;
}

/* Reads to the end, or until it is time. What has no room is read, and lost. False: it was time. */
static bool child_read(int fd, double until, char *out, size_t capacity)
{
    size_t used = 0;
    char more[512];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    for (;;) {
        const int left = milliseconds_until(until);
        const int found = poll(&ready, 1, left);
        if (left == 0 || (found < 0 && errno != EINTR))
            return false;
        if (found <= 0)
            continue;
        const ssize_t got = read(fd, more, sizeof more);
        if (got <= 0)
            return got == 0;
        for (ssize_t i = 0; i < got && used + 1 < capacity; i++)
            out[used++] = more[i];
        out[used] = '\0';
    }
}

/* Whether it has ended well, and in time; afterwards it has ended in any case. */
static bool child_end(pid_t pid, double until, bool in_time)
{
    int how = 0;
    pid_t ended = 0;
    while (in_time && (ended = waitpid(pid, &how, WNOHANG)) == 0 && milliseconds_until(until) > 0) {
        const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
    if (ended == 0) {
        kill(-pid, SIGKILL);
        while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {
        }
    }
    return ended == pid && WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

/* The beginning of what a program prints; "" if it cannot be started, fails or takes too long. */
static void child_ask(const char *const *words, char *out, size_t capacity)
{
    int ends[2];
    out[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    const double until = progress_clock() + CHILD_SECONDS;
    const pid_t pid = child_start(words, ends[1]);
    close(ends[1]);
    if (pid >= 0) {
        const bool in_time = child_read(ends[0], until, out, capacity);
        if (!child_end(pid, until, in_time))
            out[0] = '\0';
    }
    close(ends[0]);
}

/* ---- states --------------------------------------------------------------------------------- */

/* As SLURM numbers jobs: it must not be taken for an option. */
static bool is_job(const char *job)
{
    for (const char *at = job; *at != '\0'; at++)
        if (!isdigit((unsigned char)*at) && (at == job || strchr("_+", *at) == NULL))
            return false;
    return job[0] != '\0';
}

/* "PENDING Resources" becomes "PENDING (Resources)", "CANCELLED by 1000" "CANCELLED". False: it is
 * not what SLURM says. */
static bool state_take(const char *text, bool with_reason, char state[SLURM_STATE_BYTES])
{
    const size_t word = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    if (word == 0 || word > 24)
        return false;
    snprintf(state, SLURM_STATE_BYTES, "%.*s", (int)word, text);
    const char *reason = text + word + (text[word] == ' ');
    size_t length = 0;
    while (length < 32 && isgraph((unsigned char)reason[length]) && reason[length] != '(')
        length++;
    if (with_reason && length > 0 && strncmp(reason, "None", length) != 0)
        snprintf(state + word, SLURM_STATE_BYTES - word, " (%.*s)", (int)length, reason);
    return true;
}

void slurm_state_ask(const char *job, char state[SLURM_STATE_BYTES])
{
    char text[256];
    state[0] = '\0';
    if (!is_job(job))
        return;
    const char *const squeue[] = {"squeue", "-h", "-t", "all", "-o", "%T %r", "-j", job, NULL};
    child_ask(squeue, text, sizeof text);
    if (state_take(text, true, state))
        return;
    const char *const sacct[] = {"sacct", "-n", "-X", "-P", "-o", "State", "-j", job, NULL};
    child_ask(sacct, text, sizeof text);
    if (!state_take(text, false, state))
        state[0] = '\0';
}

bool slurm_state_goes_on(const char *state)
{
    static const char *const words[] = {"PENDING",   "RUNNING",     "CONFIGURING", "COMPLETING",
                                        "SUSPENDED", "REQUEUE",     "SIGNALING",   "RESIZING",
                                        "STAGE_OUT", "SPECIAL_EXIT"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(state, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}
