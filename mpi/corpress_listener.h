/* corpress_listener.h - what the calls of corpress_mpi.h tell while they run. The conventions are
 * those of corpress_mpi.h, which includes this header. */
#ifndef CORPRESS_LISTENER_H
#define CORPRESS_LISTENER_H

#include "corpress.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef enum cpr_phase {
    CPR_PHASE_STREAMS,    /* reads pipes into the work directory */
    CPR_PHASE_INPUTS,     /* decodes compressed inputs, to learn what they hold */
    CPR_PHASE_VOCABULARY, /* samples the corpus and learns its tokens */
    CPR_PHASE_LESSON,     /* teaches a network, which the archive will hold */
    CPR_PHASE_PRIMER,     /* codes the primer */
    CPR_PHASE_SHARDS,     /* codes, decodes or examines shards */
    CPR_PHASE_PUBLISHING  /* writes the archive and checks it */
} cpr_phase;
const char *cpr_phase_name(cpr_phase phase); /* "streams", ...: static */

#define CPR_HOST_BYTES 64

/* What is about to be compressed, and with what. Lives as long as the call that tells it. */
typedef struct cpr_corpus_facts {
    uint64_t files;     /* directories and links count */
    uint64_t raw_bytes; /* without pipes, which are not read yet */
    int ranks;
    const char *hosts;  /* rank i's at i * CPR_HOST_BYTES; NULL: memory ran out */
    const char *kernel; /* the instruction set that the model uses */
    const char *blas;   /* the version of OpenBLAS, or a word that there is none */
} cpr_corpus_facts;

/* How far all ranks are. */
typedef struct cpr_run_progress {
    uint64_t items_done; /* shards; the primer is one, too */
    uint64_t raw_bytes;  /* of finished items and of those in work */
    uint64_t coded_bytes;
    uint64_t earlier_bytes; /* how many of the raw bytes an earlier run did */
} cpr_run_progress;

/* How far one rank is. */
typedef struct cpr_rank_progress {
    uint64_t item; /* in work; CPR_NONE: none */
    uint64_t raw_bytes;
    uint64_t coded_bytes;
    uint64_t resumed_bytes; /* raw bytes that an earlier run did of it */
    uint64_t done_bytes;    /* raw bytes of its finished items, without what an earlier run did */
    double done_seconds;
} cpr_rank_progress;

/* How far a lesson is, in which all ranks teach one network, step by step. */
typedef struct cpr_lesson_facts {
    uint32_t streams;                   /* that the sample is dealt out to */
    uint64_t sample_bytes, begun_bytes; /* noise included; in blocks that streams have begun */
    uint64_t earlier_bytes, sent_bytes; /* begun by an earlier run; sent to other nodes */
    uint64_t text_bytes, loss_bits;     /* learned from; what they cost, in units of 2^-16 bit */
    uint64_t steps, weights_bytes;      /* the latter in the archive; 0: it is not over */
    double seconds;                     /* of this run */
} cpr_lesson_facts;

/* How the loss grows while a shard is coded: sums up to `raw_bytes`, in units of 2^-16 bit. Point k
 * is after 2^k * 64 KiB, the last one after the whole shard. */
typedef struct cpr_loss_point {
    uint64_t raw_bytes, loss_bits, network_loss_bits;
} cpr_loss_point;
#define CPR_LOSS_POINTS 18

/* What became of one item. */
typedef struct cpr_item_result {
    uint64_t shard; /* or CPR_SHARD_PRIMER */
    uint64_t raw_bytes;
    uint64_t coded_bytes;
    uint64_t resumed_bytes; /* raw bytes of it that an earlier run had done */
    uint64_t lz4_bytes;     /* of the same raw bytes; 0 if not measured */
    cpr_hash128 raw_hash;   /* 0 if not known */
    double seconds;
    cpr_loss_point curve[CPR_LOSS_POINTS];
    uint32_t curve_points; /* 0 but with CPR_EXAMINE_CURVE */
    int32_t rank;
    int32_t bad;    /* a cpr_status: the item is damaged, the run goes on; else CPR_OK */
    cpr_error text; /* if bad: what is */
} cpr_item_result;

/* Told on rank 0 what happens, from within the call. Each function may be NULL, and a listener. */
typedef struct cpr_listener {
    void *context;
    /* The corpus is listed. */
    void (*corpus)(void *context, const cpr_corpus_facts *facts);
    /* A phase begins, in which `raw_bytes` bytes and `items` items will be done; 0: not known. */
    void (*phase)(void *context, cpr_phase phase, uint64_t raw_bytes, uint64_t items);
    void (*progress)(void *context, const cpr_run_progress *progress);
    void (*lesson)(void *context, const cpr_lesson_facts *lesson); /* now and then, at its end */
    void (*ranks)(void *context, const cpr_rank_progress *each, int size);
    void (*item)(void *context, const cpr_item_result *result);
    void (*note)(void *context, const char *text); /* something that the user should know */
    void (*warn)(void *context, const char *text); /* the same, and it may not be what was meant */
} cpr_listener;

#ifdef __cplusplus
}
#endif
#endif
