/* plan_forecast.c - forecasts in numbers for people: how many ranks, how long, which command. */
#include "plan_forecast.h"

#include "escape.h"
#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUSY_LEAST 0.7    /* of the time that ranks are paid for, they are to work so much */
#define LIMIT_FACTOR 1.5  /* a time limit is so much more than what is expected, */
#define LIMIT_STEP 300.0  /* in steps of so many seconds, */
#define LIMIT_LEAST 600.0 /* and at least this */
#define MEMORY_SHARE 0.9  /* of a node's that a job may take */

cpr_status plan_forecasts_make(command_call *call, const cpr_compress_options *options,
                               const cpr_listener *listener, cpr_plan *plan,
                               plan_forecasts *forecasts, cpr_error *error)
{
    const double started = progress_clock();
    cpr_forecaster *forecaster = NULL;
    memset(forecasts, 0, sizeof *forecasts);
    cpr_status status = cpr_forecaster_make(options, call->given.sample_bytes, listener, plan,
                                            &forecaster, &forecasts->why_not, error);
    for (unsigned i = 0; status == CPR_OK && forecaster != NULL && i < PLAN_PROFILES_MOST &&
                         cpr_profile_at(i) != NULL;
         i++) {
        cpr_error why = {.text = ""};
        const cpr_status made =
            cpr_forecaster_run(forecaster, cpr_profile_at(i), &forecasts->of[i], &why);
        forecasts->there[i] = made == CPR_OK;
        if (made == CPR_STOPPED || made == CPR_ERR_CHANGED)
            status = cpr_fail(error, made, "%s", why.text);
        else if (made != CPR_OK)
            command_say("no forecast for profile %s: %s", cpr_profile_name(cpr_profile_at(i)),
                        why.text);
    }
    cpr_forecaster_free(forecaster);
    forecasts->seconds = progress_clock() - started;
    return status;
}

/* ---- the job -------------------------------------------------------------------------------- */

/* How to run one profile. */
typedef struct plan_job {
    uint64_t ranks;
    uint64_t per_node, nodes; /* as large as this machine */
    double seconds;           /* that it takes, */
    double limit;             /* and that it is to be given */
    uint64_t scratch_bytes;
} plan_job;

static double job_seconds(const cpr_plan *plan, const cpr_profile *profile,
                          const cpr_forecast *forecast, uint64_t ranks)
{
    uint32_t streams;
    const uint64_t lesson = cpr_plan_lesson(plan, profile, &streams);
    const uint64_t learning = lesson > 0 && ranks > streams ? streams : ranks;
    const uint64_t turns = (plan->shards + ranks - 1) / ranks;
    return forecast->alone_seconds + forecast->lesson_seconds / (double)learning +
           forecast->shard_seconds * (double)turns;
}

/* As many ranks as have work, and so few that they do not mostly wait for the primer, or for the
 * last shards. */
static uint64_t job_ranks(const cpr_plan *plan, const cpr_profile *profile,
                          const cpr_forecast *forecast)
{
    for (uint64_t turns = 1; turns < plan->shards; turns++) {
        const uint64_t ranks = (plan->shards + turns - 1) / turns;
        const double paid = (double)ranks * job_seconds(plan, profile, forecast, ranks);
        if (forecast->core_seconds >= BUSY_LEAST * paid)
            return ranks;
    }
    return 1;
}

/* Ranks that a node as this machine has cores and memory for. */
static uint64_t job_ranks_per_node(const cpr_plan *plan, const cpr_profile *profile)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const double memory =
        MEMORY_SHARE * (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    uint64_t each;
    uint64_t shared;
    cpr_plan_memory(plan, profile, &each, &shared);
    double ranks = each > 0 ? (memory - (double)shared) / (double)each : 1;
    ranks = ranks < (double)cores ? ranks : (double)cores;
    return ranks > 1 ? (uint64_t)ranks : 1;
}

static plan_job job_of(const cpr_plan *plan, const cpr_profile *profile,
                       const cpr_forecast *forecast)
{
    plan_job job = {.ranks = job_ranks(plan, profile, forecast)};
    uint64_t each;
    uint64_t shared;
    const uint64_t most = job_ranks_per_node(plan, profile);
    job.nodes = (job.ranks + most - 1) / most;
    job.per_node = (job.ranks + job.nodes - 1) / job.nodes;
    job.seconds = job_seconds(plan, profile, forecast, job.ranks);
    job.limit = ceil(LIMIT_FACTOR * job.seconds / LIMIT_STEP) * LIMIT_STEP;
    job.limit = job.limit > LIMIT_LEAST ? job.limit : LIMIT_LEAST;
    cpr_plan_memory(plan, profile, &each, &shared);
    job.scratch_bytes = forecast->scratch_bytes + job.ranks * each;
    return job;
}

/* ---- the command ---------------------------------------------------------------------------- */

static void print_word(FILE *out, const char *option, const char *value)
{
    fprintf(out, " %s ", option);
    escape_shell(out, value);
}

