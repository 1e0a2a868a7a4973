#!/usr/bin/env python3
"""Measures what README and RESULTS.md show, and writes their tables and a picture of it.

    tests/bench/report.py [--check] [ROOT]
    tests/bench/report.py --measure BUILD [--short] [--output FOLDER] [--core N] [--repeat N]
                          --prose FILE [--code FILE --books FILE] [--field [NAME=]FILE...]
                          [--corpora NAME=FILE...]

The first form writes the tables between lines `<!-- report.py: NAME -->` and `<!-- end -->`, and
tests/bench/front.svg, from tests/bench/results.json and tests/bench/idea.json. With --check nothing
is written: the exit code is 1 if a document does not have the tables that it should have, or if a
sentence of README has a figure that was not measured (report_claims.py).

The second form builds corpress in BUILD, a folder that `cmake --preset release` has configured, and
makes these two files first: on one core, of one commit. See report_run.py, and RESULTS.md.
"""
import argparse
import os
import re
import sys

import compare
import front
import idea
import report_claims
import report_run

HERE = os.path.dirname(os.path.abspath(__file__))
# The rows of README's table, from the file that is named first here.
FIRST = "English prose"
CHOSEN = ("corpress neural", "corpress strong", "corpress balanced", "corpress fast", "zpaq -m5",
          "7z PPMd o16 m1g", "xz -9e", "zstd --ultra -22 --long=27", "brotli -q 11 --lgwin=24")
SMALL = re.compile(r", \d+ MiB shards")
OTHER_KINDS = ("corpress balanced", "zstd --ultra -22 --long=27", "xz -9e", "bzip3 -b 64",
               "zpaq -m5")
CORPORA = ("corpress fast", "corpress balanced", "corpress strong") + OTHER_KINDS[1:]
DOCUMENTS = ("README.md", "tests/bench/RESULTS.md")
PICTURE = "tests/bench/front.svg"


def rows_of(results, name):
    return results["inputs"][name]["bytes"], results["inputs"][name]["rows"]


def machine(results):
    facts = results["circumstances"]
    loads = [row["load"] for section in report_run.SECTIONS
             for of_file in results.get(section, {}).values() for row in of_file["rows"]]
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


def sizes_of(of_file):
    return {row["program"]: row["bytes"] for row in of_file["rows"]}


def cells(*words):
    return "| " + " | ".join(words) + " |"


def count(size):
    return "-" if size is None else f"{size:,}"


def field_rows(results):
    lines = [cells("file", "bytes", *OTHER_KINDS), "|---|" + "---:|" * (1 + len(OTHER_KINDS))]
    for name, of_file in sorted(results["field"].items()):
        sizes = sizes_of(of_file)
        lines.append(cells(name, count(of_file["bytes"]),
                           *(count(sizes.get(program)) for program in OTHER_KINDS)))
    return "\n".join(lines)


def corpora_rows(results, show):
    """A row a program, a column a corpus; `show` makes a cell of a row of the JSON."""
    corpora = results["corpora"]
    lines = [cells("program", *corpora), "|---|" + "---:|" * len(corpora)]
    for program in CORPORA:
        found = [[show(row) for row in of_file["rows"] if row["program"] == program]
                 for of_file in corpora.values()]
        if any(found):
            lines.append(cells(program, *(cell[0] if cell else "-" for cell in found)))
    return "\n".join(lines)


def corpora_sizes(results):
    corpora = results["corpora"]
    raw = cells("the corpus", *(count(of_file["bytes"]) for of_file in corpora.values()))
    head, rule, *rows = corpora_rows(results, lambda row: count(row["bytes"])).split("\n")
    return "\n".join([head, rule, raw, *rows])


def seconds(row):
    """CPU seconds there and back."""
    both = (row["compress_seconds"], row["decompress_seconds"])
    return " / ".join("-" if time is None else f"{time:.{1 if time < 10 else 0}f}" for time in both)


