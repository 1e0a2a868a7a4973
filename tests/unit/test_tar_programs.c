/* Tars that GNU tar and Python make: their members are those that Python lists, and split and
 * joined again they are the same bytes. */
#include "test_tar_parts.h"

/* What Python's tarfile finds in tars, in the form of note(). */
static const char listing[] =
    "import decimal, os, sys, tarfile\n"
    "def line(m):\n"
    "    path = [p for p in os.fsencode(m.name).split(b'/') if p not in (b'', b'.')]\n"
    "    kind = 'f' if m.isreg() else 'd' if m.isdir() else 'l' if m.issym() else ''\n"
    "    if not path or b'..' in path or not kind or m.sparse is not None:\n"
    "        return ''\n"
    "    time = decimal.Decimal(m.pax_headers.get('mtime', m.mtime))\n"
    "    second = int(time.to_integral_value(decimal.ROUND_FLOOR))\n"
    "    return '%s %04o %d %09d %d %s %s\\n' % (kind, m.mode & 0o7777, second,\n"
    "        int((time - second) * 10**9), m.size if kind == 'f' else 0, b'/'.join(path).hex(),\n"
    "        os.fsencode(m.linkname).hex() if kind == 'l' else '')\n"
    "for path in sys.argv[1:]:\n"
    "    with tarfile.open(path, 'r:', encoding='utf-8', errors='surrogateescape') as tar:\n"
    "        open(path + '.list', 'w').write(''.join(map(line, tar)))\n";

/* The same tree in each of Python's formats. */
static const char packing[] =
    "import sys, tarfile\n"
    "for name in 'USTAR', 'GNU', 'PAX':\n"
    "    with tarfile.open('py-' + name + '.tar', 'w', format=getattr(tarfile, name + '_FORMAT'),\n"
    "                      encoding='utf-8', errors='surrogateescape') as tar:\n"
    "        def fits(m):\n"
    "            try:\n"
    "                m.tobuf(tar.format, tar.encoding, tar.errors)\n"
    "                return m\n"
    "            except ValueError:\n"
    "                return None\n"
    "        tar.add('tree', filter=fits)\n";

static void run_command(const char *command)
{
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

static void make_names(void)
{
    char name[256], text[301], path[1024];
    memset(name, 'n', 120);
    name[120] = '\0';
    memset(text, 't', 300);
    text[300] = '\0';
    put_text("tree/sub/short", "text\n");
    snprintf(path, sizeof path, "tree/sub/%s", name);
    put_text(path, "a long name\n");
    snprintf(path, sizeof path, "tree/%s", name);
    assert_int_equal(mkdir(path, 0711), 0);
    snprintf(path, sizeof path, "tree/%s/%s", name, name);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "tree/%s/%s/%s", name, name, name);
    put_file(path, text, 300);
    put_text("tree/sub/new\nline", "x");
    put_text("tree/sub/\xff\xfe latin \xe4", "y");
    put_text("tree/sub/\xc3\xa4 \xe6\x96\x87", "z");
    put_text("tree/sub/..dots..", "");
    assert_int_equal(symlink("short", "tree/sub/link"), 0);
    assert_int_equal(symlink(text, "tree/sub/far"), 0);
    assert_int_equal(symlink("\xff\n", "tree/sub/odd link"), 0);
}

/* Files with and without padding; everything that is no member; times in parts of seconds. */
static void make_tree(void)
{
    char block[513];
    memset(block, 'b', sizeof block);
    assert_int_equal(mkdir("tree", 0755), 0);
    assert_int_equal(mkdir("tree/sub", 0750), 0);
    make_names();
    put_file("tree/one block", block, 512);
    put_file("tree/a byte more", block, 513);
    assert_int_equal(chmod("tree/one block", 04751), 0);
    assert_int_equal(link("tree/one block", "tree/sub/hard"), 0);
    assert_int_equal(mkfifo("tree/pipe", 0600), 0);
    FILE *file = fopen("tree/holes", "wb");
    assert_non_null(file);
    for (long i = 0; i < 30; i++) { /* a map of more than two blocks */
        assert_int_equal(fseek(file, i * 8192, SEEK_SET), 0);
        assert_int_equal(fwrite(block, 1, 512, file), 512);
    }
    assert_int_equal(fclose(file), 0);
    const struct timespec times[2] = {{1, 0}, {1234567890, 123456789}};
    assert_int_equal(utimensat(AT_FDCWD, "tree/a byte more", times, 0), 0);
    const struct timespec early[2] = {{1, 0}, {-5, 250000000}};
    assert_int_equal(utimensat(AT_FDCWD, "tree/sub/short", early, 0), 0);
}

