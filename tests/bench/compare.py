#!/usr/bin/env python3
"""Compares corpress with the compressors that Debian ships, on any files.

    tests/bench/compare.py --corpress build/release/corpress [--only NAME,...] [--repeat N]
                           [--core N] [--shard-size SIZE] [--shards] [--no-check] [--json FILE]
                           FILE...

Every program runs alone, with one thread, pinned to one core; the programs take turns, so that a
busy machine is unfair to all alike. Printed for each: bytes (of the whole archive), bits per byte,
MB of input per second of CPU time for compressing and decompressing (the best of the repeats), and
the largest resident memory of either (at least the 12 MB or so of the Python that starts it). What
is decompressed is compared with the input. Programs that are not installed are left out with a
note; those that fail, too, and then the exit code is 1. PEERS below names their packages.

--json keeps what was measured, for report.py: a program's row for a file replaces an older one. All
of it must be of one commit and one machine. Files go by their names without ending. The commit is
the last one that changed what is measured; `+` behind it says that there were changes since.
"""
import argparse
import datetime
import filecmp
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

NOT_YET = "Not measured yet."
HERE = os.path.dirname(os.path.abspath(__file__))
# What goes into the program, from the top of the tree.
MEASURED = ("coder", "model", "shard", "mpi", "jobs", "CMakeLists.txt", "CMakePresets.json",
            ":(exclude)*.md", ":(exclude)jobs/packaging", ":(exclude)jobs/python",
            ":(exclude)jobs/slurm")

# name, package (for corpress: the program), compress, decompress; {in} input, {out} compressed
# file, {back} where the input comes back. (lrzip would give way to all other programs.)
PEERS = [
    ("zstd -19", "zstd", "zstd -q -19 --single-thread -o {out} {in}", "zstd -q -d -o {back} {out}"),
    ("zstd --ultra -22 --long=27", "zstd",
     "zstd -q --ultra -22 --long=27 --single-thread -o {out} {in}",
     "zstd -q -d --long=27 -o {back} {out}"),
    ("brotli -q 11 --lgwin=24", "brotli", "brotli -q 11 --lgwin=24 -o {out} {in}",
     "brotli -d -o {back} {out}"),
    ("brotli -q 11 --large_window=30", "brotli", "brotli -q 11 --large_window=30 -o {out} {in}",
     "brotli -d --large_window=30 -o {back} {out}"),
    ("bzip2 -9", "bzip2", "bzip2 -9 -c {in} > {out}", "bzip2 -d -c {out} > {back}"),
    ("bzip3 -b 64", "bzip3", "bzip3 -e -b 64 -c {in} > {out}", "bzip3 -d -c {out} > {back}"),
    ("xz -9e", "xz-utils", "xz -9e -T1 -c {in} > {out}", "xz -d -c {out} > {back}"),
    ("7z PPMd o16 m1g", "p7zip-full",
     "7z a -bso0 -bsp0 -mx=9 -m0=PPMd:o=16:mem=1g -mmt=1 {out} {in}",
     "7z x -bso0 -bsp0 -so {out} > {back}"),
    ("lrzip -z", "lrzip", "lrzip -q -N $(nice) -z -p 1 -o {out} {in}",
     "lrzip -q -N $(nice) -d -p 1 -o {back} {out}"),
    ("zpaq -m5", "zpaq", "zpaq add {out} {in} -m5 -threads 1",
     "zpaq x {out} {in} -to {back} -threads 1"),
]


def run(command, directory, core):
    """Runs a shell command on one core; returns CPU seconds and peak MB of its processes."""
    process = subprocess.Popen(["bash", "-c", command], cwd=directory, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    said = process.stderr.read().decode(errors="replace").strip()
    _, status, usage = os.wait4(process.pid, 0)
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"exit code {process.returncode}: {command}\n{said[-500:]}")
    return max(usage.ru_utime + usage.ru_stime, 1e-3), usage.ru_maxrss * 1024 / 1e6


