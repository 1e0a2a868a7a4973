/* documents.c - counts where documents begin, and finds them again by these counts. */
#include "documents.h"
#include "file_io.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- choice ---------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    if (found == NULL)
        return -1;
    return (int)(found - digits) < 16 ? (int)(found - digits) : (int)(found - digits) - 6;
}

/* Reads one byte of a separator's text, and moves *text behind it. False: no such escape. */
static bool parse_byte(const char **text, uint8_t *byte)
{
    const char *t = *text;
    *byte = (uint8_t)*t;
    *text += 1;
    if (*t != '\\')
        return true;
    *text += 1;
    if (t[1] == 'x') {
        const int high = hex_digit(t[2]);
        const int low = high >= 0 ? hex_digit(t[3]) : -1;
        *byte = (uint8_t)(16 * high + low);
        *text += 2;
        return low >= 0;
    }
    *byte = t[1] == 'n' ? '\n' : t[1] == 't' ? '\t' : '\\';
    return t[1] == 'n' || t[1] == 't' || t[1] == '\\';
}

cpr_status cpr_document_choice_parse(const char *text, cpr_document_choice *choice,
                                     cpr_error *error)
{
    static const char separator[] = "separator:";
    char shown[CPR_SHOWN_BYTES];
    *choice = (cpr_document_choice){.by_name = text == NULL};
    if (text == NULL || strcmp(text, "file") == 0)
        return CPR_OK;
    choice->rule = CPR_DOCUMENTS_LINE;
    if (strcmp(text, "line") == 0)
        return CPR_OK;
    choice->rule = CPR_DOCUMENTS_SEPARATOR;
    bool good = strncmp(text, separator, strlen(separator)) == 0 && text[strlen(separator)] != '\0';
    for (const char *t = good ? text + strlen(separator) : ""; good && *t != '\0';) {
        uint8_t byte;
        good = choice->separator_bytes < CPR_SEPARATOR_MAX_BYTES && parse_byte(&t, &byte);
        if (good)
            choice->separator[choice->separator_bytes++] = byte;
    }
    if (good)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_USAGE,
                    "documents are 'line', 'file' or 'separator:TEXT', with TEXT of 1 to %u bytes, "
                    "and \\n, \\t, \\\\ or \\xHH in it; not '%s'",
                    CPR_SEPARATOR_MAX_BYTES, cpr_printable_text(text, shown, sizeof shown));
}

/* ---- separators ------------------------------------------------------------------------------ */

void cpr_separator_set(cpr_separator *separator, const uint8_t *text, size_t bytes)
{
    *separator = (cpr_separator){.text = text, .bytes = bytes};
    /* The failure function of Knuth, Morris and Pratt (1977). */
    size_t state = 0;
    for (size_t i = 1; i < separator->bytes; i++) {
        while (state > 0 && separator->text[state] != separator->text[i])
            state = separator->fall[state];
        state += separator->text[state] == separator->text[i];
        separator->fall[i + 1] = (uint8_t)state;
    }
}

void cpr_separator_init(cpr_separator *separator, const cpr_file_list *files,
                        cpr_document_rule rule)
{
    static const uint8_t line_feed[] = {'\n'};
    const uint8_t *text = line_feed;
    size_t bytes = rule == CPR_DOCUMENTS_LINE ? 1 : 0;
    if (rule == CPR_DOCUMENTS_SEPARATOR)
        text = cpr_file_list_separator(files, &bytes);
    cpr_separator_set(separator, text, bytes);
}

/* ---- segments -------------------------------------------------------------------------------- */

void cpr_segments_init(cpr_segments *segments, const cpr_file_list *files, uint64_t start,
                       uint64_t end)
{
    *segments = (cpr_segments){.files = files, .start = start, .end = end, .at = start};
    if (start < end)
        segments->file = cpr_file_list_find(files, start);
}

