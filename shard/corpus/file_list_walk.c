/* file_list_walk.c - fills the list from paths that the user names. */
#define _GNU_SOURCE
#include "file_list_walk.h"
#include "file_io.h"
#include "stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* A name in a directory, or, with a '/' at its end, the things below it. Sorted by `name` they come
 * in the order of whole paths: "a", "a.b", "a/c". */
typedef struct name_entry {
    char *name;
    char *target; /* of a link, else NULL */
    cpr_file file;
} name_entry;

typedef struct name_list {
    name_entry *entries;
    size_t count;
    size_t capacity;
} name_list;

/* "VERB "path": reason", of the walk's path. */
static void warn_of(const cpr_walk *w, const char *verb, const char *reason)
{
    char shown[CPR_SHOWN_BYTES];
    char text[2 * CPR_SHOWN_BYTES + 128];
    if (w->options->warn == NULL)
        return;
    snprintf(text, sizeof text, "%s \"%s\": %s", verb,
             cpr_printable_path(w->path, shown, sizeof shown), reason);
    w->options->warn(w->options->warn_context, text);
}

static void warn_left_out(const cpr_walk *w, const char *reason)
{
    warn_of(w, "left out", reason);
}

static const char excluded[] = "it belongs to the archive that is being written";
static const char not_taken[] = "neither a file nor a directory nor a symbolic link";

static cpr_status fail_errno(cpr_walk *w, int code, const char *verb)
{
    w->code = code;
    return cpr_io_fail(w->error, code, verb, w->length > 0 ? w->path : ".");
}

static cpr_status no_memory(const cpr_walk *w)
{
    return cpr_fail(w->error, CPR_ERR_NO_MEMORY, "out of memory for the list of files");
}

/* An input that cannot be read is left out, where the caller counts them, and the status is CPR_OK;
 * what this process has run out of says nothing about the input. */
static cpr_status leave_out(cpr_walk *w, cpr_status status)
{
    const int code = w->code;
    w->code = 0;
    if (status != CPR_ERR_IO || code == 0 || w->options->unreadable == NULL || code == EMFILE ||
        code == ENFILE)
        return status;
    cpr_unreadable_add(w->options->unreadable, w->error->text);
    return CPR_OK;
}

/* Whether this process may read the file, or the directory and what is in it. */
static cpr_status check_access(cpr_walk *w, int directory, const char *name,
                               const struct stat *facts)
{
    const bool is_directory = S_ISDIR(facts->st_mode);
    const int wanted = is_directory ? R_OK | X_OK : R_OK;
    if (faccessat(directory, name[0] == '\0' ? "." : name, wanted, AT_EACCESS) == 0 ||
        errno == ENAMETOOLONG || errno == EINVAL || errno == ENOSYS)
        return CPR_OK;
    return fail_errno(w, errno, is_directory ? "read the directory" : "read");
}

/* Appends "/name" (without the '/' at a path that is empty or ends in one) to the path. */
static cpr_status enter(cpr_walk *w, const char *name)
{
    const size_t bytes = strlen(name);
    const bool slash = w->length > 0 && w->path[w->length - 1] != '/';
    if (w->length + slash + bytes + 1 > CPR_PATH_MAX_BYTES) {
        char shown[CPR_SHOWN_BYTES];
        return cpr_fail(w->error, CPR_ERR_USAGE, "a path is longer than %zu bytes: \"%s\"",
                        CPR_PATH_MAX_BYTES, cpr_printable_path(w->path, shown, sizeof shown));
    }
    if (slash)
        w->path[w->length++] = '/';
    memcpy(w->path + w->length, name, bytes + 1);
    w->length += bytes;
    return CPR_OK;
}

static void leave(cpr_walk *w, size_t length)
{
    w->length = length;
    w->path[length] = '\0';
}

/* Reads a link's target into malloc()ed memory. */
static cpr_status read_link(cpr_walk *w, int directory, const char *name, char **target)
{
    for (size_t capacity = 256; capacity <= 2 * CPR_PATH_MAX_BYTES; capacity *= 2) {
        *target = malloc(capacity);
        if (*target == NULL)
            return no_memory(w);
        const ssize_t got = readlinkat(directory, name, *target, capacity);
        if (got >= 0 && (size_t)got < capacity) {
            (*target)[got] = '\0';
            return CPR_OK;
        }
        const int code = errno;
        free(*target);
        *target = NULL;
        if (got < 0)
            return fail_errno(w, code, "read the link");
    }
    return fail_errno(w, ENAMETOOLONG, "read the link");
}

