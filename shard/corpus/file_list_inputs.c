/* file_list_inputs.c - from the files that lie on the disk to those that are decoded from them. */
#include "file_io.h"
#include "file_list.h"
#include "input_records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What names of compressed files end with, and what takes its place. */
static const struct suffix {
    const char *from;
    const char *to;
} suffixes[] = {
    {".gz", ""},       {".bgz", ""}, {".tgz", ".tar"},  {".zst", ""},           {".zstd", ""},
    {".tzst", ".tar"}, {".xz", ""},  {".txz", ".tar"},  {".bz2", ""},           {".tbz2", ".tar"},
    {".tbz", ".tar"},  {".lz4", ""}, {".tlz4", ".tar"}, {".parquet", ".jsonl"},
};

char *cpr_file_list_text_name(const char *name)
{
    const size_t length = strlen(name);
    char *text = malloc(length + 8);
    if (text == NULL)
        return NULL;
    memcpy(text, name, length + 1);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        const size_t bytes = strlen(suffixes[i].from);
        /* A name that is nothing but the suffix stays. */
        if (length <= bytes || name[length - bytes - 1] == '/' ||
            strcasecmp(name + length - bytes, suffixes[i].from) != 0)
            continue;
        memcpy(text + length - bytes, suffixes[i].to, strlen(suffixes[i].to) + 1);
        break;
    }
    return text;
}

typedef struct decoding_list {
    const cpr_file_list *listed;
    const cpr_list_options *options;
    cpr_file_list *made;
    cpr_file_list *folders; /* that files lie in, and that are not listed themselves */
    uint64_t parquet_notes; /* of Parquet files, of which one is told */
} decoding_list;

static void list_warn(const decoding_list *d, const char *text)
{
    if (d->options->warn != NULL)
        d->options->warn(d->options->warn_context, text);
}

static cpr_status list_no_memory(cpr_error *error)
{
    return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory for the list of files");
}

static cpr_status list_check_known(const decoding_list *d, uint64_t known, const char *what,
                                   cpr_error *error)
{
    char a[CPR_SHOWN_BYTES / 2];
    char b[CPR_SHOWN_BYTES / 2];
    if (known == UINT64_MAX)
        return CPR_OK;
    return cpr_fail(error, CPR_ERR_USAGE,
                    "\"%s\" and \"%s\" would have the same path in the archive, once decoded",
                    cpr_printable_path(what, a, sizeof a),
                    cpr_printable_path(cpr_file_list_source(d->made, known), b, sizeof b));
}

/* Fills d->folders. */
static cpr_status list_find_folders(const decoding_list *d, cpr_error *error)
{
    const cpr_file folder = {.type = CPR_FILE_DIRECTORY};
    cpr_status status = CPR_OK;
    for (uint64_t i = 0; status == CPR_OK && i < cpr_file_list_count(d->listed); i++) {
        char *path = strdup(cpr_file_list_member(d->listed, i));
        uint64_t known = path == NULL ? 0 : UINT64_MAX;
        if (path == NULL)
            status = list_no_memory(error);
        while (status == CPR_OK && known == UINT64_MAX) {
            char *slash = strrchr(path, '/');
            if (slash == NULL)
                break;
            *slash = '\0';
            known = cpr_file_list_lookup(d->listed, path);
            if (known == UINT64_MAX)
                status = cpr_file_list_append(d->folders, path, 0, &folder, NULL, &known, error);
        }
        free(path);
    }
    return status;
}

cpr_status cpr_file_list_copy(cpr_file_list *list, const cpr_file_list *from, uint64_t i,
                              cpr_error *error)
{
    const decoding_list d = {.listed = from, .made = list};
    const cpr_file file = cpr_file_list_get(from, i);
    const char *source = cpr_file_list_source(from, i);
    const size_t skip = (size_t)(cpr_file_list_member(from, i) - source);
    uint64_t known;
    const cpr_status status = cpr_file_list_append(
        list, source, skip, &file, cpr_file_list_link_target(from, i), &known, error);
    return status == CPR_OK ? list_check_known(&d, known, source, error) : status;
}

/* The path of what comes of file i: without the suffix, unless something has that path already;
 * malloc()ed. */
static char *list_choose_name(const decoding_list *d, uint64_t i)
{
    const char *member = cpr_file_list_member(d->listed, i);
    char *name = cpr_file_list_text_name(member);
    if (name == NULL || strcmp(name, member) == 0)
        return name;
    if (cpr_file_list_lookup(d->listed, name) == UINT64_MAX &&
        cpr_file_list_lookup(d->folders, name) == UINT64_MAX &&
        cpr_file_list_lookup(d->made, name) == UINT64_MAX)
        return name;
    char a[CPR_SHOWN_BYTES / 2];
    char b[CPR_SHOWN_BYTES / 2];
    char text[2 * CPR_SHOWN_BYTES];
    snprintf(text, sizeof text, "what is in \"%s\" keeps that name: there is a \"%s\" as well",
             cpr_printable_path(cpr_file_list_source(d->listed, i), a, sizeof a),
             cpr_printable_path(name, b, sizeof b));
    list_warn(d, text);
    free(name);
    return strdup(member);
}

