/* work_lock.c - one job at a time in a work directory.
 *
 * The lock is an open-file-description lock, which the kernel releases when the job dies. On some
 * file systems locks do not reach other hosts. So the owner also writes its name, and counts up
 * every few seconds. A job that gets the lock but finds another host's name watches the file on its
 * own clock: if it does not change, the owner is gone. Times of different hosts are never compared.
 * WORK.md describes the file. */
#define _GNU_SOURCE
#include "thread_start.h"
#include "work_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RECORD_BYTES 512
#define BEAT_STACK_BYTES ((size_t)256 << 10)

static const cpr_lock_times usual_times = {.beat = 5, .watch = 20, .patience = 10};

struct cpr_work_lock {
    const cpr_lock_times *times;
    int fd;
    cpr_work_owner owner;
    char attempt[128];
    uint64_t turn; /* how many owners there have been */
    uint64_t beat;
    double beaten; /* when the counter went up last, if there is no thread that does it */
    pthread_t thread;
    bool beating; /* by a thread of its own */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool ending; /* guarded by the mutex */
    atomic_bool lost;
};

static double seconds_now(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void add_seconds(struct timespec *time, double seconds)
{
    const int64_t nanoseconds = time->tv_nsec + (int64_t)(seconds * 1e9);
    time->tv_sec += nanoseconds / 1000000000;
    time->tv_nsec = nanoseconds % 1000000000;
}

static void sleep_seconds(double seconds)
{
    struct timespec pause = {0};
    add_seconds(&pause, seconds);
    nanosleep(&pause, NULL);
}

/* ---- the record ----------------------------------------------------------------------------- */

/* Copies a word: what is not a plain character becomes '-'. */
static void put_word(char *out, size_t capacity, const char *text)
{
    size_t used = 0;
    for (; *text != '\0' && used + 1 < capacity; text++)
        out[used++] = *text > ' ' && *text < 127 ? *text : '-';
    out[used] = '\0';
}

/* Names the running kernel: processes that see the same one share its locks. */
static void find_kernel(char *out, size_t capacity)
{
    char text[64] = "";
    const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    put_word(out, capacity, text);
}

static void describe_self(cpr_work_lock *lock)
{
    char host[65] = "";
    const char *job = getenv("SLURM_JOB_ID");
    cpr_work_owner *owner = &lock->owner;
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    put_word(owner->host, sizeof owner->host, host);
    find_kernel(owner->kernel, sizeof owner->kernel);
    put_word(owner->job, sizeof owner->job, job != NULL ? job : "");
    owner->pid = (int64_t)getpid();
    cpr_io_attempt(lock->attempt, sizeof lock->attempt);
}

/* The value of `name` in a record; "" if there is none. */
static void get_word(const char *record, const char *name, char *out, size_t capacity)
{
    char key[32];
    out[0] = '\0';
    snprintf(key, sizeof key, "\n%s ", name);
    const char *at = strstr(record, key);
    if (at == NULL)
        return;
    at += strlen(key);
    const size_t length = strcspn(at, " \n");
    snprintf(out, capacity, "%.*s", (int)length, at);
}

static uint64_t get_number(const char *record, const char *name)
{
    char text[32];
    get_word(record, name, text, sizeof text);
    return strtoull(text, NULL, 10);
}

static int write_record(cpr_work_lock *lock)
{
    char record[RECORD_BYTES + 1];
    memset(record, '\n', sizeof record);
    const int length =
        snprintf(record, sizeof record,
                 CPR_WORK_LOCK_MAGIC "host %s\npid %lld\nkernel %s\njob %s\nattempt %s\nturn %llu\n"
                                     "beat %llu\n",
                 lock->owner.host, (long long)lock->owner.pid, lock->owner.kernel, lock->owner.job,
                 lock->attempt, (unsigned long long)lock->turn, (unsigned long long)lock->beat);
    record[length < RECORD_BYTES ? length : RECORD_BYTES - 1] = '\n';
    return cpr_io_pwrite(lock->fd, record, RECORD_BYTES, 0);
}

/* Reads what is in an open lock file; an empty text if there is nothing. 0, or an errno. */
static int read_record(int fd, char record[RECORD_BYTES + 1])
{
    size_t got;
    const int code = cpr_io_pread_some(fd, record, RECORD_BYTES, 0, &got);
    record[code == 0 ? got : 0] = '\0';
    return code;
}

/* As read_record() with a new descriptor: network file systems look at the server again then. */
static int read_record_again(const cpr_work_dir *work, char record[RECORD_BYTES + 1])
{
    const int fd = cpr_work_openat(work, CPR_WORK_LOCK, O_RDONLY);
    record[0] = '\0';
    if (fd < 0)
        return errno == ENOENT ? 0 : errno;
    const int code = read_record(fd, record);
    close(fd);
    return code;
}

/* Whether nobody is at work, and nobody died at it: an owner leaves the first line only, which says
 * that the directory is a job's. (An empty file says the same: there was a version that left it.)
 */
static bool is_free(const char *record)
{
    char attempt[128];
    get_word(record, "attempt", attempt, sizeof attempt);
    return attempt[0] == '\0';
}

static int write_free(const cpr_work_lock *lock)
{
    char record[RECORD_BYTES];
    memset(record, '\n', sizeof record);
    memcpy(record, CPR_WORK_LOCK_MAGIC, sizeof CPR_WORK_LOCK_MAGIC - 1);
    return cpr_io_pwrite(lock->fd, record, sizeof record, 0);
}

static void parse_owner(const char *record, cpr_work_owner *owner)
{
    *owner = (cpr_work_owner){.pid = (int64_t)get_number(record, "pid")};
    get_word(record, "host", owner->host, sizeof owner->host);
    get_word(record, "kernel", owner->kernel, sizeof owner->kernel);
    get_word(record, "job", owner->job, sizeof owner->job);
}

/* ---- taking --------------------------------------------------------------------------------- */

static struct flock whole_file(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

/* 0, EAGAIN if another process has it, or ENOLCK if this file system has no locks. */
static int try_lock(int fd)
{
    struct flock range = whole_file(F_WRLCK);
    int code;
    do
        code = fcntl(fd, F_OFD_SETLK, &range) == 0 ? 0 : errno;
    while (code == EINTR);
    if (code == 0 || code == EAGAIN)
        return code;
    return code == EACCES ? EAGAIN : ENOLCK;
}

static cpr_status fail_lock(const cpr_work_dir *work, int code, cpr_error *error)
{
    return cpr_io_fail(error, code, "lock the work directory", work->path);
}

static cpr_status busy(const cpr_work_dir *work, const char *record, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_work_owner owner;
    char host[CPR_SHOWN_BYTES];
    char job[CPR_SHOWN_BYTES];
    parse_owner(record, &owner);
    cpr_printable_path(owner.host[0] != '\0' ? owner.host : "?", host, sizeof host);
    return cpr_fail(
        error, CPR_ERR_BUSY, "another job is at work in \"%s\": process %lld on host %s%s%s",
        cpr_printable_path(work->path, shown, sizeof shown), (long long)owner.pid, host,
        owner.job[0] != '\0' ? ", SLURM job " : "", cpr_printable_path(owner.job, job, sizeof job));
}

/* Waits a little for a lock that is held. */
static cpr_status wait_for_lock(const cpr_work_dir *work, const cpr_work_lock *lock,
                                cpr_warn_fn *tell, void *context, cpr_error *error)
{
    char record[RECORD_BYTES + 1];
    const double start = seconds_now();
    bool told = false;
    for (;;) {
        const int code = try_lock(lock->fd);
        if (code != EAGAIN)
            return CPR_OK;
        const double waited = seconds_now() - start;
        if (!told && waited >= 1) {
            tell(context, "another job is at work on this archive; waiting for its end");
            told = true;
        }
        if (waited >= lock->times->patience)
            break;
        sleep_seconds(0.1);
    }
    (void)read_record(lock->fd, record); /* for the message */
    return busy(work, record, error);
}

/* Whether the owner that the record names is alive, as far as can be told once its lock is ours. */
static cpr_status watch_owner(const cpr_work_dir *work, const cpr_work_lock *lock,
                              const char *record, cpr_warn_fn *tell, void *context,
                              cpr_error *error)
{
    char text[512];
    char host[4 * sizeof((cpr_work_owner *)NULL)->host];
    char now[RECORD_BYTES + 1];
    cpr_work_owner owner;
    parse_owner(record, &owner);
    if (is_free(record) || strcmp(owner.kernel, lock->owner.kernel) == 0)
        return CPR_OK; /* it left in order, or the kernel that we share says that it is dead */
    if (owner.job[0] != '\0' && strcmp(owner.job, lock->owner.job) == 0)
        return CPR_OK; /* SLURM ended it before it started this job again */
    snprintf(text, sizeof text,
             "a job on host %s may be at work on this archive; watching for %.0f s whether "
             "it is alive",
             cpr_printable_path(owner.host, host, sizeof host), lock->times->watch);
    tell(context, text);
    for (const double start = seconds_now(); seconds_now() - start < lock->times->watch;) {
        sleep_seconds(0.25);
        const int code = read_record_again(work, now);
        if (code != 0)
            return fail_lock(work, code, error);
        if (strcmp(now, record) != 0)
            return busy(work, now, error);
    }
    return CPR_OK;
}

/* Whether the directory still holds the file that was opened: CPR_ERR_NOT_FOUND if it has been
 * removed by the job that finished meanwhile. */
static cpr_status still_there(const cpr_work_dir *work, int fd, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    struct stat ours;
    struct stat named;
    if (fstat(fd, &ours) != 0)
        return fail_lock(work, errno, error);
    const int code = fstatat(work->fd, CPR_WORK_LOCK, &named, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
    if (code != 0 && code != ENOENT)
        return fail_lock(work, code, error);
    if (code == 0 && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_NOT_FOUND, "\"%s\" was removed",
                    cpr_printable_path(work->path, shown, sizeof shown));
}

/* ---- the counter ---------------------------------------------------------------------------- */

/* False: another job has taken over. */
static bool count_up(cpr_work_lock *lock)
{
    char record[RECORD_BYTES + 1];
    char attempt[sizeof lock->attempt];
    /* What cannot be read says nothing about another job. */
    if (read_record(lock->fd, record) != 0)
        return true;
    get_word(record, "attempt", attempt, sizeof attempt);
    if (strcmp(attempt, lock->attempt) != 0 && get_number(record, "turn") > lock->turn)
        return false;
    lock->beat++;
    (void)write_record(lock);
    return true;
}

static void *beat(void *context)
{
    cpr_work_lock *lock = context;
    struct timespec until = {0};
    pthread_mutex_lock(&lock->mutex);
    while (!lock->ending) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        add_seconds(&until, lock->times->beat);
        while (!lock->ending &&
               pthread_cond_timedwait(&lock->wake, &lock->mutex, &until) != ETIMEDOUT) {
        }
        if (lock->ending)
            break;
        if (!count_up(lock)) {
            atomic_store(&lock->lost, true);
            break;
        }
    }
    pthread_mutex_unlock(&lock->mutex);
    return NULL;
}

/* A thread of its own, so that no phase of the job is too long. Where there may be no more threads
 * (RLIMIT_NPROC) the job itself counts, when it asks whether the lock is lost, which it does with
 * every block that it codes. In phases between, and on file systems whose locks do not reach other
 * hosts, and only there, another host could then take it for dead. */
static bool start_beating(cpr_work_lock *lock)
{
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&lock->mutex, NULL) != 0)
        return false;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    const bool good = pthread_cond_init(&lock->wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (!good)
        return false;
    lock->beaten = seconds_now();
    lock->beating = cpr_thread_start(&lock->thread, BEAT_STACK_BYTES, beat, lock);
    return true;
}

cpr_status cpr_work_lock_take(const cpr_work_dir *work, cpr_warn_fn *tell, void *context,
                              cpr_work_lock **out, cpr_error *error)
{
    return cpr_work_lock_take_timed(work, &usual_times, tell, context, out, error);
}

cpr_status cpr_work_lock_take_timed(const cpr_work_dir *work, const cpr_lock_times *times,
                                    cpr_warn_fn *tell, void *context, cpr_work_lock **out,
                                    cpr_error *error)
{
    char record[RECORD_BYTES + 1];
    *out = NULL;
    cpr_work_lock *lock = calloc(1, sizeof *lock);
    if (lock == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    lock->times = times;
    describe_self(lock);
    lock->fd = cpr_work_openat(work, CPR_WORK_LOCK, O_RDWR | O_CREAT);
    if (lock->fd < 0) {
        const bool gone = errno == ENOENT;
        const cpr_status status = fail_lock(work, errno, error);
        free(lock);
        return gone ? CPR_ERR_NOT_FOUND : status;
    }
    cpr_status status = wait_for_lock(work, lock, tell, context, error);
    if (status == CPR_OK)
        status = still_there(work, lock->fd, error);
    int code = status == CPR_OK ? read_record(lock->fd, record) : 0;
    if (code != 0)
        status = fail_lock(work, code, error);
    if (status == CPR_OK)
        status = watch_owner(work, lock, record, tell, context, error);
    if (status == CPR_OK) {
        lock->turn = get_number(record, "turn") + 1;
        code = write_record(lock);
        if (code != 0)
            status = fail_lock(work, code, error);
    }
    if (status == CPR_OK && !start_beating(lock))
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a thread");
    if (status != CPR_OK) {
        close(lock->fd);
        free(lock);
        return status;
    }
    *out = lock;
    return CPR_OK;
}

bool cpr_work_lock_lost(cpr_work_lock *lock)
{
    const double now = seconds_now();
    if (!lock->beating && now - lock->beaten >= lock->times->beat) {
        lock->beaten = now;
        if (!count_up(lock))
            atomic_store(&lock->lost, true);
    }
    return atomic_load(&lock->lost);
}

void cpr_work_lock_release(cpr_work_lock *lock)
{
    if (lock == NULL)
        return;
    pthread_mutex_lock(&lock->mutex);
    lock->ending = true;
    pthread_cond_signal(&lock->wake);
    pthread_mutex_unlock(&lock->mutex);
    if (lock->beating)
        pthread_join(lock->thread, NULL);
    pthread_cond_destroy(&lock->wake);
    pthread_mutex_destroy(&lock->mutex);
    /* The owner left in order, nobody needs to watch. */
    if (!atomic_load(&lock->lost) && write_free(lock) != 0)
        (void)write_record(lock);
    close(lock->fd);
    free(lock);
}

bool cpr_work_lock_look(const cpr_work_dir *work, cpr_work_owner *owner)
{
    char record[RECORD_BYTES + 1];
    char now[RECORD_BYTES + 1];
    char kernel[sizeof owner->kernel];
    struct flock range = whole_file(F_WRLCK);
    const int fd = cpr_work_openat(work, CPR_WORK_LOCK, O_RDONLY);
    *owner = (cpr_work_owner){.pid = 0};
    if (fd < 0)
        return false;
    (void)read_record(fd, record); /* then only the lock itself says something */
    parse_owner(record, owner);
    const bool held = fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
    close(fd);
    find_kernel(kernel, sizeof kernel);
    if (held || is_free(record) || strcmp(kernel, owner->kernel) == 0)
        return held;
    /* Another host's: does it count? */
    for (const double start = seconds_now(); seconds_now() - start < usual_times.beat + 2;) {
        sleep_seconds(0.5);
        if (read_record_again(work, now) == 0 && strcmp(now, record) != 0)
            return !is_free(now);
    }
    return false;
}
