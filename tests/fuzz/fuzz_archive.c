/* fuzz_archive.c - a hostile archive: whatever its tables hold, it opens or is refused, and what
 * opens can be read. HDF5's own metadata is left whole: HDF5 1.10 does not survive damage there,
 * which is why the seal is checked first. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "archive_tables.h"
#include "file_list.h"
#include "shard.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SHARDS 2u
#define CODED_BYTES 40u /* of a shard */

static cpr_status give(void *context, uint64_t shard, uint64_t offset, uint8_t *out, size_t bytes,
                       cpr_error *error)
{
    (void)context;
    (void)offset;
    (void)error;
    memset(out, (int)(1 + shard), bytes);
    return CPR_OK;
}

static void add(cpr_file_list *list, const char *path, cpr_file_type type, uint64_t bytes)
{
    const cpr_file file = {.type = type,
                           .bytes = bytes,
                           .mode = type == CPR_FILE_DIRECTORY ? 0755 : 0644,
                           .mtime_seconds = 1000000000};
    uint64_t known;
    cpr_error error;
    REQUIRE(cpr_file_list_append(list, path, 0, &file, "target", &known, &error) == CPR_OK);
}

/* Writes a sound archive of made-up shards, without a seal. */
static void write_archive(const char *path)
{
    static const uint64_t file_loss[5] = {0, 65536, 0, 131072, 0};
    static const cpr_shard_info shards[SHARDS] = {
        {.raw_bytes = 100,
         .coded_bytes = CODED_BYTES,
         .tokens = 60,
         .loss_bits = 65536,
         .generation = 1},
        {.offset = 100,
         .raw_bytes = 130,
         .coded_bytes = CODED_BYTES,
         .loss_bits = 131072,
         .generation = 1},
    };
    static const cpr_shard_info primer = {.raw_bytes = 65536, .coded_bytes = CODED_BYTES};
    cpr_file_list *files = cpr_file_list_create();
    REQUIRE(files != NULL);
    add(files, "a", CPR_FILE_DIRECTORY, 0);
    add(files, "a/file", CPR_FILE_REGULAR, 80);
    add(files, "a/link", CPR_FILE_SYMLINK, 0);
    add(files, "a/other", CPR_FILE_REGULAR, 150);
    add(files, "b", CPR_FILE_REGULAR, 0);
    const cpr_archive_header header = {
        .profile = "fast",
        .profile_version = 1,
        .shard_bytes = CPR_SHARD_BYTES_MIN,
        .vocabulary = (const uint8_t *)"some words",
        .vocabulary_bytes = 10,
        .files = files,
        .file_loss = file_loss,
        .shards = shards,
        .shard_count = SHARDS,
        .primer = &primer,
    };
    cpr_error error;
    REQUIRE(cpr_archive_create(path, &header, &error) == CPR_OK);
    REQUIRE(cpr_archive_write_bitstreams(path, 0, 1, give, NULL, &error) == CPR_OK);
    cpr_file_list_free(files);
}

/* A file of this process, in memory if the machine has a place for that. */
static const char *scratch_path(void)
{
    static char path[64];
    if (path[0] == '\0')
        (void)snprintf(path, sizeof path, "%s/corpress-fuzz-%ld",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
    return path;
}

/* The sound archive, made once. */
static const uint8_t *sound_archive(size_t *bytes)
{
    static uint8_t archive[65536];
    static size_t archive_bytes;
    if (archive_bytes == 0) {
        const char *path = scratch_path();
        write_archive(path);
        FILE *file = fopen(path, "rb");
        REQUIRE(file != NULL);
        archive_bytes = fread(archive, 1, sizeof archive, file);
        (void)fclose(file);
        REQUIRE(archive_bytes > 0 && archive_bytes < sizeof archive);
    }
    *bytes = archive_bytes;
    return archive;
}

/* Changes a table or an attribute by the next bytes of the input: they are XORed to what it holds,
 * so that zeros leave it as it is. */
static void alter(void *held, size_t held_bytes, const uint8_t **data, const uint8_t *end)
{
    uint8_t *out = held;
    for (size_t i = 0; i < held_bytes && *data < end; i++)
        out[i] ^= *(*data)++;
}

static void alter_table(hid_t file, const char *name, const uint8_t **data, const uint8_t *end)
{
    uint8_t held[1024];
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    REQUIRE(dataset >= 0);
    const hid_t type = H5Dget_type(dataset);
    const size_t bytes = (size_t)cpr_h5_rows(dataset) * H5Tget_size(type);
    REQUIRE(bytes > 0 && bytes <= sizeof held);
    REQUIRE(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, held) >= 0);
    alter(held, bytes, data, end);
    REQUIRE(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, held) >= 0);
    H5Tclose(type);
    H5Dclose(dataset);
}

