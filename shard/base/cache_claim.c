/* cache_claim.c - finds a block in the cache, or puts it there: by one process of all that want it.
 *
 * Who makes a block holds a lock on "corpress-KEY.lock", which the kernel frees when it dies, and
 * touches that file while it goes on. Others poll. A maker that is stopped, or whose lock a forked
 * child holds beyond its death, touches nothing any more: after a while nobody waits for it. */
#define _GNU_SOURCE /* fallocate, futimens */
#include "cache_private.h"
#include "file_io.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC "cprprime"
#define VERSION 1u
#define BYTE_ORDER_MARK 0x01020304u
#define PIECE_BYTES ((size_t)16 << 20)
#define SYNC_BYTES ((size_t)128 << 20)
#define PATIENCE 60.0 /* s; longer than network file systems keep what they know of a file */
#define BEAT 1.0      /* s */
#define PAUSE_NANOSECONDS 20000000

typedef struct cache_head {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint64_t bytes;
    cpr_hash128 key;
    cpr_hash128 hash; /* of the block */
    uint64_t check;   /* XXH3-64 of the head before it */
} cache_head;

_Static_assert(sizeof(cache_head) == 64, "there is no padding");

static double seconds_now(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint64_t head_check(const cache_head *head)
{
    return XXH3_64bits(head, offsetof(cache_head, check));
}

static void file_name(const cpr_cache_claim *claim, const char *kind, char out[64])
{
    snprintf(out, 64, "%s%s", claim->name, kind);
}

/* ---- blocks --------------------------------------------------------------------------------- */

void cpr_cache_block_free(cpr_cache_block *block)
{
    if (block->mapped_bytes > 0)
        munmap(block->memory, block->mapped_bytes);
    else
        free(block->memory);
    *block = (cpr_cache_block){.data = NULL};
}

/* Whether it is the head of this block. */
static bool head_fits(const cpr_cache_claim *claim, const cache_head *head)
{
    return memcmp(head->magic, MAGIC, sizeof head->magic) == 0 && head->check == head_check(head) &&
           head->version == VERSION && head->byte_order == BYTE_ORDER_MARK &&
           head->bytes == claim->bytes && cpr_hash_same(head->key, claim->key);
}

/* A local file is mapped: its pages are shared by all processes, and stay when its name goes.
 * Elsewhere another host may remove or cut it, and to read a page that is gone kills the process:
 * there it is read. */
static bool block_open(const cpr_cache_claim *claim, int fd, cpr_cache_block *block)
{
    const size_t bytes = CPR_CACHE_HEAD_BYTES + claim->bytes;
    *block = (cpr_cache_block){.data = NULL};
    if (cpr_cache_is_local(claim->directory)) {
        void *memory = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
        if (memory != MAP_FAILED)
            *block =
                (cpr_cache_block){(const uint8_t *)memory + CPR_CACHE_HEAD_BYTES, memory, bytes};
        if (memory != MAP_FAILED)
            return true;
    }
    uint8_t *memory = malloc(claim->bytes);
    if (memory != NULL && cpr_io_pread(fd, memory, claim->bytes, CPR_CACHE_HEAD_BYTES) == 0) {
        *block = (cpr_cache_block){memory, memory, 0};
        return true;
    }
    free(memory);
    return false;
}

/* Compares the block's hash; *same says whether it is right. */
static cpr_status block_check(const cpr_cache_block *block, size_t bytes, cpr_hash128 hash,
                              cpr_watch watch, bool *same, cpr_error *error)
{
    XXH3_state_t *state = XXH3_createState();
    cpr_status status = CPR_OK;
    *same = false;
    if (state == NULL || XXH3_128bits_reset(state) == XXH_ERROR) {
        XXH3_freeState(state);
        return CPR_OK;
    }
    for (size_t at = 0; status == CPR_OK && at < bytes;) {
        const size_t n = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;
        XXH3_128bits_update(state, block->data + at, n);
        at += n;
        status = cpr_watch_tell(watch, 0, 0, error);
    }
    const XXH128_hash_t found = XXH3_128bits_digest(state);
    *same = found.high64 == hash.high && found.low64 == hash.low;
    XXH3_freeState(state);
    return status;
}

/* Loads the block, if it is there and sound. */
static cpr_status claim_load(cpr_cache_claim *claim, cpr_error *error)
{
    char name[64];
    struct stat facts;
    cache_head head;
    cpr_cache_block block = {.data = NULL};
    bool same = false;
    cpr_status status = CPR_OK;
    file_name(claim, CPR_CACHE_STATE, name);
    const int fd = cpr_io_openat(claim->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return CPR_OK;
    if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && cpr_cache_is_own(&facts) &&
        (uint64_t)facts.st_size == CPR_CACHE_HEAD_BYTES + claim->bytes &&
        cpr_io_pread(fd, &head, sizeof head, 0) == 0 && head_fits(claim, &head)) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
        if (block_open(claim, fd, &block))
            status = block_check(&block, claim->bytes, head.hash, claim->watch, &same, error);
    }
    if (status == CPR_OK && same) {
        futimens(fd, NULL); /* the time of its last use */
        claim->found = block;
    } else {
        cpr_cache_block_free(&block);
    }
    close(fd);
    return status;
}