/* Splits it and joins it again. The members are those that are listed. */
static cpr_tar_counts check_file(const char *path)
{
    char list[64];
    size_t bytes;
    cpr_tar_counts counts;
    char *content = get_file(path, &bytes);
    assert_true(cpr_tar_begins((const uint8_t *)content, bytes));
    snprintf(list, sizeof list, "%s.list", path);
    char *listed = get_file(list, NULL);
    check_list(content, bytes, listed, &counts);
    assert_int_equal(counts.odd_bytes, 0);
    assert_int_equal(counts.hard_links, 1);
    assert_int_equal(counts.unsafe, 0);
    assert_true(counts.members >= 9);
    free(listed);
    free(content);
    return counts;
}

static const struct format {
    const char *options;
    uint64_t sparse, special;
} formats[] = {
    {"--format=v7", 0, 0},
    {"--format=ustar", 0, 1},
    {"--format=oldgnu", 0, 1},
    {"--format=gnu", 0, 1},
    {"--format=posix", 0, 1},
    {"--format=gnu -S --hole-detection=raw", 1, 1},
    {"--format=oldgnu -S --hole-detection=raw", 1, 1},
    {"--format=posix -S --hole-detection=raw --sparse-version=0.0", 1, 1},
    {"--format=posix -S --hole-detection=raw --sparse-version=0.1", 1, 1},
    {"--format=posix -S --hole-detection=raw --sparse-version=1.0", 1, 1},
    {"--format=gnu --label=name", 0, 2},
    {"--format=posix --pax-option=globexthdr.name=g,comment=x,mtime=5", 0, 1},
    {"--format=gnu -b 1", 0, 1},
    {"--format=posix -P --transform=s,^,/.//x//,", 0, 1},
};

/* A file system need not have them. */
static bool has_holes(const char *path)
{
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    return facts.st_blocks < facts.st_size / 512;
}

static void gnu_tar(void **state)
{
    (void)state;
    char command[512];
    make_tree();
    put_text("list.py", listing);
    const bool holes = has_holes("tree/holes");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        /* What the older formats cannot hold is left out, with a complaint. */
        snprintf(command, sizeof command,
                 "LC_ALL=C tar -c %s %s -f %zu.tar tree 2>complaints; test -s %zu.tar",
                 formats[i].options, formats[i].sparse > 0 ? "" : "--exclude=holes", i, i);
        run_command(command);
    }
    run_command("python3 list.py *.tar");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        snprintf(command, sizeof command, "%zu.tar", i);
        const cpr_tar_counts counts = check_file(command);
        assert_int_equal(counts.sparse, holes ? formats[i].sparse : 0);
        assert_int_equal(counts.special, formats[i].special);
    }
}

/* Directories have data there, and headers a time where others have a prefix. */
static void incremental_tar(void **state)
{
    (void)state;
    size_t bytes;
    cpr_tar_counts counts;
    assert_int_equal(mkdir("tree", 0755), 0);
    put_text("tree/file", "text");
    run_command("tar -c --format=gnu --incremental --mtime=@1000 --mode=0644 -f x.tar tree");
    char *content = get_file("x.tar", &bytes);
    check_list(content, bytes, "f 0644 1000 000000000 4 747265652f66696c65 \n", &counts);
    assert_int_equal(counts.special, 1);
    free(content);
}

static void python_tar(void **state)
{
    (void)state;
    make_tree();
    put_text("list.py", listing);
    put_text("pack.py", packing);
    run_command("python3 pack.py && python3 list.py *.tar");
    assert_int_equal(check_file("py-USTAR.tar").special, 1);
    assert_int_equal(check_file("py-GNU.tar").special, 1);
    assert_int_equal(check_file("py-PAX.tar").special, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(gnu_tar),
        FILE_TEST(incremental_tar),
        FILE_TEST(python_tar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
