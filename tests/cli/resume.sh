# What an interrupted run left is used if it is sound and of the same job, and is never trusted else.
mkdir corpus
for i in 1 2 3 4; do text 1000000 "$i" >"corpus/$i"; done
ln -s 1 corpus/link
cp -a corpus begun
compress=(corpress compress -q -p fast --no-primer --shard-size 1M corpus)
expect 0 "${compress[@]}" -o undisturbed.h5

# Interrupted: a work directory with two finished shards and one snapshot, kept in `saved`.
hold_at 2300000
"${compress[@]}" -o archive.h5 2>said &
pid=$!
await_hold "$pid"
kill -s USR1 "$pid"
wait "$pid" && fail "it did not stop"
end_hold
cp -a archive.h5.work saved
(cd saved && ls shard-00000001.cps snapshot-* shard-*.partial >/dev/null)

again() {
    rm -rf archive.h5 archive.h5.work archive.h5.log.jsonl
    cp -a saved archive.h5.work
}
# goes_on: ends well, with the right archive.
goes_on() {
    expect 0 "${compress[@]}" -o archive.h5
    cmp undisturbed.h5 archive.h5
    absent archive.h5.work
}
# refused CODE PATTERN [OPTION...]: with the reason, and nothing is touched.
refused() {
    local code=$1 pattern=$2
    shift 2
    expect "$code" "${compress[@]}" -o archive.h5 "$@" 2>said
    grep -q "$pattern" said || fail "$(cat said)"
    [ "$(find archive.h5.work -name '*.cps' | wc -l)" -ge 2 ] || fail "work was thrown away"
    absent archive.h5
}

again
goes_on
grep -q '"shard":0' archive.h5.log.jsonl && fail "finished shards were coded again"

# Other options, another corpus.
again
refused 2 'profile fast, and now it is balanced' -p balanced
refused 2 'shard-size 1048576, and now it is 2097152' --shard-size 2M
cp corpus/3 aside
echo more >>corpus/3
refused 2 '"corpus/3" had 1000000 bytes then and has 1000005 now; put it back.*2 of 4 shards'
cp aside corpus/3
echo new >corpus/25
refused 2 '"corpus/25" has been added to the corpus; leave it out'
rm corpus/25
mv corpus/1 aside
refused 2 '"corpus/1" is no longer in the corpus; put it back'
mkdir corpus/1
refused 2 '"corpus/1" was a file then and is a directory now'
rmdir corpus/1
mv aside corpus/1
ln -sfn 2 corpus/link
refused 2 'corpus/link'
ln -sfn 1 corpus/link
# All is as it was, but for times, and they do not count.
goes_on
rm -rf corpus
cp -a begun corpus

# Damage costs what is damaged.
shard=archive.h5.work/shard-00000001.cps
again
rm "$shard"
goes_on
again
truncate -s 1000 "$shard"
goes_on
again
: >"$shard"
goes_on
again
flip "$shard" 5000
goes_on
grep -q '"event":"note","text":"the file of shard 1 was damaged' archive.h5.log.jsonl
again
cp archive.h5.work/shard-00000000.cps "$shard"
goes_on
again
mkdir -p other && echo junk >archive.h5.work/shard-00000003.cps
goes_on
snapshot=$(cd saved && echo snapshot-*)
again
flip "archive.h5.work/$snapshot" 2000000
goes_on
grep -q '"event":"note","text":"shard .* from its start: the snapshot is damaged' archive.h5.log.jsonl
again
truncate -s 100000 "archive.h5.work/$snapshot"
goes_on
again
: >"archive.h5.work/$snapshot"
goes_on
again
rm archive.h5.work/shard-*.partial
goes_on
again
truncate -s 1000 archive.h5.work/shard-*.partial
goes_on
again
flip "$(echo archive.h5.work/shard-*.partial)" 500
goes_on

# Without a sound manifest nobody knows what the shards are.
for at in 0 8 100 5000; do
    again
    flip archive.h5.work/manifest "$at"
    expect $((at == 8 ? 2 : 4)) "${compress[@]}" -o archive.h5 2>said
    grep -q -e '--restart' said
done
again
truncate -s 50 archive.h5.work/manifest
refused 4 'manifest.*damaged.*--restart'
expect 0 corpress compress -p fast --no-primer --shard-size 1M corpus --restart -o archive.h5 2>said
grep -q -e '--restart: 2 finished shards and 1 snapshots are thrown away ([0-9]* bytes)' said
cmp undisturbed.h5 archive.h5
absent archive.h5.work
again
rm archive.h5.work/manifest
goes_on

# The archive has its name, but the work directory was not removed: only that is left to do.
again
cp undisturbed.h5 archive.h5
python3 - <<'END'
import subprocess, ctypes, ctypes.util
lib = ctypes.CDLL(ctypes.util.find_library("xxhash") or "libxxhash.so.0")
class Hash(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]
lib.XXH3_128bits.restype = Hash
h = lib.XXH3_128bits(open("archive.h5", "rb").read(512), ctypes.c_size_t(512))
open("archive.h5.work/published", "wb").write(h.high.to_bytes(8, "big") + h.low.to_bytes(8, "big"))
END
expect 0 corpress status archive.h5 | grep -q ': finished'
expect 0 "${compress[@]}" -o archive.h5
cmp undisturbed.h5 archive.h5
absent archive.h5.work
# An archive that is not this job's is not touched.
again
echo precious >archive.h5
expect 2 "${compress[@]}" -o archive.h5 2>said
grep -q 'exists; use --force' said
[ "$(cat archive.h5)" = precious ] || fail "it was replaced"
expect 0 "${compress[@]}" --force -o archive.h5
cmp undisturbed.h5 archive.h5

# Two jobs at once: the second one names the first.
hold_at 300000
"${compress[@]}" -o busy.h5 &
pid=$!
await_hold "$pid"
expect 2 "${compress[@]}" -o busy.h5 2>said
grep -q "another job is at work.*process $pid on host $(uname -n)" said || fail "$(cat said)"
expect 0 corpress status busy.h5 | grep -q ": running on $(uname -n), process $pid"
end_hold
wait "$pid"
# A killed one does not keep the lock.
hold_at 300000
"${compress[@]}" -o killed.h5 &
pid=$!
await_hold "$pid"
kill -s KILL "$pid"
wait "$pid" || true
end_hold
expect 0 "${compress[@]}" -o killed.h5
cmp busy.h5 killed.h5

expect 2 corpress status nothing.h5
