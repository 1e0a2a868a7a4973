/* page_tables.h - the tables on the page of an audit. */
#ifndef CPR_PAGE_TABLES_H
#define CPR_PAGE_TABLES_H

#include "page_data.h"
#include "page_excerpts.h"

#include <stdio.h>

/* Files; excerpts: NULL if they are not wanted. False: out of memory. */
bool page_file_table(FILE *out, const page_audit *audit, const page_top *top,
                     const page_excerpts *excerpts);

bool page_shard_table(FILE *out, const page_audit *audit, const page_data *data);

#endif
