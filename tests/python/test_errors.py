"""Bad input gives an exception that says what is wrong, and never wrong text."""

import os
import pickle
import shutil

import pytest

import corpress
from conftest import FILES, compress


@pytest.fixture
def damaged(folder, tmp_path):
    """A copy, of which one byte in the last shard's bitstream is another."""
    path = tmp_path / "damaged.h5"
    with corpress.open(folder / "a.h5") as archive:
        back = 200 + archive.shards[3].coded_bytes // 2  # the bitstream ends shortly before the file
    shutil.copy(folder / "a.h5", path)
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.seek(-back, os.SEEK_END)
        byte = file.read(1)[0]
        file.seek(-back, os.SEEK_END)
        file.write(bytes([byte ^ 1]))
    return path


def test_damaged_shard(damaged, documents):
    with corpress.open(damaged) as archive:
        intact = archive.shards[3].documents.start
        assert list(archive.documents[:intact - 1]) == documents[:intact - 1]
        for use in (lambda: archive.documents[-1], lambda: archive.read("corpus/z.jsonl"),
                    lambda: archive.open("corpus/z.jsonl").readall(), archive.check,
                    lambda: list(archive.iter_documents(shards=[3]))):
            with pytest.raises(corpress.DamagedError, match="shard 3 of .*damaged"):
                use()
        archive.check([0, 1, 2])
        assert archive.documents[0] == documents[0]  # and it goes on


def test_damaged_tables(folder, tmp_path):
    data = bytearray((folder / "a.h5").read_bytes())
    data[-20] ^= 1
    (tmp_path / "tables.h5").write_bytes(data)
    with pytest.raises(corpress.DamagedError):
        corpress.open(tmp_path / "tables.h5")
    (tmp_path / "short.h5").write_bytes(data[:len(data) // 2])
    with pytest.raises(corpress.Error):
        corpress.open(tmp_path / "short.h5")


def test_no_archive(tmp_path):
    with pytest.raises(corpress.NotFoundError, match='cannot open ".*none.h5": No such file'):
        corpress.open(tmp_path / "none.h5")
    with pytest.raises(FileNotFoundError):
        corpress.open(tmp_path / "none.h5")
    with pytest.raises(corpress.ForeignError, match="not a regular file"):
        corpress.open(tmp_path)
    (tmp_path / "empty.h5").write_bytes(b"")
    (tmp_path / "text.h5").write_text("not an archive, and long enough to be looked at\n" * 99)
    for name in ("empty.h5", "text.h5"):
        with pytest.raises(corpress.ForeignError):
            corpress.open(tmp_path / name)
    with pytest.raises(ValueError, match="NUL"):
        corpress.open("a\0b")
    with pytest.raises(ValueError, match="reader"):
        corpress.open(tmp_path / "empty.h5", readers=0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(folder, tmp_path):
    shutil.copy(folder / "a.h5", tmp_path / "secret.h5")
    os.chmod(tmp_path / "secret.h5", 0)
    with pytest.raises(OSError, match="Permission denied"):
        corpress.open(tmp_path / "secret.h5")


def test_paths(archive):
    for path in ("corpus/none", "corpus", "corpus/b.txt/", "corpus/b.txt\0"):
        with pytest.raises((corpress.NotFoundError, corpress.DirectoryError)):
            archive.read(path)
    with pytest.raises(KeyError) as caught:
        archive.files["corpus/none"]
    assert str(caught.value) == "no corpus/none in the archive"
    with pytest.raises(FileNotFoundError):
        archive.open("corpus/none")
    with pytest.raises(IsADirectoryError, match="corpus/nothing is a directory"):
        archive.open("corpus/nothing")
    with pytest.raises(corpress.UsageError, match="corpus/link is a symbolic link"):
        archive.read("corpus/link")
    other = archive.files["corpus/b.txt"]._replace(size=7)
    with pytest.raises(corpress.NotFoundError):
        archive.read(other)


def test_closed(folder, documents):
    archive = corpress.open(folder / "a.h5")
    file = archive.open("corpus/b.txt")
    iterator = archive.iter_documents()
    assert next(iterator) == documents[0]
    archive.close()
    archive.close()
    assert archive.closed and "closed" in repr(archive)
    for use in (lambda: archive.files[0], lambda: archive.shards[0], lambda: archive.documents[0],
                lambda: archive.read("corpus/b.txt"), lambda: file.read(1), archive.prime,
                lambda: archive.read("corpus/b.txt", 0, 0), lambda: archive.primer,
                lambda: list(iterator), archive.check, archive.__enter__, lambda: archive.memory,
                lambda: pickle.dumps(archive), lambda: list(archive.iter_documents())):
        with pytest.raises(ValueError, match="the archive is closed"):
            use()
    with corpress.open(folder / "a.h5") as archive:
        pass
    assert archive.closed


def test_replaced(folder, tmp_path, documents):
    """Who has it open goes on with the old one; who opens it again is told."""
    path = tmp_path / "a.h5"
    shutil.copy(folder / "a.h5", path)
    (tmp_path / "other").write_bytes(b"another\n" * 1000)
    archive = corpress.open(path)
    pickled = pickle.dumps(archive)
    assert pickle.loads(pickled).documents[3] == documents[3]
    compress("other", "-o", "new.h5", cwd=tmp_path)
    os.rename(tmp_path / "new.h5", path)
    assert archive.documents[-1] == documents[-1]
    with pytest.raises(corpress.ChangedError, match="another has taken its place"):
        pickle.loads(pickled)
    os.remove(path)
    assert archive.read("corpus/b.txt", 1000000, 50) == FILES[b"corpus/b.txt"][1000000:1000050]
    with pytest.raises(corpress.NotFoundError):
        pickle.loads(pickled)


def test_unsealed(folder, tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.h5"
    shutil.copy(folder / "a.h5", path)
    os.chmod(path, 0o600)
    with h5py.File(path, "r+") as file:
        file.attrs["note"] = "hello"
    with pytest.raises(corpress.Error):
        corpress.open(path)
    with corpress.open(path, unsealed=True) as archive:
        assert not archive.facts.sealed
        assert pickle.loads(pickle.dumps(archive)).files[0] == archive.files[0]


def test_exceptions_survive_pickling():
    for kind in (corpress.Error, corpress.DamagedError, corpress.NotFoundError, corpress.ReadError,
                 corpress.DirectoryError):
        error = pickle.loads(pickle.dumps(kind("what it says")))
        assert type(error) is kind and str(error) == "what it says"


def test_cache(folder, tmp_path, documents, monkeypatch):
    """What it keeps serves another; damaged, or of no use, it changes nothing that is read."""
    cache = tmp_path / "cache"

    def reads(**options):
        with corpress.open(folder / "a.h5", **options) as archive:
            assert archive.documents[40] == documents[40]

    reads(cache=cache)
    kept = [path for path in cache.rglob("*") if path.is_file() and path.stat().st_size > 100000]
    assert len(kept) == 1
    before = kept[0].stat().st_mtime_ns, kept[0].stat().st_ino
    monkeypatch.setenv("CORPRESS_CACHE", str(cache))
    reads()
    assert kept[0].stat().st_ino == before[1]
    data = bytearray(kept[0].read_bytes())
    data[len(data) // 2] ^= 1
    os.chmod(kept[0], 0o600)
    kept[0].write_bytes(data)
    reads()
    kept[0].write_bytes(data[:1000])
    reads()
    (tmp_path / "file").write_text("no directory")
    for useless in (tmp_path / "file", "/proc/none/such", ""):
        reads(cache=useless)
