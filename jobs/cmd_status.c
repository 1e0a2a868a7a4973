/* cmd_status.c - corpress status ARCHIVE.h5 */
#include "command.h"
#include "corpress_job.h"
#include "escape.h"
#include "progress.h"

#include <inttypes.h>

/* As cpr_job_state counts them. */
static const char *const state_names[] = {"finished", "running", "stopped", "preparing"};

static double ratio_of(const cpr_job *job)
{
    return job->coded_bytes_done ? (double)job->raw_bytes_done / (double)job->coded_bytes_done : 0;
}

static double seconds_left(const cpr_job *job)
{
    return job->bytes_per_second > 0
               ? (double)(job->raw_bytes - job->raw_bytes_done) / job->bytes_per_second
               : -1;
}

static void print_table(const char *path, const cpr_job *job)
{
    char shown[512];
    char a[32];
    char b[32];
    char time[32];
    printf("%s: %s", cpr_printable_path(path, shown, sizeof shown), state_names[job->state]);
    if (job->host[0])
        printf(" on %s, process %" PRId64, cpr_printable_path(job->host, shown, sizeof shown),
               job->pid);
    if (job->slurm_job[0])
        printf(", SLURM job %s", cpr_printable_path(job->slurm_job, shown, sizeof shown));
    putchar('\n');
    if (job->shards == 0)
        return;
    printf("shards  %" PRIu64 " done, %" PRIu64 " in work, %" PRIu64 " left, of %" PRIu64 "\n",
           job->shards_done, job->shards_begun, job->shards - job->shards_done - job->shards_begun,
           job->shards);
    printf("corpus  %s of %s, %.1f %%\n", progress_bytes(job->raw_bytes_done, a, sizeof a),
           progress_bytes(job->raw_bytes, b, sizeof b),
           100.0 * (double)job->raw_bytes_done / (double)job->raw_bytes);
    if (job->lesson_bytes_done < job->lesson_bytes) {
        printf("lesson  %s of %s", progress_bytes(job->lesson_bytes_done, a, sizeof a),
               progress_bytes(job->lesson_bytes, b, sizeof b));
        if (job->lesson_bits_per_byte > 0)
            printf(", %.3f bits a byte", job->lesson_bits_per_byte);
        puts("; all else comes after it");
    }
    if (job->primer_bytes_done < job->primer_bytes)
        printf("primer  %s of %s; the shards come after it\n",
               progress_bytes(job->primer_bytes_done, a, sizeof a),
               progress_bytes(job->primer_bytes, b, sizeof b));
    if (job->coded_bytes_done)
        printf("ratio   %.3f\n", ratio_of(job));
    if (job->bytes_per_second > 0)
        printf("speed   %s/s, %s left\n",
               progress_bytes((uint64_t)job->bytes_per_second, a, sizeof a),
               progress_time(seconds_left(job), time, sizeof time));
    if (job->rank_count)
        printf("\n%6s  %-20s %8s %18s %12s\n", "rank", "host", "shard", "of it", "speed");
    for (size_t i = 0; i < job->rank_count; i++) {
        const cpr_job_rank *r = &job->ranks[i];
        printf("%6zu  %-20s ", i, cpr_printable_path(r->host, shown, sizeof shown));
        if (r->shard == CPR_NONE)
            printf("%8s %18s", "-", "-");
        else
            printf("%8" PRIu64 " %16.1f %%", r->shard,
                   100.0 * (double)r->raw_bytes / (double)r->shard_bytes);
        printf(" %10s/s\n", progress_bytes((uint64_t)r->bytes_per_second, a, sizeof a));
    }
}

static void print_json(const char *path, const cpr_job *job)
{
    putchar('{');
    escape_json_member(stdout, "archive", ":", path);
    printf(",\"state\":\"%s\"", state_names[job->state]);
    if (job->host[0]) {
        putchar(',');
        escape_json_member(stdout, "host", ":", job->host);
        printf(",\"pid\":%" PRId64, job->pid);
    }
    if (job->slurm_job[0]) {
        putchar(',');
        escape_json_member(stdout, "slurm_job", ":", job->slurm_job);
    }
    printf(",\"shards\":%" PRIu64 ",\"shards_done\":%" PRIu64 ",\"shards_in_work\":%" PRIu64
           ",\"raw_bytes\":%" PRIu64 ",\"raw_bytes_done\":%" PRIu64
           ",\"coded_bytes_done\":%" PRIu64,
           job->shards, job->shards_done, job->shards_begun, job->raw_bytes, job->raw_bytes_done,
           job->coded_bytes_done);
    if (job->lesson_bytes)
        printf(",\"lesson_bytes\":%" PRIu64 ",\"lesson_bytes_done\":%" PRIu64, job->lesson_bytes,
               job->lesson_bytes_done);
    if (job->lesson_bits_per_byte > 0)
        printf(",\"lesson_bits_per_byte\":%.4f", job->lesson_bits_per_byte);
    if (job->primer_bytes)
        printf(",\"primer_bytes\":%" PRIu64 ",\"primer_bytes_done\":%" PRIu64, job->primer_bytes,
               job->primer_bytes_done);
    if (job->coded_bytes_done)
        printf(",\"ratio\":%.6f", ratio_of(job));
    if (job->bytes_per_second > 0)
        printf(",\"bytes_per_second\":%.0f,\"seconds_left\":%.1f", job->bytes_per_second,
               seconds_left(job));
    fputs(",\"ranks\":[", stdout);
    for (size_t i = 0; i < job->rank_count; i++) {
        const cpr_job_rank *r = &job->ranks[i];
        printf("%s{\"rank\":%zu,", i ? "," : "", i);
        escape_json_member(stdout, "host", ":", r->host);
        if (r->shard != CPR_NONE)
            printf(",\"shard\":%" PRIu64 ",\"shard_raw_bytes\":%" PRIu64
                   ",\"shard_raw_bytes_done\":%" PRIu64,
                   r->shard, r->shard_bytes, r->raw_bytes);
        printf(",\"bytes_per_second\":%.0f}", r->bytes_per_second);
    }
    puts("]}");
}

static cpr_status run_status(command_call *call, cpr_error *error)
{
    cpr_job *job = NULL;
    const cpr_status status = cpr_job_look(call->archive, &job, error);
    if (status == CPR_OK && call->given.format == REPORT_JSON)
        print_json(call->archive, job);
    else if (status == CPR_OK)
        print_table(call->archive, job);
    cpr_job_free(job);
    return status;
}

static const char *const status_usage[] = {"ARCHIVE.h5", NULL};

const subcommand cmd_status = {
    .name = "status",
    .bit = COMMAND_STATUS,
    .summary = "how far a job is",
    .usage = status_usage,
    .about = "Says how far a job is that makes an archive, while it runs and after it was "
             "interrupted, from its work directory alone. The exit code is 2 if there is neither "
             "an archive nor a work directory.",
    .operands = OPERANDS_ARCHIVE,
    .alone = true,
    .run = run_status,
};
