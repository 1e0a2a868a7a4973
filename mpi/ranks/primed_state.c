/* primed_state.c - the model's state after the primer, in memory that the ranks of a node share.
 *
 * Each rank makes an anonymous file in memory (memfd_create(2)), which takes no memory before it is
 * written to, and tells all others its host, process and file descriptor. Ranks of one host map the
 * file of the lowest of them through /proc. A number in it that nobody can guess shows that it is
 * the right one: in containers the same process id may be somebody else's. Who cannot map it uses
 * its own file; that costs memory and time, and nothing else. MPI's own shared windows were not
 * used because Open MPI puts them into /dev/shm, which has 64 MiB in many containers. */
#define _GNU_SOURCE
#include "primed_state.h"

#include "ranks_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_NAME "corpress"
#define STATE_OFFSET ((size_t)4096)

enum { STAGE_EMPTY = 0, STAGE_MAKING = 1, STAGE_READY = 2, STAGE_FAILED = 3 };

/* What is in front of the state. */
typedef struct shared_head {
    uint64_t token;
    _Atomic uint32_t stage;
    int32_t status; /* if failed */
    cpr_error error;
} shared_head;

_Static_assert(sizeof(shared_head) <= STATE_OFFSET, "the head fits in front of the state");

struct cpr_primed_state {
    shared_head *head;
    uint8_t *state;
    size_t room;   /* for the state */
    size_t mapped; /* bytes, with the head */
    int fd;        /* of the file that is mapped; -1: no file */
    bool first;
};

/* Where a rank's file is. */
typedef struct memory_address {
    char host[CPR_HOST_BYTES];
    uint64_t processes; /* the namespace of its process id */
    int64_t pid;
    int64_t fd; /* -1: it has none */
    uint64_t token;
} memory_address;

static void *memory_map(int fd, size_t bytes)
{
    const int flags = fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, bytes, MADV_HUGEPAGE); /* only speed depends on it */
    return memory;
}

/* A limit on the size of files holds for these, too, and kills the process that passes it. */
static bool may_have_file(size_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= bytes;
}

/* Memory of this rank's own, shared or not. */
static cpr_status memory_open(cpr_primed_state *primed, bool shared, cpr_error *error)
{
    primed->fd =
        shared && may_have_file(primed->mapped) ? memfd_create(MEMORY_NAME, MFD_CLOEXEC) : -1;
    if (primed->fd >= 0 && ftruncate(primed->fd, (off_t)primed->mapped) != 0) {
        close(primed->fd);
        primed->fd = -1;
    }
    primed->head = memory_map(primed->fd, primed->mapped);
    if (primed->head == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY,
                        "no memory for the model's state after the primer, %zu MB",
                        primed->mapped >> 20);
    if (getrandom(&primed->head->token, sizeof primed->head->token, GRND_NONBLOCK) < 0)
        primed->head->token = (uint64_t)(cpr_ranks_seconds() * 1e9) ^ (uint64_t)getpid() << 40;
    return CPR_OK;
}

/* Maps another rank's memory, whose file is then *file; NULL if that cannot be, or is not what was
 * meant. */
static shared_head *memory_map_other(const memory_address *at, size_t bytes, int *file)
{
    static const char target[] = "/memfd:" MEMORY_NAME;
    char path[64];
    char link[sizeof target + 16] = "";
    struct stat facts;
    shared_head *head = NULL;
    snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)at->pid, (long long)at->fd);
    if (at->fd < 0 || readlink(path, link, sizeof link - 1) < 0 ||
        strncmp(link, target, sizeof target - 1) != 0)
        return NULL;
    const int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &facts) == 0 && facts.st_size == (off_t)bytes)
        head = memory_map(fd, bytes);
    if (head != NULL && head->token == at->token) {
        *file = fd;
        return head;
    }
    if (head != NULL)
        munmap(head, bytes);
    close(fd);
    return NULL;
}

static memory_address memory_own_address(const cpr_ranks *ranks, const cpr_primed_state *primed)
{
    struct stat facts;
    memory_address own = {.pid = getpid(), .fd = primed->fd};
    memcpy(own.host, ranks->host, sizeof own.host);
    if (stat("/proc/self/ns/pid", &facts) == 0)
        own.processes = facts.st_ino;
    if (primed->head != NULL)
        own.token = primed->head->token;
    return own;
}

