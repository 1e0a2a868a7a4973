#!/usr/bin/env python3
"""How well `corpress audit --odd` finds oddities: plants them and counts.

    tests/bench/odd.py --corpress build/release/corpress [--files N,...] [--seeds N,...]
                       [--profile NAME] [--show] [TEXT...]

Each corpus is English text: pieces of the TEXTs, files or directories, by default of
/usr/share/perl and /usr/share/doc; of pieces that share much, one is taken. Among them are planted:
near-copies (exact, with words changed, or a part of another with text of its own), boilerplate (a
template with little text of its own, or one text again and again), mojibake (UTF-8 read as Latin-1
or Windows-1252, bytes of other encodings, characters lost, UTF-16), binary files, and translations
from /usr/share/locale. One more corpus is 30 % German: there a language is no oddity. Prints
precision and recall of each kind, over all seeds. --show names what was missed and what was wrong.
"""
import argparse
import collections
import gettext
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

KINDS = ("near-copy", "boilerplate", "mojibake", "binary", "language")
SUFFIXES = (".pm", ".pod", ".pl", ".md", ".html", ".txt", ".rst", ".py", ".c", ".h")
LANGUAGES = ("de fr es it nl sv da fi pl cs ro hu tr id vi ru uk bg sr el ja zh_CN ko ca pt ka "
             "sk hr nb eo th hi").split()
SHINGLE = 8
SMALLEST = 1500


def is_text(data):
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False


def read_base(paths):
    """Texts below the paths, in a fixed order."""
    texts = []
    for path in paths:
        walk = sorted(os.walk(path)) if os.path.isdir(path) else [(os.path.dirname(path), [], [path])]
        for folder, _, names in walk:
            for name in sorted(names):
                full = os.path.join(folder, name)
                if "unicore" in full or "Unicode" in full or not name.endswith(SUFFIXES):
                    continue
                if os.path.isfile(full) and not os.path.islink(full):
                    with open(full, "rb") as file:
                        data = file.read()
                    if is_text(data):
                        texts.append(data)
    return texts


def pieces_of(texts, dice):
    """Pieces of whole lines, of 1.5 to 30 KB, no two of which share much."""
    pieces = []
    for data in texts:
        at = 0
        while len(data) - at >= SMALLEST:
            end = at + int(SMALLEST * 20 ** dice.random())
            end = data.find(b"\n", end) + 1 or len(data)
            pieces.append(data[at:end])
            at = end
    dice.shuffle(pieces)
    seen = set()
    good = []
    for piece in pieces:
        words = piece.lower().split()
        mine = {hash(tuple(words[i:i + SHINGLE])) for i in range(0, len(words) - SHINGLE + 1)}
        places = max(1, len(words) - SHINGLE + 1)
        if len(mine) < 50 or len(mine) < 0.5 * places or len(mine & seen) > 0.1 * len(mine):
            continue
        seen |= mine
        good.append(piece)
    return good


def translations():
    """Per language, texts out of message catalogues."""
    found = collections.defaultdict(list)
    for language in LANGUAGES:
        for path in sorted(glob.glob(f"/usr/share/locale/{language}/LC_MESSAGES/*.mo")):
            if os.path.basename(path).startswith("iso_"):  # names only
                continue
            try:
                with open(path, "rb") as file:
                    catalog = gettext.GNUTranslations(file)._catalog
            except (OSError, UnicodeDecodeError, ValueError, IndexError):
                continue
            lines = [text for key, text in catalog.items()
                     if key and isinstance(key, str) and text != key]
            text = "\n".join(lines)
            if len(text) >= SMALLEST:
                found[language].append(text)
    return found


