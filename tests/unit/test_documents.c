/* test_documents.c - where documents begin, counted, found again and read, against a plain search.
 */
#include "test_files.h"

#include "archive.h"
#include "corpress_documents.h"
#include "corpress_mpi.h"
#include "documents.h"
#include "file_list.h"

#include <hdf5.h>

#define SHARDS_MAX 8u

/* A corpus in memory, and where its documents begin. */
typedef struct plain_corpus {
    uint8_t *text;
    uint64_t bytes;
    const char *separator;
    cpr_file_list *files;
    uint64_t *begins; /* of each document, and the corpus' end */
    uint64_t *file_of;
    uint64_t count;
} plain_corpus;

static void plain_free(plain_corpus *p)
{
    free(p->text);
    free(p->begins);
    free(p->file_of);
    cpr_file_list_free(p->files);
}

/* Whether a separator of file f ends in front of byte `at` of the corpus. */
static bool plain_ends(const plain_corpus *p, uint64_t f, uint64_t at)
{
    const cpr_document_rule rule = cpr_file_list_get(p->files, f).documents;
    const char *separator = rule == CPR_DOCUMENTS_LINE ? "\n" : p->separator;
    const size_t bytes = strlen(separator);
    return rule != CPR_DOCUMENTS_FILE && at - cpr_file_list_offset(p->files, f) >= bytes &&
           memcmp(p->text + at - bytes, separator, bytes) == 0;
}

/* Finds all documents. */
static void plain_search(plain_corpus *p)
{
    p->begins = malloc((size_t)(p->bytes + 1) * sizeof *p->begins);
    p->file_of = malloc((size_t)(p->bytes + 1) * sizeof *p->file_of);
    assert_non_null(p->begins);
    assert_non_null(p->file_of);
    p->count = 0;
    for (uint64_t f = 0; f < cpr_file_list_count(p->files); f++) {
        const uint64_t start = cpr_file_list_offset(p->files, f);
        const uint64_t end = cpr_file_list_offset(p->files, f + 1);
        for (uint64_t at = start; at < end; at++)
            if (at == start || plain_ends(p, f, at)) {
                p->file_of[p->count] = f;
                p->begins[p->count++] = at;
            }
    }
    p->begins[p->count] = p->bytes;
}

static uint64_t plain_before(const plain_corpus *p, uint64_t offset)
{
    uint64_t n = 0;
    while (n < p->count && p->begins[n] < offset)
        n++;
    return n;
}

/* The text of a document, without what ends it. */
static const uint8_t *plain_text(const plain_corpus *p, uint64_t n, size_t *bytes)
{
    const uint64_t f = p->file_of[n];
    const uint64_t file_end = cpr_file_list_offset(p->files, f + 1);
    const uint64_t end = p->begins[n + 1] < file_end ? p->begins[n + 1] : file_end;
    const bool line = cpr_file_list_get(p->files, f).documents == CPR_DOCUMENTS_LINE;
    const size_t ending = !plain_ends(p, f, end) ? 0 : line ? 1 : strlen(p->separator);
    *bytes = (size_t)(end - p->begins[n]);
    *bytes = *bytes > ending ? *bytes - ending : 0;
    return p->text + p->begins[n];
}

/* Random files of random rules, over an alphabet of few letters. */
static void plain_make(plain_corpus *p, uint64_t files_most, uint64_t bytes_most, uint64_t *seed)
{
    static const char *const separators[] = {"\n\n", "aa", "aba", "b", "\n--\n", "abaabab"};
    const uint64_t files = 1 + next_random(seed) % files_most;
    *p = (plain_corpus){.separator = separators[next_random(seed) % 6]};
    p->files = cpr_file_list_create();
    assert_non_null(p->files);
    for (uint64_t i = 0; i < files; i++) {
        char name[16];
        uint64_t known;
        cpr_file file = {.type = CPR_FILE_REGULAR, .mode = 0644};
        file.documents = (cpr_document_rule)(next_random(seed) % 3);
        file.bytes = next_random(seed) % 4 == 0 ? 0 : next_random(seed) % bytes_most;
        if (next_random(seed) % 3 == 0)
            file.bytes %= 5;
        snprintf(name, sizeof name, "f%04u", (unsigned)i);
        assert_int_equal(cpr_file_list_append(p->files, name, 0, &file, NULL, &known, NULL),
                         CPR_OK);
    }
    assert_int_equal(cpr_file_list_set_separator(p->files, (const uint8_t *)p->separator,
                                                 strlen(p->separator), NULL),
                     CPR_OK);
    p->bytes = cpr_file_list_bytes(p->files);
    p->text = malloc((size_t)p->bytes + 1);
    assert_non_null(p->text);
    const bool rare = next_random(seed) % 2 == 0;
    for (uint64_t i = 0; i < p->bytes; i++)
        p->text[i] = rare && next_random(seed) % 5000 != 0
                         ? 'c'
                         : (uint8_t) "aaabbb\n-"[next_random(seed) % 8];
    plain_search(p);
}

