/* tar_header.c - what a block of 512 bytes says, in all of tar's formats. */
#include "tar_private.h"

#include <string.h>

/* Fields: where, and how many bytes. */
enum {
    NAME = 0,
    NAME_BYTES = 100,
    MODE = 100,
    OWNER = 108,
    GROUP = 116,
    SHORT_NUMBER = 8,
    SIZE = 124,
    MTIME = 136,
    LONG_NUMBER = 12,
    CHECKSUM = 148,
    TYPE = 156,
    LINK = 157,
    LINK_BYTES = 100,
    MAGIC = 257,
    MAGIC_BYTES = 8,
    MAJOR = 329,
    MINOR = 337,
    PREFIX = 345,
    PREFIX_BYTES = 155,
    STAR_EXTENDED = 355,
    GNU_EXTENDED = 482,
    STAR_MAGIC = 508
};

static bool block_is_gnu(const uint8_t *block)
{
    return memcmp(block + MAGIC, "ustar  ", MAGIC_BYTES) == 0;
}

/* POSIX says what is behind the prefix; nobody else has one. */
static bool block_is_ustar(const uint8_t *block)
{
    return memcmp(block + MAGIC, "ustar", 6) == 0;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* Big-endian, two's complement; the first bit only says so. */
static bool number_read_binary(const uint8_t *field, size_t bytes, int64_t *number)
{
    const uint64_t sign = (field[0] & 0x40u) != 0 ? UINT64_MAX : 0;
    uint64_t value = sign << 7 | (field[0] & 0x7fu);
    for (size_t i = 1; i < bytes; i++) {
        /* What is shifted out, and the sign bit that is shifted in, must be copies of the sign. */
        if (value >> 55 != sign >> 55)
            return false;
        value = value << 8 | field[i];
    }
    *number = sign != 0 ? -1 - (int64_t)~value : (int64_t)value;
    return true;
}

/* Octal digits between spaces, up to a NUL; nothing at all is 0. Where the field before is too
 * long, some old programs put that one's NUL here. */
static bool number_read(const uint8_t *field, size_t bytes, int64_t *number)
{
    uint64_t value = 0;
    size_t i = field[0] == '\0' ? 1 : 0;
    if ((field[0] & 0x80u) != 0)
        return number_read_binary(field, bytes, number);
    while (i < bytes && field[i] == ' ')
        i++;
    for (; i < bytes && field[i] >= '0' && field[i] <= '7'; i++)
        value = value << 3 | (uint64_t)(field[i] - '0'); /* at most 12 digits: 36 bits */
    if (i < bytes && field[i] != ' ' && field[i] != '\0')
        return false;
    *number = (int64_t)value;
    return true;
}

/* The sum of all bytes, with the field itself as spaces. Some old programs took bytes as signed. */
static bool checksum_is_right(const uint8_t *block)
{
    int64_t given;
    unsigned sum = ' ' * SHORT_NUMBER, large = 0;
    if (!number_read(block + CHECKSUM, SHORT_NUMBER, &given))
        return false;
    for (size_t i = 0; i < CPR_TAR_BLOCK_BYTES; i++) {
        sum += block[i];
        large += block[i] >> 7;
    }
    for (size_t i = CHECKSUM; i < CHECKSUM + SHORT_NUMBER; i++) {
        sum -= block[i];
        large -= block[i] >> 7;
    }
    return given == (int64_t)sum || given == (int64_t)sum - 256 * (int64_t)large;
}

/* ---- headers --------------------------------------------------------------------------------- */

bool cpr_tar_is_zero(const uint8_t *bytes, size_t count)
{
    return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

/* One without a magic: all its numbers are numbers, its type is one of v7 or what GNU tar writes
 * without a magic, too, and there is nothing where later formats have texts. */
static bool block_is_v7(const uint8_t *block)
{
    static const size_t numbers[] = {MODE, OWNER, GROUP, MAJOR, MINOR};
    static const char types[] = "01234567V"; /* and NUL */
    int64_t number;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!number_read(block + numbers[i], SHORT_NUMBER, &number))
            return false;
    return block[NAME] != '\0' && memchr(types, block[TYPE], sizeof types) != NULL &&
           number_read(block + MTIME, LONG_NUMBER, &number) &&
           cpr_tar_is_zero(block + MAGIC, MAJOR - MAGIC) &&
           cpr_tar_is_zero(block + PREFIX, CPR_TAR_BLOCK_BYTES - PREFIX);
}

bool cpr_tar_begins(const uint8_t *head, size_t bytes)
{
    cpr_tar_header header;
    return bytes >= CPR_TAR_BLOCK_BYTES && cpr_tar_header_read(head, &header) &&
           (block_is_gnu(head) || block_is_ustar(head) || block_is_v7(head));
}

bool cpr_tar_header_read(const uint8_t *block, cpr_tar_header *header)
{
    int64_t bytes, mtime, mode;
    if (!checksum_is_right(block) || !number_read(block + SIZE, LONG_NUMBER, &bytes) || bytes < 0)
        return false;
    *header = (cpr_tar_header){.type = block[TYPE], .bytes = (uint64_t)bytes};
    if (number_read(block + MTIME, LONG_NUMBER, &mtime))
        header->mtime_seconds = mtime;
    if (number_read(block + MODE, SHORT_NUMBER, &mode))
        header->mode = (uint32_t)((uint64_t)mode & 07777u);
    if (header->type == 'S' && block_is_gnu(block))
        header->is_extended = block[GNU_EXTENDED] != 0;
    else if (header->type == 'S' && memcmp(block + STAR_MAGIC, "tar", 4) == 0)
        header->is_extended = block[STAR_EXTENDED] != 0;
    return true;
}

/* Adds a field, which ends before a NUL or is full. */
static void text_add_field(cpr_tar_text *text, const uint8_t *field, size_t bytes)
{
    const uint8_t *end = memchr(field, '\0', bytes);
    const size_t length = end != NULL ? (size_t)(end - field) : bytes;
    memcpy(text->text + text->bytes, field, length);
    text->bytes += length;
}

void cpr_tar_header_path(const uint8_t *block, cpr_tar_text *path)
{
    path->bytes = 0;
    if (block_is_ustar(block) && block[PREFIX] != '\0') {
        text_add_field(path, block + PREFIX, PREFIX_BYTES);
        path->text[path->bytes++] = '/';
    }
    text_add_field(path, block + NAME, NAME_BYTES);
}

void cpr_tar_header_link(const uint8_t *block, cpr_tar_text *link)
{
    link->bytes = 0;
    text_add_field(link, block + LINK, LINK_BYTES);
}
