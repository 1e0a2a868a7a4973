/* cmd_plan.c - corpress plan CORPUS... */
#include "command.h"
#include "corpus_input.h"
#include "plan_forecast.h"
#include "progress.h"

#include <inttypes.h>

static void on_warn(void *context, const char *text)
{
    command_call *call = context;
    call->warnings++;
    command_warn(call->ranks, "%s", text);
}

/* That a rank learns from in a second, in a lesson; see print_lesson(). */
#define LESSON_BYTES_PER_SECOND 190e3

/* What teaching a network before the coding takes: each rank reads for as many streams, or for one
 * less. */
static void print_lesson(const cpr_plan *plan, const cpr_profile *profile)
{
    char shown[32];
    char rate[32];
    uint32_t streams;
    const uint64_t bytes = cpr_plan_lesson(plan, profile, &streams);
    if (bytes == 0)
        return;
    printf("lesson   %s in %u streams with profile %s\n",
           progress_bytes(bytes, shown, sizeof shown), (unsigned)streams,
           cpr_profile_name(profile));
    printf("         if a rank learns from %s a second, which is what one has done:\n",
           progress_bytes((uint64_t)LESSON_BYTES_PER_SECOND, rate, sizeof rate));
    for (uint32_t ranks = 1;; ranks = 2 * ranks < streams ? 2 * ranks : streams) {
        const uint32_t each = (streams + ranks - 1) / ranks;
        const double seconds = (double)bytes / streams * each / LESSON_BYTES_PER_SECOND;
        printf("         %s with %u rank%s%s\n", progress_time(seconds, shown, sizeof shown),
               (unsigned)ranks, ranks == 1 ? "" : "s", ranks == streams ? " and more" : "");
        if (ranks == streams)
            break;
    }
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
    putchar('\n');
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++)
        print_lesson(plan, cpr_profile_at(i));
    printf("ranks    up to %llu have work\n", (unsigned long long)plan->shards);
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

static void print_json(const command_call *call, const cpr_plan *plan,
                       const plan_forecasts *forecasts)
{
    printf("{\"files\":%" PRIu64 ",\"raw_bytes\":%" PRIu64 ",\"shards\":%" PRIu64
           ",\"shard_bytes\":%" PRIu64 ",\"primer_bytes\":%" PRIu64 ",\"profiles\":[",
           plan->files, plan->raw_bytes, plan->shards, call->given.shard_bytes, plan->primer_bytes);
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++) {
        const cpr_profile *profile = cpr_profile_at(i);
        uint64_t each;
        uint64_t shared;
        uint32_t streams;
        cpr_plan_memory(plan, profile, &each, &shared);
        const uint64_t lesson = cpr_plan_lesson(plan, profile, &streams);
        printf("%s{\"profile\":\"%s\",\"rank_memory_bytes\":%" PRIu64
               ",\"node_memory_bytes\":%" PRIu64,
               i > 0 ? "," : "", cpr_profile_name(profile), each, shared);
        if (lesson > 0)
            printf(",\"lesson_bytes\":%" PRIu64 ",\"lesson_streams\":%" PRIu32
                   ",\"lesson_bytes_per_second\":%.0f",
                   lesson, streams, LESSON_BYTES_PER_SECOND);
        plan_forecast_json(call, plan, forecasts, i);
        putchar('}');
    }
    putchar(']');
    if (call->given.sample_bytes > 0 && forecasts->why_not == NULL)
        printf(",\"sample_seconds\":%.1f", forecasts->seconds);
    puts("}");
}

static cpr_status run_plan(command_call *call, cpr_error *error)
{
    cpr_compress_options options = {.shard_bytes = call->given.shard_bytes,
                                    .no_lesson = call->given.no_lesson,
                                    .lesson_bytes = call->given.lesson_bytes};
    const cpr_listener listener = {.context = call, .warn = on_warn};
    cpr_plan plan;
    plan_forecasts forecasts;
    cpr_status status = corpus_input_make(call, &options.input, error);
    if (status == CPR_OK)
        status = plan_forecasts_make(call, &options, &listener, &plan, &forecasts, error);
    if (status == CPR_OK && call->given.format == REPORT_JSON) {
        print_json(call, &plan, &forecasts);
    } else if (status == CPR_OK) {
        print_plan(&plan);
        plan_forecasts_print(call, &plan, &forecasts);
    }
    corpus_input_free(&options.input);
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
             "the ranks of a node share. Then it codes a sample of them with each profile, which "
             "takes half a minute, and says how large the archive will be, how long it takes on "
             "this machine, how many ranks make sense, and how to submit the job; not of pipes "
             "('-', a FIFO, <(...)), which are read to their end, to be counted.",
    .operands = OPERANDS_CORPUS,
    .profiles = true,
    .alone = true,
    .check = command_check_lesson,
    .run = run_plan,
};
