/* fuzz_archive.c - a hostile archive: whatever its tables hold, whatever HDF5 objects they are made
 * of and whatever HDF5's own metadata says, it opens or is refused, and what opens can be read. */
#define _GNU_SOURCE
#include "fuzz_edit.h"
#include "fuzz_metadata.h"
#include "fuzz_sample.h"
#include "fuzz_scratch.h"

#include "archive_record.h"
#include "archive_seal.h"
#include "archive_tables.h"
#include "file_io.h"

static char path[128]; /* of the archive */
static int fd = -1;

/* One with columns as they are, one with packed ones, one with a record. */
enum { PLAIN, PACKED, SMALL, SAMPLES };
static fuzz_file samples[SAMPLES];
static fuzz_spans spans[SAMPLES];

static const char *const tables[] = {"files/mode",
                                     "files/size_bytes",
                                     "files/path_shared_bytes",
                                     "files/path_suffixes",
                                     "files/link_targets",
                                     "shards",
                                     "files/mtime_seconds",
                                     "files/mtime_nanoseconds",
                                     "files/loss_bits",
                                     "vocabulary",
                                     "bitstream",
                                     "primer"};
static const char *const numbers[] = {
    "vocabulary_raw_bytes", "total_files",      "total_shards", "total_raw_bytes",
    "total_coded_bytes",    "shard_size_bytes", "profile",      "format"};
#define COUNT(array) (sizeof array / sizeof *(array))

static void make_samples(void)
{
    static const size_t file_count[SAMPLES] = {0, 70, 0};
    snprintf(path, sizeof path, "%s/archive", fuzz_scratch());
    for (unsigned i = 0; i < SAMPLES; i++) {
        fuzz_write_archive(path, file_count[i], i == SMALL);
        samples[i].sound_bytes = fuzz_read_file(path, samples[i].sound, FUZZ_FILE_BYTES);
        fuzz_find_spans(samples[i].sound, samples[i].sound_bytes, &spans[i]);
        /* the superblock, the root group, the bitstream; another group and the tables */
        REQUIRE(spans[i].count > (i == SMALL ? 2 : 10));
        REQUIRE(unlink(path) == 0);
    }
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0);
    REQUIRE(H5Eset_auto2(H5E_DEFAULT, NULL, NULL) >= 0); /* no lines of HDF5's own */
}

static void put_archive(const uint8_t *data, size_t bytes)
{
    REQUIRE(ftruncate(fd, 0) == 0 && pwrite(fd, data, bytes, 0) == (ssize_t)bytes);
}

/* ---- contents ------------------------------------------------------------------------------- */

/* Bytes of the input are XORed to what the table or attribute holds, so that zeros leave it. */
static void alter(void *held, size_t held_bytes, size_t at, fuzz_input *in)
{
    uint8_t *out = held;
    for (size_t n = fuzz_take(in); n > 0 && at < held_bytes; n--)
        out[at++] ^= fuzz_take(in);
}

/* Its values have no pointers in them. */
static bool is_flat(hid_t type)
{
    return type >= 0 && H5Tdetect_class(type, H5T_VLEN) == 0 && H5Tis_variable_str(type) <= 0;
}

/* HDF5 1.10 reads a virtual dataset that is mapped to itself without end. */
static bool is_virtual(hid_t dataset)
{
    const hid_t properties = dataset < 0 ? -1 : H5Dget_create_plist(dataset);
    const bool found = properties >= 0 && H5Pget_layout(properties) == H5D_VIRTUAL;
    cpr_h5_close(properties);
    return found;
}

static void alter_table(hid_t file, const char *name, fuzz_input *in)
{
    static uint8_t held[16384];
    const size_t at = fuzz_take16(in);
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t type = dataset < 0 ? -1 : H5Dget_type(dataset);
    const uint64_t rows = dataset < 0 ? 0 : cpr_h5_rows(dataset);
    const size_t row = is_flat(type) ? H5Tget_size(type) : 0;
    if (row > 0 && rows <= sizeof held / row && !is_virtual(dataset) &&
        H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, held) >= 0) {
        alter(held, (size_t)rows * row, rows > 0 ? at % ((size_t)rows * row) : 0, in);
        (void)H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, held);
    }
    cpr_h5_close(type);
    cpr_h5_close(dataset);
}

