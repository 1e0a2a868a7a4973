/* Tars made by hand as their members and the rest: split and joined again they are the same bytes,
 * whatever they are and however they are cut into pieces. */
#include "test_tar_parts.h"

/* ---- hand-made headers ----------------------------------------------------------------------- */

#define BLOCK CPR_TAR_BLOCK_BYTES

/* The tar that is made; each test begins anew. */
typedef struct made_tar {
    uint8_t bytes[1 << 17];
    size_t count;
} made_tar;
static made_tar tar;

static void begin(void)
{
    tar.count = 0;
}

static void seal(uint8_t *block)
{
    unsigned sum = 0;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i];
    snprintf((char *)block + 148, 7, "%06o", sum);
}

/* A header of pax's format, to be changed and sealed again by the caller. */
static uint8_t *put_header(char type, const char *name, uint64_t bytes)
{
    uint8_t *block = tar.bytes + tar.count;
    assert_true(tar.count + BLOCK <= sizeof tar.bytes);
    tar.count += BLOCK;
    memset(block, 0, BLOCK);
    memcpy(block, name, strlen(name) < 100 ? strlen(name) : 100);
    memcpy(block + 100, "0000644\0000001750\0000001750", 24);
    snprintf((char *)block + 124, 12, "%011" PRIo64, bytes);
    memcpy(block + 136, "00000001750", 12); /* 1000 */
    block[156] = (uint8_t)type;
    memcpy(block + 257, "ustar\00000", 8);
    seal(block);
    return block;
}

/* Data and its padding. */
static void put_data(const void *data, size_t bytes)
{
    const size_t padded = (bytes + BLOCK - 1) / BLOCK * BLOCK;
    assert_true(tar.count + padded <= sizeof tar.bytes);
    memset(tar.bytes + tar.count, 0, padded);
    memcpy(tar.bytes + tar.count, data, bytes);
    tar.count += padded;
}

static void put_end(void)
{
    put_data((const char[2 *BLOCK]){0}, 2 * BLOCK);
}

static void put_member(const char *name, const char *data)
{
    put_header('0', name, strlen(data));
    put_data(data, strlen(data));
}

static void put_note(char type, const void *data, size_t bytes)
{
    put_header(type, "note", bytes);
    put_data(data, bytes);
}

/* "KEY=VALUE" as a record of pax. */
static void put_pax(char type, const char *text)
{
    char record[1024];
    size_t length = strlen(text) + 3;
    length += length >= 10 ? 1 : 0;
    length += length >= 100 ? 1 : 0;
    const int bytes = snprintf(record, sizeof record, "%zu %s\n", length, text);
    assert_int_equal(bytes, length);
    put_note(type, record, length);
}

#define F "f 0644 1000 000000000 "

/* What is made, with `a` behind it: the members before it are `list`. */
static cpr_tar_counts expect(const char *list)
{
    char all[1024];
    cpr_tar_counts counts;
    put_member("a", "!");
    put_end();
    snprintf(all, sizeof all, "%s" F "1 61 \n", list);
    check_list(tar.bytes, tar.count, all, &counts);
    assert_int_equal(counts.odd_bytes, 0);
    return counts;
}

static void plain(void **state)
{
    (void)state;
    begin();
    put_member("b/c", "text");
    put_member("d", "");
    put_header('5', "e/", 0);
    uint8_t *link = put_header('2', "f", 0);
    memcpy(link + 157, "../x", 4);
    seal(link);
    put_header('7', "g", 4); /* contiguous: regular */
    put_data("text", 4);
    put_header('\0', "h", 4);
    put_data("text", 4);
    const cpr_tar_counts counts =
        expect(F "4 622f63 \n" F "0 64 \nd 0644 1000 000000000 0 65 \n"
                 "l 0644 1000 000000000 0 66 2e2e2f78\n" F "4 67 \n" F "4 68 \n");
    assert_int_equal(counts.members, 7);
    assert_int_equal(counts.hard_links + counts.sparse + counts.special + counts.unsafe, 0);
}

