/* status_follow.c - corpress status --follow: looks at a job again and again. */
#define _GNU_SOURCE
#include "status_follow.h"

#include "progress.h"
#include "slurm_state.h"
#include "status_text.h"
#include "terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds. The job's own file is written every 2 s; SLURM's controller answers many users. */
#define SCREEN_SECONDS 2.0
#define LINE_SECONDS 10.0
#define DOUBT_SECONDS 1.0
#define SLURM_SECONDS 30.0

typedef struct follow {
    const char *path;
    double interval;
    bool json;
    bool screen;
    cpr_job *job;                                       /* as it was seen last; NULL: it was not */
    char slurm_job[sizeof((cpr_job *)NULL)->slurm_job]; /* that was seen at work */
    char slurm_state[SLURM_STATE_BYTES];
    cpr_job_state slurm_asked_of; /* the state of the job when SLURM was asked, and when that was */
    double slurm_asked;
    char *line; /* that was shown last; NULL: none */
} follow;

/* ---- looking -------------------------------------------------------------------------------- */

/* A job that stopped in order has taken its name away. */
static void follow_ask_slurm(follow *f)
{
    const double now = progress_clock();
    if (f->job->slurm_job[0] != '\0' && strcmp(f->job->slurm_job, f->slurm_job) != 0) {
        memcpy(f->slurm_job, f->job->slurm_job, sizeof f->slurm_job);
        f->slurm_asked = -SLURM_SECONDS;
    }
    memcpy(f->job->slurm_job, f->slurm_job, sizeof f->slurm_job);
    if (f->slurm_job[0] == '\0' ||
        (f->job->state == f->slurm_asked_of && now - f->slurm_asked < SLURM_SECONDS))
        return;
    slurm_state_ask(f->slurm_job, f->slurm_state);
    f->slurm_asked = progress_clock();
    f->slurm_asked_of = f->job->state;
}

/* Looks once. What it has not begun yet is not an error. */
static cpr_status follow_look(follow *f, cpr_error *error)
{
    cpr_job *job;
    const cpr_status status = cpr_job_look(f->path, &job, error);
    if (status == CPR_ERR_NOT_FOUND && f->job == NULL)
        return CPR_OK;
    if (status != CPR_OK)
        return status;
    cpr_job_free(f->job);
    f->job = job;
    follow_ask_slurm(f);
    return CPR_OK;
}

static bool follow_has_stopped(const follow *f)
{
    return f->job != NULL && f->job->state == CPR_JOB_STOPPED &&
           !slurm_state_goes_on(f->slurm_state);
}

/* Looks, and once more at what looks like an end: the first look may have met a job that was
 * publishing its archive, and half of its work directory. */
static cpr_status follow_look_well(follow *f, cpr_error *error)
{
    const cpr_status status = follow_look(f, error);
    if (status == CPR_OK && !follow_has_stopped(f))
        return CPR_OK;
    terminal_wait(DOUBT_SECONDS);
    return follow_look(f, error);
}

/* ---- showing -------------------------------------------------------------------------------- */

static const char *clock_text(const char *format, bool utc, char *out, size_t capacity)
{
    struct tm parts;
    const time_t now = time(NULL);
    if ((utc ? gmtime_r(&now, &parts) : localtime_r(&now, &parts)) == NULL ||
        strftime(out, capacity, format, &parts) == 0)
        snprintf(out, capacity, "?");
    return out;
}

/* A whole screen in a terminal; else a line, if it is another one than before. */
static void follow_put(follow *f, char *text)
{
    char now[32];
    if (f->screen)
        terminal_draw(text);
    else if (f->line == NULL || strcmp(text, f->line) != 0)
        printf("%s  %s\n", clock_text("%Y-%m-%d %H:%M:%S", false, now, sizeof now), text);
    free(f->line);
    f->line = text;
}

static void print_screen(FILE *out, const follow *f, const status_view *view)
{
    int rows;
    int columns;
    char now[32];
    terminal_size(&rows, &columns);
    status_print_screen(out, view, rows, columns);
    fprintf(out, "\n%s, every %.0f s; Ctrl-C ends this, not the job\n",
            clock_text("%H:%M:%S", false, now, sizeof now), f->interval);
}

static cpr_status follow_text(follow *f, const status_view *view, cpr_error *error)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    if (f->screen)
        print_screen(out, f, view);
    else
        status_print_line(out, view);
    if (fclose(out) != 0) {
        free(text);
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    }
    follow_put(f, text);
    return CPR_OK;
}

static cpr_status follow_show(follow *f, cpr_error *error)
{
    char now[32];
    const status_view view = {.path = f->path, .job = f->job, .slurm_state = f->slurm_state};
    if (f->screen || !f->json)
        return follow_text(f, &view, error);
    status_print_json(stdout, &view, clock_text("%Y-%m-%dT%H:%M:%SZ", true, now, sizeof now));
    return CPR_OK;
}

/* ---- until the end -------------------------------------------------------------------------- */

/* Waits for the next look. A screen whose size changes is drawn again. */
static cpr_status follow_wait(follow *f, cpr_error *error)
{
    const double until = progress_clock() + f->interval;
    for (;;) {
        const double left = until - progress_clock();
        if (left <= 0)
            return CPR_OK;
        terminal_wait(left);
        const cpr_status status =
            f->screen && progress_clock() < until ? follow_show(f, error) : CPR_OK;
        if (status != CPR_OK)
            return status;
    }
}

static cpr_status follow_run(follow *f, command_call *call, cpr_error *error)
{
    for (;;) {
        cpr_status status = follow_look_well(f, error);
        if (status == CPR_OK)
            status = follow_show(f, error);
        errno = 0;
        if (status == CPR_OK && (fflush(stdout) != 0 || ferror(stdout))) {
            call->reader_is_gone = errno == EPIPE;
            status = cpr_fail(error, CPR_ERR_IO, "standard output: %s",
                              errno != 0 ? strerror(errno) : "write failed");
        }
        if (status != CPR_OK || (f->job != NULL && f->job->state == CPR_JOB_FINISHED))
            return status;
        if (follow_has_stopped(f))
            return cpr_fail(error, CPR_STOPPED,
                            "the job has stopped; run the same command again to go on");
        status = follow_wait(f, error);
        if (status != CPR_OK)
            return status;
    }
}

cpr_status status_follow(command_call *call, cpr_error *error)
{
    follow f = {.path = call->archive, .json = call->given.format == REPORT_JSON};
    f.screen = !f.json && terminal_is_able();
    f.interval = call->given.interval > 0 ? call->given.interval
                 : f.screen               ? SCREEN_SECONDS
                                          : LINE_SECONDS;
    if (f.screen)
        terminal_open();
    const cpr_status status = follow_run(&f, call, error);
    if (f.screen)
        terminal_close();
    /* What the user's own screen keeps. */
    if (f.screen && f.job != NULL && (status == CPR_OK || status == CPR_STOPPED)) {
        const status_view view = {.path = f.path, .job = f.job, .slurm_state = f.slurm_state};
        status_print_table(stdout, &view);
    }
    cpr_job_free(f.job);
    free(f.line);
    return status;
}
