/* page_groups.h - sums over files by a part of their paths. */
#ifndef CPR_PAGE_GROUPS_H
#define CPR_PAGE_GROUPS_H

#include "page_data.h"

/* Groups by name, as many as memory is given to; files of any further ones count as others. */
typedef struct group_table {
    page_group *slots;
    size_t count; /* of groups */
    page_group others;
} group_table;

/* False: out of memory. */
bool group_table_begin(group_table *table);
void group_table_add(group_table *table, const char *name, size_t length, const page_file *file);

/* Puts the largest into *groups, and frees the table. */
void group_table_end(group_table *table, page_groups *groups);

#endif
