/* temperature.c - see temperature.h. */
#include "temperature.h"

#include "codec.h"
#include "loss_meter.h"

#define ONE (UINT64_C(1) << 32)

/* -log2(p / 65536) in units of 2^-16. */
static uint64_t bits_of(uint32_t p)
{
    cpr_loss_meter meter;
    cpr_loss_meter_init(&meter);
    cpr_loss_meter_add(&meter, p);
    return cpr_loss_meter_read(&meter);
}

/* 2^-x in units of 2^-32, x in units of 2^-16. */
static uint64_t power_of_half(uint64_t x)
{
    /* 2^-(1/2), 2^-(1/4), 2^-(1/8), ... in units of 2^-32, rounded */
    static const uint32_t roots[16] = {3037000500, 3611622603, 3938502376, 4112874773,
                                       4202935003, 4248701965, 4271771996, 4283353945,
                                       4289156690, 4292061010, 4293513907, 4294240540,
                                       4294603903, 4294785595, 4294876445, 4294921870};
    if (x >> 16 > 32)
        return 0;
    uint64_t power = ONE >> (x >> 16);
    for (unsigned i = 0; i < 16; i++)
        if (x >> (15 - i) & 1)
            power = power * roots[i] >> 32;
    return power;
}

uint32_t cpr_temperature_apply(uint32_t p1, uint32_t thousandths)
{
    const bool likely = p1 >= 32768;
    const uint32_t less = likely ? 65536 - p1 : p1;
    uint64_t power = 0; /* of the odds of what is less likely */
    if (thousandths == CPR_TEMPERATURE_AS_IT_IS)
        return p1;
    if (thousandths > 0) {
        const uint64_t odds = bits_of(less) - bits_of(65536 - less);
        power = power_of_half(odds * CPR_TEMPERATURE_AS_IT_IS / thousandths);
    }
    const uint32_t share = (uint32_t)(((power << 16) + (ONE + power) / 2) / (ONE + power));
    return likely ? 65536 - share : share;
}
