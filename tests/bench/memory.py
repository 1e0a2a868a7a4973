#!/usr/bin/env python3
"""Peak memory of corpress on inputs of any size.

    tests/bench/memory.py --corpress build/release/corpress [--profile P] PATH|@LIST...

Each PATH, or the files that LIST names, is compressed and then verified by one process. Printed: files, bytes, and the
largest resident memory of both runs beside what --help promises for the model.
"""
import argparse
import os
import resource
import subprocess
import tempfile


def peak(command):
    """Runs a command; returns the MB that it had resident at most."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        os.write(writer, str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss).encode())
        os._exit(0)
    os.close(writer)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise RuntimeError(f"failed: {command}")
    return int(os.read(reader, 100)) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpress", required=True)
    parser.add_argument("--profile", default="balanced")
    parser.add_argument("inputs", nargs="+")
    arguments = parser.parse_args()
    print("| input | files | bytes | compress MB | verify MB |\n|---|---:|---:|---:|---:|")
    for path in arguments.inputs:
        with tempfile.TemporaryDirectory() as directory:
            archive = os.path.join(directory, "archive.h5")
            source = ["--files-from", path[1:]] if path.startswith("@") else [path]
            there = peak([arguments.corpress, "compress", "-q", "-p", arguments.profile, "-o",
                          archive] + source)
            again = peak([arguments.corpress, "verify", "-q", archive])
            audit = subprocess.run([arguments.corpress, "list", archive], check=True,
                                   capture_output=True).stdout
            shards = subprocess.run([arguments.corpress, "list", "--shards", archive], check=True,
                                    capture_output=True, text=True).stdout.splitlines()[1:]
            raw = sum(int(line.split()[2]) for line in shards)
            files = audit.count(b"\n")
            print(f"| {os.path.basename(path)} | {files:,} | {raw:,} | {there:.0f} | {again:.0f} |",
                  flush=True)


if __name__ == "__main__":
    main()
