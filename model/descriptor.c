/* descriptor.c - a profile as text, and back: see cpr_profile_descriptor() in model.h.
 *
 * Each component has its fields in one list, which printing and parsing go through alike. */
#include "context_ids.h"
#include "profiles.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 16u
#define OTHERS_MAX 8u
#define DIGITS_MAX 9u

/* A parameter in a profile: a number, or a list of numbers. */
typedef struct field {
    cpr_parameter rule;
    uint32_t *values;
    uint32_t *count; /* of the list; NULL: it is a number */
    uint32_t least_count, most_count;
} field;

/* The version of `mixing` that has all that the profile needs: each archive names the lowest. */
static uint32_t mixing_version(const cpr_profile *p)
{
    return p->shape.byte_matches > 0 ? 2 : 1;
}

/* The fields of the component `mixing` of a version. Returns their number. */
static unsigned mixing_fields(cpr_profile *p, uint32_t version, field fields[FIELDS_MAX])
{
    cpr_mixing_shape *s = &p->shape;
    const uint32_t ids = CPR_CONTEXT_COUNT - 1;
    const field all[] = {
        {{"contexts", 0, ids, 1}, p->context_ids, &s->contexts, 1, CPR_CONTEXTS_MAX},
        {{"lines", 0, CPR_LINES_MAX, 1}, .values = &s->lines},
        {{"successors", 0, ids, 1}, p->successor_ids, &s->successors, 0, CPR_SUCCESSORS_MAX},
        {{"matches", 1, CPR_MATCH_TOKENS_MAX, 1}, p->match_tokens, &s->matches, 0, CPR_MATCHES_MAX},
        {{"match-lanes", 1, CPR_MATCH_LANES_MAX, 1}, .values = &s->match_lanes},
        {{"sets", 1, CPR_WEIGHT_SETS, 1}, .values = &s->sets},
        {{"refine", 0, CPR_REFINEMENTS, 1}, .values = &s->refinements},
        {{"guess-from", 1, 65535, 1}, .values = &p->guess_from},
        {{"guess-shift", 0, 16, 1}, .values = &p->guess_shift},
        {{"chances", 0, 1, 1}, .values = &s->chances},
        {{"buckets", CPR_BUCKETS_LEAST, CPR_BUCKETS_MAX, 1}, .values = &p->max_buckets},
        {{"line-pairs", 0, CPR_LINE_PAIRS_MAX, 1}, .values = &p->max_line_pairs},
        {{"successor-bits", CPR_SUCCESSOR_BITS_LEAST, CPR_SUCCESSOR_BITS_MAX, 1},
         .values = &p->successor_bits},
        {{"history-bits", CPR_HISTORY_BITS_LEAST, CPR_HISTORY_BITS_MAX, 1},
         .values = &p->history_bits},
        /* of version 2 */
        {{"byte-matches", 1, CPR_BYTE_MATCHES_MAX, 1}, .values = &s->byte_matches},
        {{"byte-bits", CPR_BYTE_BITS_LEAST, CPR_BYTE_BITS_MAX, 1}, .values = &p->byte_bits},
    };
    _Static_assert(sizeof all / sizeof *all <= FIELDS_MAX, "all fields have room");
    memcpy(fields, all, sizeof all);
    return sizeof all / sizeof *all - (version < 2 ? 2 : 0);
}

/* Those of a component `network`, whose kind is known. */
static unsigned network_fields(cpr_predictor_spec *network, field fields[FIELDS_MAX])
{
    unsigned count = 0;
    for (; count < CPR_PREDICTOR_PARAMETERS_MAX; count++) {
        if (network->class->parameters[count].key == NULL)
            break;
        fields[count] =
            (field){network->class->parameters[count], .values = &network->parameter[count]};
    }
    return count;
}

/* ---- printing ---- */

/* A text of bounded length. What does not fit is left out. */
typedef struct text {
    char *at;
    size_t room, used;
} text;

static void append(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int bytes = vsnprintf(t->at + t->used, t->room - t->used, format, arguments);
    va_end(arguments);
    const size_t free_room = t->room - t->used - 1;
    if (bytes > 0)
        t->used += (size_t)bytes < free_room ? (size_t)bytes : free_room;
}

static void append_fields(text *t, const field *fields, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        append(t, " %s=", fields[i].rule.key);
        const uint32_t numbers = fields[i].count == NULL ? 1 : *fields[i].count;
        for (uint32_t j = 0; j < numbers; j++)
            append(t, "%s%u", j > 0 ? "," : "", (unsigned)fields[i].values[j]);
    }
}

