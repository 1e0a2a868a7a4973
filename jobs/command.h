/* command.h - what a subcommand is, and what all of them share: how they begin and end, messages.
 *
 * A subcommand runs on all ranks with the same arguments. Only rank 0 prints. */
#ifndef CPR_COMMAND_H
#define CPR_COMMAND_H

#include "corpress_mpi.h"
#include "options.h"

#include <stdio.h>

enum { EXIT_DONE = 0, EXIT_WARNINGS = 1, EXIT_FAILED = 2, EXIT_USAGE = 3, EXIT_DAMAGED = 4 };

/* One run of a subcommand. */
typedef struct command_call {
    cpr_ranks *ranks;
    const struct subcommand *command;
    option_values given;
    const char *archive; /* operand, or -o; not NULL but for `plan` */
    char **paths;        /* the operands, without the archive */
    int path_count;      /* */
    uint64_t warnings;   /* how many there were: exit code 1 */
    bool damaged;        /* the findings are printed already: exit code 4 */
    bool reader_is_gone; /* nobody reads standard output any more: say nothing about it */
} command_call;

/* Operands, besides options. */
typedef enum command_operands {
    OPERANDS_CORPUS,  /* CORPUS..., or --files-from */
    OPERANDS_ARCHIVE, /* ARCHIVE.h5 */
    OPERANDS_MEMBERS, /* ARCHIVE.h5 [PATH...] */
    OPERANDS_TEXTS    /* ARCHIVE.h5 [FILE...] */
} command_operands;

/* A word and what it means, for texts. */
typedef struct command_term {
    const char *word;
    const char *text;
} command_term;

typedef struct subcommand {
    const char *name;
    unsigned bit;              /* COMMAND_..., its place in the table of options */
    const char *summary;       /* a line of `corpress --help` */
    const char *const *usage;  /* how it is called, without "corpress NAME"; NULL behind the last */
    const char *about;         /* paragraphs, with "\n\n" between them, not wrapped */
    const command_term *terms; /* explained behind `about`, up to one without a word; may be NULL */
    command_operands operands;
    bool profiles; /* --help lists the profiles */
    bool alone;    /* rank 0 does all the work: run() is called there only */
    /* Whether options and operands go together: EXIT_DONE, or what command_usage() returns. May be
     * NULL. */
    int (*check)(command_call *call);
    /* On all ranks, which get the same status, unless `alone`. */
    cpr_status (*run)(command_call *call, cpr_error *error);
} subcommand;

extern const subcommand cmd_plan;
extern const subcommand cmd_compress;
extern const subcommand cmd_extract;
extern const subcommand cmd_cat;
extern const subcommand cmd_list;
extern const subcommand cmd_audit;
extern const subcommand cmd_verify;
extern const subcommand cmd_status;
extern const subcommand cmd_score;
extern const subcommand cmd_generate;

/* All of them, in the order of `corpress --help`; NULL behind the last. */
extern const subcommand *const command_table[];

/* COLLECTIVE. Reads the arguments, argv[0] being the command's name, and runs it or prints its help
 * text. Returns this rank's exit code. */
int command_run(const subcommand *command, cpr_ranks *ranks, int argc, char **argv);

/* "corpress COMMAND: text; try ..." on rank 0's standard error. Returns EXIT_USAGE. */
int command_usage(const cpr_ranks *ranks, const subcommand *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A command's check() where a lesson can be told. */
int command_check_lesson(command_call *call);

/* "corpress: text" on standard error. What the text is made from need not be printable, here and
 * in the functions around; paths come from cpr_printable_path() all the same. */
void command_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "corpress: warning: text" on rank 0's standard error. */
void command_warn(const cpr_ranks *ranks, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "corpress: text" on rank 0's standard error. Returns the status' exit code. */
int command_failed(const cpr_ranks *ranks, cpr_status status, const cpr_error *error);

/* Flushes standard output. EXIT_FAILED, with a message, if it could not take everything. */
int command_flush(const cpr_ranks *ranks);

/* COLLECTIVE. Opens the call's archive on all ranks, with --unsealed also one whose seal does not
 * match. */
cpr_status command_open_archive(command_call *call, cpr_archive **archive, cpr_error *error);

/* The same by this process alone. */
cpr_status command_open_alone(const command_call *call, cpr_archive **archive, cpr_error *error);

/* A reader of it with the call's cache, NULL after a failure; and closing one, which may be NULL,
 * with a note on standard error if its cache could not be used. By one process. */
cpr_status command_open_reader(const command_call *call, cpr_archive *archive, cpr_reader **reader,
                               cpr_error *error);
void command_close_reader(cpr_reader *reader);

/* A cpr_write_fn, without a context: standard output. */
cpr_status command_write(void *context, const uint8_t *data, size_t bytes, cpr_error *error);

/* By one process: notes on standard error what it would take to decode an archive that this program
 * cannot decode. */
void command_note_needs(const cpr_archive *archive);

/* Notes on standard error that the model of an archive has learned little. */
void command_note_primer(const cpr_archive_facts *facts);

#endif
