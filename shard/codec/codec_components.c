/* codec_components.c - the descriptor: what decoding a bitstream needs, as text.
 *
 * Components are separated by "; ". Each is a name, a version and parameters, separated by single
 * spaces. This wing knows those in `own`, and the model knows the rest. */
#include "codec.h"

#include "coder.h"
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct component {
    const char *name;
    unsigned version;
} component;

static const component own[] = {
    {"blocks", CPR_BLOCKS_VERSION}, {"coder", CPR_CODER_VERSION}, {"blob", CPR_BLOB_VERSION}};
#define OWN (sizeof own / sizeof *own)

void cpr_codec_descriptor(const struct cpr_profile *profile, char out[CPR_DESCRIPTOR_BYTES_MAX + 1])
{
    char model[CPR_DESCRIPTOR_MAX_BYTES + 1];
    size_t at = 0;
    cpr_profile_descriptor(profile, model);
    for (size_t i = 0; i < OWN; i++)
        at += (size_t)snprintf(out + at, CPR_DESCRIPTOR_BYTES_MAX + 1 - at, "%s %u; ", own[i].name,
                               own[i].version);
    snprintf(out + at, CPR_DESCRIPTOR_BYTES_MAX + 1 - at, "%s", model);
}

/* What reading a descriptor has found. */
typedef struct reading {
    bool seen[OWN];
    char needed[900];                         /* of `own`, in versions that are not here */
    char model[CPR_DESCRIPTOR_BYTES_MAX + 1]; /* the other components */
} reading;

static void append(char *out, size_t capacity, const char *separator, const char *text)
{
    const size_t at = strlen(out);
    /* What is too long for it has been refused before. */
    snprintf(out + at, capacity - at, "%s%.*s", at > 0 ? separator : "", (int)(capacity - at),
             text);
}

/* A component of this wing; false: that is malformed. */
static bool read_own(reading *r, size_t i, const char *version)
{
    char *end;
    char text[100];
    if (r->seen[i] || strlen(version) > 40 || *version < '0' || *version > '9')
        return false;
    r->seen[i] = true;
    const unsigned long wanted = strtoul(version, &end, 10);
    if (*end == '\0' && wanted == own[i].version)
        return true;
    if (*end != '\0' && *end != ' ')
        return false;
    snprintf(text, sizeof text, "%s %.*s (this program has %s %u)", own[i].name,
             (int)strcspn(version, " "), version, own[i].name, own[i].version);
    append(r->needed, sizeof r->needed, ", ", text);
    return true;
}

/* Cuts the descriptor up; false: it is malformed. */
static bool read_components(reading *r, char *descriptor)
{
    for (char *next = descriptor; next != NULL;) {
        char *text = next;
        size_t i = 0;
        next = strstr(text, "; ");
        if (next != NULL) {
            *next = '\0';
            next += 2;
        }
        const char *space = strchr(text, ' ');
        if (space == NULL)
            return false;
        const size_t length = (size_t)(space - text);
        while (i < OWN &&
               (strlen(own[i].name) != length || strncmp(own[i].name, text, length) != 0))
            i++;
        if (i == OWN)
            append(r->model, sizeof r->model, "; ", text);
        else if (!read_own(r, i, space + 1))
            return false;
    }
    for (size_t i = 0; i < OWN; i++)
        if (!r->seen[i])
            return false;
    return true;
}

cpr_status cpr_codec_profile(const char *descriptor, struct cpr_profile **profile, cpr_error *error)
{
    char problem[600] = "";
    char text[CPR_DESCRIPTOR_BYTES_MAX + 1];
    cpr_descriptor_verdict verdict = CPR_DESCRIPTOR_MALFORMED;
    reading r = {.needed = ""};
    *profile = NULL;
    snprintf(text, sizeof text, "%s", descriptor);
    if (strlen(descriptor) <= CPR_DESCRIPTOR_BYTES_MAX && read_components(&r, text))
        *profile = cpr_profile_parse(r.model, &verdict, problem, sizeof problem);
    if (verdict == CPR_DESCRIPTOR_NO_MEMORY)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the model's descriptor");
    if (verdict == CPR_DESCRIPTOR_MALFORMED)
        return cpr_fail(error, CPR_ERR_DAMAGED, "the model's descriptor is malformed%s%s",
                        problem[0] != '\0' ? ": " : "", problem);
    if (verdict == CPR_DESCRIPTOR_KNOWN && r.needed[0] == '\0')
        return CPR_OK;
    cpr_profile_free(*profile);
    *profile = NULL;
    append(r.needed, sizeof r.needed, ", ", problem);
    return cpr_fail(error, CPR_ERR_VERSION, "%s", r.needed);
}
