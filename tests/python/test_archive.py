"""Files, shards, documents and bytes are those that were compressed."""

import io
import os

import pytest

import corpress
from conftest import FILES, ODD, compress, documents_of


def test_facts(archive, folder):
    facts = archive.facts
    assert archive.path == str(folder / "a.h5")
    assert facts.profile == "fast" and "mixing" in facts.descriptor
    assert facts.raw_bytes == sum(map(len, FILES.values()))
    assert facts.archive_bytes == os.path.getsize(folder / "a.h5")
    assert facts.files == len(archive.files) and facts.shards == len(archive.shards) == 4
    assert facts.sealed and facts.has_primer and not facts.has_network
    assert facts.shard_bytes == 1 << 20 and facts.separator is None
    assert len(facts.identity) == 32 and int(facts.identity, 16)
    assert facts.ratio == facts.raw_bytes / facts.archive_bytes
    each, shared = archive.memory
    assert each > 1 << 20 and shared > 1 << 20
    assert "7 files" not in repr(archive) and "4 shards" in repr(archive)


def test_files(archive):
    assert [file.path_bytes for file in archive.files if file.type == "file"] == sorted(FILES)
    assert len(archive.files) == len(FILES) + 4
    for number, file in enumerate(archive.files):
        assert file.number == number and file in archive.files
        assert file.size == len(FILES.get(file.path_bytes, b""))
        assert archive.files[file.path] == archive.files[file.path_bytes] == file
        assert len(file.shards) == 0 if file.size == 0 else file.shards[0] in range(4)
    text = archive.files["corpus/b.txt"]
    assert (text.mode, text.mtime_ns) == (0o640, 1234567890987654321)
    assert text.document_rule == "file" and archive.files["corpus/a.jsonl"].document_rule == "line"
    assert text.shards == range(1, 4)
    assert 0 < text.bits_per_byte < 8 and text.ratio == pytest.approx(8 / text.bits_per_byte)
    assert archive.files["corpus/link"].link_target == "b.txt"
    assert [archive.files["corpus/" + name].type for name in ("link", "nothing")] == [
        "link", "directory"]
    assert archive.files[os.fsdecode(ODD)].path == "corpus/odd/\udcff name"


def test_files_are_a_sequence(archive):
    files = archive.files
    assert files[-1] == files[len(files) - 1] and files[1:3] == [files[1], files[2]]
    assert list(reversed(files)) == list(files)[::-1]
    assert "corpus/b.txt" in files and b"corpus/b.txt" in files
    for absent in ("corpus/none", "corpus/b.txt\0", "", 17, None):
        assert absent not in files
    for number in (len(files), -len(files) - 1):
        with pytest.raises(IndexError, match="there is no file"):
            files[number]


def test_shards(archive):
    start = 0
    first = 0
    for number, shard in enumerate(archive.shards):
        assert shard.number == number and shard.offset == start
        assert shard.documents.start == first and shard.generation == 1
        assert shard.ratio == shard.raw_bytes / shard.coded_bytes > 1
        assert shard.loss == pytest.approx(shard.bits_per_byte, rel=0.01)
        assert 0 < shard.tokens <= shard.raw_bytes and len(shard.raw_hash) == 32
        start += shard.raw_bytes
        first = shard.documents.stop
    assert start == archive.facts.raw_bytes and first == len(archive.documents)
    assert archive.shards[-1] == archive.shards[3] and len(archive.shards[1:]) == 3
    with pytest.raises(IndexError, match="there is no shard 4: the archive has 4"):
        archive.shards[4]
    primer = archive.primer
    assert primer.number == -1 and primer.generation == 0 and primer.raw_bytes > 0
    coded = primer.coded_bytes + sum(shard.coded_bytes for shard in archive.shards)
    assert archive.facts.coded_bytes == coded


def test_read(archive):
    for name, data in FILES.items():
        assert archive.read(name) == data
    text = FILES[b"corpus/b.txt"]
    for offset, size in ((0, 10), (5, 0), (1000000, 300000), (1399999, 5), (1400000, 5),
                         (2000000, -1), (700000, -1), (3, 1)):
        wanted = text[offset:] if size < 0 else text[offset:offset + size]
        assert archive.read("corpus/b.txt", offset, size) == wanted
    assert archive.read(archive.files["corpus/b.txt"], 7, 7) == text[7:14]
    with pytest.raises(ValueError):
        archive.read("corpus/b.txt", -1)


