/* ahead.h - positions of a segment that an encoder computes before their tokens come. Private to
 * model/network/.
 *
 * An encoder knows which tokens come next. What they give is computed together: the same as one
 * after the other, but faster. */
#ifndef CPR_AHEAD_H
#define CPR_AHEAD_H

#include <stddef.h>
#include <stdint.h>

typedef struct cpr_ahead {
    const uint16_t *coming; /* tokens that the encoder will put in; NULL: they are not known */
    const uint16_t *end;
    uint32_t ready; /* positions of the segment that have been computed, perhaps ahead */
} cpr_ahead;

static inline void cpr_ahead_expect(cpr_ahead *ahead, const uint16_t *tokens, size_t count)
{
    ahead->coming = tokens;
    ahead->end = tokens + count;
}

/* The token of a position comes. Puts it into the segment, and behind it those that are known to
 * come, and returns the end of the positions that are to be computed now: the position itself if it
 * has been computed. */
static inline size_t cpr_ahead_put(cpr_ahead *ahead, uint32_t *segment, size_t length,
                                   size_t position, uint32_t token)
{
    size_t end = position + 1;
    if (ahead->coming < ahead->end && *ahead->coming == token)
        ahead->coming++;
    else
        ahead->coming = ahead->end;
    if (position < ahead->ready && segment[position] == token)
        return position;
    segment[position] = token;
    for (const uint16_t *next = ahead->coming; next < ahead->end && end < length; next++)
        segment[end++] = *next;
    ahead->ready = (uint32_t)end;
    return end;
}

#endif