/* The components that are the caller's. */
typedef struct components {
    const cpr_component *list;
    size_t count;
} components;

static void print_profile(text *t, const cpr_profile *profile, components others)
{
    cpr_profile copy = *profile;
    field fields[FIELDS_MAX];
    for (size_t i = 0; i < others.count; i++)
        append(t, "%s %u; ", others.list[i].name, (unsigned)others.list[i].version);
    append(t, "tokens %u; mixing %u", CPR_TOKENS_VERSION, (unsigned)mixing_version(profile));
    append_fields(t, fields, mixing_fields(&copy, mixing_version(profile), fields));
    for (uint32_t i = 0; i < copy.shape.networks; i++) {
        const cpr_predictor_class *class = copy.networks[i].class;
        append(t, "; network %u kind=%s", (unsigned)class->version, class->kind);
        append_fields(t, fields, network_fields(&copy.networks[i], fields));
    }
}

void cpr_profile_descriptor(const cpr_profile *profile, const cpr_component *others, size_t count,
                            char out[CPR_DESCRIPTOR_MAX_BYTES + 1])
{
    assert(count <= OTHERS_MAX);
    text t = {out, CPR_DESCRIPTOR_MAX_BYTES + 1, 0};
    print_profile(&t, profile, (components){others, count});
}

/* ---- parsing ---- */

typedef struct parsing {
    cpr_profile *profile;
    cpr_descriptor_verdict verdict;
    text problem;
    components others;
    bool has_other[OTHERS_MAX], has_tokens, has_mixing;
} parsing;

/* Some bytes of the descriptor. */
typedef struct piece {
    const char *at;
    size_t bytes;
} piece;

/* For "%.*s". */
#define PIECE(p) (int)(p).bytes, (p).at

static bool piece_is(piece p, const char *word)
{
    return strlen(word) == p.bytes && memcmp(p.at, word, p.bytes) == 0;
}

/* Cuts off what is before the separator, or all. */
static piece cut(piece *rest, const char *separator)
{
    const size_t length = strlen(separator);
    piece first = *rest;
    for (size_t i = 0; i + length <= rest->bytes; i++)
        if (memcmp(rest->at + i, separator, length) == 0) {
            first.bytes = i;
            rest->at += i + length;
            rest->bytes -= i + length;
            return first;
        }
    rest->at += rest->bytes;
    rest->bytes = 0;
    return first;
}

/* The first thing that is malformed is all that is said. */
static bool malformed(parsing *p, const char *what, piece where)
{
    if (p->verdict != CPR_DESCRIPTOR_MALFORMED) {
        p->verdict = CPR_DESCRIPTOR_MALFORMED;
        p->problem.used = 0;
        append(&p->problem, "%s: %.*s", what, PIECE(where));
    }
    return false;
}

/* Begins to say another thing that is needed. False if that is of no interest any more. */
static bool begin_need(parsing *p)
{
    if (p->verdict == CPR_DESCRIPTOR_MALFORMED)
        return false;
    p->verdict = CPR_DESCRIPTOR_UNKNOWN;
    append(&p->problem, "%s", p->problem.used > 0 ? ", " : "");
    return true;
}

static bool parse_number(parsing *p, piece digits, uint32_t *number)
{
    uint32_t value = 0;
    if (digits.bytes == 0 || digits.bytes > DIGITS_MAX)
        return malformed(p, "not a number", digits);
    for (size_t i = 0; i < digits.bytes; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return malformed(p, "not a number", digits);
        value = value * 10 + (uint32_t)(digits.at[i] - '0');
    }
    *number = value;
    return true;
}

/* A number of a field, of the component that begins with `head`. */
static bool parse_value(parsing *p, piece head, const field *f, piece digits, uint32_t *value)
{
    const cpr_parameter *rule = &f->rule;
    if (!parse_number(p, digits, value))
        return false;
    if (*value >= rule->least && *value <= rule->most && *value % rule->multiple_of == 0)
        return true;
    if (begin_need(p)) {
        append(&p->problem, "%.*s %s=%u (this program has ", PIECE(head), rule->key,
               (unsigned)*value);
        if (rule->multiple_of > 1)
            append(&p->problem, "multiples of %u ", (unsigned)rule->multiple_of);
        append(&p->problem, "from %u to %u)", (unsigned)rule->least, (unsigned)rule->most);
    }
    return true;
}

