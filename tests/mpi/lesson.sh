# The lesson: the same archive at any number of ranks, and however often it is interrupted; what
# becomes of it when its files are damaged, or the corpus changes.
mkdir corpus
# Blanks make long tokens, so they take little time; all blocks have as many, so no stream lags behind.
for i in {1..18}; do
    text 3000 "$i"
    printf '%62000s\n' ''
done >corpus/a
text 3000 19 >corpus/b
noise 70000 >corpus/c
compress=(corpress compress -p neural --shard-size 1M --lesson-bytes 1M --snapshot-interval 0 corpus)
expect 0 "${compress[@]}" -q -o undisturbed.h5
corpress list --shards undisturbed.h5 >shards
grep -q '^weights ' shards
# same_archive RANKS NODES: by so many ranks that are on so many nodes.
same_archive() {
    expect 0 ranks "$1" "${compress[@]}" -q -o archive.h5
    cmp undisturbed.h5 archive.h5
    grep '"event":"lesson"' archive.h5.log.jsonl >event
    python3 - "$2" <<'END'
import json
import sys
event = json.load(open("event"))
assert event["sample_bytes"] == 1 << 20 and event["earlier_bytes"] == 0, event
assert (1 << 20) - 70000 <= event["text_bytes"] <= 1 << 20, event  # noise is left out
assert event["steps"] > 10 and event["weights_bytes"] > 1000 and 0 < event["bits_per_byte"] < 8, event
assert (event["sent_bytes"] > event["steps"]) == (int(sys.argv[1]) > 1), event
END
    rm archive.h5*
}
for n in 4 2 9; do # there are eight streams
    same_archive "$n" 1
done
# Ranks that share memory two by two.
CORPRESS_TEST_NODE=2 same_archive 4 2
CORPRESS_TEST_NODE=2 same_archive 3 2
# Rank 0 may have no file as large as that, so nobody shares its memory.
cat >limited <<'END'
#!/usr/bin/env bash
[ "$OMPI_COMM_WORLD_RANK" != 0 ] || ulimit -f 5000
exec "$@"
END
chmod +x limited
compress=(./limited "${compress[@]}")
same_archive 2 2
compress=("${compress[@]:1}")

# begin RANKS: a run that is held when a rank has read that much of the lesson.
begin() {
    hold_at 20000
    bash "$JOBS/mpirun_local.sh" "$1" "${compress[@]}" -o archive.h5 2>said &
    pid=$!
    await_hold "$pid"
}
# stop: the run that was begun, at its next step.
stop() {
    kill -s USR1 "$pid"
    code=0
    wait "$pid" || code=$?
    end_hold
    [ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
    grep -q '^corpress: stopped on request.*the same command goes on' said || fail "$(cat said)"
    [ -e archive.h5.work/snapshot-lesson ] || fail "no checkpoint"
}
# goes_on [RANKS]: to the right archive.
goes_on() {
    expect 0 ranks "${1:-1}" "${compress[@]}" -o archive.h5 2>said
    cmp undisturbed.h5 archive.h5
    absent archive.h5.work
    rm archive.h5*
}

# Stopped and killed, each time at another number of ranks.
for n in 2 1 3; do
    [ "$n" != 3 ] || export CORPRESS_TEST_NODE=2
    begin "$n"
    stop
    unset CORPRESS_TEST_NODE
    expect 0 corpress status archive.h5 >status
    grep -q '^lesson  .* of 1.0 MB, [0-9.]* bits a byte; all else comes after it$' status || fail "$(cat status)"
done
corpress status --format json archive.h5 | python3 -c 'import json, sys
job = json.load(sys.stdin)
assert job["state"] == "stopped" and job["lesson_bytes"] == 1 << 20, job
assert 0 < job["lesson_bytes_done"] < 1 << 20 and 0 < job["lesson_bits_per_byte"] < 20, job'
rm -rf saved
cp -a archive.h5.work saved
compress+=(--snapshot-interval 1s)
begin 2
before=$(stat -c %Y.%s archive.h5.work/snapshot-lesson)
sleep 1.1 # so that it is time for a checkpoint
until [ "$(stat -c %Y.%s archive.h5.work/snapshot-lesson)" != "$before" ]; do
    next_hold
    await_hold "$pid"
done
mapfile -t alive < <(cat "/proc/$pid/task/$pid/children" | tr ' ' '\n' | grep .)
kill -s KILL "$pid" "${alive[@]}" || true
wait "$pid" || true
end_hold
all_gone
compress+=(--snapshot-interval 0)
goes_on 3
grep -q 'the lesson goes on after [1-9][0-9]* of 1048576 bytes' said || fail "$(cat said)"

# A damaged checkpoint is not used, and costs nothing but time.
for damage in 'flip snapshot-lesson 200' 'flip snapshot-lesson 33' 'truncate -s 70 snapshot-lesson' \
    'truncate -s 100000 snapshot-lesson'; do
    cp -a saved archive.h5.work
    (cd archive.h5.work && eval "$damage")
    goes_on 2
    grep -q 'the lesson begins anew: the checkpoint of the lesson in "archive.h5.work" is damaged' said ||
        fail "$(cat said)"
done

# Another lesson is another job.
cp -a saved archive.h5.work
expect 2 "${compress[@]}" --lesson-bytes 64K -o archive.h5 2>said
grep -q 'its lesson reads 1048576 bytes, and now it is to read 65536' said || fail "$(cat said)"
expect 2 corpress compress -p neural --shard-size 1M --no-lesson corpus -o archive.h5 2>said
grep -q 'its lesson reads 1048576 bytes, and now it is to read 0' said || fail "$(cat said)"
rm -rf archive.h5*

# Touched files are read again: the lesson goes on if they are the same, and else begins anew.
touch -r corpus/a time
cp -a saved archive.h5.work
touch corpus/a
goes_on 2
grep -q 'the lesson goes on after' said || fail "$(cat said)"
cp -a saved archive.h5.work
cp corpus/a kept
tr 'e' 'a' <kept >corpus/a
expect 1 ranks 2 "${compress[@]}" -o archive.h5 2>said
grep -q 'the lesson begins anew: the corpus has changed' said || fail "$(cat said)"
expect 0 corpress cat archive.h5 corpus/a | cmp - corpus/a
rm archive.h5*
cp kept corpus/a
touch -r time corpus/a

# The weights stay when the lesson is over, and are made again if they are lost.
hold_at 700000
"${compress[@]}" -o archive.h5 2>said &
pid=$!
await_hold "$pid"
kill_where_there_is archive.h5.work/shard-00000000.cps "$pid"
absent archive.h5.work/snapshot-lesson
rm -rf saved
cp -a archive.h5.work saved
goes_on 2
grep -q '"event":"lesson"' archive.h5.log.jsonl 2>/dev/null && fail "a second lesson"
for damage in 'flip weights.cps 3000' 'truncate -s 100 weights.cps' 'rm weights.cps'; do
    cp -a saved archive.h5.work
    (cd archive.h5.work && eval "$damage")
    goes_on 2
done
cp -a saved archive.h5.work
rm archive.h5.work/weights.cps
touch corpus/b
expect 2 ranks 2 "${compress[@]}" -o archive.h5 2>said
grep -q 'the weights of the shards that are done are lost, and files of the corpus were touched' said ||
    fail "$(cat said)"
