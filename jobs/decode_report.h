/* decode_report.h - a listener for commands that decode: progress, and findings as they come. */
#ifndef CPR_DECODE_REPORT_H
#define CPR_DECODE_REPORT_H

#include "command.h"
#include "progress.h"

typedef struct decode_report {
    bool quiet;
    progress_bar bar;
    uint64_t shards; /* that are worked on */
    uint64_t bad_shards;
    bool *bad; /* set for each of them; NULL: not wanted */
    bool bad_primer;
    uint64_t earlier_shards; /* that an earlier run had done */
} decode_report;

/* Fills *listener. */
void decode_report_begin(decode_report *found, bool quiet, cpr_listener *listener);

/* On rank 0: prints the files that touch a damaged shard, at most `limit` of them. */
void decode_report_files(const cpr_archive *archive, const bool *bad, uint64_t limit);

#endif
