/* fuzz_tar.c - any bytes as a tar: split and joined again they are the same; members are safe to
 * name; and nothing depends on how it is cut into pieces. */
#include "fuzz.h"

#include "corpus.h"
#include "memory_stream.h"
#include "tar.h"

#include <string.h>

/* What the first byte of an input says. */
#define MEND 0x80u /* makes checksums right */
#define SOME 0x40u /* takes not all members */
#define CUTS 0x3fu /* how it is cut: see below */

#define MEMBERS 256u

/* A tar in parts, and a hash of what was told of members. */
typedef struct tar_parts {
    bool some;
    uint64_t members, told;
    size_t sizes[MEMBERS]; /* of data, of the first members */
    cpr_memory_writer frame, data;
    cpr_memory_reader back; /* data that is joined */
    cpr_tar_counts counts;
    cpr_status end;
} tar_parts;

static void parts_hash(tar_parts *parts, const void *bytes, size_t count)
{
    parts->told = (parts->told ^ cpr_hash_bytes(bytes, count).low) * UINT64_C(0x9E3779B97F4A7C15);
}

static void parts_tell(tar_parts *parts, const cpr_tar_member *member, bool *taken)
{
    const bool is_regular = member->type == CPR_FILE_REGULAR;
    REQUIRE(!*taken);
    REQUIRE(cpr_member_path_is_safe(member->path));
    REQUIRE(strlen(member->path) <= CPR_TAR_PATH_MAX_BYTES);
    REQUIRE(strlen(member->link) <= CPR_TAR_PATH_MAX_BYTES);
    REQUIRE((member->link[0] != '\0') == (member->type == CPR_FILE_SYMLINK));
    REQUIRE(member->bytes <= (is_regular ? (uint64_t)INT64_MAX : 0));
    REQUIRE(member->mode <= 07777 && member->mtime_nanoseconds < 1000000000);
    const uint64_t numbers[] = {member->bytes, (uint64_t)member->mtime_seconds,
                                member->mtime_nanoseconds, member->mode, member->type};
    parts_hash(parts, member->path, strlen(member->path));
    parts_hash(parts, member->link, strlen(member->link));
    parts_hash(parts, numbers, sizeof numbers);
    *taken = parts->members < MEMBERS && (!parts->some || (member->path[0] & 1) != 0);
    parts->members++;
}

static cpr_status on_member(void *context, const cpr_tar_member *member, bool *taken,
                            cpr_error *error)
{
    (void)error;
    parts_tell(context, member, taken);
    return CPR_OK;
}

static cpr_status on_data(void *context, const uint8_t *bytes, size_t count, cpr_error *error)
{
    tar_parts *parts = context;
    const cpr_sink sink = cpr_memory_sink(&parts->data);
    REQUIRE(count > 0 && parts->members > 0 && parts->members <= MEMBERS);
    parts->sizes[parts->members - 1] += count;
    return sink.write(sink.context, bytes, count, error);
}

static cpr_status on_frame(void *context, const uint8_t *bytes, size_t count, cpr_error *error)
{
    tar_parts *parts = context;
    const cpr_sink sink = cpr_memory_sink(&parts->frame);
    REQUIRE(count > 0);
    return sink.write(sink.context, bytes, count, error);
}

/* Joining: the member's data goes to where the frame goes. */
static cpr_status on_place(void *context, const cpr_tar_member *member, bool *taken,
                           cpr_error *error)
{
    tar_parts *parts = context;
    cpr_memory_reader *back = &parts->back;
    parts_tell(parts, member, taken);
    const size_t size = *taken ? parts->sizes[parts->members - 1] : 0;
    REQUIRE(size <= back->bytes - back->at);
    back->at += size;
    return size == 0 ? CPR_OK : on_frame(parts, back->data + back->at - size, size, error);
}

static cpr_status on_no_data(void *context, const uint8_t *bytes, size_t count, cpr_error *error)
{
    (void)context, (void)bytes, (void)count, (void)error;
    REQUIRE(false);
    return CPR_OK;
}

