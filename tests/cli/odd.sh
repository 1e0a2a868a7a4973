# audit --odd: files that are unlike the rest, by name.
export LC_ALL=C.UTF-8
python3 - <<'END'
import os, random
dice = random.Random(4)

# Languages of this test: each has words of its own, some of them short and frequent.
def language(letters):
    return ["".join(dice.choice(letters) for _ in range(1 + n // 30 + dice.randrange(4)))
            for n in range(300)]

def text(words, count):
    return " ".join(words[min(int(dice.expovariate(0.02)), 299)] for _ in range(count)) + "\n"

one, other = language("abcdefghiklmnorstu"), language("etaoinyzxwvqpjk")
names = ["it's \"<b>&", "a\nb", "\x1b[31m", "back\\slash", "öß"] + ["plain%02d" % n for n in range(25)]
os.makedirs("corpus")
os.makedirs("two")

def put(name, data, folder="corpus"):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())

texts = {name: text(one, 500) for name in names}
for name in names:
    put(name, texts[name])
put("x-copy 'of' \"it\"\n", texts["it's \"<b>&"])
put("x-part", text(one, 100) + texts["plain03"][:2000])
head, tail = text(one, 300), text(one, 200)
for n in range(5):
    put("y-page%d" % n, head + text(one, 40) + tail)
put("y-again", text(one, 100) * 12)
accents = text([word.replace("a", "é").replace("o", "ü") for word in one], 500)
put("m-twice", accents.encode().decode("cp1252", "replace"))
put("m-latin", accents.encode("latin-1"))
put("m-wide", text(one, 500).encode("utf-16"))
put("m-lost", accents.replace("é", "\ufffd"))
put("b-noise", dice.randbytes(4000))
put("b-records", b"".join(word.encode() + bytes(3) for word in one))
put("l-other", text(other, 500))
put("l-greek", "".join(chr(ord(c) + 0x350) if c.isalpha() else c for c in text(one, 500)))
put("empty", b"")
put("short", b"a")

# 30 % of another language are no oddity.
for n in range(40):
    put("t%02d" % n, text(other if n % 10 < 3 else one, 300), "two")
END
expect 0 corpress compress -q -p fast corpus -o odd.h5
expect 0 corpress audit -q --odd --json odd.h5 >found.json 2>said
grep -q 'looked at 47 of 47 files' said || fail "$(cat said)"
expect 0 corpress audit -q --odd odd.h5 >table 2>/dev/null
expect 0 corpress audit -q --odd --format csv odd.h5 >found.csv 2>/dev/null
python3 - <<'END'
import csv, json
want = {"near-copy": {"x-copy 'of' \"it\"\n": "it's \"<b>&", "x-part": "plain03"},
        "boilerplate": dict.fromkeys(["y-again"] + ["y-page%d" % n for n in range(5)]),
        "mojibake": dict.fromkeys(["m-twice", "m-latin", "m-wide", "m-lost"]),
        "binary": dict.fromkeys(["b-noise", "b-records"]),
        "language": dict.fromkeys(["l-other", "l-greek"])}
with open("found.json") as file:
    found = json.load(file)
for kind, names in want.items():
    rows = {row["path"][len("corpus/"):]: row for row in found["rows"] if row["kind"] == kind}
    assert rows.keys() == names.keys(), (kind, rows)
    assert found["found"][kind]["files"] == len(names)
    for name, other in names.items():
        assert rows[name]["figure"] >= rows[name]["limit"] > 0, rows[name]
        if other is not None:
            assert rows[name]["other"] == "corpus/" + other, rows[name]
assert found["looked_at"]["files"] == 47
with open("found.csv", newline="") as file:
    rows = list(csv.DictReader(file))
assert len(rows) == len(found["rows"]) == 16
assert [row["kind"] for row in rows] == [row["kind"] for row in found["rows"]]
with open("table") as file:
    lines = file.read().split("\n")
assert len(lines) == 18, lines  # a head, a row each, and nothing behind them
END
if LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f]' table found.csv; then fail "a control character"; fi

# With ranks it is the same.
expect 0 ranks 2 corpress audit -q --odd --json odd.h5 2>/dev/null | cmp - found.json

expect 0 corpress compress -q -p fast two -o two.h5
expect 0 corpress audit -q --odd --format csv two.h5 >found.csv 2>/dev/null
if grep language found.csv; then fail "a third of the corpus is odd"; fi

# Of a large archive some shards are looked at; what noise costs is known of all.
mkdir large
for n in 1 2 3 4; do text 900000 "$n" >"large/$n"; done
noise 5000 >large/noise
expect 0 corpress compress -q -p fast --shard-size 1M large -o large.h5
expect 0 corpress audit -q --odd --sample-bytes 64K large.h5 >found 2>said
grep -Eq 'looked at [12] of 5 files' said || fail "$(cat said)"
grep -Eq '^ +binary .*large/noise' found || fail "$(cat found)"

# Damage is told; the rest is looked at.
cp large.h5 bad.h5
offset=$(bitstream_offset bad.h5)
first=$(corpress list --shards bad.h5 | awk '$1 == "primer" || $1 == "0" { n += $4 } END { print n }')
flip bad.h5 $((offset + first + 1000))
expect 4 corpress audit -q --odd bad.h5 >found 2>said
grep -q 'shard 1' said || fail "$(cat said)"
grep -Eq '^ +binary .*large/noise' found || fail "$(cat found)"

# What is left of a file on both sides of the damage is one text.
text 2700000 5 >span
expect 0 corpress compress -q -p fast --shard-size 1M span -o span.h5
chmod u+w span.h5
offset=$(bitstream_offset span.h5)
first=$(corpress list --shards span.h5 | awk '$1 == "0" { print $4 }')
flip span.h5 $((offset + first + 1000))
expect 4 corpress audit -q --odd span.h5 >found 2>said
grep -q 'looked at 1 of 1 files.* in 2 of 3 shards' said || fail "$(cat said)"

# An archive without files with bytes; options that do not go together.
mkdir none && : >none/empty
expect 1 corpress compress -q -p fast none -o none.h5 2>/dev/null
expect 0 corpress audit -q --odd --json none.h5 2>/dev/null | python3 -m json.tool >/dev/null
expect 3 corpress audit --odd --by file odd.h5 2>/dev/null
expect 3 corpress audit --sample-bytes 1M odd.h5 2>/dev/null
