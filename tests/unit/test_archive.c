/* The archive: what is written comes back, and nothing but that passes for an archive. */
#include "archive.h"
#include "model.h"
#include "test_files.h"

#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <xxhash.h>

#define SHARDS 3
#define CODED_BYTES 70000

/* An archive of made-up bitstreams, and all that belongs to it. */
/* Of no profile, so that no profile's change changes it. */
static const char model[] =
    "blocks 1; coder 1; blob 1; tokens 1; mixing 1 contexts=0 lines=0 successors=3 matches=5 "
    "match-lanes=1 sets=2 refine=0 guess-from=45000 guess-shift=10 chances=0 buckets=131072 "
    "line-pairs=0 successor-bits=17 history-bits=22";

typedef struct sample {
    cpr_file_list *files;
    uint64_t *file_loss;
    cpr_shard_info shards[SHARDS];
    uint8_t *coded[SHARDS];
    cpr_shard_info primer; /* if header.primer is set */
    uint8_t *coded_primer;
    cpr_archive_header header;
} sample;

static cpr_status give(void *context, uint64_t shard, uint64_t offset, uint8_t *out, size_t bytes,
                       cpr_error *error)
{
    const sample *s = context;
    const bool primer = shard == CPR_SHARD_PRIMER;
    if (offset + bytes > (primer ? s->primer : s->shards[shard]).coded_bytes)
        return cpr_fail(error, CPR_ERR_DAMAGED, "asked for too much");
    memcpy(out, (primer ? s->coded_primer : s->coded[shard]) + offset, bytes);
    return CPR_OK;
}

/* A made-up bitstream of info->coded_bytes. */
static uint8_t *make_bitstream(cpr_shard_info *info, uint64_t *seed)
{
    uint8_t *coded = malloc(info->coded_bytes + 1);
    info->raw_hash = (cpr_hash128){next_random(seed), next_random(seed)};
    for (size_t at = 0; at < info->coded_bytes; at++)
        coded[at] = (uint8_t)(next_random(seed) >> 30);
    const XXH128_hash_t hash = XXH3_128bits(coded, info->coded_bytes);
    info->coded_hash = (cpr_hash128){hash.high64, hash.low64};
    return coded;
}

/* `extra` more files, `coded` bytes of bitstream in all. */
static sample make_sample(unsigned extra, size_t coded)
{
    sample s = {0};
    cpr_error error = {""};
    uint64_t seed = 5;
    mkdir("in", 0755);
    put_text("in/a", "0123456789");
    put_text("in/ab", "");
    put_text("in/abc", "01234567890123456789");
    mkdir("in/d", 0700);
    assert_int_equal(symlink("../a", "in/d/link"), 0);
    for (unsigned i = 0; i < extra; i++) {
        char path[40];
        snprintf(path, sizeof path, "in/d/extra-%u", i * 37);
        put_file(path, path, i % 30);
    }
    s.files = cpr_file_list_create();
    assert_int_equal(cpr_file_list_add(s.files, "in", NULL, &error), CPR_OK);
    const uint64_t count = cpr_file_list_count(s.files);
    s.file_loss = calloc(count, sizeof(uint64_t));
    for (uint64_t i = 0; i < count; i++)
        s.file_loss[i] = (next_random(&seed) >> 44) * 65536;
    const uint64_t corpus = cpr_file_list_bytes(s.files);
    uint64_t raw = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        cpr_shard_info *info = &s.shards[i];
        info->offset = raw;
        info->raw_bytes = i + 1 < SHARDS ? corpus / SHARDS : corpus - raw;
        info->coded_bytes = i == 1 ? coded / 2 : coded / 4;
        info->stored_bytes = i;
        info->tokens = i;
        info->loss_bits = (UINT64_C(1) << 52) + i;
        raw += info->raw_bytes;
        s.coded[i] = make_bitstream(info, &seed);
    }
    s.header = (cpr_archive_header){
        .profile = "balanced",
        .model = model,
        .shard_bytes = 1 << 20,
        .vocabulary = (const uint8_t *)"words words words",
        .vocabulary_bytes = 17,
        .files = s.files,
        .file_loss = s.file_loss,
        .shard_count = SHARDS,
    };
    return s;
}

static void add_primer(sample *s)
{
    uint64_t seed = 6;
    s->primer = (cpr_shard_info){
        .raw_bytes = 7 << 20, .coded_bytes = 12345, .stored_bytes = 9, .tokens = 8, .loss_bits = 7};
    s->coded_primer = make_bitstream(&s->primer, &seed);
    for (size_t i = 0; i < SHARDS; i++)
        s->shards[i].generation = 1;
}

