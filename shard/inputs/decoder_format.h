/* decoder_format.h - inside shard/inputs/: what decoder.c asks of a format's library. */
#ifndef CPR_DECODER_FORMAT_H
#define CPR_DECODER_FORMAT_H

#include "inputs.h"

/* What a step takes, and where it puts text; it moves both on. */
typedef struct cpr_step_buffers {
    const uint8_t *in;
    size_t in_bytes;
    uint8_t *out;
    size_t out_bytes;
} cpr_step_buffers;

typedef enum cpr_step {
    CPR_STEP_ON,       /* the stream goes on */
    CPR_STEP_ENDED,    /* its last byte has been taken, and all its text is out */
    CPR_STEP_DAMAGED,  /* it is no such stream, or fails its checks */
    CPR_STEP_TOO_LARGE /* it needs more memory than it may, or than there is */
} cpr_step;

/* A file consists of streams, one behind the other. */
typedef struct cpr_format {
    /* NULL: no memory. memory_bytes: that a stream may need; 0: any. */
    void *(*create)(uint64_t memory_bytes);
    void (*destroy)(void *state);
    bool (*begin)(void *state); /* a stream; false: no memory */
    cpr_step (*step)(void *state, cpr_step_buffers *buffers);
    bool padded; /* zeros may follow the last stream */
} cpr_format;

extern const cpr_format cpr_format_gzip;
extern const cpr_format cpr_format_zstd;
extern const cpr_format cpr_format_xz;
extern const cpr_format cpr_format_bzip2;
extern const cpr_format cpr_format_lz4;

#endif
