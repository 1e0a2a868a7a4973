/* odd_table.h - what is kept of each text that was looked at. */
#ifndef CPR_ODD_TABLE_H
#define CPR_ODD_TABLE_H

#include "corpress.h"
#include "odd_text.h"

#define ODD_MARKS_ALL ((size_t)8 << 20)      /* of all texts, about, unless there are very many */
#define ODD_MARKS_LEAST 16                   /* of a text that has them */
#define ODD_PROFILES_MOST ((size_t)32 << 10) /* texts whose letters are kept, evenly chosen */
#define ODD_NO_ROW SIZE_MAX

/* A file, or what was seen of it. Shares are of its stretches. */
typedef struct odd_file {
    uint64_t number; /* in the archive */
    odd_counts counts;
    uint64_t limit; /* of the marks */
    size_t marks;
    size_t profile; /* row of the profiles; ODD_NO_ROW: none is kept */
    /* by odd_copies_find() */
    double common;         /* share that is in very many files */
    uint64_t common_files; /* how many, on average */
    size_t common_first;   /* row of the first file with most of that; ODD_NO_ROW: this one */
    double copied;         /* share, of the rest, that the row `original` has too; 0: no row */
    size_t original;
    uint64_t copied_files; /* that have such a stretch, on average */
    /* by odd_language_find() */
    double distance; /* from the nearest of the corpus' languages; negative: not known */
} odd_file;

/* A mark of a file. */
typedef struct odd_place {
    uint64_t hash;
    uint32_t file; /* row */
    uint32_t count;
} odd_place;

typedef struct odd_table {
    odd_file *files; /* in the corpus' order */
    size_t count, room;
    odd_place *places; /* by file, then hash */
    size_t place_count, place_room;
    uint16_t *profiles; /* rows of ODD_PROFILE, scaled to fit */
    size_t profile_count, profile_room;
    size_t profile_every;  /* one file of so many */
    uint64_t common_least; /* files that a stretch is in, to be common */
    double language_limit; /* distances above are odd */
    size_t languages;      /* that the corpus has: 0: too few texts to say */
} odd_table;

/* Adds a text that has ended. CPR_ERR_NO_MEMORY. */
cpr_status odd_table_add(odd_table *table, uint64_t number, const odd_text *text, cpr_error *error);
void odd_table_free(odd_table *table);

/* Finds what texts share; orders the places anew. CPR_ERR_NO_MEMORY. */
cpr_status odd_copies_find(odd_table *table, cpr_error *error);

/* Finds which texts are in a language that is rare in the corpus. CPR_ERR_NO_MEMORY. */
cpr_status odd_language_find(odd_table *table, cpr_error *error);

#endif
