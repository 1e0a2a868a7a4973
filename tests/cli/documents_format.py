"""documents_format.py ARCHIVE FILE...: the counts of documents are those that FORMAT.md, section 8,
asks for. FILE...: the regular files of the archive, in their order."""
import sys

import h5py

archive = h5py.File(sys.argv[1], "r")
texts = []
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        texts.append(file.read())
modes = archive["files/mode"][:]
rules = [int(rule) for rule, mode in zip(archive["documents/rules"][:], modes)
         if mode & 0o170000 == 0o100000]
separator = b""
if "separator" in archive["documents"]:
    separator = bytes(archive["documents/separator"][:])
assert len(rules) == len(texts)

# Where documents begin in files of rules 1 and 2, and the separator's state in front of a byte.
starts = []
offset = 0
for rule, text in zip(rules, texts):
    ending = {0: None, 1: b"\n", 2: separator}[rule]
    for at in range(len(text)):
        if ending and (at == 0 or text.endswith(ending, 0, at)):
            starts.append(offset + at)
    offset += len(text)


def state(place):
    begin = 0
    for rule, text in zip(rules, texts):
        if begin < place < begin + len(text) and rule:
            ending = b"\n" if rule == 1 else separator
            before = text[:place - begin]
            return max(n for n in range(len(ending) + 1) if before.endswith(ending[:n]))
        begin += len(text)
    return 0


shards = [(int(row["raw_offset"]), int(row["raw_bytes"])) for row in archive["shards"][:]]
assert [state(begin) for begin, _ in shards] == [int(s) for s in archive["documents/states"][:]]

# The segments.
edges = set()
begin = 0
for rule, text in zip(rules, texts):
    end = begin + len(text)
    for first, size in shards:
        low, high = max(begin, first), min(end, first + size)
        if rule and low < high:
            cuts = {low, high} | {cut for cut in range(first, high, 65536) if low < cut}
            edges.update((shards.index((first, size)), a, b)
                         for a, b in zip(sorted(cuts), sorted(cuts)[1:]))
    begin = end
packed = bytearray()


def put(number):
    while number > 127:
        packed.append(number & 127 | 128)
        number >>= 7
    packed.append(number)


empty = 0
last = 0
position = 0
for shard, low, high in sorted(edges) + [(len(shards), 0, 0)]:
    found = 0
    while position < len(starts) and starts[position] < high:
        found += 1
        position += 1
    if empty and (found or shard != last):
        put(2 * (empty - 1) + 1)
        empty = 0
    if found:
        put(2 * (found - 1))
    elif shard < len(shards):
        empty += 1
    last = shard
assert bytes(packed) == archive["documents/counts"][:].tobytes(), "the counts differ"
