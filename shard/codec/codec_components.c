/* codec_components.c - the descriptor: what decoding a bitstream needs, as text. The components of
 * this wing and the coder come first, then the model's. */
#include "codec.h"

#include "coder.h"

static const cpr_component own[] = {
    {"blocks", CPR_BLOCKS_VERSION}, {"coder", CPR_CODER_VERSION}, {"blob", CPR_BLOB_VERSION}};
#define OWN (sizeof own / sizeof *own)

void cpr_codec_descriptor(const cpr_profile *profile, char out[CPR_DESCRIPTOR_MAX_BYTES + 1])
{
    cpr_profile_descriptor(profile, own, OWN, out);
}

cpr_status cpr_codec_profile(const char *descriptor, cpr_profile **profile, cpr_error *error)
{
    char problem[900];
    cpr_descriptor_verdict verdict;
    *profile = cpr_profile_parse(descriptor, own, OWN, &verdict, problem, sizeof problem);
    if (*profile != NULL)
        return CPR_OK;
    if (verdict == CPR_DESCRIPTOR_UNKNOWN)
        return cpr_fail(error, CPR_ERR_VERSION, "%s", problem);
    if (verdict == CPR_DESCRIPTOR_NO_MEMORY)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory to read the model's descriptor");
    return cpr_fail(error, CPR_ERR_DAMAGED, "the model's descriptor is malformed: %s", problem);
}
