/* compress_bitstream.h - one bitstream, of a shard or of the primer, into the work directory. */
#ifndef CPR_COMPRESS_BITSTREAM_H
#define CPR_COMPRESS_BITSTREAM_H

#include "compress_run.h"

/* A bitstream that is coded into the work directory, with its snapshots. */
typedef struct cpr_bitstream_work {
    const cpr_compress_run *run; /* with a codec */
    uint64_t shard;              /* or CPR_SHARD_PRIMER */
    bool keep;                   /* false: another rank does the same, and saves its state */
    uint64_t save_at;            /* raw bytes after which a snapshot is worth more; 0: none */
    cpr_read_fn *read;
    void *read_context;
    void (*rewind)(void *read_context); /* `read` is to start again */
    cpr_loss_marks *marks;              /* may be NULL */
    cpr_progress_fn *progress;
    void *progress_context;
    cpr_work_shard *out; /* out: to be committed after success, and else abandoned; NULL: none */
    uint64_t raw_bytes;  /* so far */
    bool read_failed;
    double saved; /* when the last snapshot was taken, or coding began */
} cpr_bitstream_work;

/* Local. Goes on from a snapshot, if there is one, codes to the end, and takes snapshots now and
 * then, and one if it is stopped. A snapshot of other content than `read` gives is dropped, with a
 * warning, and coding starts anew. Fills *info but for its offset and generation. */
cpr_status cpr_compress_bitstream(cpr_bitstream_work *work, cpr_shard_info *info, cpr_error *error);

#endif
