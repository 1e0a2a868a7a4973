/* object_header.h - inside shard/: looks at the header of an HDF5 object before HDF5 does.
 *
 * HDF5 1.10 believes the size of a fill value, and copies as many bytes from behind the header.
 */
#ifndef CPR_OBJECT_HEADER_H
#define CPR_OBJECT_HEADER_H

#include "archive_image.h"

/* Whether the header at `at` of the file is one that HDF5 may read: it is whole, and tells no fill
 * value. Of one in several pieces the first is looked at; it is refused if `in_one_piece`. Local.
 */
bool cpr_object_header_is_safe(cpr_image *image, uint64_t at, bool in_one_piece);

#endif