/* Empty, no tar at all, or no end. */
static void edges(void **state)
{
    (void)state;
    tar_parts parts;
    check(&parts, "", 0);
    assert_int_equal(parts.end, CPR_OK);
    parts_free(&parts);
    check(&parts, "text", 4);
    assert_int_equal(parts.end, CPR_ERR_DAMAGED);
    assert_non_null(strstr(parts.error.text, "within a header"));
    parts_free(&parts);
    begin();
    put_end();
    for (size_t count = 1; count <= tar.count; count++) {
        split(&parts, TAKE_ALL, tar.bytes, count, 0);
        assert_int_equal(parts.end, CPR_OK);
        assert_int_equal(parts.counts.odd_bytes, 0);
        parts_free(&parts);
    }
}

/* At every byte; only behind members it may end. */
static void truncated(void **state)
{
    (void)state;
    tar_parts parts;
    begin();
    put_member("a", "text");
    put_pax('x', "path=long");
    put_member("b", "more text");
    put_note('L', "longer", 7);
    put_member("c", "");
    put_note('g', "", 0);
    put_note('V', "", 0);
    put_end();
    for (size_t count = 0; count <= tar.count; count++) {
        const size_t blocks = count / BLOCK;
        const bool fine = count % BLOCK == 0 && (blocks == 0 || blocks == 2 || blocks == 6 ||
                                                 blocks == 9 || blocks == 10);
        const size_t most = count % 2 * 600;
        split(&parts, TAKE_ALL, tar.bytes, count, most);
        assert_int_equal(parts.end, fine || blocks >= 11 ? CPR_OK : CPR_ERR_DAMAGED);
        assert_joins(&parts, tar.bytes, count, most);
        parts_free(&parts);
    }
    split(&parts, TAKE_ALL, tar.bytes, BLOCK + 1, 0);
    assert_non_null(strstr(parts.error.text, "3 bytes before the end of its member a"));
    parts_free(&parts);
    split(&parts, TAKE_ALL, tar.bytes, 4 * BLOCK, 0);
    assert_non_null(strstr(parts.error.text, "before a member"));
    parts_free(&parts);
}

/* ---- what is no member, and what is behind the end ------------------------------------------- */

static void odd(void **state)
{
    (void)state;
    cpr_tar_counts counts;
    begin();
    put_member("a", "text");
    put_end();
    const size_t end = tar.count;
    put_member("b", "of another tar");
    check_list(tar.bytes, tar.count, F "4 61 \n", &counts);
    assert_int_equal(counts.odd_bytes, tar.count - end);
    begin();
    put_member("a", "text");
    put_header('0', "b", 0)[0] = 'c'; /* the checksum is wrong */
    put_member("d", "");
    put_end();
    check_list(tar.bytes, tar.count, F "4 61 \n", &counts);
    assert_int_equal(counts.odd_bytes, tar.count - 2 * BLOCK);
}

static void garbage(void **state)
{
    (void)state;
    uint64_t random = 1;
    uint8_t bytes[3000];
    for (size_t round = 0; round < 300; round++) {
        const size_t count = next_random(&random) % sizeof bytes;
        tar_parts parts;
        for (size_t i = 0; i < count; i++)
            bytes[i] = (uint8_t)(next_random(&random) >> 20);
        split(&parts, TAKE_ALL, bytes, count, 700);
        assert_int_equal(parts.counts.members, 0);
        assert_joins(&parts, bytes, count, 700);
        parts_free(&parts);
    }
}

/* Bytes of a sound tar are changed at random, and the checksums made right again. */
static void damaged(void **state)
{
    (void)state;
    uint64_t random = 7;
    begin();
    put_pax('g', "comment=x");
    put_member("a", "text");
    put_pax('x', "path=long");
    put_member("b", "more text");
    put_note('L', "longer", 7);
    put_note('K', "longer", 7);
    put_header('2', "c", 0);
    put_end();
    static made_tar changed;
    for (size_t round = 0; round < 1000; round++) {
        tar_parts parts;
        changed = tar;
        for (unsigned i = 0; i < 4; i++) {
            const size_t at = next_random(&random) % tar.count;
            changed.bytes[at] = (uint8_t)(next_random(&random) >> 20);
            if (at / BLOCK % 2 == 0)
                seal(changed.bytes + at / BLOCK * BLOCK);
        }
        split(&parts, TAKE_SECONDS, changed.bytes, changed.count, 700);
        assert_joins(&parts, changed.bytes, changed.count, 900);
        parts_free(&parts);
    }
}

