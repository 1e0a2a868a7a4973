/* manual_page.c - the manual pages, out of the tables that --help comes from. */
#include "manual_page.h"

#include "help.h"
#include "manual_texts.h"
#include "roff.h"

/* "\fB\-o\fR, \fB\-\-output\fR \fIARCHIVE.h5\fR"; a value that is one of several words is bold. */
static void write_option(FILE *out, const option_row *row)
{
    fputs(".TP\n", out);
    if (row->letter != '\0')
        fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
    fputs("\\fB\\-\\-", out);
    roff_code(out, row->name);
    fputs("\\fR", out);
    if (row->argument != NULL) {
        const bool words = row->kind == OPTION_BY || row->kind == OPTION_FORMAT;
        fputs(words ? " \\fB" : " \\fI", out);
        roff_code(out, row->argument);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    roff_text(out, row->help, ROFF_PROSE);
}

static void write_options(FILE *out, const subcommand *command)
{
    roff_section(out, "OPTIONS");
    for (const option_row *row = option_table; row->name != NULL; row++)
        if (row->commands & command->bit)
            write_option(out, row);
}

static void write_profiles(FILE *out)
{
    char text[256];
    roff_section(out, "PROFILES");
    roff_text(out, "With the memory of one rank at the default shard size:", ROFF_PROSE);
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++) {
        const cpr_profile *profile = cpr_profile_at(i);
        snprintf(text, sizeof text, "%.0f MiB; %s", (double)cpr_profile_memory(profile) / 1048576.0,
                 cpr_profile_summary(profile));
        roff_term(out, cpr_profile_name(profile), text);
    }
    fputs(".PP\n", out);
    roff_paragraphs(out, help_profile_memory);
}

static void write_patterns(FILE *out, const subcommand *command)
{
    if (!help_has_patterns(command))
        return;
    roff_section(out, "PATTERNS");
    if (command->operands == OPERANDS_MEMBERS) {
        roff_paragraphs(out, help_members);
        fputs(".PP\n", out);
    }
    roff_paragraphs(out, help_patterns);
}

static void write_exit_codes(FILE *out)
{
    roff_section(out, "EXIT STATUS");
    for (const command_term *code = help_exit_codes; code->word != NULL; code++)
        roff_term(out, code->word, code->text);
}

/* Those of some commands, under a title if there are any. */
static void write_terms(FILE *out, const char *title, const manual_term *terms, unsigned commands)
{
    bool begun = false;
    for (; terms->word != NULL; terms++) {
        if (!(terms->commands & commands))
            continue;
        if (!begun)
            roff_section(out, title);
        begun = true;
        roff_term(out, terms->word, terms->text);
    }
}

static void write_examples(FILE *out, unsigned commands)
{
    roff_section(out, "EXAMPLES");
    for (const manual_example *example = manual_examples; example->word != NULL; example++) {
        if (example->commands != commands)
            continue;
        fputs(".TP\n", out);
        roff_text(out, example->text, ROFF_PROSE);
        fputs(".EX\n", out);
        roff_code(out, example->word);
        fputs("\n.EE\n", out);
    }
}

/* The pages of the program, unless `own` is NULL, and of all other commands. */
static void write_see_also(FILE *out, const subcommand *own)
{
    roff_section(out, "SEE ALSO");
    if (own != NULL)
        fputs(".BR corpress (1),\n", out);
    for (const subcommand *const *c = command_table; *c != NULL; c++)
        if (*c != own)
            fprintf(out, ".BR corpress\\-%s (1),\n", (*c)->name);
    fputs(".BR mpirun (1)\n.PP\n", out);
    roff_text(out,
              "MANUAL.md among the documents of corpress, share/doc/corpress below the prefix, "
              "explains all of it.",
              ROFF_PROSE);
}

/* Down to the description, without it. */
static void write_head(FILE *out, const char *name, const char *summary, const char *date)
{
    fputs(".\\\" Made from corpress' tables of commands and options; change those instead.\n", out);
    roff_title(out, name, date);
    roff_section(out, "NAME");
    roff_code(out, name);
    fputs(" \\- ", out);
    roff_text(out, summary, ROFF_PROSE);
    roff_section(out, "SYNOPSIS");
}

void manual_write_command(FILE *out, const subcommand *command, const char *date)
{
    char name[64];
    snprintf(name, sizeof name, "corpress-%s", command->name);
    write_head(out, name, command->summary, date);
    for (const char *const *usage = command->usage; *usage != NULL; usage++) {
        fprintf(out, "%s\\fBcorpress %s\\fR\n", usage != command->usage ? ".br\n" : "",
                command->name);
        roff_text(out, *usage, ROFF_USAGE);
    }
    roff_section(out, "DESCRIPTION");
    roff_paragraphs(out, command->about);
    for (const command_term *term = command->terms; term != NULL && term->word != NULL; term++)
        roff_term(out, term->word, term->text);
    if (!command->alone) {
        fputs(".PP\n", out);
        roff_paragraphs(out, help_ranks);
    }
    write_options(out, command);
    write_patterns(out, command);
    if (command->profiles)
        write_profiles(out);
    write_exit_codes(out);
    write_terms(out, "ENVIRONMENT", manual_environment, command->bit);
    write_terms(out, "FILES", manual_files, command->bit);
    write_examples(out, command->bit);
    write_see_also(out, command);
}

static void write_commands(FILE *out)
{
    roff_section(out, "COMMANDS");
    for (const subcommand *const *c = command_table; *c != NULL; c++) {
        fprintf(out, ".TP\n\\fB%s\\fR ", (*c)->name);
        roff_text(out, (*c)->usage[0], ROFF_USAGE);
        roff_text(out, (*c)->summary, ROFF_PROSE);
    }
}

void manual_write_program(FILE *out, const char *date)
{
    write_head(out, "corpress", "lossless compressor for text corpora", date);
    fputs("\\fBcorpress\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]... \\fIOPERAND\\fR...\n.br\n"
          "\\fBcorpress\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR\n.br\n"
          "\\fBcorpress \\-\\-help\\fR | \\fB\\-\\-version\\fR\n",
          out);
    roff_section(out, "DESCRIPTION");
    roff_paragraphs(
        out,
        "Compresses text corpora losslessly: web text, source code, books, JSON lines. A model "
        "predicts the text, and an arithmetic coder stores what the model did not foresee; "
        "decoding runs the same model, and takes as long. Use it for text that is kept for "
        "years and read now and then.\n\n"
        "The bytes of an archive depend on the files and the options alone, not on the number "
        "of ranks, the machine or its instruction set.");
    fputs(".PP\n", out);
    roff_paragraphs(out, help_ranks);
    write_commands(out);
    roff_section(out, "OPTIONS");
    roff_text(out, "Each command has a page with its options, such as", ROFF_PROSE);
    fprintf(out, ".BR corpress\\-%s (1).\n", cmd_compress.name);
    fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nprint a help text; behind a command, its own\n"
          ".TP\n\\fB\\-V\\fR, \\fB\\-\\-version\\fR\n"
          "print the version, the archive format and the instruction set in use\n",
          out);
    write_profiles(out);
    write_exit_codes(out);
    write_terms(out, "ENVIRONMENT", manual_environment, COMMAND_ALL);
    write_terms(out, "FILES", manual_files, COMMAND_ALL);
    write_examples(out, COMMAND_ALL);
    write_see_also(out, NULL);
}
