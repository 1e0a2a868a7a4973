/* cmd_cat.c - corpress cat ARCHIVE.h5 PATH | --shards LIST */
#include "command.h"
#include "memory_limits.h"
#include "selection.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
    "corpress cat ARCHIVE.h5 PATH...\n"
    "corpress cat ARCHIVE.h5 --shards LIST\n"
    "\n"
    "Writes files, or the raw bytes of shards such as 3,7-9, to standard output. Bytes are "
    "written\n"
    "as they are decoded; the exit code tells whether the shards were intact to their ends.\n"
    "\n"
    "      --shards LIST  whole shards, in ascending order\n"
    "      --unsealed     read an archive whose seal does not match: another program\n"
    "                     changed it. Only the shards have checksums then\n"
    "      --help         this text\n";

typedef struct cat_call {
    cpr_ranks *ranks;
    cpr_archive *archive;
    const char *shards;
    cpr_vocabulary *vocabulary;
    cpr_codec *codec;
    void *base;    /* of the codec: the state after the primer */
    bool unsealed; /* whatever the seal says */
} cat_call;

/* The part of the corpus that is wanted from the shard in work. */
typedef struct window {
    uint64_t at; /* corpus offset of the next decoded byte */
    uint64_t begin;
    uint64_t end;
} window;

static int parse_options(cat_call *call, int argc, char **argv, bool *help)
{
    static const struct option options[] = {
        {"shards", required_argument, NULL, OPTION_SHARDS},
        {"unsealed", no_argument, NULL, OPTION_UNSEALED},
        {"help", no_argument, NULL, OPTION_HELP},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = command_option(call->ranks, argc, argv, "h", options)) != -1) {
        switch (c) {
        case OPTION_SHARDS:
            call->shards = optarg;
            break;
        case OPTION_UNSEALED:
            call->unsealed = true;
            break;
        case 'h':
        case OPTION_HELP:
            *help = true;
            return EXIT_DONE;
        default:
            return command_bad_option(call->ranks, "cat");
        }
    }
    const int paths = argc - optind - 1;
    if (paths < 0)
        return command_usage(call->ranks, "cat", "no archive given");
    if (call->shards != NULL ? paths > 0 : paths == 0)
        return command_usage(call->ranks, "cat", "either paths or --shards LIST");
    return EXIT_DONE;
}

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
static cpr_status cat_range(cat_call *call, uint64_t begin, uint64_t end, cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(call->archive);
    cpr_status status = CPR_OK;
    if (begin == end)
        return CPR_OK;
    if (call->codec == NULL) {
        status = cpr_archive_codec(call->archive, &call->vocabulary, &call->codec, error);
        if (status == CPR_OK)
            status = cpr_archive_prime(call->archive, call->codec, &call->base, error);
    }
    const uint64_t last = selection_shard_at(header, end - 1);
    for (uint64_t i = selection_shard_at(header, begin); status == CPR_OK && i <= last; i++) {
        window w = {.at = header->shards[i].offset, .begin = begin, .end = end};
        status = cpr_archive_decode(call->archive, i, call->codec, (cpr_sink){write_window, &w},
                                    (cpr_watch){NULL, NULL}, error);
    }
    return status;
}

static cpr_status cat_shards(cat_call *call, cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(call->archive);
    bool *selected = NULL;
    cpr_status status = command_parse_shards(call->shards, header->shard_count, &selected, error);
    for (uint64_t i = 0; status == CPR_OK && i < header->shard_count; i++)
        if (selected[i])
            status = cat_range(call, header->shards[i].offset,
                               header->shards[i].offset + header->shards[i].raw_bytes, error);
    free(selected);
    return status;
}

static cpr_status cat_file(cat_call *call, char *path, cpr_error *error)
{
    const cpr_file_list *files = cpr_archive_info(call->archive)->files;
    const char *member = command_member_path(path);
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
    return cat_range(call, offset, offset + facts.bytes, error);
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

/* Rank 0 works alone: standard output has one order. */
int cmd_cat(cpr_ranks *ranks, int argc, char **argv)
{
    cat_call call = {.ranks = ranks};
    bool help = false;
    const int code = parse_options(&call, argc, argv, &help);
    if (help)
        return command_help(ranks, help_text, false);
    if (code != EXIT_DONE)
        return code;
    cpr_error error = {.text = ""};
    cpr_status status = cpr_ranks_self_test(ranks, NULL, &error);
    if (status != CPR_OK)
        return command_failed(ranks, status, &error);
    if (cpr_ranks_rank(ranks) != 0)
        return EXIT_DONE;
    status = command_open_alone(argv[optind], call.unsealed, &call.archive, &error);
    if (status == CPR_OK)
        status = check_machine(call.archive, &error);
    if (status == CPR_OK && call.shards != NULL)
        status = cat_shards(&call, &error);
    for (int i = optind + 1; status == CPR_OK && i < argc; i++)
        status = cat_file(&call, argv[i], &error);
    const bool broken_pipe = ferror(stdout) && errno == EPIPE;
    cpr_codec_free(call.codec);
    free(call.base);
    cpr_vocabulary_free(call.vocabulary);
    cpr_archive_close(call.archive);
    if (broken_pipe)
        return EXIT_FAILED;
    if (status != CPR_OK) {
        fflush(stdout);
        return command_failed(ranks, status, &error);
    }
    return command_flush(ranks);
}
