/* corpus_reader.c - the corpus as one stream of bytes, from its files. */
#define _GNU_SOURCE
#include "shard_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct cpr_corpus_reader {
    const cpr_file_list *list;
    int fd; /* -1: no file is open */
    uint64_t file;
};

cpr_corpus_reader *cpr_corpus_reader_create(const cpr_file_list *list)
{
    cpr_corpus_reader *reader = malloc(sizeof(*reader));
    if (reader != NULL)
        *reader = (cpr_corpus_reader){.list = list, .fd = -1};
    return reader;
}

void cpr_corpus_reader_free(cpr_corpus_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->fd >= 0)
        (void)close(reader->fd);
    free(reader);
}

static cpr_status changed(const cpr_corpus_reader *reader, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_printable_path(cpr_file_list_source(reader->list, reader->file), shown, sizeof(shown));
    return cpr_fail(error, CPR_ERR_CHANGED,
                    "\"%s\" changed while it was read; run again when nothing writes to it", shown);
}

/* Compares the open file with what the list says about it. */
static cpr_status check(const cpr_corpus_reader *reader, cpr_error *error)
{
    const cpr_file file = cpr_file_list_get(reader->list, reader->file);
    struct stat facts;
    if (fstat(reader->fd, &facts) != 0)
        return cpr_io_fail(error, errno, "read", cpr_file_list_source(reader->list, reader->file));
    if (!S_ISREG(facts.st_mode) || (uint64_t)facts.st_size != file.bytes ||
        facts.st_mtim.tv_sec != file.mtime_seconds ||
        (uint32_t)facts.st_mtim.tv_nsec != file.mtime_nanoseconds)
        return changed(reader, error);
    return CPR_OK;
}

cpr_status cpr_corpus_reader_finish(cpr_corpus_reader *reader, cpr_error *error)
{
    if (reader->fd < 0)
        return CPR_OK;
    const cpr_status status = check(reader, error);
    (void)close(reader->fd);
    reader->fd = -1;
    return status;
}

static cpr_status open_file(cpr_corpus_reader *reader, uint64_t file, cpr_error *error)
{
    if (reader->fd >= 0 && reader->file == file)
        return CPR_OK;
    const cpr_status status = cpr_corpus_reader_finish(reader, error);
    if (status != CPR_OK)
        return status;
    const char *path = cpr_file_list_source(reader->list, file);
    /* The list was made from a regular file. O_NONBLOCK: a FIFO in its place must not hang us. */
    reader->fd = cpr_io_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    reader->file = file;
    if (reader->fd < 0)
        return errno == ELOOP ? changed(reader, error) : cpr_io_fail(error, errno, "open", path);
    return check(reader, error);
}

cpr_status cpr_corpus_reader_read(cpr_corpus_reader *reader, uint64_t offset, uint8_t *out,
                                  size_t bytes, cpr_error *error)
{
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
                return changed(reader, error);
            if (code != 0)
                return cpr_io_fail(error, code, "read", cpr_file_list_source(reader->list, file));
            out += part;
            bytes -= part;
            offset += part;
        }
        ++file;
    }
    return CPR_OK;
}