def measure(peer, source, core, check=True):
    """One run there and, unless `check` is false, back; returns bytes, both times, peak MB."""
    name, _, compress, decompress = peer
    directory = os.path.dirname(source)
    with tempfile.TemporaryDirectory(dir=directory) as work:
        # 7z and zpaq add their own ending to other names.
        ending = name.split()[0] if name.startswith(("7z", "zpaq")) else "cmp"
        words = {"in": source, "out": os.path.join(work, "out." + ending),
                 "back": os.path.join(work, "back")}
        there, peak_there = run(compress.format(**words), directory, core)
        size = os.path.getsize(words["out"])
        if not check:
            return size, there, None, peak_there
        again, peak_again = run(decompress.format(**words), directory, core)
        if not filecmp.cmp(source, words["back"], shallow=False):
            raise RuntimeError(f"{name} did not give back its input")
    return size, there, again, max(peak_there, peak_again)


def measure_row(peer, source, arguments):
    """One run, as a row of the JSON."""
    size, there, again, peak = measure(peer, source, arguments.core, not arguments.no_check)
    return {"program": peer[0], "bytes": size, "compress_seconds": there,
            "decompress_seconds": again, "memory_mb": peak}


def add_arguments(parser):
    parser.add_argument("--corpress", required=True, help="the program to measure")
    parser.add_argument("--shard-size", default="64M", help="of corpress (default: %(default)s)")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--only", default="", help="comma-separated beginnings of names")
    parser.add_argument("--no-check", action="store_true", help="do not decompress")
    parser.add_argument("files", nargs="+")


def all_peers(arguments):
    program = os.path.abspath(arguments.corpress)
    ways = [(f"corpress {profile}", f"-p {profile} --shard-size {arguments.shard_size}")
            for profile in ("balanced", "fast", "strong", "neural")]
    if getattr(arguments, "shards", False):
        ways += [("corpress balanced, 1 MiB shards", "--shard-size 1M"),
                 ("corpress balanced, 1 MiB shards, no primer", "--shard-size 1M --no-primer"),
                 ("corpress balanced, 4 MiB shards", "--shard-size 4M")]
    return [(name, program, f"'{program}' compress -q {options} input -o {{out}}",
             f"'{program}' cat {{out}} input > {{back}}") for name, options in ways] + PEERS


def chosen_peers(arguments, parser):
    """Those that --only names, without those that are not installed."""
    peers = all_peers(arguments)
    names = arguments.only.split(",") if arguments.only else [""]
    for name in names:
        if not any(peer[0].startswith(name) for peer in peers):
            parser.error(f"no program's name begins with '{name}': "
                         + ", ".join(peer[0] for peer in peers))
    peers = [peer for peer in peers if peer[0].startswith(tuple(names))]
    found = [peer for peer in peers if is_there(peer[0], peer[1])]
    for name, package, _, _ in peers:
        if not is_there(name, package):
            what = "file" if name.startswith("corpress") else "package"
            print(f"left out: {name} ({what} {package} is not there)", file=sys.stderr)
    return found


def is_there(name, package):
    program = package if name.startswith("corpress") else name.split()[0]
    return shutil.which(program) is not None


def compare(path, peers, arguments):
    """Prints the table of one file; returns whether all went well."""
    best, failed = {}, set()
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "input")
        shutil.copyfile(path, source)
        raw = os.path.getsize(source)
        for _ in range(arguments.repeat):
            for peer in (peer for peer in peers if peer[0] not in failed):
                try:
                    row = measure_row(peer, source, arguments)
                except RuntimeError as error:
                    print(f"left out: {peer[0]} on {path}: {error}", file=sys.stderr)
                    failed.add(peer[0])
                    best.pop(peer[0], None)
                    continue
                best[peer[0]] = better(row, best.get(peer[0], row))
    print(f"\n{os.path.basename(path)}: {raw:,} bytes; load {os.getloadavg()[0]:.1f}\n")
    print(table(raw, best.values()), flush=True)
    if arguments.json:
        keep(arguments, os.path.splitext(os.path.basename(path))[0], path, best.values())
    return not failed