static void free_sample(sample *s)
{
    free(s->coded_primer);
    cpr_file_list_free(s->files);
    free(s->file_loss);
    for (size_t i = 0; i < SHARDS; i++)
        free(s->coded[i]);
}

static void write_unsealed(sample *s, const char *path)
{
    cpr_error error = {""};
    s->header.shards = s->shards;
    s->header.primer = s->coded_primer != NULL ? &s->primer : NULL;
    if (cpr_archive_create(path, &s->header, &error) != CPR_OK ||
        cpr_archive_write_bitstreams(path, 0, 1, give, s, &error) != CPR_OK)
        fail_msg("%s", error.text);
}

static void write_archive(sample *s, const char *path)
{
    cpr_error error = {""};
    write_unsealed(s, path);
    if (cpr_archive_seal(path, &error) != CPR_OK)
        fail_msg("%s", error.text);
}

static cpr_status try_open(const char *path, cpr_error *error)
{
    cpr_archive *archive;
    const cpr_status status = cpr_archive_open(path, &archive, error);
    assert_true((status == CPR_OK) == (archive != NULL));
    cpr_archive_close(archive);
    return status;
}

static void assert_opens(const char *path, cpr_status expected)
{
    cpr_error error = {""};
    const cpr_status status = try_open(path, &error);
    if (status != expected)
        fail_msg("status %d instead of %d: %s", (int)status, (int)expected, error.text);
    if (expected != CPR_OK)
        assert_non_null(strstr(error.text, path));
}

/* ---- what is written comes back ------------------------------------------------------------- */

static void assert_same_bitstream(cpr_archive *archive, uint64_t shard, const cpr_shard_info *a,
                                  const uint8_t *expected)
{
    cpr_error error = {""};
    const cpr_shard_info *b = cpr_archive_shard(archive, shard);
    assert_true(a->offset == b->offset && a->raw_bytes == b->raw_bytes &&
                a->coded_bytes == b->coded_bytes && a->stored_bytes == b->stored_bytes &&
                a->tokens == b->tokens && a->loss_bits == b->loss_bits &&
                a->generation == b->generation && a->raw_hash.high == b->raw_hash.high &&
                a->raw_hash.low == b->raw_hash.low && a->coded_hash.high == b->coded_hash.high &&
                a->coded_hash.low == b->coded_hash.low);
    uint8_t *coded = malloc(a->coded_bytes + 1);
    assert_int_equal(cpr_archive_read(archive, shard, 0, coded, a->coded_bytes, &error), CPR_OK);
    assert_memory_equal(coded, expected, a->coded_bytes);
    assert_int_equal(cpr_archive_read(archive, shard, 1, coded, a->coded_bytes, &error),
                     CPR_ERR_USAGE);
    assert_int_equal(cpr_archive_check_coded(archive, shard, &error), CPR_OK);
    free(coded);
}

static void assert_same(sample *s, const char *path)
{
    cpr_error error = {""};
    cpr_archive *archive;
    if (cpr_archive_open(path, &archive, &error) != CPR_OK)
        fail_msg("%s", error.text);
    const cpr_archive_header *h = cpr_archive_info(archive);
    assert_string_equal(h->profile, "balanced");
    assert_string_equal(h->model, model);
    assert_int_equal(h->old_version, 0);
    assert_int_equal(h->shard_bytes, 1 << 20);
    const struct cpr_profile *profile;
    assert_int_equal(cpr_archive_profile(archive, &profile, &error), CPR_OK);
    assert_string_equal(cpr_profile_name(profile), "custom");
    const uint8_t *vocabulary;
    size_t vocabulary_bytes;
    for (unsigned times = 0; times < 2; times++) {
        assert_int_equal(cpr_archive_vocabulary(archive, &vocabulary, &vocabulary_bytes, &error),
                         CPR_OK);
        assert_int_equal(vocabulary_bytes, 17);
        assert_memory_equal(vocabulary, "words words words", 17);
    }
    assert_int_equal(h->shard_count, SHARDS);
    assert_int_equal(cpr_file_list_count(h->files), cpr_file_list_count(s->files));
    for (uint64_t i = 0; i < cpr_file_list_count(s->files); i++) {
        const cpr_file a = cpr_file_list_get(s->files, i);
        const cpr_file b = cpr_file_list_get(h->files, i);
        assert_string_equal(cpr_file_list_member(s->files, i), cpr_file_list_member(h->files, i));
        assert_string_equal(cpr_file_list_link_target(s->files, i),
                            cpr_file_list_link_target(h->files, i));
        assert_true(a.bytes == b.bytes && a.mtime_seconds == b.mtime_seconds &&
                    a.mtime_nanoseconds == b.mtime_nanoseconds && a.mode == b.mode &&
                    a.type == b.type);
        assert_int_equal(h->file_loss[i], s->file_loss[i]);
    }
    for (uint64_t i = 0; i < SHARDS; i++)
        assert_same_bitstream(archive, i, &s->shards[i], s->coded[i]);
    assert_true((h->primer != NULL) == (s->coded_primer != NULL));
    if (h->primer != NULL)
        assert_same_bitstream(archive, CPR_SHARD_PRIMER, &s->primer, s->coded_primer);
    else
        assert_int_equal(cpr_archive_check_coded(archive, CPR_SHARD_PRIMER, &error),
                         CPR_ERR_NOT_FOUND);
    assert_int_equal(cpr_archive_check_coded(archive, SHARDS, &error), CPR_ERR_NOT_FOUND);
    cpr_archive_close(archive);
}

