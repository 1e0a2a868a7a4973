# A job that is asked to stop saves its state, ends with 75, and goes on: any signal, to one rank or
# to mpirun, at any number of ranks.
mkdir corpus
for i in 1 2 3; do text 1300000 "$i" >"corpus/$i"; done
compress=(corpress compress -p fast --no-primer --shard-size 1M corpus)
expect 0 "${compress[@]}" -q -o undisturbed.h5

# One process, in the middle of its second shard.
for signal in TERM INT USR1 USR2; do
    hold_at 1300000
    "${compress[@]}" -o "$signal.h5" 2>said &
    pid=$!
    await_hold "$pid"
    kill -s "$signal" "$pid"
    code=0
    wait "$pid" || code=$?
    end_hold
    [ "$code" -eq 75 ] || fail "SIG$signal: ended with $code: $(cat said)"
    grep -q '^corpress: stopped on request.*the same command goes on' said
    tail -n 1 "$signal.h5.log.jsonl" | grep -q '"event":"stopped"'
    absent "$signal.h5"
    find "$signal.h5.work" -name '.tmp-*' | grep -q . && fail "temporary files are left"
    ls "$signal.h5.work"/snapshot-* >/dev/null
    expect 0 corpress status "$signal.h5" | grep -q ': stopped'
    expect 0 "${compress[@]}" -o "$signal.h5" 2>said
    grep -q '^corpress: going on: 1 of 4 shards are done, 1 begun' said
    cmp undisturbed.h5 "$signal.h5"
    absent "$signal.h5.work"
done

# mpirun hands SIGUSR1 on to its ranks. Each time another number of them goes on.
for n in 3 2 4; do
    hold_at 100000
    bash "$JOBS/mpirun_local.sh" "$n" "${compress[@]}" -o ranks.h5 2>said &
    pid=$!
    await_hold "$pid" "$n"
    expect 0 corpress status --format json ranks.h5 >status.json
    python3 -c 'import json
job = json.load(open("status.json"))
assert job["state"] == "running" and job["shards"] == 4, job'
    kill -s USR1 "$pid"
    code=0
    wait "$pid" || code=$?
    end_hold
    [ "$code" -eq 75 ] || fail "$n ranks: ended with $code: $(cat said)"
    [ "$(ls ranks.h5.work/snapshot-* | wc -l)" -ge "$n" ] || fail "a rank has no snapshot"
    [ "$(grep -c '^corpress: stopped' said)" -eq 1 ] || fail "$(cat said)"
done
# One rank, not the first.
hold_at 100000
bash "$JOBS/mpirun_local.sh" 3 bash -c 'echo $$ >pid.$OMPI_COMM_WORLD_RANK; exec "$@"' - "${compress[@]}" -o ranks.h5 2>said &
pid=$!
await_hold "$pid" 3
kill -s TERM "$(cat pid.2)"
code=0
wait "$pid" || code=$?
end_hold
[ "$code" -eq 75 ] || fail "one rank: ended with $code: $(cat said)"
expect 0 ranks 2 "${compress[@]}" -q -o ranks.h5
cmp undisturbed.h5 ranks.h5
absent ranks.h5.work

# A job that is killed goes on from its last periodic snapshot.
compress=(corpress compress --shard-size 8M --snapshot-interval 1s corpus/1)
hold_at 500000
"${compress[@]}" -o killed.h5 2>said &
pid=$!
await_hold "$pid"
sleep 1 # so that it is time for a snapshot
next_hold
await_hold "$pid"
[ -e killed.h5.work/snapshot-00000000 ] || fail "no snapshot"
kill -s KILL "$pid"
wait "$pid" || true
end_hold
expect 0 "${compress[@]}" -o killed.h5 2>said
grep -q 'going on: 0 of 1 shards are done, 1 begun' said
expect 0 "${compress[@]}" -q -o whole.h5
cmp killed.h5 whole.h5
