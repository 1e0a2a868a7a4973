/* run_log.c - ARCHIVE.h5.log.jsonl. */
#include "run_log.h"

#include "arguments.h"
#include "escape.h"
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EVENT_START "{\"time\":\""
#define RANKS_MOST 1000000 /* of a log that makes sense */
#define SECONDS_MOST 1e9   /* likewise */

char *run_log_path(const char *archive_path)
{
    return argument_join(archive_path, ".log.jsonl");
}

cpr_status run_log_check(const char *archive_path, cpr_error *error)
{
    char shown[512];
    struct stat facts;
    char *path = run_log_path(archive_path);
    cpr_status status = CPR_OK;
    if (path == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a path");
    else if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode))
        status = cpr_fail(error, CPR_ERR_EXISTS,
                          "\"%s\" is where the run log goes, and is no file; it was left as it is",
                          cpr_printable_path(path, shown, sizeof shown));
    free(path);
    return status;
}

/* Whether a file is empty, or begins with what may be left of an event: a full disk, or a machine
 * that failed, may have cut it off. */
static bool is_run_log(int fd)
{
    char start;
    const ssize_t got = pread(fd, &start, 1, 0);
    return got == 0 || (got == 1 && (start == EVENT_START[0] || start == '\0'));
}

/* fopen() that takes run logs only, and never waits for the other end of a FIFO. */
static FILE *open_file(const char *path, int flags, const char *mode)
{
    struct stat facts;
    const int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
    if (fd < 0)
        return NULL;
    int code = fstat(fd, &facts) != 0 ? errno : 0;
    if (code == 0 && !S_ISREG(facts.st_mode))
        code = EINVAL;
    if (code == 0 && !is_run_log(fd))
        code = EEXIST;
    FILE *file = code == 0 ? fdopen(fd, mode) : NULL;
    if (file == NULL) {
        if (code == 0)
            code = errno;
        close(fd);
        errno = code;
    }
    return file;
}

bool run_log_open(run_log *log, const char *archive_path)
{
    *log = (run_log){.path = run_log_path(archive_path)};
    log->file = log->path != NULL
                    ? open_file(log->path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, "a")
                    : NULL;
    return log->file != NULL;
}

bool run_log_close(run_log *log)
{
    bool good = !log->failed;
    if (log->file != NULL && fclose(log->file) != 0)
        good = false;
    free(log->path);
    *log = (run_log){.file = NULL};
    return good;
}

/* {"time":"2024-05-06T07:08:09Z","event":"name" */
static bool begin_event(run_log *log, const char *name)
{
    if (log->file == NULL)
        return false;
    char when[32] = "";
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) != NULL)
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    fprintf(log->file, EVENT_START "%s\",\"event\":\"%s\"", when, name);
    return true;
}

static void end_event(run_log *log)
{
    fputs("}\n", log->file);
    if (fflush(log->file) != 0 || ferror(log->file))
        log->failed = true;
}

void run_log_start(run_log *log, const cpr_compress_options *options, const cpr_corpus_facts *facts)
{
    if (!begin_event(log, "start"))
        return;
    fprintf(log->file, ",\"version\":\"%s\",", cpr_version());
    escape_json_member(log->file, "archive", ":", options->archive_path);
    fprintf(log->file,
            ",\"profile\":\"%s\",\"shard_bytes\":%" PRIu64 ",\"files\":%" PRIu64
            ",\"raw_bytes\":%" PRIu64 ",\"kernel\":\"%s\",\"blas\":\"%s\",\"hosts\":[",
            cpr_profile_name(options->profile), options->shard_bytes, facts->files,
            facts->raw_bytes, facts->kernel, facts->blas);
    for (int i = 0; facts->hosts != NULL && i < facts->ranks; i++) {
        if (i)
            fputc(',', log->file);
        escape_json(log->file, facts->hosts + (size_t)i * CPR_HOST_BYTES);
    }
    fprintf(log->file, "],\"ranks\":%d", facts->ranks);
    end_event(log);
}

void run_log_phase(run_log *log, cpr_phase phase)
{
    if (!begin_event(log, "phase"))
        return;
    fprintf(log->file, ",\"phase\":\"%s\"", cpr_phase_name(phase));
    end_event(log);
}

void run_log_lesson(run_log *log, const cpr_lesson_facts *lesson)
{
    if (!begin_event(log, "lesson"))
        return;
    fprintf(log->file,
            ",\"streams\":%" PRIu32 ",\"sample_bytes\":%" PRIu64 ",\"earlier_bytes\":%" PRIu64
            ",\"text_bytes\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"seconds\":%.3f"
            ",\"bits_per_byte\":%.4f,\"sent_bytes\":%" PRIu64 ",\"weights_bytes\":%" PRIu64,
            lesson->streams, lesson->sample_bytes, lesson->earlier_bytes, lesson->text_bytes,
            lesson->steps, lesson->seconds, progress_bits(lesson->loss_bits, lesson->text_bytes),
            lesson->sent_bytes, lesson->weights_bytes);
    end_event(log);
}