/* COLLECTIVE. Goes over to the memory of the lowest rank on this host, if that is another one. */
static cpr_status memory_share(cpr_ranks *ranks, cpr_primed_state *primed, cpr_error *error)
{
    const memory_address own = memory_own_address(ranks, primed);
    memory_address *all = calloc((size_t)ranks->size, sizeof *all);
    cpr_status status = CPR_OK;
    if (all == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %d ranks", ranks->size);
    status = cpr_ranks_agree(ranks, status, error);
    if (status == CPR_OK && all != NULL) {
        MPI_Request request;
        MPI_Iallgather(&own, (int)sizeof own, MPI_BYTE, all, (int)sizeof own, MPI_BYTE, ranks->comm,
                       &request);
        cpr_ranks_wait(&request);
        int lowest = 0;
        while (lowest < ranks->rank && (memcmp(all[lowest].host, own.host, sizeof own.host) != 0 ||
                                        all[lowest].processes != own.processes))
            lowest++;
        int file = -1;
        shared_head *other =
            lowest < ranks->rank ? memory_map_other(&all[lowest], primed->mapped, &file) : NULL;
        /* Until all have looked, this rank's file must be there. */
        status = cpr_ranks_agree(ranks, CPR_OK, error);
        if (other != NULL) {
            munmap(primed->head, primed->mapped);
            if (primed->fd >= 0)
                close(primed->fd);
            primed->head = other;
            primed->fd = file;
            primed->first = false;
        }
    }
    free(all);
    return status;
}

cpr_status cpr_primed_state_open(cpr_ranks *ranks, const cpr_profile *profile, uint64_t max_bytes,
                                 cpr_primed_state **out, cpr_error *error)
{
    cpr_primed_state *primed = calloc(1, sizeof *primed);
    cpr_status status = CPR_OK;
    *out = primed;
    if (primed == NULL) {
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to prime the model");
    } else {
        const uint64_t expected = cpr_codec_base_memory(profile, max_bytes);
        *primed =
            (cpr_primed_state){.room = (size_t)(expected + expected / 50), .fd = -1, .first = true};
        primed->mapped = STATE_OFFSET + primed->room;
        status = memory_open(primed, ranks->size > 1, error);
    }
    if (ranks->size > 1) {
        status = cpr_ranks_agree(ranks, status, error);
        if (status == CPR_OK && primed != NULL)
            status = memory_share(ranks, primed, error);
    }
    if (status == CPR_OK && primed != NULL)
        primed->state = (uint8_t *)primed->head + STATE_OFFSET;
    return status;
}

void cpr_primed_state_close(cpr_primed_state *primed)
{
    if (primed == NULL)
        return;
    if (primed->head != NULL)
        munmap(primed->head, primed->mapped);
    if (primed->fd >= 0)
        close(primed->fd);
    free(primed);
}

bool cpr_primed_state_is_first(const cpr_primed_state *primed)
{
    return primed->first;
}

/* Claims the memory now: a page that cannot be had later would kill the process. */
static cpr_status memory_claim(const cpr_primed_state *primed, size_t bytes, cpr_error *error)
{
    int code = bytes > primed->room ? ENOMEM : 0;
    if (code == 0 && primed->fd >= 0)
        do
            code = posix_fallocate(primed->fd, 0, (off_t)(STATE_OFFSET + bytes));
        while (code == EINTR);
    if (code == 0 || code == EOPNOTSUPP || code == EINVAL)
        return CPR_OK;
    return cpr_fail_errno(error, code, "no memory for the model's state after the primer");
}

static cpr_status state_make(const cpr_primed_state *primed, cpr_codec *codec, cpr_prime_fn *prime,
                             void *context, cpr_progress_fn *progress, void *progress_context,
                             cpr_error *error)
{
    shared_head *head = primed->head;
    cpr_error detail = {.text = ""};
    cpr_codec_set_base(codec, NULL);
    cpr_status status = memory_claim(primed, cpr_codec_state_bytes(codec), &detail);
    if (status == CPR_OK)
        status = prime(context, progress, progress_context, &detail);
    uint32_t stage = STAGE_READY;
    if (status == CPR_OK) {
        cpr_codec_get_state(codec, primed->state);
    } else {
        /* Who waits is about to be told to stop as well. */
        stage = status == CPR_STOPPED ? STAGE_EMPTY : STAGE_FAILED;
        head->status = (int32_t)status;
        head->error = detail;
        if (error != NULL)
            *error = detail;
    }
    atomic_store_explicit(&head->stage, stage, memory_order_release);
    return status;
}

/* Waits until there is something to do: the stage is not STAGE_MAKING or, if this rank is not to
 * make the state itself, neither STAGE_EMPTY. */
static cpr_status state_await(const cpr_primed_state *primed, bool may_make,
                              cpr_progress_fn *progress, void *progress_context, uint32_t *stage,
                              cpr_error *error)
{
    unsigned step = 0;
    for (;;) {
        *stage = atomic_load_explicit(&primed->head->stage, memory_order_acquire);
        if (*stage == STAGE_FAILED)
            return cpr_fail(error, (cpr_status)primed->head->status, "%s",
                            primed->head->error.text);
        if (*stage == STAGE_READY || (*stage == STAGE_EMPTY && may_make))
            return CPR_OK;
        const cpr_status status = progress(progress_context, 0, 0, error);
        if (status != CPR_OK)
            return status;
        cpr_ranks_pause(&step);
    }
}

cpr_status cpr_primed_state_make(cpr_primed_state *primed, cpr_codec *codec, cpr_prime_fn *prime,
                                 void *context, cpr_progress_fn *progress, void *progress_context,
                                 cpr_error *error)
{
    assert(codec != NULL && prime != NULL && progress != NULL);
    uint32_t stage = STAGE_EMPTY;
    cpr_status status = CPR_OK;
    while (status == CPR_OK && stage != STAGE_READY) {
        status = state_await(primed, true, progress, progress_context, &stage, error);
        if (status == CPR_OK && stage == STAGE_EMPTY &&
            atomic_compare_exchange_strong(&primed->head->stage, &stage, STAGE_MAKING)) {
            status = state_make(primed, codec, prime, context, progress, progress_context, error);
            stage = STAGE_READY;
        }
    }
    if (status == CPR_OK)
        cpr_primed_state_use(primed, codec);
    return status;
}

cpr_status cpr_primed_state_wait(cpr_primed_state *primed, cpr_progress_fn *progress,
                                 void *progress_context, cpr_error *error)
{
    uint32_t stage;
    return state_await(primed, false, progress, progress_context, &stage, error);
}

void cpr_primed_state_use(const cpr_primed_state *primed, cpr_codec *codec)
{
    cpr_codec_set_base(codec, primed != NULL ? primed->state : NULL);
}
