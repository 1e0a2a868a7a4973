/* completion.c - the tables of commands and options as functions of bash and zsh. */
#include "completion.h"

#include "command.h"

#include <string.h>

/* Writes text, with a blank for each '|' and a backslash in front of each of the bytes `special`.
 */
static void write_words(FILE *out, const char *text, const char *special)
{
    for (; *text != '\0'; text++) {
        if (strchr(special, *text) != NULL)
            fputc('\\', out);
        fputc(*text == '|' ? ' ' : *text, out);
    }
}

static void write_profiles(FILE *out)
{
    for (unsigned i = 0; cpr_profile_at(i) != NULL; i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", cpr_profile_name(cpr_profile_at(i)));
}

/* The value of such an option is one of a few words. */
static bool is_word(const option_row *row)
{
    return row->kind == OPTION_PROFILE || row->kind == OPTION_RULE || row->kind == OPTION_FORMAT ||
           row->kind == OPTION_BY;
}

/* Those words, with a backslash in front of each of the bytes `special`. */
static void write_value_words(FILE *out, const option_row *row, const char *special)
{
    if (row->kind == OPTION_PROFILE)
        write_profiles(out);
    else
        write_words(out, row->kind == OPTION_RULE ? "line|file|separator:" : row->argument,
                    special);
}

/* ---- bash ---------------------------------------------------------------------------------- */

static void write_bash_commands(FILE *out)
{
    fputs("_corpress_commands() {\n    echo '", out);
    for (const subcommand *const *c = command_table; *c != NULL; c++)
        fprintf(out, "%s ", (*c)->name);
    fputs("--help --version'\n}\n\n", out);
}

static void write_bash_options(FILE *out)
{
    fputs("# _corpress_options COMMAND\n_corpress_options() {\n    case $1 in\n", out);
    for (const subcommand *const *c = command_table; *c != NULL; c++) {
        fprintf(out, "    %s) echo '", (*c)->name);
        const char *gap = "";
        for (const option_row *row = option_table; row->name != NULL; row++) {
            if (!(row->commands & (*c)->bit))
                continue;
            if (row->letter != '\0')
                fprintf(out, "%s-%c", gap, row->letter);
            fprintf(out, "%s--%s", row->letter != '\0' ? " " : gap, row->name);
            gap = " ";
        }
        fputs("' ;;\n", out);
    }
    fputs("    esac\n}\n\n", out);
}

static void write_bash_value(FILE *out, const option_row *row)
{
    if (is_word(row)) {
        fputs("words ", out);
        write_value_words(out, row, "");
    } else {
        fputs(row->kind == OPTION_FILE        ? "file"
              : row->kind == OPTION_DIRECTORY ? "directory"
                                              : "text",
              out);
    }
}

static void write_bash_values(FILE *out)
{
    fputs("# _corpress_value COMMAND OPTION: what its value is. Fails if there is none.\n"
          "_corpress_value() {\n    case $1,$2 in\n",
          out);
    for (const subcommand *const *c = command_table; *c != NULL; c++)
        for (const option_row *row = option_table; row->name != NULL; row++) {
            if (!(row->commands & (*c)->bit) || row->argument == NULL)
                continue;
            fputs("    ", out);
            if (row->letter != '\0')
                fprintf(out, "%s,-%c | ", (*c)->name, row->letter);
            fprintf(out, "%s,--%s) echo '", (*c)->name, row->name);
            write_bash_value(out, row);
            fputs("' ;;\n", out);
        }
    fputs("    *) return 1 ;;\n    esac\n}\n\n", out);
}

/* What the first operand is, and what those behind it are. */
static const char *const operand_words[] = {[OPERANDS_CORPUS] = "file file",
                                            [OPERANDS_ARCHIVE] = "archive text",
                                            [OPERANDS_MEMBERS] = "archive member",
                                            [OPERANDS_TEXTS] = "archive file"};

static void write_bash_operands(FILE *out)
{
    fputs("# _corpress_operands COMMAND: what the first is, and what those behind it are.\n"
          "_corpress_operands() {\n    case $1 in\n",
          out);
    for (const subcommand *const *c = command_table; *c != NULL; c++)
        fprintf(out, "    %s) echo '%s' ;;\n", (*c)->name, operand_words[(*c)->operands]);
    fputs("    esac\n}\n", out);
}

void completion_write_bash(FILE *out)
{
    write_bash_commands(out);
    write_bash_options(out);
    write_bash_values(out);
    write_bash_operands(out);
}

/* ---- zsh ----------------------------------------------------------------------------------- */

/* A text within '[...]' and quotes, up to where it goes into details. */
static void write_zsh_text(FILE *out, const char *text)
{
    static const char *const ends[] = {"; ", " (", ", such as", ": "};
    /* "with --decode-inputs: ..." says nothing up to there. */
    const char *colon = strncmp(text, "with --", 7) == 0 ? strstr(text, ": ") : NULL;
    const char *from = colon != NULL ? colon + 2 : text;
    size_t bytes = strlen(text);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *end = strstr(from, ends[i]);
        if (end != NULL && (size_t)(end - text) < bytes)
            bytes = (size_t)(end - text);
    }
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\'')
            fputs("'\\''", out);
        else if (strchr("[]\\:", text[i]) != NULL)
            fprintf(out, "\\%c", text[i]);
        else
            fputc(text[i], out);
    }
}

