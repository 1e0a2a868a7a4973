"""Holds the sentences of README that give figures against what was measured.

A rule knows the words of one sentence, and says whether the figures in it are right. A sentence
that compares or gives a speed, and that no rule knows, is a fault: it may not be true.
"""
import re

FIRST = "corpress balanced"
# How far what was measured may be from what is stated, as a share of that: in words, in digits.
SIZE_SLACK, SPEED_SLACK, DIGITS_SLACK = 1 / 8, 1 / 3, 1 / 50
SHARES = {"a tenth": 1 / 10, "a fifth": 1 / 5, "a quarter": 1 / 4, "a third": 1 / 3,
          "two fifths": 2 / 5, "half": 1 / 2, "two thirds": 2 / 3}
SPEEDS = {"half a megabyte": 0.5, "a megabyte": 1, "two megabytes": 2, "three megabytes": 3}
PEERS = {"zstd -22": "zstd --ultra -22 --long=27", "xz -9": "xz -9e"}
FIGURE = re.compile(r"\b(smaller|larger|faster|slower) than\b|\ba second\b|\bMB/s"
                    r"|(\b(quarter|third|fifth|tenth|half|twice|times|\d)|%) "
                    r"(as|smaller|larger|faster|slower|less)\b")


def right(words, known, slack, measured):
    """Whether a figure may be stated as "a third", "30 %" or "1.5 MB"."""
    match = re.fullmatch(r"([\d.]+) ?(%|MB|megabytes?)?", words)
    if words not in known and not match:
        return False
    stated = known[words] if not match else float(match[1]) / (100 if match[2] == "%" else 1)
    return abs(stated - measured) <= (DIGITS_SLACK if match else slack) * stated


def values(results, key):
    """For each input: a figure of each program's row, by name."""
    return [{row["program"]: row[key] for row in of_file["rows"]}
            for of_file in results["inputs"].values()]


def savings(match, results):
    """Archives are A to B smaller than those of `P` or `Q`."""
    sizes = values(results, "bytes")
    found = [1 - of_file[FIRST] / of_file[PEERS.get(peer, peer)] for of_file in sizes
             for peer in match.group("one", "other")]
    if (right(match["low"], SHARES, SIZE_SLACK, min(found))
            and right(match["high"], SHARES, SIZE_SLACK, max(found))):
        return None
    return f"{min(found):.1%} to {max(found):.1%} were measured of {FIRST}"


def speeds(match, results):
    """A core does about X a second, for decompressing as well."""
    found = [of_file["bytes"] / 1e6 / row[key] for of_file in results["inputs"].values()
             for row in of_file["rows"] if row["program"] == FIRST
             for key in ("compress_seconds", "decompress_seconds")]
    if all(right(match["speed"], SPEEDS, SPEED_SLACK, speed) for speed in found):
        return None
    return f"{min(found):.2f} to {max(found):.2f} MB a second were measured of {FIRST}"


RULES = [
    (re.compile(r"Archives are (?P<low>[\w% ]+?) to (?P<high>[\w% ]+?) smaller than those of "
                r"`(?P<one>[^`]+)` or `(?P<other>[^`]+)`"), savings),
    (re.compile(r"a core does about (?P<speed>[\w. ]+?) a second, for decompressing as well"),
     speeds),
]


def sentences(document):
    """Those outside code, tables and what report.py writes; a line break is a blank."""
    for part in (r"<!-- report\.py: .*?<!-- end -->", r"^```.*?^```$", r"^\|.*?$", r"!\[.*?\)"):
        document = re.sub(part, "\n\n", document, flags=re.S | re.M)
    for paragraph in re.split(r"\n\s*\n|\n(?=- )", document):
        yield from re.split(r"(?<=[.:?]) (?=[A-Z`])", " ".join(paragraph.split()))


def faults(document, results):
    """What is wrong with the figures in a document's sentences."""
    for sentence in sentences(document):
        matches = [(match, rule) for pattern, rule in RULES
                   if (match := pattern.search(sentence))]
        rest = sentence
        for match, rule in matches:
            rest = rest.replace(match[0], "")
            fault = rule(match, results)
            if fault:
                yield f"'{match[0]}' is wrong: {fault}"
        if FIGURE.search(rest):
            yield (f"'{sentence}' has a figure, and no rule in tests/bench/report_claims.py "
                   "compares it with what was measured")
