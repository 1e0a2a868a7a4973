/* tar.c - tells a tar's bytes apart, as they come. */
#include "tar_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Records longer than that are not kept: those of pax, and GNU's long names with their NUL. */
#define PAX_MAX_BYTES (UINT64_C(1) << 20)
#define LONG_MAX_BYTES (CPR_TAR_PATH_MAX_BYTES + UINT64_C(1))
#define RECORD_ROOM 4096u

/* In a block of a sparse file's map: whether there is another one. */
#define MAP_GOES_ON 504u

/* What the next bytes are. */
typedef enum tar_state {
    TAR_HEADER,
    TAR_MAP,    /* of a sparse file, further blocks */
    TAR_RECORD, /* what belongs to a header of type x, X, g, L, K */
    TAR_DATA,   /* of a member that is taken */
    TAR_SKIP,   /* frame up to the next header */
    TAR_END,    /* frame, behind a block of zeros */
    TAR_LOST    /* frame, behind a block that is no header */
} tar_state;

struct cpr_tar {
    cpr_tar_events events;
    bool skeleton;
    cpr_tar_counts counts;
    tar_state state;
    uint64_t left;   /* bytes in that state, not 0; of the last two it says nothing */
    uint64_t behind; /* bytes that are to be skipped behind these */
    uint8_t block[CPR_TAR_BLOCK_BYTES];
    cpr_tar_header header;
    uint8_t *record;
    size_t record_bytes, record_room;
    cpr_tar_notes noted;                   /* of the next member */
    cpr_tar_notes general;                 /* of all members */
    bool is_awaited;                       /* a member, by records before it */
    char path[CPR_TAR_PATH_MAX_BYTES + 1]; /* of the last member that was offered */
    char link[CPR_TAR_PATH_MAX_BYTES + 1];
};

cpr_tar *cpr_tar_create(const cpr_tar_events *events, bool skeleton)
{
    cpr_tar *tar = calloc(1, sizeof *tar);
    if (tar == NULL)
        return NULL;
    tar->events = *events;
    tar->skeleton = skeleton;
    tar->left = CPR_TAR_BLOCK_BYTES;
    return tar;
}

void cpr_tar_free(cpr_tar *tar)
{
    if (tar == NULL)
        return;
    free(tar->record);
    free(tar);
}

const cpr_tar_counts *cpr_tar_count(const cpr_tar *tar)
{
    return &tar->counts;
}

/* ---- what comes next ------------------------------------------------------------------------- */

static uint64_t padding_of(uint64_t bytes)
{
    return (CPR_TAR_BLOCK_BYTES - bytes % CPR_TAR_BLOCK_BYTES) % CPR_TAR_BLOCK_BYTES;
}

/* Goes on with `bytes` bytes of a state, and `behind` that are skipped; the next header follows. */
static void tar_expect(cpr_tar *tar, tar_state state, uint64_t bytes, uint64_t behind)
{
    tar->state = bytes > 0 ? state : TAR_SKIP;
    tar->left = bytes > 0 ? bytes : behind;
    tar->behind = bytes > 0 ? behind : 0;
    if (tar->left == 0) {
        tar->state = TAR_HEADER;
        tar->left = CPR_TAR_BLOCK_BYTES;
    }
}

/* ---- records --------------------------------------------------------------------------------- */

static bool type_is_record(uint8_t type)
{
    return type != '\0' && strchr("xXgLK", type) != NULL;
}

static void tar_finish_record(cpr_tar *tar)
{
    const uint8_t type = tar->header.type;
    if (type == 'L' || type == 'K')
        cpr_tar_notes_add_long(&tar->noted, type, tar->record, tar->record_bytes);
    else
        cpr_tar_notes_add_pax(type == 'g' ? &tar->general : &tar->noted, tar->record,
                              tar->record_bytes);
}

static void tar_begin_record(cpr_tar *tar)
{
    const uint8_t type = tar->header.type;
    const uint64_t bytes = tar->header.bytes;
    const uint64_t most = type == 'L' || type == 'K' ? LONG_MAX_BYTES : PAX_MAX_BYTES;
    cpr_tar_notes *notes = type == 'g' ? &tar->general : &tar->noted;
    tar->is_awaited = tar->is_awaited || type != 'g';
    tar->record_bytes = 0;
    if (bytes > most)
        notes->is_bad = true;
    tar_expect(tar, bytes > most ? TAR_SKIP : TAR_RECORD, bytes, padding_of(bytes));
    if (bytes == 0)
        tar_finish_record(tar);
}

