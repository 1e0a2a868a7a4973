/* library_facts.c - what the tables of an archive say. */
#include "archive.h"
#include "corpress.h"
#include "documents.h"
#include "model.h"

/* Whether decoding takes a network, or, if it is not known what it takes, a network has lost bits.
 */
static bool archive_has_network(const cpr_archive *archive, const cpr_archive_header *header)
{
    const cpr_profile *profile;
    if (cpr_archive_profile(archive, &profile, NULL) == CPR_OK)
        return cpr_profile_has_network(profile);
    for (uint64_t i = 0; i < header->shard_count; i++)
        if (header->shards[i].network_loss_bits > 0)
            return true;
    return false;
}

void cpr_archive_get_facts(const cpr_archive *archive, cpr_archive_facts *facts)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    *facts = (cpr_archive_facts){
        .profile = header->profile,
        .descriptor = header->model != NULL ? header->model : "",
        .files = cpr_file_list_count(header->files),
        .shards = header->shard_count,
        .raw_bytes = cpr_file_list_bytes(header->files),
        .archive_bytes = cpr_archive_file_bytes(archive),
        .shard_bytes = header->shard_bytes,
        .identity = cpr_archive_identity(archive),
        .sealed = cpr_archive_is_sealed(archive),
        .has_primer = header->primer != NULL,
        .has_network = archive_has_network(archive, header),
        .weights_bytes = header->coded_weights_bytes,
        .documents = cpr_document_index_count(cpr_archive_document_index(archive)),
    };
    facts->separator = cpr_file_list_separator(header->files, &facts->separator_bytes);
    if (header->primer != NULL)
        facts->coded_bytes = header->primer->coded_bytes;
    for (uint64_t i = 0; i < header->shard_count; i++)
        facts->coded_bytes += header->shards[i].coded_bytes;
}

uint64_t cpr_archive_shard_at(const cpr_archive *archive, uint64_t offset)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    if (offset >= cpr_file_list_bytes(header->files))
        return CPR_NONE;
    return cpr_shard_at(header->shards, header->shard_count, offset);
}

cpr_status cpr_archive_get(const cpr_archive *archive, uint64_t number, cpr_entry *entry,
                           cpr_error *error)
{
    const cpr_archive_header *header = cpr_archive_info(archive);
    const uint64_t count = cpr_file_list_count(header->files);
    if (number >= count)
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "there is no file %llu: the archive has %llu",
                        (unsigned long long)number, (unsigned long long)count);
    const cpr_file file = cpr_file_list_get(header->files, number);
    *entry = (cpr_entry){
        .number = number,
        .path = cpr_file_list_member(header->files, number),
        .link_target = cpr_file_list_link_target(header->files, number),
        .type = file.type,
        .mode = file.mode,
        .mtime_seconds = file.mtime_seconds,
        .mtime_nanoseconds = file.mtime_nanoseconds,
        .offset = cpr_file_list_offset(header->files, number),
        .bytes = file.bytes,
        .loss_bits = header->file_loss[number],
        .first_shard = CPR_NONE,
        .last_shard = CPR_NONE,
        .documents = file.documents,
        .is_rest = cpr_file_list_is_rest(header->files, number),
    };
    if (file.bytes > 0) {
        entry->first_shard = cpr_archive_shard_at(archive, entry->offset);
        entry->last_shard = cpr_archive_shard_at(archive, entry->offset + file.bytes - 1);
    }
    return CPR_OK;
}

cpr_status cpr_archive_find(const cpr_archive *archive, const char *path, cpr_entry *entry,
                            cpr_error *error)
{
    char shown[512];
    const uint64_t number = cpr_file_list_lookup(cpr_archive_info(archive)->files, path);
    if (number == UINT64_MAX)
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "no %s in the archive",
                        cpr_printable_path(path, shown, sizeof shown));
    return cpr_archive_get(archive, number, entry, error);
}