static void alter_number(hid_t file, const char *name, fuzz_input *in)
{
    uint8_t held[64] = {0};
    const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    const hid_t type = attribute < 0 ? -1 : H5Aget_type(attribute);
    if (type >= 0 && H5Aget_storage_size(attribute) <= sizeof held && is_flat(type) &&
        H5Aread(attribute, type, held) >= 0) {
        alter(held, H5Tget_size(type), 0, in);
        (void)H5Awrite(attribute, type, held);
    }
    cpr_h5_close(type);
    cpr_h5_close(attribute);
}

static void alter_record(hid_t file, fuzz_input *in)
{
    static uint8_t held[CPR_RECORD_BYTES_MAX];
    const size_t at = fuzz_take16(in);
    const hid_t attribute = H5Aopen(file, CPR_H5_RECORD, H5P_DEFAULT);
    const hid_t type = attribute < 0 ? -1 : H5Aget_type(attribute);
    const size_t bytes = is_flat(type) ? H5Tget_size(type) : 0;
    if (bytes > 0 && H5Aget_storage_size(attribute) <= sizeof held &&
        H5Aread(attribute, type, held) >= 0) {
        alter(held, bytes, at % bytes, in);
        (void)H5Awrite(attribute, type, held);
    }
    cpr_h5_close(type);
    cpr_h5_close(attribute);
}

/* ---- structure ------------------------------------------------------------------------------ */

/* What a dataset has instead of its own type; -1: its own. */
static hid_t other_type(unsigned which)
{
    const hid_t known[] = {H5T_STD_U8LE,    H5T_STD_U16LE, H5T_STD_U32LE,  H5T_STD_U64LE,
                           H5T_STD_U64BE,   H5T_STD_I64LE, H5T_IEEE_F64LE, H5T_C_S1,
                           H5T_STD_REF_OBJ, H5T_STD_B8LE};
    const hsize_t dims[2] = {2, 3};
    hid_t type;
    which %= COUNT(known) + 6;
    if (which < COUNT(known))
        return H5Tcopy(known[which]);
    switch (which - COUNT(known)) {
    case 0: /* text of any length, in a heap */
        type = H5Tcopy(H5T_C_S1);
        (void)H5Tset_size(type, H5T_VARIABLE);
        return type;
    case 1:
        return H5Tarray_create2(H5T_STD_U8LE, 2, dims);
    case 2: /* not all of its bits count */
        type = H5Tcopy(H5T_STD_U64LE);
        (void)H5Tset_precision(type, 13);
        (void)H5Tset_offset(type, 3);
        return type;
    case 3:
        return H5Tvlen_create(H5T_STD_U8LE);
    case 4:
        return cpr_h5_row_type_in_memory();
    default:
        return -1;
    }
}

static hid_t other_space(unsigned which, hsize_t rows)
{
    const hsize_t most = H5S_UNLIMITED;
    hsize_t dims[2] = {rows, 1};
    switch (which % 8) {
    case 0:
        return H5Screate(H5S_SCALAR);
    case 1:
        return H5Screate(H5S_NULL);
    case 2:
        return H5Screate_simple(2, dims, NULL);
    case 3:
        return H5Screate_simple(1, dims, &most);
    case 4:
        dims[0] = (hsize_t)1 << (which >> 3);
        return H5Screate_simple(1, dims, NULL);
    case 5:
        dims[0] = rows + (which >> 3);
        return H5Screate_simple(1, dims, NULL);
    default:
        return H5Screate_simple(1, dims, NULL);
    }
}

