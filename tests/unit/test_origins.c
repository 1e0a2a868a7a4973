/* A corpus of plain files, compressed files and tars, as the reader of the corpus gives it: any
 * bytes of it, in any order; packed for another rank; and when the files change under it. */
#include "file_list.h"
#include "input_scan.h"
#include "test_decoder.h"

/* ---- the corpus ----------------------------------------------------------------------------- */

#define BLOCK 512

/* A tar, and apart from it what is no member's data. */
typedef struct made_tar {
    made tar, rest, data;
} made_tar;

static void tar_add(made_tar *to, const char *name, char type, const uint8_t *data, size_t bytes)
{
    static const uint8_t zeros[BLOCK];
    uint8_t block[BLOCK] = {0};
    unsigned sum = 0;
    memcpy(block, name, strlen(name));
    memcpy(block + 100, "0000644", 7);
    snprintf((char *)block + 124, 12, "%011zo", bytes);
    memcpy(block + 136, "00000001750", 11);
    memset(block + 148, ' ', 8);
    block[156] = (uint8_t)type;
    memcpy(block + 257, "ustar\00000", 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i];
    snprintf((char *)block + 148, 7, "%06o", sum);
    const size_t padding = (BLOCK - bytes % BLOCK) % BLOCK;
    made_add(&to->tar, block, BLOCK);
    made_add(&to->rest, block, BLOCK);
    made_add(&to->tar, data, bytes);
    made_add(type == '0' ? &to->data : &to->rest, data, bytes);
    made_add(&to->tar, zeros, padding);
    made_add(&to->rest, zeros, padding);
}

/* Members of all sizes, directories, links, what is no file, and what is behind the end. */
static made_tar tar_make(const uint8_t *text)
{
    static const uint8_t end[3 * BLOCK];
    made_tar all = {.tar = {NULL, 0}};
    tar_add(&all, "d", '5', NULL, 0);
    tar_add(&all, "d/a", '0', text, 1000);
    tar_add(&all, "d/empty", '0', NULL, 0);
    tar_add(&all, "d/block", '0', text + 1000, BLOCK);
    tar_add(&all, "e", '5', NULL, 0);
    tar_add(&all, "../unsafe", 'Z', text, 700);
    tar_add(&all, "d/b", '0', text + 2000, 300000);
    tar_add(&all, "f", '5', NULL, 0);
    tar_add(&all, "g", '5', NULL, 0);
    tar_add(&all, "d/c", '0', text + 400000, 1);
    made_add(&all.tar, end, sizeof end);
    made_add(&all.rest, end, sizeof end);
    return all;
}

static void put_made(const char *path, made *file)
{
    put_file(path, file->data, file->bytes);
    made_free(file);
}

/* Adds a tar's files to what the corpus should hold: members, and then the rest. */
static void expect_tar(made *whole, const made_tar *tar)
{
    made_add(whole, tar->data.data, tar->data.bytes);
    made_add(whole, tar->rest.data, tar->rest.bytes);
}

static cpr_file_list *decode_list(const cpr_file_list *listed)
{
    cpr_input_records records = {NULL, 0, 0, 0};
    cpr_file_list *decoded;
    cpr_error error = {""};
    for (uint64_t i = 0; i < cpr_file_list_count(listed); i++) {
        if (cpr_file_list_get(listed, i).type == CPR_FILE_REGULAR)
            assert_int_equal(
                cpr_file_list_scan(listed, i, &(cpr_scan_options){.limit = 0}, &records, &error),
                CPR_OK);
    }
    assert_int_equal(
        cpr_file_list_decode(listed, &records, &(cpr_list_options){.warn = NULL}, &decoded, &error),
        CPR_OK);
    cpr_input_records_free(&records);
    return decoded;
}

/* Files of all kinds in ./c, and what they hold. */
static cpr_file_list *make_corpus(made *whole)
{
    cpr_error error = {""};
    made text = made_text(14000000, 1);
    made file = {NULL, 0};
    made_tar tar = tar_make(text.data + 5000000);
    *whole = (made){NULL, 0};
    mkdir("c", 0755);
    put_gzip(&file, text.data, 700000);
    put_made("c/a.gz", &file);
    made_add(whole, text.data, 700000);
    put_file("c/b", text.data + 3, 5000);
    made_add(whole, text.data + 3, 5000);
    put_file("c/c.tar", tar.tar.data, tar.tar.bytes);
    expect_tar(whole, &tar);
    for (size_t at = 0; at < 14000000; at += 2000000) /* places to begin at */
        put_zstd(&file, text.data + at, 2000000, 0, true);
    put_made("c/d.zst", &file);
    made_add(whole, text.data, 14000000);
    put_xz(&file, tar.tar.data, tar.tar.bytes);
    put_made("c/e.txz", &file);
    expect_tar(whole, &tar);
    put_bzip2(&file, text.data, 0);
    put_made("c/f.bz2", &file);
    put_lz4(&file, text.data + 77, 200000, true);
    put_made("c/g.lz4", &file);
    made_add(whole, text.data + 77, 200000);
    made_free(&tar.tar);
    made_free(&tar.rest);
    made_free(&tar.data);
    made_free(&text);
    cpr_file_list *listed = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(listed, "c", NULL, &error), CPR_OK);
    cpr_file_list *decoded = decode_list(listed);
    cpr_file_list_free(listed);
    return decoded;
}

