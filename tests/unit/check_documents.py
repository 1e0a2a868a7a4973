#!/usr/bin/env python3
"""Documents agree with the tree and with the program: check_documents.py CORPRESS ROOT

For every *.md of the tree:
  - the file of each relative link exists, and its heading if the link names one;
  - each path or file name in `backticks` exists in the tree;
  - each `corpress COMMAND` and `submit.sh COMMAND` in code exists, and --help has its options;
  - no line is longer than 100 characters, but for tables and code blocks;
  - C programs compile against the public headers.
jobs/MANUAL.md describes every option of every command. Prints one line for each fault; ends with 1
if there are any.
"""
import functools
import os
import re
import subprocess
import sys

COLUMNS = 100
SOURCES = ("coder", "model", "shard", "mpi", "jobs", "tests")
# What stands for something else, and `corpress WORD` that is a text in a file, not a command.
PLACEHOLDER = re.compile(r"^([A-Z]+|\.\.\.)$")
EXAMPLE = re.compile(r"NAME|VERSION|PROFILE|^share/")
MAGIC = {"corpress archive", "corpress lock", "corpress progress", "corpress verified"}
PATH = re.compile(r"^\.{0,2}(?:[\w.-]+/)*[\w.-]+\.(?:c|h|sh|py|md|h5|conf|files|supp|txt|out)$"
                  r"|^(?:%s|\.github|\.ci)/[\w./-]*$" % "|".join(SOURCES))
CALL = re.compile(r"(?:^|[\s/(=])(corpress|submit\.sh) +([a-zA-Z.]+|--?[a-z]+)\b(?!/)(.*)")
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z0])(?![\w-])")


def documents(root):
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in ("build", ".git")]
        yield from (os.path.join(folder, name) for name in files if name.endswith(".md"))


def file_names(root):
    """The names of all files in the tree."""
    names = {"README.md", "LICENSE", "CMakeLists.txt", "CMakePresets.json"}
    for top in SOURCES:
        for _, _, files in os.walk(os.path.join(root, top)):
            names.update(files)
    return names


