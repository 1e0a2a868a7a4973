/* output.h - files recreated from shards. */
#ifndef CPR_OUTPUT_H
#define CPR_OUTPUT_H

#include "codec.h"
#include "corpus.h"

/* ---- output tree ----------------------------------------------------------------------------- */

/* Recreates selected files below a directory. Nothing is written outside of it: absolute paths,
 * ".." and links in the way give CPR_ERR_UNSAFE. Files are written under temporary names that are
 * random and belong to this run. They take their own names when the shards that hold them have been
 * checked. So several runs may write to one directory: a run that finds a name taken fails with
 * CPR_ERR_EXISTS, or with `overwrite` replaces a whole file by a whole file. */
typedef struct cpr_output_tree cpr_output_tree;

/* selected: one bool per file, or NULL for all. */
cpr_status cpr_output_tree_open(const cpr_file_list *files, const bool *selected,
                                const char *directory, bool overwrite, cpr_output_tree **tree,
                                cpr_error *error);
void cpr_output_tree_close(cpr_output_tree *tree);

/* Keeps what an earlier run left. Call it on every object, before anything else. What is there as
 * the archive has it stays: links with the same target, files with the same size and time. The
 * temporary files of files that span several shards stay, too, if their run was of the same archive
 * and is dead; if it lives, preparing fails with CPR_ERR_BUSY. */
void cpr_output_tree_continue(cpr_output_tree *tree);

/* Sets who is told of other runs at work in the directory. Call it before preparing. */
void cpr_output_tree_tell(cpr_output_tree *tree, cpr_warn_fn *tell, void *context);

/* By one process, first: refuses unsafe paths and, without overwrite, existing files. Then creates
 * directories, empty files, and the temporary files of files that span several shards. `shards` are
 * those of the archive. */
cpr_status cpr_output_tree_prepare(cpr_output_tree *tree, const cpr_shard_info *shards,
                                   uint64_t shard_count, cpr_error *error);

/* The name of the run: the object that prepared gives it, and the others join it before they write
 * or look for anything. */
#define CPR_OUTPUT_RUN_BYTES 33
void cpr_output_tree_run(const cpr_output_tree *tree, char run[CPR_OUTPUT_RUN_BYTES]);
void cpr_output_tree_join(cpr_output_tree *tree, const char run[CPR_OUTPUT_RUN_BYTES]);

/* By any process, for each shard: begin, write (a cpr_write_fn, the shard's bytes from its start),
 * end. With `good`, the shard was decoded and checked, and its whole files take their names;
 * without, they are removed. */
cpr_status cpr_output_shard_begin(cpr_output_tree *tree, const cpr_shard_info *shard,
                                  cpr_error *error);
cpr_status cpr_output_shard_write(void *tree, const uint8_t *data, size_t bytes, cpr_error *error);
cpr_status cpr_output_shard_end(cpr_output_tree *tree, bool good, cpr_error *error);

/* By any process, before it decodes a shard, after cpr_output_tree_continue(): whether all that the
 * shard holds is there. If all files of the shard are selected, their bytes are compared with the
 * shard's hash; otherwise files are taken for whole if they have their names. Tells `watch` now and
 * then. */
cpr_status cpr_output_shard_present(cpr_output_tree *tree, const cpr_shard_info *shard,
                                    cpr_watch watch, bool *present, cpr_error *error);

/* By the object that prepared, instead of finishing: leaves the temporary files of files that span
 * several shards for a later run. */
void cpr_output_tree_leave(cpr_output_tree *tree);

/* By the object that prepared, last (`shards` is still needed): names the files that span several
 * shards, removes those in a shard with bad[shard] set (NULL: none is bad), creates links, sets
 * modes and mtimes of directories. Modes are restored without set-user-ID, set-group-ID, sticky. */
cpr_status cpr_output_tree_finish(cpr_output_tree *tree, const bool *bad, cpr_error *error);

/* ---- one file -------------------------------------------------------------------------------- */

/* A file below a directory, which is written from front to back, under a temporary name, and takes
 * its own at the end. As safe as a tree. */
typedef struct cpr_output_single cpr_output_single;

/* `member` must live as long. CPR_ERR_EXISTS, CPR_ERR_UNSAFE, CPR_ERR_IO. */
cpr_status cpr_output_single_open(const char *directory, const char *member, bool overwrite,
                                  cpr_output_single **single, cpr_error *error);

/* A cpr_write_fn, whose context is the file. */
cpr_status cpr_output_single_write(void *single, const uint8_t *data, size_t bytes,
                                   cpr_error *error);

/* With `good` the file gets its name, and the mode and time of `file`; else it is removed. */
cpr_status cpr_output_single_close(cpr_output_single *single, bool good, const cpr_file *file,
                                   cpr_error *error);

/* Whether there is a file of that name, with that size and time. */
bool cpr_output_single_is_there(const char *directory, const char *member, const cpr_file *file);

#endif
