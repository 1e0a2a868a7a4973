/* arguments.h - numbers, lists and paths in arguments. */
#ifndef CPR_ARGUMENTS_H
#define CPR_ARGUMENTS_H

#include "corpress.h"
#include "options.h"

/* A size such as 1048576, 64K, 64M, 64MiB, 1G; units are powers of 1024, as in zstd. */
bool argument_size(const char *text, uint64_t *bytes);

/* The same, within the bounds of --shard-size. */
bool argument_shard_size(const char *text, uint64_t *bytes);

/* A time such as 0, 90, 90s, 10m, 1h. */
bool argument_seconds(const char *text, double *seconds);

/* A number of 64 bits, such as 1234. */
bool argument_number(const char *text, option_number *number);

/* A number such as 2, 0.7 or 1.25, with up to three digits behind the point. */
bool argument_thousandths(const char *text, option_number *number);

/* "2/8": the second of eight parts. */
bool argument_part(const char *text, option_part *part);

/* A size, or "-" and a size: from the end. */
bool argument_offset(const char *text, option_offset *offset);

/* "3-7", "3-", "-7" or "3": numbers from `least` on. */
bool argument_range(const char *text, uint64_t least, option_range *range);

/* A list such as 3,7-9 into one malloc()ed bool per shard, owned by the caller. CPR_ERR_USAGE,
 * CPR_ERR_NOT_FOUND: there is no such shard. */
cpr_status argument_shards(const char *text, uint64_t shard_count, bool **selected,
                           cpr_error *error);

/* Whether an archive can have a file of this path, and extract can create it. */
bool argument_is_member(const char *text);

/* A PATH argument as the archive's member path: without leading "/" and "./", without trailing "/".
 * Points into text, which it shortens. */
char *argument_member(char *text);

/* Two strings as one, malloc()ed; NULL: out of memory. */
char *argument_join(const char *first, const char *second);

#endif
