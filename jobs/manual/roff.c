/* roff.c - texts in the language of manual pages, man(7). */
#include "roff.h"

#include "options.h"

#include <string.h>

#define LINE_BYTES 78
#define WORD_BYTES 1024 /* of an escaped word */

/* A word that is being written. */
typedef struct roff_word {
    char text[WORD_BYTES];
    size_t bytes;
} roff_word;

static void word_add(roff_word *word, const char *text)
{
    const size_t bytes = strlen(text);
    if (word->bytes + bytes >= sizeof word->text)
        return;
    memcpy(word->text + word->bytes, text, bytes + 1);
    word->bytes += bytes;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* What would become typographic quotes and accents, or means something to roff. */
static const char *escape_of(char c)
{
    switch (c) {
    case '\\':
        return "\\e";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '-':
        return "\\-";
    default:
        return NULL;
    }
}

static void word_add_byte(roff_word *word, char c)
{
    const char *escape = escape_of(c);
    const char one[] = {c, '\0'};
    word_add(word, escape != NULL ? escape : one);
}

/* Whether `c` is the letter of an option. */
static bool is_option_letter(char c)
{
    for (const option_row *row = option_table; row->name != NULL; row++)
        if (row->letter != '\0' && row->letter == c)
            return true;
    return false;
}

/* Bytes of the option at the beginning of text[0, bytes); 0: there is none. */
static size_t option_length(const char *text, size_t bytes)
{
    if (bytes >= 2 && text[0] == '-' && is_option_letter(text[1]) &&
        (bytes == 2 || (!is_lower(text[2]) && !is_upper(text[2]))))
        return 2;
    if (bytes < 3 || text[0] != '-' || text[1] != '-' || !is_lower(text[2]))
        return 0;
    size_t length = 3;
    while (length < bytes && (is_lower(text[length]) || text[length] == '-'))
        length++;
    return length;
}

/* Bytes of the name in capitals there, such as ARCHIVE.h5; 0: there is none. */
static size_t name_length(const char *text, size_t bytes)
{
    size_t length = 0;
    while (length < bytes &&
           (is_upper(text[length]) || (length > 0 && text[length] == '-' && length + 1 < bytes &&
                                       is_upper(text[length + 1]))))
        length++;
    if (length == 0)
        return 0;
    if (bytes - length >= 5 && strncmp(text + length, ".html", 5) == 0)
        return length + 5;
    return bytes - length >= 3 && strncmp(text + length, ".h5", 3) == 0 ? length + 3 : length;
}

static void word_add_font(roff_word *word, const char *font, const char *text, size_t bytes)
{
    word_add(word, font);
    for (size_t i = 0; i < bytes; i++)
        word_add_byte(word, text[i]);
    word_add(word, "\\fR");
}

/* A hyphen joins words; any other dash is typed as a minus. */
static bool is_hyphen(const char *text, size_t bytes, size_t at)
{
    return at > 0 && at + 1 < bytes && is_lower(text[at - 1]) && is_lower(text[at + 1]) &&
           strcspn(text, "/_.$=*") + 1 >= bytes;
}

static void word_fill(roff_word *word, const char *text, size_t bytes, roff_style style)
{
    *word = (roff_word){.text = "", .bytes = 0};
    for (size_t i = 0; i < bytes;) {
        const bool begins = i == 0 || strchr("([|'", text[i - 1]) != NULL;
        const size_t option = begins ? option_length(text + i, bytes - i) : 0;
        const size_t name = begins && style == ROFF_USAGE ? name_length(text + i, bytes - i) : 0;
        if (option > 0) {
            word_add_font(word, "\\fB", text + i, option);
            i += option;
        } else if (name > 0) {
            word_add_font(word, "\\fI", text + i, name);
            i += name;
        } else {
            if (text[i] == '-' && is_hyphen(text, bytes, i))
                word_add(word, "-");
            else
                word_add_byte(word, text[i]);
            i++;
        }
    }
    if (style == ROFF_USAGE && bytes > 0 && text[bytes - 1] == '.')
        word_add(word, "\\&"); /* no sentence ends here */
}

/* text[0, bytes), in lines; a sentence ends a line. */
static void write_words(FILE *out, const char *text, size_t bytes, roff_style style)
{
    const char *end = text + bytes;
    size_t at = 0;
    while (text < end) {
        const char *blank = memchr(text, ' ', (size_t)(end - text));
        const size_t length = (size_t)((blank != NULL ? blank : end) - text);
        roff_word word;
        word_fill(&word, text, length, style);
        if (at > 0 && (at + 1 + word.bytes > LINE_BYTES ||
                       (style == ROFF_PROSE && text[-2] == '.' && text[-3] != '.'))) {
            fputc('\n', out);
            at = 0;
        }
        if (at > 0)
            at += (size_t)fprintf(out, " ");
        else if (word.text[0] == '.')
            at += (size_t)fprintf(out, "\\&");
        at += (size_t)fprintf(out, "%s", word.text);
        text += length + (blank != NULL);
    }
    fputc('\n', out);
}

void roff_text(FILE *out, const char *text, roff_style style)
{
    write_words(out, text, strlen(text), style);
}

void roff_paragraphs(FILE *out, const char *text)
{
    const char *end;
    while ((end = strstr(text, "\n\n")) != NULL) {
        write_words(out, text, (size_t)(end - text), ROFF_PROSE);
        fputs(".PP\n", out);
        text = end + 2;
    }
    roff_text(out, text, ROFF_PROSE);
}

void roff_code(FILE *out, const char *text)
{
    roff_word word = {.text = "", .bytes = 0};
    for (const char *c = text; *c != '\0'; c++)
        word_add_byte(&word, *c);
    fprintf(out, "%s%s", word.text[0] == '.' ? "\\&" : "", word.text);
}

void roff_term(FILE *out, const char *term, const char *text)
{
    fputs(".TP\n\\fB", out);
    roff_code(out, term);
    fputs("\\fR\n", out);
    roff_text(out, text, ROFF_PROSE);
}

void roff_title(FILE *out, const char *name, const char *date)
{
    fputs(".TH ", out);
    for (; *name != '\0'; name++)
        fputc(is_lower(*name) ? *name - 'a' + 'A' : *name, out);
    fprintf(out, " 1 %s \"corpress " CPR_VERSION_TEXT "\" \"User Commands\"\n", date);
    fputs(".nh\n.ad l\n", out); /* no hyphens in what could be typed, and no gaps */
}

void roff_section(FILE *out, const char *title)
{
    fprintf(out, ".SH %s\n", title);
}
