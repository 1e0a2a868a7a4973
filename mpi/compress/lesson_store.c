/* lesson_store.c - blocks of a lesson, read in the order of the corpus. */
#include "lesson_store.h"

#include "file_io.h"

#include <stdlib.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t)64 << 10) /* of cpr_plan_sample() */

cpr_status cpr_lesson_store_open(const cpr_compress_run *run, uint64_t count,
                                 cpr_lesson_store *store, cpr_error *error)
{
    *store = (cpr_lesson_store){.fd = -1, .count = count};
    if (cpr_file_list_origins(run->plan.files) == 0)
        return CPR_OK;
    store->slot = calloc((size_t)count + 1, sizeof *store->slot);
    if (store->slot == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the lesson");
    return cpr_work_scratch_open(run->work.dir, &store->fd, error);
}

void cpr_lesson_store_close(cpr_lesson_store *store)
{
    if (store->fd >= 0)
        close(store->fd);
    free(store->slot);
    *store = (cpr_lesson_store){.fd = -1};
}

void cpr_lesson_store_want(cpr_lesson_store *store, uint64_t i)
{
    if (store->slot != NULL)
        store->slot[i] = 1;
}

static cpr_extent store_extent(const cpr_compress_run *run, uint64_t i)
{
    return cpr_plan_sample(run->plan.corpus_bytes, run->plan.lesson_bytes, i);
}

static cpr_status store_fail(int code, const char *verb, cpr_error *error)
{
    return code == CPR_IO_END
               ? cpr_fail(error, CPR_ERR_IO, "the lesson's scratch file has lost bytes")
               : cpr_fail_errno(error, code, "cannot %s the lesson's scratch file", verb);
}

cpr_status cpr_lesson_store_fill(cpr_lesson_store *store, const cpr_compress_run *run,
                                 cpr_corpus_reader *reader, cpr_error *error)
{
    uint8_t *block = store->fd >= 0 ? malloc(BLOCK_BYTES) : NULL;
    uint32_t slots = 0;
    cpr_status status = CPR_OK;
    if (store->fd >= 0 && block == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the lesson");
    for (uint64_t i = 0; status == CPR_OK && block != NULL && i < store->count; i++) {
        const cpr_extent extent = store_extent(run, i);
        if (store->slot[i] == 0)
            continue;
        store->slot[i] = ++slots;
        status = cpr_corpus_reader_read(reader, extent.offset, block, (size_t)extent.bytes, error);
        if (status != CPR_OK)
            break;
        const int code =
            cpr_io_pwrite(store->fd, block, (size_t)extent.bytes, (slots - 1) * BLOCK_BYTES);
        status = code != 0 ? store_fail(code, "write", error) : cpr_stop_check(error);
    }
    free(block);
    return status;
}

cpr_status cpr_lesson_store_read(const cpr_lesson_store *store, const cpr_compress_run *run,
                                 cpr_corpus_reader *reader, uint64_t i, uint8_t *block,
                                 size_t *bytes, cpr_error *error)
{
    const cpr_extent extent = store_extent(run, i);
    *bytes = (size_t)extent.bytes;
    if (store->fd < 0)
        return cpr_corpus_reader_read(reader, extent.offset, block, *bytes, error);
    const int code =
        cpr_io_pread(store->fd, block, *bytes, (uint64_t)(store->slot[i] - 1) * BLOCK_BYTES);
    return code == 0 ? CPR_OK : store_fail(code, "read", error);
}
