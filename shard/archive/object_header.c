/* object_header.c - looks at the header of an HDF5 object before HDF5 does. */
#include "object_header.h"

#include "file_io.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES_MAX 65536u
enum { MESSAGE_OLD_FILL = 4, MESSAGE_FILL = 5, MESSAGE_CONTINUATION = 16 };

/* The messages of a header, as its version keeps them. */
typedef struct messages {
    uint64_t at; /* in the file */
    size_t bytes;
    size_t type_bytes;
    size_t head_bytes; /* in front of each: type, size, flags, and more */
} messages;

static bool header_find_old(cpr_image *image, uint64_t at, messages *m)
{
    enum { SIZE = 8, HEAD = 16 };
    uint8_t head[HEAD];
    if (!cpr_image_read(image, at, sizeof head, head) || head[0] != 1)
        return false;
    *m = (messages){
        .at = at + HEAD, .bytes = cpr_get32(head + SIZE), .type_bytes = 2, .head_bytes = 8};
    return true;
}

static bool header_find(cpr_image *image, uint64_t at, messages *m)
{
    enum { VERSION = 4, FLAGS = 5, HEAD = 6, HEAD_MOST = 6 + 16 + 4 + 8 };
    enum { SIZE_BYTES = 3, WITH_INDEX = 4, WITH_PHASES = 16, WITH_TIMES = 32 };
    uint8_t head[HEAD_MOST];
    if (!cpr_image_read(image, at, sizeof head, head))
        return false;
    if (memcmp(head, "OHDR", 4) != 0)
        return header_find_old(image, at, m);
    const unsigned flags = head[FLAGS];
    const size_t size_at = HEAD + (flags & WITH_TIMES ? 16u : 0u) + (flags & WITH_PHASES ? 4u : 0u);
    const size_t size_bytes = (size_t)1 << (flags & SIZE_BYTES);
    uint64_t bytes = 0;
    for (size_t i = size_bytes; i-- > 0;)
        bytes = bytes << 8 | head[size_at + i];
    *m = (messages){.at = at + size_at + size_bytes,
                    .bytes = bytes > HEADER_BYTES_MAX ? SIZE_MAX : (size_t)bytes,
                    .type_bytes = 1,
                    .head_bytes = flags & WITH_INDEX ? 6 : 4};
    return head[VERSION] == 2;
}

/* Whether a message says that a fill value follows, or lacks bytes to say so. */
static bool tells_fill_value(const uint8_t *message, size_t bytes)
{
    enum { VERSION = 0, FLAGS = 1, DEFINED = 3, SIZE = 4, HAVE_VALUE = 32 };
    if (bytes < 2)
        return true;
    if (message[VERSION] >= 3)
        return (message[FLAGS] & HAVE_VALUE) != 0;
    if (bytes < SIZE + 4)
        return message[VERSION] < 2 || bytes < SIZE || message[DEFINED] != 0;
    return (message[VERSION] < 2 || message[DEFINED] != 0) && cpr_get32(message + SIZE) != 0;
}

static bool messages_are_safe(const uint8_t *data, const messages *m, bool in_one_piece)
{
    for (size_t at = 0; m->bytes - at >= m->head_bytes;) {
        const uint8_t *head = data + at;
        const unsigned type = m->type_bytes == 1 ? head[0] : head[0] | (unsigned)head[1] << 8;
        const size_t bytes = head[m->type_bytes] | (size_t)head[m->type_bytes + 1] << 8;
        at += m->head_bytes;
        if (bytes > m->bytes - at || type == MESSAGE_OLD_FILL ||
            (type == MESSAGE_FILL && tells_fill_value(data + at, bytes)) ||
            (type == MESSAGE_CONTINUATION && in_one_piece))
            return false;
        at += bytes;
    }
    return true;
}

bool cpr_object_header_is_safe(cpr_image *image, uint64_t at, bool in_one_piece)
{
    messages m;
    if (!header_find(image, at, &m) || m.bytes > HEADER_BYTES_MAX)
        return false;
    uint8_t *data = malloc(m.bytes + 1);
    const bool safe = data != NULL && cpr_image_read(image, m.at, m.bytes, data) &&
                      messages_are_safe(data, &m, in_one_piece);
    free(data);
    return safe;
}
