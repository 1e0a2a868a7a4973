# Standard input with several ranks: rank 0 reads it, all of them compress it.
text 3500000 1 >data
compress=(corpress compress -q --shard-size 1M -)
expect 0 "${compress[@]}" -o alone.h5 <data
expect 0 ranks 2 "${compress[@]}" -o 2.h5 < <(cat data)
cmp alone.h5 2.h5
absent 2.h5.work
expect 3 ranks 2 "${compress[@]}" - -o wrong.h5 </dev/null 2>said
nothing_left wrong.h5

# Any rank may be asked to stop while the first one waits for a pipe.
mkfifo fifo
exec 8<>fifo
echo begun >&8
bash "$JOBS/mpirun_local.sh" 2 bash -c 'echo $$ >pid.$OMPI_COMM_WORLD_RANK; exec "$@"' - \
    corpress compress -q fifo -o stopped.h5 2>said &
pid=$!
until [ -n "$(find stopped.h5.work -name '.tmp-*' -size +0 2>/dev/null)" ]; do
    kill -0 "$pid" || fail "it ended: $(cat said)"
    sleep 0.02
done
kill -s TERM "$(cat pid.1)"
code=0
wait "$pid" || code=$?
[ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
nothing_left stopped.h5

# Killed when it has read everything, it goes on without reading, with another number of ranks.
hold_at 300000
bash "$JOBS/mpirun_local.sh" 2 bash -c 'echo $$ >pid.$OMPI_COMM_WORLD_RANK; exec "$@"' - \
    "${compress[@]}" -o killed.h5 < <(cat data) 2>said &
pid=$!
await_hold "$pid"
kill -s KILL "$(cat pid.0)" "$(cat pid.1)"
wait "$pid" || true
end_hold
expect 0 "${compress[@]}" -o killed.h5 </dev/null
cmp alone.h5 killed.h5
