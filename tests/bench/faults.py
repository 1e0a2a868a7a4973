#!/usr/bin/env python3
"""Fault injection: each call that a run makes fails once, and the command must take it as its exit codes say.

    tests/bench/faults.py CORPRESS LIBRARY [--commands compress,cat] [--calls close,fsync] [--errors EIO,short]
                          [--ranks 2] [--most 50] [--jobs 2] [--onward] [--harmless]

LIBRARY is build/.../tests/libfail_call.so, from tests/cli/fail_call.c, which says what each kind of call is. For each
command and kind of call a first run counts the calls; then one run after the other has the N-th of them fail, for all
N, or for --most of them, spread evenly. With several ranks one of them is disturbed, each in its turn.

What must hold:
  - The exit code is 0, 1 (with a warning) or 2. It is never 4 or a signal, and no run hangs.
  - EINTR and short counts are continued: exit code 0.
  - Exit code 2 comes with the system's text for the error. No line on standard error is another's.
  - After 0 or 1 the output is complete and right.
  - After 2 the same command without a fault ends well. Its archive has the same bytes, its files are the same, and
    nothing else is left. What has a file's name after a failed extraction is all of the file.

Prints a table of runs by exit code, and each failure with the environment that shows it again; on standard error how
far it is. Ends with 1 if there are any failures.
"""
import argparse
import collections
import concurrent.futures
import errno
import filecmp
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
MPIRUN = os.path.join(HERE, "..", "..", "jobs", "mpirun_local.sh")
REPORT_BYTES = 4096
HANG_SECONDS = 300

# What each kind of call may fail with; the first is the default.
ERRORS = {
    "open": ["EIO", "EMFILE", "ENOSPC", "EINTR"],
    "close": ["EIO", "ENOSPC", "EINTR"],
    "read": ["EIO", "EINTR", "short"],
    "pread": ["EIO", "EINTR", "short"],
    "write": ["ENOSPC", "EIO", "EINTR", "short"],
    "pwrite": ["ENOSPC", "EIO", "EINTR", "short"],
    "fsync": ["EIO", "ENOSPC", "EINTR"],
    "rename": ["EIO", "ENOSPC"],
    "link": ["EIO", "ENOSPC", "EPERM"],
    "unlink": ["EIO"],
    "mkdir": ["EIO", "ENOSPC"],
    "truncate": ["EIO", "ENOSPC", "EINTR"],
    "fallocate": ["ENOSPC", "EIO", "EINTR"],
    "mmap": ["ENOMEM"],
    "malloc": ["ENOMEM"],
    "library": ["ENOMEM"],
    "stat": ["EIO"],
    "opendir": ["EMFILE", "ENOMEM"],
    "readdir": ["EIO"],
    "chmod": ["EIO"],
    "utime": ["EIO"],
    "readlink": ["EIO"],
    "memfd": ["EMFILE"],
    "random": ["EAGAIN", "EINTR", "short"],
    "thread": ["EAGAIN"],
}
CONTINUED = ("EINTR", "short")

def text(size, seed):
    """Lines of words of a small vocabulary, always the same."""
    rng = random.Random(seed)
    words = ["".join(chr(97 + int(rng.random() * rng.random() * 26)) for _ in range(rng.randint(2, 9)))
             for _ in range(2000)]
    out = []
    while size > 0:
        line = " ".join(words[int(rng.random() * rng.random() * 2000)] for _ in range(rng.randint(4, 15)))
        out.append(line[:size - 1] + "\n")
        size -= len(out[-1])
    return "".join(out).encode()


def write_file(path, data, mtime):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data)
    os.utime(path, (mtime, mtime))


def make_corpus(root):
    """A few small files of every kind in corpus/, four shards of text in large/."""
    write_file(f"{root}/corpus/a.txt", text(9000, 1), 1.5e9)
    write_file(f"{root}/corpus/sub/deep/b.txt", text(30000, 2), 1.4e9)
    write_file(f"{root}/corpus/sub/noise", random.Random(3).randbytes(20000), 1.3e9)
    write_file(f"{root}/corpus/sub/empty", b"", 1.2e9)
    os.symlink("a.txt", f"{root}/corpus/link")
    os.chmod(f"{root}/corpus/a.txt", 0o640)
    write_file(f"{root}/large/1", text(3000000, 4), 1.1e9)
    write_file(f"{root}/large/2", text(1300000, 5), 1.0e9)


def facts(root):
    """What is in a directory: kind, mode, content and time of everything by path."""
    found = {}
    for directory, subdirectories, files in os.walk(root):
        for name in subdirectories + files:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            link = os.path.islink(path)
            content = os.readlink(path) if link else None
            if os.path.isfile(path) and not link:
                with open(path, "rb") as data:
                    content = data.read()
            found[os.path.relpath(path, root)] = (status.st_mode, content, 0 if link else status.st_mtime_ns)
    return found


