/* cmd_status.c - corpress status ARCHIVE.h5 */
#include "command.h"
#include "escape.h"
#include "progress.h"
#include "work.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef enum job_state { JOB_FINISHED, JOB_RUNNING, JOB_STOPPED, JOB_PREPARING } job_state;

static const char *const state_names[] = {"finished", "running", "stopped", "preparing"};

/* A rank of a running job, as its progress file has it. */
typedef struct rank_status {
    char host[CPR_HOST_BYTES];
    uint64_t shard; /* UINT64_MAX: none in work */
    uint64_t raw_bytes;
    uint64_t shard_bytes;
    double speed; /* raw bytes a second; 0: not known yet */
} rank_status;

typedef struct job_status {
    job_state state;
    cpr_work_owner owner;
    uint64_t shards;
    uint64_t done;
    uint64_t begun; /* in work now, or to be gone on with from a snapshot */
    uint64_t total_bytes;
    uint64_t done_bytes; /* raw, of finished shards, while it runs of those in work as well */
    uint64_t coded_bytes;
    uint64_t primer_bytes; /* 0: there is none */
    uint64_t primer_done;
    double speed; /* of all ranks; 0: not known */
    rank_status *ranks;
    int rank_count;
} job_status;

static uint64_t number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at != NULL ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* 0 if it is more than any machine has: JSON has no infinity, and the file may hold anything. */
static double speed_of(uint64_t bytes, double seconds)
{
    const double speed = (double)bytes / seconds;
    return speed < 1e15 ? speed : 0;
}