/* ---- counting ------------------------------------------------------------------------------- */

/* Cuts the corpus into shards anywhere. */
static uint64_t cut(const plain_corpus *p, cpr_shard_info *shards, uint64_t *seed)
{
    uint64_t count = 0;
    for (uint64_t at = 0; at < p->bytes;) {
        uint64_t bytes = p->bytes / 4 + next_random(seed) % (p->bytes / 4 + 9) + 1;
        bytes = bytes < p->bytes - at && count + 1 < SHARDS_MAX ? bytes : p->bytes - at;
        shards[count++] = (cpr_shard_info){.offset = at, .raw_bytes = bytes};
        at += bytes;
    }
    return count;
}

/* The counts of all shards, in pieces of random sizes, and the states; malloc()ed. */
static uint8_t *count_all(const plain_corpus *p, const cpr_shard_info *shards, uint64_t count,
                          uint8_t *states, size_t *bytes, uint64_t *seed)
{
    cpr_document_counter *counter = cpr_document_counter_create(p->files);
    uint8_t *all = malloc(2 * (size_t)p->bytes + 64);
    size_t state = 0;
    assert_non_null(counter);
    assert_non_null(all);
    *bytes = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *packed;
        size_t packed_bytes;
        states[i] = (uint8_t)state;
        cpr_document_counter_begin(counter, shards[i].offset,
                                   shards[i].offset + shards[i].raw_bytes, state);
        for (uint64_t at = 0; at < shards[i].raw_bytes;) {
            uint64_t part = 1 + next_random(seed) % 70000;
            part = part < shards[i].raw_bytes - at ? part : shards[i].raw_bytes - at;
            cpr_document_counter_add(counter, p->text + shards[i].offset + at, (size_t)part);
            at += part;
        }
        assert_true(cpr_document_counter_finish(counter, &packed, &packed_bytes, &state));
        if (packed_bytes > 0)
            memcpy(all + *bytes, packed, packed_bytes);
        *bytes += packed_bytes;
    }
    cpr_document_counter_free(counter);
    return all;
}

static void assert_found(const plain_corpus *p, const cpr_document_index *index, uint64_t n)
{
    cpr_document_place place;
    cpr_document_index_find(index, n, &place);
    const cpr_segment *s = &place.segment;
    assert_int_equal(s->file, p->file_of[n]);
    assert_true(s->offset <= p->begins[n] && p->begins[n] < s->offset + s->bytes);
    assert_int_equal(place.before, plain_before(p, s->offset));
}

static void counts(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int round = 0; round < 60; round++) {
        plain_corpus p;
        cpr_shard_info shards[SHARDS_MAX];
        uint8_t states[SHARDS_MAX];
        cpr_document_index *index;
        cpr_error error;
        size_t bytes;
        if (round % 8 == 7)
            plain_make(&p, 3000, 60, &seed);
        else
            plain_make(&p, 24, 100000, &seed);
        const uint64_t count = cut(&p, shards, &seed);
        uint8_t *packed = count_all(&p, shards, count, states, &bytes, &seed);
        assert_int_equal(cpr_document_index_create(p.files, shards, count, packed, bytes, states,
                                                   &index, &error),
                         CPR_OK);
        assert_int_equal(cpr_document_index_count(index), p.count);
        for (uint64_t i = 0; i < count; i++)
            assert_int_equal(cpr_document_index_before_shard(index, i),
                             plain_before(&p, shards[i].offset));
        for (uint64_t f = 0; f < cpr_file_list_count(p.files); f++)
            assert_int_equal(cpr_document_index_before_file(index, f),
                             plain_before(&p, cpr_file_list_offset(p.files, f)));
        for (uint64_t i = 0; i < 200 && p.count > 0; i++)
            assert_found(&p, index, i == 0 ? p.count - 1 : next_random(&seed) % p.count);
        cpr_document_index_free(index);
        /* what is too short or too long does not fit */
        if (bytes > 0)
            assert_int_equal(cpr_document_index_create(p.files, shards, count, packed, bytes - 1,
                                                       states, &index, &error),
                             CPR_ERR_DAMAGED);
        packed[bytes] = 0;
        assert_int_equal(cpr_document_index_create(p.files, shards, count, packed, bytes + 1,
                                                   states, &index, &error),
                         CPR_ERR_DAMAGED);
        assert_null(index);
        free(packed);
        plain_free(&p);
    }
}