/* Their data is frame, and the next header is found behind it. */
static void not_offered(void **state)
{
    (void)state;
    cpr_tar_counts counts;
    begin();
    put_header('1', "link", 1 << 20); /* some say the size of what they link to */
    put_header('3', "device", 3 << 20);
    put_header('4', "device", 3 << 20);
    put_header('6', "pipe", 3 << 20);
    put_note('V', "", 0);
    put_note('M', "rest", 4);
    put_note('D', "dumped", 6);
    put_note('Z', "unknown", 7);
    put_note('S', "sparse", 6);
    counts = expect("");
    assert_int_equal(counts.hard_links, 1);
    assert_int_equal(counts.special, 7);
    assert_int_equal(counts.sparse, 1);
    assert_int_equal(counts.unsafe, 0);
}

/* The map of an old sparse file goes on in further blocks. */
static void sparse(void **state)
{
    (void)state;
    for (int star = 0; star <= 1; star++) {
        begin();
        uint8_t *block = put_header('S', "holes", 600);
        if (star) {
            block[355] = 1;
            memcpy(block + 508, "tar", 4);
        } else {
            block[482] = 1;
            memcpy(block + 257, "ustar  ", 8);
        }
        seal(block);
        char map[BLOCK] = "not a header";
        map[504] = 1;
        put_data(map, sizeof map);
        map[504] = 0;
        put_data(map, sizeof map);
        put_data(map, sizeof map);
        put_data(map, 88);
        assert_int_equal(expect("").sparse, 1);
    }
    static const char *const records[] = {"GNU.sparse.major=1", "SCHILY.realsize=9",
                                          "SUN.holesdata= 0 9 9"};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        begin();
        put_pax('x', records[i]);
        put_member("b", "map and data");
        put_member("c", "text");
        assert_int_equal(expect(F "4 63 \n").sparse, 1);
    }
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Whether a regular file of this path is offered, by another one. NULL: it is not. */
static void expect_path(const char *path, const char *hex)
{
    char list[256] = "";
    cpr_tar_counts counts;
    begin();
    put_member(path, "text");
    if (hex != NULL)
        snprintf(list, sizeof list, F "4 %s \n", hex);
    counts = expect(list);
    assert_int_equal(counts.unsafe, hex == NULL);
}

static void paths(void **state)
{
    (void)state;
    expect_path("b", "62");
    expect_path("/b", "62");
    expect_path("././/b//.//c/.", "622f63");
    expect_path("..b/c..", "2e2e622f632e2e");
    expect_path("\xff\n\x1b", "ff0a1b");
    expect_path("../b", NULL);
    expect_path("b/../c", NULL);
    expect_path("b/..", NULL);
    expect_path("..", NULL);
    expect_path(".", NULL);
    expect_path("", NULL);
    expect_path("b/", NULL); /* a directory with data */
}

static void directories(void **state)
{
    (void)state;
    begin();
    put_header('5', "./", 0);
    put_header('5', "b", 0);
    put_header('0', "c/", 0); /* as they were once */
    put_header('\0', "d/", 0);
    put_header('5', "e/", 1 << 20); /* room for that much, says POSIX */
    put_header('5', "../f", 0);
    const cpr_tar_counts counts =
        expect("d 0644 1000 000000000 0 62 \nd 0644 1000 000000000 0 63 \n"
               "d 0644 1000 000000000 0 64 \nd 0644 1000 000000000 0 65 \n");
    assert_int_equal(counts.unsafe, 1);
}