/* The facts of an origin, and of the file that a row is made from. */
static cpr_status list_add_origin(const decoding_list *d, uint64_t i,
                                  const cpr_input_record *record, cpr_error *error)
{
    const size_t count = (size_t)record->point_count;
    cpr_seek_point *points = malloc((count + 1) * sizeof *points);
    if (points == NULL)
        return list_no_memory(error);
    for (size_t k = 0; k < count; k++)
        points[k] = cpr_input_record_point(record, k);
    const cpr_origin origin = {
        .source = cpr_file_list_source(d->listed, i),
        .name = cpr_file_list_member(d->listed, i),
        .kind = record->kind,
        .is_tar = record->outcome == CPR_INPUT_TAR,
        .through_link = cpr_file_list_get(d->listed, i).through_link,
        .bytes = record->file_bytes,
        .text_bytes = record->text_bytes,
        .hash = record->file_hash,
        .points = points,
        .point_count = count,
    };
    const cpr_status status = cpr_file_list_add_origin(d->made, &origin, error);
    free(points);
    return status;
}

/* Takes a file's text. */
static cpr_status list_decode(const decoding_list *d, uint64_t i, const cpr_input_record *record,
                              cpr_error *error)
{
    cpr_file file = cpr_file_list_get(d->listed, i);
    uint64_t known = UINT64_MAX;
    char *name = list_choose_name(d, i);
    cpr_status status = name == NULL ? list_no_memory(error) : list_add_origin(d, i, record, error);
    file.bytes = record->text_bytes;
    if (status == CPR_OK)
        status = cpr_file_list_append_piece(d->made, name, &file, 0, false, &known, error);
    if (status == CPR_OK)
        status = list_check_known(d, known, cpr_file_list_source(d->listed, i), error);
    if (status == CPR_OK)
        cpr_file_list_end_origin(d->made);
    free(name);
    return status;
}

/* A directory or a link of a tar, or the tar itself as a directory. */
static cpr_status list_add_other(const decoding_list *d, const char *path, const cpr_file *file,
                                 const char *target, cpr_error *error)
{
    uint64_t known;
    const cpr_status status = cpr_file_list_append(d->made, path, 0, file, target, &known, error);
    return status == CPR_OK ? list_check_known(d, known, path, error) : status;
}

/* `folder`/`name`, malloc()ed. */
static char *join_path(const char *folder, const char *name)
{
    const size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    if (path != NULL)
        snprintf(path, room, "%s/%s", folder, name);
    return path;
}

static cpr_status list_add_member(const decoding_list *d, const char *folder,
                                  const cpr_input_member *member, cpr_error *error)
{
    const cpr_file file = {.bytes = member->bytes,
                           .mtime_seconds = member->mtime_seconds,
                           .mtime_nanoseconds = member->mtime_nanoseconds,
                           .mode = member->mode,
                           .type = member->type};
    uint64_t known = UINT64_MAX;
    char *path = join_path(folder, member->path);
    cpr_status status = CPR_OK;
    if (path == NULL)
        status = list_no_memory(error);
    else if (member->type != CPR_FILE_REGULAR)
        status = list_add_other(d, path, &file, member->target, error);
    else
        status =
            cpr_file_list_append_piece(d->made, path, &file, member->text, false, &known, error);
    if (status == CPR_OK)
        status = list_check_known(d, known, path, error);
    free(path);
    return status;
}

/* What is left of a tar is a file of its own, behind the members. */
static cpr_status list_add_rest(const decoding_list *d, const char *folder, uint64_t bytes,
                                const cpr_file *tar, cpr_error *error)
{
    cpr_file file = *tar;
    uint64_t known = 0;
    char name[64];
    cpr_status status = CPR_OK;
    file.bytes = bytes;
    file.mode = 0644;
    for (unsigned n = 0; status == CPR_OK && known != UINT64_MAX; n++) {
        snprintf(name, sizeof name, n == 0 ? ".tar-headers" : ".tar-headers~%u", n);
        char *path = join_path(folder, name);
        status = path == NULL
                     ? list_no_memory(error)
                     : cpr_file_list_append_piece(d->made, path, &file, 0, true, &known, error);
        free(path);
    }
    return status;
}

/* Takes the members of a tar, and the rest of it. */
static cpr_status list_untar(const decoding_list *d, uint64_t i, const cpr_input_record *record,
                             cpr_error *error)
{
    cpr_file file = cpr_file_list_get(d->listed, i);
    char *folder = list_choose_name(d, i);
    cpr_status status =
        folder == NULL ? list_no_memory(error) : list_add_origin(d, i, record, error);
    uint64_t rest = record->text_bytes;
    file.bytes = 0;
    if (status == CPR_OK) {
        cpr_file directory = file;
        directory.type = CPR_FILE_DIRECTORY;
        directory.mode = 0755;
        directory.through_link = false;
        status = list_add_other(d, folder, &directory, NULL, error);
    }
    size_t at = 0;
    for (uint64_t k = 0; status == CPR_OK && k < record->member_count; k++) {
        const cpr_input_member member = cpr_input_record_member(record, &at);
        status = list_add_member(d, folder, &member, error);
        rest -= member.type == CPR_FILE_REGULAR ? member.bytes : 0;
    }
    if (status == CPR_OK)
        status = list_add_rest(d, folder, rest, &file, error);
    if (status == CPR_OK)
        cpr_file_list_end_origin(d->made);
    free(folder);
    return status;
}

