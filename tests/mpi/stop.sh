# A job that is asked to stop saves its state, ends with 75, and goes on: any signal, to one rank or
# to mpirun, at any number of ranks.
mkdir corpus
for i in 1 2 3 4; do text 1500000 "$i" >"corpus/$i"; done
compress=(corpress compress -p balanced --shard-size 1M corpus)
expect 0 "${compress[@]}" -q -o undisturbed.h5

# begun ARCHIVE: waits until the first shards are in work.
begun() {
    until grep -q '"phase":"shards"' "$1.log.jsonl" 2>/dev/null; do
        kill -0 "$pid" || fail "it ended: $(cat said)"
        sleep 0.02
    done
    sleep 0.3
}

# One process.
for signal in TERM INT USR1 USR2; do
    "${compress[@]}" -o "$signal.h5" 2>said &
    pid=$!
    begun "$signal.h5"
    kill -s "$signal" "$pid"
    code=0
    wait "$pid" || code=$?
    [ "$code" -eq 75 ] || fail "SIG$signal: ended with $code: $(cat said)"
    grep -q '^corpress: stopped on request.*the same command goes on' said
    tail -n 1 "$signal.h5.log.jsonl" | grep -q '"event":"stopped"'
    absent "$signal.h5"
    find "$signal.h5.work" -name '.tmp-*' | grep -q . && fail "temporary files are left"
    ls "$signal.h5.work"/snapshot-* >/dev/null
    expect 0 corpress status "$signal.h5" | grep -q ': stopped'
    expect 0 "${compress[@]}" -o "$signal.h5" 2>said
    grep -q '^corpress: going on: .* of 6 shards are done, 1 begun' said
    cmp undisturbed.h5 "$signal.h5"
    absent "$signal.h5.work"
done

# mpirun hands SIGUSR1 on to its ranks. Each time another number of them goes on.
for n in 3 2 4; do
    bash "$JOBS/mpirun_local.sh" "$n" "${compress[@]}" -o ranks.h5 2>said &
    pid=$!
    rm -f ranks.h5.log.jsonl
    begun ranks.h5
    expect 0 corpress status --format json ranks.h5 >status.json
    python3 -c 'import json
job = json.load(open("status.json"))
assert job["state"] == "running" and job["shards"] == 6, job'
    kill -s USR1 "$pid"
    code=0
    wait "$pid" || code=$?
    [ "$code" -eq 75 ] || fail "$n ranks: ended with $code: $(cat said)"
    [ "$(grep -c '^corpress: stopped' said)" -eq 1 ] || fail "$(cat said)"
done
# One rank, not the first.
rm ranks.h5.log.jsonl
bash "$JOBS/mpirun_local.sh" 3 bash -c 'echo $$ >pid.$OMPI_COMM_WORLD_RANK; exec "$@"' - "${compress[@]}" -o ranks.h5 2>said &
pid=$!
begun ranks.h5
kill -s TERM "$(cat pid.2)"
code=0
wait "$pid" || code=$?
[ "$code" -eq 75 ] || fail "one rank: ended with $code: $(cat said)"
expect 0 ranks 2 "${compress[@]}" -q -o ranks.h5
cmp undisturbed.h5 ranks.h5
absent ranks.h5.work

# A job that is killed goes on from its last periodic snapshot.
compress=(corpress compress --shard-size 8M --snapshot-interval 1s corpus)
"${compress[@]}" -o killed.h5 2>said &
pid=$!
until [ -e killed.h5.work/snapshot-00000000 ]; do
    kill -0 "$pid" || fail "it ended: $(cat said)"
    sleep 0.02
done
kill -s KILL "$pid"
wait "$pid" || true
expect 0 "${compress[@]}" -o killed.h5 2>said
grep -q 'going on: 0 of 1 shards are done, 1 begun' said
expect 0 "${compress[@]}" -q -o whole.h5
cmp killed.h5 whole.h5