uint32_t cpr_file_change_mark(const struct stat *facts)
{
    const uint64_t time =
        (uint64_t)facts->st_ctim.tv_sec * 1000000000u + (uint64_t)facts->st_ctim.tv_nsec;
    return (uint32_t)(time * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* Sizes on disks can be believed, and those of network file systems, where a look at a file takes
 * its time. */
static bool has_sizes(int fd, const struct stat *facts)
{
    static const unsigned long known[] = {
        0x6969,     /* NFS */
        0x0bd00bd0, /* Lustre */
        0x47504653, /* GPFS */
        0x19830326, /* BeeGFS */
        0x00c36400, /* Ceph */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB 2 */
        0x9123683e, /* Btrfs */
        0x01021994, /* tmpfs */
    };
    struct statfs system;
    if (major(facts->st_dev) != 0)
        return true;
    if (fd < 0 || fstatfs(fd, &system) != 0)
        return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if ((unsigned long)system.f_type == known[i])
            return true;
    return false;
}

/* A file of the kernel's says that it is empty, and is not: its bytes would be lost. Only one that
 * says so is looked at, and only on a file system that may be the kernel's. */
static cpr_status check_empty(cpr_walk *w, int directory, const char *name,
                              const struct stat *facts)
{
    char shown[CPR_SHOWN_BYTES];
    char byte;
    if (facts->st_size != 0 || has_sizes(-1, facts) ||
        (w->sizes_known && w->sized == facts->st_dev))
        return CPR_OK;
    const int fd = openat(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return CPR_OK; /* it says that it is empty, and nobody can know better */
    w->sizes_known = has_sizes(fd, facts);
    w->sized = facts->st_dev;
    /* EAGAIN is what a log of the kernel's gives that waits for its next line. */
    const ssize_t got = w->sizes_known ? 0 : read(fd, &byte, 1);
    const int code = got < 0 ? errno : 0;
    close(fd);
    if (got == 0)
        return CPR_OK;
    if (code != 0 && code != EAGAIN)
        return fail_errno(w, code, "read");
    return cpr_fail(w->error, CPR_ERR_IO,
                    "\"%s\" says that its size is 0, but there are bytes in it, as in files of the "
                    "kernel's; give them through a pipe, or leave the file out",
                    cpr_printable_path(w->path, shown, sizeof shown));
}

/* Looks at a name: at what it leads to, if it is a link and links are followed. */
static cpr_status look(cpr_walk *w, int directory, const char *name, struct stat *facts,
                       bool *through_link)
{
    char reason[128];
    struct stat target;
    *through_link = false;
    if (fstatat(directory, name, facts, AT_SYMLINK_NOFOLLOW) != 0)
        return fail_errno(w, errno, "read");
    if (!S_ISLNK(facts->st_mode) || !w->options->dereference)
        return CPR_OK;
    if (fstatat(directory, name, &target, 0) == 0) {
        *facts = target;
        *through_link = true;
        return CPR_OK;
    }
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        return fail_errno(w, errno, "follow");
    snprintf(reason, sizeof reason, "it leads nowhere (%s)", strerror(errno));
    warn_of(w, "kept as a link", reason);
    return CPR_OK;
}

/* What the list keeps of a file. *taken is false, with a warning, for what archives cannot hold. */
static cpr_status describe(cpr_walk *w, int directory, const char *name, const struct stat *facts,
                           bool through_link, name_entry *e, bool *taken)
{
    *e = (name_entry){.file = {
                          .mtime_seconds = facts->st_mtim.tv_sec,
                          .mtime_nanoseconds = (uint32_t)facts->st_mtim.tv_nsec,
                          .change = cpr_file_change_mark(facts),
                          .mode = facts->st_mode & 07777u,
                          .type = CPR_FILE_DIRECTORY,
                      }};
    *taken = true;
    if (S_ISREG(facts->st_mode)) {
        e->file.type = CPR_FILE_REGULAR;
        e->file.bytes = (uint64_t)facts->st_size;
        e->file.through_link = through_link;
        cpr_status status = check_access(w, directory, name, facts);
        if (status == CPR_OK)
            status = check_empty(w, directory, name, facts);
        *taken = status == CPR_OK;
        return leave_out(w, status);
    }
    if (S_ISLNK(facts->st_mode)) {
        e->file.type = CPR_FILE_SYMLINK;
        e->file.mode = 0777; /* what links have on Linux; it means nothing */
        const cpr_status status = read_link(w, directory, name, &e->target);
        *taken = status == CPR_OK;
        return leave_out(w, status);
    }
    *taken = S_ISDIR(facts->st_mode);
    if (!*taken) {
        warn_left_out(w, not_taken);
        return CPR_OK;
    }
    const cpr_status status = check_access(w, directory, name, facts);
    *taken = status == CPR_OK;
    return leave_out(w, status);
}

/* Appends the walk's path to the list. */
static cpr_status take(cpr_walk *w, const name_entry *e)
{
    uint64_t known;
    if (w->length <= w->skip)
        return CPR_OK; /* ".", ".." or "/": its contents only */
    const cpr_status status =
        cpr_file_list_append(w->list, w->path, w->skip, &e->file, e->target, &known, w->error);
    if (status != CPR_OK || known == UINT64_MAX ||
        strcmp(cpr_file_list_source(w->list, known), w->path) == 0)
        return status;
    char a[CPR_SHOWN_BYTES / 2];
    char b[CPR_SHOWN_BYTES / 2];
    cpr_printable_path(cpr_file_list_source(w->list, known), a, sizeof a);
    cpr_printable_path(w->path, b, sizeof b);
    return cpr_fail(w->error, CPR_ERR_USAGE,
                    "\"%s\" and \"%s\" would have the same path in the archive", a, b);
}

static void free_names(name_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->entries[i].name);
        free(names->entries[i].target);
    }
    free(names->entries);
}

/* Adds an entry under name + end. On success the list owns the entry's target. */
static bool add_name(name_list *names, const char *name, const char *end, const name_entry *facts)
{
    if (names->count == names->capacity) {
        const size_t capacity = names->capacity + names->capacity / 2 + 16;
        name_entry *entries = realloc(names->entries, capacity * sizeof *entries);
        if (entries == NULL)
            return false;
        names->entries = entries;
        names->capacity = capacity;
    }
    const size_t bytes = strlen(name);
    const size_t end_bytes = strlen(end);
    char *copy = malloc(bytes + end_bytes + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, name, bytes);
    memcpy(copy + bytes, end, end_bytes + 1);
    names->entries[names->count] = *facts;
    names->entries[names->count++].name = copy;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const name_entry *)a)->name, ((const name_entry *)b)->name);
}

