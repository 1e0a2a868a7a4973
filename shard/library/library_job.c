/* library_job.c - how far a job is that makes an archive. */
#include "archive.h"
#include "corpress_job.h"
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More than any machine has: the progress file may hold anything. */
#define SPEED_MAX 1e15

/* ---- the progress file ---------------------------------------------------------------------- */

static double speed_of(uint64_t bytes, double seconds)
{
    const double speed = (double)bytes / seconds;
    return speed < SPEED_MAX ? speed : 0;
}

static cpr_job_rank rank_of(const cpr_work_rank_progress *found, const cpr_manifest *manifest,
                            double seconds)
{
    cpr_job_rank rank = {.shard = CPR_NONE, .raw_bytes = found->raw_bytes};
    memcpy(rank.host, found->host, sizeof rank.host);
    if (found->shard < manifest->shard_count) {
        rank.shard = found->shard;
        rank.shard_bytes = manifest->starts[rank.shard + 1] - manifest->starts[rank.shard];
    }
    if (seconds > 0 && rank.raw_bytes >= found->resumed_bytes)
        rank.bytes_per_second =
            speed_of(found->done_bytes + rank.raw_bytes - found->resumed_bytes, seconds);
    return rank;
}

static void take_ranks(const cpr_work_progress *found, const cpr_manifest *manifest, cpr_job *job)
{
    job->ranks = calloc(found->rank_count + 1, sizeof *job->ranks);
    if (job->ranks == NULL)
        return;
    job->shards_begun = 0;
    for (; job->rank_count < found->rank_count; job->rank_count++) {
        const cpr_job_rank rank = rank_of(&found->ranks[job->rank_count], manifest, found->seconds);
        job->ranks[job->rank_count] = rank;
        job->shards_begun += rank.shard != CPR_NONE;
    }
}

static void take_lesson(const cpr_work_lesson *found, cpr_job *job)
{
    if (found->begun_bytes < job->lesson_bytes_done || found->begun_bytes > job->lesson_bytes)
        return;
    job->lesson_bytes_done = found->begun_bytes;
    if (found->text_bytes > 0)
        job->lesson_bits_per_byte = (double)found->loss_bits / 65536 / (double)found->text_bytes;
}

/* Of a running job. Without the file the job is known less well. */
static void read_progress(const cpr_work_dir *work, const cpr_manifest *manifest, cpr_job *job)
{
    cpr_work_progress found;
    if (cpr_work_progress_read(work, &found, NULL) == CPR_OK) {
        if (found.raw_bytes > job->raw_bytes_done && found.raw_bytes <= job->raw_bytes) {
            job->raw_bytes_done = found.raw_bytes;
            job->coded_bytes_done = found.coded_bytes;
        }
        if (found.seconds > 0 && found.raw_bytes > found.earlier_bytes)
            job->bytes_per_second = speed_of(found.raw_bytes - found.earlier_bytes, found.seconds);
        if (found.primer_bytes > job->primer_bytes_done && found.primer_bytes <= job->primer_bytes)
            job->primer_bytes_done = found.primer_bytes;
        if (found.in_lesson)
            take_lesson(&found.lesson, job);
        take_ranks(&found, manifest, job);
    }
    cpr_work_progress_free(&found);
}

/* ---- the work directory --------------------------------------------------------------------- */

static cpr_status look_at_shards(cpr_work_dir *work, const cpr_manifest *manifest, cpr_job *job,
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
            cpr_work_shard_info(work, i, &info, NULL, NULL) == CPR_OK) {
            job->shards_done++;
            job->raw_bytes_done += info.raw_bytes;
            job->coded_bytes_done += info.coded_bytes;
        } else {
            job->shards_begun += (marks[i] & CPR_WORK_HAS_SNAPSHOT) != 0;
        }
    }
    free(marks);
    return status;
}

static void look_at_primer(cpr_work_dir *work, const cpr_manifest *manifest, cpr_job *job)
{
    cpr_shard_info info;
    job->primer_bytes = manifest->primer_bytes;
    if (manifest->primer_bytes > 0 &&
        cpr_work_shard_info(work, CPR_SHARD_PRIMER, &info, NULL, NULL) == CPR_OK) {
        job->primer_bytes = info.raw_bytes; /* noise was left out */
        job->primer_bytes_done = info.raw_bytes;
    }
}

