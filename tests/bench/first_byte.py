#!/usr/bin/env python3
"""How long it takes until the first byte of a shard is there, with and without a cache.

    tests/bench/first_byte.py --corpress build/release/corpress [--tries N] ARCHIVE.h5 DIR...

Runs `corpress cat --shards` on random shards, the same for each row: without a cache, with one in
each directory, which must be the user's and is filled first, and with the state's file dropped from
the kernel's memory. Prints the median and the largest time, and the time on the processor.
"""
import argparse
import glob
import os
import random
import resource
import statistics
import subprocess
import time


def drop(directory):
    """Takes the files of a cache out of the kernel's memory; those in memory alone stay."""
    for path in glob.glob(os.path.join(directory, "*.state")):
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def first_byte(corpress, archive, shard, cache):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with subprocess.Popen([corpress, "cat", archive, "--shards", str(shard), "--cache", cache, "-j", "1"],
                          stdout=subprocess.PIPE) as process:
        byte = process.stdout.read(1)
        seconds = time.monotonic() - start
        process.kill()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert byte, f"no byte of shard {shard}"
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpress", required=True)
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("archive")
    parser.add_argument("directory", nargs="+")
    given = parser.parse_args()
    listed = subprocess.run([given.corpress, "list", "--shards", given.archive], check=True, text=True,
                            capture_output=True).stdout
    count = sum(line.split()[0].isdigit() for line in listed.splitlines() if line.split())
    numbers = random.Random(1)
    shards = [numbers.randrange(count) for _ in range(given.tries)]

    def row(name, cache, tries, prepare=lambda: None):
        measured = []
        for shard in shards[:tries]:
            prepare()
            measured.append(first_byte(given.corpress, given.archive, shard, cache))
        seconds = [one[0] for one in measured]
        print(f"| {name} | {statistics.median(seconds):.2f} | {max(seconds):.2f} | "
              f"{statistics.median(one[1] for one in measured):.2f} |", flush=True)

    print("| state after the primer | median s | largest s | processor s |\n|---|---:|---:|---:|")
    row("decoded", "", min(given.tries, 2))
    for directory in given.directory:
        first_byte(given.corpress, given.archive, shards[0], directory)
        row(f"from {directory}", directory, given.tries)
        row(f"from {directory}, not in the kernel's memory", directory, given.tries, lambda d=directory: drop(d))


if __name__ == "__main__":
    main()
