/* status_text.c - how far a job is: as a table, as JSON, as a line, and for a screen. */
#include "status_text.h"

#include "escape.h"
#include "progress.h"

#include <inttypes.h>
#include <stdlib.h>

#define BAR_CELLS_MOST 50
#define BAR_REST 9        /* columns beside the cells: "[] 100.0 %" and one */
#define RANK_ROWS_LEAST 3 /* are shown however low the terminal is */

/* As cpr_job_state counts them. */
static const char *const state_names[] = {"finished", "running", "stopped", "preparing"};

static double ratio_of(const cpr_job *job)
{
    return job->coded_bytes_done ? (double)job->raw_bytes_done / (double)job->coded_bytes_done : 0;
}

static double percent_of(const cpr_job *job)
{
    return job->raw_bytes > 0 ? 100.0 * (double)job->raw_bytes_done / (double)job->raw_bytes : 100;
}

static double seconds_left(const cpr_job *job)
{
    return job->bytes_per_second > 0
               ? (double)(job->raw_bytes - job->raw_bytes_done) / job->bytes_per_second
               : -1;
}

/* What is in work is known from a file that may be older than the shards that are done. */
static uint64_t shards_left(const cpr_job *job)
{
    const uint64_t others = job->shards_done + job->shards_begun;
    return job->shards > others ? job->shards - others : 0;
}

/* ---- parts of the table and the screen ------------------------------------------------------ */

/* "running on node1, process 12, SLURM job 34 (RUNNING)" */
static void print_state(FILE *out, const status_view *view)
{
    char shown[512];
    const cpr_job *job = view->job;
    fputs(state_names[job->state], out);
    if (job->host[0])
        fprintf(out, " on %s, process %" PRId64, cpr_printable_path(job->host, shown, sizeof shown),
                job->pid);
    if (job->slurm_job[0])
        fprintf(out, ", SLURM job %s", cpr_printable_path(job->slurm_job, shown, sizeof shown));
    if (job->slurm_job[0] && view->slurm_state[0])
        fprintf(out, " (%s)", view->slurm_state);
}

static void print_shards(FILE *out, const cpr_job *job)
{
    fprintf(out,
            "shards  %" PRIu64 " done, %" PRIu64 " in work, %" PRIu64 " left, of %" PRIu64 "\n",
            job->shards_done, job->shards_begun, shards_left(job), job->shards);
}

static void print_corpus(FILE *out, const cpr_job *job)
{
    char a[32];
    char b[32];
    fprintf(out, "corpus  %s of %s, %.1f %%\n", progress_bytes(job->raw_bytes_done, a, sizeof a),
            progress_bytes(job->raw_bytes, b, sizeof b), percent_of(job));
}

static void print_before_shards(FILE *out, const cpr_job *job)
{
    char a[32];
    char b[32];
    if (job->lesson_bytes_done < job->lesson_bytes) {
        fprintf(out, "lesson  %s of %s", progress_bytes(job->lesson_bytes_done, a, sizeof a),
                progress_bytes(job->lesson_bytes, b, sizeof b));
        if (job->lesson_bits_per_byte > 0)
            fprintf(out, ", %.3f bits a byte", job->lesson_bits_per_byte);
        fputs("; all else comes after it\n", out);
    }
    if (job->primer_bytes_done < job->primer_bytes)
        fprintf(out, "primer  %s of %s; the shards come after it\n",
                progress_bytes(job->primer_bytes_done, a, sizeof a),
                progress_bytes(job->primer_bytes, b, sizeof b));
}

static void print_speed(FILE *out, const cpr_job *job)
{
    char speed[32];
    char time[32];
    if (job->coded_bytes_done)
        fprintf(out, "ratio   %.3f\n", ratio_of(job));
    if (job->bytes_per_second > 0)
        fprintf(out, "speed   %s/s, %s left\n",
                progress_bytes((uint64_t)job->bytes_per_second, speed, sizeof speed),
                progress_time(seconds_left(job), time, sizeof time));
}

static double percent_of_shard(const cpr_job_rank *rank)
{
    return 100.0 * (double)rank->raw_bytes / (double)rank->shard_bytes;
}

/* ---- the table ------------------------------------------------------------------------------ */

static void print_rank(FILE *out, size_t number, const cpr_job_rank *rank)
{
    char shown[512];
    char speed[32];
    fprintf(out, "%6zu  %-20s ", number, cpr_printable_path(rank->host, shown, sizeof shown));
    if (rank->shard == CPR_NONE)
        fprintf(out, "%8s %18s", "-", "-");
    else
        fprintf(out, "%8" PRIu64 " %16.1f %%", rank->shard, percent_of_shard(rank));
    fprintf(out, " %10s/s\n",
            progress_bytes((uint64_t)rank->bytes_per_second, speed, sizeof speed));
}