static void put_layout(hid_t properties, unsigned which, hsize_t rows, bool large)
{
    hsize_t chunk[2] = {1 + which / 8, 1};
    hid_t all;
    switch (which % 8) {
    case 0:
        (void)H5Pset_layout(properties, H5D_COMPACT);
        break;
    case 1:
        (void)H5Pset_external(properties, "/etc/hostname", 0, H5F_UNLIMITED);
        break;
    case 2:
        all = H5Screate_simple(1, &rows, NULL);
        (void)H5Pset_virtual(properties, all, which & 8 ? "." : "/etc/hostname", "shards", all);
        cpr_h5_close(all);
        break;
    case 3:
        chunk[0] = rows > 0 ? rows : 1;
        (void)H5Pset_chunk(properties, 1, chunk);
        break;
    case 4:
        chunk[0] <<= which / 8;
        (void)H5Pset_chunk(properties, 1, chunk);
        break;
    case 5:
        (void)H5Pset_chunk(properties, 1, chunk);
        break;
    default:
        (void)H5Pset_layout(properties, H5D_CONTIGUOUS);
    }
    /* With its bytes, or as so many that are not there: the large ones always. */
    const bool early = (which & 0x80) != 0 && !large && which % 8 != 4;
    (void)H5Pset_alloc_time(properties, early ? H5D_ALLOC_TIME_EARLY : H5D_ALLOC_TIME_LATE);
}

/* False: HDF5's own encoder would overrun its memory with it, so nothing may be written. */
static bool put_filter(hid_t properties, unsigned which)
{
    const unsigned values[] = {which, 7};
    switch (which % 8) {
    case 0:
        (void)H5Pset_deflate(properties, which / 32);
        break;
    case 1:
        (void)H5Pset_shuffle(properties);
        break;
    case 2:
        (void)H5Pset_fletcher32(properties);
        break;
    case 3:
        (void)H5Pset_scaleoffset(properties, H5Z_SO_INT, (int)which / 8);
        (void)H5Pset_alloc_time(properties, H5D_ALLOC_TIME_LATE);
        return which / 8 == 0;
    case 4:
        (void)H5Pset_nbit(properties);
        break;
    case 5: /* nobody has it */
        (void)H5Pset_filter(properties, 300, H5Z_FLAG_OPTIONAL, 2, values);
        break;
    default:
        break;
    }
    return true;
}

/* Makes a dataset anew, of a kind that it may not be, with what it held. */
static void replace_table(hid_t file, const char *name, fuzz_input *in)
{
    static uint8_t held[65536];
    const unsigned kind = fuzz_take(in);
    const unsigned space_kind = fuzz_take(in);
    const unsigned layout = fuzz_take(in);
    const hid_t old = H5Dopen2(file, name, H5P_DEFAULT);
    const uint64_t old_rows = old < 0 ? 0 : cpr_h5_rows(old);
    const hsize_t rows = old_rows < 4096 ? old_rows : 7;
    hid_t type = other_type(kind);
    if (type < 0)
        type = old < 0 ? H5Tcopy(H5T_STD_U64LE) : H5Dget_type(old);
    const hid_t space = other_space(space_kind, rows);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    put_layout(properties, layout, rows, space_kind % 8 == 4);
    bool writable = true;
    for (unsigned filters = fuzz_take(in) % 3; filters > 0; filters--)
        writable = put_filter(properties, fuzz_take(in)) && writable;
    memset(held, 0, sizeof held);
    const bool small = type >= 0 && H5Tget_size(type) * (rows + 32) < sizeof held;
    if (small && rows == old_rows && is_flat(type) && !is_virtual(old))
        (void)H5Dread(old, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, held);
    cpr_h5_close(old);
    (void)H5Ldelete(file, name, H5P_DEFAULT);
    if (kind & 0x80) /* a type with a name */
        (void)H5Tcommit2(file, "type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    /* External and virtual bytes are not ours to write. */
    if (writable && small && dataset >= 0 && layout % 8 != 1 && layout % 8 != 2 &&
        space_kind % 8 > 4 && H5Tdetect_class(type, H5T_VLEN) == 0 &&
        H5Tis_variable_str(type) <= 0 && H5Sget_simple_extent_npoints(space) < (hssize_t)rows + 32)
        (void)H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, held);
    cpr_h5_close(dataset);
    cpr_h5_close(properties);
    cpr_h5_close(space);
    cpr_h5_close(type);
}

