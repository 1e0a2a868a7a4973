/* model_steps.c - what the steps of a job cost that do not code: per file, per shard, per byte.
 *
 *   model_steps TREE TEXT SHARDS [SHARD_BYTES=262144]
 *
 * Lists TREE, learns a vocabulary from TEXT as if it were the sample, and makes an archive of
 * SHARDS shards of bytes that nobody coded, in the current directory, one process alone. Prints
 * "name value unit" lines; what is read has just been written, so it comes from memory. */
#include "archive.h"
#include "model.h"
#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLE_BLOCK 65536

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds since *start, which becomes now. */
static double lap(double *start)
{
    const double before = *start;
    *start = wall_seconds();
    return *start - before;
}

static cpr_status list_tree(const char *tree, cpr_file_list **files, cpr_error *error)
{
    double start = wall_seconds();
    *files = cpr_file_list_create();
    cpr_status status = *files != NULL ? cpr_file_list_add(*files, tree, NULL, error)
                                       : cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    if (status != CPR_OK)
        return status;
    const double count = (double)cpr_file_list_count(*files);
    printf("files %.0f\nlist %.2f us/file\n", count, 1e6 * lap(&start) / count);
    size_t bytes = 0;
    uint8_t *packed = cpr_file_list_pack(*files, &bytes);
    cpr_file_list *other = NULL;
    if (packed == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    status = cpr_file_list_unpack(packed, bytes, &other, error);
    if (status == CPR_OK)
        printf("list_packed %.1f bytes/file\nlist_pack_unpack %.2f us/file\n",
               (double)bytes / count, 1e6 * lap(&start) / count);
    cpr_file_list_free(other);
    free(packed);
    return status;
}

/* As much of the text as a sample has at most. */
static uint8_t *read_text(const char *path, size_t *bytes)
{
    const size_t most = (size_t)32 << 20;
    FILE *in = fopen(path, "rb");
    uint8_t *text = malloc(most);
    *bytes = in != NULL && text != NULL ? fread(text, 1, most, in) : 0;
    if (in != NULL)
        fclose(in);
    return text;
}

static cpr_status learn(const char *path, cpr_vocabulary **vocabulary, cpr_error *error)
{
    const uint64_t terabyte = UINT64_C(1000000000000);
    size_t bytes = 0;
    size_t packed_bytes = 0;
    uint8_t *text = read_text(path, &bytes);
    cpr_word_counts *counts = cpr_word_counts_create();
    uint8_t *packed = NULL;
    bool good = text != NULL && counts != NULL && bytes > 0;
    double start = wall_seconds();
    for (size_t at = 0; good && at < bytes; at += SAMPLE_BLOCK)
        good = cpr_word_counts_add(counts, text + at,
                                   bytes - at < SAMPLE_BLOCK ? bytes - at : SAMPLE_BLOCK);
    if (good)
        printf("sample %.1f MB\ncount_words %.3f s/sample\n", 1e-6 * (double)bytes, lap(&start));
    packed = good ? cpr_word_counts_pack(counts, &packed_bytes) : NULL;
    if (packed != NULL)
        printf("counts_packed %.2f MB\npack_counts %.3f s\n", 1e-6 * (double)packed_bytes,
               lap(&start));
    good = packed != NULL && cpr_word_counts_merge(counts, packed, packed_bytes);
    if (good)
        printf("merge_counts %.3f s\n", lap(&start));
    *vocabulary =
        good ? cpr_profile_vocabulary(cpr_profile_find("balanced"), counts, terabyte) : NULL;
    if (*vocabulary != NULL)
        printf("learn %.3f s\n", lap(&start));
    free(packed);
    free(text);
    cpr_word_counts_free(counts);
    return *vocabulary != NULL ? CPR_OK : cpr_fail(error, CPR_ERR_IO, "cannot learn from %s", path);
}

/* Shards of a corpus with the files' bytes, dealt out evenly. */
typedef struct shards {
    const cpr_file_list *files;
    cpr_work_dir *work;
    uint64_t count;
    size_t bytes;
    uint8_t *data;
    cpr_shard_info *info;
    uint64_t *file_loss;
} shards;

static cpr_status put_shard(shards *s, uint64_t i, cpr_error *error)
{
    const uint64_t total = cpr_file_list_bytes(s->files);
    const uint64_t start = total / s->count * i;
    const uint64_t end = i + 1 == s->count ? total : total / s->count * (i + 1);
    const uint64_t files =
        cpr_file_list_find(s->files, end - 1) - cpr_file_list_find(s->files, start) + 1;
    memcpy(s->data, &i, sizeof i);
    const cpr_shard_info info = {.offset = start,
                                 .raw_bytes = end - start,
                                 .coded_bytes = s->bytes,
                                 .coded_hash = cpr_hash_bytes(s->data, s->bytes)};
    cpr_work_shard *out = NULL;
    uint64_t *loss = calloc(files, sizeof *loss);
    cpr_status status = loss != NULL ? cpr_work_shard_begin(s->work, i, &out, error)
                                     : cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    if (status == CPR_OK)
        status = cpr_work_shard_write(out, s->data, s->bytes, error);
    if (status == CPR_OK)
        status = cpr_work_shard_commit(
            out, &info, &(cpr_work_details){.file_loss = loss, .files = files}, error);
    free(loss);
    return status;
}

static cpr_status put_shards(shards *s, cpr_error *error)
{
    double start = wall_seconds();
    cpr_status status = cpr_work_dir_open("model.h5", true, &s->work, error);
    for (uint64_t i = 0; status == CPR_OK && i < s->count; i++)
        status = put_shard(s, i, error);
    if (status == CPR_OK)
        printf("shards %llu of %zu bytes\nput_shard %.3f ms/shard\n", (unsigned long long)s->count,
               s->bytes, 1e3 * lap(&start) / (double)s->count);
    cpr_work_scan scan;
    uint8_t *marks = calloc(s->count, 1);
    if (status == CPR_OK && marks != NULL)
        status = cpr_work_dir_scan(s->work, &scan, marks, s->count, error);
    if (status == CPR_OK)
        printf("scan %.2f us/shard\n", 1e6 * lap(&start) / (double)s->count);
    free(marks);
    return status;
}

/* What rank 0 does alone at the beginning of publishing. */
static cpr_status create_archive(shards *s, const cpr_vocabulary *vocabulary, cpr_error *error)
{
    cpr_status status = CPR_OK;
    double start = wall_seconds();
    for (uint64_t i = 0; status == CPR_OK && i < s->count; i++) {
        cpr_work_details details;
        status = cpr_work_shard_info(s->work, i, &s->info[i], &details, error);
        free(details.own);
    }
    if (status != CPR_OK)
        return status;
    printf("gather_facts %.2f us/shard\n", 1e6 * lap(&start) / (double)s->count);
    size_t bytes = 0;
    uint8_t *packed = cpr_vocabulary_pack(vocabulary, &bytes);
    if (packed == NULL)
        return cpr_fail(error, CPR_ERR_NO_MEMORY, "out of memory");
    cpr_archive_header header = {.profile = "balanced",
                                 .model = "mixing 1",
                                 .shard_bytes = CPR_SHARD_BYTES_DEFAULT,
                                 .vocabulary = packed,
                                 .vocabulary_bytes = bytes,
                                 .files = s->files,
                                 .file_loss = s->file_loss,
                                 .shards = s->info,
                                 .shard_count = s->count};
    status = cpr_archive_create("model.h5.tmp", &header, error);
    if (status == CPR_OK)
        printf("create_tables %.3f s\n", lap(&start));
    free(packed);
    return status;
}

/* A cpr_bitstream_fn. */
static cpr_status read_work(void *context, uint64_t shard, uint64_t offset, uint8_t *out,
                            size_t bytes, cpr_error *error)
{
    const shards *s = context;
    return cpr_work_shard_read(s->work, shard, offset, out, bytes, error);
}

static cpr_status publish(shards *s, cpr_error *error)
{
    const double megabytes = 1e-6 * (double)s->bytes * (double)s->count;
    double start = wall_seconds();
    cpr_status status = cpr_archive_write_bitstreams("model.h5.tmp", 0, 1, read_work, s, error);
    if (status == CPR_OK)
        printf("write_bitstreams %.0f MB/s\n", megabytes / lap(&start));
    if (status == CPR_OK)
        status = cpr_archive_seal("model.h5.tmp", error);
    if (status == CPR_OK)
        printf("seal_and_sync %.3f s\n", lap(&start));
    cpr_archive *archive = NULL;
    if (status == CPR_OK)
        status = cpr_archive_open("model.h5.tmp", &archive, error);
    if (status == CPR_OK)
        printf("open %.3f s\n", lap(&start));
    for (uint64_t i = 0; status == CPR_OK && i < s->count; i++)
        status = cpr_archive_check_coded(archive, i, error);
    if (status == CPR_OK)
        printf("check %.0f MB/s\n", megabytes / lap(&start));
    cpr_archive_close(archive);
    cpr_work_dir_close(s->work);
    s->work = NULL;
    start = wall_seconds();
    if (status == CPR_OK)
        status = cpr_work_dir_remove("model.h5", NULL, error);
    if (status == CPR_OK)
        printf("remove_work %.2f us/shard\n", 1e6 * lap(&start) / (double)s->count);
    return status;
}

int main(int argc, char **argv)
{
    cpr_error error = {.text = ""};
    cpr_file_list *files = NULL;
    cpr_vocabulary *vocabulary = NULL;
    if (argc < 4) {
        fprintf(stderr, "usage: model_steps TREE TEXT SHARDS [SHARD_BYTES]\n");
        return 3;
    }
    shards s = {.count = strtoull(argv[3], NULL, 10),
                .bytes = argc > 4 ? (size_t)strtoull(argv[4], NULL, 10) : 262144};
    cpr_status status = list_tree(argv[1], &files, &error);
    if (status == CPR_OK)
        status = learn(argv[2], &vocabulary, &error);
    s.files = files;
    s.data = calloc(s.bytes + sizeof(uint64_t), 1);
    s.info = calloc(s.count + 1, sizeof *s.info);
    s.file_loss =
        files != NULL ? calloc(cpr_file_list_count(files) + 1, sizeof *s.file_loss) : NULL;
    if (status == CPR_OK && (s.data == NULL || s.info == NULL || s.file_loss == NULL))
        status = cpr_fail(&error, CPR_ERR_NO_MEMORY, "out of memory");
    if (status == CPR_OK)
        status = put_shards(&s, &error);
    if (status == CPR_OK)
        status = create_archive(&s, vocabulary, &error);
    if (status == CPR_OK)
        status = publish(&s, &error);
    if (status != CPR_OK)
        fprintf(stderr, "model_steps: %s\n", error.text);
    cpr_work_dir_close(s.work);
    free(s.data);
    free(s.info);
    free(s.file_loss);
    cpr_vocabulary_free(vocabulary);
    cpr_file_list_free(files);
    return status == CPR_OK ? 0 : 2;
}
