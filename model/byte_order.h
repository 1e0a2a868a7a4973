/* byte_order.h - little-endian values in byte buffers, on any machine. Private to model/. */
#ifndef CPR_BYTE_ORDER_H
#define CPR_BYTE_ORDER_H

#include <stdint.h>

static inline uint16_t cpr_load_le16(const uint8_t *in)
{
    return (uint16_t)(in[0] | in[1] << 8);
}

static inline void cpr_store_le16(uint8_t *out, uint16_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
}

static inline uint64_t cpr_load_le64(const uint8_t *in)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)in[i] << (8 * i);
    return value;
}

static inline void cpr_store_le64(uint8_t *out, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

#endif
