/* input_kind.c - what a file is compressed with, by its first bytes. */
#include "inputs.h"

#include <string.h>

/* First bytes, as the formats' documents give them. */
static const struct format {
    const char *name;
    const char *magic;
    size_t bytes;
} formats[] = {
    [CPR_INPUT_PLAIN] = {"plain", NULL, 0},
    [CPR_INPUT_GZIP] = {"gzip", "\x1f\x8b\x08", 3},
    [CPR_INPUT_ZSTD] = {"zstd", "\x28\xb5\x2f\xfd", 4},
    [CPR_INPUT_XZ] = {"xz", "\xfd\x37zXZ\0", 6},
    [CPR_INPUT_BZIP2] = {"bzip2", "BZh", 3},
    [CPR_INPUT_LZ4] = {"lz4", "\x04\x22\x4d\x18", 4},
    [CPR_INPUT_PARQUET] = {"Parquet", "PAR1", 4},
    [CPR_INPUT_ZIP] = {"zip", "PK\x03\x04", 4},
    [CPR_INPUT_7Z] = {"7z", "7z\xbc\xaf\x27\x1c", 6},
    [CPR_INPUT_CORPRESS] = {"corpress", "corpress archive\r\n\x1a", 19},
};
#define FORMATS (sizeof formats / sizeof *formats)

/* A frame that zstd and lz4 skip. */
static bool is_skipped(const uint8_t *head, size_t bytes)
{
    return bytes >= 4 && (head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0;
}

/* zstd's and lz4's files may begin with a frame that is skipped; which of them it is, a later frame
 * tells: pzstd writes such frames, lz4 does not. bzip2's magic goes on with a block's mark, or the
 * end's in a file without text. */
static bool is_format(cpr_input_kind kind, const uint8_t *head, size_t bytes)
{
    const struct format *format = &formats[kind];
    if (kind == CPR_INPUT_ZSTD && is_skipped(head, bytes))
        return true;
    if (kind == CPR_INPUT_BZIP2 &&
        (bytes < 10 || (memcmp(head + 4, "1AY&SY", 6) != 0 &&
                        memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6) != 0)))
        return false;
    return bytes >= format->bytes && memcmp(head, format->magic, format->bytes) == 0;
}

cpr_input_kind cpr_input_kind_of(const uint8_t *head, size_t bytes)
{
    for (cpr_input_kind kind = CPR_INPUT_GZIP; kind < FORMATS; kind++)
        if (is_format(kind, head, bytes))
            return kind;
    return CPR_INPUT_PLAIN;
}

bool cpr_input_kind_goes_on(cpr_input_kind kind, const uint8_t *head, size_t bytes)
{
    return (kind == CPR_INPUT_LZ4 && is_skipped(head, bytes)) ||
           cpr_input_kind_of(head, bytes) == kind;
}

const char *cpr_input_kind_name(cpr_input_kind kind)
{
    return formats[kind].name;
}
