#!/usr/bin/env python3
"""report.py --check finds what is not as it was measured: check_report.py ROOT

Changes each number of README's and RESULTS.md's tables in turn, then the figures of README's
sentences, the picture, and the commits of the JSON files. Prints one line for each change that goes
unnoticed; ends with 1 if there are any.
"""
import contextlib
import io
import os
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(sys.argv[1], "tests", "bench"))
import report  # noqa: E402
import report_claims  # noqa: E402

TABLE = re.compile(r"<!-- report\.py: .*?<!-- end -->", re.S)


def faults(root):
    """How many lines report.py --check prints of the documents there."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = report.documents(root, True)
    lines = said.getvalue().splitlines()
    assert (code != 0) == bool(lines), lines
    return len(lines)


def changed_tables(text):
    """The text with one number of a table changed, for every number."""
    for table in TABLE.finditer(text):
        for digit in re.finditer(r"(?<![\w.,])\d", table[0]):
            at = table.start() + digit.start()
            yield text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1:]


def changed_sentences(text):
    """The text with one figure of a sentence changed; then with one that nothing has measured."""
    flat = "\n\n".join(report_claims.sentences(text))
    for pattern, _ in report_claims.RULES:
        for match in pattern.finditer(flat):
            for name in ("low", "high", "speed"):
                if name in pattern.groupindex:
                    yield flat[:match.start(name)] + "99 %" + flat[match.end(name):]
    for more in ("It is 3 times smaller than before.", "Decoding runs at 7 MB/s.",
                 "Archives are a tenth smaller than those of `gzip`."):
        yield text + "\n" + more + "\n"


def unnoticed(root, copy):
    """The changes of documents, by name, that report.py --check does not find."""
    for name in (*report.DOCUMENTS, report.PICTURE):
        path = os.path.join(copy, name)
        text = report.read_text(path)
        changes = list(changed_tables(text))
        if name == report.PICTURE:
            changes.append(text.replace("</svg>", "<g/></svg>"))
        for change in changes:
            report.write(path, change)
            if faults(copy) == 0:
                yield f"{name}: a change of a number"
        report.write(path, text)
    results = report.compare.read_json(os.path.join(root, "tests", "bench", "results.json"))
    for change in changed_sentences(report.read_text(os.path.join(copy, "README.md"))):
        if not list(report_claims.faults(change, results)):
            yield "README.md: a change of a sentence"
    one, other = ({"form": "long", "circumstances": {"commit": commit}} for commit in "ab")
    if not report.mixed(one, other) or not report.mixed(dict(one, form="short"), one):
        yield "results of two commits or forms"
    if report.mixed(one, one):
        yield "a long report is refused"


def main():
    root = sys.argv[1]
    with tempfile.TemporaryDirectory() as copy:
        os.makedirs(os.path.join(copy, "tests", "bench"))
        for name in (*report.DOCUMENTS, report.PICTURE):
            shutil.copyfile(os.path.join(root, name), os.path.join(copy, name))
        if faults(copy):
            print("the documents are not right before they are changed")
            return 1
        found = list(unnoticed(root, copy))
        for change in found:
            print("not noticed:", change)
        return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
