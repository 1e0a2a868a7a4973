/* work_stream.c - what can be read only once, kept in the work directory until the archive is
 * complete. */
#define _GNU_SOURCE
#include "file_list.h"
#include "stream.h"
#include "work_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#define BUFFER_BYTES ((size_t)1 << 20)
#define STEP_MILLISECONDS 200

struct cpr_work_streams {
    const cpr_work_dir *work;
    cpr_file_list *files;
    char *directory; /* absolute: a job may go on from elsewhere */
    bool *there;
    size_t next; /* the first that is not there */
    int in;      /* of that one, or -1 */
    int out;
    char temporary[CPR_WORK_NAME_BYTES];
    uint64_t bytes; /* of it, so far */
    uint8_t *buffer;
};

/* The hash keeps a stream of another name apart. */
static void stream_name(const cpr_work_streams *s, size_t i, char out[CPR_WORK_NAME_BYTES])
{
    const char *member = cpr_file_list_member(s->files, cpr_file_list_stream_file(s->files, i));
    snprintf(out, CPR_WORK_NAME_BYTES, CPR_WORK_STREAM "%08zu-%016llx", i,
             (unsigned long long)XXH3_64bits(member, strlen(member)));
}

/* The list reads the stream from the work directory from now on. */
static cpr_status take(cpr_work_streams *s, size_t i, uint64_t bytes, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    stream_name(s, i, name);
    const size_t room = strlen(s->directory) + sizeof name + 2;
    char *path = malloc(room);
    if (path == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    snprintf(path, room, "%s/%s", s->directory, name);
    const cpr_status status = cpr_file_list_set_stream(s->files, i, path, bytes, error);
    free(path);
    s->there[i] = status == CPR_OK;
    return status;
}

/* Files of pipes have no time of their own: archives of the same bytes are the same. */
static int clear_time(int fd)
{
    static const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 0}};
    return futimens(fd, times) == 0 ? 0 : errno;
}

static cpr_status find(cpr_work_streams *s, size_t i, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    struct stat facts;
    stream_name(s, i, name);
    const int fd = cpr_work_openat(s->work, name, O_RDONLY);
    if (fd < 0)
        return errno == ENOENT ? CPR_OK : cpr_io_fail(error, errno, "open", name);
    int code = fstat(fd, &facts) == 0 ? 0 : errno;
    if (code == 0 && S_ISREG(facts.st_mode) &&
        (facts.st_mtim.tv_sec != 0 || facts.st_mtim.tv_nsec != 0))
        code = clear_time(fd);
    close(fd);
    if (code != 0)
        return cpr_io_fail(error, code, "look at", name);
    return S_ISREG(facts.st_mode) ? take(s, i, (uint64_t)facts.st_size, error) : CPR_OK;
}

cpr_status cpr_work_streams_open(const cpr_work_dir *work, cpr_file_list *files,
                                 cpr_work_streams **streams, cpr_error *error)
{
    const size_t count = cpr_file_list_streams(files);
    cpr_status status = CPR_OK;
    cpr_work_streams *s = malloc(sizeof *s);
    *streams = NULL;
    if (s == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    *s = (cpr_work_streams){.work = work, .files = files, .in = -1, .out = -1};
    s->there = calloc(count + 1, sizeof *s->there);
    s->buffer = malloc(BUFFER_BYTES);
    s->directory = realpath(work->path, NULL);
    if (s->there == NULL || s->buffer == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    else if (s->directory == NULL)
        status = cpr_io_fail(error, errno, "resolve", work->path);
    for (size_t i = 0; status == CPR_OK && i < count; i++)
        status = find(s, i, error);
    if (status != CPR_OK) {
        cpr_work_streams_close(s);
        return status;
    }
    *streams = s;
    return CPR_OK;
}

static void give_up(cpr_work_streams *s)
{
    if (s->in >= 0)
        close(s->in);
    if (s->out >= 0) {
        close(s->out);
        unlinkat(s->work->fd, s->temporary, 0);
    }
    s->in = -1;
    s->out = -1;
}

void cpr_work_streams_close(cpr_work_streams *streams)
{
    if (streams == NULL)
        return;
    give_up(streams);
    free(streams->directory);
    free(streams->there);
    free(streams->buffer);
    free(streams);
}

size_t cpr_work_streams_next(cpr_work_streams *streams)
{
    const size_t count = cpr_file_list_streams(streams->files);
    while (streams->next < count && streams->there[streams->next])
        streams->next++;
    return streams->next;
}

uint64_t cpr_work_streams_bytes(const cpr_work_streams *streams)
{
    return streams->bytes;
}

bool cpr_work_streams_wants(const cpr_work_streams *streams, const char *name)
{
    char own[CPR_WORK_NAME_BYTES];
    for (size_t i = 0; i < cpr_file_list_streams(streams->files); i++) {
        stream_name(streams, i, own);
        if (strcmp(own, name) == 0)
            return true;
    }
    return false;
}

static cpr_status fail_stream(const cpr_work_streams *s, int code, const char *verb,
                              cpr_error *error)
{
    return cpr_io_fail(error, code, verb,
                       cpr_stream_title(cpr_file_list_stream(s->files, s->next)));
}

static cpr_status begin(cpr_work_streams *s, cpr_error *error)
{
    s->bytes = 0;
    s->in = cpr_stream_open(cpr_file_list_stream(s->files, s->next));
    if (s->in < 0)
        return fail_stream(s, errno, "open", error);
    cpr_work_temporary(s->temporary);
    s->out = cpr_work_openat(s->work, s->temporary, O_WRONLY | O_CREAT | O_EXCL);
    return s->out < 0 ? cpr_io_fail(error, errno, "create a file in", s->work->path) : CPR_OK;
}

/* The stream has ended: its file gets its name. */
static cpr_status finish(cpr_work_streams *s, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    const int out = s->out;
    const int code = clear_time(out);
    if (code != 0)
        return cpr_io_fail(error, code, "set the time of a file in", s->work->path);
    stream_name(s, s->next, name);
    s->out = -1;
    close(s->in);
    s->in = -1;
    const cpr_status status = cpr_work_name_file(s->work, out, s->temporary, name, error);
    return status == CPR_OK ? take(s, s->next, s->bytes, error) : status;
}

static int milliseconds_left(const struct timespec *begun)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t passed =
        (int64_t)(now.tv_sec - begun->tv_sec) * 1000 + (now.tv_nsec - begun->tv_nsec) / 1000000;
    return passed < STEP_MILLISECONDS ? STEP_MILLISECONDS - (int)passed : 0;
}

cpr_status cpr_work_streams_step(cpr_work_streams *streams, bool *more, cpr_error *error)
{
    cpr_work_streams *s = streams;
    struct timespec begun;
    cpr_status status = CPR_OK;
    *more = cpr_work_streams_next(s) < cpr_file_list_streams(s->files);
    if (!*more)
        return CPR_OK;
    if (s->in < 0)
        status = begin(s, error);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    bool ended = false;
    for (int left = STEP_MILLISECONDS; status == CPR_OK && !ended && left > 0;
         left = milliseconds_left(&begun)) {
        size_t got;
        int code = cpr_stream_read(s->in, s->buffer, BUFFER_BYTES, left, &got, &ended);
        if (code != 0) {
            status = fail_stream(s, code, "read", error);
            break;
        }
        code = cpr_io_write(s->out, s->buffer, got);
        s->bytes += got;
        if (code != 0)
            status = fail_stream(s, code, "keep in the work directory what is read from", error);
    }
    if (status == CPR_OK && ended)
        status = finish(s, error);
    if (status != CPR_OK)
        give_up(s);
    return status;
}
