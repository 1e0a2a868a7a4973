"""Archives as Python sees them."""

from __future__ import annotations

import bisect
import ctypes
import io
import operator
import os
from ctypes import byref, c_uint64
from typing import (Any, Iterable, Iterator, List, Literal, NamedTuple, Optional, Sequence,
                    SupportsIndex, Tuple, TypeVar, Union, overload)

from . import _library as c
from . import errors
from ._library import lib
from ._session import Session

_T = TypeVar("_T")
Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
"""A path in an archive. As str, bytes that are no text are surrogates, as `os.fsdecode` has it."""

_TYPES: Tuple[Literal["file", "directory", "link"], ...] = ("file", "directory", "link")
_RULES: Tuple[Literal["file", "line", "separator"], ...] = ("file", "line", "separator")
_CACHE_USES: Tuple[Literal["none", "loaded", "stored", "failed"], ...] = (
    "none", "loaded", "stored", "failed")
# Documents are decoded by the batch: so many, or so many bytes, whichever is less.
_BATCH_DOCUMENTS = 1024
_BATCH_BYTES = 64 << 10


class File(NamedTuple):
    """A file, directory or link of an archive."""

    number: int
    """In the order of the corpus, from 0."""
    path: str
    size: int
    """Bytes; 0 for all but files."""
    type: Literal["file", "directory", "link"]
    mode: int
    """Permission bits."""
    mtime_ns: int
    """Time of change, in nanoseconds since 1970, UTC."""
    link_target: str
    """Empty unless it is a link."""
    offset: int
    """Of its first byte in the corpus."""
    loss_bits: float
    """What the model lost in its tokens: about the bits that it takes in the archive."""
    shards: range
    """Numbers of the shards that hold bytes of it."""
    document_rule: Literal["file", "line", "separator"]
    """What a document is in it: all of it, a line, or what is between separators."""
    is_rest: bool = False
    """All of a tar but its members' data: no file of the corpus, and without documents."""

    @property
    def path_bytes(self) -> bytes:
        """The exact bytes of the path."""
        return os.fsencode(self.path)

    @property
    def bits_per_byte(self) -> float:
        """Loss of the model for each byte; 0.0 for an empty file."""
        return self.loss_bits / self.size if self.size > 0 else 0.0

    @property
    def ratio(self) -> float:
        """Bytes of the file for each byte of loss; 0.0 if it lost nothing."""
        return 8 * self.size / self.loss_bits if self.loss_bits > 0 else 0.0


class Shard(NamedTuple):
    """A part of the corpus that was compressed alone, or the primer."""

    number: int
    """From 0; -1 for the primer."""
    offset: int
    """Of its first byte in the corpus; of the primer it says nothing."""
    raw_bytes: int
    coded_bytes: int
    stored_bytes: int
    """Raw bytes that went past the model: they do not compress."""
    tokens: int
    loss_bits: float
    """What the model lost in its tokens."""
    network_loss_bits: float
    """What the network alone would have lost; 0.0: there is none."""
    generation: int
    """Of the model that it was coded from: 0 initial, 1 primed."""
    raw_hash: str
    """XXH3-128 of its bytes, in hexadecimal digits."""
    coded_hash: str
    documents: range
    """Numbers of the documents that begin in it."""

    @property
    def ratio(self) -> float:
        """Raw bytes for each coded byte."""
        return self.raw_bytes / self.coded_bytes if self.coded_bytes > 0 else 0.0

    @property
    def bits_per_byte(self) -> float:
        """Coded bits for each raw byte."""
        return 8 * self.coded_bytes / self.raw_bytes if self.raw_bytes > 0 else 0.0

    @property
    def loss(self) -> float:
        """The model's loss in bits for each raw byte."""
        return self.loss_bits / self.raw_bytes if self.raw_bytes > 0 else 0.0


class Input(NamedTuple):
    """A compressed file, or a tar, that files of the archive were decoded from."""

    path: str
    """That it had."""
    kind: str
    """"gzip", "zstd", "xz", "bzip2", "lz4", "Parquet", or "plain", which a tar can be."""
    is_tar: bool
    size: int
    """Bytes that it had."""
    text_size: int
    """Bytes that were decoded from it."""
    files: range
    """Numbers of the files that came of it: of a tar its directory, the members, the rest."""
    hash: str
    """XXH3-128 of its bytes, in hexadecimal digits."""


