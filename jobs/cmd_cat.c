/* cmd_cat.c - corpress cat ARCHIVE.h5 PATH... | --shards LIST | --documents A-B */
#include "arguments.h"
#include "command.h"
#include "corpress_documents.h"
#include "corpress_inputs.h"
#include "corpress_speed.h"
#include "ranges.h"
#include "selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct cat_work {
    command_call *call;
    cpr_archive *archive;
    pattern *patterns; /* the paths */
    pattern *excluded;
    range_list ranges; /* what is written */
    uint64_t files;    /* that they are of */
    uint64_t left_out; /* files that --exclude matches */
    /* --lines */
    uint64_t line;  /* the one that comes next, in the file in work */
    bool is_first;  /* nothing of this file is written yet */
    bool is_broken; /* what was written last is no whole line */
    /* --documents */
    cpr_archive_facts facts;
    cpr_document_rule rule; /* of the file in work */
    uint64_t file_end;      /* number of the first document behind it; 0: there is none */
} cat_work;

/* Whether a part of one file is wanted. */
static bool cuts_bytes(const option_values *given)
{
    return given->offset.given || given->bytes != UINT64_MAX;
}

/* ---- what is wanted -------------------------------------------------------------------------- */

static cpr_status add_shards(cat_work *work, cpr_error *error)
{
    const uint64_t shards = selection_shards(work->archive);
    bool *selected = NULL;
    cpr_status status = argument_shards(work->call->given.shards, shards, &selected, error);
    for (uint64_t i = 0; status == CPR_OK && i < shards; i++) {
        const cpr_shard_info *info = cpr_archive_shard(work->archive, i);
        if (selected[i])
            status = range_list_extend(&work->ranges, info->offset, info->raw_bytes, error);
    }
    free(selected);
    return status;
}

/* The part of a file that --offset and --bytes want. */
static cpr_status cut_file(const option_values *given, const cpr_entry *entry, corpus_range *part,
                           cpr_error *error)
{
    const option_offset *offset = &given->offset;
    char shown[512];
    uint64_t begin = offset->bytes;
    if (offset->from_end)
        begin = begin < entry->bytes ? entry->bytes - begin : 0;
    if (begin > entry->bytes)
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "--offset %llu: %s has only %llu bytes",
                        (unsigned long long)begin,
                        cpr_printable_path(entry->path, shown, sizeof shown),
                        (unsigned long long)entry->bytes);
    const uint64_t left = entry->bytes - begin;
    *part = (corpus_range){.offset = entry->offset + begin,
                           .bytes = given->bytes < left ? given->bytes : left};
    return CPR_OK;
}

static cpr_status add_file(cat_work *work, const cpr_entry *entry, cpr_error *error)
{
    const option_values *given = &work->call->given;
    corpus_range part = {.offset = 0};
    const bool left_out = selection_has(work->excluded, given->exclude.count, entry);
    work->left_out += left_out;
    if (entry->type != CPR_FILE_REGULAR || left_out)
        return CPR_OK;
    work->files++;
    if (cuts_bytes(given) && work->files > 1)
        return CPR_OK; /* which is refused when all are counted */
    const cpr_status status = cut_file(given, entry, &part, error);
    if (status != CPR_OK)
        return status;
    return given->lines.given ? range_list_add(&work->ranges, part.offset, part.bytes, error)
                              : range_list_extend(&work->ranges, part.offset, part.bytes, error);
}

/* Whether something lies below a path that is no member itself. */
static bool has_below(const cat_work *work, const pattern *wanted)
{
    const uint64_t files = selection_files(work->archive);
    for (uint64_t f = 0; f < files; f++) {
        cpr_entry entry;
        if (cpr_archive_get(work->archive, f, &entry, NULL) == CPR_OK &&
            pattern_is_path_of(wanted, entry.path, false))
            return true;
    }
    return false;
}

/* Finds the file of a path; else says what is there. */
static cpr_status find_file(const cat_work *work, const pattern *wanted, cpr_entry *entry,
                            cpr_error *error)
{
    char shown[512];
    cpr_printable_path(wanted->text, shown, sizeof shown);
    const bool found = cpr_archive_find(work->archive, wanted->text, entry, NULL) == CPR_OK;
    if (found && entry->type == CPR_FILE_SYMLINK)
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "%s is a symbolic link", shown);
    if (found ? entry->type == CPR_FILE_DIRECTORY : has_below(work, wanted))
        return cpr_fail(error, CPR_ERR_NOT_FOUND,
                        "%s is a directory; a pattern such as 'DIRECTORY/**' takes what is in it",
                        wanted->length > 0 ? shown : "/");
    return found && !wanted->directory ? CPR_OK : selection_not_found(wanted, error);
}

