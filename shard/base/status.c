/* status.c - texts and exit codes of statuses. */
#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *cpr_status_text(cpr_status status)
{
    switch (status) {
    case CPR_OK:
        return "done";
    case CPR_ERR_USAGE:
        return "wrong usage";
    case CPR_ERR_NO_MEMORY:
        return "out of memory";
    case CPR_ERR_IO:
        return "input or output failed";
    case CPR_ERR_EXISTS:
        return "the output exists";
    case CPR_ERR_CHANGED:
        return "an input changed while it was read";
    case CPR_ERR_FOREIGN:
        return "not a corpress archive";
    case CPR_ERR_VERSION:
        return "unknown format version";
    case CPR_ERR_DAMAGED:
        return "data damaged";
    case CPR_ERR_NOT_FOUND:
        return "not found";
    case CPR_ERR_UNSAFE:
        return "unsafe path";
    case CPR_ERR_SELF_TEST:
        return "this machine computes differently";
    case CPR_ERR_BUSY:
        return "another job is at work";
    case CPR_ERR_LAUNCH:
        return "MPI was started wrongly";
    case CPR_STOPPED:
        return "stopped on request";
    }
    return "unknown status";
}

int cpr_status_exit_code(cpr_status status)
{
    switch (status) {
    case CPR_OK:
        return 0;
    case CPR_ERR_USAGE:
        return 3;
    case CPR_ERR_DAMAGED:
        return 4;
    case CPR_ERR_SELF_TEST:
        return 5;
    case CPR_STOPPED:
        return 75;
    default:
        return 2;
    }
}

/* Bytes of a text that an error's text is made from; longer ones are cut. */
#define RAW_BYTES 2048

/* Leaves `room` bytes of the error's text free. */
static void error_print(cpr_error *error, size_t room, const char *format, va_list arguments)
{
    char text[RAW_BYTES];
    text[0] = '\0';
    vsnprintf(text, sizeof text, format, arguments);
    cpr_printable_text(text, error->text, sizeof error->text - room);
}

/* Names in parentheses: status.h has macros of these names for the analyzer. */
cpr_status(cpr_fail)(cpr_error *error, cpr_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (error != NULL)
        error_print(error, 0, format, arguments);
    va_end(arguments);
    return status;
}

cpr_status(cpr_fail_errno)(cpr_error *error, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (error != NULL) {
        /* The reason matters more than the end of a long path: keep room for it. */
        error_print(error, 128, format, arguments);
        const size_t end = strlen(error->text);
        snprintf(error->text + end, sizeof error->text - end, ": %s", strerror(code));
    }
    va_end(arguments);
    return code == ENOMEM ? CPR_ERR_NO_MEMORY : CPR_ERR_IO;
}
