/* page_data.h - what the page of an audit shows, out of the tables of an archive.
 *
 * All files are counted. Only what is listed one by one is a choice: rows of tables, points of
 * charts. So memory does not grow with their number. */
#ifndef CPR_PAGE_DATA_H
#define CPR_PAGE_DATA_H

#include "corpress_mpi.h"
#include "run_log.h"

#define PAGE_ROWS 50 /* of a table, at most */
#define PAGE_ROW_BYTES                                                                             \
    1000              /* of a file in the first two tables, if there are PAGE_ROWS of these        \
                       */
#define PAGE_BINS 160 /* of a histogram, PAGE_BIN bits a byte each; the last one is open */
#define PAGE_BIN 0.05
#define PAGE_POINTS 4000 /* of a scatter, at most */
#define PAGE_GROUPS 12   /* bars of a chart, at most; all else is one more */

/* What an audit has found: borrowed. */
typedef struct page_audit {
    const char *archive_path;
    cpr_archive *archive;
    cpr_archive_facts facts;
    const bool *bad; /* per shard */
    bool bad_primer;
    const uint64_t *lz4_bytes;     /* per shard; 0: not known */
    const run_log_time *times;     /* per shard */
    const cpr_item_result *curves; /* per shard; NULL: they are not wanted */
    uint64_t inputs, disk_bytes;   /* that were decoded; what the corpus took on the disk */
    bool unsealed;                 /* --unsealed was given */
} page_audit;

/* A file with bytes. bits: what the model lost on it; 0: not known. */
typedef struct page_file {
    uint64_t number, bytes;
    double bits;
} page_file;

typedef struct page_top {
    page_file rows[PAGE_ROWS];
    size_t count;
} page_top;

/* Files that have something in common. The name lives as long as the archive, and is not
 * terminated. NULL: they have no suffix, or lie in no directory below the one that most are in; and
 * if length is not 0, not even in that. */
typedef struct page_group {
    const char *name;
    size_t length;
    uint64_t files, bytes;
    double bits;
} page_group;

typedef struct page_groups {
    page_group rows[PAGE_GROUPS + 1]; /* by bits, descending; the last one may be all others */
    size_t count;
    uint64_t others; /* groups in the last one; 0: it is a group */
} page_groups;

typedef struct page_data {
    uint64_t files;         /* with bytes */
    uint64_t unknown_files; /* whose loss is not known: they are in no chart */
    double bits;            /* of all files */
    uint64_t least_bytes;   /* of files in the first two tables */
    page_top redundant, unpredictable, largest;
    double file_bins[PAGE_BINS]; /* bytes of files by bits a byte */
    double shard_bins[PAGE_BINS];
    uint64_t every; /* one file of so many is a point */
    page_file points[PAGE_POINTS];
    size_t point_count;
    /* The directory that most bytes lie in, and in which they part: main_bytes of `main`, with its
     * '/'. Its part of all bytes. */
    const char *main;
    size_t main_bytes;
    double main_share;
    page_groups folders;        /* by the next component of the path */
    page_groups suffixes;       /* with the '.'; NULL: none */
    uint64_t shards[PAGE_ROWS]; /* damaged ones, then those with most bits a byte */
    size_t shard_count;
    uint64_t bad_shards;
    uint64_t lz4_bytes; /* of all shards; 0: not known */
    uint64_t timed;     /* shards whose time is known */
} page_data;

/* CPR_ERR_NO_MEMORY. */
cpr_status page_data_collect(const page_audit *audit, page_data *data, cpr_error *error);

double page_bits_per_byte(const page_file *file);

/* Whether the file touches something damaged. */
bool page_is_damaged(const page_audit *audit, const cpr_entry *entry);

#endif