/* ---- reading -------------------------------------------------------------------------------- */

static void expect_part(cpr_corpus_reader *reader, const made *whole, uint64_t at, size_t bytes)
{
    cpr_error error = {""};
    uint8_t *part = malloc(bytes + 1);
    assert_non_null(part);
    if (cpr_corpus_reader_read(reader, at, part, bytes, &error) != CPR_OK)
        fail_msg("%s", error.text);
    assert_memory_equal(part, whole->data + at, bytes);
    free(part);
}

/* From its beginning to its end, and `jumps` times here and there. */
static void expect_corpus(const cpr_file_list *list, const made *whole, unsigned jumps)
{
    uint64_t random = 3;
    cpr_error error = {""};
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    assert_non_null(reader);
    assert_int_equal(cpr_file_list_bytes(list), whole->bytes);
    for (size_t at = 0; at < whole->bytes;) {
        size_t part = 1 + next_random(&random) % (random % 2 == 0 ? 100 : 300000);
        part = part < whole->bytes - at ? part : whole->bytes - at;
        expect_part(reader, whole, at, part);
        at += part;
    }
    for (unsigned i = 0; i < jumps; i++) {
        const uint64_t at = next_random(&random) % whole->bytes;
        const size_t left = whole->bytes - (size_t)at;
        size_t part = next_random(&random) % (random % 8 == 0 ? 2000000 : 3000);
        part = part < left ? part : left;
        expect_part(reader, whole, at, part);
        /* A look back, as for where a document begins. */
        expect_part(reader, whole, at > 600 ? at - 600 : 0, 300);
        if (random % 5 == 0)
            assert_int_equal(cpr_corpus_reader_finish(reader, &error), CPR_OK);
    }
    cpr_corpus_reader_free(reader);
}

static void any_part(void **state)
{
    (void)state;
    made whole;
    cpr_file_list *list = make_corpus(&whole);
    bool has_points = false;
    assert_int_equal(cpr_file_list_origins(list), 6);
    for (uint64_t i = 0; i < 6; i++)
        has_points = has_points || cpr_file_list_origin(list, i).point_count > 1;
    assert_true(has_points);
    expect_corpus(list, &whole, 150);
    cpr_file_list_free(list);
    made_free(&whole);
}

/* Every byte around the edges of the members of a tar, alone and with those behind it. */
static void edges_of_members(void **state)
{
    (void)state;
    made whole;
    cpr_file_list *list = make_corpus(&whole);
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    const cpr_origin tar = cpr_file_list_origin(list, 1);
    assert_string_equal(tar.name, "c/c.tar");
    for (uint64_t file = tar.first; file <= tar.first + tar.files; file++) {
        const uint64_t edge = cpr_file_list_offset(list, file);
        for (uint64_t at = edge - 3; at <= edge + 3; at++)
            for (size_t bytes = 1; bytes < 2000; bytes += 331)
                expect_part(reader, &whole, at, bytes);
    }
    const uint64_t rest = cpr_file_list_offset(list, tar.first + tar.files - 1);
    const uint64_t end = cpr_file_list_offset(list, tar.first + tar.files);
    for (uint64_t at = rest; at < end; at += 63)
        expect_part(reader, &whole, at, (size_t)(end - at));
    cpr_corpus_reader_free(reader);
    cpr_file_list_free(list);
    made_free(&whole);
}

