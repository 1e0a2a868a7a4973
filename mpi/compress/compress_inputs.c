/* compress_inputs.c - decodes compressed inputs once, to learn what they hold.
 *
 * What has to be known before the corpus can be cut is how large each text is, and which members a
 * tar has. The ranks share out the files. What they find is kept in the work directory, so that a
 * job that goes on does not count again. The texts are not kept: who needs one decodes the file. */
#include "compress_progress.h"
#include "memory_limits.h"

#include <stdlib.h>
#include <string.h>

/* What a rank is given at a time, unless it is one file. */
#define BATCH_FILES 1000u
#define BATCH_BYTES ((uint64_t)32 << 20)
#define SAVE_SECONDS 20.0
/* A decoder may always have as much, and never needs more than the other. */
#define MEMORY_LEAST ((uint64_t)256 << 20)
#define MEMORY_MOST ((uint64_t)4 << 30)

typedef struct inputs_work {
    cpr_compress_run *run;
    cpr_scan_options options;
    cpr_hash128 key;         /* of what decoding depends on */
    cpr_input_records known; /* rank 0: of all files */
    cpr_input_records found; /* by this rank */
    cpr_file_list *wanted;   /* files of which nothing is known */
    uint64_t *batches;       /* their first files, and the end */
    uint64_t batch_count;
    uint64_t batch_done; /* bytes of the batch in work, in finished files */
    uint64_t file_done;  /* of the file in work */
    cpr_progress_fn *progress;
    void *progress_context;
    double saved;
} inputs_work;

/* ---- which files ---------------------------------------------------------------------------- */

/* What comes of a file depends on its bytes and on this. */
static cpr_hash128 inputs_key(const cpr_input *options)
{
    const uint64_t numbers[2] = {options->decode_limit, options->keep_damaged};
    const char *column = options->text_column != NULL ? options->text_column : "";
    const cpr_hash128 both[2] = {cpr_hash_bytes(numbers, sizeof numbers),
                                 cpr_hash_bytes(column, strlen(column))};
    return cpr_hash_bytes(both, sizeof both);
}

/* Rank 0: the files to look into. */
static cpr_status inputs_choose(inputs_work *w, cpr_file_list *wanted, cpr_error *error)
{
    const cpr_file_list *listed = w->run->listed;
    cpr_status status = cpr_work_inputs_load(w->run->work.dir, w->key, &w->known, error);
    if (status != CPR_OK)
        return status;
    size_t *known = cpr_file_list_find_records(listed, &w->known);
    if (known == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the list of files");
    for (uint64_t i = 0; status == CPR_OK && i < cpr_file_list_count(listed); i++)
        if (known[i] == SIZE_MAX && cpr_file_list_is_input(listed, i))
            status = cpr_file_list_copy(wanted, listed, i, error);
    free(known);
    return status;
}

static cpr_status inputs_cut(inputs_work *w, cpr_error *error)
{
    const uint64_t count = cpr_file_list_count(w->wanted);
    uint64_t files = 0;
    uint64_t bytes = 0;
    w->batches = calloc((size_t)count + 2, sizeof *w->batches);
    if (w->batches == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the list of files");
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t more = cpr_file_list_get(w->wanted, i).bytes;
        if (files == 0 || files == BATCH_FILES || bytes + more > BATCH_BYTES) {
            w->batches[w->batch_count++] = i;
            files = 0;
            bytes = 0;
        }
        files++;
        bytes += more;
    }
    w->batches[w->batch_count] = count;
    return CPR_OK;
}

static cpr_status inputs_share(inputs_work *w, cpr_error *error)
{
    cpr_compress_run *run = w->run;
    cpr_file_list *wanted = cpr_file_list_create();
    cpr_status status = CPR_OK;
    if (wanted == NULL)
        status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the list of files");
    else if (cpr_ranks_is_first(run->ranks))
        status = inputs_choose(w, wanted, error);
    else
        status = cpr_work_dir_open(run->options.archive_path, false, &run->work.dir, error);
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK)
        status = cpr_compress_share_list(run, wanted, &w->wanted, error);
    cpr_file_list_free(wanted);
    return status == CPR_OK ? cpr_ranks_agree(run->ranks, inputs_cut(w, error), error) : status;
}

/* ---- looking into them ---------------------------------------------------------------------- */

static uint64_t inputs_bytes(void *context, uint64_t item)
{
    const inputs_work *w = context;
    return cpr_file_list_offset(w->wanted, w->batches[item + 1]) -
           cpr_file_list_offset(w->wanted, w->batches[item]);
}

/* A cpr_poll_fn. */
static cpr_status inputs_poll(void *context, cpr_error *error)
{
    const inputs_work *w = context;
    return w->progress(w->progress_context, w->batch_done + w->file_done, 0, error);
}

/* Keeps what this rank has found; that it cannot be kept costs time, and no more. */
static void inputs_save(inputs_work *w, bool now)
{
    const uint64_t number = (uint64_t)cpr_ranks_rank(w->run->ranks);
    cpr_error detail;
    if (w->found.count == 0 || (!now && cpr_ranks_seconds() - w->saved < SAVE_SECONDS))
        return;
    /* Number 0 is for what is known of all files. */
    if (cpr_work_inputs_save(w->run->work.dir, number + 1, w->key, &w->found, &detail) != CPR_OK)
        cpr_ranks_note(w->run->ranks, "what is known of inputs cannot be kept: %s", detail.text);
    w->saved = cpr_ranks_seconds();
}

