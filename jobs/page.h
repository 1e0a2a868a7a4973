/* page.h - the audit of an archive as a page: one HTML file, which needs nothing else.
 *
 * It is below 2 MB, whatever the archive holds. */
#ifndef CPR_PAGE_H
#define CPR_PAGE_H

#include "page_data.h"
#include "page_excerpts.h"

/* Whether a page can be written there. CPR_ERR_EXISTS: something is there that is no page from
 * here. CPR_ERR_IO. */
cpr_status page_check(const char *path, cpr_error *error);

/* Writes the page, aside first; an earlier one is replaced. how: NULL: without excerpts. *bytes is
 * its size. CPR_ERR_NO_MEMORY, and what page_check() and decoding give. */
cpr_status page_write(const page_audit *audit, const char *path, const page_decoding *how,
                      size_t *bytes, cpr_error *error);

#endif
