"""What an archive says of inputs that were decoded."""

import gzip
import io
import os
import tarfile

import pytest

import corpress
from conftest import compress, text

MEMBERS = {"one.txt": b"the first\n", "two.jsonl": b"1\n2\n3\n", "empty": b""}


@pytest.fixture(scope="module")
def decoded(tmp_path_factory):
    place = tmp_path_factory.mktemp("inputs")
    os.mkdir(place / "c")
    (place / "c" / "a.jsonl.gz").write_bytes(gzip.compress(text(20000, 1)))
    (place / "c" / "plain").write_bytes(text(3000, 2))
    with tarfile.open(place / "c" / "t.tar", "w") as tar:
        for name, data in MEMBERS.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    compress("--decode-inputs", "c", "-o", "a.h5", cwd=place)
    with corpress.open(place / "a.h5") as archive:
        yield place, archive


def test_inputs(decoded):
    place, archive = decoded
    packed, tar = archive.inputs
    assert (packed.path, packed.kind, packed.is_tar) == ("c/a.jsonl.gz", "gzip", False)
    assert packed.size == os.path.getsize(place / "c" / "a.jsonl.gz")
    assert packed.text_size == 20000 and len(packed.hash) == 32
    assert [archive.files[i].path for i in packed.files] == ["c/a.jsonl"]
    assert (tar.path, tar.kind, tar.is_tar) == ("c/t.tar", "plain", True)
    assert tar.size == tar.text_size == os.path.getsize(place / "c" / "t.tar")
    assert archive.files[tar.files[0]].type == "directory"
    assert [file.path for file in archive.files if file.is_rest] == ["c/t.tar/.tar-headers"]
    assert archive.files[tar.files[-1]].is_rest
    with pytest.raises(IndexError):
        archive.inputs[2]


def test_texts(decoded):
    _, archive = decoded
    assert archive.read("c/a.jsonl") == text(20000, 1)
    for name, data in MEMBERS.items():
        assert archive.read("c/t.tar/" + name) == data
    assert list(archive.documents.in_file("c/t.tar/two.jsonl")) == [b"1", b"2", b"3"]
    assert len(archive.documents.in_file("c/t.tar/.tar-headers")) == 0
    assert list(archive.documents)[-3:] == [b"1", b"2", b"3"]


def test_no_inputs(archive):
    assert len(archive.inputs) == 0 and not any(file.is_rest for file in archive.files)