class Command:
    """One command line. Its directory is made anew for each run."""

    def __init__(self, name, arguments, inputs, again=None):
        self.name = name
        self.arguments = arguments
        self.inputs = inputs  # what of the prepared directory it needs
        self.again = again or arguments

    def prepare(self, base, run):
        shutil.rmtree(run, ignore_errors=True)
        os.makedirs(run)
        for name in self.inputs:
            to = f"{run}/archive.h5.work" if name.endswith(".work") else f"{run}/{name}"
            if os.path.isdir(f"{base}/{name}"):
                shutil.copytree(f"{base}/{name}", to, symlinks=True)
            else:
                shutil.copy2(f"{base}/{name}", to)


class Compress(Command):
    """Makes archive.h5, which must be as `reference`."""

    def __init__(self, name, arguments, inputs, reference):
        super().__init__(name, arguments, inputs)
        self.reference = reference

    def wrong(self, base, run, code):
        archive = f"{run}/archive.h5"
        if code == 2:
            return self.lost(base, run)
        if not os.path.isfile(archive):
            return "there is no archive"
        if not filecmp.cmp(f"{base}/{self.reference}", archive, shallow=False):
            return "the archive has other bytes"
        corpus = {name for name in self.inputs if not name.endswith(".work")}
        left = set(os.listdir(run)) - corpus - {"stdout", "archive.h5", "archive.h5.log.jsonl"}
        return f"left behind: {', '.join(sorted(left))}" if left and code == 0 else None

    def lost(self, base, run):
        """Finished shards that a run has thrown away, unless it has come to the end."""
        work = f"{run}/archive.h5.work"
        before = [name for name in self.inputs if name.endswith(".work")]
        if not before or os.path.exists(f"{run}/archive.h5"):
            return None
        lost = [name for name in os.listdir(f"{base}/{before[0]}")
                if name.endswith(".cps") and not os.path.exists(f"{work}/{name}")]
        return f"thrown away: {', '.join(sorted(lost))}" if lost else None


class Extract(Command):
    """Makes out/, which must be as `tree`."""

    def __init__(self, name, arguments, inputs, tree):
        super().__init__(name, arguments, inputs, arguments + ["--continue"])
        self.tree = tree

    def wrong(self, base, run, code):
        want = facts(f"{base}/{self.tree}")
        got = facts(f"{run}/out/{self.tree}")
        if code == 0:
            differ = sorted(path for path in want.keys() | got.keys() if want.get(path) != got.get(path))
            return f"not as they were: {', '.join(differ)}" if differ else None
        for path, (_, content, _) in want.items():
            if path in got and got[path][1] != content:
                return f"{path} is not whole"
            if path not in got and code == 1:
                return f"{path} is not there"
        return None


class Print(Command):
    """Writes what its first undisturbed run has written, if `same`."""

    def __init__(self, name, arguments, inputs, same=True):
        super().__init__(name, arguments, inputs)
        self.same = same

    def wrong(self, base, run, code):
        if code == 2 or not self.same:
            return None
        reference = f"{base}/{self.name}.stdout"
        if not os.path.exists(reference):
            shutil.copy(f"{run}/stdout", reference)
        if not filecmp.cmp(reference, f"{run}/stdout", shallow=False):
            return "standard output is not complete"
        return None


def compress_line(*more):
    return ["compress", "-p", "fast", "-o", "archive.h5", "--shard-size", "1M", *more]


COMMANDS = [
    Compress("compress", compress_line("corpus"), ["corpus"], "small.h5"),
    Compress("shards", compress_line("large"), ["large"], "large.h5"),
    Compress("resume", compress_line("large"), ["large", "stopped.work"], "large.h5"),
    Compress("publish", compress_line("corpus"), ["corpus", "coded.work"], "small.h5"),
    Extract("extract", ["extract", "small.h5", "-C", "out"], ["small.h5"], "corpus"),
    Extract("restore", ["extract", "large.h5", "-C", "out"], ["large.h5"], "large"),
    Print("cat", ["cat", "small.h5", "corpus/a.txt", "corpus/sub/deep/b.txt"], ["small.h5"]),
    Print("verify", ["verify", "small.h5"], ["small.h5"]),
    Print("list", ["list", "-l", "small.h5"], ["small.h5"]),
    Print("audit", ["audit", "small.h5"], ["small.h5"]),
    Print("status", ["status", "archive.h5"], ["coded.work"], same=False),
]


def own_lines(stderr):
    """Without what mpirun says about exit codes, between dashed lines."""
    inside = False
    for line in stderr.splitlines():
        if re.match(r"-{10}", line):
            inside = not inside
        elif not inside:
            yield line