bool cpr_segments_next(cpr_segments *segments, cpr_segment *segment)
{
    if (segments->at >= segments->end)
        return false;
    while (cpr_file_list_offset(segments->files, segments->file + 1) <= segments->at)
        segments->file++;
    const cpr_document_rule rule = cpr_file_list_get(segments->files, segments->file).documents;
    uint64_t end = cpr_file_list_offset(segments->files, segments->file + 1);
    if (end > segments->end)
        end = segments->end;
    const uint64_t into = (segments->at - segments->start) % CPR_SEGMENT_BYTES;
    if (rule != CPR_DOCUMENTS_FILE && end - segments->at > CPR_SEGMENT_BYTES - into)
        end = segments->at + CPR_SEGMENT_BYTES - into;
    *segment = (cpr_segment){
        .offset = segments->at,
        .bytes = end - segments->at,
        .file = segments->file,
        .rule = rule,
        .at_start = segments->at == cpr_file_list_offset(segments->files, segments->file) &&
                    !cpr_file_list_is_rest(segments->files, segments->file),
    };
    segments->at = end;
    return true;
}

/* ---- packed counts --------------------------------------------------------------------------
 * Numbers in LEB128: 2 * (n - 1) for a segment in which n > 0 documents begin, 2 * (n - 1) + 1 for
 * n segments one after the other in which none does. */

/* The counts of one shard. */
typedef struct unpacker {
    const uint8_t *next;
    const uint8_t *end;
    uint64_t empty; /* segments to come */
} unpacker;

/* Reads a number of at most 63 bits. */
static bool unpack_number(unpacker *u, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 63 && u->next < u->end; shift += 7) {
        const uint8_t byte = *u->next++;
        *number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return byte > 0 || shift == 0; /* one way to write a number */
    }
    return false;
}

/* The documents that begin in the next segment. */
static bool unpack_count(unpacker *u, uint64_t *count)
{
    uint64_t number;
    *count = 0;
    if (u->empty > 0) {
        u->empty--;
        return true;
    }
    if (!unpack_number(u, &number))
        return false;
    if (number % 2 == 1)
        u->empty = number / 2;
    else
        *count = number / 2 + 1;
    return true;
}

/* The documents that begin in a segment, for which there is a count if they are not files. */
static bool segment_count(unpacker *u, const cpr_segment *segment, uint64_t *count)
{
    *count = segment->at_start;
    return segment->rule == CPR_DOCUMENTS_FILE || unpack_count(u, count);
}

/* ---- counter --------------------------------------------------------------------------------- */

struct cpr_document_counter {
    const cpr_file_list *files;
    cpr_segments segments;
    cpr_segment segment; /* in work */
    uint64_t left;       /* bytes of it that are to come */
    uint64_t count;      /* documents that have begun in it */
    uint64_t empty;      /* segments before it in which none has, and which are not packed */
    cpr_separator separator;
    cpr_document_rule rule; /* whose separator that is */
    size_t state;
    uint8_t *packed;
    size_t bytes;
    size_t room;
    bool no_memory;
};

cpr_document_counter *cpr_document_counter_create(const cpr_file_list *files)
{
    cpr_document_counter *counter = calloc(1, sizeof *counter);
    if (counter == NULL)
        return NULL;
    counter->files = files;
    cpr_separator_init(&counter->separator, files, CPR_DOCUMENTS_FILE);
    return counter;
}

void cpr_document_counter_free(cpr_document_counter *counter)
{
    if (counter == NULL)
        return;
    free(counter->packed);
    free(counter);
}

static void pack_number(cpr_document_counter *c, uint64_t number)
{
    if (c->room - c->bytes < 10) {
        const size_t room = 2 * c->room + 64;
        uint8_t *packed = realloc(c->packed, room);
        c->no_memory = c->no_memory || packed == NULL;
        if (packed == NULL)
            return;
        c->packed = packed;
        c->room = room;
    }
    for (; number > 127; number >>= 7)
        c->packed[c->bytes++] = (uint8_t)(number | 128);
    c->packed[c->bytes++] = (uint8_t)number;
}

