/* cmd_score.c - corpress score ARCHIVE.h5 [FILE|-]... */
#include "archive_json.h"
#include "command.h"
#include "corpress_model.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRACTION_DIGITS 5 /* they tell units of 2^-16 bit apart */

typedef struct score_work {
    command_call *call;
    cpr_archive_facts facts;
    cpr_reader *reader;
    report rows;
    bool has_rows;
    const char *path; /* of the text in work; "-": standard input */
    uint64_t number;  /* of that text, from 0 */
    cpr_score total;  /* of all texts */
    int fd;           /* of the text in work */
} score_work;

static const report_column file_columns[] = {
    {"text", 7},       {"bytes", 14},   {"stored", 12},        {"tokens", 12}, {"documents", 11},
    {"loss_bits", 18}, {"network", 18}, {"bits_per_byte", 13}, {"path", 0},    {NULL, 0}};

static const report_column document_columns[] = {
    {"text", 7},       {"document", 11},      {"offset", 14}, {"bytes", 12},
    {"loss_bits", 18}, {"bits_per_byte", 13}, {"path", 0},    {NULL, 0}};

/* ---- rows ------------------------------------------------------------------------------------ */

static double loss_bits(uint64_t loss)
{
    return (double)loss / 65536;
}

static void rate_cell(report *r, uint64_t loss, uint64_t bytes)
{
    if (bytes > 0)
        report_real(r, loss_bits(loss) / (double)bytes, 4);
    else
        report_unknown(r);
}

/* The cells of a text behind its number, but for its path. */
static void score_cells(score_work *work, const cpr_score *score)
{
    report *r = &work->rows;
    report_number(r, score->bytes);
    report_number(r, score->stored_bytes);
    report_number(r, score->tokens);
    report_number(r, score->documents);
    report_real(r, loss_bits(score->loss_bits), FRACTION_DIGITS);
    if (work->facts.has_network)
        report_real(r, loss_bits(score->network_loss_bits), FRACTION_DIGITS);
    else
        report_unknown(r);
    rate_cell(r, score->loss_bits, score->bytes);
}

/* Nothing is printed before there is something to print. */
static void row_begin(score_work *work)
{
    const option_values *given = &work->call->given;
    if (!work->has_rows && given->format == REPORT_JSON) {
        archive_json_begin(work->call->archive, &work->facts);
        fputs("\"rows\": ", stdout);
    }
    if (!work->has_rows)
        report_begin(&work->rows, stdout, given->format,
                     given->by == OPTION_BY_DOCUMENT ? document_columns : file_columns);
    work->has_rows = true;
    report_row(&work->rows);
}

/* A cpr_document_score_fn. */
static cpr_status document_row(void *context, const cpr_document_score *document, cpr_error *error)
{
    score_work *work = context;
    report *r = &work->rows;
    row_begin(work);
    report_number(r, work->number);
    report_number(r, document->number);
    report_number(r, document->offset);
    report_number(r, document->bytes);
    report_real(r, loss_bits(document->loss_bits), FRACTION_DIGITS);
    rate_cell(r, document->loss_bits, document->bytes);
    report_path(r, work->path);
    report_row_end(r);
    return ferror(stdout) ? cpr_fail(error, CPR_ERR_IO, "standard output: %s", strerror(errno))
                          : CPR_OK;
}

static void file_row(score_work *work, const cpr_score *score)
{
    row_begin(work);
    report_number(&work->rows, work->number);
    score_cells(work, score);
    report_path(&work->rows, work->path);
    report_row_end(&work->rows);
}

/* The last row of a table, and a member of its own in JSON. CSV has rows of one kind. */
static void total_row(score_work *work)
{
    const cpr_score *total = &work->total;
    report *r = &work->rows;
    if (work->call->given.format != REPORT_TABLE)
        return;
    row_begin(work);
    report_word(r, "total");
    if (work->call->given.by != OPTION_BY_DOCUMENT) {
        score_cells(work, total);
    } else {
        report_number(r, total->documents);
        report_unknown(r);
        report_number(r, total->bytes);
        report_real(r, loss_bits(total->loss_bits), FRACTION_DIGITS);
        rate_cell(r, total->loss_bits, total->bytes);
    }
    report_path(r, "");
    report_row_end(r);
}

