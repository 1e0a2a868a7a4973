/* work_inputs.c - what is known of compressed inputs, in the work directory. WORK.md describes the
 * files. */
#include "work_private.h"

#include "input_records.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "cprinput"
#define VERSION 1u
enum { AT_VERSION = 8, AT_KEY = 12, AT_BYTES = 28, AT_HASH = 36, HEADER_BYTES = 52 };

void cpr_work_inputs_name(uint64_t number, char out[CPR_WORK_NAME_BYTES])
{
    snprintf(out, CPR_WORK_NAME_BYTES, "inputs-%08llu", (unsigned long long)number);
}

cpr_status cpr_work_inputs_save(const cpr_work_dir *work, uint64_t number, cpr_hash128 key,
                                const cpr_input_records *records, cpr_error *error)
{
    char name[CPR_WORK_NAME_BYTES];
    uint8_t *data = malloc(HEADER_BYTES + records->used);
    if (data == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for records of inputs");
    memcpy(data, MAGIC, 8);
    cpr_put32(data + AT_VERSION, VERSION);
    cpr_put_hash(data + AT_KEY, key);
    cpr_put64(data + AT_BYTES, records->used);
    cpr_put_hash(data + AT_HASH, cpr_hash_bytes(records->bytes, records->used));
    if (records->used > 0)
        memcpy(data + HEADER_BYTES, records->bytes, records->used);
    cpr_work_inputs_name(number, name);
    const cpr_status status =
        cpr_work_put_file(work, name, data, HEADER_BYTES + records->used, true, error);
    free(data);
    return status;
}

/* Adds the records of one file, if it is whole and fits. */
static cpr_status inputs_load_file(const cpr_work_dir *work, const char *name, cpr_hash128 key,
                                   cpr_input_records *records, cpr_error *error)
{
    uint8_t *data;
    size_t bytes;
    cpr_status status = cpr_work_get_file(work, name, &data, &bytes, error);
    if (status == CPR_ERR_NOT_FOUND || status == CPR_ERR_DAMAGED)
        return CPR_OK;
    if (status != CPR_OK)
        return status;
    if (bytes >= HEADER_BYTES && memcmp(data, MAGIC, 8) == 0 &&
        cpr_get32(data + AT_VERSION) == VERSION &&
        cpr_hash_same(cpr_get_hash(data + AT_KEY), key) &&
        cpr_get64(data + AT_BYTES) == bytes - HEADER_BYTES &&
        cpr_hash_same(cpr_get_hash(data + AT_HASH),
                      cpr_hash_bytes(data + HEADER_BYTES, bytes - HEADER_BYTES)))
        status = cpr_input_records_merge(records, data + HEADER_BYTES, bytes - HEADER_BYTES, error);
    free(data);
    return status == CPR_ERR_DAMAGED ? CPR_OK : status;
}

cpr_status cpr_work_inputs_load(const cpr_work_dir *work, cpr_hash128 key,
                                cpr_input_records *records, cpr_error *error)
{
    const int fd = dup(work->fd);
    DIR *items = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *item;
    cpr_status status = CPR_OK;
    if (items == NULL) {
        const int code = errno;
        if (fd >= 0)
            close(fd);
        return cpr_io_fail(error, code, "read the work directory", work->path);
    }
    rewinddir(items);
    while (status == CPR_OK && (item = readdir(items)) != NULL) {
        char name[CPR_WORK_NAME_BYTES];
        cpr_work_inputs_name(strtoull(item->d_name + strcspn(item->d_name, "0123456789"), NULL, 10),
                             name);
        if (strcmp(name, item->d_name) == 0)
            status = inputs_load_file(work, name, key, records, error);
    }
    closedir(items);
    return status;
}
