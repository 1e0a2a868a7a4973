/* lesson_store.h - blocks of a lesson in the order in which they are wanted.
 *
 * A lesson reads its blocks all over the corpus. Where the corpus is decoded from compressed files,
 * each block would cost a decoding from the beginning; so a rank reads all of its blocks once, in
 * the order of the corpus, into a scratch file. Everything here is local. */
#ifndef CPR_LESSON_STORE_H
#define CPR_LESSON_STORE_H

#include "compress_run.h"

typedef struct cpr_lesson_store {
    int fd;         /* -1: there is no store */
    uint64_t count; /* of the sample's blocks */
    uint32_t *slot; /* of each: where it is, from 1; 0: it is not there */
} cpr_lesson_store;

/* An empty store for a sample of so many blocks; without a scratch file if that is not needed. */
cpr_status cpr_lesson_store_open(const cpr_compress_run *run, uint64_t count,
                                 cpr_lesson_store *store, cpr_error *error);
void cpr_lesson_store_close(cpr_lesson_store *store);

/* Block i of the sample is wanted. */
void cpr_lesson_store_want(cpr_lesson_store *store, uint64_t i);

/* Reads all blocks that are wanted. */
cpr_status cpr_lesson_store_fill(cpr_lesson_store *store, const cpr_compress_run *run,
                                 cpr_corpus_reader *reader, cpr_error *error);

/* Block i of the sample: from the store, or by the reader if there is none. `block` has 64 KiB. */
cpr_status cpr_lesson_store_read(const cpr_lesson_store *store, const cpr_compress_run *run,
                                 cpr_corpus_reader *reader, uint64_t i, uint8_t *block,
                                 size_t *bytes, cpr_error *error);

#endif
