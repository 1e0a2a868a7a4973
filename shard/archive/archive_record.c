/* archive_record.c - all tables of a small archive, in the bytes of one attribute. */
#include "archive_record.h"
#include "file_io.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Numbered from 1. Part of the format. */
static const char *const names[CPR_RECORD_ENTRIES] = {
    "model",
    "profile",
    "shard_size_bytes",
    "vocabulary",
    "files/mode",
    "files/size_bytes",
    "files/mtime_seconds",
    "files/mtime_nanoseconds",
    "files/loss_bits",
    "files/path_shared_bytes",
    "files/path_suffixes",
    "files/link_targets",
    "inputs/first_file",
    "inputs/files",
    "inputs/kind",
    "inputs/size_bytes",
    "inputs/xxh3_128",
    "inputs/paths",
    "documents/rules",
    "documents/separator",
    "documents/states",
    "documents/counts",
    "shards",
};

/* What descriptors are likely to have in them. Part of the format. */
static const char phrases[] =
    "blocks 1; coder 1; blob 1; tokens 1; mixing 1 contexts=0,1,6,14 lines=0 successors=3,8 "
    "matches=5 match-lanes=1 sets=2 refine=0 guess-from=45000 guess-shift=10 chances=0 "
    "buckets=131072 line-pairs=0 successor-bits=17 history-bits=22; coder 1; blob 1; weights 1; "
    "tokens 1; mixing 1 contexts=1,0,6,7,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27 "
    "lines=1 successors=3,2,4,5,8,9 matches=12,5,2 match-lanes=2 sets=6 refine=2 guess-from=60000 "
    "guess-shift=8 chances=0 buckets=4456448 line-pairs=262144 successor-bits=21 history-bits=24; "
    "network 1 kind=sru width=256 layers=3; network 1 kind=taught width=128 layers=3 rank=64 "
    "bits=4 grain=2 tokens 1; mixing 2 contexts=1,0,6,7,10,11,12,13,14,15,16,17,18,19 lines=1 "
    "successors=3,2,4,5,8,9 matches=12,5,2 match-lanes=1 sets=6 refine=2 guess-from=60000 "
    "guess-shift=8 chances=0 buckets=4456448 line-pairs=262144 successor-bits=21 history-bits=24 "
    "byte-matches=1 byte-bits=23; network 1 kind=sru width=32 layers=2 chances=1 buckets=4456448 "
    "line-pairs=524288 tokens 1; mixing 1 contexts=0,1,6,14,11 lines=0 successors=3,8 matches=5 "
    "match-lanes=1 sets=2 refine=0 guess-from=45000 guess-shift=10 chances=0 buckets=262144 "
    "line-pairs=0 successor-bits=18 history-bits=22 rank=64 bits=5 grain=4 rank=128 bits=5 grain=8";
#define PHRASE_BYTES (sizeof phrases - 1)
/* A phrase takes three bytes. */
enum { PHRASE_LEAST = 4, PHRASE_MOST = PHRASE_LEAST + 127 };

static unsigned number_of(const char *name)
{
    for (unsigned i = 0; i < CPR_RECORD_ENTRIES; i++)
        if (strcmp(names[i], name) == 0)
            return i + 1;
    return 0;
}

/* Near zero on both sides becomes near zero. */
static uint64_t fold(uint64_t value)
{
    return value << 1 ^ (value >> 63 ? UINT64_MAX : 0);
}

