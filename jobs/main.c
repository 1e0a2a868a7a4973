/* main.c - the command `corpress`: finds the subcommand. */
#include "command.h"
#include "help.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const subcommand *find_command(const char *name)
{
    for (const subcommand *const *c = command_table; *c != NULL; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

static int run(cpr_ranks *ranks, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        if (cpr_ranks_rank(ranks) == 0)
            help_program(stdout);
        return command_flush(ranks);
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        if (cpr_ranks_rank(ranks) == 0)
            printf("corpress %s, archive format %u, kernel %s, OpenBLAS %s\n", cpr_version(),
                   cpr_format_version(), cpr_model_kernel(),
                   cpr_model_blas(cpr_profile_find("neural")));
        return command_flush(ranks);
    }
    const subcommand *command = find_command(word);
    if (command != NULL)
        return command_run(command, ranks, argc - 1, argv + 1);
    if (cpr_ranks_rank(ranks) == 0) {
        if (*word)
            command_say("no command '%s'; try 'corpress --help'", word);
        else
            command_say("no command given; try 'corpress --help'");
    }
    return EXIT_USAGE;
}

/* Writes the exit code to the file that CORPRESS_EXIT_FILE names. A batch script needs it: mpirun
 * and srun have exit codes of their own, and 1 or 2 from them may mean that no rank was started. */
static void tell_exit_code(const cpr_ranks *ranks, int code)
{
    const char *path = getenv("CORPRESS_EXIT_FILE");
    if (cpr_ranks_rank(ranks) != 0 || path == NULL || !*path)
        return;
    /* O_NONBLOCK: a FIFO that nobody reads must not hang us. */
    const int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    const bool written = file != NULL && fprintf(file, "%d\n", code) > 0;
    if ((file != NULL && fclose(file) != 0) || !written)
        command_warn(ranks, "cannot write the exit code to \"%s\"", path);
}

int main(int argc, char **argv)
{
    cpr_prepare(); /* before MPI starts threads */
    cpr_ranks *ranks = NULL;
    cpr_error error = {.text = ""};
    const cpr_status status = cpr_ranks_start(&ranks, &error);
    if (status != CPR_OK) {
        /* Ranks that are not the one to talk have no text. */
        if (error.text[0])
            command_say("%s", error.text);
        cpr_ranks_end(ranks);
        return cpr_status_exit_code(status);
    }
    /* A file that grows beyond `ulimit -f` is an error of write(), as a full disk is. */
    signal(SIGXFSZ, SIG_IGN);
    /* `corpress cat ... | head` ends quietly, as other filters do. MPI has its own use for broken
     * connections, so not with several ranks. */
    if (cpr_ranks_size(ranks) == 1)
        signal(SIGPIPE, SIG_DFL);
    /* Where rank 0 worked alone the others do not know how it went. */
    uint64_t code = (uint64_t)run(ranks, argc, argv);
    cpr_ranks_maximum(ranks, &code, 1);
    tell_exit_code(ranks, (int)code);
    cpr_ranks_end(ranks);
    return (int)code;
}
