/* parquet_thrift.h - Thrift's compact protocol, in which Parquet's footer and the headers of its
 * pages are written. Private to shard/inputs.
 *
 * What does not parse, or ends too early, stops the cursor: from then on it gives zeros and no
 * fields. So callers ask once, at the end. */
#ifndef CPR_PARQUET_THRIFT_H
#define CPR_PARQUET_THRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CPR_THRIFT_TRUE = 1,
    CPR_THRIFT_FALSE = 2,
    CPR_THRIFT_BYTE = 3,
    CPR_THRIFT_I16 = 4,
    CPR_THRIFT_I32 = 5,
    CPR_THRIFT_I64 = 6,
    CPR_THRIFT_DOUBLE = 7,
    CPR_THRIFT_BINARY = 8,
    CPR_THRIFT_LIST = 9,
    CPR_THRIFT_SET = 10,
    CPR_THRIFT_MAP = 11,
    CPR_THRIFT_STRUCT = 12,
    CPR_THRIFT_UUID = 13
};

typedef struct cpr_thrift {
    const uint8_t *at, *end;
    bool bad; /* stopped */
    bool cut; /* it was the end that stopped it: with more bytes it might go on */
} cpr_thrift;

/* The field of a struct that the cursor is at; {0} in front of the first. */
typedef struct cpr_thrift_field {
    int id;
    unsigned type;
} cpr_thrift_field;

/* Goes to the struct's next field. The caller then takes its value, or skips it. False: there are
 * no more. */
bool cpr_thrift_next(cpr_thrift *thrift, cpr_thrift_field *field);

void cpr_thrift_skip(cpr_thrift *thrift, unsigned type);

/* The field's value. One of another type is skipped, and leaves the default, as Thrift has it. */
int64_t cpr_thrift_number(cpr_thrift *thrift, cpr_thrift_field field, int64_t otherwise);
bool cpr_thrift_truth(cpr_thrift *thrift, cpr_thrift_field field, bool otherwise);
const uint8_t *cpr_thrift_binary(cpr_thrift *thrift, cpr_thrift_field field, size_t *bytes);
bool cpr_thrift_is_struct(cpr_thrift *thrift, cpr_thrift_field field);

/* The number of structs in a list, behind whose head the cursor then is: no more than it has bytes.
 * A list of others is skipped and has 0. */
size_t cpr_thrift_structs(cpr_thrift *thrift, cpr_thrift_field field);

uint64_t cpr_thrift_varint(cpr_thrift *thrift);

/* Thrift's and Parquet's order of signed numbers: 0, -1, 1, -2, ... */
static inline int64_t cpr_thrift_signed(uint64_t zigzag)
{
    return (int64_t)(zigzag >> 1 ^ (0 - (zigzag & 1)));
}

#endif