def test_raw_file(archive):
    text = FILES[b"corpus/b.txt"]
    with archive.open("corpus/b.txt") as file:
        assert isinstance(file, io.RawIOBase) and file.name == "corpus/b.txt"
        assert file.readable() and file.seekable() and not file.writable()
        assert file.read(10) == text[:10] and file.tell() == 10
        assert file.seek(-5, os.SEEK_END) == len(text) - 5 and file.read() == text[-5:]
        assert file.read(1) == b"" and file.read() == b""
        assert file.seek(100) == 100 and file.seek(50, os.SEEK_CUR) == 150
        buffer = bytearray(b"." * 20)
        assert file.readinto(memoryview(buffer)[5:15]) == 10
        assert buffer == b"." * 5 + text[150:160] + b"." * 5
        assert file.seek(len(text) + 9) == len(text) + 9 and file.read(5) == b""
        for offset, whence in ((-1, os.SEEK_SET), (-2000000, os.SEEK_CUR), (0, 7)):
            with pytest.raises(ValueError):
                file.seek(offset, whence)
    for use in (file.tell, file.read, file.readable, file.seekable, lambda: file.seek(0)):
        with pytest.raises(ValueError):
            use()
    with archive.open("corpus/b.txt") as file, pytest.raises(io.UnsupportedOperation):
        file.write(b"x")
    assert archive.open("corpus/empty").read() == b""


def test_buffered_and_text(archive):
    text = FILES[b"corpus/b.txt"]
    with io.BufferedReader(archive.open("corpus/b.txt")) as file:
        assert file.read(100) == text[:100] and file.peek(1)[:1] == text[100:101]
        file.seek(1234567)
        assert file.readline() == text[1234567:].split(b"\n")[0] + b"\n"
        file.seek(0)
        assert file.read() == text
    with io.TextIOWrapper(archive.open("corpus/b.txt"), "ascii") as file:
        assert list(file) == text.decode().splitlines(True)
    with io.TextIOWrapper(io.BufferedReader(archive.open("corpus/a.jsonl"))) as file:
        assert file.read() == FILES[b"corpus/a.jsonl"].decode()


def test_two_files_side_by_side(archive):
    """Each goes on where it is, though a reader cannot be in two shards."""
    files = [io.BufferedReader(archive.open(name)) for name in ("corpus/a.jsonl", "corpus/z.jsonl")]
    wanted = [FILES[b"corpus/a.jsonl"], FILES[b"corpus/z.jsonl"]]
    for i in range(60):
        for file, data in zip(files, wanted):
            assert file.read(10000) == data[10000 * i:10000 * (i + 1)]


def test_documents(archive, documents):
    found = archive.documents
    assert len(found) == len(documents) == archive.facts.documents
    assert list(found) == documents
    for number in (0, 1, 5000, len(documents) - 1, 17, 18, -1, -len(documents)):
        assert found[number] == documents[number]
    for part in (slice(10, 20), slice(-5, None), slice(20, 10, -3), slice(7, 7), slice(0, 90, 30)):
        some = found[part]
        assert isinstance(some, corpress.Documents) and len(some) == len(documents[part])
        assert list(some) == documents[part]
        assert [some[i] for i in range(-len(some), len(some))] == 2 * documents[part]
    for number in (len(documents), -len(documents) - 1, 1 << 70):
        with pytest.raises(IndexError, match="there is no document"):
            found[number]
    with pytest.raises(TypeError):
        found["1"]


def test_documents_of_files_and_shards(archive, documents):
    for name in FILES:
        some = archive.documents.in_file(name)
        assert list(some) == documents_of(name)
        assert [documents[number] for number in some.numbers] == documents_of(name)
    assert [document for shard in archive.shards
            for document in archive.documents.in_shard(shard.number)] == documents


def test_iter_documents(archive, documents):
    assert list(archive.iter_documents()) == documents
    assert list(archive.iter_documents(start=4321)) == documents[4321:]
    assert list(archive.iter_documents(start=len(documents) + 5)) == []
    third = archive.shards[2].documents
    assert list(archive.iter_documents(shards=[2])) == documents[third.start:third.stop]
    some = list(archive.iter_documents(shards=[2, 0], start=10, numbers=True))
    numbers = [*third, *range(10, archive.shards[0].documents.stop)]
    assert some == [(number, documents[number]) for number in numbers]
    with pytest.raises(IndexError):
        archive.iter_documents(shards=[4])
    with pytest.raises(IndexError):
        archive.iter_documents(start=-1)


def test_first_document_comes_before_the_shard_is_decoded(archive, documents,
                                                          monkeypatch):
    """Iterators take documents in small pieces, whose sizes grow."""
    counts = []
    session = archive._session
    original = session.documents
    monkeypatch.setattr(session, "documents",
                        lambda *all: counts.append(all[4]) or original(*all))
    assert next(archive.iter_documents()) == documents[0]
    assert counts == [1]
    iterator = archive.iter_documents()
    assert [next(iterator) for _ in range(600)] == documents[:600]
    assert max(counts) < 2000


def test_separators(folder):
    (folder / "poems").write_bytes(b"a<end>b<e<end><end>d\n")
    compress("--documents", "separator:<end>", "poems", "-o", "poems.h5", cwd=folder)
    with corpress.open(folder / "poems.h5") as archive:
        assert archive.facts.separator == b"<end>"
        assert archive.files[0].document_rule == "separator"
        assert list(archive.documents) == [b"a", b"b<e", b"", b"d\n"]
        assert [archive.documents[i] for i in (3, 1)] == [b"d\n", b"b<e"]
