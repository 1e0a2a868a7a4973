/* command.h - what the subcommands share: messages, exit codes, numbers and lists in arguments.
 *
 * A subcommand is called on all ranks with the same arguments and returns the exit code of the
 * process, the same on all. Only rank 0 prints. */
#ifndef CPR_COMMAND_H
#define CPR_COMMAND_H

#include "compress.h"
#include "decode.h"
#include "ranks.h"

#include <getopt.h>
#include <stdio.h>

enum { EXIT_DONE = 0, EXIT_WARNINGS = 1, EXIT_FAILED = 2, EXIT_USAGE = 3, EXIT_DAMAGED = 4 };

typedef int cmd_fn(cpr_ranks *ranks, int argc, char **argv);

cmd_fn cmd_plan;
cmd_fn cmd_compress;
cmd_fn cmd_extract;
cmd_fn cmd_cat;
cmd_fn cmd_list;
cmd_fn cmd_audit;
cmd_fn cmd_verify;
cmd_fn cmd_status;

/* "corpress COMMAND: text; try ..." on rank 0's standard error. Returns EXIT_USAGE. */
int command_usage(const cpr_ranks *ranks, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "corpress: text" on standard error. What the text is made from need not be printable, here and
 * in the functions around; paths come from cpr_printable_path() all the same. */
void command_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As getopt_long(); '?' after a message on rank 0, where an option is not known or used wrongly.
 * `letters` has no ':' in front. */
int command_option(const cpr_ranks *ranks, int argc, char **argv, const char *letters,
                   const struct option *options);

/* command_option() did not know an option, and said so. Returns EXIT_USAGE. */
int command_bad_option(const cpr_ranks *ranks, const char *command);

/* "corpress: text" on rank 0's standard error. Returns the status' exit code. */
int command_failed(const cpr_ranks *ranks, cpr_status status, const cpr_error *error);

/* "corpress: warning: text" on rank 0's standard error. */
void command_warn(const cpr_ranks *ranks, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints the help text and, with `profiles`, what each profile needs, on rank 0. Returns
 * EXIT_DONE, or EXIT_FAILED if standard output cannot take it. */
int command_help(const cpr_ranks *ranks, const char *text, bool profiles);

/* Flushes standard output. EXIT_FAILED, with a message, if it could not take everything. */
int command_flush(const cpr_ranks *ranks);

/* COLLECTIVE. Opens an archive on all ranks, with `unsealed` (the option --unsealed) also one whose
 * seal does not match. */
cpr_status command_open_archive(cpr_ranks *ranks, const char *path, bool unsealed,
                                cpr_archive **archive, cpr_error *error);

/* The same by this process alone. */
cpr_status command_open_alone(const char *path, bool unsealed, cpr_archive **archive,
                              cpr_error *error);

/* --stdin-name wants a path that can be one of the archive's. EXIT_DONE, or what command_usage()
 * returns. */
int command_check_stdin_name(const cpr_ranks *ranks, const char *command, const char *name);

/* Two strings as one, malloc()ed; NULL: out of memory. */
char *command_join(const char *first, const char *second);

/* A size such as 1048576, 64K, 64M, 64MiB, 1G; units are powers of 1024, as in zstd. */
bool command_parse_size(const char *text, uint64_t *bytes);

/* A time such as 0, 90, 90s, 10m, 1h. */
bool command_parse_seconds(const char *text, double *seconds);

/* A list such as 3,7-9 into one malloc()ed bool per shard. */
cpr_status command_parse_shards(const char *text, uint64_t shard_count, bool **selected,
                                cpr_error *error);

/* A PATH argument as the archive's member path: without leading "/" and "./", without trailing "/".
 * Points into text, which it shortens. */
char *command_member_path(char *text);

/* Options that are not a letter. */
enum {
    OPTION_HELP = 1000,
    OPTION_SHARD_SIZE,
    OPTION_FILES_FROM,
    OPTION_STDIN_NAME,
    OPTION_NO_MPI_IO,
    OPTION_NO_PRIMER,
    OPTION_SHARDS,
    OPTION_BY,
    OPTION_FORMAT,
    OPTION_FULL,
    OPTION_CURVE,
    OPTION_CODED_ONLY,
    OPTION_RESTART,
    OPTION_SNAPSHOT_INTERVAL,
    OPTION_SKIP_UNREADABLE,
    OPTION_CONTINUE,
    OPTION_STATE,
    OPTION_SUBSET,
    OPTION_UNSEALED
};

#define COMMAND_EXIT_CODES                                                                         \
    "\nExit codes: 0 done, 1 done with warnings, 2 failed, 3 usage, 4 data damaged,\n"             \
    "5 arithmetic self-test failed on this machine, 75 stopped, run again.\n"

#endif
