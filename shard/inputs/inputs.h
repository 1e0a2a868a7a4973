/* inputs.h - the text in compressed files.
 *
 *   kind     -> what a file is, by its first bytes                        (input_kind.c)
 *   decoder  -> the text of a .gz, .zst, .xz, .bz2 or .lz4 file          (decoder*.c)
 *   parquet  -> a column of a Parquet file as text             (parquet.h, parquet*.c)
 *   tar      -> the members of a tar                                   (tar.h, tar*.c)
 *   records  -> what is known of a file, by looking into it once       (input_*.h, .c)
 *   parquet  -> a column of a Parquet file: see parquet.h                 (parquet*.c)
 *
 * Nothing here depends on where the text goes. */
#ifndef CPR_INPUTS_H
#define CPR_INPUTS_H

#include "base.h"

/* ---- kind ------------------------------------------------------------------------------------ */

typedef enum cpr_input_kind {
    CPR_INPUT_PLAIN = 0, /* none of the others */
    CPR_INPUT_GZIP = 1,
    CPR_INPUT_ZSTD = 2,
    CPR_INPUT_XZ = 3,
    CPR_INPUT_BZIP2 = 4,
    CPR_INPUT_LZ4 = 5,
    CPR_INPUT_PARQUET = 6,
    CPR_INPUT_ZIP = 7, /* from here on: known, and not decoded */
    CPR_INPUT_7Z = 8,
    CPR_INPUT_CORPRESS = 9
} cpr_input_kind;

/* Bytes of a file's beginning that tell its kind. */
#define CPR_INPUT_HEAD_BYTES 20u

/* The kind of a file that begins so; of a shorter one, `bytes` is less than the above. */
cpr_input_kind cpr_input_kind_of(const uint8_t *head, size_t bytes);

/* Whether a file of that kind may go on so behind a stream. */
bool cpr_input_kind_goes_on(cpr_input_kind kind, const uint8_t *head, size_t bytes);

/* A word, such as "gzip"; "plain" for CPR_INPUT_PLAIN. */
const char *cpr_input_kind_name(cpr_input_kind kind);

/* Whether cpr_decoder_open() takes it; Parquet with a column alone. */
bool cpr_input_kind_is_decoded(cpr_input_kind kind);

/* The hash of a file of `bytes` that is open, or of what there is of them. poll: may be NULL. */
cpr_status cpr_input_hash(int fd, uint64_t bytes, const char *path, cpr_poll_fn *poll,
                          void *poll_context, cpr_hash128 *hash, cpr_error *error);

/* ---- decoder --------------------------------------------------------------------------------- */

/* A place where a decoder can begin: byte `source` of the file, where the text's byte `text` comes
 * from. */
typedef struct cpr_seek_point {
    uint64_t source; /* of Parquet, a row group */
    uint64_t text;
} cpr_seek_point;

/* The most bytes of text for each byte of a file, if nothing else is said. */
#define CPR_DECODE_LIMIT_DEFAULT ((uint64_t)1000)

/* How files are decoded. */
typedef struct cpr_decoding {
    const char *text_column; /* of Parquet; NULL: such files are not decoded */
    uint64_t memory_bytes;   /* that a decoder may need, 0: any */
} cpr_decoding;

/* The text in one compressed file, from its first byte to its last. Decodes forward, without going
 * back; memory does not grow with the file. */
typedef struct cpr_decoder cpr_decoder;

/* Decodes the file `fd` of file_bytes, which stays the caller's; `path` is for messages. Both must
 * live as long as the decoder. CPR_ERR_NO_MEMORY. */
cpr_status cpr_decoder_open(cpr_input_kind kind, int fd, uint64_t file_bytes, const char *path,
                            const cpr_decoding *how, cpr_decoder **decoder, cpr_error *error);
void cpr_decoder_close(cpr_decoder *decoder);

/* How many columns of a Parquet file are not decoded, and their names, shortened; else 0. */
unsigned cpr_decoder_left_out(const cpr_decoder *decoder, char *names, size_t capacity);

/* Adds all bytes of the file that are read to a hash; before the first cpr_decoder_read(), and not
 * of Parquet. */
cpr_status cpr_decoder_hash_source(cpr_decoder *decoder, cpr_error *error);
cpr_hash128 cpr_decoder_source_hash(const cpr_decoder *decoder);

/* Goes on at a place that cpr_decoder_point() gave for this file; {0, 0} is the beginning. */
cpr_status cpr_decoder_seek(cpr_decoder *decoder, cpr_seek_point point, cpr_error *error);

/* The next bytes of the text: as many as there are, up to `capacity`; fewer only at its end.
 * CPR_ERR_DAMAGED: the file is cut off, damaged, or goes on with something else; *got bytes are the
 * text before that. CPR_ERR_NO_MEMORY: it needs more than it may, CPR_ERR_IO, CPR_ERR_USAGE: what
 * the decoder does not take. */
cpr_status cpr_decoder_read(cpr_decoder *decoder, uint8_t *out, size_t capacity, size_t *got,
                            cpr_error *error);

/* The last place that has been passed where a decoder could begin. */
cpr_seek_point cpr_decoder_point(const cpr_decoder *decoder);

/* The number of the text's byte that comes next, and of bytes of the file that were needed so far.
 */
uint64_t cpr_decoder_text(const cpr_decoder *decoder);
uint64_t cpr_decoder_source(const cpr_decoder *decoder);

#endif
