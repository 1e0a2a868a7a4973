/* file_list_names.c - fills the list from a file that names paths. */
#define _GNU_SOURCE
#include "file_io.h"
#include "file_list.h"
#include "file_list_walk.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MILLISECONDS 200

/* Reads to the end into malloc()ed memory, with a NUL behind it; *text is NULL if memory ran out.
 * Returns 0 or an errno. */
static int read_all(int fd, const cpr_list_options *options, char **text, size_t *bytes,
                    cpr_status *stopped, cpr_error *error)
{
    size_t capacity = (size_t)64 << 10;
    bool ended = false;
    int code = 0;
    *bytes = 0;
    *text = malloc(capacity);
    while (code == 0 && *text != NULL && !ended && *stopped == CPR_OK) {
        size_t got;
        if (capacity - *bytes < 2) {
            char *more = realloc(*text, 2 * capacity);
            if (more == NULL) {
                free(*text);
                *text = NULL;
                break;
            }
            *text = more;
            capacity *= 2;
        }
        code = cpr_stream_read(fd, *text + *bytes, capacity - *bytes - 1, WAIT_MILLISECONDS, &got,
                               &ended);
        *bytes += got;
        if (options->poll != NULL)
            *stopped = options->poll(options->poll_context, error);
    }
    if (*text != NULL)
        (*text)[*bytes] = '\0';
    return code;
}

static cpr_status read_names(cpr_file_list *list, const char *path, const cpr_list_options *options,
                             char **text, size_t *bytes, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    struct stat facts;
    *text = NULL;
    const int fd = cpr_stream_open(path);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        const int code = errno;
        if (fd >= 0)
            close(fd);
        return cpr_io_fail(error, code, "read", cpr_stream_title(path));
    }
    if (!cpr_file_list_claim(list, path, &facts)) {
        close(fd);
        return cpr_fail(error, CPR_ERR_USAGE,
                        "\"%s\" cannot be a list of names and a part of the corpus at once",
                        cpr_printable_path(cpr_stream_title(path), shown, sizeof shown));
    }
    cpr_status status = CPR_OK;
    const int code = read_all(fd, options, text, bytes, &status, error);
    close(fd);
    if (code != 0)
        status = cpr_io_fail(error, code, "read", cpr_stream_title(path));
    else if (*text == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the list of names");
    return status;
}

static bool is_there(const char *path)
{
    const int fd = path[0] == '\0' ? -1 : cpr_io_open(path, O_PATH | O_NOFOLLOW);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* A line as other systems write it: ends in CR LF, and the first one begins with a byte order mark.
 * A name that really is so is one that exists. */
static char *clean_line(char *line, bool first)
{
    static const char mark[] = "\xef\xbb\xbf";
    const size_t length = strlen(line);
    const bool marked = first && strncmp(line, mark, sizeof mark - 1) == 0;
    const bool returned = length > 0 && line[length - 1] == '\r';
    if ((!marked && !returned) || is_there(line))
        return line;
    char *name = marked ? line + sizeof mark - 1 : line;
    if (marked && is_there(name))
        return name;
    if (returned)
        line[length - 1] = '\0';
    /* The mark may be a part of the name, though the line's end is not. */
    return returned && marked && is_there(line) ? line : name;
}

cpr_status cpr_file_list_add_from(cpr_file_list *list, const char *names_file,
                                  const cpr_list_options *options, cpr_error *error)
{
    static const cpr_list_options none = {.exclude = NULL};
    char shown[CPR_SHOWN_BYTES];
    char *text;
    size_t bytes = 0;
    uint64_t names = 0;
    if (options == NULL)
        options = &none;
    cpr_status status = read_names(list, names_file, options, &text, &bytes, error);
    const bool lines = status == CPR_OK && memchr(text, '\0', bytes) == NULL;
    for (char *name = text; status == CPR_OK && name < text + bytes;) {
        char *end = memchr(name, lines ? '\n' : '\0', (size_t)(text + bytes - name));
        if (end == NULL)
            end = text + bytes;
        *end = '\0';
        char *cleaned = lines ? clean_line(name, name == text) : name;
        if (*cleaned != '\0') { /* blank lines name nothing */
            status = cpr_file_list_add_name(list, cleaned, options, error);
            names++;
        }
        name = end + 1;
    }
    free(text);
    if (status == CPR_OK && names == 0)
        status = cpr_fail(error, CPR_ERR_NOT_FOUND, "the list \"%s\" names no file",
                          cpr_printable_path(cpr_stream_title(names_file), shown, sizeof shown));
    return status;
}
