/* fuzz_beside.c - any bytes as the run log and as the file of `verify --state` beside an archive:
 * what they say of its shards is believed or not, and the state can be gone on with. */
#define _GNU_SOURCE
#include "fuzz_edit.h"
#include "fuzz_sample.h"
#include "fuzz_scratch.h"

#include "run_log.h"

enum { LOG, STATE, FILES };

static fuzz_file files[FILES] = {{.name = "a.h5.log.jsonl"}, {.name = "state"}};
static cpr_archive *archive;

static void write_all(void)
{
    bool done[FUZZ_SHARDS] = {false};
    cpr_verified *verified;
    cpr_error error;
    REQUIRE(chdir(fuzz_scratch()) == 0);
    fuzz_write_archive("a.h5", 0, false);
    REQUIRE(cpr_archive_open("a.h5", &archive, &error) == CPR_OK);
    REQUIRE(cpr_verified_open("state", "a.h5", archive, true, done, &verified, &error) == CPR_OK);
    REQUIRE(cpr_verified_add(verified, 0, &error) == CPR_OK);
    REQUIRE(cpr_verified_add(verified, 1, &error) == CPR_OK);
    cpr_verified_close(verified, false);
    run_log log;
    REQUIRE(run_log_open(&log, "a.h5"));
    run_log_phase(&log, CPR_PHASE_SHARDS);
    for (uint64_t i = 0; i < FUZZ_SHARDS; i++)
        run_log_shard(&log, &(cpr_item_result){.shard = i, .lz4_bytes = 50 + i});
    run_log_note(&log, "a note");
    REQUIRE(run_log_close(&log));
    for (size_t i = 0; i < FILES; i++)
        files[i].sound_bytes = fuzz_read_file(files[i].name, files[i].sound, FUZZ_FILE_BYTES);
}

/* Other numbers stay as they were, whatever the log says of shards that there are not. */
static void check_log(void)
{
    uint64_t lz4_bytes[FUZZ_SHARDS + 2];
    run_log_time times[FUZZ_SHARDS + 2] = {{.known = false}};
    memset(lz4_bytes, 0x55, sizeof lz4_bytes);
    run_log_read("a.h5", archive, lz4_bytes, times);
    REQUIRE(lz4_bytes[FUZZ_SHARDS] == UINT64_C(0x5555555555555555));
    REQUIRE(!times[FUZZ_SHARDS].known);
    for (size_t i = 0; i < FUZZ_SHARDS; i++)
        REQUIRE(times[i].rank >= 0 && times[i].seconds >= 0);
    if (!files[LOG].edited)
        REQUIRE(lz4_bytes[0] == 50 && lz4_bytes[1] == 51);
}

/* What is opened once is opened again with the same shards, and one more if one is added. */
static void check_state(void)
{
    bool done[FUZZ_SHARDS + 1] = {false};
    bool again[FUZZ_SHARDS + 1] = {false};
    cpr_verified *verified;
    cpr_error error = {""};
    const cpr_status status =
        cpr_verified_open("state", "a.h5", archive, true, done, &verified, &error);
    if (status != CPR_OK) {
        REQUIRE(status == CPR_ERR_EXISTS && error.text[0] != '\0');
        static uint8_t left[FUZZ_FILE_BYTES + 1];
        REQUIRE(fuzz_read_file("state", left, sizeof left) == files[STATE].bytes);
        REQUIRE(memcmp(left, files[STATE].data, files[STATE].bytes) == 0);
        return;
    }
    REQUIRE(!done[FUZZ_SHARDS]);
    if (!files[STATE].edited)
        REQUIRE(done[0] && done[1]);
    if (!done[1])
        REQUIRE(cpr_verified_add(verified, 1, &error) == CPR_OK);
    cpr_verified_close(verified, false);
    REQUIRE(cpr_verified_open("state", "a.h5", archive, true, again, &verified, &error) == CPR_OK);
    REQUIRE(again[0] == done[0] && again[1]);
    cpr_verified_close(verified, false);
    files[STATE].edited = true;
}

/* The input: the changes of fuzz_edit.h. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fuzz_input in = {data, data + bytes};
    if (archive == NULL)
        write_all();
    fuzz_edit_all(files, FILES, &in);
    for (size_t i = 0; i < FILES; i++)
        if (files[i].edited)
            fuzz_write_file(files[i].name, files[i].data, files[i].bytes);
    check_log();
    check_state();
    for (size_t i = 0; i < FILES; i++)
        if (files[i].edited)
            fuzz_write_file(files[i].name, files[i].sound, files[i].sound_bytes);
    return 0;
}
