/* compress_bitstream.c - one bitstream, of a shard or of the primer, into the work directory: goes
 * on from a snapshot, and takes snapshots. */
#include "compress_bitstream.h"

#include <stdio.h>

/* Saving the state takes some 2 s, so that of a finished primer is worth it if coding took longer
 * than this: else a run of minutes would pay more than 1 % for a loss that is rare. */
#define WORTH_SAVING_SECONDS 120.0

/* "shard 3". */
static const char *name_of(uint64_t shard, char *out, size_t capacity)
{
    if (shard == CPR_SHARD_PRIMER)
        return "the primer";
    snprintf(out, capacity, "shard %llu", (unsigned long long)shard);
    return out;
}

/* That it cannot be saved does not keep it from being finished. */
static void bitstream_save(cpr_bitstream_work *work)
{
    char name[32];
    cpr_error detail = {.text = ""};
    if (cpr_work_shard_save(work->out, work->run->engine.codec, &detail) != CPR_OK)
        cpr_ranks_note(work->run->ranks, "no snapshot of %s: %s",
                       name_of(work->shard, name, sizeof name), detail.text);
    work->saved = cpr_ranks_seconds();
}

static bool bitstream_save_is_due(const cpr_bitstream_work *work)
{
    double interval = work->run->options.snapshot_seconds;
    if (!work->keep || interval <= 0)
        return false;
    if (work->raw_bytes == work->save_at && interval > WORTH_SAVING_SECONDS)
        interval = WORTH_SAVING_SECONDS;
    return cpr_ranks_seconds() - work->saved >= interval;
}

/* A cpr_progress_fn. */
static cpr_status save_now_and_then(void *context, uint64_t raw_bytes, uint64_t coded_bytes,
                                    cpr_error *error)
{
    cpr_bitstream_work *work = context;
    const cpr_compress_run *run = work->run;
    work->raw_bytes = raw_bytes;
    const cpr_status status = work->progress(work->progress_context, raw_bytes, coded_bytes, error);
    if (status != CPR_OK)
        return status;
    if (run->work.lock != NULL && cpr_work_lock_lost(run->work.lock))
        return cpr_fail(error, CPR_ERR_BUSY, "another job has taken over the work directory");
    if (bitstream_save_is_due(work))
        bitstream_save(work);
    return CPR_OK;
}

/* Goes on from a snapshot, if there is a sound one. */
static cpr_status bitstream_resume(const cpr_bitstream_work *work, cpr_error *error)
{
    char name[32];
    cpr_error why = {.text = ""};
    uint64_t raw_bytes = 0;
    const cpr_status status =
        cpr_work_shard_resume(work->out, work->run->engine.codec, &raw_bytes, &why);
    if (status != CPR_OK)
        return cpr_fail(error, status, "%s", why.text);
    if (why.text[0])
        cpr_ranks_note(work->run->ranks, "%s is coded from its start: %s",
                       name_of(work->shard, name, sizeof name), why.text);
    cpr_ranks_resumed(work->run->ranks, raw_bytes);
    return CPR_OK;
}

/* A cpr_read_fn. */
static cpr_status read_through(void *context, uint8_t *out, size_t capacity, size_t *got,
                               cpr_error *error)
{
    cpr_bitstream_work *work = context;
    const cpr_status status = work->read(work->read_context, out, capacity, got, error);
    work->read_failed = work->read_failed || status != CPR_OK;
    return status;
}

static cpr_status bitstream_code(cpr_bitstream_work *work, bool from_start, cpr_shard_info *info,
                                 cpr_error *error)
{
    const cpr_compress_run *run = work->run;
    work->saved = cpr_ranks_seconds();
    work->raw_bytes = 0;
    work->read_failed = false;
    cpr_status status = cpr_work_shard_begin(run->work.dir, work->shard, &work->out, error);
    if (status == CPR_OK && !from_start)
        status = bitstream_resume(work, error);
    if (status == CPR_OK)
        status = cpr_codec_encode(run->engine.codec, (cpr_source){read_through, work},
                                  (cpr_sink){cpr_work_shard_write, work->out},
                                  (cpr_watch){save_now_and_then, work}, work->marks, info, error);
    if (status == CPR_STOPPED && work->raw_bytes > 0 && work->keep)
        bitstream_save(work);
    return status;
}

/* What the snapshot was taken of is not there any more. */
static void bitstream_drop_snapshot(cpr_bitstream_work *work)
{
    const cpr_compress_run *run = work->run;
    char name[32];
    char file[CPR_SUSPECT_BYTES];
    cpr_work_shard_abandon(work->out);
    work->out = NULL;
    cpr_ranks_resumed(run->ranks, 0);
    if (!work->keep)
        return;
    cpr_work_snapshot_drop(run->work.dir, work->shard);
    if (work->shard == CPR_SHARD_PRIMER)
        cpr_ranks_warn(run->ranks, "the primer is coded from its start: the corpus has changed");
    else
        cpr_ranks_warn(run->ranks, "%s is coded from its start: the content of %s has changed",
                       name_of(work->shard, name, sizeof name),
                       cpr_compress_plan_suspect(&run->plan, work->shard, file, sizeof file));
}

cpr_status cpr_compress_bitstream(cpr_bitstream_work *work, cpr_shard_info *info, cpr_error *error)
{
    const cpr_status status = bitstream_code(work, false, info, error);
    /* Where the reader has nothing to complain of, it is the codec, which compares. */
    if (status != CPR_ERR_CHANGED || work->read_failed)
        return status;
    bitstream_drop_snapshot(work);
    work->rewind(work->read_context);
    return bitstream_code(work, true, info, error);
}
