/* fuzz_edit.h - sound files in memory, and what an input does to them: small changes reach further
 * than bytes from nowhere. */
#ifndef FUZZ_EDIT_H
#define FUZZ_EDIT_H

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#define FUZZ_FILE_BYTES 16384u

typedef struct fuzz_file {
    const char *name;
    uint8_t sound[FUZZ_FILE_BYTES];
    size_t sound_bytes;
    uint8_t data[FUZZ_FILE_BYTES]; /* what becomes of it */
    size_t bytes;
    bool edited;
} fuzz_file;

/* What is left of an input. */
typedef struct fuzz_input {
    const uint8_t *next;
    const uint8_t *end;
} fuzz_input;

static inline size_t fuzz_left(const fuzz_input *in)
{
    return (size_t)(in->end - in->next);
}

/* 0 behind the end. */
static inline uint8_t fuzz_take(fuzz_input *in)
{
    return in->next < in->end ? *in->next++ : 0;
}

static inline uint16_t fuzz_take16(fuzz_input *in)
{
    const unsigned low = fuzz_take(in);
    return (uint16_t)(low | (unsigned)fuzz_take(in) << 8);
}

/* Opens a gap of `bytes` bytes, or as many as there is room for. */
static inline size_t fuzz_open_gap(fuzz_file *file, size_t at, size_t bytes)
{
    const size_t room = FUZZ_FILE_BYTES - file->bytes;
    bytes = bytes < room ? bytes : room;
    memmove(file->data + at + bytes, file->data + at, file->bytes - at);
    file->bytes += bytes;
    return bytes;
}

static inline void fuzz_put(fuzz_file *file, size_t at, size_t bytes, fuzz_input *in)
{
    for (size_t i = 0; i < bytes && at + i < file->bytes && in->next < in->end; i++)
        file->data[at + i] = fuzz_take(in);
}

/* Adds a small signed number to the eight bytes at `at`. */
static inline void fuzz_add(fuzz_file *file, size_t at, int8_t by)
{
    uint64_t number = 0;
    if (at + 8 > file->bytes)
        return;
    for (unsigned i = 0; i < 8; i++)
        number |= (uint64_t)file->data[at + i] << 8 * i;
    number += (uint64_t)(int64_t)by;
    for (unsigned i = 0; i < 8; i++)
        file->data[at + i] = (uint8_t)(number >> 8 * i);
}

/* One change: what and where to (1), where (2), how much (1), and bytes. */
static inline void fuzz_edit(fuzz_file *files, size_t count, fuzz_input *in)
{
    const unsigned what = fuzz_take(in);
    fuzz_file *file = &files[(what >> 3) % count];
    const size_t at = fuzz_take16(in) % (file->bytes + 1);
    const size_t most = file->bytes - at;
    size_t n = fuzz_take(in);
    file->edited = true;
    switch (what & 7) {
    case 0: /* another text in its place */
        file->bytes = 0;
        n = fuzz_open_gap(file, 0, n + 256 < fuzz_left(in) ? n + 256 : fuzz_left(in));
        fuzz_put(file, 0, n, in);
        break;
    case 1: /* put in */
        n = fuzz_open_gap(file, at, n < fuzz_left(in) ? n : fuzz_left(in));
        fuzz_put(file, at, n, in);
        break;
    case 2: /* cut out */
        n = n < most ? n : most;
        memmove(file->data + at, file->data + at + n, most - n);
        file->bytes -= n;
        break;
    case 3: /* cut off */
        file->bytes = at;
        break;
    case 4:
        fuzz_add(file, at, (int8_t)n);
        break;
    case 5: /* repeat a byte */
        n = fuzz_open_gap(file, at, 16 * n);
        memset(file->data + at, fuzz_take(in), n);
        break;
    default:
        fuzz_put(file, at, n, in);
    }
}

/* All changes of an input. */
static inline void fuzz_edit_all(fuzz_file *files, size_t count, fuzz_input *in)
{
    for (size_t i = 0; i < count; i++) {
        files[i].edited = false;
        files[i].bytes = files[i].sound_bytes;
        memcpy(files[i].data, files[i].sound, files[i].sound_bytes);
    }
    while (in->next < in->end)
        fuzz_edit(files, count, in);
}

#endif
