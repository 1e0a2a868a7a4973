/* tar_notes.c - what records before a header say, and paths that are safe to name. */
#include "tar_private.h"

#include <string.h>

#define NANOSECONDS 1000000000u

void cpr_tar_notes_clear(cpr_tar_notes *notes)
{
    notes->path.given = notes->link.given = false; /* their texts are large, and stay */
    notes->has_bytes = notes->has_mtime = false;
    notes->is_sparse = notes->is_bad = false;
}

static bool text_set(cpr_tar_text *text, const uint8_t *value, size_t bytes)
{
    if (bytes > CPR_TAR_PATH_MAX_BYTES)
        return false;
    if (bytes > 0)
        memcpy(text->text, value, bytes);
    text->bytes = bytes;
    text->given = true;
    return true;
}

/* ---- records of pax -------------------------------------------------------------------------- */

/* Decimal digits up to *at; at least one, and no more than INT64_MAX. */
static bool digits_read(const uint8_t *text, size_t bytes, size_t *at, int64_t *number)
{
    const size_t start = *at;
    *number = 0;
    for (; *at < bytes && text[*at] >= '0' && text[*at] <= '9'; (*at)++) {
        const int digit = text[*at] - '0';
        if (*number > (INT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return *at > start;
}

static bool size_read(cpr_tar_notes *notes, const uint8_t *text, size_t bytes)
{
    int64_t number;
    size_t at = 0;
    notes->has_bytes = false;
    if (bytes == 0) /* as if there were none */
        return true;
    if (!digits_read(text, bytes, &at, &number) || at != bytes)
        return false;
    notes->bytes = (uint64_t)number;
    notes->has_bytes = true;
    return true;
}

/* The digits behind the point; those behind the ninth do not count. */
static uint32_t fraction_read(const uint8_t *text, size_t bytes)
{
    uint32_t nanoseconds = 0, unit = NANOSECONDS / 10;
    for (size_t i = 0; i < bytes && text[i] >= '0' && text[i] <= '9'; i++) {
        nanoseconds += (uint32_t)(text[i] - '0') * unit;
        unit /= 10;
    }
    return nanoseconds;
}

/* -1.25 is 0.75 seconds after -2. A time that is not one does not count. */
static void mtime_read(cpr_tar_notes *notes, const uint8_t *text, size_t bytes)
{
    int64_t seconds;
    const bool negative = bytes > 0 && text[0] == '-';
    size_t at = negative ? 1 : 0;
    uint32_t nanoseconds = 0;
    notes->has_mtime = false;
    if (!digits_read(text, bytes, &at, &seconds) || (at < bytes && text[at] != '.'))
        return;
    if (at < bytes)
        nanoseconds = fraction_read(text + at + 1, bytes - at - 1);
    if (negative)
        seconds = -seconds - (nanoseconds > 0);
    if (negative && nanoseconds > 0)
        nanoseconds = NANOSECONDS - nanoseconds;
    notes->has_mtime = true;
    notes->mtime_seconds = seconds;
    notes->mtime_nanoseconds = nanoseconds;
}

static bool key_is(const uint8_t *key, size_t bytes, const char *word)
{
    return bytes == strlen(word) && memcmp(key, word, bytes) == 0;
}

/* GNU tar, star and Solaris say so of a file of which the tar does not have all bytes. */
static bool key_tells_sparse(const uint8_t *key, size_t bytes)
{
    static const char gnu[] = "GNU.sparse.";
    return (bytes >= sizeof gnu - 1 && memcmp(key, gnu, sizeof gnu - 1) == 0) ||
           key_is(key, bytes, "SCHILY.realsize") || key_is(key, bytes, "SUN.holesdata");
}

/* Whether what has to be understood is. */
static bool record_note(cpr_tar_notes *notes, const uint8_t *key, size_t key_bytes,
                        const uint8_t *value, size_t bytes)
{
    if (key_is(key, key_bytes, "path"))
        return text_set(&notes->path, value, bytes);
    if (key_is(key, key_bytes, "linkpath"))
        return text_set(&notes->link, value, bytes);
    if (key_is(key, key_bytes, "size"))
        return size_read(notes, value, bytes);
    if (key_is(key, key_bytes, "mtime"))
        mtime_read(notes, value, bytes);
    else if (key_tells_sparse(key, key_bytes))
        notes->is_sparse = true;
    return true;
}

/* A record is "LENGTH KEY=VALUE\n"; its length counts all of that. Returns it, or 0: it is bad. */
static size_t record_read(cpr_tar_notes *notes, const uint8_t *records, size_t bytes)
{
    int64_t length;
    size_t key = 0;
    if (!digits_read(records, bytes, &key, &length) || (uint64_t)length > bytes ||
        key >= (size_t)length || records[key] != ' ' || records[length - 1] != '\n')
        return 0;
    key++;
    const size_t end = (size_t)length - 1;
    const uint8_t *equals = end > key ? memchr(records + key, '=', end - key) : NULL;
    if (equals == NULL)
        return 0;
    const size_t value = (size_t)(equals - records) + 1;
    return record_note(notes, records + key, value - 1 - key, records + value, end - value)
               ? (size_t)length
               : 0;
}

void cpr_tar_notes_add_pax(cpr_tar_notes *notes, const uint8_t *records, size_t bytes)
{
    size_t at = 0;
    while (at < bytes && records[at] != '\0') { /* some programs put NULs behind the last one */
        const size_t length = record_read(notes, records + at, bytes - at);
        if (length == 0) {
            notes->is_bad = true;
            return;
        }
        at += length;
    }
}

void cpr_tar_notes_add_long(cpr_tar_notes *notes, uint8_t type, const uint8_t *text, size_t bytes)
{
    const uint8_t *end = bytes > 0 ? memchr(text, '\0', bytes) : NULL;
    const size_t length = end != NULL ? (size_t)(end - text) : bytes;
    if (!text_set(type == 'K' ? &notes->link : &notes->path, text, length))
        notes->is_bad = true;
}

/* ---- paths ----------------------------------------------------------------------------------- */

bool cpr_tar_path_clean(const cpr_tar_text *path, char *out)
{
    size_t used = 0;
    for (size_t at = 0; at < path->bytes;) {
        const uint8_t *start = path->text + at;
        const uint8_t *slash = memchr(start, '/', path->bytes - at);
        const size_t length = slash != NULL ? (size_t)(slash - start) : path->bytes - at;
        at += length + 1;
        if (length == 0 || (length == 1 && start[0] == '.'))
            continue;
        if ((length == 2 && start[0] == '.' && start[1] == '.') ||
            memchr(start, '\0', length) != NULL)
            return false;
        if (used > 0)
            out[used++] = '/';
        memcpy(out + used, start, length);
        used += length;
    }
    out[used] = '\0';
    return true;
}

bool cpr_tar_link_clean(const cpr_tar_text *link, char *out)
{
    if (link->bytes == 0 || memchr(link->text, '\0', link->bytes) != NULL)
        return false;
    memcpy(out, link->text, link->bytes);
    out[link->bytes] = '\0';
    return true;
}
