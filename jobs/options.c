/* options.c - the table of options, and what reads a command line by it. */
#include "options.h"

#include "arguments.h"
#include "command.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SIZE ((uint64_t)64 << 10)  /* of OPTION_SIZE */
#define SAMPLE_BYTES ((uint64_t)6 << 20) /* of --sample-bytes */
#define MOST_COUNT 256                   /* of OPTION_COUNT */
#define MOST_HEAT 1000000                /* of OPTION_HEAT, in thousandths */
#define MOST_RATIO 1000000000            /* of OPTION_RATIO */
#define TARGET(field) offsetof(option_values, field)
#define CORPUS_READERS (COMMAND_PLAN | COMMAND_COMPRESS)
#define ARCHIVE_READERS                                                                            \
    (COMMAND_EXTRACT | COMMAND_CAT | COMMAND_LIST | COMMAND_AUDIT | COMMAND_VERIFY)
#define SELECTING (COMMAND_EXTRACT | COMMAND_CAT | COMMAND_LIST | COMMAND_AUDIT)
#define REPORTING (COMMAND_PLAN | COMMAND_LIST | COMMAND_AUDIT | COMMAND_STATUS | COMMAND_SCORE)
#define DECODERS (COMMAND_EXTRACT | COMMAND_CAT | COMMAND_AUDIT | COMMAND_VERIFY)
#define MODELS (COMMAND_SCORE | COMMAND_GENERATE)
#define WITH_PROGRESS (COMMAND_COMPRESS | COMMAND_EXTRACT | COMMAND_AUDIT | COMMAND_VERIFY)

