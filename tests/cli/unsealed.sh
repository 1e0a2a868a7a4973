# Archives that other programs have written to: refused, and read with --unsealed, never wrongly.
mkdir corpus
for i in 1 2 3; do text 400000 "$i" >"corpus/$i"; done
for i in $(seq 100); do echo "$i" >"corpus/small-$i"; done
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o archive.h5
[ "$(stat -c %a archive.h5)" = 444 ] || fail "mode $(stat -c %a archive.h5)"
expect 0 corpress list -l archive.h5 >listed

# readable ARCHIVE: only with --unsealed, and then all of it.
readable() {
    local command
    for command in list audit verify extract "cat --shards 0"; do
        # shellcheck disable=SC2086 # words
        expect 4 corpress $command "$1" >/dev/null 2>said || fail "$(cat said)"
        grep -q 'changed after it was sealed\|wrote it anew' said || fail "$1: $(cat said)"
        grep -q -e '--unsealed' said || fail "$1: $(cat said)"
    done
    expect 0 corpress list -l --unsealed "$1" >listed_now
    cmp listed listed_now
    expect 0 corpress verify -q --unsealed "$1"
    expect 0 corpress cat --unsealed "$1" corpus/2 >cat_now
    cmp corpus/2 cat_now
    expect 0 corpress extract -q --unsealed "$1" -C out
    same_tree corpus out/corpus
    rm -r out
    expect 0 corpress audit -q --unsealed --format csv "$1" >audit_now
    grep -q '^tables,.*unsealed$' audit_now
}
writable() { cp archive.h5 "$1" && chmod u+w "$1"; }

# An attribute of h5py; and its mode "a" without a change.
writable noted.h5
python3 -c 'import h5py
with h5py.File("noted.h5", "a") as f: f.attrs["note"] = "x"'
readable noted.h5
writable opened.h5
python3 -c 'import h5py
h5py.File("opened.h5", "a").close()'
expect 0 corpress verify -q opened.h5 || readable opened.h5

# A flipped bit in a shard is found, and it is told which one.
offset=$(python3 -c 'import h5py
with h5py.File("noted.h5", "r") as f: print(f["bitstream"].id.get_offset() + 2000)')
flip noted.h5 "$offset"
expect 4 corpress verify -q --unsealed noted.h5 2>said
grep -q 'shard 0\|the primer' said || fail "$(cat said)"

# Tables that do not agree any more.
writable resized.h5
python3 -c 'import h5py
with h5py.File("resized.h5", "a") as f: f["files/size_bytes"][1] += 1'
expect 4 corpress extract -q --unsealed resized.h5 -C out 2>said
absent out

head -c $(($(stat -c %s archive.h5) - 3000)) archive.h5 >short.h5
expect 4 corpress cat --unsealed short.h5 corpus/1 2>said
grep -q truncated said || fail "$(cat said)"

# The same bytes with --unsealed where the seal is right.
expect 0 corpress list -l --unsealed archive.h5 >listed_now
cmp listed listed_now

command -v h5repack >/dev/null || exit 0
h5repack archive.h5 repacked.h5
readable repacked.h5
h5repack -f GZIP=1 archive.h5 packed.h5
expect 2 corpress cat --unsealed packed.h5 corpus/1 2>said
grep -q 'h5repack -l CONTI -f NONE' said || fail "$(cat said)"
h5repack -l CONTI -f NONE packed.h5 undone.h5
readable undone.h5
