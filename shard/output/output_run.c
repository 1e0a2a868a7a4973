/* output_run.c - one run of an extraction, its temporary names, and earlier runs. */
#define _GNU_SOURCE
#include "output_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define START ".corpress-"
#define HEX_BYTES (CPR_OUTPUT_RUN_BYTES - 1)
#define ARCHIVE_FILE "archive"

void cpr_output_temporary(const char *token, uint64_t file, char out[CPR_OUTPUT_NAME_BYTES])
{
    snprintf(out, CPR_OUTPUT_NAME_BYTES, START "%s-%llu", token, (unsigned long long)file);
}

static void home_name(const char *token, char out[CPR_OUTPUT_NAME_BYTES])
{
    snprintf(out, CPR_OUTPUT_NAME_BYTES, START "%s", token);
}

/* True if no member has a name like those of the run. */
static bool is_free(const cpr_file_list *files, const char *token)
{
    char name[CPR_OUTPUT_NAME_BYTES];
    home_name(token, name);
    const uint64_t count = cpr_file_list_count(files);
    for (uint64_t i = 0; i < count; i++)
        if (strstr(cpr_file_list_member(files, i), name) != NULL)
            return false;
    return true;
}

cpr_status cpr_output_token(char token[CPR_OUTPUT_RUN_BYTES], cpr_error *error)
{
    uint8_t random[HEX_BYTES / 2];
    ssize_t got;
    do
        got = getrandom(random, sizeof random, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof random)
        return cpr_fail_errno(error, errno, "cannot get random bytes");
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(token + 2 * i, 3, "%02x", random[i]);
    return CPR_OK;
}

cpr_status cpr_output_run_choose(cpr_output_run *run, const cpr_file_list *files, cpr_error *error)
{
    cpr_status status;
    do
        status = cpr_output_token(run->token, error);
    while (status == CPR_OK && !is_free(files, run->token));
    return status;
}

