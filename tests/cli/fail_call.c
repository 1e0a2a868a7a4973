/* fail_call.c - to be preloaded: the N-th call of one kind fails, or moves fewer bytes than asked.
 *
 *   FAIL_CALL    the kind, as below: open, close, read, pread, write, pwrite, fsync, rename, ...
 *   FAIL_N       which call fails, from 1; 0: none
 *   FAIL_ERRNO   the number that it fails with; 0: a short count
 *   FAIL_ONWARD  if set, all calls behind the N-th fail as well
 *   FAIL_BELOW   absolute path of a directory without links: calls on other files are left alone
 *   FAIL_RANK    if set, only this rank of MPI's is disturbed
 *   FAIL_REPORT  a file of REPORT_BYTES bytes that gets the number of calls, and what has failed
 *
 * The calls of the dynamic loader and of MPI on files of their own are not below the directory.
 * Calls that name no file (for memory, random numbers, threads) count if they are made by the
 * program or by one of the small libraries that it uses; `library` is memory that HDF5 asks for.
 *
 * The calls that glibc's stdio makes cannot be caught. So fopen() gives streams which read, write
 * and close through the functions here, and so does standard output, if it is a file below the
 * directory.
 *
 * What fails has not been done, but for close(): there the descriptor is gone, as on Linux. */
#undef _FILE_OFFSET_BITS /* defines both open() and open64() */
#ifndef __NO_INLINE__
#define __NO_INLINE__ /* nor are headers to define getline() */
#endif
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REPORT_BYTES 4096

typedef struct report {
    _Atomic uint64_t calls;
    _Atomic uint64_t failed;
    char what[512]; /* that failed first: file and caller */
} report;

/* Code of one loaded object. */
typedef struct range {
    uintptr_t begin;
    uintptr_t end;
} range;

static struct {
    const char *kind; /* NULL: nothing is to be done */
    uint64_t target;
    int code;
    bool onward;
    const char *below;
    report *report;
    range caller[8]; /* whose calls count that name no file */
    size_t callers;
} plan;

static report nobody_looks;
/* Depth of calls of libc in which it asks for memory on the program's behalf. */
static __thread unsigned lent;

#define CALLER __builtin_return_address(0)

/* The next definition of a function: sets the pointer at `real`. */
static void find(void *real, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(real, &found, sizeof found);
}
#define REAL(name)                                                                                 \
    static __typeof__(name) *real;                                                                 \
    if (real == NULL)                                                                              \
    find(&real, #name)

/* ---- who calls, and on what ---- */

static int note_object(struct dl_phdr_info *object, size_t bytes, void *context)
{
    static const char *const small[] = {"/libxxhash.so", "/liblz4.so"};
    const bool library = *(const bool *)context;
    bool wanted = library ? strstr(object->dlpi_name, "/libhdf5") != NULL : !*object->dlpi_name;
    (void)bytes;
    for (size_t i = 0; !library && i < sizeof small / sizeof *small; i++)
        wanted = wanted || strstr(object->dlpi_name, small[i]) != NULL;
    for (size_t i = 0; wanted && i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        const uintptr_t begin = object->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) &&
            plan.callers < sizeof plan.caller / sizeof *plan.caller)
            plan.caller[plan.callers++] = (range){begin, begin + part->p_memsz};
    }
    return 0;
}

static bool counts(const void *caller)
{
    const uintptr_t at = (uintptr_t)caller;
    for (size_t i = 0; i < plan.callers; i++)
        if (at >= plan.caller[i].begin && at < plan.caller[i].end)
            return true;
    return lent > 0;
}

static bool is_kind(const char *kind)
{
    return plan.kind != NULL && strcmp(plan.kind, kind) == 0;
}

