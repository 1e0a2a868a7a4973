/* work_manifest.c - what a work directory's shards are shards of: corpus, options, model. */
#include "work_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC CPR_WORK_MANIFEST_MAGIC
#define VERSION 4u
enum {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_FORMAT_VERSION = 12,
    AT_PROFILE = 16,
    AT_MODEL_BYTES = 48,
    AT_SHARD_BYTES = 56,
    AT_FINGERPRINT = 64,
    AT_SHARDS = 72,
    AT_SAMPLES = 80,
    AT_FILES_BYTES = 88,
    AT_VOCABULARY_BYTES = 96,
    AT_PRIMER_BYTES = 104,
    AT_PRIMER_TEXT_BYTES = 112,
    AT_LESSON_BYTES = 120,
    HEADER_BYTES = 128,
    PROFILE_BYTES = AT_MODEL_BYTES - AT_PROFILE,
    CHECK_BYTES = 16
};

/* What cpr_manifest_read() made. */
struct cpr_manifest_memory {
    cpr_file_list *files;
    uint64_t *starts;
    cpr_hash128 *sample;
    uint8_t *vocabulary;
};

void cpr_manifest_free(cpr_manifest *manifest)
{
    if (manifest == NULL)
        return;
    if (manifest->own != NULL) {
        cpr_file_list_free(manifest->own->files);
        free(manifest->own->starts);
        free(manifest->own->sample);
        free(manifest->own->vocabulary);
        free(manifest->own);
    }
    *manifest = (cpr_manifest){.files = NULL};
}

cpr_status cpr_manifest_write(const cpr_work_dir *work, const cpr_manifest *manifest,
                              cpr_error *error)
{
    size_t files_bytes;
    uint8_t *files = cpr_file_list_pack(manifest->files, &files_bytes);
    const size_t starts_bytes = 8 * ((size_t)manifest->shard_count + 1);
    const size_t sample_bytes = 16 * (size_t)manifest->sample_count;
    const size_t model_bytes = strlen(manifest->model);
    const size_t bytes = HEADER_BYTES + model_bytes + files_bytes + starts_bytes + sample_bytes +
                         manifest->vocabulary_bytes + CHECK_BYTES;
    uint8_t *data = files != NULL ? calloc(1, bytes) : NULL;
    if (data == NULL) {
        free(files);
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the manifest");
    }
    memcpy(data + AT_MAGIC, MAGIC, 8);
    cpr_put32(data + AT_VERSION, VERSION);
    cpr_put32(data + AT_FORMAT_VERSION, CPR_WORK_VERSION);
    memcpy(data + AT_PROFILE, manifest->profile, PROFILE_BYTES - 1);
    cpr_put32(data + AT_MODEL_BYTES, (uint32_t)model_bytes);
    cpr_put64(data + AT_SHARD_BYTES, manifest->shard_bytes);
    cpr_put64(data + AT_FINGERPRINT, manifest->fingerprint);
    cpr_put64(data + AT_SHARDS, manifest->shard_count);
    cpr_put64(data + AT_SAMPLES, manifest->sample_count);
    cpr_put64(data + AT_FILES_BYTES, files_bytes);
    cpr_put64(data + AT_VOCABULARY_BYTES, manifest->vocabulary_bytes);
    cpr_put64(data + AT_PRIMER_BYTES, manifest->primer_bytes);
    cpr_put64(data + AT_PRIMER_TEXT_BYTES, manifest->primer_text_bytes);
    cpr_put64(data + AT_LESSON_BYTES, manifest->lesson_bytes);
    uint8_t *out = data + HEADER_BYTES;
    memcpy(out, manifest->model, model_bytes);
    out += model_bytes;
    memcpy(out, files, files_bytes);
    out += files_bytes;
    for (uint64_t i = 0; i <= manifest->shard_count; i++, out += 8)
        cpr_put64(out, manifest->starts[i]);
    for (uint64_t i = 0; i < manifest->sample_count; i++, out += 16)
        cpr_put_hash(out, manifest->sample[i]);
    if (manifest->vocabulary_bytes > 0)
        memcpy(out, manifest->vocabulary, manifest->vocabulary_bytes);
    cpr_put_hash(data + bytes - CHECK_BYTES, cpr_hash_bytes(data, bytes - CHECK_BYTES));
    const cpr_status status = cpr_work_put_file(work, CPR_WORK_MANIFEST, data, bytes, true, error);
    free(files);
    free(data);
    return status;
}

static cpr_status damaged(const cpr_work_dir *work, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    return cpr_fail(error, CPR_ERR_DAMAGED,
                    "the manifest in \"%s\" is damaged: what an earlier run did cannot be used; "
                    "--restart throws it away",
                    cpr_printable_path(work->path, shown, sizeof shown));
}

