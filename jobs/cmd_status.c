/* cmd_status.c - corpress status ARCHIVE.h5 */
#include "command.h"
#include "slurm_state.h"
#include "status_follow.h"
#include "status_text.h"

static int check(command_call *call)
{
    if (call->given.interval > 0 && !call->given.follow)
        return command_usage(call->ranks, call->command, "--interval goes with --follow");
    return EXIT_DONE;
}

static cpr_status status_once(const command_call *call, cpr_error *error)
{
    char slurm_state[SLURM_STATE_BYTES];
    cpr_job *job = NULL;
    const cpr_status status = cpr_job_look(call->archive, &job, error);
    if (status != CPR_OK)
        return status;
    slurm_state_ask(job->slurm_job, slurm_state);
    const status_view view = {.path = call->archive, .job = job, .slurm_state = slurm_state};
    if (call->given.format == REPORT_JSON)
        status_print_json(stdout, &view, NULL);
    else
        status_print_table(stdout, &view);
    cpr_job_free(job);
    return CPR_OK;
}

static cpr_status run_status(command_call *call, cpr_error *error)
{
    return call->given.follow ? status_follow(call, error) : status_once(call, error);
}

static const char *const status_usage[] = {"ARCHIVE.h5 [--follow]", NULL};

const subcommand cmd_status = {
    .name = "status",
    .bit = COMMAND_STATUS,
    .summary = "how far a job is",
    .usage = status_usage,
    .about = "Says how far a job is that makes an archive, while it runs and after it was "
             "interrupted, from its work directory alone. The exit code is 2 if there is neither "
             "an archive nor a work directory. With --follow it goes on until the job is done: 0, "
             "or has stopped: 75.",
    .operands = OPERANDS_ARCHIVE,
    .alone = true,
    .check = check,
    .run = run_status,
};