int cpr_output_rename_new(int directory, const char *from, const char *to)
{
    struct stat facts;
    if (renameat2(directory, from, directory, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    /* A new link never replaces anything, either. */
    if (linkat(directory, from, directory, to, 0) == 0)
        return unlinkat(directory, from, 0) == 0 ? 0 : errno;
    if (errno == EEXIST)
        return EEXIST;
    if (fstatat(directory, to, &facts, AT_SYMLINK_NOFOLLOW) == 0)
        return EEXIST;
    return renameat(directory, from, directory, to) == 0 ? 0 : errno;
}

/* ---- directories of runs -------------------------------------------------------------------- */

static void close_home(cpr_output_home *home)
{
    cpr_work_lock_release(home->lock);
    home->lock = NULL;
    if (home->dir.fd >= 0)
        close(home->dir.fd);
    home->dir.fd = -1;
    free(home->dir.path);
    home->dir.path = NULL;
}

/* Removes the directory, if it holds only what belongs there. */
static void remove_home(cpr_output_home *home, int target)
{
    char name[CPR_OUTPUT_NAME_BYTES];
    home_name(home->token, name);
    if (home->dir.fd >= 0) {
        unlinkat(home->dir.fd, ARCHIVE_FILE, 0);
        unlinkat(home->dir.fd, CPR_WORK_LOCK, 0);
        close_home(home);
        unlinkat(target, name, AT_REMOVEDIR);
    }
}

/* Opens the directory of a token: it must be this user's. */
static bool open_home(cpr_output_home *home, int target, const char *target_path, const char *token)
{
    struct stat facts;
    char name[CPR_OUTPUT_NAME_BYTES];
    memcpy(home->token, token, CPR_OUTPUT_RUN_BYTES);
    home_name(token, name);
    const size_t room = strlen(target_path) + sizeof name + 2;
    home->lock = NULL;
    home->needed = false;
    home->dir = (cpr_work_dir){.path = malloc(room), .fd = -1, .shard_fd = -1};
    if (home->dir.path == NULL)
        return false;
    snprintf(home->dir.path, room, "%s/%s", target_path, name);
    home->dir.fd = cpr_io_openat(target, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (home->dir.fd >= 0 && fstat(home->dir.fd, &facts) == 0 && facts.st_uid == geteuid())
        return true;
    close_home(home);
    return false;
}

/* Makes this run's directory. Where the target cannot be written to, though directories in it can,
 * there is none: then nothing stays for a run that goes on. */
static cpr_status make_home(cpr_output_run *run, int target, const char *target_path,
                            cpr_hash128 identity, cpr_warn_fn *tell, void *context,
                            cpr_error *error)
{
    uint8_t hash[16];
    char name[CPR_OUTPUT_NAME_BYTES];
    home_name(run->token, name);
    if (mkdirat(target, name, 0700) != 0) {
        if (errno == EACCES || errno == EPERM || errno == EROFS)
            return CPR_OK;
        return cpr_io_fail(error, errno, "create a directory in", target_path);
    }
    if (!open_home(&run->home, target, target_path, run->token)) {
        unlinkat(target, name, AT_REMOVEDIR);
        return CPR_OK; /* a file system that gives files to somebody else */
    }
    cpr_put_hash(hash, identity);
    const int fd = openat(run->home.dir.fd, ARCHIVE_FILE,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int code = fd < 0 ? errno : cpr_io_write(fd, hash, sizeof hash);
    if (fd >= 0 && close(fd) != 0 && code == 0 && errno != EINTR)
        code = errno;
    if (code != 0)
        return cpr_io_fail(error, code, "write in", run->home.dir.path);
    /* Without a lock the extraction goes on all the same: what it names is its own in any case. */
    (void)cpr_work_lock_take(&run->home.dir, tell, context, &run->home.lock, NULL);
    return CPR_OK;
}

static bool is_of(const cpr_output_home *home, cpr_hash128 identity)
{
    uint8_t wanted[16];
    uint8_t found[16];
    cpr_put_hash(wanted, identity);
    const int fd = cpr_work_openat(&home->dir, ARCHIVE_FILE, O_RDONLY);
    const bool same = fd >= 0 && cpr_io_pread(fd, found, sizeof found, 0) == 0 &&
                      memcmp(wanted, found, sizeof found) == 0;
    if (fd >= 0)
        close(fd);
    return same;
}

/* Tells which run is at work, if its lock can be seen from here. */
static bool tell_if_held(const cpr_output_home *home, const char *target_path, cpr_warn_fn *tell,
                         void *context)
{
    char target[CPR_SHOWN_BYTES];
    char host[CPR_SHOWN_BYTES];
    char text[2 * CPR_SHOWN_BYTES + 128];
    cpr_work_owner owner;
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = cpr_work_openat(&home->dir, CPR_WORK_LOCK, O_RDWR);
    const bool held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
    if (fd >= 0)
        close(fd);
    if (!held || tell == NULL)
        return held;
    (void)cpr_work_lock_look(&home->dir, &owner);
    snprintf(text, sizeof text, "another extraction is at work in \"%s\": process %lld on host %s",
             cpr_printable_path(target_path, target, sizeof target), (long long)owner.pid,
             cpr_printable_path(owner.host, host, sizeof host));
    tell(context, text);
    return held;
}

/* True for the name of a run's directory. */
static bool has_token(const char *name)
{
    const size_t start = sizeof START - 1;
    return strncmp(name, START, start) == 0 &&
           strspn(name + start, "0123456789abcdef") == HEX_BYTES && name[start + HEX_BYTES] == '\0';
}

static cpr_status look_at(cpr_output_run *run, cpr_output_home *home, const char *target_path,
                          cpr_hash128 identity, bool go_on, cpr_warn_fn *tell, void *context,
                          cpr_error *error)
{
    (void)tell_if_held(home, target_path, tell, context);
    if (!go_on || !is_of(home, identity)) {
        close_home(home);
        return CPR_OK;
    }
    cpr_output_home *old = realloc(run->old, (run->old_count + 1) * sizeof *old);
    if (old == NULL) {
        close_home(home);
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    }
    run->old = old;
    run->old[run->old_count++] = *home;
    return CPR_OK;
}

#define OLD_MOST 64 /* each has a descriptor open */

cpr_status cpr_output_run_begin(cpr_output_run *run, int target, const char *target_path,
                                const cpr_file_list *files, cpr_hash128 identity, bool go_on,
                                cpr_warn_fn *tell, void *context, cpr_error *error)
{
    cpr_status status = CPR_OK;
    const int fd = cpr_io_openat(target, ".", O_RDONLY | O_DIRECTORY);
    DIR *items = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *item;
    while (status == CPR_OK && items != NULL && run->old_count < OLD_MOST &&
           (item = readdir(items)) != NULL) {
        cpr_output_home home;
        const char *token = item->d_name + sizeof START - 1;
        /* What the archive itself holds under such a name is data. */
        if (has_token(item->d_name) && is_free(files, token) &&
            open_home(&home, target, target_path, token))
            status = look_at(run, &home, target_path, identity, go_on, tell, context, error);
    }
    if (items != NULL)
        closedir(items);
    else if (fd >= 0)
        close(fd);
    if (status == CPR_OK)
        status = cpr_output_run_choose(run, files, error);
    if (status == CPR_OK)
        status = make_home(run, target, target_path, identity, tell, context, error);
    return status;
}

/* ---- earlier runs --------------------------------------------------------------------------- */

/* A regular file or link that only we have. */
static bool is_ours(const struct stat *facts)
{
    return facts->st_uid == geteuid() && facts->st_nlink == 1 &&
           (S_ISREG(facts->st_mode) || S_ISLNK(facts->st_mode));
}

cpr_status cpr_output_run_adopt(cpr_output_run *run, int directory, uint64_t file, uint64_t bytes,
                                bool want, cpr_warn_fn *tell, void *context, cpr_error *error)
{
    char from[CPR_OUTPUT_NAME_BYTES];
    char to[CPR_OUTPUT_NAME_BYTES];
    struct stat facts;
    cpr_output_temporary(run->token, file, to);
    for (size_t i = 0; i < run->old_count; i++) {
        cpr_output_home *old = &run->old[i];
        cpr_output_temporary(old->token, file, from);
        if (old->dir.fd < 0 || fstatat(directory, from, &facts, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (old->lock == NULL) {
            const cpr_status status =
                cpr_work_lock_take(&old->dir, tell, context, &old->lock, error);
            if (status == CPR_ERR_NOT_FOUND) {
                close_home(old); /* it has come to its end */
                continue;
            }
            if (status != CPR_OK)
                return status;
            /* A run that was waited for may have finished its work meanwhile. */
            if (fstatat(directory, from, &facts, AT_SYMLINK_NOFOLLOW) != 0)
                continue;
        }
        if (!is_ours(&facts)) {
            old->needed = true;
            continue;
        }
        if (want && S_ISREG(facts.st_mode) && (uint64_t)facts.st_size == bytes &&
            cpr_output_rename_new(directory, from, to) == 0)
            continue;
        unlinkat(directory, from, 0);
    }
    return CPR_OK;
}

void cpr_output_run_spare(cpr_output_run *run, int directory, uint64_t file)
{
    char name[CPR_OUTPUT_NAME_BYTES];
    struct stat facts;
    for (size_t i = 0; i < run->old_count; i++) {
        cpr_output_temporary(run->old[i].token, file, name);
        if (fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) == 0)
            run->old[i].needed = true;
    }
}

void cpr_output_run_tidy(cpr_output_run *run, int target, cpr_warn_fn *tell, void *context)
{
    for (size_t i = 0; i < run->old_count; i++) {
        cpr_output_home *old = &run->old[i];
        if (old->dir.fd >= 0 && !old->needed && old->lock == NULL &&
            !tell_if_held(old, "", NULL, NULL))
            (void)cpr_work_lock_take(&old->dir, tell, context, &old->lock, NULL);
        if (!old->needed && old->lock != NULL)
            remove_home(old, target);
        close_home(old);
    }
    free(run->old);
    run->old = NULL;
    run->old_count = 0;
}

void cpr_output_run_end(cpr_output_run *run, int target, bool remove)
{
    for (size_t i = 0; i < run->old_count; i++)
        close_home(&run->old[i]);
    free(run->old);
    run->old = NULL;
    run->old_count = 0;
    if (remove)
        remove_home(&run->home, target);
    close_home(&run->home);
}
