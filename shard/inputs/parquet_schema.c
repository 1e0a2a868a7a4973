/* parquet_schema.c - the columns of a Parquet file, and the one that is wanted. */
#include "parquet_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64u /* of structs in one another */
#define PATH_BYTES 256u

/* Numbers of the format. */
enum { BYTE_ARRAY = 6, DECIMAL = 5, BSON = 20, LOGICAL_DECIMAL = 5, LOGICAL_BSON = 13 };
enum { REQUIRED = 0, OPTIONAL = 1, REPEATED = 2 };

/* ---- the schema ------------------------------------------------------------------------------ */

/* A column or a struct. */
typedef struct schema_element {
    int64_t type; /* -1: a struct has none */
    int64_t repetition;
    int64_t children;
    int64_t converted;
    int logical; /* the number of its logical type; 0: none */
    const uint8_t *name;
    size_t name_bytes;
} schema_element;

/* A leaf of the schema, and the structs around it: they are steps[0 .. depth). */
typedef struct schema_column {
    const schema_element *leaf;
    struct schema_step {
        const uint8_t *name;
        size_t name_bytes;
        int64_t children_left;
        unsigned levels, repeated;
    } steps[DEPTH_MAX];
    unsigned depth;
    size_t number;
    unsigned levels;
    unsigned repeated;
} schema_column;

typedef void schema_fn(void *context, const schema_column *column);

static int schema_logical(cpr_thrift *t, cpr_thrift_field field)
{
    cpr_thrift_field choice = {0};
    int logical = 0;
    if (!cpr_thrift_is_struct(t, field))
        return 0;
    while (cpr_thrift_next(t, &choice)) {
        logical = choice.id;
        cpr_thrift_skip(t, choice.type);
    }
    return logical;
}

static void schema_element_read(cpr_thrift *t, schema_element *e)
{
    cpr_thrift_field field = {0};
    *e = (schema_element){.type = -1, .converted = -1, .name = t->at};
    while (cpr_thrift_next(t, &field))
        if (field.id == 1)
            e->type = cpr_thrift_number(t, field, -1);
        else if (field.id == 3)
            e->repetition = cpr_thrift_number(t, field, 0);
        else if (field.id == 4)
            e->name = cpr_thrift_binary(t, field, &e->name_bytes);
        else if (field.id == 5)
            e->children = cpr_thrift_number(t, field, 0);
        else if (field.id == 6)
            e->converted = cpr_thrift_number(t, field, -1);
        else if (field.id == 10)
            e->logical = schema_logical(t, field);
        else
            cpr_thrift_skip(t, field.type);
}

/* Takes a leaf to the caller, and a struct onto the steps. */
static const char *schema_place(schema_column *c, const schema_element *e, schema_fn *each,
                                void *context)
{
    struct schema_step *above = &c->steps[c->depth - 1];
    if (e->repetition < REQUIRED || e->repetition > REPEATED || e->children < 0)
        return "its schema contradicts itself";
    above->children_left--;
    c->levels = above->levels + (e->repetition != REQUIRED);
    c->repeated = above->repeated + (e->repetition == REPEATED);
    if (e->type >= 0 && e->children == 0) {
        c->leaf = e;
        each(context, c);
        c->number++;
    } else if (e->children > 0) {
        if (c->depth == DEPTH_MAX)
            return "its columns are nested too deeply";
        c->steps[c->depth++] = (struct schema_step){.name = e->name,
                                                    .name_bytes = e->name_bytes,
                                                    .children_left = e->children,
                                                    .levels = c->levels,
                                                    .repeated = c->repeated};
    }
    while (c->depth > 1 && c->steps[c->depth - 1].children_left == 0)
        c->depth--;
    return NULL;
}

/* Calls `each` for all columns, in their order. The schema is a tree in preorder; its root is no
 * part of a path. */
