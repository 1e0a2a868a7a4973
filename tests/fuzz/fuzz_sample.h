/* fuzz_sample.h - a small sound archive of made-up shards. */
#ifndef FUZZ_SAMPLE_H
#define FUZZ_SAMPLE_H

#include "fuzz.h"

#include "archive.h"
#include "file_list.h"
#include "work.h"

#include <string.h>

#define FUZZ_SHARDS 2u
#define FUZZ_CODED_BYTES 40u /* of a shard */

static inline cpr_status fuzz_give(void *context, uint64_t shard, uint64_t offset, uint8_t *out,
                                   size_t bytes, cpr_error *error)
{
    (void)context;
    (void)offset;
    (void)error;
    memset(out, (int)(1 + shard), bytes);
    return CPR_OK;
}

static inline void fuzz_add_file(cpr_file_list *list, const char *path, cpr_file_type type,
                                 uint64_t bytes)
{
    const cpr_file file = {.type = type,
                           .bytes = bytes,
                           .mode = type == CPR_FILE_DIRECTORY ? 0755 : 0644,
                           .mtime_seconds = 1000000000};
    uint64_t known;
    cpr_error error;
    REQUIRE(cpr_file_list_append(list, path, 0, &file, "target", &known, &error) == CPR_OK);
}

/* Writes it, with empty files behind the others up to `file_count`, and seals it. A small one has
 * one shard, no primer, and so its tables as a record. */
static inline void fuzz_write_archive(const char *path, size_t file_count, bool small)
{
    static const cpr_shard_info only = {
        .raw_bytes = 230, .coded_bytes = FUZZ_CODED_BYTES, .tokens = 60, .loss_bits = 65536};
    static const cpr_shard_info shards[FUZZ_SHARDS] = {
        {.raw_bytes = 100,
         .coded_bytes = FUZZ_CODED_BYTES,
         .tokens = 60,
         .loss_bits = 65536,
         .generation = 1},
        {.offset = 100,
         .raw_bytes = 130,
         .coded_bytes = FUZZ_CODED_BYTES,
         .loss_bits = 131072,
         .generation = 1},
    };
    static const cpr_shard_info primer = {.raw_bytes = 65536, .coded_bytes = FUZZ_CODED_BYTES};
    cpr_file_list *files = cpr_file_list_create();
    REQUIRE(files != NULL);
    fuzz_add_file(files, "a", CPR_FILE_DIRECTORY, 0);
    fuzz_add_file(files, "a/file", CPR_FILE_REGULAR, 80);
    fuzz_add_file(files, "a/link", CPR_FILE_SYMLINK, 0);
    fuzz_add_file(files, "a/other", CPR_FILE_REGULAR, 150);
    fuzz_add_file(files, "b", CPR_FILE_REGULAR, 0);
    for (size_t i = cpr_file_list_count(files); i < file_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "c%zu", i);
        fuzz_add_file(files, name, CPR_FILE_REGULAR, 0);
    }
    uint64_t *file_loss = calloc(cpr_file_list_count(files), sizeof *file_loss);
    REQUIRE(file_loss != NULL);
    file_loss[1] = 65536;
    file_loss[3] = 131072;
    const cpr_archive_header header = {
        .profile = "fast",
        .model = "blocks 1; coder 1; blob 1; tokens 1; mixing 1 contexts=0 lines=0 successors=3 "
                 "matches=5 "
                 "match-lanes=1 sets=2 refine=0 guess-from=45000 guess-shift=10 chances=0 "
                 "buckets=131072 line-pairs=0 successor-bits=17 history-bits=22",
        .shard_bytes = CPR_SHARD_BYTES_MIN,
        .vocabulary = (const uint8_t *)"some words",
        .vocabulary_bytes = 10,
        .files = files,
        .file_loss = file_loss,
        .shards = small ? &only : shards,
        .shard_count = small ? 1 : FUZZ_SHARDS,
        .primer = small ? NULL : &primer,
    };
    cpr_error error;
    REQUIRE(cpr_archive_create(path, &header, &error) == CPR_OK);
    REQUIRE(cpr_archive_write_bitstreams(path, 0, 1, fuzz_give, NULL, &error) == CPR_OK);
    REQUIRE(cpr_archive_seal(path, &error) == CPR_OK);
    cpr_file_list_free(files);
    free(file_loss);
}

#endif
