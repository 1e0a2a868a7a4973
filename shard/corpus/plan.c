/* plan.c - which bytes of the corpus make up each shard, the sample, and the primer. */
#include "corpus.h"
#include "file_io.h"

#include <assert.h>
#include <string.h>

/* How far behind its target a shard may start so that it starts at a line. */
#define LINE_SEARCH_BYTES ((uint64_t)64 << 10)
#define SAMPLE_BLOCK_BYTES ((uint64_t)64 << 10)
/* Of the primer: FORMAT.md has the rule, EXPERIMENTS.md what was measured. */
#define PRIMER_SHARDS_LEAST 4
#define PRIMER_BYTES_MANY ((uint64_t)8 << 20) /* above them it is an eighth of the corpus */
#define PRIMER_BYTES_MAX ((uint64_t)64 << 20)
#define LESSON_PASSES_MOST 4 /* of the corpus: more bring ever less */
/* The Thue-Morse sequence as a fraction of 2^32. No three of its binary digits in a row are alike,
 * so neither is it nearly a whole number, nor are its products with powers of 2. */
#define LESSON_STEP UINT64_C(0x69969669)

/* i * total / parts without overflow, for i <= parts < 2^32. */
static uint64_t share(uint64_t total, uint64_t parts, uint64_t i)
{
    return total / parts * i + total % parts * i / parts;
}

uint64_t cpr_plan_shards(uint64_t corpus_bytes, uint64_t shard_bytes)
{
    assert(shard_bytes > 0);
    return corpus_bytes / shard_bytes + (corpus_bytes % shard_bytes != 0);
}

cpr_status cpr_plan_start(cpr_corpus_reader *reader, const cpr_file_list *list, uint64_t shards,
                          uint64_t i, uint64_t *start, cpr_error *error)
{
    assert(i <= shards);
    const uint64_t corpus = cpr_file_list_bytes(list);
    if (i == 0 || i >= shards) {
        *start = i == 0 ? 0 : corpus;
        return CPR_OK;
    }
    if (shards > UINT32_MAX)
        return cpr_fail(error, CPR_ERR_USAGE,
                        "the corpus would make %llu shards; choose larger shards",
                        (unsigned long long)shards);
    const uint64_t target = share(corpus, shards, i);
    /* No shard swallows the next one, however small the shards are. */
    const uint64_t next = share(corpus, shards, i + 1);
    const uint64_t end = next - target < LINE_SEARCH_BYTES ? next : target + LINE_SEARCH_BYTES;
    uint8_t text[4096];
    *start = target;
    for (uint64_t at = target; at < end; at += sizeof text) {
        const size_t part = end - at < sizeof text ? (size_t)(end - at) : sizeof text;
        const cpr_status status = cpr_corpus_reader_read(reader, at, text, part, error);
        if (status != CPR_OK)
            return status;
        const uint8_t *line_end = memchr(text, '\n', part);
        if (line_end != NULL) {
            *start = at + (uint64_t)(line_end - text) + 1;
            break;
        }
    }
    return CPR_OK;
}

uint64_t cpr_plan_primer_bytes(uint64_t corpus_bytes, uint64_t shard_bytes)
{
    const uint64_t shards = cpr_plan_shards(corpus_bytes, shard_bytes);
    if (shards < PRIMER_SHARDS_LEAST)
        return 0;
    const uint64_t divisor = shards < 8 ? 32 / shards : 4;
    const uint64_t part = corpus_bytes / divisor, eighth = corpus_bytes / 8;
    const uint64_t enough = eighth > PRIMER_BYTES_MANY ? eighth : PRIMER_BYTES_MANY;
    const uint64_t wanted = part < enough ? part : enough;
    const uint64_t bytes = wanted < PRIMER_BYTES_MAX ? wanted : PRIMER_BYTES_MAX;
    return bytes / SAMPLE_BLOCK_BYTES * SAMPLE_BLOCK_BYTES;
}

uint64_t cpr_plan_sample_count(uint64_t corpus_bytes, uint64_t sample_bytes)
{
    if (corpus_bytes <= sample_bytes)
        return corpus_bytes / SAMPLE_BLOCK_BYTES + (corpus_bytes % SAMPLE_BLOCK_BYTES != 0);
    return sample_bytes / SAMPLE_BLOCK_BYTES;
}

cpr_extent cpr_plan_sample(uint64_t corpus_bytes, uint64_t sample_bytes, uint64_t i)
{
    const uint64_t count = cpr_plan_sample_count(corpus_bytes, sample_bytes);
    cpr_extent extent = {i * SAMPLE_BLOCK_BYTES, SAMPLE_BLOCK_BYTES};
    if (corpus_bytes > sample_bytes)
        extent.offset = share(corpus_bytes, count, i);
    if (corpus_bytes - extent.offset < extent.bytes)
        extent.bytes = corpus_bytes - extent.offset;
    return extent;
}

uint64_t cpr_plan_lesson_bytes(uint64_t corpus_bytes, uint64_t wanted_bytes)
{
    if (wanted_bytes >= corpus_bytes) {
        const uint64_t passes = corpus_bytes > 0 ? wanted_bytes / corpus_bytes : 0;
        return corpus_bytes * (passes < LESSON_PASSES_MOST ? passes : LESSON_PASSES_MOST);
    }
    if (wanted_bytes < SAMPLE_BLOCK_BYTES)
        return corpus_bytes < SAMPLE_BLOCK_BYTES ? corpus_bytes : SAMPLE_BLOCK_BYTES;
    return wanted_bytes / SAMPLE_BLOCK_BYTES * SAMPLE_BLOCK_BYTES;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b > 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

uint64_t cpr_plan_lesson_blocks(uint64_t corpus_bytes, uint64_t lesson_bytes)
{
    const uint64_t passes = lesson_bytes > corpus_bytes ? lesson_bytes / corpus_bytes : 1;
    return passes * cpr_plan_sample_count(corpus_bytes, lesson_bytes);
}

uint64_t cpr_plan_lesson_block(uint64_t count, uint64_t i)
{
    assert(i < count && count <= UINT32_MAX);
    uint64_t step = count * LESSON_STEP >> 32;
    while (common_divisor(count, step) != 1)
        step++;
    return i * step % count;
}

uint64_t cpr_shard_at(const cpr_shard_info *shards, uint64_t count, uint64_t offset)
{
    uint64_t low = 0;
    uint64_t high = count;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (shards[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}