/* Room grows with what is there, not with what a header claims. */
static cpr_status tar_add_record(cpr_tar *tar, const uint8_t *bytes, size_t count, cpr_error *error)
{
    if (count > tar->record_room - tar->record_bytes) {
        size_t room = tar->record_room > 0 ? tar->record_room : RECORD_ROOM;
        while (count > room - tar->record_bytes)
            room *= 2;
        uint8_t *record = realloc(tar->record, room);
        if (record == NULL)
            return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the records of a tar");
        tar->record = record;
        tar->record_room = room;
    }
    memcpy(tar->record + tar->record_bytes, bytes, count);
    tar->record_bytes += count;
    return CPR_OK;
}

/* ---- members --------------------------------------------------------------------------------- */

static bool type_is_regular(uint8_t type)
{
    return type == '0' || type == '\0' || type == '7';
}

/* Links, devices, directories and pipes have none, whatever their size says. */
static bool type_has_data(uint8_t type)
{
    return type < '1' || type > '6';
}

/* What is said of this member alone, of all members, or in the header, which is read to where the
 * first would be. */
static const cpr_tar_text *tar_path(cpr_tar *tar)
{
    if (!tar->noted.path.given && tar->general.path.given)
        return &tar->general.path;
    if (!tar->noted.path.given)
        cpr_tar_header_path(tar->block, &tar->noted.path);
    return &tar->noted.path;
}

static const cpr_tar_text *tar_link(cpr_tar *tar)
{
    if (!tar->noted.link.given && tar->general.link.given)
        return &tar->general.link;
    if (!tar->noted.link.given)
        cpr_tar_header_link(tar->block, &tar->noted.link);
    return &tar->noted.link;
}

/* All but what it is called. */
static void tar_describe(const cpr_tar *tar, cpr_tar_member *member)
{
    const cpr_tar_header *header = &tar->header;
    const cpr_tar_notes *sizes = tar->noted.has_bytes ? &tar->noted : &tar->general;
    const cpr_tar_notes *times = tar->noted.has_mtime ? &tar->noted : &tar->general;
    *member = (cpr_tar_member){
        .path = tar->path,
        .link = "",
        .bytes = sizes->has_bytes ? sizes->bytes : header->bytes,
        .mtime_seconds = times->has_mtime ? times->mtime_seconds : header->mtime_seconds,
        .mtime_nanoseconds = times->has_mtime ? times->mtime_nanoseconds : 0,
        .mode = header->mode,
    };
    if (!type_has_data(header->type))
        member->bytes = 0;
}

/* Completes the member with what it is called; false: it cannot be offered by that. */
static bool tar_name(cpr_tar *tar, cpr_tar_member *member)
{
    const uint8_t type = tar->header.type;
    const cpr_tar_text *path = tar_path(tar);
    /* Before tars had directories, these were files with such a name. */
    const bool is_slashed = path->bytes > 0 && path->text[path->bytes - 1] == '/';
    const bool is_directory = type == '5' || (is_slashed && type_is_regular(type));
    if (!cpr_tar_path_clean(path, tar->path)) {
        tar->counts.unsafe++;
        return false;
    }
    if (tar->path[0] == '\0') { /* "./", the directory that was packed, is no surprise */
        tar->counts.unsafe += !is_directory;
        return false;
    }
    member->type = is_directory ? CPR_FILE_DIRECTORY : CPR_FILE_REGULAR;
    if (type == '2') {
        member->type = CPR_FILE_SYMLINK;
        member->link = tar->link;
    }
    if ((type == '2' && !cpr_tar_link_clean(tar_link(tar), tar->link)) ||
        (is_directory && member->bytes > 0)) {
        tar->counts.unsafe++;
        return false;
    }
    return true;
}

/* Whether the header's member is one for the caller; if not, why is counted. */
static bool tar_is_offered(cpr_tar *tar, cpr_tar_member *member)
{
    const uint8_t type = tar->header.type;
    const bool is_sparse = tar->noted.is_sparse || tar->general.is_sparse;
    if (type == '1')
        tar->counts.hard_links++;
    else if (type == 'S' || (type_is_regular(type) && is_sparse))
        tar->counts.sparse++;
    else if (!type_is_regular(type) && type != '2' && type != '5')
        tar->counts.special++;
    else if (tar->noted.is_bad || tar->general.is_bad)
        tar->counts.unsafe++;
    else
        return tar_name(tar, member);
    return false;
}

