/* Small archives, whose tables are one record: what is written comes back, it takes less than 1 KB,
 * and a record that lies is refused. */
#include "archive.h"
#include "archive_record.h"
#include "test_bitstream.h"
#include "test_files.h"

#include <hdf5.h>
#include <xxhash.h>

#define CODED_BYTES 5000
#define DESCRIPTOR                                                                                 \
    "blocks 1; coder 1; blob 1; tokens 1; mixing 3 contexts=1,0,6,7,10,11,12,13,15,17,19 lines=1 " \
    "successors=3,2,4,6,8,9 matches=11,5 match-lanes=2 sets=5 refine=2 guess-from=61000 "          \
    "guess-shift=8 chances=0 buckets=4456449 line-pairs=262145 successor-bits=21 history-bits=24"

/* An archive of `count` files of three bytes; of none, without a shard. Gives the list of them. */
static cpr_file_list *write_files(const char *path, unsigned count)
{
    cpr_error error = {""};
    uint64_t loss[1000] = {0};
    uint8_t coded[CODED_BYTES];
    cpr_file_list *files = cpr_file_list_create();
    for (unsigned i = 0; i < count; i++) {
        char name[40];
        snprintf(name, sizeof name, "file-%u", i * 7);
        put_file(name, "abc", 3);
        assert_int_equal(cpr_file_list_add(files, name, NULL, &error), CPR_OK);
        loss[i] = (uint64_t)i << 20;
    }
    memset(coded, 7, sizeof coded);
    const XXH128_hash_t hash = XXH3_128bits(coded, sizeof coded);
    const cpr_shard_info shard = {.raw_bytes = 3 * count,
                                  .coded_bytes = CODED_BYTES,
                                  .stored_bytes = 2,
                                  .tokens = 3,
                                  .loss_bits = 12345,
                                  .network_loss_bits = UINT64_C(1) << 40,
                                  .raw_hash = {1, 2},
                                  .coded_hash = {hash.high64, hash.low64}};
    const cpr_archive_header header = {.profile = "balanced",
                                       .model = DESCRIPTOR,
                                       .shard_bytes = UINT64_C(1) << 30,
                                       .vocabulary = (const uint8_t *)"words",
                                       .vocabulary_bytes = 5,
                                       .files = files,
                                       .file_loss = loss,
                                       .shards = &shard,
                                       .shard_count = count > 0};
    assert_int_equal(cpr_archive_create(path, &header, &error), CPR_OK);
    assert_int_equal(cpr_archive_write_bitstreams(path, 0, 1, give_sevens, NULL, &error), CPR_OK);
    assert_int_equal(cpr_archive_seal(path, &error), CPR_OK);
    return files;
}

static hid_t open_record(hid_t *file, unsigned flags)
{
    *file = H5Fopen("a.h5", flags, H5P_DEFAULT);
    assert_true(*file >= 0);
    return H5Aexists(*file, CPR_H5_RECORD) > 0 ? H5Aopen(*file, CPR_H5_RECORD, H5P_DEFAULT) : -1;
}

/* The record of a.h5, malloc()ed; NULL: it has none. */
static uint8_t *get_record(size_t *bytes)
{
    hid_t file;
    uint8_t *record = NULL;
    const hid_t attribute = open_record(&file, H5F_ACC_RDONLY);
    *bytes = attribute < 0 ? 0 : (size_t)H5Aget_storage_size(attribute);
    if (attribute >= 0) {
        const hid_t type = H5Aget_type(attribute);
        record = malloc(*bytes);
        assert_true(H5Aread(attribute, type, record) >= 0);
        H5Tclose(type);
        H5Aclose(attribute);
    }
    H5Fclose(file);
    return record;
}

/* Gives a.h5 another record, under a right seal. */
static void put_record(const uint8_t *record, size_t bytes)
{
    hid_t file;
    cpr_error error = {""};
    const hid_t old = open_record(&file, H5F_ACC_RDWR);
    assert_true(H5Aclose(old) >= 0 && H5Adelete(file, CPR_H5_RECORD) >= 0);
    const hid_t type = H5Tcreate(H5T_OPAQUE, bytes);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(file, CPR_H5_RECORD, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, type, record) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    assert_true(H5Fclose(file) >= 0);
    assert_int_equal(cpr_archive_seal("a.h5", &error), CPR_OK);
}

static cpr_status try_open(cpr_error *error)
{
    cpr_archive *archive;
    const cpr_status status = cpr_archive_open("a.h5", &archive, error);
    cpr_archive_close(archive);
    return status;
}

