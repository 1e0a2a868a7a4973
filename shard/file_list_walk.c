/* file_list_walk.c - fills the list from paths that the user names. */
#define _GNU_SOURCE
#include "file_list.h"
#include "shard_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One call of cpr_file_list_add(). `path` grows and shrinks while the walk goes down and up. */
typedef struct walk {
    cpr_file_list *list;
    char *path; /* CPR_PATH_MAX_BYTES of room */
    size_t length;
    size_t skip;       /* of `path`, to the member path */
    char *absolute;    /* resolved path of the root, or NULL if nothing is excluded */
    size_t root_bytes; /* length of `path` at the root */
    const cpr_list_options *options;
    cpr_error *error;
} walk;

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

static void warn_left_out(const walk *w, const char *reason)
{
    char shown[CPR_SHOWN_BYTES];
    char text[CPR_SHOWN_BYTES + 128];
    if (w->options->warn == NULL)
        return;
    (void)snprintf(text, sizeof(text), "left out \"%s\": %s",
                   cpr_printable_path(w->path, shown, sizeof(shown)), reason);
    w->options->warn(w->options->warn_context, text);
}

static cpr_status fail_errno(const walk *w, int code, const char *verb)
{
    return cpr_io_fail(w->error, code, verb, w->length > 0 ? w->path : ".");
}

static cpr_status no_memory(const walk *w)
{
    return cpr_fail(w->error, CPR_ERR_NO_MEMORY, "out of memory for the list of files");
}

/* Appends "/name" (without the '/' at a path that is empty or ends in one) to the path. */
static cpr_status enter(walk *w, const char *name)
{
    const size_t bytes = strlen(name);
    const bool slash = w->length > 0 && w->path[w->length - 1] != '/';
    if (w->length + slash + bytes + 1 > CPR_PATH_MAX_BYTES)
        return cpr_fail(w->error, CPR_ERR_USAGE, "a path is longer than %zu bytes: \"%.200s...\"",
                        CPR_PATH_MAX_BYTES, w->path);
    if (slash)
        w->path[w->length++] = '/';
    memcpy(w->path + w->length, name, bytes + 1);
    w->length += bytes;
    return CPR_OK;
}

static void leave(walk *w, size_t length)
{
    w->length = length;
    w->path[length] = '\0';
}

/* True if the walk's path is one that the caller wants left out. */
static bool is_excluded(const walk *w)
{
    if (w->absolute == NULL)
        return false;
    const size_t root = strlen(w->absolute);
    const char *below = w->path + w->root_bytes;
    while (*below == '/')
        ++below;
    for (const char *const *e = w->options->exclude; *e != NULL; ++e) {
        if (strncmp(*e, w->absolute, root) != 0)
            continue;
        const char *rest = *e + root;
        if (*below == '\0' && *rest == '\0')
            return true;
        if (root > 0 && w->absolute[root - 1] != '/' && *rest++ != '/')
            continue;
        if (*below != '\0' && strcmp(rest, below) == 0)
            return true;
    }
    return false;
}

/* Reads a link's target into malloc()ed memory. */
static cpr_status read_link(const walk *w, int directory, const char *name, char **target)
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