def corpora_shards(results):
    lines = [cells("corpus", "one shard", "4 MiB shards", "ratio"), "|---|---:|---:|---:|"]
    for name, of_file in results["corpora"].items():
        sizes = sizes_of(of_file)
        one, small = (sizes.get("corpress balanced" + way) for way in ("", ", 4 MiB shards"))
        if one is not None and small is not None:
            lines.append(cells(name, count(one), count(small), f"{small / one:.3f}"))
    return "\n".join(lines)


def tables(results):
    """Name and text of every table."""
    made = {"machine": wrapped(machine(results) + " " + versions(results)),
            "chosen": chosen_rows(results), "shards": shard_rows(results)}
    for name in results["inputs"]:
        made[name] = all_rows(results, name)
    made["field"] = field_rows(results) if results.get("field") else compare.NOT_YET
    made.update(dict.fromkeys(("corpora", "corpora: seconds", "corpora: shards"), compare.NOT_YET))
    if results.get("corpora"):
        made.update({"corpora": corpora_sizes(results),
                     "corpora: seconds": corpora_rows(results, seconds),
                     "corpora: shards": corpora_shards(results)})
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


def read_text(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as source:
        return source.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as document:
        document.write(text)


def mixed(results, ideas):
    """A fault if a report is short, or of more than one commit or machine."""
    if {found.get("form") for found in (results, ideas)} != {"long"}:
        return "results.json and idea.json are not of one long report"
    if results["circumstances"] != ideas["circumstances"]:
        return "results.json and idea.json are of different commits or machines"
    return None


def documents(root, check):
    """Writes the documents, or compares them; returns the exit code."""
    results, ideas = (compare.read_json(os.path.join(HERE, name)) for name in report_run.NAMES)
    made = dict(tables(results), **idea.tables(ideas))
    faults = [fault for fault in [mixed(results, ideas)] if fault]
    for name in (*DOCUMENTS, PICTURE):
        path = os.path.join(root, name)
        text = read_text(path)
        if name != PICTURE and "<!-- report.py: " not in text:
            faults.append("it has no table of report.py: " + name)
        new = picture(results) if name == PICTURE else rewrite(text, made)
        if new != text and check:
            faults.append(f"{name} does not have the figures that were measured; "
                          "run tests/bench/report.py")
        elif new != text:
            write(path, new)
    faults += report_claims.faults(read_text(os.path.join(root, DOCUMENTS[0])), results)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def page(results, ideas):
    """What was measured, on a page of its own."""
    made = dict(tables(results), **idea.tables(ideas))
    parts = ["# corpress in figures, " + results["form"] + " form", made.pop("machine")]
    if results["form"] == "short":
        made.pop("chosen")              # the rows of the prose are no others
    for name, text in made.items():
        if text != compare.NOT_YET and text.count("\n") != 1:       # the head of a table, no rows
            parts.append(f"## {name[0].upper()}{name[1:]}\n\n{text}")
    return "\n\n".join(parts) + "\n"


def measure(arguments, parser):
    work, well = report_run.measure(arguments, parser, CHOSEN, OTHER_KINDS, CORPORA)
    results, ideas = (compare.read_json(os.path.join(work, name)) for name in report_run.NAMES)
    if FIRST not in results["inputs"]:
        sys.exit("no program could be measured")
    write(os.path.join(work, "report.md"), page(results, ideas))
    write(os.path.join(work, "front.svg"), picture(results))
    print(page(results, ideas))
    print(f"{work} has this page as report.md, the picture and the JSON files", file=sys.stderr)
    if arguments.short or arguments.output or not well:
        return 0 if well else 1
    for name in report_run.NAMES:
        compare.write_json(os.path.join(HERE, name), compare.read_json(os.path.join(work, name)))
    return documents(arguments.root, False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    report_run.add_arguments(parser)
    parser.add_argument("root", nargs="?", default=os.path.join(HERE, "..", ".."))
    arguments = parser.parse_args()
    if arguments.measure:
        return measure(arguments, parser)
    return documents(arguments.root, arguments.check)


if __name__ == "__main__":
    sys.exit(main())