static bool parse_list(parsing *p, piece head, const field *f, piece numbers)
{
    uint32_t count = 0, beyond;
    while (numbers.bytes > 0) {
        uint32_t *value = count < f->most_count ? &f->values[count] : &beyond;
        if (!parse_value(p, head, f, cut(&numbers, ","), value))
            return false;
        count++;
    }
    if ((count < f->least_count || count > f->most_count) && begin_need(p))
        append(&p->problem, "%.*s with %u %s (this program has %u to %u)", PIECE(head),
               (unsigned)count, f->rule.key, (unsigned)f->least_count, (unsigned)f->most_count);
    *f->count = count < f->most_count ? count : f->most_count;
    return true;
}

/* The parameters of a component: all of the fields, and those that this program does not know. */
static bool parse_fields(parsing *p, piece head, const field *fields, unsigned count, piece rest)
{
    bool seen[FIELDS_MAX] = {false};
    while (rest.bytes > 0) {
        piece value = cut(&rest, " ");
        const piece whole = value, key = cut(&value, "=");
        if (key.bytes == 0 || key.bytes == whole.bytes)
            return malformed(p, "not a parameter", whole);
        unsigned i = 0;
        while (i < count && !piece_is(key, fields[i].rule.key))
            i++;
        if (i == count) {
            if (begin_need(p))
                append(&p->problem, "%.*s with %.*s (unknown)", PIECE(head), PIECE(key));
            continue;
        }
        seen[i] = true;
        if (fields[i].count != NULL ? !parse_list(p, head, &fields[i], value)
                                    : !parse_value(p, head, &fields[i], value, fields[i].values))
            return false;
    }
    for (unsigned i = 0; i < count; i++)
        if (!seen[i])
            return malformed(p, "a parameter is missing",
                             (piece){fields[i].rule.key, strlen(fields[i].rule.key)});
    return true;
}

/* Another version than this program's is needed. */
static bool need_version(parsing *p, piece head, const char *name, uint32_t version)
{
    if (begin_need(p))
        append(&p->problem, "%.*s (this program has %s %u)", PIECE(head), name, (unsigned)version);
    return true;
}

static bool parse_other(parsing *p, size_t i, piece head, uint32_t version, piece rest)
{
    const cpr_component *known = &p->others.list[i];
    if (p->has_other[i])
        return malformed(p, "a component comes twice", head);
    p->has_other[i] = true;
    if (version != known->version)
        return need_version(p, head, known->name, known->version);
    return parse_fields(p, head, NULL, 0, rest);
}

static bool parse_tokens(parsing *p, piece head, uint32_t version, piece rest)
{
    p->has_tokens = true;
    if (version != CPR_TOKENS_VERSION)
        return need_version(p, head, "tokens", CPR_TOKENS_VERSION);
    return parse_fields(p, head, NULL, 0, rest);
}

static bool parse_mixing(parsing *p, piece head, uint32_t version, piece rest)
{
    field fields[FIELDS_MAX];
    p->has_mixing = true;
    if (version < 1 || version > CPR_MIXING_VERSION)
        return need_version(p, head, "mixing", CPR_MIXING_VERSION);
    return parse_fields(p, head, fields, mixing_fields(p->profile, version, fields), rest);
}

static bool parse_network(parsing *p, piece head, uint32_t version, piece rest)
{
    const piece first = cut(&rest, " ");
    piece kind = first;
    if (!piece_is(cut(&kind, "="), "kind") || kind.bytes == 0)
        return malformed(p, "a network of no kind", first);
    const piece name = {head.at, (size_t)(first.at + first.bytes - head.at)};
    const cpr_predictor_class *class = NULL;
    for (unsigned i = 0; class == NULL && cpr_predictor_class_at(i) != NULL; i++)
        if (piece_is(kind, cpr_predictor_class_at(i)->kind))
            class = cpr_predictor_class_at(i);
    if (class == NULL || class->version != version) {
        if (begin_need(p) && class == NULL)
            append(&p->problem, "%.*s (unknown)", PIECE(name));
        else if (class != NULL)
            append(&p->problem, "%.*s (this program has network %u kind=%s)", PIECE(name),
                   (unsigned)class->version, class->kind);
        return true;
    }
    if (class == &cpr_taught_class && cpr_profile_taught(p->profile) != NULL && begin_need(p))
        append(&p->problem, "more than one %.*s", PIECE(name));
    cpr_predictor_spec spec = {.class = class};
    field fields[FIELDS_MAX];
    if (!parse_fields(p, name, fields, network_fields(&spec, fields), rest))
        return false;
    if (p->profile->shape.networks < CPR_NETWORKS_MAX)
        p->profile->networks[p->profile->shape.networks++] = spec;
    else if (begin_need(p))
        append(&p->problem, "more than %u networks", CPR_NETWORKS_MAX);
    return true;
}