class Bench:
    def __init__(self, options, base):
        self.options = options
        self.base = base
        self.local = threading.local()
        self.lock = threading.Lock()
        self.directories = 0

    def directory(self):
        """Of this thread."""
        if not hasattr(self.local, "path"):
            with self.lock:
                self.directories += 1
                self.local.path = f"{self.base}/run-{self.directories}"
        return self.local.path

    def start(self, run, arguments, ranks, disturb=None):
        """Runs the command; returns exit code (None: it hangs), and standard error."""
        environment = [f"{name}={value}" for name, value in (disturb or {}).items()]
        line = ["env", *environment, self.options.corpress, *arguments]
        if ranks > 1:
            line = ["bash", MPIRUN, str(ranks), *line]
        with open(f"{run}/stdout", "wb") as out:
            process = subprocess.Popen(line, cwd=run, stdout=out, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                       start_new_session=True)
        try:
            _, said = process.communicate(timeout=HANG_SECONDS)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            _, said = process.communicate()
            code = None
        return code, said.decode(errors="replace")

    def disturbed(self, command, call, error, n, rank):
        """One run with a fault; returns exit code, number of calls, what has failed, and what is wrong."""
        options = self.options
        run = self.directory()
        report = f"{run}.report"
        command.prepare(self.base, run)
        with open(report, "wb") as out:
            out.truncate(REPORT_BYTES)
        disturb = {"FAIL_CALL": call, "FAIL_N": n, "FAIL_BELOW": os.path.realpath(run), "FAIL_REPORT": report,
                   "FAIL_ERRNO": 0 if error == "short" else getattr(errno, error), "LD_PRELOAD": options.library}
        if options.onward:
            disturb["FAIL_ONWARD"] = 1
        if options.ranks > 1:
            disturb["FAIL_RANK"] = rank
        code, said = self.start(run, command.arguments, options.ranks, disturb)
        with open(report, "rb") as file:
            calls, failed, what = struct.unpack("QQ512s", file.read(528))
        what = what.split(b"\0")[0].decode(errors="replace").replace(os.path.realpath(run), "")
        if n == 0 or failed == 0:
            wrong = self.judge_quiet(command, run, code, said)
        else:
            wrong = self.judge(command, run, code, said, call, error, what)
        return code, calls, failed, what, wrong, said

    def judge_quiet(self, command, run, code, said):
        """Of a run without a fault."""
        if code != 0:
            return f"ended with {code} without a fault: {said}"
        return command.wrong(self.base, run, code)

    def judge(self, command, run, code, said, call, error, what):
        strange = [line for line in own_lines(said) if not line.startswith("corpress")]
        if code is None:
            return "hangs"
        if code not in (0, 1, 2):
            return f"ended with {code}"
        if code != 0 and error in CONTINUED:
            return f"ended with {code} instead of going on"
        if strange:
            return f"printed: {strange[0]}"
        if code == 1 and "warning" not in said:
            return "ended with 1 without a warning"
        if code == 2 and not self.named(said, error):
            return "the message does not say what failed"
        wrong = command.wrong(self.base, run, code)
        if wrong or code != 2:
            return wrong
        return self.go_on(command, run, call)

    @staticmethod
    def named(said, error):
        if error in ("ENOMEM", "EAGAIN") and "memory" in said:
            return True
        # Of what stdio wrote earlier only is known that it failed.
        return os.strerror(getattr(errno, error)) in said or "standard output: write failed" in said

    def go_on(self, command, run, call):
        """The same without a fault."""
        code, said = self.start(run, command.again, self.options.ranks)
        if code != 0:
            return f"then ended with {code} without a fault: {said}"
        wrong = command.wrong(self.base, run, code)
        return f"then: {wrong}" if wrong else None


def prepare(options, bench, commands):
    """The corpora and, if a command needs them, archives and the work directories of jobs that were stopped."""
    base = bench.base
    make_corpus(base)
    needed = {name for command in commands for name in [*command.inputs, getattr(command, "reference", None)]}
    for name, corpus in (("small.h5", "corpus"), ("large.h5", "large")):
        if name in needed:
            code, said = bench.start(base, ["compress", "-q", "-p", "fast", "--shard-size", "1M", corpus, "-o", name], 1)
            if code != 0:
                sys.exit(f"cannot prepare: {said}")
    if "coded.work" in needed:
        code_only(options, bench)
        os.rename(f"{base}/archive.h5.work", f"{base}/coded.work")
    if "stopped.work" in needed:
        stop_within(options, base)
        os.rename(f"{base}/archive.h5.work", f"{base}/stopped.work")


