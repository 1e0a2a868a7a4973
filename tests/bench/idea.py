#!/usr/bin/env python3
"""Measures the idea behind corpress: a compressor is a model, and its archive the model's loss.

    tests/bench/idea.py --build build/release [--sizes MIB,...] [--only NAME,...] [--no-check]
                        [--json FILE] TEXT

Takes the first 1, 4, 16 and 64 MiB of TEXT (--sizes), each as one shard, and keeps in FILE
(default: tests/bench/idea.json, which report.py makes tables of):

  - bytes of the archive, of the bitstream in it, and the sum of the model's losses: for each
    profile; bytes alone for gzip, zstd and xz;
  - how many numbers the network of a profile has, and how much memory its model takes;
  - what the coder makes of a source of four symbols of 50, 30, 10 and 10 %.

What is decompressed is compared with the input, and `corpress score` with what the archive says, if
there is no --no-check. A row replaces an older one of the same program and size; --only measures
some. Speeds are not measured: other work may run.
"""
import argparse
import datetime
import filecmp
import json
import math
import os
import subprocess
import sys
import tempfile
import textwrap

import compare
import growth

MIB = 1 << 20
HERE = os.path.dirname(os.path.abspath(__file__))
PROFILES = ("fast", "balanced", "strong", "neural")
OTHERS = [("gzip -9", "gzip", "gzip -9 -c {in} > {out}", "gzip -d -c {out} > {back}")]
OTHERS += [peer for name in ("zstd -19", "xz -9e") for peer in compare.PEERS if peer[0] == name]
SOURCE_SYMBOLS = 10_000_000
SHARES = (0.5, 0.3, 0.1, 0.1)
ENTROPY = -sum(share * math.log2(share) for share in SHARES)


# ---- measuring ---------------------------------------------------------------------------------

def shell(command):
    subprocess.run(["bash", "-c", command], check=True, stdin=subprocess.DEVNULL)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def facts(arguments, *words):
    """The "name value" lines of idea_facts."""
    lines = output(os.path.join(arguments.build, "tests", "idea_facts"), *words).splitlines()
    return {name: int(value) for name, value in (line.split() for line in lines)}


def check_same(name, source, back):
    if not filecmp.cmp(source, back, shallow=False):
        sys.exit(f"{name} did not give back its input")


def measure_other(peer, source, directory, check):
    with tempfile.TemporaryDirectory(dir=directory) as work:
        words = {"in": source, "out": os.path.join(work, "out"), "back": os.path.join(work, "back")}
        shell(peer[2].format(**words))
        if check:
            shell(peer[3].format(**words))
            check_same(peer[0], source, words["back"])
        return {"bytes": os.path.getsize(words["out"])}


def measure_profile(profile, source, directory, arguments):
    """What the archive says; and, with a check, what it gives back and what `score` says."""
    corpress = os.path.join(arguments.build, "corpress")
    archive = os.path.join(directory, profile + ".h5")
    shell(f"cd '{directory}' && '{os.path.abspath(corpress)}' compress -q -p {profile} "
          f"--shard-size 4G input -o '{archive}'")
    audit = json.loads(output(corpress, "audit", "--json", archive))
    shard = audit["rows"][0]
    row = {"bytes": audit["archive_bytes"], "coded": shard["coded"],
           "loss_bits": shard["loss_bits"], **facts(arguments, "model", archive)}
    row["parameters"] = network_parameters(audit["model"], row["tokens"])
    if not arguments.no_check:
        back = os.path.join(directory, "back")
        shell(f"'{corpress}' cat '{archive}' input > '{back}'")
        check_same(profile, source, back)
        told = subprocess.run([corpress, "score", "--json", archive, source], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        row["score_bits"] = json.loads(told.stdout)["rows"][0]["loss_bits"]
        if round(row["score_bits"]) != row["loss_bits"]:
            sys.exit(f"{profile}: score says {row['score_bits']} bits, audit {row['loss_bits']}")
    return row


def network_parameters(model, tokens):
    """The numbers of MODEL.md, section 15.2, that a network learns; 0 without one."""
    words = dict(word.split("=") for word in model.split() if "=" in word)
    if words.get("kind") != "sru":
        return 0
    width, layers = int(words["width"]), int(words["layers"])
    return (tokens * width + (tokens - 1) * (width + 1)
            + layers * (3 * width * width + 3 * width))


def measure_source(arguments):
    row = facts(arguments, "source", str(SOURCE_SYMBOLS))
    row["sequence_bits"] = -sum(row.pop(f"seen{i}") * math.log2(share)
                                for i, share in enumerate(SHARES))
    return row


def load(path):
    return {"sizes": {}} | compare.read_json(path)


def begin(arguments):
    """What is measured already, of this commit and machine."""
    results = load(arguments.json)
    now = compare.circumstances(os.path.join(arguments.build, "corpress"))
    if results.setdefault("circumstances", now) != now:
        sys.exit(f"{arguments.json} is of another commit or machine; remove it to begin anew")
    return results


def measure_row(name, size, arguments):
    """Measures one program at one size, and keeps the row."""
    results = begin(arguments)
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "input")
        growth.make_prefix(arguments.text, source, size)
        text = compare.sha256(source)
        if results.setdefault("texts", {}).setdefault(str(size), text) != text:
            sys.exit(f"{arguments.json} is of another text; remove it to begin anew")
        others = [peer for peer in OTHERS if peer[0] == name]
        if others:
            row = measure_other(others[0], source, directory, not arguments.no_check)
        else:
            row = measure_profile(name.split()[1], source, directory, arguments)
    results["date"] = datetime.date.today().isoformat()
    results["sizes"].setdefault(str(size), {})[name] = row
    compare.write_json(arguments.json, results)


