/* cmd_cat.c - corpress cat ARCHIVE.h5 PATH | --shards LIST */
#include "arguments.h"
#include "command.h"
#include "selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct cat_work {
    cpr_archive *archive;
    cpr_reader *reader;
} cat_work;

/* A cpr_write_fn. */
static cpr_status write_output(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    (void)context;
    errno = 0;
    if (fwrite(data, 1, bytes, stdout) == bytes)
        return CPR_OK;
    return cpr_fail(error, errno == ENOMEM ? CPR_ERR_NO_MEMORY : CPR_ERR_IO, "standard output: %s",
                    errno ? strerror(errno) : "write failed");
}

/* Writes bytes of the corpus. */
static cpr_status cat_range(cat_work *work, uint64_t offset, uint64_t bytes, cpr_error *error)
{
    return cpr_reader_stream(work->reader, offset, bytes, (cpr_sink){write_output, NULL},
                             (cpr_watch){NULL, NULL}, error);
}

static cpr_status cat_shards(cat_work *work, const char *list, cpr_error *error)
{
    const uint64_t shards = selection_shards(work->archive);
    bool *selected = NULL;
    cpr_status status = argument_shards(list, shards, &selected, error);
    for (uint64_t i = 0; status == CPR_OK && i < shards; i++) {
        const cpr_shard_info *info = cpr_archive_shard(work->archive, i);
        if (selected[i])
            status = cat_range(work, info->offset, info->raw_bytes, error);
    }
    free(selected);
    return status;
}

static cpr_status cat_file(cat_work *work, char *path, cpr_error *error)
{
    const char *member = argument_member(path);
    cpr_entry entry;
    char shown[512];
    cpr_printable_path(member, shown, sizeof shown);
    if (cpr_archive_find(work->archive, member, &entry, NULL) != CPR_OK)
        return cpr_fail(error, CPR_ERR_NOT_FOUND,
                        "no %s in the archive; 'corpress list' shows what there is", shown);
    if (entry.type != CPR_FILE_REGULAR)
        return cpr_fail(error, CPR_ERR_USAGE, "%s is a %s", shown,
                        entry.type == CPR_FILE_DIRECTORY ? "directory" : "symbolic link");
    return cat_range(work, entry.offset, entry.bytes, error);
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
        status = cpr_reader_open(work.archive, &work.reader, error);
    /* The exit code tells whether shards were intact to their ends, whatever is wanted of them. */
    if (status == CPR_OK)
        cpr_reader_set_thorough(work.reader, true);
    if (status == CPR_OK && call->given.shards != NULL)
        status = cat_shards(&work, call->given.shards, error);
    for (int i = 0; status == CPR_OK && i < call->path_count; i++)
        status = cat_file(&work, call->paths[i], error);
    call->reader_is_gone = ferror(stdout) && errno == EPIPE;
    cpr_reader_close(work.reader);
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
