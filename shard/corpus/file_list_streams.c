/* file_list_streams.c - what the user names: files, and what can be read only once. */
#define _GNU_SOURCE
#include "file_io.h"
#include "file_list_walk.h"
#include "stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)1 << 20)
#define WAIT_MILLISECONDS 200

/* ---- adding --------------------------------------------------------------------------------- */

/* The path without a leading '/', empty, "." and ".." components; malloc()ed. */
static char *own_name(const char *path)
{
    char *name = malloc(strlen(path) + 2);
    size_t length = 0;
    while (name != NULL && *path != '\0') {
        const size_t bytes = strcspn(path, "/");
        if (bytes == 2 && strncmp(path, "..", 2) == 0) {
            length = 0;
        } else if (bytes > 1 || (bytes == 1 && path[0] != '.')) {
            if (length > 0)
                name[length++] = '/';
            memcpy(name + length, path, bytes);
            length += bytes;
        }
        path += bytes + (path[bytes] == '/');
    }
    if (name != NULL)
        name[length] = '\0';
    return name;
}

static bool has_name_from_system(const char *path)
{
    return cpr_stream_descriptor(path) >= 0 || strncmp(path, "/dev/", 5) == 0 ||
           strncmp(path, "/proc/", 6) == 0;
}

static cpr_status add_stream(cpr_file_list *list, const char *path, const struct stat *facts,
                             const cpr_list_options *options, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    const char *base = options->stream_name;
    if (base == NULL && has_name_from_system(path))
        base = "stdin";
    if (!cpr_file_list_claim(list, path, facts))
        return cpr_fail(error, CPR_ERR_USAGE, "\"%s\" cannot be read twice",
                        cpr_printable_path(cpr_stream_title(path), shown, sizeof shown));
    if (base == NULL) {
        char *name = own_name(path);
        const cpr_status status = name == NULL
                                      ? cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory")
                                      : cpr_file_list_append_stream(list, path, name, error);
        free(name);
        return status;
    }
    const size_t room = strlen(base) + 32;
    char *name = malloc(room);
    if (name == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    snprintf(name, room, "%s", base);
    /* Those before it, if any, have all been named so, or after themselves. */
    uint64_t number = 1;
    for (size_t i = 0; i < cpr_file_list_streams(list); i++)
        number +=
            has_name_from_system(cpr_file_list_stream(list, i)) || options->stream_name != NULL;
    if (number > 1)
        snprintf(name, room, "%s.%" PRIu64, base, number);
    const cpr_status status = cpr_file_list_append_stream(list, path, name, error);
    free(name);
    return status;
}

cpr_status cpr_file_list_add(cpr_file_list *list, const char *path, const cpr_list_options *options,
                             cpr_error *error)
{
    static const cpr_list_options none = {.exclude = NULL};
    char shown[CPR_SHOWN_BYTES];
    struct stat facts;
    const int descriptor = cpr_stream_descriptor(path);
    if (options == NULL)
        options = &none;
    if (descriptor >= 0) {
        if (fstat(descriptor, &facts) != 0)
            return cpr_io_fail(error, errno, "read", cpr_stream_title(path));
        return add_stream(list, path, &facts, options, error);
    }
    if (stat(path, &facts) == 0 && S_ISFIFO(facts.st_mode))
        return add_stream(list, path, &facts, options, error);
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode))
        return cpr_fail(error, CPR_ERR_IO,
                        "\"%s\" is a %s, not a file; what it gives can be read as - from standard "
                        "input",
                        cpr_printable_path(path, shown, sizeof shown),
                        S_ISSOCK(facts.st_mode) ? "socket" : "device");
    const uint64_t count = cpr_file_list_count(list);
    const cpr_status status = cpr_file_list_add_name(list, path, options, error);
    if (status == CPR_OK && cpr_file_list_count(list) == count + 1 &&
        cpr_file_list_get(list, count).type == CPR_FILE_SYMLINK)
        cpr_file_list_note_link(list, count);
    return status;
}

const char *cpr_file_list_stream(const cpr_file_list *list, size_t i)
{
    return cpr_file_list_source(list, cpr_file_list_stream_file(list, i));
}

cpr_status cpr_file_list_check_streams(const cpr_file_list *list, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    for (size_t i = 0; i < cpr_file_list_streams(list); i++) {
        char *member = strdup(cpr_file_list_member(list, cpr_file_list_stream_file(list, i)));
        if (member == NULL)
            return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
        bool good = true;
        for (char *slash = strchr(member, '/'); good && slash != NULL;
             slash = strchr(slash + 1, '/')) {
            *slash = '\0';
            const uint64_t above = cpr_file_list_lookup(list, member);
            *slash = '/';
            good = above == UINT64_MAX || cpr_file_list_get(list, above).type == CPR_FILE_DIRECTORY;
        }
        cpr_printable_path(member, shown, sizeof shown);
        free(member);
        if (!good)
            return cpr_fail(error, CPR_ERR_USAGE,
                            "\"%s\" lies below what is a link or a file in the archive", shown);
    }
    return CPR_OK;
}

