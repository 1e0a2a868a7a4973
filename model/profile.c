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

#define SMALL_CORPUS (UINT64_C(8) << 20)

static bool has_few_contexts(const cpr_profile *profile)
{
    return profile->shape.contexts < 8;
}

uint32_t cpr_profile_vocabulary_size(const cpr_profile *profile, uint64_t corpus_bytes)
{
    /* What a token costs in the archive, and its contexts to learn it, must be won back by its
     * uses; few contexts are learned soon. */
    const bool large = corpus_bytes > SMALL_CORPUS;
    const uint32_t bytes =
        has_few_contexts(profile) || large ? 1024 : 2048; /* of the corpus, for a token */
    const uint32_t least = corpus_bytes > 256 * 1024 ? 512 : 256;
    uint32_t tokens = least;
    while (tokens < 16384 && (uint64_t)tokens * bytes < corpus_bytes)
        tokens *= 2;
    return tokens;
}

cpr_vocabulary *cpr_profile_vocabulary(const cpr_profile *profile, const cpr_word_counts *counts,
                                       uint64_t corpus_bytes)
{
    const uint32_t tokens = cpr_profile_vocabulary_size(profile, corpus_bytes);
    /* A few contexts of single bytes reach too few of them. */
    return has_few_contexts(profile) ? cpr_vocabulary_learn(counts, tokens)
                                     : cpr_vocabulary_fit(counts, tokens);
}

uint64_t cpr_profile_sample_bytes(const cpr_profile *profile, uint64_t corpus_bytes)
{
    const uint64_t most = profile->max_sample_bytes;
    return corpus_bytes < most ? corpus_bytes : most;
}
