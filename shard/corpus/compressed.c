/* compressed.c - whether a corpus is compressed already, by what its files begin with. */
#include "file_io.h"
#include "file_list.h"
#include "inputs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Places in the corpus that are looked at, and the share of them that is worth a word. */
#define PLACES 1000u
#define WORTH_PERCENT 10u

/* What file i is compressed with; CPR_INPUT_PLAIN: with nothing known, or it cannot be read. */
static cpr_input_kind look_at_file(const cpr_file_list *list, uint64_t i)
{
    uint8_t head[CPR_INPUT_HEAD_BYTES];
    struct stat facts;
    ssize_t got = -1;
    if (cpr_file_list_piece(list, i) != NULL)
        return CPR_INPUT_PLAIN; /* it is a text */
    const int fd = cpr_io_open(cpr_file_list_source(list, i), O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return CPR_INPUT_PLAIN;
    if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode))
        got = pread(fd, head, sizeof head, 0);
    close(fd);
    return got > 0 ? cpr_input_kind_of(head, (size_t)got) : CPR_INPUT_PLAIN;
}

/* Adds a name to a list of words. */
static void add_word(char *words, size_t capacity, const char *word)
{
    const size_t used = strlen(words);
    if (strstr(words, word) == NULL)
        snprintf(words + used, capacity - used, "%s%s", used > 0 ? ", " : "", word);
}

void cpr_file_list_judge_compressed(const cpr_file_list *list, const cpr_list_options *options)
{
    char found[128] = "";
    char shown[CPR_SHOWN_BYTES] = "";
    char text[2 * CPR_SHOWN_BYTES];
    const uint64_t bytes = cpr_file_list_bytes(list);
    cpr_input_kind kind = CPR_INPUT_PLAIN;
    bool decoded = false; /* whether there is a way to do that */
    uint64_t file = UINT64_MAX;
    unsigned hits = 0;
    for (unsigned i = 0; bytes > 0 && i < PLACES && options->warn != NULL; i++) {
        const uint64_t at = bytes / PLACES * i + bytes % PLACES * i / PLACES;
        const uint64_t here = cpr_file_list_find(list, at);
        if (here != file)
            kind = look_at_file(list, here);
        file = here;
        if (kind == CPR_INPUT_PLAIN)
            continue;
        hits++;
        if (shown[0] == '\0')
            cpr_printable_path(cpr_file_list_source(list, here), shown, sizeof shown);
        add_word(found, sizeof found, cpr_input_kind_name(kind));
        decoded = decoded || cpr_input_kind_is_decoded(kind);
    }
    if (hits < PLACES * WORTH_PERCENT / 100)
        return;
    snprintf(text, sizeof text,
             "about %u %% of the corpus is compressed already (%s), as is \"%s\", and gets hardly "
             "smaller; %s",
             (hits * 100 + PLACES / 2) / PLACES, found, shown,
             decoded ? "--decode-inputs takes the text in such files" : "decompressed it would");
    options->warn(options->warn_context, text);
}
