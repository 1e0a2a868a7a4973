# A rank that fails stops all, with one message and one exit code.
one_message() { [ "$(grep -c '^corpress' said)" -eq 1 ] || fail "$(cat said)"; }
mkdir corpus
for i in $(seq 8); do text 1000000 "$i" >"corpus/$i"; done
chmod 777 .
chmod 000 corpus/5
expect 2 unprivileged bash "$JOBS/mpirun_local.sh" 3 corpress compress -q -p fast --shard-size 1M corpus -o archive.h5 2>said
one_message
grep -q 'corpus/5.*Permission denied' said
nothing_left archive.h5
chmod 644 corpus/5

# A wrong command line, told once.
expect 3 ranks 3 corpress compress -q corpus 2>said
one_message

# In the middle of the shards: the last file shrinks when the first shard is done.
hold_at 1300000
ranks 3 corpress compress -q -p fast --no-primer --shard-size 1M corpus -o archive.h5 2>said &
pid=$!
await_hold "$pid" 3
truncate -s 100 corpus/8
end_hold
code=0
wait "$pid" || code=$?
[ "$code" -eq 2 ] || fail "ended with $code: $(cat said)"
one_message
grep -q 'corpus/8' said
absent archive.h5
tail -n 1 archive.h5.log.jsonl | grep -q '"event":"failed"'
# What was done is of another corpus now.
expect 2 ranks 2 corpress compress -q -p fast --no-primer --shard-size 1M corpus -o archive.h5 2>said
one_message
grep -q 'corpus/8.*had 1000000 bytes then and has 100 now' said
text 1000000 8 >corpus/8
expect 0 corpress compress -q -p fast --restart --shard-size 1M corpus -o archive.h5
absent archive.h5.work
rm archive.h5

# Damage that one rank finds is no reason to stop the others.
expect 0 ranks 2 corpress compress -q -p fast --shard-size 1M corpus -o archive.h5
offset=$(bitstream_offset archive.h5)
first=$(corpress list --shards archive.h5 | awk '$1 == "primer" || $1 == "0" { n += $4 } END { print n }')
flip archive.h5 $((offset + first + 1000))
expect 4 ranks 3 corpress verify -q archive.h5 2>said
grep -q 'shard 1' said
expect 4 ranks 3 corpress extract -q archive.h5 -C out 2>said
grep '^corpress: damaged: ' said | sed 's/.*: //' >named
for path in corpus/[1-8]; do
    if grep -qx "$path" named; then absent "out/$path"; else cmp "$path" "out/$path"; fi
done
