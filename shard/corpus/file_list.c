/* file_list.c - the files of a corpus, kept small: all paths in one block, 40 bytes and a hash slot
 * of 4 for each file beside them. */
#include "file_list.h"
#include "file_io.h"
#include "origins.h"
#include "stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <xxhash.h>

typedef struct entry {
    uint64_t path;   /* where its source path starts in the paths; a link's target follows it, or a
                        stream's member path */
    uint64_t offset; /* of its bytes in the corpus; the next one's offset is its end */
    int64_t mtime_seconds;
    uint32_t mtime_nanoseconds;
    uint32_t skip; /* the member path is the source path without its first `skip` bytes */
    uint32_t change;
    unsigned mode : 12;
    unsigned type : 2;
    unsigned documents : 2;
    unsigned through_link : 1;
} entry;

/* What can be read only once, and is being read for this list. */
typedef struct claim {
    dev_t device;
    ino_t inode;
    bool standard; /* standard input, whatever it is */
} claim;

struct cpr_file_list {
    entry *entries;
    size_t count;
    size_t capacity;
    char *paths;
    size_t paths_bytes;
    size_t paths_capacity;
    uint32_t *slots;   /* open addressing by member path: index + 1, or 0 */
    size_t slot_count; /* a power of two, or 0 */
    uint64_t bytes;
    uint64_t *streams; /* indices of those that the list names */
    bool *read_streams;
    size_t stream_count;
    claim *claims;
    size_t claim_count;
    uint64_t *noted_links;
    size_t noted_link_count;
    uint8_t *separator; /* NULL: none */
    size_t separator_bytes;
    cpr_origins origins;
    cpr_decoding decoding;
    char *text_column; /* of it */
};

cpr_file_list *cpr_file_list_create(void)
{
    return calloc(1, sizeof(cpr_file_list));
}

void cpr_file_list_free(cpr_file_list *list)
{
    if (list == NULL)
        return;
    free(list->entries);
    free(list->paths);
    free(list->slots);
    free(list->streams);
    free(list->read_streams);
    free(list->claims);
    free(list->noted_links);
    free(list->separator);
    cpr_origins_free(&list->origins);
    free(list->text_column);
    free(list);
}

uint64_t cpr_file_list_count(const cpr_file_list *list)
{
    return list->count;
}

uint64_t cpr_file_list_bytes(const cpr_file_list *list)
{
    return list->bytes;
}

uint64_t cpr_file_list_offset(const cpr_file_list *list, uint64_t i)
{
    return i < list->count ? list->entries[i].offset : list->bytes;
}

cpr_file cpr_file_list_get(const cpr_file_list *list, uint64_t i)
{
    assert(i < list->count);
    const entry *e = &list->entries[i];
    const cpr_file file = {
        .bytes = cpr_file_list_offset(list, i + 1) - e->offset,
        .mtime_seconds = e->mtime_seconds,
        .mtime_nanoseconds = e->mtime_nanoseconds,
        .change = e->change,
        .mode = e->mode,
        .type = (cpr_file_type)e->type,
        .documents = (cpr_document_rule)e->documents,
        .through_link = e->through_link,
    };
    return file;
}

const char *cpr_file_list_source(const cpr_file_list *list, uint64_t i)
{
    assert(i < list->count);
    const cpr_piece *piece = cpr_file_list_piece(list, i);
    if (piece != NULL)
        return cpr_origins_get(&list->origins, piece->origin).source;
    return list->paths + list->entries[i].path;
}

const char *cpr_file_list_member(const cpr_file_list *list, uint64_t i)
{
    assert(i < list->count);
    return list->paths + list->entries[i].path + list->entries[i].skip;
}

const char *cpr_file_list_link_target(const cpr_file_list *list, uint64_t i)
{
    assert(i < list->count);
    if (list->entries[i].type != CPR_FILE_SYMLINK)
        return "";
    const char *source = list->paths + list->entries[i].path;
    return source + strlen(source) + 1;
}

