/* archive.h - one HDF5 file that holds the bitstreams of all shards and what is to be known of
 * them. FORMAT.md is its normative description. */
#ifndef CPR_ARCHIVE_H
#define CPR_ARCHIVE_H

#include "codec.h"
#include "corpus.h"

/* Versions of the tables: what is written, and the oldest that can be read. Format 1 did not say
 * what decoding needs: such archives can be listed and audited, but not decoded. */
#define CPR_FORMAT_VERSION 4u
#define CPR_FORMAT_OLDEST 1u
/* From this one on, the tables of a small archive are a record. */
#define CPR_FORMAT_RECORD 3u

/* ---- archive --------------------------------------------------------------------------------- */

/* Everything in an archive but the bitstreams. */
typedef struct cpr_archive_header {
    char profile[32];     /* name of the profile that it was made with, for people */
    const char *model;    /* descriptor of what decoding needs: see cpr_codec_descriptor(). NULL: of
                             format 1 */
    uint32_t old_version; /* of the profile, in format 1; else 0 */
    uint64_t shard_bytes; /* the option --shard-size */
    const uint8_t *vocabulary; /* packed, raw (see cpr_vocabulary_pack); stored as a coded blob */
    size_t vocabulary_bytes;
    const cpr_file_list *files; /* member paths, sizes, modes, mtimes, links */
    const uint64_t *file_loss;  /* per file: loss of its tokens, units of 2^-16 bit; the archive
                                   keeps whole bits */
    const cpr_shard_info *shards;
    uint64_t shard_count;
    const cpr_shard_info *primer; /* NULL: there is none; its offset says nothing */
    const uint8_t *coded_weights; /* see cpr_weights_encode(); NULL: there has been no lesson */
    size_t coded_weights_bytes;
    const uint8_t *document_states; /* of each shard, and the packed counts of all: see */
    const uint8_t *documents;       /* documents.h. Not there if all documents are files */
    size_t documents_bytes;
} cpr_archive_header;

/* By a program that writes archives, first of all: HDF5 is not to close anything when the process
 * ends. What could not be written it would try again, and crash. Before MPI_Init(), too: there a
 * parallel HDF5 makes MPI_Finalize() end it. */
void cpr_archive_prepare(void);

/* Writing, step 1, by one process: creates `temporary_path` with all tables and room for the
 * bitstreams. */
cpr_status cpr_archive_create(const char *temporary_path, const cpr_archive_header *header,
                              cpr_error *error);

/* How large such an archive becomes. Makes its tables in memory, and no file. */
cpr_status cpr_archive_measure(const cpr_archive_header *header, uint64_t *bytes, cpr_error *error);

/* Gives the bitstream bytes [offset, offset + bytes) of a shard, or of the primer. */
typedef cpr_status cpr_bitstream_fn(void *context, uint64_t shard, uint64_t offset, uint8_t *out,
                                    size_t bytes, cpr_error *error);

/* Writing, step 2, on each of `ranks` ranks at any time after step 1 has succeeded on one: writes
 * this rank's part of the bitstreams, and syncs it. Step 3 comes when all have succeeded. The parts
 * are cut by bytes, not by shards, so any rank's `source` may be asked for any shard. Needs up to
 * 64 MiB of memory. */
cpr_status cpr_archive_write_bitstreams(const char *temporary_path, unsigned rank, unsigned ranks,
                                        cpr_bitstream_fn *source, void *source_context,
                                        cpr_error *error);

/* Writing, step 3, by one process: seals the file (size, checksum of the tables), syncs it.
 * The caller then checks it by reading back, and publishes. */
cpr_status cpr_archive_seal(const char *temporary_path, cpr_error *error);

/* Writing, step 4, by one process: makes the file read-only, renames it to the final name and syncs
 * the directory. Without `overwrite`, an existing final name gives CPR_ERR_EXISTS and is left
 * alone.
 */
cpr_status cpr_archive_publish(const char *temporary_path, const char *path, bool overwrite,
                               cpr_error *error);

/* corpress.h declares how an archive is opened and closed, and what it says of its shards. */

/* Whether the seal was right. */
bool cpr_archive_is_sealed(const cpr_archive *archive);

/* Everything in the header points into the archive and lives as long as it does. `vocabulary` is
 * NULL: see cpr_archive_vocabulary(). */
const cpr_archive_header *cpr_archive_info(const cpr_archive *archive);

