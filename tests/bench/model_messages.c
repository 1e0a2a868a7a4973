/* model_messages.c - what the ranks' messages cost, with a stub in the place of the codec.
 *
 *   mpirun -n N model_messages [ITEMS_A_RANK=20] [BLOCKS=10] [BLOCK_MS=5]
 *
 * The scheduler is the real one; an item is BLOCKS pauses of BLOCK_MS milliseconds with the same
 * calls between them as between blocks of a shard. Since a stub needs no processor, many more ranks
 * than there are cores can be tried. Rank 0 prints "name value unit" lines. */
#include "ranks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define BLOCK_BYTES UINT64_C(65536)

typedef struct workload {
    uint64_t blocks;
    long pause_ns;
    uint64_t ran;       /* items of this rank */
    double ended;       /* when its last one was done; 0: none was */
    double gap_seconds; /* between two items of this rank, together */
    double gap_longest;
    double run_seconds; /* within items */
} workload;

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double cpu_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static uint64_t item_bytes(void *context, uint64_t item)
{
    const workload *load = context;
    (void)item;
    return load->blocks * BLOCK_BYTES;
}

static cpr_status run_item(void *context, uint64_t item, cpr_progress_fn *progress,
                           void *progress_context, cpr_item_result *result, cpr_error *error)
{
    workload *load = context;
    const struct timespec pause = {.tv_nsec = load->pause_ns};
    const double start = wall_seconds();
    if (load->ended > 0) {
        const double gap = start - load->ended;
        load->gap_seconds += gap;
        load->gap_longest = gap > load->gap_longest ? gap : load->gap_longest;
    }
    cpr_status status = CPR_OK;
    for (uint64_t i = 1; status == CPR_OK && i <= load->blocks; i++) {
        nanosleep(&pause, NULL);
        status = progress(progress_context, i * BLOCK_BYTES, i * BLOCK_BYTES / 8, error);
    }
    result->shard = item;
    result->raw_bytes = load->blocks * BLOCK_BYTES;
    result->coded_bytes = result->raw_bytes / 8;
    load->ran++;
    load->ended = wall_seconds();
    load->run_seconds += load->ended - start;
    return status;
}

/* The largest of all ranks' values, on all of them. */
static double largest(cpr_ranks *ranks, double value)
{
    uint64_t nanoseconds = (uint64_t)(value * 1e9);
    cpr_ranks_maximum(ranks, &nanoseconds, 1);
    return (double)nanoseconds * 1e-9;
}

static void time_collectives(cpr_ranks *ranks)
{
    enum { ROUNDS = 200, VALUES = 15260, LIST_BYTES = 20000000 };
    cpr_error error = {.text = ""};
    double start = wall_seconds();
    for (int i = 0; i < ROUNDS; i++)
        (void)cpr_ranks_agree(ranks, CPR_OK, &error);
    const double agree = (wall_seconds() - start) / ROUNDS;

    uint64_t *values = calloc(VALUES, sizeof *values);
    if (values == NULL)
        return;
    start = wall_seconds();
    for (int i = 0; i < 10; i++)
        cpr_ranks_maximum(ranks, values, VALUES);
    const double maximum = (wall_seconds() - start) / 10;
    free(values);

    uint8_t *list = cpr_ranks_rank(ranks) == 0 ? calloc(LIST_BYTES, 1) : NULL;
    size_t bytes = LIST_BYTES;
    start = wall_seconds();
    const cpr_status status = cpr_ranks_broadcast(ranks, &list, &bytes, &error);
    const double broadcast = largest(ranks, wall_seconds() - start);
    free(list);
    if (cpr_ranks_rank(ranks) == 0 && status == CPR_OK)
        printf("agree %.1f us\nmaximum_of_15260 %.2f ms\nbroadcast_20_MB %.1f ms\n", agree * 1e6,
               maximum * 1e3, broadcast * 1e3);
}

static cpr_status time_schedule(cpr_ranks *ranks, uint64_t items, workload *load, cpr_error *error)
{
    const cpr_schedule schedule = {
        .items = items, .context = load, .bytes = item_bytes, .run = run_item};
    const double cpu = cpu_seconds();
    const double start = wall_seconds();
    const cpr_status status = cpr_ranks_run(ranks, &schedule, NULL, error);
    const double wall = wall_seconds() - start;
    const double used = cpu_seconds() - cpu;
    if (status != CPR_OK)
        return status;
    const double longest = largest(ranks, load->gap_longest);
    const double gaps =
        largest(ranks, load->ran > 1 ? load->gap_seconds / (double)(load->ran - 1) : 0);
    const double busy = largest(ranks, load->run_seconds);
    if (cpr_ranks_rank(ranks) == 0)
        printf("items %" PRIu64 " of %.0f ms\nitems_of_rank_0 %" PRIu64 "\nschedule %.3f s\n"
               "longest_in_items %.3f s\ngap_mean_of_slowest_rank %.3f ms\ngap_longest %.3f ms\n"
               "cpu_of_rank_0 %.4f s\nitems_per_second %.0f\n",
               items, (double)load->blocks * (double)load->pause_ns * 1e-6, load->ran, wall, busy,
               gaps * 1e3, longest * 1e3, used, (double)items / wall);
    return CPR_OK;
}

int main(int argc, char **argv)
{
    const uint64_t each = argc > 1 ? strtoull(argv[1], NULL, 10) : 20;
    workload load = {.blocks = argc > 2 ? strtoull(argv[2], NULL, 10) : 10,
                     .pause_ns = (argc > 3 ? strtol(argv[3], NULL, 10) : 5) * 1000000};
    cpr_ranks *ranks = NULL;
    cpr_error error = {.text = ""};
    cpr_status status = cpr_ranks_start(&ranks, &error);
    if (status == CPR_OK) {
        if (cpr_ranks_rank(ranks) == 0)
            printf("ranks %d\n", cpr_ranks_size(ranks));
        time_collectives(ranks);
        status = time_schedule(ranks, each * (uint64_t)cpr_ranks_size(ranks), &load, &error);
    }
    if (status != CPR_OK)
        fprintf(stderr, "model_messages: %s\n", error.text);
    cpr_ranks_end(ranks);
    return status == CPR_OK ? 0 : 2;
}
