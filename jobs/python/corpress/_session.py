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


class Lease:
    """The right to use a reader, or the archive, until give(), or until this object ends: an
    exception that a signal's handler raises may come between any two steps, and nothing is to be
    lost by it.
    """

    __slots__ = ("__weakref__", "session")

    def __init__(self, session: Session) -> None:
        self.session = session

    def give(self) -> None:
        self.session.take_back(self)


class Reader:
    """A cpr_reader, and where it stands: in a shard, before a byte of the corpus and a document."""

    __slots__ = ("at", "document", "handle", "lease", "shard", "spent")

    def __init__(self) -> None:
        self.handle: Optional[c_void_p] = None  # not made yet
        self.lease: Optional["weakref.ref[Lease]"] = None
        self.leave()

    def leave(self) -> None:
        """Forgets the shard."""
        self.shard = -1
        self.at = self.document = 0
        self.spent = True  # nobody is expected to go on here

    def is_lent(self) -> bool:
        return self.lease is not None and self.lease() is not None


class Session:
    """Lends readers to threads, each to one at a time, and keeps them with their places.

    The first reader decodes the primer. Others are copies of it: a primed reader may be copied
    while another thread uses it. What another thread was using when this process was forked stays
    behind in the child, unused.
    """

    def __init__(self, path: str, unsealed: bool, readers: int, cache: Optional[bytes]) -> None:
        self._handle = c_void_p()
        self._cache = cache
        self.cache_use = 0
        self._most = readers
        self._readers: List[Reader] = []  # the one that was used last is the last
        self._origin: Optional[c_void_p] = None  # that of a primed reader
        self._closed = False
        self._ended = False
        self._reset()
        where = os.fsencode(path)
        if b"\0" in where or b"\0" in (cache or b""):
            raise ValueError("a path has no NUL")
        lib.call(lib.archive_open_unsealed if unsealed else lib.archive_open, where,
                 byref(self._handle))
        _sessions.add(self)

    def _reset(self) -> None:
        """As if no other thread used it."""
        # Locks whose `with` is not Python's own code, which an exception could leave half done.
        self._lock = threading.RLock()
        self._priming = threading.Lock()
        self._checks: "weakref.WeakSet[Lease]" = weakref.WeakSet()
        self._waiting: List[Any] = []  # locks that are released when a lease has come back
        self._readers = [reader for reader in self._readers if not reader.is_lent()]

    def reset_in_child(self) -> None:
        self._reset()
        if self._closed and not self._ended:
            self._ended = True
            self.end()

    # ---- close ----------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Those who are at work finish it; the last of them closes the archive."""
        with self._lock:
            self._closed = True
        self._leave()

    def __del__(self) -> None:
        if not self._ended:
            self.close()

    def is_used(self) -> bool:
        """Whether somebody is at work with it."""
        return len(self._checks) > 0 or any(reader.is_lent() for reader in self._readers)

    def _leave(self) -> None:
        """After somebody has come to an end with something."""
        with self._lock:
            while self._waiting:
                self._waiting.pop().release()
            last = self._closed and not self._ended and not self.is_used()
            self._ended = self._ended or last
        if last:
            self.end()

    def end(self) -> None:
        """Closes the archive, which nobody uses."""
        handle, self._handle = self._handle, c_void_p()
        readers, self._readers = self._readers, []
        for reader in readers:
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
        lease = Lease(self)
        try:
            with self._lock:
                self.check_open()
                self._checks.add(lease)
            lib.call(lib.archive_check_coded, self._handle, shard)
        finally:
            lease.give()

    # ---- readers --------------------------------------------------------------------------------

    def take_back(self, lease: Lease) -> None:
        """Ends a lease, unless it has ended."""
        with self._lock:
            self._checks.discard(lease)
            for reader in self._readers:
                if reader.lease is not None and reader.lease() in (lease, None):
                    reader.lease = None
        self._leave()

    def _take(self, lease: Lease, shard: int) -> Reader:
        """Lends the free reader for a shard, or one that is to be made."""
        while True:
            with self._lock:
                self.check_open()
                free = [reader for reader in self._readers if not reader.is_lent()]
                found = next((r for r in free if r.shard == shard), None)
                if found is None:
                    found = next((r for r in free if r.spent), None)
                if found is None and len(self._readers) < self._most:
                    found = Reader()
                    self._readers.append(found)
                if found is None and free:
                    found = free[0]
                if found is not None:
                    found.lease = weakref.ref(lease)
                    self._readers.sort(key=lambda reader: reader is found)
                    return found
                gate = threading.Lock()
                gate.acquire()  # pylint: disable=consider-using-with
                self._waiting.append(gate)
            # A lease that has ended by itself wakes nobody.
            gate.acquire(timeout=1)  # pylint: disable=consider-using-with

    def _make(self, reader: Reader) -> None:
        """Gives a reader its model, primed."""
        with self._priming:
            if self._origin is not None:
                with _noted_signals():
                    handle = c_void_p()
                    lib.call(lib.reader_copy, self._origin, byref(handle))
                    reader.handle = handle
                return
            handle = c_void_p()
            lib.call(lib.reader_open, self._handle, byref(handle))
            try:
                lib.call(lib.reader_set_cache, handle, self._cache, 0)
                _prime(handle)
                self.cache_use = lib.reader_cache(handle, None)
            except BaseException:
                lib.reader_close(handle)
                raise
            self._origin = reader.handle = handle

    def _do_without(self, reader: Reader) -> bool:
        """From now on, makes do with the other readers; false: there are none."""
        with self._lock:
            if len(self._readers) < 2:
                return False
            self._readers.remove(reader)
            self._most = len(self._readers)
            return True

    def _lend(self, lease: Lease, shard: int) -> Reader:
        """Lends a reader for a shard."""
        reader = self._take(lease, shard)
        while reader.handle is None:
            try:
                self._make(reader)
            except errors.NoMemoryError:
                if not self._do_without(reader):
                    raise
                reader = self._take(lease, shard)
        if reader.shard != shard:
            reader.leave()
            reader.shard = shard
            reader.spent = shard < 0
        return reader

    @contextlib.contextmanager
    def _lent(self, shard: int) -> Iterator[Reader]:
        """Lends a reader for a shard until the end. After an exception it stands nowhere."""
        lease = Lease(self)
        reader = None
        try:
            reader = self._lend(lease, shard)
            yield reader
        except BaseException:
            if reader is not None:
                reader.leave()
            raise
        finally:
            lease.give()

    def prime(self) -> None:
        """Makes the first reader, if there is none."""
        if self._origin is None:
            with self._lent(-1):
                pass
        self.check_open()

    # ---- bytes ----------------------------------------------------------------------------------

    # Who reads bytes knows where a reader stands in bytes, who reads documents, in documents. After
    # the other has used it, it is not led there in steps.

    def load(self, shard: int, start: int, offset: int, size: int, out: Any,
             spent: bool = False) -> None:
        """Bytes of one shard, which starts at `start`, into memory. `spent`: it is read to its end.
        """
        with self._lent(shard) as reader:
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

    def documents(self, shard: int, begin: int, step: int, first: int, count: int,
                  spent: bool = False) -> List[bytes]:
        """Documents that begin in one shard, whose first is `begin`, by steps of so many."""
        with self._lent(shard) as reader:
            reader.document = max(reader.document, begin)
            reader.at = c.NONE
            while reader.document + step < first:
                _load_documents(reader, reader.document + step - 1, 1)
                reader.document += step
            text, ends = _load_documents(reader, first, count)
            reader.document = max(reader.document, first + count)
            reader.spent = spent
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
        session.reset_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