static const char *schema_walk(cpr_thrift t, size_t elements, schema_fn *each, void *context)
{
    schema_element e;
    schema_column column = {.depth = 1};
    const char *wrong = NULL;
    schema_element_read(&t, &e);
    column.steps[0].children_left = e.children;
    for (size_t i = 1; i < elements && wrong == NULL && !t.bad; i++) {
        schema_element_read(&t, &e);
        if (column.steps[0].children_left <= 0 && column.depth == 1)
            return "its schema contradicts itself";
        wrong = schema_place(&column, &e, each, context);
    }
    if (wrong == NULL &&
        (elements == 0 || t.bad || column.depth > 1 || column.steps[0].children_left != 0))
        wrong = "its schema contradicts itself";
    return wrong;
}

/* Why a column's strings cannot be read; NULL: they can. */
static const char *column_obstacle(const schema_column *c)
{
    static const char *const types[] = {"booleans",   "32-bit integers", "64-bit integers",
                                        "timestamps", "floats",          "doubles"};
    const schema_element *e = c->leaf;
    if (e->type < (int64_t)(sizeof types / sizeof *types))
        return types[e->type];
    if (e->type != BYTE_ARRAY)
        return "byte arrays of one length";
    if (e->converted == DECIMAL || e->logical == LOGICAL_DECIMAL)
        return "decimal numbers";
    if (e->converted == BSON || e->logical == LOGICAL_BSON)
        return "BSON";
    return c->repeated > 0 ? "strings in lists" : NULL;
}

/* ---- paths of columns ------------------------------------------------------------------------ */

/* Whether the text is name.name. ... .name. */
static bool column_has_path(const schema_column *c, const char *text)
{
    size_t left = strlen(text);
    for (unsigned i = 1; i < c->depth; i++) {
        const struct schema_step *s = &c->steps[i];
        if (left <= s->name_bytes || memcmp(text, s->name, s->name_bytes) != 0 ||
            text[s->name_bytes] != '.')
            return false;
        text += s->name_bytes + 1;
        left -= s->name_bytes + 1;
    }
    return left == c->leaf->name_bytes && memcmp(text, c->leaf->name, left) == 0;
}

static bool column_has_name(const schema_column *c, const char *text)
{
    return strlen(text) == c->leaf->name_bytes && memcmp(text, c->leaf->name, strlen(text)) == 0;
}

/* Behind text[*used]; NULs become spaces, and what does not fit is cut. */
static void path_add(char *text, size_t capacity, size_t *used, const void *name, size_t bytes)
{
    const size_t room = capacity - 1 - *used;
    bytes = bytes < room ? bytes : room;
    memcpy(text + *used, name, bytes);
    for (size_t i = 0; i < bytes; i++, (*used)++)
        if (text[*used] == '\0')
            text[*used] = ' ';
    text[*used] = '\0';
}

static void column_path(const schema_column *c, char *text, size_t capacity)
{
    size_t used = 0;
    for (unsigned i = 1; i < c->depth; i++) {
        path_add(text, capacity, &used, c->steps[i].name, c->steps[i].name_bytes);
        path_add(text, capacity, &used, ".", 1);
    }
    path_add(text, capacity, &used, c->leaf->name, c->leaf->name_bytes);
}

/* A list of paths in 400 bytes; those that have no place are three dots. */
typedef struct path_list {
    char text[sizeof((cpr_parquet_footer *)NULL)->other_names];
    size_t bytes;
    bool full;
    unsigned count;
} path_list;

static void path_list_add(path_list *list, const schema_column *c)
{
    char path[PATH_BYTES];
    char shown[PATH_BYTES];
    column_path(c, path, sizeof path);
    cpr_printable_path(path, shown, sizeof shown);
    const char *comma = list->count > 0 ? ", " : "";
    const bool fits = list->bytes + strlen(shown) + 8 <= sizeof list->text;
    list->count++;
    if (!list->full)
        list->bytes += (size_t)snprintf(list->text + list->bytes, sizeof list->text - list->bytes,
                                        "%s%s", comma, fits ? shown : "...");
    list->full = list->full || !fits;
}

/* ---- the column that is wanted --------------------------------------------------------------- */

