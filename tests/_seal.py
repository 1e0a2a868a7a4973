"""_seal.py ARCHIVE: makes the seal of an archive right again that h5py has changed; a module of that
name does the same. FORMAT.md describes the seal."""
import ctypes
import struct
import sys

import h5py

SEAL_BYTES = 512
library = ctypes.CDLL("libxxhash.so.0")


class Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


library.XXH3_128bits.restype = Hash128
library.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
library.XXH3_64bits.restype = ctypes.c_uint64
library.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def seal(path):
    with h5py.File(path, "r") as archive:
        bits = archive["bitstream"]
        bits_bytes = bits.shape[0]
        bits_at = bits.id.get_offset() if bits_bytes else SEAL_BYTES
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        tables = bytes(data[SEAL_BYTES:bits_at] + data[bits_at + bits_bytes:])
        struct.pack_into("<QQQ", data, 24, len(data), bits_at, bits_bytes)
        tables_hash = library.XXH3_128bits(tables, len(tables))
        struct.pack_into(">QQ", data, 48, tables_hash.high, tables_hash.low)
        struct.pack_into("<Q", data, 504, library.XXH3_64bits(bytes(data[:504]), 504))
        file.seek(0)
        file.write(data[:SEAL_BYTES])


if __name__ == "__main__":
    seal(sys.argv[1])