/* Fields that are full have no NUL. Only ustar has a prefix. */
static void prefixes(void **state)
{
    (void)state;
    char name[101] = "", hex[1024] = F "0 ";
    memset(name, 'n', 100);
    for (int i = 0; i < 155; i++)
        snprintf(hex + strlen(hex), 3, "70");
    snprintf(hex + strlen(hex), 3, "2f");
    for (int i = 0; i < 100; i++)
        snprintf(hex + strlen(hex), 3, "6e");
    snprintf(hex + strlen(hex), 64, " \n" F "0 62 \n");
    begin();
    uint8_t *block = put_header('0', name, 0);
    memset(block + 345, 'p', 155);
    seal(block);
    block = put_header('0', "b", 0);
    memset(block + 345, 'p', 100);
    memcpy(block + 257, "ustar  ", 8);
    seal(block);
    expect(hex);
}

static void long_names(void **state)
{
    (void)state;
    cpr_tar_counts counts;
    begin();
    put_note('L', "./bb/\0junk", 10);
    put_note('K', "cc", 2); /* without a NUL */
    put_header('2', "x", 0);
    put_header('2', "x", 0); /* a link to nothing: the name was for one member */
    counts = expect("l 0644 1000 000000000 0 6262 6363\n");
    assert_int_equal(counts.unsafe, 1);
    begin();
    put_note('L', "", 0);
    put_member("b", "");
    assert_int_equal(expect("").unsafe, 1);
}

/* Of so many bytes, by a record of GNU or pax. */
static void expect_long(char type, size_t bytes, bool offered)
{
    static char text[70000];
    size_t at = 0;
    tar_parts parts;
    begin();
    if (type == 'x')
        at = (size_t)snprintf(text, sizeof text, "%zu path=", bytes + 12);
    memset(text + at, 'n', bytes);
    text[at + bytes] = type == 'x' ? '\n' : '\0';
    put_note(type, text, at + bytes + 1);
    put_member("b", "text");
    put_end();
    split(&parts, TAKE_ALL, tar.bytes, tar.count, 0);
    assert_int_equal(parts.end, CPR_OK);
    assert_int_equal(parts.counts.members, offered);
    assert_int_equal(parts.counts.unsafe, !offered);
    assert_int_equal(parts.counts.odd_bytes, 0);
    assert_joins(&parts, tar.bytes, tar.count, 0);
    parts_free(&parts);
}

static void limits(void **state)
{
    (void)state;
    static const char types[] = "Lx";
    for (size_t i = 0; i < 2; i++) {
        expect_long(types[i], CPR_TAR_PATH_MAX_BYTES, true);
        expect_long(types[i], CPR_TAR_PATH_MAX_BYTES + 1, false);
        expect_long(types[i], 65536, false);
    }
    static char text[CPR_TAR_PATH_MAX_BYTES + 1]; /* with no NUL, and not longer than with one */
    memset(text, 'n', sizeof text);
    begin();
    put_note('L', text, sizeof text);
    put_member("b", "text");
    put_note('K', text, sizeof text);
    put_header('2', "c", 0);
    assert_int_equal(expect("").unsafe, 2);
}

