/* help.c - `--help`, out of the tables of commands and options. */
#include "help.h"

#include <string.h>

#define COLUMNS 80
#define TERM_COLUMNS 28 /* what a term and the gap behind it may take */

const command_term help_exit_codes[] = {{"0", "done"},
                                        {"1", "done with warnings"},
                                        {"2", "failed"},
                                        {"3", "wrong usage"},
                                        {"4", "data damaged"},
                                        {"5", "this machine computes wrongly"},
                                        {"75", "stopped: run the same command again"},
                                        {NULL, NULL}};

const char help_ranks[] = "Every command runs as one process or as many, 'mpirun -n 8 corpress "
                          "compress ...'; the archive is the same.";

const char help_profile_memory[] =
    "With four shards or more, each node needs as much once more, which its ranks share. None of "
    "this grows with the corpus; only the list of files does, by some 200 bytes a file on every "
    "rank.";

const char help_members[] =
    "A PATH is a file, or a directory with everything below it, or a pattern. What is the path of "
    "a file is not taken as a pattern. A PATH that names nothing does not stop the others; the "
    "exit code is 1 then.";

const char help_patterns[] =
    "In a pattern * stands for any characters but /, ? for one of them, [a-z] for one of these, a "
    "component ** for any directories; \\ makes the next character a plain one. A pattern without "
    "/ is a name in any directory, and so is --exclude NAME. Put patterns in quotes, 'a/*'.";

bool help_has_patterns(const subcommand *command)
{
    return command->operands == OPERANDS_CORPUS || command->operands == OPERANDS_MEMBERS;
}

/* Prints text[0, bytes), wrapped at blanks, from column `at` on; further lines begin at `indent`.
 */
static void wrap(FILE *out, const char *text, size_t bytes, size_t indent, size_t at)
{
    const char *end = text + bytes;
    bool first = true;
    while (text < end) {
        const char *blank = memchr(text, ' ', (size_t)(end - text));
        const size_t word = (size_t)((blank != NULL ? blank : end) - text);
        if (!first && at + 1 + word > COLUMNS) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", (int)word, text);
        at += word;
        first = false;
        text += word + (blank != NULL);
    }
    fputc('\n', out);
}

/* "\n\n" separates paragraphs. */
static void print_paragraphs(FILE *out, const char *text)
{
    const char *end;
    while ((end = strstr(text, "\n\n")) != NULL) {
        wrap(out, text, (size_t)(end - text), 0, 0);
        fputc('\n', out);
        text = end + 2;
    }
    wrap(out, text, strlen(text), 0, 0);
}

/* "  TERM    text", the text at column `indent`, below a term that is too long. */
static void print_term(FILE *out, const char *term, size_t indent, const char *text)
{
    fprintf(out, "  %s", term);
    size_t at = 2 + strlen(term);
    if (at + 2 > indent) {
        fputc('\n', out);
        at = 0;
    }
    fprintf(out, "%*s", (int)(indent - at), "");
    wrap(out, text, strlen(text), indent, indent);
}

/* The column of the texts behind a term of this length. */
static size_t widen(size_t indent, const char *term)
{
    const size_t wanted = strlen(term) + 4;
    return wanted > indent && wanted <= TERM_COLUMNS ? wanted : indent;
}

/* "-o, --output ARCHIVE.h5" */
static const char *option_term(const option_row *row, char *out, size_t capacity)
{
    char letter[] = "-x, ";
    letter[1] = row->letter;
    snprintf(out, capacity, "%s--%s%s%s", row->letter != '\0' ? letter : "    ", row->name,
             row->argument != NULL ? " " : "", row->argument != NULL ? row->argument : "");
    return out;
}

static void print_options(FILE *out, unsigned bit)
{
    char term[64];
    size_t indent = 0;
    for (const option_row *row = option_table; row->name != NULL; row++)
        if (row->commands & bit)
            indent = widen(indent, option_term(row, term, sizeof term));
    for (const option_row *row = option_table; row->name != NULL; row++)
        if (row->commands & bit)
            print_term(out, option_term(row, term, sizeof term), indent, row->help);
}

static void print_terms(FILE *out, const command_term *terms)
{
    size_t indent = 0;
    for (const command_term *term = terms; term->word != NULL; term++)
        indent = widen(indent, term->word);
    for (const command_term *term = terms; term->word != NULL; term++)
        print_term(out, term->word, indent, term->text);
}

static void print_profiles(FILE *out)
{
    fputs("\nProfiles, and the memory of one rank at the default shard size:\n", out);
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++) {
        const cpr_profile *profile = cpr_profile_at(i);
        fprintf(out, "  %-10s %5.0f MiB  %s\n", cpr_profile_name(profile),
                (double)cpr_profile_memory(profile) / 1048576.0, cpr_profile_summary(profile));
    }
    print_paragraphs(out, help_profile_memory);
}

static void print_patterns(FILE *out, const subcommand *command)
{
    if (!help_has_patterns(command))
        return;
    if (command->operands == OPERANDS_MEMBERS) {
        print_paragraphs(out, help_members);
        fputc('\n', out);
    }
    print_paragraphs(out, help_patterns);
    fputc('\n', out);
}

static void print_exit_codes(FILE *out)
{
    char text[512] = "Exit codes:";
    size_t length = strlen(text);
    for (const command_term *code = help_exit_codes; code->word != NULL; code++)
        length += (size_t)snprintf(text + length, sizeof text - length, " %s %s%s", code->word,
                                   code->text, code[1].word != NULL ? "," : ".");
    fputc('\n', out);
    print_paragraphs(out, text);
}

void help_command(FILE *out, const subcommand *command)
{
    for (const char *const *usage = command->usage; *usage != NULL; usage++)
        fprintf(out, "corpress %s %s\n", command->name, *usage);
    fputc('\n', out);
    print_paragraphs(out, command->about);
    fputc('\n', out);
    if (command->terms != NULL) {
        print_terms(out, command->terms);
        fputc('\n', out);
    }
    print_patterns(out, command);
    print_options(out, command->bit);
    if (command->profiles)
        print_profiles(out);
    print_exit_codes(out);
}

void help_program(FILE *out)
{
    char term[64];
    char text[512];
    size_t indent = 0;
    fputs("corpress " CPR_VERSION_TEXT " - lossless compressor for text corpora\n\n", out);
    for (int pass = 0; pass < 2; pass++)
        for (const subcommand *const *c = command_table; *c != NULL; c++) {
            snprintf(term, sizeof term, "corpress %-8s %s", (*c)->name, (*c)->usage[0]);
            if (pass == 0)
                indent = strlen(term) + 4 > indent ? strlen(term) + 4 : indent;
            else
                print_term(out, term, indent, (*c)->summary);
        }
    fputc('\n', out);
    snprintf(text, sizeof text, "'corpress COMMAND --help' says more. %s", help_ranks);
    print_paragraphs(out, text);
    print_profiles(out);
    print_exit_codes(out);
}
