/* options.h - the one table of all options: parsing, `--help`, the manual pages and the completion
 * of shells come from it. */
#ifndef CPR_OPTIONS_H
#define CPR_OPTIONS_H

#include "report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The subcommands, as a set of bits. */
enum {
    COMMAND_PLAN = 1,
    COMMAND_COMPRESS = 2,
    COMMAND_EXTRACT = 4,
    COMMAND_CAT = 8,
    COMMAND_LIST = 16,
    COMMAND_AUDIT = 32,
    COMMAND_VERIFY = 64,
    COMMAND_STATUS = 128,
    COMMAND_SCORE = 256,
    COMMAND_GENERATE = 512,
    COMMAND_ALL = 1023
};

/* Part number `number` of `parts`, from 0. */
typedef struct option_part {
    uint64_t number;
    uint64_t parts;
} option_part;

/* Words of the command line. */
typedef struct option_words {
    char **texts; /* they point into argv */
    size_t count;
} option_words;

/* Where to begin in a file. */
typedef struct option_offset {
    bool given;
    bool from_end; /* so many bytes before the end */
    uint64_t bytes;
} option_offset;

/* A number, or a decimal fraction in thousandths. */
typedef struct option_number {
    bool given;
    uint64_t number;
} option_number;

/* Numbers first to last. */
typedef struct option_range {
    bool given;
    uint64_t first, last; /* UINT64_MAX: to the end */
} option_range;

/* What a row of an audit, or of a score, stands for. 0: not given. */
typedef enum option_by {
    OPTION_BY_SHARD,
    OPTION_BY_FILE,
    OPTION_BY_INPUT,
    OPTION_BY_DOCUMENT
} option_by;

/* What the command line gives, or the default. Texts point into argv; NULL: not given. */
typedef struct option_values {
    bool help;
    bool quiet;
    bool force;
    bool go_on; /* --continue */
    bool unsealed;
    const char *cache;
    uint64_t threads; /* 0: not given */
    /* the corpus */
    uint64_t shard_bytes;
    uint64_t sample_bytes;
    const char *files_from;
    const char *stdin_name;
    bool dereference;
    bool skip_unreadable;
    bool decode_inputs;
    bool keep_damaged;
    uint64_t decode_limit; /* 0: not given */
    const char *text_column;
    /* compress */
    const char *output;
    const char *profile;
    bool restart;
    bool no_primer;
    bool no_lesson;
    uint64_t lesson_bytes; /* 0: not given */
    const char *documents;
    bool no_mpi_io;
    double snapshot_seconds;
    /* what reads files of an archive */
    option_words exclude; /* every --exclude; freed by options_free() */
    const char *directory;
    const char *shards;
    bool tar;
    /* cat */
    option_offset offset;
    uint64_t bytes; /* UINT64_MAX: not given */
    option_range lines;
    option_range numbers; /* --documents A-B */
    /* generate; --bytes as well */
    const char *prompt;
    option_number seed;
    option_number temperature; /* in thousandths */
    /* cat, list */
    bool null;
    /* list */
    bool details;     /* --long */
    bool shard_table; /* --shards */
    /* plan, list, audit, status, score */
    report_format format;
    option_by by; /* --by */
    bool curve;
    bool full;
    const char *html;
    bool excerpts;
    bool odd;
    uint64_t odd_bytes; /* --sample-bytes; 0: not given */
    /* status */
    bool follow;
    double interval; /* in seconds; 0: not given */
    /* verify */
    bool coded_only;
    option_part subset;
    const char *state;
} option_values;

/* How a value is read, and the type of its target. */
typedef enum option_kind {
    OPTION_FLAG,       /* no value; a bool, which becomes true */
    OPTION_TEXT,       /* any text; a const char *, as of the next four */
    OPTION_FILE,       /* the path of a file */
    OPTION_DIRECTORY,  /* the path of a directory */
    OPTION_PROFILE,    /* the name of a profile */
    OPTION_RULE,       /* what a document is: line, file or separator:TEXT */
    OPTION_PATTERN,    /* a text that is not empty, one of several; an option_words */
    OPTION_MEMBER,     /* a path that an archive can hold; a const char * */
    OPTION_SHARD_SIZE, /* a size within the bounds of shards; a uint64_t */
    OPTION_SIZE,       /* a size of 64K or more; a uint64_t */
    OPTION_BYTES,      /* any size; a uint64_t */
    OPTION_COUNT,      /* a number from 1 to 256; a uint64_t */
    OPTION_RATIO,      /* a number from 1 to 1,000,000,000; a uint64_t */
    OPTION_SEED,       /* a number of 64 bits; an option_number */
    OPTION_HEAT,       /* a decimal fraction from 0 to 1000; an option_number, in thousandths */
    OPTION_OFFSET,     /* any size, and '-' in front of it: from the end; an option_offset */
    OPTION_LINES,      /* A-B, A-, -B or A, from 1; an option_range */
    OPTION_NUMBERS,    /* the same, from 0 */
    OPTION_SECONDS,    /* a time; a double */
    OPTION_INTERVAL,   /* a time of 1 s or more; a double */
    OPTION_PART,       /* N/M; an option_part */
    OPTION_FORMAT,     /* one of the words in `argument`, which '|' separates; a report_format */
    OPTION_JSON,       /* no value; a report_format, which becomes REPORT_JSON */
    OPTION_BY          /* one of the words in `argument`; an option_by */
} option_kind;

typedef struct option_row {
    const char *name; /* behind "--" */
    char letter;      /* '\0': none */
    option_kind kind;
    size_t target;        /* offset in option_values */
    const char *argument; /* name of the value in texts; NULL for flags */
    unsigned commands;    /* COMMAND_... that have the option */
    const char *wants;    /* "--NAME wants ..." for a wrong value; NULL: no value is wrong */
    const char *help;     /* what it does: one paragraph, not wrapped */
} option_row;

/* The rows, in the order of --help; a row without a name is the last. The same name may stand in
 * several rows, for different commands. */
extern const option_row option_table[];

struct cpr_ranks;
struct subcommand;

/* Reads the options of a command by the table; all ranks do, and come to the same. Sets all values.
 * Moves the operands to the end of argv, from `optind` on. EXIT_DONE, or EXIT_USAGE or EXIT_FAILED
 * after a message on rank 0. */
int options_parse(const struct cpr_ranks *ranks, const struct subcommand *command, int argc,
                  char **argv, option_values *values);
void options_free(option_values *values);

#endif
