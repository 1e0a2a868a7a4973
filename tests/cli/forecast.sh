# What plan foretells: its shape, and that it comes true where that does not depend on speed.
mkdir corpus odd odd/many
text 1000000 1 >corpus/1
for i in 1 2 3 4; do tr a-z b-za <"corpus/$i" >"corpus/$((i + 1))"; done
text 25000 6 >small
noise 1000000 >odd/noise
for i in $(seq 2000); do echo "$i" >"odd/many/$i"; done
: >nothing

# near PLAN PROFILE ARCHIVE PERCENT: the plan was not further off.
near() {
    python3 - "$@" <<'END'
import json, os, sys
plan = json.load(open(sys.argv[1]))
row = next(p for p in plan["profiles"] if p["profile"] == sys.argv[2])
size = os.path.getsize(sys.argv[3])
assert abs(row["archive_bytes"] - size) <= float(sys.argv[4]) / 100 * size, (row, size)
assert row["archive_bytes_least"] <= row["archive_bytes"] <= row["archive_bytes_most"], row
END
}

# All of a small corpus is coded.
expect 0 corpress plan small --json >small.json
for profile in fast strong; do
    expect 0 corpress compress -q -p "$profile" small -o "$profile.h5"
    near small.json "$profile" "$profile.h5" 0.5
done
# A sample of a larger one, with a primer and in one shard.
expect 0 corpress plan corpus --shard-size 1M --sample-bytes 512K --json >shards.json
expect 0 corpress compress -q -p fast corpus --shard-size 1M -o shards.h5
near shards.json fast shards.h5 8
# What is mostly names, and cannot be made smaller.
expect 0 corpress plan odd --sample-bytes 100K --json >odd.json
expect 0 corpress compress -q -p fast odd -o odd.h5
near odd.json fast odd.h5 5

python3 - <<'END'
import json
plan = json.load(open("shards.json"))
assert plan["sample_seconds"] > 0, plan
for row in plan["profiles"]:
    assert 0 < row["sample_bytes"] <= 1 << 19, row
    assert row["core_seconds"] > 0 and row["seconds"] > 0 and row["ranks"] in range(1, 6), row
    assert row["nodes"] >= 1 and row["scratch_bytes"] > row["archive_bytes"], row
    assert row["submit"].startswith("submit.sh compress corpus -o ARCHIVE.h5 --nodes "), row
    assert row["submit"].endswith(f" -- --profile {row['profile']} --shard-size 1048576"), row
sizes = {row["profile"]: row["archive_bytes"] for row in plan["profiles"]}
assert sizes["balanced"] < sizes["fast"], sizes
END

# As text, once, also with ranks; the command is one that submit.sh takes.
mkdir "it's"
text 2000 7 >"it's/a b"
expect 0 ranks 2 corpress plan "it's/a b" --exclude x >plan
[ "$(grep -c '^forecast by a sample' plan)" -eq 1 ] || fail "$(cat plan)"
[ "$(grep -Ec '^(fast|balanced|strong|neural)  +[0-9.]+ [kM]?B ' plan)" -eq 4 ] || fail "$(cat plan)"
grep '^submit.sh ' plan | sed -n 1p >line
sed -i "s|^submit.sh|bash '$JOBS/submit.sh'|; s| --nodes| --dry-run --nodes|" line
bash line >script || fail "$(cat line)"
grep -q -- '--profile balanced' script

# Nothing to take a sample of.
expect 0 corpress plan --sample-bytes 0 small >plan
if grep forecast plan; then fail "a forecast that nobody wants"; fi
expect 1 corpress plan nothing >plan 2>/dev/null
grep -q '^forecast none: there is nothing to compress$' plan || fail "$(cat plan)"
expect 0 corpress plan - <small >plan
grep -q '^forecast none: what comes from a pipe can be read once only$' plan || fail "$(cat plan)"
expect 3 corpress plan small --sample-bytes much 2>/dev/null
# Texts in compressed inputs count as such.
gzip <"it's/a b" >short.gz
expect 0 corpress plan --decode-inputs short.gz --json >decoded.json
expect 0 corpress compress -q -p fast --decode-inputs short.gz -o decoded.h5
near decoded.json fast decoded.h5 0.5
