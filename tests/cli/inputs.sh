# Every kind of content, and every kind of name.
check() {
    local name=$1 code=${2:-0}
    expect "$code" corpress compress -q -p fast "$name" -o "$name.h5" 2>said
    [ "$code" -eq 0 ] || grep -q '^corpress: warning: the corpus holds no bytes.* -L ' said
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
check empty 1
for name in empty_tree one_byte all_bytes zeros sparse long_line.jsonl names; do check "$name"; done
expect 0 corpress list names.h5
expect 0 corpress list --null names.h5 | tr '\0\n' '\n?' | sort >listed
(find names -print0 | tr '\0\n' '\n?' | sort) | cmp - listed
[ "$(stat -c %s zeros.h5)" -lt 30000 ] || fail "zeros take $(stat -c %s zeros.h5) bytes"

# Data that does not compress costs at most 0.1 %, and the tables.
noise 16777216 >noise
check noise
coded=$(corpress audit --format csv noise.h5 | awk -F, '$1 ~ /^[0-9]+$/ { sum += $3 } END { print sum }')
[ "$coded" -le 16793993 ] || fail "noise takes $coded bytes"

# JSON and CSV stay well-formed whatever the names, and say which bytes they are.
corpress audit --by file --format json names.h5 >names.json
corpress audit --by file --format csv names.h5 >names.csv
python3 - <<'END'
import csv, json, os, re
there = {os.fsencode(os.path.join("names", n)) for n in os.listdir("names")
         if not os.path.islink(os.path.join("names", n))}
rows = json.load(open("names.json", encoding="utf-8"))["rows"]
assert {bytes.fromhex(r["path_hex"]) if "path_hex" in r else r["path"].encode() for r in rows} == there
def exact(shown):
    byte = {b"n": b"\n", b"\\": b"\\"}
    return re.sub(rb"\\(n|\\|x..)", lambda m: byte.get(m[1]) or bytes.fromhex(m[1][1:].decode()), shown.encode())
with open("names.csv", encoding="utf-8", newline="") as f:
    assert {exact(r["path"]) for r in csv.DictReader(f)} == there
END

# What links lead to: not without -L, and with a warning; with it, but not in a circle.
mkdir -p hub/blobs hub/snapshot
text 5000 1 >hub/blobs/aa
ln -s ../blobs/aa hub/snapshot/part.jsonl
expect 1 corpress compress -q -p fast hub/snapshot -o links.h5 2>said
grep -q ' -L ' said || fail "$(cat said)"
ln -s snapshot hub/latest
cp hub/blobs/aa data
expect 1 corpress compress -q -p fast hub/latest data -o links.h5 --force 2>said
grep -q '"hub/latest" is a link.* -L ' said || fail "$(cat said)"
expect 0 corpress compress -q -p fast hub/latest hub/snapshot -o hub/blobs/links.h5 --dereference
corpress cat hub/blobs/links.h5 hub/latest/part.jsonl | cmp - data
corpress cat hub/blobs/links.h5 hub/snapshot/part.jsonl | cmp - data
ln -s .. hub/snapshot/up
ln -s ../blobs hub/snapshot/blobs
ln -s nothing hub/snapshot/broken
ln -s loop hub/snapshot/loop
# The archive, which is in the corpus by two paths, is not.
expect 1 corpress compress -q -p fast -L hub/latest -o hub/blobs/links.h5 --force 2>said
sort said | sed 's/^corpress: warning: //' | diff - <(cat <<'END'
kept as a link "hub/latest/broken": it leads nowhere (No such file or directory)
kept as a link "hub/latest/loop": it leads nowhere (Too many levels of symbolic links)
left out "hub/latest/up/latest": it leads back to "hub/latest"
left out "hub/latest/up/snapshot": it leads back to "hub/latest"
END
)
corpress list hub/blobs/links.h5 | sort | diff - <(printf 'hub/latest%s\n' '' /blobs /blobs/aa \
    /broken /loop /part.jsonl /up /up/blobs /up/blobs/aa | sort)
# Files of the kernel's say that they are empty.
expect 2 corpress compress -q -p fast /proc/self/status -o proc.h5 2>said
grep -q '"/proc/self/status" says that its size is 0' said
expect 2 corpress compress -q -p fast /proc/self/task -o proc.h5 2>said
nothing_left proc.h5
# One that says so and cannot be read is not an empty file, either.
echo text >beside
expect 2 corpress compress -q -p fast beside /proc/self/mem -o proc.h5 2>said
grep -q 'cannot read "/proc/self/mem": ' said || fail "$(cat said)"
expect 1 corpress compress -q -p fast --skip-unreadable beside /proc/self/mem -o proc.h5 2>said
[ "$(corpress list proc.h5)" = beside ] || fail "$(corpress list proc.h5)"
