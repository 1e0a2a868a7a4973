/* output_tree.c - recreates the files of an archive: directories before, links and names after. */
#define _GNU_SOURCE
#include "output_tree.h"
#include "file_io.h"
#include "file_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

cpr_status cpr_output_tree_open(const cpr_file_list *files, const bool *selected,
                                const char *directory, bool overwrite, cpr_output_tree **tree,
                                cpr_error *error)
{
    cpr_output_tree *t = calloc(1, sizeof *t);
    *tree = NULL;
    if (t == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    t->files = files;
    t->selected = selected;
    t->overwrite = overwrite;
    t->out.fd = -1;
    t->run.home.dir.fd = -1;
    t->out.buffer = malloc(CPR_OUTPUT_BLOCK_BYTES);
    cpr_status status = cpr_output_paths_init(&t->paths, directory, error);
    if (status == CPR_OK && t->out.buffer == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    if (status != CPR_OK) {
        cpr_output_tree_close(t);
        return status;
    }
    *tree = t;
    return CPR_OK;
}

void cpr_output_tree_continue(cpr_output_tree *tree)
{
    tree->keep = true;
}

void cpr_output_tree_tell(cpr_output_tree *tree, cpr_warn_fn *tell, void *context)
{
    tree->tell = tell;
    tree->tell_context = context;
}

void cpr_output_tree_run(const cpr_output_tree *tree, char run[CPR_OUTPUT_RUN_BYTES])
{
    memcpy(run, tree->run.token, CPR_OUTPUT_RUN_BYTES);
}

void cpr_output_tree_join(cpr_output_tree *tree, const char run[CPR_OUTPUT_RUN_BYTES])
{
    memcpy(tree->run.token, run, CPR_OUTPUT_RUN_BYTES);
    tree->run.token[CPR_OUTPUT_RUN_BYTES - 1] = '\0';
}

static cpr_status fail(const cpr_output_tree *t, int code, const char *verb, uint64_t file,
                       cpr_error *error)
{
    return cpr_output_fail(&t->paths, code, verb, cpr_file_list_member(t->files, file), error);
}

bool cpr_output_selected(const cpr_output_tree *t, uint64_t file)
{
    return t->selected == NULL || t->selected[file];
}

/* True for regular files with bytes in more than one shard. */
static bool spans(const cpr_output_tree *t, uint64_t file, uint64_t *first, uint64_t *last)
{
    const uint64_t start = cpr_file_list_offset(t->files, file);
    const uint64_t end = cpr_file_list_offset(t->files, file + 1);
    if (start == end)
        return false;
    *first = cpr_shard_at(t->shards, t->shard_count, start);
    *last = cpr_shard_at(t->shards, t->shard_count, end - 1);
    return *first != *last;
}

/* A cpr_warn_fn. */
static void tell_caller(void *context, const char *text)
{
    const cpr_output_tree *t = context;
    if (t->tell != NULL)
        t->tell(t->tell_context, text);
}

/* ---- before --------------------------------------------------------------------------------- */

/* No part of a member path may be a file or link of the archive itself. */
static cpr_status check_path(const cpr_output_tree *t, uint64_t file, char *scratch,
                             cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    char shown_above[CPR_SHOWN_BYTES / 2];
    const char *member = cpr_file_list_member(t->files, file);
    if (!cpr_member_path_is_safe(member))
        return cpr_fail(error, CPR_ERR_UNSAFE,
                        "refused the path \"%s\": it would leave the target directory",
                        cpr_printable_path(member, shown, sizeof shown));
    /* Most paths share their directories with the one before. */
    size_t common = 0;
    while (scratch[common] != '\0' && scratch[common] == member[common])
        common++;
    for (const char *slash = strchr(member + common, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        const size_t length = (size_t)(slash - member);
        memcpy(scratch, member, length);
        scratch[length] = '\0';
        const uint64_t above = cpr_file_list_lookup(t->files, scratch);
        if (above != UINT64_MAX && cpr_file_list_get(t->files, above).type != CPR_FILE_DIRECTORY)
            return cpr_fail(error, CPR_ERR_UNSAFE,
                            "refused the path \"%s\": \"%s\" is not a directory in the archive",
                            cpr_printable_path(member, shown, sizeof shown),
                            cpr_printable_path(scratch, shown_above, sizeof shown_above));
    }
    memcpy(scratch, member, strlen(member) + 1);
    return CPR_OK;
}

static cpr_status check_free(cpr_output_tree *t, uint64_t file, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    char target[CPR_SHOWN_BYTES / 2];
    struct stat facts;
    const char *name;
    int fd;
    const char *member = cpr_file_list_member(t->files, file);
    const cpr_status status =
        cpr_output_parent(&t->paths, member, CPR_OUTPUT_TELL, &fd, &name, error);
    if (status != CPR_OK || fd < 0)
        return status;
    if (fstatat(fd, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? CPR_OK : fail(t, errno, "look at", file, error);
    const bool both =
        S_ISDIR(facts.st_mode) && cpr_file_list_get(t->files, file).type == CPR_FILE_DIRECTORY;
    const bool neither =
        !S_ISDIR(facts.st_mode) && cpr_file_list_get(t->files, file).type != CPR_FILE_DIRECTORY;
    if (both || (neither && t->overwrite) || (t->keep && cpr_output_is_there(t, file, fd, name)))
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_EXISTS, "\"%s/%s\" exists%s%s",
                    cpr_printable_path(t->paths.target, target, sizeof target),
                    cpr_printable_path(member, shown, sizeof shown),
                    t->keep && neither ? " and is not what the archive holds" : "",
                    neither ? "; --force overwrites it" : " and is of another type");
}

static cpr_status check_all(cpr_output_tree *t, cpr_error *error)
{
    struct stat facts;
    cpr_status status = CPR_OK;
    const uint64_t count = cpr_file_list_count(t->files);
    char *scratch = calloc(1, CPR_PATH_MAX_BYTES);
    if (scratch == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    for (uint64_t i = 0; status == CPR_OK && i < count; i++)
        if (cpr_output_selected(t, i))
            status = check_path(t, i, scratch, error);
    free(scratch);
    if (status != CPR_OK)
        return status;
    if (stat(t->paths.target, &facts) != 0) /* in what is not there, nothing is in the way */
        return errno == ENOENT ? CPR_OK : cpr_io_fail(error, errno, "look at", t->paths.target);
    for (uint64_t i = 0; status == CPR_OK && i < count; i++)
        if (cpr_output_selected(t, i))
            status = check_free(t, i, error);
    return status;
}

cpr_status cpr_output_create(cpr_output_tree *t, uint64_t file, cpr_output_missing missing,
                             int *out, cpr_output_made *made, cpr_error *error)
{
    char temporary[CPR_OUTPUT_NAME_BYTES];
    struct stat facts;
    const char *name;
    int directory;
    const char *member = cpr_file_list_member(t->files, file);
    *out = -1;
    *made = (cpr_output_made){.inode = 0};
    cpr_status status = cpr_output_parent(&t->paths, member, missing, &directory, &name, error);
    if (status == CPR_OK && t->run.token[0] == '\0')
        status = cpr_output_run_choose(&t->run, t->files, error);
    if (status != CPR_OK)
        return status;
    cpr_output_temporary(t->run.token, file, temporary);
    do
        *out =
            openat(directory, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    while (*out < 0 && errno == EINTR);
    if (*out < 0)
        return fail(t, errno, "create", file, error);
    if (fstat(*out, &facts) == 0)
        *made = (cpr_output_made){.device = facts.st_dev, .inode = facts.st_ino};
    return CPR_OK;
}

/* Gives the open temporary file the member's mode and time, and closes it. Set-user-ID and
 * set-group-ID are not restored: the owner would be another one. */
cpr_status cpr_output_settle(cpr_output_tree *t, uint64_t file, int fd, cpr_error *error)
{
    const cpr_file facts = cpr_file_list_get(t->files, file);
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_NOW},
        {.tv_sec = (time_t)facts.mtime_seconds, .tv_nsec = (long)facts.mtime_nanoseconds},
    };
    int code = 0;
    if (fchmod(fd, facts.mode & 0777) != 0 || futimens(fd, times) != 0)
        code = errno;
    if (close(fd) != 0 && errno != EINTR && code == 0)
        code = errno;
    return code == 0 ? CPR_OK : fail(t, code, "write", file, error);
}

/* Replaces nothing unless asked to. What an earlier run made, and is wrong all the same, gives way.
 */
static int rename_member(const cpr_output_tree *t, uint64_t file, int directory, const char *from,
                         const char *to)
{
    if (t->overwrite || (t->keep && cpr_output_is_there(t, file, directory, to)))
        return renameat(directory, from, directory, to) == 0 ? 0 : errno;
    return cpr_output_rename_new(directory, from, to);
}

/* True if the name is still that of the file that was made. */
static bool is_made(int directory, const char *name, const cpr_output_made *made)
{
    struct stat facts;
    return made == NULL || made->inode == 0 ||
           (fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
            facts.st_dev == made->device && facts.st_ino == made->inode);
}

cpr_status cpr_output_name(cpr_output_tree *t, uint64_t file, const cpr_output_made *made,
                           bool good, cpr_error *error)
{
    char temporary[CPR_OUTPUT_NAME_BYTES];
    char shown[CPR_SHOWN_BYTES];
    const char *name;
    int directory;
    const char *member = cpr_file_list_member(t->files, file);
    const cpr_status status =
        cpr_output_parent(&t->paths, member, CPR_OUTPUT_FAIL, &directory, &name, error);
    if (status != CPR_OK)
        return status;
    cpr_output_temporary(t->run.token, file, temporary);
    if (!is_made(directory, temporary, made))
        return good ? fail(t, ESTALE, "name", file, error) : CPR_OK;
    const int code = good ? rename_member(t, file, directory, temporary, name) : 0;
    if (code != 0 || !good)
        unlinkat(directory, temporary, 0);
    if (code == EEXIST)
        return cpr_fail(error, CPR_ERR_EXISTS,
                        "\"%.200s/%s\" has come to exist meanwhile; it was left as it is",
                        t->paths.target, cpr_printable_path(member, shown, sizeof shown));
    return code == 0 ? CPR_OK : fail(t, code, "name", file, error);
}

static cpr_status make_directory(cpr_output_tree *t, uint64_t file, cpr_error *error)
{
    const char *name;
    int above;
    cpr_status status = cpr_output_parent(&t->paths, cpr_file_list_member(t->files, file),
                                          CPR_OUTPUT_CREATE, &above, &name, error);
    if (status != CPR_OK)
        return status;
    /* Its own mode comes last: it may forbid what is still to be done in it. */
    if (mkdirat(above, name, 0777) != 0 && errno != EEXIST)
        return fail(t, errno, "create the directory", file, error);
    return CPR_OK;
}

/* Finds what an earlier run left of the file: *stays if that can stay, or its parts can. */
static cpr_status take_over(cpr_output_tree *t, uint64_t file, int directory, const char *name,
                            bool *stays, cpr_error *error)
{
    uint64_t first;
    uint64_t last;
    const uint64_t bytes = cpr_file_list_get(t->files, file).bytes;
    *stays = t->keep && cpr_output_is_there(t, file, directory, name);
    /* A part of something older must not take the place of what is there. */
    const bool want = !*stays && spans(t, file, &first, &last);
    const cpr_status status =
        cpr_output_run_adopt(&t->run, directory, file, bytes, want, tell_caller, t, error);
    if (status != CPR_OK || !want)
        return status;
    const int fd = cpr_output_reopen(t, file, directory);
    if (fd < 0)
        return CPR_OK;
    /* It may have got its own mode already. */
    *stays = fchmod(fd, 0600) == 0;
    t->has_parts = true;
    close(fd);
    return CPR_OK;
}

static cpr_status prepare_file(cpr_output_tree *t, uint64_t file, cpr_error *error)
{
    const cpr_file facts = cpr_file_list_get(t->files, file);
    cpr_output_made made;
    uint64_t first;
    uint64_t last;
    bool stays;
    const char *name;
    int fd;
    if (facts.type == CPR_FILE_DIRECTORY)
        return make_directory(t, file, error);
    cpr_status status = cpr_output_parent(&t->paths, cpr_file_list_member(t->files, file),
                                          CPR_OUTPUT_CREATE, &fd, &name, error);
    if (status == CPR_OK)
        status = take_over(t, file, fd, name, &stays, error);
    if (status != CPR_OK || facts.type == CPR_FILE_SYMLINK || stays ||
        (facts.bytes > 0 && !spans(t, file, &first, &last)))
        return status;
    status = cpr_output_create(t, file, CPR_OUTPUT_CREATE, &fd, &made, error);
    if (status != CPR_OK)
        return status;
    t->has_parts = t->has_parts || facts.bytes > 0;
    int code = facts.bytes > 0 ? cpr_io_truncate(fd, facts.bytes) : 0;
    if (facts.bytes == 0)
        return (status = cpr_output_settle(t, file, fd, error)) != CPR_OK
                   ? status
                   : cpr_output_name(t, file, &made, true, error);
    if (close(fd) != 0 && errno != EINTR && code == 0)
        code = errno;
    return code == 0 ? CPR_OK : fail(t, code, "create", file, error);
}

/* Files that this run leaves alone may have parts that an earlier one left. */
static void spare_file(cpr_output_tree *t, uint64_t file)
{
    cpr_error ignored;
    const char *name;
    int directory;
    if (t->run.old_count > 0 &&
        cpr_output_parent(&t->paths, cpr_file_list_member(t->files, file), CPR_OUTPUT_TELL,
                          &directory, &name, &ignored) == CPR_OK &&
        directory >= 0)
        cpr_output_run_spare(&t->run, directory, file);
}

/* A hash of all that says which bytes belong into which file. */
static cpr_hash128 identity_of(const cpr_output_tree *t)
{
    uint8_t fields[32] = {0};
    XXH128_hash_t hash = {0, 0};
    for (uint64_t i = 0; i < t->shard_count; i++) {
        cpr_put_hash(fields, t->shards[i].raw_hash);
        cpr_put64(fields + 16, t->shards[i].offset);
        cpr_put64(fields + 24, hash.low64);
        hash = XXH3_128bits_withSeed(fields, sizeof fields, hash.high64);
    }
    const uint64_t count = cpr_file_list_count(t->files);
    for (uint64_t i = 0; i < count; i++) {
        const char *member = cpr_file_list_member(t->files, i);
        cpr_put_hash(fields, cpr_hash_bytes(member, strlen(member)));
        cpr_put64(fields + 16, cpr_file_list_offset(t->files, i + 1));
        cpr_put64(fields + 24, hash.low64);
        hash = XXH3_128bits_withSeed(fields, sizeof fields, hash.high64);
    }
    return (cpr_hash128){hash.high64, hash.low64};
}

cpr_status cpr_output_tree_prepare(cpr_output_tree *tree, const cpr_shard_info *shards,
                                   uint64_t shard_count, cpr_error *error)
{
    const uint64_t count = cpr_file_list_count(tree->files);
    tree->shards = shards;
    tree->shard_count = shard_count;
    cpr_status status = check_all(tree, error);
    if (status == CPR_OK)
        status = cpr_output_target(&tree->paths, true, error);
    if (status == CPR_OK)
        status =
            cpr_output_run_begin(&tree->run, tree->paths.target_fd, tree->paths.target, tree->files,
                                 identity_of(tree), tree->keep, tell_caller, tree, error);
    for (uint64_t i = 0; status == CPR_OK && i < count; i++) {
        tree->prepared = i + 1;
        if (cpr_output_selected(tree, i))
            status = prepare_file(tree, i, error);
        else
            spare_file(tree, i);
    }
    if (status == CPR_OK)
        cpr_output_run_tidy(&tree->run, tree->paths.target_fd, tell_caller, tree);
    return status;
}

/* ---- after ---------------------------------------------------------------------------------- */

/* Names or removes a file that spans shards. */
static cpr_status finish_file(cpr_output_tree *t, uint64_t file, const bool *bad, cpr_error *error)
{
    struct stat facts;
    const char *name;
    uint64_t first;
    uint64_t last;
    int directory;
    bool good = true;
    const char *member = cpr_file_list_member(t->files, file);
    if (!spans(t, file, &first, &last))
        return CPR_OK;
    for (uint64_t s = first; bad != NULL && s <= last; s++)
        good = good && !bad[s];
    if (!good)
        return cpr_output_name(t, file, NULL, false, error);
    cpr_status status =
        cpr_output_parent(&t->paths, member, CPR_OUTPUT_FAIL, &directory, &name, error);
    if (status != CPR_OK)
        return status;
    const int fd = cpr_output_open_part(t, file, directory, NULL);
    if (fd < 0 && errno == ENOENT && t->keep && cpr_output_is_there(t, file, directory, name))
        return CPR_OK;
    if (fd < 0)
        return fail(t, errno, "open", file, error);
    cpr_output_made made = {.inode = 0};
    if (fstat(fd, &facts) == 0)
        made = (cpr_output_made){.device = facts.st_dev, .inode = facts.st_ino};
    status = cpr_output_settle(t, file, fd, error);
    if (status == CPR_OK)
        return cpr_output_name(t, file, &made, true, error);
    (void)cpr_output_name(t, file, &made, false, NULL);
    return status;
}

static cpr_status make_link(cpr_output_tree *t, uint64_t file, cpr_error *error)
{
    char temporary[CPR_OUTPUT_NAME_BYTES];
    const char *name;
    int directory;
    const char *member = cpr_file_list_member(t->files, file);
    const char *target = cpr_file_list_link_target(t->files, file);
    const cpr_file facts = cpr_file_list_get(t->files, file);
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_NOW},
        {.tv_sec = (time_t)facts.mtime_seconds, .tv_nsec = (long)facts.mtime_nanoseconds},
    };
    const cpr_status status =
        cpr_output_parent(&t->paths, member, CPR_OUTPUT_FAIL, &directory, &name, error);
    if (status != CPR_OK)
        return status;
    cpr_output_temporary(t->run.token, file, temporary);
    if (t->keep && cpr_output_is_there(t, file, directory, name))
        return CPR_OK;
    if (symlinkat(target, directory, temporary) != 0)
        return fail(t, errno, "create the link", file, error);
    /* Not every file system keeps times of links; nobody misses them. */
    utimensat(directory, temporary, times, AT_SYMLINK_NOFOLLOW);
    return cpr_output_name(t, file, NULL, true, error);
}

static cpr_status settle_directory(cpr_output_tree *t, uint64_t file, cpr_error *error)
{
    const char *name;
    int above;
    const cpr_status status = cpr_output_parent(&t->paths, cpr_file_list_member(t->files, file),
                                                CPR_OUTPUT_FAIL, &above, &name, error);
    if (status != CPR_OK)
        return status;
    const int fd = cpr_io_openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(t, errno, "open the directory", file, error);
    return cpr_output_settle(t, file, fd, error);
}

/* Orders paths so that a directory comes behind everything in it, and near it. */
static int compare_from_below(const void *a, const void *b)
{
    const unsigned char *x = *(const unsigned char *const *)a;
    const unsigned char *y = *(const unsigned char *const *)b;
    while (*x == *y && *x != '\0') {
        x++;
        y++;
    }
    /* The separator is less than any other byte, but for the end. */
    const int left = *x == '/' ? 1 : *x == '\0' ? 0 : *x + 2;
    const int right = *y == '/' ? 1 : *y == '\0' ? 0 : *y + 2;
    return right - left;
}

/* Deepest first: a mode may forbid to enter, and every name made in a directory changes its time.
 */
static cpr_status settle_directories(cpr_output_tree *t, cpr_error *error)
{
    const uint64_t count = cpr_file_list_count(t->files);
    uint64_t directories = 0;
    cpr_status status = CPR_OK;
    const char **order = calloc(count + 1, sizeof *order);
    if (order == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    for (uint64_t i = 0; i < count; i++)
        if (cpr_output_selected(t, i) && cpr_file_list_get(t->files, i).type == CPR_FILE_DIRECTORY)
            order[directories++] = cpr_file_list_member(t->files, i);
    qsort(order, (size_t)directories, sizeof *order, compare_from_below);
    for (uint64_t i = 0; status == CPR_OK && i < directories; i++)
        status = settle_directory(t, cpr_file_list_lookup(t->files, order[i]), error);
    free(order);
    return status;
}

cpr_status cpr_output_tree_finish(cpr_output_tree *tree, const bool *bad, cpr_error *error)
{
    const uint64_t count = cpr_file_list_count(tree->files);
    cpr_error later;
    cpr_status status = CPR_OK;
    /* One file that fails must not keep the others from being whole. */
    for (uint64_t i = 0; i < count; i++) {
        if (!cpr_output_selected(tree, i))
            continue;
        const cpr_status one = finish_file(tree, i, bad, status == CPR_OK ? error : &later);
        status = status == CPR_OK ? one : status;
    }
    tree->prepared = 0;
    for (uint64_t i = 0; i < count && status == CPR_OK; i++)
        if (cpr_output_selected(tree, i) &&
            cpr_file_list_get(tree->files, i).type == CPR_FILE_SYMLINK)
            status = make_link(tree, i, error);
    cpr_output_run_end(&tree->run, tree->paths.target_fd, true);
    if (status == CPR_OK)
        status = settle_directories(tree, error);
    return status;
}

void cpr_output_tree_leave(cpr_output_tree *tree)
{
    /* Where there is no directory for the run, nobody would find what it leaves. */
    if (tree->run.home.dir.fd < 0)
        return;
    tree->prepared = 0;
    cpr_output_run_end(&tree->run, tree->paths.target_fd, false);
}

void cpr_output_tree_close(cpr_output_tree *tree)
{
    cpr_error ignored;
    uint64_t first;
    uint64_t last;
    if (tree == NULL)
        return;
    (void)cpr_output_shard_end(tree, false, &ignored);
    /* Without a finish, nobody else removes what the preparation made. */
    const bool stay = tree->keep && tree->has_parts && tree->run.home.dir.fd >= 0;
    for (uint64_t i = 0; i < tree->prepared && !stay; i++)
        if (cpr_output_selected(tree, i) && spans(tree, i, &first, &last))
            (void)cpr_output_name(tree, i, NULL, false, &ignored);
    cpr_output_run_end(&tree->run, tree->paths.target_fd, !stay);
    cpr_output_paths_free(&tree->paths);
    free(tree->made);
    free(tree->out.buffer);
    free(tree);
}
