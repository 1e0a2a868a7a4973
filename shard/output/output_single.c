/* output_single.c - one file below a directory, written from its first byte to its last. */
#include "output.h"
#include "output_file.h"
#include "output_paths.h"
#include "output_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct cpr_output_single {
    cpr_output_paths paths;
    const char *member;
    const char *name; /* its last component */
    int directory;    /* that holds it; belongs to `paths` */
    int fd;
    bool overwrite;
    char temporary[CPR_OUTPUT_NAME_BYTES];
};

/* CPR_ERR_EXISTS if the name is taken. */
static cpr_status single_check_name(const cpr_output_single *single, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    struct stat facts;
    if (single->overwrite ||
        fstatat(single->directory, single->name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_EXISTS, "\"%s\" exists; use --force to overwrite it",
                    cpr_printable_path(single->member, shown, sizeof shown));
}

cpr_status cpr_output_single_open(const char *directory, const char *member, bool overwrite,
                                  cpr_output_single **out, cpr_error *error)
{
    char token[CPR_OUTPUT_RUN_BYTES];
    cpr_output_single *single = calloc(1, sizeof *single);
    *out = NULL;
    if (single == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to write a file");
    *single = (cpr_output_single){.member = member, .fd = -1, .overwrite = overwrite};
    cpr_status status = cpr_output_paths_init(&single->paths, directory, error);
    if (status == CPR_OK)
        status = cpr_output_parent(&single->paths, member, CPR_OUTPUT_CREATE, &single->directory,
                                   &single->name, error);
    if (status == CPR_OK)
        status = single_check_name(single, error);
    if (status == CPR_OK)
        status = cpr_output_token(token, error);
    if (status == CPR_OK) {
        cpr_output_temporary(token, 0, single->temporary);
        single->fd = openat(single->directory, single->temporary,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (single->fd < 0)
            status = cpr_output_fail(&single->paths, errno, "create", member, error);
    }
    if (status != CPR_OK) {
        cpr_output_paths_free(&single->paths);
        free(single);
        return status;
    }
    *out = single;
    return CPR_OK;
}

cpr_status cpr_output_single_write(void *context, const uint8_t *data, size_t bytes,
                                   cpr_error *error)
{
    const cpr_output_single *single = context;
    const int code = cpr_io_write(single->fd, data, bytes);
    return code == 0 ? CPR_OK
                     : cpr_output_fail(&single->paths, code, "write", single->member, error);
}

cpr_status cpr_output_single_close(cpr_output_single *single, bool good, const cpr_file *file,
                                   cpr_error *error)
{
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = (time_t)file->mtime_seconds, .tv_nsec = (long)file->mtime_nanoseconds}};
    int code = 0;
    if (good &&
        (fchmod(single->fd, (mode_t)file->mode & 0777) != 0 || futimens(single->fd, times) != 0))
        code = errno;
    const int closed = cpr_io_close(single->fd);
    code = code != 0 ? code : closed;
    if (good && code == 0)
        code = single->overwrite && renameat(single->directory, single->temporary,
                                             single->directory, single->name) != 0
                   ? errno
               : single->overwrite
                   ? 0
                   : cpr_output_rename_new(single->directory, single->temporary, single->name);
    if (!good || code != 0)
        unlinkat(single->directory, single->temporary, 0);
    const cpr_status status =
        code == 0 ? CPR_OK : cpr_output_fail(&single->paths, code, "write", single->member, error);
    cpr_output_paths_free(&single->paths);
    free(single);
    return status;
}

bool cpr_output_single_is_there(const char *directory, const char *member, const cpr_file *file)
{
    cpr_output_paths paths;
    struct stat facts;
    const char *name;
    int fd = -1;
    if (cpr_output_paths_init(&paths, directory, NULL) != CPR_OK)
        return false;
    const bool there =
        cpr_output_target(&paths, false, NULL) == CPR_OK &&
        cpr_output_parent(&paths, member, CPR_OUTPUT_TELL, &fd, &name, NULL) == CPR_OK && fd >= 0 &&
        fstatat(fd, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(facts.st_mode) &&
        (uint64_t)facts.st_size == file->bytes && facts.st_mtim.tv_sec == file->mtime_seconds &&
        facts.st_mtim.tv_nsec == (long)file->mtime_nanoseconds;
    cpr_output_paths_free(&paths);
    return there;
}
