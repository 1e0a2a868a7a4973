/* known_answers.h - hashes (XXH3) of the bitstreams that the self-test makes, in the order of its
 * cases. Private to shard/codec.
 *
 * They pin what archives hold, as the golden archives do: they change only together with the
 * version of a component, see tests/golden/component_versions.sh. */
#ifndef CPR_KNOWN_ANSWERS_H
#define CPR_KNOWN_ANSWERS_H

#include <stdint.h>

static const uint64_t known_answers[] = {
    UINT64_C(0xf6af0f2ef7dee575), UINT64_C(0xcebe3a73d5d26316), UINT64_C(0xf2c2e84498924534),
    UINT64_C(0xd5f7b3d182138770), UINT64_C(0xbf4d4bb5dfb45c9b), UINT64_C(0x111a8a8847782b55),
    UINT64_C(0xc5334f089d7528b2), UINT64_C(0xc9716cb91f4eb948),
};

#endif