/* Where an open file is; true if that can be said. Uses no function that is caught here. */
static bool path_of(int fd, char out[PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const long length = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
    out[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* Whether a path is below the directory; if relative, then to `directory`. *shown: for a report. */
static bool is_below(int directory, const char *path, char shown[PATH_MAX])
{
    char base[PATH_MAX] = "";
    const size_t length = plan.below != NULL ? strlen(plan.below) : 0;
    if (path[0] != '/') {
        if (directory != AT_FDCWD)
            path_of(directory, base);
        else if (syscall(SYS_getcwd, base, sizeof base) < 0)
            base[0] = '\0';
    }
    /* What does not fit is cut off: the beginning decides. */
    if (snprintf(shown, PATH_MAX, "%s%s%s", base, base[0] ? "/" : "", path) < 0)
        return false;
    return length == 0 || (strncmp(shown, plan.below, length) == 0 &&
                           (shown[length] == '/' || shown[length] == '\0'));
}

/* ---- what happens ---- */

/* Counts a call; true if it is one that fails. */
static bool strike(const char *shown, const void *caller)
{
    const uint64_t n = atomic_fetch_add(&plan.report->calls, 1) + 1;
    if (plan.target == 0 || (plan.onward ? n < plan.target : n != plan.target))
        return false;
    if (atomic_fetch_add(&plan.report->failed, 1) == 0) {
        Dl_info where = {.dli_fname = ""};
        dladdr(caller, &where);
        const char *name = strrchr(where.dli_fname, '/');
        snprintf(plan.report->what, sizeof plan.report->what, "%.380s (%.60s+0x%zx)", shown,
                 name != NULL ? name + 1 : where.dli_fname,
                 (size_t)((uintptr_t)caller - (uintptr_t)where.dli_fbase));
    }
    errno = plan.code;
    return true;
}

/* Each is true if the call fails; errno is set then. */
static bool fails(const char *kind, const void *caller)
{
    const int before = errno;
    if (!is_kind(kind) || !counts(caller))
        return false;
    errno = before;
    return strike("", caller);
}

static bool fails_at(const char *kind, int directory, const char *path, const void *caller)
{
    char shown[PATH_MAX];
    const int before = errno;
    if (!is_kind(kind))
        return false;
    const bool below = is_below(directory, path, shown);
    errno = before;
    return below && strike(shown, caller);
}

static bool fails_on(const char *kind, int fd, const void *caller)
{
    char path[PATH_MAX];
    char shown[PATH_MAX];
    const int before = errno;
    if (!is_kind(kind) || fd < 0 || !path_of(fd, path))
        return false;
    /* Files in memory have no place; sockets and the like have no path. */
    const bool ours = strncmp(path, "/memfd:corpress", 15) == 0 ||
                      (path[0] == '/' && is_below(AT_FDCWD, path, shown));
    errno = before;
    return ours && strike(path, caller);
}

/* A short count of `bytes`. */
static size_t fewer(size_t bytes)
{
    return bytes > 1 ? bytes / 2 : bytes;
}

__attribute__((constructor)) static void begin(void)
{
    const char *rank = getenv("FAIL_RANK");
    const char *own_rank = getenv("OMPI_COMM_WORLD_RANK");
    const char *n = getenv("FAIL_N");
    const char *code = getenv("FAIL_ERRNO");
    const char *to = getenv("FAIL_REPORT");
    const char *kind = getenv("FAIL_CALL");
    if (kind == NULL || (rank != NULL && (own_rank == NULL || strcmp(rank, own_rank) != 0)))
        return;
    plan.report = &nobody_looks;
    plan.target = n != NULL ? strtoull(n, NULL, 10) : 0;
    plan.code = code != NULL ? (int)strtol(code, NULL, 10) : EIO;
    plan.onward = getenv("FAIL_ONWARD") != NULL;
    plan.below = getenv("FAIL_BELOW");
    const int fd = to != NULL ? open(to, O_RDWR) : -1;
    if (fd >= 0) {
        void *memory = mmap(NULL, REPORT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory != MAP_FAILED)
            plan.report = memory;
        close(fd);
    }
    bool library = strcmp(kind, "library") == 0;
    dl_iterate_phdr(note_object, &library);
    char path[PATH_MAX];
    char shown[PATH_MAX];
    if (path_of(STDOUT_FILENO, path) && plan.below != NULL && is_below(AT_FDCWD, path, shown)) {
        FILE *out = fdopen(STDOUT_FILENO, "w");
        if (out != NULL)
            stdout = out;
    }
    plan.kind = kind;
}

/* ---- files ---- */

#define DEFINE_OPEN(name)                                                                          \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        const mode_t mode = va_arg(rest, mode_t);                                                  \
        va_end(rest);                                                                              \
        REAL(name);                                                                                \
        return fails_at("open", AT_FDCWD, path, CALLER) ? -1 : real(path, flags, mode);            \
    }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name)                                                                        \
    int name(int directory, const char *path, int flags, ...)                                      \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        const mode_t mode = va_arg(rest, mode_t);                                                  \
        va_end(rest);                                                                              \
        REAL(name);                                                                                \
        return fails_at("open", directory, path, CALLER) ? -1                                      \
                                                         : real(directory, path, flags, mode);     \
    }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

