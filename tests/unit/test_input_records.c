/* What is known of inputs, as bytes: it comes back, and what is no record is refused. */
#include "file_io.h"
#include "input_records.h"
#include "test_files.h"

static void add_record(cpr_input_records *records, const char *name, unsigned points,
                       unsigned members)
{
    cpr_input_writer writer;
    cpr_error error = {""};
    char path[32];
    const cpr_input_record facts = {.name = name,
                                    .file_bytes = UINT64_MAX - 1,
                                    .mtime_seconds = -5,
                                    .mtime_nanoseconds = 999999999,
                                    .change = 77,
                                    .outcome = CPR_INPUT_TAR,
                                    .kind = CPR_INPUT_ZSTD,
                                    .text_bytes = 1000,
                                    .file_hash = {1, 2},
                                    .note = points > 0 ? "a note" : ""};
    cpr_input_writer_begin(&writer, records, name);
    for (unsigned i = 0; i < points; i++)
        cpr_input_writer_point(&writer, (cpr_seek_point){i, 10 * (uint64_t)i});
    for (unsigned i = 0; i < members; i++) {
        snprintf(path, sizeof path, "m/%u", i);
        const cpr_input_member member = {.path = path,
                                         .target = i % 2 == 1 ? "to" : "",
                                         .bytes = i,
                                         .text = 2 * (uint64_t)i,
                                         .mtime_seconds = -(int64_t)i,
                                         .mtime_nanoseconds = i,
                                         .mode = 07000 + i % 0777,
                                         .type = i % 2 == 1 ? CPR_FILE_SYMLINK : CPR_FILE_REGULAR};
        cpr_input_writer_member(&writer, &member);
    }
    assert_int_equal(cpr_input_writer_end(&writer, &facts, &error), CPR_OK);
}

static void check_record(const cpr_input_record *record, const char *name, unsigned points,
                         unsigned members)
{
    char path[32];
    size_t at = 0;
    assert_string_equal(record->name, name);
    assert_true(record->file_bytes == UINT64_MAX - 1 && record->mtime_seconds == -5);
    assert_true(record->mtime_nanoseconds == 999999999 && record->change == 77);
    assert_true(record->outcome == CPR_INPUT_TAR && record->kind == CPR_INPUT_ZSTD);
    assert_true(record->text_bytes == 1000);
    assert_true(record->file_hash.high == 1 && record->file_hash.low == 2);
    assert_string_equal(record->note, points > 0 ? "a note" : "");
    assert_int_equal(record->point_count, points);
    assert_int_equal(record->member_count, members);
    for (unsigned i = 0; i < points; i++) {
        const cpr_seek_point point = cpr_input_record_point(record, i);
        assert_true(point.source == i && point.text == 10 * (uint64_t)i);
    }
    for (unsigned i = 0; i < members; i++) {
        const cpr_input_member member = cpr_input_record_member(record, &at);
        snprintf(path, sizeof path, "m/%u", i);
        assert_string_equal(member.path, path);
        assert_string_equal(member.target, i % 2 == 1 ? "to" : "");
        assert_true(member.bytes == i && member.text == 2 * (uint64_t)i);
        assert_true(member.mtime_seconds == -(int64_t)i && member.mtime_nanoseconds == i);
        assert_int_equal(member.mode, 07000 + i % 0777);
        assert_int_equal(member.type, i % 2 == 1 ? CPR_FILE_SYMLINK : CPR_FILE_REGULAR);
    }
    assert_int_equal(at, record->members_bytes);
}

/* Everything that records say is looked at. */
static uint64_t walk(const cpr_input_records *records)
{
    cpr_input_record record;
    uint64_t seen = 0;
    for (size_t at = 0; cpr_input_records_next(records, &at, &record); seen++) {
        size_t member = 0;
        seen += strlen(record.name) + strlen(record.note);
        assert_true(record.outcome <= CPR_INPUT_LEFT_OUT);
        assert_non_null(cpr_input_kind_name(record.kind));
        for (uint64_t i = 0; i < record.point_count; i++)
            seen += cpr_input_record_point(&record, i).text & 1;
        for (uint64_t i = 0; i < record.member_count; i++) {
            const cpr_input_member m = cpr_input_record_member(&record, &member);
            assert_true(m.path[0] != '\0' && m.mode <= 07777 && m.type <= CPR_FILE_SYMLINK);
            seen += strlen(m.path) + strlen(m.target);
        }
        assert_int_equal(member, record.members_bytes);
    }
    return seen;
}