/* ---- choice --------------------------------------------------------------------------------- */

static void choices(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "lines",
                                        "separator",
                                        "separator:",
                                        "separator:\\",
                                        "separator:\\q",
                                        "separator:\\x4",
                                        "separator:\\xg0"};
    cpr_document_choice choice;
    cpr_error error;
    assert_int_equal(cpr_document_choice_parse(NULL, &choice, &error), CPR_OK);
    assert_true(choice.by_name);
    assert_int_equal(cpr_document_choice_parse("line", &choice, &error), CPR_OK);
    assert_true(!choice.by_name && choice.rule == CPR_DOCUMENTS_LINE);
    assert_int_equal(cpr_document_choice_parse("separator:a\\n\\\\\\t\\x00\\xfFz", &choice, &error),
                     CPR_OK);
    assert_int_equal(choice.separator_bytes, 7);
    assert_memory_equal(choice.separator, "a\n\\\t\0\xffz", 7);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(cpr_document_choice_parse(wrong[i], &choice, &error), CPR_ERR_USAGE);
    char text[300] = "separator:";
    memset(text + 10, 'x', 255);
    assert_int_equal(cpr_document_choice_parse(text, &choice, &error), CPR_OK);
    text[265] = 'x';
    assert_int_equal(cpr_document_choice_parse(text, &choice, &error), CPR_ERR_USAGE);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* What cpr_reader_documents() gives. */
typedef struct reading {
    const plain_corpus *plain;
    uint64_t next;
    uint8_t *text;
    size_t bytes;
} reading;

static cpr_status take(void *context, uint64_t number, const uint8_t *data, size_t bytes, bool last,
                       cpr_error *error)
{
    reading *r = context;
    (void)error;
    assert_int_equal(number, r->next);
    if (bytes > 0)
        memcpy(r->text + r->bytes, data, bytes);
    r->bytes += bytes;
    if (!last)
        return CPR_OK;
    size_t expected;
    const uint8_t *text = plain_text(r->plain, number, &expected);
    assert_int_equal(r->bytes, expected);
    assert_memory_equal(r->text, text, expected);
    r->bytes = 0;
    r->next++;
    return CPR_OK;
}

static void assert_documents(cpr_reader *reader, const plain_corpus *p, uint64_t first,
                             uint64_t count)
{
    cpr_error error = {.text = ""};
    reading r = {.plain = p, .next = first, .text = malloc((size_t)p->bytes + 1)};
    assert_non_null(r.text);
    if (cpr_reader_documents(reader, first, count, take, &r, &error) != CPR_OK)
        fail_msg("%s", error.text);
    assert_int_equal(r.next, first + count);
    free(r.text);
    cpr_texts *texts = NULL;
    if (cpr_reader_load_documents(reader, first, count, &texts, &error) != CPR_OK)
        fail_msg("%s", error.text);
    assert_int_equal(texts->count, count);
    for (uint64_t i = 0, at = 0; i < count; at = texts->ends[i], i++) {
        size_t expected;
        const uint8_t *text = plain_text(p, first + i, &expected);
        assert_int_equal(texts->ends[i] - at, expected);
        if (expected > 0)
            assert_memory_equal(texts->data + at, text, expected);
    }
    cpr_texts_free(texts);
}

/* Writes the files of a corpus below c/, and compresses them. */
static void compress_plain(plain_corpus *p, const char *documents)
{
    cpr_error error = {.text = ""};
    cpr_ranks *ranks = NULL;
    const char *const paths[] = {"c"};
    const cpr_compress_options options = {.archive_path = "a.h5",
                                          .input = {.paths = paths, .path_count = 1},
                                          .profile = cpr_profile_find("fast"),
                                          .documents = documents,
                                          .shard_bytes = CPR_SHARD_BYTES_MIN};
    assert_int_equal(mkdir("c", 0755), 0);
    for (uint64_t i = 0; i < cpr_file_list_count(p->files); i++) {
        char name[300];
        snprintf(name, sizeof name, "c/%s", cpr_file_list_member(p->files, i));
        put_file(name, (const char *)p->text + cpr_file_list_offset(p->files, i),
                 (size_t)cpr_file_list_get(p->files, i).bytes);
    }
    assert_int_equal(cpr_ranks_start(&ranks, &error), CPR_OK);
    if (cpr_compress(ranks, &options, NULL, NULL, &error) != CPR_OK)
        fail_msg("%s", error.text);
    cpr_ranks_end(ranks);
}

