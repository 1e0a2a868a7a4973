/* lessons.c - the functions of model.h that say which lesson a profile gets. */
#include "lesson.h"
#include "profiles.h"

static cpr_taught_shape lesson_shape(const cpr_profile *profile, uint32_t tokens)
{
    return cpr_taught_shape_of(cpr_profile_taught(profile)->parameter, tokens);
}

bool cpr_profile_is_taught(const cpr_profile *profile)
{
    return cpr_profile_taught(profile) != NULL;
}

/* The rule, see EXPERIMENTS.md. Weights must bring more than they cost. Without a lesson the
 * network learns all the time, which takes longer. */
#define MIB (UINT64_C(1) << 20)
#define CORPUS_LEAST (160 * MIB)
#define LESSON_WHOLE (256 * MIB) /* up to here a lesson reads all of a corpus */
#define LESSON_MOST (4096 * MIB)

uint64_t cpr_profile_lesson_bytes(const cpr_profile *profile, uint64_t corpus_bytes)
{
    if (cpr_profile_after_lesson(profile, corpus_bytes, 1) == profile ||
        corpus_bytes < CORPUS_LEAST)
        return 0;
    uint64_t bytes = corpus_bytes / 8 > LESSON_WHOLE ? corpus_bytes / 8 : LESSON_WHOLE;
    bytes = bytes < LESSON_MOST ? bytes : LESSON_MOST;
    return bytes < corpus_bytes ? bytes : corpus_bytes;
}

const cpr_profile *cpr_profile_after_lesson(const cpr_profile *profile, uint64_t corpus_bytes,
                                            uint64_t lesson_bytes)
{
    /* The more there is to code, the more may its weights take. */
    const unsigned larger = corpus_bytes < 400 * MIB ? 0 : corpus_bytes < 2048 * MIB ? 1 : 2;
    if (lesson_bytes > 0 && profile == cpr_profile_find("strong"))
        return &cpr_profiles[CPR_PROFILE_STRONG_TAUGHT + larger];
    if (lesson_bytes > 0 && profile == cpr_profile_find("neural"))
        return &cpr_profiles[CPR_PROFILE_NEURAL_TAUGHT + larger];
    return profile;
}

/* Steps become larger with the lesson, but also more. */
uint32_t cpr_lesson_streams(uint64_t lesson_bytes)
{
    uint32_t streams = 8;
    while (streams < CPR_LESSON_STREAMS_MAX && (uint64_t)streams * streams * 2 * MIB < lesson_bytes)
        streams *= 2;
    return streams;
}

cpr_lesson *cpr_lesson_create(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                              uint32_t streams, const cpr_team *team)
{
    return cpr_lesson_create_shaped(lesson_shape(profile, cpr_vocabulary_tokens(vocabulary)),
                                    vocabulary, streams, team, cpr_instructions_chosen());
}

size_t cpr_lesson_shared_bytes(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                               uint32_t members)
{
    return cpr_lesson_shape_shared(lesson_shape(profile, cpr_vocabulary_tokens(vocabulary)),
                                   members);
}

uint64_t cpr_lesson_memory(const cpr_profile *profile, uint32_t streams)
{
    const uint32_t tokens = cpr_profile_vocabulary_size(profile, UINT64_MAX);
    return cpr_lesson_shape_memory(lesson_shape(profile, tokens), streams);
}

cpr_weights *cpr_weights_unpack(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                                const uint8_t *packed, size_t bytes)
{
    return cpr_weights_unpack_shaped(lesson_shape(profile, cpr_vocabulary_tokens(vocabulary)),
                                     packed, bytes);
}