/* Whether header and checksum are right, so that the sizes in the header can be believed. */
static bool is_whole(const uint8_t *data, size_t bytes)
{
    uint8_t check[CHECK_BYTES];
    if (bytes < HEADER_BYTES + CHECK_BYTES)
        return false;
    cpr_put_hash(check, cpr_hash_bytes(data, bytes - CHECK_BYTES));
    if (memcmp(check, data + bytes - CHECK_BYTES, CHECK_BYTES) != 0)
        return false;
    uint64_t rest = bytes - HEADER_BYTES - CHECK_BYTES;
    const uint64_t model = cpr_get32(data + AT_MODEL_BYTES);
    const uint64_t files = cpr_get64(data + AT_FILES_BYTES);
    const uint64_t shards = cpr_get64(data + AT_SHARDS);
    const uint64_t samples = cpr_get64(data + AT_SAMPLES);
    if (model > rest || model > CPR_DESCRIPTOR_MAX_BYTES)
        return false;
    rest -= model;
    if (files > rest || shards >= (rest - files) / 8)
        return false;
    rest -= files + 8 * (shards + 1);
    return samples <= rest / 16 && rest - 16 * samples == cpr_get64(data + AT_VOCABULARY_BYTES);
}

/* Takes the list of files and the arrays behind the header, of sizes that is_whole() has checked.
 */