class Facts(NamedTuple):
    """What the tables of an archive say about all of it."""

    profile: str
    descriptor: str
    """What a decoder needs: components, their versions, parameters."""
    identity: str
    """Hash of the tables, which hold the hashes of all shards, in hexadecimal digits."""
    files: int
    shards: int
    documents: int
    raw_bytes: int
    coded_bytes: int
    archive_bytes: int
    shard_bytes: int
    """The option --shard-size."""
    weights_bytes: int
    """Of a network that was taught before the coding; 0: none was."""
    sealed: bool
    """Whether the tables are as they were written."""
    has_primer: bool
    has_network: bool
    separator: Optional[bytes]
    """Between documents, in files where a separator is what ends them."""

    @property
    def ratio(self) -> float:
        """Bytes of the corpus for each byte of the archive."""
        return self.raw_bytes / self.archive_bytes


def _index(number: SupportsIndex, count: int, what: str, whole: str = "the archive") -> int:
    """`number` counted from 0, if there is such a one."""
    found = operator.index(number)
    if not -count <= found < count:
        raise IndexError(f"there is no {what} {found}: {whole} has {count}")
    return found + count if found < 0 else found


def _printable(path: Path) -> str:
    return os.fsdecode(path).encode("utf-8", "backslashreplace").decode()


class _Numbered(Sequence[_T]):
    """Things of an archive that are made as they are asked for."""

    _what: str
    """What one of them is."""

    def __init__(self, session: Session, count: int) -> None:
        self._session = session
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, key: int) -> _T: ...

    @overload
    def __getitem__(self, key: slice) -> List[_T]: ...

    def __getitem__(self, key: Union[int, slice]) -> Union[_T, List[_T]]:
        if isinstance(key, slice):
            return [self._at(i) for i in range(*key.indices(self._count))]
        return self._at(_index(key, self._count, self._what))

    def __repr__(self) -> str:
        return f"<{self._count} {self._what}s>"

    def _at(self, number: int) -> _T:
        raise NotImplementedError


class Files(_Numbered[File]):
    """The files of an archive, made as they are asked for: by number, slice, or path."""

    _what = "file"

    @overload
    def __getitem__(self, key: Union[int, Path]) -> File: ...

    @overload
    def __getitem__(self, key: slice) -> List[File]: ...

    def __getitem__(self, key: Union[int, slice, Path]) -> Union[File, List[File]]:
        if isinstance(key, (str, bytes, os.PathLike)):
            return self._find(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        if isinstance(key, File):
            return 0 <= key.number < self._count and self._at(key.number) == key
        if not isinstance(key, (str, bytes, os.PathLike)):
            return False
        try:
            self._find(key)
        except errors.NotFoundError:
            return False
        return True

    def _at(self, number: int) -> File:
        entry = c.Entry()
        self._session.look(lib.archive_get, number, byref(entry))
        return _file(entry)

    def _find(self, path: Path) -> File:
        name = os.fsencode(path)
        if b"\0" in name:
            raise errors.NotFoundError(f"no {_printable(path)} in the archive")
        entry = c.Entry()
        self._session.look(lib.archive_find, name, byref(entry))
        return _file(entry)


def _file(entry: c.Entry) -> File:
    shards = (range(0) if entry.first_shard == c.NONE
              else range(entry.first_shard, entry.last_shard + 1))
    return File(entry.number, os.fsdecode(entry.path), entry.bytes, _TYPES[entry.type], entry.mode,
                entry.mtime_seconds * 1000000000 + entry.mtime_nanoseconds,
                os.fsdecode(entry.link_target), entry.offset, entry.loss_bits / c.LOSS_UNITS,
                shards, _RULES[entry.documents], entry.is_rest)


class Shards(_Numbered[Shard]):
    """The shards of an archive, without the primer."""

    _what = "shard"

    def _at(self, number: int) -> Shard:
        return _shard(self._session, number, number)


def _shard(session: Session, key: int, number: int) -> Shard:
    info = session.ask(lib.archive_shard, key).contents
    first, count = c_uint64(), c_uint64()
    if number >= 0:
        session.look(lib.archive_shard_documents, key, byref(first), byref(count))
    return Shard(number, info.offset, info.raw_bytes, info.coded_bytes, info.stored_bytes,
                 info.tokens, info.loss_bits / c.LOSS_UNITS,
                 info.network_loss_bits / c.LOSS_UNITS, info.generation, info.raw_hash.hex(),
                 info.coded_hash.hex(), range(first.value, first.value + count.value))


class Inputs(_Numbered[Input]):
    """The inputs of an archive that were decoded."""

    _what = "input"

    def _at(self, number: int) -> Input:
        facts = c.InputFacts()
        self._session.look(lib.archive_input, number, byref(facts))
        return Input(os.fsdecode(facts.path), facts.kind.decode(), facts.is_tar, facts.bytes,
                     facts.text_bytes,
                     range(facts.first_file, facts.first_file + facts.files), facts.hash.hex())


class Documents(Sequence[bytes]):
    """Documents of an archive, or some of them: each is its bytes without what ends it.

    They are decoded when they are asked for. A slice is a sequence of this kind, and decodes
    nothing. `numbers` are the documents' numbers in the archive.
    """

    def __init__(self, archive: Archive, numbers: range) -> None:
        self._archive = archive
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, key: int) -> bytes: ...

    @overload
    def __getitem__(self, key: slice) -> Documents: ...

    def __getitem__(self, key: Union[int, slice]) -> Union[bytes, Documents]:
        if isinstance(key, slice):
            return Documents(self._archive, self.numbers[key])
        found = _index(key, len(self.numbers), "document", self._whole())
        return self._archive._document(self.numbers[found])

    def __iter__(self) -> Iterator[bytes]:
        if self.numbers.step != 1:
            return (self._archive._document(number) for number in self.numbers)
        return self._archive._texts(self.numbers)

    def __repr__(self) -> str:
        return f"<{len(self)} documents>"

    def _whole(self) -> str:
        return "the archive" if len(self.numbers) == self._archive.facts.documents else "the slice"

    def __reduce__(self) -> Tuple[Any, ...]:
        return Documents, (self._archive, self.numbers)

    def in_shard(self, shard: int) -> Documents:
        """Those of all documents of the archive that begin in a shard."""
        return Documents(self._archive, self._archive.shards[shard].documents)

    def in_file(self, path: Union[Path, File]) -> Documents:
        """Those of all documents of the archive that a file has."""
        return Documents(self._archive, self._archive._documents_of(path))


