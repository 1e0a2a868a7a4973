/* snapshot.c - a codec in the middle of a shard, as a file: small fields, then large parts in
 * blocks that LZ4 compresses, each with a checksum.
 *
 * A snapshot is for the machine type and the program that wrote it: integers are in the machine's
 * byte order, and the header pins the sizes of all parts. WORK.md describes the file. */
#include "codec_state.h"
#include "file_io.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "cprsnap"
#define VERSION 1u
#define BYTE_ORDER_MARK UINT32_C(0x01020304)
#define PART_BYTES (4u << 20)

typedef struct snapshot_header {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint64_t model_bytes;
    uint64_t coding_bytes;
    uint64_t marks; /* losses that follow */
    uint64_t vocabulary_tokens;
    uint64_t raw_bytes;
    uint64_t coded_bytes;
    cpr_hash128 raw_hash; /* of the bytes so far */
    cpr_hash128 coded_hash;
    uint64_t check; /* XXH3-64 of the fields before it */
} snapshot_header;

typedef struct block_header {
    uint32_t raw_bytes;
    uint32_t packed_bytes; /* equal to raw_bytes: not compressed */
    uint64_t check;        /* XXH3-64 of the packed bytes, seeded with the block's number */
} block_header;

/* A snapshot that is being written or read. */
typedef struct snapshot_file {
    int fd;
    uint64_t at; /* when reading: the offset of the next block */
    uint64_t block;
    char *packed; /* room for one packed block */
} snapshot_file;

static uint64_t header_check(const snapshot_header *header)
{
    return XXH3_64bits(header, offsetof(snapshot_header, check));
}

static cpr_status open_buffer(snapshot_file *file, cpr_error *error)
{
    file->packed = malloc((size_t)LZ4_compressBound((int)PART_BYTES));
    return file->packed != NULL ? CPR_OK
                                : cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a snapshot");
}

/* ---- writing ---- */

static cpr_status write_all(const snapshot_file *file, const void *data, size_t bytes,
                            cpr_error *error)
{
    const int code = cpr_io_write(file->fd, data, bytes);
    return code == 0 ? CPR_OK : cpr_fail_errno(error, code, "cannot write a snapshot");
}

static cpr_status write_block(snapshot_file *file, const uint8_t *data, uint32_t bytes,
                              cpr_error *error)
{
    const int bound = LZ4_compressBound((int)PART_BYTES);
    const int packed = LZ4_compress_default((const char *)data, file->packed, (int)bytes, bound);
    const bool shorter = packed > 0 && (uint32_t)packed < bytes;
    const void *payload = shorter ? (const void *)file->packed : (const void *)data;
    const block_header header = {
        .raw_bytes = bytes,
        .packed_bytes = shorter ? (uint32_t)packed : bytes,
        .check = XXH3_64bits_withSeed(payload, shorter ? (size_t)packed : bytes, file->block++)};
    const cpr_status status = write_all(file, &header, sizeof header, error);
    return status == CPR_OK ? write_all(file, payload, header.packed_bytes, error) : status;
}

static cpr_status write_part(snapshot_file *file, const void *data, size_t bytes, cpr_error *error)
{
    const uint8_t *next = data;
    cpr_status status = CPR_OK;
    while (status == CPR_OK && bytes > 0) {
        const uint32_t n = bytes < PART_BYTES ? (uint32_t)bytes : PART_BYTES;
        status = write_block(file, next, n, error);
        next += n;
        bytes -= n;
    }
    return status;
}

cpr_status cpr_snapshot_write(cpr_codec *codec, int fd, cpr_error *error)
{
    snapshot_header header = {.magic = MAGIC,
                              .version = VERSION,
                              .byte_order = BYTE_ORDER_MARK,
                              .model_bytes = cpr_model_state_bytes(codec->model),
                              .coding_bytes = sizeof(cpr_coding),
                              .marks = codec->coding.next_mark,
                              .vocabulary_tokens = cpr_vocabulary_tokens(codec->vocabulary),
                              .raw_bytes = codec->coding.raw_bytes,
                              .coded_bytes = codec->coding.coded_bytes,
                              .raw_hash = cpr_codec_digest(codec->raw_hash),
                              .coded_hash = cpr_codec_digest(codec->coded_hash)};
    header.check = header_check(&header);
    snapshot_file file = {.fd = fd};
    cpr_coding coding = codec->coding;
    coding.encoder.next = NULL; /* means nothing to another process */
    cpr_status status = open_buffer(&file, error);
    if (status == CPR_OK)
        status = write_all(&file, &header, sizeof header, error);
    if (status == CPR_OK)
        status = write_part(&file, &coding, sizeof coding, error);
    if (status == CPR_OK && header.marks > 0)
        status = write_part(&file, codec->mark_losses, header.marks * sizeof(uint64_t), error);
    if (status == CPR_OK)
        status = write_part(&file, cpr_model_state(codec->model), header.model_bytes, error);
    free(file.packed);
    return status;
}