static void pack_empty(cpr_document_counter *c)
{
    if (c->empty > 0)
        pack_number(c, 2 * (c->empty - 1) + 1);
    c->empty = 0;
}

static void counter_end_segment(cpr_document_counter *c)
{
    if (c->segment.rule == CPR_DOCUMENTS_FILE)
        return;
    if (c->count == 0) {
        c->empty++;
        return;
    }
    pack_empty(c);
    pack_number(c, 2 * (c->count - 1));
}

/* Takes the next segment; at a file's start a document begins. */
static void counter_next_segment(cpr_document_counter *c)
{
    c->left = 0;
    c->count = 0;
    if (!cpr_segments_next(&c->segments, &c->segment))
        return;
    c->left = c->segment.bytes;
    c->count = c->segment.at_start;
    if (c->segment.rule != c->rule)
        cpr_separator_init(&c->separator, c->files, c->segment.rule);
    c->rule = c->segment.rule;
    if (c->segment.at_start || c->rule == CPR_DOCUMENTS_FILE)
        c->state = 0;
}

void cpr_document_counter_begin(cpr_document_counter *counter, uint64_t start, uint64_t end,
                                size_t state)
{
    cpr_segments_init(&counter->segments, counter->files, start, end);
    counter->bytes = 0;
    counter->empty = 0;
    counter->no_memory = false;
    counter->state = state;
    counter_next_segment(counter);
}

/* Bytes of one segment. */
static void counter_read(cpr_document_counter *c, const uint8_t *data, size_t bytes)
{
    const size_t full = c->separator.bytes;
    if (c->segment.rule == CPR_DOCUMENTS_FILE)
        return;
    for (size_t i = 0; i < bytes; i++) {
        c->count += c->state == full;
        c->state = cpr_separator_next(&c->separator, c->state, data[i]);
    }
}

void cpr_document_counter_add(cpr_document_counter *counter, const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        assert(counter->left > 0);
        const size_t part = bytes < counter->left ? bytes : (size_t)counter->left;
        counter_read(counter, data, part);
        data += part;
        bytes -= part;
        counter->left -= part;
        if (counter->left == 0) {
            counter_end_segment(counter);
            counter_next_segment(counter);
        }
    }
}

bool cpr_document_counter_finish(cpr_document_counter *counter, const uint8_t **packed,
                                 size_t *packed_bytes, size_t *state)
{
    assert(counter->left == 0);
    const uint64_t file_end = cpr_file_list_offset(counter->files, counter->segment.file + 1);
    const bool goes_on = counter->segments.end > counter->segments.start &&
                         counter->rule != CPR_DOCUMENTS_FILE && file_end > counter->segments.end;
    pack_empty(counter);
    *packed = counter->packed;
    *packed_bytes = counter->bytes;
    *state = goes_on ? counter->state : 0;
    return !counter->no_memory;
}

cpr_status cpr_document_state_at(const cpr_file_list *files, cpr_corpus_reader *reader,
                                 uint64_t offset, uint8_t *state, cpr_error *error)
{
    uint8_t before[CPR_SEPARATOR_MAX_BYTES];
    cpr_separator separator;
    *state = 0;
    if (offset >= cpr_file_list_bytes(files))
        return CPR_OK;
    const uint64_t file = cpr_file_list_find(files, offset);
    const uint64_t start = cpr_file_list_offset(files, file);
    cpr_separator_init(&separator, files, cpr_file_list_get(files, file).documents);
    const size_t bytes =
        offset - start < separator.bytes ? (size_t)(offset - start) : separator.bytes;
    if (bytes == 0)
        return CPR_OK;
    const cpr_status status = cpr_corpus_reader_read(reader, offset - bytes, before, bytes, error);
    size_t now = 0;
    for (size_t i = 0; status == CPR_OK && i < bytes; i++)
        now = cpr_separator_next(&separator, now, before[i]);
    *state = (uint8_t)now;
    return status;
}