static void alter_number(hid_t file, const char *name, const uint8_t **data, const uint8_t *end)
{
    uint64_t held;
    const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    REQUIRE(attribute >= 0 && H5Aread(attribute, H5T_NATIVE_UINT64, &held) >= 0);
    alter(&held, sizeof held, data, end);
    REQUIRE(H5Awrite(attribute, H5T_NATIVE_UINT64, &held) >= 0);
    H5Aclose(attribute);
}

static void alter_all(const char *path, const uint8_t *data, size_t bytes)
{
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
                                         "bitstream"};
    static const char *const numbers[] = {"vocabulary_raw_bytes", "total_files",
                                          "total_shards",         "total_raw_bytes",
                                          "total_coded_bytes",    "shard_size_bytes"};
    const uint8_t *end = data + bytes;
    const hid_t properties = cpr_h5_file_access();
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, properties);
    REQUIRE(file >= 0);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        alter_table(file, tables[i], &data, end);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        alter_number(file, numbers[i], &data, end);
    alter_table(file, "primer", &data, end);
    REQUIRE(H5Fclose(file) >= 0);
    H5Pclose(properties);
}

/* The same for the first bytes of the file. */
static void alter_bytes(int fd, const uint8_t *data, size_t bytes)
{
    uint8_t held[65536];
    REQUIRE(bytes <= sizeof held && pread(fd, held, bytes, 0) == (ssize_t)bytes);
    for (size_t i = 0; i < bytes; i++)
        held[i] ^= data[i];
    REQUIRE(pwrite(fd, held, bytes, 0) == (ssize_t)bytes);
}

/* What opens keeps the promises of shard.h. */
static void check(const char *path, bool sound)
{
    cpr_archive *archive;
    cpr_error error = {""};
    const cpr_status status = cpr_archive_open(path, &archive, &error);
    REQUIRE((status == CPR_OK) == (archive != NULL));
    REQUIRE(status == CPR_OK || error.text[0] != '\0');
    REQUIRE(!sound || status == CPR_OK);
    if (status != CPR_OK)
        return;
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
    cpr_archive_close(archive);
}

/* The input: 0, and what is done to the tables of a sound archive, which is then sealed; or 1, and
 * what is done to its bytes, seal included; or anything else, and a file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    size_t archive_bytes;
    const uint8_t *archive = sound_archive(&archive_bytes);
    const char *path = scratch_path();
    cpr_error error = {""};
    if (bytes < 1)
        return 0;
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    REQUIRE(fd >= 0);
    if (data[0] > 1) {
        REQUIRE(write(fd, data + 1, bytes - 1) == (ssize_t)(bytes - 1));
    } else {
        REQUIRE(write(fd, archive, archive_bytes) == (ssize_t)archive_bytes);
        if (data[0] == 0)
            alter_all(path, data + 1, bytes - 1);
        REQUIRE(cpr_archive_seal(path, &error) == CPR_OK);
        if (data[0] == 1)
            alter_bytes(fd, data + 1, bytes - 1 < archive_bytes ? bytes - 1 : archive_bytes);
    }
    check(path, data[0] < 2 && bytes == 1);
    (void)close(fd);
    REQUIRE(unlink(path) == 0);
    return 0;
}
