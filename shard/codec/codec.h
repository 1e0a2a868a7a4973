/* codec.h - a shard's bytes to a bitstream and back, with a model and a coder.
 *
 *   codec      -> the bitstream of a shard, and of a blob of metadata     (shard_codec.c,
 *                                                                           blob_codec.c)
 *   weights    -> those of a taught network, as bytes                     (weights_codec.c)
 *   snapshots  -> a codec in the middle of a shard                        (snapshot.c)
 *   drawing    -> decisions likelier or rarer than the model has them     (temperature.c)
 *   noise      -> blocks that no model of text can make smaller           (compressibility.c)
 *   LZ4 meter  -> LZ4's ratio, for comparison                             (lz4_meter.c)
 *   self-test  -> known answers of model and coder                        (self_test.c)
 */
#ifndef CPR_CODEC_H
#define CPR_CODEC_H

#include "base.h"
#include "model.h"

/* Versions of what this wing adds to a bitstream: raised when other bytes come out, or are taken.
 */
#define CPR_BLOCKS_VERSION 1u /* how the bytes of a shard become blocks, and blocks decisions */
#define CPR_BLOB_VERSION 1u   /* the model of coded tables, which are decoded before any other */
/* how the weights of taught networks are coded, and where these rest */
#define CPR_WEIGHTS_VERSION 1u

#define CPR_BLOCK_BYTES (1u << 16) /* of a shard, which are coded one after the other */

/* ---- shard codec ----------------------------------------------------------------------------- */

/* Told the model's loss (units of 2^-16 bit, since the start of the shard) when all bytes before
 * raw offset `at` (relative to the shard) are coded. Offsets are asked for in ascending order. */
typedef struct cpr_loss_marks {
    const uint64_t *at; /* ascending raw offsets within the shard, 0 to raw_bytes */
    uint64_t *loss;     /* out: loss of the tokens that begin before at[i] */
    size_t count;
} cpr_loss_marks;

/* What decoding the bitstreams of a profile needs, as text: each component with its version and its
 * parameters. It is the same wherever it is made; FORMAT.md has its grammar. */
void cpr_codec_descriptor(const struct cpr_profile *profile,
                          char out[CPR_DESCRIPTOR_MAX_BYTES + 1]);

/* The profile that such a text describes; owned by the caller, for cpr_profile_free().
 * CPR_ERR_VERSION: it names components, versions or parameters that this program does not have,
 * which *error lists. CPR_ERR_DAMAGED: it is no such text. */
cpr_status cpr_codec_profile(const char *descriptor, struct cpr_profile **profile,
                             cpr_error *error);

/* What one rank needs to code shards: model, parser, buffers; reused from shard to shard. */
typedef struct cpr_codec cpr_codec;

/* weights: of a profile that is taught, else NULL; they and the vocabulary must outlive the codec.
 * max_bytes: of the primer and the largest shard together; the bitstreams depend on it. */
cpr_status cpr_codec_create(const struct cpr_profile *profile,
                            const struct cpr_vocabulary *vocabulary,
                            const struct cpr_weights *weights, uint64_t max_bytes,
                            cpr_codec **codec, cpr_error *error);
void cpr_codec_free(cpr_codec *codec);

/* Bytes of memory of such a codec, and of a base for it, within 1 %. */
uint64_t cpr_codec_memory(const struct cpr_profile *profile, uint64_t max_bytes);
uint64_t cpr_codec_base_memory(const struct cpr_profile *profile, uint64_t max_bytes);

/* What the model has learned, as bytes for codecs that were created alike on machines of the same
 * byte order. Copied to `out` after a bitstream has been coded or decoded to its end. */
size_t cpr_codec_state_bytes(const cpr_codec *codec);
const void *cpr_codec_state(cpr_codec *codec); /* lives until the codec is used again */
void cpr_codec_get_state(cpr_codec *codec, void *out);

/* From now on every bitstream begins with this state instead of the initial one, to which NULL
 * leads back. It is only read, each time one begins, and must stay as it is. */
void cpr_codec_set_base(cpr_codec *codec, const void *state);