cpr_status cpr_file_list_count_stream(cpr_file_list *list, size_t i, cpr_poll_fn *poll,
                                      void *poll_context, cpr_error *error)
{
    const char *path = cpr_stream_title(cpr_file_list_stream(list, i));
    const int fd = cpr_stream_open(cpr_file_list_stream(list, i));
    if (fd < 0)
        return cpr_io_fail(error, errno, "open", path);
    cpr_status status = CPR_OK;
    uint64_t bytes = 0;
    bool ended = false;
    void *buffer = malloc(BUFFER_BYTES);
    if (buffer == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    while (status == CPR_OK && !ended) {
        size_t got;
        const int code = cpr_stream_read(fd, buffer, BUFFER_BYTES, WAIT_MILLISECONDS, &got, &ended);
        bytes += got;
        if (code != 0)
            status = cpr_io_fail(error, code, "read", path);
        else if (poll != NULL)
            status = poll(poll_context, error);
    }
    free(buffer);
    close(fd);
    return status == CPR_OK ? cpr_file_list_set_stream(list, i, NULL, bytes, error) : status;
}

/* ---- what a corpus lacks -------------------------------------------------------------------- */

static void warn(const cpr_list_options *options, const char *text)
{
    if (options->warn != NULL)
        options->warn(options->warn_context, text);
}

/* Whether what a link leads to is a member, as far as paths tell. */
static bool target_is_member(const cpr_file_list *list, uint64_t link)
{
    const char *member = cpr_file_list_member(list, link);
    const char *target = cpr_file_list_link_target(list, link);
    const char *slash = target[0] == '/' ? NULL : strrchr(member, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - member);
    char *path = malloc(length + strlen(target) + 2);
    bool within = path != NULL;
    if (within)
        memcpy(path, member, length);
    while (within && *target != '\0') {
        const size_t bytes = strcspn(target, "/");
        if (bytes == 2 && strncmp(target, "..", 2) == 0) {
            within = length > 0;
            while (length > 0 && path[--length] != '/')
                ;
        } else if (bytes > 1 || (bytes == 1 && target[0] != '.')) {
            if (length > 0)
                path[length++] = '/';
            memcpy(path + length, target, bytes);
            length += bytes;
        }
        target += bytes + (target[bytes] == '/');
    }
    if (within) {
        path[length] = '\0';
        within = cpr_file_list_lookup(list, path) != UINT64_MAX;
    }
    free(path);
    return within;
}

void cpr_file_list_judge(const cpr_file_list *list, const cpr_list_options *options)
{
    static const char advice[] = "; links are kept as links, and -L takes what they lead to";
    char shown[CPR_SHOWN_BYTES];
    char text[2 * CPR_SHOWN_BYTES];
    uint64_t files = 0;
    uint64_t links = 0;
    for (uint64_t i = 0; i < cpr_file_list_count(list); i++) {
        const cpr_file_type type = cpr_file_list_get(list, i).type;
        files += type == CPR_FILE_REGULAR;
        links += type == CPR_FILE_SYMLINK;
    }
    const char *more = options->dereference ? "" : advice;
    /* A tree of nothing but directories is kept whole: there are no bytes that it could lack. */
    if (files == 0 && links == 0 && cpr_file_list_count(list) > 1)
        return;
    if (files == 0 && links == 0) {
        warn(options, "the corpus holds no files");
    } else if (cpr_file_list_bytes(list) == 0) {
        snprintf(text, sizeof text,
                 "the corpus holds no bytes, only %" PRIu64 " empty files and %" PRIu64 " links%s",
                 files, links, more);
        warn(options, text);
    } else if (links > files) {
        snprintf(text, sizeof text,
                 "the corpus has more links than files, %" PRIu64 " and %" PRIu64 "%s", links,
                 files, more);
        warn(options, text);
    } else {
        for (size_t i = 0; i < cpr_file_list_noted_links(list); i++) {
            const uint64_t link = cpr_file_list_noted_link(list, i);
            if (target_is_member(list, link))
                continue;
            cpr_printable_path(cpr_file_list_source(list, link), shown, sizeof shown);
            snprintf(text, sizeof text,
                     "\"%s\" is a link, and what it leads to is not in the archive%s", shown, more);
            warn(options, text);
        }
    }
}
