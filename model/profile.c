/* profile.c - the named sets of parameters. */
#include "profiles.h"

#include <string.h>

const cpr_profile *cpr_profile_at(unsigned i)
{
    return i < CPR_PROFILE_NAMED ? &cpr_profiles[i] : NULL;
}

const cpr_profile *cpr_profile_find(const char *name)
{
    for (unsigned i = 0; i < CPR_PROFILE_NAMED; i++)
        if (strcmp(cpr_profiles[i].name, name) == 0)
            return &cpr_profiles[i];
    return NULL;
}

const char *cpr_profile_name(const cpr_profile *profile)
{
    return profile->name;
}

const char *cpr_profile_summary(const cpr_profile *profile)
{
    return profile->summary;
}

bool cpr_profile_has_network(const cpr_profile *profile)
{
    return profile->shape.networks > 0;
}

uint32_t cpr_profile_vocabulary_size(const cpr_profile *profile, uint64_t corpus_bytes)
{
    (void)profile;
    uint32_t tokens = 256; /* what a token costs in the archive must be won back by its uses */
    while (tokens < 16384 && (uint64_t)tokens * 1024 < corpus_bytes)
        tokens *= 2;
    return tokens;
}

uint64_t cpr_profile_sample_bytes(const cpr_profile *profile, uint64_t corpus_bytes)
{
    const uint64_t most = profile->max_sample_bytes;
    return corpus_bytes < most ? corpus_bytes : most;
}
