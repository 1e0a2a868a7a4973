"""An open archive of libcorpress, with its readers, as threads and forked processes may use it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import threading
import weakref
from ctypes import byref, c_void_p
from typing import Any, Dict, Iterator, List, Optional, Tuple

from . import _library as c
from . import errors
from ._library import lib

# So much is decoded between two looks at whether the user has pressed Ctrl-C.
_STEP = 256 << 10


class Reader:
    """A cpr_reader, and where it stands: in a shard, before a byte of the corpus and a document."""

    __slots__ = ("at", "document", "handle", "shard", "spent")

    def __init__(self, handle: c_void_p) -> None:
        self.handle = handle
        self.leave()

    def leave(self) -> None:
        """Forgets the shard."""
        self.shard = -1
        self.at = self.document = 0
        self.spent = True  # nobody is expected to go on here


class Session:
    """Lends readers to threads, each to one at a time, and keeps them with their places.

    The first reader decodes the primer. Others are copies of it: a primed reader may be copied
    while another thread uses it. What another thread was using when this process was forked stays
    behind in the child, unused.
    """

    def __init__(self, path: str, unsealed: bool, readers: int, cache: Optional[bytes]) -> None:
        self._handle = c_void_p()
        self._cache = cache
        self._most = readers
        self._idle: List[Reader] = []  # the one that was used last is the last
        self._origin: Optional[Reader] = None
        self._closed = False
        self._reset()
        where = os.fsencode(path)
        if b"\0" in where or b"\0" in (cache or b""):
            raise ValueError("a path has no NUL")
        lib.call(lib.archive_open_unsealed if unsealed else lib.archive_open, where,
                 byref(self._handle))
        _sessions.add(self)

    def _reset(self) -> None:
        """As if no other thread used it."""
        self._lock = threading.Condition(threading.Lock())
        self._priming = threading.Lock()
        self._lent = 0

    # ---- close ----------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Those who are at work finish it; the last of them closes the archive."""
        with self._lock:
            last = not self._closed and self._lent == 0
            self._closed = True
            self._lock.notify_all()
        if last:
            self._end()

    def __del__(self) -> None:
        if not self._closed:
            self.close()

    def _end(self) -> None:
        handle, self._handle = self._handle, c_void_p()
        idle, self._idle = self._idle, []
        for reader in idle:
            lib.reader_close(reader.handle)
        lib.archive_close(handle)

    def check_open(self) -> None:
        if self._closed:
            raise ValueError("the archive is closed")

    # ---- tables ---------------------------------------------------------------------------------

    def look(self, function: Any, *arguments: Any) -> None:
        """Calls a quick function that may fail: archive, arguments, error."""
        with self._lock:
            self.check_open()
            lib.call(function, self._handle, *arguments)

    def ask(self, function: Any, *arguments: Any) -> Any:
        """Calls a quick function that does not fail: archive, arguments."""
        with self._lock:
            self.check_open()
            return function(self._handle, *arguments)

    def check_coded(self, shard: int) -> None:
        """Compares the bitstream of a shard with its checksum."""
        with self._lock:
            self.check_open()
            self._lent += 1
        try:
            lib.call(lib.archive_check_coded, self._handle, shard)
        finally:
            self._release(None)

    # ---- readers --------------------------------------------------------------------------------

    def _release(self, reader: Optional[Reader]) -> None:
        with self._lock:
            self._lent -= 1
            if reader is not None:
                self._idle.append(reader)
            last = self._closed and self._lent == 0
            self._lock.notify()
        if last:
            self._end()

    def _take(self, shard: int) -> Optional[Reader]:
        """The idle reader for a shard, which is then lent. None: make one, which counts as lent."""
        with self._lock:
            while True:
                self.check_open()
                found = next((r for r in self._idle if r.shard == shard), None)
                if found is None:
                    found = next((r for r in self._idle if r.spent), None)
                if found is None and len(self._idle) + self._lent >= self._most:
                    found = self._idle[0] if self._idle else None
                if found is not None:
                    self._idle.remove(found)
                if found is not None or len(self._idle) + self._lent < self._most:
                    self._lent += 1
                    return found
                self._lock.wait()

    def _make(self) -> Reader:
        """A reader whose model is primed."""
        with self._priming:
            handle = c_void_p()
            if self._origin is not None:
                lib.call(lib.reader_copy, self._origin.handle, byref(handle))
                return Reader(handle)
            lib.call(lib.reader_open, self._handle, byref(handle))
            try:
                lib.call(lib.reader_set_cache, handle, self._cache, 0)
                _prime(handle)
            except BaseException:
                lib.reader_close(handle)
                raise
            self._origin = Reader(handle)
            return self._origin

    def _fewer(self) -> bool:
        """From now on, makes do with the readers that there are, if there are any."""
        with self._lock:
            self._most = max(len(self._idle) + self._lent - 1, 0) or self._most
            return len(self._idle) + self._lent > 1

    def lend(self, shard: int) -> Reader:
        """A reader for a shard, to be given back."""
        reader = self._take(shard)
        while reader is None:
            try:
                reader = self._make()
            except BaseException as error:
                fewer = isinstance(error, errors.NoMemoryError) and self._fewer()
                self._release(None)
                if not fewer:
                    raise
                reader = self._take(shard)
        if reader.shard != shard:
            reader.leave()
            reader.shard = shard
            reader.spent = shard < 0
        return reader

    def prime(self) -> None:
        """Makes the first reader, if there is none."""
        if self._origin is None:
            reader = self.lend(-1)
            self._release(reader)
        self.check_open()

    # ---- bytes ----------------------------------------------------------------------------------

    # Who reads bytes knows where a reader stands in bytes, who reads documents, in documents. After
    # the other has used it, it is not led there in steps.

    def load(self, shard: int, start: int, offset: int, size: int, out: Any,
             spent: bool = False) -> None:
        """Bytes of one shard, which starts at `start`, into memory. `spent`: it is read to its end.
        """
        reader = self.lend(shard)
        try:
            end = offset + size
            reader.at = max(reader.at, start)
            reader.document = c.NONE
            byte = ctypes.create_string_buffer(1)
            while reader.at + _STEP < offset:
                lib.call(lib.reader_load, reader.handle, reader.at + _STEP - 1, 1, byte)
                reader.at += _STEP
            address = ctypes.addressof(out)
            while offset < end:
                part = min(_STEP, end - offset)
                lib.call(lib.reader_load, reader.handle, offset, part, c_void_p(address))
                offset += part
                address += part
                reader.at = max(reader.at, offset)
            reader.spent = spent
        except BaseException:
            reader.leave()
            raise
        finally:
            self._release(reader)

    def documents(self, shard: int, begin: int, step: int, first: int, count: int,
                  spent: bool = False) -> List[bytes]:
        """Documents that begin in one shard, whose first is `begin`, by steps of so many."""
        reader = self.lend(shard)
        try:
            reader.document = max(reader.document, begin)
            reader.at = c.NONE
            while reader.document + step < first:
                _load_documents(reader, reader.document + step - 1, 1)
                reader.document += step
            text, ends = _load_documents(reader, first, count)
            reader.document = max(reader.document, first + count)
            reader.spent = spent
        except BaseException:
            reader.leave()
            raise
        finally:
            self._release(reader)
        at = 0
        found = []
        for end in ends:
            found.append(text[at:end])
            at = end
        return found