bool cpr_file_list_is_input(const cpr_file_list *listed, uint64_t i)
{
    const cpr_file file = cpr_file_list_get(listed, i);
    return file.type == CPR_FILE_REGULAR && file.bytes > 0;
}

cpr_status cpr_file_list_scan(const cpr_file_list *listed, uint64_t i,
                              const cpr_scan_options *options, cpr_input_records *records,
                              cpr_error *error)
{
    const cpr_file file = cpr_file_list_get(listed, i);
    const cpr_input_record facts = {.name = cpr_file_list_member(listed, i),
                                    .file_bytes = file.bytes,
                                    .mtime_seconds = file.mtime_seconds,
                                    .mtime_nanoseconds = file.mtime_nanoseconds,
                                    .change = file.change};
    return cpr_input_scan(cpr_file_list_source(listed, i), file.through_link, &facts, options,
                          records, error);
}

/* Whether the record is of file i as it is now. */
static bool list_record_fits(const cpr_file_list *listed, uint64_t i,
                             const cpr_input_record *record)
{
    const cpr_file file = cpr_file_list_get(listed, i);
    return file.type == CPR_FILE_REGULAR && file.bytes == record->file_bytes &&
           file.mtime_seconds == record->mtime_seconds &&
           file.mtime_nanoseconds == record->mtime_nanoseconds && file.change == record->change;
}

size_t *cpr_file_list_find_records(const cpr_file_list *listed, const cpr_input_records *records)
{
    const uint64_t count = cpr_file_list_count(listed);
    size_t *found = malloc(((size_t)count + 1) * sizeof *found);
    cpr_input_record record;
    if (found == NULL)
        return NULL;
    for (uint64_t i = 0; i < count; i++)
        found[i] = SIZE_MAX;
    for (size_t at = 0, next = 0; cpr_input_records_next(records, &next, &record); at = next) {
        const uint64_t i = cpr_file_list_lookup(listed, record.name);
        if (i != UINT64_MAX && list_record_fits(listed, i, &record))
            found[i] = at;
    }
    return found;
}

/* Of a corpus of Parquet files each has the same to be said of. */
static void list_tell_note(decoding_list *d, const cpr_input_record *record)
{
    const bool same = record->kind == CPR_INPUT_PARQUET && record->outcome != CPR_INPUT_LEFT_OUT;
    d->parquet_notes += same;
    if (!same || d->parquet_notes == 1)
        list_warn(d, record->note);
}

static void list_tell_others(const decoding_list *d)
{
    char text[128];
    if (d->parquet_notes < 2)
        return;
    snprintf(text, sizeof text, "so it is with %llu more Parquet files",
             (unsigned long long)d->parquet_notes - 1);
    list_warn(d, text);
}

static cpr_status list_take(decoding_list *d, uint64_t i, const cpr_input_record *record,
                            cpr_error *error)
{
    if (record->note[0] != '\0')
        list_tell_note(d, record);
    switch (record->outcome) {
    case CPR_INPUT_DECODED:
        return list_decode(d, i, record, error);
    case CPR_INPUT_TAR:
        return list_untar(d, i, record, error);
    case CPR_INPUT_LEFT_OUT:
        return CPR_OK;
    case CPR_INPUT_KEPT:
    default:
        return cpr_file_list_copy(d->made, d->listed, i, error);
    }
}

cpr_status cpr_file_list_decode(const cpr_file_list *listed, const cpr_input_records *records,
                                const cpr_list_options *options, cpr_file_list **decoded,
                                cpr_error *error)
{
    decoding_list d = {.listed = listed,
                       .options = options,
                       .made = cpr_file_list_create(),
                       .folders = cpr_file_list_create()};
    size_t *found = cpr_file_list_find_records(listed, records);
    cpr_status status = d.made == NULL || d.folders == NULL || found == NULL
                            ? list_no_memory(error)
                            : list_find_folders(&d, error);
    for (uint64_t i = 0; status == CPR_OK && i < cpr_file_list_count(listed); i++) {
        cpr_input_record record;
        if (found[i] == SIZE_MAX) {
            status = cpr_file_list_copy(d.made, listed, i, error);
            continue;
        }
        size_t at = found[i];
        (void)cpr_input_records_next(records, &at, &record);
        status = list_take(&d, i, &record, error);
    }
    free(found);
    if (status == CPR_OK)
        list_tell_others(&d);
    cpr_file_list_free(d.folders);
    if (status != CPR_OK) {
        cpr_file_list_free(d.made);
        d.made = NULL;
    }
    *decoded = d.made;
    return status;
}