static cpr_status take_lists(cpr_manifest *manifest, const uint8_t *in, size_t files_bytes,
                             cpr_error *error)
{
    cpr_manifest_memory *own = calloc(1, sizeof *own);
    if (own == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the manifest");
    manifest->own = own;
    const cpr_status status = cpr_file_list_unpack(in, files_bytes, &own->files, error);
    if (status != CPR_OK)
        return status;
    own->starts = malloc(8 * ((size_t)manifest->shard_count + 1));
    own->sample = malloc(sizeof(cpr_hash128) * ((size_t)manifest->sample_count + 1));
    own->vocabulary = malloc(manifest->vocabulary_bytes + 1);
    if (own->starts == NULL || own->sample == NULL || own->vocabulary == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the manifest");
    in += files_bytes;
    for (uint64_t i = 0; i <= manifest->shard_count; i++, in += 8)
        own->starts[i] = cpr_get64(in);
    for (uint64_t i = 0; i < manifest->sample_count; i++, in += 16)
        own->sample[i] = cpr_get_hash(in);
    memcpy(own->vocabulary, in, manifest->vocabulary_bytes);
    manifest->files = own->files;
    manifest->starts = own->starts;
    manifest->sample = own->sample;
    manifest->vocabulary = own->vocabulary;
    return CPR_OK;
}

/* Whether the shards are extents of the corpus, one behind the other, and the primer is a part of
 * its sample. */
static bool is_consistent(const cpr_manifest *manifest)
{
    const uint64_t *starts = manifest->starts;
    bool good = starts[0] == 0 && manifest->primer_text_bytes <= manifest->primer_bytes;
    for (uint64_t i = 0; i < manifest->shard_count; i++)
        good = good && starts[i] <= starts[i + 1];
    return good && starts[manifest->shard_count] == cpr_file_list_bytes(manifest->files);
}

cpr_status cpr_manifest_read(const cpr_work_dir *work, cpr_manifest *manifest, cpr_error *error)
{
    char shown[CPR_SHOWN_BYTES];
    uint8_t *data;
    size_t bytes;
    *manifest = (cpr_manifest){.files = NULL};
    cpr_status status = cpr_work_get_file(work, CPR_WORK_MANIFEST, &data, &bytes, error);
    if (status != CPR_OK)
        return status == CPR_ERR_DAMAGED ? damaged(work, error) : status;
    if (bytes >= HEADER_BYTES && memcmp(data, MAGIC, 8) == 0 &&
        (cpr_get32(data + AT_VERSION) != VERSION ||
         cpr_get32(data + AT_FORMAT_VERSION) != CPR_WORK_VERSION)) {
        status = cpr_fail(error, CPR_ERR_VERSION,
                          "\"%s\" was begun by another version of corpress; finish it with "
                          "that one, or throw it away with --restart",
                          cpr_printable_path(work->path, shown, sizeof shown));
    } else if (!is_whole(data, bytes) || memcmp(data, MAGIC, 8) != 0) {
        status = damaged(work, error);
    } else {
        const size_t model_bytes = cpr_get32(data + AT_MODEL_BYTES);
        const size_t files_bytes = (size_t)cpr_get64(data + AT_FILES_BYTES);
        const uint8_t *files = data + HEADER_BYTES + model_bytes;
        memcpy(manifest->model, data + HEADER_BYTES, model_bytes);
        memcpy(manifest->profile, data + AT_PROFILE, PROFILE_BYTES - 1);
        manifest->shard_bytes = cpr_get64(data + AT_SHARD_BYTES);
        manifest->fingerprint = cpr_get64(data + AT_FINGERPRINT);
        manifest->shard_count = cpr_get64(data + AT_SHARDS);
        manifest->sample_count = cpr_get64(data + AT_SAMPLES);
        manifest->vocabulary_bytes = (size_t)cpr_get64(data + AT_VOCABULARY_BYTES);
        manifest->primer_bytes = cpr_get64(data + AT_PRIMER_BYTES);
        manifest->primer_text_bytes = cpr_get64(data + AT_PRIMER_TEXT_BYTES);
        manifest->lesson_bytes = cpr_get64(data + AT_LESSON_BYTES);
        status = take_lists(manifest, files, files_bytes, error);
        if (status == CPR_OK && !is_consistent(manifest))
            status = damaged(work, error);
    }
    free(data);
    if (status != CPR_OK)
        cpr_manifest_free(manifest);
    return status;
}

/* ---- what differs --------------------------------------------------------------------------- */

static cpr_status differs(cpr_error *error, const char *advice, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static cpr_status differs(cpr_error *error, const char *advice, const char *format, ...)
{
    char text[700];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return cpr_fail(error, CPR_ERR_CHANGED, "the work directory is of another job: %s; %s", text,
                    advice);
}

static const char put_back[] = "put it back as it was, and the same command goes on";
static const char keep[] =
    "it is still there: a job that has begun cannot leave it out (as unreadable); make it readable "
    "or name it again, and the same command goes on";
static const char leave_out[] = "leave it out, and the same command goes on";
static const char same_options[] = "with the options of then it goes on";

static const char *type_name(cpr_file_type type)
{
    return type == CPR_FILE_REGULAR ? "file" : type == CPR_FILE_DIRECTORY ? "directory" : "link";
}

static const char *rule_name(cpr_document_rule rule)
{
    return rule == CPR_DOCUMENTS_FILE   ? "file"
           : rule == CPR_DOCUMENTS_LINE ? "line"
                                        : "text between separators";
}

static bool same_separator(const cpr_file_list *old, const cpr_file_list *now)
{
    size_t old_bytes;
    size_t now_bytes;
    const uint8_t *a = cpr_file_list_separator(old, &old_bytes);
    const uint8_t *b = cpr_file_list_separator(now, &now_bytes);
    return old_bytes == now_bytes && (old_bytes == 0 || memcmp(a, b, old_bytes) == 0);
}

/* Entry i of both lists is of the same member path. Modes and times do not count. */
static cpr_status compare_file(const cpr_file_list *old, const cpr_file_list *now, uint64_t i,
                               cpr_error *error)
{
    char path[CPR_SHOWN_BYTES];
    const cpr_file a = cpr_file_list_get(old, i);
    const cpr_file b = cpr_file_list_get(now, i);
    cpr_printable_path(cpr_file_list_source(now, i), path, sizeof path);
    if (a.type != b.type)
        return differs(error, put_back, "\"%s\" was a %s then and is a %s now", path,
                       type_name(a.type), type_name(b.type));
    if (strcmp(cpr_file_list_source(old, i), cpr_file_list_source(now, i)) != 0)
        return differs(error, "name it as then, and it goes on", "\"%s\" was named otherwise then",
                       path);
    if (a.bytes != b.bytes)
        return differs(error, put_back, "\"%s\" had %" PRIu64 " bytes then and has %" PRIu64 " now",
                       path, a.bytes, b.bytes);
    if (strcmp(cpr_file_list_link_target(old, i), cpr_file_list_link_target(now, i)) != 0)
        return differs(error, put_back, "the link \"%s\" points elsewhere now", path);
    if (a.documents != b.documents)
        return differs(error, same_options,
                       "a document of \"%s\" was a %s then, and now is to be a %s (--documents)",
                       path, rule_name(a.documents), rule_name(b.documents));
    return CPR_OK;
}

static cpr_status compare_files(const cpr_file_list *old, const cpr_file_list *now,
                                cpr_error *error)
{
    char path[CPR_SHOWN_BYTES];
    const uint64_t old_count = cpr_file_list_count(old);
    const uint64_t now_count = cpr_file_list_count(now);
    for (uint64_t i = 0; i < old_count || i < now_count; i++) {
        const char *a = i < old_count ? cpr_file_list_member(old, i) : NULL;
        const char *b = i < now_count ? cpr_file_list_member(now, i) : NULL;
        if (a != NULL && b != NULL && strcmp(a, b) == 0) {
            const cpr_status status = compare_file(old, now, i, error);
            if (status != CPR_OK)
                return status;
        } else if (a != NULL && cpr_file_list_lookup(now, a) == UINT64_MAX) {
            return differs(error, access(cpr_file_list_source(old, i), F_OK) == 0 ? keep : put_back,
                           "\"%s\" is no longer in the corpus",
                           cpr_printable_path(cpr_file_list_source(old, i), path, sizeof path));
        } else if (b != NULL && cpr_file_list_lookup(old, b) == UINT64_MAX) {
            return differs(error, leave_out, "\"%s\" has been added to the corpus",
                           cpr_printable_path(cpr_file_list_source(now, i), path, sizeof path));
        } else {
            return differs(error, "name them in the order of then, and it goes on",
                           "the files are in another order, from \"%s\" on",
                           cpr_printable_path(b != NULL ? b : a, path, sizeof path));
        }
    }
    return CPR_OK;
}

cpr_status cpr_manifest_compare(const cpr_manifest *old, const cpr_manifest *now, cpr_error *error)
{
    char profile[CPR_SHOWN_BYTES];
    if (strcmp(old->profile, now->profile) != 0)
        return differs(error, same_options, "it has --profile %s, and now it is %s",
                       cpr_printable_path(old->profile, profile, sizeof profile), now->profile);
    /* A lesson is a part of the model. */
    const bool same_lesson = old->lesson_bytes == now->lesson_bytes;
    if ((same_lesson && strcmp(old->model, now->model) != 0) ||
        old->fingerprint != now->fingerprint)
        return differs(error, "finish it with that one",
                       "it was begun by another version of corpress");
    if (old->shard_bytes != now->shard_bytes)
        return differs(error, same_options,
                       "it has --shard-size %" PRIu64 ", and now it is %" PRIu64, old->shard_bytes,
                       now->shard_bytes);
    const cpr_status status = compare_files(old->files, now->files, error);
    if (status != CPR_OK)
        return status;
    if (!same_separator(old->files, now->files))
        return differs(error, same_options, "its documents have another separator (--documents)");
    if (!same_lesson)
        return differs(error, same_options,
                       "its lesson reads %" PRIu64 " bytes, and now it is to read %" PRIu64
                       " (--lesson-bytes, --no-lesson)",
                       old->lesson_bytes, now->lesson_bytes);
    if (old->primer_bytes == now->primer_bytes)
        return CPR_OK;
    return differs(error, same_options, "it has %s primer, and now there is to be %s (--no-primer)",
                   old->primer_bytes > 0 ? "a" : "no", now->primer_bytes > 0 ? "one" : "none");
}

uint64_t cpr_manifest_find_touched(const cpr_manifest *old, const cpr_manifest *now,
                                   uint8_t *changes)
{
    const uint64_t count = cpr_file_list_count(old->files);
    uint64_t touched = 0;
    for (uint64_t i = 0; i < count; i++) {
        const cpr_file a = cpr_file_list_get(old->files, i);
        const cpr_file b = cpr_file_list_get(now->files, i);
        changes[i] = CPR_FILE_UNTOUCHED;
        if (a.type != CPR_FILE_REGULAR)
            continue;
        if (a.change != b.change)
            changes[i] = CPR_FILE_TOUCHED;
        if (a.mtime_seconds != b.mtime_seconds || a.mtime_nanoseconds != b.mtime_nanoseconds)
            changes[i] = CPR_FILE_WRITTEN;
        touched += changes[i] != CPR_FILE_UNTOUCHED;
    }
    return touched;
}

bool cpr_manifest_same_block(const cpr_manifest *old, uint64_t i, cpr_hash128 hash,
                             cpr_extent extent, uint8_t *changes)
{
    if (cpr_hash_same(old->sample[i], hash))
        return true;
    const uint64_t last = cpr_file_list_find(old->files, extent.offset + extent.bytes - 1);
    bool blamed = false;
    for (uint64_t file = cpr_file_list_find(old->files, extent.offset); file <= last; file++)
        blamed = blamed || changes[file] != CPR_FILE_UNTOUCHED;
    /* Those whose times are the same have kept their content if others have not. */
    for (uint64_t file = cpr_file_list_find(old->files, extent.offset); file <= last; file++)
        if (cpr_file_list_get(old->files, file).bytes > 0 &&
            (!blamed || changes[file] != CPR_FILE_UNTOUCHED))
            changes[file] = CPR_FILE_REPLACED;
    return false;
}
