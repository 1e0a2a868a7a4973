/* status.h - what went wrong, as a number and as a text for the user. */
#ifndef CPR_STATUS_H
#define CPR_STATUS_H

#include "printable.h"

#include <stddef.h>

/* Pinned values: they travel between ranks. Exit codes of the command are others. */
typedef enum cpr_status {
    CPR_OK = 0,
    CPR_ERR_USAGE = 1, /* the caller asked for something that makes no sense */
    CPR_ERR_NO_MEMORY = 2,
    CPR_ERR_IO = 3,         /* the operating system refused: open, read, write, no space, ... */
    CPR_ERR_EXISTS = 4,     /* the output exists and overwriting was not asked for */
    CPR_ERR_CHANGED = 5,    /* an input changed while it was read */
    CPR_ERR_FOREIGN = 6,    /* not a corpress archive */
    CPR_ERR_VERSION = 7,    /* an archive or work directory of a version that we do not know */
    CPR_ERR_DAMAGED = 8,    /* checksums do not match, or what is read contradicts itself */
    CPR_ERR_NOT_FOUND = 9,  /* no such path or shard in the archive */
    CPR_ERR_UNSAFE = 10,    /* the archive asks to write outside of the target directory */
    CPR_ERR_SELF_TEST = 11, /* this machine computes differently */
    CPR_ERR_BUSY = 12,      /* another job works on the same archive */
    CPR_ERR_LAUNCH = 13,    /* MPI was started wrongly */
    CPR_STOPPED = 14        /* stopped on request; run again to go on */
} cpr_status;

/* Detail of a failure, written by the function that failed: which shard, offset, path; what to do.
 * One line without a final newline, no "error:" in front. Paths in it come from
 * cpr_printable_path(); cpr_fail() sees to it that all of it is printable. */
typedef struct cpr_error {
    char text[1024];
} cpr_error;

/* A short description of the status, never NULL. */
const char *cpr_status_text(cpr_status status);

/* The exit code of the command: 0, 2 failed, 3 usage, 4 data damaged, 5 self-test, 75 stopped. */
int cpr_status_exit_code(cpr_status status);

/* Writes the formatted text to error (if not NULL) and returns status. */
cpr_status cpr_fail(cpr_error *error, cpr_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As cpr_fail(), followed by ": " and strerror(code). CPR_ERR_IO, or CPR_ERR_NO_MEMORY for ENOMEM.
 */
cpr_status cpr_fail_errno(cpr_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Tells the static analyzer, which sees one file at a time, that what failed is not CPR_OK. */
#ifdef __clang_analyzer__
#define cpr_fail(error, status, ...) ((void)cpr_fail(error, status, __VA_ARGS__), (status))
#define cpr_fail_errno(...) ((void)cpr_fail_errno(__VA_ARGS__), CPR_ERR_IO)
#endif

#endif
