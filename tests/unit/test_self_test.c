/* The self-test: its known answers are those of this build, on every kernel. */
#include "codec.h"
#include "model.h"
#include "test_files.h"

/* If this fails because the model or the coder was meant to change: the text that it prints has the
 * hashes for `cases` in shard/codec/self_test.c. */
static void known_answers(void **state)
{
    (void)state;
    static const char *const kernels[] = {"baseline", "avx2", "avx512", "avx512vnni"};
    uint64_t before[8] = {0};
    for (unsigned p = 0; cpr_profile_at(p) != NULL; p++) {
        assert_in_range(p, 0, 7);
        for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
            uint64_t fingerprint = 0;
            cpr_error error = {""};
            setenv("CORPRESS_KERNEL", kernels[i], 1);
            if (cpr_self_test(cpr_profile_at(p), &fingerprint, &error) != CPR_OK)
                fail_msg("%s", error.text);
            assert_true(fingerprint != 0);
            assert_true(i == 0 || fingerprint == before[p]);
            before[p] = fingerprint;
        }
        for (unsigned other = 0; other < p; other++)
            assert_true(before[p] != before[other]);
    }
    unsetenv("CORPRESS_KERNEL");
}

/* The model of an archive's tables is tested for every profile, and by itself. */
static void tables_alone(void **state)
{
    (void)state;
    uint64_t fingerprint = 0;
    cpr_error error = {""};
    if (cpr_self_test(NULL, &fingerprint, &error) != CPR_OK)
        fail_msg("%s", error.text);
    assert_true(fingerprint != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(tables_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
