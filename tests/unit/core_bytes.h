/* core_bytes.h - what the two parts of the program core_bytes share. */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include "coder.h"
#include "model.h"

#define TEXT_BYTES ((size_t)90000)
#define CODED_CAPACITY (TEXT_BYTES * 2)

/* A text as tokens, and the vocabulary as it was learned and as its packed bytes give it. */
typedef struct core_material {
    const uint8_t *text;
    const uint16_t *tokens;
    size_t count;
    const cpr_vocabulary *learned;
    const cpr_vocabulary *unpacked;
} core_material;

_Noreturn void core_fail(const char *what);

/* From malloc(), or not at all. */
void *core_room(size_t bytes);

/* Prints the number and the hash of these bytes. */
void core_print(const char *what, const char *of, const uint8_t *data, size_t bytes);

/* A model for TEXT_BYTES. weights: NULL but for a taught network. */
cpr_model *core_model(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                      const cpr_weights *weights);

/* coded: what the encoder was initialized with, CODED_CAPACITY bytes. */
void core_encode(cpr_model *model, const uint16_t *tokens, size_t count, cpr_encoder *encoder,
                 const uint8_t *coded);

/* Decodes that many tokens to `text`, which has room for text_bytes. Returns how many it takes. */
size_t core_decode(cpr_model *model, const cpr_vocabulary *vocabulary, size_t count,
                   cpr_decoder *decoder, uint8_t *text, size_t text_bytes);

/* Holds a lesson, and codes and decodes a part of the text with what it gave. file: NULL, or where
 * that goes with all it takes to decode it. */
void core_teach(const core_material *material, const char *file);

/* Decodes what is in such a file, and prints what comes out. */
void core_read(const char *file);

#endif
