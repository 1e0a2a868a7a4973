/* status.h - statuses and errors, which are public: see corpress.h. */
#ifndef CPR_STATUS_H
#define CPR_STATUS_H

#include "corpress.h"

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