/* More records than are kept. */
static void large_pax(void **state)
{
    (void)state;
    const size_t most = (size_t)1 << 20;
    for (size_t over = 0; over <= 1; over++) {
        const size_t bytes = most + over;
        const size_t count = 4 * BLOCK + (bytes + BLOCK - 1) / BLOCK * BLOCK;
        uint8_t *large = calloc(1, count);
        tar_parts parts;
        assert_non_null(large);
        begin();
        put_header('x', "note", bytes);
        memcpy(large, tar.bytes, BLOCK);
        memset(large + BLOCK, 'c', bytes);
        const int length = snprintf((char *)large + BLOCK, 32, "%zu comment", bytes);
        large[BLOCK + (size_t)length] = '=';
        large[BLOCK + bytes - 1] = '\n';
        begin();
        put_member("b", "text");
        memcpy(large + count - 3 * BLOCK, tar.bytes, tar.count);
        split(&parts, TAKE_ALL, large, count, 5000);
        assert_int_equal(parts.counts.members, over == 0);
        assert_int_equal(parts.counts.unsafe, over);
        assert_joins(&parts, large, count, 5000);
        parts_free(&parts);
        free(large);
    }
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* The size of a member whose header has this in its field of 12 bytes; UINT64_MAX: no header. */
static uint64_t size_of(const char *field)
{
    tar_parts parts;
    uint64_t size = UINT64_MAX;
    begin();
    uint8_t *block = put_header('0', "a", 0);
    memcpy(block + 124, field, 12);
    seal(block);
    split(&parts, TAKE_ALL, tar.bytes, tar.count, 0);
    if (parts.counts.members == 1)
        size = strtoull((const char *)parts.list.data + strlen(F), NULL, 10);
    assert_true(parts.counts.members == 1 ? size <= INT64_MAX : parts.counts.odd_bytes == BLOCK);
    assert_joins(&parts, tar.bytes, tar.count, 0);
    parts_free(&parts);
    return size;
}

static void numbers(void **state)
{
    (void)state;
    assert_true(size_of("00000000144\0") == 100);
    assert_true(size_of("        144 ") == 100);
    assert_true(size_of("144\0garbage!") == 100);
    assert_true(size_of("\0     144   ") == 100);
    assert_true(size_of("            ") == 0);
    assert_true(size_of("\0\0\0\0\0\0\0\0\0\0\0") == 0);
    assert_true(size_of("777777777777") == (UINT64_C(1) << 36) - 1);
    assert_true(size_of("\x80\0\0\0\0\0\0\x02\0\0\0\x01") == (UINT64_C(2) << 32) + 1);
    assert_true(size_of("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff") == INT64_MAX);
    assert_true(size_of("\x80\0\0\0\x80\0\0\0\0\0\0") == UINT64_MAX); /* too large */
    assert_true(size_of("\x80\x01\0\0\0\0\0\0\0\0\0") == UINT64_MAX);
    assert_true(size_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") == UINT64_MAX); /* -1 */
    assert_true(size_of("\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff") == UINT64_MAX);
    assert_true(size_of("00000000148\0") == UINT64_MAX);
    assert_true(size_of("-0000000144\0") == UINT64_MAX);
    assert_true(size_of("0x000000144\0") == UINT64_MAX);
}

static void times(void **state)
{
    (void)state;
    begin();
    uint8_t *block = put_header('0', "b", 0);
    memset(block + 136, 0xff, 12);
    block[147] = 0xfe; /* -2 */
    seal(block);
    static const char *const fractions[] = {"mtime=12.5",
                                            "mtime=-1.25",
                                            "mtime=-3",
                                            "mtime=7.",
                                            "mtime=1.0000000019",
                                            "mtime=x",
                                            "mtime=",
                                            "mtime=1e9",
                                            "mtime=1.5x",
                                            "mtime=9223372036854775807",
                                            "mtime=-0.5",
                                            "mtime=.5",
                                            "mtime=9223372036854775808"};
    for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
        put_pax(i % 2 == 0 ? 'x' : 'X', fractions[i]);
        put_member("b", "");
    }
    expect("f 0644 -2 000000000 0 62 \n"
           "f 0644 12 500000000 0 62 \nf 0644 -2 750000000 0 62 \nf 0644 -3 000000000 0 62 \n"
           "f 0644 7 000000000 0 62 \nf 0644 1 000000001 0 62 \n" F "0 62 \n" F "0 62 \n" F
           "0 62 \nf 0644 1 500000000 0 62 \nf 0644 9223372036854775807 000000000 0 62 \n"
           "f 0644 -1 500000000 0 62 \n" F "0 62 \n" F "0 62 \n");
}

/* ---- records of pax -------------------------------------------------------------------------- */

static void pax(void **state)
{
    (void)state;
    begin();
    put_note('x', "21 path=dir/file=\xff\n\n\n11 size=12\n12 uname=me\n\0\0", 46);
    put_header('0', "short", 0);
    put_data("twelve bytes", 12);
    put_pax('g', "path=all"); /* nobody should, and somebody can */
    put_header('0', "b", 0);
    put_pax('x', "path=c");
    put_header('0', "b", 0);
    put_pax('x', "path=");
    put_header('0', "b", 0); /* unsafe: it has no path */
    put_pax('x', "linkpath=to");
    put_header('2', "b", 0);
    put_pax('g', "path=a");
    const cpr_tar_counts counts =
        expect(F "12 6469722f66696c653dff0a0a \n" F "0 616c6c \n" F "0 63 \n"
                 "l 0644 1000 000000000 0 616c6c 746f\n");
    assert_int_equal(counts.unsafe, 1);
}

/* Of all members, until something else is said; what is said of one comes first. */
static void general_pax(void **state)
{
    (void)state;
    begin();
    put_pax('g', "linkpath=to");
    put_header('2', "b", 0);
    put_pax('x', "linkpath=from");
    put_header('2', "c", 0);
    put_pax('g', "mtime=7.5");
    put_pax('g', "size=4");
    put_header('0', "d", 0);
    put_data("text", 4);
    put_pax('x', "mtime=8");
    put_pax('x', "size=2");
    put_header('0', "e", 0);
    put_data("no", 2);
    put_pax('g', "mtime=");
    put_pax('g', "size=");
    expect("l 0644 1000 000000000 0 62 746f\nl 0644 1000 000000000 0 63 66726f6d\n"
           "f 0644 7 500000000 4 64 \nf 0644 8 000000000 2 65 \n");
    cpr_tar_counts counts;
    begin();
    put_note('g', "nonsense", 8);
    put_member("a", "text");
    put_member("b", "text");
    put_header('1', "c", 0);
    put_end();
    check_list(tar.bytes, tar.count, "", &counts);
    assert_int_equal(counts.unsafe, 2);
    assert_int_equal(counts.hard_links, 1);
}

/* Then the member is not offered, and its data found by the size that the header gives. */
static void bad_pax(void **state)
{
    (void)state;
    static const char *const bad[] = {"x",
                                      "0 a=b\n",
                                      "1",
                                      "5 a=b\n",
                                      "7 a=b\n",
                                      "99 a=b\n",
                                      "6 a b\n",
                                      "6 a=bc",
                                      "-6 a=b\n",
                                      "99999999999999999999 a=b\n",
                                      "7a=bcd\n",
                                      " 6 a=b\n",
                                      "4 =\n6 a=b",
                                      "3 \n",
                                      "2\n",
                                      "10 size=x\n",
                                      "11 size=-4\n",
                                      "28 size=9223372036854775808\n",
                                      "11 size=4 \n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin();
        put_note('x', bad[i], strlen(bad[i]));
        put_member("b", "text");
        assert_int_equal(expect("").unsafe, 1);
    }
    begin();
    put_note('x', "12 path=a\0b\n", 12); /* NULs within */
    put_member("b", "text");
    put_note('x', "16 linkpath=a\0b\n", 16);
    put_header('2', "c", 0);
    assert_int_equal(expect("").unsafe, 2);
}

/* Sizes near the greatest number. */
static void huge_pax(void **state)
{
    (void)state;
    tar_parts parts;
    begin();
    put_pax('x', "size=9223372036854775807");
    put_member("b", "text");
    for (choice take = TAKE_ALL; take < TAKES; take++) {
        split(&parts, take, tar.bytes, tar.count, 0);
        assert_int_equal(parts.counts.members, 1);
        assert_int_equal(parts.end, CPR_ERR_DAMAGED);
        assert_joins(&parts, tar.bytes, tar.count, 0);
        parts_free(&parts);
    }
}

/* ---- what begins a tar ----------------------------------------------------------------------- */

static bool begins(const uint8_t *block)
{
    assert_false(cpr_tar_begins(block, BLOCK - 1));
    return cpr_tar_begins(block, BLOCK);
}

static void beginnings(void **state)
{
    (void)state;
    begin();
    uint8_t *block = put_header('0', "a", 0);
    assert_true(begins(block));
    memcpy(block + 257, "ustar  ", 8);
    assert_false(begins(block));
    seal(block);
    assert_true(begins(block));
    memset(block + 257, 0, 8); /* v7 */
    seal(block);
    assert_true(begins(block));
    block[156] = 'x';
    seal(block);
    assert_false(begins(block));
    block[156] = '2';
    block[400] = 'x';
    seal(block);
    assert_false(begins(block));
    block[400] = 0;
    block[300] = 'x';
    seal(block);
    assert_false(begins(block));
    block[300] = 0;
    seal(block);
    assert_true(begins(block));
    block[110] = 'x';
    seal(block);
    assert_false(begins(block));
    memset(block, 0, BLOCK);
    assert_false(begins(block));
    seal(block);
    assert_false(begins(block));
    assert_false(cpr_tar_begins(NULL, 0));
}

/* Sums of bytes with a sign, as some programs made them. */
static void signed_sums(void **state)
{
    (void)state;
    begin();
    uint8_t *block = put_header('0', "\xff", 0);
    int sum = 0;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i] < 128 ? block[i] : block[i] - 256;
    snprintf((char *)block + 148, 7, "%06o", (unsigned)sum);
    expect(F "0 ff \n");
    assert_true(begins(block));
    block[153]++;
    assert_false(begins(block));
}

