/* library_start.c - what a program can ask before it opens an archive. */
#include "archive.h"
#include "corpress.h"
#include "model.h"

void cpr_prepare(void)
{
    cpr_model_prepare();
    cpr_archive_prepare();
}

const char *cpr_version(void)
{
    return CPR_VERSION_TEXT;
}

unsigned cpr_format_version(void)
{
    return CPR_FORMAT_VERSION;
}

uint64_t cpr_profile_memory(const cpr_profile *profile)
{
    const uint64_t most =
        CPR_SHARD_BYTES_DEFAULT + cpr_plan_primer_bytes(UINT64_MAX, CPR_SHARD_BYTES_DEFAULT);
    return cpr_codec_memory(profile, most);
}