static void round_trip(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_input_records records = {NULL, 0, 0, 0};
    cpr_input_records merged = {NULL, 0, 0, 0};
    cpr_input_record record;
    add_record(&records, "a", 0, 0);
    add_record(&records, "a/long/name", 40, 1000);
    add_record(&records, "b", 3, 0);
    assert_int_equal(records.count, 3);
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(cpr_input_records_merge(&merged, records.bytes, records.used, &error),
                         CPR_OK);
        assert_int_equal(merged.count, 3 * i);
    }
    size_t at = 0;
    for (unsigned i = 0; i < 2; i++) {
        assert_true(cpr_input_records_next(&merged, &at, &record));
        check_record(&record, "a", 0, 0);
        assert_true(cpr_input_records_next(&merged, &at, &record));
        check_record(&record, "a/long/name", 40, 1000);
        assert_true(cpr_input_records_next(&merged, &at, &record));
        check_record(&record, "b", 3, 0);
    }
    assert_false(cpr_input_records_next(&merged, &at, &record));
    assert_int_equal(cpr_input_records_merge(&merged, NULL, 0, &error), CPR_OK);
    cpr_input_records_free(&merged);
    cpr_input_records_free(&records);
}

static void cancelled(void **state)
{
    (void)state;
    cpr_input_records records = {NULL, 0, 0, 0};
    cpr_input_writer writer;
    cpr_input_record record;
    add_record(&records, "a", 2, 2);
    cpr_input_writer_begin(&writer, &records, "b");
    cpr_input_writer_point(&writer, (cpr_seek_point){1, 1});
    cpr_input_writer_member(&writer, &(cpr_input_member){.path = "p", .target = ""});
    cpr_input_writer_cancel(&writer);
    add_record(&records, "c", 1, 1);
    size_t at = 0;
    assert_int_equal(records.count, 2);
    assert_true(cpr_input_records_next(&records, &at, &record));
    check_record(&record, "a", 2, 2);
    assert_true(cpr_input_records_next(&records, &at, &record));
    check_record(&record, "c", 1, 1);
    assert_false(cpr_input_records_next(&records, &at, &record));
    cpr_input_records_free(&records);
}

/* Refused, and nothing is added; or taken, and fit to be looked at. */
static bool try_bytes(const uint8_t *bytes, size_t count)
{
    cpr_error error = {""};
    cpr_input_records records = {NULL, 0, 0, 0};
    /* A copy of its own, so that a sanitizer sees what is read behind it. */
    uint8_t *copy = malloc(count + (count == 0));
    assert_non_null(copy);
    memcpy(copy, bytes, count);
    const cpr_status status = cpr_input_records_merge(&records, copy, count, &error);
    assert_true(status == CPR_OK || status == CPR_ERR_DAMAGED);
    assert_true(status == CPR_OK || (records.used == 0 && records.count == 0));
    (void)walk(&records);
    cpr_input_records_free(&records);
    free(copy);
    return status == CPR_OK;
}

static void damaged(void **state)
{
    (void)state;
    cpr_input_records records = {NULL, 0, 0, 0};
    add_record(&records, "name", 3, 5);
    const size_t first = records.used;
    add_record(&records, "b", 0, 1);
    for (size_t cut = 0; cut <= records.used; cut++)
        assert_int_equal(try_bytes(records.bytes, cut),
                         cut == 0 || cut == first || cut == records.used);
    for (size_t at = 0; at < records.used; at++) {
        static const uint8_t changes[] = {1, 2, 0x40, 0x80, 0xff};
        const uint8_t was = records.bytes[at];
        for (size_t i = 0; i < sizeof changes; i++) {
            records.bytes[at] = was ^ changes[i];
            (void)try_bytes(records.bytes, records.used);
        }
        records.bytes[at] = was;
    }
    assert_true(try_bytes(records.bytes, records.used));
    cpr_input_records_free(&records);
}

/* Counts and sizes that are as large as can be. */
static void large_numbers(void **state)
{
    (void)state;
    static const struct {
        size_t at, bytes;
    } fields[] = {{0, 8}, {8, 4}, {84, 4}, {88, 4}, {92, 8}, {100, 8}, {108, 8}, {116, 4}};
    cpr_input_records records = {NULL, 0, 0, 0};
    add_record(&records, "name", 3, 5);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (unsigned bits = 20; bits <= 64; bits++) {
            uint8_t was[8];
            uint8_t *field = records.bytes + fields[i].at;
            memcpy(was, field, sizeof was);
            const uint64_t number = bits == 64 ? UINT64_MAX : UINT64_C(1) << bits;
            if (fields[i].bytes == 8)
                cpr_put64(field, number);
            else
                cpr_put32(field, (uint32_t)number | UINT32_C(0x80000000));
            assert_false(try_bytes(records.bytes, records.used));
            memcpy(field, was, sizeof was);
        }
    cpr_input_records_free(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(damaged),
        cmocka_unit_test(large_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