class Plants:
    """Makes odd files."""

    def __init__(self, dice, pieces, foreign):
        self.dice = dice
        self.pieces = pieces
        self.foreign = foreign
        self.templates = []

    def own(self, size):
        """Text that is nowhere else."""
        piece = self.pieces.pop()
        return piece[:piece.find(b"\n", min(size, len(piece) - 1)) + 1 or len(piece)]

    def translated(self, language=None):
        language = language or self.dice.choice([l for l in LANGUAGES if self.foreign[l]])
        text = self.dice.choice(self.foreign[language])
        size = int(1500 * 8 ** self.dice.random())
        start = self.dice.randrange(max(1, len(text) - size))
        return text[start:start + size]

    def near_copy(self, number, originals):
        dice = self.dice
        original = originals[number % len(originals)]
        kind = number % 4
        if kind == 0:
            return original
        if kind == 1:  # words changed
            words = re.split(rb"(\s+)", original)
            return b"".join(b"%x" % dice.getrandbits(24) if word.strip() and dice.random() < 0.06
                            else word for word in words)
        if kind == 2:  # a part, with more
            cut = original[:len(original) * 3 // 4]
            return self.own(len(cut) // 3) + cut
        lines = original.split(b"\n")  # lines left out, spaces changed
        return b"\n".join(line.replace(b"    ", b"\t") for line in lines if dice.random() > 0.1)

    def boilerplate(self, number, group):
        dice = self.dice
        if number % 10 == 9:
            return self.own(400) * dice.randrange(8, 30)
        if number // group >= len(self.templates):
            self.templates.append(self.own(4000) + self.own(2500))
        template = self.templates[number // group]
        cut = len(template) // 3
        return template[:cut] + self.own(len(template) // 8) + template[cut:]

    def mojibake(self, number):
        dice = self.dice
        kind = number % 6
        if kind == 0:
            text = self.translated(dice.choice(["de", "fr", "es", "sv", "cs"]))
            return text.encode().decode("cp1252", "replace").encode()
        if kind == 1:  # English, with few signs beyond ASCII
            text = self.own(8000).decode()
            text = re.sub("'", "\u2019", text) + "\u201cso\u201d caf\u00e9 \u2013 na\u00efve"
            return text.encode().decode("latin-1").encode()
        if kind == 2:
            return self.translated(dice.choice(["de", "fr", "es"])).encode("latin-1", "replace")
        if kind == 3:
            text = self.translated(dice.choice(["de", "fr", "ru", "ja"]))
            return "".join("\ufffd" if ord(c) > 127 and dice.random() < 0.5 else c
                           for c in text).encode()
        if kind == 4:
            return self.own(8000).decode().encode("utf-16")
        return self.translated("ru").encode("koi8-r", "replace").decode("latin-1").encode()

    def binary(self, number):
        dice = self.dice
        size = dice.randrange(2000, 20000)
        kind = number % 5
        if kind == 0:
            return dice.randbytes(size)
        if kind == 1:
            with open("/bin/bash", "rb") as file:
                file.seek(dice.randrange(1000000))
                return file.read(size)
        if kind == 2:  # a record format with texts in it
            words = self.own(8000).split()
            return b"".join(len(word).to_bytes(4, "little") + word for word in words)
        if kind == 3:
            import base64
            return base64.encodebytes(dice.randbytes(size))
        import zlib
        return zlib.compress(self.own(20000))


def plant(folder, files, dice, pieces, foreign):
    """Makes a corpus; returns the kind of each odd file."""
    plants = Plants(dice, pieces, foreign)
    count = {30: (3, 5, 3, 3, 3)}.get(files, tuple(files * p // 1000 for p in (40, 40, 36, 30, 36)))
    normal = [pieces.pop() for _ in range(files - sum(count))]
    texts = [(piece, None) for piece in normal]
    texts += [(plants.near_copy(i, normal), "near-copy") for i in range(count[0])]
    texts += [(plants.boilerplate(i, max(5, files // 50)), "boilerplate") for i in range(count[1])]
    shift = dice.randrange(60)
    texts += [(plants.mojibake(i + shift), "mojibake") for i in range(count[2])]
    texts += [(plants.binary(i + shift), "binary") for i in range(count[3])]
    texts += [(plants.translated().encode(), "language") for _ in range(count[4])]
    return write(folder, texts, dice)


def mix(folder, files, dice, pieces, foreign):
    """A corpus of two languages."""
    german = pieces_of([text.encode() for text in foreign["de"]], dice)[:files * 3 // 10]
    texts = [(pieces.pop(), None) for _ in range(files - len(german))]
    texts += [(text, None) for text in german]
    return write(folder, texts, dice)


def write(folder, texts, dice):
    """Originals come before their copies: the order is by chance but for that."""
    names = {}
    odd = [(dice.random() if kind != "near-copy" else 1 + dice.random(), data, kind)
           for data, kind in texts]
    for number, (_, data, kind) in enumerate(sorted(odd, key=lambda one: one[0])):
        name = f"{number:05d}.txt"
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
        names[name] = kind
    return names


def audit(corpress, profile, folder, archive):
    subprocess.run([corpress, "compress", "-q", "--force", "-p", profile, folder, "-o", archive],
                   check=True)
    printed = subprocess.run([corpress, "audit", "-q", "--odd", "--json", archive], check=True,
                             capture_output=True).stdout
    return json.loads(printed)["rows"]


def start(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read(300)[-120:]


class Tally:
    def __init__(self):
        self.right = collections.Counter()
        self.wrong = collections.Counter()
        self.missed = collections.Counter()

    def add(self, names, rows, label, show):
        found = collections.defaultdict(dict)
        for row in rows:
            found[os.path.basename(row["path"])][row["kind"]] = row
        for name, kind in names.items():
            for one in found[name]:
                (self.right if one == kind else self.wrong)[one] += 1
                if one != kind and show:
                    print(f"wrong ({label}, {kind}):", json.dumps(found[name][one]), start(show, name))
            if kind is not None and kind not in found[name]:
                self.missed[kind] += 1
                if show:
                    print(f"missed ({label}):", name, kind, list(found[name]), start(show, name))

    def print_rows(self, label):
        for kind in KINDS:
            right, wrong, missed = self.right[kind], self.wrong[kind], self.missed[kind]
            precision = f"{right / (right + wrong):.3f}" if right + wrong else "-"
            recall = f"{right / (right + missed):.3f}" if right + missed else "-"
            print(f"| {label} | {kind} | {right + missed} | {right} | {wrong} | {precision} "
                  f"| {recall} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--corpress", default="corpress")
    parser.add_argument("--files", default="30,1000")
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("texts", nargs="*", default=["/usr/share/perl", "/usr/share/doc"])
    arguments = parser.parse_args()
    base = read_base(arguments.texts)
    foreign = translations()
    if not base or not foreign["de"]:
        sys.exit("no texts: give English ones, and install translations in /usr/share/locale")
    print("| corpus | kind | planted | found | wrong | precision | recall |")
    print("|---|---|---:|---:|---:|---:|---:|")
    works = [(int(n), plant, f"{n} files") for n in arguments.files.split(",")]
    works.append((200, mix, "200 files, 30 % German"))
    for files, make, label in works:
        tally = Tally()
        for seed in arguments.seeds.split(","):
            dice = random.Random(int(seed))
            with tempfile.TemporaryDirectory() as work:
                folder = os.path.join(work, "corpus")
                os.mkdir(folder)
                names = make(folder, files, dice, pieces_of(base, dice), foreign)
                rows = audit(arguments.corpress, arguments.profile, folder,
                             os.path.join(work, "odd.h5"))
                tally.add(names, rows, f"{label}, seed {seed}", folder if arguments.show else None)
        tally.print_rows(label)


if __name__ == "__main__":
    main()
