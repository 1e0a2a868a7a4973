"""Measures all that report.py tables, in one run: on one core, of one commit, on one machine.

What is measured is kept row by row in BUILD/report-long or BUILD/report-short, or in --output. A
run that was stopped goes on: rows that are there, of the same commit, machine and text, are not
measured again. The long form writes tests/bench/ and the documents at its end, when all went well.

The short form takes the prose alone, with README's programs, and 1 and 4 MiB for the idea; it never
writes into the tree. Code that is not committed can be measured in the short form only, or with
--output; nothing of such a run is kept for another.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import compare
import growth
import idea

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
SECTIONS = ("inputs", "field", "corpora")
NAMES = ("results.json", "idea.json")
TEXT_BYTES = 10_000_000
CORPUS_BYTES = 16 * growth.MIB
IDEA_MIB = {"short": (1, 4), "long": (1, 4, 16)}
# Up to here the idea's archives are decoded and scored.
CHECKED_MIB = {"short": 1, "long": 4}
# Seconds a byte, there and back, of a program that the tree's results.json does not have.
UNKNOWN = 3e-6


def add_arguments(parser):
    parser.add_argument("--measure", metavar="BUILD", help="measure first, what is built here")
    parser.add_argument("--short", action="store_true", help="about ten minutes, prose only")
    parser.add_argument("--output", metavar="FOLDER", help="write there, and not into the tree")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--repeat", type=int, default=1, help="times to measure each row")
    parser.add_argument("--prose", metavar="FILE", help="English prose; 10 MB are taken")
    parser.add_argument("--code", metavar="FILE", help="C source; 10 MB are taken")
    parser.add_argument("--books", metavar="FILE", help="books; up to 16 MiB are taken")
    parser.add_argument("--field", metavar="[NAME=]FILE", nargs="+", default=[],
                        help="files of other kinds, each taken whole")
    parser.add_argument("--corpora", metavar="NAME=FILE", nargs="+", default=[],
                        help="larger texts, of which 16 MiB are taken")


def named(word):
    """NAME=FILE as both; a FILE alone goes by its own name."""
    name, equals, path = word.partition("=")
    return (name, path) if equals else (os.path.basename(word), word)


class Step:
    """One row to measure."""

    def __init__(self, label, estimate, run):
        self.label, self.estimate, self.run = label, estimate, run


class Texts:
    """The beginnings of files that are measured, each made once."""

    def __init__(self, folder):
        self.folder = folder
        self.made = {}

    def beginning(self, path, size):
        """A file of that many bytes of the beginning; with no size, the file as it is."""
        if size is None or os.path.getsize(path) <= size:
            return path
        if (path, size) not in self.made:
            target = os.path.join(self.folder, str(len(self.made)))
            growth.make_prefix(path, target, size)
            self.made[path, size] = target
        return self.made[path, size]


# ---- before ------------------------------------------------------------------------------------

def refuse(parser, arguments):
    """Ends the program if this cannot become a report."""
    needed = ("prose",) if arguments.short else ("prose", "code", "books")
    for name in needed:
        if getattr(arguments, name) is None:
            parser.error(f"--{name} is missing")
    words = [named(word) for word in arguments.field + arguments.corpora]
    paths = [getattr(arguments, name) for name in ("prose", "code", "books")]
    for path in [path for path in paths if path] + [path for _, path in words]:
        if not os.path.isfile(path) or os.path.getsize(path) == 0:
            parser.error(f"{path} is no file with something in it")
    for group in (arguments.field, arguments.corpora):
        if len({named(word)[0] for word in group}) < len(group):
            parser.error("two files have one name; use NAME=FILE")
    if compare.commit().endswith("+") and not (arguments.short or arguments.output):
        sys.exit("what would be measured has changes that are not committed; commit them, or use "
                 "--short or --output")


def build(folder):
    """Makes the program of this tree, so that it is of the commit that the report names."""
    try:
        with open(os.path.join(folder, "CMakeCache.txt"), encoding="utf-8") as source:
            cache = dict(re.findall(r"^([\w.-]+):\w+=(.*)$", source.read(), re.M))
    except OSError:
        sys.exit(f"{folder} is not configured: cmake --preset release")
    if os.path.realpath(cache.get("CMAKE_HOME_DIRECTORY", "")) != os.path.realpath(ROOT):
        sys.exit(f"{folder} builds another tree")
    if cache.get("CMAKE_BUILD_TYPE") != "Release":
        sys.exit(f"{folder} does not build for speed: cmake --preset release")
    subprocess.run(["cmake", "--build", folder, "--target", "corpress", "idea_facts"],
                   check=True, stdout=sys.stderr)


def begin(folder, form, now):
    """Makes the folder; removes what it has of another commit, machine or form."""
    os.makedirs(folder, exist_ok=True)
    for name, rows in zip(NAMES, ("inputs", "sizes")):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            old = compare.read_json(path)
            if old["circumstances"] == now and old["form"] == form and "+" not in now["commit"]:
                continue
            print(f"{path} is of {old['circumstances']['commit']}; begins anew", file=sys.stderr)
        compare.write_json(path, {"circumstances": now, "form": form, rows: {}})


def peers_for(names, arguments):
    """The programs of these names, or all, that are installed; a long report wants every one."""
    peers = [peer for peer in compare.all_peers(arguments) if names is None or peer[0] in names]
    lacking = [peer for peer in peers if not compare.is_there(peer[0], peer[1])]
    if lacking and not (arguments.short or arguments.output):
        packages = sorted({peer[1] for peer in lacking})
        sys.exit("not installed: " + " ".join(packages) + "; or use --short or --output")
    for peer in lacking:
        print(f"left out: {peer[0]} (package {peer[1]} is not there)", file=sys.stderr)
    return [peer for peer in peers if peer not in lacking]


# ---- the rows ----------------------------------------------------------------------------------

def kept_row(arguments, section, name, program):
    of_file = compare.read_json(arguments.json).get(section, {}).get(name, {"rows": []})
    return next((row for row in of_file["rows"] if row["program"] == program), None)


def measure_row(arguments, section, name, path, peer):
    """Measures one program on one text; joins the row with those of earlier rounds."""
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "input")
        shutil.copyfile(path, source)
        row = compare.measure_row(peer, source, arguments)
    old = kept_row(arguments, section, name, peer[0])
    row = dict(compare.better(row, old or row), runs=(old or {}).get("runs", 0) + 1)
    compare.keep(arguments, name, path, [row], section)


def rates():
    """Seconds a byte, there and back, of each program in the tree's results.json."""
    found = {}
    for of_file in compare.read_json(os.path.join(HERE, NAMES[0])).get("inputs", {}).values():
        for row in of_file["rows"]:
            time_of = row["compress_seconds"] + (row["decompress_seconds"] or 0)
            found[row["program"]] = max(found.get(row["program"], 0), time_of / of_file["bytes"])
    return found