static void check_comes_back(const cpr_file_list *files, unsigned count)
{
    cpr_archive *archive;
    cpr_error error = {""};
    if (cpr_archive_open("a.h5", &archive, &error) != CPR_OK)
        fail_msg("%s", error.text);
    const cpr_archive_header *h = cpr_archive_info(archive);
    assert_string_equal(h->model, DESCRIPTOR);
    assert_string_equal(h->profile, "balanced");
    assert_int_equal(h->shard_bytes, UINT64_C(1) << 30);
    assert_null(h->primer);
    assert_int_equal(h->shard_count, count > 0);
    assert_int_equal(cpr_file_list_count(h->files), count);
    for (uint64_t i = 0; i < count; i++) {
        const cpr_file wanted = cpr_file_list_get(files, i);
        const cpr_file found = cpr_file_list_get(h->files, i);
        assert_string_equal(cpr_file_list_member(h->files, i), cpr_file_list_member(files, i));
        assert_int_equal(found.bytes, 3);
        assert_int_equal(found.mode, wanted.mode);
        assert_int_equal(found.mtime_seconds, wanted.mtime_seconds);
        assert_int_equal(found.mtime_nanoseconds, wanted.mtime_nanoseconds);
        assert_int_equal(h->file_loss[i], i << 20);
    }
    if (count > 0) {
        const cpr_shard_info *s = &h->shards[0];
        assert_int_equal(s->raw_bytes, 3 * count);
        assert_int_equal(s->coded_bytes, CODED_BYTES);
        assert_int_equal(s->stored_bytes, 2);
        assert_int_equal(s->tokens, 3);
        assert_int_equal(s->loss_bits, 12345);
        assert_true(s->network_loss_bits == UINT64_C(1) << 40);
        assert_true(s->raw_hash.high == 1 && s->raw_hash.low == 2);
        assert_int_equal(cpr_archive_check_coded(archive, 0, &error), CPR_OK);
    }
    cpr_archive_close(archive);
}

static void comes_back(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 1, 2, 9, 255, 256, 257};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        size_t bytes;
        cpr_file_list *files = write_files("a.h5", counts[i]);
        check_comes_back(files, counts[i]);
        uint8_t *record = get_record(&bytes);
        assert_int_equal(record != NULL, counts[i] < 256);
        free(record);
        cpr_file_list_free(files);
    }
}

/* Without the bitstream and the coded vocabulary; that of a descriptor that no phrase fits well. */
static void container_is_below_1000_bytes(void **state)
{
    (void)state;
    size_t bytes;
    size_t record_bytes;
    size_t vocabulary_bytes;
    cpr_record record;
    cpr_file_list_free(write_files("a.h5", 1));
    uint8_t *held = get_record(&record_bytes);
    assert_true(cpr_record_parse(&record, held, record_bytes));
    assert_non_null(cpr_record_bytes(&record, "vocabulary", &vocabulary_bytes));
    free(get_file("a.h5", &bytes));
    if (bytes - CODED_BYTES - vocabulary_bytes >= 1000)
        fail_msg("%zu bytes", bytes - CODED_BYTES - vocabulary_bytes);
    free(held);
}

static void cut_or_flipped_record(void **state)
{
    (void)state;
    size_t bytes;
    cpr_error error = {""};
    cpr_file_list_free(write_files("a.h5", 9));
    uint8_t *record = get_record(&bytes);
    for (size_t keep = 1; keep < bytes; keep += keep < 12 || keep + 12 > bytes ? 1 : 9) {
        put_record(record, keep);
        assert_int_equal(try_open(&error), CPR_ERR_DAMAGED);
        assert_non_null(strstr(error.text, "contradicts itself in "));
    }
    for (size_t i = 0; i < bytes; i += i < 12 || i + 50 > bytes ? 1 : 9) {
        record[i] ^= 0x55;
        put_record(record, bytes);
        const cpr_status status = try_open(&error); /* names, times and modes may be any */
        assert_true(status == CPR_OK || status == CPR_ERR_DAMAGED || status == CPR_ERR_VERSION);
        record[i] ^= 0x55;
    }
    put_record(record, bytes);
    assert_int_equal(try_open(&error), CPR_OK);
    free(record);
}

/* Puts entry `number` into the place of the one that is there, or leaves it out. */
static void replace_entry(const uint8_t *record, size_t bytes, unsigned number, const void *with,
                          size_t with_bytes, bool leave_out)
{
    uint8_t *changed = malloc(bytes + with_bytes + 2);
    size_t used = 1;
    changed[0] = record[0];
    for (size_t at = 1; at < bytes;) {
        const size_t length = record[at + 1]; /* all are short here */
        assert_true(length < 128);
        if (record[at] != number) {
            memcpy(changed + used, record + at, 2 + length);
            used += 2 + length;
        }
        at += 2 + length;
        const bool last_before = record[at - 2 - length] == number || (at == bytes && number > 23);
        if (last_before && !leave_out) {
            changed[used] = (uint8_t)number;
            changed[used + 1] = (uint8_t)with_bytes;
            memcpy(changed + used + 2, with, with_bytes);
            used += 2 + with_bytes;
        }
    }
    put_record(changed, used);
    free(changed);
}

