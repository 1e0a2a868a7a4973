# --json of each command that has it: numbers are numbers, paths are exact, nothing is missing.
mkdir -p corpus/sub
text 2500000 1 >corpus/long
text 30 2 >corpus/short
: >corpus/empty
printf 'x' >corpus/$'new\nline "quoted" \\'
printf 'y' >corpus/sub/$'\xff'
ln -s $'to\xfe' corpus/link
chmod 2640 corpus/short
touch -d '2001-02-03 04:05:06.789 UTC' corpus/short
touch -d '1961-02-03 04:05:06.25 UTC' corpus/empty
expect 0 corpress compress -q -p fast --shard-size 1M corpus -o a.h5
for command in list "list --shards" "audit --by file" "audit" "plan" "status"; do
    operand=a.h5
    [ "$command" != plan ] || operand='--sample-bytes 0 corpus'
    # shellcheck disable=SC2086 # words
    expect 0 corpress $command --json $operand >one.json
    # shellcheck disable=SC2086
    expect 0 corpress $command --format json $operand | cmp - one.json
    mv one.json "$command.json"
done
expect 1 corpress list --json a.h5 'corpus/s*' --exclude sub corpus/absent >some.json
expect 0 corpress list --json a.h5 --long >long.json
cmp long.json list.json
expect 0 corpress list --format csv a.h5 >list.csv
expect 0 corpress list --format csv --shards a.h5 >shards.csv
expect 0 corpress list --format table a.h5 | cmp - <(corpress list a.h5)
expect 2 corpress list --json a.h5 corpus/absent
python3 - <<'END'
import csv, json, os, stat
def load(name):
    return json.load(open(name + ".json", encoding="utf-8"))
listed = load("list")
size = os.path.getsize("a.h5")
assert listed["archive"] == "a.h5" and listed["profile"] == "fast", listed
assert (listed["files"], listed["shards"], listed["shard_bytes"]) == (8, 3, 1 << 20), listed
assert (listed["raw_bytes"], listed["archive_bytes"]) == (2500032, size), listed
assert listed["documents"] == 4 and "separator" not in listed, listed
def exact(row, key="path"):
    return bytes.fromhex(row[key + "_hex"]) if key + "_hex" in row else os.fsencode(row[key])
offset = 0
assert len(listed["rows"]) == 8
for row in listed["rows"]:
    path = exact(row)
    status = os.lstat(path)
    kind = {"file": stat.S_ISREG, "directory": stat.S_ISDIR, "link": stat.S_ISLNK}[row["type"]]
    assert kind(status.st_mode) and row["mode"] == stat.S_IMODE(status.st_mode), row
    assert row["mtime_seconds"] * 10**9 + row["mtime_nanoseconds"] == status.st_mtime_ns, row
    assert row["raw"] == (status.st_size if row["type"] == "file" else 0), row
    assert row["offset"] == offset, row
    offset += row["raw"]
    assert all((key in row) == (row["raw"] > 0) for key in ("first_shard", "last_shard", "loss_bits")), row
    assert ("link_target" in row) == (row["type"] == "link"), row
    if row["type"] == "link":
        assert exact(row, "link_target") == os.readlink(path)
by_path = {exact(row): row for row in listed["rows"]}
assert by_path[b"corpus/empty"]["mtime_seconds"] < 0
assert "path_hex" in by_path[b"corpus/sub/\xff"] and "path_hex" not in by_path[b"corpus/short"]
long = by_path[b"corpus/long"]
assert (long["first_shard"], long["last_shard"]) == (0, 2), long
assert abs(long["ratio"] - 8 * long["raw"] / long["loss_bits"]) < 0.001, long

audited = load("audit --by file")["rows"]
same = ("raw", "loss_bits", "ratio", "bits_per_byte", "first_shard", "last_shard")
for row in audited:
    assert all(row[key] == by_path[exact(row)][key] for key in same if key in row), row
shards = load("list --shards")["rows"]
assert [row["shard"] for row in shards] == [0, 1, 2], shards
assert [row["raw"] for row in shards] == [row["raw"] for row in load("audit")["rows"][:3]]
some = load("some")
assert [row["path"] for row in some["rows"]] == ["corpus/short"] and some["files"] == 8, some

plan = load("plan")
assert (plan["files"], plan["raw_bytes"], plan["shards"]) == (8, 2500032, 1), plan
assert plan["shard_bytes"] == 64 << 20 and plan["primer_bytes"] == 0, plan
assert {p["profile"] for p in plan["profiles"]} >= {"fast", "balanced", "strong", "neural"}
assert all(p["rank_memory_bytes"] > 0 == p["node_memory_bytes"] for p in plan["profiles"]), plan
assert load("status")["state"] == "finished"

rows = list(csv.DictReader(open("list.csv", newline="", encoding="utf-8")))
assert [row["raw"] for row in rows] == [str(row["raw"]) for row in listed["rows"]]
assert len(list(csv.DictReader(open("shards.csv")))) == 3
END
expect 0 corpress plan --sample-bytes 0 corpus --shard-size 1M --lesson-bytes 1M --json >lesson.json
python3 - <<'END'
import json
plan = json.load(open("lesson.json"))
assert plan["shards"] == 3 and plan["shard_bytes"] == 1 << 20, plan
neural = next(p for p in plan["profiles"] if p["profile"] == "neural")
assert neural["lesson_bytes"] == 1 << 20 and neural["lesson_streams"] >= 1, neural
assert all("lesson_bytes" not in p for p in plan["profiles"] if p["profile"] == "fast")
END
expect 3 corpress list --null --json a.h5 2>/dev/null