static void few_files(void **state)
{
    (void)state;
    sample s = make_sample(0, CODED_BYTES);
    write_archive(&s, "a.h5");
    assert_same(&s, "a.h5");
    struct stat facts;
    assert_int_equal(stat("a.h5", &facts), 0);
    assert_true(facts.st_size < CODED_BYTES + 4096); /* the tables are small */
    free_sample(&s);
}

static void many_files(void **state)
{
    (void)state;
    sample s = make_sample(3000, CODED_BYTES);
    write_archive(&s, "a.h5");
    assert_same(&s, "a.h5");
    free_sample(&s);
}

static void primer_and_shards(void **state)
{
    (void)state;
    sample s = make_sample(0, CODED_BYTES);
    add_primer(&s);
    write_archive(&s, "a.h5");
    assert_same(&s, "a.h5");
    free_sample(&s);
}

/* Of an archive of which byte `at` of the bitstream was flipped: the primer's status. */
static cpr_status check_flipped(const char *path, uint64_t at, cpr_error *error)
{
    cpr_archive *archive;
    uint8_t byte;
    uint64_t start;
    const int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &start, 8, 32), 8);
    assert_int_equal(pread(fd, &byte, 1, (off_t)(start + at)), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)(start + at)), 1);
    close(fd);
    assert_int_equal(cpr_archive_open(path, &archive, error), CPR_OK);
    const cpr_status status = cpr_archive_check_coded(archive, CPR_SHARD_PRIMER, error);
    cpr_archive_close(archive);
    return status;
}

static void damaged_primer_is_named(void **state)
{
    (void)state;
    cpr_error error = {""};
    sample s = make_sample(0, CODED_BYTES);
    add_primer(&s);
    write_archive(&s, "a.h5");
    assert_int_equal(check_flipped("a.h5", s.primer.coded_bytes, &error), CPR_OK);
    write_archive(&s, "a.h5");
    assert_int_equal(check_flipped("a.h5", s.primer.coded_bytes - 1, &error), CPR_ERR_DAMAGED);
    assert_non_null(strstr(error.text, "the primer of \"a.h5\" is damaged, and all shards"));
    free_sample(&s);
}

/* A shard's generation says whether it begins with the primer. */
static void primer_and_generations_agree(void **state)
{
    (void)state;
    sample s = make_sample(0, CODED_BYTES);
    s.shards[1].generation = 1;
    write_archive(&s, "a.h5");
    assert_opens("a.h5", CPR_ERR_DAMAGED);
    add_primer(&s);
    s.shards[1].generation = 0;
    write_archive(&s, "a.h5");
    assert_opens("a.h5", CPR_ERR_DAMAGED);
    s.shards[1].generation = 1;
    s.primer.offset = 1;
    write_archive(&s, "a.h5");
    assert_opens("a.h5", CPR_ERR_DAMAGED);
    free_sample(&s);
}

static void same_input_same_bytes(void **state)
{
    (void)state;
    size_t bytes;
    sample s = make_sample(400, CODED_BYTES);
    write_archive(&s, "a.h5");
    sleep(1); /* HDF5's own time stamps have seconds */
    write_archive(&s, "b.h5");
    char *a = get_file("a.h5", &bytes);
    assert_file("b.h5", a, bytes);
    free(a);
    free_sample(&s);
}

