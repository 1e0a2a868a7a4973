/* output.h - files recreated from shards. */
#ifndef CPR_OUTPUT_H
#define CPR_OUTPUT_H

#include "codec.h"
#include "corpus.h"

/* ---- output tree ----------------------------------------------------------------------------- */

/* Recreates selected files below a directory. Nothing is written outside of it: absolute paths,
 * ".." and links in the way give CPR_ERR_UNSAFE. Files are written under temporary names, which are
 * random and this run's alone, and take their names when the shards that hold them have been
 * checked. So several runs may write to one directory: who comes later to a name that is taken gets
 * CPR_ERR_EXISTS, or with overwrite replaces a whole file by a whole file. */
typedef struct cpr_output_tree cpr_output_tree;

/* selected: one bool per file, or NULL for all. */
cpr_status cpr_output_tree_open(const cpr_file_list *files, const bool *selected,
                                const char *directory, bool overwrite, cpr_output_tree **tree,
                                cpr_error *error);
void cpr_output_tree_close(cpr_output_tree *tree);

/* Goes on with what an earlier run left, on every object before anything else is done with it: what
 * is there already as the archive has it (links by their target, files by size and time) is not in
 * the way, and stays; so do the temporary files of those that span several shards, if the run that
 * they are of was of the same archive and is dead (else preparing gives CPR_ERR_BUSY). */
void cpr_output_tree_continue(cpr_output_tree *tree);

/* Who is told, while the object prepares, of other runs at work in the directory. Before that. */
void cpr_output_tree_tell(cpr_output_tree *tree, cpr_warn_fn *tell, void *context);

/* By one process, first: creates the directories, empty files, and the temporary files of those
 * that span several shards; refuses unsafe paths and, without overwrite, existing files, before
 * anything is written. shards: of the archive. */
cpr_status cpr_output_tree_prepare(cpr_output_tree *tree, const cpr_shard_info *shards,
                                   uint64_t shard_count, cpr_error *error);

/* What the object that has prepared tells the others of its run, which they must know before they
 * write or look for anything: a text. */
#define CPR_OUTPUT_RUN_BYTES 33
void cpr_output_tree_run(const cpr_output_tree *tree, char run[CPR_OUTPUT_RUN_BYTES]);
void cpr_output_tree_join(cpr_output_tree *tree, const char run[CPR_OUTPUT_RUN_BYTES]);

/* By any process, per shard: begin, write (a cpr_write_fn, the shard's bytes from its start), then
 * end. `good`: the shard was decoded and checked; its whole files take their names. Else they are
 * removed. */
cpr_status cpr_output_shard_begin(cpr_output_tree *tree, const cpr_shard_info *shard,
                                  cpr_error *error);
cpr_status cpr_output_shard_write(void *tree, const uint8_t *data, size_t bytes, cpr_error *error);
cpr_status cpr_output_shard_end(cpr_output_tree *tree, bool good, cpr_error *error);

/* By any process, before a shard is decoded, if cpr_output_tree_continue() was called: whether all
 * that it would write is there. If all files of the shard are selected, their bytes are compared
 * with the shard's hash; else files that have their names are taken for what they seem to be. Tells
 * `watch` now and then. */
cpr_status cpr_output_shard_present(cpr_output_tree *tree, const cpr_shard_info *shard,
                                    cpr_watch watch, bool *present, cpr_error *error);

/* By the object that prepared, instead of finishing: leaves the temporary files of those that span
 * several shards, for a run that goes on. */
void cpr_output_tree_leave(cpr_output_tree *tree);

/* By the object that prepared, last (`shards` is still needed): names the files that span several
 * shards, removing those that touch a shard with bad[shard] set (NULL: none is bad), creates links,
 * sets directory modes and mtimes. Modes are restored without set-user-ID, set-group-ID, sticky. */
cpr_status cpr_output_tree_finish(cpr_output_tree *tree, const bool *bad, cpr_error *error);

#endif