/* A corpus of three files, and one without bytes, that several shards hold, and whose separators
 * lie anywhere in them. */
static void plain_make_large(plain_corpus *p, const char *separator, cpr_document_rule rule)
{
    static const char *const names[] = {"a.jsonl", "b.ndjson", "c.txt", "d.txt"};
    static const uint64_t sizes[] = {700000, 0, 1900000, 800001};
    uint64_t seed = 41;
    *p = (plain_corpus){.separator = separator, .files = cpr_file_list_create()};
    for (size_t i = 0; i < 4; i++) {
        uint64_t known;
        const cpr_file file = {.type = CPR_FILE_REGULAR, .bytes = sizes[i], .documents = rule};
        assert_int_equal(cpr_file_list_append(p->files, names[i], 0, &file, NULL, &known, NULL),
                         CPR_OK);
    }
    p->bytes = cpr_file_list_bytes(p->files);
    p->text = malloc((size_t)p->bytes);
    assert_non_null(p->text);
    for (uint64_t i = 0; i < p->bytes; i++)
        p->text[i] = (uint8_t) "aaaab"[next_random(&seed) % 5];
    /* a document of more than a shard */
    memset(p->text + 900000, 'c', 1300000);
}

static void check_archive(const plain_corpus *p)
{
    cpr_archive *archive = NULL;
    cpr_reader *reader = NULL;
    cpr_error error = {.text = ""};
    cpr_archive_facts facts;
    uint64_t seed = 4;
    assert_int_equal(cpr_archive_open("a.h5", &archive, &error), CPR_OK);
    assert_int_equal(cpr_reader_open(archive, &reader, &error), CPR_OK);
    cpr_archive_get_facts(archive, &facts);
    assert_true(facts.shards >= 4);
    assert_int_equal(facts.documents, p->count);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < facts.shards; i++) {
        uint64_t first, count, file, shard;
        assert_int_equal(cpr_archive_shard_documents(archive, i, &first, &count, &error), CPR_OK);
        assert_int_equal(first, sum);
        sum += count;
        if (count > 0) {
            assert_int_equal(cpr_archive_document(archive, first, &file, &shard, &error), CPR_OK);
            assert_int_equal(shard, i);
        }
    }
    assert_int_equal(sum, p->count);
    for (uint64_t f = 0; f < cpr_file_list_count(p->files); f++) {
        uint64_t first, count;
        /* file 0 of the archive is the directory */
        assert_int_equal(cpr_archive_file_documents(archive, f + 1, &first, &count, &error),
                         CPR_OK);
        assert_int_equal(first, plain_before(p, cpr_file_list_offset(p->files, f)));
        assert_int_equal(first + count, plain_before(p, cpr_file_list_offset(p->files, f + 1)));
    }
    assert_documents(reader, p, 0, p->count);
    assert_documents(reader, p, p->count, 0);
    for (int i = 0; i < 3; i++) {
        const uint64_t first = next_random(&seed) % p->count;
        const uint64_t most = p->count - first < 70 ? p->count - first : 70;
        assert_documents(reader, p, first, 1 + next_random(&seed) % most);
    }
    /* in steps, forwards in one shard */
    for (uint64_t n = 0; n < 300 && n + 3 < p->count; n += 3)
        assert_documents(reader, p, n, 3);
    assert_int_equal(cpr_reader_documents(reader, p->count, 1, take, NULL, &error),
                     CPR_ERR_NOT_FOUND);
    assert_int_equal(cpr_reader_documents(reader, 0, UINT64_MAX, take, NULL, &error),
                     CPR_ERR_NOT_FOUND);
    cpr_texts *texts;
    assert_int_equal(cpr_reader_load_documents(reader, p->count, 1, &texts, &error),
                     CPR_ERR_NOT_FOUND);
    assert_null(texts);
    cpr_reader_close(reader);
    cpr_archive_close(archive);
}

static void separated(void **state)
{
    plain_corpus p;
    (void)state;
    plain_make_large(&p, "aabaaa", CPR_DOCUMENTS_SEPARATOR);
    plain_search(&p);
    compress_plain(&p, "separator:aabaaa");
    check_archive(&p);
    plain_free(&p);
}

static void lines_by_name(void **state)
{
    plain_corpus p;
    (void)state;
    plain_make_large(&p, "", CPR_DOCUMENTS_FILE);
    for (uint64_t i = 0; i < 700000; i += 1 + i % 977)
        p.text[i] = '\n';
    cpr_file_list_set_rule(p.files, 0, CPR_DOCUMENTS_LINE);
    cpr_file_list_set_rule(p.files, 1, CPR_DOCUMENTS_LINE);
    plain_search(&p);
    compress_plain(&p, NULL);
    check_archive(&p);
    plain_free(&p);
}