static void forged_entries(void **state)
{
    (void)state;
    static const struct {
        unsigned number;
        const char *bytes;
        size_t count;
        const char *named; /* NULL: it is no harm */
    } cases[] = {
        {1, "", 0, "model"},
        {1, "blocks 1; \xff\x00", 12, "model"}, /* a phrase that is cut */
        {1, "\xff\xff\xff", 3, "model"},        /* and one that there is not */
        {1, "block\0 1", 8, "model"},           /* no text */
        {2, "ab\0c", 4, "profile"},             /* nor this */
        {2, "12345678901234567890123456789012", 32, "profile"},
        {3, "", 0, "shard_size_bytes"},
        {3, "\x81\x00", 2, "shard_size_bytes"}, /* not the shortest form */
        {3, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, "its attributes"},
        {3, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, "shard_size_bytes"},
        {3, "\x01\x00", 2, "shard_size_bytes"}, /* more than it has */
        {4, "\xff\xff\xff\xff\x00\x00\x00\x00", 8, "vocabulary"},
        {4, "\x01", 1, "vocabulary"},
        {5, "\x00", 1, "files/mode"},
        {5, "\x00\x41", 2, "files/mode"},           /* 65 bits */
        {5, "\x00\x08\x01", 3, "files/mode"},       /* too few */
        {5, "\xd0\x86\x24\x00", 4, "files/mode"},   /* more than a mode has */
        {6, "\x06\x01\x20", 3, "files/size_bytes"}, /* bits behind the last value */
        {6, "\x05\x00", 2, "files/size_bytes"},     /* -3 */
        {10, "\xfe\xff\xff\xff\x1f\x00", 6, "files/path_shared_bytes"},
        {11, "abc", 3, "files/path_suffixes"},
        {11, "a\0a\0", 4, "files"},
        {12, "a\0", 2, "files/link_targets"},
        {23, "\x06\x88\x27\x00\x00\x00\x00", 7, "shards"},
        {200, "more", 4, NULL},
    };
    size_t bytes;
    cpr_error error = {""};
    cpr_file_list_free(write_files("a.h5", 2));
    uint8_t *record = get_record(&bytes);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        replace_entry(record, bytes, cases[i].number, cases[i].bytes, cases[i].count, false);
        const cpr_status status = try_open(&error);
        if (cases[i].number == 12) /* there was none to be replaced */
            continue;
        if (status != (cases[i].named == NULL ? CPR_OK : CPR_ERR_DAMAGED) ||
            (cases[i].named != NULL && strstr(error.text, cases[i].named) == NULL))
            fail_msg("case %zu: status %d, %s", i, (int)status, error.text);
    }
    for (unsigned number = 1; number <= 23; number++) {
        const bool needed = number <= 11 || number == 23;
        replace_entry(record, bytes, number, NULL, 0, true);
        assert_int_equal(try_open(&error), needed ? CPR_ERR_DAMAGED : CPR_OK);
    }
    record[0] = 2; /* the format that knows no record */
    put_record(record, bytes);
    assert_int_equal(try_open(&error), CPR_ERR_DAMAGED);
    free(record);
}

/* A record of another type, or too large for one. */
static void forged_attribute(void **state)
{
    (void)state;
    const hsize_t rows = 100;
    cpr_error error = {""};
    for (unsigned kind = 0; kind < 3; kind++) {
        hid_t file;
        cpr_file_list_free(write_files("a.h5", 1));
        H5Aclose(open_record(&file, H5F_ACC_RDWR));
        assert_true(H5Adelete(file, CPR_H5_RECORD) >= 0);
        const hid_t type = kind == 0 ? H5Tcopy(H5T_STD_U64LE) : H5Tcreate(H5T_OPAQUE, 50);
        const hid_t space = kind == 1 ? H5Screate_simple(1, &rows, NULL) : H5Screate(H5S_SCALAR);
        if (kind < 2)
            H5Aclose(H5Acreate2(file, CPR_H5_RECORD, type, space, H5P_DEFAULT, H5P_DEFAULT));
        H5Sclose(space);
        H5Tclose(type);
        assert_true(H5Fclose(file) >= 0);
        assert_int_equal(cpr_archive_seal("a.h5", &error), CPR_OK);
        assert_int_equal(try_open(&error), CPR_ERR_DAMAGED);
        assert_non_null(strstr(error.text, kind < 2 ? "tables" : "format"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(comes_back),
        FILE_TEST(container_is_below_1000_bytes),
        FILE_TEST(cut_or_flipped_record),
        FILE_TEST(forged_entries),
        FILE_TEST(forged_attribute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