/* ---- index ----------------------------------------------------------------------------------- */

/* A place that a search can begin at: each shard's start, and from there each 256th segment. */
#define MARK_SEGMENTS 256u

typedef struct mark {
    uint64_t shard;
    uint64_t offset; /* of the segment, in the corpus */
    uint64_t file;
    uint64_t before; /* documents that begin in front of it */
    uint64_t packed; /* its counts, from here on */
    uint64_t empty;  /* segments from here on that a count before it is about */
} mark;

struct cpr_document_index {
    const cpr_file_list *files;
    const cpr_shard_info *shards;
    uint64_t shard_count;
    const uint8_t *packed;
    uint64_t packed_bytes;
    const uint8_t *states;
    uint64_t *before; /* documents that begin before each shard, and in all */
    uint64_t *at;     /* where each shard's counts begin, and their end */
    mark *marks;      /* by offset, and so by `before` */
    size_t mark_count;
    size_t mark_room;
};

void cpr_document_index_free(cpr_document_index *index)
{
    if (index == NULL)
        return;
    free(index->before);
    free(index->at);
    free(index->marks);
    free(index);
}

static bool add_mark(cpr_document_index *index, const mark *m)
{
    if (index->mark_count == index->mark_room) {
        const size_t room = 2 * index->mark_room + 16;
        mark *marks = realloc(index->marks, room * sizeof *marks);
        if (marks == NULL)
            return false;
        index->marks = marks;
        index->mark_room = room;
    }
    index->marks[index->mark_count++] = *m;
    return true;
}

static void index_segments(const cpr_document_index *index, uint64_t shard, cpr_segments *segments)
{
    const cpr_shard_info *info = &index->shards[shard];
    cpr_segments_init(segments, index->files, info->offset, info->offset + info->raw_bytes);
}

/* Whether a shard may begin with this segment in the state that the archive gives. */
static bool check_state(const cpr_document_index *index, uint64_t shard, const cpr_segment *segment)
{
    cpr_separator separator;
    if (index->states == NULL)
        return true;
    cpr_separator_init(&separator, index->files, segment->rule);
    return index->states[shard] <= (segment->at_start ? 0 : separator.bytes);
}

/* Reads the counts of a shard, and sets marks. CPR_ERR_DAMAGED, without a text: they are not
 * possible ones. */
static cpr_status index_shard(cpr_document_index *index, uint64_t shard, unpacker *u)
{
    cpr_segments segments;
    cpr_segment segment;
    uint64_t *documents = &index->before[shard + 1];
    index_segments(index, shard, &segments);
    *documents = index->before[shard];
    for (uint64_t i = 0;; i++) {
        const uint64_t packed = index->packed != NULL ? (uint64_t)(u->next - index->packed) : 0;
        mark m = {.shard = shard, .before = *documents, .packed = packed, .empty = u->empty};
        uint64_t count;
        if (!cpr_segments_next(&segments, &segment))
            break;
        m.offset = segment.offset;
        m.file = segment.file;
        if (i % MARK_SEGMENTS == 0 && !add_mark(index, &m))
            return CPR_ERR_NO_MEMORY;
        if (!segment_count(u, &segment, &count) || count > segment.bytes ||
            count < (uint64_t)segment.at_start || (i == 0 && !check_state(index, shard, &segment)))
            return CPR_ERR_DAMAGED;
        *documents += count;
    }
    return u->empty == 0 ? CPR_OK : CPR_ERR_DAMAGED;
}