/* A number that another ctime would hardly give. */
static uint32_t change_mark(const struct stat *facts)
{
    const uint64_t time =
        (uint64_t)facts->st_ctim.tv_sec * 1000000000u + (uint64_t)facts->st_ctim.tv_nsec;
    return (uint32_t)(time * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* What the list keeps of a file. *taken is false, with a warning, for what archives cannot hold. */
static cpr_status describe(const walk *w, int directory, const char *name, const struct stat *facts,
                           name_entry *e, bool *taken)
{
    *e = (name_entry){.file = {
                          .mtime_seconds = facts->st_mtim.tv_sec,
                          .mtime_nanoseconds = (uint32_t)facts->st_mtim.tv_nsec,
                          .change = change_mark(facts),
                          .mode = facts->st_mode & 07777u,
                          .type = CPR_FILE_DIRECTORY,
                      }};
    *taken = true;
    if (S_ISREG(facts->st_mode)) {
        e->file.type = CPR_FILE_REGULAR;
        e->file.bytes = (uint64_t)facts->st_size;
    } else if (S_ISLNK(facts->st_mode)) {
        e->file.type = CPR_FILE_SYMLINK;
        e->file.mode = 0777; /* what links have on Linux; it means nothing */
        return read_link(w, directory, name, &e->target);
    } else if (!S_ISDIR(facts->st_mode)) {
        *taken = false;
    }
    return CPR_OK;
}

/* Appends the walk's path to the list. */
static cpr_status take(walk *w, const name_entry *e)
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
    cpr_printable_path(cpr_file_list_source(w->list, known), a, sizeof(a));
    cpr_printable_path(w->path, b, sizeof(b));
    return cpr_fail(w->error, CPR_ERR_USAGE,
                    "\"%s\" and \"%s\" would have the same path in the archive", a, b);
}

static void free_names(name_list *names)
{
    for (size_t i = 0; i < names->count; ++i) {
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
        name_entry *entries = realloc(names->entries, capacity * sizeof(*entries));
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

/* Adds one name of the open directory at the walk's path, and what is below it. */
static cpr_status read_name(walk *w, int directory, const char *name, name_list *names)
{
    const size_t above = w->length;
    struct stat facts;
    name_entry e = {0};
    bool taken = false;
    cpr_status status = enter(w, name);
    if (status != CPR_OK)
        return status;
    if (fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return fail_errno(w, errno, "read");
    status = describe(w, directory, name, &facts, &e, &taken);
    if (status == CPR_OK && !taken)
        warn_left_out(w, "neither a file nor a directory nor a symbolic link");
    if (status == CPR_OK && taken && !add_name(names, name, "", &e)) {
        free(e.target);
        status = no_memory(w);
    }
    if (status == CPR_OK && S_ISDIR(facts.st_mode) && !add_name(names, name, "/", &e))
        status = no_memory(w);
    leave(w, above);
    return status;
}

/* Reads the names in the directory at the walk's path, sorted. */
static cpr_status read_names(walk *w, int flags, name_list *names)
{
    cpr_status status = CPR_OK;
    const int fd = cpr_io_open(w->length > 0 ? w->path : ".", O_RDONLY | O_DIRECTORY | flags);
    if (fd < 0)
        return fail_errno(w, errno, "open the directory");
    DIR *directory = fdopendir(fd);
    if (directory == NULL) {
        status = fail_errno(w, errno, "read the directory");
        (void)close(fd);
        return status;
    }
    while (status == CPR_OK) {
        errno = 0;
        const struct dirent *item = readdir(directory);
        if (item == NULL)
            break;
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
            status = read_name(w, fd, item->d_name, names);
    }
    if (status == CPR_OK && errno != 0)
        status = fail_errno(w, errno, "read the directory");
    (void)closedir(directory);
    if (names->count > 1)
        qsort(names->entries, names->count, sizeof(*names->entries), compare_names);
    return status;
}

static cpr_status walk_directory(walk *w, int flags);

static cpr_status visit(walk *w, const name_entry *e)
{
    const size_t above = w->length;
    const size_t bytes = strlen(e->name);
    const bool below = e->name[bytes - 1] == '/';
    cpr_status status = enter(w, e->name);
    if (status != CPR_OK)
        return status;
    if (below)
        leave(w, w->length - 1);
    if (!is_excluded(w))
        status = below ? walk_directory(w, O_NOFOLLOW) : take(w, e);
    leave(w, above);
    return status;
}

/* Adds what is in the directory at the walk's path. It is closed again before the walk goes down,
 * so that depth does not use up file descriptors. */
static cpr_status walk_directory(walk *w, int flags)
{
    name_list names = {0};
    cpr_status status = read_names(w, flags, &names);
    for (size_t i = 0; status == CPR_OK && i < names.count; ++i)
        status = visit(w, &names.entries[i]);
    free_names(&names);
    return status;
}

/* Copies a path as the user gave it to the walk, without empty and "." components, and finds where
 * its member path starts: behind a leading '/' and behind the last "..". */
static cpr_status start(walk *w, const char *path)
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
                ++w->skip; /* behind the '/' that follows ".." */
            memcpy(w->path + w->length, path, bytes);
            w->length += bytes;
            w->path[w->length] = '\0';
            if (up)
                w->skip = w->length;
        }
        path += bytes + (path[bytes] == '/');
    }
    if (w->skip > 0 && w->skip == w->length && w->path[w->length - 1] != '/')
        ++w->skip; /* ".." alone: behind the '/' that its names will follow */
    w->root_bytes = w->length;
    return CPR_OK;
}

/* The root's absolute path, with links resolved except in its last component: links are kept. */
static char *resolve(const walk *w, bool follow)
{
    const char *path = w->length > 0 ? w->path : ".";
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    if (follow || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || name[0] == '\0')
        return realpath(path, NULL);
    char *parent = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    char *resolved = parent == NULL ? NULL : realpath(parent, NULL);
    free(parent);
    if (resolved == NULL)
        return NULL;
    const size_t length = strlen(resolved);
    char *whole = malloc(length + strlen(name) + 2);
    if (whole != NULL)
        (void)sprintf(whole, "%s%s%s", resolved, resolved[length - 1] == '/' ? "" : "/", name);
    free(resolved);
    return whole;
}

/* False if no excluded path can be the root or below it: spares resolving many single files. */
static bool may_be_excluded(const walk *w, bool is_directory)
{
    const char *slash = strrchr(w->path, '/');
    const char *name = slash == NULL ? w->path : slash + 1;
    for (const char *const *e = w->options->exclude; e != NULL && *e != NULL; ++e) {
        const char *end = strrchr(*e, '/');
        if (is_directory || strcmp(end == NULL ? *e : end + 1, name) == 0)
            return true;
    }
    return false;
}

/* A root below a link or file of the list ("find -L" names such) could not be extracted. */
static cpr_status check_above(const walk *w)
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
                            cpr_printable_path(w->path, shown, sizeof(shown)));
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
    (void)close(fd);
    return code;
}

