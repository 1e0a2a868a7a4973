/* input_scan.h - inside shard/: looks into a file, to its end if it is one that is decoded. */
#ifndef CPR_INPUT_SCAN_H
#define CPR_INPUT_SCAN_H

#include "input_records.h"

/* All zero: Parquet is kept, any memory, the default limit, what is damaged is left out. */
typedef struct cpr_scan_options {
    cpr_decoding decoding;
    uint64_t limit;    /* bytes of text for each byte of a file; 0: CPR_DECODE_LIMIT_DEFAULT */
    bool keep_damaged; /* keep the text in front of the damage */
    uint64_t *done;    /* may be NULL; else is set to how far the file is, before each poll() */
    cpr_poll_fn *poll; /* may be NULL */
    void *poll_context;
} cpr_scan_options;

/* Texts up to so many bytes have no limit. */
#define CPR_DECODE_UNLIMITED_BYTES ((uint64_t)64 << 20)

/* Looks into the file at `path`, following a link if `follow`. `facts` has its name, size, times
 * and change; adds a record of it. A file that is not as the facts say, or cannot be opened, is
 * CPR_INPUT_KEPT, and whoever reads it will see. What cannot be decoded is no failure, but a record
 * with a note. CPR_ERR_IO, CPR_ERR_NO_MEMORY, and what poll() says. */
cpr_status cpr_input_scan(const char *path, bool follow, const cpr_input_record *facts,
                          const cpr_scan_options *options, cpr_input_records *records,
                          cpr_error *error);

#endif
