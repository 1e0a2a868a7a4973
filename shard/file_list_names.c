/* file_list_names.c - fills the list from a file that names paths. */
#define _GNU_SOURCE
#include "file_list.h"
#include "shard_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads a whole file or standard input into malloc()ed memory, with a NUL behind it. */
static cpr_status read_all(const char *path, char **text, size_t *bytes, cpr_error *error)
{
    const bool standard = strcmp(path, "-") == 0;
    const int fd = standard ? STDIN_FILENO : cpr_io_open(path, O_RDONLY);
    size_t capacity = (size_t)64 << 10;
    int code = fd < 0 ? errno : 0;
    *bytes = 0;
    *text = malloc(capacity);
    while (code == 0 && *text != NULL) {
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
        const ssize_t got = read(fd, *text + *bytes, capacity - *bytes - 1);
        if (got == 0)
            break;
        if (got > 0)
            *bytes += (size_t)got;
        else if (errno != EINTR)
            code = errno;
    }
    if (fd >= 0 && !standard)
        (void)close(fd);
    if (code == 0 && *text != NULL) {
        (*text)[*bytes] = '\0';
        return CPR_OK;
    }
    const bool memory = code == 0;
    free(*text);
    *text = NULL;
    if (memory)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the list of names");
    return cpr_io_fail(error, code, "read", standard ? "standard input" : path);
}

cpr_status cpr_file_list_add_from(cpr_file_list *list, const char *names_file,
                                  const cpr_list_options *options, cpr_error *error)
{
    char *text;
    size_t bytes;
    cpr_status status = read_all(names_file, &text, &bytes, error);
    if (status != CPR_OK)
        return status;
    const char separator = memchr(text, '\0', bytes) != NULL ? '\0' : '\n';
    for (char *name = text; status == CPR_OK && name < text + bytes;) {
        char *end = memchr(name, separator, (size_t)(text + bytes - name));
        if (end == NULL)
            end = text + bytes;
        *end = '\0';
        if (name != end) /* blank lines name nothing */
            status = cpr_file_list_add(list, name, options, error);
        name = end + 1;
    }
    free(text);
    return status;
}