/* Warns and returns true if the directory is one that the walk is in: links lead in a circle. */
static bool is_circle(const cpr_walk *w, const struct stat *facts)
{
    char shown[CPR_SHOWN_BYTES];
    char reason[CPR_SHOWN_BYTES + 64];
    for (size_t i = 0; w->options->dereference && i < w->depth; i++) {
        const cpr_walk_place *place = &w->places[i];
        if (place->device != facts->st_dev || place->inode != facts->st_ino)
            continue;
        const char end = w->path[place->length];
        w->path[place->length] = '\0';
        cpr_printable_path(place->length > 0 ? w->path : ".", shown, sizeof shown);
        w->path[place->length] = end;
        snprintf(reason, sizeof reason, "it leads back to \"%s\"", shown);
        warn_left_out(w, reason);
        return true;
    }
    return false;
}

/* Whether the caller wants to have the walk's path left out. */
static bool is_left_out(const cpr_walk *w, const struct stat *facts)
{
    const cpr_list_options *options = w->options;
    return options->left_out != NULL &&
           options->left_out(options->left_out_context, w->path + w->skip, S_ISDIR(facts->st_mode));
}

/* Adds one name of the open directory at the walk's path, and what is below it. */
static cpr_status read_name(cpr_walk *w, int directory, const struct stat *above, const char *name,
                            name_list *names)
{
    const size_t length = w->length;
    struct stat facts;
    name_entry e = {0};
    bool taken = false;
    bool through_link;
    if (cpr_walk_excludes(w, above, name))
        return CPR_OK;
    cpr_status status = enter(w, name);
    if (status == CPR_OK) {
        status = look(w, directory, name, &facts, &through_link);
        if (status != CPR_OK) {
            status = leave_out(w, status);
            leave(w, length);
            return status;
        }
    }
    if (status == CPR_OK && through_link && cpr_walk_excludes_itself(w, &facts)) {
        warn_left_out(w, excluded);
    } else if (status == CPR_OK && !is_left_out(w, &facts) &&
               !(S_ISDIR(facts.st_mode) && is_circle(w, &facts))) {
        status = describe(w, directory, name, &facts, through_link, &e, &taken);
        if (status == CPR_OK && taken && !add_name(names, name, "", &e)) {
            free(e.target);
            status = no_memory(w);
        }
        if (status == CPR_OK && taken && S_ISDIR(facts.st_mode) && !add_name(names, name, "/", &e))
            status = no_memory(w);
    }
    leave(w, length);
    return status;
}