static void for_another_rank(void **state)
{
    (void)state;
    made whole;
    cpr_error error = {""};
    size_t bytes, again;
    cpr_file_list *unpacked;
    cpr_file_list *list = make_corpus(&whole);
    uint8_t *packed = cpr_file_list_pack(list, &bytes);
    assert_non_null(packed);
    assert_int_equal(cpr_file_list_unpack(packed, bytes, &unpacked, &error), CPR_OK);
    cpr_file_list_free(list);
    uint8_t *second = cpr_file_list_pack(unpacked, &again);
    assert_int_equal(again, bytes);
    assert_memory_equal(packed, second, bytes);
    expect_corpus(unpacked, &whole, 10);
    cpr_file_list_free(unpacked);
    /* Cut off, it is refused. */
    for (size_t cut = 0; cut < bytes; cut++)
        assert_int_equal(cpr_file_list_unpack(packed, cut, &unpacked, &error), CPR_ERR_DAMAGED);
    free(packed);
    free(second);
    made_free(&whole);
}

/* ---- files that change ---------------------------------------------------------------------- */

/* Only x.gz, which has `text`. */
static cpr_file_list *list_one(const made *file)
{
    cpr_error error = {""};
    put_file("x.gz", file->data, file->bytes);
    cpr_file_list *listed = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(listed, "x.gz", NULL, &error), CPR_OK);
    cpr_file_list *decoded = decode_list(listed);
    cpr_file_list_free(listed);
    return decoded;
}

static cpr_status read_all(const cpr_file_list *list, cpr_error *error)
{
    const size_t bytes = (size_t)cpr_file_list_bytes(list);
    uint8_t *text = malloc(bytes + 1);
    cpr_corpus_reader *reader = cpr_corpus_reader_create(list);
    cpr_status status = cpr_corpus_reader_read(reader, 0, text, bytes, error);
    if (status == CPR_OK)
        status = cpr_corpus_reader_finish(reader, error);
    cpr_corpus_reader_free(reader);
    free(text);
    return status;
}

/* Times do not count. */
static void touched(void **state)
{
    (void)state;
    cpr_error error = {""};
    made text = made_text(300000, 2);
    made file = {NULL, 0};
    put_gzip(&file, text.data, text.bytes);
    cpr_file_list *list = list_one(&file);
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = 1, .tv_nsec = 2}};
    assert_int_equal(utimensat(AT_FDCWD, "x.gz", times, 0), 0);
    assert_int_equal(chmod("x.gz", 0600), 0);
    expect_corpus(list, &text, 3);
    assert_int_equal(unlink("x.gz"), 0);
    assert_int_equal(read_all(list, &error), CPR_ERR_IO);
    assert_non_null(strstr(error.text, "x.gz"));
    cpr_file_list_free(list);
    made_free(&file);
    made_free(&text);
}

/* A file of the same size with another text, or a longer one, of which no part may pass for all. */
static void replaced(void **state)
{
    (void)state;
    static const size_t sizes[] = {200000, 100000, 210000};
    static const uint8_t zeros[200000];
    cpr_error error = {""};
    made text = made_text(200000, 2);
    made other = made_text(220000, 3);
    made file = {NULL, 0};
    put_gzip(&file, text.data, text.bytes);
    const size_t bytes = file.bytes + 20000;
    made_add(&file, zeros, 20000);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        made changed = {NULL, 0};
        cpr_file_list *list = list_one(&file);
        put_gzip(&changed, other.data, sizes[i]);
        assert_true(changed.bytes < bytes);
        made_add(&changed, zeros, bytes - changed.bytes);
        put_made("x.gz", &changed);
        assert_int_equal(read_all(list, &error), CPR_ERR_CHANGED);
        assert_non_null(strstr(error.text, "\"x.gz\" changed"));
        cpr_file_list_free(list);
    }
    made_free(&file);
    made_free(&text);
    made_free(&other);
}

/* With one byte less; and as a link or a pipe. */
static void no_such_file(void **state)
{
    (void)state;
    cpr_error error = {""};
    made text = made_text(300000, 2);
    made file = {NULL, 0};
    put_gzip(&file, text.data, text.bytes);
    cpr_file_list *list = list_one(&file);
    assert_int_equal(truncate("x.gz", (off_t)file.bytes - 1), 0);
    assert_int_equal(read_all(list, &error), CPR_ERR_CHANGED);
    unlink("x.gz");
    put_file("y", file.data, file.bytes);
    assert_int_equal(symlink("y", "x.gz"), 0);
    assert_int_equal(read_all(list, &error), CPR_ERR_CHANGED);
    unlink("x.gz");
    assert_int_equal(mkfifo("x.gz", 0644), 0);
    assert_int_equal(read_all(list, &error), CPR_ERR_CHANGED);
    cpr_file_list_free(list);
    made_free(&file);
    made_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(any_part), FILE_TEST(edges_of_members), FILE_TEST(for_another_rank),
        FILE_TEST(touched),  FILE_TEST(replaced),         FILE_TEST(no_such_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
