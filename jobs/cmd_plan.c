/* cmd_plan.c - corpress plan CORPUS... */
#include "command.h"
#include "progress.h"

#include <getopt.h>
#include <string.h>

static const char help_text[] =
    "corpress plan CORPUS...\n"
    "\n"
    "Prints what compressing these files and directories would need: files, bytes, shards, ranks\n"
    "that have work, and the memory of one rank with each profile, and of each node for what its\n"
    "ranks share. Reads no file's contents; '-' and pipes are read to their end, and counted.\n"
    "\n"
    "      --shard-size SIZE  bytes that are coded together, 1M to 4G (default: 64M)\n"
    "      --files-from LIST  the paths listed in a file (-: standard input)\n"
    "  -L, --dereference      take the files and directories that links lead to\n"
    "      --skip-unreadable  leave out, with a warning, what cannot be read or is not there\n"
    "      --stdin-name NAME  the path in the archive of what is read from a pipe\n"
    "      --help             this text\n";

typedef struct plan_call {
    cpr_ranks *ranks;
    uint64_t shard_bytes;
    const char *files_from;
    const char *stdin_name;
    bool dereference;
    bool skip_unreadable;
    cpr_unreadable unreadable;
    uint64_t warnings;
} plan_call;

static int parse_options(plan_call *call, int argc, char **argv, bool *help)
{
    static const struct option options[] = {
        {"shard-size", required_argument, NULL, OPTION_SHARD_SIZE},
        {"files-from", required_argument, NULL, OPTION_FILES_FROM},
        {"dereference", no_argument, NULL, 'L'},
        {"skip-unreadable", no_argument, NULL, OPTION_SKIP_UNREADABLE},
        {"stdin-name", required_argument, NULL, OPTION_STDIN_NAME},
        {"help", no_argument, NULL, OPTION_HELP},
        {NULL, 0, NULL, 0},
    };
    call->shard_bytes = CPR_SHARD_BYTES_DEFAULT;
    int c;
    while ((c = command_option(call->ranks, argc, argv, "Lh", options)) != -1) {
        switch (c) {
        case OPTION_SHARD_SIZE:
            if (!command_parse_size(optarg, &call->shard_bytes) ||
                call->shard_bytes < CPR_SHARD_BYTES_MIN || call->shard_bytes > CPR_SHARD_BYTES_MAX)
                return command_usage(call->ranks, "plan", "--shard-size wants 1M to 4G, not '%s'",
                                     optarg);
            break;
        case OPTION_FILES_FROM:
            call->files_from = optarg;
            break;
        case OPTION_STDIN_NAME:
            if (command_check_stdin_name(call->ranks, "plan", optarg) != EXIT_DONE)
                return EXIT_USAGE;
            call->stdin_name = optarg;
            break;
        case OPTION_SKIP_UNREADABLE:
            call->skip_unreadable = true;
            break;
        case 'L':
            call->dereference = true;
            break;
        case 'h':
        case OPTION_HELP:
            *help = true;
            return EXIT_DONE;
        default:
            return command_bad_option(call->ranks, "plan");
        }
    }
    if (optind == argc && call->files_from == NULL)
        return command_usage(call->ranks, "plan", "no corpus given");
    return EXIT_DONE;
}

/* A cpr_warn_fn. */
static void warn(void *context, const char *text)
{
    plan_call *call = context;
    call->warnings++;
    command_warn(call->ranks, "%s", text);
}

static void print_plan(const plan_call *call, const cpr_file_list *files)
{
    const uint64_t bytes = cpr_file_list_bytes(files);
    const uint64_t shards = cpr_plan_shards(bytes, call->shard_bytes);
    char shown[32];
    printf("files    %llu\n", (unsigned long long)cpr_file_list_count(files));
    printf("bytes    %llu (%s)\n", (unsigned long long)bytes,
           progress_bytes(bytes, shown, sizeof shown));
    printf("shards   %llu", (unsigned long long)shards);
    if (shards)
        printf(" of about %s", progress_bytes(bytes / shards, shown, sizeof shown));
    const uint64_t primer = cpr_plan_primer_bytes(bytes, call->shard_bytes);
    if (primer)
        printf("\nprimer   %s", progress_bytes(primer, shown, sizeof shown));
    printf("\nranks    up to %llu have work\n", (unsigned long long)shards);
    /* A shard reaches past its even share by the search for a line end. */
    const uint64_t largest = shards ? bytes / shards + 65536 : 0;
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++) {
        const cpr_profile *profile = cpr_profile_at(i);
        printf("memory   %s a rank",
               progress_bytes(cpr_codec_memory(profile, primer + largest), shown, sizeof shown));
        if (primer)
            printf(" and %s a node",
                   progress_bytes(cpr_codec_base_memory(profile, primer + largest), shown,
                                  sizeof shown));
        printf(" with profile %s\n", cpr_profile_name(profile));
    }
}

/* Rank 0 does it all. */
static cpr_status plan(plan_call *call, int paths, char **path, cpr_error *error)
{
    const cpr_list_options options = {.unreadable = &call->unreadable,
                                      .dereference = call->dereference,
                                      .stream_name = call->stdin_name,
                                      .warn = warn,
                                      .warn_context = call};
    cpr_file_list *files = cpr_file_list_create();
    cpr_status status =
        files != NULL ? CPR_OK : cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to list files");
    for (int i = 0; status == CPR_OK && i < paths; i++)
        status = cpr_file_list_add(files, path[i], &options, error);
    if (status == CPR_OK && call->files_from != NULL)
        status = cpr_file_list_add_from(files, call->files_from, &options, error);
    if (status == CPR_OK)
        status = cpr_file_list_check_unreadable(files, &options, call->skip_unreadable, error);
    if (status == CPR_OK)
        status = cpr_file_list_check_streams(files, error);
    for (size_t i = 0; status == CPR_OK && i < cpr_file_list_streams(files); i++)
        status = cpr_file_list_count_stream(files, i, NULL, NULL, error);
    if (status == CPR_OK) {
        cpr_file_list_judge(files, &options);
        print_plan(call, files);
    }
    cpr_file_list_free(files);
    return status;
}

int cmd_plan(cpr_ranks *ranks, int argc, char **argv)
{
    plan_call call = {.ranks = ranks};
    bool help = false;
    const int code = parse_options(&call, argc, argv, &help);
    if (help)
        return command_help(ranks, help_text, true);
    if (code != EXIT_DONE || cpr_ranks_rank(ranks) != 0)
        return code;
    cpr_error error = {.text = ""};
    const cpr_status status = plan(&call, argc - optind, argv + optind, &error);
    if (status != CPR_OK)
        return command_failed(ranks, status, &error);
    const int flushed = command_flush(ranks);
    return flushed != EXIT_DONE ? flushed : call.warnings ? EXIT_WARNINGS : EXIT_DONE;
}
