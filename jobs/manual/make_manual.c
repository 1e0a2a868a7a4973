/* make_manual.c - writes the manual pages and the completion of shells: make_manual DIR DATE
 * SOURCES
 *
 * Below DIR there must be man1/. The date, YYYY-MM-DD, is that of the release. SOURCES has
 * completion.bash and completion.zsh, which get the tables in place of a line "@tables@". */
#include "completion.h"
#include "manual_page.h"

#include <string.h>

#define PATH_BYTES 4096
#define MARK "@tables@\n"

static FILE *open_file(const char *mode, const char *directory, const char *name)
{
    char path[PATH_BYTES];
    const int bytes = snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = bytes < PATH_BYTES ? fopen(path, mode) : NULL;
    if (file == NULL)
        perror(path);
    return file;
}

/* Whether all was written. */
static bool close_file(FILE *file, const char *name)
{
    const bool failed = ferror(file) != 0;
    if (fclose(file) == 0 && !failed)
        return true;
    perror(name);
    return false;
}

/* The page of a command, or of the program. */
static bool make_page(const char *directory, const subcommand *command, const char *date)
{
    char name[64];
    snprintf(name, sizeof name, "man1/corpress%s%s.1", command != NULL ? "-" : "",
             command != NULL ? command->name : "");
    FILE *out = open_file("w", directory, name);
    if (out == NULL)
        return false;
    if (command != NULL)
        manual_write_command(out, command, date);
    else
        manual_write_program(out, date);
    return close_file(out, name);
}

/* Copies SOURCES/NAME, with what `write_tables` writes in the place of the mark. */
static bool make_completion(const char *directory, const char *sources, const char *name,
                            void (*write_tables)(FILE *out))
{
    char line[1024];
    bool marked = false;
    FILE *in = open_file("r", sources, name);
    if (in == NULL)
        return false;
    FILE *out = open_file("w", directory, name);
    while (out != NULL && fgets(line, sizeof line, in) != NULL) {
        if (strcmp(line, MARK) == 0) {
            write_tables(out);
            marked = true;
        } else {
            fputs(line, out);
        }
    }
    fclose(in);
    if (out == NULL || !close_file(out, name))
        return false;
    if (!marked)
        fprintf(stderr, "%s/%s: no line %s", sources, name, MARK);
    return marked;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: make_manual DIR DATE SOURCES\n");
        return EXIT_USAGE;
    }
    bool made = make_page(argv[1], NULL, argv[2]);
    for (const subcommand *const *c = command_table; *c != NULL; c++)
        made = make_page(argv[1], *c, argv[2]) && made;
    made = make_completion(argv[1], argv[3], "completion.bash", completion_write_bash) && made;
    made = make_completion(argv[1], argv[3], "completion.zsh", completion_write_zsh) && made;
    return made ? EXIT_DONE : EXIT_FAILED;
}