int close(int fd)
{
    REAL(close);
    const bool fail = fails_on("close", fd, CALLER);
    const int code = errno;
    const int result = real(fd);
    if (!fail)
        return result;
    errno = code;
    return -1;
}

/* DEFINE_TRANSFER(kind, type of the buffer, function, further parameters, further arguments) */
#define DEFINE_TRANSFER(kind, buffer, name, parameters, arguments)                                 \
    ssize_t name(int fd, buffer data, size_t bytes parameters)                                     \
    {                                                                                              \
        REAL(name);                                                                                \
        const bool fails = fails_on(kind, fd, CALLER);                                             \
        const size_t most = fails ? fewer(bytes) : bytes;                                          \
        return fails && plan.code ? -1 : real(fd, data, most arguments);                           \
    }
#define COMMA ,
#define NOTHING
DEFINE_TRANSFER("read", void *, read, NOTHING, NOTHING)
DEFINE_TRANSFER("pread", void *, pread, COMMA off_t offset, COMMA offset)
DEFINE_TRANSFER("pread", void *, pread64, COMMA off64_t offset, COMMA offset)
DEFINE_TRANSFER("write", const void *, write, NOTHING, NOTHING)
DEFINE_TRANSFER("pwrite", const void *, pwrite, COMMA off_t offset, COMMA offset)
DEFINE_TRANSFER("pwrite", const void *, pwrite64, COMMA off64_t offset, COMMA offset)

/* A short count of vectors is one of their first. */
#define DEFINE_VECTORS(kind, name, parameters, arguments)                                          \
    ssize_t name(int fd, const struct iovec *part, int parts parameters)                           \
    {                                                                                              \
        REAL(name);                                                                                \
        if (!fails_on(kind, fd, CALLER))                                                           \
            return real(fd, part, parts arguments);                                                \
        return plan.code ? -1 : real(fd, part, parts > 1 ? 1 : parts arguments);                   \
    }
DEFINE_VECTORS("read", readv, NOTHING, NOTHING)
DEFINE_VECTORS("pread", preadv, COMMA off_t offset, COMMA offset)
DEFINE_VECTORS("pread", preadv64, COMMA off64_t offset, COMMA offset)
DEFINE_VECTORS("write", writev, NOTHING, NOTHING)
DEFINE_VECTORS("pwrite", pwritev, COMMA off_t offset, COMMA offset)
DEFINE_VECTORS("pwrite", pwritev64, COMMA off64_t offset, COMMA offset)

#define DEFINE_ON(kind, name, parameters, arguments)                                               \
    int name(int fd parameters)                                                                    \
    {                                                                                              \
        REAL(name);                                                                                \
        return fails_on(kind, fd, CALLER) ? -1 : real(fd arguments);                               \
    }
DEFINE_ON("fsync", fsync, NOTHING, NOTHING)
DEFINE_ON("fsync", fdatasync, NOTHING, NOTHING)
DEFINE_ON("truncate", ftruncate, COMMA off_t bytes, COMMA bytes)
DEFINE_ON("truncate", ftruncate64, COMMA off64_t bytes, COMMA bytes)
DEFINE_ON("fallocate", fallocate, COMMA int mode COMMA off_t at COMMA off_t bytes,
          COMMA mode COMMA at COMMA bytes)
DEFINE_ON("fallocate", fallocate64, COMMA int mode COMMA off64_t at COMMA off64_t bytes,
          COMMA mode COMMA at COMMA bytes)
DEFINE_ON("chmod", fchmod, COMMA mode_t mode, COMMA mode)
DEFINE_ON("utime", futimens, COMMA const struct timespec times[2], COMMA times)
DEFINE_ON("stat", fstat, COMMA struct stat *facts, COMMA facts)
DEFINE_ON("stat", fstat64, COMMA struct stat64 *facts, COMMA facts)

/* These return the number of the error. */
#define DEFINE_POSIX_FALLOCATE(name, offset)                                                       \
    int name(int fd, offset at, offset bytes)                                                      \
    {                                                                                              \
        REAL(name);                                                                                \
        return fails_on("fallocate", fd, CALLER) ? plan.code : real(fd, at, bytes);                \
    }
DEFINE_POSIX_FALLOCATE(posix_fallocate, off_t)
DEFINE_POSIX_FALLOCATE(posix_fallocate64, off64_t)