/* The parameters that the archive's descriptor gives; they live as long as the archive.
 * CPR_ERR_VERSION: decoding needs components that this program does not have, which *error names;
 * the tables can be read all the same. CPR_ERR_DAMAGED, CPR_ERR_NO_MEMORY. */
cpr_status cpr_archive_profile(const cpr_archive *archive, const struct cpr_profile **profile,
                               cpr_error *error);

/* The packed vocabulary, decoded when it is first asked for; it lives as long as the archive.
 * Fails as cpr_archive_profile(). */
cpr_status cpr_archive_vocabulary(cpr_archive *archive, const uint8_t **packed, size_t *bytes,
                                  cpr_error *error);

uint64_t cpr_archive_file_bytes(const cpr_archive *archive); /* of the archive file itself */

/* Where documents begin; it lives as long as the archive. */
const struct cpr_document_index *cpr_archive_document_index(const cpr_archive *archive);

/* Hash of the tables, and so of everything in the archive: the shards' hashes are in them. Without
 * a seal, of the shards' hashes. */
cpr_hash128 cpr_archive_identity(const cpr_archive *archive);

/* Bytes of the primer and the largest shard: max_bytes of a codec for this archive. */
uint64_t cpr_archive_codec_bytes(const cpr_archive *archive);

/* Reads bytes of a shard's bitstream, as a cpr_bitstream_fn with the archive as its context. */
cpr_status cpr_archive_read(void *archive, uint64_t shard, uint64_t offset, uint8_t *out,
                            size_t bytes, cpr_error *error);

/* What decoding an archive takes. All zero: nothing yet. */
typedef struct cpr_archive_decoder {
    struct cpr_vocabulary *vocabulary;
    struct cpr_weights *weights; /* NULL: there has been no lesson */
    cpr_codec *codec;
} cpr_archive_decoder;

/* Vocabulary, weights and a codec for the archive, without the primer's state. The caller frees
 * them, also after a failure. CPR_ERR_VERSION, CPR_ERR_DAMAGED, CPR_ERR_NO_MEMORY. */
cpr_status cpr_archive_decoder_open(cpr_archive *archive, cpr_archive_decoder *decoder,
                                    cpr_error *error);
void cpr_archive_decoder_free(cpr_archive_decoder *decoder);

/* Checks the coded hash, then decodes the shard. If the archive has a primer, the state after it
 * must be the codec's base; for the primer itself it must have none. */
cpr_status cpr_archive_decode(const cpr_archive *archive, uint64_t shard, cpr_codec *codec,
                              cpr_sink sink, cpr_watch watch, cpr_error *error);

/* A shard that is decoded in steps. */
typedef struct cpr_archive_decoding {
    const cpr_archive *archive;
    uint64_t shard;
    uint64_t coded_at; /* the next byte of its bitstream to read */
    cpr_codec *codec;
} cpr_archive_decoding;

/* The same as cpr_archive_decode() in steps, as cpr_codec_decode_begin() and ..._next(). *decoding
 * must stay where it is while there are blocks to decode. */
cpr_status cpr_archive_decode_begin(const cpr_archive *archive, uint64_t shard, cpr_codec *codec,
                                    cpr_archive_decoding *decoding, cpr_error *error);
cpr_status cpr_archive_decode_next(cpr_archive_decoding *decoding, const uint8_t **block,
                                   size_t *bytes, cpr_error *error);

/* ---- verification in several runs ------------------------------------------------------------ */

/* A small file that remembers which shards of an archive have been verified, and how: `decoded`, or
 * by their compressed data only. */
typedef struct cpr_verified cpr_verified;

/* Opens the file, or creates it, and sets done[shard] of the shards that it remembers. One that is
 * of another archive, of this one before it was written to or replaced, or of the other way to
 * verify, begins anew. CPR_ERR_EXISTS: the file is something else, and left alone. */
cpr_status cpr_verified_open(const char *path, const char *archive_path, const cpr_archive *archive,
                             bool decoded, bool *done, cpr_verified **verified, cpr_error *error);

/* Remembers a shard. NULL: does nothing. */
cpr_status cpr_verified_add(cpr_verified *verified, uint64_t shard, cpr_error *error);

/* Closes, and with `remove` removes the file. NULL: does nothing. */
void cpr_verified_close(cpr_verified *verified, bool remove);

#endif
