/* Archives that lie, under a seal that is right: each is refused before it can do harm, in little
 * memory, and without touching another file. */
#include "archive.h"
#include "test_bitstream.h"
#include "test_files.h"

#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <sys/resource.h>
#include <xxhash.h>

#define FILES 256 /* more than a small archive has */
#define MEMORY_MAX ((rlim_t)256 << 20)

/* A sound archive of one shard and FILES files; columns of so many are packed. */
static void write_sound(const char *path)
{
    cpr_error error = {""};
    uint64_t loss[FILES + 1] = {0};
    uint8_t coded[5000];
    mkdir("in", 0755);
    for (unsigned i = 0; i < FILES; i++) {
        char name[40];
        snprintf(name, sizeof name, "in/file-%u", i);
        put_file(name, name, i % 20);
    }
    cpr_file_list *files = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(files, "in", NULL, &error), CPR_OK);
    memset(coded, 7, sizeof coded);
    const XXH128_hash_t hash = XXH3_128bits(coded, sizeof coded);
    const cpr_shard_info shard = {.raw_bytes = cpr_file_list_bytes(files),
                                  .coded_bytes = sizeof coded,
                                  .coded_hash = {hash.high64, hash.low64}};
    const cpr_archive_header header = {.profile = "fast",
                                       .model = "mixing 1",
                                       .shard_bytes = 1 << 20,
                                       .vocabulary = (const uint8_t *)"words",
                                       .vocabulary_bytes = 5,
                                       .files = files,
                                       .file_loss = loss,
                                       .shards = &shard,
                                       .shard_count = 1};
    assert_int_equal(cpr_archive_create(path, &header, &error), CPR_OK);
    assert_int_equal(cpr_archive_write_bitstreams(path, 0, 1, give_sevens, NULL, &error), CPR_OK);
    assert_int_equal(cpr_archive_seal(path, &error), CPR_OK);
    cpr_file_list_free(files);
}

/* ---- forgeries ------------------------------------------------------------------------------ */

static hid_t properties_of_dataset(void)
{
    const hid_t p = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(p >= 0);
    return p;
}

/* Puts another dataset in the place of `name`. data: what is written to it; NULL: nothing. Takes
 * the properties. */
