/* input_untar.c - the members of a tar, and which of them become files.
 *
 * A tar may hold what no tree of files can: paths that come twice, files that others lie below.
 * Regular files of the same path all stay, the last one under its own, the others with a mark
 * behind it. What is in the way of others stays in the rest of the tar: of a path either all
 * regular members are files or none is, so that who puts the tar together again can tell by the
 * path. */
#include "input_untar.h"
#include "tar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct untar_member {
    size_t path; /* in the texts; the target follows it */
    uint64_t bytes;
    uint64_t text;
    int64_t mtime_seconds;
    uint32_t mtime_nanoseconds;
    uint16_t mode;
    uint8_t type;
    bool dropped;
    uint32_t mark; /* 0: none */
} untar_member;

struct cpr_untar {
    cpr_tar *tar;
    size_t path_most;
    uint64_t text; /* bytes of the tar so far */
    untar_member *members;
    size_t count;
    size_t capacity;
    char *texts;
    size_t texts_bytes;
    size_t texts_capacity;
    uint64_t too_long;
    uint64_t hidden; /* members that are no files, because others are in their way */
    uint64_t marked;
};

static bool untar_reserve(cpr_untar *u, size_t bytes)
{
    if (u->count == u->capacity) {
        const size_t capacity = u->capacity + u->capacity / 2 + 64;
        untar_member *members = realloc(u->members, capacity * sizeof *members);
        if (members == NULL)
            return false;
        u->members = members;
        u->capacity = capacity;
    }
    if (u->texts_capacity - u->texts_bytes < bytes) {
        const size_t capacity = u->texts_capacity + u->texts_capacity / 2 + bytes + 4096;
        char *texts = realloc(u->texts, capacity);
        if (texts == NULL)
            return false;
        u->texts = texts;
        u->texts_capacity = capacity;
    }
    return true;
}

/* As cpr_tar_events.member. */
static cpr_status untar_member_comes(void *context, const cpr_tar_member *member, bool *taken,
                                     cpr_error *error)
{
    cpr_untar *u = context;
    const size_t path_bytes = strlen(member->path) + 1;
    const size_t link_bytes = strlen(member->link) + 1;
    if (path_bytes > u->path_most) {
        u->too_long++;
        return CPR_OK;
    }
    if (!untar_reserve(u, path_bytes + link_bytes))
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the members of a tar");
    u->members[u->count++] = (untar_member){.path = u->texts_bytes,
                                            .bytes = member->bytes,
                                            .text = u->text,
                                            .mtime_seconds = member->mtime_seconds,
                                            .mtime_nanoseconds = member->mtime_nanoseconds,
                                            .mode = (uint16_t)(member->mode & 07777u),
                                            .type = (uint8_t)member->type};
    memcpy(u->texts + u->texts_bytes, member->path, path_bytes);
    memcpy(u->texts + u->texts_bytes + path_bytes, member->link, link_bytes);
    u->texts_bytes += path_bytes + link_bytes;
    *taken = true;
    return CPR_OK;
}

/* As cpr_tar_events.data and .frame. */
static cpr_status untar_count(void *context, const uint8_t *bytes, size_t count, cpr_error *error)
{
    cpr_untar *u = context;
    (void)bytes;
    (void)error;
    u->text += count;
    return CPR_OK;
}

cpr_untar *cpr_untar_create(size_t path_most)
{
    cpr_untar *u = calloc(1, sizeof *u);
    if (u == NULL)
        return NULL;
    u->path_most = path_most;
    const cpr_tar_events events = {untar_member_comes, untar_count, untar_count, u};
    u->tar = cpr_tar_create(&events, false);
    if (u->tar == NULL) {
        free(u);
        return NULL;
    }
    return u;
}

void cpr_untar_free(cpr_untar *u)
{
    if (u == NULL)
        return;
    cpr_tar_free(u->tar);
    free(u->members);
    free(u->texts);
    free(u);
}

