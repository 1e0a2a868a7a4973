/* page.c - the audit of an archive as a page: one HTML file, which needs nothing else. */
#include "page.h"

#include "page_body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static cpr_status page_fail(const char *path, int code, cpr_error *error)
{
    char shown[512];
    return cpr_fail(error, CPR_ERR_IO, "cannot write \"%s\": %s",
                    cpr_printable_path(path, shown, sizeof shown), strerror(code));
}

/* Whether a file is empty, or a page from here. */
static bool is_page(const char *path)
{
    char start[sizeof PAGE_MARK - 1];
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    const ssize_t got = fd >= 0 ? read(fd, start, sizeof start) : -1;
    if (fd >= 0)
        close(fd);
    return got == 0 ||
           (got == (ssize_t)sizeof start && memcmp(start, PAGE_MARK, sizeof start) == 0);
}

/* What else has the page's name is left as it is. */
static cpr_status page_check_old(const char *path, cpr_error *error)
{
    char shown[512];
    struct stat facts;
    if (lstat(path, &facts) != 0 || (S_ISREG(facts.st_mode) && is_page(path)))
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_EXISTS,
                    "\"%s\" is there, and is no page of an audit; it was left as it is",
                    cpr_printable_path(path, shown, sizeof shown));
}

/* The page's path while it is written, malloc()ed; *fd is open to it. */
static cpr_status page_create(const char *path, char **aside, int *fd, cpr_error *error)
{
    const size_t room = strlen(path) + 32;
    *aside = malloc(room);
    if (*aside == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a path");
    snprintf(*aside, room, "%s.tmp-%ld", path, (long)getpid());
    *fd = open(*aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (*fd >= 0)
        return CPR_OK;
    const cpr_status status = page_fail(path, errno, error);
    free(*aside);
    *aside = NULL;
    return status;
}

cpr_status page_check(const char *path, cpr_error *error)
{
    char *aside = NULL;
    int fd = -1;
    cpr_status status = page_check_old(path, error);
    if (status == CPR_OK)
        status = page_create(path, &aside, &fd, error);
    if (status == CPR_OK) {
        close(fd);
        unlink(aside);
    }
    free(aside);
    return status;
}

/* 0 or an errno. */
static int write_all(int fd, const char *text, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t written = write(fd, text, bytes);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            text += written;
            bytes -= (size_t)written;
        }
    }
    return fsync(fd) != 0 && errno != EINVAL ? errno : 0;
}

static cpr_status page_put(const char *path, const char *text, size_t bytes, cpr_error *error)
{
    char *aside = NULL;
    int fd = -1;
    cpr_status status = page_check_old(path, error);
    if (status == CPR_OK)
        status = page_create(path, &aside, &fd, error);
    if (status != CPR_OK)
        return status;
    int code = write_all(fd, text, bytes);
    if (close(fd) != 0 && code == 0)
        code = errno;
    if (code == 0 && rename(aside, path) != 0)
        code = errno;
    if (code != 0) {
        unlink(aside);
        status = page_fail(path, code, error);
    }
    free(aside);
    return status;
}

/* The page in memory. */
static cpr_status page_make(const page_audit *audit, const page_data *data,
                            const page_excerpts *excerpts, char **text, size_t *bytes,
                            cpr_error *error)
{
    FILE *out = open_memstream(text, bytes);
    bool good = out != NULL && page_body(out, audit, data, excerpts);
    if (out != NULL && fclose(out) != 0)
        good = false;
    return good ? CPR_OK : cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a page");
}

cpr_status page_write(const page_audit *audit, const char *path, const page_decoding *how,
                      size_t *bytes, cpr_error *error)
{
    char *text = NULL;
    page_data *data = malloc(sizeof *data);
    page_excerpts *excerpts = calloc(1, sizeof *excerpts);
    cpr_status status = CPR_OK;
    if (data == NULL || excerpts == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a page");
    if (status == CPR_OK)
        status = page_data_collect(audit, data, error);
    if (status == CPR_OK && how != NULL)
        status = page_excerpts_decode(audit, data, how, excerpts, error);
    if (status == CPR_OK)
        status = page_make(audit, data, how != NULL ? excerpts : NULL, &text, bytes, error);
    if (status == CPR_OK)
        status = page_put(path, text, *bytes, error);
    if (excerpts != NULL)
        page_excerpts_free(excerpts);
    free(excerpts);
    free(data);
    free(text);
    return status;
}
