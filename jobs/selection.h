/* selection.h - which files of an archive a command is about. */
#ifndef CPR_SELECTION_H
#define CPR_SELECTION_H

#include "command.h"
#include "pattern.h"

/* The words of a command line as patterns, one malloc()ed for each; what is the path of a member
 * counts as a path. `names_anywhere` as in pattern_make(). */
cpr_status selection_patterns(const cpr_archive *archive, option_words words, bool names_anywhere,
                              pattern **patterns, cpr_error *error);

/* Whether one of the patterns matches. */
bool selection_has(const pattern *patterns, size_t count, const cpr_entry *entry);

/* What the call's paths name, without what its --exclude matches: one malloc()ed bool per file;
 * NULL: all files. Paths that match nothing are told on rank 0 and count as warnings; if none
 * matches anything, it is CPR_ERR_NOT_FOUND. All ranks come to the same. */
cpr_status selection_by_path(command_call *call, const cpr_archive *archive, bool **selected,
                             cpr_error *error);

/* What is left of a selection that no path of the call has named (NULL: all files) without the
 * rests of tars, which are no files of the corpus. */
cpr_status selection_drop_rests(const command_call *call, const cpr_archive *archive,
                                bool **selected, cpr_error *error);

/* Selects the files all of whose bytes lie in the shards given; `partial` files have only some of
 * theirs there and are not selected. Files without bytes lie in no shard. */
cpr_status selection_by_shard(const cpr_archive *archive, const bool *shards, bool **selected,
                              uint64_t *partial, cpr_error *error);

/* Warns that --exclude leaves nothing. */
void selection_tell_empty(command_call *call);

/* Takes what the call's --exclude matches from the files selected. Warns if that leaves nothing. */
cpr_status selection_exclude(command_call *call, const cpr_archive *archive, bool *selected,
                             cpr_error *error);

/* What is said of a path that names nothing. */
cpr_status selection_not_found(const pattern *wanted, cpr_error *error);

/* Words of the command line, of which some name nothing. */
typedef struct selection_misses {
    size_t words, missing, told; /* told: 0 at first */
} selection_misses;

/* Tells on rank 0 of the next missing word: the status that it has alone, and the text. It counts
 * as a warning; but if all words are missing, the last one becomes the error. */
cpr_status selection_tell(command_call *call, selection_misses *misses, cpr_status why,
                          const cpr_error *text, cpr_error *error);

/* Numbers of the archive's files, and of its shards. */
uint64_t selection_files(const cpr_archive *archive);
uint64_t selection_shards(const cpr_archive *archive);

#endif
