/* fuzz_metadata.h - the checksums of HDF5's own structures, made right again after a change, so
 * that HDF5 takes what it reads for its own. */
#ifndef FUZZ_METADATA_H
#define FUZZ_METADATA_H

#include "fuzz.h"

#include <string.h>

#define FUZZ_SPANS 64u

/* Bytes of a file that have their checksum behind them. */
typedef struct fuzz_spans {
    size_t start[FUZZ_SPANS];
    size_t end[FUZZ_SPANS]; /* of the bytes; then four bytes of checksum */
    size_t count;
} fuzz_spans;

static inline uint32_t fuzz_rotate(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

/* Bob Jenkins' lookup3, hashlittle() with the initial value 0. */
static inline uint32_t fuzz_lookup3(const uint8_t *key, size_t bytes)
{
    uint32_t v[3];
    v[0] = v[1] = v[2] = UINT32_C(0xdeadbeef) + (uint32_t)bytes;
    if (bytes == 0)
        return v[2];
    for (;;) {
        const size_t part = bytes < 12 ? bytes : 12;
        for (size_t i = 0; i < part; i++)
            v[i / 4] += (uint32_t)key[i] << 8 * (i % 4);
        if (bytes <= 12)
            break;
        static const unsigned mix[] = {4, 6, 8, 16, 19, 4};
        for (unsigned i = 0; i < 6; i++) { /* a, b, c take turns */
            uint32_t *a = &v[i % 3];
            uint32_t *b = &v[(i + 1) % 3];
            uint32_t *c = &v[(i + 2) % 3];
            *a -= *c;
            *a ^= fuzz_rotate(*c, mix[i]);
            *c += *b;
        }
        key += 12;
        bytes -= 12;
    }
    static const unsigned last[] = {14, 11, 25, 16, 4, 14, 24};
    for (unsigned i = 0; i < 7; i++) {
        uint32_t *c = &v[(i + 2) % 3];
        const uint32_t b = v[(i + 1) % 3];
        *c ^= b;
        *c -= fuzz_rotate(b, last[i]);
    }
    return v[2];
}

static inline uint32_t fuzz_get32(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static inline void fuzz_put32(uint8_t *out, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

/* Whether a structure with a checksum may begin there. */
static inline int fuzz_is_signature(const uint8_t *at)
{
    static const char known[] =
        "\x89HDFOHDROCHKBTHDBTINBTLFFRHPFHIBFADBFAHDEAHDEAIBEASBEADBFSHDFSSE"
        "SMTBSMLI";
    for (size_t i = 0; i + 4 < sizeof known; i += 4)
        if (memcmp(at, known + i, 4) == 0)
            return 1;
    return 0;
}

/* Finds them in a sound file: a checksum is right by chance once in 2^32. */
static inline void fuzz_find_spans(const uint8_t *file, size_t bytes, fuzz_spans *spans)
{
    enum { SHORTEST = 8, LONGEST = 4096 };
    spans->count = 0;
    for (size_t at = 0; at + SHORTEST + 4 <= bytes && spans->count < FUZZ_SPANS; at++) {
        if (!fuzz_is_signature(file + at))
            continue;
        for (size_t end = at + SHORTEST; end + 4 <= bytes && end - at <= LONGEST; end++) {
            if (fuzz_lookup3(file + at, end - at) != fuzz_get32(file + end))
                continue;
            spans->start[spans->count] = at;
            spans->end[spans->count++] = end;
            break;
        }
    }
}

/* Where an object header ends that may say another size than it did; 0: outside of the file. */
static inline size_t fuzz_header_end(const uint8_t *file, size_t bytes, size_t at)
{
    const uint8_t flags = file[at + 5];
    const size_t size_at = at + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
    const size_t size_bytes = (size_t)1 << (flags & 3);
    uint64_t size = 0;
    if (size_at + size_bytes > bytes)
        return 0;
    for (size_t i = size_bytes; i-- > 0;)
        size = size << 8 | file[size_at + i];
    const size_t start = size_at + size_bytes;
    return size <= bytes - start && bytes - start - size >= 4 ? start + (size_t)size : 0;
}

static inline void fuzz_mend_spans(uint8_t *file, size_t bytes, const fuzz_spans *spans)
{
    for (size_t i = 0; i < spans->count; i++) {
        const size_t at = spans->start[i];
        size_t end = spans->end[i];
        if (end + 4 > bytes)
            continue;
        if (memcmp(file + at, "OHDR", 4) == 0) {
            const size_t now = fuzz_header_end(file, bytes, at);
            end = now > at ? now : end;
        }
        fuzz_put32(file + end, fuzz_lookup3(file + at, end - at));
    }
}

#endif
