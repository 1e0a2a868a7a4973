/* lessons.c - the functions of model.h that say which lesson a profile gets. */
#include "lesson.h"
#include "profiles.h"

static cpr_taught_shape lesson_shape(const cpr_profile *profile, uint32_t tokens)
{
    const uint32_t *parameter = cpr_profile_taught(profile)->parameter;
    return (cpr_taught_shape){parameter[0], parameter[1], parameter[2], parameter[3], tokens};
}

bool cpr_profile_is_taught(const cpr_profile *profile)
{
    return cpr_profile_taught(profile) != NULL;
}

uint64_t cpr_profile_lesson_bytes(const cpr_profile *profile, uint64_t corpus_bytes)
{
    (void)profile;
    (void)corpus_bytes;
    return 0;
}

const cpr_profile *cpr_profile_after_lesson(const cpr_profile *profile, uint64_t lesson_bytes)
{
    return lesson_bytes > 0 && profile == cpr_profile_find("neural")
               ? &cpr_profiles[CPR_PROFILE_TAUGHT]
               : profile;
}

uint32_t cpr_lesson_streams(uint64_t lesson_bytes)
{
    (void)lesson_bytes;
    return 8;
}

cpr_lesson *cpr_lesson_create(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                              uint32_t streams)
{
    return cpr_lesson_create_shaped(lesson_shape(profile, cpr_vocabulary_tokens(vocabulary)),
                                    vocabulary, streams);
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