/* The end of the primer for which a taught network is awake. Before it, it rests: whoever opens a
 * shard need not wait for it, and its own state does not reach back so far. */
#define CPR_PRIMER_AWAKE_BYTES (UINT64_C(2) << 20)

/* The bitstreams from now on are a primer's of that many raw bytes; 0, as at first: shards'. */
void cpr_codec_set_primer(cpr_codec *codec, uint64_t raw_bytes);

/* Codes everything that `read` gives, as one shard (or as the primer), and fills all of *info
 * except offset and generation. marks may be NULL, progress may be NULL. When progress is called,
 * all coded bytes so far have been given to `write`. */
cpr_status cpr_codec_encode(cpr_codec *codec, cpr_source source, cpr_sink sink, cpr_watch watch,
                            const cpr_loss_marks *marks, cpr_shard_info *info, cpr_error *error);

/* How the loss grows while a shard is coded. Point k is after 2^k * 64 KiB, the last one after the
 * whole shard. */
#define CPR_CURVE_POINTS 18u

typedef struct cpr_curve_point {
    uint64_t raw_bytes;
    uint64_t loss_bits; /* so far; units of 2^-16 bit */
    uint64_t network_loss_bits;
} cpr_curve_point;

typedef struct cpr_curve {
    uint32_t points;
    cpr_curve_point point[CPR_CURVE_POINTS];
} cpr_curve;

/* From now on cpr_codec_decode() measures the loss, and leaves its curve there. NULL: no longer. */
void cpr_codec_set_curve(cpr_codec *codec, cpr_curve *curve);

/* Decodes a bitstream into info->raw_bytes bytes given to `write` (may be NULL) and checks them
 * against info->raw_hash: CPR_ERR_DAMAGED if they differ. (`read` gives the coded bytes; that their
 * hash is right has been checked before.) */
cpr_status cpr_codec_decode(cpr_codec *codec, const cpr_shard_info *info, cpr_source source,
                            cpr_sink sink, cpr_watch watch, cpr_error *error);

/* The same in steps: begins, then decodes a block with each call. *block, which lives until the
 * codec is used again, has *bytes bytes, 1 to 65,536; 0, and no block, at the shard's end. Its last
 * block is given only if all of it matches the hash. After a failure, begin anew. The source must
 * live as long as there are blocks to decode. */
cpr_status cpr_codec_decode_begin(cpr_codec *codec, const cpr_shard_info *info, cpr_source source,
                                  cpr_error *error);
cpr_status cpr_codec_decode_next(cpr_codec *codec, const uint8_t **block, size_t *bytes,
                                 cpr_error *error);

/* ---- what the model says of a text ----------------------------------------------------------- */

/* A text that is coded as cpr_codec_encode() codes a shard, but to know its loss alone: there is no
 * bitstream. Begins, then takes the text in blocks, all of CPR_BLOCK_BYTES but for the last one,
 * and says in *info, but for offset, generation and coded_hash, what the text has come to so far.
 * marks, which may be NULL, are of this block: offsets in the text from its first byte to the one
 * behind its last. */
void cpr_codec_measure_begin(cpr_codec *codec);
cpr_status cpr_codec_measure_next(cpr_codec *codec, const uint8_t *block, size_t bytes,
                                  const cpr_loss_marks *marks, cpr_shard_info *info,
                                  cpr_error *error);

/* The temperature, in thousandths, that leaves probabilities as they are. */
#define CPR_TEMPERATURE_AS_IT_IS 1000u

/* Draws a text from the model: begins a shard that has no stored blocks, learns the prompt, and
 * then decodes what `random`, which has no end, gives, at that temperature of each decision. A call
 * of the second gives one token, 1 to CPR_TOKEN_MAX_BYTES bytes, which live as long as the
 * vocabulary. Flags and ends of blocks have no say: a token may lie across two. */
cpr_status cpr_codec_draw_begin(cpr_codec *codec, const uint8_t *prompt, size_t prompt_bytes,
                                cpr_source random, uint32_t temperature, cpr_error *error);
cpr_status cpr_codec_draw_next(cpr_codec *codec, const uint8_t **token, size_t *bytes,
                               cpr_error *error);

