#!/usr/bin/env python3
"""What decoding compressed inputs costs, beside coding the text.

    tests/bench/decode_inputs.py --corpress build/release/corpress TEXT...

Compresses the texts, as one file, with the programs that are installed, and lets `corpress plan
--decode-inputs` look into each result: that decodes it once, as a job does before it codes. Prints
seconds of the processor, MB of text a second, and the most memory. Then, for comparison, what coding
the text takes with each profile given by --profile (default: fast).
"""
import argparse
import os
import resource
import shutil
import subprocess
import tempfile

MAKERS = [
    ("gzip -6", ["gzip", "-6", "-c"]),
    ("bgzip", ["bgzip", "-c"]),
    ("zstd -3", ["zstd", "-q", "-3", "-c"]),
    ("zstd -19 --long=27", ["zstd", "-q", "-19", "--long=27", "-T0", "-c"]),
    ("zstd -3 --long=31", ["zstd", "-q", "-3", "--long=31", "-c"]),
    ("xz -6", ["xz", "-6", "-T0", "-c"]),
    ("bzip2 -9", ["bzip2", "-9", "-c"]),
    ("lz4", ["lz4", "-q", "-c"]),
]


def run(command):
    """Seconds of the processor, and the most memory in MB, of a command."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1), command
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpress", required=True)
    parser.add_argument("--profile", action="append", default=[])
    parser.add_argument("text", nargs="+")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as place:
        plain = os.path.join(place, "text")
        with open(plain, "wb") as out:
            for path in given.text:
                with open(path, "rb") as file:
                    shutil.copyfileobj(file, out)
        size = os.path.getsize(plain) / 1e6
        print(f"{size:.0f} MB of text\n\n| input | MB | processor s | MB of text/s | memory MB |\n|---|---:|---:|---:|---:|")
        for name, maker in MAKERS:
            if shutil.which(maker[0]) is None:
                continue
            packed = os.path.join(place, "packed")
            with open(plain, "rb") as file, open(packed, "wb") as out:
                subprocess.run(maker, stdin=file, stdout=out, check=True)
            seconds, memory = run([given.corpress, "plan", "--sample-bytes", "0", "--decode-inputs", packed])
            print(f"| {name} | {os.path.getsize(packed) / 1e6:.1f} | {seconds:.2f} | {size / seconds:.0f} | {memory:.0f} |", flush=True)
            os.remove(packed)
        for profile in given.profile or ["fast"]:
            archive = os.path.join(place, "a.h5")
            seconds, memory = run([given.corpress, "compress", "-q", "-f", "-p", profile, plain, "-o", archive])
            print(f"| coding, {profile} | | {seconds:.2f} | {size / seconds:.2f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()