void run_log_shard(run_log *log, const cpr_item_result *result)
{
    const bool primer = result->shard == CPR_SHARD_PRIMER;
    if (!begin_event(log, primer ? "primer" : "shard"))
        return;
    if (!primer)
        fprintf(log->file, ",\"shard\":%" PRIu64, result->shard);
    fprintf(log->file,
            ",\"rank\":%d,\"seconds\":%.3f,\"raw_bytes\":%" PRIu64 ",\"coded_bytes\":%" PRIu64
            ",\"lz4_bytes\":%" PRIu64 ",\"raw_xxh3\":\"%016" PRIx64 "%016" PRIx64 "\"",
            (int)result->rank, result->seconds, result->raw_bytes, result->coded_bytes,
            result->lz4_bytes, result->raw_hash.high, result->raw_hash.low);
    end_event(log);
}

void run_log_published(run_log *log, const cpr_compress_totals *totals, double seconds)
{
    if (!begin_event(log, "published"))
        return;
    fprintf(log->file, ",\"archive_bytes\":%" PRIu64 ",\"seconds\":%.3f", totals->archive_bytes,
            seconds);
    end_event(log);
}

static void text_event(run_log *log, const char *name, const char *text)
{
    if (!begin_event(log, name))
        return;
    fputc(',', log->file);
    escape_json_member(log->file, "text", ":", text);
    end_event(log);
}

void run_log_note(run_log *log, const char *text)
{
    text_event(log, "note", text);
}

void run_log_stopped(run_log *log, const char *text)
{
    text_event(log, "stopped", text);
}

void run_log_failed(run_log *log, cpr_status status, const char *text)
{
    if (!begin_event(log, "failed"))
        return;
    fprintf(log->file, ",\"status\":%d,", (int)status);
    escape_json_member(log->file, "text", ":", text);
    end_event(log);
}

/* The text behind "key": in a line that run_log_shard() wrote, or NULL. */
static const char *find_value(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    return at != NULL ? at + strlen(key) : NULL;
}

/* The shard of the archive that a line is about; CPR_NONE: none of it. */
static uint64_t line_shard(const char *line, const cpr_archive *archive)
{
    const char *shard_text = find_value(line, "\"shard\":");
    const char *hash_text = find_value(line, "\"raw_xxh3\":\"");
    if (strstr(line, "\"event\":\"shard\"") == NULL || shard_text == NULL || hash_text == NULL)
        return CPR_NONE;
    const uint64_t shard = strtoull(shard_text, NULL, 10);
    const cpr_shard_info *info = cpr_archive_shard(archive, shard);
    if (info == NULL || shard == CPR_SHARD_PRIMER)
        return CPR_NONE;
    char hash[33];
    const cpr_hash128 raw_hash = info->raw_hash;
    snprintf(hash, sizeof hash, "%016" PRIx64 "%016" PRIx64, raw_hash.high, raw_hash.low);
    return strncmp(hash_text, hash, 32) == 0 ? shard : CPR_NONE;
}

/* Ranks and seconds that no run has are left out. */
static void line_read_time(const char *line, run_log_time *known)
{
    const char *rank_text = find_value(line, "\"rank\":");
    const char *seconds_text = find_value(line, "\"seconds\":");
    if (rank_text == NULL || seconds_text == NULL)
        return;
    const long rank = strtol(rank_text, NULL, 10);
    const double seconds = strtod(seconds_text, NULL);
    if (rank >= 0 && rank < RANKS_MOST && seconds >= 0 && seconds < SECONDS_MOST)
        *known = (run_log_time){.known = true, .rank = (int)rank, .seconds = seconds};
}

void run_log_read(const char *archive_path, const cpr_archive *archive, uint64_t *lz4_bytes,
                  run_log_time *times)
{
    char *path = run_log_path(archive_path);
    FILE *file = path != NULL ? open_file(path, O_RDONLY, "r") : NULL;
    char *line = NULL;
    size_t capacity = 0;
    while (file != NULL && getline(&line, &capacity, file) > 0) {
        const uint64_t shard = line_shard(line, archive);
        if (shard == CPR_NONE)
            continue;
        const char *lz4_text = find_value(line, "\"lz4_bytes\":");
        if (lz4_text != NULL)
            lz4_bytes[shard] = strtoull(lz4_text, NULL, 10);
        if (times != NULL)
            line_read_time(line, &times[shard]);
    }
    free(line);
    if (file != NULL)
        fclose(file);
    free(path);
}
