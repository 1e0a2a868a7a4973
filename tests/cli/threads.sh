# Shards decoded by threads: the same bytes, messages and exit codes as by one.
mkdir corpus
text 900000 1 >corpus/a
text 2600000 2 >corpus/b
: >corpus/empty
text 1000 3 >corpus/z
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o a.h5
shards=$(corpress list --shards a.h5 | awk '$1 ~ /^[0-9]+$/' | wc -l)
[ "$shards" -ge 4 ] || fail "only $shards shards"

for j in 1 4; do
    expect 0 corpress cat -j "$j" a.h5 corpus/a corpus/b corpus/empty corpus/z | cmp - <(cat corpus/*)
    expect 0 corpress cat -j "$j" a.h5 corpus/b corpus/a | cmp - <(cat corpus/b corpus/a)
    expect 0 corpress cat -j "$j" a.h5 --shards "1-$((shards - 1))" >"shards$j"
    cmp shards1 "shards$j"
    expect 0 corpress extract -q --threads "$j" a.h5 -C "x$j"
    same_tree corpus "x$j/corpus"
    rm "x$j/corpus/b"
    expect 0 corpress extract -q -j "$j" --continue a.h5 -C "x$j"
    same_tree corpus "x$j/corpus"
    expect 0 corpress verify -j "$j" a.h5 2>"said$j"
    tail -n 1 "said$j" | grep -q "^corpress: $shards shards intact (decoded)$" || fail "$(cat "said$j")"
    expect 0 corpress audit -q --full -j "$j" a.h5 >"audit$j"
    cmp audit1 "audit$j"
done
expect 0 corpress cat -j 4 a.h5 corpus/empty >out
[ ! -s out ] || fail "an empty file has bytes"
expect 0 corpress cat -j 4 a.h5 --shards 2 | cmp - <(corpress cat -j 1 a.h5 --shards 2)
for j in 0 257 -1 x; do
    expect 3 corpress cat a.h5 corpus/a -j "$j" 2>said
    grep -q -- '--threads wants a number from 1 to 256' said || fail "$(cat said)"
done

# Two damaged shards: what is told, what is written, and what is left out.
cp a.h5 damaged.h5
for at in 35 75; do flip damaged.h5 $(($(stat -c %s a.h5) * at / 100)); done
for j in 1 3; do
    expect 4 corpress cat -j "$j" damaged.h5 corpus/a corpus/b >"out$j" 2>"cat$j"
    expect 4 corpress extract -q -j "$j" damaged.h5 -C "d$j" 2>"extract$j"
    expect 4 corpress verify -q -j "$j" damaged.h5 2>"verify$j"
    expect 4 corpress audit -q --full -j "$j" damaged.h5 >"audit$j" 2>&1
done
for what in out cat extract verify audit; do cmp "${what}1" "${what}3"; done
[ "$(grep -c 'is damaged' verify3)" -eq 2 ] || fail "$(cat verify3)"
diff -r d1 d3

# Nobody reads on; a full disk; less memory than that many threads want.
for j in 1 3; do
    code=0
    corpress cat -j "$j" a.h5 corpus/b 2>said | head -c 100 >out || code=${PIPESTATUS[0]}
    cmp out <(head -c 100 corpus/b)
    [ "$j" -gt 1 ] || without=$code
done
[ "$code" -eq "$without" ] || fail "ended with $code instead of $without"
[ ! -s said ] || fail "$(cat said)"
expect 2 corpress cat -j 3 a.h5 corpus/b >/dev/full 2>said
grep -q 'standard output: No space left' said || fail "$(cat said)"
code=0 # sanitizers take more
(ulimit -v 200000 && exec corpress list nothing) >out 2>&1 || code=$?
if [ "$code" -eq 2 ] && grep -q '^corpress: ' out; then
    for limit in 200000 300000; do
        expect 0 bash -c "ulimit -v $limit; corpress cat -j 40 a.h5 corpus/b" | cmp - corpus/b
        expect 0 bash -c "ulimit -v $limit; corpress verify -q -j 40 a.h5"
    done
fi

# Stopped on request, and gone on with.
mkdir more
for i in 1 2 3 4 5 6; do text 800000 "$i" >"more/$i"; done
expect 0 corpress compress -q -p fast --shard-size 1M more -o more.h5
hold_at 200000
corpress extract -q -j 3 more.h5 -C m 2>said &
pid=$!
await_hold "$pid" 3
kill -s TERM "$pid"
code=0
wait "$pid" || code=$?
end_hold
[ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
expect 0 corpress extract -q -j 3 --continue more.h5 -C m
same_tree more m/more
absent m/.corpress-*
hold_at 200000
corpress extract -q -j 3 more.h5 -C k 2>said &
pid=$!
await_hold "$pid" 3
kill -s KILL "$pid"
wait "$pid" || true
end_hold
expect 0 corpress extract -q -j 2 --continue more.h5 -C k
same_tree more k/more
absent k/.corpress-*