cpr_status cpr_document_index_create(const cpr_file_list *files, const cpr_shard_info *shards,
                                     uint64_t shard_count, const uint8_t *packed,
                                     uint64_t packed_bytes, const uint8_t *states,
                                     cpr_document_index **out, cpr_error *error)
{
    cpr_document_index *index = calloc(1, sizeof *index);
    cpr_status status = CPR_ERR_NO_MEMORY;
    *out = NULL;
    if (index != NULL) {
        *index = (cpr_document_index){.files = files,
                                      .shards = shards,
                                      .shard_count = shard_count,
                                      .packed = packed,
                                      .packed_bytes = packed_bytes,
                                      .states = states,
                                      .before = calloc((size_t)shard_count + 1, sizeof(uint64_t)),
                                      .at = calloc((size_t)shard_count + 1, sizeof(uint64_t))};
        status = index->before != NULL && index->at != NULL ? CPR_OK : CPR_ERR_NO_MEMORY;
    }
    unpacker u = {packed, packed, 0};
    if (packed != NULL)
        u.end = packed + packed_bytes;
    for (uint64_t i = 0; status == CPR_OK && i < shard_count; i++) {
        status = index_shard(index, i, &u);
        index->at[i + 1] = packed != NULL ? (uint64_t)(u.next - packed) : 0;
    }
    if (status == CPR_OK && u.next != u.end)
        status = CPR_ERR_DAMAGED;
    if (status == CPR_OK) {
        *out = index;
        return CPR_OK;
    }
    cpr_document_index_free(index);
    return cpr_fail(error, status,
                    status == CPR_ERR_DAMAGED
                        ? "the counts of documents contradict the other tables"
                        : "no memory for the index of documents");
}

uint64_t cpr_document_index_count(const cpr_document_index *index)
{
    return index->before[index->shard_count];
}

uint64_t cpr_document_index_before_shard(const cpr_document_index *index, uint64_t shard)
{
    return index->before[shard];
}

const uint8_t *cpr_document_index_packed(const cpr_document_index *index, uint64_t shard,
                                         size_t *bytes, size_t *state)
{
    *bytes = (size_t)(index->at[shard + 1] - index->at[shard]);
    *state = index->states != NULL ? index->states[shard] : 0;
    return index->packed != NULL ? index->packed + index->at[shard] : NULL;
}

/* The last mark at or before byte `offset`, and before which no more than `number` documents begin.
 * The corpus has bytes, and so there is one at its start. */
static const mark *find_mark(const cpr_document_index *index, uint64_t number, uint64_t offset)
{
    size_t low = 0;
    size_t high = index->mark_count;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        const mark *m = &index->marks[middle];
        if (m->before <= number && m->offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return &index->marks[low];
}

/* Walks from a mark to the segment in which document `number` begins, or to that which lies at or
 * behind byte `offset`: the mark's shard has one. */
static void index_walk(const cpr_document_index *index, const mark *m, uint64_t number,
                       uint64_t offset, cpr_document_place *place)
{
    cpr_segments segments;
    unpacker u = {.empty = m->empty};
    if (index->packed != NULL) {
        u.next = index->packed + m->packed;
        u.end = index->packed + index->packed_bytes;
    }
    index_segments(index, m->shard, &segments);
    segments.at = m->offset;
    segments.file = m->file;
    place->shard = m->shard;
    place->before = m->before;
    while (cpr_segments_next(&segments, &place->segment)) {
        uint64_t count = 0;
        (void)segment_count(&u, &place->segment, &count);
        if (place->before + count > number || place->segment.offset >= offset)
            return;
        place->before += count;
    }
}

void cpr_document_index_find(const cpr_document_index *index, uint64_t number,
                             cpr_document_place *place)
{
    assert(number < cpr_document_index_count(index));
    index_walk(index, find_mark(index, number, UINT64_MAX), number, UINT64_MAX, place);
}

uint64_t cpr_document_index_before_file(const cpr_document_index *index, uint64_t file)
{
    const uint64_t offset = cpr_file_list_offset(index->files, file);
    cpr_document_place place = {.before = 0};
    if (offset >= cpr_file_list_bytes(index->files))
        return cpr_document_index_count(index);
    index_walk(index, find_mark(index, UINT64_MAX, offset), UINT64_MAX, offset, &place);
    return place.before;
}
