# Modes and times that change during a job do not count, content does: what of it is done of other
# content is done again, with a warning, and no more.
mkdir corpus
for i in 1 2 3 4; do text 1040000 "$i" >"corpus/$i"; done
cp -a corpus begun
compress=(corpress compress -q -p fast --shard-size 1M corpus)
expect 0 "${compress[@]}" -o undisturbed.h5

# held SHARD: starts it, and waits until it is in the middle of that shard; $pid.
held() {
    local primer
    primer=$(corpress list --shards undisturbed.h5 | awk '$1 == "primer" { print $3 }')
    hold_at $((${primer:-0} + $1 * 1040000 + 300000))
    "${compress[@]}" -o archive.h5 2>said &
    pid=$!
    await_hold "$pid"
}
# A work directory with two finished shards of four, and the snapshot of the third.
held 2
kill -s USR1 "$pid"
wait "$pid" && fail "it did not stop"
end_hold
[ -e archive.h5.work/snapshot-00000002 ] || fail "not in the middle of a shard: $(ls archive.h5.work)"
cp -a archive.h5.work saved

again() {
    rm -rf archive.h5 archive.h5.work archive.h5.log.jsonl corpus
    cp -a begun corpus
    cp -a saved archive.h5.work
}
# coded SHARD...: these have been coded, and no others.
coded() {
    [ "$(grep -o '"event":"shard","shard":[0-9]*' archive.h5.log.jsonl | sed 's/.*://' | sort -n |
        tr '\n' ' ')" = "$* " ] || fail "coded: $(cat archive.h5.log.jsonl)"
}
# warned PATTERN
warned() { grep -q "^corpress: warning: $1" said || fail "$(cat said)"; }
# whole: the archive holds the corpus as it is now, with the times and modes of the beginning.
whole() {
    rm -rf out
    expect 0 corpress extract -q archive.h5 -C out
    diff -r corpus out/corpus
    (cd begun && tree_facts) >facts
    (cd out/corpus && tree_facts) | diff facts -
    absent archive.h5.work
}

# Harmless changes. (A copy has other ctimes, so all files count as touched.)
for n in 1 2; do
    again
    chmod 600 corpus/1 corpus/2
    chmod 700 corpus
    touch corpus/1 corpus/4
    mv corpus/2 aside
    mv aside corpus/2
    expect 0 ranks "$n" "${compress[@]}" -o archive.h5
    cmp undisturbed.h5 archive.h5
    grep -q '4 files were touched since the job began.* 2 finished shards' archive.h5.log.jsonl
    coded 2 3
done

# Other content in a finished shard: with a new time; with the old one.
again
flip corpus/2 500000
expect 1 ranks 2 "${compress[@]}" -o archive.h5 2>said
warned 'the content of "corpus/2" has changed; shard 1 is coded again$'
coded 1 2 3
whole
again
flip corpus/2 500000
touch -r begun/2 corpus/2
expect 1 "${compress[@]}" -o archive.h5 2>said
warned 'the content of "corpus/2" has changed; shard 1 is coded again$'
coded 1 2 3
whole

# In a shard that is in work: in what is coded of it, and in what is not.
again
flip corpus/3 20000
expect 1 "${compress[@]}" -o archive.h5 2>said
warned 'shard 2 is coded from its start: the content of "corpus/3" has changed$'
coded 2 3
whole
again
flip corpus/4 500000
expect 0 "${compress[@]}" -o archive.h5
coded 2 3
whole

# In the text of the primer, to which the corpus' first bytes belong: it is decoded.
again
flip corpus/1 10
expect 1 ranks 2 "${compress[@]}" -o archive.h5 2>said
warned 'the content of "corpus/1" has changed; shard 0 is coded again$'
grep -q "primer's text has changed in the corpus; decoding" archive.h5.log.jsonl
coded 0 2 3
whole
# If there is no primer, it is made of what is there now, unless there are shards.
again
flip corpus/1 10
rm archive.h5.work/primer.cps
expect 2 "${compress[@]}" -o archive.h5 2>said
grep -q 'the primer of the shards that are done is lost' said
[ -e archive.h5.work/shard-00000001.cps ] || fail "shards were thrown away"
for n in 1 2; do
    rm -rf archive.h5.work archive.h5 archive.h5.log.jsonl
    cp -a saved archive.h5.work
    rm archive.h5.work/primer.cps archive.h5.work/shard-* archive.h5.work/snapshot-*
    expect 0 ranks "$n" "${compress[@]}" -o archive.h5
    coded 0 1 2 3
    whole
    [ "$n" -eq 1 ] || cmp one.h5 archive.h5
    mv archive.h5 one.h5
done

# During the run: a shard is of what the files were when it was coded.
rm -rf corpus archive.h5*
cp -a begun corpus
held 1
flip corpus/1 500000
touch corpus/1 corpus/2 corpus/3 corpus/4
chmod 600 corpus/4
end_hold
wait "$pid" || fail "it ended: $(cat said)"
cmp undisturbed.h5 archive.h5
