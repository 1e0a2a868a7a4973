/* The self-test: its known answers are those of this build, on every kernel. */
#include "shard.h"
#include "test_files.h"

/* If this fails because the model or the coder was meant to change: the text that it prints has the
 * hashes for `cases` in shard/self_test.c. */
static void known_answers(void **state)
{
    (void)state;
    static const char *const kernels[] = {"baseline", "avx2", "avx512"};
    uint64_t first = 0;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        uint64_t fingerprint = 0;
        cpr_error error = {""};
        setenv("CORPRESS_KERNEL", kernels[i], 1);
        if (cpr_self_test(&fingerprint, &error) != CPR_OK)
            fail_msg("%s", error.text);
        assert_true(fingerprint != 0);
        if (i == 0)
            first = fingerprint;
        assert_true(fingerprint == first);
    }
    unsetenv("CORPRESS_KERNEL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
