#!/usr/bin/env python3
"""What planned stops cost: one shard, stopped ten times by SIGUSR1, against a run that nobody stops.

    tests/bench/planned_stops.py CORPRESS FILE [--stops 10] [--shard-size 64M]

FILE must fit into one shard. Compared is CPU time, so a busy machine does little harm. What one stop costs beyond the
coding (saving the state, starting the program, loading the state) is measured by a further run after each, which is
stopped again as soon as it has loaded the state. It codes one block, which is counted as coding.
"""
import argparse
import filecmp
import os
import signal
import subprocess
import sys
import tempfile
import time

BLOCK = 65536


def start(command, log):
    with open(log, "a", encoding="utf-8") as said:
        return subprocess.Popen(command, stderr=said)


def finish(process):
    """Waits for it; returns its exit code and CPU seconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def cpu_seconds(process):
    """What a running process has used."""
    with open(f"/proc/{process.pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stop_when(process, ready):
    """Asks it to stop once ready() is true; returns its CPU seconds."""
    while not ready():
        if process.poll() is not None:
            sys.exit(f"ended with {process.returncode} before it was stopped")
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    code, seconds = finish(process)
    if code != 75:
        sys.exit(f"ended with {code} instead of 75")
    return seconds


def starts_of_shards(log):
    """How often a run has begun to code."""
    try:
        with open(log, encoding="utf-8") as lines:
            return sum('"phase":"shards"' in line for line in lines)
    except FileNotFoundError:
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpress")
    parser.add_argument("file")
    parser.add_argument("--stops", type=int, default=10)
    parser.add_argument("--shard-size", default="64M")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        whole, stopped, said = (os.path.join(work, name) for name in ("whole.h5", "stopped.h5", "said"))
        command = [options.corpress, "compress", "-q", "--shard-size", options.shard_size, options.file, "-o"]
        code, undisturbed = finish(start(command + [whole], said))
        if code != 0:
            sys.exit(f"the undisturbed run ended with {code}")

        block = undisturbed * BLOCK / os.path.getsize(options.file)
        total = 0.0
        prices = []
        for _ in range(options.stops):
            process = start(command + [stopped], said)
            used = undisturbed / (options.stops + 1)
            total += stop_when(process, lambda: cpu_seconds(process) >= used)
            begun = starts_of_shards(stopped + ".log.jsonl")
            process = start(command + [stopped], said)
            prices.append(stop_when(process, lambda: starts_of_shards(stopped + ".log.jsonl") > begun) - block)
            total += block
        code, seconds = finish(start(command + [stopped], said))
        total += seconds
        if code != 0 or not filecmp.cmp(whole, stopped, shallow=False):
            sys.exit(f"the last run ended with {code}, or the archive is another one")

        price = sum(prices)
        coding = total - price
        print(f"{os.path.getsize(options.file)} bytes; CPU seconds, load {os.getloadavg()[0]:.1f}")
        print(f"undisturbed               {undisturbed:8.2f}")
        print(f"stopped {options.stops} times          {total:8.2f}  {100 * (total / undisturbed - 1):+.1f} %")
        print(f"stops and starts          {price:8.2f}  ({' '.join(f'{p:.2f}' for p in prices)})")
        print(f"without stops and starts  {coding:8.2f}  {100 * (coding / undisturbed - 1):+.1f} %")


if __name__ == "__main__":
    main()
