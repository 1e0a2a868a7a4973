/* run_log.h - ARCHIVE.h5.log.jsonl: what depends on the run and so is not in the archive.
 *
 * One JSON object a line, appended to by every run: times, hosts, ranks, seconds of each shard, and
 * its size under LZ4, which differs between versions of that library. Written by rank 0. */
#ifndef CPR_RUN_LOG_H
#define CPR_RUN_LOG_H

#include "corpress_mpi.h"

#include <stdio.h>

typedef struct run_log {
    FILE *file; /* NULL: there is none, all functions do nothing */
    char *path;
    bool failed;
} run_log;

/* Path of an archive's log; malloc()ed. */
char *run_log_path(const char *archive_path);

/* CPR_ERR_EXISTS if something that is not a file has the log's name. Local. */
cpr_status run_log_check(const char *archive_path, cpr_error *error);

/* Opens the log to append to it. False: it cannot be written; errno says why, EEXIST that a file is
 * there which no run has written. */
bool run_log_open(run_log *log, const char *archive_path);

/* Closes it. False: not everything could be written. */
bool run_log_close(run_log *log);

void run_log_start(run_log *log, const cpr_compress_options *options,
                   const cpr_corpus_facts *facts);
void run_log_phase(run_log *log, cpr_phase phase);
void run_log_lesson(run_log *log, const cpr_lesson_facts *lesson); /* at its end */
void run_log_shard(run_log *log, const cpr_item_result *result);
void run_log_published(run_log *log, const cpr_compress_totals *totals, double seconds);
void run_log_note(run_log *log, const char *text);
void run_log_stopped(run_log *log, const char *text);
void run_log_failed(run_log *log, cpr_status status, const char *text);

/* What the log says of a shard that has been coded. */
typedef struct run_log_time {
    bool known;
    int rank;
    double seconds;
} run_log_time;

/* Reads what an archive's log says of its shards: lz4_bytes[shard] and times[shard], where the log
 * has them for a shard with the same raw hash; others stay as they are. `times` may be NULL.
 * Without a log does nothing. */
void run_log_read(const char *archive_path, const cpr_archive *archive, uint64_t *lz4_bytes,
                  run_log_time *times);

#endif
