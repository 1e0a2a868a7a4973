#!/usr/bin/env python3
"""make_inputs.py: writes the inputs from which the fuzz targets start, into the folders beside it.

The bitstreams for fuzz_shard_decode cannot be made here: any bytes are one.
"""
import bz2
import gzip
import io
import lzma
import pathlib
import random
import struct
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
random.seed(1)
TEXT = (b"The shard of the corpus: 1998, the ranks of the job.\n\tx += 1;\r\n"
        b"\xc3\xa4\xc3\xb6 \xe6\x96\x87\xe5\xad\x97 <code>if (a < b) return;</code>\n") * 3


def put(target, name, data):
    folder = HERE / target
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)


def vocabulary(words):
    """A packed vocabulary of the single bytes and of some words (model/vocabulary_pack.c)."""
    tokens = sorted({bytes([b]) for b in range(256)} | set(words))
    shared, further, weights, text = bytearray(), bytearray(), bytearray(), bytearray()
    before = b""
    for number, token in enumerate(tokens):
        common = 0
        while common < min(len(before), len(token)) and before[common] == token[common]:
            common += 1
        shared.append(common)
        further.append(len(token) - common)
        weights.append(number % 40)
        text += token[common:]
        before = token
    return struct.pack("<I", len(tokens)) + shared + further + weights + text


def file_list(files):
    """A packed list (shard/corpus/file_list.c): entries of 44 bytes, then paths and link targets."""
    entries, paths = b"", b""
    for source, skip, kind, size, target in files:
        entries += struct.pack("<QQqIIIII", len(paths), size, 1000000000, 5, skip, 0o644, kind, 0)
        paths += source + b"\0" + (target + b"\0" if kind == 2 else b"")
    return struct.pack("<QQ", len(files), len(paths)) + entries + paths


put("fuzz_round_trip", "text", b"\x06\x00" + TEXT)
put("fuzz_round_trip", "bytes", b"\xff\x00" + bytes(range(256)))
put("fuzz_round_trip", "noise", b"\x63\x00" + random.randbytes(1500))
put("fuzz_round_trip", "block_edge", b"\xff\xff" + TEXT[:200])
put("fuzz_round_trip", "empty", b"\x00\x00")

put("fuzz_shard_decode", "noise", b"\x00\x02\x40\x10" + random.randbytes(300))
put("fuzz_shard_decode", "zeros", b"\xff\x03\x40\x10" + bytes(40))
put("fuzz_shard_decode", "ones", b"\xff\x03\x00\x10" + b"\xff" * 200)
put("fuzz_shard_decode", "cut_off", b"\x00\x03\x00\x10\x55")
put("fuzz_shard_decode", "block_edge", b"\xff\xff\xff\x10" + random.randbytes(400))

put("fuzz_vocabulary", "bytes", vocabulary([]))
put("fuzz_vocabulary", "words", vocabulary(
    [b"the", b"then", b"the" * 10, b"x" * 32, b"  ", b"\n\n", b"\x00\x00", b"\xff\xff\xff"]))

put("fuzz_file_list", "empty", file_list([]))
put("fuzz_file_list", "three", file_list([
    (b"/srv/a", 1, 1, 0, b""), (b"/srv/a/file", 1, 0, 1234, b""),
    (b"/srv/a/link\n\xff", 1, 2, 0, b"file")]))
put("fuzz_file_list", "twice", file_list([(b"a/b", 0, 0, 7, b""), (b"a/b", 0, 0, 7, b"")]))

def change(kind, file, at, count, data=b""):
    """One change of fuzz_edit.h."""
    return struct.pack("<BHB", kind | file << 3, at, count) + data


TEXT_IN_PLACE, PUT_IN, CUT_OUT, CUT_OFF, ADD, REPEAT, OVERWRITE = range(7)

put("fuzz_text", "plain", b"\x10some/path, \"quoted\"")
put("fuzz_text", "controls", b"\x08a\x1b[31m\r\n\x7f\xc2\x9b\xff\xfe \\ \xe2\x80\xae\xf0\x9f\x98\x80")
put("fuzz_text", "long", b"\xff" + b"p\xc3\xa4/" * 40)

