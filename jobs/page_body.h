/* page_body.h - the text of a page: head, totals, charts and tables, in their order. */
#ifndef CPR_PAGE_BODY_H
#define CPR_PAGE_BODY_H

#include "page_data.h"
#include "page_excerpts.h"

#include <stdio.h>

#define PAGE_MARK "<!DOCTYPE html>\n<!-- corpress audit -->\n" /* a page begins with it */

/* excerpts: NULL if they are not wanted. False: out of memory, or `out` does not take it. */
bool page_body(FILE *out, const page_audit *audit, const page_data *data,
               const page_excerpts *excerpts);

#endif
