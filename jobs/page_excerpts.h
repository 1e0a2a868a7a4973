/* page_excerpts.h - the beginnings of the files in the tables of a page. */
#ifndef CPR_PAGE_EXCERPTS_H
#define CPR_PAGE_EXCERPTS_H

#include "page_data.h"

#define PAGE_EXCERPT_CHARACTERS 200
#define PAGE_EXCERPTS_MOST (3 * PAGE_ROWS)

typedef struct page_excerpt {
    uint64_t number; /* of the file */
    char *text;      /* printable, but for line feeds and tabs; NULL: it is damaged */
} page_excerpt;

typedef struct page_excerpts {
    page_excerpt rows[PAGE_EXCERPTS_MOST]; /* by number, ascending */
    size_t count;
} page_excerpts;

/* How to decode. */
typedef struct page_decoding {
    const char *cache; /* as --cache has it, or NULL */
    unsigned threads;
    bool quiet;
} page_decoding;

/* Decodes them, with progress on standard error. What is damaged is left out. Sets *excerpts, which
 * the caller hands to page_excerpts_free(), also after a failure. */
cpr_status page_excerpts_decode(const page_audit *audit, const page_data *data,
                                const page_decoding *how, page_excerpts *excerpts,
                                cpr_error *error);
void page_excerpts_free(page_excerpts *excerpts);

/* NULL: none of this file. */
const page_excerpt *page_excerpts_find(const page_excerpts *excerpts, uint64_t number);

#endif
