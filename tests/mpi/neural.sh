# Profile neural: the archive does not depend on the number of ranks, on BLAS's kernels, or
# on stops while it is made.
mkdir corpus
# Blanks make long tokens, so a large shard takes little time.
{
    text 20000 1
    printf '%1020000s' ''
} >corpus/1
text 40000 2 >corpus/2
compress=(corpress compress -q -p neural --shard-size 1M corpus)
expect 0 "${compress[@]}" -o alone.h5
[ "$(corpress list --shards alone.h5 | grep -c '^ *[0-9]')" -eq 2 ] || fail "not 2 shards"
for n in 2 4; do
    OPENBLAS_CORETYPE=Nehalem OPENBLAS_NUM_THREADS=1 expect 0 ranks "$n" "${compress[@]}" -o "$n.h5"
    cmp alone.h5 "$n.h5"
done
CORPRESS_KERNEL=baseline OPENBLAS_CORETYPE=Haswell expect 0 ranks 2 corpress extract -q alone.h5 -C out
same_tree corpus out/corpus
expect 0 corpress cat alone.h5 corpus/2 | cmp - corpus/2

# The audit has what the network alone would have lost, which is more; decoding comes to the same.
corpress audit --format csv alone.h5 >audit
corpress audit -q --curve --format csv alone.h5 >curve
python3 - <<'END'
import csv
rows = [r for r in csv.DictReader(open("audit")) if r["shard"] in ("0", "1")]
ends = {r["shard"]: r for r in csv.DictReader(open("curve"))}
assert len(rows) == 2
for r in rows:
    assert int(r["network"]) > int(r["loss_bits"]) > 0
    assert abs(float(ends[r["shard"]]["network_so_far"]) - int(r["network"]) / int(r["raw"])) < 0.0001
END

# Stopped three times in the middle of its first bitstream.
for _ in 1 2 3; do
    hold_at 100000
    "${compress[@]}" -o archive.h5 2>said &
    pid=$!
    await_hold "$pid"
    kill -s USR1 "$pid"
    code=0
    wait "$pid" || code=$?
    end_hold
    [ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
    ls archive.h5.work/snapshot-00000000 >/dev/null
done
expect 0 ranks 2 "${compress[@]}" -o archive.h5
cmp alone.h5 archive.h5
absent archive.h5.work