/* "rank 0 host 12 RAW CODED RESUMED DONE SECONDS" */
static bool parse_rank(const char *line, const cpr_manifest *manifest, double seconds,
                       rank_status *rank)
{
    char shard[32];
    uint64_t resumed;
    uint64_t done_bytes;
    double done_seconds;
    /* A file of our own: no number in it is out of range. NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(line, "rank %*d %63s %31s %" SCNu64 " %*u %" SCNu64 " %" SCNu64 " %lf", rank->host,
               shard, &rank->raw_bytes, &resumed, &done_bytes, &done_seconds) != 6)
        return false;
    rank->shard = shard[0] == '-' ? UINT64_MAX : strtoull(shard, NULL, 10);
    if (rank->shard < manifest->shard_count)
        rank->shard_bytes = manifest->starts[rank->shard + 1] - manifest->starts[rank->shard];
    else
        rank->shard = UINT64_MAX;
    if (seconds > 0 && rank->raw_bytes >= resumed)
        rank->speed = speed_of(done_bytes + rank->raw_bytes - resumed, seconds);
    return true;
}

/* From the progress file of a running job. */
static void read_progress(const cpr_work_dir *work, const cpr_manifest *manifest, job_status *job)
{
    char *text = NULL;
    if (cpr_work_get_progress(work, &text, NULL) != CPR_OK ||
        strncmp(text, "corpress progress 1\n", 20) != 0) {
        free(text);
        return;
    }
    const char *at = strstr(text, "\nseconds ");
    const double seconds = at != NULL ? strtod(at + 9, NULL) : 0;
    const uint64_t primer = number_after(text, "\nprimer ");
    const uint64_t raw = number_after(text, "\nraw ");
    const uint64_t earlier = number_after(text, "\nearlier ");
    if (raw > job->done_bytes && raw <= job->total_bytes) {
        job->done_bytes = raw;
        job->coded_bytes = number_after(text, "\ncoded ");
    }
    if (seconds > 0 && raw > earlier)
        job->speed = speed_of(raw - earlier, seconds);
    if (primer > job->primer_done && primer <= job->primer_bytes)
        job->primer_done = primer;
    const uint64_t count = number_after(text, "\nranks ");
    job->ranks = count < 1000000 ? calloc((size_t)count + 1, sizeof *job->ranks) : NULL;
    job->begun = 0;
    at = strstr(text, "\nrank ");
    while (job->ranks != NULL && at != NULL && (uint64_t)job->rank_count < count &&
           parse_rank(at + 1, manifest, seconds, &job->ranks[job->rank_count])) {
        job->begun += job->ranks[job->rank_count++].shard != UINT64_MAX;
        at = strstr(at + 1, "\nrank ");
    }
    free(text);
}

static cpr_status look_at_shards(cpr_work_dir *work, const cpr_manifest *manifest, job_status *job,
                                 cpr_error *error)
{
    cpr_work_scan scan;
    uint8_t *marks = calloc((size_t)manifest->shard_count + 1, 1);
    if (marks == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    const cpr_status status = cpr_work_dir_scan(work, &scan, marks, manifest->shard_count, error);
    for (uint64_t i = 0; status == CPR_OK && i < manifest->shard_count; i++) {
        cpr_shard_info info;
        if ((marks[i] & CPR_WORK_HAS_SHARD) &&
            cpr_work_shard_info(work, i, &info, NULL, NULL, NULL) == CPR_OK) {
            job->done++;
            job->done_bytes += info.raw_bytes;
            job->coded_bytes += info.coded_bytes;
        } else {
            job->begun += (marks[i] & CPR_WORK_HAS_SNAPSHOT) != 0;
        }
    }
    free(marks);
    return status;
}

static void look_at_primer(cpr_work_dir *work, const cpr_manifest *manifest, job_status *job)
{
    cpr_shard_info info;
    job->primer_bytes = manifest->primer_bytes;
    if (manifest->primer_bytes > 0 &&
        cpr_work_shard_info(work, CPR_SHARD_PRIMER, &info, NULL, NULL, NULL) == CPR_OK) {
        job->primer_bytes = info.raw_bytes; /* noise was left out */
        job->primer_done = info.raw_bytes;
    }
}

static cpr_status look_at_work(cpr_work_dir *work, job_status *job, cpr_error *error)
{
    cpr_manifest manifest;
    const bool running = cpr_work_lock_look(work, &job->owner);
    job->state = running ? JOB_RUNNING : JOB_STOPPED;
    cpr_status status = cpr_manifest_read(work, &manifest, error);
    if (status == CPR_ERR_NOT_FOUND) { /* it has not come to the shards */
        if (running)
            job->state = JOB_PREPARING;
        return CPR_OK;
    }
    if (status != CPR_OK)
        return status;
    job->shards = manifest.shard_count;
    job->total_bytes = cpr_file_list_bytes(manifest.files);
    look_at_primer(work, &manifest, job);
    status = look_at_shards(work, &manifest, job, error);
    if (status == CPR_OK && running)
        read_progress(work, &manifest, job);
    cpr_manifest_free(&manifest);
    return status;
}

static cpr_status look_at_archive(const char *path, job_status *job, cpr_error *error)
{
    cpr_archive *archive;
    const cpr_status status = cpr_archive_open(path, &archive, error);
    if (status != CPR_OK)
        return status;
    const cpr_archive_header *header = cpr_archive_info(archive);
    job->state = JOB_FINISHED;
    job->shards = header->shard_count;
    job->done = header->shard_count;
    job->total_bytes = cpr_file_list_bytes(header->files);
    job->done_bytes = job->total_bytes;
    for (uint64_t i = 0; i < header->shard_count; i++)
        job->coded_bytes += header->shards[i].coded_bytes;
    cpr_archive_close(archive);
    return CPR_OK;
}

static double ratio_of(const job_status *job)
{
    return job->coded_bytes ? (double)job->done_bytes / (double)job->coded_bytes : 0;
}

static double seconds_left(const job_status *job)
{
    return job->speed > 0 ? (double)(job->total_bytes - job->done_bytes) / job->speed : -1;
}

static void print_table(const char *path, const job_status *job)
{
    char shown[512];
    char a[32];
    char b[32];
    char time[32];
    printf("%s: %s", cpr_printable_path(path, shown, sizeof shown), state_names[job->state]);
    if (job->owner.host[0])
        printf(" on %s, process %" PRId64, cpr_printable_path(job->owner.host, shown, sizeof shown),
               job->owner.pid);
    if (job->owner.job[0])
        printf(", SLURM job %s", cpr_printable_path(job->owner.job, shown, sizeof shown));
    putchar('\n');
    if (job->shards == 0)
        return;
    printf("shards  %" PRIu64 " done, %" PRIu64 " in work, %" PRIu64 " left, of %" PRIu64 "\n",
           job->done, job->begun, job->shards - job->done - job->begun, job->shards);
    printf("corpus  %s of %s, %.1f %%\n", progress_bytes(job->done_bytes, a, sizeof a),
           progress_bytes(job->total_bytes, b, sizeof b),
           100.0 * (double)job->done_bytes / (double)job->total_bytes);
    if (job->primer_done < job->primer_bytes)
        printf("primer  %s of %s; the shards come after it\n",
               progress_bytes(job->primer_done, a, sizeof a),
               progress_bytes(job->primer_bytes, b, sizeof b));
    if (job->coded_bytes)
        printf("ratio   %.3f\n", ratio_of(job));
    if (job->speed > 0)
        printf("speed   %s/s, %s left\n", progress_bytes((uint64_t)job->speed, a, sizeof a),
               progress_time(seconds_left(job), time, sizeof time));
    if (job->rank_count)
        printf("\n%6s  %-20s %8s %18s %12s\n", "rank", "host", "shard", "of it", "speed");
    for (int i = 0; i < job->rank_count; i++) {
        const rank_status *r = &job->ranks[i];
        printf("%6d  %-20s ", i, cpr_printable_path(r->host, shown, sizeof shown));
        if (r->shard == UINT64_MAX)
            printf("%8s %18s", "-", "-");
        else
            printf("%8" PRIu64 " %16.1f %%", r->shard,
                   100.0 * (double)r->raw_bytes / (double)r->shard_bytes);
        printf(" %10s/s\n", progress_bytes((uint64_t)r->speed, a, sizeof a));
    }
}

static void print_json(const char *path, const job_status *job)
{
    putchar('{');
    escape_json_member(stdout, "archive", ":", path);
    printf(",\"state\":\"%s\"", state_names[job->state]);
    if (job->owner.host[0]) {
        putchar(',');
        escape_json_member(stdout, "host", ":", job->owner.host);
        printf(",\"pid\":%" PRId64, job->owner.pid);
    }
    if (job->owner.job[0]) {
        putchar(',');
        escape_json_member(stdout, "slurm_job", ":", job->owner.job);
    }
    printf(",\"shards\":%" PRIu64 ",\"shards_done\":%" PRIu64 ",\"shards_in_work\":%" PRIu64
           ",\"raw_bytes\":%" PRIu64 ",\"raw_bytes_done\":%" PRIu64
           ",\"coded_bytes_done\":%" PRIu64,
           job->shards, job->done, job->begun, job->total_bytes, job->done_bytes, job->coded_bytes);
    if (job->primer_bytes)
        printf(",\"primer_bytes\":%" PRIu64 ",\"primer_bytes_done\":%" PRIu64, job->primer_bytes,
               job->primer_done);
    if (job->coded_bytes)
        printf(",\"ratio\":%.6f", ratio_of(job));
    if (job->speed > 0)
        printf(",\"bytes_per_second\":%.0f,\"seconds_left\":%.1f", job->speed, seconds_left(job));
    fputs(",\"ranks\":[", stdout);
    for (int i = 0; i < job->rank_count; i++) {
        const rank_status *r = &job->ranks[i];
        printf("%s{\"rank\":%d,", i ? "," : "", i);
        escape_json_member(stdout, "host", ":", r->host);
        if (r->shard != UINT64_MAX)
            printf(",\"shard\":%" PRIu64 ",\"shard_raw_bytes\":%" PRIu64
                   ",\"shard_raw_bytes_done\":%" PRIu64,
                   r->shard, r->shard_bytes, r->raw_bytes);
        printf(",\"bytes_per_second\":%.0f}", r->speed);
    }
    puts("]}");
}

static cpr_status look(const char *path, job_status *job, cpr_error *error)
{
    char shown[512];
    cpr_work_dir *work = NULL;
    cpr_error detail = {.text = ""};
    cpr_status status = cpr_work_dir_open(path, false, &work, error);
    if (status == CPR_OK) {
        bool published = false;
        status = cpr_work_is_published(work, path, &published, error);
        /* Killed in the middle of removing it: the archive is complete. */
        if (status == CPR_OK && published && !cpr_work_lock_look(work, &job->owner))
            status = look_at_archive(path, job, error);
        else if (status == CPR_OK)
            status = look_at_work(work, job, error);
        cpr_work_dir_close(work);
        return status;
    }
    if (status != CPR_ERR_NOT_FOUND)
        return status;
    status = look_at_archive(path, job, &detail);
    if (status == CPR_OK)
        return CPR_OK;
    return cpr_fail(error, status, "%s (and there is no work directory %s.work)", detail.text,
                    cpr_printable_path(path, shown, sizeof shown));
}

static cpr_status run_status(command_call *call, cpr_error *error)
{
    job_status job = {.state = JOB_FINISHED};
    const cpr_status status = look(call->archive, &job, error);
    if (status == CPR_OK && call->given.format == REPORT_JSON)
        print_json(call->archive, &job);
    else if (status == CPR_OK)
        print_table(call->archive, &job);
    free(job.ranks);
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
