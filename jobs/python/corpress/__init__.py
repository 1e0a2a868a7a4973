"""Reads corpress archives: files, documents, and any range of bytes.

    >>> import corpress
    >>> with corpress.open("corpus.h5") as archive:
    ...     for document in archive.iter_documents():
    ...         ...

`corpress.torch` deals documents to the workers of a training. Errors are subclasses of `Error`.
"""

from __future__ import annotations

from typing import Optional

from ._archive import (Archive, Documents, Facts, File, Files, Input, Inputs, Path, RawFile, Shard,
                       Shards)
from ._library import lib as _lib
from ._version import VERSION as __version__
from .errors import (ChangedError, DamagedError, DirectoryError, Error, ForeignError,
                     NoMemoryError, NotFoundError, ReadError, SelfTestError, UsageError,
                     VersionError)

__all__ = [
    "Archive", "ChangedError", "DamagedError", "DirectoryError", "Documents", "Error", "Facts",
    "File", "Files", "ForeignError", "Input", "Inputs", "NoMemoryError", "NotFoundError", "Path", "RawFile",
    "ReadError", "SelfTestError", "Shard", "Shards", "UsageError", "VersionError", "__version__",
    "library_path", "open",
]


def open(path: Path, *, unsealed: bool = False, readers: int = 2,
         cache: Optional[Path] = None) -> Archive:
    """Opens an archive for reading and checks its tables; decodes nothing.

    `unsealed` also takes an archive that another program has written to: names, sizes and times may
    be wrong then. `readers`: as many threads decode at the same time, and as many places in shards
    are kept, so that reading goes on there. Each takes `Archive.memory[0]` bytes, and the text of a
    shard, from when it is first needed. `cache`: a directory that keeps what the model has learned
    from the primer, for other processes and for later; by default as CORPRESS_CACHE says; "": none.
    """
    return Archive(path, unsealed=unsealed, readers=readers, cache=cache)


def library_path() -> str:
    """The libcorpress in use, as it was named to the dynamic linker."""
    return _lib.path
