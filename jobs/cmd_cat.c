/* cmd_cat.c - corpress cat ARCHIVE.h5 PATH | --shards LIST */
#include "arguments.h"
#include "command.h"
#include "memory_limits.h"
#include "selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What it takes to decode. */
typedef struct cat_work {
    cpr_archive *archive;
    cpr_vocabulary *vocabulary;
    cpr_codec *codec;
    void *base; /* of the codec: the state after the primer */
} cat_work;

/* The part of the corpus that is wanted from the shard in work. */
typedef struct window {
    uint64_t at; /* corpus offset of the next decoded byte */
    uint64_t begin;
    uint64_t end;
} window;

/* A cpr_write_fn. */
static cpr_status write_window(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    window *w = context;
    const uint64_t from = w->begin > w->at ? w->begin - w->at : 0;
    const uint64_t to = w->end > w->at ? w->end - w->at : 0;
    const size_t first = from < bytes ? (size_t)from : bytes;
    const size_t last = to < bytes ? (size_t)to : bytes;
    w->at += bytes;
    if (first >= last)
        return CPR_OK;
    errno = 0;
    if (fwrite(data + first, 1, last - first, stdout) == last - first)
        return CPR_OK;
    return cpr_fail_errno(error, errno, "standard output");
}

/* Writes the bytes [begin, end) of the corpus. */
static cpr_status cat_range(cat_work *work, uint64_t begin, uint64_t end, cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(work->archive);
    cpr_status status = CPR_OK;
    if (begin == end)
        return CPR_OK;
    if (work->codec == NULL) {
        status = cpr_archive_codec(work->archive, &work->vocabulary, &work->codec, error);
        if (status == CPR_OK)
            status = cpr_archive_prime(work->archive, work->codec, &work->base, error);
    }
    uint64_t i = cpr_shard_at(header->shards, header->shard_count, begin);
    const uint64_t last = cpr_shard_at(header->shards, header->shard_count, end - 1);
    for (; status == CPR_OK && i <= last; i++) {
        window w = {.at = header->shards[i].offset, .begin = begin, .end = end};
        status = cpr_archive_decode(work->archive, i, work->codec, (cpr_sink){write_window, &w},
                                    (cpr_watch){NULL, NULL}, error);
    }
    return status;
}

static cpr_status cat_shards(cat_work *work, const char *shards, cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(work->archive);
    bool *selected = NULL;
    cpr_status status = argument_shards(shards, header->shard_count, &selected, error);
    for (uint64_t i = 0; status == CPR_OK && i < header->shard_count; i++)
        if (selected[i])
            status = cat_range(work, header->shards[i].offset,
                               header->shards[i].offset + header->shards[i].raw_bytes, error);
    free(selected);
    return status;
}

static cpr_status cat_file(cat_work *work, char *path, cpr_error *error)
{
    const cpr_file_list *files = cpr_archive_info(work->archive)->files;
    const char *member = argument_member(path);
    const uint64_t file = cpr_file_list_lookup(files, member);
    char shown[512];
    cpr_printable_path(member, shown, sizeof shown);
    if (file == UINT64_MAX)
        return cpr_fail(error, CPR_ERR_NOT_FOUND,
                        "no %s in the archive; 'corpress list' shows what there is", shown);
    const cpr_file facts = cpr_file_list_get(files, file);
    if (facts.type != CPR_FILE_REGULAR)
        return cpr_fail(error, CPR_ERR_USAGE, "%s is a %s", shown,
                        facts.type == CPR_FILE_DIRECTORY ? "directory" : "symbolic link");
    const uint64_t offset = cpr_file_list_offset(files, file);
    return cat_range(work, offset, offset + facts.bytes, error);
}

/* Is the profile known, is there memory, and does the profile compute here as it should? */
static cpr_status check_machine(const cpr_archive *archive, cpr_error *error)
{
    uint64_t fingerprint;
    const cpr_profile *profile;
    cpr_status status = cpr_archive_profile(archive, &profile, error);
    if (status != CPR_OK)
        return status;
    const cpr_memory_need need = cpr_memory_need_of(profile, cpr_archive_codec_bytes(archive),
                                                    cpr_archive_info(archive)->primer != NULL);
    status = cpr_memory_check(&need, error);
    return status == CPR_OK ? cpr_self_test(profile, &fingerprint, error) : status;
}

static int check_cat(command_call *call)
{
    const bool shards = call->given.shards != NULL;
    if (shards ? call->path_count > 0 : call->path_count == 0)
        return command_usage(call->ranks, call->command, "either paths or --shards LIST");
    return EXIT_DONE;
}

/* Rank 0 works alone: standard output has one order. */
static cpr_status run_cat(command_call *call, cpr_error *error)
{
    cat_work work = {.archive = NULL};
    cpr_status status = cpr_ranks_self_test(call->ranks, NULL, error);
    if (status != CPR_OK || cpr_ranks_rank(call->ranks) != 0)
        return status;
    status = command_open_alone(call, &work.archive, error);
    if (status == CPR_OK)
        status = check_machine(work.archive, error);
    if (status == CPR_OK && call->given.shards != NULL)
        status = cat_shards(&work, call->given.shards, error);
    for (int i = 0; status == CPR_OK && i < call->path_count; i++)
        status = cat_file(&work, call->paths[i], error);
    call->reader_is_gone = ferror(stdout) && errno == EPIPE;
    cpr_codec_free(work.codec);
    free(work.base);
    cpr_vocabulary_free(work.vocabulary);
    cpr_archive_close(work.archive);
    return status;
}

static const char *const cat_usage[] = {"ARCHIVE.h5 PATH...", "ARCHIVE.h5 --shards LIST", NULL};

const subcommand cmd_cat = {
    .name = "cat",
    .bit = COMMAND_CAT,
    .summary = "raw bytes to standard output",
    .usage = cat_usage,
    .about = "Writes files, or the raw bytes of whole shards, to standard output. Bytes are "
             "written as they are decoded; the exit code tells whether the shards were intact to "
             "their ends.",
    .operands = OPERANDS_MEMBERS,
    .check = check_cat,
    .run = run_cat,
};
