# Every kind of content, and every kind of name.
check() {
    local name=$1
    expect 0 corpress compress -q -p fast "$name" -o "$name.h5"
    expect 0 corpress extract -q "$name.h5" -C "out-$name"
    same_tree "$name" "out-$name/$name"
}

: >empty
mkdir -p empty_tree/a/b empty_tree/c
printf x >one_byte
python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)))' >all_bytes
head -c 4194304 /dev/zero >zeros
truncate -s 3M sparse
printf middle | dd of=sparse bs=1 seek=1500000 conv=notrunc status=none
python3 -c 'print("{\"text\": \"" + "a long line with \\u00e4 and more; " * 60000 + "\"}")' >long_line.jsonl
mkdir names
printf 1 >names/$'new\nline'
printf 2 >names/$'latin\xe41'
printf 3 >names/$'\xff\xfe'
printf 4 >'names/ space '
printf 5 >names/-dash
printf 6 >'names/"quote",comma\'
ln -s $'to\nnowhere' names/broken
ln -s . names/self
for name in empty empty_tree one_byte all_bytes zeros sparse long_line.jsonl names; do check "$name"; done
expect 0 corpress list names.h5
expect 0 corpress list --null names.h5 | tr '\0\n' '\n?' | sort >listed
(find names -print0 | tr '\0\n' '\n?' | sort) | cmp - listed
[ "$(stat -c %s zeros.h5)" -lt 30000 ] || fail "zeros take $(stat -c %s zeros.h5) bytes"

# Data that does not compress costs at most 0.1 %, and the tables.
noise 16777216 >noise
check noise
coded=$(corpress audit --format csv noise.h5 | awk -F, '$1 ~ /^[0-9]+$/ { sum += $3 } END { print sum }')
[ "$coded" -le 16793993 ] || fail "noise takes $coded bytes"

# JSON and CSV stay well-formed whatever the names, and give the exact bytes.
corpress audit --by file --format json names.h5 >names.json
corpress audit --by file --format csv names.h5 >names.csv
python3 - <<'END'
import csv, json, os
there = {os.fsencode(os.path.join("names", n)) for n in os.listdir("names")
         if not os.path.islink(os.path.join("names", n))}
rows = json.load(open("names.json", encoding="utf-8"))["rows"]
assert {bytes.fromhex(r["path_hex"]) if "path_hex" in r else r["path"].encode() for r in rows} == there
with open("names.csv", encoding="utf-8", errors="surrogateescape", newline="") as f:
    assert {r["path"].encode("utf-8", "surrogateescape") for r in csv.DictReader(f)} == there
END
