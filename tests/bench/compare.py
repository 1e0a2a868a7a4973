#!/usr/bin/env python3
"""Compares corpress with the compressors that Debian ships, on any files.

    tests/bench/compare.py --corpress build/release/corpress [--core N] [--repeat N] FILE...

Every program runs alone, with one thread, pinned to one core; the programs take turns, so that a busy
machine is unfair to all alike. Printed for each: bytes (of the whole archive), bits per byte, MB of
input per second of CPU time for compressing and decompressing (the best of the repeats), and
the largest resident memory of either. What is decompressed is compared with the input. Programs that
are not installed are left out with a note; PEERS below names their packages.
"""
import argparse
import filecmp
import os
import resource
import shutil
import subprocess
import sys
import tempfile

# name, package (for corpress: the program), compress, decompress; {in} input, {out} compressed file, {back} where the input comes back
PEERS = [
    ("zstd -19", "zstd", "zstd -q -19 --single-thread -o {out} {in}", "zstd -q -d -o {back} {out}"),
    ("zstd --ultra -22 --long=27", "zstd", "zstd -q --ultra -22 --long=27 --single-thread -o {out} {in}",
     "zstd -q -d --long=27 -o {back} {out}"),
    ("brotli -q 11 -w 24", "brotli", "brotli -q 11 -w 24 -o {out} {in}", "brotli -d -o {back} {out}"),
    ("bzip2 -9", "bzip2", "bzip2 -9 -c {in} > {out}", "bzip2 -d -c {out} > {back}"),
    ("xz -9e", "xz-utils", "xz -9e -T1 -c {in} > {out}", "xz -d -c {out} > {back}"),
    ("7z PPMd o16 m1g", "p7zip-full", "7z a -bso0 -bsp0 -mx=9 -m0=PPMd:o=16:mem=1g -mmt=1 {out} {in}",
     "7z x -bso0 -bsp0 -so {out} > {back}"),
    ("lrzip -z", "lrzip", "lrzip -q -z -p1 -o {out} {in}", "lrzip -q -d -p1 -o {back} {out}"),
    ("zpaq -m5", "zpaq", "zpaq add {out} {in} -m5 -threads 1",
     "zpaq x {out} {in} -to {back} -threads 1"),
]


def run(command, core):
    """Runs a shell command on one core; returns CPU seconds and peak MB of its processes."""
    pid = os.fork()
    if pid == 0:
        os.sched_setaffinity(0, {core})
        with open(os.devnull, "w") as null:
            code = subprocess.call(["bash", "-c", command], stdout=null, stderr=null)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(os.environ["CPR_BENCH_RESULT"], "w") as result:
            result.write(f"{code} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss / 1024}")
        os._exit(0)
    os.waitpid(pid, 0)
    with open(os.environ["CPR_BENCH_RESULT"]) as result:
        code, seconds, megabytes = result.read().split()
    if int(code) != 0:
        raise RuntimeError(f"exit code {code}: {command}")
    return max(float(seconds), 1e-3), float(megabytes)


def measure(peer, source, directory, core):
    """One run there and back; returns bytes, both times, peak memory."""
    name, _, compress, decompress = peer
    out, back = os.path.join(directory, "out.cmp"), os.path.join(directory, "back")
    if name.startswith(("7z", "zpaq")): # they add their own ending to other names
        out = os.path.join(directory, "out." + name.split()[0])
    for path in (out, back, out + ".log.jsonl"):
        if os.path.exists(path):
            os.remove(path)
    words = {"in": source, "out": out, "back": back, "directory": directory}
    there, peak_there = run(compress.format(**words), core)
    size = os.path.getsize(out)
    again, peak_again = run(decompress.format(**words), core)
    if not filecmp.cmp(source, back, shallow=False):
        raise RuntimeError(f"{name} did not give back {source}")
    return size, there, again, max(peak_there, peak_again)


def is_there(name, package):
    return shutil.which(package if name.startswith("corpress") else name.split()[0]) is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpress", required=True, help="the program to measure")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", default="", help="comma-separated beginnings of names")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.corpress)
    here = "cd {directory} && "
    peers = [(f"corpress {profile}", program,
              here + f"{program} compress -q -f -p {profile} input -o {{out}}",
              here + f"{program} cat {{out}} input > {{back}}") for profile in ("balanced", "fast")]
    peers += PEERS
    if arguments.only:
        starts = tuple(arguments.only.split(","))
        peers = [peer for peer in peers if peer[0].startswith(starts)]
    for name, package, _, _ in peers:
        if not is_there(name, package):
            print(f"left out: {name} (package {package} is not installed)", file=sys.stderr)
    peers = [peer for peer in peers if is_there(peer[0], peer[1])]
    for path in arguments.files:
        compare(path, peers, arguments)


def compare(path, peers, arguments):
    best = {}
    with tempfile.TemporaryDirectory() as directory:
        os.environ["CPR_BENCH_RESULT"] = os.path.join(directory, "result")
        source = os.path.join(directory, "input")
        shutil.copyfile(path, source)
        raw = os.path.getsize(source)
        for _ in range(arguments.repeat):
            for peer in peers:
                size, there, again, peak = measure(peer, source, directory, arguments.core)
                old = best.get(peer[0], (size, there, again, peak))
                best[peer[0]] = (size, min(there, old[1]), min(again, old[2]), max(peak, old[3]))
    print(f"\n{os.path.basename(path)}: {raw:,} bytes; load {os.getloadavg()[0]:.1f}\n")
    print("| program | bytes | bits/byte | compress MB/s | decompress MB/s | memory MB |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, (size, there, again, peak) in sorted(best.items(), key=lambda item: item[1][0]):
        print(f"| {name} | {size:,} | {size * 8 / max(raw, 1):.3f} | {raw / there / 1e6:.2f} "
              f"| {raw / again / 1e6:.2f} | {peak:.0f} |")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