/* clang-format off */
const option_row option_table[] = {
    {"output", 'o', OPTION_FILE, TARGET(output), "ARCHIVE.h5", COMMAND_COMPRESS, NULL,
     "the archive to write"},
    {"profile", 'p', OPTION_PROFILE, TARGET(profile), "NAME", COMMAND_COMPRESS, NULL,
     "the model's parameters (default: balanced); see below"},
    {"shard-size", 0, OPTION_SHARD_SIZE, TARGET(shard_bytes), "SIZE", CORPUS_READERS, "1M to 4G",
     "bytes that are coded together, 1M to 4G (default: 64M); the units K, M and G are powers of "
     "1024"},
    {"sample-bytes", 0, OPTION_BYTES, TARGET(sample_bytes), "SIZE", COMMAND_PLAN,
     "a number of bytes such as 0 or 6M",
     "bytes of the corpus that are coded to foretell the archive and the time (default: 6M); "
     "profiles with a network code fewer of them; 0: none, and no forecast"},
    {"files-from", 0, OPTION_FILE, TARGET(files_from), "LIST", CORPUS_READERS, NULL,
     "take the paths listed in a file ('-': standard input), one a line (LF or CR LF), or "
     "separated by NUL if the file holds one"},
    {"exclude", 0, OPTION_PATTERN, TARGET(exclude), "PATTERN", CORPUS_READERS,
     "a path or a pattern",
     "leave out files and directories of this name, or of this path in the archive, such as .git, "
     "'*.o' or 'data/*/tmp'; may be given several times"},
    {"dereference", 'L', OPTION_FLAG, TARGET(dereference), NULL, CORPUS_READERS, NULL,
     "follow symbolic links; links that lead nowhere stay links, links that lead in a circle are "
     "left out, both with a warning"},
    {"skip-unreadable", 0, OPTION_FLAG, TARGET(skip_unreadable), NULL, CORPUS_READERS, NULL,
     "leave out, with a warning, what is missing or cannot be read; without this option the "
     "command names it all and does nothing else"},
    {"decode-inputs", 0, OPTION_FLAG, TARGET(decode_inputs), NULL, CORPUS_READERS, NULL,
     "take the texts in .gz, .zst, .xz, .bz2 and .lz4 files, and the members of .tar files, which "
     "are told by their content; what comes back is the text, not the compressed file"},
    {"text-column", 0, OPTION_TEXT, TARGET(text_column), "NAME", CORPUS_READERS, NULL,
     "with --decode-inputs: of Parquet files take this column, each row as a line of JSON; their "
     "other columns are left out"},
    {"keep-damaged", 0, OPTION_FLAG, TARGET(keep_damaged), NULL, CORPUS_READERS, NULL,
     "with --decode-inputs: of a damaged file keep the text in front of the damage; without this "
     "option such a file is left out, with a warning"},
    {"decode-limit", 0, OPTION_RATIO, TARGET(decode_limit), "N", CORPUS_READERS,
     "a number from 1 to 1000000000",
     "with --decode-inputs: leave out, with a warning, files that grow to more than 64 MiB and N "
     "times their size (default: 1000)"},
    {"stdin-name", 0, OPTION_MEMBER, TARGET(stdin_name), "NAME", CORPUS_READERS,
     "a path such as part/1.jsonl, without a leading '/' and '..'",
     "the path in the archive of what is read from a pipe (default: stdin, or a FIFO's own path); "
     "further pipes get NAME.2, NAME.3, ..."},
    {"directory", 'C', OPTION_DIRECTORY, TARGET(directory), "DIR", COMMAND_EXTRACT, NULL,
     "where to write (default: here); it is created if need be"},
    {"exclude", 0, OPTION_PATTERN, TARGET(exclude), "PATTERN", SELECTING, "a path or a pattern",
     "leave out what matches, such as '*.min.js', node_modules or 'src/**/test'; may be given "
     "several times"},
    {"shards", 0, OPTION_TEXT, TARGET(shards), "LIST", COMMAND_EXTRACT, NULL,
     "the files whose bytes all lie in these shards, such as 3,7-9; 'corpress cat --shards' "
     "writes the bytes of shards as they are"},
    {"shards", 0, OPTION_TEXT, TARGET(shards), "LIST", COMMAND_CAT, NULL,
     "whole shards, such as 3,7-9, in ascending order"},
    {"offset", 0, OPTION_OFFSET, TARGET(offset), "N", COMMAND_CAT,
     "a number of bytes such as 1000, 3M or -64K",
     "of one file, from byte N on, counted from 0, such as 3M; -N: the last N bytes; the shard is "
     "decoded from its beginning, but not beyond what is wanted"},
    {"bytes", 0, OPTION_BYTES, TARGET(bytes), "N", COMMAND_CAT,
     "a number of bytes such as 1000 or 3M",
     "of one file so many bytes, or what there is"},
    {"prompt", 0, OPTION_TEXT, TARGET(prompt), "TEXT", COMMAND_GENERATE, NULL,
     "text that the model reads first; it is not written (default: it goes on where the primer "
     "ends)"},
    {"bytes", 0, OPTION_BYTES, TARGET(bytes), "N", COMMAND_GENERATE,
     "a number of bytes such as 1000 or 3M", "bytes to write (default: 1000)"},
    {"seed", 0, OPTION_SEED, TARGET(seed), "N", COMMAND_GENERATE, "a number",
     "what the random bits come from; another one gives another text (default: 1)"},
    {"temperature", 0, OPTION_HEAT, TARGET(temperature), "T", COMMAND_GENERATE,
     "a number from 0 to 1000, such as 0.7",
     "below 1 the text keeps to what is likely, at 0 it always takes what is likelier, above 1 it "
     "strays (default: 1, as the model has it)"},
    {"lines", 0, OPTION_LINES, TARGET(lines), "A-B", COMMAND_CAT,
     "A-B, A-, -B or A, counted from 1",
     "of each file lines A to B, counted from 1; also A-, -B and A"},
    {"documents", 0, OPTION_NUMBERS, TARGET(numbers), "A-B", COMMAND_CAT,
     "A-B, A-, -B or A, counted from 0",
     "documents A to B of the whole archive, counted from 0, each with its line feed or separator "
     "behind it, even where its file ends without; also A-, -B and A"},
    {"tar", 0, OPTION_FLAG, TARGET(tar), NULL, COMMAND_CAT, NULL,
     "each PATH is a tar whose members are in the archive (see compress --decode-inputs): write it "
     "as it was, but not compressed"},
    {"tar", 0, OPTION_FLAG, TARGET(tar), NULL, COMMAND_EXTRACT, NULL,
     "recreate tars whose members are in the archive (see compress --decode-inputs) as they were, "
     "but not compressed, instead of their members"},
    {"null", '0', OPTION_FLAG, TARGET(null), NULL, COMMAND_CAT, NULL,
     "with --documents: a zero byte behind each document instead"},
    {"long", 'l', OPTION_FLAG, TARGET(details), NULL, COMMAND_LIST, NULL,
     "also mode, bytes, time of change (UTC) and the shards that hold the file"},
    {"null", '0', OPTION_FLAG, TARGET(null), NULL, COMMAND_LIST, NULL,
     "the exact bytes of each path, and a zero byte behind it"},
    {"shards", 0, OPTION_FLAG, TARGET(shard_table), NULL, COMMAND_LIST, NULL,
     "the shards instead of the files: offset in the corpus, raw and coded bytes, tokens, documents "
     "that begin in them; first the primer, which is decoded before any shard"},
    {"by", 0, OPTION_BY, TARGET(by), "shard|file|input", COMMAND_AUDIT,
     "shard, file or input",
     "what a row stands for (default: shard); an input is a compressed file or a tar that was "
     "decoded"},
    {"by", 0, OPTION_BY, TARGET(by), "file|document", COMMAND_SCORE, "file or document",
     "what a row stands for (default: file)"},
    {"curve", 0, OPTION_FLAG, TARGET(curve), NULL, COMMAND_AUDIT, NULL,
     "decode every shard and print its learning curve: loss per byte of each stretch that doubles "
     "what has been seen, of all bytes so far, and of the network alone"},
    {"full", 0, OPTION_FLAG, TARGET(full), NULL, COMMAND_AUDIT, NULL,
     "decode every shard: check the raw bytes and measure LZ4"},
    {"html", 0, OPTION_FILE, TARGET(html), "REPORT.html", COMMAND_AUDIT, NULL,
     "write the audit of the whole archive as a page for a browser instead, with charts and "
     "tables, in one file that needs no network; an earlier report is replaced"},
    {"excerpts", 0, OPTION_FLAG, TARGET(excerpts), NULL, COMMAND_AUDIT, NULL,
     "with --html: show the beginning of the files in the tables; their shards are decoded"},
    {"odd", 0, OPTION_FLAG, TARGET(odd), NULL, COMMAND_AUDIT, NULL,
     "decode, and name files that are unlike the rest: near-copies, boilerplate, mojibake, binary, "
     "other languages"},
    {"sample-bytes", 0, OPTION_SIZE, TARGET(odd_bytes), "SIZE", COMMAND_AUDIT, "64K or more",
     "with --odd: decode so much of a larger archive, in whole shards (default: 256M)"},
    {"format", 0, OPTION_FORMAT, TARGET(format), "table|csv|json",
     COMMAND_LIST | COMMAND_AUDIT | COMMAND_SCORE,
     "table, csv or json", "how to print it (default: table)"},
    {"format", 0, OPTION_FORMAT, TARGET(format), "table|json", COMMAND_PLAN | COMMAND_STATUS,
     "table or json", "how to print it (default: table)"},
    {"json", 0, OPTION_JSON, TARGET(format), NULL, REPORTING, NULL, "--format json"},
    {"follow", 0, OPTION_FLAG, TARGET(follow), NULL, COMMAND_STATUS, NULL,
     "look again and again until the job is done or has stopped: on a terminal a screen that is "
     "redrawn, elsewhere a line with a time whenever something has changed, with --json an object "
     "a line; waits for a job that has not begun"},
    {"interval", 0, OPTION_INTERVAL, TARGET(interval), "TIME", COMMAND_STATUS,
     "a time of 1 s or more, such as 5, 90s or 10m",
     "with --follow: time between two looks, such as 5, 90s or 10m (default: 2s on a terminal, 10s "
     "elsewhere)"},
    {"coded-only", 0, OPTION_FLAG, TARGET(coded_only), NULL, COMMAND_VERIFY, NULL,
     "decode nothing: compare the checksums of the compressed data, as fast as it can be read"},
    {"subset", 0, OPTION_PART, TARGET(subset), "N/M", COMMAND_VERIFY,
     "N/M with 1 <= N <= M, such as 2/8",
     "the N-th of M parts only: shards N-1, N-1+M, N-1+2M, ...; M jobs with N = 1 to M verify "
     "everything"},
    {"force", 'f', OPTION_FLAG, TARGET(force), NULL, COMMAND_COMPRESS, NULL,
     "replace an archive that exists"},
    {"force", 'f', OPTION_FLAG, TARGET(force), NULL, COMMAND_EXTRACT, NULL,
     "overwrite files that exist"},
    {"restart", 0, OPTION_FLAG, TARGET(restart), NULL, COMMAND_COMPRESS, NULL,
     "throw away what an interrupted run left in ARCHIVE.h5.work/"},
    {"snapshot-interval", 0, OPTION_SECONDS, TARGET(snapshot_seconds), "TIME", COMMAND_COMPRESS,
     "a time such as 90s, 10m, 1h or 0",
     "time between two snapshots of a shard, such as 90s, 10m (the default) or 1h; 0: save the "
     "state only when stopped"},
    {"no-primer", 0, OPTION_FLAG, TARGET(no_primer), NULL, COMMAND_COMPRESS, NULL,
     "start each shard from nothing: the archive is larger, but no primer has to be decoded "
     "before a shard"},
    {"lesson-bytes", 0, OPTION_SIZE, TARGET(lesson_bytes), "SIZE", CORPUS_READERS, "64K or more",
     "bytes of the corpus that a network is taught by before the coding, 64K or more, in blocks of "
     "64K; more than it has: it is read again, up to four times; profiles strong and neural know "
     "how many pay"},
    {"no-lesson", 0, OPTION_FLAG, TARGET(no_lesson), NULL, CORPUS_READERS, NULL,
     "teach no network before the coding: the archive holds no weights, and the network of "
     "profiles strong and neural learns while it codes"},
    {"documents", 0, OPTION_RULE, TARGET(documents), "RULE", COMMAND_COMPRESS | COMMAND_SCORE, NULL,
     "what a document is: line, file, or separator:TEXT, with \\n, \\t, \\\\ and \\xHH in TEXT "
     "(default: lines in files named *.jsonl, *.ndjson, *.jsonlines, *.ldjson, else the file)"},
    {"no-mpi-io", 0, OPTION_FLAG, TARGET(no_mpi_io), NULL, COMMAND_COMPRESS, NULL,
     "let rank 0 write the archive alone, for file systems that do not take several writers of "
     "one file"},
    {"continue", 0, OPTION_FLAG, TARGET(go_on), NULL, COMMAND_EXTRACT, NULL,
     "go on with what an earlier run left: keep files that have the archive's size and time, and "
     "compare shards that are there with their checksums instead of decoding them; files that "
     "differ still need --force, and nothing is taken from an extraction that is still at work"},
    {"continue", 0, OPTION_FLAG, TARGET(go_on), NULL, COMMAND_VERIFY, NULL,
     "remember intact shards in ARCHIVE.h5.verified (with --subset: ARCHIVE.h5.verified-N-of-M), "
     "and leave out those that an earlier run remembered; the file is removed when all are done"},
    {"state", 0, OPTION_FILE, TARGET(state), "FILE", COMMAND_VERIFY, NULL,
     "--continue, with this file to remember them"},
    {"threads", 'j', OPTION_COUNT, TARGET(threads), "N", DECODERS, "a number from 1 to 256",
     "decode N shards at a time, with a model each, if the memory allows it (default: as many as "
     "there are processors for this process)"},
    {"cache", 0, OPTION_DIRECTORY, TARGET(cache), "DIR", DECODERS | MODELS, NULL,
     "keep the model's state after the primer in this directory, and take it from there next time "
     "(default: $CORPRESS_CACHE; '': nowhere)"},
    {"unsealed", 0, OPTION_FLAG, TARGET(unsealed), NULL, ARCHIVE_READERS | MODELS, NULL,
     "read an archive whose seal does not match because another program changed it; only the "
     "shards have checksums then"},
    {"quiet", 'q', OPTION_FLAG, TARGET(quiet), NULL, WITH_PROGRESS, NULL, "no progress"},
    {"help", 'h', OPTION_FLAG, TARGET(help), NULL, COMMAND_ALL, NULL,
     "print a help text"},
    {.name = NULL},
};
/* clang-format on */

