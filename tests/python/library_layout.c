/* library_layout.c - prints where the members of the library's structures are, for a comparison
 * with what jobs/python has: "structure size", "structure.member offset". */
#include "corpress_documents.h"
#include "corpress_inputs.h"

#include <stddef.h>
#include <stdio.h>

#define SIZE(type) printf(#type " %zu\n", sizeof(type));
#define MEMBER(type, member) printf(#type "." #member " %zu\n", offsetof(type, member));

static void print_archive(void)
{
    SIZE(cpr_error)
    MEMBER(cpr_error, text)
    SIZE(cpr_hash128)
    MEMBER(cpr_hash128, high)
    MEMBER(cpr_hash128, low)
    SIZE(cpr_archive_facts)
    MEMBER(cpr_archive_facts, profile)
    MEMBER(cpr_archive_facts, descriptor)
    MEMBER(cpr_archive_facts, files)
    MEMBER(cpr_archive_facts, shards)
    MEMBER(cpr_archive_facts, raw_bytes)
    MEMBER(cpr_archive_facts, coded_bytes)
    MEMBER(cpr_archive_facts, archive_bytes)
    MEMBER(cpr_archive_facts, shard_bytes)
    MEMBER(cpr_archive_facts, identity)
    MEMBER(cpr_archive_facts, sealed)
    MEMBER(cpr_archive_facts, has_primer)
    MEMBER(cpr_archive_facts, has_network)
    MEMBER(cpr_archive_facts, weights_bytes)
    MEMBER(cpr_archive_facts, documents)
    MEMBER(cpr_archive_facts, separator)
    MEMBER(cpr_archive_facts, separator_bytes)
}

static void print_entry(void)
{
    SIZE(cpr_entry)
    MEMBER(cpr_entry, number)
    MEMBER(cpr_entry, path)
    MEMBER(cpr_entry, link_target)
    MEMBER(cpr_entry, type)
    MEMBER(cpr_entry, mode)
    MEMBER(cpr_entry, mtime_seconds)
    MEMBER(cpr_entry, mtime_nanoseconds)
    MEMBER(cpr_entry, offset)
    MEMBER(cpr_entry, bytes)
    MEMBER(cpr_entry, loss_bits)
    MEMBER(cpr_entry, first_shard)
    MEMBER(cpr_entry, last_shard)
    MEMBER(cpr_entry, documents)
    MEMBER(cpr_entry, is_rest)
}

static void print_input(void)
{
    SIZE(cpr_input_facts)
    MEMBER(cpr_input_facts, path)
    MEMBER(cpr_input_facts, kind)
    MEMBER(cpr_input_facts, is_tar)
    MEMBER(cpr_input_facts, bytes)
    MEMBER(cpr_input_facts, text_bytes)
    MEMBER(cpr_input_facts, first_file)
    MEMBER(cpr_input_facts, files)
    MEMBER(cpr_input_facts, hash)
}

static void print_shard(void)
{
    SIZE(cpr_shard_info)
    MEMBER(cpr_shard_info, offset)
    MEMBER(cpr_shard_info, raw_bytes)
    MEMBER(cpr_shard_info, coded_bytes)
    MEMBER(cpr_shard_info, stored_bytes)
    MEMBER(cpr_shard_info, tokens)
    MEMBER(cpr_shard_info, loss_bits)
    MEMBER(cpr_shard_info, network_loss_bits)
    MEMBER(cpr_shard_info, generation)
    MEMBER(cpr_shard_info, raw_hash)
    MEMBER(cpr_shard_info, coded_hash)
}

int main(void)
{
    print_archive();
    print_entry();
    print_input();
    print_shard();
    SIZE(cpr_texts)
    MEMBER(cpr_texts, count)
    MEMBER(cpr_texts, ends)
    MEMBER(cpr_texts, data)
    SIZE(cpr_watch)
    MEMBER(cpr_watch, progress)
    MEMBER(cpr_watch, context)
    return 0;
}