/* ---- snapshots ------------------------------------------------------------------------------- */

/* Saves a codec between two blocks of a shard that it encodes, at the end of the file `fd`: from
 * within the progress function, or after that has stopped cpr_codec_encode(), whose marks must
 * still be there. The bitstream's bytes so far, which all have been given to `write`, are not part
 * of it. Neither syncs nor closes. */
cpr_status cpr_snapshot_write(cpr_codec *codec, int fd, cpr_error *error);

/* Loads a codec that was created alike, from the file's start, and tells how far it had got.
 * CPR_ERR_DAMAGED: not a sound snapshot of such a codec; the shard must be coded from its start,
 * which the codec is ready for. */
cpr_status cpr_snapshot_read(cpr_codec *codec, int fd, uint64_t *raw_bytes, uint64_t *coded_bytes,
                             cpr_error *error);

/* Shows a loaded codec the *coded_bytes bytes of bitstream that were written before the snapshot.
 * The next cpr_codec_encode() then goes on: its `read` must give the shard from its start (what is
 * coded already is only compared: CPR_ERR_CHANGED), its `write` gets the further bytes, its marks
 * must be those of the first run. CPR_ERR_DAMAGED: these are other bytes; start anew. */
cpr_status cpr_codec_resume(cpr_codec *codec, cpr_source written, cpr_error *error);

/* A small block of metadata (the vocabulary) coded with the model on single bytes. *coded is
 * malloc()ed, owned by the caller. Decoding needs to know the raw size; damage gives
 * CPR_ERR_DAMAGED. */
cpr_status cpr_blob_encode(const uint8_t *raw, size_t raw_bytes, uint8_t **coded,
                           size_t *coded_bytes, cpr_error *error);
cpr_status cpr_blob_decode(const uint8_t *coded, size_t coded_bytes, uint8_t **raw,
                           size_t *raw_bytes, cpr_error *error);

/* The weights, where the number of a shard may stand in the work directory. */
#define CPR_SHARD_WEIGHTS (UINT64_MAX - 2)

/* The packed weights of a taught network (cpr_lesson_pack()), at most 2^27 bytes. *coded is
 * malloc()ed, owned by the caller, as is *raw. Damage gives CPR_ERR_DAMAGED, and a text that says
 * what is wrong with "them". */
cpr_status cpr_weights_encode(const uint8_t *raw, size_t raw_bytes, uint8_t **coded,
                              size_t *coded_bytes, cpr_error *error);
cpr_status cpr_weights_decode(const uint8_t *coded, size_t coded_bytes, uint8_t **raw,
                              size_t *raw_bytes, cpr_error *error);

/* ---- noise ------------------------------------------------------------------------------------
 */

/* True if a block's byte values are all about equally frequent, as in compressed or encrypted data:
 * there is nothing to learn from it. Never of fewer than 4 KiB. */
bool cpr_block_is_noise(const uint8_t *block, size_t bytes);

/* ---- LZ4 meter
 * ----------------------------------------------------------------------------------- */

/* Size of the data, in blocks of 4 MiB, under LZ4 at its default level: the baseline of the audit.
 */
typedef struct cpr_lz4_meter cpr_lz4_meter;
cpr_lz4_meter *cpr_lz4_meter_create(void);
void cpr_lz4_meter_free(cpr_lz4_meter *meter);
void cpr_lz4_meter_add(cpr_lz4_meter *meter, const uint8_t *data, size_t bytes);
uint64_t cpr_lz4_meter_finish(cpr_lz4_meter *meter); /* total, and ready for the next shard */

/* ---- self-test ------------------------------------------------------------------------------- */

/* Codes and decodes a small built-in text as the profile does, and as the archive's tables are
 * coded, and compares the bitstreams with known ones, in less than 0.1 s: CPR_ERR_SELF_TEST if this
 * machine computes differently. NULL: the tables alone. *fingerprint is a hash of what it computed,
 * the same in all processes that can work on one archive together. */
cpr_status cpr_self_test(const struct cpr_profile *profile, uint64_t *fingerprint,
                         cpr_error *error);

#endif