cpr_status cpr_untar_feed(cpr_untar *u, const uint8_t *bytes, size_t count, cpr_error *error)
{
    return cpr_tar_feed(u->tar, bytes, count, error);
}

/* ---- which members become files ------------------------------------------------------------- */

/* The order of paths in which what lies below one follows it at once. */
static int compare_paths(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    const int x = *a == '/' ? 1 : *a == '\0' ? 0 : (unsigned char)*a + 2;
    const int y = *b == '/' ? 1 : *b == '\0' ? 0 : (unsigned char)*b + 2;
    return x - y;
}

/* What sorting is about: a path and the number of its member. */
typedef struct untar_place {
    const char *path;
    size_t member;
} untar_place;

static int compare_places(const void *a, const void *b)
{
    const untar_place *x = a;
    const untar_place *y = b;
    const int order = compare_paths(x->path, y->path);
    return order != 0 ? order : (x->member > y->member) - (x->member < y->member);
}

static bool lies_below(const char *path, const char *folder)
{
    const size_t bytes = strlen(folder);
    return strncmp(path, folder, bytes) == 0 && path[bytes] == '/';
}

/* Whether a path, or something below it, is among the places. */
static bool places_have(const untar_place *places, size_t count, const char *path)
{
    size_t low = 0;
    for (size_t high = count; low < high;) {
        const size_t middle = low + (high - low) / 2;
        if (compare_paths(places[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count &&
           (strcmp(places[low].path, path) == 0 || lies_below(places[low].path, path));
}

static void untar_drop(cpr_untar *u, untar_member *member)
{
    member->dropped = true;
    u->hidden += member->type != CPR_FILE_DIRECTORY;
}

/* Gives an earlier member of a path a mark that makes another path of it. */
static void untar_mark(cpr_untar *u, const untar_place *places, size_t count, const char *path,
                       untar_member *member, uint32_t *mark)
{
    char *marked = malloc(strlen(path) + CPR_UNTAR_MARK_BYTES);
    do {
        (*mark)++;
        if (marked != NULL)
            snprintf(marked, strlen(path) + CPR_UNTAR_MARK_BYTES, "%s~%" PRIu32, path, *mark);
    } while (marked != NULL && places_have(places, count, marked));
    free(marked);
    member->mark = *mark;
    u->marked++;
}

/* Decides about places [first, end), all of one path. */
static void untar_settle_path(cpr_untar *u, const untar_place *places, size_t count, size_t first,
                              size_t end)
{
    const char *path = places[first].path;
    bool directory = end < count && lies_below(places[end].path, path);
    size_t last_regular = SIZE_MAX;
    for (size_t i = first; i < end; i++) {
        const untar_member *member = &u->members[places[i].member];
        directory = directory || member->type == CPR_FILE_DIRECTORY;
        if (member->type == CPR_FILE_REGULAR)
            last_regular = i;
    }
    uint32_t mark = 0;
    bool kept = false; /* the one directory or link */
    for (size_t i = end; i-- > first;) {
        untar_member *member = &u->members[places[i].member];
        const bool regular = member->type == CPR_FILE_REGULAR;
        if (directory ? member->type != CPR_FILE_DIRECTORY || kept
                      : !regular && (kept || last_regular != SIZE_MAX))
            untar_drop(u, member);
        else if (regular && i != last_regular)
            untar_mark(u, places, count, path, member, &mark);
        else
            kept = true;
    }
}

static cpr_status untar_settle(cpr_untar *u, cpr_error *error)
{
    untar_place *places = malloc((u->count + 1) * sizeof *places);
    if (places == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the members of a tar");
    for (size_t i = 0; i < u->count; i++)
        places[i] = (untar_place){u->texts + u->members[i].path, i};
    qsort(places, u->count, sizeof *places, compare_places);
    for (size_t first = 0, end; first < u->count; first = end) {
        end = first + 1;
        while (end < u->count && strcmp(places[end].path, places[first].path) == 0)
            end++;
        untar_settle_path(u, places, u->count, first, end);
    }
    free(places);
    return CPR_OK;
}

bool cpr_untar_is_path_of(const char *row, const char *path)
{
    const size_t bytes = strlen(path);
    if (strncmp(row, path, bytes) != 0)
        return false;
    row += bytes;
    return *row == '\0' ||
           (*row == '~' && row[1] != '\0' && row[1 + strspn(row + 1, "0123456789")] == '\0');
}

/* ---- what comes of it ----------------------------------------------------------------------- */

static void untar_give(const cpr_untar *u, const untar_member *m, cpr_input_writer *writer,
                       char *marked)
{
    const char *path = u->texts + m->path;
    if (m->mark > 0)
        snprintf(marked, u->path_most + CPR_UNTAR_MARK_BYTES, "%s~%" PRIu32, path, m->mark);
    const cpr_input_member member = {.path = m->mark > 0 ? marked : path,
                                     .target = path + strlen(path) + 1,
                                     .bytes = m->bytes,
                                     .text = m->text,
                                     .mtime_seconds = m->mtime_seconds,
                                     .mtime_nanoseconds = m->mtime_nanoseconds,
                                     .mode = m->mode,
                                     .type = (cpr_file_type)m->type};
    cpr_input_writer_member(writer, &member);
}

/* Adds "COUNT WHAT" to a list of such, if there are any. */
static void note_add(char *list, size_t bytes, uint64_t count, const char *one, const char *many)
{
    const size_t used = strlen(list);
    if (count > 0)
        snprintf(list + used, bytes - used, "%s%" PRIu64 " %s", used > 0 ? ", " : "", count,
                 count == 1 ? one : many);
}

/* What is in the tar, and can be had with the whole of it alone; and what got another name. */
static void untar_note(const cpr_untar *u, const char *shown_path, char *note, size_t note_bytes)
{
    const cpr_tar_counts *counts = cpr_tar_count(u->tar);
    char inside[400] = "";
    char marked[160] = "";
    note_add(inside, sizeof inside, counts->hard_links, "hard link", "hard links");
    note_add(inside, sizeof inside, counts->sparse, "sparse file", "sparse files");
    note_add(inside, sizeof inside, counts->special, "device, pipe or special member",
             "devices, pipes or special members");
    note_add(inside, sizeof inside, counts->unsafe, "unsafe path", "unsafe paths");
    note_add(inside, sizeof inside, u->too_long, "path that is too long",
             "paths that are too long");
    note_add(inside, sizeof inside, u->hidden, "member in the way of others",
             "members in the way of others");
    note_add(inside, sizeof inside, counts->odd_bytes, "byte behind the end",
             "bytes behind the end");
    note_add(marked, sizeof marked, u->marked, "earlier file of a path that comes again is named",
             "earlier files of paths that come again are named");
    note[0] = '\0';
    if (inside[0] != '\0' || marked[0] != '\0')
        snprintf(note, note_bytes, "of the tar \"%s\"%s%s%s%s%s", shown_path,
                 inside[0] != '\0' ? " this comes back with --tar only: " : "", inside,
                 inside[0] != '\0' && marked[0] != '\0' ? "; "
                 : marked[0] != '\0'                    ? " "
                                                        : "",
                 marked, marked[0] != '\0' ? " PATH~1 and so on" : "");
}

cpr_status cpr_untar_finish(cpr_untar *u, cpr_input_writer *writer, const char *shown_path,
                            char *note, size_t note_bytes, cpr_error *error)
{
    cpr_status status = cpr_tar_finish(u->tar, error);
    if (status == CPR_OK)
        status = untar_settle(u, error);
    char *marked = malloc(u->path_most + CPR_UNTAR_MARK_BYTES);
    if (status == CPR_OK && marked == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the members of a tar");
    for (size_t i = 0; status == CPR_OK && i < u->count; i++)
        if (!u->members[i].dropped)
            untar_give(u, &u->members[i], writer, marked);
    free(marked);
    if (status == CPR_OK)
        untar_note(u, shown_path, note, note_bytes);
    return status;
}
