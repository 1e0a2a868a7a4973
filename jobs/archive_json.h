/* archive_json.h - the JSON that is about an archive. */
#ifndef CPR_ARCHIVE_JSON_H
#define CPR_ARCHIVE_JSON_H

#include "corpress.h"

/* Writes the beginning of a document to standard output: '{', what the archive is, and ",\n " for
 * the members that follow. */
void archive_json_begin(const char *path, const cpr_archive_facts *facts);

#endif
