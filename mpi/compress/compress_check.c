/* compress_check.c - what makes no sense to begin: an archive that cannot be written, memory that
 * is not there. */
#include "compress_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an interrupted run left may be of a run that had its archive already. */
static bool work_exists(const char *path)
{
    cpr_work_dir *work = NULL;
    const bool exists = cpr_work_dir_open(path, false, &work, NULL) == CPR_OK;
    cpr_work_dir_close(work);
    return exists;
}

/* What a path that is no file leads to, or NULL. */
static const char *kind_of_other(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) != 0 || S_ISREG(facts.st_mode))
        return NULL;
    return S_ISDIR(facts.st_mode)    ? "directory"
           : S_ISFIFO(facts.st_mode) ? "pipe"
           : S_ISSOCK(facts.st_mode) ? "socket"
                                     : "device";
}

/* Names such as /dev/stdout are links to what a shell has opened. */
static bool is_of_system(const char *directory)
{
    char *resolved = realpath(directory, NULL);
    const bool found =
        resolved != NULL && (strcmp(resolved, "/dev") == 0 || strncmp(resolved, "/proc/", 6) == 0);
    free(resolved);
    return found;
}

/* A cpr_compress_step of rank 0: where the archive is to go. */
static cpr_status check_output(cpr_compress_run *run, cpr_error *error)
{
    const cpr_compress_options *options = &run->options;
    char shown[512];
    const char *path = options->archive_path;
    cpr_printable_path(path, shown, sizeof shown);
    struct stat facts;
    if (*path && path[strlen(path) - 1] == '/')
        return cpr_fail(error, CPR_ERR_USAGE, "%s names a directory, not an archive", shown);
    const char *other = kind_of_other(path);
    if (other != NULL)
        return cpr_fail(error, CPR_ERR_EXISTS, "%s is a %s, not a file that can be replaced", shown,
                        other);
    if (lstat(path, &facts) == 0 && !options->overwrite && !work_exists(path))
        return cpr_fail(error, CPR_ERR_EXISTS, "%s exists; use --force to replace it", shown);
    const char *slash = strrchr(path, '/');
    char *directory =
        slash != NULL ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
    if (slash != NULL && directory == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a path");
    const int code = access(directory != NULL ? directory : ".", W_OK | X_OK) ? errno : 0;
    const bool of_system = is_of_system(directory != NULL ? directory : ".");
    free(directory);
    if (of_system)
        return cpr_fail(error, CPR_ERR_EXISTS, "%s is not a place for files", shown);
    return code ? cpr_fail_errno(error, code, "cannot create files beside %s", shown) : CPR_OK;
}

cpr_status cpr_compress_check(cpr_compress_run *run, cpr_error *error)
{
    return cpr_compress_on_first(run, check_output, error);
}

cpr_status cpr_compress_check_memory(cpr_compress_run *run, cpr_error *error)
{
    const cpr_compress_plan *plan = &run->plan;
    const bool primer = plan->primer_sample_bytes > 0; /* then every rank makes a codec */
    return cpr_ranks_check_memory(
        run->ranks, run->engine.profile, plan->primer_sample_bytes + plan->largest, primer,
        cpr_compress_lesson_memory(run->engine.profile, plan->lesson_bytes),
        primer ? UINT64_MAX : plan->shard_count, &run->listener, error);
}