for name, text in {"size": b"64MiB", "seconds": b"10m", "shards": b"3,7-9,0", "path": b".//./a/b/",
                   "large": b"18446744073709551615", "unsafe": b"a/../b", "range": b"3-17",
                   "pattern": b"**/a[!b-\\xff[:digit:]]*/?\\*"}.items():
    put("fuzz_options", name, b"\x0a" + text)

put("fuzz_names", "lines", b"\x00a\nb/d\n\nl\n")
put("fuzz_names", "nul", b"\x01b\0l\0a\r\0")
put("fuzz_names", "windows", b"\x02\xef\xbb\xbfa\r\nb\r\npipe\r\n")

put("fuzz_work", "sound", b"\x00")
put("fuzz_work", "held", b"\x02")
put("fuzz_work", "table", b"\x06")
put("fuzz_work", "manifest", b"\x01" + change(OVERWRITE, 0, 72, 8, bytes([3] + 7 * [0])))
put("fuzz_work", "starts", b"\x03" + change(ADD, 0, 370, 200))
put("fuzz_work", "shard", b"\x01" + change(ADD, 1, 40, 255) + change(CUT_OFF, 3, 100, 0))
put("fuzz_work", "lock", b"\x02" + change(TEXT_IN_PLACE, 4, 0, 0, b"host \x1b[31m\npid -5\njob 1\n"))
put("fuzz_work", "progress", b"\x03" + change(
    TEXT_IN_PLACE, 5, 0, 0, b"corpress progress 1\nseconds 1e-300\nraw 200\nearlier 0\ncoded 9\n"
    b"ranks 2\nrank 0 \xff 1 999 0 0 5 inf\n"))

put("fuzz_work", "weights", b"\x01" + change(ADD, 7, 40, 3) + change(CUT_OFF, 8, 60, 0))
put("fuzz_work", "lesson", b"\x05" + change(CUT_OFF, 7, 90, 0) + change(ADD, 8, 24, 255))

put("fuzz_weights", "empty", bytes(24))
put("fuzz_weights", "zeros", struct.pack("<I", 1000) + bytes(40))
put("fuzz_weights", "noise", struct.pack("<I", 300) + bytes(20) + random.randbytes(300))
put("fuzz_weights", "large", struct.pack("<I", 1 << 28) + bytes(60))
put("fuzz_weights", "packed", bytes([100, 110, 120]) + bytes(range(1, 100)))

put("fuzz_beside", "sound", b"")
put("fuzz_beside", "log", change(PUT_IN, 0, 0, 60, b'{"event":"shard","shard":9,"lz4_bytes":-1,"raw_xxh3":"00"}\n\n\n'))
put("fuzz_beside", "state", change(CUT_OUT, 1, 60, 5) + change(REPEAT, 1, 70, 2, b"1"))

put("fuzz_output", "plain", bytes([0, 3, 0, 0, 1, 0, 1, 0, 1, 0, 100, 0, 1, 0, 2, 2, 3, 0, 9]))
put("fuzz_output", "links", bytes([1, 3, 0, 0, 2, 0, 1, 0, 1, 0, 100, 0, 1, 0, 8, 0, 40, 0, 1, 0, 0, 9]))
put("fuzz_output", "up", bytes([3, 2, 1, 6, 0, 0, 50, 0, 1, 7, 0, 0, 50, 0, 2, 0, 1, 1, 2, 20]))
put("fuzz_output", "bad", bytes([12, 3, 0, 0, 0, 200, 0, 0, 1, 0, 200, 0, 0, 2, 0x80, 200, 0, 0, 20, 50, 1]))

put("fuzz_snapshot", "sound", b"\x00")
put("fuzz_snapshot", "marks", b"\x01" + change(ADD, 0, 32, 1))
put("fuzz_snapshot", "part", b"\x00" + change(ADD, 0, 300, 1))
put("fuzz_snapshot", "cut_off", b"\x01" + change(CUT_OFF, 0, 2000, 0))

