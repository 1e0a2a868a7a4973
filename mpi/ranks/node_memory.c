/* node_memory.c - memory that the ranks of a node share.
 *
 * Each rank makes an anonymous file in memory (memfd_create(2)), which takes no memory before it is
 * written to, and tells all others its host, process and file descriptor. Ranks of one host map the
 * file of the lowest of them through /proc. A number in it that nobody can guess shows that it is
 * the right one: in containers the same process id may be somebody else's. MPI's own shared windows
 * are not used because Open MPI puts them into /dev/shm, which has 64 MiB in many containers.
 *
 * CORPRESS_TEST_NODE=N makes every N ranks a node of their own, for tests. */
#define _GNU_SOURCE
#include "node_memory.h"

#include "ranks_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_NAME "corpress"
#define HEAD_BYTES ((size_t)4096) /* in front of the memory: the number */

/* Where a rank's file is. */
typedef struct memory_address {
    char host[CPR_HOST_BYTES];
    uint64_t processes; /* the namespace of its process id */
    int64_t node;       /* see CORPRESS_TEST_NODE */
    int64_t pid;
    int64_t fd; /* -1: it has none */
    uint64_t token;
} memory_address;

/* Of a whole file, with its head. */
static uint8_t *memory_map(int fd, size_t bytes)
{
    const int flags = fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, bytes, MADV_HUGEPAGE); /* only speed depends on it */
    return memory;
}

static uint64_t memory_token(const uint8_t *head)
{
    uint64_t token;
    memcpy(&token, head, sizeof token);
    return token;
}

/* A limit on the size of files holds for these, too, and kills the process that passes it. */
static bool may_have_file(size_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= bytes;
}

/* Memory of this rank's own, shared or not. */
static cpr_status memory_make(cpr_node_memory *memory, bool shared, const char *purpose,
                              cpr_error *error)
{
    const size_t mapped = HEAD_BYTES + memory->bytes;
    uint64_t token;
    memory->fd = shared && may_have_file(mapped) ? memfd_create(MEMORY_NAME, MFD_CLOEXEC) : -1;
    if (memory->fd >= 0 && ftruncate(memory->fd, (off_t)mapped) != 0) {
        close(memory->fd);
        memory->fd = -1;
    }
    uint8_t *head = memory_map(memory->fd, mapped);
    if (head == NULL && memory->fd >= 0)
        close(memory->fd);
    if (head == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for %s, %zu MB", purpose,
                        mapped >> 20);
    if (getrandom(&token, sizeof token, GRND_NONBLOCK) < 0)
        token = (uint64_t)(cpr_ranks_seconds() * 1e9) ^ (uint64_t)getpid() << 40;
    memcpy(head, &token, sizeof token);
    memory->at = head + HEAD_BYTES;
    return CPR_OK;
}

/* Maps another rank's file, which is then *file; NULL if that cannot be, or is not what was meant.
 */
static uint8_t *memory_map_other(const memory_address *at, size_t bytes, int *file)
{
    static const char target[] = "/memfd:" MEMORY_NAME;
    char path[64];
    char link[sizeof target + 16] = "";
    struct stat facts;
    uint8_t *head = NULL;
    snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)at->pid, (long long)at->fd);
    if (at->fd < 0 || readlink(path, link, sizeof link - 1) < 0 ||
        strncmp(link, target, sizeof target - 1) != 0)
        return NULL;
    const int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &facts) == 0 && facts.st_size == (off_t)bytes)
        head = memory_map(fd, bytes);
    if (head != NULL && memory_token(head) == at->token) {
        *file = fd;
        return head;
    }
    if (head != NULL)
        munmap(head, bytes);
    close(fd);
    return NULL;
}

static memory_address memory_own_address(const cpr_ranks *ranks, const cpr_node_memory *memory)
{
    struct stat facts;
    const char *wanted = getenv("CORPRESS_TEST_NODE");
    const long node_ranks = wanted != NULL ? strtol(wanted, NULL, 10) : 0;
    memory_address own = {.pid = getpid(),
                          .fd = memory->fd,
                          .token = memory_token(memory->at - HEAD_BYTES),
                          .node = node_ranks > 0 ? ranks->rank / node_ranks : 0};
    memcpy(own.host, ranks->host, sizeof own.host);
    if (stat("/proc/self/ns/pid", &facts) == 0)
        own.processes = facts.st_ino;
    return own;
}

/* The lowest rank on this rank's node. */
static int find_owner(const memory_address *all, int rank)
{
    const memory_address *own = &all[rank];
    int lowest = 0;
    while (lowest < rank &&
           (memcmp(all[lowest].host, own->host, sizeof own->host) != 0 ||
            all[lowest].processes != own->processes || all[lowest].node != own->node))
        lowest++;
    return lowest;
}

/* COLLECTIVE. Goes over to the memory of the lowest rank on this node, if that is another one. */
static cpr_status memory_share(cpr_ranks *ranks, cpr_node_memory *memory, cpr_error *error)
{
    const memory_address own = memory_own_address(ranks, memory);
    void *gathered;
    cpr_status status = cpr_ranks_gather(ranks, &own, sizeof own, &gathered, error);
    if (status != CPR_OK)
        return status;
    const memory_address *all = gathered;
    const int lowest = find_owner(all, ranks->rank);
    int file = -1;
    uint8_t *other = lowest < ranks->rank
                         ? memory_map_other(&all[lowest], HEAD_BYTES + memory->bytes, &file)
                         : NULL;
    free(gathered);
    /* Until all have looked, this rank's file must be there. */
    status = cpr_ranks_agree(ranks, CPR_OK, error);
    if (other != NULL) {
        cpr_node_memory_close(memory);
        memory->at = other + HEAD_BYTES;
        memory->fd = file;
        memory->owner = lowest;
    }
    return status;
}

cpr_status cpr_node_memory_open(cpr_ranks *ranks, size_t bytes, const char *purpose,
                                cpr_node_memory *memory, cpr_error *error)
{
    *memory = (cpr_node_memory){.bytes = bytes, .owner = ranks->rank, .fd = -1};
    cpr_status status = memory_make(memory, ranks->size > 1, purpose, error);
    if (ranks->size == 1)
        return status;
    status = cpr_ranks_agree(ranks, status, error);
    return status == CPR_OK ? memory_share(ranks, memory, error) : status;
}

void cpr_node_memory_close(cpr_node_memory *memory)
{
    if (memory->at != NULL)
        munmap(memory->at - HEAD_BYTES, HEAD_BYTES + memory->bytes);
    if (memory->at != NULL && memory->fd >= 0)
        close(memory->fd);
    memory->at = NULL;
}

int cpr_node_memory_claim(const cpr_node_memory *memory, size_t at, size_t bytes)
{
    int code = 0;
    if (memory->fd < 0)
        return 0;
    do
        code = posix_fallocate(memory->fd, (off_t)(HEAD_BYTES + at), (off_t)bytes);
    while (code == EINTR);
    return code == EOPNOTSUPP || code == EINVAL ? 0 : code;
}