class RawFile(io.RawIOBase):
    """The bytes of a file in an archive: unbuffered, read-only, with `seek`."""

    def __init__(self, archive: Archive, file: File) -> None:
        super().__init__()
        self._archive = archive
        self._file = file
        self._at = 0
        self.name = file.path
        self.mode = "rb"

    def __repr__(self) -> str:
        return f"<corpress.RawFile {self.name!r}>"

    def _check(self) -> None:
        if self.closed:
            raise ValueError("the file is closed")

    def readable(self) -> bool:
        self._check()
        return True

    def seekable(self) -> bool:
        self._check()
        return True

    def write(self, _data: Any) -> int:
        raise io.UnsupportedOperation("an archive is read-only")

    def tell(self) -> int:
        self._check()
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._check()
        if whence not in (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END):
            raise ValueError(f"whence is {whence}, not 0, 1 or 2")
        at = (0, self._at, self._file.size)[whence] + operator.index(offset)
        if at < 0:
            raise ValueError(f"there is no place {at} in a file")
        self._at = at
        return at

    def readinto(self, buffer: Any) -> int:
        self._check()
        view = memoryview(buffer).cast("B")
        size = max(0, min(len(view), self._file.size - self._at))
        if size > 0:
            out = (ctypes.c_char * size).from_buffer(view)
            self._archive._load(self._file.offset + self._at, size, out)
        self._at += size
        return size

    def readall(self) -> bytes:
        self._check()
        data = self._archive.read(self._file, self._at)
        self._at += len(data)
        return data


