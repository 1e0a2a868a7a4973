# Verification in parts, and in several runs.
mkdir corpus
for i in 1 2 3 4 5; do text 1000000 "$i" >"corpus/$i"; done
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o archive.h5
corpress list --shards archive.h5 | awk '$1 ~ /^[0-9]+$/ { print $1, $4 }' >shards
primer=$(corpress list --shards archive.h5 | awk '$1 == "primer" { print $4 }')
count=$(wc -l <shards)
[ "$count" -ge 5 ] || fail "only $count shards"

# Every shard is in exactly one of the parts: damage in it is found there and only there.
at=$(bitstream_offset archive.h5)
at=$((at + primer))
while read -r shard bytes; do
    cp archive.h5 flipped.h5
    flip flipped.h5 $((at + bytes / 2))
    at=$((at + bytes))
    for n in 1 2 3; do
        code=0
        [ $((shard % 3)) -ne $((n - 1)) ] || code=4
        expect "$code" corpress verify -q --coded-only --subset "$n/3" flipped.h5 2>said
        [ "$code" -eq 0 ] || grep -q "shard $shard\b" said || fail "$(cat said)"
    done
done <shards
sum=0
for n in 1 2 3 4; do
    expect 0 ranks 2 corpress verify --coded-only --subset "$n/4" archive.h5 2>said
    sum=$((sum + $(sed -n 's/^corpress: \([0-9]*\) of .* shards intact (compressed data only)$/\1/p' said)))
done
[ "$sum" -eq "$count" ] || fail "$sum of $count shards"
# More parts than shards: some have none.
expect 0 ranks 2 corpress verify --subset 100/100 archive.h5 2>said
grep -q '^corpress: 0 of ' said || fail "$(cat said)"
expect 0 corpress verify -q --coded-only --subset 1/1 archive.h5
for wrong in 0/3 4/3 1 1/ /3 1/0 1/3x -1/3 1/3/3 '' 99999999999999999999/99999999999999999999; do
    expect 3 corpress verify -q --subset "$wrong" archive.h5 2>/dev/null
done

# interrupted SIGNAL BYTES RANKS OPTION...: sends the signal when each rank has decoded that much.
interrupted() {
    local signal=$1 n=$3 pid
    hold_at "$2"
    shift 3
    if [ "$n" -eq 1 ]; then
        corpress verify -q "$@" archive.h5 2>said &
    else
        bash "$JOBS/mpirun_local.sh" "$n" corpress verify -q "$@" archive.h5 2>said &
    fi
    pid=$!
    await_hold "$pid" "$n"
    kill -s "$signal" "$pid"
    code=0
    wait "$pid" || code=$?
    all_gone # held ranks end with mpirun; released ones would go on to the end
    end_hold
}
# earlier: how many shards an earlier run had verified.
earlier() { sed -n 's/^corpress: .* shards intact.*, \([0-9]*\) of them verified by an earlier run$/\1/p' said; }

interrupted TERM 1300000 1 --continue
[ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
grep -q 'the same command again goes on' said || fail "$(cat said)"
interrupted KILL 1300000 2 --continue
cp archive.h5.verified kept
expect 0 ranks 3 corpress verify --continue archive.h5 2>said
[ "$(earlier)" -ge 3 ] || fail "$(cat said)"
absent archive.h5.verified
# Without it, nothing is remembered, and that is said.
interrupted TERM 1300000 1
[ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
grep -q 'with --continue it could' said || fail "$(cat said)"
absent archive.h5.verified

# A line that is damaged does not count, nor what comes after it; a torn one is replaced.
lines=$(wc -l <kept)
cp kept state
printf '3 0123' >>state
expect 0 corpress verify --state state archive.h5 2>said
[ "$(earlier)" -eq $((lines - 1)) ] || fail "$(cat said)"
absent state
sed '3s/ ./ x/' kept >state
expect 0 corpress verify --state state archive.h5 2>said
[ "$(earlier)" -eq 1 ] || fail "$(cat said)"
# Another way to verify, another archive: what was remembered does not count.
cp kept state
expect 0 corpress verify --coded-only --state state archive.h5 2>said
[ -z "$(earlier)" ] || fail "$(cat said)"
cp kept state
cp archive.h5 copy.h5
done_shard=$(sed -n '2s/ .*//p' kept)
flip copy.h5 $(($(bitstream_offset archive.h5) + \
    primer + \
    $(awk -v s="$done_shard" '$1 < s { n += $2 } END { print n + 1000 }' shards)))
expect 4 ranks 2 corpress verify -q --state state copy.h5 2>said
grep -q "shard $done_shard\b" said || fail "$(cat said)"
absent state
# What is something else is left alone.
echo precious >precious
expect 2 corpress verify -q --state precious archive.h5 2>said
[ "$(cat precious)" = precious ] || fail "it was overwritten"

# Where nothing can be written it verifies all the same.
mkdir read_only
cp archive.h5 read_only
chmod 755 read_only
expect 0 unprivileged corpress verify --subset 1/4 --continue read_only/archive.h5 2>said
grep -q 'it cannot be continued: .*verified-1-of-4' said || fail "$(cat said)"
[ "$(ls read_only)" = archive.h5 ] || fail "$(ls read_only)"
