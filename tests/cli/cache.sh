# The model's state after the primer, kept for other processes: --cache and CORPRESS_CACHE.
mkdir corpus
text 100000 1 >corpus/1
text 1900000 2 >corpus/2
text 1300000 3 >corpus/3
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o a.h5
# files_of DIR: how many there are.
files_of() { find "$1" -type f | wc -l; }

# Every command that decodes fills it, and takes it from there: the primer is damaged meanwhile.
cp a.h5 damaged.h5
flip damaged.h5 $(($(bitstream_offset a.h5) + 1000))
fill() {
    rm -rf cache
    expect 0 corpress "$@" --cache cache >out
    [ "$(files_of cache)" -eq 1 ] || fail "$*: $(ls -la cache)"
}
fill cat a.h5 corpus/2
cmp out corpus/2
state=$(echo cache/*)
warm() { expect 0 env CORPRESS_CACHE=cache corpress "$@" >out; }
warm cat damaged.h5 corpus/2
cmp out corpus/2
expect 4 env CORPRESS_CACHE=cache corpress cat damaged.h5 corpus/2 --cache '' >out 2>said
for command in "verify -q" "audit -q --full"; do
    # shellcheck disable=SC2086
    fill $command a.h5
    # shellcheck disable=SC2086
    warm $command damaged.h5
done
fill extract -q a.h5 corpus/3 -C x1
expect 0 corpress extract -q damaged.h5 --cache cache -C x2
same_tree corpus x2/corpus

# Ranks, too; one of them uses it.
rm -rf cache
expect 0 ranks 3 corpress extract -q a.h5 --cache cache -C x3
same_tree corpus x3/corpus
[ "$(files_of cache)" -eq 1 ] || fail "$(ls -la cache)"
expect 0 ranks 2 corpress verify -q damaged.h5 --cache cache

# One that is damaged, cut, or empty is made again.
for damage in "flip $state 300000" "flip $state 20" "truncate -s 10000 $state" "truncate -s 0 $state"; do
    chmod u+w "$state"
    eval "$damage"
    chmod 400 "$state"
    expect 0 corpress cat a.h5 corpus/1 --cache cache | cmp - corpus/1
    expect 0 corpress cat damaged.h5 corpus/1 --cache cache | cmp - corpus/1
done

# What cannot be used is noted, and costs nothing else. notes TEXT COMMAND...
notes() {
    expect 0 "${@:2}" >out 2>said
    grep -q "$1" said || fail "no '$1': $(cat said)"
    cmp out corpus/1
}
: >file
notes 'note: the cache "file" is not used: Not a directory' corpress cat a.h5 corpus/1 --cache file
notes 'No such file' corpress cat a.h5 corpus/1 --cache none/none
mkdir -m 777 open
notes 'others may write to it' corpress cat a.h5 corpus/1 --cache open
notes 'wants a size' env CORPRESS_CACHE=cache CORPRESS_CACHE_BYTES=much corpress cat a.h5 corpus/1
rm -rf small
notes 'is not kept: it has .* MB' env CORPRESS_CACHE_BYTES=1M corpress cat a.h5 corpus/1 --cache small
[ "$(files_of small)" -eq 0 ] || fail "$(ls -la small)"
notes 'there is no room in the cache' bash -c 'ulimit -f 10000; corpress cat a.h5 corpus/1 --cache small'
[ "$(files_of small)" -eq 0 ] || fail "$(ls -la small)"
expect 0 env CORPRESS_CACHE=open corpress verify a.h5 2>said
grep -q 'others may write to it' said || fail "$(cat said)"
mkdir -m 500 sealed
if [ "$(id -u)" -eq 0 ]; then chown 65534:65534 . sealed; fi
notes 'cannot be written to' unprivileged corpress cat a.h5 corpus/1 --cache sealed
if [ "$(id -u)" -eq 0 ]; then
    notes 'belongs to another user' corpress cat a.h5 corpus/1 --cache sealed
    chown 0:0 .
fi
# On a file system that is full; in memory; and with room.
if unshare -m true 2>/dev/null; then
    expect 0 unshare -m bash -c 'mkdir full && mount -t tmpfs -o size=4M tmpfs full && mkdir full/c &&
        corpress cat a.h5 corpus/1 --cache full/c >out 2>said && [ -z "$(ls full/c)" ] &&
        mount -o remount,size=60M full && corpress cat a.h5 corpus/1 --cache full/c >out &&
        [ -n "$(ls full/c)" ] && corpress cat damaged.h5 corpus/1 --cache full/c >out'
    grep -q 'there is no room in the cache: No space' said || fail "$(cat said)"
    cmp out corpus/1
fi

# Eight at once decode the primer once. A maker that is stopped in the middle of it is waited for;
# when it is killed another one makes it, and the others wait for that.
until [ -n "$(find cache -name '*.lock')" ]; do
    rm -rf cache
    corpress cat a.h5 corpus/1 --cache cache >/dev/null &
    maker=$!
    until [ -n "$(find cache -type f 2>/dev/null)" ]; do sleep 0.01; done
    kill -s STOP "$maker" || continue # it is done already
done
for i in 1 2 3 4 5 6 7; do corpress cat a.h5 corpus/1 --cache cache >"out$i" 2>"said$i" & done
sleep 1
[ "$(cat out? | wc -c)" -eq 0 ] || fail "they do not wait"
kill -s KILL "$maker"
wait
for i in 1 2 3 4 5 6 7; do
    cmp "out$i" corpus/1
    [ ! -s "said$i" ] || fail "$(cat "said$i")"
done
[ "$(files_of cache)" -eq 1 ] || fail "$(ls -la cache)"
