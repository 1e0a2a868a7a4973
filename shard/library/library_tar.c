/* library_tar.c - puts a tar together again: its members, and the rest between them. */
#include "archive.h"
#include "corpress_inputs.h"
#include "input_untar.h"
#include "library_reader.h"
#include "tar.h"

#include <stdlib.h>
#include <string.h>

/* Text that is decoded of the rest at a time. */
#define PIECE_BYTES ((size_t)256 << 10)

typedef struct tar_join {
    const cpr_file_list *files;
    cpr_reader *reader; /* of the members */
    const char *folder; /* of the tar in the archive */
    uint64_t next;      /* the file that the next member may be */
    uint64_t end;       /* the rest of the tar */
    cpr_sink sink;
    cpr_watch watch;
    uint64_t done; /* bytes of the tar so far */
} tar_join;

static cpr_status join_write(tar_join *join, const uint8_t *data, size_t bytes, cpr_error *error)
{
    const cpr_status status = join->sink.write(join->sink.context, data, bytes, error);
    join->done += bytes;
    return status == CPR_OK ? cpr_watch_tell(join->watch, join->done, 0, error) : status;
}

/* A cpr_write_fn for members, and cpr_tar_events.frame. */
static cpr_status join_take(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    return join_write(context, data, bytes, error);
}

/* The path of a file in its tar. */
static const char *join_path(const tar_join *join, uint64_t file)
{
    const size_t bytes = strlen(join->folder);
    const char *path = cpr_file_list_member(join->files, file);
    return strncmp(path, join->folder, bytes) == 0 && path[bytes] == '/' ? path + bytes + 1 : "";
}

/* Whether a file is the member of that path: of its path, or of it with a mark, as earlier members
 * of a path have whose last one is a file. */
static bool join_fits(const tar_join *join, uint64_t file, const char *path)
{
    const char *member = cpr_file_list_member(join->files, file);
    const char *row = join_path(join, file);
    if (strcmp(row, path) == 0)
        return true;
    if (!cpr_untar_is_path_of(row, path))
        return false;
    char *plain = strndup(member, (size_t)(row - member) + strlen(path));
    const uint64_t last = plain != NULL ? cpr_file_list_lookup(join->files, plain) : UINT64_MAX;
    free(plain);
    return last != UINT64_MAX && cpr_file_list_get(join->files, last).type == CPR_FILE_REGULAR;
}

/* As cpr_tar_events.member: whether it is the next file, which then is written. */
static cpr_status join_member(void *context, const cpr_tar_member *member, bool *taken,
                              cpr_error *error)
{
    tar_join *join = context;
    while (join->next < join->end && cpr_file_list_get(join->files, join->next).bytes == 0)
        join->next++;
    if (join->next == join->end || member->type != CPR_FILE_REGULAR || member->bytes == 0)
        return CPR_OK;
    const uint64_t bytes = cpr_file_list_get(join->files, join->next).bytes;
    if (bytes != member->bytes || !join_fits(join, join->next, member->path))
        return CPR_OK;
    *taken = true;
    return cpr_reader_stream(join->reader, cpr_file_list_offset(join->files, join->next++), bytes,
                             (cpr_sink){join_take, join}, CPR_NO_WATCH, error);
}

/* Feeds the parser with the rest of the tar, which `reader` decodes. */
static cpr_status join_feed(const tar_join *join, cpr_tar *tar, cpr_reader *reader,
                            cpr_error *error)
{
    const uint64_t offset = cpr_file_list_offset(join->files, join->end);
    const uint64_t bytes = cpr_file_list_get(join->files, join->end).bytes;
    uint8_t *piece = malloc(PIECE_BYTES);
    cpr_status status = CPR_OK;
    if (piece == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to put a tar together");
    for (uint64_t at = 0; status == CPR_OK && at < bytes;) {
        const size_t part = bytes - at < PIECE_BYTES ? (size_t)(bytes - at) : PIECE_BYTES;
        status = cpr_reader_load(reader, offset + at, part, piece, error);
        if (status == CPR_OK)
            status = cpr_tar_feed(tar, piece, part, error);
        at += part;
    }
    free(piece);
    return status;
}

cpr_status cpr_reader_tar(cpr_reader *reader, uint64_t number, cpr_sink sink, cpr_watch watch,
                          cpr_error *error)
{
    cpr_input_facts input;
    cpr_status status = cpr_archive_input(cpr_reader_archive(reader), number, &input, error);
    if (status != CPR_OK)
        return status;
    if (!input.is_tar)
        return cpr_fail(error, CPR_ERR_USAGE, "input %llu was no tar", (unsigned long long)number);
    const cpr_file_list *files = cpr_archive_info(cpr_reader_archive(reader))->files;
    tar_join join = {.files = files,
                     .reader = reader,
                     .folder = cpr_file_list_member(files, input.first_file),
                     .next = input.first_file + 1,
                     .end = input.first_file + input.files - 1,
                     .sink = sink,
                     .watch = watch};
    const cpr_tar_events events = {join_member, NULL, join_take, &join};
    cpr_tar *tar = cpr_tar_create(&events, true);
    cpr_reader *rest = NULL;
    if (tar == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to put a tar together");
    /* Members and the rest lie in different shards, as a rule: each goes on in its own. */
    if (status == CPR_OK)
        status = cpr_reader_prime(reader, CPR_NO_WATCH, error);
    if (status == CPR_OK)
        status = cpr_reader_copy(reader, &rest, error);
    if (status == CPR_OK)
        status = join_feed(&join, tar, rest, error);
    if (status == CPR_OK && join.done != input.text_bytes)
        status = cpr_fail(error, CPR_ERR_DAMAGED, "the parts of a tar do not fit together");
    cpr_reader_close(rest);
    cpr_tar_free(tar);
    return status;
}