/* ---- errors ---------------------------------------------------------------------------------- */

static cpr_status refuse_bytes(void *context, const uint8_t *bytes, size_t count, cpr_error *error)
{
    (void)context, (void)bytes, (void)count;
    return cpr_fail(error, CPR_STOPPED, "stopped");
}

static cpr_status refuse_member(void *context, const cpr_tar_member *member, bool *taken,
                                cpr_error *error)
{
    (void)context, (void)member, (void)taken;
    return cpr_fail(error, CPR_STOPPED, "stopped");
}

static void errors(void **state)
{
    (void)state;
    tar_parts parts = {.take = TAKE_ALL};
    const cpr_tar_events events[] = {{refuse_member, on_data, on_frame, &parts},
                                     {on_member, refuse_bytes, on_frame, &parts},
                                     {on_member, on_data, refuse_bytes, &parts},
                                     {NULL, NULL, refuse_bytes, NULL}};
    begin();
    put_member("a", "text");
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        cpr_tar *parser = cpr_tar_create(&events[i], false);
        assert_non_null(parser);
        assert_int_equal(cpr_tar_feed(parser, tar.bytes, tar.count, &parts.error), CPR_STOPPED);
        cpr_tar_free(parser);
    }
    parts_free(&parts);
    cpr_tar_free(NULL);
}

