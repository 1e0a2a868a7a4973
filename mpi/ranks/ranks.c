/* ranks.c - start-up, the end, and agreement on errors.
 *
 * Without a launcher a process is alone: MPI_Init() costs up to a second and is left out. Under
 * mpirun or srun it compares the number of ranks with what the launcher's environment says: an MPI
 * library that does not talk to this launcher starts n single processes, which would all write the
 * same archive. */
#include "ranks_private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A number in the environment; -1 if there is none. */
static long environment_number(const char *name)
{
    const char *text = getenv(name);
    if (text == NULL || !*text)
        return -1;
    char *end;
    const long value = strtol(text, &end, 10);
    return *end || value < 0 ? -1 : value;
}

/* What the launcher says about this process. */
typedef struct launch {
    long size; /* 0: not started by a launcher; -1: by one that does not say */
    long rank;
    const char *said_by; /* the variable that gave the size */
} launch;

/* SLURM sets SLURM_NTASKS and SLURM_PROCID in the batch shell as well, where a single process is
 * what the user wants; only the variables of a step tell. mpirun within SLURM starts its daemons as
 * a step of its own, so its own variables come first. */
static launch find_launch(void)
{
    static const struct {
        const char *size;
        const char *rank;
    } launchers[] = {{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
                     {"PMI_SIZE", "PMI_RANK"},
                     {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}};
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        const long size = environment_number(launchers[i].size);
        const long rank = environment_number(launchers[i].rank);
        if (size > 0 && rank >= 0)
            return (launch){.size = size, .rank = rank, .said_by = launchers[i].size};
    }
    if (environment_number("PMIX_RANK") >= 0)
        return (launch){.size = -1, .rank = environment_number("PMIX_RANK")};
    return (launch){.size = 0};
}

/* The one place that ends all ranks at once: MPI itself has failed, nothing can be agreed on. */
static void abort_all(MPI_Comm *comm, int *code, ...)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int bytes = 0;
    MPI_Error_string(*code, text, &bytes);
    fprintf(stderr, "corpress: MPI failed, all ranks stop: %s\n", text);
    MPI_Abort(*comm, 2);
}

static void open_communicators(cpr_ranks *ranks)
{
    MPI_Comm_create_errhandler(abort_all, &ranks->fatal);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, ranks->fatal);
    MPI_Comm_dup(MPI_COMM_WORLD, &ranks->comm);
    MPI_Comm_dup(MPI_COMM_WORLD, &ranks->talk);
    MPI_Comm_rank(ranks->comm, &ranks->rank);
    MPI_Comm_size(ranks->comm, &ranks->size);
}

cpr_status cpr_ranks_start(cpr_ranks **out, cpr_error *error)
{
    cpr_ranks *ranks = calloc(1, sizeof *ranks);
    *out = ranks;
    if (ranks == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to start");
    ranks->comm = MPI_COMM_NULL;
    ranks->talk = MPI_COMM_NULL;
    ranks->fatal = MPI_ERRHANDLER_NULL;
    ranks->size = 1;
    cpr_hold_read(&ranks->hold);
    if (gethostname(ranks->host, sizeof ranks->host - 1))
        snprintf(ranks->host, sizeof ranks->host, "unknown");

    const launch launched = find_launch();
    if (launched.size == 0 || launched.size == 1)
        return CPR_OK;
    int provided;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SINGLE, &provided) != MPI_SUCCESS)
        return cpr_fail(error, CPR_ERR_LAUNCH, "MPI does not start");
    open_communicators(ranks);
    if (launched.size > 1 && ranks->size != launched.size) {
        if (launched.rank == 0)
            return cpr_fail(
                error, CPR_ERR_LAUNCH,
                "the launcher started %ld processes (%s), but MPI sees %d; use the "
                "mpirun that belongs to the MPI library of corpress, or srun --mpi=pmix",
                launched.size, launched.said_by, ranks->size);
        if (error != NULL)
            error->text[0] = '\0';
        return CPR_ERR_LAUNCH;
    }
    return CPR_OK;
}