/* Adds what a pattern matches, in the order of the corpus. */
static cpr_status add_matches(cat_work *work, const pattern *wanted, bool *found, cpr_error *error)
{
    const uint64_t files = selection_files(work->archive);
    cpr_status status = CPR_OK;
    for (uint64_t f = 0; status == CPR_OK && f < files; f++) {
        cpr_entry entry;
        status = cpr_archive_get(work->archive, f, &entry, error);
        if (status != CPR_OK || !selection_has(wanted, 1, &entry))
            continue;
        *found = true;
        status = add_file(work, &entry, error);
    }
    return status;
}

/* Adds what a path names. */
static cpr_status add_path(cat_work *work, const pattern *wanted, bool *found, cpr_error *error)
{
    cpr_entry entry;
    if (!wanted->is_path)
        return add_matches(work, wanted, found, error);
    *found = find_file(work, wanted, &entry, NULL) == CPR_OK;
    return *found ? add_file(work, &entry, error) : CPR_OK;
}

/* Adds what all paths name, and tells which of them name no file. */
static cpr_status add_paths(cat_work *work, bool *found, cpr_error *error)
{
    const size_t count = (size_t)work->call->path_count;
    cpr_status status = CPR_OK;
    selection_misses misses = {.words = count};
    for (size_t i = 0; status == CPR_OK && i < count; i++) {
        status = add_path(work, &work->patterns[i], &found[i], error);
        misses.missing += !found[i];
    }
    for (size_t i = 0; status == CPR_OK && i < count; i++) {
        cpr_entry entry;
        cpr_error text;
        if (found[i])
            continue;
        const cpr_status why = work->patterns[i].is_path
                                   ? find_file(work, &work->patterns[i], &entry, &text)
                                   : selection_not_found(&work->patterns[i], &text);
        status = selection_tell(work->call, &misses, why, &text, error);
    }
    return status;
}