/* What a walk through the schema finds. */
typedef struct column_search {
    const char *wanted;
    struct column_found {
        unsigned count;
        size_t number; /* of the last */
        unsigned levels;
        const char *obstacle;
        const uint8_t *name;
        size_t name_bytes;
    } by_path, by_name;
    path_list strings;
} column_search;

static void search_note(struct column_found *found, const schema_column *c, const char *obstacle)
{
    *found = (struct column_found){.count = found->count + 1,
                                   .number = c->number,
                                   .levels = c->levels,
                                   .obstacle = obstacle,
                                   .name = c->leaf->name,
                                   .name_bytes = c->leaf->name_bytes};
}

/* A name alone means a column of strings, if there is one of that name. */
static void search_column(void *context, const schema_column *c)
{
    column_search *search = context;
    struct column_found *by_name = &search->by_name;
    const char *obstacle = column_obstacle(c);
    if (obstacle == NULL)
        path_list_add(&search->strings, c);
    if (column_has_path(c, search->wanted))
        search_note(&search->by_path, c, obstacle);
    if (!column_has_name(c, search->wanted))
        return;
    if (by_name->count > 0 && by_name->obstacle != NULL && obstacle == NULL)
        by_name->count = 0;
    if (by_name->count == 0 || (by_name->obstacle == NULL) == (obstacle == NULL))
        search_note(by_name, c, obstacle);
}

/* The other columns, for whom `number` is the one that is not meant. */
typedef struct other_columns {
    size_t number;
    path_list paths;
} other_columns;

static void others_column(void *context, const schema_column *c)
{
    other_columns *others = context;
    if (c->number != others->number)
        path_list_add(&others->paths, c);
}

/* Looks the column up; *found says which it is. */
static cpr_status search_end(const cpr_parquet_file *file, const column_search *search,
                             struct column_found *found, cpr_error *error)
{
    char column[PATH_BYTES];
    cpr_printable_path(search->wanted, column, sizeof column);
    *found = search->by_path.count > 0 ? search->by_path : search->by_name;
    if (found->count == 0 && search->strings.count == 0)
        return cpr_fail(error, CPR_ERR_NOT_FOUND,
                        "\"%s\" has no column \"%s\", nor any other column of strings", file->shown,
                        column);
    if (found->count == 0)
        return cpr_fail(error, CPR_ERR_NOT_FOUND,
                        "\"%s\" has no column \"%s\"; its columns of strings: %s", file->shown,
                        column, search->strings.text);
    if (found->count > 1)
        return cpr_fail(error, CPR_ERR_USAGE,
                        "\"%s\" has %u columns \"%s\"; its columns of strings: %s", file->shown,
                        found->count, column, search->strings.text);
    if (found->obstacle != NULL)
        return cpr_fail(error, CPR_ERR_USAGE,
                        "column \"%s\" of \"%s\" is no column of strings, but of %s%s%s", column,
                        file->shown, found->obstacle,
                        search->strings.count > 0 ? "; those are: " : "", search->strings.text);
    return CPR_OK;
}

cpr_status cpr_parquet_schema_find(const cpr_parquet_file *file, cpr_thrift schema, size_t elements,
                                   const char *column, cpr_parquet_footer *footer, cpr_error *error)
{
    struct column_found found = {0};
    column_search *search = calloc(1, sizeof *search);
    other_columns others = {0};
    if (search == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    search->wanted = column;
    const char *wrong = schema_walk(schema, elements, search_column, search);
    const cpr_status status = wrong == NULL ? search_end(file, search, &found, error)
                                            : cpr_fail(error, CPR_ERR_DAMAGED,
                                                       "\"%s\" is damaged: %s", file->shown, wrong);
    free(search);
    if (status != CPR_OK)
        return status;
    others.number = found.number;
    (void)schema_walk(schema, elements, others_column, &others);
    footer->others = others.paths.count;
    memcpy(footer->other_names, others.paths.text, sizeof footer->other_names);
    footer->column = found.number;
    footer->levels = found.levels;
    footer->name_bytes = found.name_bytes;
    footer->name = malloc(found.name_bytes + 1);
    if (footer->name == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    memcpy(footer->name, found.name, found.name_bytes);
    return CPR_OK;
}
