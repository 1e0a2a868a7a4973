/* terminal.h - a screen that is redrawn, on standard output. */
#ifndef CPR_TERMINAL_H
#define CPR_TERMINAL_H

#include <stdbool.h>

/* Whether standard output is a terminal that can be redrawn. */
bool terminal_is_able(void);

/* Takes the screen: another one than that with the user's lines, without a cursor. Until it is
 * closed a signal that ends the process, or stops it, gives the user's screen back first. */
void terminal_open(void);
void terminal_close(void);

/* Of the terminal as it is now; 24 and 80 if it does not say. */
void terminal_size(int *rows, int *columns);

/* Shows these lines instead of what the screen shows, as far as they fit. The text is printable. */
void terminal_draw(const char *text);

/* Waits; ends early when the size has changed, or the process goes on after it was stopped. */
void terminal_wait(double seconds);

#endif
