/* archive_json.c - the JSON that is about an archive. */
#include "archive_json.h"

#include "escape.h"

#include <inttypes.h>

void archive_json_begin(const char *path, const cpr_archive_facts *facts)
{
    putchar('{');
    escape_json_member(stdout, "archive", ": ", path);
    fputs(",\n ", stdout);
    escape_json_member(stdout, "profile", ": ", facts->profile);
    fputs(",\n ", stdout);
    escape_json_member(stdout, "model", ": ", facts->descriptor);
    printf(",\n \"shard_bytes\": %" PRIu64 ",\n \"files\": %" PRIu64 ",\n \"shards\": %" PRIu64
           ",\n \"raw_bytes\": %" PRIu64 ",\n \"archive_bytes\": %" PRIu64 ",\n ",
           facts->shard_bytes, facts->files, facts->shards, facts->raw_bytes, facts->archive_bytes);
}
