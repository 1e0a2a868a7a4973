/* compress_run.c - from a corpus to an archive: the order of the steps.
 *
 * What the archive holds is a function of the file list and the options alone: no step may depend
 * on the number of ranks or on which rank did what. */
#include "compress_run.h"

#include <stdlib.h>

/* When a step is taken; work.state is known after cpr_compress_decide(). */
typedef enum step_when {
    ALWAYS,
    IF_DONE,    /* an earlier run gave the archive its name */
    UNLESS_DONE /* none did; in front of the step is a place to stop */
} step_when;

static cpr_status run_self_test(cpr_compress_run *run, cpr_error *error)
{
    return cpr_ranks_self_test(run->ranks, run->options.profile, error);
}

static const struct {
    cpr_compress_step *step;
    step_when when;
} steps[] = {
    {cpr_compress_check, ALWAYS},
    {cpr_compress_list, ALWAYS},
    {run_self_test, ALWAYS},
    {cpr_compress_open, ALWAYS},
    {cpr_compress_read_streams, ALWAYS},
    {cpr_compress_inputs, ALWAYS},
    {cpr_compress_decide, ALWAYS},
    {cpr_compress_share_files, ALWAYS},
    {cpr_compress_check_archive, IF_DONE},
    {cpr_compress_cut, UNLESS_DONE},
    {cpr_compress_check_memory, UNLESS_DONE},
    {cpr_compress_vocabulary, UNLESS_DONE},
    {cpr_compress_begin, UNLESS_DONE},
    {cpr_compress_find_todo, UNLESS_DONE},
    {cpr_compress_settle_primer, UNLESS_DONE},
    {cpr_compress_lesson, UNLESS_DONE},
    {cpr_compress_primer, UNLESS_DONE},
    {cpr_compress_shards, UNLESS_DONE},
    {cpr_compress_publish, UNLESS_DONE},
};

static cpr_status run_steps(cpr_compress_run *run, cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (size_t i = 0; status == CPR_OK && i < sizeof steps / sizeof *steps; i++) {
        const bool done = run->work.state == CPR_WORK_DONE;
        if (steps[i].when != ALWAYS && (steps[i].when == IF_DONE) != done)
            continue;
        if (steps[i].when == UNLESS_DONE)
            status = cpr_ranks_agree(run->ranks, cpr_stop_check(error), error);
        if (status == CPR_OK)
            status = steps[i].step(run, error);
    }
    return status;
}

static cpr_compress_totals run_totals(const cpr_compress_run *run)
{
    const uint64_t bytes = cpr_file_list_bytes(run->plan.files);
    const cpr_vocabulary *vocabulary = run->engine.vocabulary;
    return (cpr_compress_totals){.files = cpr_file_list_count(run->plan.files),
                                 .shards = cpr_plan_shards(bytes, run->options.shard_bytes),
                                 .raw_bytes = bytes,
                                 .archive_bytes = run->archive_bytes,
                                 .tokens =
                                     vocabulary != NULL ? cpr_vocabulary_tokens(vocabulary) : 0};
}

cpr_status cpr_compress_on_first(cpr_compress_run *run, cpr_compress_step *step, cpr_error *error)
{
    return cpr_ranks_agree(run->ranks, cpr_ranks_is_first(run->ranks) ? step(run, error) : CPR_OK,
                           error);
}

/* The options with their defaults. */
static cpr_status run_take_options(cpr_compress_run *run, const cpr_compress_options *given,
                                   cpr_error *error)
{
    run->options = *given;
    if (given->profile == NULL)
        run->options.profile = cpr_profile_find("balanced");
    if (given->shard_bytes == 0)
        run->options.shard_bytes = CPR_SHARD_BYTES_DEFAULT;
    run->engine.profile = run->options.profile;
    if (given->archive_path == NULL || *given->archive_path == '\0')
        return cpr_fail(error, CPR_ERR_USAGE, "no archive given");
    if (run->options.shard_bytes < CPR_SHARD_BYTES_MIN ||
        run->options.shard_bytes > CPR_SHARD_BYTES_MAX)
        return cpr_fail(error, CPR_ERR_USAGE, "shards have 1 MiB to 4 GiB");
    if (given->no_lesson && given->lesson_bytes > 0)
        return cpr_fail(error, CPR_ERR_USAGE, "a lesson has a size, or there is none");
    if (given->lesson_bytes > 0 && !cpr_profile_is_taught(cpr_profile_after_lesson(
                                       run->options.profile, 0, given->lesson_bytes)))
        return cpr_fail(error, CPR_ERR_USAGE, "profile %s has no network that could be taught",
                        cpr_profile_name(run->options.profile));
    return CPR_OK;
}

/* Rank 0: what has come of it. Only now it is known what the pipes gave; a job that was complete
 * has not looked at them. */
static void run_sum_up(const cpr_compress_run *run, cpr_compress_totals *totals)
{
    const cpr_compress_totals made = run_totals(run);
    if (cpr_file_list_streams(run->listed) > 0 &&
        cpr_file_list_bytes(cpr_compress_corpus(run)) == made.raw_bytes)
        cpr_compress_judge(run);
    if (totals != NULL)
        *totals = made;
}

cpr_status cpr_compress(cpr_ranks *ranks, const cpr_compress_options *options,
                        const cpr_listener *listener, cpr_compress_totals *totals, cpr_error *error)
{
    cpr_error unwanted = {.text = ""};
    cpr_compress_run run = {.ranks = ranks, .work.unread_stream = SIZE_MAX};
    error = error != NULL ? error : &unwanted;
    if (listener != NULL)
        run.listener = *listener;
    cpr_status status = cpr_ranks_agree(ranks, run_take_options(&run, options, error), error);
    if (status == CPR_OK)
        status = run_steps(&run, error);
    if (status == CPR_OK && cpr_ranks_is_first(ranks))
        run_sum_up(&run, totals);
    cpr_compress_work_close(&run.work);
    /* No rank has anything open in the work directory from here on. */
    status = cpr_ranks_agree(ranks, status, error);
    if (cpr_ranks_is_first(ranks))
        status = cpr_compress_close(&run, status, error);
    status = cpr_ranks_agree(ranks, status, error);
    cpr_compress_engine_free(&run.engine);
    cpr_compress_plan_free(&run.plan);
    cpr_compress_work_free(&run.work);
    cpr_file_list_free(run.listed);
    cpr_file_list_free(run.decoded);
    free(run.temporary_path);
    return status;
}