static bool parse_component(parsing *p, piece component)
{
    piece rest = component;
    const piece name = cut(&rest, " "), digits = cut(&rest, " ");
    uint32_t version;
    if (name.bytes == 0 || digits.bytes == 0)
        return malformed(p, "not a component and its version", component);
    if (!parse_number(p, digits, &version))
        return false;
    const piece head = {component.at, (size_t)(digits.at + digits.bytes - component.at)};
    for (size_t i = 0; i < p->others.count; i++)
        if (piece_is(name, p->others.list[i].name))
            return parse_other(p, i, head, version, rest);
    if (piece_is(name, "tokens"))
        return parse_tokens(p, head, version, rest);
    if (piece_is(name, "mixing"))
        return parse_mixing(p, head, version, rest);
    if (piece_is(name, "network"))
        return parse_network(p, head, version, rest);
    if (begin_need(p))
        append(&p->problem, "%.*s (unknown)", PIECE(head));
    return true;
}

/* All but what is asked of every single number. */
static bool check_profile(parsing *p, const char *descriptor)
{
    const cpr_profile *profile = p->profile;
    if (p->verdict != CPR_DESCRIPTOR_KNOWN)
        return false;
    if ((65536 - profile->guess_from) >> profile->guess_shift >= CPR_CONFIDENCES) {
        p->verdict = CPR_DESCRIPTOR_UNKNOWN;
        append(&p->problem, "mixing %u guess-from=%u guess-shift=%u (too many classes)",
               (unsigned)mixing_version(profile), (unsigned)profile->guess_from,
               (unsigned)profile->guess_shift);
        return false;
    }
    char bytes[CPR_DESCRIPTOR_MAX_BYTES + 1];
    text t = {bytes, sizeof bytes, 0};
    print_profile(&t, profile, p->others);
    const piece whole = {descriptor, strlen(descriptor)};
    return strcmp(bytes, descriptor) == 0 || malformed(p, "not in the one form that it has", whole);
}

static bool parse_descriptor(parsing *p, const char *descriptor)
{
    piece rest = {descriptor, strlen(descriptor)};
    if (rest.bytes > CPR_DESCRIPTOR_MAX_BYTES)
        return malformed(p, "too long", (piece){"", 0});
    for (size_t i = 0; i < rest.bytes; i++)
        if (rest.at[i] < ' ' || rest.at[i] > '~')
            return malformed(p, "not printable", (piece){"", 0});
    while (rest.bytes > 0)
        if (!parse_component(p, cut(&rest, "; ")))
            return false;
    for (size_t i = 0; i < p->others.count; i++)
        if (!p->has_other[i])
            return malformed(p, "a component is missing",
                             (piece){p->others.list[i].name, strlen(p->others.list[i].name)});
    if (!p->has_tokens || !p->has_mixing)
        return malformed(p, "without tokens or mixing", (piece){descriptor, strlen(descriptor)});
    return check_profile(p, descriptor);
}

/* Names it as the preset that it equals. */
static void name_profile(cpr_profile *profile, components others, const char *descriptor)
{
    for (unsigned i = 0; i < CPR_PROFILE_COUNT; i++) {
        char bytes[CPR_DESCRIPTOR_MAX_BYTES + 1];
        text t = {bytes, sizeof bytes, 0};
        print_profile(&t, &cpr_profiles[i], others);
        if (strcmp(bytes, descriptor) == 0)
            *profile = cpr_profiles[i];
    }
}

cpr_profile *cpr_profile_parse(const char *descriptor, const cpr_component *others, size_t count,
                               cpr_descriptor_verdict *verdict, char *problem, size_t problem_bytes)
{
    assert(count <= OTHERS_MAX);
    parsing p = {.profile = calloc(1, sizeof *p.profile),
                 .verdict = CPR_DESCRIPTOR_KNOWN,
                 .problem = {problem, problem_bytes, 0},
                 .others = {others, count}};
    problem[0] = '\0';
    if (p.profile == NULL) {
        *verdict = CPR_DESCRIPTOR_NO_MEMORY;
        return NULL;
    }
    *p.profile = (cpr_profile){.name = "custom",
                               .summary = "parameters of an archive",
                               .max_sample_bytes = cpr_profiles[0].max_sample_bytes};
    if (parse_descriptor(&p, descriptor))
        name_profile(p.profile, p.others, descriptor);
    *verdict = p.verdict;
    if (p.verdict == CPR_DESCRIPTOR_KNOWN)
        return p.profile;
    free(p.profile);
    return NULL;
}

void cpr_profile_free(cpr_profile *profile)
{
    free(profile);
}