/* ---- names ---- */

#define DEFINE_PATH(kind, name, parameters, arguments)                                             \
    int name(const char *path parameters)                                                          \
    {                                                                                              \
        REAL(name);                                                                                \
        return fails_at(kind, AT_FDCWD, path, CALLER) ? -1 : real(path arguments);                 \
    }
DEFINE_PATH("unlink", unlink, NOTHING, NOTHING)
DEFINE_PATH("unlink", rmdir, NOTHING, NOTHING)
DEFINE_PATH("mkdir", mkdir, COMMA mode_t mode, COMMA mode)
DEFINE_PATH("chmod", chmod, COMMA mode_t mode, COMMA mode)
DEFINE_PATH("rename", rename, COMMA const char *to, COMMA to)
DEFINE_PATH("link", link, COMMA const char *to, COMMA to)
DEFINE_PATH("stat", stat, COMMA struct stat *facts, COMMA facts)
DEFINE_PATH("stat", stat64, COMMA struct stat64 *facts, COMMA facts)
DEFINE_PATH("stat", lstat, COMMA struct stat *facts, COMMA facts)
DEFINE_PATH("stat", lstat64, COMMA struct stat64 *facts, COMMA facts)

#define DEFINE_AT(kind, name, parameters, arguments)                                               \
    int name(int directory, const char *path parameters)                                           \
    {                                                                                              \
        REAL(name);                                                                                \
        return fails_at(kind, directory, path, CALLER) ? -1 : real(directory, path arguments);     \
    }
DEFINE_AT("unlink", unlinkat, COMMA int flags, COMMA flags)
DEFINE_AT("mkdir", mkdirat, COMMA mode_t mode, COMMA mode)
DEFINE_AT("chmod", fchmodat, COMMA mode_t mode COMMA int flags, COMMA mode COMMA flags)
DEFINE_AT("utime", utimensat, COMMA const struct timespec times[2] COMMA int flags,
          COMMA times COMMA flags)
DEFINE_AT("rename", renameat, COMMA int other COMMA const char *to, COMMA other COMMA to)
DEFINE_AT("rename", renameat2, COMMA int other COMMA const char *to COMMA unsigned flags,
          COMMA other COMMA to COMMA flags)
DEFINE_AT("link", linkat, COMMA int other COMMA const char *to COMMA int flags,
          COMMA other COMMA to COMMA flags)
DEFINE_AT("stat", fstatat, COMMA struct stat *facts COMMA int flags, COMMA facts COMMA flags)
DEFINE_AT("stat", fstatat64, COMMA struct stat64 *facts COMMA int flags, COMMA facts COMMA flags)

int symlinkat(const char *target, int directory, const char *path)
{
    REAL(symlinkat);
    return fails_at("link", directory, path, CALLER) ? -1 : real(target, directory, path);
}

ssize_t readlinkat(int directory, const char *path, char *out, size_t capacity)
{
    REAL(readlinkat);
    return fails_at("readlink", directory, path, CALLER) ? -1
                                                         : real(directory, path, out, capacity);
}

/* ---- directories ---- */

DIR *opendir(const char *path)
{
    REAL(opendir);
    if (fails_at("opendir", AT_FDCWD, path, CALLER))
        return NULL;
    const bool own = counts(CALLER);
    lent += own;
    DIR *opened = real(path);
    lent -= own;
    return opened;
}

DIR *fdopendir(int fd)
{
    REAL(fdopendir);
    if (fails_on("opendir", fd, CALLER))
        return NULL;
    const bool own = counts(CALLER);
    lent += own;
    DIR *opened = real(fd);
    lent -= own;
    return opened;
}

#define DEFINE_READDIR(name, entry)                                                                \
    entry *name(DIR *directory)                                                                    \
    {                                                                                              \
        REAL(name);                                                                                \
        return fails_on("readdir", dirfd(directory), CALLER) ? NULL : real(directory);             \
    }
DEFINE_READDIR(readdir, struct dirent)
DEFINE_READDIR(readdir64, struct dirent64)

/* ---- streams ---- */

static int fd_of(const void *cookie)
{
    return (int)((intptr_t)cookie - 1);
}

/* Nobody who uses stdio can go on after EINTR; handlers are installed with SA_RESTART. */
static ssize_t stream_read(void *cookie, char *out, size_t bytes)
{
    ssize_t got;
    do
        got = read(fd_of(cookie), out, bytes);
    while (got < 0 && errno == EINTR);
    return got;
}

