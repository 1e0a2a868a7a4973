/* The LZ4 baseline. */
#include "codec.h"
#include "test_files.h"

static void sizes(void **state)
{
    (void)state;
    enum { BYTES = 9 << 20 };
    uint8_t *data = calloc(1, BYTES);
    uint64_t seed = 1;
    cpr_lz4_meter *meter = cpr_lz4_meter_create();
    assert_non_null(meter);
    assert_int_equal(cpr_lz4_meter_finish(meter), 0);
    cpr_lz4_meter_add(meter, data, BYTES);
    const uint64_t zeros = cpr_lz4_meter_finish(meter);
    assert_true(zeros > 0 && zeros < BYTES / 200);
    /* However the data is cut into calls, the blocks are the same. */
    for (size_t at = 0; at < BYTES;) {
        const size_t part = BYTES - at < 999983 ? BYTES - at : 999983;
        cpr_lz4_meter_add(meter, data + at, part);
        at += part;
    }
    assert_int_equal(cpr_lz4_meter_finish(meter), zeros);
    /* What does not shrink counts as it is. */
    for (size_t i = 0; i < BYTES; i++)
        data[i] = (uint8_t)(next_random(&seed) >> 32);
    cpr_lz4_meter_add(meter, data, BYTES);
    assert_int_equal(cpr_lz4_meter_finish(meter), BYTES);
    assert_int_equal(cpr_lz4_meter_finish(meter), 0);
    cpr_lz4_meter_free(meter);
    cpr_lz4_meter_free(NULL);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
