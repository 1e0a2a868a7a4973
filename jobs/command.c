/* command.c - how subcommands begin and end, and their messages. */
#include "command.h"

#include "corpress_speed.h"
#include "help.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a message; a longer one is cut. */
#define MESSAGE_BYTES 2048

const subcommand *const command_table[] = {&cmd_plan,  &cmd_compress, &cmd_extract, &cmd_cat,
                                           &cmd_list,  &cmd_audit,    &cmd_verify,  &cmd_status,
                                           &cmd_score, &cmd_generate, NULL};

/* ---- messages ------------------------------------------------------------------------------ */

static void say(const char *format, va_list arguments)
{
    char text[MESSAGE_BYTES] = "";
    char shown[MESSAGE_BYTES];
    vsnprintf(text, sizeof text, format, arguments);
    fputs(cpr_printable_text(text, shown, sizeof shown), stderr);
}

int command_usage(const cpr_ranks *ranks, const subcommand *command, const char *format, ...)
{
    if (cpr_ranks_rank(ranks) == 0) {
        va_list arguments;
        va_start(arguments, format);
        fprintf(stderr, "corpress %s: ", command->name);
        say(format, arguments);
        va_end(arguments);
        fprintf(stderr, "; try 'corpress %s --help'\n", command->name);
    }
    return EXIT_USAGE;
}

void command_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("corpress: ", stderr);
    say(format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

void command_warn(const cpr_ranks *ranks, const char *format, ...)
{
    if (cpr_ranks_rank(ranks) != 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    fputs("corpress: warning: ", stderr);
    say(format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

int command_failed(const cpr_ranks *ranks, cpr_status status, const cpr_error *error)
{
    if (cpr_ranks_rank(ranks) == 0)
        command_say("%s", error->text[0] ? error->text : cpr_status_text(status));
    return cpr_status_exit_code(status);
}

/* Network file systems report a full disk as late as at close(2), of any descriptor of the file:
 * not of standard output itself, whose number others would get. */
static bool close_output(void)
{
    const int copy = dup(STDOUT_FILENO);
    return copy < 0 || close(copy) == 0 || errno == EINTR;
}

int command_flush(const cpr_ranks *ranks)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout) && close_output())
        return EXIT_DONE;
    if (errno != EPIPE && cpr_ranks_rank(ranks) == 0)
        fprintf(stderr, "corpress: standard output: %s\n",
                errno ? strerror(errno) : "write failed");
    return EXIT_FAILED;
}

/* ---- begin and end ------------------------------------------------------------------------- */

static int take_operands(command_call *call, int count, char **operands)
{
    const subcommand *command = call->command;
    call->archive = call->given.output;
    if (command->operands == OPERANDS_ARCHIVE && count != 1)
        return command_usage(call->ranks, command, "one archive, please");
    if (command->operands != OPERANDS_CORPUS && count == 0)
        return command_usage(call->ranks, command, "no archive given");
    if (command->operands != OPERANDS_CORPUS) {
        call->archive = *operands++;
        count--;
    }
    call->paths = operands;
    call->path_count = count;
    const int code = command->check != NULL ? command->check(call) : EXIT_DONE;
    if (code == EXIT_DONE && command->operands == OPERANDS_CORPUS && count == 0 &&
        call->given.files_from == NULL)
        return command_usage(call->ranks, command, "no corpus given");
    return code;
}

int command_check_lesson(command_call *call)
{
    if (call->given.no_lesson && call->given.lesson_bytes > 0)
        return command_usage(call->ranks, call->command,
                             "only one of --lesson-bytes and --no-lesson");
    return EXIT_DONE;
}

#define PRINTING                                                                                   \
    (COMMAND_PLAN | COMMAND_CAT | COMMAND_LIST | COMMAND_AUDIT | COMMAND_STATUS | COMMAND_SCORE |  \
     COMMAND_GENERATE)

static int command_end(const command_call *call, cpr_status status, const cpr_error *error)
{
    if (status != CPR_OK) {
        if (call->reader_is_gone)
            return EXIT_FAILED;
        fflush(stdout);
        return command_failed(call->ranks, status, error);
    }
    /* The others print nothing there, and whether it can be closed does not concern them. */
    const int code = call->command->bit & PRINTING ? command_flush(call->ranks) : EXIT_DONE;
    if (code != EXIT_DONE)
        return code;
    return call->damaged ? EXIT_DAMAGED : call->warnings > 0 ? EXIT_WARNINGS : EXIT_DONE;
}

/* With the options read. */
static int run_call(command_call *call, int count, char **operands)
{
    const subcommand *command = call->command;
    cpr_error error = {.text = ""};
    if (call->given.help) {
        if (cpr_ranks_rank(call->ranks) != 0)
            return EXIT_DONE;
        help_command(stdout, command);
        return command_flush(call->ranks);
    }
    const int code = take_operands(call, count, operands);
    if (code != EXIT_DONE || (command->alone && cpr_ranks_rank(call->ranks) != 0))
        return code;
    const cpr_status status = command->run(call, &error);
    return command_end(call, status, &error);
}

int command_run(const subcommand *command, cpr_ranks *ranks, int argc, char **argv)
{
    command_call call = {.ranks = ranks, .command = command};
    int code = options_parse(ranks, command, argc, argv, &call.given);
    if (code == EXIT_DONE)
        code = run_call(&call, argc - optind, argv + optind);
    options_free(&call.given);
    return code;
}

cpr_status command_open_alone(const command_call *call, cpr_archive **archive, cpr_error *error)
{
    return call->given.unsealed ? cpr_archive_open_unsealed(call->archive, archive, error)
                                : cpr_archive_open(call->archive, archive, error);
}

cpr_status command_open_archive(command_call *call, cpr_archive **archive, cpr_error *error)
{
    *archive = NULL;
    cpr_status status = command_open_alone(call, archive, error);
    status = cpr_ranks_agree(call->ranks, status, error);
    if (status != CPR_OK) {
        cpr_archive_close(*archive);
        *archive = NULL;
    }
    return status;
}

cpr_status command_open_reader(const command_call *call, cpr_archive *archive, cpr_reader **reader,
                               cpr_error *error)
{
    *reader = NULL;
    const cpr_status status = cpr_reader_open(archive, reader, error);
    return status == CPR_OK ? cpr_reader_set_cache(*reader, call->given.cache, 0, error) : status;
}

void command_close_reader(cpr_reader *reader)
{
    cpr_error note;
    if (reader != NULL && cpr_reader_cache(reader, &note) == CPR_CACHE_FAILED)
        command_say("note: %s", note.text);
    cpr_reader_close(reader);
}

cpr_status command_write(void *context, const uint8_t *data, size_t bytes, cpr_error *error)
{
    (void)context;
    errno = 0;
    if (fwrite(data, 1, bytes, stdout) == bytes)
        return CPR_OK;
    return cpr_fail(error, errno == ENOMEM ? CPR_ERR_NO_MEMORY : CPR_ERR_IO, "standard output: %s",
                    errno ? strerror(errno) : "write failed");
}

void command_note_needs(const cpr_archive *archive)
{
    uint64_t each;
    uint64_t shared;
    cpr_error error = {.text = ""};
    if (cpr_reader_memory(archive, &each, &shared, &error) == CPR_ERR_VERSION)
        command_say("note: %s", error.text);
}

void command_note_primer(const cpr_archive_facts *facts)
{
    if (!facts->has_primer)
        command_say("note: the archive has no primer: its model knows %s alone",
                    facts->weights_bytes > 0 ? "a vocabulary and a network's weights"
                                             : "a vocabulary");
}
