/* corpress_inputs.h - the compressed files and tars that files of an archive were decoded from. The
 * conventions are those of corpress.h.
 *
 * What was compressed is in the archive as the text that it held. A tar is there as its members,
 * and one more file, cpr_entry.is_rest, with all else that the tar consists of. */
#ifndef CORPRESS_INPUTS_H
#define CORPRESS_INPUTS_H

#include "corpress.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct cpr_input_facts {
    const char *path; /* that the file had; lives as long as the archive */
    const char *kind; /* "gzip", "zstd", "xz", "bzip2", "lz4", "Parquet", or "plain": static */
    bool is_tar;
    uint64_t bytes;      /* that the file had */
    uint64_t text_bytes; /* that were decoded from it: those of its files */
    uint64_t first_file; /* of the files that came of it; they follow each other, a tar's own */
    uint64_t files;      /* directory first, and the rest of it last */
    cpr_hash128 hash;    /* XXH3-128 of the file's bytes */
} cpr_input_facts;

/* How many there are, and one of them. CPR_ERR_NOT_FOUND. Any thread. */
uint64_t cpr_archive_inputs(const cpr_archive *archive);
cpr_status cpr_archive_input(const cpr_archive *archive, uint64_t number, cpr_input_facts *facts,
                             cpr_error *error);

/* Decodes a tar, as it was, into the sink: the text of an input that is one. Decodes its members
 * and the rest of it side by side, with as much memory as two readers need; the watch is told bytes
 * of the tar. CPR_ERR_USAGE: the input was no tar. CPR_ERR_DAMAGED names the shard, or its parts do
 * not fit together. One thread a reader. */
cpr_status cpr_reader_tar(cpr_reader *reader, uint64_t number, cpr_sink sink, cpr_watch watch,
                          cpr_error *error);

#ifdef __cplusplus
}
#endif
#endif