static void replace_attribute(hid_t file, const char *name, fuzz_input *in)
{
    static const uint8_t held[8192];
    const unsigned kind = fuzz_take(in);
    const hid_t space = other_space(fuzz_take(in) & 0x3f, 1); /* not a large one: it is written */
    const hid_t type = other_type(kind);
    (void)H5Adelete(file, name);
    const hid_t attribute =
        space < 0 || type < 0 ? -1 : H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0 && (kind & 0x80) && H5Tis_variable_str(type) <= 0 &&
        H5Tdetect_class(type, H5T_VLEN) == 0 &&
        H5Sget_simple_extent_npoints(space) * (hssize_t)H5Tget_size(type) < (hssize_t)sizeof held)
        (void)H5Awrite(attribute, type, held);
    cpr_h5_close(attribute);
    cpr_h5_close(type);
    cpr_h5_close(space);
}

static void replace_link(hid_t file, const char *name, fuzz_input *in)
{
    const unsigned kind = fuzz_take(in);
    const char *other = tables[(kind >> 3) % COUNT(tables)];
    if ((kind & 7) != 4 || strcmp(other, name) != 0)
        (void)H5Ldelete(file, name, H5P_DEFAULT);
    switch (kind & 7) {
    case 0:
        (void)H5Lcreate_soft(other, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 1:
        (void)H5Lcreate_soft(name, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 2:
        (void)H5Lcreate_external("/etc/hostname", other, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 3:
        (void)H5Lcreate_external(".", other, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 4:
        (void)H5Lcreate_hard(file, other, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 5:
        (void)H5Lcreate_hard(file, "/", file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 6:
        cpr_h5_close(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        break;
    default: /* gone */
        break;
    }
}

/* More than an archive has, also so much of it that HDF5 keeps it in another form. */
static void add_others(hid_t file, fuzz_input *in)
{
    const unsigned kind = fuzz_take(in);
    const hid_t space = H5Screate(H5S_SCALAR);
    for (unsigned i = 0; i < kind / 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "%sother-%u", kind & 2 ? "files/" : "", i);
        cpr_h5_close(kind & 1
                         ? H5Acreate2(file, name, H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT)
                         : H5Dcreate2(file, name, H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT,
                                      H5P_DEFAULT));
    }
    cpr_h5_close(space);
}

static void change_object(hid_t file, bool small, fuzz_input *in)
{
    const unsigned what = fuzz_take(in);
    const unsigned which = fuzz_take(in);
    const char *table = tables[which % COUNT(tables)];
    const char *number = small && which < 128 ? CPR_H5_RECORD : numbers[which % COUNT(numbers)];
    switch (what % 8) {
    case 0:
        replace_table(file, table, in);
        break;
    case 1:
        replace_attribute(file, number, in);
        break;
    case 2:
        replace_link(file, what & 8 ? "files" : table, in);
        break;
    case 3:
        add_others(file, in);
        break;
    case 4:
        alter_number(file, number, in);
        break;
    default:
        if (small)
            alter_record(file, in);
        else
            alter_table(file, table, in);
    }
}

/* Seals what has become of the archive. The seal of the sample tells where the bitstream is if
 * nothing else does. */
static void seal(const fuzz_file *sample)
{
    cpr_error error;
    if (cpr_archive_seal(path, &error) == CPR_OK)
        return;
    struct stat facts;
    REQUIRE(fstat(fd, &facts) == 0);
    cpr_seal s = {.file_bytes = (uint64_t)facts.st_size,
                  .bitstream_offset = cpr_get64(sample->sound + 32),
                  .bitstream_bytes = cpr_get64(sample->sound + 40)};
    if (s.bitstream_offset + s.bitstream_bytes <= s.file_bytes)
        REQUIRE(cpr_seal_write(fd, path, &s, &error) == CPR_OK);
}

static void change_structure(const fuzz_file *sample, fuzz_input *in)
{
    put_archive(sample->sound, sample->sound_bytes);
    const hid_t properties = cpr_h5_file_access();
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, properties);
    REQUIRE(file >= 0);
    while (in->next < in->end)
        change_object(file, sample == &samples[SMALL], in);
    REQUIRE(H5Fclose(file) >= 0);
    H5Pclose(properties);
    seal(sample);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

/* Changes the file's bytes, HDF5's checksums made right again or not, and seals it or not. */
static void change_bytes(unsigned which, fuzz_input *in, bool mend, bool sealed)
{
    cpr_error error;
    fuzz_file *sample = &samples[which];
    fuzz_edit_all(sample, 1, in);
    if (mend)
        fuzz_mend_spans(sample->data, sample->bytes, &spans[which]);
    put_archive(sample->data, sample->bytes);
    if (!sealed || sample->bytes < CPR_SEAL_BYTES)
        return;
    cpr_seal s = {.file_bytes = sample->bytes,
                  .bitstream_offset = cpr_get64(sample->sound + 32),
                  .bitstream_bytes = cpr_get64(sample->sound + 40)};
    if (s.bitstream_offset + s.bitstream_bytes <= s.file_bytes)
        REQUIRE(cpr_seal_write(fd, path, &s, &error) == CPR_OK);
}

/* ---- checks --------------------------------------------------------------------------------- */

/* What opens keeps the promises of archive.h. */
static void check_opened(cpr_archive *archive)
{
    cpr_error error;
    const cpr_archive_header *header = cpr_archive_info(archive);
    uint64_t raw = 0;
    uint64_t files = 0;
    for (uint64_t i = 0; i < header->shard_count; i++) {
        const cpr_shard_info *shard = &header->shards[i];
        REQUIRE(shard->offset == raw && shard->tokens <= shard->raw_bytes);
        const cpr_status coded = cpr_archive_check_coded(archive, i, &error);
        REQUIRE(coded == CPR_OK || coded == CPR_ERR_DAMAGED);
        raw += shard->raw_bytes;
    }
    for (uint64_t i = 0; i < cpr_file_list_count(header->files); i++) {
        const char *member = cpr_file_list_member(header->files, i);
        REQUIRE(member[0] != '\0' && cpr_file_list_lookup(header->files, member) == i);
        files += cpr_file_list_get(header->files, i).bytes;
    }
    if (header->primer != NULL) {
        const cpr_status coded = cpr_archive_check_coded(archive, CPR_SHARD_PRIMER, &error);
        REQUIRE(coded == CPR_OK || coded == CPR_ERR_DAMAGED);
        REQUIRE(cpr_archive_codec_bytes(archive) >= header->primer->raw_bytes);
    }
    REQUIRE(raw == files && raw == cpr_file_list_bytes(header->files));
}

static void check(bool sound, bool unsealed)
{
    cpr_archive *archive;
    cpr_error error = {""};
    const cpr_status status = unsealed ? cpr_archive_open_unsealed(path, &archive, &error)
                                       : cpr_archive_open(path, &archive, &error);
    REQUIRE((status == CPR_OK) == (archive != NULL));
    REQUIRE(status == CPR_OK || error.text[0] != '\0');
    /* Where its metadata wants more memory than there is, HDF5 tells no difference. */
    REQUIRE(status == CPR_OK || status == CPR_ERR_DAMAGED || status == CPR_ERR_FOREIGN ||
            status == CPR_ERR_VERSION || status == CPR_ERR_NO_MEMORY);
    REQUIRE(!sound || status == CPR_OK);
    if (status == CPR_OK)
        check_opened(archive);
    cpr_archive_close(archive);
}

/* The input: how (1), then changes of objects and tables, or of bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    enum { WITH_PACKED = 1, UNSEALED = 2, MEND = 4, SEAL = 8, BYTES = 16, WHOLE = 32, RECORD = 64 };
    fuzz_input in = {data, data + bytes};
    if (fd < 0)
        make_samples();
    if (bytes < 1)
        return 0;
    const unsigned how = fuzz_take(&in);
    const unsigned which = how & RECORD ? SMALL : how & WITH_PACKED ? PACKED : PLAIN;
    if (how & WHOLE)
        put_archive(in.next, fuzz_left(&in));
    else if (how & BYTES)
        change_bytes(which, &in, (how & MEND) != 0, (how & SEAL) != 0);
    else
        change_structure(&samples[which], &in);
    check(bytes == 1 && (how & WHOLE) == 0, (how & UNSEALED) != 0);
    return 0;
}
