# A file system that fills up in the middle of a shard, of a snapshot, of publishing; then there is
# space again, and the job goes on.
if [ -z "${INSIDE:-}" ]; then
    export INSIDE=1
    if unshare -m true 2>/dev/null; then
        exec unshare -m bash -euo pipefail -c '. "$TESTS/_lib.sh"; . "$TESTS/cli/no_space_resume.sh"'
    elif unshare -rm true 2>/dev/null; then
        exec unshare -rm bash -euo pipefail -c '. "$TESTS/_lib.sh"; . "$TESTS/cli/no_space_resume.sh"'
    fi
    skip "needs a mount namespace"
fi
mkdir small
mount -t tmpfs -o size=600k tmpfs small 2>/dev/null || skip "cannot mount a tmpfs"
text 4000000 >corpus
compress=(corpress compress -p fast --shard-size 1M corpus)
expect 0 "${compress[@]}" -q -o undisturbed.h5
coded=$(stat -c %s undisturbed.h5)

# make_space SIZE ; goes_on: the same command ends well.
make_space() { mount -o "remount,size=$1" small; }
goes_on() {
    expect 0 "${compress[@]}" -o small/archive.h5 2>said
    cmp undisturbed.h5 small/archive.h5
    absent small/archive.h5.work
    rm small/*
}

# A shard.
make_space $((coded / 2))
expect 2 "${compress[@]}" -o small/archive.h5 2>said
grep -q 'No space left on device.*of 4 shards are done, the same command goes on' said || fail "$(cat said)"
absent small/archive.h5
make_space 50m
goes_on
grep -q 'going on: [123] of 4' said

# Publishing.
make_space $((coded + coded / 2))
expect 2 "${compress[@]}" -o small/archive.h5 2>said
grep -q 'No space left on device.*4 of 4 shards are done' said || fail "$(cat said)"
absent small/archive.h5
[ -z "$(find small -name '*.tmp*')" ] || fail "left behind: $(find small)"
make_space 50m
goes_on
grep -q 'going on: 4 of 4' said

# A snapshot: the state of the shard in work is lost, and that is all.
make_space 2m
hold_at 1300000
"${compress[@]}" -o small/archive.h5 2>said &
pid=$!
await_hold "$pid"
kill -s USR1 "$pid"
code=0
wait "$pid" || code=$?
end_hold
[ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
grep -q 'no snapshot of shard .*No space left on device' said || fail "$(cat said)"
[ -z "$(find small -name '.tmp*' -o -name 'snapshot-*')" ] || fail "left behind: $(find small)"
make_space 50m
goes_on