static void nothing_at_all(void **state)
{
    (void)state;
    cpr_error error = {""};
    cpr_archive *archive;
    cpr_file_list *none = cpr_file_list_create();
    const uint64_t no_loss[1] = {0};
    const cpr_shard_info no_shards[1] = {{0}};
    const cpr_archive_header header = {
        .profile = "balanced",
        .model = model,
        .vocabulary = (const uint8_t *)"",
        .files = none,
        .file_loss = no_loss,
        .shards = no_shards,
    };
    assert_int_equal(cpr_archive_create("a.h5", &header, &error), CPR_OK);
    assert_int_equal(cpr_archive_write_bitstreams("a.h5", 0, 1, give, NULL, &error), CPR_OK);
    assert_int_equal(cpr_archive_seal("a.h5", &error), CPR_OK);
    assert_int_equal(cpr_archive_open("a.h5", &archive, &error), CPR_OK);
    assert_int_equal(cpr_archive_info(archive)->shard_count, 0);
    assert_int_equal(cpr_file_list_count(cpr_archive_info(archive)->files), 0);
    cpr_archive_close(archive);
    cpr_file_list_free(none);
}

static void read_only_archive(void **state)
{
    (void)state;
    sample s = make_sample(0, CODED_BYTES);
    mkdir("d", 0755);
    write_archive(&s, "d/a.h5");
    assert_int_equal(chmod("d/a.h5", 0444), 0);
    assert_int_equal(chmod("d", 0555), 0);
    const int root = geteuid() == 0;
    assert_int_equal(chmod(".", 0755), 0);
    if (root) /* to root nothing is read-only */
        assert_int_equal(seteuid(65534), 0);
    cpr_error error = {""};
    const cpr_status status = try_open("d/a.h5", &error);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(status, CPR_OK);
    assert_int_equal(chmod("d", 0755), 0);
    free_sample(&s);
}

static cpr_status fail_in_second(void *context, uint64_t shard, uint64_t offset, uint8_t *out,
                                 size_t bytes, cpr_error *error)
{
    if (shard == 1)
        return cpr_fail(error, CPR_ERR_CHANGED, "no shard 1");
    return give(context, shard, offset, out, bytes, error);
}

static void failing_source(void **state)
{
    (void)state;
    cpr_error error = {""};
    sample s = make_sample(0, CODED_BYTES);
    s.header.shards = s.shards;
    assert_int_equal(cpr_archive_create("a.h5", &s.header, &error), CPR_OK);
    assert_int_equal(cpr_archive_write_bitstreams("a.h5", 0, 1, fail_in_second, &s, &error),
                     CPR_ERR_CHANGED);
    assert_string_equal(error.text, "no shard 1");
    assert_opens("a.h5", CPR_ERR_FOREIGN);
    free_sample(&s);
}

