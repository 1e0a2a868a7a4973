/* library_inputs.c - what an archive says of the inputs that were decoded. */
#include "archive.h"
#include "corpress_inputs.h"

uint64_t cpr_archive_inputs(const cpr_archive *archive)
{
    return cpr_file_list_origins(cpr_archive_info(archive)->files);
}

cpr_status cpr_archive_input(const cpr_archive *archive, uint64_t number, cpr_input_facts *facts,
                             cpr_error *error)
{
    const cpr_file_list *files = cpr_archive_info(archive)->files;
    const uint64_t count = cpr_file_list_origins(files);
    if (number >= count)
        return cpr_fail(error, CPR_ERR_NOT_FOUND, "there is no input %llu: the archive has %llu",
                        (unsigned long long)number, (unsigned long long)count);
    const cpr_origin origin = cpr_file_list_origin(files, number);
    *facts = (cpr_input_facts){.path = origin.name,
                               .kind = cpr_input_kind_name(origin.kind),
                               .is_tar = origin.is_tar,
                               .bytes = origin.bytes,
                               .text_bytes = origin.text_bytes,
                               .first_file = origin.first,
                               .files = origin.files,
                               .hash = origin.hash};
    return CPR_OK;
}