PACKED, UNSEALED, MEND, SEAL, BYTES, WHOLE, RECORD = 1, 2, 4, 8, 16, 32, 64
NEW_TABLE, NEW_ATTRIBUTE, NEW_LINK, OTHERS, NUMBER, TABLE = range(6)
put("fuzz_archive", "sound", b"\0")
put("fuzz_archive", "packed", bytes([PACKED]))
put("fuzz_archive", "record", bytes([RECORD]))
put("fuzz_archive", "record_altered", bytes([RECORD, TABLE, 0, 0, 0, 8] + 8 * [0] + [TABLE, 0, 0, 4, 1, 3]))
put("fuzz_archive", "record_replaced", bytes([RECORD, NEW_ATTRIBUTE, 0, 3, 6]))
put("fuzz_archive", "record_unsealed", bytes([RECORD | BYTES | MEND | UNSEALED]) + change(ADD, 0, 700, 1))
put("fuzz_archive", "tables", bytes([0] + [b for t in range(12) for b in (TABLE, t, 0, 0, 8) + 8 * (0,)]))
put("fuzz_archive", "numbers", bytes([0] + [b for t in range(8) for b in (NUMBER, t, 8) + 8 * (0,)]))
put("fuzz_archive", "external", bytes([0, NEW_TABLE, 5, 15, 6, 1, 0]))
put("fuzz_archive", "virtual", bytes([PACKED, NEW_TABLE, 0, 15, 6, 2, 0, NEW_TABLE, 9, 0, 6, 10, 0]))
put("fuzz_archive", "chunks", bytes([PACKED, NEW_TABLE, 1, 15, 6, 3, 2, 131, 0]))
put("fuzz_archive", "attributes", bytes([0, NEW_ATTRIBUTE, 0, 3, 6, NEW_ATTRIBUTE, 6, 10, 0]))
put("fuzz_archive", "links", bytes([0, NEW_LINK, 3, 0, NEW_LINK, 5, 12, NEW_LINK | 8, 0, 3]))
put("fuzz_archive", "others", bytes([UNSEALED, OTHERS, 0, 161, OTHERS, 0, 164]))
put("fuzz_archive", "bytes", bytes([BYTES]) + change(ADD, 0, 700, 1))
put("fuzz_archive", "mended", bytes([BYTES | SEAL | MEND]) + change(ADD, 0, 700, 1))
put("fuzz_archive", "mended_packed", bytes([BYTES | SEAL | MEND | PACKED]) + change(ADD, 0, 900, 1))
put("fuzz_archive", "mended_unsealed", bytes([BYTES | MEND | UNSEALED]) + change(ADD, 0, 600, 1))
put("fuzz_archive", "seal", bytes([WHOLE]) + b"corpress archive\r\n\x1a\x00" + bytes(492))
put("fuzz_archive", "hdf5", bytes([WHOLE | UNSEALED]) + b"\x89HDF\r\n\x1a\n" + bytes(2040))