class Archive:
    """An open archive. Made by `corpress.open`; closed by `close`, or at the end of a `with`.

    Any number of threads may use it; as many as it has readers decode at the same time. A child
    process that is forked may go on with it. Where it is pickled, as for a worker process that is
    spawned, it is opened again by its path; if another archive is there by then, that raises
    `ChangedError`. Who has an archive open goes on with it even if another takes its place.
    """

    def __init__(self, path: Path, *, unsealed: bool = False, readers: int = 2,
                 cache: Optional[Path] = None) -> None:
        if readers < 1:
            raise ValueError("an archive needs a reader")
        self._path = os.path.abspath(os.fsdecode(path))
        self._options = (unsealed, readers, cache)
        try:
            self._session = Session(os.fsdecode(path), unsealed, readers,
                                    None if cache is None else os.fsencode(cache))
        except errors.ReadError as error:
            raise _with_reason(error, os.fsdecode(path)) from None
        self._facts = _facts(self._session)
        self._files = Files(self._session, self._facts.files)
        self._shards = Shards(self._session, self._facts.shards)
        self._first: Optional[List[int]] = None

    # ---- facts ----------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """Where it was opened, as an absolute path."""
        return self._path

    @property
    def facts(self) -> Facts:
        """Facts about all of it."""
        return self._facts

    @property
    def files(self) -> Files:
        """Its files, directories and links: a sequence, in which paths find files, too."""
        return self._files

    @property
    def shards(self) -> Shards:
        """Its shards: a sequence."""
        return self._shards

    @property
    def inputs(self) -> Inputs:
        """The compressed files and tars that were decoded when the archive was made."""
        return Inputs(self._session, self._session.ask(lib.archive_inputs))

    @property
    def primer(self) -> Optional[Shard]:
        """The sample of the corpus that is decoded before the first shard, if there is one."""
        if not self._facts.has_primer:
            return None
        return _shard(self._open(), c.PRIMER, -1)

    @property
    def documents(self) -> Documents:
        """Its documents: a sequence of bytes."""
        return Documents(self, range(self._facts.documents))

    @property
    def memory(self) -> Tuple[int, int]:
        """Bytes of memory that each reader takes, and that all of them share."""
        each, shared = c_uint64(), c_uint64()
        self._open().look(lib.reader_memory, byref(each), byref(shared))
        return each.value, shared.value

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{len(self._files)} files, {len(self._shards)} shards"
        return f"<corpress.Archive {self._path!r}: {state}>"

    # ---- bytes ----------------------------------------------------------------------------------

    def read(self, path: Union[Path, File], offset: int = 0, size: int = -1) -> bytes:
        """Bytes of a file from `offset` on: `size` of them, or those to its end if that is less, or
        `size` is negative.
        """
        file = self._regular(path)
        if offset < 0:
            raise ValueError(f"there is no place {offset} in a file")
        rest = max(0, file.size - offset)
        wanted = rest if size < 0 else min(size, rest)
        if wanted == 0:
            self._open()
            return b""
        out = bytearray(wanted)
        self._load(file.offset + offset, wanted, (ctypes.c_char * wanted).from_buffer(out))
        return bytes(out)

    def open(self, path: Union[Path, File]) -> RawFile:
        """A file as a raw binary file object, for `io.BufferedReader` and others."""
        return RawFile(self, self._regular(path))

    @overload
    def iter_documents(self, shards: Optional[Iterable[int]] = None, start: int = 0,
                       numbers: Literal[False] = False) -> Iterator[bytes]: ...

    @overload
    def iter_documents(self, shards: Optional[Iterable[int]] = None, start: int = 0, *,
                       numbers: Literal[True]) -> Iterator[Tuple[int, bytes]]: ...

    def iter_documents(self, shards: Optional[Iterable[int]] = None, start: int = 0,
                       numbers: bool = False) -> Union[Iterator[bytes],
                                                       Iterator[Tuple[int, bytes]]]:
        """Documents one by one: those that begin in `shards`, in that order, or all. Leaves out
        those of a lower number than `start`. With `numbers`, gives pairs of number and document.
        """
        if start < 0:
            raise IndexError(f"there is no document {start}")
        if shards is None:
            parts = [range(start, self._facts.documents)]
        else:
            wanted = [self._shards[shard].documents for shard in shards]
            parts = [range(max(part.start, start), part.stop) for part in wanted]
        return self._pairs(parts) if numbers else self._bytes(parts)

    def prime(self) -> None:
        """Decodes the primer now, and not with the first bytes. Processes that are forked later
        share what it takes.
        """
        self._open().prime()

    @property
    def cache_use(self) -> Literal["none", "loaded", "stored", "failed"]:
        """What came of the cache when the primer was needed: the state after it was loaded, or made
        and stored, or made and could not be stored. "none": there is no cache, no primer, or it has
        not been needed yet.
        """
        return _CACHE_USES[self._open().cache_use]

    def check(self, shards: Optional[Iterable[int]] = None) -> None:
        """Compares compressed bytes, of all shards and the primer or of those given, with their
        checksums, which is as fast as reading. `DamagedError` names the first that is damaged.
        """
        numbers: List[int] = ([c.PRIMER] if self._facts.has_primer else [])
        if shards is None:
            numbers += range(len(self._shards))
        else:
            numbers = [self._shards[shard].number for shard in shards]
        for number in numbers:
            self._open().check_coded(number)

    # ---- close, copies --------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._session.closed

    def close(self) -> None:
        """Closes it. Whoever uses it afterwards gets a ValueError."""
        self._session.close()

    def __enter__(self) -> Archive:
        self._open()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __reduce__(self) -> Tuple[Any, ...]:
        self._open()
        return _reopen, (self._path, self._facts.identity, *self._options)

    # ---- for the classes above ------------------------------------------------------------------

    def _open(self) -> Session:
        self._session.check_open()
        return self._session

    def _regular(self, path: Union[Path, File]) -> File:
        file = self._files[path.number if isinstance(path, File) else path]
        if isinstance(path, File) and file != path:
            raise errors.NotFoundError(f"no {_printable(path.path)} in the archive")
        if file.type == "directory":
            raise errors.DirectoryError(f"{_printable(file.path)} is a directory")
        if file.type == "link":
            raise errors.UsageError(f"{_printable(file.path)} is a symbolic link")
        return file

    def _load(self, offset: int, size: int, out: Any) -> None:
        """Bytes of the corpus into memory."""
        session = self._open()
        done = 0
        while done < size:
            number = session.ask(lib.archive_shard_at, offset + done)
            shard = session.ask(lib.archive_shard, number).contents
            end = shard.offset + shard.raw_bytes
            part = min(size - done, end - offset - done)
            target = (ctypes.c_char * part).from_buffer(out, done)
            session.load(number, shard.offset, offset + done, part, target,
                         offset + done + part == end)
            done += part

    def _documents_of(self, path: Union[Path, File]) -> range:
        file = self._files[path.number if isinstance(path, File) else path]
        first, count = c_uint64(), c_uint64()
        self._open().look(lib.archive_file_documents, file.number, byref(first), byref(count))
        return range(first.value, first.value + count.value)

    def _shard_of(self, document: int) -> Shard:
        """The shard in which a document begins."""
        if self._first is None:
            self._first = [self._shards[i].documents.start for i in range(len(self._shards))]
        return self._shards[bisect.bisect_right(self._first, document) - 1]

    def _document(self, number: int) -> bytes:
        shard = self._shard_of(number)
        return self._open().documents(shard.number, shard.documents.start, _step(shard), number,
                                      1)[0]

    def _texts(self, numbers: range) -> Iterator[bytes]:
        """Documents of consecutive numbers. The first comes as soon as it is decoded."""
        session = self._open()
        first, count = numbers.start, 1
        while first < numbers.stop:
            shard = self._shard_of(first)
            last = min(numbers.stop, shard.documents.stop)
            while first < last:
                some = session.documents(shard.number, shard.documents.start, _step(shard), first,
                                         min(count, last - first),
                                         first + count >= shard.documents.stop)
                yield from some
                first += len(some)
                size = sum(map(len, some))
                count = min(2 * count, _BATCH_DOCUMENTS) if 2 * size < _BATCH_BYTES else \
                    max(1, min(count, _BATCH_BYTES * count // size))

    def _bytes(self, parts: List[range]) -> Iterator[bytes]:
        for part in parts:
            yield from self._texts(part)

    def _pairs(self, parts: List[range]) -> Iterator[Tuple[int, bytes]]:
        for part in parts:
            yield from zip(part, self._texts(part))


def _step(shard: Shard) -> int:
    """How many of its documents are about a batch."""
    return max(1, _BATCH_BYTES * len(shard.documents) // shard.raw_bytes)


def _reopen(path: str, identity: str, unsealed: bool, readers: int,
            cache: Optional[Path]) -> Archive:
    """What a pickled archive is made of."""
    archive = Archive(path, unsealed=unsealed, readers=readers, cache=cache)
    if archive.facts.identity != identity:
        archive.close()
        raise errors.ChangedError(f'"{_printable(path)}" is not the archive that it was: another '
                                  "has taken its place")
    return archive


def _with_reason(error: errors.ReadError, path: str) -> errors.Error:
    """What does not exist is not found: as the operating system says it, not by a text."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return errors.NotFoundError(str(error))
    except (OSError, ValueError):
        pass
    return error


def _facts(session: Session) -> Facts:
    facts = c.Facts()
    session.ask(lib.archive_get_facts, byref(facts))
    separator = (ctypes.string_at(facts.separator, facts.separator_bytes)
                 if facts.separator else None)
    return Facts(facts.profile.decode("utf-8", "replace"),
                 facts.descriptor.decode("utf-8", "replace"), facts.identity.hex(), facts.files,
                 facts.shards, facts.documents, facts.raw_bytes, facts.coded_bytes,
                 facts.archive_bytes, facts.shard_bytes, facts.weights_bytes, facts.sealed,
                 facts.has_primer, facts.has_network, separator)