/* ---- the lock ------------------------------------------------------------------------------- */

static void claim_release(cpr_cache_claim *claim)
{
    char name[64];
    if (claim->file >= 0) {
        close(claim->file);
        unlinkat(claim->directory, claim->temporary, 0);
    }
    claim->file = -1;
    claim->storing = false;
    if (claim->lock < 0)
        return;
    file_name(claim, CPR_CACHE_LOCK, name);
    if (cpr_cache_is_named(claim->directory, name, claim->lock))
        unlinkat(claim->directory, name, 0);
    close(claim->lock);
    claim->lock = -1;
}

static void claim_note(cpr_cache_claim *claim, int code, const char *text)
{
    cpr_fail_errno(&claim->note, code, "the model's state after the primer is not kept: %s", text);
}

/* When the lock file was touched last; opened anew, so that network file systems look again. */
static struct timespec maker_beat(const cpr_cache_claim *claim, const char *name)
{
    struct stat facts = {.st_size = 0};
    const int fd = cpr_io_openat(claim->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &facts) != 0)
        facts.st_mtim = (struct timespec){0};
    if (fd >= 0)
        close(fd);
    return facts.st_mtim;
}

/* Takes the lock of the open lock file; waits as long as its holder goes on. *code is 0 if this
 * process has it, CPR_CACHE_HELD if the holder stands still, or an errno. */
static cpr_status lock_await(const cpr_cache_claim *claim, const char *name, int *code,
                             cpr_error *error)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NANOSECONDS};
    struct timespec beat = {0};
    double seen = seconds_now();
    double looked = seen - BEAT;
    cpr_status status = CPR_OK;
    while ((*code = cpr_cache_lock(claim->lock)) == CPR_CACHE_HELD && status == CPR_OK) {
        const double now = seconds_now();
        if (now - looked >= BEAT) {
            const struct timespec latest = maker_beat(claim, name);
            looked = now;
            if (latest.tv_sec != beat.tv_sec || latest.tv_nsec != beat.tv_nsec)
                seen = now;
            beat = latest;
        }
        if (now - seen > claim->patience)
            break;
        nanosleep(&pause, NULL);
        status = cpr_watch_tell(claim->watch, 0, 0, error);
    }
    return status;
}

