/* compress_publish.c - from finished shards to an archive under its final name. */
#include "archive.h"
#include "compress_progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rank 0: facts of the primer. */
static cpr_status primer_facts(const cpr_compress_run *run, cpr_shard_info *primer,
                               cpr_error *error)
{
    if (run->plan.primer_bytes == 0)
        return CPR_OK;
    return cpr_work_shard_info(run->work.dir, CPR_SHARD_PRIMER, primer, NULL, error);
}

/* What the archive's tables are made from. */
typedef struct publication {
    cpr_shard_info *shards;
    uint64_t *file_loss;
    uint8_t *states; /* of the separator of documents, in front of each shard */
    uint8_t *documents;
    size_t documents_bytes;
} publication;

static void publication_free(publication *p)
{
    free(p->shards);
    free(p->file_loss);
    free(p->states);
    free(p->documents);
}

/* Takes what the work directory's shard i says of its files. */
static cpr_status publication_add(const cpr_compress_run *run, publication *p, uint64_t i,
                                  const cpr_work_details *details, cpr_error *error)
{
    const uint64_t first = cpr_file_list_find(run->plan.files, p->shards[i].offset);
    if (details->files > cpr_file_list_count(run->plan.files) - first)
        return cpr_fail(error, CPR_ERR_DAMAGED,
                        "the work directory's shard %llu has more files than the corpus",
                        (unsigned long long)i);
    for (size_t f = 0; f < details->files; f++)
        p->file_loss[first + f] += details->file_loss[f];
    p->states[i] = details->state;
    if (details->documents_bytes == 0)
        return CPR_OK;
    uint8_t *documents = realloc(p->documents, p->documents_bytes + details->documents_bytes);
    if (documents == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the counts of documents");
    p->documents = documents;
    memcpy(documents + p->documents_bytes, details->documents, details->documents_bytes);
    p->documents_bytes += details->documents_bytes;
    return CPR_OK;
}

/* Rank 0: facts of all shards, each file's loss summed over the shards that hold it, and the counts
 * of documents. */
static cpr_status publication_gather(const cpr_compress_run *run, publication *p, cpr_error *error)
{
    const size_t files = (size_t)cpr_file_list_count(run->plan.files);
    const size_t shards = (size_t)run->plan.shard_count;
    cpr_status status = CPR_OK;
    p->shards = calloc(shards + 1, sizeof *p->shards);
    p->file_loss = calloc(files + 1, sizeof *p->file_loss);
    p->states = calloc(shards + 1, 1);
    if (p->shards == NULL || p->file_loss == NULL || p->states == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for the archive's tables");
    for (uint64_t i = 0; status == CPR_OK && i < run->plan.shard_count; i++) {
        cpr_work_details details;
        status = cpr_work_shard_info(run->work.dir, i, &p->shards[i], &details, error);
        if (status == CPR_OK)
            status = publication_add(run, p, i, &details, error);
        free(details.own);
    }
    return status;
}

/* A cpr_compress_step of rank 0: the archive without bitstreams. */
static cpr_status publish_create(cpr_compress_run *run, cpr_error *error)
{
    publication p = {.shards = NULL};
    cpr_shard_info primer;
    cpr_status status = primer_facts(run, &primer, error);
    if (status == CPR_OK)
        status = publication_gather(run, &p, error);
    if (status == CPR_OK) {
        char model[CPR_DESCRIPTOR_MAX_BYTES + 1];
        cpr_codec_descriptor(run->engine.profile, model);
        cpr_archive_header header = {.model = model,
                                     .shard_bytes = run->options.shard_bytes,
                                     .vocabulary = run->engine.packed_vocabulary,
                                     .vocabulary_bytes = run->engine.packed_vocabulary_bytes,
                                     .files = run->plan.files,
                                     .file_loss = p.file_loss,
                                     .shards = p.shards,
                                     .shard_count = run->plan.shard_count,
                                     .primer = run->plan.primer_bytes > 0 ? &primer : NULL,
                                     .coded_weights = run->engine.coded_weights,
                                     .coded_weights_bytes = run->engine.coded_weights_bytes,
                                     .document_states = p.states,
                                     .documents = p.documents,
                                     .documents_bytes = p.documents_bytes};
        strncpy(header.profile, cpr_profile_name(run->options.profile), sizeof header.profile - 1);
        status = cpr_archive_create(run->temporary_path, &header, error);
    }
    publication_free(&p);
    return status;
}

/* A cpr_bitstream_fn: from the work directory. */
static cpr_status read_work(void *context, uint64_t shard, uint64_t offset, uint8_t *out,
                            size_t bytes, cpr_error *error)
{
    const cpr_compress_run *run = context;
    return cpr_work_shard_read(run->work.dir, shard, offset, out, bytes, error);
}

/* The first of rank i's shards when they are dealt out in order. */
static uint64_t first_of(const cpr_compress_run *run, uint64_t shards, int rank)
{
    const uint64_t size = (uint64_t)cpr_ranks_size(run->ranks);
    const uint64_t each = shards / size;
    const uint64_t more = shards % size;
    const uint64_t r = (uint64_t)rank;
    return r * each + (r < more ? r : more);
}

/* All ranks at the same time, or rank 0 alone. */
static cpr_status publish_write_bitstreams(cpr_compress_run *run, cpr_error *error)
{
    const cpr_ranks *ranks = run->ranks;
    const bool alone = run->options.alone;
    cpr_status status = CPR_OK;
    if (!alone || cpr_ranks_rank(ranks) == 0)
        status = cpr_archive_write_bitstreams(run->temporary_path, (unsigned)cpr_ranks_rank(ranks),
                                              alone ? 1 : (unsigned)cpr_ranks_size(ranks),
                                              read_work, run, error);
    return cpr_ranks_agree(run->ranks, status, error);
}

/* COLLECTIVE. Each rank checks its part of an archive. */
static cpr_status archive_read_back(cpr_compress_run *run, const char *path, cpr_error *error)
{
    cpr_archive *archive = NULL;
    cpr_status status = cpr_archive_open(path, &archive, error);
    if (status == CPR_OK) {
        run->archive_bytes = cpr_archive_file_bytes(archive);
        const uint64_t shards = cpr_archive_info(archive)->shard_count;
        const uint64_t end = first_of(run, shards, cpr_ranks_rank(run->ranks) + 1);
        const uint8_t *vocabulary;
        size_t vocabulary_bytes;
        if (cpr_ranks_is_first(run->ranks))
            status = cpr_archive_vocabulary(archive, &vocabulary, &vocabulary_bytes, error);
        if (status == CPR_OK && cpr_ranks_is_first(run->ranks) &&
            cpr_archive_info(archive)->primer != NULL)
            status = cpr_archive_check_coded(archive, CPR_SHARD_PRIMER, error);
        for (uint64_t i = first_of(run, shards, cpr_ranks_rank(run->ranks));
             status == CPR_OK && i < end; i++)
            status = cpr_archive_check_coded(archive, i, error);
        cpr_archive_close(archive);
    }
    return cpr_ranks_agree(run->ranks, status, error);
}

cpr_status cpr_compress_check_archive(cpr_compress_run *run, cpr_error *error)
{
    return archive_read_back(run, run->options.archive_path, error);
}

/* A name that is this attempt's alone, the same on all ranks. */
static cpr_status publish_name_temporary(cpr_compress_run *run, cpr_error *error)
{
    uint8_t *name = NULL;
    size_t bytes = 0;
    cpr_status status = CPR_OK;
    if (cpr_ranks_is_first(run->ranks)) {
        name = (uint8_t *)cpr_work_archive_path(run->options.archive_path);
        if (name != NULL)
            bytes = strlen((char *)name) + 1;
        else
            status = cpr_fail(error, CPR_ERR_NO_MEMORY, "no memory for a path");
    }
    status = cpr_ranks_agree(run->ranks, status, error);
    if (status == CPR_OK)
        status = cpr_ranks_broadcast(run->ranks, &name, &bytes, error);
    run->temporary_path = (char *)name;
    return status;
}

/* A cpr_compress_step of rank 0. */
static cpr_status publish_seal(cpr_compress_run *run, cpr_error *error)
{
    return cpr_archive_seal(run->temporary_path, error);
}

/* A cpr_compress_step of rank 0: gives the archive its name. The work directory then knows that
 * this was done. */
static cpr_status publish_rename(cpr_compress_run *run, cpr_error *error)
{
    if (cpr_work_lock_lost(run->work.lock))
        return cpr_fail(error, CPR_ERR_BUSY, "another job has taken over the work directory");
    const cpr_status status = cpr_work_mark_published(run->work.dir, run->temporary_path, error);
    if (status != CPR_OK)
        return status;
    return cpr_archive_publish(run->temporary_path, run->options.archive_path,
                               run->options.overwrite, error);
}

/* Each rank removes its part of what the archive holds now: removing large files takes its time,
 * and rank 0 would be at it alone. What goes wrong goes wrong again when it removes the rest. */
static void work_drop_shards(cpr_compress_run *run)
{
    const uint64_t end = first_of(run, run->plan.shard_count, cpr_ranks_rank(run->ranks) + 1);
    for (uint64_t i = first_of(run, run->plan.shard_count, cpr_ranks_rank(run->ranks)); i < end;
         i++)
        (void)cpr_work_shard_drop(run->work.dir, i, NULL);
}

cpr_status cpr_compress_publish(cpr_compress_run *run, cpr_error *error)
{
    cpr_compress_phase(run, CPR_PHASE_PUBLISHING, 0, 0);
    cpr_status status = publish_name_temporary(run, error);
    if (status == CPR_OK)
        status = cpr_compress_on_first(run, publish_create, error);
    if (status == CPR_OK)
        status = publish_write_bitstreams(run, error);
    if (status == CPR_OK)
        status = cpr_compress_on_first(run, publish_seal, error);
    if (status == CPR_OK)
        status = archive_read_back(run, run->temporary_path, error);
    if (status == CPR_OK)
        status = cpr_compress_on_first(run, publish_rename, error);
    if (status == CPR_OK)
        work_drop_shards(run);
    else if (cpr_ranks_is_first(run->ranks) && run->temporary_path != NULL)
        unlink(run->temporary_path);
    return status;
}
