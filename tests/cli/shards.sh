# Single shards of an archive of several.
mkdir corpus
text 2500000 1 >corpus/1
text 300000 2 >corpus/2
text 200000 3 >corpus/3
text 1500000 4 >corpus/4
cat corpus/1 corpus/2 corpus/3 corpus/4 >stream
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o archive.h5
corpress list --shards archive.h5 | awk '$1 ~ /^[0-9]+$/ { print $1, $2, $3 }' >table
[ "$(wc -l <table)" -eq 5 ]
# Shards meet, cover the corpus, and begin at the beginnings of lines.
awk '$2 != next_offset { exit 1 } { next_offset = $2 + $3 } END { if (next_offset != 4500000) exit 1 }' table
while read -r shard offset bytes; do
    expect 0 corpress cat archive.h5 --shards "$shard" >raw
    cmp raw <(tail -c +$((offset + 1)) stream | head -c "$bytes")
    tail -c 1 raw | cmp - <(echo)
done <table
expect 0 corpress cat archive.h5 --shards 0-1,4 >some
cmp some <(head -c "$(awk '$1 == 2 { print $2 }' table)" stream; tail -c "$(awk '$1 == 4 { print $3 }' table)" stream)

# extract --shards: files that lie in the shards with all of their bytes.
expect 1 corpress extract -q archive.h5 --shards 2-3 -C out
expect 0 corpress extract -q archive.h5 --shards 0-4 -C all
diff -r corpus all/corpus
for file in out/corpus/*; do cmp "$file" "corpus/${file##*/}"; done
ls out/corpus

# The audit counts every byte.
corpress audit --format csv archive.h5 >audit.csv
python3 - <<'END'
import csv, json, os, subprocess
rows = list(csv.DictReader(open("audit.csv")))
primer, shards, tables, total = rows[0], rows[1:-2], rows[-2], rows[-1]
size = os.path.getsize("archive.h5")
assert [r["shard"] for r in rows] == ["primer", "0", "1", "2", "3", "4", "tables", "total"]
assert sum(int(r["coded"]) for r in [primer, *shards, tables]) == int(total["coded"]) == size
assert sum(int(r["raw"]) for r in shards) == int(total["raw"]) == 4500000
assert all(r["integrity"] == "ok" for r in rows)
assert abs(sum(int(r["loss_bits"]) for r in [primer, *shards]) - int(total["loss_bits"])) < 8
assert abs(sum(float(r["overhead"]) for r in [primer, *shards, tables]) - float(total["overhead"])) < 1
for r in [primer, *shards]:
    loss = int(r["loss_bits"]) / 8
    assert abs(int(r["coded"]) - loss - float(r["overhead"])) < 1
    assert float(r["overhead"]) <= 0.0002 * loss + 16, r
for r in shards:
    assert 1 < float(r["lz4_ratio"]) < float(r["ratio"])
doc = json.loads(subprocess.check_output(["corpress", "audit", "--format", "json", "archive.h5"]))
assert doc["archive_bytes"] == size and len(doc["rows"]) == 8 and doc["damaged_shards"] == 0
files = json.loads(subprocess.check_output(
    ["corpress", "audit", "--by", "file", "--format", "json", "archive.h5"]))["rows"]
assert [f["path"] for f in files] == ["corpus/1", "corpus/2", "corpus/3", "corpus/4"]
assert abs(sum(f["loss_bits"] for f in files) - sum(int(r["loss_bits"]) for r in shards)) < 8

# LZ4 comes from the log; without it, --full measures the same.
os.remove("archive.h5.log.jsonl")
def lz4(*more):
    out = subprocess.check_output(["corpress", "audit", "-q", "--format", "csv", *more, "archive.h5"], text=True)
    return [r["lz4_ratio"] for r in csv.DictReader(out.splitlines())]
assert lz4() == [""] * 8
assert lz4("--full") == [r["lz4_ratio"] for r in rows]

# The curve ends with the whole shard's loss.
curve = list(csv.DictReader(subprocess.check_output(
    ["corpress", "audit", "-q", "--curve", "--format", "csv", "archive.h5"], text=True).splitlines()))
for r in shards:
    points = [p for p in curve if p["shard"] == r["shard"]]
    assert [int(p["bytes"]) for p in points] == [65536, 131072, 262144, 524288, int(r["raw"])]
    assert abs(float(points[-1]["so_far"]) - int(r["loss_bits"]) / int(r["raw"])) < 0.0001
    assert all(p["network"] == "" for p in points)
END

# What is stored as it is counts once: its bytes are in the loss.
noise 200000 >noise
corpress compress -q -p fast noise -o noise.h5
corpress audit --format csv noise.h5 >audit.csv
python3 - <<'END'
import csv
shard, tables, total = csv.DictReader(open("audit.csv"))
assert int(shard["loss_bits"]) >= 8 * 200000, shard
# Less than nothing by a byte: the length of the bitstream says something, too.
assert -2 < float(shard["overhead"]) < 16, shard
assert abs(float(total["overhead"]) - float(tables["overhead"])) < 16, total
END