static void look_at_lesson(cpr_work_dir *work, const cpr_manifest *manifest, cpr_job *job)
{
    cpr_shard_info info;
    cpr_work_lesson lesson;
    job->lesson_bytes = manifest->lesson_bytes;
    if (manifest->lesson_bytes == 0)
        return;
    if (cpr_work_shard_info(work, CPR_SHARD_WEIGHTS, &info, NULL, NULL) == CPR_OK)
        job->lesson_bytes_done = manifest->lesson_bytes;
    else if (cpr_work_lesson_look(work, &lesson, NULL) == CPR_OK)
        take_lesson(&lesson, job);
}

/* Whether a process is at work, and whose it is or was last. */
static bool look_at_owner(const cpr_work_dir *work, cpr_job *job)
{
    cpr_work_owner owner = {.host = ""};
    const bool running = cpr_work_lock_look(work, &owner);
    snprintf(job->host, sizeof job->host, "%s", owner.host);
    snprintf(job->slurm_job, sizeof job->slurm_job, "%s", owner.job);
    job->pid = owner.pid;
    return running;
}

static cpr_status look_at_work(cpr_work_dir *work, bool running, cpr_job *job, cpr_error *error)
{
    cpr_manifest manifest;
    job->state = running ? CPR_JOB_RUNNING : CPR_JOB_STOPPED;
    cpr_status status = cpr_manifest_read(work, &manifest, error);
    if (status == CPR_ERR_NOT_FOUND) { /* it has not come to the shards */
        if (running)
            job->state = CPR_JOB_PREPARING;
        return CPR_OK;
    }
    if (status != CPR_OK)
        return status;
    job->shards = manifest.shard_count;
    job->raw_bytes = cpr_file_list_bytes(manifest.files);
    look_at_lesson(work, &manifest, job);
    look_at_primer(work, &manifest, job);
    status = look_at_shards(work, &manifest, job, error);
    if (status == CPR_OK && running)
        read_progress(work, &manifest, job);
    cpr_manifest_free(&manifest);
    return status;
}

/* ---- the archive ---------------------------------------------------------------------------- */

static cpr_status look_at_archive(const char *path, cpr_job *job, cpr_error *error)
{
    cpr_archive *archive;
    const cpr_status status = cpr_archive_open(path, &archive, error);
    if (status != CPR_OK)
        return status;
    const cpr_archive_header *header = cpr_archive_info(archive);
    job->state = CPR_JOB_FINISHED;
    job->shards = header->shard_count;
    job->shards_done = header->shard_count;
    job->raw_bytes = cpr_file_list_bytes(header->files);
    job->raw_bytes_done = job->raw_bytes;
    for (uint64_t i = 0; i < header->shard_count; i++)
        job->coded_bytes_done += header->shards[i].coded_bytes;
    cpr_archive_close(archive);
    return CPR_OK;
}

static cpr_status look_in_work(const char *path, cpr_work_dir *work, cpr_job *job, cpr_error *error)
{
    bool published = false;
    const cpr_status status = cpr_work_is_published(work, path, &published, error);
    if (status != CPR_OK)
        return status;
    const bool running = look_at_owner(work, job);
    /* Killed in the middle of removing it: the archive is complete. */
    if (published && !running)
        return look_at_archive(path, job, error);
    return look_at_work(work, running, job, error);
}

static cpr_status look(const char *path, cpr_job *job, cpr_error *error)
{
    char shown[512];
    cpr_work_dir *work = NULL;
    cpr_error detail = {.text = ""};
    cpr_status status = cpr_work_dir_open(path, false, &work, error);
    if (status == CPR_OK) {
        status = look_in_work(path, work, job, error);
        cpr_work_dir_close(work);
        return status;
    }
    if (status != CPR_ERR_NOT_FOUND)
        return status;
    status = look_at_archive(path, job, &detail);
    if (status == CPR_OK)
        return CPR_OK;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        status = CPR_ERR_NOT_FOUND;
    return cpr_fail(error, status, "%s (and there is no work directory %s.work)", detail.text,
                    cpr_printable_path(path, shown, sizeof shown));
}

cpr_status cpr_job_look(const char *archive_path, cpr_job **job, cpr_error *error)
{
    *job = calloc(1, sizeof **job);
    if (*job == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    const cpr_status status = look(archive_path, *job, error);
    if (status != CPR_OK) {
        cpr_job_free(*job);
        *job = NULL;
    }
    return status;
}

void cpr_job_free(cpr_job *job)
{
    if (job == NULL)
        return;
    free(job->ranks);
    free(job);
}