def tar_of(kind, first=0x80, **more):
    """A tar of Python's, cut as the first byte says (fuzz_tar.c), without most of its end."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=kind, **more) as tar:
        for name, flag, link in [("a/b", "0", ""), ("a", "5", ""), ("n" * 140, "0", ""),
                                 ("l", "2", "t" * 120), ("h", "1", "a/b"), ("pipe", "6", ""),
                                 ("/./c//d", "7", ""), ("../e", "0", ""), ("old/", "0", "")]:
            item = tarfile.TarInfo(name)
            item.type, item.linkname, item.mtime = flag.encode(), link, 1000
            if kind == tarfile.PAX_FORMAT:
                item.mtime = -1.25
            item.size = 5 if name[0] in "an" and flag == "0" else 0
            try:
                tar.addfile(item, io.BytesIO(b"text\n"))
            except ValueError:  # too long for ustar
                pass
    return bytes([first]) + held.getvalue().rstrip(b"\0") + bytes(1100)


def tar_header(flag, name=b"name", size=b"00000000005\0", magic=b"ustar\00000", changes=()):
    block = bytearray(512)
    for at, field in [(0, name), (100, b"0000644\0"), (124, size), (136, b"00000001750\0"),
                      (156, flag), (257, magic), *changes]:
        block[at:at + len(field)] = field
    block[148:156] = b" " * 8
    block[148:155] = b"%06o\0" % sum(block)
    return bytes(block)


def tar_blocks(data):
    return data + bytes(-len(data) % 512)


put("fuzz_tar", "ustar", tar_of(tarfile.USTAR_FORMAT))
put("fuzz_tar", "gnu", tar_of(tarfile.GNU_FORMAT, 0xc3))
put("fuzz_tar", "pax", tar_of(tarfile.PAX_FORMAT, 0x9f, pax_headers={"comment": "x", "mtime": "5"}))
put("fuzz_tar", "v7", b"\x01" + tar_header(b"0", magic=b"") + tar_blocks(b"text\n"))
put("fuzz_tar", "sparse", b"\x87" + tar_header(b"S", magic=b"ustar  ", changes=[(482, b"\1")]) +
    tar_blocks(bytes(504) + b"\1") + tar_blocks(b"") + bytes(512) + tar_blocks(b"text\n") +
    tar_header(b"0") + tar_blocks(b"text\n"))
put("fuzz_tar", "numbers", b"\x80" + tar_header(b"0", size=b"\x80" + bytes(10) + b"\x05") +
    tar_blocks(b"text\n") + tar_header(b"0", size=b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7))
RECORDS = b"22 GNU.sparse.major=1\n11 size=10\n14 path=a/../b\n13 mtime=1.5\n"
put("fuzz_tar", "records", b"\x90" + tar_header(b"g", size=b"%011o\0" % 14) +
    tar_blocks(b"14 linkpath=x\n") + tar_header(b"x", size=b"%011o\0" % len(RECORDS)) +
    tar_blocks(RECORDS) + tar_header(b"0") + tar_blocks(b"ten bytes!") + tar_header(b"2"))
put("fuzz_tar", "garbage", b"\x05" + random.randbytes(600))


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def fields(*given):
    """A struct of Thrift's compact protocol: (id, number), (id, bytes), (id, [struct]), (id, dict)."""
    out, last = b"", 0
    for number, value in given:
        kind = {int: 6, bytes: 8, list: 9, dict: 12}[type(value)]
        out += bytes([number - last << 4 | kind])
        last = number
        if kind == 6:
            out += varint(2 * value)
        elif kind == 8:
            out += varint(len(value)) + value
        elif kind == 9:
            out += bytes([len(value) << 4 | 12]) + b"".join(value)
        else:
            out += fields(*value.items())
    return out + b"\0"


def strings(*texts):
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def page(kind, encoding, count, levels, data):
    """Of version 1 (0) or 2 (3), or a dictionary (2)."""
    body = levels + data
    head = {1: count, 2: encoding, 3: 3, 4: 3}
    if kind == 3:
        head = {1: count, 2: 1, 3: count, 4: encoding, 5: len(levels), 6: 0}
    where = {0: 5, 2: 7, 3: 8}[kind]
    return fields((1, kind), (2, len(body)), (3, len(body)), (where, head)) + body


def parquet(*groups):
    """Each of three rows, the first one a null, in a column that is optional."""
    file, rows = b"PAR1", []
    for pages in groups:
        chunk = {3: {1: 6, 4: 0, 5: 3, 7: len(b"".join(pages)), 9: len(file)}}
        rows.append(fields((1, [fields(*chunk.items())]), (3, 3)))
        file += b"".join(pages)
    schema = [fields((4, b"root"), (5, 1)), fields((1, 6), (3, 1), (4, b"text"))]
    footer = fields((2, schema), (3, 3 * len(groups)), (4, rows))
    return file + footer + struct.pack("<I", len(footer)) + b"PAR1"


