/* arguments.c - numbers, lists and paths in arguments. */
#include "arguments.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool argument_size(const char *text, uint64_t *bytes)
{
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    char *end;
    const unsigned long long number = strtoull(text, &end, 10);
    if (errno)
        return false;
    unsigned shift = 0;
    if (*end == 'K' || *end == 'k')
        shift = 10;
    else if (*end == 'M' || *end == 'm')
        shift = 20;
    else if (*end == 'G' || *end == 'g')
        shift = 30;
    if (shift) {
        end++;
        if (end[0] == 'i' && end[1] == 'B')
            end += 2;
        else if (*end == 'B')
            end++;
    }
    if (*end || number > UINT64_MAX >> shift)
        return false;
    *bytes = (uint64_t)number << shift;
    return true;
}

bool argument_shard_size(const char *text, uint64_t *bytes)
{
    return argument_size(text, bytes) && *bytes >= CPR_SHARD_BYTES_MIN &&
           *bytes <= CPR_SHARD_BYTES_MAX;
}

bool argument_seconds(const char *text, double *seconds)
{
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    char *end;
    const unsigned long long number = strtoull(text, &end, 10);
    const unsigned unit = *end == 'h' ? 3600 : *end == 'm' ? 60 : 1;
    if (*end == 'h' || *end == 'm' || *end == 's')
        end++;
    if (errno || *end || number > UINT32_MAX)
        return false;
    *seconds = (double)number * unit;
    return true;
}

bool argument_part(const char *text, option_part *part)
{
    uint64_t values[2] = {0, 0};
    for (unsigned i = 0; i < 2; i++) {
        const char *first = text;
        for (; *text >= '0' && *text <= '9' && values[i] <= UINT32_MAX; text++)
            values[i] = 10 * values[i] + (uint64_t)(*text - '0');
        if (text == first || *text != (i == 0 ? '/' : '\0'))
            return false;
        text += i == 0;
    }
    *part = (option_part){.number = values[0] - 1, .parts = values[1]};
    return values[0] >= 1 && values[0] <= values[1];
}

/* A number at *text, which moves behind it. */
static bool parse_number(const char **text, uint64_t *number)
{
    if (!isdigit((unsigned char)**text))
        return false;
    errno = 0;
    char *end;
    const unsigned long long parsed = strtoull(*text, &end, 10);
    *text = end;
    *number = parsed;
    return errno == 0;
}

bool argument_number(const char *text, option_number *number)
{
    number->given = true;
    return parse_number(&text, &number->number) && *text == '\0';
}

bool argument_thousandths(const char *text, option_number *number)
{
    uint64_t whole;
    uint64_t part = 0;
    number->given = true;
    if (!parse_number(&text, &whole) || whole > UINT32_MAX)
        return false;
    const bool point = *text == '.' && isdigit((unsigned char)text[1]);
    text += point;
    for (uint64_t unit = 100; point && isdigit((unsigned char)*text); unit /= 10) {
        if (unit == 0)
            return false;
        part += unit * (uint64_t)(*text++ - '0');
    }
    number->number = 1000 * whole + part;
    return *text == '\0';
}

bool argument_offset(const char *text, option_offset *offset)
{
    offset->given = true;
    offset->from_end = *text == '-';
    return argument_size(text + offset->from_end, &offset->bytes);
}

bool argument_range(const char *text, uint64_t least, option_range *range)
{
    *range = (option_range){.given = true, .first = least, .last = UINT64_MAX};
    const bool first = *text != '-';
    if (first && !parse_number(&text, &range->first))
        return false;
    range->last = *text == '\0' ? range->first : UINT64_MAX;
    if (*text == '-' && *++text == '\0')
        return first && range->first >= least;
    if (*text != '\0' && !parse_number(&text, &range->last))
        return false;
    return *text == '\0' && least <= range->first && range->first <= range->last;
}

cpr_status argument_shards(const char *text, uint64_t shard_count, bool **selected,
                           cpr_error *error)
{
    *selected = calloc((size_t)shard_count + 1, sizeof **selected);
    if (*selected == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    const char *at = text;
    for (;;) {
        uint64_t first = 0;
        bool good = parse_number(&at, &first);
        uint64_t last = first;
        if (good && *at == '-') {
            at++;
            good = parse_number(&at, &last) && first <= last;
        }
        if (!good || (*at && *at != ','))
            return cpr_fail(error, CPR_ERR_USAGE, "--shards wants a list such as 3,7-9, not '%s'",
                            text);
        if (last >= shard_count)
            return cpr_fail(error, CPR_ERR_NOT_FOUND,
                            "no shard %llu: the archive has %llu, counted from 0",
                            (unsigned long long)last, (unsigned long long)shard_count);
        memset(*selected + first, 1, (size_t)(last - first + 1));
        if (!*at)
            return CPR_OK;
        at++;
    }
}

/* Linux' limits for a path and its components. */
#define PATH_BYTES_MOST 4095
#define NAME_BYTES_MOST 255

bool argument_is_member(const char *text)
{
    if (strlen(text) > PATH_BYTES_MOST)
        return false;
    for (const char *part = text;; part++) {
        const size_t length = strcspn(part, "/");
        if (length == 0 || length > NAME_BYTES_MOST || (length == 1 && part[0] == '.') ||
            (length == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part += length;
        if (*part == '\0')
            return true;
    }
}

char *argument_member(char *text)
{
    for (;;) {
        if (text[0] == '/')
            text++;
        else if (text[0] == '.' && text[1] == '/')
            text += 2;
        else
            break;
    }
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '/')
        text[--length] = '\0';
    return text;
}

char *argument_join(const char *first, const char *second)
{
    const size_t room = strlen(first) + strlen(second) + 1;
    char *joined = malloc(room);
    if (joined != NULL)
        snprintf(joined, room, "%s%s", first, second);
    return joined;
}
