/* cmd_plan.c - corpress plan CORPUS... */
#include "command.h"
#include "corpus_input.h"
#include "progress.h"

static void on_warn(void *context, const char *text)
{
    command_call *call = context;
    call->warnings++;
    command_warn(call->ranks, "%s", text);
}

static void print_plan(const cpr_plan *plan)
{
    char shown[32];
    printf("files    %llu\n", (unsigned long long)plan->files);
    printf("bytes    %llu (%s)\n", (unsigned long long)plan->raw_bytes,
           progress_bytes(plan->raw_bytes, shown, sizeof shown));
    printf("shards   %llu", (unsigned long long)plan->shards);
    if (plan->shards)
        printf(" of about %s", progress_bytes(plan->raw_bytes / plan->shards, shown, sizeof shown));
    if (plan->primer_bytes)
        printf("\nprimer   %s", progress_bytes(plan->primer_bytes, shown, sizeof shown));
    printf("\nranks    up to %llu have work\n", (unsigned long long)plan->shards);
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++) {
        const cpr_profile *profile = cpr_profile_at(i);
        uint64_t each;
        uint64_t shared;
        cpr_plan_memory(plan, profile, &each, &shared);
        printf("memory   %s a rank", progress_bytes(each, shown, sizeof shown));
        if (shared)
            printf(" and %s a node", progress_bytes(shared, shown, sizeof shown));
        printf(" with profile %s\n", cpr_profile_name(profile));
    }
}

static cpr_status run_plan(command_call *call, cpr_error *error)
{
    const cpr_compress_options options = {.input = corpus_input(call),
                                          .shard_bytes = call->given.shard_bytes};
    const cpr_listener listener = {.context = call, .warn = on_warn};
    cpr_plan plan;
    const cpr_status status = cpr_plan_make(&options, &listener, &plan, error);
    if (status == CPR_OK)
        print_plan(&plan);
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