/* ---- forgeries ------------------------------------------------------------------------------ */

/* Adds `by` to byte `at` of a dataset, and seals the archive again. */
static void forge(const char *dataset, uint64_t at, int by)
{
    uint8_t bytes[4096];
    cpr_error error = {.text = ""};
    assert_int_equal(chmod("a.h5", 0644), 0);
    const hid_t file = H5Fopen("a.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t id = H5Dopen2(file, dataset, H5P_DEFAULT);
    assert_true(id >= 0 && H5Dget_storage_size(id) <= sizeof bytes);
    assert_true(H5Dread(id, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
    bytes[at] = (uint8_t)(bytes[at] + by);
    assert_true(H5Dwrite(id, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
    H5Dclose(id);
    H5Fclose(file);
    assert_int_equal(cpr_archive_seal("a.h5", &error), CPR_OK);
}

/* A listener's item(): counts damaged shards. */
static void count_bad(void *context, const cpr_item_result *result)
{
    uint64_t *bad = context;
    if (result->bad == CPR_OK)
        return;
    (*bad)++;
    assert_int_equal(result->bad, CPR_ERR_DAMAGED);
    assert_non_null(strstr(result->text.text, "other documents"));
}

/* What `verify` finds; UINT64_MAX: the archive cannot be opened. */
static uint64_t bad_shards(void)
{
    cpr_error error = {.text = ""};
    cpr_archive *archive = NULL;
    cpr_ranks *ranks = NULL;
    uint64_t bad = 0;
    const cpr_examine_options options = {.depth = CPR_EXAMINE_RAW};
    const cpr_listener listener = {.context = &bad, .item = count_bad};
    if (cpr_archive_open("a.h5", &archive, &error) != CPR_OK)
        return UINT64_MAX;
    assert_int_equal(cpr_ranks_start(&ranks, &error), CPR_OK);
    assert_int_equal(cpr_examine(ranks, archive, &options, &listener, NULL, &error), CPR_OK);
    cpr_ranks_end(ranks);
    cpr_archive_close(archive);
    return bad;
}

/* A cpr_document_fn. */
static cpr_status ignore(void *context, uint64_t number, const uint8_t *data, size_t bytes,
                         bool last, cpr_error *error)
{
    (void)context;
    (void)number;
    (void)data;
    (void)bytes;
    (void)last;
    (void)error;
    return CPR_OK;
}

static cpr_status read_all(void)
{
    cpr_archive *archive = NULL;
    cpr_reader *reader = NULL;
    cpr_error error = {.text = ""};
    cpr_archive_facts facts;
    assert_int_equal(cpr_archive_open("a.h5", &archive, &error), CPR_OK);
    assert_int_equal(cpr_reader_open(archive, &reader, &error), CPR_OK);
    cpr_archive_get_facts(archive, &facts);
    const cpr_status status =
        cpr_reader_documents(reader, 0, facts.documents, ignore, NULL, &error);
    assert_true(status == CPR_OK || strstr(error.text, "counts of documents") != NULL);
    cpr_reader_close(reader);
    cpr_archive_close(archive);
    return status;
}

static void forged_counts(void **state)
{
    plain_corpus p;
    (void)state;
    plain_make_large(&p, "", CPR_DOCUMENTS_LINE);
    for (uint64_t i = 0; i < p.bytes; i += 1 + i % 2977)
        p.text[i] = '\n';
    plain_search(&p);
    compress_plain(&p, "line");
    assert_int_equal(bad_shards(), 0);
    assert_int_equal(read_all(), CPR_OK);
    forge("documents/counts", 1, 2);
    assert_int_equal(bad_shards(), 1);
    assert_int_equal(read_all(), CPR_ERR_DAMAGED);
    forge("documents/counts", 1, -2);
    assert_int_equal(bad_shards(), 0);
    /* shard 1 begins behind a line feed, and so do its documents: it and the one before differ */
    forge("documents/states", 1, -1);
    assert_int_equal(bad_shards(), 2);
    forge("documents/states", 1, 2);
    assert_int_equal(bad_shards(), UINT64_MAX);
    forge("documents/states", 1, -1);
    forge("documents/rules", 0, 1); /* the directory */
    assert_int_equal(bad_shards(), UINT64_MAX);
    plain_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts), cmocka_unit_test(choices), FILE_TEST(separated),
        FILE_TEST(lines_by_name), FILE_TEST(forged_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
