# An extraction that was interrupted goes on, at another number of ranks, and decodes only what is
# missing.
mkdir -p corpus/d/empty
text 2200000 1 >corpus/a_large
for i in 1 2 3 4 5 6; do text 200000 "1$i" >"corpus/d/part$i"; done
text 1600000 2 >corpus/d/read_only_large
chmod 444 corpus/d/read_only_large
chmod 400 corpus/d/part2
: >corpus/nothing
ln -s d/part1 corpus/link
touch -h -d @1234567890.123456789 corpus/*
expect 0 corpress compress -q -p fast --no-primer --shard-size 1M corpus -o archive.h5
shards=$(($(corpress list --shards archive.h5 | awk '$1 ~ /^[0-9]+$/' | wc -l)))
[ "$shards" -ge 5 ] || fail "only $shards shards"

# there: how many shards the last run found there.
there() { sed -n 's/^corpress: \([0-9]*\) of [0-9]* shards were there$/\1/p' said; }
whole() {
    same_tree corpus out/corpus
    [ -z "$(find out -name '*.corpress-*')" ] || fail "left: $(find out)"
}
# interrupted SIGNAL BYTES RANKS OPTION...: starts to extract, sends the signal when each rank has
# decoded that much. With one rank it is the program that gets it, else mpirun.
interrupted() {
    local signal=$1 n=$3 pid
    hold_at "$2"
    shift 3
    if [ "$n" -eq 1 ]; then
        corpress extract -q archive.h5 -C out "$@" 2>said &
    else
        bash "$JOBS/mpirun_local.sh" "$n" corpress extract -q archive.h5 -C out "$@" 2>said &
    fi
    pid=$!
    await_hold "$pid" "$n"
    kill -s "$signal" "$pid"
    code=0
    wait "$pid" || code=$?
    end_hold
    all_gone
}

# A request to stop.
interrupted TERM 2500000 1
[ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
grep -q 'the same command with --continue goes on' said || fail "$(cat said)"
[ -n "$(find out -name '.a_large.corpress-*')" ] || fail "the parts are gone"
absent out/corpus/d/read_only_large
cp -a out stopped
# What an earlier run left is in the way of one that does not go on with it, if it has its name.
if [ -n "$(find out -type f ! -name '*.corpress-*' -size +0)" ]; then
    expect 2 corpress extract -q archive.h5 -C out 2>/dev/null
    rm -rf out
    cp -a stopped out
fi
expect 0 ranks 2 corpress extract --continue archive.h5 -C out 2>said
[ "$(there)" -ge 2 ] || fail "$(cat said)"
whole
# When everything is there nothing is decoded.
expect 0 ranks 3 corpress extract --continue archive.h5 -C out 2>said
[ "$(there)" -eq "$shards" ] || fail "$(cat said)"
whole
expect 0 corpress extract --continue archive.h5 -C new 2>said
[ -z "$(there)" ] || fail "$(cat said)"
same_tree corpus new/corpus

# Killed, then stopped, then killed again.
rm -rf out
interrupted KILL 1300000 2
[ "$code" -ne 0 ] || fail "was not killed"
interrupted TERM 1300000 1 --continue
[ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
interrupted KILL 300000 2 --continue
expect 0 ranks 3 corpress extract --continue archive.h5 -C out 2>said
[ "$(there)" -ge 2 ] || fail "$(cat said)"
whole

# What seems to be there and is wrong is made anew: a file that has its name, a part of one that
# spans shards, one that spans shards and has its name.
for paths in d/part3 'd/read_only_large a_large'; do
    for path in $paths; do
        chmod u+w "out/corpus/$path"
        flip "out/corpus/$path" 100000
        chmod --reference="corpus/$path" "out/corpus/$path"
        touch -r "corpus/$path" "out/corpus/$path"
    done
    expect 0 ranks 2 corpress extract --continue archive.h5 -C out 2>said
    [ "$(there)" -lt "$shards" ] || fail "$(cat said)"
    [ "$paths" != d/part3 ] || [ "$(there)" -ge $((shards - 2)) ] || fail "$(cat said)"
    whole
done
rm -rf out
cp -a stopped out
temporary=$(find out -name '.a_large.corpress-*')
flip "$temporary" 1000
expect 0 corpress extract -q --continue archive.h5 -C out
whole
# Temporary files that are not ours to go on with.
rm -rf out
cp -a stopped out
temporary=$(find out -name '.a_large.corpress-*')
rm "$temporary"
echo precious >precious
ln -s "$PWD/precious" "$temporary"
expect 0 corpress extract -q --continue archive.h5 -C out
whole
[ "$(cat precious)" = precious ] || fail "followed a link"

# Files that differ are not overwritten without --force; with it, only they are written.
echo other >out/corpus/d/part4
expect 2 corpress extract -q --continue archive.h5 -C out 2>said
grep -q 'part4" exists and is not what the archive holds' said || fail "$(cat said)"
[ "$(cat out/corpus/d/part4)" = other ] || fail "it was overwritten"
ln -sfn elsewhere out/corpus/link
expect 0 ranks 2 corpress extract --continue --force archive.h5 -C out 2>said
[ "$(there)" -ge $((shards - 2)) ] || fail "$(cat said)"
whole

# With some files selected, one that spans shards (part5) and has its name stays.
rm -rf out
expect 0 corpress extract -q archive.h5 corpus/d/part1 corpus/d/part5 -C out
rm out/corpus/d/part1
before=$(stat -c %i out/corpus/d/part5)
expect 0 corpress extract -q --continue archive.h5 corpus/d/part1 corpus/d/part5 -C out
cmp corpus/d/part5 out/corpus/d/part5
cmp corpus/d/part1 out/corpus/d/part1
expect 0 ranks 2 corpress extract -q --continue archive.h5 -C out
whole
[ "$before" = "$(stat -c %i out/corpus/d/part5)" ] || fail "part5 was written again"