/* ---- reading ---- */

static cpr_status damaged(cpr_error *error)
{
    return cpr_fail(error, CPR_ERR_DAMAGED, "the snapshot is damaged");
}

static cpr_status read_all(snapshot_file *file, void *out, size_t bytes, cpr_error *error)
{
    const int code = cpr_io_pread(file->fd, out, bytes, file->at);
    file->at += bytes;
    if (code == CPR_IO_END)
        return damaged(error);
    return code == 0 ? CPR_OK : cpr_fail_errno(error, code, "cannot read a snapshot");
}

static cpr_status read_block(snapshot_file *file, uint8_t *out, uint32_t bytes, cpr_error *error)
{
    block_header header;
    cpr_status status = read_all(file, &header, sizeof header, error);
    if (status != CPR_OK)
        return status;
    if (header.raw_bytes != bytes || header.packed_bytes > bytes)
        return damaged(error);
    status = read_all(file, file->packed, header.packed_bytes, error);
    if (status != CPR_OK)
        return status;
    if (XXH3_64bits_withSeed(file->packed, header.packed_bytes, file->block++) != header.check)
        return damaged(error);
    if (header.packed_bytes == bytes)
        memcpy(out, file->packed, bytes);
    else if (LZ4_decompress_safe(file->packed, (char *)out, (int)header.packed_bytes, (int)bytes) !=
             (int)bytes)
        return damaged(error);
    return CPR_OK;
}

static cpr_status read_part(snapshot_file *file, void *out, size_t bytes, cpr_error *error)
{
    uint8_t *next = out;
    cpr_status status = CPR_OK;
    while (status == CPR_OK && bytes > 0) {
        const uint32_t n = bytes < PART_BYTES ? (uint32_t)bytes : PART_BYTES;
        status = read_block(file, next, n, error);
        next += n;
        bytes -= n;
    }
    return status;
}

/* Whether the snapshot is whole and was written by a codec like this one. */
static cpr_status check_header(const snapshot_header *header, const cpr_codec *codec,
                               cpr_error *error)
{
    if (memcmp(header->magic, MAGIC, sizeof MAGIC) != 0 || header->check != header_check(header))
        return damaged(error);
    if (header->version != VERSION || header->byte_order != BYTE_ORDER_MARK ||
        header->model_bytes != cpr_model_state_bytes(codec->model) ||
        header->coding_bytes != sizeof(cpr_coding) ||
        header->vocabulary_tokens != cpr_vocabulary_tokens(codec->vocabulary) ||
        header->marks > UINT32_MAX)
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "the snapshot was written by another program or machine");
    return CPR_OK;
}

cpr_status cpr_snapshot_read(cpr_codec *codec, int fd, uint64_t *raw_bytes, uint64_t *coded_bytes,
                             cpr_error *error)
{
    snapshot_header header;
    snapshot_file file = {.fd = fd};
    cpr_status status = open_buffer(&file, error);
    if (status == CPR_OK)
        status = read_all(&file, &header, sizeof header, error);
    if (status == CPR_OK)
        status = check_header(&header, codec, error);
    if (status != CPR_OK) {
        free(file.packed);
        return status;
    }
    codec->model_is_fresh = false; /* from here on its state is overwritten */
    free(codec->resume_marks);
    codec->resume_marks = malloc((header.marks + 1) * sizeof(uint64_t));
    if (codec->resume_marks == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a snapshot");
    if (status == CPR_OK)
        status = read_part(&file, &codec->coding, sizeof(cpr_coding), error);
    if (status == CPR_OK)
        status = read_part(&file, codec->resume_marks, header.marks * sizeof(uint64_t), error);
    if (status == CPR_OK)
        status = read_part(&file, cpr_model_state(codec->model), header.model_bytes, error);
    if (status == CPR_OK)
        cpr_model_restored(codec->model);
    free(file.packed);
    codec->resume_raw_hash = header.raw_hash;
    codec->resume_coded_hash = header.coded_hash;
    *raw_bytes = header.raw_bytes;
    *coded_bytes = header.coded_bytes;
    return status;
}