void status_print_table(FILE *out, const status_view *view)
{
    const cpr_job *job = view->job;
    escape_path(out, view->path);
    fputs(": ", out);
    print_state(out, view);
    fputc('\n', out);
    if (job->shards == 0)
        return;
    print_shards(out, job);
    print_corpus(out, job);
    print_before_shards(out, job);
    print_speed(out, job);
    if (job->rank_count > 0)
        fprintf(out, "\n%6s  %-20s %8s %18s %12s\n", "rank", "host", "shard", "of it", "speed");
    for (size_t i = 0; i < job->rank_count; i++)
        print_rank(out, i, &job->ranks[i]);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void json_owner(FILE *out, const status_view *view)
{
    if (view->job->host[0]) {
        fputc(',', out);
        escape_json_member(out, "host", ":", view->job->host);
        fprintf(out, ",\"pid\":%" PRId64, view->job->pid);
    }
    if (view->job->slurm_job[0]) {
        fputc(',', out);
        escape_json_member(out, "slurm_job", ":", view->job->slurm_job);
    }
    if (view->job->slurm_job[0] && view->slurm_state[0]) {
        fputc(',', out);
        escape_json_member(out, "slurm_state", ":", view->slurm_state);
    }
}

static void json_progress(FILE *out, const cpr_job *job)
{
    fprintf(out,
            ",\"shards\":%" PRIu64 ",\"shards_done\":%" PRIu64 ",\"shards_in_work\":%" PRIu64
            ",\"raw_bytes\":%" PRIu64 ",\"raw_bytes_done\":%" PRIu64
            ",\"coded_bytes_done\":%" PRIu64,
            job->shards, job->shards_done, job->shards_begun, job->raw_bytes, job->raw_bytes_done,
            job->coded_bytes_done);
    if (job->lesson_bytes)
        fprintf(out, ",\"lesson_bytes\":%" PRIu64 ",\"lesson_bytes_done\":%" PRIu64,
                job->lesson_bytes, job->lesson_bytes_done);
    if (job->lesson_bits_per_byte > 0)
        fprintf(out, ",\"lesson_bits_per_byte\":%.4f", job->lesson_bits_per_byte);
    if (job->primer_bytes)
        fprintf(out, ",\"primer_bytes\":%" PRIu64 ",\"primer_bytes_done\":%" PRIu64,
                job->primer_bytes, job->primer_bytes_done);
    if (job->coded_bytes_done)
        fprintf(out, ",\"ratio\":%.6f", ratio_of(job));
    if (job->bytes_per_second > 0)
        fprintf(out, ",\"bytes_per_second\":%.0f,\"seconds_left\":%.1f", job->bytes_per_second,
                seconds_left(job));
}

static void json_ranks(FILE *out, const cpr_job *job)
{
    fputs(",\"ranks\":[", out);
    for (size_t i = 0; i < job->rank_count; i++) {
        const cpr_job_rank *r = &job->ranks[i];
        fprintf(out, "%s{\"rank\":%zu,", i > 0 ? "," : "", i);
        escape_json_member(out, "host", ":", r->host);
        if (r->shard != CPR_NONE)
            fprintf(out,
                    ",\"shard\":%" PRIu64 ",\"shard_raw_bytes\":%" PRIu64
                    ",\"shard_raw_bytes_done\":%" PRIu64,
                    r->shard, r->shard_bytes, r->raw_bytes);
        fprintf(out, ",\"bytes_per_second\":%.0f}", r->bytes_per_second);
    }
    fputc(']', out);
}

void status_print_json(FILE *out, const status_view *view, const char *time)
{
    fputc('{', out);
    if (time != NULL) {
        escape_json_member(out, "time", ":", time);
        fputc(',', out);
    }
    escape_json_member(out, "archive", ":", view->path);
    fprintf(out, ",\"state\":\"%s\"",
            view->job != NULL ? state_names[view->job->state] : "waiting");
    if (view->job != NULL) {
        json_owner(out, view);
        json_progress(out, view->job);
        json_ranks(out, view->job);
    }
    fputs("}\n", out);
}

/* ---- a line --------------------------------------------------------------------------------- */

static void line_shards(FILE *out, const cpr_job *job)
{
    char a[32];
    char b[32];
    fprintf(out, ", %s of %s, %.1f %%, %" PRIu64 " of %" PRIu64 " shards",
            progress_bytes(job->raw_bytes_done, a, sizeof a),
            progress_bytes(job->raw_bytes, b, sizeof b), percent_of(job), job->shards_done,
            job->shards);
    if (job->coded_bytes_done)
        fprintf(out, ", ratio %.3f", ratio_of(job));
    if (job->bytes_per_second > 0)
        fprintf(out, ", %s/s, %s left",
                progress_bytes((uint64_t)job->bytes_per_second, a, sizeof a),
                progress_time(seconds_left(job), b, sizeof b));
}

void status_print_line(FILE *out, const status_view *view)
{
    char a[32];
    char b[32];
    const cpr_job *job = view->job;
    if (job == NULL) {
        fputs("waiting for the job to begin", out);
        return;
    }
    print_state(out, view);
    if (job->lesson_bytes_done < job->lesson_bytes) {
        fprintf(out, ", lesson: %s of %s", progress_bytes(job->lesson_bytes_done, a, sizeof a),
                progress_bytes(job->lesson_bytes, b, sizeof b));
        if (job->lesson_bits_per_byte > 0)
            fprintf(out, ", %.3f bits a byte", job->lesson_bits_per_byte);
    } else if (job->primer_bytes_done < job->primer_bytes) {
        fprintf(out, ", primer: %s of %s", progress_bytes(job->primer_bytes_done, a, sizeof a),
                progress_bytes(job->primer_bytes, b, sizeof b));
    } else if (job->shards > 0) {
        line_shards(out, job);
    }
}

/* ---- the screen ----------------------------------------------------------------------------- */

/* "[#####-----]  43.1 %" */
static void screen_bar(FILE *out, const cpr_job *job, int columns)
{
    int cells = columns - BAR_REST - 1;
    cells = cells < 0 ? 0 : cells > BAR_CELLS_MOST ? BAR_CELLS_MOST : cells;
    const int full = (int)(percent_of(job) / 100 * cells);
    fputc('[', out);
    for (int i = 0; i < cells; i++)
        fputc(i < full ? '#' : '-', out);
    fprintf(out, "] %5.1f %%\n", percent_of(job));
}

/* A rank and what it is sorted by. */
typedef struct rank_speed {
    double speed;
    size_t rank;
} rank_speed;

static int by_speed(const void *a, const void *b)
{
    const rank_speed *left = a;
    const rank_speed *right = b;
    if (left->speed != right->speed)
        return left->speed < right->speed ? -1 : 1;
    return left->rank < right->rank ? -1 : left->rank > right->rank;
}

/* Where it is comes last: that is what a narrow terminal leaves out. */
static void screen_rank(FILE *out, const cpr_job *job, size_t number)
{
    char shown[512];
    char speed[32];
    const cpr_job_rank *rank = &job->ranks[number];
    fprintf(out, "%6zu %10s/s", number,
            progress_bytes((uint64_t)rank->bytes_per_second, speed, sizeof speed));
    if (rank->shard == CPR_NONE)
        fprintf(out, " %8s %7s", "-", "-");
    else
        fprintf(out, " %8" PRIu64 " %5.1f %%", rank->shard, percent_of_shard(rank));
    fprintf(out, "  %s\n", cpr_printable_path(rank->host, shown, sizeof shown));
}

/* The ranks that have a shard, the slowest first; `found` has room for all. */
static size_t screen_sort(const cpr_job *job, rank_speed *found)
{
    size_t count = 0;
    for (size_t i = 0; i < job->rank_count; i++)
        if (job->ranks[i].shard != CPR_NONE)
            found[count++] = (rank_speed){.speed = job->ranks[i].bytes_per_second, .rank = i};
    qsort(found, count, sizeof *found, by_speed);
    return count;
}

static void screen_ranks(FILE *out, const cpr_job *job, int rows)
{
    char a[32];
    char b[32];
    rank_speed *found = malloc((job->rank_count + 1) * sizeof *found);
    if (found == NULL)
        return;
    const size_t room = rows > RANK_ROWS_LEAST ? (size_t)rows : RANK_ROWS_LEAST;
    const size_t count = screen_sort(job, found);
    fprintf(out, "ranks   %zu, %zu at work", job->rank_count, count);
    if (count > 1)
        fprintf(out, ", %s/s to %s/s each", progress_bytes((uint64_t)found[0].speed, a, sizeof a),
                progress_bytes((uint64_t)found[count - 1].speed, b, sizeof b));
    fputc('\n', out);
    const bool all = job->rank_count <= room;
    if (count > 0)
        fprintf(out, "\n%6s %12s %8s %7s  %s%s\n", "rank", "speed", "shard", "of it", "host",
                all ? "" : "; the slowest");
    for (size_t i = 0; count > 0 && i < (all ? job->rank_count : count < room ? count : room); i++)
        screen_rank(out, job, all ? i : found[i].rank);
    free(found);
}

void status_print_screen(FILE *out, const status_view *view, int rows, int columns)
{
    const cpr_job *job = view->job;
    escape_path(out, view->path);
    fputc('\n', out);
    if (job == NULL) {
        fputs("waiting for the job to begin: there is neither an archive nor a work directory\n",
              out);
        return;
    }
    print_state(out, view);
    fputs("\n\n", out);
    if (job->shards == 0)
        return;
    screen_bar(out, job, columns);
    print_corpus(out, job);
    print_shards(out, job);
    print_before_shards(out, job);
    print_speed(out, job);
    /* Above the ranks are up to twelve lines, and below them two. */
    if (job->rank_count > 0)
        screen_ranks(out, job, rows - 14);
}