/* What is told to corpress as it was told to this command. */
static void print_options(FILE *out, const command_call *call, const cpr_profile *profile)
{
    const option_values *given = &call->given;
    fprintf(out, " --profile %s", cpr_profile_name(profile));
    if (given->shard_bytes != CPR_SHARD_BYTES_DEFAULT)
        fprintf(out, " --shard-size %" PRIu64, given->shard_bytes);
    if (given->files_from != NULL)
        print_word(out, "--files-from", given->files_from);
    for (size_t i = 0; i < given->exclude.count; i++)
        print_word(out, "--exclude", given->exclude.texts[i]);
    fputs(given->dereference ? " --dereference" : "", out);
    fputs(given->skip_unreadable ? " --skip-unreadable" : "", out);
    fputs(given->decode_inputs ? " --decode-inputs" : "", out);
    fputs(given->keep_damaged ? " --keep-damaged" : "", out);
    if (given->decode_limit > 0)
        fprintf(out, " --decode-limit %" PRIu64, given->decode_limit);
    if (given->text_column != NULL)
        print_word(out, "--text-column", given->text_column);
    if (given->no_lesson)
        fputs(" --no-lesson", out);
    if (given->lesson_bytes > 0)
        fprintf(out, " --lesson-bytes %" PRIu64, given->lesson_bytes);
}

static void print_command(FILE *out, const command_call *call, const cpr_profile *profile,
                          const plan_job *job)
{
    const uint64_t minutes = (uint64_t)(job->limit / 60);
    fputs("submit.sh compress", out);
    for (int i = 0; i < call->path_count; i++) {
        fputc(' ', out);
        escape_shell(out, call->paths[i]);
    }
    fprintf(out,
            " -o ARCHIVE.h5 --nodes %" PRIu64 " --ntasks-per-node %" PRIu64 " --time %02" PRIu64
            ":%02" PRIu64 ":00 --",
            job->nodes, job->per_node, minutes / 60, minutes % 60);
    print_options(out, call, profile);
}

/* ---- as text -------------------------------------------------------------------------------- */

static void print_row(const cpr_plan *plan, const cpr_profile *profile,
                      const cpr_forecast *forecast)
{
    char shown[5][32];
    const plan_job job = job_of(plan, profile, forecast);
    printf("%-9s %9s  %9s to %-9s %5.3f  %10.3f  %5" PRIu64 "  %8s  %9s\n",
           cpr_profile_name(profile),
           progress_bytes(forecast->archive_bytes, shown[0], sizeof shown[0]),
           progress_bytes(forecast->archive_least, shown[1], sizeof shown[1]),
           progress_bytes(forecast->archive_most, shown[2], sizeof shown[2]),
           8 * (double)forecast->archive_bytes / (double)plan->raw_bytes,
           forecast->core_seconds / 3600, job.ranks,
           progress_time(job.seconds, shown[3], sizeof shown[3]),
           progress_bytes(job.scratch_bytes, shown[4], sizeof shown[4]));
}

void plan_forecasts_print(const command_call *call, const cpr_plan *plan,
                          const plan_forecasts *forecasts)
{
    if (call->given.sample_bytes == 0)
        return;
    if (forecasts->why_not != NULL) {
        printf("forecast none: %s\n", forecasts->why_not);
        return;
    }
    printf("forecast by a sample, in %.0f s, on this machine\n\n", forecasts->seconds);
    puts(
        "profile     archive                range  bits/B  core hours  ranks      time    scratch");
    for (unsigned i = 0; i < PLAN_PROFILES_MOST; i++)
        if (forecasts->there[i])
            print_row(plan, cpr_profile_at(i), &forecasts->of[i]);
    putchar('\n');
    for (unsigned i = 0; i < PLAN_PROFILES_MOST; i++)
        if (forecasts->there[i]) {
            const plan_job job = job_of(plan, cpr_profile_at(i), &forecasts->of[i]);
            print_command(stdout, call, cpr_profile_at(i), &job);
            putchar('\n');
        }
}

/* ---- as JSON -------------------------------------------------------------------------------- */

static void print_command_json(const command_call *call, const cpr_profile *profile,
                               const plan_job *job)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL)
        return;
    print_command(out, call, profile, job);
    if (fclose(out) == 0 && text != NULL) {
        fputs(",\"submit\":", stdout);
        escape_json(stdout, text);
    }
    free(text);
}

void plan_forecast_json(const command_call *call, const cpr_plan *plan,
                        const plan_forecasts *forecasts, unsigned i)
{
    if (i >= PLAN_PROFILES_MOST || !forecasts->there[i])
        return;
    const cpr_forecast *f = &forecasts->of[i];
    const plan_job job = job_of(plan, cpr_profile_at(i), f);
    printf(",\"sample_bytes\":%" PRIu64 ",\"archive_bytes\":%" PRIu64
           ",\"archive_bytes_least\":%" PRIu64 ",\"archive_bytes_most\":%" PRIu64,
           f->sample_bytes, f->archive_bytes, f->archive_least, f->archive_most);
    printf(",\"core_seconds\":%.1f,\"lesson_seconds\":%.1f,\"ranks\":%" PRIu64 ",\"nodes\":%" PRIu64
           ",\"seconds\":%.1f,\"scratch_bytes\":%" PRIu64,
           f->core_seconds, f->lesson_seconds, job.ranks, job.nodes, job.seconds,
           job.scratch_bytes);
    print_command_json(call, cpr_profile_at(i), &job);
}
