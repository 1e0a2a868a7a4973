/* parquet_thrift.c - Thrift's compact protocol. */
#include "parquet_thrift.h"

/* Structs and lists in one another; Parquet's own go five deep. */
#define DEPTH_MAX 32u

static void thrift_stop(cpr_thrift *t, bool cut)
{
    t->cut = t->bad ? t->cut : cut;
    t->bad = true;
    t->at = t->end;
}

static uint8_t thrift_byte(cpr_thrift *t)
{
    if (t->at < t->end)
        return *t->at++;
    thrift_stop(t, true);
    return 0;
}

uint64_t cpr_thrift_varint(cpr_thrift *t)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t byte = thrift_byte(t);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    thrift_stop(t, false);
    return 0;
}

static void thrift_pass(cpr_thrift *t, uint64_t bytes)
{
    if (bytes > (size_t)(t->end - t->at))
        thrift_stop(t, true);
    else
        t->at += bytes;
}

bool cpr_thrift_next(cpr_thrift *t, cpr_thrift_field *field)
{
    const uint8_t head = thrift_byte(t);
    if (head == 0)
        return false;
    int64_t id = field->id + (head >> 4);
    if (head >> 4 == 0)
        id = cpr_thrift_signed(cpr_thrift_varint(t));
    if (id < INT16_MIN || id > INT16_MAX)
        thrift_stop(t, false);
    *field = (cpr_thrift_field){.id = (int)id, .type = head & 15u};
    return !t->bad;
}

/* The head of a list or set: how many, and of what. Every element takes at least one byte. */
static uint64_t thrift_list(cpr_thrift *t, unsigned *type)
{
    const uint8_t head = thrift_byte(t);
    const uint64_t count = head >> 4 < 15 ? head >> 4 : cpr_thrift_varint(t);
    *type = head & 15u;
    if (count > (size_t)(t->end - t->at))
        thrift_stop(t, true);
    return t->bad ? 0 : count;
}

static void thrift_skip(cpr_thrift *t, unsigned type, bool element, unsigned depth);

static void thrift_skip_list(cpr_thrift *t, unsigned depth)
{
    unsigned type;
    for (uint64_t left = thrift_list(t, &type); left > 0 && !t->bad; left--)
        thrift_skip(t, type, true, depth);
}

static void thrift_skip_map(cpr_thrift *t, unsigned depth)
{
    uint64_t left = cpr_thrift_varint(t);
    const uint8_t types = left > 0 ? thrift_byte(t) : 0;
    for (; left > 0 && !t->bad; left--) {
        thrift_skip(t, types >> 4, true, depth);
        thrift_skip(t, types & 15u, true, depth);
    }
}

static void thrift_skip_struct(cpr_thrift *t, unsigned depth)
{
    cpr_thrift_field field = {0};
    while (cpr_thrift_next(t, &field))
        thrift_skip(t, field.type, false, depth);
}

/* A truth is in the type of a field, but takes a byte as an element. */
static void thrift_skip(cpr_thrift *t, unsigned type, bool element, unsigned depth)
{
    if (depth == DEPTH_MAX) {
        thrift_stop(t, false);
        return;
    }
    switch (type) {
    case CPR_THRIFT_TRUE:
    case CPR_THRIFT_FALSE:
        thrift_pass(t, element);
        break;
    case CPR_THRIFT_BYTE:
        thrift_pass(t, 1);
        break;
    case CPR_THRIFT_I16:
    case CPR_THRIFT_I32:
    case CPR_THRIFT_I64:
        cpr_thrift_varint(t);
        break;
    case CPR_THRIFT_DOUBLE:
        thrift_pass(t, 8);
        break;
    case CPR_THRIFT_BINARY:
        thrift_pass(t, cpr_thrift_varint(t));
        break;
    case CPR_THRIFT_LIST:
    case CPR_THRIFT_SET:
        thrift_skip_list(t, depth + 1);
        break;
    case CPR_THRIFT_MAP:
        thrift_skip_map(t, depth + 1);
        break;
    case CPR_THRIFT_STRUCT:
        thrift_skip_struct(t, depth + 1);
        break;
    case CPR_THRIFT_UUID:
        thrift_pass(t, 16);
        break;
    default:
        thrift_stop(t, false);
    }
}

void cpr_thrift_skip(cpr_thrift *t, unsigned type)
{
    thrift_skip(t, type, false, 0);
}

int64_t cpr_thrift_number(cpr_thrift *t, cpr_thrift_field field, int64_t otherwise)
{
    if (field.type >= CPR_THRIFT_I16 && field.type <= CPR_THRIFT_I64)
        return cpr_thrift_signed(cpr_thrift_varint(t));
    cpr_thrift_skip(t, field.type);
    return otherwise;
}

bool cpr_thrift_truth(cpr_thrift *t, cpr_thrift_field field, bool otherwise)
{
    cpr_thrift_skip(t, field.type);
    return field.type == CPR_THRIFT_TRUE || (field.type != CPR_THRIFT_FALSE && otherwise);
}

const uint8_t *cpr_thrift_binary(cpr_thrift *t, cpr_thrift_field field, size_t *bytes)
{
    *bytes = 0;
    if (field.type != CPR_THRIFT_BINARY) {
        cpr_thrift_skip(t, field.type);
        return t->at;
    }
    const uint64_t length = cpr_thrift_varint(t);
    const uint8_t *data = t->at;
    thrift_pass(t, length);
    *bytes = t->bad ? 0 : (size_t)length;
    return t->bad ? t->at : data;
}

bool cpr_thrift_is_struct(cpr_thrift *t, cpr_thrift_field field)
{
    if (field.type != CPR_THRIFT_STRUCT)
        cpr_thrift_skip(t, field.type);
    return field.type == CPR_THRIFT_STRUCT;
}

size_t cpr_thrift_structs(cpr_thrift *t, cpr_thrift_field field)
{
    const uint8_t *begin = t->at;
    unsigned type = 0;
    const uint64_t count = field.type == CPR_THRIFT_LIST ? thrift_list(t, &type) : 0;
    if (type == CPR_THRIFT_STRUCT)
        return (size_t)count;
    if (!t->bad) {
        t->at = begin;
        cpr_thrift_skip(t, field.type);
    }
    return 0;
}
