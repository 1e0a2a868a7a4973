/* fuzz_options.c - any text as a size, a time, a range, a list of shards or a path: accepted
 * exactly if it is one, with the right value; and as a pattern. */
#include "fuzz.h"

#include "arguments.h"
#include "corpus.h"
#include "pattern.h"

#include <inttypes.h>
#include <string.h>

/* The number at *text, which moves behind it. */
static bool take_number(const char **text, uint64_t *number)
{
    const size_t digits = strspn(*text, "0123456789");
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        const uint64_t digit = (uint64_t)(*(*text)++ - '0');
        if (*number > (UINT64_MAX - digit) / 10)
            return false;
        *number = 10 * *number + digit;
    }
    return digits > 0;
}

static void check_size(const char *text)
{
    static const char *const ends[] = {"",  "K", "M", "G",  "KB", "MB", "GB",  "KiB", "MiB", "GiB",
                                       "k", "m", "g", "kB", "mB", "gB", "kiB", "miB", "giB"};
    uint64_t parsed;
    uint64_t number = 0;
    unsigned shift = UINT32_MAX;
    const char *end = text;
    if (take_number(&end, &number))
        for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++)
            if (strcmp(end, ends[i]) == 0)
                shift = i == 0 ? 0 : 10 * (1 + (i - 1) % 3);
    const bool good = shift != UINT32_MAX && number <= UINT64_MAX >> shift;
    REQUIRE(argument_size(text, &parsed) == good);
    REQUIRE(!good || parsed == number << shift);
}

static void check_seconds(const char *text)
{
    double parsed;
    uint64_t number = 0;
    const char *end = text;
    const bool digits = take_number(&end, &number);
    const unsigned unit = strcmp(end, "h") == 0                     ? 3600
                          : strcmp(end, "m") == 0                   ? 60
                          : strcmp(end, "s") == 0 || end[0] == '\0' ? 1
                                                                    : 0;
    const bool good = digits && unit != 0 && number <= UINT32_MAX;
    REQUIRE(argument_seconds(text, &parsed) == good);
    REQUIRE(!good || parsed == (double)number * unit);
}

static void check_range(const char *text, uint64_t least)
{
    option_range parsed;
    uint64_t first = least;
    uint64_t last = UINT64_MAX;
    const char *at = text;
    const bool has_first = take_number(&at, &first);
    first = has_first ? first : least;
    bool good = has_first || (*at == '-' && at == text);
    if (good && *at == '-') {
        at++;
        good = take_number(&at, &last) || (has_first && *at == '\0' && at[-1] == '-');
        if (good && at[-1] == '-')
            last = UINT64_MAX;
    } else {
        last = first;
    }
    good = good && *at == '\0' && least <= first && first <= last;
    REQUIRE(argument_range(text, least, &parsed) == good);
    REQUIRE(!good || (parsed.given && parsed.first == first && parsed.last == last));
}

/* A text matches itself, where its special characters are taken as they are, and in a directory;
 * what matches what, test_pattern.c knows. */
static void check_pattern(const char *text)
{
    const size_t length = strlen(text);
    char *word = calloc(1, 2 * length + 3);
    char *member = calloc(1, length + 3);
    REQUIRE(word != NULL && member != NULL);
    size_t bytes = 0;
    for (size_t i = 0; i < length; i++) {
        if (strchr("*?[\\", text[i]) != NULL)
            word[bytes++] = '\\';
        word[bytes++] = text[i];
    }
    snprintf(member, length + 3, "%s/x", text);
    const pattern plain = pattern_make(word, false);
    if (cpr_member_path_is_safe(text))
        REQUIRE(pattern_matches(&plain, text, false) && pattern_matches(&plain, member, false));
    snprintf(word, length + 1, "%s", text);
    const pattern any = pattern_make(word, true);
    REQUIRE(pattern_matches(&any, member, false) <= pattern_matches(&any, member, true));
    free(word);
    free(member);
}

/* Whether `shard` is named by a list that was accepted. */
static bool is_named(const char *text, uint64_t shard)
{
    for (;;) {
        uint64_t first;
        uint64_t last;
        REQUIRE(take_number(&text, &first));
        last = first;
        if (*text == '-') {
            text++;
            REQUIRE(take_number(&text, &last) && first <= last);
        }
        if (first <= shard && shard <= last)
            return true;
        if (*text == '\0')
            return false;
        REQUIRE(*text++ == ',');
    }
}

static void check_shards(const char *text, uint64_t count)
{
    bool *selected = NULL;
    cpr_error error = {""};
    const cpr_status status = argument_shards(text, count, &selected, &error);
    if (status != CPR_OK) {
        REQUIRE(status == CPR_ERR_USAGE || status == CPR_ERR_NOT_FOUND);
        REQUIRE(error.text[0] != '\0');
    } else {
        for (uint64_t i = 0; i < count; i++)
            REQUIRE(selected[i] == is_named(text, i));
        REQUIRE(!is_named(text, count) && !is_named(text, UINT64_MAX));
    }
    free(selected);
}

static void check_path(char *text)
{
    const bool safe = cpr_member_path_is_safe(text);
    if (safe) { /* then it names itself */
        char *before = strdup(text);
        REQUIRE(before != NULL && strcmp(argument_member(text), before) == 0);
        free(before);
        return;
    }
    const char *end = text + strlen(text);
    const char *member = argument_member(text);
    REQUIRE(member >= text && member <= end);
    REQUIRE(member[0] != '/' && strncmp(member, "./", 2) != 0);
    REQUIRE(member[0] == '\0' || member[strlen(member) - 1] != '/');
}

/* The input: a number of shards, and a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes < 1)
        return 0;
    char *text = calloc(1, bytes);
    REQUIRE(text != NULL);
    memcpy(text, data + 1, bytes - 1);
    check_size(text);
    check_seconds(text);
    check_range(text, data[0] % 2);
    check_pattern(text);
    check_shards(text, data[0]);
    check_path(text);
    free(text);
    return 0;
}
