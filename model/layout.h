/* layout.h - the parts of a block of memory, in one list that gives their sizes and their places.
 * Private to model/.
 *
 * The list is gone through twice: without memory to add up its size, then to find the parts. */
#ifndef CPR_LAYOUT_H
#define CPR_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct cpr_layout {
    uint8_t *memory; /* begins on a cache line; NULL: there is none yet */
    size_t bytes;    /* so far, a multiple of 64 */
    FILE *list;      /* gets the parts' names and sizes; NULL: nobody wants to know */
} cpr_layout;

/* The next part: that many elements of a size, on a cache line of its own. NULL if there is no
 * memory yet. */
static inline void *cpr_layout_place(cpr_layout *layout, const char *name, size_t count,
                                     size_t size)
{
    const size_t at = layout->bytes;
    layout->bytes += (count * size + 63) & ~(size_t)63;
    if (layout->list != NULL && count > 0)
        fprintf(layout->list, " %s=%zux%zu", name, count, size);
    return layout->memory == NULL ? NULL : layout->memory + at;
}

#endif
