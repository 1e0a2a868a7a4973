# The primer: what it is good for, what depends on it, and what becomes of it when a job is interrupted.
mkdir corpus
for i in 1 2 3; do text 1500000 "$i" >"corpus/$i"; done
compress=(corpress compress -q -p fast --shard-size 1M corpus)
expect 0 "${compress[@]}" -o primed.h5
expect 0 "${compress[@]}" --no-primer -o cold.h5
expect 0 corpress compress -q -p fast --shard-size 8M corpus -o one.h5
expect 0 corpress compress -q -p fast --shard-size 8M --no-primer corpus -o same.h5
cmp one.h5 same.h5
expect 0 corpress compress -q -p fast --shard-size 3M corpus -o three.h5
corpress list --shards three.h5 | grep primer && fail "a primer for three shards"
coded() { corpress list --shards "$1" | awk '$1 ~ /^[0-9]+$/ { n += $4 } END { print n }'; }
[ "$(coded primed.h5)" -lt $(($(coded cold.h5) * 85 / 100)) ] || fail "the primer does not help the shards"
corpress list --shards primed.h5 | grep -q '^ *primer  *-  *720896  '
corpress list --shards cold.h5 one.h5 2>/dev/null | grep primer && fail "a primer that nobody wants"
expect 0 corpress verify -q cold.h5
expect 0 corpress plan --sample-bytes 0 --shard-size 1M corpus >plan
grep -q '^primer   720.9 kB$' plan
grep -q '^memory .* a rank and .* a node with profile fast$' plan

# Noise teaches nothing.
noise 4000000 >noise
expect 0 corpress compress -q -p fast --shard-size 1M noise -o noise.h5
corpress list --shards noise.h5 | grep primer && fail "a primer of noise"
[ "$(stat -c %s noise.h5)" -lt 4004000 ] || fail "noise takes $(stat -c %s noise.h5) bytes"

# Damage to it is told apart from damage to a shard, by all that read it.
offset=$(bitstream_offset primed.h5)
cp primed.h5 damaged.h5
flip damaged.h5 $((offset + 1000))
damaged() {
    expect 4 corpress "$@" >out 2>said
    grep -q '^corpress: the primer of "damaged.h5" is damaged, and all shards depend on it' said ||
        fail "$*: $(cat said)"
}
damaged verify -q damaged.h5
damaged verify -q --subset 2/3 damaged.h5
damaged verify -q --coded-only damaged.h5
damaged extract -q damaged.h5 -C extracted
[ -z "$(find extracted -type f)" ] || fail "left behind: $(find extracted -type f)"
damaged cat damaged.h5 corpus/1
[ ! -s out ] || fail "cat wrote $(wc -c <out) bytes"
damaged audit -q --full damaged.h5
damaged audit -q --format csv damaged.h5
[ "$(awk -F, '{ print $1 ":" $NF }' out | paste -sd ' ')" = \
    "shard:integrity primer:DAMAGED 0:ok 1:ok 2:ok 3:ok 4:ok tables:ok total:DAMAGED" ] || fail "$(cat out)"
expect 4 ranks 3 corpress verify -q damaged.h5 2>said
[ "$(grep -c 'the primer of "damaged.h5" is damaged' said)" -eq 1 ] || fail "$(cat said)"
expect 0 corpress list damaged.h5 >/dev/null

# Stopped while it is coded: nothing is lost.
compress=(corpress compress -p fast --shard-size 1M corpus)
cp primed.h5 undisturbed.h5
hold_at 400000
"${compress[@]}" -o archive.h5 2>said &
pid=$!
await_hold "$pid"
until grep -q '^primer [1-9]' archive.h5.work/progress; do sleep 0.05; done
expect 0 corpress status archive.h5 >status
grep -q ': running' status
grep -q '^primer  .* of 720.9 kB' status || fail "$(cat status)"
expect 0 corpress status --format json archive.h5 | python3 -c 'import json, sys
job = json.load(sys.stdin)
assert job["primer_bytes"] == 720896 and 0 < job["primer_bytes_done"] < 720896, job'
kill -s USR1 "$pid"
code=0
wait "$pid" || code=$?
end_hold
[ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
ls archive.h5.work/snapshot-primer archive.h5.work/primer.partial >/dev/null
cp -a archive.h5.work saved
# goes_on [RANKS]: to the right archive.
goes_on() {
    expect 0 ranks "${1:-1}" "${compress[@]}" -q -o archive.h5
    cmp undisturbed.h5 archive.h5
    absent archive.h5.work
    rm -f archive.h5 archive.h5.log.jsonl
}
goes_on
cp -a saved archive.h5.work
goes_on 3
for file in snapshot-primer primer.partial; do
    cp -a saved archive.h5.work
    flip archive.h5.work/$file 130
    goes_on
    cp -a saved archive.h5.work
    rm archive.h5.work/$file
    goes_on
done

# Another choice is another job.
cp -a saved archive.h5.work
expect 2 "${compress[@]}" --no-primer -o archive.h5 2>said
grep -q 'it has a primer, and now there is to be none (--no-primer)' said || fail "$(cat said)"
# While it is only begun, it is taken from what the corpus holds now, whatever the time says.
touch -r corpus/3 time
flip corpus/3 $((8 * 409090 + 1000 - 2 * 1500000))
touch -r time corpus/3
expect 0 "${compress[@]}" -o archive.h5 2>said
expect 0 corpress cat archive.h5 corpus/3 | cmp - corpus/3
flip corpus/3 $((8 * 409090 + 1000 - 2 * 1500000))
touch -r time corpus/3
rm -f archive.h5 archive.h5.log.jsonl

# When it is finished it stays, and is made again if it does not.
hold_at 720896 # the whole primer; then in the middle of shards
"${compress[@]}" -o archive.h5 --snapshot-interval 1s 2>said &
pid=$!
await_hold "$pid"
sleep 1 # so that it is time for a snapshot
kill_where_there_is archive.h5.work/shard-00000000.cps "$pid"
rm -rf saved
cp -a archive.h5.work saved
[ -e saved/snapshot-primer ] || fail "no snapshot at its end"
goes_on 2
for damage in 'flip primer.cps 3000' 'truncate -s 100 primer.cps' 'rm primer.cps' \
    'rm snapshot-primer' 'rm primer.cps snapshot-primer primer.partial' 'flip snapshot-primer 100000'; do
    cp -a saved archive.h5.work
    (cd archive.h5.work && eval "$damage")
    goes_on
done