def estimate(known, program, size):
    return known.get(program, known.get(program.split(",")[0], UNKNOWN)) * size


def row_steps(arguments, texts, known):
    """The rows of results.json that are missing: each section, name, path, peers."""
    for section, name, path, peers in texts:
        for turn in range(arguments.repeat):
            for peer in peers:
                row = kept_row(arguments, section, name, peer[0])
                if row is None or row["runs"] <= turn:
                    yield Step(f"{name}: {peer[0]}",
                               estimate(known, peer[0], os.path.getsize(path)),
                               lambda words=(section, name, path, peer):
                               measure_row(arguments, *words))


def idea_steps(arguments, form, known):
    """The rows of idea.json that are missing."""
    results = idea.load(arguments.idea.json)
    if "source" not in results:
        yield Step("the coder", 1, lambda: idea.measure_coder(arguments.idea))
    for mib in IDEA_MIB[form]:
        size = int(mib * idea.MIB)
        if size > os.path.getsize(arguments.idea.text):
            print(f"left out: {mib} MiB of {arguments.idea.text}, which is shorter",
                  file=sys.stderr)
            continue
        for name in idea.names():
            if name not in results["sizes"].get(str(size), {}):
                def run(size=size, name=name, no_check=mib > CHECKED_MIB[form]):
                    arguments.idea.no_check = no_check
                    idea.measure_row(name, size, arguments.idea)
                # With a check there is a third pass, `score`; without one, a single pass.
                passes = 0.5 if mib > CHECKED_MIB[form] else 1.5
                yield Step(f"{mib} MiB: {name}", passes * estimate(known, name, size), run)


def texts_of(arguments, texts, programs):
    """What results.json is made of: section, name, path, peers."""
    installed = peers_for(programs[0] if arguments.short else None, arguments)
    chosen, other_kinds, corpora = ([peer for peer in installed if peer[0] in names]
                                    for names in programs)
    prose = ("inputs", "English prose", texts.beginning(arguments.prose, TEXT_BYTES))
    if arguments.short:
        return [(*prose, chosen)]
    every = [peer for peer in installed if "4 MiB" not in peer[0]]
    found = [(*prose, every),
             ("inputs", "C source", texts.beginning(arguments.code, TEXT_BYTES), every)]
    found += [("field", name, path, other_kinds)
              for name, path in (named(word) for word in arguments.field)]
    found += [("corpora", name, texts.beginning(path, CORPUS_BYTES), corpora)
              for name, path in (named(word) for word in arguments.corpora)]
    return found


def duration(seconds):
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def run_steps(steps):
    """Runs them one by one and says how far it is; returns whether all went well."""
    well, took, expected = True, 0.0, 0.0
    whole = sum(step.estimate for step in steps)
    print(f"{len(steps)} rows to measure, about {duration(whole)}", file=sys.stderr)
    for i, step in enumerate(steps):
        start = time.monotonic()
        try:
            step.run()
        except (RuntimeError, subprocess.CalledProcessError) as error:
            print(f"left out: {step.label}: {error}", file=sys.stderr)
            well = False
        took += time.monotonic() - start
        expected += step.estimate
        left = (whole - expected) * took / max(expected, 1e-3)
        print(f"[{i + 1}/{len(steps)}] {step.label}: {duration(time.monotonic() - start)}; "
              f"{duration(left)} left", file=sys.stderr, flush=True)
    return well


def measure(arguments, parser, chosen, other_kinds, corpora):
    """Makes both JSON files; returns their folder, and whether all went well."""
    refuse(parser, arguments)
    build(arguments.measure)
    os.sched_setaffinity(0, {arguments.core})
    form = "short" if arguments.short else "long"
    work = arguments.output or os.path.join(arguments.measure, "report-" + form)
    arguments.corpress = os.path.join(arguments.measure, "corpress")
    arguments.shard_size, arguments.shards, arguments.no_check = "64M", True, False
    arguments.json, idea_json = (os.path.join(work, name) for name in NAMES)
    arguments.idea = argparse.Namespace(build=arguments.measure, json=idea_json,
                                        text=arguments.books or arguments.prose)
    begin(work, form, compare.circumstances(arguments.corpress))
    with tempfile.TemporaryDirectory() as folder:
        programs = (chosen, other_kinds, (*corpora, "corpress balanced, 4 MiB shards"))
        texts = texts_of(arguments, Texts(folder), programs)
        known = rates()
        well = run_steps([*row_steps(arguments, texts, known), *idea_steps(arguments, form, known)])
    return work, well