static ssize_t stream_write(void *cookie, const char *data, size_t bytes)
{
    ssize_t put;
    size_t all = 0;
    /* stdio calls write(2) until all is written, but the functions of such a stream once. */
    while (all < bytes) {
        put = write(fd_of(cookie), data + all, bytes - all);
        if (put > 0)
            all += (size_t)put;
        else if (put == 0 || errno != EINTR)
            break;
    }
    return (ssize_t)all;
}

static int stream_close(void *cookie)
{
    return close(fd_of(cookie)) == 0 || errno == EINTR ? 0 : -1;
}

FILE *fdopen(int fd, const char *mode)
{
    static const cookie_io_functions_t functions = {
        .read = stream_read, .write = stream_write, .close = stream_close};
    return fopencookie((void *)((intptr_t)fd + 1), mode, functions);
}

#define DEFINE_FOPEN(name)                                                                         \
    FILE *name(const char *path, const char *mode)                                                 \
    {                                                                                              \
        char shown[PATH_MAX];                                                                      \
        REAL(name);                                                                                \
        if (plan.kind == NULL || plan.below == NULL || !is_below(AT_FDCWD, path, shown))           \
            return real(path, mode);                                                               \
        const int way = mode[0] == 'r'   ? O_RDONLY                                                \
                        : mode[0] == 'w' ? O_WRONLY | O_CREAT | O_TRUNC                            \
                                         : O_WRONLY | O_CREAT | O_APPEND;                          \
        const int fd = open(path, way | (strchr(mode, 'e') != NULL ? O_CLOEXEC : 0), 0666);        \
        return fd < 0 ? NULL : fdopen(fd, mode);                                                   \
    }
DEFINE_FOPEN(fopen)
DEFINE_FOPEN(fopen64)

/* ---- memory and the rest ---- */

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

/* FAIL_CALL=library counts other callers. */
static bool no_memory(const void *caller)
{
    return fails("malloc", caller) || fails("library", caller);
}

void *malloc(size_t bytes)
{
    return no_memory(CALLER) ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return no_memory(CALLER) ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
    return no_memory(CALLER) ? NULL : __libc_realloc(old, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return no_memory(CALLER) ? NULL : __libc_memalign(alignment, bytes);
}

/* Functions of libc that ask for memory on behalf of who calls them. */
#define DEFINE_LENDER(result, name, parameters, arguments)                                         \
    result name parameters                                                                         \
    {                                                                                              \
        REAL(name);                                                                                \
        const bool own = plan.kind != NULL && counts(CALLER);                                      \
        lent += own;                                                                               \
        const result got = real arguments;                                                         \
        lent -= own;                                                                               \
        return got;                                                                                \
    }
typedef char *text;
typedef FILE *stream;
DEFINE_LENDER(text, strdup, (const char *from), (from))
DEFINE_LENDER(text, strndup, (const char *from, size_t most), (from, most))
DEFINE_LENDER(text, realpath, (const char *path, char *out), (path, out))
DEFINE_LENDER(ssize_t, getline, (char **line, size_t *room, FILE *in), (line, room, in))
DEFINE_LENDER(stream, open_memstream, (char **at, size_t *bytes), (at, bytes))

#define DEFINE_MMAP(name, offset)                                                                  \
    void *name(void *at, size_t bytes, int protection, int flags, int fd, offset begin_at)         \
    {                                                                                              \
        REAL(name);                                                                                \
        const bool fail = fd < 0 ? fails("mmap", CALLER) : fails_on("mmap", fd, CALLER);           \
        return fail ? MAP_FAILED : real(at, bytes, protection, flags, fd, begin_at);               \
    }
DEFINE_MMAP(mmap, off_t)
DEFINE_MMAP(mmap64, off64_t)

int memfd_create(const char *name, unsigned flags)
{
    REAL(memfd_create);
    return fails("memfd", CALLER) ? -1 : real(name, flags);
}

ssize_t getrandom(void *out, size_t bytes, unsigned flags)
{
    REAL(getrandom);
    if (!fails("random", CALLER))
        return real(out, bytes, flags);
    return plan.code ? -1 : real(out, fewer(bytes), flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *context)
{
    REAL(pthread_create);
    return fails("thread", CALLER) ? plan.code : real(thread, attributes, start, context);
}
