/* terminal.c - a screen that is redrawn, on standard output. */
#define _GNU_SOURCE
#include "terminal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* The other screen, without a cursor, and without going on in the next line where one is full. */
static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[H\033[2J";
static const char leave[] = "\033[?7h\033[?25h\033[?1049l";

bool terminal_is_able(void)
{
    const char *kind = getenv("TERM");
    return kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0 && isatty(STDOUT_FILENO) == 1;
}

/* ---- signals -------------------------------------------------------------------------------- */

/* A terminal that is gone takes nothing. */
static void write_all(const char *text, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t done = write(STDOUT_FILENO, text, bytes);
        if (done <= 0)
            return;
        text += done;
        bytes -= (size_t)done;
    }
}

static void on_end(int number)
{
    write_all(leave, sizeof leave - 1);
    raise(number); /* SA_RESETHAND: this time it ends the process */
}

static void on_stop(int number)
{
    (void)number;
    write_all(leave, sizeof leave - 1);
    raise(SIGSTOP);
    write_all(enter, sizeof enter - 1);
}

static void on_resize(int number)
{
    (void)number; /* it ends a wait */
}

static void catch_signal(int number, void (*handler)(int), int flags)
{
    struct sigaction before;
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

static void catch_signals(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        catch_signal(ends[i], on_end, (int)SA_RESETHAND | SA_NODEFER);
    catch_signal(SIGTSTP, on_stop, 0);
    catch_signal(SIGWINCH, on_resize, 0);
}

static void release_signals(void)
{
    static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        catch_signal(all[i], SIG_DFL, 0);
}

/* ---- the screen ----------------------------------------------------------------------------- */

void terminal_open(void)
{
    catch_signals();
    write_all(enter, sizeof enter - 1);
}

void terminal_close(void)
{
    write_all(leave, sizeof leave - 1);
    release_signals();
}

void terminal_size(int *rows, int *columns)
{
    struct winsize size;
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    *rows = known && size.ws_row > 0 ? size.ws_row : 24;
    *columns = known && size.ws_col > 0 ? size.ws_col : 80;
}

/* The bytes of the first `columns` characters of a line. */
static size_t clip(const char *line, size_t bytes, int columns)
{
    int seen = 0;
    for (size_t i = 0; i < bytes; i++) {
        seen += ((unsigned char)line[i] & 0xC0) != 0x80;
        if (seen > columns)
            return i;
    }
    return bytes;
}

void terminal_draw(const char *text)
{
    int rows;
    int columns;
    char *all = NULL;
    size_t bytes = 0;
    terminal_size(&rows, &columns);
    FILE *out = open_memstream(&all, &bytes);
    if (out == NULL)
        return;
    fputs("\033[H", out);
    for (int row = 0; row < rows && *text != '\0'; row++) {
        const size_t length = strcspn(text, "\n");
        fprintf(out, "%s%.*s\033[K", row > 0 ? "\r\n" : "", (int)clip(text, length, columns), text);
        text += length + (text[length] == '\n');
    }
    fputs("\033[J", out);
    if (fclose(out) == 0)
        write_all(all, bytes);
    free(all);
}

void terminal_wait(double seconds)
{
    const struct timespec pause = {.tv_sec = (time_t)seconds,
                                   .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&pause, NULL);
}