/* The walk goes down into the open directory at its path. */
static cpr_status go_down(cpr_walk *w, int fd, struct stat *facts)
{
    if (fstat(fd, facts) != 0)
        return fail_errno(w, errno, "read the directory");
    if (w->depth == w->places_capacity) {
        const size_t capacity = w->places_capacity + w->places_capacity / 2 + 16;
        cpr_walk_place *places = realloc(w->places, capacity * sizeof *places);
        if (places == NULL)
            return no_memory(w);
        w->places = places;
        w->places_capacity = capacity;
    }
    w->places[w->depth++] = (cpr_walk_place){facts->st_dev, facts->st_ino, w->length};
    return CPR_OK;
}

/* Reads the names in the directory at the walk's path, sorted. */
static cpr_status read_names(cpr_walk *w, int flags, name_list *names)
{
    struct stat facts;
    const int fd = cpr_io_open(w->length > 0 ? w->path : ".", O_RDONLY | O_DIRECTORY | flags);
    if (fd < 0)
        return fail_errno(w, errno, "open the directory");
    cpr_status status = go_down(w, fd, &facts);
    DIR *directory = status == CPR_OK ? fdopendir(fd) : NULL;
    if (directory == NULL) {
        if (status == CPR_OK)
            status = fail_errno(w, errno, "read the directory");
        close(fd);
        return status;
    }
    errno = 0;
    while (status == CPR_OK) {
        const struct dirent *item = readdir(directory);
        if (item == NULL)
            break;
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
            status = read_name(w, fd, &facts, item->d_name, names);
        if (status == CPR_OK && w->options->poll != NULL)
            status = w->options->poll(w->options->poll_context, w->error);
        errno = 0;
    }
    if (status == CPR_OK && errno != 0)
        status = fail_errno(w, errno, "read the directory");
    closedir(directory);
    if (names->count > 1)
        qsort(names->entries, names->count, sizeof *names->entries, compare_names);
    return status;
}

static cpr_status walk_directory(cpr_walk *w, int flags);

static cpr_status visit(cpr_walk *w, const name_entry *e)
{
    const size_t above = w->length;
    const size_t bytes = strlen(e->name);
    const bool below = e->name[bytes - 1] == '/';
    cpr_status status = enter(w, e->name);
    if (status != CPR_OK)
        return status;
    if (below)
        leave(w, w->length - 1);
    status = below ? walk_directory(w, w->options->dereference ? 0 : O_NOFOLLOW) : take(w, e);
    leave(w, above);
    return status;
}

/* Adds what is in the directory at the walk's path. It is closed again before the walk goes down,
 * so that depth does not use up file descriptors. */
static cpr_status walk_directory(cpr_walk *w, int flags)
{
    name_list names = {0};
    const size_t depth = w->depth;
    cpr_status status = leave_out(w, read_names(w, flags, &names));
    for (size_t i = 0; status == CPR_OK && i < names.count; i++)
        status = visit(w, &names.entries[i]);
    free_names(&names);
    w->depth = depth;
    return status;
}

/* Copies a path as the user gave it to the walk, without empty and "." components, and finds where
 * its member path starts: behind a leading '/' and behind the last "..". */
static cpr_status start(cpr_walk *w, const char *path)
{
    if (path[0] == '/')
        w->path[w->length++] = '/';
    w->skip = w->length;
    w->path[w->length] = '\0';
    while (*path != '\0') {
        const size_t bytes = strcspn(path, "/");
        if (bytes > 0 && !(bytes == 1 && path[0] == '.')) {
            if (bytes >= CPR_PATH_MAX_BYTES - w->length - 1)
                return cpr_fail(w->error, CPR_ERR_USAGE, "a path is longer than %zu bytes",
                                CPR_PATH_MAX_BYTES);
            if (w->length > 0 && w->path[w->length - 1] != '/')
                w->path[w->length++] = '/';
            const bool up = bytes == 2 && path[0] == '.' && path[1] == '.';
            if (w->skip == w->length - 1 && w->length > 0 && w->path[w->skip] == '/')
                w->skip++; /* behind the '/' that follows ".." */
            memcpy(w->path + w->length, path, bytes);
            w->length += bytes;
            w->path[w->length] = '\0';
            if (up)
                w->skip = w->length;
        }
        path += bytes + (path[bytes] == '/');
    }
    if (w->skip > 0 && w->skip == w->length && w->path[w->length - 1] != '/')
        w->skip++; /* ".." alone: behind the '/' that its names will follow */
    return CPR_OK;
}

