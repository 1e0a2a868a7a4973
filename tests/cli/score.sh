# What texts cost under the model of an archive: `corpress score`.
mkdir corpus
text 1000000 1 >corpus/a
text 1300000 2 >corpus/b
noise 300000 3 >corpus/c
text 700000 4 >corpus/d

# losses ARCHIVE: what the archive says of its shards, in units of 2^-16 bit.
losses() {
    python3 -c 'import h5py, sys
for bits in h5py.File(sys.argv[1])["shards"]["loss_bits"]: print(round(bits * 65536))' "$1"
}
# units: those of the JSON rows, in the same units, of which 5 decimals are enough.
units() {
    python3 -c 'import json, sys
for row in json.load(sys.stdin)["rows"]: print(round(row["loss_bits"] * 65536))'
}
# The text of each shard costs what the archive says, to the last bit: texts begin alike whichever
# was scored before, and end alike.
check_shards() {
    local archive=$1 shards i files=()
    shards=$(losses "$archive" | wc -l)
    for ((i = 0; i < shards; i++)); do
        corpress cat "$archive" --shards "$i" >"shard$i"
        files+=("shard$i")
    done
    expect 0 corpress score "$archive" "${files[@]}" --json >out.json 2>said
    diff <(losses "$archive") <(units <out.json)
}
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o a.h5
check_shards a.h5
[ ! -s said ] || fail "$(cat said)"
# The audit shows the same, in whole bits.
diff <(corpress audit --format csv a.h5 | awk -F, '$1 ~ /^[0-9]+$/ { print $6 }') \
    <(python3 -c 'import json
for row in json.load(open("out.json"))["rows"]: print("%.0f" % row["loss_bits"])') ||
    fail "audit and score differ"
mkdir more
touch more/{1..256} # of so many files an archive has /shards
expect 0 corpress compress -q -p fast corpus/a more -o one.h5
check_shards one.h5
grep -q 'note: the archive has no primer' said || fail "$(cat said)"

# In any order, by any number of ranks, from a pipe: the same.
of() { awk -v path="$1" '$NF == path { $1 = ""; $NF = ""; print }' "$2"; }
expect 0 corpress score a.h5 corpus/d corpus/a >first
grep -Eq '^  total +1700000 ' first || fail "$(cat first)"
expect 0 ranks 2 corpress score a.h5 corpus/a corpus/c corpus/d >second
for file in corpus/a corpus/d; do diff <(of "$file" first) <(of "$file" second); done
expect 0 corpress score a.h5 <corpus/a >third
diff <(of corpus/a first) <(of - third)
expect 0 corpress score a.h5 - <corpus/a | cmp - third
cat corpus/a | expect 0 corpress score a.h5 --cache cache | cmp - third
expect 0 corpress score a.h5 --cache cache <corpus/a | cmp - third
# Noise goes past the model; an empty text costs nothing.
: >empty
expect 0 corpress score a.h5 corpus/c empty --format csv >out
[ "$(cut -d, -f3 <(sed -n 2p out))" -gt 280000 ] || fail "$(cat out)"
grep -q '^1,0,0,0,0,0.00000,,,empty$' out || fail "$(cat out)"

# Documents sum up to the text, whatever they are.
printf 'one\ntwo\n\nthree' >lines
head -c 200000 corpus/a >piece
for rule in line file 'separator:e' 'separator:\n\n'; do
    expect 0 corpress score a.h5 --by document --documents "$rule" lines piece --json >out.json
    python3 -c 'import json
out = json.load(open("out.json"))
rows = out["rows"]
for text, size in enumerate((14, 200000)):
    mine = [row for row in rows if row["text"] == text]
    assert [row["document"] for row in mine] == list(range(len(mine)))
    at = 0
    for row in mine:
        assert row["offset"] == at
        at += row["bytes"]
    assert at == size
assert len(rows) == out["total"]["documents"]
assert round(sum(row["loss_bits"] for row in rows) - out["total"]["loss_bits"], 2) == 0' ||
        fail "$rule: $(head -c 2000 out.json)"
    printf '%s %s\n' "$rule" "$(grep -c '"path": "lines"' out.json)"
done
expect 0 corpress score a.h5 --by document --documents line lines | awk '{ print $1, $2, $3, $4 }'
cp lines lines.jsonl
expect 0 corpress score a.h5 --by document lines.jsonl --format csv | cut -d, -f1-4
expect 0 corpress score a.h5 lines lines.jsonl --format csv | cut -d, -f5

# A text that is longer than shards is taken in shards.
cat corpus/d corpus/a >long
expect 0 corpress score a.h5 long --format csv >out
[ "$(cut -d, -f2 <(sed -n 2p out))" -eq 1700000 ] || fail "$(cat out)"

# With a network that was taught before, and with one that learns while it codes.
head -c 300000 corpus/a >small
expect 0 corpress compress -q -p strong --lesson-bytes 64K small more -o strong.h5
check_shards strong.h5
head -c 30000 corpus/a >small
expect 0 corpress compress -q -p neural --no-lesson small more -o neural.h5
check_shards neural.h5
python3 -c 'import json
assert json.load(open("out.json"))["total"]["network"] > 0'

# What is wrong is told, all of it, and nothing else is done.
expect 3 corpress score
expect 3 corpress score a.h5 - - </dev/null
expect 3 corpress score a.h5 --by shard corpus/a
expect 3 corpress score a.h5 --documents word corpus/a >out
[ ! -s out ] || fail "$(cat out)"
expect 2 corpress score a.h5 corpus/a nothing corpus none >out
[ ! -s out ] || fail "$(cat out)"
expect 2 corpress score none.h5 corpus/a
expect 2 corpress score lines corpus/a
expect 3 corpress score a.h5 empty >out
expect 3 corpress score a.h5 --by document </dev/null
expect 2 corpress score a.h5 corpus/a >/dev/full
cp a.h5 damaged.h5
flip damaged.h5 $(($(bitstream_offset a.h5) + 1000))
expect 4 corpress score damaged.h5 corpus/a
