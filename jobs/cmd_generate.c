/* cmd_generate.c - corpress generate ARCHIVE.h5 [--prompt TEXT] [--bytes N] */
#include "command.h"
#include "corpress_model.h"

#include <errno.h>
#include <string.h>

#define BYTES_DEFAULT 1000
#define SEED_DEFAULT 1
#define TEMPERATURE_DEFAULT 1000

static cpr_status generate(const option_values *given, cpr_reader *reader, cpr_error *error)
{
    const cpr_draw_options options = {
        .prompt = (const uint8_t *)given->prompt,
        .prompt_bytes = given->prompt != NULL ? strlen(given->prompt) : 0,
        .bytes = given->bytes != UINT64_MAX ? given->bytes : BYTES_DEFAULT,
        .seed = given->seed.given ? given->seed.number : SEED_DEFAULT,
        .temperature =
            given->temperature.given ? (uint32_t)given->temperature.number : TEMPERATURE_DEFAULT};
    return cpr_reader_draw(reader, &options, (cpr_sink){command_write, NULL},
                           (cpr_watch){NULL, NULL}, error);
}

static cpr_status run_generate(command_call *call, cpr_error *error)
{
    cpr_archive *archive = NULL;
    cpr_reader *reader = NULL;
    cpr_archive_facts facts;
    cpr_status status = command_open_alone(call, &archive, error);
    if (status == CPR_OK)
        status = command_open_reader(call, archive, &reader, error);
    if (status == CPR_OK) {
        cpr_archive_get_facts(archive, &facts);
        command_note_primer(&facts);
        status = generate(&call->given, reader, error);
    }
    call->reader_is_gone = ferror(stdout) && errno == EPIPE;
    command_close_reader(reader);
    cpr_archive_close(archive);
    return status;
}

static const char *const generate_usage[] = {"ARCHIVE.h5 [--prompt TEXT]",
                                             "ARCHIVE.h5 --bytes N --seed N --temperature T", NULL};

const subcommand cmd_generate = {
    .name = "generate",
    .bit = COMMAND_GENERATE,
    .summary = "text drawn from the model of an archive",
    .usage = generate_usage,
    .about =
        "Writes text to standard output that the model of an archive's corpus holds likely: the "
        "decoder is given random bits instead of a bitstream. It is no text of the corpus, though "
        "parts of it may be. The same archive, prompt, seed and temperature draw the same text on "
        "every machine.",
    .operands = OPERANDS_ARCHIVE,
    .alone = true,
    .run = run_generate,
};
