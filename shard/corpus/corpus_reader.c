/* corpus_reader.c - the corpus as one stream of bytes, from its files. */
#define _GNU_SOURCE
#include "corpus.h"
#include "file_io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define COMPARE_BYTES ((size_t)256 << 10)

struct cpr_corpus_reader {
    const cpr_file_list *list;
    int fd; /* -1: no file is open */
    uint64_t file;
    struct timespec mtime, ctime; /* of the open file, when it was opened */
    bool touched;
    uint64_t touched_file; /* the first, if touched */
};

cpr_corpus_reader *cpr_corpus_reader_create(const cpr_file_list *list)
{
    cpr_corpus_reader *reader = malloc(sizeof *reader);
    if (reader != NULL)
        *reader = (cpr_corpus_reader){.list = list, .fd = -1};
    return reader;
}

void cpr_corpus_reader_free(cpr_corpus_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader);
}

/* `now` says what it is now, in words. */
static cpr_status changed(const cpr_corpus_reader *reader, const char *now, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    const cpr_file file = cpr_file_list_get(reader->list, reader->file);
    cpr_printable_path(cpr_file_list_source(reader->list, reader->file), shown, sizeof shown);
    return cpr_fail(error, CPR_ERR_CHANGED,
                    "\"%s\" changed while it was read: it was a file of %" PRIu64
                    " bytes, and is %s; "
                    "put it back as it was to go on",
                    shown, file.bytes, now);
}

/* Compares the open file's type and size with what the list says about them. */
static cpr_status check(const cpr_corpus_reader *reader, struct stat *facts, cpr_error *error)
{
    const cpr_file file = cpr_file_list_get(reader->list, reader->file);
    char now[64];
    if (fstat(reader->fd, facts) != 0)
        return cpr_io_fail(error, errno, "read", cpr_file_list_source(reader->list, reader->file));
    if (!S_ISREG(facts->st_mode))
        return changed(reader, "no file any more", error);
    if ((uint64_t)facts->st_size == file.bytes)
        return CPR_OK;
    snprintf(now, sizeof now, "one of %lld", (long long)facts->st_size);
    return changed(reader, now, error);
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

cpr_status cpr_corpus_reader_finish(cpr_corpus_reader *reader, cpr_error *error)
{
    struct stat facts;
    if (reader->fd < 0)
        return CPR_OK;
    const cpr_status status = check(reader, &facts, error);
    if (status == CPR_OK && !reader->touched &&
        !(same_time(reader->mtime, facts.st_mtim) && same_time(reader->ctime, facts.st_ctim))) {
        reader->touched = true;
        reader->touched_file = reader->file;
    }
    close(reader->fd);
    reader->fd = -1;
    return status;
}

bool cpr_corpus_reader_touched(cpr_corpus_reader *reader, uint64_t *file)
{
    const bool touched = reader->touched;
    *file = reader->touched_file;
    reader->touched = false;
    return touched;
}

static cpr_status open_file(cpr_corpus_reader *reader, uint64_t file, cpr_error *error)
{
    if (reader->fd >= 0 && reader->file == file)
        return CPR_OK;
    const cpr_status status = cpr_corpus_reader_finish(reader, error);
    if (status != CPR_OK)
        return status;
    const char *path = cpr_file_list_source(reader->list, file);
    const int follow = cpr_file_list_get(reader->list, file).through_link ? 0 : O_NOFOLLOW;
    /* The list was made from a regular file. O_NONBLOCK: a FIFO in its place must not hang us. */
    reader->fd = cpr_io_open(path, O_RDONLY | follow | O_NONBLOCK);
    reader->file = file;
    if (reader->fd < 0)
        return errno == ELOOP ? changed(reader, "a link", error)
                              : cpr_io_fail(error, errno, "open", path);
    struct stat facts;
    const cpr_status opened = check(reader, &facts, error);
    reader->mtime = facts.st_mtim;
    reader->ctime = facts.st_ctim;
    return opened;
}

cpr_status cpr_corpus_reader_read(cpr_corpus_reader *reader, uint64_t offset, uint8_t *out,
                                  size_t bytes, cpr_error *error)
{
    assert(offset <= cpr_file_list_bytes(reader->list) &&
           bytes <= cpr_file_list_bytes(reader->list) - offset);
    if (bytes == 0)
        return CPR_OK;
    uint64_t file = cpr_file_list_find(reader->list, offset);
    while (bytes > 0) {
        const uint64_t start = cpr_file_list_offset(reader->list, file);
        const uint64_t end = cpr_file_list_offset(reader->list, file + 1);
        const size_t part = end - offset < bytes ? (size_t)(end - offset) : bytes;
        if (part > 0) {
            const cpr_status status = open_file(reader, file, error);
            if (status != CPR_OK)
                return status;
            const int code = cpr_io_pread(reader->fd, out, part, offset - start);
            if (code == CPR_IO_END)
                return changed(reader, "shorter", error);
            if (code != 0)
                return cpr_io_fail(error, code, "read", cpr_file_list_source(reader->list, file));
            out += part;
            bytes -= part;
            offset += part;
        }
        file++;
    }
    return CPR_OK;
}

cpr_status cpr_corpus_reader_compare(cpr_corpus_reader *reader, uint64_t offset, uint64_t bytes,
                                     cpr_hash128 hash, bool *same, cpr_watch watch,
                                     cpr_error *error)
{
    uint8_t *block = malloc(COMPARE_BYTES);
    XXH3_state_t *state = XXH3_createState();
    cpr_status status = CPR_OK;
    *same = false;
    if (block == NULL || state == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to compare the corpus");
    else
        XXH3_128bits_reset(state);
    for (uint64_t at = 0; status == CPR_OK && at < bytes;) {
        const size_t part = bytes - at < COMPARE_BYTES ? (size_t)(bytes - at) : COMPARE_BYTES;
        status = cpr_corpus_reader_read(reader, offset + at, block, part, error);
        if (status == CPR_OK)
            XXH3_128bits_update(state, block, part);
        at += part;
        if (status == CPR_OK)
            status = cpr_watch_tell(watch, at, 0, error);
    }
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(reader, error);
    if (status == CPR_OK) {
        const XXH128_hash_t digest = XXH3_128bits_digest(state);
        *same = digest.high64 == hash.high && digest.low64 == hash.low;
    }
    XXH3_freeState(state);
    free(block);
    return status;
}