static void publishing(void **state)
{
    (void)state;
    cpr_error error = {""};
    sample s = make_sample(0, CODED_BYTES);
    const mode_t before = umask(027);
    write_archive(&s, "tmp");
    umask(before);
    assert_int_equal(cpr_archive_publish("tmp", "a.h5", false, &error), CPR_OK);
    struct stat facts;
    assert_int_equal(stat("a.h5", &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0440); /* what the umask leaves, but read-only */
    assert_opens("a.h5", CPR_OK);
    assert_false(is_there("tmp"));
    put_text("tmp", "other");
    assert_int_equal(cpr_archive_publish("tmp", "a.h5", false, &error), CPR_ERR_EXISTS);
    assert_non_null(strstr(error.text, "a.h5"));
    assert_opens("a.h5", CPR_OK);
    assert_int_equal(cpr_archive_publish("tmp", "a.h5", true, &error), CPR_OK);
    assert_file("a.h5", "other", 5);
    assert_int_equal(cpr_archive_publish("none", "b.h5", false, &error), CPR_ERR_IO);
    assert_int_equal(cpr_archive_publish("none", "b.h5", true, &error), CPR_ERR_IO);
    free_sample(&s);
}

static void full_disk(void **state)
{
    (void)state;
    sample s = make_sample(0, 4000000);
    struct rlimit before;
    s.header.shards = s.shards;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    /* Too small for the tables, for the bitstreams, and for their last bytes. */
    static const rlim_t limits[] = {1000, 5000, 1000000, 3999000};
    for (size_t i = 0; i < 4; i++) {
        cpr_error error = {""};
        const struct rlimit small = {limits[i], before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        const cpr_status status = cpr_archive_create("a.h5", &s.header, &error);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(status, CPR_ERR_IO);
        assert_non_null(strstr(error.text, "a.h5"));
        assert_false(is_there("a.h5")); /* the space is given back */
    }
    assert_int_equal(cpr_archive_create("a.h5", &s.header, &(cpr_error){""}), CPR_OK);
    free_sample(&s);
}

/* ---- damage --------------------------------------------------------------------------------- */

static void not_an_archive(void **state)
{
    (void)state;
    put_text("empty", "");
    put_text("text", "Some text, not long enough for a seal.");
    char *long_text = calloc(1, 5000);
    memset(long_text, 'x', 5000);
    put_file("long", long_text, 5000);
    free(long_text);
    mkdir("directory", 0755);
    assert_opens("empty", CPR_ERR_FOREIGN);
    assert_opens("text", CPR_ERR_FOREIGN);
    assert_opens("long", CPR_ERR_FOREIGN);
    assert_opens("directory", CPR_ERR_FOREIGN);
    assert_opens("none", CPR_ERR_IO);
    assert_int_equal(mkfifo("pipe", 0644), 0);
    assert_opens("pipe", CPR_ERR_FOREIGN);
    const hid_t file = H5Fcreate("other.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    cpr_error error = {""};
    assert_int_equal(try_open("other.h5", &error), CPR_ERR_FOREIGN);
    assert_non_null(strstr(error.text, "HDF5"));
}

static void unsealed_archive(void **state)
{
    (void)state;
    cpr_error error = {""};
    sample s = make_sample(0, CODED_BYTES);
    write_unsealed(&s, "a.h5");
    assert_int_equal(try_open("a.h5", &error), CPR_ERR_FOREIGN);
    assert_non_null(strstr(error.text, "not a finished"));
    free_sample(&s);
}

static void truncated_archive(void **state)
{
    (void)state;
    size_t bytes;
    sample s = make_sample(0, 4000);
    write_archive(&s, "a.h5");
    char *whole = get_file("a.h5", &bytes);
    for (size_t cut = 1; cut < bytes; cut += cut < 600 ? 1 : 13) {
        put_file("b.h5", whole, cut);
        assert_opens("b.h5", CPR_ERR_DAMAGED);
    }
    char *longer = calloc(1, bytes + 1);
    memcpy(longer, whole, bytes);
    put_file("b.h5", longer, bytes + 1);
    assert_opens("b.h5", CPR_ERR_DAMAGED);
    free(longer);
    free(whole);
    free_sample(&s);
}

static void flipped_byte_anywhere(void **state)
{
    (void)state;
    size_t bytes;
    unsigned in_bitstream = 0;
    sample s = make_sample(0, 400);
    write_archive(&s, "a.h5");
    char *whole = get_file("a.h5", &bytes);
    const int fd = open("a.h5", O_WRONLY);
    for (size_t at = 0; at < bytes; at++) {
        cpr_error error = {""};
        cpr_archive *archive;
        const char flipped = (char)(whole[at] ^ (1 << at % 8));
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
        const cpr_status status = cpr_archive_open("a.h5", &archive, &error);
        if (status == CPR_OK) {
            /* Then it was a bitstream's byte, and that shard says so. */
            unsigned bad = 0;
            for (uint64_t i = 0; i < SHARDS; i++)
                bad += cpr_archive_check_coded(archive, i, &error) == CPR_ERR_DAMAGED;
            assert_int_equal(bad, 1);
            in_bitstream++;
        } else {
            assert_int_equal(status, CPR_ERR_DAMAGED);
        }
        cpr_archive_close(archive);
        assert_int_equal(pwrite(fd, whole + at, 1, (off_t)at), 1);
    }
    assert_int_equal(in_bitstream, 400);
    assert_opens("a.h5", CPR_OK);
    close(fd);
    free(whole);
    free_sample(&s);
}

static void later_version(void **state)
{
    (void)state;
    size_t bytes;
    cpr_error error = {""};
    sample s = make_sample(0, CODED_BYTES);
    write_archive(&s, "a.h5");
    char *whole = get_file("a.h5", &bytes);
    whole[20] = 9; /* the format version; then the seal's own hash */
    const uint64_t check = XXH3_64bits(whole, 504);
    for (int i = 0; i < 8; i++)
        whole[504 + i] = (char)(check >> 8 * i);
    put_file("a.h5", whole, bytes);
    assert_int_equal(try_open("a.h5", &error), CPR_ERR_VERSION);
    assert_non_null(strstr(error.text, "format 9"));
    assert_non_null(strstr(error.text, "formats 1 to 4"));
    free(whole);
    free_sample(&s);
}

/* ---- tables that lie, under a seal that is right -------------------------------------------- */

static void set_rows(hid_t file, const char *name, const char *member, hid_t type, uint64_t row,
                     const void *value)
{
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t space = H5Dget_space(dataset);
    const hid_t one = H5Screate(H5S_SCALAR);
    hid_t memory = H5Tcopy(type);
    if (member != NULL) {
        memory = H5Tcreate(H5T_COMPOUND, H5Tget_size(type));
        assert_true(H5Tinsert(memory, member, 0, type) >= 0);
    }
    const hsize_t at[1] = {row};
    assert_true(H5Sselect_elements(space, H5S_SELECT_SET, 1, at) >= 0);
    assert_true(H5Dwrite(dataset, memory, one, space, H5P_DEFAULT, value) >= 0);
    H5Tclose(memory);
    H5Sclose(one);
    H5Sclose(space);
    H5Dclose(dataset);
}

typedef struct forgery {
    const char *dataset;
    const char *member; /* of a row of /shards */
    uint64_t row;
    uint64_t value;
} forgery;

/* In the sample's list: 0 in, 1 in/a, 2 in/ab, 3 in/abc, 4 in/d, 5 in/d/link. */
static const forgery forgeries[] = {
    {"shards", "raw_offset", 1, 0},
    {"shards", "raw_bytes", 0, 11},
    {"shards", "raw_bytes", 2, UINT64_MAX - 5},
    {"shards", "coded_offset", 2, 0},
    {"shards", "coded_offset", 0, UINT64_MAX},
    {"shards", "coded_bytes", 1, 1},
    {"shards", "coded_bytes", 2, UINT64_MAX},
    {"shards", "stored_bytes", 0, 1000},
    {"shards", "tokens", 1, 1000},
    {"files/mode", NULL, 1, 0},
    {"files/mode", NULL, 1, 040755},  /* a directory with bytes */
    {"files/mode", NULL, 1, 0120777}, /* a link too many */
    {"files/mode", NULL, 5, 0100644}, /* one too few */
    {"files/mode", NULL, 2, 020644},
    {"files/size_bytes", NULL, 1, 11},
    {"files/size_bytes", NULL, 1, UINT64_MAX},
    {"files/size_bytes", NULL, 1, INT64_MAX},
    {"files/size_bytes", NULL, 4, 1},
    {"files/mtime_nanoseconds", NULL, 1, 1000000000},
    {"files/loss_bits", NULL, 1, UINT64_MAX},
    {"files/path_shared_bytes", NULL, 0, 1},
    {"files/path_shared_bytes", NULL, 2, 65535},
    {"files/path_suffixes", NULL, 0, 0},   /* an empty path, and rows that do not match */
    {"files/path_suffixes", NULL, 2, 'x'}, /* an end too few */
    {"files/link_targets", NULL, 4, 'x'},  /* no end */
    {"files/link_targets", NULL, 1, 0},    /* two targets */
};

static void forged_tables(void **state)
{
    (void)state;
    size_t bytes;
    cpr_error error = {""};
    sample s = make_sample(0, CODED_BYTES);
    write_archive(&s, "a.h5");
    char *whole = get_file("a.h5", &bytes);
    for (size_t i = 0; i < sizeof forgeries / sizeof forgeries[0]; i++) {
        const forgery *f = &forgeries[i];
        put_file("b.h5", whole, bytes);
        const hid_t file = H5Fopen("b.h5", H5F_ACC_RDWR, H5P_DEFAULT);
        assert_true(file >= 0);
        set_rows(file, f->dataset, f->member, H5T_NATIVE_UINT64, f->row, &f->value);
        assert_true(H5Fclose(file) >= 0);
        assert_int_equal(cpr_archive_seal("b.h5", &error), CPR_OK);
        const cpr_status status = try_open("b.h5", &error);
        if (status != CPR_ERR_DAMAGED)
            fail_msg("forgery %zu of %s: status %d", i, f->dataset, (int)status);
    }
    free(whole);
    free_sample(&s);
}

static void forged_losses(void **state)
{
    (void)state;
    static const double losses[] = {-1, 0.3, 1e300, NAN, INFINITY};
    cpr_error error = {""};
    sample s = make_sample(0, CODED_BYTES);
    for (size_t i = 0; i < 5; i++) {
        write_archive(&s, "a.h5");
        const hid_t file = H5Fopen("a.h5", H5F_ACC_RDWR, H5P_DEFAULT);
        set_rows(file, "shards", "loss_bits", H5T_NATIVE_DOUBLE, 1, &losses[i]);
        assert_true(H5Fclose(file) >= 0);
        assert_int_equal(cpr_archive_seal("a.h5", &error), CPR_OK);
        assert_opens("a.h5", CPR_ERR_DAMAGED);
    }
    free_sample(&s);
}

static void missing_tables(void **state)
{
    (void)state;
    static const char *const names[] = {"vocabulary",
                                        "shards",
                                        "files",
                                        "files/mode",
                                        "files/size_bytes",
                                        "files/path_suffixes",
                                        "files/loss_bits",
                                        "files/link_targets"};
    cpr_error error = {""};
    sample s = make_sample(0, CODED_BYTES);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        write_archive(&s, "a.h5");
        const hid_t file = H5Fopen("a.h5", H5F_ACC_RDWR, H5P_DEFAULT);
        assert_true(H5Ldelete(file, names[i], H5P_DEFAULT) >= 0);
        assert_true(H5Fclose(file) >= 0);
        assert_int_equal(cpr_archive_seal("a.h5", &error), CPR_OK);
        assert_opens("a.h5", CPR_ERR_DAMAGED);
    }
    free_sample(&s);
}

/* The tables of archives that only another version can decode can be read. */
static void unknown_components(void **state)
{
    (void)state;
    static const struct {
        const char *model, *needed;
        cpr_status status;
    } cases[] = {
        {"blocks 1; coder 1; blob 1; tokens 1; mixing 9 contexts=0", "mixing 9", CPR_ERR_VERSION},
        {"blocks 2; coder 1; blob 7; tokens 1; mixing 9; lstm 1 cells=5", "blocks 2",
         CPR_ERR_VERSION},
        {"blocks 2; coder 1; blob 7; tokens 1; mixing 9; lstm 1 cells=5", "blob 7",
         CPR_ERR_VERSION},
        {"blocks 2; coder 1; blob 7; tokens 1; mixing 9; lstm 1 cells=5", "lstm 1",
         CPR_ERR_VERSION},
        {"blocks 1; coder 1; blob 2 contexts=1,0,6,7,10,11,12,13,14,15,16,17,18,19; tokens 1; "
         "mixing 9",
         "blob 2 (this program has blob 1), mixing 9", CPR_ERR_VERSION},
        {"blocks 1; coder 1 carry=2; blob 1; tokens 1; mixing 9", "coder 1 with carry",
         CPR_ERR_VERSION},
        {"blocks 1; coder one; blob 1; tokens 1; mixing 9", "malformed", CPR_ERR_DAMAGED},
        {"blocks 1; coder 1; tokens 1; mixing 9", "malformed", CPR_ERR_DAMAGED},
        {"blocks 1; coder 1; blob 1; blob 1; tokens 1; mixing 9", "malformed", CPR_ERR_DAMAGED},
        {"blocks 1; coder one; blob 1; tokens 1; mixing 9", "malformed", CPR_ERR_DAMAGED},
        {"blocks", "malformed", CPR_ERR_DAMAGED},
    };
    sample s = make_sample(0, CODED_BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cpr_error error = {""};
        cpr_archive *archive;
        const struct cpr_profile *profile;
        const uint8_t *vocabulary;
        size_t bytes;
        s.header.model = cases[i].model;
        write_archive(&s, "a.h5");
        assert_int_equal(cpr_archive_open("a.h5", &archive, &error), CPR_OK);
        assert_string_equal(cpr_archive_info(archive)->model, cases[i].model);
        assert_int_equal(cpr_archive_profile(archive, &profile, &error), cases[i].status);
        assert_non_null(strstr(error.text, cases[i].needed));
        assert_int_equal(cpr_archive_vocabulary(archive, &vocabulary, &bytes, &error),
                         cases[i].status);
        cpr_archive_close(archive);
        unlink("a.h5");
    }
    free_sample(&s);
}

static void forged_attributes(void **state)
{
    (void)state;
    static const char *const names[] = {
        "format_version",  "shard_size_bytes",  "total_files",         "total_shards",
        "total_raw_bytes", "total_coded_bytes", "vocabulary_raw_bytes"};
    const uint64_t value = UINT64_C(1) << 40;
    cpr_error error = {""};
    sample s = make_sample(0, CODED_BYTES);
    for (size_t i = 0; i < 2 * sizeof names / sizeof names[0]; i++) {
        write_archive(&s, "a.h5");
        const hid_t file = H5Fopen("a.h5", H5F_ACC_RDWR, H5P_DEFAULT);
        if (i % 2 == 0) {
            assert_true(H5Adelete(file, names[i / 2]) >= 0);
        } else {
            const hid_t attribute = H5Aopen(file, names[i / 2], H5P_DEFAULT);
            assert_true(H5Awrite(attribute, H5T_NATIVE_UINT64, &value) >= 0);
            H5Aclose(attribute);
        }
        assert_true(H5Fclose(file) >= 0);
        assert_int_equal(cpr_archive_seal("a.h5", &error), CPR_OK);
        assert_opens("a.h5", CPR_ERR_DAMAGED);
    }
    free_sample(&s);
}

/* Datasets of the right name and another shape, type, or a size that no memory can hold. */
static void forged_shapes(void **state)
{
    (void)state;
    static const char *const names[] = {"vocabulary", "shards", "bitstream", "files/mode",
                                        "files/path_suffixes"};
    cpr_error error = {""};
    sample s = make_sample(0, CODED_BYTES);
    for (size_t i = 0; i < 4 * sizeof names / sizeof names[0]; i++) {
        static const hsize_t square[2] = {2, 3};
        static const hsize_t huge[1] = {UINT64_C(1) << 60};
        static const hsize_t chunk[1] = {1000};
        const char *name = names[i / 4];
        write_archive(&s, "a.h5");
        const hid_t file = H5Fopen("a.h5", H5F_ACC_RDWR, H5P_DEFAULT);
        const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
        const hid_t space = i % 4 == 0   ? H5Screate(H5S_SCALAR)
                            : i % 4 == 1 ? H5Screate_simple(2, square, NULL)
                            : i % 4 == 2 ? H5Screate_simple(1, huge, NULL)
                                         : H5Screate(H5S_NULL);
        if (i % 4 == 2)
            H5Pset_chunk(properties, 1, chunk);
        assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
        const hid_t dataset =
            H5Dcreate2(file, name, H5T_STD_U8LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
        assert_true(dataset >= 0);
        H5Dclose(dataset);
        H5Sclose(space);
        H5Pclose(properties);
        assert_true(H5Fclose(file) >= 0);
        /* Without a bitstream there is nothing to seal. */
        if (cpr_archive_seal("a.h5", &error) == CPR_OK)
            assert_int_not_equal(try_open("a.h5", &error), CPR_OK);
        else
            assert_string_equal(name, "bitstream");
    }
    free_sample(&s);
}

/* Weights come back as they were, and are refused where no network was taught. */
static void weights_come_back(void **state)
{
    (void)state;
    static const char taught[] =
        "blocks 1; coder 1; blob 1; weights 1; tokens 1; mixing 1 contexts=0 lines=0 successors=3 "
        "matches=5 match-lanes=1 sets=2 refine=0 guess-from=45000 guess-shift=10 chances=0 "
        "buckets=131072 line-pairs=0 successor-bits=17 history-bits=22; network 9 kind=taught";
    cpr_archive *archive;
    cpr_error error = {""};
    sample s = make_sample(0, CODED_BYTES);
    uint8_t *weights = calloc(1, 100000); /* more than an object header has room for */
    assert_non_null(weights);
    weights[99999] = 7;
    write_archive(&s, "a.h5");
    assert_int_equal(cpr_archive_open("a.h5", &archive, &error), CPR_OK);
    assert_null(cpr_archive_info(archive)->coded_weights);
    cpr_archive_close(archive);
    s.header.coded_weights = weights;
    s.header.coded_weights_bytes = 100000;
    write_archive(&s, "b.h5");
    assert_int_equal(cpr_archive_open("b.h5", &archive, &error), CPR_ERR_DAMAGED);
    assert_non_null(strstr(error.text, "\"b.h5\" contradicts itself in weights"));
    s.header.model = taught; /* of a network that nobody knows: it can still be listed */
    write_archive(&s, "c.h5");
    if (cpr_archive_open("c.h5", &archive, &error) != CPR_OK)
        fail_msg("%s", error.text);
    const cpr_archive_header *header = cpr_archive_info(archive);
    assert_int_equal(header->coded_weights_bytes, 100000);
    assert_memory_equal(header->coded_weights, weights, 100000);
    assert_int_equal(cpr_archive_check_coded(archive, 1, &error), CPR_OK);
    cpr_archive_close(archive);
    free(weights);
    free_sample(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(primer_and_shards),
        FILE_TEST(damaged_primer_is_named),
        FILE_TEST(primer_and_generations_agree),
        FILE_TEST(few_files),
        FILE_TEST(many_files),
        FILE_TEST(same_input_same_bytes),
        FILE_TEST(nothing_at_all),
        FILE_TEST(read_only_archive),
        FILE_TEST(failing_source),
        FILE_TEST(publishing),
        FILE_TEST(full_disk),
        FILE_TEST(not_an_archive),
        FILE_TEST(unsealed_archive),
        FILE_TEST(truncated_archive),
        FILE_TEST(flipped_byte_anywhere),
        FILE_TEST(later_version),
        FILE_TEST(forged_tables),
        FILE_TEST(forged_losses),
        FILE_TEST(missing_tables),
        FILE_TEST(unknown_components),
        FILE_TEST(forged_attributes),
        FILE_TEST(forged_shapes),
        FILE_TEST(weights_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
