/* archive_json.c - the JSON that is about an archive. */
#include "archive_json.h"

#include "escape.h"

#include <inttypes.h>
#include <string.h>

#define SEPARATOR_BYTES_MOST 255 /* as FORMAT.md says */

static void print_separator(const cpr_archive_facts *facts)
{
    char text[SEPARATOR_BYTES_MOST + 1] = "";
    if (facts->separator == NULL || facts->separator_bytes >= sizeof text)
        return;
    memcpy(text, facts->separator, facts->separator_bytes);
    escape_json_member(stdout, "separator", ": ", text);
    fputs(",\n ", stdout);
}

void archive_json_begin(const char *path, const cpr_archive_facts *facts)
{
    putchar('{');
    escape_json_member(stdout, "archive", ": ", path);
    fputs(",\n ", stdout);
    escape_json_member(stdout, "profile", ": ", facts->profile);
    fputs(",\n ", stdout);
    escape_json_member(stdout, "model", ": ", facts->descriptor);
    printf(",\n \"shard_bytes\": %" PRIu64 ",\n \"files\": %" PRIu64 ",\n \"shards\": %" PRIu64
           ",\n \"documents\": %" PRIu64 ",\n \"raw_bytes\": %" PRIu64
           ",\n \"archive_bytes\": %" PRIu64 ",\n ",
           facts->shard_bytes, facts->files, facts->shards, facts->documents, facts->raw_bytes,
           facts->archive_bytes);
    print_separator(facts);
}