#define ROWS_MOST (sizeof option_table / sizeof *option_table)

/* getopt_long() answers a long option with LONG_FIRST + its row. */
enum { LONG_FIRST = UCHAR_MAX + 1 };

/* What getopt_long() wants: ":" in front of the letters, and NULL behind the options. */
typedef struct getopt_table {
    char letters[2 * ROWS_MOST + 2];
    struct option options[ROWS_MOST];
} getopt_table;

static void getopt_table_fill(getopt_table *table, unsigned command)
{
    char *letter = table->letters;
    struct option *option = table->options;
    *letter++ = ':'; /* tell an option without its argument from one that is not known */
    for (const option_row *row = option_table; row->name != NULL; row++) {
        if (!(row->commands & command))
            continue;
        const bool value = row->argument != NULL;
        *option++ = (struct option){.name = row->name,
                                    .has_arg = value ? required_argument : no_argument,
                                    .val = LONG_FIRST + (int)(row - option_table)};
        if (row->letter != '\0') {
            *letter++ = row->letter;
            if (value)
                *letter++ = ':';
        }
    }
    *letter = '\0';
    *option = (struct option){.name = NULL};
}

static const option_row *row_of(int c, unsigned command)
{
    if (c >= LONG_FIRST)
        return &option_table[c - LONG_FIRST];
    const option_row *row = option_table;
    while (!(row->commands & command) || row->letter != (char)c)
        row++;
    return row;
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
static void say_bad_option(int c, char **argv, const getopt_table *table)
{
    const char *word = argv[optind - 1];
    if (c == '?' && optopt && optopt <= UCHAR_MAX &&
        (optopt == ':' || strchr(table->letters, optopt) == NULL)) {
        const char letter[] = {(char)optopt, '\0'};
        command_say("invalid option -- '%s'", letter);
    } else if (c == ':' && strncmp(word, "--", 2) != 0) {
        command_say("option requires an argument -- '%c'", optopt);
    } else if (c == ':') {
        command_say("option '%s' requires an argument", word);
    } else if (optopt) {
        command_say("option '%s' doesn't allow an argument", word);
    } else if (matching_options(table->options, word + 2) > 1) {
        command_say("option '%s' is ambiguous", word);
    } else {
        command_say("unrecognized option '%s'", word);
    }
}

/* Whether `text` is one of the words that '|' separates. */
static bool is_word(const char *words, const char *text)
{
    const size_t length = strlen(text);
    for (;;) {
        const size_t bytes = strcspn(words, "|");
        if (bytes == length && strncmp(words, text, bytes) == 0)
            return true;
        if (words[bytes] == '\0')
            return false;
        words += bytes + 1;
    }
}

/* Sets the row's target; false if the text is no such value. */
static bool set_value(const option_row *row, char *text, option_values *values)
{
    void *target = (char *)values + row->target;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)target = true;
        return true;
    case OPTION_TEXT:
    case OPTION_FILE:
    case OPTION_DIRECTORY:
    case OPTION_PROFILE:
    case OPTION_RULE:
        *(const char **)target = text;
        return true;
    case OPTION_PATTERN:
        ((option_words *)target)->texts[((option_words *)target)->count++] = text;
        return *text != '\0';
    case OPTION_MEMBER:
        *(const char **)target = text;
        return argument_is_member(text);
    case OPTION_SHARD_SIZE:
        return argument_shard_size(text, target);
    case OPTION_SIZE:
        return argument_size(text, target) && *(uint64_t *)target >= LEAST_SIZE;
    case OPTION_BYTES:
        return argument_size(text, target);
    case OPTION_RATIO:
        return argument_size(text, target) && *(uint64_t *)target >= 1 &&
               *(uint64_t *)target <= MOST_RATIO;
    case OPTION_COUNT:
        return argument_size(text, target) && *(uint64_t *)target >= 1 &&
               *(uint64_t *)target <= MOST_COUNT;
    case OPTION_SEED:
        return argument_number(text, target);
    case OPTION_HEAT:
        return argument_thousandths(text, target) && ((option_number *)target)->number <= MOST_HEAT;
    case OPTION_OFFSET:
        return argument_offset(text, target);
    case OPTION_LINES:
        return argument_range(text, 1, target);
    case OPTION_NUMBERS:
        return argument_range(text, 0, target);
    case OPTION_SECONDS:
        return argument_seconds(text, target);
    case OPTION_INTERVAL:
        return argument_seconds(text, target) && *(double *)target >= 1;
    case OPTION_PART:
        return argument_part(text, target);
    case OPTION_FORMAT:
        return is_word(row->argument, text) && report_parse_format(text, target);
    case OPTION_JSON:
        *(report_format *)target = REPORT_JSON;
        return true;
    case OPTION_BY:
        *(option_by *)target = strcmp(text, "file") == 0       ? OPTION_BY_FILE
                               : strcmp(text, "input") == 0    ? OPTION_BY_INPUT
                               : strcmp(text, "document") == 0 ? OPTION_BY_DOCUMENT
                                                               : OPTION_BY_SHARD;
        return is_word(row->argument, text);
    }
    return false;
}

