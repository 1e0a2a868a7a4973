/* replay.c - runs a fuzz target where there is no libFuzzer: on every file of the directories that
 * are named, and on what becomes of each of them by random changes, always the same ones. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CHANGED_INPUTS 300      /* of each file */
#define MAX_INPUT_BYTES 65536u  /* of a file */
#define MAX_GROWN_BYTES 4096u   /* by changes */
#define SECONDS_PER_DIRECTORY 3 /* a slow build makes fewer changes */

static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

static size_t below(size_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)((state >> 20) % bound);
}

/* One change; returns the new size. There is room for MAX_INPUT_BYTES + MAX_GROWN_BYTES. */
static size_t change(uint8_t *input, size_t bytes)
{
    static const uint8_t edges[] = {0, 1, 32, 33, 127, 128, 254, 255};
    const size_t at = bytes > 0 ? below(bytes) : 0;
    const size_t length = 1 + below(bytes - at < 64 ? bytes - at + 1 : 64);
    switch (below(6)) {
    case 0: /* cut out */
        if (length > bytes - at)
            return at;
        memmove(input + at, input + at + length, bytes - at - length);
        return bytes - length;
    case 1: /* put in */
        if (bytes + length > MAX_INPUT_BYTES + MAX_GROWN_BYTES)
            return bytes;
        memmove(input + at + length, input + at, bytes - at);
        for (size_t i = 0; i < length; i++)
            input[at + i] = (uint8_t)below(256);
        return bytes + length;
    case 2: /* copy within */
        if (bytes > length)
            memmove(input + below(bytes - length), input + below(bytes - length), length);
        return bytes;
    case 3:
        if (bytes > 0)
            input[at] = edges[below(sizeof edges)];
        return bytes;
    default:
        if (bytes > 0)
            input[at] ^= (uint8_t)(1u << below(8));
        return bytes;
    }
}

/* On a copy of exactly that size, so that the address sanitizer sees what is read behind it. */
static void run(const uint8_t *input, size_t bytes)
{
    uint8_t *copy = malloc(bytes + (bytes == 0));
    REQUIRE(copy != NULL);
    memcpy(copy, input, bytes);
    (void)LLVMFuzzerTestOneInput(copy, bytes);
    free(copy);
}

static void replay_file(const char *path, double seconds)
{
    static uint8_t original[MAX_INPUT_BYTES];
    static uint8_t input[MAX_INPUT_BYTES + MAX_GROWN_BYTES];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    const size_t bytes = fread(original, 1, sizeof original, file);
    fclose(file);
    run(original, bytes);
    const clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
    unsigned made = 0;
    for (; made < CHANGED_INPUTS && clock() < end; made++) {
        size_t now = bytes;
        memcpy(input, original, bytes);
        for (size_t changes = 1 + below(4); changes > 0; changes--)
            now = change(input, now);
        run(input, now);
    }
    printf("%s: %zu bytes, and %u changed inputs\n", path, bytes, made);
}

static int visible(const struct dirent *item)
{
    return item->d_name[0] != '.';
}

static void replay_directory(const char *directory)
{
    struct dirent **items;
    const int count = scandir(directory, &items, visible, alphasort);
    if (count <= 0) {
        fprintf(stderr, "%s: no inputs\n", directory);
        exit(2);
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", directory, items[i]->d_name);
        replay_file(path, (double)SECONDS_PER_DIRECTORY / count);
        free(items[i]);
    }
    free(items);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat facts;
        if (stat(argv[i], &facts) == 0 && S_ISDIR(facts.st_mode))
            replay_directory(argv[i]);
        else
            replay_file(argv[i], 0);
    }
    return argc > 1 ? 0 : 2;
}