static uint64_t unfold(uint64_t folded)
{
    return folded >> 1 ^ (folded & 1 ? UINT64_MAX : 0);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void put_bytes(cpr_record_out *out, const void *bytes, size_t count)
{
    if (!out->failed && count > out->room - out->used) {
        const size_t room = 2 * out->room + count;
        uint8_t *grown = realloc(out->bytes, room);
        out->failed = grown == NULL;
        if (grown != NULL) {
            out->bytes = grown;
            out->room = room;
        }
    }
    if (out->failed || count == 0)
        return;
    memcpy(out->bytes + out->used, bytes, count);
    out->used += count;
}

static void put_byte(cpr_record_out *out, unsigned value)
{
    const uint8_t byte = (uint8_t)value;
    put_bytes(out, &byte, 1);
}

/* Seven bits a byte, the lowest first. */
static void put_number(cpr_record_out *out, uint64_t value)
{
    for (; value > 127; value >>= 7)
        put_byte(out, (unsigned)(value & 127) | 128);
    put_byte(out, (unsigned)value);
}

void cpr_record_begin(cpr_record_out *out)
{
    *out = (cpr_record_out){.bytes = NULL};
    put_byte(out, CPR_FORMAT_VERSION);
}

void cpr_record_add_bytes(cpr_record_out *out, const char *name, const void *bytes, size_t count)
{
    const unsigned number = number_of(name);
    assert(number > out->last);
    out->last = number;
    put_byte(out, number);
    put_number(out, count);
    put_bytes(out, bytes, count);
}

/* Adds as an entry what has been put together in `content`, which is freed. */
static void add_content(cpr_record_out *out, const char *name, cpr_record_out *content)
{
    out->failed = out->failed || content->failed;
    cpr_record_add_bytes(out, name, content->bytes, content->used);
    free(content->bytes);
}

void cpr_record_add_number(cpr_record_out *out, const char *name, uint64_t value)
{
    cpr_record_out content = {.bytes = NULL};
    put_number(&content, value);
    add_content(out, name, &content);
}

void cpr_record_add_column(cpr_record_out *out, const char *name, const uint64_t *values,
                           size_t count)
{
    cpr_record_out content = {.bytes = NULL};
    int64_t least = count > 0 ? INT64_MAX : 0;
    uint64_t range = 0;
    unsigned width = 0;
    unsigned held = 0;
    unsigned byte = 0;
    for (size_t i = 0; i < count; i++)
        least = (int64_t)values[i] < least ? (int64_t)values[i] : least;
    for (size_t i = 0; i < count; i++)
        range |= values[i] - (uint64_t)least;
    while (width < 64 && range >> width != 0)
        width++;
    put_number(&content, fold((uint64_t)least));
    put_byte(&content, width);
    for (size_t i = 0; i < count; i++)
        for (unsigned bit = width; bit-- > 0;) {
            byte = byte << 1 | (unsigned)((values[i] - (uint64_t)least) >> bit & 1);
            if (++held % 8 == 0)
                put_byte(&content, byte & 255);
        }
    if (held % 8 != 0)
        put_byte(&content, byte << (8 - held % 8) & 255);
    add_content(out, name, &content);
}

void cpr_record_add_shard(cpr_record_out *out, const cpr_shard_info *shard)
{
    cpr_record_out content = {.bytes = NULL};
    uint8_t hashes[32];
    put_number(&content, shard->raw_bytes);
    put_number(&content, shard->coded_bytes);
    put_number(&content, shard->stored_bytes);
    put_number(&content, shard->tokens);
    put_number(&content, shard->loss_bits);
    put_number(&content, shard->network_loss_bits);
    cpr_put_hash(hashes, shard->raw_hash);
    cpr_put_hash(hashes + 16, shard->coded_hash);
    put_bytes(&content, hashes, sizeof hashes);
    add_content(out, "shards", &content);
}

/* The longest phrase that `text` begins with; its length. */
static size_t find_phrase(const char *text, size_t *place)
{
    size_t longest = 0;
    for (size_t i = 0; i < PHRASE_BYTES; i++) {
        size_t n = 0;
        while (n < PHRASE_MOST && i + n < PHRASE_BYTES && text[n] == phrases[i + n])
            n++;
        if (n > longest) {
            longest = n;
            *place = i;
        }
    }
    return longest;
}

void cpr_record_add_model(cpr_record_out *out, const char *model)
{
    cpr_record_out content = {.bytes = NULL};
    size_t place = 0;
    while (*model != '\0') {
        const size_t bytes = find_phrase(model, &place);
        if (bytes < PHRASE_LEAST) {
            put_byte(&content, (unsigned char)*model++);
            continue;
        }
        put_byte(&content, 128 + (unsigned)(bytes - PHRASE_LEAST));
        put_byte(&content, place & 255);
        put_byte(&content, (unsigned)(place >> 8));
        model += bytes;
    }
    add_content(out, "model", &content);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Bytes that are yet to be read. */
typedef struct input {
    const uint8_t *at;
    size_t left;
} input;

static bool take_byte(input *in, uint8_t *byte)
{
    if (in->left == 0)
        return false;
    *byte = *in->at++;
    in->left--;
    return true;
}

/* In its shortest form. */
static bool take_number(input *in, uint64_t *value)
{
    uint8_t byte = 128;
    *value = 0;
    for (unsigned shift = 0; byte > 127; shift += 7) {
        if (shift > 63 || !take_byte(in, &byte) || (shift == 63 && byte > 1) ||
            (shift > 0 && byte == 0))
            return false;
        *value |= (uint64_t)(byte & 127) << shift;
    }
    return true;
}

bool cpr_record_parse(cpr_record *record, const uint8_t *bytes, size_t count)
{
    input in = {bytes, count};
    uint8_t format = 0;
    uint8_t last = 0;
    *record = (cpr_record){.format = 0};
    if (!take_byte(&in, &format))
        return false;
    record->format = format;
    while (in.left > 0) {
        uint8_t number = 0;
        uint64_t size = 0;
        if (!take_byte(&in, &number) || number <= last || !take_number(&in, &size) ||
            size > in.left)
            return false;
        if (number <= CPR_RECORD_ENTRIES) {
            record->entries[number - 1].at = in.at;
            record->entries[number - 1].count = (size_t)size;
        }
        in.at += size;
        in.left -= (size_t)size;
        last = number;
    }
    return true;
}

bool cpr_record_has(const cpr_record *record, const char *name)
{
    const size_t bytes = strlen(name);
    for (unsigned i = 0; i < CPR_RECORD_ENTRIES; i++)
        if (record->entries[i].at != NULL && strncmp(names[i], name, bytes) == 0 &&
            (names[i][bytes] == '\0' || names[i][bytes] == '/'))
            return true;
    return false;
}

const uint8_t *cpr_record_bytes(const cpr_record *record, const char *name, size_t *count)
{
    const unsigned number = number_of(name);
    *count = number == 0 ? 0 : record->entries[number - 1].count;
    return number == 0 ? NULL : record->entries[number - 1].at;
}

static input input_of(const cpr_record *record, const char *name)
{
    input in;
    in.at = cpr_record_bytes(record, name, &in.left);
    return in;
}

bool cpr_record_number(const cpr_record *record, const char *name, uint64_t *value)
{
    input in = input_of(record, name);
    return take_number(&in, value) && in.left == 0;
}

bool cpr_record_column(const cpr_record *record, const char *name, unsigned bits, uint64_t *values,
                       size_t count)
{
    input in = input_of(record, name);
    uint64_t folded = 0;
    uint8_t width = 0;
    uint8_t byte = 0;
    unsigned held = 0; /* bits of it that are not used yet */
    if (!take_number(&in, &folded) || !take_byte(&in, &width) || width > 64 ||
        (width > 0 && count > SIZE_MAX / 64) || in.left != (width * count + 7) / 8)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t more = 0;
        for (unsigned bit = 0; bit < width; bit++) {
            if (held == 0) {
                (void)take_byte(&in, &byte);
                held = 8;
            }
            more = more << 1 | (byte >> --held & 1);
        }
        values[i] = unfold(folded) + more;
        if (bits < 64 && values[i] >> bits != 0)
            return false;
    }
    return (byte & ((1u << held) - 1)) == 0;
}

bool cpr_record_shard(const cpr_record *record, cpr_shard_row *row)
{
    input in = input_of(record, "shards");
    uint64_t loss = 0;
    uint64_t network_loss = 0;
    *row = (cpr_shard_row){.raw_offset = 0};
    if (!take_number(&in, &row->raw_bytes) || !take_number(&in, &row->coded_bytes) ||
        !take_number(&in, &row->stored_bytes) || !take_number(&in, &row->tokens) ||
        !take_number(&in, &loss) || !take_number(&in, &network_loss) || in.left != 32 ||
        loss > CPR_SHARD_LOSS_MAX || network_loss > CPR_SHARD_LOSS_MAX)
        return false;
    row->loss_bits = (double)loss / CPR_LOSS_UNITS;
    row->network_loss_bits = (double)network_loss / CPR_LOSS_UNITS;
    memcpy(row->raw_hash, in.at, 16);
    memcpy(row->coded_hash, in.at + 16, 16);
    return true;
}

bool cpr_record_model(const cpr_record *record, char *out, size_t capacity)
{
    input in = input_of(record, "model");
    size_t used = 0;
    while (in.left > 0) {
        uint8_t byte = 0;
        uint8_t low = 0;
        uint8_t high = 0;
        (void)take_byte(&in, &byte);
        const char plain = (char)byte;
        const char *from = &plain;
        size_t bytes = 1;
        if (byte > 127) {
            if (!take_byte(&in, &low) || !take_byte(&in, &high))
                return false;
            const size_t place = low + ((size_t)high << 8);
            bytes = byte - 128u + PHRASE_LEAST;
            if (place > PHRASE_BYTES || bytes > PHRASE_BYTES - place)
                return false;
            from = phrases + place;
        }
        if (bytes >= capacity - used || *from == '\0')
            return false;
        memcpy(out + used, from, bytes);
        used += bytes;
    }
    out[used] = '\0';
    return used > 0;
}
