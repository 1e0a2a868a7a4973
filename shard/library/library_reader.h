/* library_reader.h - inside shard/library: what readers offer beside corpress.h. */
#ifndef CPR_LIBRARY_READER_H
#define CPR_LIBRARY_READER_H

#include "corpress.h"

/* cpr_reader_stream() without a watch, that keeps text as cpr_reader_load() does. */
cpr_status cpr_reader_stream_kept(cpr_reader *reader, uint64_t offset, uint64_t bytes,
                                  cpr_sink sink, cpr_error *error);

cpr_archive *cpr_reader_archive(const cpr_reader *reader);

#endif