/* True if the root is what the caller wants left out. */
static bool is_excluded_root(cpr_walk *w, const struct stat *facts, bool through_link)
{
    struct stat above;
    char *slash = strrchr(w->path, '/');
    const char *name = slash == NULL ? w->path : slash + 1;
    bool found = false;
    if (S_ISDIR(facts->st_mode) || through_link)
        found = cpr_walk_excludes_itself(w, facts);
    if (found || name[0] == '\0' || !cpr_walk_excludes_name(w, name))
        return found;
    if (slash == NULL)
        return stat(".", &above) == 0 && cpr_walk_excludes(w, &above, name);
    const char kept = slash[slash == w->path];
    slash[slash == w->path] = '\0';
    found = stat(w->path, &above) == 0;
    slash[slash == w->path] = kept;
    return found && cpr_walk_excludes(w, &above, name);
}

/* A root below a link or file of the list ("find -L" names such) could not be extracted. */
static cpr_status check_above(const cpr_walk *w)
{
    char shown[CPR_SHOWN_BYTES];
    for (char *slash = w->length > w->skip ? strchr(w->path + w->skip, '/') : NULL; slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        const uint64_t above = cpr_file_list_lookup(w->list, w->path + w->skip);
        *slash = '/';
        if (above != UINT64_MAX && cpr_file_list_get(w->list, above).type != CPR_FILE_DIRECTORY)
            return cpr_fail(w->error, CPR_ERR_USAGE,
                            "\"%s\" lies below what is a link or a file in the archive",
                            cpr_printable_path(w->path, shown, sizeof shown));
    }
    return CPR_OK;
}

static int stat_root(const char *path, bool follow, struct stat *facts)
{
    if (strlen(path) < 4096)
        return fstatat(AT_FDCWD, path, facts, follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
    const int fd = cpr_io_open(path, O_PATH | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0)
        return errno;
    const int code = fstat(fd, facts) == 0 ? 0 : errno;
    close(fd);
    return code;
}

/* Looks at a root as look() does at a name; paths may be of any length. */
static cpr_status look_at_root(cpr_walk *w, bool follow, struct stat *facts, bool *through_link)
{
    const char *path = w->length > 0 ? w->path : ".";
    struct stat target;
    *through_link = false;
    int code = stat_root(path, follow, facts);
    if (code != 0)
        return fail_errno(w, code, "read");
    if (!S_ISLNK(facts->st_mode) || !w->options->dereference)
        return CPR_OK;
    code = stat_root(path, true, &target);
    if (code == 0) {
        *facts = target;
        *through_link = true;
    } else if (code != ENOENT && code != ENOTDIR && code != ELOOP) {
        return fail_errno(w, code, "follow");
    } else {
        warn_of(w, "kept as a link", "it leads nowhere");
    }
    return CPR_OK;
}

static cpr_status add_root(cpr_walk *w, const char *path)
{
    struct stat facts;
    bool through_link;
    /* "link/" names what the link points to, as everywhere. */
    const bool follow = path[strlen(path) - 1] == '/';
    cpr_status status = start(w, path);
    if (status != CPR_OK)
        return status;
    status = look_at_root(w, follow, &facts, &through_link);
    if (status == CPR_OK && follow && !S_ISDIR(facts.st_mode))
        status = fail_errno(w, ENOTDIR, "read");
    if (status != CPR_OK)
        return leave_out(w, status);
    if (is_excluded_root(w, &facts, through_link)) {
        warn_left_out(w, excluded);
        return CPR_OK;
    }
    if (w->length > w->skip && is_left_out(w, &facts))
        return CPR_OK;
    status = check_above(w);
    if (status != CPR_OK)
        return status;
    name_entry e = {.target = NULL};
    bool taken = false;
    status = describe(w, AT_FDCWD, w->path, &facts, through_link, &e, &taken);
    if (status == CPR_OK && taken)
        status = take(w, &e);
    free(e.target);
    if (status == CPR_OK && taken && S_ISDIR(facts.st_mode))
        status = walk_directory(w, follow || w->options->dereference ? 0 : O_NOFOLLOW);
    return status;
}

cpr_status cpr_file_list_add_name(cpr_file_list *list, const char *path,
                                  const cpr_list_options *options, cpr_error *error)
{
    static const cpr_list_options none = {.exclude = NULL};
    char *room = malloc(CPR_PATH_MAX_BYTES);
    cpr_walk w = {
        .list = list,
        .path = room,
        .options = options == NULL ? &none : options,
        .error = error,
    };
    cpr_status status;
    if (path[0] == '\0')
        status = cpr_fail(error, CPR_ERR_USAGE, "an input path is empty");
    else if (room == NULL)
        status = no_memory(&w);
    else
        status = add_root(&w, path);
    free(room);
    free(w.places);
    return status;
}