uint64_t cpr_file_list_find(const cpr_file_list *list, uint64_t offset)
{
    assert(offset < cpr_file_list_bytes(list));
    /* The last entry that starts at or before `offset`: entries without bytes come before it. */
    size_t low = 0;
    size_t high = list->count;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (list->entries[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    /* Entries without bytes behind it share the end of the corpus only, which offset is below. */
    return low;
}

/* The slot that holds a member path, or the empty one where it would go. */
static size_t find_slot(const cpr_file_list *list, const char *member)
{
    const size_t mask = list->slot_count - 1;
    size_t slot = (size_t)XXH3_64bits(member, strlen(member)) & mask;
    while (list->slots[slot] != 0 &&
           strcmp(cpr_file_list_member(list, list->slots[slot] - 1), member) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

uint64_t cpr_file_list_lookup(const cpr_file_list *list, const char *member)
{
    if (list->slot_count == 0)
        return UINT64_MAX;
    const uint32_t found = list->slots[find_slot(list, member)];
    return found == 0 ? UINT64_MAX : found - 1;
}

static bool grow_slots(cpr_file_list *list)
{
    const size_t wanted = list->slot_count == 0 ? 64 : 2 * list->slot_count;
    uint32_t *slots = calloc(wanted, sizeof *slots);
    if (slots == NULL)
        return false;
    free(list->slots);
    list->slots = slots;
    list->slot_count = wanted;
    for (size_t i = 0; i < list->count; i++)
        slots[find_slot(list, cpr_file_list_member(list, i))] = (uint32_t)i + 1;
    return true;
}

/* Makes room for one more entry with `bytes` of paths. */
static bool reserve(cpr_file_list *list, size_t bytes)
{
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity + list->capacity / 2 + 16;
        entry *entries = realloc(list->entries, capacity * sizeof *entries);
        if (entries == NULL)
            return false;
        list->entries = entries;
        list->capacity = capacity;
    }
    if (list->paths_capacity - list->paths_bytes < bytes) {
        const size_t capacity = list->paths_capacity + list->paths_capacity / 2 + bytes + 1024;
        char *paths = realloc(list->paths, capacity);
        if (paths == NULL)
            return false;
        list->paths = paths;
        list->paths_capacity = capacity;
    }
    /* At most two thirds full. */
    return list->slot_count > list->count + list->count / 2 || grow_slots(list);
}

bool cpr_file_list_reserve(cpr_file_list *list, size_t count, size_t bytes)
{
    if (count > SIZE_MAX / sizeof(entry) - list->count || bytes > SIZE_MAX - list->paths_bytes)
        return false;
    const size_t capacity = list->count + count;
    const size_t paths_capacity = list->paths_bytes + bytes;
    if (capacity > list->capacity) {
        entry *entries = realloc(list->entries, capacity * sizeof *entries);
        if (entries == NULL)
            return false;
        list->entries = entries;
        list->capacity = capacity;
    }
    if (paths_capacity > list->paths_capacity) {
        char *paths = realloc(list->paths, paths_capacity);
        if (paths == NULL)
            return false;
        list->paths = paths;
        list->paths_capacity = paths_capacity;
    }
    return true;
}

cpr_status cpr_file_list_append(cpr_file_list *list, const char *source, size_t skip,
                                const cpr_file *file, const char *link_target, uint64_t *known,
                                cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    size_t source_bytes = strlen(source) + 1;
    if (skip == source_bytes)
        source_bytes += strlen(source + skip) + 1;
    const bool is_link = file->type == CPR_FILE_SYMLINK;
    const size_t target_bytes = is_link ? strlen(link_target) + 1 : 0;
    *known = UINT64_MAX;
    if (source_bytes > 2 * CPR_PATH_MAX_BYTES || strlen(source) >= CPR_PATH_MAX_BYTES ||
        target_bytes > CPR_PATH_MAX_BYTES)
        return cpr_fail(error, CPR_ERR_USAGE, "a path is longer than %zu bytes: \"%s\"",
                        CPR_PATH_MAX_BYTES, cpr_printable_path(source, shown, sizeof shown));
    if (list->count >= UINT32_MAX - 1 || file->bytes > INT64_MAX - list->bytes)
        return cpr_fail(error, CPR_ERR_USAGE, "the corpus is too large at \"%s\"",
                        cpr_printable_path(source, shown, sizeof shown));
    if (!reserve(list, source_bytes + target_bytes))
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the list of %zu files",
                        list->count);
    const size_t slot = find_slot(list, source + skip);
    if (list->slots[slot] != 0) {
        *known = list->slots[slot] - 1;
        return CPR_OK;
    }
    entry *e = &list->entries[list->count];
    *e = (entry){
        .path = list->paths_bytes,
        .offset = list->bytes,
        .mtime_seconds = file->mtime_seconds,
        .mtime_nanoseconds = file->mtime_nanoseconds,
        .skip = (uint32_t)skip,
        .change = file->change,
        .mode = file->mode & 07777u,
        .type = (unsigned)file->type & 3u,
        .documents = (unsigned)file->documents & 3u,
        .through_link = file->through_link,
    };
    memcpy(list->paths + list->paths_bytes, source, source_bytes);
    if (is_link)
        memcpy(list->paths + list->paths_bytes + source_bytes, link_target, target_bytes);
    list->paths_bytes += source_bytes + target_bytes;
    list->bytes += file->bytes;
    list->slots[slot] = (uint32_t)++list->count;
    return CPR_OK;
}

bool cpr_member_path_is_safe(const char *member)
{
    for (const char *start = member;; start++) {
        const size_t length = strcspn(start, "/");
        if (length == 0 || (length == 1 && start[0] == '.') ||
            (length == 2 && start[0] == '.' && start[1] == '.'))
            return false;
        start += length;
        if (*start == '\0')
            return true;
    }
}

/* ---- streams -------------------------------------------------------------------------------- */

bool cpr_file_list_claim(cpr_file_list *list, const char *path, const struct stat *facts)
{
    const bool standard = cpr_stream_descriptor(path) == STDIN_FILENO;
    const bool once = !S_ISREG(facts->st_mode) && !S_ISDIR(facts->st_mode);
    for (size_t i = 0; i < list->claim_count; i++) {
        const claim *c = &list->claims[i];
        if ((standard && c->standard) ||
            (once && c->device == facts->st_dev && c->inode == facts->st_ino))
            return false;
    }
    if (!standard && !once)
        return true;
    claim *claims = realloc(list->claims, (list->claim_count + 1) * sizeof *claims);
    if (claims == NULL)
        return true; /* what comes next will fail for it */
    list->claims = claims;
    claims[list->claim_count++] = (claim){facts->st_dev, facts->st_ino, standard};
    return true;
}

/* "SOURCE", NUL, "MEMBER", malloc()ed. */
static char *join_stream(const char *source, const char *member)
{
    const size_t source_bytes = strlen(source) + 1;
    const size_t member_bytes = strlen(member) + 1;
    char *both = malloc(source_bytes + member_bytes);
    if (both != NULL) {
        memcpy(both, source, source_bytes);
        memcpy(both + source_bytes, member, member_bytes);
    }
    return both;
}

cpr_status cpr_file_list_append_stream(cpr_file_list *list, const char *path, const char *member,
                                       cpr_error *error)
{
    const cpr_file file = {.mode = 0644, .type = CPR_FILE_REGULAR};
    char a[CPR_SHOWN_BYTES / 2];
    char b[CPR_SHOWN_BYTES / 2];
    uint64_t known;
    char *both = join_stream(path, member);
    uint64_t *streams = realloc(list->streams, (list->stream_count + 1) * sizeof *streams);
    if (streams != NULL)
        list->streams = streams;
    bool *read_streams = realloc(list->read_streams, list->stream_count + 1);
    if (read_streams != NULL)
        list->read_streams = read_streams;
    if (both == NULL || streams == NULL || read_streams == NULL) {
        free(both);
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the list of files");
    }
    const cpr_status status =
        cpr_file_list_append(list, both, strlen(path) + 1, &file, NULL, &known, error);
    free(both);
    if (status != CPR_OK)
        return status;
    if (known != UINT64_MAX)
        return cpr_fail(error, CPR_ERR_USAGE,
                        "\"%s\" and \"%s\" would have the same path in the archive; name the first "
                        "one with --stdin-name",
                        cpr_printable_path(cpr_stream_title(path), a, sizeof a),
                        cpr_printable_path(cpr_file_list_source(list, known), b, sizeof b));
    read_streams[list->stream_count] = false;
    streams[list->stream_count++] = list->count - 1;
    return CPR_OK;
}

void cpr_file_list_note_link(cpr_file_list *list, uint64_t i)
{
    uint64_t *links = realloc(list->noted_links, (list->noted_link_count + 1) * sizeof *links);
    if (links == NULL)
        return;
    list->noted_links = links;
    links[list->noted_link_count++] = i;
}

size_t cpr_file_list_noted_links(const cpr_file_list *list)
{
    return list->noted_link_count;
}

uint64_t cpr_file_list_noted_link(const cpr_file_list *list, size_t i)
{
    return list->noted_links[i];
}

size_t cpr_file_list_streams(const cpr_file_list *list)
{
    return list->stream_count;
}

uint64_t cpr_file_list_stream_file(const cpr_file_list *list, size_t i)
{
    return list->streams[i];
}

bool cpr_file_list_stream_is_read(const cpr_file_list *list, size_t i)
{
    return list->read_streams[i];
}

cpr_status cpr_file_list_set_stream(cpr_file_list *list, size_t i, const char *source,
                                    uint64_t bytes, cpr_error *error)
{
    entry *e = &list->entries[list->streams[i]];
    const uint64_t before = cpr_file_list_get(list, list->streams[i]).bytes;
    if (bytes > INT64_MAX - (list->bytes - before))
        return cpr_fail(error, CPR_ERR_USAGE, "the corpus is too large");
    if (source != NULL) {
        const size_t source_bytes = strlen(source) + 1;
        const size_t member_bytes = strlen(list->paths + e->path + e->skip) + 1;
        if (!reserve(list, source_bytes + member_bytes))
            return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the list of files");
        e = &list->entries[list->streams[i]];
        char *out = list->paths + list->paths_bytes;
        memcpy(out, source, source_bytes);
        memcpy(out + source_bytes, list->paths + e->path + e->skip, member_bytes);
        e->path = list->paths_bytes;
        e->skip = (uint32_t)source_bytes;
        list->paths_bytes += source_bytes + member_bytes;
        list->read_streams[i] = true;
    }
    for (size_t f = (size_t)list->streams[i] + 1; f < list->count; f++)
        list->entries[f].offset += bytes - before;
    list->bytes += bytes - before;
    return CPR_OK;
}

/* ---- documents ------------------------------------------------------------------------------ */

/* What file names end with that hold a document in each line. */
static const char *const line_endings[] = {".jsonl", ".ndjson", ".jsonlines", ".ldjson", NULL};

static bool has_lines(const char *member)
{
    const size_t length = strlen(member);
    for (const char *const *ending = line_endings; *ending != NULL; ending++) {
        const size_t bytes = strlen(*ending);
        if (length > bytes && strcasecmp(member + length - bytes, *ending) == 0)
            return true;
    }
    return false;
}

cpr_document_rule cpr_document_choice_rule(const cpr_document_choice *choice, const char *name)
{
    if (!choice->by_name)
        return choice->rule;
    return has_lines(name) ? CPR_DOCUMENTS_LINE : CPR_DOCUMENTS_FILE;
}

cpr_status cpr_file_list_set_separator(cpr_file_list *list, const uint8_t *separator, size_t bytes,
                                       cpr_error *error)
{
    assert(bytes <= CPR_SEPARATOR_MAX_BYTES);
    free(list->separator);
    list->separator = NULL;
    list->separator_bytes = 0;
    if (bytes == 0)
        return CPR_OK;
    list->separator = malloc(bytes);
    if (list->separator == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the list of files");
    memcpy(list->separator, separator, bytes);
    list->separator_bytes = bytes;
    return CPR_OK;
}

const uint8_t *cpr_file_list_separator(const cpr_file_list *list, size_t *bytes)
{
    *bytes = list->separator_bytes;
    return list->separator;
}

void cpr_file_list_set_rule(cpr_file_list *list, uint64_t i, cpr_document_rule rule)
{
    assert(i < list->count);
    list->entries[i].documents = (unsigned)rule & 3u;
}

/* The rule of a file's documents. A decoded text may have the name of what it was decoded from. */
static cpr_status list_choose_rule(cpr_file_list *list, uint64_t i,
                                   const cpr_document_choice *choice, cpr_error *error)
{
    const char *member = cpr_file_list_member(list, i);
    cpr_document_rule rule = CPR_DOCUMENTS_FILE;
    if (list->entries[i].type == CPR_FILE_REGULAR && !cpr_file_list_is_rest(list, i)) {
        char *name =
            cpr_file_list_piece(list, i) != NULL ? cpr_file_list_text_name(member) : strdup(member);
        if (name == NULL)
            return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the list of files");
        rule = cpr_document_choice_rule(choice, name);
        free(name);
    }
    cpr_file_list_set_rule(list, i, rule);
    return CPR_OK;
}

cpr_status cpr_file_list_set_documents(cpr_file_list *list, const cpr_document_choice *choice,
                                       cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (uint64_t i = 0; status == CPR_OK && i < list->count; i++)
        status = list_choose_rule(list, i, choice, error);
    return status == CPR_OK ? cpr_file_list_set_separator(list, choice->separator,
                                                          choice->separator_bytes, error)
                            : status;
}

bool cpr_file_list_has_rule(const cpr_file_list *list, cpr_document_rule rule)
{
    for (uint64_t i = 0; i < list->count; i++)
        if (list->entries[i].documents == rule)
            return true;
    return false;
}

/* ---- origins -------------------------------------------------------------------------------- */

uint64_t cpr_file_list_origins(const cpr_file_list *list)
{
    return list->origins.count;
}

cpr_origin cpr_file_list_origin(const cpr_file_list *list, uint64_t i)
{
    return cpr_origins_get(&list->origins, i);
}

const cpr_piece *cpr_file_list_piece(const cpr_file_list *list, uint64_t i)
{
    return list->origins.piece_count > 0 ? cpr_origins_piece(&list->origins, i) : NULL;
}

bool cpr_file_list_is_rest(const cpr_file_list *list, uint64_t i)
{
    const cpr_piece *piece = cpr_file_list_piece(list, i);
    return piece != NULL && piece->rest;
}

static cpr_status origin_no_memory(cpr_error *error)
{
    return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the list of files");
}

cpr_status cpr_file_list_add_origin(cpr_file_list *list, const cpr_origin *origin, cpr_error *error)
{
    return cpr_origins_add(&list->origins, origin, list->count) ? CPR_OK : origin_no_memory(error);
}

cpr_status cpr_file_list_note_origin(cpr_file_list *list, const cpr_origin *origin,
                                     cpr_error *error)
{
    const cpr_piece piece = {.file = origin->first + origin->files - 1,
                             .origin = (uint32_t)list->origins.count,
                             .rest = origin->is_tar};
    if (!cpr_origins_add(&list->origins, origin, origin->first))
        return origin_no_memory(error);
    cpr_origins_end(&list->origins, origin->first + origin->files);
    return cpr_origins_add_piece(&list->origins, &piece) ? CPR_OK : origin_no_memory(error);
}

cpr_status cpr_file_list_append_piece(cpr_file_list *list, const char *member, const cpr_file *file,
                                      uint64_t text, bool rest, uint64_t *known, cpr_error *error)
{
    const cpr_status status = cpr_file_list_append(list, member, 0, file, NULL, known, error);
    if (status != CPR_OK || *known != UINT64_MAX)
        return status;
    const cpr_piece piece = {.file = list->count - 1,
                             .text = text,
                             .origin = (uint32_t)list->origins.count - 1,
                             .rest = rest};
    return cpr_origins_add_piece(&list->origins, &piece) ? CPR_OK : origin_no_memory(error);
}

cpr_status cpr_file_list_set_decoding(cpr_file_list *list, const cpr_decoding *how,
                                      cpr_error *error)
{
    free(list->text_column);
    list->text_column = how->text_column != NULL ? strdup(how->text_column) : NULL;
    list->decoding = *how;
    list->decoding.text_column = list->text_column;
    return how->text_column == NULL || list->text_column != NULL ? CPR_OK : origin_no_memory(error);
}

const cpr_decoding *cpr_file_list_decoding(const cpr_file_list *list)
{
    return &list->decoding;
}

void cpr_file_list_end_origin(cpr_file_list *list)
{
    cpr_origins_end(&list->origins, list->count);
}

/* ---- for another rank ------------------------------------------------------------------------
 * Count, bytes of paths, bytes of the separator, bytes of origins; then 44 bytes a file; the paths;
 * the separator; the origins, if there are any. */

#define PACKED_HEAD 32
#define PACKED_ENTRY 44
/* beside the type */
#define PACKED_THROUGH_LINK 256u
#define PACKED_DOCUMENTS_SHIFT 9
#define PACKED_TYPE 255u

uint8_t *cpr_file_list_pack(const cpr_file_list *list, size_t *bytes)
{
    const size_t origins_bytes =
        list->origins.count > 0 ? cpr_origins_packed_bytes(&list->origins) : 0;
    *bytes = PACKED_HEAD + PACKED_ENTRY * list->count + list->paths_bytes + list->separator_bytes +
             origins_bytes;
    uint8_t *packed = malloc(*bytes);
    if (packed == NULL)
        return NULL;
    cpr_put64(packed, list->count);
    cpr_put64(packed + 8, list->paths_bytes);
    cpr_put64(packed + 16, list->separator_bytes);
    cpr_put64(packed + 24, origins_bytes);
    uint8_t *out = packed + PACKED_HEAD;
    for (size_t i = 0; i < list->count; i++, out += PACKED_ENTRY) {
        const cpr_file file = cpr_file_list_get(list, i);
        cpr_put64(out, list->entries[i].path);
        cpr_put64(out + 8, file.bytes);
        cpr_put64(out + 16, (uint64_t)file.mtime_seconds);
        cpr_put32(out + 24, file.mtime_nanoseconds);
        cpr_put32(out + 28, list->entries[i].skip);
        cpr_put32(out + 32, file.mode);
        cpr_put32(out + 36, (uint32_t)file.type | (file.through_link ? PACKED_THROUGH_LINK : 0) |
                                (uint32_t)file.documents << PACKED_DOCUMENTS_SHIFT);
        cpr_put32(out + 40, file.change);
    }
    if (list->paths_bytes > 0)
        memcpy(out, list->paths, list->paths_bytes);
    if (list->separator_bytes > 0)
        memcpy(out + list->paths_bytes, list->separator, list->separator_bytes);
    if (origins_bytes > 0)
        cpr_origins_pack(&list->origins, out + list->paths_bytes + list->separator_bytes);
    return packed;
}

/* Appends the packed entry at `in`; false if it makes no sense. */
static bool unpack_entry(cpr_file_list *list, const uint8_t *in, const char *paths,
                         size_t paths_bytes, cpr_status *status, cpr_error *error)
{
    const uint64_t path = cpr_get64(in);
    const uint32_t kind = cpr_get32(in + 36);
    const cpr_file file = {
        .bytes = cpr_get64(in + 8),
        .mtime_seconds = (int64_t)cpr_get64(in + 16),
        .mtime_nanoseconds = cpr_get32(in + 24),
        .mode = cpr_get32(in + 32),
        .type = (cpr_file_type)(kind & PACKED_TYPE),
        .documents = (cpr_document_rule)(kind >> PACKED_DOCUMENTS_SHIFT),
        .through_link = (kind & PACKED_THROUGH_LINK) != 0,
        .change = cpr_get32(in + 40),
    };
    const uint32_t skip = cpr_get32(in + 28);
    if (path >= paths_bytes || (kind & PACKED_TYPE) > CPR_FILE_SYMLINK ||
        kind >> PACKED_DOCUMENTS_SHIFT > CPR_DOCUMENTS_SEPARATOR)
        return false;
    /* The paths end in a NUL (checked by the caller), so every string ends in time. */
    const size_t length = strlen(paths + path);
    const bool more = file.type == CPR_FILE_SYMLINK || skip == length + 1;
    if (skip > length + (file.type == CPR_FILE_REGULAR) ||
        (more && path + length + 1 >= paths_bytes))
        return false;
    const char *target = file.type == CPR_FILE_SYMLINK ? paths + path + length + 1 : "";
    uint64_t known;
    *status = cpr_file_list_append(list, paths + path, skip, &file, target, &known, error);
    return *status != CPR_OK || known == UINT64_MAX;
}

cpr_status cpr_file_list_unpack(const uint8_t *packed, size_t bytes, cpr_file_list **list,
                                cpr_error *error)
{
    *list = NULL;
    if (bytes < PACKED_HEAD)
        goto damaged;
    const uint64_t count = cpr_get64(packed);
    const uint64_t paths_bytes = cpr_get64(packed + 8);
    const uint64_t separator_bytes = cpr_get64(packed + 16);
    const uint64_t origins_bytes = cpr_get64(packed + 24);
    if (origins_bytes > bytes - PACKED_HEAD)
        goto damaged;
    const size_t rest = bytes - PACKED_HEAD - (size_t)origins_bytes;
    const uint8_t *origins = packed + bytes - (size_t)origins_bytes;
    if (count > rest / PACKED_ENTRY || separator_bytes > CPR_SEPARATOR_MAX_BYTES ||
        separator_bytes > rest - PACKED_ENTRY * count ||
        paths_bytes != rest - PACKED_ENTRY * count - separator_bytes ||
        (count > 0 && (paths_bytes == 0 || origins[-(ptrdiff_t)separator_bytes - 1] != 0)))
        goto damaged;
    const char *paths = (const char *)packed + PACKED_HEAD + PACKED_ENTRY * count;
    cpr_status status = CPR_OK;
    *list = cpr_file_list_create();
    if (*list == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the list of files");
    for (uint64_t i = 0; status == CPR_OK && i < count; i++)
        if (!unpack_entry(*list, packed + PACKED_HEAD + PACKED_ENTRY * i, paths,
                          (size_t)paths_bytes, &status, error))
            goto damaged;
    if (status == CPR_OK)
        status = cpr_file_list_set_separator(*list, origins - separator_bytes,
                                             (size_t)separator_bytes, error);
    if (status == CPR_OK && origins_bytes > 0)
        status =
            cpr_origins_unpack(&(*list)->origins, origins, (size_t)origins_bytes, count, error);
    if (status == CPR_ERR_DAMAGED)
        goto damaged;
    if (status == CPR_ERR_USAGE) /* no list that was packed has such an entry */
        goto damaged;
    if (status == CPR_OK && separator_bytes == 0 &&
        cpr_file_list_has_rule(*list, CPR_DOCUMENTS_SEPARATOR))
        goto damaged;
    if (status != CPR_OK) {
        cpr_file_list_free(*list);
        *list = NULL;
    }
    return status;

damaged:
    cpr_file_list_free(*list);
    *list = NULL;
    return cpr_fail(error, CPR_ERR_DAMAGED, "a packed list of files contradicts itself");
}