def measure_coder(arguments):
    results = dict(begin(arguments), source=measure_source(arguments))
    compare.write_json(arguments.json, results)


def measure(arguments):
    sizes = sorted(int(float(size) * MIB) for size in arguments.sizes.split(","))
    only = tuple(arguments.only.split(","))
    measure_coder(arguments)
    for size in (size for size in sizes if size <= os.path.getsize(arguments.text)):
        for name in names():
            if name.startswith(only) or name.removeprefix("corpress ").startswith(only):
                measure_row(name, size, arguments)


# ---- tables ------------------------------------------------------------------------------------

def names():
    return [peer[0] for peer in OTHERS] + ["corpress " + profile for profile in PROFILES]


def growth_table(results):
    sizes = sorted(results["sizes"], key=int)
    lines = ["| program | " + " | ".join(f"{int(size) // MIB} MiB" for size in sizes) + " |",
             "|---|" + "---:|" * len(sizes)]
    for name in names():
        rows = [(size, results["sizes"][size].get(name)) for size in sizes]
        lines.append(f"| {name} | " + " | ".join(
            f"{8 * row['bytes'] / int(size):.3f}" if row else "-" for size, row in rows) + " |")
    return "\n".join(lines)


def largest_of_all(results):
    """The largest size that every program was measured at, or None."""
    return max((size for size in results["sizes"] if set(names()) <= set(results["sizes"][size])),
               key=int, default=None)


def parameter_table(results):
    size = largest_of_all(results)
    if size is None:
        return compare.NOT_YET
    lines = ["| profile | memory of the model, MiB | numbers of its network | archive, bytes "
             "| bits/byte |", "|---|---:|---:|---:|---:|"]
    for profile in PROFILES:
        row = results["sizes"][size]["corpress " + profile]
        lines.append(f"| {profile} | {row['memory'] / MIB:.0f} | {row['parameters']:,} "
                     f"| {row['bytes']:,} | {8 * row['bytes'] / int(size):.3f} |")
    return f"Of the first {int(size) // MIB} MiB:\n\n" + "\n".join(lines)


def loss_table(results):
    lines = ["| profile | text | sum of losses, bits | the same in bytes | bitstream, bytes "
             "| difference |", "|---|---:|---:|---:|---:|---:|"]
    for profile in PROFILES:
        for size in sorted(results["sizes"], key=int):
            row = results["sizes"][size].get("corpress " + profile)
            if row:
                loss = row.get("score_bits", row["loss_bits"])
                lines.append(f"| {profile} | {int(size) // MIB} MiB | {loss:,.0f} "
                             f"| {loss / 8:,.1f} | {row['coded']:,} "
                             f"| {row['coded'] - loss / 8:+.1f} |")
    return "\n".join(lines)


def source_table(results):
    row = results.get("source")
    if not row:
        return compare.NOT_YET
    each = row["symbols"]
    return "\n".join([
        "| of each symbol | bits |", "|---|---:|",
        f"| entropy of the source | {ENTROPY:.5f} |",
        f"| sum of -log2 p over the {each:,} that were drawn | {row['sequence_bits'] / each:.5f} |",
        f"| the coder's bitstream, {row['bytes']:,} bytes | {8 * row['bytes'] / each:.5f} |",
        "| the best prefix code (1, 2, 3 and 3 bits) | 1.70000 |"])


def tables(results):
    """Name and text of every table that report.py writes."""
    if not results["sizes"]:
        return dict.fromkeys(("idea", "idea: parameters", "idea: loss", "idea: source",
                              "idea: when"), compare.NOT_YET)
    facts_of = results["circumstances"]
    return {"idea": growth_table(results), "idea: parameters": parameter_table(results),
            "idea: loss": loss_table(results), "idea: source": source_table(results),
            "idea: when": textwrap.fill(
                f"Measured on {results['date']} at commit {facts_of['commit']}, each text as one "
                "shard. Sizes do not depend on the machine.", 98)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True, help="where corpress was built, with its tests")
    parser.add_argument("--sizes", default="1,4,16,64", help="in MiB (default: %(default)s)")
    parser.add_argument("--only", default="", help="comma-separated beginnings of names: profiles, "
                        "gzip, zstd, xz")
    parser.add_argument("--no-check", action="store_true", help="do not decompress, nor score")
    parser.add_argument("--json", default=os.path.join(HERE, "idea.json"))
    parser.add_argument("text")
    arguments = parser.parse_args()
    measure(arguments)
    for name, text in tables(load(arguments.json)).items():
        print(f"{name}:\n\n{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
