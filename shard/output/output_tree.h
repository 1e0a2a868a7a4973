/* output_tree.h - inside shard/: the state behind cpr_output_tree, and steps that its files share.
 */
#ifndef CPR_OUTPUT_TREE_H
#define CPR_OUTPUT_TREE_H

#include "output.h"
#include "output_file.h"
#include "output_paths.h"
#include "output_run.h"

/* Which file a temporary name stands for: only that is renamed or removed. */
typedef struct cpr_output_made {
    dev_t device;
    ino_t inode; /* 0: none */
} cpr_output_made;

struct cpr_output_tree {
    const cpr_file_list *files;
    const bool *selected; /* NULL: all */
    bool overwrite;
    bool keep; /* what an earlier run left */
    cpr_output_paths paths;
    cpr_output_run run;
    cpr_warn_fn *tell;
    void *tell_context;

    /* Known to the process that prepares and finishes. */
    const cpr_shard_info *shards;
    uint64_t shard_count;
    uint64_t prepared; /* files [0, prepared) may have temporary files of the preparation */
    bool has_parts;    /* some do */

    /* The shard that is being written. */
    bool writing;
    uint64_t shard_start; /* in the corpus */
    uint64_t shard_end;
    uint64_t at;           /* in the corpus, of the next byte */
    uint64_t file;         /* that holds it */
    uint64_t first;        /* file of the shard */
    uint64_t created;      /* files before this one have been created or skipped */
    bool skipping;         /* `file` is not selected */
    cpr_output_made *made; /* temporary files of the shard, from its first file on */
    size_t made_capacity;
    cpr_output_file out;
};

bool cpr_output_selected(const cpr_output_tree *tree, uint64_t file);

/* True if the name `name` in `directory` holds what the archive has for the file, as far as type,
 * size and time tell. */
bool cpr_output_is_there(const cpr_output_tree *tree, uint64_t file, int directory,
                         const char *name);

/* Opens the temporary file that an earlier run made for a file that spans shards, if it is what we
 * would make; else -1, and errno. */
int cpr_output_reopen(const cpr_output_tree *tree, uint64_t file, int directory);

/* Opens a file that spans shards, under its temporary name, to write a part of it. If it had its
 * name already, it loses it until the run's end. -1, and errno. */
int cpr_output_open_part(const cpr_output_tree *tree, uint64_t file, int directory,
                         const char *name);

/* Creates a member's temporary file. */
cpr_status cpr_output_create(cpr_output_tree *tree, uint64_t file, cpr_output_missing missing,
                             int *out, cpr_output_made *made, cpr_error *error);

/* Gives the open file the member's mode and time, and closes it. */
cpr_status cpr_output_settle(cpr_output_tree *tree, uint64_t file, int fd, cpr_error *error);

/* Gives a member's temporary file its name (good), or removes it; if it is still the one that was
 * made (NULL: not known). */
cpr_status cpr_output_name(cpr_output_tree *tree, uint64_t file, const cpr_output_made *made,
                           bool good, cpr_error *error);

#endif
