# A clock that jumps: while a job runs, and between a job and the one that goes on.
[ -n "${JUMPING_CLOCK:-}" ] || skip "sanitizers do not let a clock be preloaded"
mkdir corpus
for i in 1 2 3; do text 1000000 "$i" >"corpus/$i"; done
touch -d 2100-01-01 corpus/2
touch -d 1901-01-01 corpus/3
compress=(corpress compress -q -p fast --no-primer --shard-size 1M --snapshot-interval 1s corpus)
expect 0 "${compress[@]}" -o undisturbed.h5
expect 0 corpress extract -q undisturbed.h5 -C out
same_tree corpus out/corpus

cp "$JUMPING_CLOCK" jumping_clock.so # a path with a blank cannot be preloaded
jumping=(env "LD_PRELOAD=$PWD/jumping_clock.so")
"${jumping[@]}" python3 -c 'import time
assert abs(time.time() - time.time()) > 86400, "the clock does not jump"'

# stopped COMMAND...: runs it, and stops it in the middle.
stopped() {
    hold_at 1300000
    "$@" 2>said &
    pid=$!
    await_hold "$pid"
    [ -e archive.h5.work/shard-00000000.cps ] || fail "no shard is done"
    kill -s USR1 "$pid"
    code=0
    wait "$pid" || code=$?
    end_hold
    [ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
}
done_right() {
    cmp undisturbed.h5 archive.h5
    absent archive.h5.work
    rm archive.h5
}

# While it runs.
stopped "${jumping[@]}" "${compress[@]}" -o archive.h5
expect 0 "${jumping[@]}" corpress status archive.h5 | grep -q ': stopped'
expect 0 "${jumping[@]}" "${compress[@]}" -o archive.h5
done_right
expect 0 ranks 2 "${jumping[@]}" "${compress[@]}" -o archive.h5
done_right

# What was written tomorrow, or long ago.
for day in 2100-01-01 1980-01-01; do
    stopped "${compress[@]}" -o archive.h5
    find archive.h5.work -exec touch -d "$day" {} +
    expect 0 corpress status archive.h5 | grep -q ': stopped'
    expect 0 "${compress[@]}" -o archive.h5
    done_right
done

# A job that is at work keeps its lock, whatever the time.
hold_at 300000
"${jumping[@]}" "${compress[@]}" -o busy.h5 &
pid=$!
await_hold "$pid"
touch -d 1980-01-01 busy.h5.work/lock
expect 2 "${jumping[@]}" "${compress[@]}" -o busy.h5 2>said
grep -q "another job is at work.*process $pid " said || fail "$(cat said)"
end_hold
wait "$pid"

# Even the monotonic clock begins again when a machine does.
later=(unshare --fork --time --monotonic 1000000 --boottime 1000000)
if "${later[@]}" true 2>/dev/null; then
    export -f stopped fail hold_at await_hold end_hold
    "${later[@]}" bash -euo pipefail -c 'stopped "$@" -o archive.h5' - "${compress[@]}"
    expect 0 corpress status archive.h5 | grep -q ': stopped'
    expect 0 "${compress[@]}" -o archive.h5
    done_right
fi