void cpr_ranks_end(cpr_ranks *ranks)
{
    if (ranks == NULL)
        return;
    if (ranks->comm != MPI_COMM_NULL) {
        MPI_Comm_free(&ranks->talk);
        MPI_Comm_free(&ranks->comm);
        MPI_Errhandler_free(&ranks->fatal);
        MPI_Finalize();
    }
    free(ranks);
}

int cpr_ranks_rank(const cpr_ranks *ranks)
{
    return ranks->rank;
}

int cpr_ranks_size(const cpr_ranks *ranks)
{
    return ranks->size;
}

bool cpr_ranks_is_first(const cpr_ranks *ranks)
{
    return ranks->rank == 0;
}

uint64_t cpr_ranks_fingerprint(const cpr_ranks *ranks)
{
    return ranks->fingerprint;
}

void cpr_ranks_pause(unsigned *step)
{
    /* The first steps are for an answer that is on its way already. */
    if (++*step <= 16)
        return;
    const long microseconds = *step < 64 ? 20 : *step < 256 ? 100 : 1000;
    const struct timespec pause = {.tv_nsec = microseconds * 1000};
    nanosleep(&pause, NULL);
}

void cpr_ranks_wait(MPI_Request *request)
{
    unsigned step = 0;
    while (*request != MPI_REQUEST_NULL) {
        int done = 0;
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (!done)
            cpr_ranks_pause(&step);
    }
}

double cpr_ranks_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

cpr_status cpr_ranks_agree(cpr_ranks *ranks, cpr_status status, cpr_error *error)
{
    if (ranks->size == 1)
        return status;
    struct {
        int32_t status;
        cpr_error error;
        char host[CPR_HOST_BYTES];
    } said = {.status = (int32_t)status};
    int first = status == CPR_OK ? INT_MAX : ranks->rank;
    MPI_Request request;
    MPI_Iallreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, ranks->comm, &request);
    cpr_ranks_wait(&request);
    if (first == INT_MAX)
        return CPR_OK;
    if (first == ranks->rank) {
        if (error != NULL)
            said.error = *error;
        memcpy(said.host, ranks->host, sizeof said.host);
    }
    MPI_Ibcast(&said, (int)sizeof said, MPI_BYTE, first, ranks->comm, &request);
    cpr_ranks_wait(&request);
    /* Errors that were agreed on before carry their rank already. */
    if (strstr(said.error.text, " [rank ") != NULL)
        return cpr_fail(error, (cpr_status)said.status, "%s", said.error.text);
    return cpr_fail(error, (cpr_status)said.status, "%s [rank %d on %s]", said.error.text, first,
                    said.host);
}

cpr_status cpr_ranks_on_first(cpr_ranks *ranks, cpr_rank_fn *fn, void *context, cpr_error *error)
{
    return cpr_ranks_agree(ranks, ranks->rank == 0 ? fn(context, error) : CPR_OK, error);
}

char *cpr_ranks_hosts(cpr_ranks *ranks)
{
    char *hosts = NULL;
    if (ranks->rank == 0)
        hosts = calloc((size_t)ranks->size, CPR_HOST_BYTES);
    if (ranks->size == 1) {
        if (hosts != NULL)
            memcpy(hosts, ranks->host, CPR_HOST_BYTES);
        return hosts;
    }
    int have = hosts != NULL;
    MPI_Request request;
    MPI_Ibcast(&have, 1, MPI_INT, 0, ranks->comm, &request);
    cpr_ranks_wait(&request);
    if (have) {
        MPI_Igather(ranks->host, CPR_HOST_BYTES, MPI_CHAR, hosts, CPR_HOST_BYTES, MPI_CHAR, 0,
                    ranks->comm, &request);
        cpr_ranks_wait(&request);
    }
    return hosts;
}