static void rows_end(score_work *work)
{
    const cpr_score *total = &work->total;
    total_row(work);
    report_end(&work->rows);
    if (work->call->given.format != REPORT_JSON)
        return;
    printf(",\n \"total\": {\"bytes\": %" PRIu64 ", \"stored\": %" PRIu64 ", \"tokens\": %" PRIu64
           ", \"documents\": %" PRIu64 ", \"loss_bits\": %.*f",
           total->bytes, total->stored_bytes, total->tokens, total->documents, FRACTION_DIGITS,
           loss_bits(total->loss_bits));
    if (work->facts.has_network)
        printf(", \"network\": %.*f", FRACTION_DIGITS, loss_bits(total->network_loss_bits));
    printf(", \"bits_per_byte\": %.4f}}\n", loss_bits(total->loss_bits) / (double)total->bytes);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

static cpr_status cannot_read(const char *path, int reason, cpr_error *error)
{
    char shown[512];
    return cpr_fail(error, reason == ENOENT ? CPR_ERR_NOT_FOUND : CPR_ERR_IO, "\"%s\": %s",
                    cpr_printable_path(path, shown, sizeof shown), strerror(reason));
}

/* Names all that cannot be read, before anything is scored. */
static cpr_status check_texts(const command_call *call, cpr_error *error)
{
    cpr_status status = CPR_OK;
    for (int i = 0; i < call->path_count; i++) {
        struct stat facts;
        const char *path = call->paths[i];
        if (is_standard_input(path))
            continue;
        int reason = stat(path, &facts) != 0 || access(path, R_OK) != 0 ? errno : 0;
        if (reason == 0 && S_ISDIR(facts.st_mode))
            reason = EISDIR;
        if (reason == 0)
            continue;
        if (status != CPR_OK)
            command_say("%s", error->text);
        status = cannot_read(path, reason, error);
    }
    return status;
}

/* A cpr_read_fn. */
static cpr_status read_text(void *context, uint8_t *out, size_t capacity, size_t *got,
                            cpr_error *error)
{
    const score_work *work = context;
    ssize_t bytes;
    do
        bytes = read(work->fd, out, capacity);
    while (bytes < 0 && errno == EINTR);
    if (bytes < 0)
        return cannot_read(work->path, errno, error);
    *got = (size_t)bytes;
    return CPR_OK;
}

static void add_score(cpr_score *total, const cpr_score *score)
{
    total->bytes += score->bytes;
    total->stored_bytes += score->stored_bytes;
    total->tokens += score->tokens;
    total->loss_bits += score->loss_bits;
    total->network_loss_bits += score->network_loss_bits;
    total->documents += score->documents;
}

static cpr_status score_text(score_work *work, cpr_error *error)
{
    const bool documents = work->call->given.by == OPTION_BY_DOCUMENT;
    const cpr_score_options options = {.documents = work->call->given.documents,
                                       .name = work->path,
                                       .document = documents ? document_row : NULL,
                                       .document_context = work};
    cpr_score score;
    const bool opens = !is_standard_input(work->path);
    work->fd = opens ? open(work->path, O_RDONLY | O_NOCTTY | O_CLOEXEC) : STDIN_FILENO;
    if (work->fd < 0)
        return cannot_read(work->path, errno, error);
    const cpr_status status =
        cpr_reader_score(work->reader, (cpr_source){read_text, work}, &options, &score, error);
    if (opens)
        close(work->fd);
    if (status != CPR_OK)
        return status;
    add_score(&work->total, &score);
    if (!documents)
        file_row(work, &score);
    work->number++;
    return CPR_OK;
}

static cpr_status score_texts(score_work *work, cpr_error *error)
{
    const command_call *call = work->call;
    cpr_status status = CPR_OK;
    for (int i = 0; status == CPR_OK && i < (call->path_count > 0 ? call->path_count : 1); i++) {
        work->path = call->path_count > 0 ? call->paths[i] : "-";
        status = score_text(work, error);
    }
    if (status == CPR_OK && work->total.bytes == 0)
        status = cpr_fail(error, CPR_ERR_USAGE, "there is no text: nothing has a byte");
    if (status == CPR_OK)
        rows_end(work);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int check_score(command_call *call)
{
    int inputs = 0;
    for (int i = 0; i < call->path_count; i++)
        inputs += is_standard_input(call->paths[i]);
    return inputs > 1
               ? command_usage(call->ranks, call->command, "standard input can be read once only")
               : EXIT_DONE;
}

static cpr_status run_score(command_call *call, cpr_error *error)
{
    score_work work = {.call = call};
    cpr_archive *archive = NULL;
    cpr_status status = command_open_alone(call, &archive, error);
    if (status == CPR_OK)
        status = check_texts(call, error);
    if (status == CPR_OK)
        status = command_open_reader(call, archive, &work.reader, error);
    if (status == CPR_OK) {
        cpr_archive_get_facts(archive, &work.facts);
        command_note_primer(&work.facts);
        status = score_texts(&work, error);
    }
    call->reader_is_gone = ferror(stdout) && errno == EPIPE;
    command_close_reader(work.reader);
    cpr_archive_close(archive);
    return status;
}

static const char *const score_usage[] = {"ARCHIVE.h5 [FILE|-]...",
                                          "ARCHIVE.h5 --by document [FILE|-]...", NULL};

static const command_term score_terms[] = {
    {"bytes, stored", "of the text; of them, those that look compressed, and count 8 bits each"},
    {"tokens", "that the model coded"},
    {"loss_bits", "the model's loss: what a perfect coder would need for the text"},
    {"network", "what the network alone would have lost; with a network"},
    {NULL, NULL}};

const subcommand cmd_score = {
    .name = "score",
    .bit = COMMAND_SCORE,
    .summary = "what other texts cost under the model of an archive",
    .usage = score_usage,
    .about =
        "Prints how many bits a byte of each text takes under the model that the archive's corpus "
        "taught: the state after the primer, and the network if there is one. Each text begins "
        "with that state and is coded as a shard would be; nothing is written. Without a FILE, or "
        "where that is -, standard input is read.",
    .terms = score_terms,
    .operands = OPERANDS_TEXTS,
    .alone = true,
    .check = check_score,
    .run = run_score,
};
