/* known_answers.h - hashes (XXH3) of the bitstreams that the self-test makes, in the order of its
 * cases. Private to shard/codec.
 *
 * They pin what archives hold, as the golden archives do: they change only together with the
 * version of a component, see tests/golden/component_versions.sh. */
#ifndef CPR_KNOWN_ANSWERS_H
#define CPR_KNOWN_ANSWERS_H

#include <stdint.h>

static const uint64_t known_answers[] = {
    UINT64_C(0xecdb79b0e045de08), UINT64_C(0xdb5bbc710ec2f33b), UINT64_C(0x6f7b0fb834166d34),
    UINT64_C(0xfee2843e141a363e), UINT64_C(0xa3048ce8eec240f1), UINT64_C(0x111a8a8847782b55),
    UINT64_C(0x4c1e2b0d0f7b4e4b), UINT64_C(0x7c0eef3f91d9ce7c),
};

#endif