LEVELS = b"\x03\x06"  # eight numbers of one bit: 0, 1, 1
LEVELS_V1 = struct.pack("<I", len(LEVELS)) + LEVELS
ONE_LENGTH = b"\x80\x01\x04\x02"  # blocks of 128 in four parts, two numbers
PLAIN = page(0, 0, 3, LEVELS_V1, strings(b"a \"text\"", b"another\n"))
PLACES = [page(2, 0, 2, b"", strings(b"red", b"green")), page(0, 8, 3, LEVELS_V1, b"\x01\x03\x02")]
LENGTHS = page(3, 6, 3, LEVELS, ONE_LENGTH + b"\x06" + b"\x04\0\0\0\0" + b"redgreen")
ENDINGS = page(3, 7, 3, LEVELS, ONE_LENGTH + b"\0" + b"\x06\0\0\0\0" + ONE_LENGTH + b"\x06" +
               b"\x03\0\0\0\0" + b"redd")
put("fuzz_parquet", "plain", parquet([PLAIN], [PLAIN]))
put("fuzz_parquet", "dictionary", parquet(PLACES))
put("fuzz_parquet", "lengths", parquet([LENGTHS]))
put("fuzz_parquet", "endings", parquet([ENDINGS], PLACES))

# A kind of compressed file, or 6: records, or 7: origins (fuzz_inputs.c).
put("fuzz_inputs", "gzip", b"\x01" + gzip.compress(TEXT, mtime=0) + gzip.compress(b"", mtime=0) + bytes(9))
put("fuzz_inputs", "xz", b"\x03" + lzma.compress(TEXT, preset=0) + lzma.compress(b"more", preset=0) + bytes(4))
put("fuzz_inputs", "bzip2", b"\x04" + bz2.compress(TEXT) + bz2.compress(b"more"))
# A frame with a raw, a repeated and an empty last block; a frame that is skipped; and a part of one.
put("fuzz_inputs", "zstd", b"\x02" + bytes.fromhex(
    "28b52ffd0050" "280000" "68656c6c6f" "02100061" "010000" "5a2a4d180200000061" "62"
    "28b52ffd0050" "290000" "776f726c64" "28b52ffd00a8" "290000"))
put("fuzz_inputs", "lz4", b"\x05" + bytes.fromhex(
    "04224d18604082" "05000080" "68656c6c6f" "00000000" "552a4d180100000061"
    "04224d18604082" "0b000000" "1f6101000050" "6162636465" "00000000"))


def input_record(name, members=b"", count=0, points=b"", note=b""):
    """A record (shard/inputs/input_records.c)."""
    rest = name + b"\0" + members + points + note + b"\0"
    return struct.pack("<QI", 120 + len(rest), len(name)) + struct.pack(
        "<QqIIQ40xIIQQQI", 100, 5, 6, 7, 1000, 2, 1, len(points) // 16, count, len(members),
        len(note)) + rest


MEMBERS = struct.pack("<QQqII", 5, 512, 3, 4, 0o644) + b"a/b\0\0" + struct.pack(
    "<QQqII", 0, 0, 3, 4, 0o777 | 2 << 16) + b"l\0a\0"
put("fuzz_inputs", "records", b"\x06" + input_record(b"a") + input_record(
    b"t.tar", MEMBERS, 2, struct.pack("<4Q", 1, 2, 3, 4), b"a note"))


def origin(first, files, kind, points):
    return struct.pack("<QQIQQ16sQQQQ", 0, 2, kind, 100, 1000, bytes(16), first, files, 0, points)


put("fuzz_inputs", "origins", b"\x07" + struct.pack("<QQQQ", 2, 2, 1, 5) + origin(0, 1, 1, 1) +
    origin(1, 3, 256, 0) + struct.pack("<QQIIQQII", 0, 0, 0, 0, 3, 0, 1, 1) +
    struct.pack("<QQ", 50, 500) + b"a\0bc\0")
