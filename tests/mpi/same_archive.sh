# The archive does not depend on the number of ranks, on the locale, on what is set in the
# environment, on the instruction set, or on how it is written.
mkdir corpus
for i in 1 2 3 4; do text 900000 "$i" >"corpus/$i"; done
noise 500000 >corpus/noise
text 900000 5 >corpus/lines.jsonl
for i in $(seq 300); do echo "small file $i" >"corpus/small$i"; done
expect 0 corpress compress -q --shard-size 1M corpus -o alone.h5
[ "$(corpress list --shards alone.h5 | grep -c '^ *[0-9]')" -ge 4 ] || fail "fewer than 4 shards"
for n in 2 3 4; do
    OPENBLAS_NUM_THREADS=$n LC_ALL=C.UTF-8 TZ=UTC-$n OMP_NUM_THREADS=$n \
        expect 0 ranks "$n" corpress compress -q --shard-size 1M corpus -o "$n.h5"
    cmp alone.h5 "$n.h5"
    absent "$n.h5.work"
done
CORPRESS_KERNEL=baseline expect 0 ranks 2 corpress compress -q --no-mpi-io --shard-size 1M corpus -o other.h5
cmp alone.h5 other.h5

# The log names every shard once, and who coded it.
python3 - <<'END'
import json
events = [json.loads(line) for line in open("3.h5.log.jsonl")]
shards = [e for e in events if e["event"] == "shard"]
assert sorted(e["shard"] for e in shards) == list(range(len(shards)))
assert {e["rank"] for e in shards} <= {0, 1, 2}, {e["rank"] for e in shards}
assert events[0]["event"] == "start" and events[0]["ranks"] == 3 and len(events[0]["hosts"]) == 3
assert events[-1]["event"] == "published"
END

# Any number of ranks decompresses it.
expect 0 ranks 3 corpress extract -q alone.h5 -C out
same_tree corpus out/corpus
expect 0 ranks 4 corpress audit -q --format csv alone.h5 >four.csv
corpress audit -q --format csv alone.h5 | cmp - four.csv
expect 0 ranks 2 corpress cat alone.h5 corpus/3 | cmp - corpus/3
expect 0 ranks 2 corpress list alone.h5 | cmp - <(corpress list alone.h5)
expect 2 ranks 3 corpress extract -q alone.h5 -C out

# They agree about what a command line selects, and one of them says what is missing.
expect 1 ranks 3 corpress extract -q alone.h5 -C part 'small?' corpus/absent --exclude '*[5-9]' 2>said
[ "$(cat said)" = "corpress: warning: no corpus/absent in the archive; 'corpress list' shows what there is" ] ||
    fail "$(cat said)"
(cd corpus && ls small[1-4]) | cmp - <(ls part/corpus)
expect 2 ranks 3 corpress extract -q alone.h5 -C part absent 'x*' 2>said
[ "$(wc -l <said)" -eq 2 ] || fail "$(cat said)"
expect 0 ranks 3 corpress audit -q --by file --full alone.h5 'small?' >three
corpress audit -q --by file --full alone.h5 'small?' | cmp - three
