/* fuzz_snapshot.c - any changes of a snapshot: it is refused, or a shard goes on from it with the
 * bytes that it would have had anyway. The checksum of its header, which says how large everything
 * is, can be right; those of its parts are as they are: what is in them is memory of the program,
 * and believed if its checksum is right. */
#define _GNU_SOURCE
#include "fuzz_codec.h"
#include "fuzz_edit.h"

#include "file_io.h"

#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#define RAW_BYTES FUZZ_SHARD_BYTES
#define CODED_BYTES (2 * RAW_BYTES)
#define HEADER_BYTES 96u /* without its checksum */

static fuzz_file file; /* the beginning of the snapshot */
static uint8_t raw[RAW_BYTES];
static uint8_t whole[CODED_BYTES]; /* the bitstream */
static cpr_shard_info whole_info;
static uint64_t coded_before; /* the snapshot was taken */
static int fd = -1;
static uint8_t *sound;
static size_t sound_bytes;

/* Takes a snapshot at the end of the first block. */
static cpr_status save(void *context, uint64_t raw_bytes, uint64_t coded_bytes, cpr_error *error)
{
    (void)context;
    if (raw_bytes == 65536) {
        REQUIRE(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
        REQUIRE(cpr_snapshot_write(fuzz_codec(), fd, error) == CPR_OK);
        coded_before = coded_bytes;
    }
    return CPR_OK;
}

static cpr_status encode(uint8_t *out, cpr_shard_info *info, cpr_progress_fn *progress,
                         cpr_error *error)
{
    static const uint64_t at[2] = {1000, RAW_BYTES};
    static uint64_t loss[2];
    const cpr_loss_marks marks = {at, loss, 2};
    fuzz_stream source = {.in = raw, .bytes = sizeof raw, .piece = SIZE_MAX};
    fuzz_stream sink = {.out = out, .capacity = CODED_BYTES};
    return cpr_codec_encode(fuzz_codec(), (cpr_source){fuzz_read, &source},
                            (cpr_sink){fuzz_write, &sink}, (cpr_watch){progress, NULL}, &marks,
                            info, error);
}

static void make_snapshot(void)
{
    static const char text[] = "the ranks of the job; ";
    cpr_error error;
    for (size_t i = 0; i < sizeof raw; i++)
        raw[i] = (uint8_t)text[(i + i / 100) % (sizeof text - 1)];
    fd = memfd_create("snapshot", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && encode(whole, &whole_info, save, &error) == CPR_OK);
    sound_bytes = (size_t)lseek(fd, 0, SEEK_END);
    sound = malloc(sound_bytes);
    REQUIRE(sound != NULL && pread(fd, sound, sound_bytes, 0) == (ssize_t)sound_bytes);
    file.sound_bytes = sound_bytes < sizeof file.sound ? sound_bytes : sizeof file.sound;
    memcpy(file.sound, sound, file.sound_bytes);
    REQUIRE(coded_before > 0);
}

static void check(bool edited)
{
    static uint8_t rest[CODED_BYTES];
    uint64_t raw_bytes;
    uint64_t coded_bytes;
    cpr_shard_info info = {0};
    cpr_error error = {""};
    fuzz_stream before = {.in = whole, .bytes = (size_t)coded_before, .piece = SIZE_MAX};
    cpr_status status = cpr_snapshot_read(fuzz_codec(), fd, &raw_bytes, &coded_bytes, &error);
    REQUIRE(edited || status == CPR_OK);
    if (status == CPR_OK)
        status = cpr_codec_resume(fuzz_codec(), (cpr_source){fuzz_read, &before}, &error);
    REQUIRE(edited || status == CPR_OK);
    if (status == CPR_OK)
        status = encode(rest, &info, NULL, &error);
    REQUIRE(status == CPR_OK || error.text[0] != '\0');
    REQUIRE(status == CPR_OK || status == CPR_ERR_DAMAGED || status == CPR_ERR_CHANGED);
    REQUIRE(edited || status == CPR_OK);
    if (status == CPR_OK) {
        REQUIRE(info.coded_bytes == whole_info.coded_bytes && info.tokens == whole_info.tokens);
        REQUIRE(memcmp(rest, whole + coded_before, info.coded_bytes - coded_before) == 0);
    }
}

/* The input: the header's checksum is made right (1); then the changes of fuzz_edit.h. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fuzz_input in = {data, data + bytes};
    if (fd < 0)
        make_snapshot();
    const unsigned flags = fuzz_take(&in);
    fuzz_edit_all(&file, 1, &in);
    if ((flags & 1) && file.bytes >= HEADER_BYTES + 8) {
        const uint64_t check_sum = XXH3_64bits(file.data, HEADER_BYTES);
        memcpy(file.data + HEADER_BYTES, &check_sum, sizeof check_sum);
    }
    REQUIRE(pwrite(fd, file.data, file.bytes, 0) == (ssize_t)file.bytes);
    if (file.bytes < file.sound_bytes)
        REQUIRE(ftruncate(fd, (off_t)file.bytes) == 0);
    check(file.edited);
    const size_t damaged = file.bytes < file.sound_bytes ? sound_bytes : file.sound_bytes;
    REQUIRE(pwrite(fd, sound, damaged, 0) == (ssize_t)damaged);
    return 0;
}
