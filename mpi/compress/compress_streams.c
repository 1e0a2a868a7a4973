/* compress_streams.c - what can be read only once, before anything else is done. */
#include "compress_progress.h"

/* Rank 0: what is there, and whether the rest is to be read. */
static cpr_status streams_look(cpr_compress_run *run, cpr_work_streams **streams, bool *reads,
                               cpr_error *error)
{
    cpr_file_list *files = run->listed;
    cpr_work_scan scan;
    *reads = false;
    if (cpr_file_list_streams(files) == 0)
        return CPR_OK;
    cpr_status status = cpr_work_dir_scan(run->work.dir, &scan, NULL, 0, error);
    if (status == CPR_OK)
        status = cpr_work_streams_open(run->work.dir, files, streams, error);
    if (status != CPR_OK)
        return status;
    const size_t next = cpr_work_streams_next(*streams);
    if (next < cpr_file_list_streams(files))
        run->work.unread_stream = next;
    /* A manifest knows what it is of: all its streams were there before it. */
    bool published = scan.manifest;
    if (!published)
        status = cpr_work_is_published(run->work.dir, run->options.archive_path, &published, error);
    if (status != CPR_OK || published)
        return status;
    *reads = true;
    return cpr_work_streams_drop_others(run->work.dir, *streams, error);
}

/* Says which streams an earlier run has read. */
static void streams_tell(const cpr_compress_run *run)
{
    const cpr_file_list *files = run->listed;
    char shown[512];
    for (size_t i = 0; i < cpr_file_list_streams(files); i++) {
        const uint64_t file = cpr_file_list_stream_file(files, i);
        if (!cpr_file_list_stream_is_read(files, i))
            continue;
        cpr_printable_path(cpr_file_list_member(files, file), shown, sizeof shown);
        cpr_compress_note(run,
                          "\"%s\" was read by an earlier run, %llu bytes, and is not read again; "
                          "--restart reads it anew",
                          shown, (unsigned long long)cpr_file_list_get(files, file).bytes);
    }
}

static void streams_show(const cpr_compress_run *run, const cpr_work_streams *streams)
{
    const cpr_run_progress now = {.raw_bytes = cpr_work_streams_bytes(streams)};
    if (run->listener.progress != NULL)
        run->listener.progress(run->listener.context, &now);
}

/* Rank 0 reads for a moment at a time, so that all ranks see soon that one was asked to stop. */
static cpr_status streams_read_all(cpr_compress_run *run, cpr_work_streams *streams,
                                   cpr_error *error)
{
    bool more = true;
    cpr_status status = CPR_OK;
    while (status == CPR_OK && more) {
        status = cpr_stop_check(error);
        if (status == CPR_OK && cpr_ranks_is_first(run->ranks)) {
            status = cpr_work_streams_step(streams, &more, error);
            streams_show(run, streams);
        }
        status = cpr_ranks_agree(run->ranks, status, error);
        cpr_ranks_tell(run->ranks, &more, sizeof more);
    }
    return status;
}

cpr_status cpr_compress_read_streams(cpr_compress_run *run, cpr_error *error)
{
    cpr_work_streams *streams = NULL;
    bool reads = false;
    cpr_status status = CPR_OK;
    if (cpr_ranks_is_first(run->ranks)) {
        status = streams_look(run, &streams, &reads, error);
        if (status == CPR_OK && streams != NULL)
            streams_tell(run);
        reads = reads && run->work.unread_stream != SIZE_MAX;
    }
    status = cpr_ranks_agree(run->ranks, status, error);
    cpr_ranks_tell(run->ranks, &reads, sizeof reads);
    if (status == CPR_OK && reads) {
        cpr_compress_phase(run, CPR_PHASE_STREAMS, 0, 0);
        status = streams_read_all(run, streams, error);
        if (status == CPR_OK)
            run->work.unread_stream = SIZE_MAX;
    }
    cpr_work_streams_close(streams);
    return status;
}

cpr_status cpr_compress_streams_lost(const cpr_compress_run *run, cpr_error *error)
{
    const cpr_file_list *files = run->listed;
    char shown[512];
    if (run->work.unread_stream == SIZE_MAX)
        return CPR_OK;
    const uint64_t file = cpr_file_list_stream_file(files, run->work.unread_stream);
    const char *member = cpr_file_list_member(files, file);
    if (cpr_file_list_lookup(run->work.manifest.files, member) == UINT64_MAX)
        return CPR_OK; /* it is another job's manifest, and the comparison says why */
    return cpr_fail(error, CPR_ERR_CHANGED, "the work directory has lost what was read as \"%s\"",
                    cpr_printable_path(member, shown, sizeof shown));
}