static cpr_status tar_begin_member(cpr_tar *tar, cpr_error *error)
{
    cpr_tar_member member;
    bool taken = false;
    cpr_status status = CPR_OK;
    tar_describe(tar, &member);
    const uint64_t bytes = member.bytes;
    const uint64_t padding = padding_of(bytes);
    if (tar_is_offered(tar, &member)) {
        tar->counts.members++;
        if (tar->events.member != NULL)
            status = tar->events.member(tar->events.context, &member, &taken, error);
    }
    cpr_tar_notes_clear(&tar->noted);
    tar->is_awaited = false;
    if (tar->header.is_extended)
        tar_expect(tar, TAR_MAP, CPR_TAR_BLOCK_BYTES, bytes + padding);
    else if (!taken)
        tar_expect(tar, TAR_SKIP, bytes + padding, 0);
    else
        tar_expect(tar, TAR_DATA, tar->skeleton ? 0 : bytes, padding);
    return status;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static cpr_status tar_finish_header(cpr_tar *tar, cpr_error *error)
{
    if (cpr_tar_is_zero(tar->block, sizeof tar->block)) {
        tar->state = TAR_END;
        return CPR_OK;
    }
    if (!cpr_tar_header_read(tar->block, &tar->header)) {
        tar->state = TAR_LOST;
        tar->counts.odd_bytes += sizeof tar->block;
        return CPR_OK;
    }
    if (!type_is_record(tar->header.type))
        return tar_begin_member(tar, error);
    tar_begin_record(tar);
    return CPR_OK;
}

/* What was expected is complete. */
static cpr_status tar_go_on(cpr_tar *tar, cpr_error *error)
{
    switch (tar->state) {
    case TAR_HEADER:
        return tar_finish_header(tar, error);
    case TAR_MAP:
        tar_expect(tar, TAR_MAP, tar->block[MAP_GOES_ON] != 0 ? CPR_TAR_BLOCK_BYTES : 0,
                   tar->behind);
        return CPR_OK;
    case TAR_RECORD:
        tar_finish_record(tar);
        break;
    default:
        break;
    }
    tar_expect(tar, TAR_SKIP, tar->behind, 0);
    return CPR_OK;
}

/* The first `count` bytes of what is expected. */
static cpr_status tar_take(cpr_tar *tar, const uint8_t *bytes, size_t count, cpr_error *error)
{
    const cpr_tar_events *events = &tar->events;
    cpr_status status = CPR_OK;
    if (tar->state == TAR_DATA)
        return events->data == NULL ? CPR_OK : events->data(events->context, bytes, count, error);
    if (tar->state == TAR_HEADER || tar->state == TAR_MAP)
        memcpy(tar->block + CPR_TAR_BLOCK_BYTES - tar->left, bytes, count);
    else if (tar->state == TAR_RECORD)
        status = tar_add_record(tar, bytes, count, error);
    if (status == CPR_OK && events->frame != NULL)
        status = events->frame(events->context, bytes, count, error);
    return status;
}

/* The rest of the input. Zeros at the end are nothing odd. */
static cpr_status tar_take_rest(cpr_tar *tar, const uint8_t *bytes, size_t count, cpr_error *error)
{
    const cpr_tar_events *events = &tar->events;
    size_t zeros = 0;
    if (tar->state == TAR_END && cpr_tar_is_zero(bytes, count))
        zeros = count;
    else if (tar->state == TAR_END)
        while (bytes[zeros] == 0)
            zeros++;
    if (zeros < count)
        tar->state = TAR_LOST;
    tar->counts.odd_bytes += count - zeros;
    return events->frame == NULL ? CPR_OK : events->frame(events->context, bytes, count, error);
}

cpr_status cpr_tar_feed(cpr_tar *tar, const uint8_t *bytes, size_t count, cpr_error *error)
{
    cpr_status status = CPR_OK;
    while (count > 0 && status == CPR_OK) {
        if (tar->state == TAR_END || tar->state == TAR_LOST)
            return tar_take_rest(tar, bytes, count, error);
        const size_t now = count < tar->left ? count : (size_t)tar->left;
        status = tar_take(tar, bytes, now, error);
        bytes += now;
        count -= now;
        tar->left -= now;
        if (status == CPR_OK && tar->left == 0)
            status = tar_go_on(tar, error);
    }
    return status;
}

cpr_status cpr_tar_finish(cpr_tar *tar, cpr_error *error)
{
    char shown[256];
    switch (tar->state) {
    case TAR_END:
    case TAR_LOST:
        return CPR_OK;
    case TAR_HEADER:
        if (!cpr_tar_is_zero(tar->block, CPR_TAR_BLOCK_BYTES - (size_t)tar->left))
            return cpr_fail(error, CPR_ERR_DAMAGED, "the tar ends within a header");
        if (tar->is_awaited)
            return cpr_fail(error, CPR_ERR_DAMAGED, "the tar ends before a member it describes");
        return CPR_OK;
    case TAR_DATA:
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "the tar ends %" PRIu64 " bytes before the end of its member %s", tar->left,
                        cpr_printable_path(tar->path, shown, sizeof shown));
    default:
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "the tar ends %" PRIu64 " bytes before a header or its end",
                        tar->left + tar->behind);
    }
}
