#!/usr/bin/env python3
"""How much the compression of corpress and of other programs gains with the size of the input.

    tests/bench/growth.py --corpress build/release/corpress [--only NAME,...] [--sizes MIB,...]
                          [--no-check] [--core N] [--shard-size SIZE] FILE...

Prints for each file a table of bits per byte: a row a program, as in compare.py, and a column for
the file's first 4, 16, 64 and 256 MiB, as far as it has them. A file that is
shorter than the smallest is taken as a whole. Like compare.py it compares what is decompressed
with the input (not with --no-check, which halves the time of the slow ones), and leaves out what
is not installed or fails. corpress codes each prefix in one shard unless a size is given.
"""
import argparse
import os
import shutil
import sys
import tempfile

import compare

MIB = 1 << 20


def make_prefix(path, target, size):
    with open(path, "rb") as source, open(target, "wb") as out:
        while size > 0 and (block := source.read(min(size, MIB))):
            size -= out.write(block)


def measure_prefix(path, size, peers, arguments, table):
    """Adds each peer's bits per byte, or a dash, to its row; returns whether all went well."""
    well = True
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "input")
        make_prefix(path, source, size)
        for peer in peers:
            try:
                coded = compare.measure(peer, source, arguments.core, not arguments.no_check)[0]
                table[peer[0]].append(f"{coded * 8 / max(size, 1):.3f}")
            except RuntimeError as error:
                print(f"left out: {peer[0]} on {size:,} bytes of {path}: {error}", file=sys.stderr)
                table[peer[0]].append("-")
                well = False
    return well


def grow(path, sizes, peers, arguments):
    """Prints the table of one file; returns whether all went well."""
    whole = os.path.getsize(path)
    had = [size for size in sizes if size <= whole]
    if len(had) < len(sizes):
        print(f"{path} has only {whole:,} bytes", file=sys.stderr)
    had = had or [whole]
    table = {peer[0]: [] for peer in peers}
    well = [measure_prefix(path, size, peers, arguments, table) for size in had]
    print(f"\n{os.path.basename(path)}, bits per byte:\n")
    print("| program | " + " | ".join(f"{size / MIB:.3g} MiB" for size in had) + " |")
    print("|---|" + "---:|" * len(had))
    for name, row in table.items():
        print(f"| {name} | " + " | ".join(row) + " |")
    sys.stdout.flush()
    return all(well)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    compare.add_arguments(parser)
    parser.set_defaults(shard_size="4G")
    parser.add_argument("--sizes", default="4,16,64,256", help="in MiB (default: 4,16,64,256)")
    arguments = parser.parse_args()
    sizes = sorted(int(float(size) * MIB) for size in arguments.sizes.split(","))
    peers = compare.chosen_peers(arguments, parser)
    well = [grow(path, sizes, peers, arguments) for path in arguments.files]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