int options_parse(const struct cpr_ranks *ranks, const struct subcommand *command, int argc,
                  char **argv, option_values *values)
{
    getopt_table table;
    getopt_table_fill(&table, command->bit);
    *values = (option_values){.shard_bytes = CPR_SHARD_BYTES_DEFAULT,
                              .sample_bytes = SAMPLE_BYTES,
                              .profile = "balanced",
                              .snapshot_seconds = 600,
                              .directory = ".",
                              .bytes = UINT64_MAX,
                              .subset = {.number = 0, .parts = 1}};
    values->exclude.texts = calloc((size_t)argc + 1, sizeof *values->exclude.texts);
    if (values->exclude.texts == NULL) {
        const cpr_error error = {.text = "no memory for options"};
        return command_failed(ranks, CPR_ERR_NO_MEMORY, &error);
    }
    int c;
    opterr = 0;
    optopt = 0;
    while ((c = getopt_long(argc, argv, table.letters, table.options, NULL)) != -1) {
        if (c == '?' || c == ':') {
            if (cpr_ranks_rank(ranks) == 0) {
                say_bad_option(c, argv, &table);
                fprintf(stderr, "try 'corpress %s --help'\n", command->name);
            }
            return EXIT_USAGE;
        }
        const option_row *row = row_of(c, command->bit);
        if (!set_value(row, optarg, values)) {
            char shown[512];
            return command_usage(ranks, command, "--%s wants %s, not '%s'", row->name, row->wants,
                                 cpr_printable_path(optarg, shown, sizeof shown));
        }
        optopt = 0;
    }
    return EXIT_DONE;
}

void options_free(option_values *values)
{
    free(values->exclude.texts);
}
