# Parts of files: bytes and lines, of a file that begins in one shard and ends in another.
mkdir corpus
text 300000 1 >corpus/a
text 2000000 2 >corpus/b
printf 'first\nsecond\nno end' >corpus/c
: >corpus/d
text 400000 3 >corpus/e
printf '\n\n\n' >corpus/f
expect 0 corpress compress -q -p fast --shard-size 1M --no-primer corpus -o a.h5
[ "$(corpress list -l a.h5 corpus/b | awk '{ print $5 }')" = 0-2 ] || fail "$(corpress list -l a.h5)"

# part OFFSET BYTES: "" for an option that is not given. Python says what there should be.
part() {
    local words=()
    [ -z "$1" ] || words+=(--offset "$1")
    [ -z "$2" ] || words+=("--bytes=$2")
    expect 0 corpress cat a.h5 corpus/b "${words[@]}" >got
    python3 - "$1" "$2" <<'END'
import sys
def size(text):
    unit = {"K": 1 << 10, "M": 1 << 20}.get(text[-1:], 1)
    return int(text.rstrip("KM")) * unit
data = open("corpus/b", "rb").read()
offset, count = (size(text) if text else None for text in sys.argv[1:])
rest = data[offset:] if offset is not None else data
assert open("got", "rb").read() == (rest if count is None else rest[:count]), sys.argv
END
}
part 0 3M
part 1 0
part 740000 1000
part 590000 1M
part 1M ""
part 1M 1K
part 1999999 ""
part 2000000 ""
part -3K 1K
part -3M 10
part "" 5
expect 2 corpress cat a.h5 corpus/b --offset 2000001
expect 2 corpress cat a.h5 corpus/d --offset 1
for offset in 0 -1; do expect 0 corpress cat a.h5 corpus/d --offset "$offset"; done
expect 0 corpress cat a.h5 'c*/c' --offset 6 --bytes 6
expect 3 corpress cat a.h5 corpus/c corpus/d --offset 1
expect 3 corpress cat a.h5 'corpus/*' --bytes 1
expect 0 corpress cat a.h5 'corpus/*' --bytes 1 --exclude '[!c]' --exclude corpus/d && echo
expect 2 corpress cat a.h5 corpus/absent --bytes 1

# lines A-B FILE...: as sed has them.
lines() {
    local wanted=$1 script
    shift
    case $wanted in
    -*) script="1,${wanted#-}p" ;;
    *-) script="${wanted%-},\$p" ;;
    *) script="${wanted/-/,}p" ;;
    esac
    expect 0 corpress cat a.h5 "$@" --lines "$wanted" >got
    sed -s -n "$script" "$@" | cmp - got || fail "--lines $wanted $*"
}
many=$(wc -l <corpus/b)
lines 1 corpus/a corpus/b corpus/c corpus/d corpus/e corpus/f
lines 2-3 corpus/e corpus/c corpus/b corpus/c
lines 10000-10100 corpus/b
lines -5 corpus/b corpus/e
lines $((many - 1))- corpus/b corpus/c corpus/e
lines $((many + 1)) corpus/b
expect 0 corpress cat a.h5 corpus/c corpus/f corpus/c --lines 2-3
echo

# What is not wanted is not decoded: damage in the last shard, seen by its checksum, stops only what
# comes to it.
last=$(corpress list --shards a.h5 | awk 'END { print $1 }')
offset=$(python3 -c 'import h5py, os
with h5py.File("a.h5", "r") as f:
    print(f["bitstream"].id.get_offset() + f["bitstream"].size - 5)')
cp a.h5 bad.h5
flip bad.h5 "$offset"
expect 4 corpress cat bad.h5 --shards "$last" >/dev/null 2>&1
corpress list -l bad.h5 corpus/b | grep -q "0-$last  " || fail "corpus/b ends before shard $last"
expect 0 corpress cat bad.h5 corpus/b --lines -10 >/dev/null
expect 0 corpress cat bad.h5 corpus/b --bytes 1400000 | cmp - <(head -c 1400000 corpus/b)
expect 4 corpress cat bad.h5 corpus/b --offset -10 2>said
grep -q "shard $last" said || fail "$(cat said)"
