/* work_lesson.c - checkpoints of a lesson in the work directory. WORK.md describes the file. */
#include "work_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC "cprlessn"
#define VERSION 1u
#define BYTE_ORDER_MARK UINT32_C(0x01020304)
enum {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_BYTE_ORDER = 12, /* in the machine's */
    AT_SAMPLE = 16,
    AT_BEGUN = 24,
    AT_TEXT = 32,
    AT_LOSS = 40,
    AT_STATE_BYTES = 48,
    AT_STATE_HASH = 56,
    AT_CHECK = 72, /* XXH3-64 of the header before it */
    HEADER_BYTES = 80
};

static void put_header(uint8_t out[HEADER_BYTES], const cpr_work_lesson *lesson, const void *state,
                       size_t bytes)
{
    const uint32_t order = BYTE_ORDER_MARK;
    memcpy(out + AT_MAGIC, MAGIC, 8);
    cpr_put32(out + AT_VERSION, VERSION);
    memcpy(out + AT_BYTE_ORDER, &order, sizeof order);
    cpr_put64(out + AT_SAMPLE, lesson->sample_bytes);
    cpr_put64(out + AT_BEGUN, lesson->begun_bytes);
    cpr_put64(out + AT_TEXT, lesson->text_bytes);
    cpr_put64(out + AT_LOSS, lesson->loss_bits);
    cpr_put64(out + AT_STATE_BYTES, bytes);
    cpr_put_hash(out + AT_STATE_HASH, cpr_hash_bytes(state, bytes));
    cpr_put64(out + AT_CHECK, XXH3_64bits(out, AT_CHECK));
}

static bool is_header(const uint8_t *header)
{
    const uint32_t order = BYTE_ORDER_MARK;
    return memcmp(header + AT_MAGIC, MAGIC, 8) == 0 && cpr_get32(header + AT_VERSION) == VERSION &&
           memcmp(header + AT_BYTE_ORDER, &order, sizeof order) == 0 &&
           cpr_get64(header + AT_CHECK) == XXH3_64bits(header, AT_CHECK);
}

static cpr_status lesson_fail(const cpr_work_dir *work, int code, const char *verb,
                              cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    cpr_printable_path(work->path, shown, sizeof shown);
    if (code == CPR_IO_END)
        return cpr_fail(error, CPR_ERR_DAMAGED, "the checkpoint of the lesson in \"%s\" is damaged",
                        shown);
    return cpr_fail_errno(error, code, "cannot %s the checkpoint of the lesson in \"%s\"", verb,
                          shown);
}

cpr_status cpr_work_lesson_save(const cpr_work_dir *work, const cpr_work_lesson *lesson,
                                const void *state, size_t bytes, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    char temporary[CPR_WORK_NAME_BYTES];
    uint8_t header[HEADER_BYTES];
    put_header(header, lesson, state, bytes);
    cpr_work_snapshot_name(CPR_SHARD_WEIGHTS, name);
    cpr_work_temporary(temporary);
    const int fd = cpr_work_openat(work, temporary, O_WRONLY | O_CREAT | O_EXCL);
    if (fd < 0)
        return lesson_fail(work, errno, "create", error);
    int code = cpr_io_write(fd, header, sizeof header);
    if (code == 0)
        code = cpr_io_write(fd, state, bytes);
    if (code == 0)
        return cpr_work_name_file(work, fd, temporary, name, error);
    close(fd);
    unlinkat(work->fd, temporary, 0);
    return lesson_fail(work, code, "write", error);
}

cpr_status cpr_work_lesson_load(const cpr_work_dir *work, uint8_t **state, size_t *bytes,
                                cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    cpr_work_snapshot_name(CPR_SHARD_WEIGHTS, name);
    const cpr_status status = cpr_work_get_file(work, name, state, bytes, error);
    if (status != CPR_OK)
        return status == CPR_ERR_DAMAGED ? lesson_fail(work, CPR_IO_END, "read", error) : status;
    uint8_t *data = *state;
    const size_t size = *bytes - HEADER_BYTES;
    if (*bytes >= HEADER_BYTES && is_header(data) && cpr_get64(data + AT_STATE_BYTES) == size) {
        const cpr_hash128 wanted = cpr_get_hash(data + AT_STATE_HASH);
        const cpr_hash128 found = cpr_hash_bytes(data + HEADER_BYTES, size);
        if (cpr_hash_same(wanted, found)) {
            memmove(data, data + HEADER_BYTES, size);
            *bytes = size;
            return CPR_OK;
        }
    }
    free(data);
    *state = NULL;
    return lesson_fail(work, CPR_IO_END, "read", error);
}

cpr_status cpr_work_lesson_look(const cpr_work_dir *work, cpr_work_lesson *lesson, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    char shown[CPR_SHOWN_BYTES];
    uint8_t header[HEADER_BYTES];
    cpr_work_snapshot_name(CPR_SHARD_WEIGHTS, name);
    const int fd = cpr_work_openat(work, name, O_RDONLY);
    if (fd < 0 && errno == ENOENT)
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "there is no \"%s\" in \"%s\"", name,
                        cpr_printable_path(work->path, shown, sizeof shown));
    if (fd < 0)
        return lesson_fail(work, errno, "open", error);
    int code = cpr_io_pread(fd, header, sizeof header, 0);
    close(fd);
    if (code == 0 && !is_header(header))
        code = CPR_IO_END;
    if (code != 0)
        return lesson_fail(work, code, "read", error);
    *lesson = (cpr_work_lesson){.sample_bytes = cpr_get64(header + AT_SAMPLE),
                                .begun_bytes = cpr_get64(header + AT_BEGUN),
                                .text_bytes = cpr_get64(header + AT_TEXT),
                                .loss_bits = cpr_get64(header + AT_LOSS)};
    return CPR_OK;
}
