# An extraction that was interrupted goes on, at another number of ranks, and decodes only what is
# missing.
mkdir -p corpus/d/empty
text 900000 1 >corpus/a_large
for i in 1 2 3 4 5 6; do text 70000 "1$i" >"corpus/d/part$i"; done
text 800000 2 >corpus/d/read_only_large
text 80000 3 >corpus/d/z
chmod 444 corpus/d/read_only_large
chmod 400 corpus/d/part2
: >corpus/nothing
ln -s d/part1 corpus/link
touch -h -d @1234567890.123456789 corpus/*
expect 0 corpress compress -q -p fast --no-primer --shard-size 1M corpus -o archive.h5
shards=$(($(corpress list --shards archive.h5 | awk '$1 ~ /^[0-9]+$/' | wc -l)))
[ "$shards" -eq 3 ] || fail "$shards shards"

# there: how many shards the last run found there.
there() { sed -n 's/^corpress: \([0-9]*\) of [0-9]* shards were there$/\1/p' said; }
whole() {
    same_tree corpus out/corpus
    [ -z "$(find out -name '.corpress-*')" ] || fail "left: $(find out)"
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
    all_gone # ranks that have lost mpirun must not go on before they notice
    end_hold
}

# A request to stop.
interrupted TERM 1500000 1
[ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
grep -q 'the same command with --continue goes on' said || fail "$(cat said)"
[ -n "$(find out -name '.corpress-*-*')" ] || fail "the parts are gone"
absent out/corpus/d/read_only_large
cp -a out stopped
# What an earlier run left is in the way of one that does not go on with it, if it has its name.
expect 2 corpress extract -q archive.h5 -C out 2>said
grep -q '"out/corpus/.*" exists; --force' said || fail "$(cat said)"
diff -r stopped out
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
interrupted KILL 600000 2
[ "$code" -ne 0 ] || fail "was not killed"
interrupted TERM 900000 1 --continue
[ "$code" -eq 75 ] || fail "ended with $code: $(cat said)"
interrupted KILL 300000 2 --continue
expect 0 ranks 3 corpress extract --continue archive.h5 -C out 2>said
[ "$(there)" -ge 1 ] || fail "$(cat said)"
whole

# What seems to be there and is wrong is made anew: a file that has its name, a part of one that
# spans shards, one that spans shards and has its name.
for paths in d/part3 'd/read_only_large a_large'; do
    for path in $paths; do
        chmod u+w "out/corpus/$path"
        flip "out/corpus/$path" 50000
        chmod --reference="corpus/$path" "out/corpus/$path"
        touch -r "corpus/$path" "out/corpus/$path"
    done
    expect 0 ranks 2 corpress extract --continue archive.h5 -C out 2>said
    [ "$(there)" -lt "$shards" ] || fail "$(cat said)"
    [ "$paths" != d/part3 ] || [ "$(there)" -eq $((shards - 1)) ] || fail "$(cat said)"
    whole
done
rm -rf out
cp -a stopped out
temporary=$(find out -name '.corpress-*-*' -size 900000c)
flip "$temporary" 1000
expect 0 corpress extract -q --continue archive.h5 -C out
whole
# Temporary files that are not ours to go on with.
rm -rf out
cp -a stopped out
temporary=$(find out -name '.corpress-*-*' -size 900000c)
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
[ "$(there)" -eq $((shards - 1)) ] || fail "$(cat said)"
whole

# With some files selected, those that have their names stay.
rm -rf out
expect 0 corpress extract -q archive.h5 corpus/d/part1 corpus/d/z -C out
rm out/corpus/d/z
before=$(stat -c %i out/corpus/d/part1)
expect 0 corpress extract -q --continue archive.h5 corpus/d/part1 corpus/d/z -C out
cmp corpus/d/z out/corpus/d/z
cmp corpus/d/part1 out/corpus/d/part1
[ "$before" = "$(stat -c %i out/corpus/d/part1)" ] || fail "part1 was written again"

# So does one that spans shards, also where they are decoded.
rm -rf out
selected=(corpus/d/part1 corpus/d/read_only_large)
expect 0 corpress extract -q archive.h5 "${selected[@]}" -C out
rm out/corpus/d/part1
before=$(stat -c %i out/corpus/d/read_only_large)
expect 0 corpress extract -q --continue archive.h5 "${selected[@]}" -C out
cmp corpus/d/read_only_large out/corpus/d/read_only_large
cmp corpus/d/part1 out/corpus/d/part1
expect 0 ranks 2 corpress extract -q --continue archive.h5 -C out
whole
[ "$before" = "$(stat -c %i out/corpus/d/read_only_large)" ] || fail "read_only_large was written again"
