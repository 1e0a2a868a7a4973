#!/usr/bin/env python3
"""What `corpress plan` foretells, against what becomes of it.

    tests/bench/forecast.py --corpress build/release/corpress [--profiles NAME,...] [--core N]
                            [--shard-size SIZE] [--sample-bytes SIZE] PATH...

Each PATH is a corpus, a file or a directory. Plans it, compresses it with each profile, with one
rank, and prints a row a profile: bytes and seconds of the processor, as they were foretold and as
they came out, and by how many percent the forecast was off.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile


def run(command, core):
    """Runs a command on one core; returns its output and the processor's seconds."""
    if core is not None:
        command = ["taskset", "-c", str(core)] + command
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def off(foretold, truth):
    return f"{100 * (foretold / truth - 1):+.1f} %"


def compare(path, profiles, arguments):
    """Prints the rows of one corpus."""
    options = ["--shard-size", arguments.shard_size]
    sample = ["--sample-bytes", arguments.sample_bytes] if arguments.sample_bytes else []
    planned, seconds = run([arguments.corpress, "plan", "--json", path] + options + sample,
                           arguments.core)
    plan = json.loads(planned)
    name = f"{os.path.basename(os.path.normpath(path))}, {plan['raw_bytes']:,} bytes"
    name += f" ({seconds:.0f} s)"
    for row in plan["profiles"]:
        if row["profile"] not in profiles or "archive_bytes" not in row:
            continue
        with tempfile.TemporaryDirectory() as directory:
            archive = os.path.join(directory, "a.h5")
            spent = run([arguments.corpress, "compress", "-q", "-p", row["profile"], path, "-o",
                         archive] + options, arguments.core)[1]
            size = os.path.getsize(archive)
        inside = row["archive_bytes_least"] <= size <= row["archive_bytes_most"]
        print(f"| {name} | `{row['profile']}` | {row['archive_bytes']:,} | {size:,} | "
              f"{off(row['archive_bytes'], size)}{'' if inside else ' (!)'} | "
              f"{row['core_seconds']:.0f} | {spent:.0f} | {off(row['core_seconds'], spent)} |",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpress", required=True)
    parser.add_argument("--profiles", default="fast,balanced,strong,neural")
    parser.add_argument("--core", type=int)
    parser.add_argument("--shard-size", default="64M")
    parser.add_argument("--sample-bytes")
    parser.add_argument("paths", nargs="+")
    arguments = parser.parse_args()
    print("| corpus (seconds of the plan) | profile | foretold | bytes | | foretold s | s | |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for path in arguments.paths:
        compare(path, arguments.profiles.split(","), arguments)


if __name__ == "__main__":
    main()
