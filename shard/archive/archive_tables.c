/* archive_tables.c - what writer and reader of the HDF5 tables share. */
#include "archive_tables.h"
#include "file_io.h"
#include "process_lock.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef enum field_kind { FIELD_U64, FIELD_F64, FIELD_U32, FIELD_HASH } field_kind;

typedef struct field {
    const char *name;
    field_kind kind;
    size_t in_memory; /* offset in cpr_shard_row */
} field;

static const field fields[] = {
    {"raw_offset", FIELD_U64, offsetof(cpr_shard_row, raw_offset)},
    {"raw_bytes", FIELD_U64, offsetof(cpr_shard_row, raw_bytes)},
    {"coded_offset", FIELD_U64, offsetof(cpr_shard_row, coded_offset)},
    {"coded_bytes", FIELD_U64, offsetof(cpr_shard_row, coded_bytes)},
    {"stored_bytes", FIELD_U64, offsetof(cpr_shard_row, stored_bytes)},
    {"tokens", FIELD_U64, offsetof(cpr_shard_row, tokens)},
    {"loss_bits", FIELD_F64, offsetof(cpr_shard_row, loss_bits)},
    {"network_loss_bits", FIELD_F64, offsetof(cpr_shard_row, network_loss_bits)},
    {"generation", FIELD_U32, offsetof(cpr_shard_row, generation)},
    {"raw_xxh3_128", FIELD_HASH, offsetof(cpr_shard_row, raw_hash)},
    {"coded_xxh3_128", FIELD_HASH, offsetof(cpr_shard_row, coded_hash)},
};
#define FIELDS (sizeof fields / sizeof fields[0])

static hid_t field_type(field_kind kind, bool in_file)
{
    const hsize_t hash_bytes = 16;
    switch (kind) {
    case FIELD_U64:
        return H5Tcopy(in_file ? H5T_STD_U64LE : H5T_NATIVE_UINT64);
    case FIELD_F64:
        return H5Tcopy(in_file ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE);
    case FIELD_U32:
        return H5Tcopy(in_file ? H5T_STD_U32LE : H5T_NATIVE_UINT32);
    case FIELD_HASH:
        return H5Tarray_create2(H5T_STD_U8LE, 1, &hash_bytes);
    }
    return -1;
}

static hid_t row_type(bool in_file)
{
    const size_t bytes = in_file ? 100 : sizeof(cpr_shard_row);
    const hid_t row = H5Tcreate(H5T_COMPOUND, bytes);
    size_t at = 0;
    for (size_t i = 0; row >= 0 && i < FIELDS; i++) {
        const hid_t type = field_type(fields[i].kind, in_file);
        const size_t place = in_file ? at : fields[i].in_memory;
        const herr_t done = type < 0 ? -1 : H5Tinsert(row, fields[i].name, place, type);
        at += type < 0 ? 0 : H5Tget_size(type);
        cpr_h5_close(type);
        if (done < 0) {
            cpr_h5_close(row);
            return -1;
        }
    }
    return row;
}

hid_t cpr_h5_row_type_in_file(void)
{
    return row_type(true);
}

hid_t cpr_h5_row_type_in_memory(void)
{
    return row_type(false);
}

void cpr_archive_prepare(void)
{
    /* Fails if HDF5 runs already. */
    (void)H5dont_atexit();
    (void)H5open();
}

void cpr_h5_begin(cpr_h5_use *use)
{
    cpr_process_lock();
    *use = (cpr_h5_use){NULL, NULL};
    (void)H5Eget_auto2(H5E_DEFAULT, &use->print, &use->context);
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void cpr_h5_end(const cpr_h5_use *use)
{
    (void)H5Eset_auto2(H5E_DEFAULT, use->print, use->context);
    cpr_process_unlock();
}

/* What HDF5 says about a failure. */
typedef struct reason {
    char text[CPR_SHOWN_BYTES];
    bool no_memory;
} reason;

/* Keeps the first (innermost) description. The drivers put the system's reason in quotes. */
static herr_t keep_description(unsigned n, const H5E_error2_t *entry, void *context)
{
    static const char quoted[] = "error message = '";
    reason *out = context;
    out->no_memory =
        out->no_memory || entry->min_num == H5E_NOSPACE || entry->min_num == H5E_CANTALLOC;
    if (n != 0 || entry->desc == NULL)
        return 0;
    const char *start = strstr(entry->desc, quoted);
    if (start == NULL) {
        snprintf(out->text, sizeof out->text, "%s", entry->desc);
    } else {
        start += sizeof quoted - 1;
        snprintf(out->text, sizeof out->text, "%.*s", (int)strcspn(start, "'"), start);
    }
    return 0;
}

cpr_status cpr_h5_fail(cpr_error *error, cpr_status status, const char *what, const char *path)
{
    char shown[CPR_SHOWN_BYTES / 2];
    reason why = {.text = "no reason given"};
    char printable[CPR_SHOWN_BYTES];
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_description, &why);
    cpr_printable_path(path, shown, sizeof shown);
    cpr_printable_path(why.text, printable, sizeof printable);
    return cpr_fail(error, why.no_memory ? CPR_ERR_NO_MEMORY : status,
                    "cannot %s \"%s\": %s (HDF5)", what, shown, printable);
}

bool cpr_h5_no_memory(void)
{
    reason why = {.text = ""};
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_description, &why);
    return why.no_memory;
}

hid_t cpr_h5_file_access(void)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0)
        return access;
    /* The newest layouts of HDF5 1.10 are the most compact ones; every later release reads them. */
    if (H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0 ||
        H5Pset_meta_block_size(access, 0) < 0 || H5Pset_small_data_block_size(access, 0) < 0)
        goto fail;
#if H5_VERSION_GE(1, 10, 7) && !(H5_VERS_MAJOR == 1 && H5_VERS_MINOR == 12 && H5_VERS_RELEASE == 0)
    if (H5Pset_file_locking(access, 0, 1) < 0)
        goto fail;
#endif
    return access;

fail:
    (void)H5Pclose(access);
    return -1;
}

void cpr_h5_close(hid_t id)
{
    if (id < 0)
        return;
    /* Keep what HDF5 has to say about an earlier failure. */
    const hid_t errors = H5Eget_current_stack();
    (void)H5Idec_ref(id);
    if (errors >= 0)
        (void)H5Eset_current_stack(errors);
}

bool cpr_h5_has(hid_t file, const char *name)
{
    return H5Lexists(file, name, H5P_DEFAULT) > 0;
}

uint64_t cpr_h5_rows(hid_t dataset)
{
    const hid_t space = H5Dget_space(dataset);
    hsize_t rows = 0;
    const bool fits = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
                      H5Sget_simple_extent_dims(space, &rows, NULL) == 1;
    cpr_h5_close(space);
    return fits ? rows : UINT64_MAX;
}