static cpr_status choose_paths(cat_work *work, cpr_error *error)
{
    const option_values *given = &work->call->given;
    const option_words words = {.texts = work->call->paths,
                                .count = (size_t)work->call->path_count};
    bool *found = calloc(words.count + 1, sizeof *found);
    cpr_status status = CPR_OK;
    if (found == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of paths");
    if (status == CPR_OK)
        status = selection_patterns(work->archive, words, false, &work->patterns, error);
    if (status == CPR_OK)
        status = selection_patterns(work->archive, given->exclude, true, &work->excluded, error);
    if (status == CPR_OK)
        status = add_paths(work, found, error);
    if (status == CPR_OK && cuts_bytes(given) && work->files > 1)
        status = cpr_fail(error, CPR_ERR_USAGE,
                          "--offset and --bytes are of one file; the paths name %llu",
                          (unsigned long long)work->files);
    if (status == CPR_OK && work->files == 0 && work->left_out > 0)
        selection_tell_empty(work->call);
    free(found);
    return status;
}

/* The input whose members lie below a path; CPR_NONE: there is none. */
static uint64_t find_tar(const cat_work *work, const pattern *wanted)
{
    cpr_entry entry;
    cpr_input_facts input;
    if (!wanted->is_path || cpr_archive_find(work->archive, wanted->text, &entry, NULL) != CPR_OK)
        return CPR_NONE;
    for (uint64_t i = 0; i < cpr_archive_inputs(work->archive); i++)
        if (cpr_archive_input(work->archive, i, &input, NULL) == CPR_OK && input.is_tar &&
            input.first_file == entry.number)
            return i;
    return CPR_NONE;
}

/* Finds the inputs that the paths name; *tars is malloc()ed, and ends with CPR_NONE. */
static cpr_status choose_tars(cat_work *work, uint64_t **tars, cpr_error *error)
{
    const option_words words = {.texts = work->call->paths,
                                .count = (size_t)work->call->path_count};
    cpr_status status = selection_patterns(work->archive, words, false, &work->patterns, error);
    *tars = calloc(words.count + 1, sizeof **tars);
    if (status == CPR_OK && *tars == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of paths");
    for (size_t i = 0; status == CPR_OK && i < words.count; i++) {
        char shown[512];
        (*tars)[i] = find_tar(work, &work->patterns[i]);
        if ((*tars)[i] == CPR_NONE)
            status =
                cpr_fail(error, CPR_ERR_NOT_FOUND, "%s is no tar whose members are in the archive",
                         cpr_printable_path(words.texts[i], shown, sizeof shown));
    }
    if (status == CPR_OK)
        (*tars)[words.count] = CPR_NONE;
    return status;
}

/* ---- what is written ------------------------------------------------------------------------- */

/* A range_fn. */
static cpr_status write_bytes(void *context, bool begins, const uint8_t *data, size_t bytes,
                              bool *enough, cpr_error *error)
{
    (void)context;
    (void)begins;
    (void)enough;
    return command_write(NULL, data, bytes, error);
}

/* Moves on to where line `line` begins, or to the end. */
static const uint8_t *skip_lines(cat_work *work, uint64_t line, const uint8_t *at,
                                 const uint8_t *end)
{
    while (at < end && work->line < line) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        work->line += newline != NULL;
        at = newline != NULL ? newline + 1 : end;
    }
    return at;
}

/* A range_fn: of each file the lines that are wanted. Where a file ends without a newline, and more
 * follows, it gets one. */
static cpr_status write_lines(void *context, bool begins, const uint8_t *data, size_t bytes,
                              bool *enough, cpr_error *error)
{
    cat_work *work = context;
    const option_range *lines = &work->call->given.lines;
    if (begins) {
        work->line = 1;
        work->is_first = true;
    }
    const uint8_t *first = skip_lines(work, lines->first, data, data + bytes);
    const uint8_t *end = first;
    while (work->line <= lines->last && end < data + bytes)
        end = skip_lines(work, work->line + 1, end, data + bytes);
    *enough = work->line > lines->last;
    if (first == end)
        return CPR_OK;
    cpr_status status = CPR_OK;
    if (work->is_first && work->is_broken)
        status = command_write(NULL, (const uint8_t *)"\n", 1, error);
    if (status == CPR_OK)
        status = command_write(NULL, first, (size_t)(end - first), error);
    work->is_first = false;
    work->is_broken = end[-1] != '\n';
    return status;
}

/* Finds the file of a document. */
static cpr_status find_rule(cat_work *work, uint64_t number, cpr_error *error)
{
    cpr_entry entry;
    uint64_t file;
    uint64_t shard;
    uint64_t first;
    uint64_t count;
    cpr_status status = cpr_archive_document(work->archive, number, &file, &shard, error);
    if (status == CPR_OK)
        status = cpr_archive_get(work->archive, file, &entry, error);
    if (status == CPR_OK)
        status = cpr_archive_file_documents(work->archive, file, &first, &count, error);
    if (status != CPR_OK)
        return status;
    work->rule = entry.documents;
    work->file_end = first + count;
    return CPR_OK;
}

/* A cpr_document_fn. A file is as it is; a line or text has behind it what ended it, or would have
 * if its file did not end. */
static cpr_status write_document(void *context, uint64_t number, const uint8_t *data, size_t bytes,
                                 bool last, cpr_error *error)
{
    cat_work *work = context;
    cpr_status status = number < work->file_end ? CPR_OK : find_rule(work, number, error);
    if (status == CPR_OK && bytes > 0)
        status = command_write(NULL, data, bytes, error);
    if (status != CPR_OK || !last)
        return status;
    if (work->call->given.null)
        return command_write(NULL, (const uint8_t *)"", 1, error);
    if (work->rule == CPR_DOCUMENTS_LINE)
        return command_write(NULL, (const uint8_t *)"\n", 1, error);
    return work->rule == CPR_DOCUMENTS_SEPARATOR
               ? command_write(NULL, work->facts.separator, work->facts.separator_bytes, error)
               : CPR_OK;
}

/* The numbers that are wanted, of which there are all. */
static cpr_status choose_documents(cat_work *work, cpr_error *error)
{
    option_range *numbers = &work->call->given.numbers;
    cpr_archive_get_facts(work->archive, &work->facts);
    const uint64_t documents = work->facts.documents;
    if (numbers->last == UINT64_MAX && numbers->first < documents)
        numbers->last = documents - 1;
    if (numbers->last < documents)
        return CPR_OK;
    return cpr_fail(
        error, CPR_ERR_NOT_FOUND, "no document %llu: the archive has %llu, counted from 0",
        (unsigned long long)(numbers->first < documents ? numbers->last : numbers->first),
        (unsigned long long)documents);
}

/* ---- the command ----------------------------------------------------------------------------- */

static int check_cat(command_call *call)
{
    const option_values *given = &call->given;
    const bool paths = call->path_count > 0;
    if (paths + (given->shards != NULL) + given->numbers.given != 1)
        return command_usage(call->ranks, call->command,
                             "either paths, or --shards LIST, or --documents A-B");
    if (!paths && (cuts_bytes(given) || given->lines.given || given->exclude.count > 0))
        return command_usage(call->ranks, call->command,
                             "--offset, --bytes, --lines and --exclude go with paths");
    if (given->tar &&
        (!paths || cuts_bytes(given) || given->lines.given || given->exclude.count > 0))
        return command_usage(call->ranks, call->command, "--tar goes with paths alone");
    if (cuts_bytes(given) && given->lines.given)
        return command_usage(call->ranks, call->command, "either --lines or --offset and --bytes");
    if (given->null && !given->numbers.given)
        return command_usage(call->ranks, call->command, "--null goes with --documents");
    return EXIT_DONE;
}

/* Has whole shards decoded ahead, if there are several. */
static cpr_status expect_shards(const cat_work *work, cpr_reader *reader, cpr_error *error)
{
    const option_values *given = &work->call->given;
    const bool several_ranks = cpr_ranks_size(work->call->ranks) > 1;
    uint64_t *shards;
    uint64_t count;
    if (given->threads == 1 || (given->threads == 0 && several_ranks))
        return CPR_OK;
    cpr_status status = range_list_shards(&work->ranges, work->archive, &shards, &count, error);
    if (status == CPR_OK && count > 1)
        status = cpr_reader_expect(reader, shards, count, (unsigned)given->threads, error);
    free(shards);
    return status;
}

/* Of whole files and shards the exit code tells whether the shards were intact to their ends. A
 * part is there to be fast. */
static cpr_status write_chosen(cat_work *work, cpr_reader *reader, cpr_error *error)
{
    const option_values *given = &work->call->given;
    const bool whole = !cuts_bytes(given) && !given->lines.given;
    if (given->numbers.given)
        return cpr_reader_documents(reader, given->numbers.first,
                                    given->numbers.last - given->numbers.first + 1, write_document,
                                    work, error);
    const cpr_status status = whole ? expect_shards(work, reader, error) : CPR_OK;
    if (status != CPR_OK)
        return status;
    cpr_reader_set_thorough(reader, whole);
    return range_list_read(&work->ranges, work->archive, reader,
                           given->lines.given ? write_lines : write_bytes, work, error);
}

static cpr_status write_tars(const uint64_t *tars, cpr_reader *reader, cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (size_t i = 0; status == CPR_OK && tars[i] != CPR_NONE; i++)
        status = cpr_reader_tar(reader, tars[i], (cpr_sink){command_write, NULL},
                                (cpr_watch){NULL, NULL}, error);
    return status;
}

static cpr_status cat(cat_work *work, cpr_error *error)
{
    const option_values *given = &work->call->given;
    cpr_reader *reader = NULL;
    uint64_t *tars = NULL;
    cpr_status status = given->tar              ? choose_tars(work, &tars, error)
                        : given->numbers.given  ? choose_documents(work, error)
                        : given->shards != NULL ? add_shards(work, error)
                                                : choose_paths(work, error);
    if (status == CPR_OK)
        status = command_open_reader(work->call, work->archive, &reader, error);
    if (status == CPR_OK)
        status = given->tar ? write_tars(tars, reader, error) : write_chosen(work, reader, error);
    command_close_reader(reader);
    free(tars);
    return status;
}

/* Rank 0 works alone: standard output has one order. */
static cpr_status run_cat(command_call *call, cpr_error *error)
{
    cat_work work = {.call = call};
    cpr_status status = cpr_ranks_self_test(call->ranks, NULL, error);
    if (status != CPR_OK || cpr_ranks_rank(call->ranks) != 0)
        return status;
    status = command_open_alone(call, &work.archive, error);
    if (status == CPR_OK)
        status = cat(&work, error);
    call->reader_is_gone = ferror(stdout) && errno == EPIPE;
    range_list_free(&work.ranges);
    free(work.patterns);
    free(work.excluded);
    cpr_archive_close(work.archive);
    return status;
}

static const char *const cat_usage[] = {"ARCHIVE.h5 PATH...",
                                        "ARCHIVE.h5 PATH --offset N --bytes N",
                                        "ARCHIVE.h5 PATH... --lines A-B",
                                        "ARCHIVE.h5 PATH... --tar",
                                        "ARCHIVE.h5 --documents A-B",
                                        "ARCHIVE.h5 --shards LIST",
                                        NULL};

const subcommand cmd_cat = {
    .name = "cat",
    .bit = COMMAND_CAT,
    .summary = "raw bytes to standard output",
    .usage = cat_usage,
    .about =
        "Writes files, parts of them, documents, or the raw bytes of whole shards, to standard "
        "output. "
        "Bytes are written as they are decoded; of whole files and shards the exit code tells "
        "whether the shards were intact to their ends.",
    .operands = OPERANDS_MEMBERS,
    .check = check_cat,
    .run = run_cat,
};
