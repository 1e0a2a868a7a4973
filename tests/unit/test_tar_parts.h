/* test_tar_parts.h - splits tars, puts them together again, and compares. */
#ifndef TEST_TAR_PARTS_H
#define TEST_TAR_PARTS_H

#include "memory_stream.h"
#include "tar.h"
#include "test_files.h"

#include <inttypes.h>

typedef enum choice { TAKE_ALL, TAKE_NONE, TAKE_SECONDS, TAKES } choice;

/* What a parser told of a tar; and then, what of it is put together again. */
typedef struct tar_parts {
    choice take;
    cpr_memory_writer frame, data, list; /* the list has a line for each member, see note() */
    uint64_t members, at, sizes[512];    /* `at`: which member; `sizes`: of their data */
    const uint8_t *from;                 /* data that comes next, when they are joined */
    cpr_tar_counts counts;
    cpr_status end;
    cpr_error error;
} tar_parts;

static inline cpr_status write_to(cpr_memory_writer *writer, const uint8_t *bytes, size_t count)
{
    const cpr_sink sink = cpr_memory_sink(writer);
    return sink.write(sink.context, bytes, count, NULL);
}

static inline void write_text(cpr_memory_writer *writer, const char *text)
{
    assert_int_equal(write_to(writer, (const uint8_t *)text, strlen(text)), CPR_OK);
}

static inline void write_hex(cpr_memory_writer *writer, const char *text)
{
    char hex[4];
    for (; *text != '\0'; text++) {
        snprintf(hex, sizeof hex, "%02x", (unsigned)(uint8_t)*text);
        write_text(writer, hex);
    }
}

/* TYPE MODE SECONDS NANOSECONDS BYTES PATH [LINK], the last two in hexadecimal digits. */
static inline void note(cpr_memory_writer *list, const cpr_tar_member *member)
{
    char text[160];
    snprintf(text, sizeof text, "%c %04o %" PRId64 " %09" PRIu32 " %" PRIu64 " ",
             "fdl"[member->type], (unsigned)member -> mode, member -> mtime_seconds,
             member -> mtime_nanoseconds, member -> bytes);
    write_text(list, text);
    write_hex(list, member->path);
    write_text(list, " ");
    write_hex(list, member->link);
    write_text(list, "\n");
}

static inline void assert_safe(const cpr_tar_member *member)
{
    const char *start = member->path;
    assert_true(strlen(start) <= CPR_TAR_PATH_MAX_BYTES);
    for (const char *end; start != NULL; start = *end == '/' ? end + 1 : NULL) {
        end = start + strcspn(start, "/");
        const size_t length = (size_t)(end - start);
        assert_true(length > 0);
        assert_false(length == 1 && start[0] == '.');
        assert_false(length == 2 && start[0] == '.' && start[1] == '.');
    }
    assert_true((member->type == CPR_FILE_SYMLINK) == (member->link[0] != '\0'));
    assert_true(member->type == CPR_FILE_REGULAR || member->bytes == 0);
    assert_true(member->mode <= 07777 && member->mtime_nanoseconds < 1000000000);
}

static inline bool is_taken(const tar_parts *parts)
{
    return parts->take == TAKE_ALL || (parts->take == TAKE_SECONDS && parts->at % 2 == 1);
}

static inline cpr_status on_member(void *context, const cpr_tar_member *member, bool *taken,
                                   cpr_error *error)
{
    tar_parts *parts = context;
    (void)error;
    assert_false(*taken);
    assert_safe(member);
    note(&parts->list, member);
    assert_true(parts->members < sizeof parts->sizes / sizeof *parts->sizes);
    parts->at = parts->members++;
    parts->sizes[parts->at] = 0;
    *taken = is_taken(parts);
    return CPR_OK;
}

static inline cpr_status on_data(void *context, const uint8_t *bytes, size_t count,
                                 cpr_error *error)
{
    tar_parts *parts = context;
    (void)error;
    assert_true(count > 0 && is_taken(parts));
    parts->sizes[parts->at] += count;
    return write_to(&parts->data, bytes, count);
}

static inline cpr_status on_frame(void *context, const uint8_t *bytes, size_t count,
                                  cpr_error *error)
{
    tar_parts *parts = context;
    (void)error;
    assert_true(count > 0);
    return write_to(&parts->frame, bytes, count);
}