def better(row, old):
    """The smaller times, and the larger memory, of two runs."""
    both = dict(row, memory_mb=max(row["memory_mb"], old["memory_mb"]))
    for key in ("compress_seconds", "decompress_seconds"):
        if row[key] is not None:
            both[key] = min(row[key], old[key])
    return both


def speed(raw, seconds):
    """MB/s with two or three digits that count."""
    if seconds is None:
        return "-"
    value = raw / seconds / 1e6
    return f"{value:.{3 if value < 0.1 else 2 if value < 10 else 0}f}"


def table(raw, rows):
    lines = ["| program | bytes | bits/byte | compress MB/s | decompress MB/s | memory MB |",
             "|---|---:|---:|---:|---:|---:|"]
    for row in sorted(rows, key=lambda row: row["bytes"]):
        lines.append(f"| {row['program']} | {row['bytes']:,} "
                     f"| {row['bytes'] * 8 / max(raw, 1):.3f} "
                     f"| {speed(raw, row['compress_seconds'])} "
                     f"| {speed(raw, row['decompress_seconds'])} | {row['memory_mb']:.0f} |")
    return "\n".join(lines)


def said(*command):
    """The first line that a command prints, or nothing if it cannot be run."""
    try:
        output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
    return output.strip().split("\n")[0]


def commit():
    """The last one that changed what is measured, with a + if the tree has changes of it."""
    git = ("git", "-C", os.path.join(HERE, "..", ".."))
    last = said(*git, "log", "-1", "--format=%h", "--", *MEASURED)
    return last + ("+" if said(*git, "status", "--porcelain", "--", *MEASURED) else "")


def circumstances(corpress):
    """What all figures of one JSON have in common."""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = re.findall(r"^model name\s*: (.*)$", info.read(), re.M)
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "corpress": said(corpress, "--version"),
        "commit": commit(),
    }


def package_versions():
    versions = {}
    for _, package, _, _ in PEERS:
        version = said("dpkg-query", "-W", "-f=${Version}", package)
        if version:
            versions[package] = version
    return versions


def keep(arguments, name, path, rows, section="inputs"):
    """Adds the rows of one file to a section of the JSON."""
    now = circumstances(arguments.corpress)
    kept = read_json(arguments.json)
    if kept.setdefault("circumstances", now) != now:
        sys.exit(f"{arguments.json} is of another commit or machine; remove it to begin anew")
    kept["date"] = datetime.date.today().isoformat()
    kept["packages"] = package_versions()
    facts = {"bytes": os.path.getsize(path), "sha256": sha256(path)}
    of_file = kept.setdefault(section, {}).setdefault(name, dict(facts, rows=[]))
    new = {row["program"]: dict(row, load=round(os.getloadavg()[0], 1)) for row in rows}
    if any(of_file.get(key, value) != value for key, value in facts.items()):
        sys.exit(f"{arguments.json} has another file of the name '{name}'")
    of_file["rows"] = [row for row in of_file["rows"] if row["program"] not in new]
    of_file["rows"] += new.values()
    write_json(arguments.json, kept)


def sha256(path):
    with open(path, "rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def read_json(path):
    """What is in the file, or nothing if there is none."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as source:
        return json.load(source)


def write_json(path, content):
    """Replaces the file as a whole, so that a stop leaves the old one or the new one."""
    with open(path + ".new", "w", encoding="utf-8") as out:
        json.dump(content, out, indent=1, sort_keys=True)
        out.write("\n")
    os.replace(path + ".new", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_arguments(parser)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--shards", action="store_true", help="corpress with small shards, too")
    parser.add_argument("--json", help="where to keep what was measured")
    arguments = parser.parse_args()
    peers = chosen_peers(arguments, parser)
    well = [compare(path, peers, arguments) for path in arguments.files]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
