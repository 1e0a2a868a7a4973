/* parquet.c - the rows of a Parquet file's column as JSON lines. */
#include "parquet.h"
#include "parquet_private.h"

#include <stdlib.h>
#include <string.h>

/* What comes behind the piece that is being given. */
typedef enum phase { PHASE_ROW, PHASE_STRING } phase;

/* Text that is given as it is. */
typedef struct piece {
    const char *data;
    size_t bytes;
} piece;

struct cpr_parquet {
    cpr_parquet_file file;
    cpr_parquet_footer footer;
    piece opening, null; /* a row up to its string; a row of a null */
    uint64_t group;
    uint64_t rows_left; /* of the group, that have not begun */
    cpr_parquet_chunk chunk;
    phase phase;
    piece piece;
    cpr_parquet_string string; /* what is left of it */
    char escape[8];
    cpr_status failed; /* and why: it fails again */
    cpr_error error;
};

/* ---- JSON ------------------------------------------------------------------------------------ */

static bool is_escaped(uint8_t byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

/* One byte that is_escaped(): its length. */
static size_t put_escaped(uint8_t byte, char out[6])
{
    static const char letters[] = "\"\\bfnrt";
    static const char bytes[] = "\"\\\b\f\n\r\t";
    static const char hex[] = "0123456789abcdef";
    const char *found = memchr(bytes, byte, sizeof bytes - 1);
    out[0] = '\\';
    out[1] = found != NULL ? letters[found - bytes] : 'u';
    if (found != NULL)
        return 2;
    out[2] = out[3] = '0';
    out[4] = hex[byte >> 4];
    out[5] = hex[byte & 15];
    return 6;
}

/* Makes the texts that all rows begin with. */
static bool make_pieces(cpr_parquet *p)
{
    const cpr_parquet_footer *f = &p->footer;
    char *text = malloc(2 * (6 * f->name_bytes + 16));
    size_t bytes = 2;
    if (text == NULL)
        return false;
    memcpy(text, "{\"", 2);
    for (size_t i = 0; i < f->name_bytes; i++)
        if (is_escaped((uint8_t)f->name[i]))
            bytes += put_escaped((uint8_t)f->name[i], text + bytes);
        else
            text[bytes++] = f->name[i];
    memcpy(text + bytes, "\": ", 3);
    bytes += 3;
    memcpy(text + bytes, "\"", 1);
    p->opening = (piece){.data = text, .bytes = bytes + 1};
    char *null = text + bytes + 1;
    memcpy(null, text, bytes);
    memcpy(null + bytes, "null}\n", 6);
    p->null = (piece){.data = null, .bytes = bytes + 6};
    return true;
}

/* Whether any of eight bytes is_escaped(). Where a byte is less than what is subtracted, its
 * highest bit becomes 1; what that borrows from the others cannot hide one. */
static bool has_escaped(const uint8_t *eight)
{
    const uint64_t each = UINT64_C(0x0101010101010101), high = each << 7;
    const uint64_t bytes = cpr_get64(eight);
    const uint64_t quotes = bytes ^ each * '"', backslashes = bytes ^ each * '\\';
    return ((((bytes - each * 0x20) & ~bytes) | ((quotes - each) & ~quotes) |
             ((backslashes - each) & ~backslashes)) &
            high) != 0;
}

/* The number of bytes at the string's beginning that stay as they are. */
static size_t count_plain(const uint8_t *data, size_t bytes)
{
    size_t n = 0;
    while (bytes - n >= 8 && !has_escaped(data + n))
        n += 8;
    while (n < bytes && !is_escaped(data[n]))
        n++;
    return n;
}

/* ---- opening --------------------------------------------------------------------------------- */

cpr_status cpr_parquet_open(int fd, uint64_t file_bytes, const char *path, const char *column,
                            cpr_parquet **parquet, cpr_error *error)
{
    *parquet = NULL;
    cpr_parquet *p = calloc(1, sizeof *p);
    if (p == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    p->file = (cpr_parquet_file){.fd = fd, .bytes = file_bytes, .path = strdup(path)};
    cpr_printable_path(path, p->file.shown, sizeof p->file.shown);
    cpr_status status = CPR_OK;
    if (p->file.path != NULL)
        status = cpr_parquet_footer_read(&p->file, column, &p->footer, error);
    if (p->file.path == NULL || (status == CPR_OK && !make_pieces(p)))
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    if (status == CPR_OK) {
        p->chunk.file = &p->file;
        p->chunk.values.levels = p->footer.levels;
        status = cpr_parquet_seek(p, 0, error);
    }
    if (status == CPR_OK)
        *parquet = p;
    else
        cpr_parquet_close(p);
    return status;
}

void cpr_parquet_close(cpr_parquet *p)
{
    if (p == NULL)
        return;
    cpr_parquet_chunk_free(&p->chunk);
    free((char *)p->opening.data);
    free(p->footer.groups);
    free(p->footer.name);
    free(p->file.path);
    free(p);
}

uint64_t cpr_parquet_groups(const cpr_parquet *p)
{
    return p->footer.count;
}

uint64_t cpr_parquet_rows(const cpr_parquet *p)
{
    return p->footer.rows;
}

unsigned cpr_parquet_other_columns(const cpr_parquet *p, char *names, size_t capacity)
{
    cpr_printable_text(p->footer.other_names, names, capacity);
    return p->footer.others;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* At the end of a row group, goes to the next one that has rows, or to the end. */
static void parquet_settle(cpr_parquet *p)
{
    while (p->rows_left == 0 && p->group < p->footer.count) {
        p->group++;
        if (p->group < p->footer.count)
            p->rows_left = p->footer.groups[p->group].rows;
    }
    if (p->group < p->footer.count)
        cpr_parquet_chunk_open(&p->chunk, p->group, &p->footer.groups[p->group]);
}

cpr_status cpr_parquet_seek(cpr_parquet *p, uint64_t group, cpr_error *error)
{
    if (group > p->footer.count)
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "\"%s\" has no row group %llu", p->file.shown,
                        (unsigned long long)group);
    p->group = group;
    p->rows_left = group < p->footer.count ? p->footer.groups[group].rows : 0;
    p->phase = PHASE_ROW;
    p->piece = (piece){0};
    p->failed = CPR_OK;
    parquet_settle(p);
    return CPR_OK;
}

uint64_t cpr_parquet_group(const cpr_parquet *p)
{
    return p->group;
}

static cpr_status parquet_begin_row(cpr_parquet *p)
{
    const cpr_status status = cpr_parquet_chunk_next(&p->chunk, &p->string, &p->error);
    if (status != CPR_OK)
        return status;
    p->rows_left--;
    p->piece = p->string.null ? p->null : p->opening;
    p->phase = p->string.null ? PHASE_ROW : PHASE_STRING;
    return CPR_OK;
}

/* Copies what stays as it is; what comes then is a piece. Returns the number of bytes. */
static size_t parquet_give_string(cpr_parquet *p, uint8_t *out, size_t room)
{
    cpr_parquet_string *s = &p->string;
    const size_t bytes = count_plain(s->data, s->bytes < room ? s->bytes : room);
    memcpy(out, s->data, bytes);
    s->data += bytes;
    s->bytes -= bytes;
    if (s->bytes == 0) {
        p->piece = (piece){.data = "\"}\n", .bytes = 3};
        p->phase = PHASE_ROW;
    } else if (bytes < room) {
        p->piece = (piece){.data = p->escape, .bytes = put_escaped(*s->data, p->escape)};
        s->data++;
        s->bytes--;
    }
    return bytes;
}

static size_t parquet_give_piece(cpr_parquet *p, uint8_t *out, size_t room)
{
    const size_t bytes = p->piece.bytes < room ? p->piece.bytes : room;
    memcpy(out, p->piece.data, bytes);
    p->piece.data += bytes;
    p->piece.bytes -= bytes;
    if (p->piece.bytes == 0 && p->phase == PHASE_ROW && p->rows_left == 0)
        parquet_settle(p);
    return bytes;
}

cpr_status cpr_parquet_read(cpr_parquet *p, uint8_t *out, size_t capacity, size_t *got,
                            cpr_error *error)
{
    const uint64_t group = p->group;
    size_t used = 0;
    while (used < capacity && p->failed == CPR_OK && (p->group == group || used == 0))
        if (p->piece.bytes > 0)
            used += parquet_give_piece(p, out + used, capacity - used);
        else if (p->phase == PHASE_STRING)
            used += parquet_give_string(p, out + used, capacity - used);
        else if (p->group < p->footer.count)
            p->failed = parquet_begin_row(p);
        else
            break;
    if (used == 0 && p->failed != CPR_OK)
        return cpr_fail(error, p->failed, "%s", p->error.text);
    *got = used;
    return CPR_OK;
}