def anchors(path):
    """The headings of a document as GitHub names them in links."""
    with open(path, encoding="utf-8") as text:
        heads = re.findall(r"^#+ +(.*?) *$", text.read(), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


class Program:
    """What `corpress` and submit.sh say about their options."""

    def __init__(self, corpress, root):
        self.programs = {"corpress": [corpress],
                         "submit.sh": ["bash", os.path.join(root, "jobs", "submit.sh")]}

    @functools.lru_cache(maxsize=None)
    def help(self, program, command=""):
        words = [command] if command and program == "corpress" else []
        run = subprocess.run(self.programs[program] + words + ["--help"], capture_output=True,
                             text=True, check=True, timeout=600)
        return run.stdout

    def commands(self, program):
        return set(re.findall(r"^ *%s ([a-z]+) " % re.escape(program), self.help(program), re.M))

    def options(self, program, command=""):
        return set(OPTION.findall(self.help(program, command)))

    def defined(self, command):
        """The options that a command's help describes, each at the beginning of a line."""
        lines = re.findall(r"^ +(-.*?)(?:  |$)", self.help("corpress", command), re.M)
        return {option for line in lines for option in OPTION.findall(line)} - {"-h", "--help"}


def calls(line):
    """The command lines in a line of code: program, command, rest."""
    for part in re.split(r" \| |; |&& | # |\$\(|`", line):
        # A program that takes --corpress has options of its own.
        found = None if "--corpress " in part else CALL.search(part)
        if found:
            yield found.groups()


def call_faults(program, line):
    for name, command, rest in calls(line):
        if f"{name} {command}" in MAGIC or PLACEHOLDER.match(command):
            continue
        if command.startswith("-"):
            if command not in program.options(name) and command not in ("--version", "--help"):
                yield f"{name} has no option {command}"
            continue
        if command not in program.commands(name):
            yield f"{name} has no command {command}"
            continue
        own, _, behind = rest.partition(" -- ") if name == "submit.sh" else (rest, "", "")
        for option in OPTION.findall(own):
            if option not in program.options(name, command) | {"--help"}:
                yield f"{name} {command} has no option {option}"
        for option in OPTION.findall(behind):
            if option not in program.options("corpress", command):
                yield f"corpress {command} has no option {option}"


def link_faults(path, line):
    for target in re.findall(r"\]\(([^)\s]+)\)", line):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = os.path.join(os.path.dirname(path), name) if name else path
        if not os.path.exists(there):
            yield f"link to {target}, which does not exist"
        elif anchor and anchor not in anchors(there):
            yield f"link to {target}, which has no such heading"


def name_faults(root, names, path, line):
    for text in re.findall(r"`([^`]+)`", line):
        if not PATH.match(text) or EXAMPLE.search(text):
            continue
        beside = os.path.join(os.path.dirname(path), text)
        if "/" in text:
            found = any(os.path.exists(place) for place in (os.path.join(root, text), beside))
        else:
            found = text in names or os.path.exists(beside) or re.match(r"[A-Z]", text)
        if not found:
            yield f"`{text}` does not exist"


def document_faults(root, names, program, path):
    """Pairs of line number and fault."""
    in_code = False
    with open(path, encoding="utf-8") as text:
        for number, line in enumerate(text.read().split("\n"), 1):
            fence = line.lstrip().startswith("```")
            in_code ^= fence
            if fence:
                continue
            found = []
            if in_code:
                found += call_faults(program, line)
            else:
                for code in re.findall(r"`([^`]+)`", line):
                    found += call_faults(program, code)
                found += link_faults(path, line)
                found += name_faults(root, names, path, line)
                if len(line) > COLUMNS and not line.startswith("|"):
                    found.append(f"{len(line)} characters, more than {COLUMNS}")
            yield from ((number, fault) for fault in found)
    if in_code:
        yield number, "a code block is not closed"


def program_faults(root, path):
    """C blocks that include something are whole programs."""
    with open(path, encoding="utf-8") as text:
        blocks = re.findall(r"^```c\n(.*?)^```", text.read(), re.M | re.S)
    compiler = os.environ.get("CC", "cc").split()
    for block in (block for block in blocks if "#include" in block):
        flags = ["-std=c17", "-Wall", "-Wextra", "-Werror", "-I", f"{root}/shard/library"]
        run = subprocess.run(compiler + flags + ["-fsyntax-only", "-x", "c", "-"], input=block,
                             capture_output=True, text=True, check=False)
        if run.returncode != 0:
            lines = [line for line in run.stderr.split("\n") if "error: " in line] + [run.stderr]
            yield "a program does not compile: " + lines[0]


def manual_faults(program, manual):
    """Every command has its section, and the section every option."""
    with open(manual, encoding="utf-8") as text:
        sections = re.split(r"^## +", text.read(), flags=re.M)
    for command in sorted(program.commands("corpress")):
        title = f"`corpress {command}`"
        section = next((part for part in sections if part.startswith(title)), None)
        if section is None:
            yield f'no section "## {title}"'
            continue
        said = set(OPTION.findall(section))
        for option in sorted(program.defined(command) - said):
            yield f"`corpress {command}` lacks the option {option}"


def main():
    corpress, root = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    program = Program(corpress, root)
    names = file_names(root)
    manual = os.path.join(root, "jobs", "MANUAL.md")
    faults = [f"{os.path.relpath(manual, root)}: {fault}"
              for fault in manual_faults(program, manual)]
    for path in sorted(documents(root)):
        faults += [f"{os.path.relpath(path, root)}:{number}: {fault}"
                   for number, fault in document_faults(root, names, program, path)]
        faults += [f"{os.path.relpath(path, root)}: {fault}"
                   for fault in program_faults(root, path)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