def code_only(options, bench):
    """A job that has coded its shard, and cannot publish."""
    disturb = {"FAIL_CALL": "pwrite", "FAIL_ERRNO": errno.EIO, "FAIL_ONWARD": 1, "FAIL_BELOW": bench.base,
               "LD_PRELOAD": options.library}
    for n in range(1, 20):
        code, said = bench.start(bench.base, compress_line("-q", "corpus"), 1, disturb | {"FAIL_N": n})
        if os.path.exists(f"{bench.base}/archive.h5.work/shard-00000000.cps"):
            return
    sys.exit(f"cannot prepare: {code}: {said}")


def stop_within(options, base):
    """A job that has coded a shard, and some of another."""
    process = subprocess.Popen([options.corpress, *compress_line("-q", "large")], cwd=base, stderr=subprocess.PIPE)
    while not os.path.exists(f"{base}/archive.h5.work/shard-00000000.cps"):
        if process.poll() is not None:
            sys.exit(f"cannot prepare: {process.stderr.read().decode()}")
    process.send_signal(signal.SIGUSR1)
    _, said = process.communicate()
    if process.returncode != 75:
        sys.exit(f"cannot prepare: {said.decode()}")


def spread(calls, most):
    """Which of the calls fail: all, or `most` of them."""
    if not most or calls <= most:
        return list(range(1, calls + 1))
    return sorted({1 + i * (calls - 1) // max(most - 1, 1) for i in range(most)})


def measure(options, bench, pool, command, call):
    """All runs of a command with one kind of call; returns exit codes, failures and harmless faults."""
    codes = collections.Counter()
    failures = []
    harmless = collections.Counter()
    for rank in range(options.ranks):
        errors = [error for error in ERRORS[call] if not options.errors or error in options.errors]
        if not errors:
            continue
        _, calls, _, _, wrong, _ = bench.disturbed(command, call, errors[0], 0, rank)
        if wrong:
            sys.exit(f"{command.name}: {wrong}")
        jobs = {pool.submit(bench.disturbed, command, call, error, n, rank): (error, n)
                for error in errors for n in spread(calls, options.most)}
        for job in concurrent.futures.as_completed(jobs):
            error, n = jobs[job]
            code, _, failed, what, wrong, said = job.result()
            codes["not reached" if not failed and not wrong else code] += 1
            if wrong:
                failures.append(f"{command.name} FAIL_CALL={call} FAIL_N={n} {error}"
                                + (f" rank {rank}" if options.ranks > 1 else "")
                                + f" at {what}: {wrong} [{'|'.join(said.splitlines())[:300]}]")
                print(failures[-1], flush=True)
            elif failed and code == 0 and error not in CONTINUED:
                harmless[f"{call} {error} at {re.sub('[0-9a-f]{16}|-[0-9]+-', '*', what)}"] += 1
    return codes, failures, harmless


def cell(codes, failures):
    if not codes:
        return "-"
    each = "/".join(str(codes[code]) for code in (0, 1, 2))
    runs = sum(count for code, count in codes.items() if code != "not reached")
    return f"{runs} ({each})" + (f" !{failures}" if failures else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda value: value.split(",")
    parser.add_argument("corpress", type=os.path.abspath)
    parser.add_argument("library", type=os.path.abspath)
    parser.add_argument("--commands", type=words, default=[command.name for command in COMMANDS])
    parser.add_argument("--calls", type=words, default=list(ERRORS))
    parser.add_argument("--errors", type=words, help="default: all that the call is known for")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--most", type=int, default=0, help="faults of a command, kind of call and error")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--onward", action="store_true", help="all calls behind the N-th fail as well")
    parser.add_argument("--harmless", action="store_true", help="list the faults after which the exit code was 0")
    options = parser.parse_args()

    table = {}
    failures = []
    harmless = collections.Counter()
    with tempfile.TemporaryDirectory() as base, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        bench = Bench(options, base)
        commands = [command for command in COMMANDS if command.name in options.commands]
        prepare(options, bench, commands)
        for command in commands:
            for call in options.calls:
                codes, failed, without_harm = measure(options, bench, pool, command, call)
                table[call, command.name] = cell(codes, len(failed))
                print(f"{command.name} {call}: {table[call, command.name]}", file=sys.stderr, flush=True)
                failures += failed
                harmless += without_harm
    if options.harmless:
        for what, count in sorted(harmless.items()):
            print(f"harmless: {count} {what}")
    print("Runs (exit code 0/1/2), and failures")
    width = max([len(value) for value in table.values()] + [10]) + 2
    print(" " * 10 + "".join(command.name.ljust(width) for command in commands))
    for call in options.calls:
        print(call.ljust(10) + "".join(table[call, command.name].ljust(width) for command in commands).rstrip())
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
