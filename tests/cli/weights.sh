# The weights of a lesson in the archive: what is said of them, how they are counted, and what depends
# on them.
for i in 1 2 3; do
    text 25000 "$i"
    printf '%600000s\n' ''
done >corpus
compress=(corpress compress -q -p neural --shard-size 1M corpus)
expect 0 "${compress[@]}" --lesson-bytes 300000 -o taught.h5
expect 0 "${compress[@]}" --no-lesson -o cold.h5

# Without a lesson nothing of it is in the archive; on a small corpus there is none.
expect 0 "${compress[@]}" -o rule.h5
cmp cold.h5 rule.h5
h5() { python3 -c 'import h5py, sys; print(*sorted(h5py.File(sys.argv[1], "r")))' "$1"; }
[ "$(h5 cold.h5)" = "bitstream files shards vocabulary" ] || fail "$(h5 cold.h5)"
[ "$(h5 taught.h5)" = "bitstream files shards vocabulary weights" ] || fail "$(h5 taught.h5)"
corpress list --shards cold.h5 | grep weights && fail "weights without a lesson"

# They are counted once.
corpress list --shards taught.h5 | grep -Eq '^weights +- +- +[0-9]+ +- +- +- +-$'
corpress audit -q --format csv taught.h5 >audit
python3 - <<'END'
import csv
import os
rows = {r["shard"]: r for r in csv.DictReader(open("audit"))}
parts = [int(r["coded"]) for name, r in rows.items() if name != "total"]
assert int(rows["weights"]["coded"]) > 1000
assert sum(parts) == int(rows["total"]["coded"]) == os.path.getsize("taught.h5")
END
corpress audit -q --format json taught.h5 | python3 -c 'import json, sys
audit = json.load(sys.stdin)
assert "; weights 1; tokens " in audit["model"], audit["model"]
assert [row["shard"] for row in audit["rows"]][-3:] == ["weights", "tables", "total"], audit'

# One shard alone, and all of it.
expect 0 corpress cat --shards 1 taught.h5 >part
offset=$(corpress list --shards taught.h5 | awk '$1 == 1 { print $2 }')
cmp part <(tail -c "+$((offset + 1))" corpus)
expect 0 corpress extract -q taught.h5 -C out
cmp corpus out/corpus
expect 0 corpress verify -q taught.h5

# What the plan says of it, and nothing without one.
expect 0 corpress plan --sample-bytes 0 --lesson-bytes 300000 corpus >plan
grep -Eq '^lesson   262.1 kB in [0-9]+ streams with profile neural$' plan || fail "$(cat plan)"
grep -Eq '^ +[0-9]+:[0-9]{2}:[0-9]{2} with 1 rank$' plan
expect 0 corpress plan --sample-bytes 0 corpus | grep lesson && fail "a lesson for a small corpus"
expect 0 corpress plan --sample-bytes 0 --no-lesson corpus >/dev/null

# What makes no sense.
expect 3 "${compress[@]}" --lesson-bytes 65535 -o x.h5 2>said
grep -q -- "--lesson-bytes wants 64K or more, not '65535'" said || fail "$(cat said)"
expect 3 "${compress[@]}" --lesson-bytes 64K --no-lesson -o x.h5 2>said
grep -q 'only one of --lesson-bytes and --no-lesson' said || fail "$(cat said)"
expect 3 corpress plan --sample-bytes 0 --lesson-bytes 64K --no-lesson corpus 2>said
grep -q 'only one of --lesson-bytes and --no-lesson' said || fail "$(cat said)"
expect 3 corpress compress -q -p fast --lesson-bytes 64K corpus -o x.h5 2>said
grep -q 'profile fast has no network that could be taught' said || fail "$(cat said)"
nothing_left x.h5
# A lesson reads what there is four times, and no more.
expect 0 corpress plan --sample-bytes 0 --lesson-bytes 1G corpus >plan
grep -Eq '^lesson   7.[0-9] MB in ' plan || fail "$(cat plan)"

# Weights that are not what they were are named, by all that needs them, and all else goes on.
cat >damage.py <<'END'
import os
import sys

import h5py

sys.path.insert(0, os.environ["TESTS"])
import _seal

how, path = sys.argv[1:]
with h5py.File(path, "r+") as archive:
    weights = archive["weights"][:]
    if how == "flip":
        archive["weights"][len(weights) // 2] = weights[len(weights) // 2] ^ 1
    elif how == "short":
        del archive["weights"]
        archive.create_dataset("weights", data=weights[:20])
    elif how == "none":
        del archive["weights"]
_seal.seal(path)
END
for how in flip short; do
    cp taught.h5 damaged.h5
    chmod u+w damaged.h5
    python3 damage.py "$how" damaged.h5
    for command in "cat damaged.h5 corpus" "extract -q damaged.h5 -C elsewhere" "verify -q damaged.h5"; do
        # shellcheck disable=SC2086 # words
        expect 4 corpress $command >part 2>said
        [ ! -s part ] || fail "$command wrote $(wc -c <part) bytes"
        grep -q '^corpress: the weights of "damaged.h5" are damaged, and all shards depend on them: they ' said ||
            fail "$command: $(cat said)"
    done
    expect 0 corpress list damaged.h5 >/dev/null
done
cp taught.h5 damaged.h5
chmod u+w damaged.h5
python3 damage.py none damaged.h5
expect 4 corpress list damaged.h5 2>said
grep -q '"damaged.h5" contradicts itself in weights' said || fail "$(cat said)"
