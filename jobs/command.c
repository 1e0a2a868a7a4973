/* command.c - messages, exit codes, numbers and lists in arguments. */
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a message; a longer one is cut. */
#define MESSAGE_BYTES 2048

static void say(const char *format, va_list arguments)
{
    char text[MESSAGE_BYTES] = "";
    char shown[MESSAGE_BYTES];
    vsnprintf(text, sizeof text, format, arguments);
    fputs(cpr_printable_text(text, shown, sizeof shown), stderr);
}

int command_usage(const cpr_ranks *ranks, const char *command, const char *format, ...)
{
    if (cpr_ranks_rank(ranks) == 0) {
        va_list arguments;
        va_start(arguments, format);
        fprintf(stderr, "corpress %s: ", command);
        say(format, arguments);
        va_end(arguments);
        fprintf(stderr, "; try 'corpress %s --help'\n", command);
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

/* How many options a long one without its value may stand for; getopt_long() takes the beginning
 * of a name if there is only one. */
static int matching_options(const struct option *options, const char *text)
{
    int found = 0;
    const size_t length = strcspn(text, "=");
    for (; options->name != NULL; options++)
        found += strncmp(options->name, text, length) == 0;
    return found;
}

/* getopt_long()'s own messages print any byte. */
static void say_bad_option(int c, char **argv, const char *letters, const struct option *options)
{
    const char *word = argv[optind - 1];
    if (c == '?' && optopt && optopt <= UCHAR_MAX &&
        (optopt == ':' || strchr(letters, optopt) == NULL)) {
        const char letter[] = {(char)optopt, '\0'};
        command_say("invalid option -- '%s'", letter);
    } else if (c == ':' && strncmp(word, "--", 2) != 0) {
        command_say("option requires an argument -- '%c'", optopt);
    } else if (c == ':') {
        command_say("option '%s' requires an argument", word);
    } else if (optopt) {
        command_say("option '%s' doesn't allow an argument", word);
    } else if (matching_options(options, word + 2) > 1) {
        command_say("option '%s' is ambiguous", word);
    } else {
        command_say("unrecognized option '%s'", word);
    }
}

int command_option(const cpr_ranks *ranks, int argc, char **argv, const char *letters,
                   const struct option *options)
{
    char quiet[32];
    /* A colon in front: tell an option without its argument from one that is not known. */
    snprintf(quiet, sizeof quiet, ":%s", letters);
    opterr = 0;
    optopt = 0;
    const int c = getopt_long(argc, argv, quiet, options, NULL);
    if (c != '?' && c != ':')
        return c;
    if (cpr_ranks_rank(ranks) == 0)
        say_bad_option(c, argv, letters, options);
    return '?';
}

int command_bad_option(const cpr_ranks *ranks, const char *command)
{
    if (cpr_ranks_rank(ranks) == 0)
        fprintf(stderr, "try 'corpress %s --help'\n", command);
    return EXIT_USAGE;
}

int command_failed(const cpr_ranks *ranks, cpr_status status, const cpr_error *error)
{
    if (cpr_ranks_rank(ranks) == 0)
        command_say("%s", error->text[0] ? error->text : cpr_status_text(status));
    return cpr_status_exit_code(status);
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

int command_help(const cpr_ranks *ranks, const char *text, bool profiles)
{
    if (cpr_ranks_rank(ranks) != 0)
        return EXIT_DONE;
    fputs(text, stdout);
    if (profiles) {
        const uint64_t most =
            CPR_SHARD_BYTES_DEFAULT + cpr_plan_primer_bytes(UINT64_MAX, CPR_SHARD_BYTES_DEFAULT);
        puts("\nProfiles, and the memory of one rank at the default shard size:");
        for (unsigned i = 0; cpr_profile_at(i) != NULL; i++) {
            const cpr_profile *profile = cpr_profile_at(i);
            printf("  %-10s %5.0f MiB  %s\n", cpr_profile_name(profile),
                   (double)cpr_codec_memory(profile, most) / 1048576.0,
                   cpr_profile_summary(profile));
        }
        puts("Each node needs as much once more for what its ranks share, if there are four\n"
             "shards or more. It does not grow with the corpus. The list of files takes about 200\n"
             "bytes a file more on every rank.");
    }
    fputs(COMMAND_EXIT_CODES, stdout);
    return command_flush(ranks);
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

cpr_status command_open_alone(const char *path, bool unsealed, cpr_archive **archive,
                              cpr_error *error)
{
    return unsealed ? cpr_archive_open_unsealed(path, archive, error)
                    : cpr_archive_open(path, archive, error);
}

cpr_status command_open_archive(cpr_ranks *ranks, const char *path, bool unsealed,
                                cpr_archive **archive, cpr_error *error)
{
    *archive = NULL;
    cpr_status status = command_open_alone(path, unsealed, archive, error);
    status = cpr_ranks_agree(ranks, status, error);
    if (status != CPR_OK) {
        cpr_archive_close(*archive);
        *archive = NULL;
    }
    return status;
}

int command_check_stdin_name(const cpr_ranks *ranks, const char *command, const char *name)
{
    char shown[512];
    size_t longest = 0; /* of its components: what extract must be able to create */
    for (const char *part = name; *part; part += strspn(part, "/")) {
        const size_t length = strcspn(part, "/");
        longest = length > longest ? length : longest;
        part += length;
    }
    if (strlen(name) < 4096 && longest <= 255 && cpr_member_path_is_safe(name))
        return EXIT_DONE;
    return command_usage(
        ranks, command,
        "--stdin-name wants a path such as part/1.jsonl, without a leading '/' and "
        "'..', not '%s'",
        cpr_printable_path(name, shown, sizeof shown));
}

char *command_join(const char *first, const char *second)
{
    const size_t room = strlen(first) + strlen(second) + 1;
    char *joined = malloc(room);
    if (joined != NULL)
        snprintf(joined, room, "%s%s", first, second);
    return joined;
}

bool command_parse_size(const char *text, uint64_t *bytes)
{
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    char *end;
    const unsigned long long number = strtoull(text, &end, 10);
    if (errno)
        return false;
    unsigned shift = 0;
    if (*end == 'K' || *end == 'k')
        shift = 10;
    else if (*end == 'M' || *end == 'm')
        shift = 20;
    else if (*end == 'G' || *end == 'g')
        shift = 30;
    if (shift) {
        end++;
        if (end[0] == 'i' && end[1] == 'B')
            end += 2;
        else if (*end == 'B')
            end++;
    }
    if (*end || number > UINT64_MAX >> shift)
        return false;
    *bytes = (uint64_t)number << shift;
    return true;
}

bool command_parse_seconds(const char *text, double *seconds)
{
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    char *end;
    const unsigned long long number = strtoull(text, &end, 10);
    const unsigned unit = *end == 'h' ? 3600 : *end == 'm' ? 60 : 1;
    if (*end == 'h' || *end == 'm' || *end == 's')
        end++;
    if (errno || *end || number > UINT32_MAX)
        return false;
    *seconds = (double)number * unit;
    return true;
}

/* A shard number at *text, which moves behind it. */
static bool parse_shard(const char **text, uint64_t *shard)
{
    if (!isdigit((unsigned char)**text))
        return false;
    errno = 0;
    char *end;
    const unsigned long long number = strtoull(*text, &end, 10);
    *text = end;
    *shard = number;
    return errno == 0;
}

cpr_status command_parse_shards(const char *text, uint64_t shard_count, bool **selected,
                                cpr_error *error)
{
    *selected = calloc((size_t)shard_count + 1, sizeof **selected);
    if (*selected == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a list of shards");
    const char *at = text;
    for (;;) {
        uint64_t first = 0;
        bool good = parse_shard(&at, &first);
        uint64_t last = first;
        if (good && *at == '-') {
            at++;
            good = parse_shard(&at, &last) && first <= last;
        }
        if (!good || (*at && *at != ','))
            return cpr_fail(error, CPR_ERR_USAGE, "--shards wants a list such as 3,7-9, not '%s'",
                            text);
        if (last >= shard_count)
            return cpr_fail(error, CPR_ERR_NOT_FOUND,
                            "no shard %llu: the archive has %llu, counted from 0",
                            (unsigned long long)last, (unsigned long long)shard_count);
        memset(*selected + first, 1, (size_t)(last - first + 1));
        if (!*at)
            return CPR_OK;
        at++;
    }
}

char *command_member_path(char *text)
{
    for (;;) {
        if (text[0] == '/')
            text++;
        else if (text[0] == '.' && text[1] == '/')
            text += 2;
        else
            break;
    }
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '/')
        text[--length] = '\0';
    return text;
}