/* Opens and takes the lock that is named so, or finds the block that others have made meanwhile. */
static cpr_status claim_lock(cpr_cache_claim *claim, cpr_error *error)
{
    char name[64];
    int code = 0;
    cpr_status status = CPR_OK;
    file_name(claim, CPR_CACHE_LOCK, name);
    while (status == CPR_OK && claim->found.data == NULL) {
        do
            claim->lock = openat(claim->directory, name,
                                 O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        while (claim->lock < 0 && errno == EINTR);
        if (claim->lock < 0) {
            claim_note(claim, errno, "its directory cannot be written to");
            return CPR_OK;
        }
        status = lock_await(claim, name, &code, error);
        if (status == CPR_OK && code == 0)
            status = claim_load(claim, error);
        if (status == CPR_OK && claim->found.data == NULL && code == 0 &&
            cpr_cache_is_named(claim->directory, name, claim->lock))
            return CPR_OK;
        if (code == 0) {
            claim_release(claim);
            continue;
        }
        close(claim->lock);
        claim->lock = -1;
        if (status == CPR_OK && code == CPR_CACHE_HELD)
            cpr_fail(&claim->note, CPR_ERR_BUSY,
                     "the model's state after the primer is made once more: the process that was "
                     "to keep it stands still");
        else if (status == CPR_OK)
            claim_note(claim, code, "its directory has no locks");
        return status;
    }
    return status;
}

/* ---- storing -------------------------------------------------------------------------------- */

/* A limit on the size of files kills the process that passes it. */
static int check_file_limit(uint64_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= bytes ? 0 : EFBIG;
}

/* Takes the room on the disk before the block is made: those who wait need not do so in vain. */
static void claim_prepare(cpr_cache_claim *claim)
{
    char attempt[128];
    const uint64_t bytes = CPR_CACHE_HEAD_BYTES + claim->bytes;
    int code = check_file_limit(bytes);
    if (code == 0)
        code = cpr_cache_make_room(claim->directory, claim->name, bytes, claim->limit);
    cpr_io_attempt(attempt, sizeof attempt);
    snprintf(claim->temporary, sizeof claim->temporary, "%s" CPR_CACHE_TEMPORARY "%s", claim->name,
             attempt);
    if (code == 0) {
        claim->file = openat(claim->directory, claim->temporary,
                             O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        code = claim->file < 0 ? errno : 0;
    }
    if (code == 0) {
        do
            code = fallocate(claim->file, 0, 0, (off_t)bytes) == 0 ? 0 : errno;
        while (code == EINTR);
        if (code == EOPNOTSUPP || code == ENOSYS || code == EINVAL)
            code = 0; /* the file system cannot say */
    }
    if (code == 0) {
        claim->storing = true;
        return;
    }
    claim_note(claim, code, "there is no room in the cache");
    claim_release(claim);
}

/* Shows those who wait that this process is at work. */
static void claim_beat(cpr_cache_claim *claim)
{
    const double now = seconds_now();
    if (claim->lock < 0 || now - claim->beaten < BEAT)
        return;
    futimens(claim->lock, NULL);
    claim->beaten = now;
}

static int write_block(cpr_cache_claim *claim, const uint8_t *data)
{
    int code = 0;
    size_t unsynced = 0;
    for (size_t at = 0; code == 0 && at < claim->bytes;) {
        const size_t n = claim->bytes - at < PIECE_BYTES ? claim->bytes - at : PIECE_BYTES;
        code = cpr_io_pwrite(claim->file, data + at, n, CPR_CACHE_HEAD_BYTES + at);
        at += n;
        unsynced += n;
        if (code == 0 && unsynced >= SYNC_BYTES) { /* in parts: one sync may take long */
            code = cpr_io_sync(claim->file);
            unsynced = 0;
        }
        claim_beat(claim);
    }
    cache_head head = {.magic = MAGIC,
                       .version = VERSION,
                       .byte_order = BYTE_ORDER_MARK,
                       .bytes = claim->bytes,
                       .key = claim->key,
                       .hash = cpr_hash_bytes(data, claim->bytes)};
    head.check = head_check(&head);
    if (code == 0)
        code = cpr_io_pwrite(claim->file, &head, sizeof head, 0);
    return code == 0 ? cpr_io_sync(claim->file) : code;
}

void cpr_cache_claim_store(cpr_cache_claim *claim, const void *data)
{
    char name[64];
    if (!claim->storing)
        return;
    file_name(claim, CPR_CACHE_STATE, name);
    int code = write_block(claim, data);
    if (code == 0)
        code = fchmod(claim->file, 0400) == 0 ? 0 : errno;
    if (code == 0)
        code =
            renameat(claim->directory, claim->temporary, claim->directory, name) == 0 ? 0 : errno;
    if (code == 0) {
        close(claim->file);
        claim->file = -1;
        claim->watch = CPR_NO_WATCH;
        (void)claim_load(claim, NULL);
    }
    if (code != 0)
        claim_note(claim, code, "it cannot be written");
    claim_release(claim);
}

/* A cpr_progress_fn. */
static cpr_status claim_progress(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                 cpr_error *error)
{
    cpr_cache_claim *claim = context;
    claim_beat(claim);
    return cpr_watch_tell(claim->watch, raw_bytes, coded_bytes, error);
}

cpr_watch cpr_cache_claim_watch(cpr_cache_claim *claim, cpr_watch watch)
{
    claim->watch = watch;
    return (cpr_watch){claim_progress, claim};
}

/* ---- claims --------------------------------------------------------------------------------- */

/* A number of bytes, with K, M or G behind it. */
static bool parse_bytes(const char *text, uint64_t *bytes)
{
    static const char units[] = "KMGkmg";
    char *end;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;
    const unsigned shift = unit != NULL ? 10 * (unsigned)((unit - units) % 3 + 1) : 0;
    if (!isdigit((unsigned char)*text) || errno != 0 || end[unit != NULL] != '\0' ||
        number > UINT64_MAX >> shift || number == 0)
        return false;
    *bytes = (uint64_t)number << shift;
    return true;
}

/* The directory, and the limit; NULL, perhaps with a note: nothing is kept. */
static const char *claim_place(cpr_cache_claim *claim, const cpr_cache_place *place)
{
    const char *directory = place->directory != NULL ? place->directory : getenv("CORPRESS_CACHE");
    const char *bytes = getenv("CORPRESS_CACHE_BYTES");
    if (directory == NULL || *directory == '\0')
        return NULL;
    claim->limit = place->bytes > 0 ? place->bytes : CPR_CACHE_BYTES_DEFAULT;
    if (place->bytes == 0 && bytes != NULL && *bytes != '\0' &&
        !parse_bytes(bytes, &claim->limit)) {
        char shown[CPR_SHOWN_BYTES];
        cpr_fail(&claim->note, CPR_ERR_USAGE,
                 "the cache is not used: CORPRESS_CACHE_BYTES wants a size such as 8G, not '%s'",
                 cpr_printable_path(bytes, shown, sizeof shown));
        return NULL;
    }
    return directory;
}

cpr_status cpr_cache_claim_open(cpr_cache_claim *claim, const cpr_cache_place *place,
                                cpr_hash128 key, size_t bytes, cpr_watch watch, cpr_error *error)
{
    *claim = (cpr_cache_claim){.directory = -1,
                               .lock = -1,
                               .file = -1,
                               .key = key,
                               .bytes = bytes,
                               .patience = place->patience > 0 ? place->patience : PATIENCE,
                               .watch = watch};
    snprintf(claim->name, sizeof claim->name, CPR_CACHE_PREFIX "%016llx%016llx",
             (unsigned long long)key.high, (unsigned long long)key.low);
    const char *directory = claim_place(claim, place);
    if (directory != NULL)
        claim->directory = cpr_cache_directory_open(directory, &claim->note);
    if (claim->directory < 0)
        return CPR_OK;
    cpr_status status = claim_load(claim, error);
    if (status != CPR_OK || claim->found.data != NULL)
        return status;
    if (CPR_CACHE_HEAD_BYTES + claim->bytes > claim->limit) {
        cpr_fail(&claim->note, CPR_ERR_IO,
                 "the model's state after the primer is not kept: it has %llu MB, and the cache "
                 "may have %llu MB",
                 (unsigned long long)(claim->bytes / 1000000),
                 (unsigned long long)(claim->limit / 1000000));
        return CPR_OK;
    }
    status = claim_lock(claim, error);
    if (status == CPR_OK && claim->lock >= 0)
        claim_prepare(claim);
    return status;
}

void cpr_cache_claim_close(cpr_cache_claim *claim)
{
    claim_release(claim);
    if (claim->directory >= 0)
        close(claim->directory);
    claim->directory = -1;
}
