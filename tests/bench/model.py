#!/usr/bin/env python3
"""A model on paper of a large job: what each phase costs, from unit costs measured on this machine.

    tests/bench/model.py --build build/release --tree DIR --text FILE [--bytes 1e12] [--ranks 1024] [--files 1e6]

Unit costs: model_steps lists DIR, learns from FILE and makes an archive of small shards; model_messages runs the real
scheduler with a stub instead of the codec, at 8, 16 and 32 ranks on whatever cores there are; one shard of FILE is
compressed for the speed, by the wall clock: leave the machine to it, or run it under nice -n -15. What depends on the
cluster's file system is taken from --file-system (bytes a second for all ranks together), which nobody measured here.
The start of 1024 processes is left out. The table is that of mpi/SCALING.md.
"""
import argparse
import json
import math
import os
import subprocess
import tempfile

import compare

SHARD = 64 << 20
BLOCK = 65536
PRIMER_MOST = 64 << 20  # see FORMAT.md; an eighth of the corpus if that is less
REPORTS = 500  # a second, of all ranks together; see ranks_schedule.c


def values(output):
    """Lines of "name value unit"."""
    found = {}
    for line in output.splitlines():
        name, value = line.split()[:2]
        found[name] = float(value)
    return found


def run(command, directory):
    return subprocess.run(command, cwd=directory, check=True, stdout=subprocess.PIPE, text=True).stdout


def speed(corpress, text, directory):
    """Seconds that a shard takes, and coded bytes per raw byte."""
    sample = os.path.join(directory, "sample")
    with open(text, "rb") as source, open(sample, "wb") as out:
        out.write(source.read(16_000_000))
    archive = os.path.join(directory, "sample.h5")
    run([corpress, "compress", "-q", sample, "-o", archive], directory)
    with open(archive + ".log.jsonl", encoding="utf-8") as log:
        shard = next(entry for entry in map(json.loads, log) if entry["event"] == "shard")
    return shard["seconds"] * SHARD / shard["raw_bytes"], shard["coded_bytes"] / shard["raw_bytes"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--tree", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--bytes", type=float, default=1e12)
    parser.add_argument("--ranks", type=int, default=1024)
    parser.add_argument("--files", type=float, default=1e6)
    parser.add_argument("--file-system", type=float, default=10e9)
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    launcher = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "jobs", "mpirun_local.sh")
    load = os.getloadavg()[0]

    with tempfile.TemporaryDirectory() as directory:
        steps_output = run([f"{build}/tests/model_steps", os.path.abspath(options.tree), os.path.abspath(options.text),
                            "2000"], directory)
        print(steps_output)
        step = values(steps_output)
        messages = {}
        for ranks in (8, 16, 32):
            output = run(["bash", launcher, str(ranks), f"{build}/tests/model_messages"], directory)
            print(output)
            messages[ranks] = values(output)
        alone = values(run([f"{build}/tests/model_messages"], directory))
        seconds, ratio = speed(f"{build}/corpress", os.path.abspath(options.text), directory)

    shards = options.bytes / SHARD
    each = shards / options.ranks
    coded = options.bytes * ratio
    tree_steps = math.log2(options.ranks)
    many = messages[32]
    # Two calls an item: asking, and telling the result; items are too short for reports.
    others = many["items"] - many["items_of_rank_0"]
    call = (many["cpu_of_rank_0"] - alone["cpu_of_rank_0"] * many["items_of_rank_0"] / alone["items"]) / (2 * others)
    calls = REPORTS + 2 * options.ranks / seconds
    broadcast = 20e6 / (many["broadcast_20_MB"] / 1e3)
    list_bytes = options.files * step["list_packed"]
    per_file = options.files / step["files"]
    merge = step["pack_counts"] + step["merge_counts"] + step["counts_packed"] * 1e6 / broadcast
    rows = [
        ("list files", "rank 0", f"{step['list']:.1f} us a file", options.files * step["list"] * 1e-6),
        ("list to all ranks", "all, as a tree", f"{broadcast / 1e6:.0f} MB/s, {step['list_packed']:.0f} bytes a file",
         list_bytes / broadcast + options.files * step["list_pack_unpack"] * 1e-6),
        ("count the sample's words", "all", f"{step['count_words']:.2f} s, 512 blocks",
         step["count_words"] * math.ceil(512 / options.ranks) / 512),
        ("merge counts", f"tree of {tree_steps:.0f} steps", f"{merge:.3f} s a step", tree_steps * merge),
        ("learn the vocabulary", "rank 0", f"{step['learn']:.2f} s", step["learn"]),
        ("code the primer", "one rank a node, all alike", "as shards, 64 MiB at most",
         seconds * min(PRIMER_MOST, options.bytes / 8) / SHARD),
        ("code shards", "all", f"{seconds:.1f} s a shard, {each:.1f} a rank", each * seconds),
        ("wait for the last shard", "all", "up to one shard", (math.ceil(each) - each) * seconds),
        ("save shards", "all", f"{step['put_shard']:.2f} ms a shard", each * step["put_shard"] / 1e3),
        ("messages, on rank 0", "beside its shards", f"{call * 1e6:.1f} us a call, {calls:.0f} a second",
         each * seconds * calls * call),
        ("facts of shards", "rank 0", f"{step['gather_facts']:.1f} us a shard", shards * step["gather_facts"] * 1e-6),
        ("write tables", "rank 0", f"{step['create_tables'] / step['files'] * 1e6:.1f} us a file",
         per_file * step["create_tables"]),
        ("write bitstreams", "all", f"{options.file_system / 1e9:.0f} GB/s assumed", coded / options.file_system),
        ("read tables", "all the same", f"{step['open'] / step['files'] * 1e6:.1f} us a file", per_file * step["open"]),
        ("read back", "all", f"{options.file_system / 1e9:.0f} GB/s assumed",
         max(coded / options.file_system, coded / options.ranks / (step["check"] * 1e6))),
        ("remove what was kept of shards", "all", f"{step['remove_work']:.0f} us a shard",
         each * step["remove_work"] * 1e-6),
    ]
    facts = compare.circumstances(f"{build}/corpress")
    print(f"Commit {facts['commit']}, one {facts['processor']} with {facts['cores']} cores, {facts['system']}; load "
          f"{load:.1f} at the start.\n{options.bytes:.3g} bytes in {options.files:.3g} files, {shards:.0f} shards, "
          f"{options.ranks} ranks; {SHARD / seconds / 1e6:.2f} MB/s a rank, ratio {1 / ratio:.1f}.\n")
    print("| phase | who | unit cost | seconds |\n|---|---|---|---:|")
    for phase, who, cost, spent in rows:
        print(f"| {phase} | {who} | {cost} | {spent:.2f} |")
    print(f"| together | | | {sum(row[3] for row in rows if not row[0].startswith('messages')):.0f} |")


if __name__ == "__main__":
    main()
