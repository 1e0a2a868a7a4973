/* input_records.c - records of inputs as bytes.
 *
 * A record: bytes of it in all (8), of its name (4), facts (80), counts of points and members and
 * bytes of members (8 each), bytes of its note (4); the name and a NUL; the members; the points (16
 * each); the note and a NUL. A member: bytes (8), place in the text (8), mtime (8 and 4), mode and
 * type (4); path and target, each with a NUL. */
#include "input_records.h"
#include "file_io.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES 120u
#define POINT_BYTES 16u
#define MEMBER_BYTES 32u
#define TYPE_SHIFT 16

void cpr_input_records_free(cpr_input_records *records)
{
    free(records->bytes);
    *records = (cpr_input_records){.bytes = NULL};
}

static bool records_reserve(cpr_input_records *records, size_t bytes)
{
    if (records->capacity - records->used >= bytes)
        return true;
    const size_t capacity = records->capacity + records->capacity / 2 + bytes + 4096;
    uint8_t *grown = realloc(records->bytes, capacity);
    if (grown == NULL)
        return false;
    records->bytes = grown;
    records->capacity = capacity;
    return true;
}

static bool records_append(cpr_input_records *records, const void *data, size_t bytes)
{
    if (!records_reserve(records, bytes))
        return false;
    if (bytes > 0)
        memcpy(records->bytes + records->used, data, bytes);
    records->used += bytes;
    return true;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Whether `bytes` hold a text of `length`, and a NUL. */
static bool is_text(const uint8_t *bytes, size_t length)
{
    return bytes[length] == 0 && memchr(bytes, 0, length) == NULL;
}

/* Bytes of the member at `in`, of `left`; 0: it is none. */
static size_t member_bytes(const uint8_t *in, size_t left)
{
    if (left < MEMBER_BYTES || cpr_get32(in + 28) >> TYPE_SHIFT > CPR_FILE_SYMLINK)
        return 0;
    const uint8_t *path = in + MEMBER_BYTES;
    left -= MEMBER_BYTES;
    const uint8_t *end = memchr(path, 0, left);
    if (end == NULL || end == path)
        return 0;
    left -= (size_t)(end + 1 - path);
    const uint8_t *last = memchr(end + 1, 0, left);
    return last == NULL ? 0 : (size_t)(last + 1 - in);
}

static bool members_are_whole(const uint8_t *in, size_t left, uint64_t count)
{
    for (; count > 0; count--) {
        const size_t bytes = member_bytes(in, left);
        if (bytes == 0)
            return false;
        in += bytes;
        left -= bytes;
    }
    return left == 0;
}

/* Bytes of the record at `in`, of `left`; 0: it is none. */
static size_t record_bytes(const uint8_t *in, size_t left)
{
    if (left < HEAD_BYTES)
        return 0;
    const uint64_t all = cpr_get64(in);
    const uint32_t name = cpr_get32(in + 8);
    const uint64_t points = cpr_get64(in + 92);
    const uint64_t members = cpr_get64(in + 100);
    const uint64_t bytes = cpr_get64(in + 108);
    const uint32_t note = cpr_get32(in + 116);
    if (all < HEAD_BYTES || all > left || cpr_get32(in + 84) > CPR_INPUT_LEFT_OUT ||
        cpr_get32(in + 88) > CPR_INPUT_CORPRESS || points > all / POINT_BYTES || bytes > all)
        return 0;
    if (HEAD_BYTES + (uint64_t)name + 1 + bytes + points * POINT_BYTES + note + 1 != all)
        return 0;
    const uint8_t *text = in + HEAD_BYTES;
    const uint8_t *last = in + all - note - 1;
    if (name == 0 || !is_text(text, name) || !is_text(last, note) ||
        !members_are_whole(text + name + 1, (size_t)bytes, members))
        return 0;
    return (size_t)all;
}

cpr_status cpr_input_records_merge(cpr_input_records *records, const uint8_t *bytes, size_t count,
                                   cpr_error *error)
{
    uint64_t more = 0;
    for (size_t at = 0; at < count; more++) {
        const size_t one = record_bytes(bytes + at, count - at);
        if (one == 0)
            return cpr_fail(error, CPR_ERR_DAMAGED, "records of inputs contradict themselves");
        at += one;
    }
    if (!records_append(records, bytes, count))
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for records of inputs");
    records->count += more;
    return CPR_OK;
}

bool cpr_input_records_next(const cpr_input_records *records, size_t *at, cpr_input_record *record)
{
    if (*at >= records->used)
        return false;
    const uint8_t *in = records->bytes + *at;
    const size_t bytes = (size_t)cpr_get64(in);
    const uint32_t name = cpr_get32(in + 8);
    *record = (cpr_input_record){
        .name = (const char *)in + HEAD_BYTES,
        .file_bytes = cpr_get64(in + 12),
        .mtime_seconds = (int64_t)cpr_get64(in + 20),
        .mtime_nanoseconds = cpr_get32(in + 28),
        .change = cpr_get32(in + 32),
        .text_bytes = cpr_get64(in + 36),
        .file_hash = cpr_get_hash(in + 44),
        .outcome = (cpr_input_outcome)cpr_get32(in + 84),
        .kind = (cpr_input_kind)cpr_get32(in + 88),
        .point_count = cpr_get64(in + 92),
        .member_count = cpr_get64(in + 100),
        .members_bytes = (size_t)cpr_get64(in + 108),
        .note = (const char *)in + bytes - cpr_get32(in + 116) - 1,
    };
    record->members = in + HEAD_BYTES + name + 1;
    record->points = record->members + record->members_bytes;
    *at += bytes;
    return true;
}

cpr_seek_point cpr_input_record_point(const cpr_input_record *record, uint64_t i)
{
    const uint8_t *in = record->points + i * POINT_BYTES;
    return (cpr_seek_point){cpr_get64(in), cpr_get64(in + 8)};
}

cpr_input_member cpr_input_record_member(const cpr_input_record *record, size_t *at)
{
    const uint8_t *in = record->members + *at;
    const char *path = (const char *)in + MEMBER_BYTES;
    const cpr_input_member member = {
        .path = path,
        .target = path + strlen(path) + 1,
        .bytes = cpr_get64(in),
        .text = cpr_get64(in + 8),
        .mtime_seconds = (int64_t)cpr_get64(in + 16),
        .mtime_nanoseconds = cpr_get32(in + 24),
        .mode = cpr_get32(in + 28) & 07777u,
        .type = (cpr_file_type)(cpr_get32(in + 28) >> TYPE_SHIFT),
    };
    *at += MEMBER_BYTES + strlen(member.path) + strlen(member.target) + 2;
    return member;
}

/* ---- writing -------------------------------------------------------------------------------- */

void cpr_input_writer_begin(cpr_input_writer *writer, cpr_input_records *records, const char *name)
{
    static const uint8_t head[HEAD_BYTES];
    *writer = (cpr_input_writer){.records = records, .start = records->used};
    writer->failed = !records_append(records, head, sizeof head) ||
                     !records_append(records, name, strlen(name) + 1);
    if (!writer->failed)
        cpr_put32(records->bytes + writer->start + 8, (uint32_t)strlen(name));
    writer->members_start = records->used;
}

void cpr_input_writer_point(cpr_input_writer *writer, cpr_seek_point point)
{
    if (writer->point_count == writer->point_capacity) {
        const size_t capacity = writer->point_capacity + writer->point_capacity / 2 + 16;
        uint8_t *grown = realloc(writer->points, capacity * POINT_BYTES);
        if (grown == NULL) {
            writer->failed = true;
            return;
        }
        writer->points = grown;
        writer->point_capacity = capacity;
    }
    uint8_t *out = writer->points + writer->point_count++ * POINT_BYTES;
    cpr_put64(out, point.source);
    cpr_put64(out + 8, point.text);
}

void cpr_input_writer_member(cpr_input_writer *writer, const cpr_input_member *member)
{
    uint8_t head[MEMBER_BYTES];
    cpr_put64(head, member->bytes);
    cpr_put64(head + 8, member->text);
    cpr_put64(head + 16, (uint64_t)member->mtime_seconds);
    cpr_put32(head + 24, member->mtime_nanoseconds);
    cpr_put32(head + 28, (member->mode & 07777u) | (uint32_t)member->type << TYPE_SHIFT);
    cpr_input_records *records = writer->records;
    writer->failed = writer->failed || !records_append(records, head, sizeof head) ||
                     !records_append(records, member->path, strlen(member->path) + 1) ||
                     !records_append(records, member->target, strlen(member->target) + 1);
    writer->member_count++;
}

void cpr_input_writer_cancel(cpr_input_writer *writer)
{
    writer->records->used = writer->start;
    free(writer->points);
    writer->points = NULL;
}

cpr_status cpr_input_writer_end(cpr_input_writer *writer, const cpr_input_record *facts,
                                cpr_error *error)
{
    cpr_input_records *records = writer->records;
    const size_t members_bytes = records->used - writer->members_start;
    const size_t note_bytes = strlen(facts->note);
    writer->failed = writer->failed ||
                     !records_append(records, writer->points, writer->point_count * POINT_BYTES) ||
                     !records_append(records, facts->note, note_bytes + 1);
    if (writer->failed) {
        cpr_input_writer_cancel(writer);
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for records of inputs");
    }
    uint8_t *out = records->bytes + writer->start;
    cpr_put64(out, records->used - writer->start);
    cpr_put64(out + 12, facts->file_bytes);
    cpr_put64(out + 20, (uint64_t)facts->mtime_seconds);
    cpr_put32(out + 28, facts->mtime_nanoseconds);
    cpr_put32(out + 32, facts->change);
    cpr_put64(out + 36, facts->text_bytes);
    cpr_put_hash(out + 44, facts->file_hash);
    cpr_put32(out + 84, (uint32_t)facts->outcome);
    cpr_put32(out + 88, (uint32_t)facts->kind);
    cpr_put64(out + 92, writer->point_count);
    cpr_put64(out + 100, writer->member_count);
    cpr_put64(out + 108, members_bytes);
    cpr_put32(out + 116, (uint32_t)note_bytes);
    records->count++;
    free(writer->points);
    writer->points = NULL;
    return CPR_OK;
}
