/* library_reader.h - inside shard/library: what readers offer beside corpress.h. */
#ifndef CPR_LIBRARY_READER_H
#define CPR_LIBRARY_READER_H

#include "codec.h"
#include "corpress.h"

/* cpr_reader_stream() without a watch, that keeps text as cpr_reader_load() does. */
cpr_status cpr_reader_stream_kept(cpr_reader *reader, uint64_t offset, uint64_t bytes,
                                  cpr_sink sink, cpr_error *error);

cpr_archive *cpr_reader_archive(const cpr_reader *reader);

/* Primes the reader and lends its codec, for something else than the shard in work: that is left,
 * and begun anew when it is asked for. */
cpr_status cpr_reader_borrow(cpr_reader *reader, cpr_watch watch, cpr_codec **codec,
                             cpr_error *error);

#endif
