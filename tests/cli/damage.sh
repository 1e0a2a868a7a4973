# Archives that are damaged, cut short, not ours, or of a later version.
mkdir corpus
for i in 1 2 3 4; do text 500000 "$i" >"corpus/$i"; done
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o archive.h5
bytes=$(stat -c %s archive.h5)

# refused CODES ARCHIVE: verify ends with one of the codes, says why, and is not killed.
refused() {
    local codes=$1 got=0
    corpress verify -q --coded-only "$2" 2>said || got=$?
    [[ " $codes " = *" $got "* ]] || fail "$2: ended with $got, not one of $codes"
    grep -q '^corpress: ' said || fail "$2: no message"
}

# A flipped bit anywhere is found: all over the file, and more densely in its first bytes.
for offset in $(seq 0 29 600) $(seq 700 $((bytes / 40)) $((bytes - 1))) $((bytes - 1)); do
    cp archive.h5 flipped.h5
    flip flipped.h5 "$offset"
    refused 4 flipped.h5
done
: >short.h5
refused 2 short.h5
for keep in 1 10 100 511 512 513 2048 $((bytes / 2)) $((bytes - 1)); do
    head -c "$keep" archive.h5 >short.h5
    refused 4 short.h5
done
cat archive.h5 <(echo more) >long.h5
refused 4 long.h5

# A damaged shard does not stop the others, and the files that it touches are named.
offset=$(bitstream_offset archive.h5)
first=$(corpress list --shards archive.h5 | awk '$1 == "primer" || $1 == "0" { n += $4 } END { print n }')
cp archive.h5 flipped.h5
flip flipped.h5 $((offset + first + 1000))
expect 4 corpress verify -q flipped.h5 2>said
grep -q 'shard 1' said
grep -c '^corpress: damaged: ' said
expect 4 corpress verify -q --coded-only flipped.h5 2>said
grep -q 'shard 1' said
expect 4 corpress extract -q flipped.h5 -C out 2>said
grep '^corpress: damaged: ' said | sed 's/.*: //' >named
expect 0 corpress list flipped.h5 >all
# What was not named is there and whole; what was named is not there.
while read -r path; do
    [ -f "$path" ] || continue
    if grep -qx "$path" named; then absent "out/$path"; else cmp "$path" "out/$path"; fi
done <all
[ "$(find out -type f | wc -l)" -eq $((4 - $(wc -l <named))) ] || fail "$(find out -type f)"
expect 0 corpress cat flipped.h5 --shards 0 >/dev/null
expect 4 corpress cat flipped.h5 --shards 1 >/dev/null
expect 4 corpress audit -q --format csv flipped.h5 >audit
grep -q '^1,.*DAMAGED$' audit
grep -q '^0,.*ok$' audit

# What is not ours, or later than us.
echo 'not an archive' >text.h5
expect 2 corpress list text.h5
expect 2 corpress list absent.h5
expect 2 corpress list corpus
python3 -c 'import h5py
with h5py.File("foreign.h5", "w") as f: f["x"] = [1, 2, 3]'
expect 2 corpress list foreign.h5
python3 -c 'import struct
data = bytearray(open("archive.h5", "rb").read())
struct.pack_into("<I", data, 20, 1000)
data[504] ^= 0x55
open("future.h5", "wb").write(data)'
expect 2 corpress list future.h5
