/* odd_scan.h - decodes a corpus, or a choice of its shards, and takes down what its texts are like.
 */
#ifndef CPR_ODD_SCAN_H
#define CPR_ODD_SCAN_H

#include "odd_table.h"

#define ODD_SAMPLE_DEFAULT (UINT64_C(256) << 20)
#define ODD_DEAR 5.5        /* bits a byte: text costs less */
#define ODD_CHEAP 0.25      /* of what the files around cost */
#define ODD_COST_BYTES 1000 /* of a file whose cost says something */

typedef struct odd_scan {
    cpr_archive *archive;
    const char *cache; /* as --cache has it, or NULL */
    unsigned threads;
    bool quiet;
    uint64_t sample_bytes; /* to decode, at most, but one shard at least */
    bool *bad;             /* per shard: those that are damaged, before and after */
    bool bad_primer;       /* nothing can be decoded */
    /* what came of it */
    uint64_t shards, shards_read;
    uint64_t files, files_read; /* with bytes */
    uint64_t bytes, bytes_read;
    uint64_t bad_shards; /* that were found here */
} odd_scan;

/* A file's bits a byte; 0: not known. Those of the files around it, the median, or 0. */
double odd_cost(const cpr_entry *entry);
double odd_cost_around(const cpr_archive *archive, uint64_t files, uint64_t number);

/* Decodes, with progress on standard error, and fills the table. Shards that are damaged are named
 * and left out. CPR_ERR_NO_MEMORY, and what decoding gives. */
cpr_status odd_scan_run(odd_scan *scan, odd_table *table, cpr_error *error);

#endif
