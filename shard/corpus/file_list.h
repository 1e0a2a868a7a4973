/* file_list.h - inside shard/: how the list is filled. */
#ifndef CPR_FILE_LIST_H
#define CPR_FILE_LIST_H

#include "corpus.h"

#include <stdbool.h>
#include <sys/stat.h>

/* Longest path that a list takes, in bytes. */
#define CPR_PATH_MAX_BYTES ((size_t)32 << 10)

/* Appends an entry. The member path is `source + skip`; of a stream skip is strlen(source) + 1, and
 * the member path stands behind the source's NUL. If the list has that member path already,
 * nothing is appended and *known is its index (the status is CPR_OK); else UINT64_MAX. */
cpr_status cpr_file_list_append(cpr_file_list *list, const char *source, size_t skip,
                                const cpr_file *file, const char *link_target, uint64_t *known,
                                cpr_error *error);

/* A number that another ctime would hardly give: cpr_file.change. */
uint32_t cpr_file_change_mark(const struct stat *facts);

/* Marks what `path` leads to as read by this list. False if it can be read only once, and is
 * marked already. */
bool cpr_file_list_claim(cpr_file_list *list, const char *path, const struct stat *facts);

/* Appends a file of the origin that was added last: `text` and `rest` as in cpr_piece. *known as
 * above. */
cpr_status cpr_file_list_append_piece(cpr_file_list *list, const char *member, const cpr_file *file,
                                      uint64_t text, bool rest, uint64_t *known, cpr_error *error);

/* The name of what a compressed file holds, without its suffix, or the name itself; malloc()ed,
 * NULL: no memory. */
char *cpr_file_list_text_name(const char *name);

/* All files that the last origin stands for have been appended. */
void cpr_file_list_end_origin(cpr_file_list *list);

/* Appends a regular file of 0 bytes, the source of which is `path` until
 * cpr_file_list_set_stream(). CPR_ERR_USAGE if there is such a member. */
cpr_status cpr_file_list_append_stream(cpr_file_list *list, const char *path, const char *member,
                                       cpr_error *error);

/* Sets the number of bytes of the i-th stream, and where they are; NULL: as before. */
cpr_status cpr_file_list_set_stream(cpr_file_list *list, size_t i, const char *source,
                                    uint64_t bytes, cpr_error *error);

/* Remembers a link that the user named, for cpr_file_list_judge(). */
void cpr_file_list_note_link(cpr_file_list *list, uint64_t i);
size_t cpr_file_list_noted_links(const cpr_file_list *list);
uint64_t cpr_file_list_noted_link(const cpr_file_list *list, size_t i);

/* Counts an input that cannot be read; `text` says which and why. */
void cpr_unreadable_add(cpr_unreadable *unreadable, const char *text);

/* Makes room for `count` entries more with `bytes` bytes of paths, NULs included. False: no memory.
 */
bool cpr_file_list_reserve(cpr_file_list *list, size_t count, size_t bytes);

#endif
