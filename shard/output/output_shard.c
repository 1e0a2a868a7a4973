/* output_shard.c - writes the files, and parts of files, that lie in one shard. */
#define _GNU_SOURCE
#include "file_io.h"
#include "output_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* True if all bytes of the file, at least one, lie in the shard. */
static bool is_whole(const cpr_output_tree *t, uint64_t file)
{
    const uint64_t start = cpr_file_list_offset(t->files, file);
    const uint64_t end = cpr_file_list_offset(t->files, file + 1);
    return start < end && start >= t->shard_start && end <= t->shard_end;
}

cpr_status cpr_output_shard_begin(cpr_output_tree *tree, const cpr_shard_info *shard,
                                  cpr_error *error)
{
    const uint64_t corpus = cpr_file_list_bytes(tree->files);
    if (shard->offset > corpus || shard->raw_bytes > corpus - shard->offset)
        return cpr_fail(error, CPR_ERR_DAMAGED, "a shard lies outside of the corpus");
    tree->writing = true;
    tree->shard_start = shard->offset;
    tree->shard_end = shard->offset + shard->raw_bytes;
    tree->at = shard->offset;
    tree->file = shard->raw_bytes > 0 ? cpr_file_list_find(tree->files, shard->offset) : 0;
    tree->created = tree->file;
    tree->first = tree->file;
    return CPR_OK;
}

/* Makes room to note which temporary file is that of t->file. */
static cpr_status reserve(cpr_output_tree *t, cpr_error *error)
{
    const size_t needed = (size_t)(t->file - t->first) + 1;
    if (needed <= t->made_capacity)
        return CPR_OK;
    const size_t capacity = needed + needed / 2 + 16;
    cpr_output_made *made = realloc(t->made, capacity * sizeof *made);
    if (made == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    t->made = made;
    t->made_capacity = capacity;
    return CPR_OK;
}

/* Opens the file that holds the next byte. */
static cpr_status open_file(cpr_output_tree *t, cpr_error *error)
{
    const uint64_t start = cpr_file_list_offset(t->files, t->file);
    const char *member = cpr_file_list_member(t->files, t->file);
    const char *name;
    int directory;
    cpr_status status;
    t->skipping = !cpr_output_selected(t, t->file);
    t->out.at = t->at - start;
    t->out.filled = 0;
    t->out.used = t->keep && !is_whole(t, t->file);
    status = reserve(t, error);
    if (status != CPR_OK)
        return status;
    if (t->skipping || !is_whole(t, t->file)) {
        t->created = t->file + 1;
    } else {
        status = cpr_output_create(t, t->file, CPR_OUTPUT_FAIL, &t->out.fd,
                                   &t->made[t->file - t->first], error);
        t->created = t->file + (status == CPR_OK);
        return status;
    }
    if (t->skipping)
        return CPR_OK;
    status = cpr_output_parent(&t->paths, member, CPR_OUTPUT_FAIL, &directory, &name, error);
    if (status != CPR_OK)
        return status;
    t->out.fd = cpr_output_open_part(t, t->file, directory, name);
    return t->out.fd < 0 ? cpr_output_fail(&t->paths, errno, "open", member, error) : CPR_OK;
}

/* Ends the open file: all its bytes in this shard are there. */
static cpr_status close_file(cpr_output_tree *t, cpr_error *error)
{
    const bool whole = is_whole(t, t->file);
    const uint64_t bytes = cpr_file_list_get(t->files, t->file).bytes;
    const int fd = t->out.fd;
    int code = cpr_output_file_flush(&t->out);
    /* Holes at the end count, too. */
    if (code == 0 && whole)
        code = cpr_io_truncate(fd, bytes);
    t->out.fd = -1;
    if (code == 0 && whole)
        return cpr_output_settle(t, t->file, fd, error);
    if (close(fd) != 0 && errno != EINTR && code == 0)
        code = errno;
    return code == 0 ? CPR_OK
                     : cpr_output_fail(&t->paths, code, "write",
                                       cpr_file_list_member(t->files, t->file), error);
}

cpr_status cpr_output_shard_write(void *tree, const uint8_t *data, size_t bytes, cpr_error *error)
{
    cpr_output_tree *t = tree;
    /* Where there is no thread to do it, this keeps the lock alive. A run that has lost its lock
     * still names only what is its own. */
    if (t->run.home.lock != NULL)
        (void)cpr_work_lock_lost(t->run.home.lock);
    if (bytes > t->shard_end - t->at)
        return cpr_fail(error, CPR_ERR_DAMAGED, "a shard decodes to more bytes than it should");
    while (bytes > 0) {
        const uint64_t end = cpr_file_list_offset(t->files, t->file + 1);
        const uint64_t left = (end < t->shard_end ? end : t->shard_end) - t->at;
        if (left > 0) {
            const size_t part = left < bytes ? (size_t)left : bytes;
            cpr_status status = t->created <= t->file ? open_file(t, error) : CPR_OK;
            if (status != CPR_OK)
                return status;
            const int code = t->skipping ? 0 : cpr_output_file_write(&t->out, data, part);
            if (code != 0)
                return cpr_output_fail(&t->paths, code, "write",
                                       cpr_file_list_member(t->files, t->file), error);
            data += part;
            bytes -= part;
            t->at += part;
            if (part == left && !t->skipping)
                status = close_file(t, error);
            if (status != CPR_OK)
                return status;
        }
        if (t->at == end)
            t->file++;
    }
    return CPR_OK;
}

cpr_status cpr_output_shard_end(cpr_output_tree *tree, bool good, cpr_error *error)
{
    cpr_status status = CPR_OK;
    cpr_error later;
    if (!tree->writing)
        return CPR_OK;
    if (tree->out.fd >= 0)
        close(tree->out.fd);
    tree->out.fd = -1;
    if (good && tree->at != tree->shard_end) {
        good = false;
        status = cpr_fail(error, CPR_ERR_DAMAGED, "a shard decodes to fewer bytes than it should");
    }
    tree->writing = false;
    if (tree->shard_start == tree->shard_end)
        return status;
    for (uint64_t i = tree->first; i < tree->created; i++) {
        if (!is_whole(tree, i) || !cpr_output_selected(tree, i))
            continue;
        /* After a failure the rest is removed: the caller will report this shard as bad. */
        const cpr_status one =
            cpr_output_name(tree, i, &tree->made[i - tree->first], good && status == CPR_OK,
                            status == CPR_OK ? error : &later);
        status = status == CPR_OK ? one : status;
    }
    return status;
}
