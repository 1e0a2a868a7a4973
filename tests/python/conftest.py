"""Corpora and archives that the tests share. CORPRESS: the command; CORPRESS_LIBRARY: libcorpress."""

import ctypes
import os
import random
import subprocess

import pytest

import corpress


def compress(*arguments, cwd):
    """Runs `corpress compress`."""
    command = [os.environ["CORPRESS"], "compress", "-q", "-p", "fast", *map(str, arguments)]
    subprocess.run(command, cwd=cwd, check=True, timeout=3000)


def text(size, seed):
    """Lines of words of a small vocabulary: that many bytes."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(2, 9))) for _ in range(1500)]
    lines = []
    left = size
    while left > 0:
        line = " ".join(words[int(rng.random() ** 2 * 1500)] for _ in range(rng.randint(4, 15)))
        lines.append(line[:left - 1] + "\n")
        left -= len(lines[-1])
    return "".join(lines).encode()


ODD = b"corpus/odd/\xff name"

FILES = {
    b"corpus/a.jsonl": text(1300000, 1),
    b"corpus/b.txt": text(1400000, 2),
    b"corpus/empty": b"",
    b"corpus/lines.ndjson": b"one\n\nthree\nno end",
    b"corpus/odd/only.jsonl": b"\n",
    ODD: b"bytes",
    b"corpus/z.jsonl": text(800000, 3),
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Has corpus/ and, of it, a.h5, in four shards with a primer."""
    place = tmp_path_factory.mktemp("python")
    for name, data in FILES.items():
        path = os.path.join(os.fsencode(place), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    os.mkdir(place / "corpus" / "nothing")
    os.symlink("b.txt", place / "corpus" / "link")
    os.chmod(place / "corpus" / "b.txt", 0o640)
    os.utime(place / "corpus" / "b.txt", ns=(0, 1234567890987654321))
    compress("--shard-size", "1M", "corpus", "-o", "a.h5", cwd=place)
    return place


def stand_in_each_shard(archive):
    """Four readers then keep the text of four shards, and tests go on from there."""
    for shard in archive.shards:
        archive._load(shard.offset + shard.raw_bytes - 2, 1, (ctypes.c_char * 1)())


@pytest.fixture(scope="module")
def archive(folder):
    """Its shards are decoded once."""
    with corpress.open(folder / "a.h5", readers=4) as opened:
        stand_in_each_shard(opened)
        yield opened


def documents_of(name):
    """What the documents of a file are."""
    data = FILES[name]
    if not name.endswith((b".jsonl", b".ndjson")):
        return [data] if data else []
    return data[:-1].split(b"\n") if data.endswith(b"\n") else data.split(b"\n")


@pytest.fixture(scope="session")
def documents():
    """All documents of a.h5, in order."""
    return [document for name in sorted(FILES) for document in documents_of(name)]
