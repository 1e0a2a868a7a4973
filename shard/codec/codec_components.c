/* codec_components.c - the descriptor: what decoding a bitstream needs, as text. The components of
 * this wing and the coder come first, then the model's. */
#include "codec.h"

#include "coder.h"

#include <string.h>

/* The last one is only of profiles with a taught network. */
static const cpr_component own[] = {{"blocks", CPR_BLOCKS_VERSION},
                                    {"coder", CPR_CODER_VERSION},
                                    {"blob", CPR_BLOB_VERSION},
                                    {"weights", CPR_WEIGHTS_VERSION}};
#define OWN (sizeof own / sizeof *own)

void cpr_codec_descriptor(const cpr_profile *profile, char out[CPR_DESCRIPTOR_MAX_BYTES + 1])
{
    cpr_profile_descriptor(profile, own, cpr_profile_is_taught(profile) ? OWN : OWN - 1, out);
}

cpr_status cpr_codec_profile(const char *descriptor, cpr_profile **profile, cpr_error *error)
{
    char problem[900] = "";
    cpr_descriptor_verdict verdict = CPR_DESCRIPTOR_MALFORMED;
    const bool weights = strstr(descriptor, "; weights ") != NULL;
    *profile = cpr_profile_parse(descriptor, own, weights ? OWN : OWN - 1, &verdict, problem,
                                 sizeof problem);
    if (*profile != NULL && cpr_profile_is_taught(*profile) == weights)
        return CPR_OK;
    if (*profile != NULL) {
        cpr_profile_free(*profile);
        *profile = NULL;
        return cpr_fail(error, CPR_ERR_DAMAGED, "the model's descriptor is malformed: %s",
                        weights ? "weights, and no network that has been taught"
                                : "a taught network, and no weights");
    }
    if (verdict == CPR_DESCRIPTOR_UNKNOWN)
        return cpr_fail(error, CPR_ERR_VERSION, "%s", problem);
    if (verdict == CPR_DESCRIPTOR_NO_MEMORY)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the model's descriptor");
    return cpr_fail(error, CPR_ERR_DAMAGED, "the model's descriptor is malformed: %s", problem);
}
