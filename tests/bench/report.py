#!/usr/bin/env python3
"""Writes the tables of RESULTS.md and of README.md, and a picture, from what compare.py and idea.py
measured.

    tests/bench/report.py [--check] [ROOT]

The figures are those of tests/bench/results.json and of tests/bench/idea.json; the picture is
tests/bench/front.svg. A table stands between the lines `<!-- report.py: NAME -->` and `<!-- end -->`. With --check nothing is written: the exit code is 1
if a document does not have the tables that it should have.
"""
import argparse
import json
import os
import re
import sys

import compare
import front
import idea

HERE = os.path.dirname(os.path.abspath(__file__))
# The rows of README's table, from the file that is named first here.
FIRST = "English prose"
CHOSEN = ("corpress neural", "corpress strong", "corpress balanced", "corpress fast", "zpaq -m5",
          "7z PPMd o16 m1g", "xz -9e", "zstd --ultra -22 --long=27", "brotli -q 11 --lgwin=24")
SMALL = re.compile(r", 1 MiB shards")


def rows_of(results, name):
    return results["inputs"][name]["bytes"], results["inputs"][name]["rows"]


def machine(results):
    facts = results["circumstances"]
    loads = [row["load"] for of_file in results["inputs"].values() for row in of_file["rows"]]
    text = (f"Measured on {results['date']} at commit {facts['commit']}, on one core of an "
            f"{facts['processor']} with {facts['cores']} cores, {facts['system']}.")
    if max(loads) > facts["cores"]:
        text += (f" Other work kept the load at up to {max(loads):.0f}: speeds are lower than on a "
                 "quiet machine.")
    return text


def versions(results):
    return "Programs: " + ", ".join(f"{name} {version}" for name, version
                                    in sorted(results["packages"].items())) + "."


def wrapped(text, width=98):
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines)


def all_rows(results, name):
    raw, rows = rows_of(results, name)
    return (f"{raw:,} bytes.\n\n"
            + compare.table(raw, [row for row in rows if not SMALL.search(row["program"])]))


def chosen_rows(results):
    raw, rows = rows_of(results, FIRST)
    found = sorted((row for row in rows if row["program"] in CHOSEN), key=lambda row: row["bytes"])
    text = ("| program | bits/byte | compress MB/s | decompress MB/s | memory MB |\n"
            "|---|---:|---:|---:|---:|\n")
    for row in found:
        text += (f"| {row['program']} | {row['bytes'] * 8 / raw:.3f} "
                 f"| {compare.speed(raw, row['compress_seconds'])} "
                 f"| {compare.speed(raw, row['decompress_seconds'])} | {row['memory_mb']:.0f} |\n")
    return text + "\n" + wrapped(f"{FIRST}, {raw:,} bytes. " + machine(results))


def shard_rows(results):
    text = "| input | one shard | 1 MiB shards | 1 MiB shards, no primer |\n|---|---:|---:|---:|\n"
    for name in sorted(results["inputs"], key=lambda name: name != FIRST):
        sizes = {row["program"]: row["bytes"] for row in rows_of(results, name)[1]}
        found = [sizes.get("corpress balanced" + way) for way in
                 ("", ", 1 MiB shards", ", 1 MiB shards, no primer")]
        if None not in found:
            text += f"| {name} | " + " | ".join(f"{size:,}" for size in found) + " |\n"
    return text.rstrip("\n")


def tables(results):
    """Name and text of every table."""
    made = {"machine": wrapped(machine(results) + " " + versions(results)),
            "chosen": chosen_rows(results), "shards": shard_rows(results)}
    for name in results["inputs"]:
        made[name] = all_rows(results, name)
    return made


def picture(results):
    raw, rows = rows_of(results, FIRST)
    return front.draw(FIRST, raw, [row for row in rows if not SMALL.search(row["program"])
                                   and "large_window" not in row["program"]])


def rewrite(text, made):
    def table(match):
        if match[2] not in made:
            sys.exit(f"there is no table '{match[2]}'")
        return f"{match[1]}\n\n{made[match[2]]}\n\n<!-- end -->"
    return re.sub(r"(<!-- report\.py: (.*?) -->)\n.*?<!-- end -->", table, text, flags=re.S)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("root", nargs="?", default=os.path.join(HERE, "..", ".."))
    arguments = parser.parse_args()
    with open(os.path.join(HERE, "results.json"), encoding="utf-8") as source:
        results = json.load(source)
    made = tables(results)
    made.update(idea.tables(idea.load(os.path.join(HERE, "idea.json"))))
    code = 0
    for name in ("README.md", "tests/bench/RESULTS.md", "tests/bench/front.svg"):
        path = os.path.join(arguments.root, name)
        is_picture = name.endswith(".svg")
        text = ""
        if os.path.exists(path) or not is_picture:
            with open(path, encoding="utf-8") as document:
                text = document.read()
        if not is_picture and "<!-- report.py: " not in text:
            print(f"{name} has no table of report.py")
            code = 1
        new = picture(results) if is_picture else rewrite(text, made)
        if new != text and arguments.check:
            print(f"{name} does not have the figures that were measured; run tests/bench/report.py")
            code = 1
        elif new != text:
            with open(path, "w", encoding="utf-8") as document:
                document.write(new)
    return code


if __name__ == "__main__":
    sys.exit(main())
