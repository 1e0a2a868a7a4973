/* test_reader.h - a small archive with a primer, and readers of it. */
#ifndef TEST_READER_H
#define TEST_READER_H

#include "test_files.h"

#include "archive.h"
#include "corpress_mpi.h"
#include "corpress_speed.h"

#define TEXT_BYTES ((size_t)4500000)

static char *text;

static inline void make_text(void)
{
    static const char *const words[] = {"shard ", "model ", "learns ", "the ", "text ",  "of ",
                                        "a ",     "corpus", "and ",    "it\n", "again ", "codes. "};
    uint64_t seed = 7;
    text = malloc(TEXT_BYTES + 16);
    assert_non_null(text);
    for (size_t at = 0; at < TEXT_BYTES;) {
        const char *word = words[next_random(&seed) % (sizeof words / sizeof *words)];
        memcpy(text + at, word, strlen(word));
        at += strlen(word);
    }
}

static inline void compress(const char *archive, const char *profile)
{
    cpr_error error = {.text = ""};
    cpr_ranks *ranks = NULL;
    const char *const paths[] = {"corpus"};
    const cpr_compress_options options = {.archive_path = archive,
                                          .input = {.paths = paths, .path_count = 1},
                                          .profile = cpr_profile_find(profile),
                                          .shard_bytes = CPR_SHARD_BYTES_MIN,
                                          .overwrite = true};
    assert_int_equal(cpr_ranks_start(&ranks, &error), CPR_OK);
    if (cpr_compress(ranks, &options, NULL, NULL, &error) != CPR_OK)
        fail_msg("%s", error.text);
    cpr_ranks_end(ranks);
}

/* a.h5, of a corpus in five shards with a primer. */
static inline int make_archive(void **state)
{
    if (enter_test_directory(state) != 0)
        return -1;
    make_text();
    put_file("corpus", text, TEXT_BYTES);
    compress("a.h5", "fast");
    return 0;
}

static inline int free_archive(void **state)
{
    free(text);
    return leave_test_directory(state);
}

typedef struct opened {
    cpr_archive *archive;
    cpr_reader *reader;
} opened;

static inline opened open_both(const char *path, const char *cache)
{
    opened o;
    cpr_error error = {.text = ""};
    if (cpr_archive_open(path, &o.archive, &error) != CPR_OK ||
        cpr_reader_open(o.archive, &o.reader, &error) != CPR_OK ||
        cpr_reader_set_cache(o.reader, cache, 0, &error) != CPR_OK)
        fail_msg("%s", error.text);
    return o;
}

static inline void close_both(opened *o)
{
    cpr_reader_close(o->reader);
    cpr_archive_close(o->archive);
}

static inline void assert_text(cpr_reader *reader, uint64_t offset, size_t bytes)
{
    cpr_error error = {.text = ""};
    uint8_t *out = malloc(bytes);
    assert_non_null(out);
    if (cpr_reader_load(reader, offset, bytes, out, &error) != CPR_OK)
        fail_msg("%s", error.text);
    assert_memory_equal(out, text + offset, bytes);
    free(out);
}

#endif
