"""libcorpress: where it is, what it offers, and its structures as ctypes sees them."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
from ctypes import (POINTER, Structure, byref, c_bool, c_char, c_char_p, c_int, c_int64, c_size_t,
                    c_uint8, c_uint32, c_uint64, c_void_p)
from typing import Any, Iterator, List, Tuple

from . import errors
from ._version import VERSION

SONAME = "libcorpress.so.1"
OK = 0
STOPPED = 14
NONE = (1 << 64) - 1
PRIMER = (1 << 64) - 2
LOSS_UNITS = 65536.0


class ErrorText(Structure):
    """cpr_error"""
    _fields_ = [("text", c_char * 1024)]


class Hash128(Structure):
    """cpr_hash128"""
    _fields_ = [("high", c_uint64), ("low", c_uint64)]

    def hex(self) -> str:
        return f"{self.high:016x}{self.low:016x}"


class Facts(Structure):
    """cpr_archive_facts"""
    _fields_ = [
        ("profile", c_char_p), ("descriptor", c_char_p),
        ("files", c_uint64), ("shards", c_uint64),
        ("raw_bytes", c_uint64), ("coded_bytes", c_uint64), ("archive_bytes", c_uint64),
        ("shard_bytes", c_uint64),
        ("identity", Hash128),
        ("sealed", c_bool), ("has_primer", c_bool), ("has_network", c_bool),
        ("weights_bytes", c_uint64),
        ("documents", c_uint64),
        ("separator", c_void_p), ("separator_bytes", c_size_t),
    ]


class Entry(Structure):
    """cpr_entry"""
    _fields_ = [
        ("number", c_uint64),
        ("path", c_char_p), ("link_target", c_char_p),
        ("type", c_int), ("mode", c_uint32),
        ("mtime_seconds", c_int64), ("mtime_nanoseconds", c_uint32),
        ("offset", c_uint64), ("bytes", c_uint64),
        ("loss_bits", c_uint64),
        ("first_shard", c_uint64), ("last_shard", c_uint64),
        ("documents", c_int),
        ("is_rest", c_bool),
    ]


class InputFacts(Structure):
    """cpr_input_facts"""
    _fields_ = [
        ("path", c_char_p), ("kind", c_char_p),
        ("is_tar", c_bool),
        ("bytes", c_uint64), ("text_bytes", c_uint64),
        ("first_file", c_uint64), ("files", c_uint64),
        ("hash", Hash128),
    ]


class ShardInfo(Structure):
    """cpr_shard_info"""
    _fields_ = [
        ("offset", c_uint64), ("raw_bytes", c_uint64), ("coded_bytes", c_uint64),
        ("stored_bytes", c_uint64), ("tokens", c_uint64),
        ("loss_bits", c_uint64), ("network_loss_bits", c_uint64),
        ("generation", c_uint32),
        ("raw_hash", Hash128), ("coded_hash", Hash128),
    ]


class Texts(Structure):
    """cpr_texts"""
    _fields_ = [("count", c_uint64), ("ends", POINTER(c_uint64)), ("data", c_void_p)]


ProgressFunction = ctypes.CFUNCTYPE(c_int, c_void_p, c_uint64, c_uint64, c_void_p)


class Watch(Structure):
    """cpr_watch"""
    _fields_ = [("progress", ProgressFunction), ("context", c_void_p)]


# Name, result, arguments; the last of those that can fail is a cpr_error *. QUICK ones look things
# up in memory, and keep the GIL. The others may take a while, and release it.
_E = POINTER(ErrorText)
_N = POINTER(c_uint64)
_QUICK: List[Tuple[str, Any, List[Any]]] = [
    ("cpr_version", c_char_p, []),
    ("cpr_format_version", ctypes.c_uint, []),
    ("cpr_archive_get_facts", None, [c_void_p, POINTER(Facts)]),
    ("cpr_archive_get", c_int, [c_void_p, c_uint64, POINTER(Entry), _E]),
    ("cpr_archive_find", c_int, [c_void_p, c_char_p, POINTER(Entry), _E]),
    ("cpr_archive_shard", POINTER(ShardInfo), [c_void_p, c_uint64]),
    ("cpr_archive_shard_at", c_uint64, [c_void_p, c_uint64]),
    ("cpr_archive_inputs", c_uint64, [c_void_p]),
    ("cpr_archive_input", c_int, [c_void_p, c_uint64, POINTER(InputFacts), _E]),
    ("cpr_archive_shard_documents", c_int, [c_void_p, c_uint64, _N, _N, _E]),
    ("cpr_archive_file_documents", c_int, [c_void_p, c_uint64, _N, _N, _E]),
    ("cpr_reader_memory", c_int, [c_void_p, _N, _N, _E]),
    ("cpr_reader_cache", c_int, [c_void_p, _E]),
]
_SLOW: List[Tuple[str, Any, List[Any]]] = [
    ("cpr_archive_open", c_int, [c_char_p, POINTER(c_void_p), _E]),
    ("cpr_archive_open_unsealed", c_int, [c_char_p, POINTER(c_void_p), _E]),
    ("cpr_archive_close", None, [c_void_p]),
    ("cpr_archive_check_coded", c_int, [c_void_p, c_uint64, _E]),
    ("cpr_reader_open", c_int, [c_void_p, POINTER(c_void_p), _E]),
    ("cpr_reader_close", None, [c_void_p]),
    ("cpr_reader_set_cache", c_int, [c_void_p, c_char_p, c_uint64, _E]),
    ("cpr_reader_prime", c_int, [c_void_p, Watch, _E]),
    ("cpr_reader_copy", c_int, [c_void_p, POINTER(c_void_p), _E]),
    ("cpr_reader_load", c_int, [c_void_p, c_uint64, c_uint64, c_void_p, _E]),
    ("cpr_reader_load_documents", c_int,
     [c_void_p, c_uint64, c_uint64, POINTER(POINTER(Texts)), _E]),
    ("cpr_texts_free", None, [POINTER(Texts)]),
]


def _beside_package() -> Iterator[str]:
    """Where `cmake --install` has put the library, as it noted beside this file."""
    folder = os.path.dirname(os.path.abspath(__file__))
    try:
        with open(os.path.join(folder, "library.path"), encoding="utf-8") as note:
            yield os.path.normpath(os.path.join(folder, note.read().rstrip("\n")))
    except FileNotFoundError:
        pass


def _beside_command() -> Iterator[str]:
    """Beside the command `corpress`: in a build directory, or below the prefix it lies in."""
    command = shutil.which("corpress")
    if command is None:
        return
    folder = os.path.dirname(os.path.realpath(command))
    yield os.path.join(folder, SONAME)
    if os.path.basename(folder) == "bin":
        for place in ("lib", "lib64", os.path.join("lib", _multiarch())):
            yield os.path.join(os.path.dirname(folder), place, SONAME)


def _multiarch() -> str:
    import sysconfig
    return str(sysconfig.get_config_var("MULTIARCH") or "")


def _places() -> Iterator[Tuple[str, str]]:
    """Pairs: what to load, and how an error names it."""
    given = os.environ.get("CORPRESS_LIBRARY")
    if given:
        yield given, f"{given} ($CORPRESS_LIBRARY)"
        return
    for path in _beside_package():
        if os.path.exists(path):
            yield path, path
    yield SONAME, f"{SONAME} (where the dynamic linker looks)"
    found = ctypes.util.find_library("corpress")
    if found is not None and found != SONAME:
        yield found, found
    for path in _beside_command():
        if os.path.exists(path):
            yield path, path


class Library:
    """The functions of libcorpress, by their names without `cpr_`."""

    path: str

    def __init__(self, path: str) -> None:
        # Of both, the same functions: a CDLL releases the GIL around a call, a PyDLL does not.
        quick, slow = ctypes.PyDLL(path), ctypes.CDLL(path)
        self.path = path
        for library, functions in ((quick, _QUICK), (slow, _SLOW)):
            for name, result, arguments in functions:
                try:
                    function = getattr(library, name)
                except AttributeError:
                    raise ImportError(f"{path} is no libcorpress of version {VERSION}: "
                                      f"it has no {name}()") from None
                function.restype = result
                function.argtypes = arguments
                setattr(self, name[len("cpr_"):], function)
        version = self.version().decode()
        if version.split(".")[:2] != VERSION.split(".")[:2]:
            raise ImportError(f"{path} is libcorpress {version}, but this package needs {VERSION}")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def call(self, function: Any, *arguments: Any) -> None:
        """Calls what returns a status, with a cpr_error behind the arguments, and raises it."""
        text = ErrorText()
        status = function(*arguments, byref(text))
        if status != OK:
            raise errors.of_status(status, text.text.decode("utf-8", "replace"))


def _load() -> Library:
    tried = []
    for path, name in _places():
        try:
            return Library(path)
        except OSError as error:
            tried.append(f"  {name}: {error}")
    raise ImportError("there is no libcorpress. Looked for:\n" + "\n".join(tried) +
                      "\nSet CORPRESS_LIBRARY to the path of libcorpress.so, or install corpress "
                      "where the dynamic linker looks.")


lib = _load()