static void write_zsh_value(FILE *out, const option_row *row)
{
    fputc(':', out);
    write_words(out,
                row->kind == OPTION_BY       ? "row"
                : row->kind == OPTION_FORMAT ? "format"
                                             : row->argument,
                ":");
    fputc(':', out);
    if (is_word(row)) {
        fputc('(', out);
        write_value_words(out, row, ":");
        fputc(')', out);
    } else {
        fputs(row->kind == OPTION_FILE        ? "_files"
              : row->kind == OPTION_DIRECTORY ? "_files -/"
                                              : " ",
              out);
    }
}

/* An argument of _arguments: '(-o --output)'{-o+,--output=}'[TEXT]:ARCHIVE.h5:_files'. */
static void write_zsh_option(FILE *out, const option_row *row)
{
    const bool value = row->argument != NULL;
    fputs("        ", out);
    if (row->letter != '\0')
        fprintf(out, "'(-%c --%s)'{-%c%s,--%s%s}'", row->letter, row->name, row->letter,
                value ? "+" : "", row->name, value ? "=" : "");
    else
        fprintf(out, "'%s--%s%s", row->kind == OPTION_PATTERN ? "*" : "", row->name,
                value ? "=" : "");
    fputc('[', out);
    write_zsh_text(out, row->help);
    fputc(']', out);
    if (value)
        write_zsh_value(out, row);
    fputs("' \\\n", out);
}

static const char *const operand_actions[] = {
    [OPERANDS_CORPUS] = "'*:corpus:_files'",
    [OPERANDS_ARCHIVE] = "'1:archive:_corpress_archives'",
    [OPERANDS_MEMBERS] = "'1:archive:_corpress_archives' '*:path:_corpress_members'",
    [OPERANDS_TEXTS] = "'1:archive:_corpress_archives' '*:text:_files'"};

static void write_zsh_command(FILE *out, const subcommand *command)
{
    fprintf(out, "    %s)\n        _arguments -S -s : \\\n", command->name);
    for (const option_row *row = option_table; row->name != NULL; row++)
        if (row->commands & command->bit)
            write_zsh_option(out, row);
    fprintf(out, "        %s\n        ;;\n", operand_actions[command->operands]);
}

void completion_write_zsh(FILE *out)
{
    fputs("_corpress_commands() {\n    local -a commands=(\n", out);
    for (const subcommand *const *c = command_table; *c != NULL; c++) {
        fprintf(out, "        '%s:", (*c)->name);
        write_zsh_text(out, (*c)->summary);
        fputs("'\n", out);
    }
    fputs("    )\n    _describe command commands\n}\n\n"
          "# _corpress_arguments COMMAND\n_corpress_arguments() {\n    case $1 in\n",
          out);
    for (const subcommand *const *c = command_table; *c != NULL; c++)
        write_zsh_command(out, *c);
    fputs("    *) _default ;;\n    esac\n}\n", out);
}
