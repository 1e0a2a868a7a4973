# Several extractions into one directory, and corpora that hold what an extraction leaves.
mkdir -p corpus/d corpus/e
text 1200000 1 >corpus/d/big
text 800000 2 >corpus/e/big
for i in 1 2 3; do text 1000 "3$i" >"corpus/e/$i"; done
ln -s big corpus/e/link
expect 0 corpress compress -q -p fast --no-primer --shard-size 1M corpus -o archive.h5

nothing_left_in() { [ -z "$(find "$1" -name '.corpress-*')" ] || fail "left: $(find "$1")"; }
whole() {
    same_tree corpus out/corpus
    nothing_left_in out
}
# parts: how many parts of d/big something has been written to.
parts() { find out/corpus/d -name '.corpress-*' -printf '%b\n' | grep -c '^[1-9]' || true; }
# begin NAME OPTION...: an extraction that waits in the midst of d/big; sets $begun. What else is
# started does not wait.
begin() {
    local name=$1
    shift
    : >"$name.hold"
    CORPRESS_TEST_HOLD="600000:$PWD/$name.hold" \
        corpress extract -q archive.h5 -C out "$@" 2>"$name.said" &
    begun=$!
    until [ -s "$name.hold" ]; do
        kill -0 "$begun" 2>/dev/null || fail "it ended: $(cat "$name.said")"
        sleep 0.02
    done
}
# begin_one OPTION...: one that is begun anew, $one.
begin_one() {
    rm -rf out
    begin one "$@"
    one=$begun
    [ "$(parts)" -eq 1 ] || fail "$(find out -ls)"
}
# go_on CODE: it goes on, and ends with CODE.
go_on() {
    local got=0
    rm one.hold
    wait "$one" || got=$?
    [ "$got" -eq "$1" ] || fail "the one that waited ended with $got: $(cat one.said)"
}
kill_it() {
    kill -KILL "$1"
    wait "$1" 2>/dev/null || true
}

# The second is told of the first and does all; the first finds the names taken.
begin_one
expect 0 corpress extract -q archive.h5 -C out 2>said
grep -q "another extraction is at work in \"out\": process $one on host" said || fail "$(cat said)"
[ "$(parts)" -eq 1 ] || fail "the first's parts are gone"
go_on 2
grep -q 'has come to exist meanwhile; it was left as it is' one.said || fail "$(cat one.said)"
diff -r --no-dereference corpus out/corpus
nothing_left_in out
begin_one --force
expect 0 corpress extract -q --force archive.h5 -C out 2>/dev/null
go_on 0
whole

# The second is killed: what the first names is its own.
begin_one
begin two
[ "$(parts)" -eq 2 ] || fail "$(find out -ls)"
go_on 0
cmp corpus/d/big out/corpus/d/big
diff -r --exclude='.corpress-*' corpus/e out/corpus/e
kill_it "$begun"
expect 0 corpress extract -q --continue archive.h5 -C out
whole

# One that goes on leaves a run alone that lives, and takes over from one that is dead.
begin_one
expect 2 corpress extract -q --continue archive.h5 -C out 2>said
grep -q "another job is at work in \"out/.corpress-.*: process $one on host" said ||
    fail "$(cat said)"
go_on 0
whole
begin_one
kill_it "$one"
cp -a out killed
expect 0 corpress extract -q --continue archive.h5 corpus/e -C out
same_tree corpus/e out/corpus/e
[ "$(parts)" -eq 1 ] || fail "parts of what was not selected are gone"
expect 0 corpress extract -q --continue archive.h5 -C out
whole

# Different files at the same time.
rm -rf out
corpress extract -q archive.h5 corpus/d -C out 2>/dev/null &
one=$!
expect 0 corpress extract -q archive.h5 corpus/e -C out 2>/dev/null
expect 0 wait "$one"
same_tree corpus/d out/corpus/d
same_tree corpus/e out/corpus/e
nothing_left_in out

# What an extraction left is a corpus like any other, also where it was left.
(cd killed && expect 0 corpress compress -q -p fast --no-primer --shard-size 1M . -o ../left.h5)
for option in "" --force --continue; do
    rm -rf out
    [ "$option" = "" ] || cp -a killed out
    # shellcheck disable=SC2086
    expect 0 corpress extract -q $option left.h5 -C out
    touch -r killed out # "." is not in the archive
    same_tree killed out
done