/* Nobody listens. */
static void silent(void **state)
{
    (void)state;
    const cpr_tar_events none = {0};
    cpr_tar *parser = cpr_tar_create(&none, false);
    assert_non_null(parser);
    begin();
    put_member("a", "text");
    put_member("b", "text");
    assert_int_equal(cpr_tar_feed(parser, tar.bytes, tar.count, NULL), CPR_OK);
    assert_int_equal(cpr_tar_finish(parser, NULL), CPR_OK);
    assert_int_equal(cpr_tar_count(parser)->members, 2);
    cpr_tar_free(parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),       cmocka_unit_test(edges),     cmocka_unit_test(truncated),
        cmocka_unit_test(odd),         cmocka_unit_test(garbage),   cmocka_unit_test(damaged),
        cmocka_unit_test(not_offered), cmocka_unit_test(sparse),    cmocka_unit_test(paths),
        cmocka_unit_test(directories), cmocka_unit_test(prefixes),  cmocka_unit_test(long_names),
        cmocka_unit_test(limits),      cmocka_unit_test(large_pax), cmocka_unit_test(numbers),
        cmocka_unit_test(times),       cmocka_unit_test(pax),       cmocka_unit_test(general_pax),
        cmocka_unit_test(bad_pax),     cmocka_unit_test(huge_pax),  cmocka_unit_test(beginnings),
        cmocka_unit_test(signed_sums), cmocka_unit_test(errors),    cmocka_unit_test(silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