/* Cuts 0: not at all; up to 7: pieces of that many bytes; else of that many times 16 at most. */
static void feed(tar_parts *parts, const cpr_tar_events *events, bool skeleton,
                 const uint8_t *bytes, size_t count, unsigned cuts)
{
    cpr_error error = {""};
    uint32_t random = cuts;
    cpr_tar *tar = cpr_tar_create(events, skeleton);
    REQUIRE(tar != NULL);
    while (count > 0) {
        random = random * 1103515245u + 12345u;
        size_t piece = cuts == 0 ? count : (cuts < 8 ? cuts : 1 + (random >> 8) % (cuts * 16));
        piece = piece < count ? piece : count;
        REQUIRE(cpr_tar_feed(tar, bytes, piece, &error) == CPR_OK);
        bytes += piece;
        count -= piece;
    }
    parts->end = cpr_tar_finish(tar, &error);
    REQUIRE(parts->end == CPR_OK || (parts->end == CPR_ERR_DAMAGED && error.text[0] != '\0'));
    parts->counts = *cpr_tar_count(tar);
    REQUIRE(parts->counts.members == parts->members);
    cpr_tar_free(tar);
}

static void split(tar_parts *parts, const uint8_t *bytes, size_t count, unsigned cuts)
{
    const cpr_tar_events events = {on_member, on_data, on_frame, parts};
    feed(parts, &events, false, bytes, count, cuts);
    REQUIRE(parts->frame.bytes + parts->data.bytes == count);
}

static void join(const tar_parts *from, const uint8_t *bytes, size_t count, unsigned cuts)
{
    tar_parts joined = {.some = from->some, .back = {from->data.data, from->data.bytes, 0}};
    const cpr_tar_events events = {on_place, on_no_data, on_frame, &joined};
    memcpy(joined.sizes, from->sizes, sizeof joined.sizes);
    feed(&joined, &events, true, from->frame.data, from->frame.bytes, cuts);
    REQUIRE(joined.told == from->told);
    REQUIRE(memcmp(&joined.counts, &from->counts, sizeof joined.counts) == 0);
    REQUIRE(joined.frame.bytes == count);
    REQUIRE(count == 0 || memcmp(joined.frame.data, bytes, count) == 0);
    free(joined.frame.data);
}

static void compare(const tar_parts *a, const tar_parts *b)
{
    REQUIRE(a->told == b->told && a->end == b->end);
    REQUIRE(memcmp(&a->counts, &b->counts, sizeof a->counts) == 0);
    REQUIRE(memcmp(a->sizes, b->sizes, sizeof a->sizes) == 0);
    REQUIRE(a->frame.bytes == b->frame.bytes);
    REQUIRE(a->frame.bytes == 0 || memcmp(a->frame.data, b->frame.data, a->frame.bytes) == 0);
}

/* Headers are where a block has the magic; those of v7 are as they are. */
static void mend(uint8_t *bytes, size_t count)
{
    for (size_t at = 0; count - at >= CPR_TAR_BLOCK_BYTES; at += CPR_TAR_BLOCK_BYTES) {
        uint8_t *block = bytes + at;
        unsigned sum = 0;
        if (memcmp(block + 257, "ustar", 5) != 0)
            continue;
        memset(block + 148, ' ', 8);
        for (size_t i = 0; i < CPR_TAR_BLOCK_BYTES; i++)
            sum += block[i];
        snprintf((char *)block + 148, 8, "%06o", sum);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes < 1)
        return 0;
    const unsigned first = data[0];
    const size_t count = bytes - 1;
    uint8_t *text = malloc(count + 1);
    REQUIRE(text != NULL);
    memcpy(text, data + 1, count);
    if ((first & MEND) != 0)
        mend(text, count);
    (void)cpr_tar_begins(text, count);
    tar_parts whole = {.some = (first & SOME) != 0};
    tar_parts cut = {.some = whole.some};
    split(&whole, text, count, 0);
    split(&cut, text, count, first & CUTS);
    compare(&whole, &cut);
    join(&whole, text, count, first & CUTS);
    free(whole.frame.data);
    free(whole.data.data);
    free(cut.frame.data);
    free(cut.data.data);
    free(text);
    return 0;
}
