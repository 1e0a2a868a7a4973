/* manual_texts.c - what manual pages have beside the texts of --help: files, environment, examples.
 */
#include "manual_texts.h"

#define DECODERS                                                                                   \
    (COMMAND_EXTRACT | COMMAND_CAT | COMMAND_AUDIT | COMMAND_VERIFY | COMMAND_SCORE |              \
     COMMAND_GENERATE)

const manual_term manual_environment[] = {
    {"CORPRESS_CACHE",
     "a directory that keeps the model's state after the primer, so that the next process that "
     "reads the archive need not decode the primer; made if it is missing, yours, and closed to "
     "others. It is used where --cache is not given.",
     DECODERS},
    {"CORPRESS_CACHE_BYTES",
     "how large that directory gets, such as 500M (default: 16G). What was not used for longest "
     "goes first.",
     DECODERS},
    {"CORPRESS_EXIT_FILE",
     "a file that gets the exit code, because mpirun and srun have exit codes of their own",
     COMMAND_ALL},
    {"CORPRESS_KERNEL",
     "the instruction set: baseline, avx2, avx512 or avx512vnni (default: the best that the "
     "processor has). Results are the same.",
     COMMAND_ALL & ~(unsigned)(COMMAND_LIST | COMMAND_STATUS)},
    {"TERM",
     "where it is dumb or missing, --follow prints lines instead of a screen that is redrawn",
     COMMAND_STATUS},
    {NULL, NULL, 0},
};

const manual_term manual_files[] = {
    {"ARCHIVE.h5", "the archive. It gets its name when it is complete, on the disk and read back.",
     COMMAND_COMPRESS},
    {"ARCHIVE.h5.log.jsonl",
     "when, where and by how many ranks it was made, and the time of each shard; may be deleted",
     COMMAND_COMPRESS | COMMAND_AUDIT},
    {"ARCHIVE.h5.work/", "the work directory: what an unfinished job has done so far",
     COMMAND_COMPRESS | COMMAND_STATUS},
    {"ARCHIVE.h5.verified, ARCHIVE.h5.verified-N-of-M",
     "what verify --continue has found intact so far", COMMAND_VERIFY},
    {".corpress-TOKEN, .corpress-TOKEN-INDEX",
     "below the directory of extract: parts of files, until they are complete, and which archive "
     "they belong to",
     COMMAND_EXTRACT},
    {NULL, NULL, 0},
};

const manual_example manual_examples[] = {
    {"corpress compress mybooks/ -o books.h5", "Make an archive of a directory:", COMMAND_ALL},
    {"mpirun -n 64 corpress compress /data/corpus -o corpus.h5",
     "The same with 64 ranks, in a job on a cluster:", COMMAND_ALL},
    {"corpress cat books.h5 mybooks/moby.txt | head", "Look into a file of it:", COMMAND_ALL},
    {"corpress verify books.h5", "Decode it as a whole, and compare checksums:", COMMAND_ALL},
    {"corpress extract books.h5 -C out", "Get everything back:", COMMAND_ALL},

    {"corpress plan /data/corpus", "What a job would need, and what it would make:", COMMAND_PLAN},
    {"corpress plan --sample-bytes 0 --json /data/corpus",
     "Files, bytes and memory alone, without coding a sample, for a program:", COMMAND_PLAN},

    {"corpress compress mybooks/ -o books.h5",
     "Make an archive, or go on after a stop:", COMMAND_COMPRESS},
    {"corpress compress --profile strong --exclude .git src/ -o src.h5",
     "A smaller one, in more time, without the directories .git:", COMMAND_COMPRESS},
    {"corpress compress --decode-inputs dump/*.jsonl.gz -o dump.h5",
     "The texts in compressed files:", COMMAND_COMPRESS},
    {"zstd -dc x.jsonl.zst | corpress compress - --stdin-name x.jsonl -o x.h5",
     "What another program writes:", COMMAND_COMPRESS},

    {"corpress extract books.h5 -C out",
     "Recreate everything below the directory out:", COMMAND_EXTRACT},
    {"corpress extract src.h5 'linux/**/x?.[ch]' --exclude test",
     "Some files, but none of a directory test:", COMMAND_EXTRACT},
    {"mpirun -n 16 corpress extract --continue corpus.h5 -C /data/corpus",
     "With 16 ranks, going on with what an earlier run left:", COMMAND_EXTRACT},

    {"corpress cat books.h5 mybooks/moby.txt --lines 10-20", "Lines of a file:", COMMAND_CAT},
    {"corpress cat books.h5 mybooks/moby.txt --offset 3M --bytes 64K",
     "64 KiB of it, from the middle:", COMMAND_CAT},
    {"corpress cat corpus.h5 --documents 1000-1999",
     "A thousand documents of the archive:", COMMAND_CAT},
    {"corpress cat corpus.h5 '*.txt' | wc -w",
     "All files of a pattern, one behind the other:", COMMAND_CAT},

    {"corpress list --long books.h5", "What is in an archive, with sizes and times:", COMMAND_LIST},
    {"corpress list corpus.h5 '*.jsonl'", "Files of a pattern:", COMMAND_LIST},
    {"corpress list --shards corpus.h5", "Its shards:", COMMAND_LIST},

    {"corpress audit books.h5",
     "How well each shard was compressed, and whether it is intact:", COMMAND_AUDIT},
    {"corpress audit --by file --format csv books.h5",
     "Each file, for a spreadsheet:", COMMAND_AUDIT},
    {"corpress audit --html report.html books.h5", "A page for a browser:", COMMAND_AUDIT},
    {"corpress audit --odd corpus.h5",
     "Copies, boilerplate, mojibake and other languages:", COMMAND_AUDIT},

    {"corpress verify books.h5", "Decode everything, and compare checksums:", COMMAND_VERIFY},
    {"corpress verify --coded-only books.h5",
     "As fast as it can be read, the compressed data alone:", COMMAND_VERIFY},
    {"corpress verify --subset 2/8 --continue corpus.h5",
     "The second of eight jobs that verify an archive together:", COMMAND_VERIFY},

    {"corpress status corpus.h5", "How far the job is that makes corpus.h5:", COMMAND_STATUS},
    {"corpress status --follow corpus.h5", "Watch it until it ends:", COMMAND_STATUS},

    {"corpress score books.h5 letter.txt",
     "What a text costs under the model of the books:", COMMAND_SCORE},
    {"corpress score --by document --documents line books.h5 new.jsonl",
     "What each line costs:", COMMAND_SCORE},

    {"corpress generate books.h5 --prompt 'It was' --bytes 500",
     "500 bytes that go on from a beginning:", COMMAND_GENERATE},
    {"corpress generate books.h5 --seed 2 --temperature 0.7",
     "Another text, that keeps closer to what is likely:", COMMAND_GENERATE},
    {NULL, NULL, 0},
};
