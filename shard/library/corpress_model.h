/* corpress_model.h - the model that an archive's corpus has taught, put to other uses: what it says
 * of a text, and texts that are drawn from it. The conventions are those of corpress.h.
 *
 * The model is the one that the archive's shards begin with: what was learned from the primer, and
 * the network if there is one. Without a primer it knows the corpus' vocabulary, and the weights of
 * a network that was taught, but has read nothing yet. The same archive says the same on every
 * machine. */
#ifndef CORPRESS_MODEL_H
#define CORPRESS_MODEL_H

#include "corpress.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Puts 1 to `capacity` bytes at `out` and their number in *got; 0: no more. */
typedef cpr_status cpr_read_fn(void *context, uint8_t *out, size_t capacity, size_t *got,
                               cpr_error *error);
typedef struct cpr_source { /* where bytes come from */
    cpr_read_fn *read;
    void *context;
} cpr_source;

/* ---- what a text costs ---------------------------------------------------------------------- */

typedef struct cpr_score {
    uint64_t bytes;             /* of the text */
    uint64_t stored_bytes;      /* of them, those that went past the model, at 8 bits a byte */
    uint64_t tokens;            /* that the others were cut into */
    uint64_t loss_bits;         /* sum of -log2 p, in units of 2^-16 bit */
    uint64_t network_loss_bits; /* of the network alone, in the same units; 0: there is none */
    uint64_t documents;
} cpr_score;

/* A document of the text. Its bytes are those from its first one to the next document's, so that
 * the documents' bytes and losses sum up to the text's. The loss is that of the tokens that begin
 * in it. */
typedef struct cpr_document_score {
    uint64_t number; /* from 0 */
    uint64_t offset; /* in the text */
    uint64_t bytes;  /* at least 1 */
    uint64_t loss_bits;
} cpr_document_score;
typedef cpr_status cpr_document_score_fn(void *context, const cpr_document_score *document,
                                         cpr_error *error);

typedef struct cpr_score_options {
    const char *documents; /* what a document is, as --documents takes it; NULL: by the name */
    const char *name;      /* of the text, for its ending alone; NULL: none */
    cpr_document_score_fn *document; /* called for each; NULL: nobody is */
    void *document_context;
    cpr_watch watch; /* told bytes of the text */
} cpr_score_options;

/* Codes a text as compress would code it as a shard of the archive, and says what it costs; what is
 * coded goes nowhere. The text of a shard costs what cpr_archive_shard() says of it. A text that is
 * longer than the archive's shards, and than its --shard-size, is taken in shards of that size; a
 * document may lie in several. Primes the reader. Needs 1 MB for documents. CPR_ERR_USAGE: no such
 * rule; CPR_ERR_NO_MEMORY; what priming gives, and what the source and the functions return. One
 * thread a reader. */
cpr_status cpr_reader_score(cpr_reader *reader, cpr_source text, const cpr_score_options *options,
                            cpr_score *score, cpr_error *error);

/* ---- texts that are drawn -------------------------------------------------------------------- */

#define CPR_TEMPERATURE_MAX 1000000u

typedef struct cpr_draw_options {
    const uint8_t *prompt; /* what the model reads first; NULL: nothing, it goes on where the */
    size_t prompt_bytes;   /* primer ends */
    uint64_t bytes;        /* to draw: 0 to CPR_SHARD_BYTES_MAX */
    uint64_t seed;         /* the same one draws the same text, on every machine */
    uint32_t temperature;  /* in thousandths: 1000 as the model has it, 0 always what is likelier */
} cpr_draw_options;

/* Draws a text: the archive's decoder, given random bits instead of a bitstream. They are the
 * numbers of SplitMix64 (Steele, Lea, Flood 2014) from that seed on, highest bits first. At
 * temperature 1000 a text is drawn with a probability of at least 2^-loss: a text can be coded in
 * several ways, of which compress uses one. Else the odds of each decision, of which a token takes
 * one or several, are taken to the power 1000 / temperature. The sink gets the text without the
 * prompt, token by token; the last one may be cut. The watch is told bytes of the text, about every
 * 64 KiB. Primes the reader. CPR_ERR_USAGE: too many bytes, or a temperature above
 * CPR_TEMPERATURE_MAX; what priming gives, and what the functions return. One thread a reader. */
cpr_status cpr_reader_draw(cpr_reader *reader, const cpr_draw_options *options, cpr_sink sink,
                           cpr_watch watch, cpr_error *error);

#ifdef __cplusplus
}
#endif
#endif