static void put(hid_t file, const char *name, hid_t type, hsize_t rows, hid_t properties,
                const void *data, hid_t memory_type)
{
    assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    const hsize_t unlimited = H5S_UNLIMITED; /* chunks may then be larger than the dataset */
    const hid_t space =
        H5Screate_simple(1, &rows, H5Pget_layout(properties) == H5D_CHUNKED ? &unlimited : NULL);
    const hid_t d = H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    assert_true(d >= 0);
    if (data != NULL)
        assert_true(H5Dwrite(d, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    H5Dclose(d);
    H5Sclose(space);
    H5Pclose(properties);
}

static void external(hid_t file, const char *name, hid_t type, hsize_t rows, const char *path)
{
    const hid_t p = properties_of_dataset();
    assert_true(H5Pset_external(p, path, 0, rows * H5Tget_size(type)) >= 0);
    put(file, name, type, rows, p, NULL, type);
}

static void external_file(hid_t file)
{
    put_text("secret", "secret-1\nsecret-2\n");
    external(file, "files/path_suffixes", H5T_STD_U8LE, 18, "secret");
}

static void external_pipe(hid_t file)
{
    assert_int_equal(mkfifo("pipe", 0600), 0);
    external(file, "files/path_suffixes", H5T_STD_U8LE, 100, "pipe");
}

static void external_column(hid_t file)
{
    external(file, "files/mode", H5T_STD_U16LE, FILES + 1, "pipe");
}

static void external_vocabulary(hid_t file)
{
    external(file, "vocabulary", H5T_STD_U8LE, 50, "pipe");
}

static void virtual_column(hid_t file)
{
    const hsize_t rows = FILES + 1;
    const hid_t p = properties_of_dataset();
    const hid_t space = H5Screate_simple(1, &rows, NULL);
    assert_true(H5Pset_virtual(p, space, "pipe", "mode", space) >= 0);
    H5Sclose(space);
    put(file, "files/mode", H5T_STD_U16LE, rows, p, NULL, 0);
}

static void soft_link(hid_t file)
{
    assert_true(H5Lmove(file, "files", file, "others", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_soft("/others", file, "files", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void soft_loop(hid_t file)
{
    assert_true(H5Ldelete(file, "shards", H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_soft("/shards", file, "shards", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void external_link(hid_t file)
{
    assert_true(H5Ldelete(file, "vocabulary", H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_external("sound.h5", "/vocabulary", file, "vocabulary", H5P_DEFAULT,
                                   H5P_DEFAULT) >= 0);
}

static void optional_link(hid_t file)
{
    assert_true(H5Lcreate_external("pipe", "/primer", file, "primer", H5P_DEFAULT, H5P_DEFAULT) >=
                0);
}

static void named_type(hid_t file)
{
    static const uint16_t modes[FILES + 1] = {0};
    const hid_t type = H5Tcopy(H5T_STD_U16LE);
    assert_true(H5Tcommit2(file, "type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    put(file, "files/mode", type, FILES + 1, properties_of_dataset(), modes, H5T_NATIVE_UINT16);
    H5Tclose(type);
}

static void variable_length(hid_t file)
{
    const hid_t type = H5Tvlen_create(H5T_STD_U8LE);
    put(file, "files/mode", type, FILES + 1, properties_of_dataset(), NULL, type);
    H5Tclose(type);
}

static void wrong_type(hid_t file)
{
    static const double modes[FILES + 1] = {0};
    put(file, "files/mode", H5T_IEEE_F64LE, FILES + 1, properties_of_dataset(), modes,
        H5T_NATIVE_DOUBLE);
}

static void group_for_dataset(hid_t file)
{
    assert_true(H5Ldelete(file, "files/mode", H5P_DEFAULT) >= 0);
    H5Gclose(H5Gcreate2(file, "files/mode", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}

/* Bytes that deflate to a thousandth. */
static void deflated(hid_t file)
{
    const hsize_t rows = 100 << 20;
    const hid_t p = properties_of_dataset();
    H5Pset_chunk(p, 1, &rows);
    H5Pset_deflate(p, 9);
    put(file, "files/path_suffixes", H5T_STD_U8LE, rows, p, NULL, 0);
}

/* HDF5 1.10 copies as many bytes of one as it says to have. */
static void fill_value(hid_t file)
{
    static const uint16_t modes[FILES + 1] = {0};
    const uint16_t fill = 1;
    const hid_t p = properties_of_dataset();
    H5Pset_fill_value(p, H5T_NATIVE_UINT16, &fill);
    put(file, "files/mode", H5T_STD_U16LE, FILES + 1, p, modes, H5T_NATIVE_UINT16);
}

static void column_chunks(hid_t file, hsize_t chunk, bool deflate)
{
    static const uint16_t modes[FILES + 1] = {0};
    const hid_t p = properties_of_dataset();
    H5Pset_chunk(p, 1, &chunk);
    if (deflate)
        H5Pset_deflate(p, 9);
    put(file, "files/mode", H5T_STD_U16LE, FILES + 1, p, chunk > 1000 ? NULL : modes,
        H5T_NATIVE_UINT16);
}

static void deflated_column(hid_t file)
{
    column_chunks(file, 50, true);
}

static void huge_chunk(hid_t file)
{
    column_chunks(file, (hsize_t)1 << 30, false);
}

static void huge_rows(hid_t file)
{
    const hid_t p = properties_of_dataset();
    const hsize_t chunk = 4096;
    H5Pset_chunk(p, 1, &chunk);
    put(file, "files/path_suffixes", H5T_STD_U8LE, (hsize_t)1 << 40, p, NULL, 0);
}

/* No byte of it is in the file. */
static void rows_without_bytes(hid_t file)
{
    put(file, "files/path_suffixes", H5T_STD_U8LE, (hsize_t)1 << 30, properties_of_dataset(), NULL,
        0);
}

static void chunks_without_bytes(hid_t file)
{
    column_chunks(file, 1001, false);
}

/* 60,000 paths of 30,000 bytes, in a few hundred kilobytes. */
static void long_paths(hid_t file)
{
    enum { ROWS = 60000, SHARED = 30000 };
    const hsize_t chunk = 256;
    char *suffixes = malloc(SHARED + 1 + 6 * ROWS);
    uint64_t *numbers = calloc(ROWS, sizeof *numbers);
    static const struct {
        const char *name;
        uint64_t value;
    } columns[] = {{"files/mode", 0100644},
                   {"files/mtime_nanoseconds", 0},
                   {"files/loss_bits", 0},
                   {"files/size_bytes", 0},
                   {"files/path_shared_bytes", SHARED}};
    memset(suffixes, 'd', SHARED);
    size_t used = SHARED;
    suffixes[used++] = '\0';
    for (unsigned i = 1; i < ROWS; i++)
        used += (size_t)snprintf(suffixes + used, 7, "%05u", i) + 1;
    put(file, "files/path_suffixes", H5T_STD_U8LE, used, properties_of_dataset(), suffixes,
        H5T_NATIVE_UINT8);
    for (size_t c = 0; c <= sizeof columns / sizeof columns[0]; c++) {
        const bool seconds = c == sizeof columns / sizeof columns[0];
        const char *name = seconds ? "files/mtime_seconds" : columns[c].name;
        const hid_t old = H5Dopen2(file, name, H5P_DEFAULT);
        const hid_t type = H5Dget_type(old);
        const hid_t p = properties_of_dataset();
        H5Pset_chunk(p, 1, &chunk);
        H5Pset_scaleoffset(p, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT);
        H5Dclose(old);
        for (unsigned i = 0; i < ROWS; i++)
            numbers[i] = seconds ? 1 : columns[c].value;
        if (!seconds && columns[c].value == SHARED)
            numbers[0] = 0;
        put(file, name, type, ROWS, p, numbers, H5T_NATIVE_UINT64);
        H5Tclose(type);
    }
    free(suffixes);
    free(numbers);
}

/* One field of the one row of /shards. */
static void put_field(hid_t file, const char *member, hid_t type, const void *value)
{
    const hid_t memory = H5Tcreate(H5T_COMPOUND, H5Tget_size(type));
    const hid_t d = H5Dopen2(file, "shards", H5P_DEFAULT);
    assert_true(H5Tinsert(memory, member, 0, type) >= 0);
    assert_true(H5Dwrite(d, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0);
    H5Dclose(d);
    H5Tclose(memory);
}

static void put_number(hid_t file, const char *name, uint64_t value)
{
    const hid_t a = H5Aopen(file, name, H5P_DEFAULT);
    assert_true(H5Awrite(a, H5T_NATIVE_UINT64, &value) >= 0);
    H5Aclose(a);
}

/* All tables agree that there is one file of 1 TiB. */
static void huge_shard(hid_t file)
{
    const uint64_t bytes = UINT64_C(1) << 40;
    uint64_t sizes[FILES + 1] = {0};
    sizes[1] = bytes;
    put_field(file, "raw_bytes", H5T_NATIVE_UINT64, &bytes);
    put(file, "files/size_bytes", H5T_STD_U64LE, FILES + 1, properties_of_dataset(), sizes,
        H5T_NATIVE_UINT64);
    put_number(file, "total_raw_bytes", bytes);
}

static void loss_that_is_none(hid_t file)
{
    const double loss = NAN;
    put_field(file, "loss_bits", H5T_NATIVE_DOUBLE, &loss);
}

static void huge_vocabulary(hid_t file)
{
    put_number(file, "vocabulary_raw_bytes", 16 << 20);
}

static void put_shards(hid_t file, hsize_t rows)
{
    const hid_t old = H5Dopen2(file, "shards", H5P_DEFAULT);
    const hid_t type = H5Dget_type(old);
    char *row = calloc((size_t)rows + 1, H5Tget_size(type));
    H5Dread(old, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, row);
    H5Dclose(old);
    put(file, "shards", type, rows, properties_of_dataset(), rows > 0 ? row : NULL, type);
    H5Tclose(type);
    free(row);
}

/* The row of /shards without a field, and with another one. */
static void put_fields(hid_t file, const char *without, const char *with, hid_t type)
{
    const hid_t old = H5Dopen2(file, "shards", H5P_DEFAULT);
    const hid_t known = H5Dget_type(old);
    const size_t bytes = H5Tget_size(known) + H5Tget_size(type);
    const hid_t other = H5Tcreate(H5T_COMPOUND, bytes);
    char *row = calloc(1, bytes);
    assert_true(H5Tinsert(other, with, 0, type) >= 0);
    for (unsigned i = 0; i < (unsigned)H5Tget_nmembers(known); i++) {
        char *name = H5Tget_member_name(known, i);
        const hid_t field = H5Tget_member_type(known, i);
        const size_t at = H5Tget_size(type) + H5Tget_member_offset(known, i);
        if (strcmp(name, without) != 0)
            assert_true(H5Tinsert(other, name, at, field) >= 0);
        H5Tclose(field);
        H5free_memory(name);
    }
    assert_true(H5Dread(old, other, H5S_ALL, H5S_ALL, H5P_DEFAULT, row) >= 0);
    H5Dclose(old);
    put(file, "shards", other, 1, properties_of_dataset(), row, other);
    H5Tclose(other);
    H5Tclose(known);
    free(row);
}

static void field_of_another_version(hid_t file)
{
    put_fields(file, "network_loss_bits", "more", H5T_STD_U32LE);
}

static void field_of_many_bytes(hid_t file)
{
    const hsize_t bytes = 5000;
    const hid_t type = H5Tarray_create2(H5T_STD_U8LE, 1, &bytes);
    put_fields(file, "", "more", type);
    H5Tclose(type);
}

static void field_of_another_type(hid_t file)
{
    put_fields(file, "tokens", "tokens", H5T_STD_U32LE);
}

static void field_of_variable_length(hid_t file)
{
    const hid_t type = H5Tvlen_create(H5T_STD_U8LE);
    put_fields(file, "", "more", type);
    H5Tclose(type);
}

static void field_that_is_needed(hid_t file)
{
    put_fields(file, "raw_bytes", "more", H5T_STD_U32LE);
}

static void more_shards(hid_t file)
{
    put_shards(file, 2);
}

static void text_of_variable_length(hid_t file)
{
    const char *text = "corpress archive";
    const hid_t type = H5Tcopy(H5T_C_S1);
    const hid_t space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    assert_true(H5Adelete(file, "format") >= 0);
    const hid_t a = H5Acreate2(file, "format", type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(a, type, &text) >= 0);
    H5Aclose(a);
    H5Sclose(space);
    H5Tclose(type);
}

static void list_of_numbers(hid_t file)
{
    const hsize_t rows = 1000;
    const hid_t space = H5Screate_simple(1, &rows, NULL);
    assert_true(H5Adelete(file, "total_files") >= 0);
    H5Aclose(H5Acreate2(file, "total_files", H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
}

/* ---- what becomes of them ------------------------------------------------------------------- */

/* The status of opening, with at most MEMORY_MAX more memory and a limited time. */
static cpr_status open_limited(const char *path, bool unsealed, cpr_error *error)
{
    cpr_archive *archive;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
#ifndef __SANITIZE_ADDRESS__
    char text[64] = "";
    FILE *statm = fopen("/proc/self/statm", "r");
    assert_non_null(statm);
    assert_non_null(fgets(text, sizeof text, statm));
    fclose(statm);
    const unsigned long pages = strtoul(text, NULL, 10);
    const struct rlimit limit = {pages * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY_MAX,
                                 before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
#endif
    alarm(120); /* a pipe would be waited for without end */
    const cpr_status status = unsealed ? cpr_archive_open_unsealed(path, &archive, error)
                                       : cpr_archive_open(path, &archive, error);
    alarm(0);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    cpr_archive_close(archive);
    return status;
}

static void forged(void (*forge)(hid_t), cpr_status wanted)
{
    cpr_error error = {""};
    write_sound("sound.h5");
    write_sound("a.h5");
    assert_int_equal(open_limited("a.h5", false, &error), CPR_OK);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    const hid_t file = H5Fopen("a.h5", H5F_ACC_RDWR, access);
    assert_true(file >= 0);
    forge(file);
    assert_true(H5Fclose(file) >= 0);
    H5Pclose(access);
    /* The seal no longer matches: nothing else is looked at; but with --unsealed it is. */
    assert_int_equal(open_limited("a.h5", false, &error), CPR_ERR_DAMAGED);
    const cpr_status unsealed = open_limited("a.h5", true, &error);
    assert_int_equal(cpr_archive_seal("a.h5", &error), CPR_OK);
    const cpr_status sealed = open_limited("a.h5", false, &error);
    if (sealed != wanted || unsealed != wanted)
        fail_msg("status %d, unsealed %d: %s", (int)sealed, (int)unsealed, error.text);
    if (strstr(error.text, "memory") != NULL)
        fail_msg("%s", error.text);
    assert_null(strstr(error.text, "secret"));
}

#define FORGED(name, wanted)                                                                       \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        forged(name, wanted);                                                                      \
    }
FORGED(external_file, CPR_ERR_FOREIGN)
FORGED(external_pipe, CPR_ERR_FOREIGN)
FORGED(external_column, CPR_ERR_FOREIGN)
FORGED(external_vocabulary, CPR_ERR_FOREIGN)
FORGED(virtual_column, CPR_ERR_FOREIGN)
FORGED(soft_link, CPR_ERR_FOREIGN)
FORGED(soft_loop, CPR_ERR_FOREIGN)
FORGED(external_link, CPR_ERR_FOREIGN)
FORGED(optional_link, CPR_ERR_FOREIGN)
FORGED(named_type, CPR_ERR_FOREIGN)
FORGED(variable_length, CPR_ERR_FOREIGN)
FORGED(wrong_type, CPR_ERR_FOREIGN)
FORGED(group_for_dataset, CPR_ERR_DAMAGED)
FORGED(fill_value, CPR_ERR_FOREIGN)
FORGED(deflated, CPR_ERR_FOREIGN)
FORGED(deflated_column, CPR_ERR_FOREIGN)
FORGED(huge_chunk, CPR_ERR_FOREIGN)
FORGED(huge_rows, CPR_ERR_FOREIGN)
FORGED(rows_without_bytes, CPR_ERR_DAMAGED)
FORGED(chunks_without_bytes, CPR_ERR_DAMAGED)
FORGED(long_paths, CPR_ERR_FOREIGN)
FORGED(huge_shard, CPR_ERR_DAMAGED)
FORGED(loss_that_is_none, CPR_ERR_DAMAGED)
FORGED(huge_vocabulary, CPR_ERR_DAMAGED)
FORGED(more_shards, CPR_ERR_DAMAGED)
FORGED(field_of_another_version, CPR_OK)
FORGED(field_of_many_bytes, CPR_ERR_FOREIGN)
FORGED(field_of_another_type, CPR_ERR_FOREIGN)
FORGED(field_of_variable_length, CPR_ERR_FOREIGN)
FORGED(field_that_is_needed, CPR_ERR_DAMAGED)
FORGED(text_of_variable_length, CPR_ERR_DAMAGED)
FORGED(list_of_numbers, CPR_ERR_DAMAGED)

/* Harmless additions after sealing: everything is still there, but only for those who ask. */
static void added_later(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_archive *archive;
    const hsize_t rows = 3;
    write_sound("a.h5");
    const hid_t file = H5Fopen("a.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(1, &rows, NULL);
    H5Aclose(H5Acreate2(file, "note", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT));
    H5Dclose(H5Dcreate2(file, "more", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    assert_true(H5Fclose(file) >= 0);
    assert_int_equal(open_limited("a.h5", false, &error), CPR_ERR_DAMAGED);
    assert_non_null(strstr(error.text, "changed after it was sealed"));
    assert_non_null(strstr(error.text, "--unsealed"));
    assert_int_equal(cpr_archive_open_unsealed("a.h5", &archive, &error), CPR_OK);
    assert_false(cpr_archive_is_sealed(archive));
    assert_int_equal(cpr_file_list_count(cpr_archive_info(archive)->files), FILES + 1);
    assert_int_equal(cpr_archive_check_coded(archive, 0, &error), CPR_OK);
    cpr_archive_close(archive);
}

/* A truncated archive stays one, and what is none is not read because someone asked. */
static void unsealed_is_no_cure(void **state)
{
    (void)state;
    cpr_error error = {""};
    size_t bytes;
    write_sound("a.h5");
    char *whole = get_file("a.h5", &bytes);
    put_file("b.h5", whole, bytes - 1000);
    assert_int_equal(open_limited("b.h5", true, &error), CPR_ERR_DAMAGED);
    assert_non_null(strstr(error.text, "truncated"));
    put_file("b.h5", whole + 600, bytes - 600);
    assert_int_equal(open_limited("b.h5", true, &error), CPR_ERR_FOREIGN);
    assert_int_equal(open_limited("a.h5", true, &error), CPR_OK);
    free(whole);
}

/* Trees of little but paths are written so that they can be read. */
static void honest_paths(void **state)
{
    (void)state;
    enum { ROWS = 40000, LENGTH = 2000 };
    cpr_error error = {""};
    cpr_archive *archive;
    cpr_file_list *files;
    /* A packed list is the way to have files that are not there. */
    const size_t entry = 44;
    const size_t bytes = 32 + ROWS * entry + ROWS * (size_t)(LENGTH + 1);
    uint8_t *packed = calloc(1, bytes);
    const uint64_t paths = ROWS * (uint64_t)(LENGTH + 1);
    const uint64_t count = ROWS;
    memcpy(packed, &count, 8);
    memcpy(packed + 8, &paths, 8);
    for (uint64_t i = 0; i < ROWS; i++) {
        uint8_t *out = packed + 32 + i * entry;
        char *path = (char *)packed + 32 + ROWS * entry + i * (LENGTH + 1);
        const uint64_t at = i * (LENGTH + 1);
        memcpy(out, &at, 8);
        memset(path, 'd', LENGTH);
        snprintf(path + LENGTH - 5, 6, "%05u", (unsigned)i);
    }
    assert_int_equal(cpr_file_list_unpack(packed, bytes, &files, &error), CPR_OK);
    free(packed);
    uint64_t *loss = calloc(ROWS, sizeof *loss);
    const cpr_shard_info none = {0};
    const cpr_archive_header header = {.profile = "fast",
                                       .model = "mixing 1",
                                       .vocabulary = (const uint8_t *)"",
                                       .files = files,
                                       .file_loss = loss,
                                       .shards = &none};
    assert_int_equal(cpr_archive_create("a.h5", &header, &error), CPR_OK);
    assert_int_equal(cpr_archive_seal("a.h5", &error), CPR_OK);
    const cpr_status status = cpr_archive_open("a.h5", &archive, &error);
    if (status != CPR_OK)
        fail_msg("%s", error.text);
    for (uint64_t i = 0; i < ROWS; i += 999)
        assert_string_equal(cpr_file_list_member(cpr_archive_info(archive)->files, i),
                            cpr_file_list_member(files, i));
    cpr_archive_close(archive);
    cpr_file_list_free(files);
    free(loss);
}

#define FORGED_TEST(name) FILE_TEST(test_##name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORGED_TEST(external_file),
        FORGED_TEST(external_pipe),
        FORGED_TEST(external_column),
        FORGED_TEST(external_vocabulary),
        FORGED_TEST(virtual_column),
        FORGED_TEST(soft_link),
        FORGED_TEST(soft_loop),
        FORGED_TEST(external_link),
        FORGED_TEST(optional_link),
        FORGED_TEST(named_type),
        FORGED_TEST(variable_length),
        FORGED_TEST(wrong_type),
        FORGED_TEST(group_for_dataset),
        FORGED_TEST(fill_value),
        FORGED_TEST(deflated),
        FORGED_TEST(deflated_column),
        FORGED_TEST(huge_chunk),
        FORGED_TEST(huge_rows),
        FORGED_TEST(rows_without_bytes),
        FORGED_TEST(chunks_without_bytes),
        FORGED_TEST(long_paths),
        FORGED_TEST(huge_shard),
        FORGED_TEST(loss_that_is_none),
        FORGED_TEST(huge_vocabulary),
        FORGED_TEST(more_shards),
        FORGED_TEST(field_of_another_version),
        FORGED_TEST(field_of_many_bytes),
        FORGED_TEST(field_of_another_type),
        FORGED_TEST(field_of_variable_length),
        FORGED_TEST(field_that_is_needed),
        FORGED_TEST(text_of_variable_length),
        FORGED_TEST(list_of_numbers),
        FILE_TEST(added_later),
        FILE_TEST(unsealed_is_no_cure),
        FILE_TEST(honest_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
