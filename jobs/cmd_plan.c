/* cmd_plan.c - corpress plan CORPUS... */
#include "command.h"
#include "corpus_list.h"
#include "progress.h"

/* A cpr_warn_fn. */
static void plan_warn(void *context, const char *text)
{
    command_call *call = context;
    call->warnings++;
    command_warn(call->ranks, "%s", text);
}

static void print_plan(const cpr_file_list *files, uint64_t shard_bytes)
{
    const uint64_t bytes = cpr_file_list_bytes(files);
    const uint64_t shards = cpr_plan_shards(bytes, shard_bytes);
    char shown[32];
    printf("files    %llu\n", (unsigned long long)cpr_file_list_count(files));
    printf("bytes    %llu (%s)\n", (unsigned long long)bytes,
           progress_bytes(bytes, shown, sizeof shown));
    printf("shards   %llu", (unsigned long long)shards);
    if (shards)
        printf(" of about %s", progress_bytes(bytes / shards, shown, sizeof shown));
    const uint64_t primer = cpr_plan_primer_bytes(bytes, shard_bytes);
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

static cpr_status run_plan(command_call *call, cpr_error *error)
{
    cpr_unreadable unreadable = {0};
    const cpr_list_options options = {.unreadable = &unreadable,
                                      .dereference = call->given.dereference,
                                      .stream_name = call->given.stdin_name,
                                      .warn = plan_warn,
                                      .warn_context = call};
    cpr_file_list *files = NULL;
    cpr_status status = corpus_list(call, &options, &files, error);
    for (size_t i = 0; status == CPR_OK && i < cpr_file_list_streams(files); i++)
        status = cpr_file_list_count_stream(files, i, NULL, NULL, error);
    if (status == CPR_OK) {
        cpr_file_list_judge(files, &options);
        print_plan(files, call->given.shard_bytes);
    }
    cpr_file_list_free(files);
    return status;
}

static const char *const plan_usage[] = {"CORPUS...", NULL};

const subcommand cmd_plan = {
    .name = "plan",
    .bit = COMMAND_PLAN,
    .summary = "what a job would need",
    .usage = plan_usage,
    .about = "Prints what compressing these files and directories would need: files, bytes, "
             "shards, ranks that have work, the memory of one rank with each profile, and what "
             "the ranks of a node share. Files are not read; pipes ('-', a FIFO, <(...)) are, to "
             "their end, to be counted.",
    .operands = OPERANDS_CORPUS,
    .profiles = true,
    .alone = true,
    .run = run_plan,
};