/* As cpr_schedule.run. */
static cpr_status inputs_run(void *context, uint64_t item, cpr_progress_fn *progress,
                             void *progress_context, cpr_item_result *result, cpr_error *error)
{
    inputs_work *w = context;
    cpr_status status = CPR_OK;
    w->progress = progress;
    w->progress_context = progress_context;
    w->batch_done = 0;
    for (uint64_t i = w->batches[item]; status == CPR_OK && i < w->batches[item + 1]; i++) {
        status = cpr_file_list_scan(w->wanted, i, &w->options, &w->found, error);
        w->batch_done += cpr_file_list_get(w->wanted, i).bytes;
        w->file_done = 0;
        if (status == CPR_OK)
            status = inputs_poll(w, error);
    }
    inputs_save(w, status != CPR_OK);
    result->shard = item;
    result->raw_bytes = inputs_bytes(w, item);
    return status;
}

/* The most that a decoder may take on this rank's node, of which all ranks may have one. Whether a
 * file is decoded does not depend on it: one that needs more is a failure. */
static uint64_t inputs_memory(const cpr_compress_run *run)
{
    cpr_memory_need need = {.who = "decoding", .ranks = cpr_ranks_here(run->ranks)};
    cpr_error detail;
    for (need.each = MEMORY_MOST; need.each > MEMORY_LEAST; need.each /= 2)
        if (cpr_memory_check(&need, &detail) == CPR_OK)
            break;
    return need.each;
}

/* ---- what comes of them --------------------------------------------------------------------- */

/* A cpr_pack_fn and a cpr_merge_fn. */
static uint8_t *inputs_pack(void *context, size_t *bytes)
{
    const inputs_work *w = context;
    uint8_t *packed = malloc(w->found.used + 1);
    if (packed != NULL && w->found.used > 0)
        memcpy(packed, w->found.bytes, w->found.used);
    *bytes = w->found.used;
    return packed;
}

static cpr_status inputs_merge(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    inputs_work *w = context;
    return cpr_input_records_merge(&w->found, data, bytes, error);
}

/* Rank 0: says what has been decoded. */
static void inputs_tell(const cpr_compress_run *run)
{
    const cpr_file_list *files = run->decoded;
    uint64_t bytes = 0;
    uint64_t text = 0;
    const uint64_t count = cpr_file_list_origins(files);
    for (uint64_t i = 0; i < count; i++) {
        const cpr_origin origin = cpr_file_list_origin(files, i);
        bytes += origin.bytes;
        text += origin.text_bytes;
    }
    if (count > 0)
        cpr_compress_note(run, "inputs decoded: %llu, %llu bytes, to %llu bytes of text",
                          (unsigned long long)count, (unsigned long long)bytes,
                          (unsigned long long)text);
}

/* A cpr_rank_fn: the corpus as it is decoded. */
static cpr_status inputs_settle(void *context, cpr_error *error)
{
    inputs_work *w = context;
    cpr_compress_run *run = w->run;
    cpr_error detail;
    cpr_status status = cpr_input_records_merge(&w->known, w->found.bytes, w->found.used, error);
    if (status == CPR_OK && w->found.count > 0 &&
        cpr_work_inputs_save(run->work.dir, 0, w->key, &w->known, &detail) != CPR_OK)
        cpr_compress_note(run, "what is known of inputs cannot be kept: %s", detail.text);
    if (status == CPR_OK)
        status = cpr_compress_take_inputs(run, &w->known, error);
    if (status == CPR_OK)
        inputs_tell(run);
    return status;
}

static void inputs_free(inputs_work *w)
{
    cpr_input_records_free(&w->known);
    cpr_input_records_free(&w->found);
    cpr_file_list_free(w->wanted);
    free(w->batches);
}

cpr_status cpr_compress_inputs(cpr_compress_run *run, cpr_error *error)
{
    if (!run->options.input.decode)
        return CPR_OK;
    inputs_work w = {.run = run, .key = inputs_key(&run->options.input)};
    const cpr_listener listener = {.context = run->listener.context,
                                   .progress = run->listener.progress,
                                   .note = run->listener.note,
                                   .warn = run->listener.warn};
    cpr_status status = inputs_share(&w, error);
    if (status == CPR_OK) {
        w.options = cpr_compress_scan_options(&run->options.input);
        w.options.decoding.memory_bytes = inputs_memory(run);
        w.options.done = &w.file_done;
        w.options.poll = inputs_poll;
        w.options.poll_context = &w;
        run->decoding = w.options.decoding;
        w.saved = cpr_ranks_seconds();
        const cpr_schedule schedule = {
            .items = w.batch_count, .context = &w, .bytes = inputs_bytes, .run = inputs_run};
        if (w.batch_count > 0)
            cpr_compress_phase(run, CPR_PHASE_INPUTS, cpr_file_list_bytes(w.wanted), 0);
        status = cpr_ranks_run(run->ranks, &schedule, &listener, error);
    }
    if (status == CPR_OK)
        status = cpr_ranks_reduce(run->ranks, inputs_pack, inputs_merge, &w, error);
    if (status == CPR_OK)
        status = cpr_ranks_on_first(run->ranks, inputs_settle, &w, error);
    inputs_free(&w);
    return status;
}
