"""What can go wrong. The texts are those of the command `corpress`."""

from __future__ import annotations

from typing import Dict, Type

__all__ = [
    "ChangedError",
    "DamagedError",
    "DirectoryError",
    "Error",
    "ForeignError",
    "NoMemoryError",
    "NotFoundError",
    "ReadError",
    "SelfTestError",
    "UsageError",
    "VersionError",
]


class Error(Exception):
    """Anything that libcorpress refuses or fails to do. `status` is a `cpr_status`."""

    status = -1

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class UsageError(Error, ValueError):
    """What was asked for makes no sense."""

    status = 1


class DirectoryError(UsageError, IsADirectoryError):
    """A directory has no bytes to read."""


class NoMemoryError(Error, MemoryError):
    """The process may not take the memory that decoding needs."""

    status = 2


class ReadError(Error, OSError):
    """The operating system refused to open or to read."""

    status = 3


class ChangedError(Error):
    """The archive at a path is not the one that it was."""

    status = 5


class ForeignError(Error, ValueError):
    """This is not a corpress archive."""

    status = 6


class VersionError(Error):
    """The archive needs a component, or a version of one, that the library lacks."""

    status = 7


class DamagedError(Error):
    """Checksums do not match, or what is read contradicts itself."""

    status = 8


class NotFoundError(Error, KeyError, FileNotFoundError):
    """No such path in the archive, or no such archive."""

    status = 9


class SelfTestError(Error):
    """This machine computes differently from all others."""

    status = 11


_BY_STATUS: Dict[int, Type[Error]] = {
    kind.status: kind
    for kind in (UsageError, NoMemoryError, ReadError, ChangedError, ForeignError, VersionError,
                 DamagedError, NotFoundError, SelfTestError)
}


def of_status(status: int, text: str) -> Error:
    """The exception that stands for a `cpr_status` and its text."""
    kind = _BY_STATUS.get(status)
    if kind is not None:
        return kind(text)
    error = Error(text)
    error.status = status
    return error
