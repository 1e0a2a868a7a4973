/* archive_read_inputs.c - reads which compressed files and tars an archive's files come from. */
#include "archive_reading.h"
#include "archive_tables.h"
#include "file_io.h"

#include <stdlib.h>
#include <string.h>

typedef struct input_columns {
    uint64_t count;
    uint64_t *first;
    uint64_t *files;
    uint64_t *kind;
    uint64_t *bytes;
    uint8_t *hashes;
    char *paths;
    uint64_t paths_bytes;
} input_columns;

static void input_columns_free(input_columns *c)
{
    free(c->first);
    free(c->files);
    free(c->kind);
    free(c->bytes);
    free(c->hashes);
    free(c->paths);
}

/* The paths bound the rows of the other columns. */
static cpr_status input_columns_read(const cpr_reading *r, input_columns *c)
{
    uint64_t hashes;
    cpr_status status =
        cpr_reading_strings(r, "inputs/paths", &c->paths, &c->paths_bytes, &c->count);
    if (status == CPR_OK && c->count == 0)
        status = cpr_reading_wrong(r, "inputs/paths");
    if (status == CPR_OK)
        status = cpr_reading_column(r, "inputs/first_file", H5T_STD_U64LE, c->count, &c->first);
    if (status == CPR_OK)
        status = cpr_reading_column(r, "inputs/files", H5T_STD_U64LE, c->count, &c->files);
    if (status == CPR_OK)
        status = cpr_reading_column(r, "inputs/kind", H5T_STD_U8LE, c->count, &c->kind);
    if (status == CPR_OK)
        status = cpr_reading_column(r, "inputs/size_bytes", H5T_STD_U64LE, c->count, &c->bytes);
    if (status == CPR_OK)
        status = cpr_reading_bytes(r, "inputs/xxh3_128", 16 * c->count, &c->hashes, &hashes);
    return status;
}

/* Takes row i, whose files must come behind those of the rows before it, from `least` on. */
static cpr_status input_take(const cpr_reading *r, const input_columns *c, uint64_t i,
                             const char *path, uint64_t least)
{
    cpr_file_list *files = r->archive->files;
    const uint64_t count = cpr_file_list_count(files);
    const bool is_tar = (c->kind[i] & CPR_H5_INPUT_TAR) != 0;
    const uint64_t kind = c->kind[i] & ~(uint64_t)CPR_H5_INPUT_TAR;
    if (kind > CPR_INPUT_PARQUET || (kind == CPR_INPUT_PLAIN && !is_tar))
        return cpr_reading_wrong(r, "inputs/kind");
    if (!cpr_member_path_is_safe(path))
        return cpr_reading_wrong(r, "inputs/paths");
    if (c->first[i] < least || c->first[i] >= count || c->files[i] == 0 ||
        c->files[i] > count - c->first[i] || (c->files[i] > 1) != is_tar ||
        cpr_file_list_get(files, c->first[i] + c->files[i] - 1).type != CPR_FILE_REGULAR)
        return cpr_reading_wrong(r, "inputs/files");
    const uint64_t end = cpr_file_list_offset(files, c->first[i] + c->files[i]);
    const cpr_origin origin = {.source = "",
                               .name = path,
                               .kind = (cpr_input_kind)kind,
                               .is_tar = is_tar,
                               .bytes = c->bytes[i],
                               .text_bytes = end - cpr_file_list_offset(files, c->first[i]),
                               .hash = cpr_get_hash(c->hashes + 16 * i),
                               .first = c->first[i],
                               .files = c->files[i]};
    return cpr_file_list_note_origin(files, &origin, r->error);
}

cpr_status cpr_reading_inputs(const cpr_reading *r)
{
    input_columns c = {.count = 0};
    uint64_t least = 0;
    bool there;
    cpr_status status = cpr_reading_find(r, "inputs", &there);
    if (status != CPR_OK || !there)
        return status;
    status = input_columns_read(r, &c);
    const char *path = c.paths;
    for (uint64_t i = 0; status == CPR_OK && i < c.count; i++) {
        status = input_take(r, &c, i, path, least);
        path += strlen(path) + 1;
        least = c.first[i] + c.files[i];
    }
    input_columns_free(&c);
    return status;
}