static cpr_status add_root(walk *w, const char *path)
{
    struct stat facts;
    /* "link/" names what the link points to, as everywhere. */
    const bool follow = path[strlen(path) - 1] == '/';
    cpr_status status = start(w, path);
    if (status != CPR_OK)
        return status;
    const int code = stat_root(w->length > 0 ? w->path : ".", follow, &facts);
    if (code != 0)
        return fail_errno(w, code, "read");
    if (follow && !S_ISDIR(facts.st_mode))
        return fail_errno(w, ENOTDIR, "read");
    if (may_be_excluded(w, S_ISDIR(facts.st_mode))) {
        w->absolute = resolve(w, follow);
        if (w->absolute == NULL)
            return fail_errno(w, errno, "resolve");
    }
    if (is_excluded(w)) {
        warn_left_out(w, "it belongs to the archive that is being written");
        return CPR_OK;
    }
    status = check_above(w);
    if (status != CPR_OK)
        return status;
    name_entry e;
    bool taken;
    status = describe(w, AT_FDCWD, w->path, &facts, &e, &taken);
    if (status == CPR_OK && !taken)
        warn_left_out(w, "neither a file nor a directory nor a symbolic link");
    else if (status == CPR_OK)
        status = take(w, &e);
    free(e.target);
    if (status == CPR_OK && S_ISDIR(facts.st_mode))
        status = walk_directory(w, follow ? 0 : O_NOFOLLOW);
    return status;
}

cpr_status cpr_file_list_add(cpr_file_list *list, const char *path, const cpr_list_options *options,
                             cpr_error *error)
{
    static const cpr_list_options none = {.exclude = NULL};
    walk w = {
        .list = list,
        .path = malloc(CPR_PATH_MAX_BYTES),
        .options = options == NULL ? &none : options,
        .error = error,
    };
    cpr_status status;
    if (path[0] == '\0')
        status = cpr_fail(error, CPR_ERR_USAGE, "an input path is empty");
    else if (w.path == NULL)
        status = no_memory(&w);
    else
        status = add_root(&w, path);
    free(w.path);
    free(w.absolute);
    return status;
}
