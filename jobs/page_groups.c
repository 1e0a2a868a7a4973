/* page_groups.c - sums over files by a part of their paths. */
#include "page_groups.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS ((size_t)1 << 15)
#define GROUPS_MOST (SLOTS / 2)

bool group_table_begin(group_table *table)
{
    *table = (group_table){.slots = calloc(SLOTS, sizeof *table->slots)};
    return table->slots != NULL;
}

/* FNV-1a. */
static uint64_t name_hash(const char *name, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; name != NULL && i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

static void group_add(page_group *group, uint64_t files, uint64_t bytes, double bits)
{
    group->files += files;
    group->bytes += bytes;
    group->bits += bits;
}

/* NULL: there is no room for one more. */
static page_group *group_table_find(group_table *table, const char *name, size_t length)
{
    size_t i = name_hash(name, length) % SLOTS;
    while (table->slots[i].files > 0) {
        page_group *group = &table->slots[i];
        if (group->length == length && (group->name == NULL) == (name == NULL) &&
            (name == NULL || memcmp(group->name, name, length) == 0))
            return group;
        i = (i + 1) % SLOTS;
    }
    if (table->count >= GROUPS_MOST)
        return NULL;
    table->count++;
    table->slots[i] = (page_group){.name = name, .length = length};
    return &table->slots[i];
}

void group_table_add(group_table *table, const char *name, size_t length, const page_file *file)
{
    page_group *group = group_table_find(table, name, length);
    group_add(group != NULL ? group : &table->others, 1, file->bytes, file->bits);
}

/* By bits, then by bytes, then by name, descending but for names. */
static int group_compare(const void *a, const void *b)
{
    const page_group *one = a;
    const page_group *two = b;
    if (one->bits != two->bits)
        return one->bits > two->bits ? -1 : 1;
    if (one->bytes != two->bytes)
        return one->bytes > two->bytes ? -1 : 1;
    const size_t length = one->length < two->length ? one->length : two->length;
    const int order =
        one->name != NULL && two->name != NULL ? memcmp(one->name, two->name, length) : 0;
    return order != 0 ? order : (one->length > two->length) - (one->length < two->length);
}

void group_table_end(group_table *table, page_groups *groups)
{
    size_t count = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (table->slots[i].files > 0)
            table->slots[count++] = table->slots[i];
    qsort(table->slots, count, sizeof *table->slots, group_compare);
    *groups = (page_groups){.count = 0};
    const bool all = count <= PAGE_GROUPS + 1 && table->others.files == 0;
    const size_t own = all ? count : count < PAGE_GROUPS ? count : PAGE_GROUPS;
    for (size_t i = 0; i < own; i++)
        groups->rows[groups->count++] = table->slots[i];
    if (!all) {
        page_group *others = &groups->rows[groups->count++];
        *others = table->others;
        groups->others = count - own + (table->others.files > 0);
        for (size_t i = own; i < count; i++)
            group_add(others, table->slots[i].files, table->slots[i].bytes, table->slots[i].bits);
    }
    free(table->slots);
    table->slots = NULL;
}