/* Joining: the data goes to where the frame goes. */
static inline cpr_status on_place(void *context, const cpr_tar_member *member, bool *taken,
                                  cpr_error *error)
{
    tar_parts *parts = context;
    (void)error;
    note(&parts->list, member);
    parts->at = parts->members++;
    *taken = is_taken(parts);
    const size_t size = (size_t)parts->sizes[parts->at];
    if (!*taken || size == 0)
        return CPR_OK;
    parts->from += size;
    return write_to(&parts->frame, parts->from - size, size);
}

static inline cpr_status on_no_data(void *context, const uint8_t *bytes, size_t count,
                                    cpr_error *error)
{
    (void)context, (void)bytes, (void)count, (void)error;
    fail_msg("data in a skeleton");
    return CPR_OK;
}

/* Pieces of `most` bytes; 0: the whole; more than 1: up to that, at random. */
static inline void run(tar_parts *parts, const cpr_tar_events *events, bool skeleton,
                       const uint8_t *bytes, size_t count, size_t most)
{
    uint64_t random = count + 1;
    cpr_tar *tar = cpr_tar_create(events, skeleton);
    assert_non_null(tar);
    while (count > 0) {
        size_t now = most == 0 ? count : (most == 1 ? 1 : 1 + next_random(&random) % most);
        now = now < count ? now : count;
        assert_int_equal(cpr_tar_feed(tar, bytes, now, &parts->error), CPR_OK);
        bytes += now;
        count -= now;
    }
    parts->end = cpr_tar_finish(tar, &parts->error);
    parts->counts = *cpr_tar_count(tar);
    cpr_tar_free(tar);
}

static inline void split(tar_parts *parts, choice take, const void *bytes, size_t count,
                         size_t most)
{
    memset(parts, 0, sizeof *parts);
    parts->take = take;
    const cpr_tar_events events = {on_member, on_data, on_frame, parts};
    run(parts, &events, false, bytes, count, most);
    assert_int_equal(parts->frame.bytes + parts->data.bytes, count);
}

static inline void assert_same(const cpr_memory_writer *a, const cpr_memory_writer *b)
{
    assert_int_equal(a->bytes, b->bytes);
    if (a->bytes > 0)
        assert_memory_equal(a->data, b->data, a->bytes);
}

static inline void parts_free(tar_parts *parts)
{
    free(parts->frame.data);
    free(parts->data.data);
    free(parts->list.data);
}

static inline void assert_joins(const tar_parts *from, const void *bytes, size_t count, size_t most)
{
    tar_parts joined = {.take = from->take, .from = from->data.data};
    const cpr_tar_events events = {on_place, on_no_data, on_frame, &joined};
    memcpy(joined.sizes, from->sizes, sizeof joined.sizes);
    run(&joined, &events, true, from->frame.data, from->frame.bytes, most);
    assert_same(&joined.list, &from->list);
    assert_memory_equal(&joined.counts, &from->counts, sizeof joined.counts);
    if (from->end == CPR_OK)
        assert_int_equal(joined.end, CPR_OK);
    assert_int_equal(joined.frame.bytes, count);
    if (count > 0)
        assert_memory_equal(joined.frame.data, bytes, count);
    parts_free(&joined);
}

/* Splits and joins in all ways; *parts is what it was with all members taken. */
static inline void check(tar_parts *parts, const void *bytes, size_t count)
{
    static const size_t cuts[] = {0, 1, 2000};
    tar_parts other;
    split(parts, TAKE_ALL, bytes, count, 0);
    for (choice take = TAKE_ALL; take < TAKES; take++)
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            split(&other, take, bytes, count, cuts[i]);
            assert_same(&other.list, &parts->list);
            assert_memory_equal(&other.counts, &parts->counts, sizeof other.counts);
            assert_int_equal(other.end, parts->end);
            assert_joins(&other, bytes, count, cuts[i]);
            parts_free(&other);
        }
}

/* The same, and the members are these, one a line. */
static inline void check_list(const void *bytes, size_t count, const char *list,
                              cpr_tar_counts *counts)
{
    tar_parts parts;
    check(&parts, bytes, count);
    write_to(&parts.list, (const uint8_t *)"", 1);
    assert_string_equal((const char *)parts.list.data, list);
    *counts = parts.counts;
    parts_free(&parts);
}

#endif