def _load_documents(reader: Reader, first: int, count: int) -> Tuple[bytes, List[int]]:
    """The text of documents, and where in it each of them ends."""
    texts = ctypes.POINTER(c.Texts)()
    lib.call(lib.reader_load_documents, reader.handle, first, count, byref(texts))
    try:
        ends = texts.contents.ends[:count]
        return ctypes.string_at(texts.contents.data or 0, ends[-1]) if ends[-1] else b"", ends
    finally:
        lib.texts_free(texts)


# ---- the primer ---------------------------------------------------------------------------------


def _prime(handle: c_void_p) -> None:
    """Decodes the primer. It takes up to minutes, so signals end it."""
    with _noted_signals() as came:

        def progress(_context: Any, _raw: int, _coded: int, _error: Any) -> int:
            return c.STOPPED if came else c.OK

        watch = c.Watch(c.ProgressFunction(progress), None)
        try:
            lib.call(lib.reader_prime, handle, watch)
        except errors.Error:
            if not came:
                raise
        stopped = bool(came)
    if stopped:  # and no handler has raised
        _prime(handle)


@contextlib.contextmanager
def _noted_signals() -> Iterator[List[int]]:
    """Until the end, signals that Python handles only make the list grow. Then they are handled.
    Otherwise what a handler raises in a function that C calls, such as KeyboardInterrupt, is lost.
    """
    came: List[int] = []
    handlers: Dict[int, Any] = {}
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def note(number: int, _frame: Any) -> None:
        came.append(number)

    try:
        for handled in signal.valid_signals():
            handler = signal.getsignal(handled)
            if callable(handler):
                handlers[handled] = handler
                signal.signal(handled, note)
        yield came
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number in came:
        signal.raise_signal(number)


# ---- fork ---------------------------------------------------------------------------------------

_sessions: "weakref.WeakSet[Session]" = weakref.WeakSet()


def _after_fork() -> None:
    for session in list(_sessions):
        session._reset()  # pylint: disable=protected-access
        if session.closed:
            session._end()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
