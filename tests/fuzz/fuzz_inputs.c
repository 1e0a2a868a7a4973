/* fuzz_inputs.c - any bytes as a compressed file, which gives the same text however it is read; as
 * records of inputs; and as a list of origins for another rank. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "file_io.h"
#include "inputs.h"
#include "origins.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the first byte of an input says: a kind of file, or one of these. */
#define AS_RECORDS 6u
#define AS_ORIGINS 7u
#define WHATS 8u

/* Bombs are not followed to their end. */
#define TEXT_MOST ((size_t)64 << 10)
#define MEMORY_MOST ((uint64_t)8 << 20)
#define FILES 1000u

/* ---- compressed files ----------------------------------------------------------------------- */

typedef struct decoded {
    uint8_t *text;
    size_t bytes;
    cpr_status status;
    cpr_seek_point last; /* the last place where it may begin */
} decoded;

/* From `from` on, `pieces` bytes at a time. */
static decoded decode(cpr_input_kind kind, int fd, uint64_t file_bytes, cpr_seek_point from,
                      size_t pieces)
{
    const cpr_decoding how = {.memory_bytes = MEMORY_MOST};
    decoded d = {.text = malloc(TEXT_MOST), .bytes = 0, .status = CPR_OK};
    cpr_decoder *decoder;
    cpr_error error = {""};
    REQUIRE(d.text != NULL);
    REQUIRE(cpr_decoder_open(kind, fd, file_bytes, "x", &how, &decoder, &error) == CPR_OK);
    if (from.source > 0)
        REQUIRE(cpr_decoder_seek(decoder, from, &error) == CPR_OK);
    for (size_t got = 1; d.status == CPR_OK && got > 0 && d.bytes < TEXT_MOST; d.bytes += got) {
        const size_t left = TEXT_MOST - d.bytes;
        const size_t part = pieces < left ? pieces : left;
        d.status = cpr_decoder_read(decoder, d.text + d.bytes, part, &got, &error);
        REQUIRE(got <= part && cpr_decoder_source(decoder) <= file_bytes);
        REQUIRE(cpr_decoder_text(decoder) == from.text + d.bytes + got);
        if (got == part)
            d.last = cpr_decoder_point(decoder);
        REQUIRE(d.last.source <= file_bytes && d.last.text <= from.text + d.bytes + got);
    }
    REQUIRE(d.status == CPR_OK || error.text[0] != '\0');
    REQUIRE(d.status == CPR_OK || d.status == CPR_ERR_DAMAGED || d.status == CPR_ERR_NO_MEMORY);
    cpr_decoder_close(decoder);
    return d;
}

static void try_file(cpr_input_kind kind, const uint8_t *data, size_t bytes)
{
    static const size_t pieces[] = {TEXT_MOST, 1000, 7};
    const int fd = memfd_create("x", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    (void)cpr_input_kind_of(data, bytes);
    const decoded whole = decode(kind, fd, bytes, (cpr_seek_point){0, 0}, TEXT_MOST);
    for (size_t i = 1; i < sizeof pieces / sizeof *pieces; i++) {
        const decoded again = decode(kind, fd, bytes, (cpr_seek_point){0, 0}, pieces[i]);
        REQUIRE(again.bytes == whole.bytes);
        REQUIRE(whole.bytes == TEXT_MOST || again.status == whole.status);
        REQUIRE(memcmp(again.text, whole.text, whole.bytes) == 0);
        if (again.last.source > 0) {
            const decoded part = decode(kind, fd, bytes, again.last, pieces[i]);
            const size_t before = (size_t)again.last.text;
            const size_t same = whole.bytes - before;
            REQUIRE(part.bytes >= same && memcmp(part.text, whole.text + before, same) == 0);
            free(part.text);
        }
        free(again.text);
    }
    free(whole.text);
    close(fd);
}

/* ---- records -------------------------------------------------------------------------------- */

static void try_records(const uint8_t *data, size_t bytes)
{
    cpr_error error = {""};
    cpr_input_records records = {NULL, 0, 0, 0};
    cpr_input_record record;
    uint64_t count = 0;
    const cpr_status status = cpr_input_records_merge(&records, data, bytes, &error);
    REQUIRE(status == CPR_OK || (status == CPR_ERR_DAMAGED && records.used == 0));
    for (size_t at = 0; cpr_input_records_next(&records, &at, &record); count++) {
        size_t member = 0;
        REQUIRE(record.name[0] != '\0' && strlen(record.note) < bytes);
        REQUIRE(cpr_input_kind_name(record.kind) != NULL && record.outcome <= CPR_INPUT_LEFT_OUT);
        for (uint64_t i = 0; i < record.point_count; i++)
            (void)cpr_input_record_point(&record, i);
        for (uint64_t i = 0; i < record.member_count; i++) {
            const cpr_input_member m = cpr_input_record_member(&record, &member);
            REQUIRE(m.path[0] != '\0' && strlen(m.path) + strlen(m.target) < bytes);
            REQUIRE(m.mode <= 07777 && m.type <= CPR_FILE_SYMLINK);
        }
        REQUIRE(member == record.members_bytes);
    }
    REQUIRE(count == records.count);
    cpr_input_records_free(&records);
}

/* ---- origins -------------------------------------------------------------------------------- */

static void try_origins(const uint8_t *data, size_t bytes)
{
    cpr_error error = {""};
    cpr_origins origins;
    const cpr_status status = cpr_origins_unpack(&origins, data, bytes, FILES, &error);
    if (status != CPR_OK) {
        REQUIRE(status == CPR_ERR_DAMAGED && error.text[0] != '\0');
        return;
    }
    uint64_t seen = 0;
    for (uint64_t i = 0; i < origins.count; i++) {
        const cpr_origin origin = cpr_origins_get(&origins, i);
        REQUIRE(cpr_input_kind_name(origin.kind) != NULL);
        REQUIRE(strlen(origin.source) < bytes && strlen(origin.name) < bytes);
        REQUIRE(origin.first <= FILES && origin.files <= FILES - origin.first);
        for (size_t k = 0; k < origin.point_count; k++)
            seen += origin.points[k].text & 1;
    }
    for (uint64_t file = 0; file < FILES; file++) {
        const cpr_piece *piece = cpr_origins_piece(&origins, file);
        REQUIRE(piece == NULL || (piece->file == file && piece->origin < origins.count));
        seen += piece != NULL;
    }
    REQUIRE(seen <= bytes + FILES);
    const size_t packed_bytes = cpr_origins_packed_bytes(&origins);
    uint8_t *packed = malloc(packed_bytes);
    REQUIRE(packed != NULL && packed_bytes == bytes);
    cpr_origins_pack(&origins, packed);
    cpr_origins_free(&origins);
    REQUIRE(cpr_origins_unpack(&origins, packed, packed_bytes, FILES, &error) == CPR_OK);
    cpr_origins_free(&origins);
    free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes < 1)
        return 0;
    const unsigned what = data[0] % WHATS;
    if (what == AS_RECORDS)
        try_records(data + 1, bytes - 1);
    else if (what == AS_ORIGINS)
        try_origins(data + 1, bytes - 1);
    else if (cpr_input_kind_is_decoded((cpr_input_kind)what) && what <= CPR_INPUT_LZ4)
        try_file((cpr_input_kind)what, data + 1, bytes - 1);
    return 0;
}
